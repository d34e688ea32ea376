/* Number formats, the part of them that says who and when. */
#include "extract/formats/numfmt.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <strings.h>

#define SHOW_MAX 128 /* digits and marks of one number */

/* What 14 and its like look like depends on the reader's country; the unambiguous form stands for all. */
static const struct {
	uint32_t id;
	const char *code;
} builtins[] = {
	{ 0, "" }, { 1, "0" }, { 2, "0.00" }, { 3, "#,##0" }, { 4, "#,##0.00" }, { 9, "0%" }, { 10, "0.00%" }, { 11, "" }, { 12, "" }, { 13, "" },
	{ 14, "yyyy-mm-dd" }, { 15, "d-mmm-yy" }, { 16, "d-mmm" }, { 17, "mmm-yy" }, { 18, "h:mm AM/PM" }, { 19, "h:mm:ss AM/PM" }, { 20, "h:mm" },
	{ 21, "h:mm:ss" }, { 22, "yyyy-mm-dd h:mm" }, { 27, "yyyy\xe5\xb9\xb4m\xe6\x9c\x88" }, { 28, "m\xe6\x9c\x88""d\xe6\x97\xa5" },
	{ 29, "m\xe6\x9c\x88""d\xe6\x97\xa5" }, { 30, "yyyy-mm-dd" }, { 31, "yyyy\xe5\xb9\xb4m\xe6\x9c\x88""d\xe6\x97\xa5" },
	{ 32, "h\xe6\x99\x82mm\xe5\x88\x86" }, { 33, "h\xe6\x99\x82mm\xe5\x88\x86ss\xe7\xa7\x92" }, { 34, "yyyy\xe5\xb9\xb4m\xe6\x9c\x88" },
	{ 35, "m\xe6\x9c\x88""d\xe6\x97\xa5" }, { 36, "yyyy-mm-dd" }, { 37, "#,##0" }, { 38, "#,##0" }, { 39, "#,##0.00" }, { 40, "#,##0.00" },
	{ 45, "mm:ss" }, { 46, "[h]:mm:ss" }, { 47, "mm:ss" }, { 48, "" }, { 49, "" }, { 50, "yyyy-mm-dd" },
	{ 51, "m\xe6\x9c\x88""d\xe6\x97\xa5" }, { 52, "yyyy\xe5\xb9\xb4m\xe6\x9c\x88" }, { 53, "m\xe6\x9c\x88""d\xe6\x97\xa5" },
	{ 54, "m\xe6\x9c\x88""d\xe6\x97\xa5" }, { 55, "yyyy\xe5\xb9\xb4m\xe6\x9c\x88" }, { 56, "m\xe6\x9c\x88""d\xe6\x97\xa5" },
	{ 57, "yyyy-mm-dd" },
	{ 58, "m\xe6\x9c\x88""d\xe6\x97\xa5" },
};

/* The next element of a code: a literal (quoted, escaped, [$…]) or a placeholder run. Returns its length in the code. */
struct token {
	str literal; /* to be shown as it is; n 0 for none */
	char c;      /* the placeholder, lower case; 0 literal; ';' end of the section */
	size_t run;  /* how often in a row */
};

static size_t next_token(const char *p, struct token *t)
{
	const char *end;

	*t = (struct token){ 0 };
	switch (*p) {
	case '"':
		end = strchr(p + 1, '"');
		t->literal = (str){ p + 1, end ? (size_t)(end - p - 1) : strlen(p + 1) };
		return t->literal.n + 1 + (end != NULL);
	case '\\':
	case '!':
		t->literal = (str){ p + 1, p[1] ? 1 : 0 };
		while (t->literal.n && ((unsigned char)p[1 + t->literal.n] & 0xc0) == 0x80)
			t->literal.n++;
		return 1 + t->literal.n;
	case '_': /* as wide as the next one; the next one fills */
	case '*':
		return p[1] ? 2 : 1;
	case '[':
		end = strchr(p, ']');
		if (!end)
			return strlen(p);
		if (p[1] == '$') { /* [$currency-locale] */
			size_t n = strcspn(p + 2, "-]");

			t->literal = (str){ p + 2, n };
		} else if (strchr("hHmMsS", p[1]) && strspn(p + 1, (char[]){ p[1], 0 }) == (size_t)(end - p - 1)) {
			t->c = (char)tolower((unsigned char)p[1]);
			t->run = 10; /* the time that passed */
		}
		return (size_t)(end - p) + 1;
	default:
		break;
	}
	if (strncasecmp(p, "AM/PM", 5) == 0 || strncasecmp(p, "A/P", 3) == 0) {
		t->c = 'p';
		t->run = 1;
		return p[1] == '/' ? 3 : 5;
	}
	if (strchr("0#?.,%;@", *p) || (strchr("yYmMdDhHsSgGeEaAbB", *p))) {
		t->c = (char)tolower((unsigned char)*p);
		while (tolower((unsigned char)p[t->run]) == t->c)
			t->run++;
		if (strchr(".,%;@", t->c))
			t->run = 1;
		return t->run;
	}
	t->literal = (str){ p, 1 };
	while (((unsigned char)p[t->literal.n] & 0xc0) == 0x80)
		t->literal.n++;
	return t->literal.n;
}

