/* One pass over one line. Strict RFC 8259: what a careful writer would not write is refused with its byte. */
#include <errno.h>

#include "base/utf8.h"
#include "base/base64.h"
#include "base/timefmt.h"
#include "event/event_json.h"
#include "event/event_keys.h"

#define DEPTH_MAX 32
#define EXPECT_TIME_RANGE "a time from 1990 to a day from now"

struct reader {
	const char *begin, *p, *end;
	struct buf *text;  /* unescaped strings, `extra`; reserved beforehand, so that views stay */
	struct buf extra;  /* members of unknown keys */
	const char *expect;
	/* Stand-ins longer than their cap: no harm when the bytes follow. Where they began, by field. */
	uint64_t too_long;
	const char *too_long_at[EV_FIELDS_];
};

static int expected(struct reader *r, const char *what)
{
	if (!r->expect)
		r->expect = what;
	return -EBADMSG;
}

/* A value that is JSON, but not what its key takes: named by its first byte. */
static int wrong(struct reader *r, const char *from, const char *what)
{
	if (!r->expect)
		r->p = from;
	return expected(r, what);
}

static void skip_space(struct reader *r)
{
	while (r->p < r->end && (*r->p == ' ' || *r->p == '\t' || *r->p == '\r' || *r->p == '\n'))
		r->p++;
}

static int take(struct reader *r, char c, const char *what)
{
	skip_space(r);
	if (r->p == r->end || *r->p != c)
		return expected(r, what);
	r->p++;
	return 0;
}

static int hex4(struct reader *r, unsigned *ret)
{
	unsigned v = 0;

	if (r->end - r->p < 4)
		return expected(r, "four hexadecimal digits");
	for (int i = 0; i < 4; i++) {
		char c = r->p[i];
		unsigned d = c >= '0' && c <= '9' ? (unsigned)(c - '0') : (c | 32) >= 'a' && (c | 32) <= 'f' ? (unsigned)((c | 32) - 'a' + 10) : 16;

		if (d == 16)
			return wrong(r, r->p + i, "four hexadecimal digits");
		v = v << 4 | d;
	}
	r->p += 4;
	*ret = v;
	return 0;
}

/* Behind "\u": one code point, of two halves where it must be. */
static int unicode_escape(struct reader *r)
{
	unsigned c, low;

	if (hex4(r, &c) < 0)
		return -EBADMSG;
	if (c >= 0xdc00 && c <= 0xdfff)
		return expected(r, "a high surrogate before a low one");
	if (c >= 0xd800 && c <= 0xdbff) {
		if (r->end - r->p < 2 || r->p[0] != '\\' || r->p[1] != 'u')
			return expected(r, "a low surrogate after a high one");
		r->p += 2;
		if (hex4(r, &low) < 0)
			return -EBADMSG;
		if (low < 0xdc00 || low > 0xdfff)
			return expected(r, "a low surrogate after a high one");
		c = 0x10000 + ((c - 0xd800) << 10) + (low - 0xdc00);
	}
	utf8_put(r->text, c);
	return 0;
}

static int escape(struct reader *r)
{
	static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
	const char *at;

	r->p++;
	if (r->p == r->end)
		return expected(r, "an escape");
	if (*r->p == 'u') {
		r->p++;
		return unicode_escape(r);
	}
	at = *r->p ? strchr(from, *r->p) : NULL;
	if (!at)
		return expected(r, "an escape of \" \\ / b f n r t u");
	buf_putc(r->text, to[at - from]);
	r->p++;
	return 0;
}

