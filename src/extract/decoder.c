/* The parent's side of the wire: what a worker sends becomes struct text, every count and length checked. The worker is taken to be
 * hostile. */
#include <errno.h>

#include "base/utf8.h"
#include "base/varint.h"
#include "extract/wire.h"

#define LEVELS (PART_DEPTH_MAX + 2)
#define TYPE_MAX 128
/* bytes and spans of all open parts: a part alone may have TEXT_MAX and TEXT_SPANS_MAX, ten nested ones may not */
#define HELD_MAX (384u << 20)

struct level {
	struct text text;
	struct buf name, type, reason, error;
	uint64_t bytes;
	size_t held;
	uint8_t sha256[32];
	bool has_sha256;
	uint32_t block, table, n_tables;
	uint32_t row, col; /* of the last cell */
};

struct decoder {
	uint64_t text_max;
	extract_cb *cb;
	void *arg;
	struct level levels[LEVELS];
	size_t depth; /* open levels */
	size_t held;  /* by all of them */
	size_t parts, begun;
	bool hashed;
	struct frame f; /* the one at hand */
};

static struct level *top(struct decoder *d)
{
	return &d->levels[d->depth - 1];
}

static void level_clear(struct level *l)
{
	text_clear(&l->text);
	buf_clear(&l->name);
	buf_clear(&l->type);
	buf_clear(&l->reason);
	buf_clear(&l->error);
	l->has_sha256 = false;
	l->bytes = l->held = 0;
	l->block = l->table = l->n_tables = l->row = l->col = 0;
}

struct decoder *decoder_new(uint64_t text_max)
{
	struct decoder *d = calloc(1, sizeof(*d));

	if (!d)
		return NULL;
	d->text_max = MIN(text_max, (uint64_t)TEXT_MAX);
	return d;
}

struct decoder *decoder_free(struct decoder *d)
{
	for (size_t i = 0; d && i < LEVELS; i++) {
		text_free(&d->levels[i].text);
		buf_free(&d->levels[i].name);
		buf_free(&d->levels[i].type);
		buf_free(&d->levels[i].reason);
		buf_free(&d->levels[i].error);
	}
	free(d);
	return NULL;
}

void decoder_start(struct decoder *d, extract_cb *cb, void *arg)
{
	d->cb = cb;
	d->arg = arg;
	d->depth = d->parts = d->begun = d->held = 0;
	d->hashed = false;
}

bool decoder_begun(const struct decoder *d)
{
	return d->begun > 0;
}

bool decoder_hashed(const struct decoder *d)
{
	return d->hashed;
}

size_t decoder_parts(const struct decoder *d)
{
	return d->parts;
}

/* Room for one more of an array that grows by doubling. */
static int grow(void *array, size_t n, size_t size, size_t *cap)
{
	size_t want = n < 16 ? 16 : n * 2;
	void *p;

	if (n < *cap)
		return 0;
	p = realloc(*(void **)array, want * size);
	if (!p)
		return -ENOMEM;
	*(void **)array = p;
	*cap = want;
	return 0;
}

/* A small array without a count of its room: full when n is a power of two from 16 on. */
static int grow_small(void *array, size_t n, size_t size)
{
	size_t cap = n && (n < 16 || (n & (n - 1))) ? n + 1 : n;

	return grow(array, n, size, &cap);
}

static bool clean(str s)
{
	return utf8_clean_prefix(s) == s.n;
}

static int get_uvar(str *s, uint64_t max, uint64_t *ret)
{
	int k = uvar_get((const uint8_t *)s->p, s->n, ret);

	if (k < 0 || *ret > max)
		return -EBADMSG;
	s->p += k;
	s->n -= (size_t)k;
	return 0;
}

