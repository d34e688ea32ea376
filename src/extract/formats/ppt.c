/* PowerPoint 97-2003 (MS-PPT): a tree of records; text atoms, and what the records around them say of slide, notes, master. */
#include "extract/formats/ole.h"

#include <errno.h>
#include <zlib.h>

#include "extract/formats/office_rc4.h"

#define DEPTH_MAX 24
#define RECORDS_MAX (4u << 20)
#define EDITS_MAX 4096
#define PERSIST_MAX (1u << 20)
#define NONE UINT32_MAX

enum {
	DOCUMENT = 1000, SLIDE = 1006, SLIDE_INFO = 1017, NOTES = 1008, SLIDE_PERSIST = 1011, MASTER = 1016, PLACEHOLDER = 3011, TEXT_HEADER =
	3999, TEXT_CHARS = 4000,
	TEXT_BYTES = 4008, CSTRING = 4026, HEADERS_FOOTERS = 4057, LIST = 4080, USER_EDIT = 4085, PERSIST = 6002, SESSION = 0x2f14, OBJECT = 4113,
	COMMENT = 12000,
	TAGS = 5000,
	LINK = 4055, SPACE = 0xf004, FOPT = 0xf00b, FONT_ATOM = 4023, OUTLINE_NAMES = 1026,
};

enum { PLACE_DATE = 7, PLACE_NUMBER, PLACE_FOOTER, PLACE_HEADER };

struct head {
	uint16_t instance, type;
	bool container;
	str data;
	size_t next;
};

struct show {
	struct ole *ole;
	struct sink *sink;
	str stream;
	unsigned left;             /* records that may still be looked at */
	uint32_t *persist;         /* where the object of a number stands */
	size_t n_persist;
	uint32_t *live;            /* offsets of objects that are in use, ascending */
	size_t n_live;
	bool encrypted;
	uint32_t session;          /* number of the object that says how it is enciphered */
	struct buf clear;          /* the stream, where it was */
	unsigned n_objects;
	int error;
};

/* What lies above a record. */
struct where {
	enum zone zone;
	uint16_t parent;
	bool master;
	uint8_t placeholder;
	uint32_t text_type;
};

static bool head_at(str s, size_t at, struct head *ret)
{
	uint16_t v = le16(s, at);

	if (!le_has(s, at, 8))
		return false;
	ret->container = (v & 15) == 15;
	ret->instance = v >> 4;
	ret->type = le16(s, at + 2);
	ret->data = le_sub(s, at + 8, le32(s, at + 4));
	ret->next = at + 8 + ret->data.n;
	return true;
}

static bool find(str s, uint16_t type, struct head *ret)
{
	for (size_t at = 0; head_at(s, at, ret); at = ret->next)
		if (ret->type == type)
			return true;
	return false;
}

/* ---- which objects are in use: saving appends, and leaves the old behind ---- */

static void add_persist(struct show *w, str data)
{
	for (size_t at = 0; le_has(data, at, 4);) {
		uint32_t v = le32(data, at), id = v & 0xfffff, n = v >> 20;

		at += 4;
		for (; n && le_has(data, at, 4); n--, id++, at += 4) {
			if (id >= w->n_persist || w->persist[id] != NONE)
				continue; /* a later save has said where */
			w->persist[id] = le32(data, at);
		}
	}
}

static int by_value(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return x < y ? -1 : x > y;
}

static void read_edits(struct show *w, uint32_t at)
{
	struct head h;
	uint32_t newer = NONE;

	for (unsigned i = 0; i < EDITS_MAX && at && at < newer && head_at(w->stream, at, &h) && h.type == USER_EDIT; i++) {
		if (h.data.n >= 32 && le32(h.data, 28) && !w->encrypted) {
			w->encrypted = true;
			w->session = le32(h.data, 28);
		}
		newer = at; /* older ones stand before it: no circles */
		at = le32(h.data, 8);
		if (head_at(w->stream, le32(h.data, 12), &h) && h.type == PERSIST)
			add_persist(w, h.data);
	}
}