/* Bytes that stand for themselves in a string: ends at a quote, a backslash or a control character. True when all are ASCII. */
static bool plain_run(struct reader *r)
{
	const uint64_t ones = 0x0101010101010101ULL, high = ones << 7;
	const char *p = r->p;
	uint64_t seen = 0;

	/* Eight at a time. A borrow may only stop it too early (Bit Twiddling Hacks, "Determine if a word has a zero byte"). */
	for (; r->end - p >= 8; p += 8) {
		uint64_t v, quote, backslash;

		memcpy(&v, p, 8);
		quote = v ^ ones * '"';
		backslash = v ^ ones * '\\';
		if ((((quote - ones) & ~quote) | ((backslash - ones) & ~backslash) | ((v - ones * 0x20) & ~v)) & high)
			break;
		seen |= v;
	}
	for (; p < r->end && *p != '"' && *p != '\\' && (unsigned char)*p >= 0x20; p++)
		seen |= (unsigned char)*p;
	r->p = p;
	return !(seen & high);
}

/* The text from `from` to p is UTF-8; the first byte that is not is named. */
static int check_utf8(struct reader *r, const char *from)
{
	if (likely(str_utf8_valid((str){ from, (size_t)(r->p - from) })))
		return 0;
	while (from < r->p) {
		unsigned char c = (unsigned char)*from;
		size_t n = c < 0x80 ? 1 : c < 0xe0 ? 2 : c < 0xf0 ? 3 : 4;

		if (n > (size_t)(r->p - from) || !str_utf8_valid((str){ from, n }))
			break;
		from += n;
	}
	return wrong(r, from, "UTF-8 in a string");
}

/* The string at p; a view of the line where nothing is escaped. */
static int take_string(struct reader *r, str *ret)
{
	const char *from;
	bool ascii;
	size_t at;

	if (take(r, '"', "a string") < 0)
		return -EBADMSG;
	from = r->p;
	ascii = plain_run(r);
	if (r->p < r->end && *r->p == '"') {
		if (!ascii && check_utf8(r, from) < 0)
			return -EBADMSG;
		*ret = (str){ from, (size_t)(r->p - from) };
		r->p++;
		return 0;
	}
	at = r->text->n;
	for (;;) {
		if (!ascii && check_utf8(r, from) < 0)
			return -EBADMSG;
		buf_put(r->text, from, (size_t)(r->p - from));
		if (r->p == r->end)
			return expected(r, "the end of a string");
		if (*r->p == '"')
			break;
		if (*r->p != '\\')
			return expected(r, "no control character in a string");
		if (escape(r) < 0)
			return -EBADMSG;
		from = r->p;
		ascii = plain_run(r);
	}
	r->p++;
	*ret = (str){ r->text->p + at, r->text->n - at };
	return buf_error(r->text);
}

static int take_number(struct reader *r, uint64_t max, uint64_t *ret, const char *what)
{
	const char *from;

	skip_space(r);
	from = r->p;
	while (r->p < r->end && *r->p >= '0' && *r->p <= '9')
		r->p++;
	if (str_to_u64((str){ from, (size_t)(r->p - from) }, ret) < 0 || *ret > max ||
		(r->p < r->end && (*r->p == '.' || *r->p == 'e' || *r->p == 'E')))
		return wrong(r, from, what);
	return 0;
}

static bool take_word(struct reader *r, str word)
{
	if (!str_starts((str){ r->p, (size_t)(r->end - r->p) }, word))
		return false;
	r->p += word.n;
	return true;
}

static int take_bool(struct reader *r, bool *ret, const char *what)
{
	skip_space(r);
	if (take_word(r, STR("true")))
		*ret = true;
	else if (take_word(r, STR("false")))
		*ret = false;
	else
		return expected(r, what);
	return 0;
}

/* Values of keys that are not ours: checked and passed over. */

static bool digits(struct reader *r)
{
	const char *from = r->p;

	while (r->p < r->end && *r->p >= '0' && *r->p <= '9')
		r->p++;
	return r->p > from;
}

static int skip_number(struct reader *r)
{
	if (r->p < r->end && *r->p == '-')
		r->p++;
	if (r->p < r->end && *r->p == '0')
		r->p++;
	else if (!digits(r))
		return expected(r, "a value");
	if (r->p < r->end && *r->p == '.') {
		r->p++;
		if (!digits(r))
			return expected(r, "a digit");
	}
	if (r->p < r->end && (*r->p == 'e' || *r->p == 'E')) {
		r->p++;
		if (r->p < r->end && (*r->p == '+' || *r->p == '-'))
			r->p++;
		if (!digits(r))
			return expected(r, "a digit");
	}
	return 0;
}

