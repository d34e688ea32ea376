/* Properties of OLE2 documents (MS-OLEPS) and the labels that Microsoft's products keep among them. */
#include "ole.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <strings.h>

#include "base/timefmt.h"

#define PROPS_MAX 1024
#define VALUE_MAX (4 * TEXT_META_VALUE_MAX) /* bytes of one that are looked at */
#define EPOCH_1601 116444736000000000ULL /* 1601 to 1970 in 100 ns */

enum { VT_I2 = 2, VT_I4 = 3, VT_R8 = 5, VT_BOOL = 11, VT_UI4 = 19, VT_LPSTR = 30, VT_LPWSTR = 31, VT_FILETIME = 64 };

static const struct name {
	uint32_t id;
	const char *key;
} summary[] = {
	{ 2, "title" }, { 3, "subject" }, { 4, "author" }, { 5, "keywords" }, { 6, "comments" }, { 12, "created" }, { 13, "modified" }, { 18, "producer" },
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

/* ---- labels ---- */

static bool is_guid(str s)
{
	if (s.n < 36)
		return false;
	for (size_t i = 0; i < 36; i++)
		if (i == 8 || i == 13 || i == 18 || i == 23 ? s.p[i] != '-' : !isxdigit((unsigned char)s.p[i]))
			return false;
	return true;
}

bool ole_label(struct ole_labels *l, str key, str value)
{
	static const char prefix[] = "msip_label_";
	char guid[37];
	str rest;
	size_t i;

	if (key.n < sizeof(prefix) - 1 + 37 || strncasecmp(key.p, prefix, sizeof(prefix) - 1) != 0)
		return false;
	rest = (str){ key.p + sizeof(prefix) - 1, key.n - (sizeof(prefix) - 1) };
	if (!is_guid(rest) || rest.p[36] != '_')
		return false;
	for (i = 0; i < 36; i++)
		guid[i] = (char)tolower((unsigned char)rest.p[i]);
	guid[36] = '\0';
	rest = (str){ rest.p + 37, rest.n - 37 };
	for (i = 0; i < l->n && strcmp(l->label[i].guid, guid) != 0; i++)
		;
	if (i == OLE_LABELS_MAX)
		return true;
	if (i == l->n) {
		memcpy(l->label[i].guid, guid, sizeof(guid));
		l->n++;
	}
	if (rest.n == 7 && strncasecmp(rest.p, "enabled", 7) == 0)
		l->label[i].enabled = value.n >= 4 && strncasecmp(value.p, "true", 4) == 0;
	else if (rest.n == 4 && strncasecmp(rest.p, "name", 4) == 0)
		snprintf(l->label[i].name, sizeof(l->label[i].name), "%.*s", (int)MIN(value.n, sizeof(l->label[i].name) - 1), value.p);
	return true;
}

void ole_labels_end(const struct ole_labels *l, struct sink *s, uint8_t source)
{
	for (size_t i = 0; i < l->n; i++) {
		struct mslabel m = { str_c(l->label[i].guid), str_c(l->label[i].name), l->label[i].enabled, source };

		sink_mslabel(s, &m);
	}
}

static str trim(str s)
{
	while (s.n && isspace((unsigned char)*s.p)) {
		s.p++;
		s.n--;
	}
	while (s.n && isspace((unsigned char)s.p[s.n - 1]))
		s.n--;
	return s;
}

void ole_label_header(struct sink *s, str value)
{
	struct ole_labels *l = calloc(1, sizeof(*l));

	while (l && value.n) {
		const char *semi = memchr(value.p, ';', value.n), *equals;
		str field = { value.p, semi ? (size_t)(semi - value.p) : value.n };

		value = (str){ value.p + field.n + (semi ? 1 : 0), value.n - field.n - (semi ? 1 : 0) };
		equals = field.n ? memchr(field.p, '=', field.n) : NULL;
		if (equals)
			ole_label(l, trim((str){ field.p, (size_t)(equals - field.p) }),
				trim((str){ equals + 1, field.n - (size_t)(equals - field.p) - 1 }));
	}
	if (l)
		ole_labels_end(l, s, 4);
	free(l);
}

/* ---- property sets ---- */

struct set {
	struct ole *ole;
	str bytes;              /* of the section */
	unsigned codepage;
	const struct name *names; /* NULL: custom, named by a dictionary */
	struct ole_labels *labels;
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
	ole_codepage(b, p->codepage, (str){ raw.p, end ? (size_t)(end - raw.p) : raw.n });
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
	if (name.n > 7 && !ole_label(p->labels, (str){ name.p + 7, name.n - 7 }, buf_str(&value)) && buf_cstr(&name))
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

static void stream(struct ole *o, const char *name, const struct name *first, struct ole_labels *labels)
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
	struct ole_labels *labels = calloc(1, sizeof(*labels));

	if (!labels)
		return;
	stream(o, "\5SummaryInformation", summary, labels);
	stream(o, "\5DocumentSummaryInformation", document, labels);
	ole_labels_end(labels, o->sink, 2);
	free(labels);
}