static int find_live(struct show *w)
{
	_cleanup_buf_ struct buf user = BUF_INIT;
	str s;

	if (ole_load(w->ole, w->ole->root, "Current User", &user) < 0)
		return 0;
	s = buf_str(&user);
	w->n_persist = MIN((size_t)PERSIST_MAX, w->stream.n / 8 + 16);
	w->persist = malloc(w->n_persist * sizeof(*w->persist));
	w->live = malloc(w->n_persist * sizeof(*w->live));
	if (!w->persist || !w->live)
		return -ENOMEM;
	memset(w->persist, 0xff, w->n_persist * sizeof(*w->persist));
	read_edits(w, le32(s, 16));
	w->encrypted = w->encrypted || le32(s, 12) == 0xf3d1c4df;
	for (size_t i = 0; i < w->n_persist; i++)
		if (w->persist[i] != NONE)
			w->live[w->n_live++] = w->persist[i];
	if (w->n_live)
		qsort(w->live, w->n_live, sizeof(*w->live), by_value);
	return 0;
}

/* ---- what PowerPoint enciphers without asking anybody for a password (MS-OFFCRYPTO 2.4.2.3) ---- */

/* UTF-16LE, with the NUL behind. */
static const char everybodys[] = "/\0" "0\0" "1\0H\0a\0n\0n\0e\0s\0 \0R\0u\0e\0s\0c\0h\0e\0r\0/\0" "0\0" "1";

/* Each object under a key of its own, from its head on. Objects stand one beside the other: more than the stream's length is not passed. */
static int decipher(struct show *w)
{
	size_t left = w->stream.n;
	struct office_rc4 k;
	struct head h;
	int r;

	if (w->session >= w->n_persist || w->persist[w->session] == NONE || !head_at(w->stream, w->persist[w->session], &h) || h.type != SESSION)
		return -EACCES;
	r = office_rc4_open(&k, h.data, (str){ everybodys, sizeof(everybodys) });
	if (r < 0)
		return r;
	buf_puts(&w->clear, w->stream);
	r = buf_error(&w->clear);
	for (uint32_t id = 0; r == 0 && id < w->n_persist; id++) {
		size_t at = w->persist[id], n;
		str s = buf_str(&w->clear);

		if (id == w->session || w->persist[id] == NONE || !le_has(s, at, 8))
			continue;
		if (!office_rc4_block(&k, id))
			r = -ENOMEM;
		office_rc4_apply(&k, (uint8_t *)w->clear.p + at, 8);
		n = MIN(le_sub(s, at + 8, le32(s, at + 4)).n, left);
		office_rc4_apply(&k, (uint8_t *)w->clear.p + at + 8, n);
		left -= n;
	}
	office_rc4_close(&k);
	w->stream = buf_str(&w->clear);
	return r;
}

/* Whether the document itself is among them; else the list is not to be trusted and everything is read. */
static bool trusted(const struct show *w)
{
	struct head h;

	for (size_t i = 0; i < w->n_live; i++)
		if (head_at(w->stream, w->live[i], &h) && h.type == DOCUMENT && h.container)
			return true;
	return false;
}

/* ---- text ---- */

static void put_text(struct show *w, enum zone zone, str s, bool wide)
{
	_cleanup_buf_ struct buf b = BUF_INIT;

	if (wide)
		ole_utf16(&b, s, false);
	else
		charset_to_utf8(STR("latin1"), s, &b);
	/* \r ends a paragraph, \v a line. */
	for (size_t i = 0; i < b.n; i++)
		if (b.p[i] == '\r' || b.p[i] == '\v')
			b.p[i] = '\n';
	while (b.n && (b.p[b.n - 1] == '\n' || b.p[b.n - 1] == '\0'))
		b.n--;
	sink_text(w->sink, zone, buf_str(&b));
	sink_block(w->sink);
}

static enum zone zone_of(const struct where *here)
{
	if (here->placeholder == PLACE_FOOTER)
		return ZONE_FOOTER;
	if (here->placeholder == PLACE_HEADER)
		return ZONE_HEADER;
	if (here->zone == ZONE_BODY && (here->text_type == 0 || here->text_type == 6))
		return ZONE_TITLE;
	return here->zone;
}