/* Appends s to the open part's text. Joins the last span, or begins one of this kind. */
static int put_text(struct decoder *d, str s, const struct span *kind, bool join)
{
	struct level *l = top(d);
	struct text *t = &l->text;
	size_t more = s.n + (join ? 0 : sizeof(struct span) + 1);
	struct span *last = t->n_spans ? &t->spans[t->n_spans - 1] : NULL;

	if (t->cut)
		return 0;
	if (t->bytes.n + s.n + 1 > d->text_max || t->n_spans >= TEXT_SPANS_MAX || d->held + more > HELD_MAX) {
		t->cut = true;
		return 0;
	}
	l->held += more;
	d->held += more;
	if (!join || !last) {
		if (grow(&t->spans, t->n_spans, sizeof(*t->spans), &t->cap_spans) < 0)
			return -ENOMEM;
		if (t->n_spans)
			buf_putc(&t->bytes, '\n');
		last = &t->spans[t->n_spans++];
		*last = *kind;
		last->at = (uint32_t)t->bytes.n;
		last->n = 0;
	}
	buf_puts(&t->bytes, s);
	last->n += (uint32_t)s.n;
	t->chars += utf8_count(s);
	return buf_error(&t->bytes);
}

static int on_begin(struct decoder *d, str s)
{
	struct level *l, *above = d->depth ? top(d) : NULL;

	if (d->depth >= LEVELS || (d->depth == 0 && d->begun) || d->begun > PART_COUNT_MAX + 1 || s.n > TEXT_NAME_MAX || !clean(s))
		return -EBADMSG;
	l = &d->levels[d->depth++];
	d->begun++;
	level_clear(l);
	if (above && above->name.n) {
		buf_puts(&l->name, buf_str(&above->name));
		buf_puts(&l->name, STR("!/"));
	}
	if (above)
		buf_puts(&l->name, s);
	return buf_error(&l->name);
}

static int on_type(struct decoder *d, str s)
{
	if (s.n > TYPE_MAX || !clean(s))
		return -EBADMSG;
	buf_clear(&top(d)->type);
	buf_puts(&top(d)->type, s);
	return buf_error(&top(d)->type);
}

static int on_hash(struct decoder *d, str s)
{
	struct level *l = top(d);

	if (s.n != 8 + sizeof(l->sha256) && s.n != 8)
		return -EBADMSG;
	memcpy(&l->bytes, s.p, 8);
	l->has_sha256 = s.n > 8;
	d->hashed = true; /* a container's own comes before those of its parts */
	if (l->has_sha256)
		memcpy(l->sha256, s.p + 8, sizeof(l->sha256));
	return 0;
}

static int on_text(struct decoder *d, str s)
{
	struct level *l = top(d);
	struct span kind = { .zone = d->f.zone, .flags = d->f.flags & FRAME_HIDDEN ? SPAN_HIDDEN : 0 };
	struct span *last = l->text.n_spans ? &l->text.spans[l->text.n_spans - 1] : NULL;
	bool join = last && !(d->f.flags & FRAME_NEW);

	if (kind.zone < ZONE_BODY || kind.zone >= ZONE_MAX_ || kind.zone == ZONE_CELL || kind.zone == ZONE_SHEET || !s.n || !clean(s))
		return -EBADMSG;
	if (!join)
		l->block++;
	kind.block = l->block;
	join = join && last->zone == kind.zone && last->flags == kind.flags && last->block == kind.block;
	return put_text(d, s, &kind, join);
}

static int on_table(struct decoder *d, str s)
{
	struct level *l = top(d);
	struct span kind = { .zone = ZONE_SHEET, .flags = d->f.flags & FRAME_HIDDEN ? SPAN_HIDDEN : 0 };

	if (l->table || s.n > TEXT_NAME_MAX || !clean(s))
		return -EBADMSG;
	l->table = kind.table = ++l->n_tables;
	l->row = l->col = 0;
	if (!s.n)
		return 0;
	kind.block = ++l->block;
	return put_text(d, s, &kind, false);
}

static int on_table_end(struct decoder *d, str s)
{
	if (!top(d)->table || s.n)
		return -EBADMSG;
	top(d)->table = 0;
	return 0;
}

