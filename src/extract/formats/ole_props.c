/* Properties of OLE2 documents (MS-OLEPS) and the labels that Microsoft's products keep among them. */
#include "extract/formats/ole.h"

#include <errno.h>
#include <inttypes.h>

#include "base/timefmt.h"
#include "extract/formats/msip.h"

#define PROPS_MAX 1024
#define VALUE_MAX (4 * TEXT_META_VALUE_MAX) /* bytes of one that are looked at */
#define EPOCH_1601 116444736000000000ULL /* 1601 to 1970 in 100 ns */

enum { VT_I2 = 2, VT_I4 = 3, VT_R8 = 5, VT_BOOL = 11, VT_UI4 = 19, VT_LPSTR = 30, VT_LPWSTR = 31, VT_FILETIME = 64 };

static const struct name {
	uint32_t id;
	const char *key;
} summary[] = {
	{ 2, "title" }, { 3, "subject" }, { 4, "author" }, { 5, "keywords" }, { 6, "comments" }, { 12, "created" }, { 13, "modified" },
	{ 18, "producer" },
	{ 0, NULL },
}, document[] = {
	{ 2, "category" }, { 14, "manager" }, { 15, "company" }, { 0, NULL },
};

str ole_time(uint64_t filetime, char *out)
{
	/* 1601 to 2200: anything else is no date but a number. */
	if (filetime < EPOCH_1601 || filetime - EPOCH_1601 > 72000000000000000ULL)
		return STR_NONE;
	return (str){ out, time_format((int64_t)((filetime - EPOCH_1601) * 100), out) };
}

/* ---- property sets ---- */

struct set {
	struct ole *ole;
	str bytes;              /* of the section */
	unsigned codepage;
	const struct name *names; /* NULL: custom, named by a dictionary */
	struct msip *labels;
};

static void put_string(const struct set *p, struct buf *b, str raw)
{
	const char *end;

	raw.n = MIN(raw.n, VALUE_MAX);
	if (p->codepage == 1200) {
		ole_utf16(b, raw, true);
		return;
	}
	end = raw.n ? memchr(raw.p, 0, raw.n) : NULL;
	charset_codepage_to_utf8(p->codepage, (str){ raw.p, end ? (size_t)(end - raw.p) : raw.n }, b);
}

/* The value at an offset of the section as text; nothing for kinds that are none. */
static void put_value(const struct set *p, size_t at, struct buf *b)
{
	char time[TIME_TEXT_MAX];
	double d;

	switch (le16(p->bytes, at)) {
	case VT_LPSTR:
		put_string(p, b, le_sub(p->bytes, at + 8, le32(p->bytes, at + 4)));
		break;
	case VT_LPWSTR:
		ole_utf16(b, le_sub(p->bytes, at + 8, MIN(le32(p->bytes, at + 4), VALUE_MAX / 2) * 2), true);
		break;
	case VT_FILETIME:
		buf_puts(b, ole_time(le64(p->bytes, at + 4), time));
		break;
	case VT_I2:
		buf_putf(b, "%d", (int16_t)le16(p->bytes, at + 4));
		break;
	case VT_I4:
	case VT_UI4:
		buf_putf(b, "%" PRId32, (int32_t)le32(p->bytes, at + 4));
		break;
	case VT_BOOL:
		buf_puts(b, le16(p->bytes, at + 4) ? STR("true") : STR("false"));
		break;
	case VT_R8:
		if (le_has(p->bytes, at + 4, 8)) {
			memcpy(&d, p->bytes.p + at + 4, sizeof(d));
			buf_putf(b, "%.15g", d);
		}
		break;
	default:
		break;
	}
}

/* The name that the dictionary at an offset gives to a property. */
static void put_name(const struct set *p, size_t at, uint32_t id, struct buf *b)
{
	uint32_t n = le32(p->bytes, at);

	at += 4;
	for (uint32_t i = 0; i < MIN(n, PROPS_MAX) && le_has(p->bytes, at, 8); i++) {
		uint32_t this = le32(p->bytes, at);
		size_t len = le32(p->bytes, at + 4) * (p->codepage == 1200 ? 2ul : 1ul);

		if (this == id) {
			put_string(p, b, le_sub(p->bytes, at + 8, len));
			return;
		}
		if (p->codepage == 1200)
			len = (len + 3) & ~3ul;
		at += 8 + len;
	}
}

static size_t find_id(str s, uint32_t id)
{
	uint32_t n = MIN(le32(s, 4), PROPS_MAX);

	for (uint32_t i = 0; i < n; i++)
		if (le32(s, 8 + 8 * i) == id)
			return le32(s, 12 + 8 * i);
	return 0;
}

static void one(const struct set *p, uint32_t id, size_t at, size_t dictionary)
{
	_cleanup_buf_ struct buf value = BUF_INIT, name = BUF_INIT;
	const struct name *k;

	value.max = name.max = IN_WHOLE_MAX;
	for (k = p->names; k && k->key && k->id != id; k++)
		;
	if (k && !k->key)
		return;
	put_value(p, at, &value);
	if (k) {
		sink_meta(p->ole->sink, k->key, buf_str(&value));
		return;
	}
	buf_puts(&name, STR("custom:"));
	put_name(p, dictionary, id, &name);
	if (name.n > 7 && !msip_take(p->labels, (str){ name.p + 7, name.n - 7 }, buf_str(&value)) && buf_cstr(&name))
		sink_meta(p->ole->sink, name.p, buf_str(&value));
}

static void section(struct set *p)
{
	uint32_t n = MIN(le32(p->bytes, 4), PROPS_MAX);
	size_t at = find_id(p->bytes, 1), dictionary = find_id(p->bytes, 0);

	p->codepage = at && le16(p->bytes, at) == VT_I2 ? le16(p->bytes, at + 4) : 1252;
	for (uint32_t i = 0; i < n && le_has(p->bytes, 8 + 8 * i, 8); i++) {
		uint32_t id = le32(p->bytes, 8 + 8 * i);

		if (id > 1 && id < 0x80000000u)
			one(p, id, le32(p->bytes, 12 + 8 * i), dictionary);
	}
}

static void stream(struct ole *o, const char *name, const struct name *first, struct msip *labels)
{
	_cleanup_buf_ struct buf b = BUF_INIT;
	str s;

	if (ole_load(o, o->root, name, &b) < 0)
		return;
	s = buf_str(&b);
	if (le16(s, 0) != 0xfffe)
		return;
	for (uint32_t i = 0; i < MIN(le32(s, 24), 2u); i++) {
		struct set p = { .ole = o, .names = i == 0 ? first : NULL, .labels = labels };

		p.bytes = le_sub(s, le32(s, 28 + 20 * i + 16), s.n);
		if (i == 0 || first == document)
			section(&p);
	}
}

void ole_properties(struct ole *o)
{
	struct msip labels = { 0 };

	stream(o, "\5SummaryInformation", summary, &labels);
	stream(o, "\5DocumentSummaryInformation", document, &labels);
	msip_put(&labels, o->sink, 2);
	msip_free(&labels);
}