/* Of a master only what stands on every slide: its placeholders hold instructions ("Click to edit …"). */
static bool shown(const struct where *here)
{
	return !here->master || !here->placeholder || here->placeholder == PLACE_FOOTER || here->placeholder == PLACE_HEADER;
}

static void on_cstring(struct show *w, const struct head *h, const struct where *here)
{
	static const enum zone header[] = { ZONE_FOOTER /* date */, ZONE_HEADER, ZONE_FOOTER };

	if (here->parent == HEADERS_FOOTERS && h->instance < ARRAY_SIZE(header))
		put_text(w, header[h->instance], h->data, true);
	else if (here->parent == COMMENT && h->instance == 1)
		put_text(w, ZONE_COMMENT, h->data, true);
	else if (here->parent == LINK && h->instance == 1)
		put_text(w, ZONE_LINK, h->data, true);
}

/* ---- embedded objects ---- */

static int inflate_object(struct show *w, str packed, size_t claimed, struct buf *ret)
{
	z_stream z = { .next_in = (Bytef *)packed.p, .avail_in = (uInt)packed.n };
	size_t max = MIN(sink_room(w->sink), claimed);
	int r = Z_OK;

	if (inflateInit(&z) != Z_OK)
		return -ENOMEM;
	while (r == Z_OK && ret->n < max && buf_reserve(ret, MIN(max - ret->n, (size_t)1 << 20)) == 0) {
		size_t room = MIN(max - ret->n, (size_t)1 << 20);

		z.next_out = (Bytef *)ret->p + ret->n;
		z.avail_out = (uInt)room;
		r = inflate(&z, Z_NO_FLUSH);
		ret->n += room - z.avail_out;
	}
	inflateEnd(&z);
	return sink_unpacked(w->sink, ret->n);
}

static void on_object(struct show *w, const struct head *h)
{
	static const char magic[] = "\xd0\xcf\x11\xe0";
	_cleanup_buf_ struct buf bytes = BUF_INIT;
	char name[32];
	str s = h->data;
	int r = 0;

	if (h->instance == 1) {
		r = inflate_object(w, le_sub(s, 4, s.n), le32(s, 0), &bytes);
		s = buf_str(&bytes);
	}
	if (r < 0 || !str_starts(s, STR(magic))) {
		w->error = r;
		return;
	}
	snprintf(name, sizeof(name), "object%u", ++w->n_objects);
	w->error = ole_part(w->ole, str_c(name), s);
}

/* ---- the tree ---- */

static void walk(struct show *w, str s, struct where here, unsigned depth);

static bool hidden_slide(str slide)
{
	struct head h;

	return find(slide, SLIDE_INFO, &h) && le16(h.data, 10) & 4;
}

static void descend(struct show *w, const struct head *h, struct where here, unsigned depth)
{
	bool hidden = h->type == SLIDE && hidden_slide(h->data);

	here.parent = h->type;
	switch (h->type) {
	case SLIDE:
		here.zone = ZONE_BODY;
		break;
	case NOTES:
		here.zone = ZONE_NOTE;
		break;
	case MASTER:
		here.zone = ZONE_BODY;
		here.master = true;
		break;
	case LIST:
		if (h->instance == 1)
			return; /* of masters */
		here.zone = h->instance == 2 ? ZONE_NOTE : ZONE_BODY;
		break;
	case SPACE:
		here.placeholder = 0;
		break;
	default:
		break;
	}
	if (hidden)
		sink_hidden(w->sink, true);
	walk(w, h->data, here, depth + 1);
	if (hidden)
		sink_hidden(w->sink, false);
}

/* The outline of a slide stands away from it. */
static void on_slide_persist(struct show *w, const struct head *h)
{
	uint32_t id = le32(h->data, 0);
	struct head slide;
	bool known = id < w->n_persist && w->persist[id] != NONE && head_at(w->stream, w->persist[id], &slide) && slide.type == SLIDE;

	sink_hidden(w->sink, known && hidden_slide(slide.data));
}