void numfmt_parse(const char *code, struct numfmt *ret)
{
	bool digits = false, date = false;
	struct token t;

	snprintf(ret->code, sizeof(ret->code), "%s", code);
	ret->kind = NUMFMT_GENERAL;
	if (strcasestr(code, "general") || !*code)
		return;
	for (const char *p = ret->code; *p;) {
		p += next_token(p, &t);
		if (t.c == ';')
			break;
		digits = digits || t.c == '0' || t.c == '#' || t.c == '?';
		date = date || (t.c && strchr("ymdhsg", t.c) && t.c != 0) || (t.c == 'a' && t.run >= 3);
	}
	ret->kind = date ? NUMFMT_DATE : digits ? NUMFMT_DIGITS : NUMFMT_GENERAL;
}

bool numfmt_builtin(uint32_t id, struct numfmt *ret)
{
	for (size_t i = 0; i < ARRAY_SIZE(builtins); i++) {
		if (builtins[i].id == id) {
			numfmt_parse(builtins[i].code, ret);
			return true;
		}
	}
	return false;
}

/* ---- dates ---- */

struct when {
	int year, month, day, weekday, hour, minute, second;
	double days;
};

/* Civil date of days since 1970-01-01 (the proleptic Gregorian calendar in eras of 400 years). */
static void civil(int64_t z, struct when *w)
{
	int64_t era, doe, yoe, doy, mp;

	w->weekday = (int)(((z % 7) + 11) % 7); /* 1970-01-01 was a Thursday; 0 Sunday */
	z += 719468;
	era = (z >= 0 ? z : z - 146096) / 146097;
	doe = z - era * 146097;
	yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
	doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
	mp = (5 * doy + 2) / 153;
	w->day = (int)(doy - (153 * mp + 2) / 5 + 1);
	w->month = (int)(mp < 10 ? mp + 3 : mp - 9);
	w->year = (int)(yoe + era * 400 + (w->month <= 2));
}

static bool when_of(double v, bool date1904, struct when *w)
{
	double whole, rest = modf(v, &whole);
	int64_t day, second;

	if (!(v >= 0 && v < 2958466)) /* the end of 9999; not a number */
		return false;
	day = (int64_t)whole;
	second = (int64_t)floor(rest * 86400 + 0.5);
	if (second == 86400) {
		second = 0;
		day++;
	}
	/* Day 60 of the 1900 system is 29 February 1900, which never was. */
	if (!date1904 && day > 60)
		day--;
	civil(day + (date1904 ? -24107 : -25568), w);
	w->days = v;
	w->hour = (int)(second / 3600);
	w->minute = (int)(second / 60 % 60);
	w->second = (int)(second % 60);
	return true;
}

static const char *const months[] = { "January", "February", "March", "April", "May", "June", "July", "August", "September", "October",
	"November", "December" };
static const char *const week[] = { "Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday" };

static const char kanji[] = "\xe6\x97\xa5\xe6\x9c\x88\xe7\x81\xab\xe6\xb0\xb4\xe6\x9c\xa8\xe9\x87\x91\xe5\x9c\x9f"; /* days of the week */

/* Japanese eras, the newest first, by the first day of each. */
static const struct {
	int from;
	char letter;
	const char *name;
} eras[] = {
	{ 20190501, 'R', "\xe4\xbb\xa4\xe5\x92\x8c" }, { 19890108, 'H', "\xe5\xb9\xb3\xe6\x88\x90" },
	{ 19261225, 'S', "\xe6\x98\xad\xe5\x92\x8c" },
	{ 19120730, 'T', "\xe5\xa4\xa7\xe6\xad\xa3" }, { 0, 'M', "\xe6\x98\x8e\xe6\xb2\xbb" },
};

static size_t era_of(const struct when *w)
{
	int day = w->year * 10000 + w->month * 100 + w->day;
	size_t i = 0;

	while (eras[i].from > day)
		i++;
	return i;
}