static int skip_value(struct reader *r, unsigned depth);

static int skip_members(struct reader *r, unsigned depth, bool object)
{
	char close = object ? '}' : ']';

	r->p++;
	skip_space(r);
	if (r->p < r->end && *r->p == close) {
		r->p++;
		return 0;
	}
	for (;;) {
		str key;

		if (object && (take_string(r, &key) < 0 || take(r, ':', "a colon") < 0))
			return -EBADMSG;
		if (skip_value(r, depth + 1) < 0)
			return -EBADMSG;
		skip_space(r);
		if (r->p < r->end && *r->p == ',') {
			r->p++;
			continue;
		}
		return take(r, close, object ? "a comma or }" : "a comma or ]");
	}
}

static int skip_value(struct reader *r, unsigned depth)
{
	str s;

	skip_space(r);
	if (r->p == r->end)
		return expected(r, "a value");
	if (*r->p == '"')
		return take_string(r, &s);
	if (*r->p == '{' || *r->p == '[')
		return depth < DEPTH_MAX ? skip_members(r, depth, *r->p == '{') : expected(r, "nesting of at most 32");
	if (take_word(r, STR("true")) || take_word(r, STR("false")) || take_word(r, STR("null")))
		return 0;
	return skip_number(r);
}

/* Our keys. */

static int take_text(struct reader *r, const struct event_key *k, str *ret)
{
	const char *from;

	skip_space(r);
	from = r->p;
	if (take_string(r, ret) < 0)
		return -EBADMSG;
	if (unlikely(ret->n > k->max)) {
		r->too_long |= EV_BIT(k->field);
		r->too_long_at[k->field] = from;
	}
	return 0;
}

static int take_text64(struct reader *r, const struct event_key *k, str *ret)
{
	const char *from;
	size_t at;
	str s;

	skip_space(r);
	from = r->p;
	if (take_string(r, &s) < 0)
		return -EBADMSG;
	at = r->text->n;
	if (base64_decode(r->text, s) < 0 || r->text->n - at > k->max)
		return wrong(r, from, k->expect);
	*ret = (str){ r->text->p + at, r->text->n - at };
	return 0;
}

static int take_list(struct reader *r, const struct event_key *k, struct event *e)
{
	e->n_parents = 0;
	if (take(r, '[', k->expect) < 0)
		return -EBADMSG;
	do {
		str *one = &e->parents[e->n_parents];

		if (e->n_parents == EVENT_PARENTS_MAX)
			return expected(r, k->expect);
		if ((k->form == KEY_LIST ? take_text : take_text64)(r, k, one) < 0)
			return -EBADMSG;
		e->n_parents++;
		skip_space(r);
	} while (r->p < r->end && *r->p == ',' && r->p++);
	return take(r, ']', "a comma or ]");
}

/* A string of a form of its own. */
static int take_formed(struct reader *r, const struct event_key *k, void *field)
{
	const char *from;
	int err = 0;
	bool ok;
	str s;

	skip_space(r);
	from = r->p;
	if (take_string(r, &s) < 0)
		return -EBADMSG;
	if (k->form == KEY_TIME)
		ok = (err = time_parse(s, field)) == 0;
	else if (k->form == KEY_ENUM)
		ok = (*(unsigned *)field = k->number(s)) != 0;
	else if (k->form == KEY_OBJECT)
		ok = event_object_from(s, field);
	else
		ok = event_document_from(s, field);
	return ok ? 0 : wrong(r, from, err == -ERANGE ? EXPECT_TIME_RANGE : k->expect);
}

