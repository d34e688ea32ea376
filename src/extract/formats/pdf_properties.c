/* What a PDF says besides its pages: Info, XMP, sensitivity labels, attachments; hashes of its photographs. */
#include <ctype.h>
#include <errno.h>
#include <leptonica/allheaders.h>

#include "extract/formats/msip.h"
#include "extract/formats/pdf.h"
#include "extract/formats/picture.h"
#include "extract/sink.h"

#define KEYS_MAX 256
#define KEY_LEN 128
#define ATTACHMENTS_MAX 256
#define NAME_NEAR 512              /* an attachment's name stands this near */
#define PICTURES_MAX 256
#define PICTURES_BYTES (2u << 20)  /* of a document's photographs are decoded for their perceptual hash; others have only their SHA-256 */

static str sub(str s, size_t at)
{
	return at < s.n ? (str){ s.p + at, s.n - at } : (str){ s.p, 0 };
}

/* The last of them: what was saved later counts. */
static str last_value(str b, const char *key)
{
	str found = STR_NONE;

	for (str v = pdf_value(b, key); v.n; v = pdf_value(v, key))
		if (pdf_reference(v))
			found = v;
	return found;
}

/* ---- Info ---- */

static const struct {
	const char *name, *key;
} rows[] = {
	{ "Title", "title" },       { "Subject", "subject" },       { "Keywords", "keywords" }, { "Author", "author" }, { "Producer", "producer" },
	{ "Company", "company" },   { "CreationDate", "created" },  { "ModDate", "modified" },  { "Category", "category" },
	{ "Comments", "comments" },
	{ "Manager", "manager" },   { "Creator", "custom:Creator" },
};

static void put_property(struct sink *s, struct msip *labels, const char *name, str value)
{
	char custom[KEY_LEN + 8];

	if (msip_take(labels, str_c(name), value))
		return;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		if (strcmp(name, rows[i].name) == 0) {
			sink_meta(s, rows[i].key, value);
			return;
		}
	snprintf(custom, sizeof(custom), "custom:%s", name);
	sink_meta(s, custom, value);
}

/* A name of the dictionary, "#20" undone; what follows stays in *d. */
static void take_name(str *d, char ret[static KEY_LEN])
{
	size_t n = 0;

	while (d->n && !isspace((unsigned char)d->p[0]) && !strchr("()<>[]{}/%", d->p[0])) {
		char c = d->p[0];

		if (c == '#' && d->n > 2 && isxdigit((unsigned char)d->p[1]) && isxdigit((unsigned char)d->p[2])) {
			char two[3] = { d->p[1], d->p[2], 0 };

			c = (char)strtoul(two, NULL, 16);
			*d = sub(*d, 2);
		}
		if (n + 1 < KEY_LEN && c)
			ret[n++] = c;
		*d = sub(*d, 1);
	}
	ret[n] = '\0';
}

/* Behind a string, so that a slash within it begins no name. */
static str behind_string(str v)
{
	unsigned depth = 0;

	if (v.p[0] == '<') {
		const char *end = memchr(v.p, '>', v.n);

		return end ? sub(v, (size_t)(end - v.p)) : STR_NONE;
	}
	for (size_t i = 0; i < v.n; i++) {
		if (v.p[i] == '\\')
			i++;
		else if (v.p[i] == '(')
			depth++;
		else if (v.p[i] == ')' && !--depth)
			return sub(v, i + 1);
	}
	return STR_NONE;
}

static void put_info(str d, struct sink *s, struct msip *labels)
{
	for (unsigned i = 0; i < KEYS_MAX && d.n; i++) {
		_cleanup_buf_ struct buf value = BUF_INIT;
		const char *slash = memchr(d.p, '/', d.n);
		char name[KEY_LEN];

		if (!slash)
			return;
		d = sub(d, (size_t)(slash + 1 - d.p));
		take_name(&d, name);
		while (d.n && isspace((unsigned char)d.p[0]))
			d = sub(d, 1);
		if (name[0] && pdf_string(d, &value) == 0) {
			put_property(s, labels, name, buf_str(&value));
			d = behind_string(d);
		}
	}
}

/* ---- XMP ---- */

static void put_xmp(struct pdf *p, struct sink *s)
{
	_cleanup_buf_ struct buf packet = { .max = 4u << 20 };
	str root = pdf_object(p, pdf_reference(last_value(pdf_bytes(p), "Root")));
	str metadata = pdf_object(p, pdf_reference(pdf_value(root, "Metadata")));

	if (metadata.n)
		pdf_stream(p, metadata, &packet);
	if (packet.n)
		xmp_properties(buf_str(&packet), s);
}

/* ---- attachments ---- */

/* Before /EF in its dictionary, or behind it. */
static void attachment_name(str piece, size_t at, struct buf *ret)
{
	static const char *const keys[] = { "UF", "F" };
	size_t from = at > NAME_NEAR ? at - NAME_NEAR : 0;
	const char *end;
	str near[2];

	for (size_t i = at; i-- > from;)
		if (piece.p[i] == '>' && i + 1 < at && piece.p[i + 1] == '>') {
			from = i;
			break;
		}
	near[0] = (str){ piece.p + from, at - from };
	near[1] = sub(piece, at);
	near[1].n = MIN(near[1].n, (size_t)NAME_NEAR);
	end = near[1].n ? memmem(near[1].p, near[1].n, ">>", 2) : NULL;
	near[1] = end ? sub(near[1], (size_t)(end - near[1].p)) : STR_NONE;
	for (size_t w = 0; w < ARRAY_SIZE(near); w++)
		for (size_t k = 0; k < ARRAY_SIZE(keys); k++) {
			str v = pdf_value(near[w], keys[k]);

			if (!ret->n && v.n)
				pdf_string(v, ret);
		}
}

