/* Where readers put text: cleaned, capped, made into frames; and parts within parts. */
#include "extract/sink.h"

#include <errno.h>
#include <stdarg.h>
#include <sys/socket.h>

#include "base/utf8.h"
#include "base/varint.h"
#include "extract/in.h"

#define FLUSH_AT (60u << 10)
#define PIECE (16u << 10) /* cleaning may make three bytes of one */
#define RATIO_FREE (16u << 20)
#define HASH_LARGE_MS 3000

struct sink {
	struct doc *doc;
	struct in *in;
	uint64_t bytes;      /* of text so far */
	uint32_t metas, labels, images;
	uint32_t row, col;   /* last cell */
	bool fresh;          /* the next run begins a block */
	bool written;        /* something since the last block */
	bool table, hidden, cut, wants_ocr;
	char reason[256];
};

int (*image_look)(str bytes, struct image *ret, struct buf *text);
enum ocr_mode ocr_mode_of_worker;
int64_t document_until;

int doc_flush(struct doc *d)
{
	size_t sent = 0;

	if (d->send && !d->send_error && d->out.n) {
		d->send_error = d->send(d->send_arg, buf_str(&d->out));
		sent = d->out.n;
	}
	while (!d->send_error && sent < d->out.n) {
		ssize_t k = send(d->sock, d->out.p + sent, d->out.n - sent, MSG_NOSIGNAL);

		if (k < 0 && errno != EINTR)
			d->send_error = -errno;
		if (k > 0)
			sent += (size_t)k;
	}
	buf_clear(&d->out);
	d->last = SIZE_MAX;
	return d->send_error;
}

static void frame_begin(struct doc *d, uint8_t kind, uint8_t zone, uint16_t flags)
{
	struct frame f = { .kind = kind, .zone = zone, .flags = flags };

	if (d->out.n >= FLUSH_AT)
		doc_flush(d);
	d->last = d->out.n;
	buf_put(&d->out, &f, sizeof(f));
}

/* Whatever was put since frame_begin belongs to it. */
static void frame_end(struct doc *d)
{
	uint32_t n;

	if (d->out.err) { /* no memory: the parent sees the stream end */
		d->send_error = d->out.err;
		return;
	}
	n = (uint32_t)(d->out.n - d->last - sizeof(struct frame));
	memcpy(d->out.p + d->last, &n, sizeof(n));
}

static struct frame last_frame(const struct doc *d)
{
	struct frame f = { 0 };

	if (d->last != SIZE_MAX)
		memcpy(&f, d->out.p + d->last, sizeof(f));
	return f;
}

static uint16_t hidden(const struct sink *s)
{
	return s->hidden ? FRAME_HIDDEN : 0;
}

/* Counts text; false once there is too much of it. */
static bool take(struct sink *s, size_t n)
{
	if (s->cut || s->bytes + n > s->doc->text_max) {
		s->cut = true;
		return false;
	}
	s->bytes += n;
	return true;
}

bool sink_full(const struct sink *s)
{
	return s && (s->cut || s->doc->capped || s->doc->send_error);
}

/* ---- text ---- */

void sink_text(struct sink *s, enum zone zone, str utf8)
{
	struct doc *d = s->doc;

	if (zone == ZONE_CELL || zone == ZONE_SHEET || zone < ZONE_BODY || zone >= ZONE_MAX_)
		zone = ZONE_BODY;
	while (utf8.n && !sink_full(s)) {
		size_t n = utf8_cut(utf8, PIECE);
		struct frame f = last_frame(d);

		if (!take(s, n))
			break;
		if (s->fresh || f.kind != FRAME_TEXT || f.zone != zone || (f.flags & FRAME_HIDDEN) != hidden(s) || f.n + 3 * n > FRAME_MAX ||
		    d->out.n >= FLUSH_AT)
			frame_begin(d, FRAME_TEXT, (uint8_t)zone, hidden(s) | (s->fresh ? FRAME_NEW : 0));
		utf8_put_clean(&d->out, (str){ utf8.p, n });
		frame_end(d);
		if (last_frame(d).n == 0) { /* a lone "\r" before "\n" leaves nothing */
			d->out.n = d->last;
			d->last = SIZE_MAX;
		} else {
			s->fresh = false;
			s->written = true;
		}
		utf8.p += n;
		utf8.n -= n;
	}
}

void sink_block(struct sink *s)
{
	if (s->written)
		s->fresh = true;
	s->written = false;
}