static int take_form(struct reader *r, const struct event_key *k, struct event *e)
{
	void *field = (char *)e + k->offset;
	uint64_t v;

	switch ((enum key_form)k->form) {
	case KEY_TEXT:
		return take_text(r, k, field);
	case KEY_TEXT64:
		return take_text64(r, k, field);
	case KEY_LIST:
	case KEY_LIST64:
		return take_list(r, k, e);
	case KEY_U16:
		if (take_number(r, UINT16_MAX, &v, k->expect) < 0)
			return -EBADMSG;
		*(uint16_t *)field = (uint16_t)v;
		return 0;
	case KEY_U32:
		if (take_number(r, UINT32_MAX, &v, k->expect) < 0)
			return -EBADMSG;
		*(uint32_t *)field = (uint32_t)v;
		return 0;
	case KEY_U64:
		return take_number(r, UINT64_MAX, field, k->expect);
	case KEY_BOOL:
	case KEY_FLAG:
		return take_bool(r, field, k->expect);
	case KEY_SKIP:
		return skip_value(r, 0);
	default:
		return take_formed(r, k, field);
	}
}

/* The stand-in behind its bytes: it must be what it should be, but its content is of no use. */
static int pass_stand_in(struct reader *r, const struct event_key *k)
{
	char first = k->form == KEY_LIST ? '[' : '"';

	skip_space(r);
	return r->p < r->end && *r->p == first ? skip_value(r, 0) : expected(r, k->expect);
}

/* Keys mostly come in the order in which we write them: look behind the last one first. */
static size_t find_key(str name, size_t hint)
{
	for (size_t i = 0; i < event_keys_n; i++) {
		size_t k = hint + i < event_keys_n ? hint + i : hint + i - event_keys_n;

		if (event_keys[k].len == name.n && memcmp(event_keys[k].name, name.p, name.n) == 0)
			return k;
	}
	return SIZE_MAX;
}

/* JSON without the white space between its tokens: it may hold line ends, and is written out again in one line. */
static void put_compact(struct buf *b, const char *p, const char *end)
{
	bool in_string = false;

	for (; p < end; p++) {
		if (in_string && *p == '\\') {
			buf_putc(b, *p++);
		} else if (*p == '"') {
			in_string = !in_string;
		} else if (!in_string && (*p == ' ' || *p == '\t' || *p == '\r' || *p == '\n')) {
			continue;
		}
		buf_putc(b, *p);
	}
}

static int take_unknown(struct reader *r, const char *key_from, const char *key_end)
{
	const char *from;

	skip_space(r);
	from = r->p;
	if (skip_value(r, 0) < 0)
		return -EBADMSG;
	buf_putc(&r->extra, r->extra.n ? ',' : '{');
	buf_put(&r->extra, key_from, (size_t)(key_end - key_from));
	buf_putc(&r->extra, ':');
	put_compact(&r->extra, from, r->p);
	if (r->extra.n >= EVENT_EXTRA_MAX)
		return wrong(r, key_from, "unknown keys of at most 4,096 bytes together");
	return buf_error(&r->extra);
}

static int take_ours(struct reader *r, const struct event_key *k, struct event *e)
{
	/* The bytes win over the readable stand-in, whichever comes first. */
	if ((k->form == KEY_TEXT || k->form == KEY_LIST) && event_has(e, k->field))
		return pass_stand_in(r, k);
	if (take_form(r, k, e) < 0)
		return -EBADMSG;
	if (k->form == KEY_TEXT64 || k->form == KEY_LIST64)
		r->too_long &= ~EV_BIT(k->field);
	if (k->form != KEY_SKIP && !(k->form == KEY_FLAG && !e->late))
		event_set(e, k->field);
	return 0;
}

static int take_member(struct reader *r, struct event *e, uint64_t *seen, size_t *hint)
{
	const char *key_from, *key_end;
	size_t k;
	str name;

	skip_space(r);
	key_from = r->p;
	if (take_string(r, &name) < 0)
		return -EBADMSG;
	key_end = r->p;
	if (take(r, ':', "a colon") < 0)
		return -EBADMSG;
	k = find_key(name, *hint);
	if (k == SIZE_MAX)
		return take_unknown(r, key_from, key_end);
	if (*seen >> k & 1)
		return wrong(r, key_from, "each key once");
	*seen |= (uint64_t)1 << k;
	*hint = k + 1;
	return take_ours(r, &event_keys[k], e);
}