static int put_attachment(struct pdf *p, uint32_t object, str name, struct sink *s)
{
	_cleanup_buf_ struct buf bytes = { .max = sink_room(s) };
	struct in *in;
	int r = pdf_stream(p, pdf_object(p, object), &bytes), k;

	k = sink_unpacked(s, bytes.n);
	if (k < 0)
		return k;
	if (r == -EMSGSIZE || r == -ENOTSUP || (r < 0 && !bytes.n)) {
		sink_part_failed(s, name, r, r == -EMSGSIZE ? "unpacks to more than is read" : "its stream cannot be unpacked");
		return 0;
	}
	in = in_memory(name, buf_str(&bytes));
	if (!in)
		return -ENOMEM;
	k = r < 0 ? sink_part_damaged(s, name, in, "cut off while it was unpacked") : sink_part(s, name, in);
	in_close(in);
	return k;
}

static int put_attachments(struct pdf *p, struct sink *s)
{
	uint32_t done[ATTACHMENTS_MAX];
	size_t n_done = 0;
	str piece;

	for (size_t i = 0; pdf_piece(p, i, &piece); i++)
		for (str v = pdf_value(piece, "EF"); v.n && n_done < ATTACHMENTS_MAX; v = pdf_value(v, "EF")) {
			_cleanup_buf_ struct buf name = BUF_INIT;
			const char *end = memmem(v.p, v.n, ">>", 2);
			str inner = { v.p, end ? (size_t)(end - v.p) : 0 };
			uint32_t object = pdf_reference(pdf_value(inner, "F"));
			size_t k = 0;
			int r;

			while (k < n_done && done[k] != object)
				k++;
			if (!object || k < n_done)
				continue;
			done[n_done++] = object;
			attachment_name(piece, (size_t)(v.p - piece.p), &name);
			r = put_attachment(p, object, buf_str(&name), s);
			if (r < 0)
				return r;
		}
	return 0;
}

/* ---- pictures ---- */

static void put_picture(str jpeg, bool decode, struct sink *s)
{
	struct picture_size z = { 0 };
	struct image i = { 0 };
	struct Pix *pix = NULL;
	bool damaged;

	if (picture_size(PICTURE_JPEG, jpeg, 0, &z) == 0 && decode && picture_grey(PICTURE_JPEG, jpeg, 0, PICTURE_HASH_SIDE, &pix, &damaged) == 0)
		i.has_phash = picture_hash(pix, &i.phash);
	picture_free(pix);
	i.width = z.width;
	i.height = z.height;
	sha256_parts(sink_doc(s)->hash, &jpeg, 1, i.sha256);
	sink_picture(s, &i);
}

/* Photographs are kept as the JPEG files that they were; other pictures are rows of samples, of which nobody has a copy. */
bool pdf_next_jpeg(str *rest, str *ret)
{
	for (const char *at; rest->n && (at = memmem(rest->p, rest->n, "\xff\xd8\xff", 3));) {
		str b = sub(*rest, (size_t)(at - rest->p));
		bool own = at - rest->p >= 8 && (memcmp(at - 7, "stream\n", 7) == 0 || memcmp(at - 8, "stream\r\n", 8) == 0);
		const char *end = memmem(b.p, b.n, "endstream", 9);
		size_t k = end ? (size_t)(end - b.p) : b.n;

		*rest = sub(b, own ? k : 3);
		if (!own)
			continue;
		/* An end of line may stand before the word. */
		while (k > 2 && (b.p[k - 1] == '\n' || b.p[k - 1] == '\r') && (uint8_t)b.p[k - 1] != 0xd9)
			k--;
		*ret = (str){ b.p, k };
		return true;
	}
	return false;
}

static void put_pictures(str b, struct sink *s)
{
	size_t bytes = 0;
	str jpeg;

	for (unsigned n = 0; n < PICTURES_MAX && !sink_full(s) && pdf_next_jpeg(&b, &jpeg); n++) {
		bytes += jpeg.n;
		put_picture(jpeg, bytes <= PICTURES_BYTES, s);
	}
}

bool pdf_has_pictures(struct pdf *p)
{
	str piece;

	for (size_t i = 0; pdf_piece(p, i, &piece); i++)
		if (piece.p && (memmem(piece.p, piece.n, "/Image", 6) || memmem(piece.p, piece.n, "DCTDecode", 9)))
			return true;
	return false;
}

int pdf_properties(struct pdf *p, struct sink *s)
{
	struct msip *labels = calloc(1, sizeof(*labels));

	if (!labels)
		return -ENOMEM;
	if (!pdf_encrypted(p)) { /* (its strings are, too) */
		put_info(pdf_object(p, pdf_reference(last_value(pdf_bytes(p), "Info"))), s, labels);
		put_xmp(p, s);
		put_pictures(pdf_bytes(p), s);
	}
	msip_put(labels, s, 3);
	msip_free(labels);
	free(labels);
	return pdf_encrypted(p) ? 0 : put_attachments(p, s);
}