void sink_lines(struct sink *s, enum zone zone, str utf8)
{
	while (utf8.n && !sink_full(s)) {
		const char *end = memchr(utf8.p, '\n', utf8.n);
		size_t n = end ? (size_t)(end - utf8.p) : utf8.n;

		sink_text(s, zone, (str){ utf8.p, n });
		sink_block(s);
		n += end != NULL;
		utf8.p += n;
		utf8.n -= n;
	}
}

void sink_hidden(struct sink *s, bool on)
{
	s->hidden = on;
}

/* Cleaned and cut to max. */
static void put_short(struct buf *b, str s, size_t max)
{
	size_t at = b->n;

	utf8_put_clean(b, (str){ s.p, utf8_cut(s, max) });
	if (b->n - at > max)
		b->n = at + utf8_cut((str){ b->p + at, b->n - at }, max);
}

void sink_table(struct sink *s, str name, bool hide)
{
	if (s->table)
		sink_table_end(s);
	if (sink_full(s))
		return;
	frame_begin(s->doc, FRAME_TABLE, 0, hide || s->hidden ? FRAME_HIDDEN : 0);
	put_short(&s->doc->out, name, TEXT_NAME_MAX);
	frame_end(s->doc);
	s->table = true;
	s->row = s->col = 0;
}

/* One piece of a cell, in the last frame if it is of the same row. */
static void put_cell(struct sink *s, uint32_t row, uint32_t col, str piece, bool more)
{
	struct doc *d = s->doc;
	struct frame f = last_frame(d);
	_cleanup_buf_ struct buf cleaned = BUF_INIT;

	if (utf8_clean_prefix(piece) != piece.n) {
		utf8_put_clean(&cleaned, piece);
		piece = buf_str(&cleaned);
	}
	if (more || f.kind != FRAME_CELLS || !(f.flags & FRAME_NEW) || s->row != row || (f.flags & FRAME_HIDDEN) != hidden(s) ||
	    f.n + piece.n + 32 > FRAME_MAX || d->out.n >= FLUSH_AT) {
		frame_begin(d, FRAME_CELLS, 0, hidden(s) | (more ? 0 : FRAME_NEW));
		buf_put_uvar(&d->out, row);
	}
	buf_put_uvar(&d->out, col);
	buf_put_uvar(&d->out, piece.n);
	buf_puts(&d->out, piece);
	frame_end(d);
	s->row = row;
	s->col = col;
}

void sink_cell(struct sink *s, uint32_t row, uint32_t col, str utf8)
{
	bool more = false;

	if (!s->table)
		sink_table(s, STR_NONE, false);
	while (utf8.n && row && col && !sink_full(s)) {
		size_t n = utf8_cut(utf8, PIECE);

		if (!take(s, n))
			break;
		put_cell(s, row, col, (str){ utf8.p, n }, more);
		more = true;
		utf8.p += n;
		utf8.n -= n;
	}
}

void sink_table_end(struct sink *s)
{
	if (!s->table)
		return;
	frame_begin(s->doc, FRAME_TABLE_END, 0, 0);
	frame_end(s->doc);
	s->table = false;
	s->fresh = true;
	s->written = false;
}

/* ---- properties, labels, images ---- */

void sink_meta(struct sink *s, const char *key, str value)
{
	_cleanup_buf_ struct buf k = BUF_INIT;

	if (!value.n || sink_full(s) || s->metas >= TEXT_META_MAX)
		return;
	put_short(&k, str_c(key), TEXT_NAME_MAX);
	if (!k.n)
		return;
	s->metas++;
	frame_begin(s->doc, FRAME_META, 0, 0);
	buf_put_uvar(&s->doc->out, k.n);
	buf_puts(&s->doc->out, buf_str(&k));
	put_short(&s->doc->out, value, TEXT_META_VALUE_MAX);
	frame_end(s->doc);
}

void sink_mslabel(struct sink *s, const struct mslabel *l)
{
	_cleanup_buf_ struct buf g = BUF_INIT;

	if (sink_full(s) || s->labels >= TEXT_META_MAX || l->source < 1 || l->source > 4)
		return;
	s->labels++;
	put_short(&g, l->guid, TEXT_NAME_MAX);
	frame_begin(s->doc, FRAME_LABEL, 0, 0);
	buf_putc(&s->doc->out, l->enabled ? 1 : 0);
	buf_putc(&s->doc->out, (char)l->source);
	buf_put_uvar(&s->doc->out, g.n);
	buf_puts(&s->doc->out, buf_str(&g));
	put_short(&s->doc->out, l->name, TEXT_META_VALUE_MAX);
	frame_end(s->doc);
}