static int on_cells(struct decoder *d, str s)
{
	struct level *l = top(d);
	struct span kind = { .zone = ZONE_CELL, .flags = d->f.flags & FRAME_HIDDEN ? SPAN_HIDDEN : 0, .table = l->table };
	bool join = !(d->f.flags & FRAME_NEW);
	uint64_t row, col, n;
	int r = get_uvar(&s, UINT32_MAX, &row);

	/* Well-formed pieces make a well-formed frame, and only the cells are text. */
	while (r == 0 && s.n) {
		str cell;

		if (get_uvar(&s, UINT32_MAX, &col) < 0 || get_uvar(&s, FRAME_MAX, &n) < 0 || n > s.n || !l->table || !row || !col)
			return -EBADMSG;
		cell = (str){ s.p, n };
		s.p += n;
		s.n -= n;
		if (!clean(cell))
			return -EBADMSG;
		kind.row = (uint32_t)row;
		kind.col = (uint32_t)col;
		if (join && (l->row != row || l->col != col || !l->text.n_spans || l->text.spans[l->text.n_spans - 1].zone != ZONE_CELL))
			return l->text.cut ? 0 : -EBADMSG;
		kind.block = join ? l->block : ++l->block;
		r = put_text(d, cell, &kind, join);
		l->row = kind.row;
		l->col = kind.col;
		join = false;
	}
	return r;
}

/* A copy of two pieces in one block; the first's pointer owns it. */
static int copy_two(str a, str b, str *ret_a, str *ret_b)
{
	char *p = malloc(a.n + b.n + 1);

	if (!p)
		return -ENOMEM;
	if (a.n)
		memcpy(p, a.p, a.n);
	if (b.n)
		memcpy(p + a.n, b.p, b.n);
	*ret_a = (str){ p, a.n };
	*ret_b = (str){ p + a.n, b.n };
	/* cppcheck-suppress memleak ; ret_a has it */
	return 0;
}

static int on_meta(struct decoder *d, str s)
{
	struct text *t = &top(d)->text;
	struct meta m;
	uint64_t n;
	int r = get_uvar(&s, TEXT_NAME_MAX, &n);

	if (r < 0 || n > s.n || !n || s.n - n > TEXT_META_VALUE_MAX || !clean((str){ s.p, n }) || !clean((str){ s.p + n, s.n - n }))
		return -EBADMSG;
	if (t->n_metas >= TEXT_META_MAX)
		return -EBADMSG;
	r = grow_small(&t->metas, t->n_metas, sizeof(*t->metas));
	if (r == 0)
		r = copy_two((str){ s.p, n }, (str){ s.p + n, s.n - n }, &m.key, &m.value);
	if (r == 0)
		t->metas[t->n_metas++] = m;
	return r;
}

static int on_label(struct decoder *d, str s)
{
	struct text *t = &top(d)->text;
	struct mslabel m;
	uint64_t n;
	int r;

	if (s.n < 2 || (uint8_t)s.p[0] > 1 || (uint8_t)s.p[1] < 1 || (uint8_t)s.p[1] > 4)
		return -EBADMSG;
	m.enabled = s.p[0];
	m.source = (uint8_t)s.p[1];
	s.p += 2;
	s.n -= 2;
	if (get_uvar(&s, TEXT_NAME_MAX, &n) < 0 || n > s.n || s.n - n > TEXT_META_VALUE_MAX || !clean(s) || !clean((str){ s.p, n }))
		return -EBADMSG;
	if (t->n_labels >= TEXT_META_MAX)
		return -EBADMSG;
	r = grow_small(&t->labels, t->n_labels, sizeof(*t->labels));
	if (r == 0)
		r = copy_two((str){ s.p, n }, (str){ s.p + n, s.n - n }, &m.guid, &m.name);
	if (r == 0)
		t->labels[t->n_labels++] = m;
	return r;
}

static int on_image(struct decoder *d, str s)
{
	struct text *t = &top(d)->text;
	struct image_frame i;
	struct image *m;
	int r;

	if (s.n != sizeof(i) || t->n_images >= TEXT_IMAGES_MAX)
		return -EBADMSG;
	memcpy(&i, s.p, sizeof(i));
	r = grow_small(&t->images, t->n_images, sizeof(*t->images));
	if (r < 0)
		return r;
	m = &t->images[t->n_images++];
	*m = (struct image){ .phash = i.phash, .width = i.width, .height = i.height, .has_phash = d->f.flags & FRAME_PHASH };
	memcpy(m->sha256, i.sha256, sizeof(m->sha256));
	return 0;
}