static void put_word(struct buf *b, const char *word, size_t run)
{
	buf_putf(b, "%.*s", run == 3 ? 3 : run == 5 ? 1 : 32, word);
}

static void put_era(struct buf *b, const struct token *t, const struct when *w)
{
	static const int first[] = { 2019, 1989, 1926, 1912, 1868 };
	size_t i = era_of(w);

	if (t->c == 'e')
		buf_putf(b, "%0*d", (int)MIN(t->run, (size_t)2), w->year - first[i] + 1);
	else if (t->run == 1)
		buf_putc(b, eras[i].letter);
	else
		buf_putf(b, "%.*s", t->run == 2 ? 3 : 6, eras[i].name);
}

/* m is minutes beside hours or seconds, else the month. */
static void put_date_token(struct buf *b, const struct token *t, const struct when *w, bool minutes, bool twelve)
{
	int width = t->run >= 2 ? 2 : 1, hour = twelve ? (w->hour + 11) % 12 + 1 : w->hour;

	switch (t->c) {
	case 'y':
		buf_putf(b, t->run > 2 ? "%04d" : "%02d", t->run > 2 ? w->year : w->year % 100);
		break;
	case 'm':
		if (minutes)
			buf_putf(b, "%0*d", width, t->run == 10 ? (int)(w->days * 1440) : w->minute);
		else if (t->run >= 3)
			put_word(b, months[w->month - 1], t->run);
		else
			buf_putf(b, "%0*d", width, w->month);
		break;
	case 'd':
		if (t->run >= 3)
			put_word(b, week[w->weekday], t->run == 3 ? 3 : 4);
		else
			buf_putf(b, "%0*d", width, w->day);
		break;
	case 'h':
		buf_putf(b, "%0*lld", t->run == 10 ? 1 : width, t->run == 10 ? (long long)(w->days * 24) : (long long)hour);
		break;
	case 's':
		buf_putf(b, "%0*d", width, w->second);
		break;
	case 'p':
		buf_putf(b, "%s", w->hour < 12 ? "AM" : "PM");
		break;
	case 'a':
		if (t->run >= 3)
			buf_puts(b, (str){ kanji + (ptrdiff_t)w->weekday * 3, 3 });
		break;
	case 'g':
	case 'e':
		put_era(b, t, w);
		break;
	default:
		break;
	}
}

static void put_date(struct buf *b, const char *code, const struct when *w)
{
	bool twelve = strcasestr(code, "AM/PM") || strcasestr(code, "A/P"), after_hour = false;
	struct token t, ahead;

	for (const char *p = code; *p;) {
		p += next_token(p, &t);
		if (t.c == ';')
			break;
		if (t.c == 0) {
			buf_puts(b, t.literal);
			continue;
		}
		if (t.c == 'm') {
			bool before_second = false;

			for (const char *q = p; *q;) {
				q += next_token(q, &ahead);
				if (ahead.c && strchr("ymdhs;", ahead.c)) {
					before_second = ahead.c == 's';
					break;
				}
			}
			put_date_token(b, &t, w, after_hour || before_second || t.run == 10, twelve);
			after_hour = false;
			continue;
		}
		after_hour = t.c == 'h' || (after_hour && !strchr("yds", t.c));
		if (strchr(".,", t.c))
			buf_putc(b, t.c);
		else
			put_date_token(b, &t, w, false, twelve);
	}
}

/* ---- digits ---- */

/* The stored form, without an exponent where it is a whole number that a double holds. */
static void put_plain(struct buf *b, str stored, double v)
{
	if (fabs(v) < 1e18 && v == floor(v))
		buf_putf(b, "%.0f", v);
	else if (stored.n > 17 && memchr(stored.p, '.', stored.n)) /* 0.30000000000000004 */
		buf_putf(b, "%.15g", v);
	else
		buf_puts(b, stored);
}

struct layout {
	const char *code; /* of the section */
	unsigned whole, decimals; /* placeholders before and after the point */
	unsigned zeros;           /* of the whole ones, those that are always shown */
	bool point, percent, thousands;
	bool odd;                 /* exponents, fractions: shown as the number itself */
};

/* Section by sign; a first one with a condition ([<=999]) is taken when it holds. */
static const char *section(const char *code, double v)
{
	int want = v < 0 ? 1 : v == 0 ? 2 : 0, at = 0;
	const char *p = code, *first = code;
	struct token t;
	double limit;
	char op;

	if (sscanf(code, "[%c%lf]", &op, &limit) == 2 || sscanf(code, "[%c=%lf]", &op, &limit) == 2) {
		bool or_equal = code[2] == '=';
		bool holds = op == '<' ? (or_equal ? v <= limit : v < limit) : op == '>' ? (or_equal ? v >= limit : v > limit) : v == limit;

		want = holds ? 0 : 1;
	}
	while (*p && at < want) {
		p += next_token(p, &t);
		if (t.c == ';') {
			at++;
			first = p;
		}
	}
	return at == want && *first ? first : code;
}