void sink_picture(struct sink *s, const struct image *i)
{
	struct image_frame f = { .phash = i->phash, .width = i->width, .height = i->height };

	if (sink_full(s) || s->images >= TEXT_IMAGES_MAX)
		return;
	s->images++;
	memcpy(f.sha256, i->sha256, sizeof(f.sha256));
	frame_begin(s->doc, FRAME_IMAGE, 0, i->has_phash ? FRAME_PHASH : 0);
	buf_put(&s->doc->out, &f, sizeof(f));
	frame_end(s->doc);
}

void sink_image(struct sink *s, str name, str bytes)
{
	_cleanup_buf_ struct buf text = BUF_INIT;
	struct image i = { 0 };

	if (sink_full(s) || s->images >= TEXT_IMAGES_MAX)
		return;
	if (image_look && image_look(bytes, &i, s->doc->ocr == OCR_NOW ? &text : NULL) < 0)
		i = (struct image){ 0 };
	sha256_parts(s->doc->hash, &bytes, 1, i.sha256);
	sink_picture(s, &i);
	sink_block(s);
	sink_lines(s, ZONE_OCR, buf_str(&text));
}

void sink_reason(struct sink *s, const char *fmt, ...)
{
	va_list ap;

	if (!s || s->reason[0])
		return;
	va_start(ap, fmt);
	vsnprintf(s->reason, sizeof(s->reason), fmt, ap);
	va_end(ap);
}

void sink_type(struct sink *s, const char *mime)
{
	frame_begin(s->doc, FRAME_TYPE, 0, 0);
	put_short(&s->doc->out, str_c(mime), 127);
	frame_end(s->doc);
}

struct doc *sink_doc(struct sink *s)
{
	return s->doc;
}

enum ocr_mode sink_ocr(const struct sink *s)
{
	return s->doc->ocr;
}

void sink_wants_ocr(struct sink *s)
{
	s->wants_ocr = true;
}

/* ---- caps of the whole document ---- */

static uint64_t unpack_max(const struct doc *d)
{
	uint64_t size = in_size(d->in), ratio = size > PART_TOTAL_MAX / PART_RATIO_MAX ? PART_TOTAL_MAX : size * PART_RATIO_MAX;

	return MIN(MAX(ratio, (uint64_t)RATIO_FREE), (uint64_t)PART_TOTAL_MAX);
}

int sink_unpacked(struct sink *s, uint64_t bytes)
{
	struct doc *d = s->doc;

	d->unpacked = d->unpacked > UINT64_MAX - bytes ? UINT64_MAX : d->unpacked + bytes;
	if (d->unpacked <= unpack_max(d))
		return 0;
	d->capped = true;
	if (d->unpacked > PART_TOTAL_MAX)
		sink_reason(s, "unpacks to more than %llu bytes", (unsigned long long)PART_TOTAL_MAX);
	else
		sink_reason(s, "unpacks to more than %d times its size", PART_RATIO_MAX);
	return -EMSGSIZE;
}

size_t sink_room(const struct sink *s)
{
	uint64_t max = unpack_max(s->doc);

	return s->doc->unpacked >= max ? 0 : (size_t)MIN(max - s->doc->unpacked, (uint64_t)IN_WHOLE_MAX);
}

/* ---- parts ---- */

static const struct format *best(struct in *in)
{
	const struct format *f = NULL;
	int most = 0;
	str head = in_head(in);

	for (size_t i = 0; formats[i]; i++) {
		int b = formats[i]->bid(in, head);

		if (b > most) {
			most = b;
			f = formats[i];
		}
	}
	return f;
}

static void begin(struct doc *d, str name)
{
	frame_begin(d, FRAME_BEGIN, 0, 0);
	put_short(&d->out, name, TEXT_NAME_MAX);
	frame_end(d);
}

static void end(struct sink *s, int error)
{
	struct doc *d = s->doc;
	int32_t e = error < 0 ? error : 0;

	if (s->table)
		sink_table_end(s);
	frame_begin(d, FRAME_END, 0, (s->cut ? FRAME_CUT : 0) | (s->wants_ocr ? FRAME_WANTS_OCR : 0));
	buf_put(&d->out, &e, sizeof(e));
	put_short(&d->out, str_c(s->reason), TEXT_NAME_MAX);
	frame_end(d);
}