/* The contract's words. */
static const char *error_word(struct level *l, int error)
{
	static const struct {
		int error;
		const char *word;
	} words[] = {
		{ -EBADMSG, "corrupt" }, { -EACCES, "encrypted" }, { -EMSGSIZE, "too large" }, { -ENOMEM, "unreadable: too much memory" },
		{ -ETIME, "unreadable: took too long" }, { -EIO, "unreadable: read error" }, { -ENOTSUP, "unreadable: not a known variant" },
	};

	if (error == 0)
		return NULL;
	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		if (words[i].error == error && (!l->reason.n || i < 4))
			return words[i].word;
	if (!l->reason.n)
		return "unreadable";
	buf_putf(&l->error, "unreadable: %.*s", STR_ARG(buf_str(&l->reason)));
	return buf_cstr(&l->error);
}

static int hand_out(struct decoder *d, const char *error)
{
	struct level *l = top(d);
	struct extract_part part = { .name = buf_str(&l->name), .type = buf_str(&l->type), .bytes = l->bytes, .has_sha256 = l->has_sha256,
		.error = error };
	int r;

	part.reason = buf_cstr(&l->reason);
	memcpy(part.sha256, l->sha256, sizeof(part.sha256));
	if (!part.type.n)
		part.type = STR("application/octet-stream");
	part.text = l->text;
	r = d->cb(d->arg, &part);
	d->parts++;
	d->depth--;
	d->held -= l->held;
	if (l->text.bytes.cap > (4u << 20)) /* a large text's memory is not kept for the small ones after it */
		text_free(&l->text);
	return r;
}

static int on_end(struct decoder *d, str s)
{
	struct level *l = top(d);
	int32_t error;

	if (s.n < sizeof(error) || s.n - sizeof(error) > TEXT_NAME_MAX)
		return -EBADMSG;
	memcpy(&error, s.p, sizeof(error));
	s.p += sizeof(error);
	s.n -= sizeof(error);
	if (error > 0 || error < -4095 || !clean(s))
		return -EBADMSG;
	buf_puts(&l->reason, s);
	l->text.cut = l->text.cut || d->f.flags & FRAME_CUT;
	l->text.wants_ocr = d->f.flags & FRAME_WANTS_OCR;
	return hand_out(d, error_word(l, error));
}

int decoder_abort(struct decoder *d, const char *error)
{
	int r = 0;

	if (!d->depth && !d->begun) {
		level_clear(&d->levels[0]);
		d->depth = d->begun = 1;
	}
	while (d->depth) {
		int k = hand_out(d, error);

		r = r ? r : k;
	}
	return r;
}

static int (*const handlers[FRAME_KIND_MAX_])(struct decoder *, str) = {
	[FRAME_BEGIN] = on_begin, [FRAME_TYPE] = on_type, [FRAME_HASH] = on_hash, [FRAME_TEXT] = on_text, [FRAME_TABLE] = on_table,
	[FRAME_TABLE_END] = on_table_end, [FRAME_CELLS] = on_cells, [FRAME_META] = on_meta, [FRAME_LABEL] = on_label, [FRAME_IMAGE] = on_image,
	[FRAME_END] = on_end,
};

ssize_t decoder_feed(struct decoder *d, const char *p, size_t n, struct frame *ret_ask, const char **ret_body)
{
	size_t used = 0;

	ret_ask->kind = 0;
	while (n - used >= sizeof(d->f)) {
		str body;
		int r;

		memcpy(&d->f, p + used, sizeof(d->f));
		if (d->f.n > FRAME_MAX || d->f.kind >= FRAME_KIND_MAX_)
			return -EBADMSG;
		if (n - used - sizeof(d->f) < d->f.n)
			break;
		body = (str){ p + used + sizeof(d->f), d->f.n };
		used += sizeof(d->f) + d->f.n;
		if (handlers[d->f.kind]) {
			if (!d->depth && d->f.kind != FRAME_BEGIN)
				return -EBADMSG;
			r = handlers[d->f.kind](d, body);
			if (r)
				return r < 0 ? r : -ECANCELED;
			continue;
		}
		if (d->f.kind == FRAME_DONE ? d->depth || !d->begun : d->f.kind != FRAME_PROGRAM && d->f.kind != FRAME_PROGRAM_END)
			return -EBADMSG;
		*ret_ask = d->f;
		*ret_body = body.p;
		break;
	}
	return (ssize_t)used;
}