/* The number of a shape's placeholder stands in the record before its text, or behind it. */
static uint8_t placeholder_in(str shape)
{
	struct head client, h;

	if (find(shape, 0xf011, &client) && find(client.data, PLACEHOLDER, &h))
		return MAX(le8(h.data, 4), 1);
	return 0;
}

static void atom(struct show *w, const struct head *h, struct where *here)
{
	switch (h->type) {
	case TEXT_HEADER:
		here->text_type = le32(h->data, 0);
		break;
	case TEXT_CHARS:
	case TEXT_BYTES:
		if (shown(here))
			put_text(w, zone_of(here), h->data, h->type == TEXT_CHARS);
		break;
	case CSTRING:
		on_cstring(w, h, here);
		break;
	case SLIDE_PERSIST:
		if (here->parent == LIST)
			on_slide_persist(w, h);
		break;
	case OBJECT:
		on_object(w, h);
		break;
	default:
		break;
	}
}

static void walk(struct show *w, str s, struct where here, unsigned depth)
{
	struct head h;

	here.text_type = NONE;
	if (here.parent == SPACE)
		here.placeholder = placeholder_in(s);
	for (size_t at = 0; head_at(s, at, &h) && w->left && !w->error && !sink_full(w->sink); at = h.next) {
		w->left--;
		if (h.type == FOPT)
			art_text(le_sub(s, at, h.next - at), w->sink, here.master ? ZONE_WATERMARK : ZONE_BODY);
		else if (h.container && depth < DEPTH_MAX)
			descend(w, &h, here, depth);
		else
			atom(w, &h, &here);
	}
	if (here.parent == LIST)
		sink_hidden(w->sink, false);
}

static int read_show(struct show *w)
{
	bool all = !trusted(w);
	size_t at = 0, next = 0;
	struct head h;
	int r = 0;

	while (head_at(w->stream, at, &h) && !w->error && !sink_full(w->sink)) {
		while (next < w->n_live && w->live[next] < at)
			next++;
		if (h.data.n < le32(w->stream, at + 4)) {
			sink_reason(w->sink, "truncated");
			r = -EBADMSG;
		}
		if (all || (next < w->n_live && w->live[next] == at)) {
			struct where here = { .zone = ZONE_BODY };

			if (h.container)
				descend(w, &h, here, 0);
			else
				atom(w, &h, &here);
		}
		at = h.next;
	}
	return w->error ? w->error : r;
}

static void pictures(struct show *w)
{
	_cleanup_buf_ struct buf b = BUF_INIT;

	if (ole_load(w->ole, w->ole->root, "Pictures", &b) == 0)
		art_pictures(buf_str(&b), STR_NONE, w->sink);
}

int ppt_read_stream(struct ole *o, str stream)
{
	struct show w = { .ole = o, .sink = o->sink, .stream = stream, .left = RECORDS_MAX };

	return read_show(&w);
}

int ppt_read_ole(struct ole *o)
{
	_cleanup_buf_ struct buf b = BUF_INIT;
	struct show w = { .ole = o, .sink = o->sink, .left = RECORDS_MAX };
	int r = ole_load(o, o->root, "PowerPoint Document", &b), k;

	ole_properties(o);
	if (r == -ENOENT) {
		sink_reason(o->sink, "a presentation of before 1997");
		r = -ENOTSUP;
	}
	if (r == 0) {
		w.stream = buf_str(&b);
		r = find_live(&w);
	}
	if (r == 0 && w.encrypted)
		r = decipher(&w);
	if (r == -EACCES)
		sink_reason(o->sink, "a password is needed");
	if (r == 0) {
		r = read_show(&w);
		if (!w.encrypted) /* those are enciphered, too, in pieces */
			pictures(&w);
	}
	free(w.persist);
	free(w.live);
	buf_free(&w.clear);
	buf_free(&b);
	k = r == -EMSGSIZE ? r : ole_objects(o, o->root, "MBD");
	return k < 0 ? k : r;
}