static int hash(struct sink *s, struct in *in)
{
	uint64_t size = in_size(in);
	uint8_t sum[SHA256_LEN];
	bool large = size > s->doc->file_max;
	int r = in_hash(in, s->doc->hash, large ? HASH_LARGE_MS : UINT32_MAX / 2, sum);

	if (!s->doc->depth && s->doc->deadline_ms) /* as the parent counts */
		document_until = monotonic_ms() + s->doc->deadline_ms;
	frame_begin(s->doc, FRAME_HASH, 0, 0);
	buf_put(&s->doc->out, &size, sizeof(size));
	if (r == 0)
		buf_put(&s->doc->out, sum, sizeof(sum));
	frame_end(s->doc);
	if (large)
		return -EMSGSIZE;
	return r;
}

/* What cannot be told from a damaged document is that it was written to meanwhile. */
static int changed(struct sink *s, struct in *in, int r)
{
	switch (in_unchanged(in)) {
	case 0:
		return r;
	case -ESTALE:
		snprintf(s->reason, sizeof(s->reason), "changed while it was read");
		return -ESTALE;
	default:
		return -EIO;
	}
}

static int read_part(struct doc *d, str name, struct in *in, const char *damage)
{
	struct sink s = { .doc = d, .in = in, .fresh = true };
	const struct format *f;
	const char *type;
	int r;

	begin(d, name);
	f = best(in);
	type = f ? f->mime : d->type_of ? d->type_of(in_head(in)) : NULL;
	if (type)
		sink_type(&s, type);
	r = hash(&s, in);
	if (r == 0 && f) {
		doc_flush(d); /* a crash leaves at least name, type and hash */
		r = f->read(in, &s);
	}
	r = changed(&s, in, r);
	if (damage) {
		snprintf(s.reason, sizeof(s.reason), "%s", damage);
		r = r ? r : -EBADMSG;
	}
	end(&s, r);
	return r;
}

static int may_go_deeper(struct sink *s)
{
	struct doc *d = s->doc;

	if (d->capped)
		return -EMSGSIZE;
	if (++d->parts > d->parts_max) {
		d->capped = true;
		sink_reason(s, "more than %u parts", d->parts_max);
		return -EMSGSIZE;
	}
	return 0;
}

static void failed(struct doc *d, str name, int error, const char *reason)
{
	struct sink part = { .doc = d };

	begin(d, name);
	sink_reason(&part, "%s", reason ? reason : "");
	end(&part, error);
}

static int part(struct sink *s, str name, struct in *in, const char *damage)
{
	struct doc *d = s->doc;
	int r = may_go_deeper(s);

	if (r < 0)
		return r;
	if (d->depth >= PART_DEPTH_MAX) {
		failed(d, name, -EMSGSIZE, "nested too deeply");
		sink_reason(s, "nested more than %d levels deep", PART_DEPTH_MAX);
		d->capped = true;
		return -EMSGSIZE;
	}
	d->depth++;
	read_part(d, name, in, damage);
	d->depth--;
	s->fresh = s->fresh || !s->written;
	return d->capped ? -EMSGSIZE : d->send_error;
}

int sink_part(struct sink *s, str name, struct in *in)
{
	return part(s, name, in, NULL);
}

int sink_part_damaged(struct sink *s, str name, struct in *in, const char *reason)
{
	return part(s, name, in, reason ? reason : "");
}

void sink_part_failed(struct sink *s, str name, int error, const char *reason)
{
	if (may_go_deeper(s) == 0)
		failed(s->doc, name, error, reason);
}

uint32_t doc_parts_max(uint64_t size)
{
	return (uint32_t)MIN(MAX(size / PART_BYTES, (uint64_t)PART_COUNT_SMALL), (uint64_t)PART_COUNT_MAX);
}

int doc_read(struct doc *d, struct in *in)
{
	d->in = in;
	d->unpacked = 0;
	d->parts = 0;
	d->parts_max = doc_parts_max(in_size(in));
	d->depth = 0;
	d->capped = false;
	d->last = SIZE_MAX;
	read_part(d, in_name(in), in, NULL);
	return doc_flush(d);
}

int doc_failed(struct doc *d, int error)
{
	d->last = SIZE_MAX;
	failed(d, STR_NONE, error == -ENOMEM ? error : -EIO, NULL);
	return doc_flush(d);
}