/* A text over its cap whose bytes did not follow. */
static int check_lengths(struct reader *r)
{
	for (size_t i = 0; r->too_long && i < event_keys_n; i++)
		if (r->too_long & EV_BIT(event_keys[i].field) && event_keys[i].form <= KEY_LIST && event_keys[i].form != KEY_TIME)
			return wrong(r, r->too_long_at[event_keys[i].field], event_keys[i].expect);
	return 0;
}

static int take_record(struct reader *r, struct event *e)
{
	uint64_t seen = 0;
	size_t hint = 0;

	if (take(r, '{', "a JSON object") < 0)
		return -EBADMSG;
	skip_space(r);
	if (r->p < r->end && *r->p == '}') {
		r->p++;
	} else {
		do {
			if (take_member(r, e, &seen, &hint) < 0)
				return -EBADMSG;
			skip_space(r);
		} while (r->p < r->end && *r->p == ',' && r->p++);
		if (take(r, '}', "a comma or }") < 0)
			return -EBADMSG;
	}
	skip_space(r);
	if (r->p != r->end)
		return expected(r, "the end of the line");
	if (check_lengths(r) < 0)
		return -EBADMSG;
	if (r->extra.n) {
		size_t at = r->text->n;

		buf_putc(&r->extra, '}');
		buf_puts(r->text, buf_str(&r->extra));
		e->extra = (str){ r->text->p + at, r->text->n - at };
		event_set(e, EV_EXTRA);
	}
	return buf_error(&r->extra) ? buf_error(&r->extra) : buf_error(r->text);
}

int event_from_json(str line, struct buf *scratch, struct event *ret, struct event_json_error *ret_err)
{
	struct reader r = { .begin = line.p, .p = line.p, .end = line.p + line.n, .text = scratch };
	struct event e = { .seq = UINT64_MAX };
	int err;

	/* Unescaped text and decoded base64 are never longer than what they came from; `extra` neither, but for its braces. */
	err = buf_reserve(scratch, 2 * line.n + 16);
	if (err == 0)
		err = take_record(&r, &e);
	buf_free(&r.extra);
	if (err < 0) {
		*ret_err = (struct event_json_error){ (size_t)(r.p - r.begin), r.expect ? r.expect : "less" };
		return err;
	}
	*ret = e;
	return 0;
}

bool event_extra_ok(str extra)
{
	_cleanup_buf_ struct buf scratch = BUF_INIT;
	struct event_json_error err;
	struct event e;

	if (extra.n > EVENT_EXTRA_MAX || event_from_json(extra, &scratch, &e, &err) < 0)
		return false;
	return e.present == EV_BIT(EV_EXTRA) && str_eq(e.extra, extra);
}

#define TIME_1990 (631152000LL * NSEC_PER_SEC)

int event_check(const struct event *e, int64_t now, const char **ret_expect)
{
	*ret_expect = "`time` and `verb`";
	if (!event_has(e, EV_TIME) || !event_has(e, EV_VERB))
		return -EBADMSG;
	*ret_expect = EXPECT_TIME_RANGE;
	if (e->time < TIME_1990 || e->time - 86400 * NSEC_PER_SEC > now)
		return -EBADMSG;
	*ret_expect = "`end` not before `time`";
	if (event_has(e, EV_END) && e->end < e->time)
		return -EBADMSG;
	*ret_expect = "a `path`";
	if (e->verb != VERB_GAP && !event_has(e, EV_PATH) && !event_has(e, EV_OBJECT) && !event_has(e, EV_DOCUMENT) && e->verb != VERB_EXEC)
		return -EBADMSG;
	*ret_expect = NULL;
	return 0;
}