static void measure(const char *code, struct layout *l)
{
	struct token t;

	*l = (struct layout){ .code = code };
	for (const char *p = code; *p;) {
		const char *from = p;

		p += next_token(p, &t);
		if (t.c == ';')
			break;
		l->odd = l->odd || t.c == 'e' || *from == '/';
		if (t.c == '.')
			l->point = true;
		else if (t.c == ',' && l->whole && !l->point)
			l->thousands = true;
		else if (t.c == '%')
			l->percent = true;
		else if (t.c == '0' || t.c == '#' || t.c == '?') {
			*(l->point ? &l->decimals : &l->whole) += (unsigned)t.run;
			if (t.c == '0' && !l->point)
				l->zeros += (unsigned)t.run;
		}
	}
}

struct showing {
	struct buf *b;
	const char *digits;
	size_t n;           /* of the whole part, zeros in front included */
	unsigned whole;     /* placeholders that are still to come */
	bool thousands, first;
};

/* A placeholder stands for one digit counted from the right, the first for all that are more. */
static void put_place(struct showing *s)
{
	size_t from = s->first ? s->n : s->whole;

	for (size_t at = from; at >= s->whole && at; at--) {
		if (at > s->n)
			continue;
		buf_putc(s->b, s->digits[s->n - at]);
		if (s->thousands && at > 1 && (at - 1) % 3 == 0)
			buf_putc(s->b, ',');
	}
	s->first = false;
	s->whole--;
}

static void put_digits(struct buf *b, const struct layout *l, double v)
{
	char digits[SHOW_MAX];
	int decimals = (int)MIN(l->decimals, 15u), zeros = (int)MIN(l->zeros, 60u);
	int n = snprintf(digits, sizeof(digits), "%0*.*f", zeros + (decimals ? decimals + 1 : 0), decimals, fabs(v) * (l->percent ? 100 : 1));
	struct showing s = { .b = b, .digits = digits, .n = strcspn(digits, "."), .whole = l->whole, .thousands = l->thousands, .first = true };
	const char *after = digits + s.n;
	struct token t;

	if (n <= 0 || (size_t)n >= sizeof(digits))
		return;
	if (s.n == 1 && digits[0] == '0' && !l->zeros)
		s.n = 0;
	for (const char *p = l->code; *p;) {
		p += next_token(p, &t);
		if (t.c == ';')
			break;
		if (t.c == 0)
			buf_puts(b, t.literal);
		else if (t.c == '%')
			buf_putc(b, '%');
		else if (t.c == '.' && *after == '.')
			buf_putc(b, *after++);
		else if (t.c == '0' || t.c == '#' || t.c == '?')
			for (size_t i = 0; i < t.run; i++) {
				if (s.whole)
					put_place(&s);
				else if (*after && *after != '.')
					buf_putc(b, *after++);
			}
	}
}

/* Marks between the digits ("000-0000") or zeros in front, or else nothing but decimals: the two are enough to know a number again. */
static void put_number(struct buf *b, const struct numfmt *f, str stored, double v)
{
	const char *code = section(f->code, v);
	struct layout l;

	measure(code, &l);
	if (l.whole > 60 || l.decimals > 30 || fabs(v) >= 1e18 || (!l.whole && !l.decimals) || l.odd) {
		put_plain(b, stored, v);
		return;
	}
	if (v < 0 && code == f->code)
		buf_putc(b, '-');
	put_digits(b, &l, v);
}

void numfmt_put(struct buf *b, const struct numfmt *f, str stored, bool date1904)
{
	char copy[64], *end;
	struct when w;
	double v;

	if (!stored.n || stored.n >= sizeof(copy)) {
		buf_puts(b, stored);
		return;
	}
	memcpy(copy, stored.p, stored.n);
	copy[stored.n] = 0;
	v = strtod(copy, &end);
	if (end == copy || *end || !isfinite(v))
		buf_puts(b, stored);
	else if (f && f->kind == NUMFMT_DATE && when_of(v, date1904, &w))
		put_date(b, f->code, &w);
	else if (f && f->kind == NUMFMT_DIGITS)
		put_number(b, f, stored, v);
	else
		put_plain(b, stored, v);
}
