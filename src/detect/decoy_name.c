/* Names like the neighbours': the same separators, case, digits and language, with words that say nothing. */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <strings.h>
#include <time.h>

#include "detect/decoy_plan.h"

/* Words that stand in names everywhere, and are kept as they are. */
static const char *const common[] = { "copy", "draft", "final", "neu", "new", "old", "rev", "ver", "version", "kopie", "entwurf", "alt",
	"copie", "no", "nr",
	"kw", "fy", "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec", "de", "en", "fr", "ja" };

static const char *const german[] = { "ung", "keit", "heit", "angebot", "bericht", "rechnung", "vertrag", "liste", "protokoll", "kunden",
	"auftrag", "lieferschein",
	"besprechung" };
static const char *const french[] = { "rapport", "facture", "contrat", "reunion", "compte", "projet", "devis", "note_de", "bilan",
	"clients", "etude", "annee" };

static bool any_in(str name, const char *const *v, size_t n)
{
	char low[256];
	size_t len = MIN(name.n, sizeof(low) - 1);

	for (size_t i = 0; i < len; i++)
		low[i] = (char)tolower((unsigned char)name.p[i]);
	low[len] = '\0';
	for (size_t i = 0; i < n; i++)
		if (strstr(low, v[i]))
			return true;
	return false;
}

/* A character of UTF-8; the name is valid. */
static uint32_t char_at(str s, size_t i, size_t *ret_n)
{
	unsigned char c = (unsigned char)s.p[i];
	size_t n = c < 0x80 ? 1 : c < 0xe0 ? 2 : c < 0xf0 ? 3 : 4;
	uint32_t v = n == 1 ? c : c & (0xffU >> (n + 1));

	n = MIN(n, s.n - i);
	for (size_t k = 1; k < n; k++)
		v = v << 6 | ((unsigned char)s.p[i + k] & 0x3f);
	*ret_n = n;
	return v;
}

static bool is_japanese(uint32_t c)
{
	return (c >= 0x3040 && c < 0x3100) || (c >= 0x3400 && c < 0xa000) || c == 0x3005 || (c >= 0xff66 && c < 0xffa0);
}

enum decoy_language decoy_language_of(str name, enum decoy_language otherwise)
{
	size_t n;

	for (size_t i = 0; i < name.n; i += n) {
		uint32_t c = char_at(name, i, &n);

		if (is_japanese(c))
			return DECOY_JAPANESE;
		if (c == 0xdf || c == 0xe4 || c == 0xf6 || c == 0xfc || c == 0xc4 || c == 0xd6 || c == 0xdc)
			return DECOY_GERMAN;
		if (c == 0xe9 || c == 0xe8 || c == 0xea || c == 0xe7 || c == 0xe0 || c == 0xc9)
			return DECOY_FRENCH;
	}
	if (any_in(name, german, ARRAY_SIZE(german)))
		return DECOY_GERMAN;
	if (any_in(name, french, ARRAY_SIZE(french)))
		return DECOY_FRENCH;
	return otherwise == DECOY_JAPANESE ? DECOY_ENGLISH : otherwise;
}

static bool is_common(str w)
{
	if (w.n <= 2)
		return true;
	for (size_t i = 0; i < ARRAY_SIZE(common); i++)
		if (strlen(common[i]) == w.n && strncasecmp(common[i], w.p, w.n) == 0)
			return true;
	return false;
}

/* In the case of `like`, and no word twice. */
static void put_word(struct buf *b, str like, enum decoy_language l)
{
	str w = decoy_title_word(l);
	bool upper = true, title = isupper((unsigned char)like.p[0]);

	for (size_t i = 0; i < like.n; i++)
		upper &= !islower((unsigned char)like.p[i]);
	for (int i = 0; i < 8 && b->n && memmem(b->p, b->n, w.p + 1, w.n - 1); i++)
		w = decoy_title_word(l);
	if (l == DECOY_JAPANESE) {
		buf_puts(b, w);
		return;
	}
	for (size_t i = 0; i < w.n; i++) {
		char c = (char)tolower((unsigned char)w.p[i]);

		buf_putc(b, upper || (title && i == 0) ? (char)toupper((unsigned char)c) : c);
	}
}

/* Digits: a year, a date, the month or day behind a year, else a number of as many digits near by. */
struct dates {
	struct tm tm;
	bool year, month; /* came before */
};

static void put_digits(struct buf *b, str like, struct dates *d)
{
	char text[32];
	uint64_t v = 0;

	if (like.n > 18) { /* no number of anything */
		for (size_t i = 0; i < like.n; i++)
			buf_putc(b, (char)('0' + decoy_random(10)));
		return;
	}
	for (size_t i = 0; i < like.n; i++)
		v = 10 * v + (uint64_t)(like.p[i] - '0');
	if (like.n == 4 && v >= 1990 && v < 2040) {
		snprintf(text, sizeof(text), "%04d", d->tm.tm_year + 1900);
		d->year = true;
	} else if (like.n == 8 && v / 10000 >= 1990 && v / 10000 < 2040) {
		snprintf(text, sizeof(text), "%04d%02d%02d", d->tm.tm_year + 1900, d->tm.tm_mon + 1, d->tm.tm_mday);
	} else if (like.n == 6 && v / 100 >= 1990 && v / 100 < 2040 && v % 100 >= 1 && v % 100 <= 12) {
		snprintf(text, sizeof(text), "%04d%02d", d->tm.tm_year + 1900, d->tm.tm_mon + 1);
	} else if (like.n == 2 && d->year && !d->month && v >= 1 && v <= 12) {
		snprintf(text, sizeof(text), "%02d", d->tm.tm_mon + 1);
		d->month = true;
	} else if (like.n == 2 && d->year && d->month && v >= 1 && v <= 31) {
		snprintf(text, sizeof(text), "%02d", d->tm.tm_mday);
	} else if (like.n <= 2) { /* a version, a day: as they are */
		buf_puts(b, like);
		return;
	} else {
		uint64_t room = 1;

		for (size_t i = 0; i < like.n; i++)
			room *= 10;
		v = (v + 1 + decoy_random((uint32_t)MIN((uint64_t)40, room))) % room;
		snprintf(text, sizeof(text), "%0*llu", (int)like.n, (unsigned long long)v);
		if (like.n > 1 && like.p[0] != '0' && text[0] == '0')
			text[0] = '1';
	}
	buf_puts(b, str_c(text));
}

enum kind { LETTERS, JAPANESE, DIGITS, OTHER };

static enum kind kind_at(str s, size_t i, size_t *ret_n)
{
	uint32_t c = char_at(s, i, ret_n);

	if (c < 128)
		return isalpha((int)c) ? LETTERS : isdigit((int)c) ? DIGITS : OTHER;
	if (is_japanese(c))
		return JAPANESE;
	return c >= 0xc0 && c < 0x250 && c != 0xd7 && c != 0xf7 ? LETTERS : OTHER;
}

/* A run of one kind; a capital behind a small letter begins a new word (camel case). */
static enum kind next_run(str s, size_t i, size_t *ret_end)
{
	size_t n;
	enum kind k = kind_at(s, i, &n);
	size_t at = i + n;

	while (at < s.n && kind_at(s, at, &n) == k) {
		if (k == LETTERS && isupper((unsigned char)s.p[at]) && islower((unsigned char)s.p[at - 1]))
			break;
		at += n;
	}
	*ret_end = at;
	return k;
}

int decoy_name(const char *sample, enum decoy_language l, int64_t modified, struct buf *ret)
{
	const char *dot = strrchr(sample, '.');
	str stem = { sample, dot && dot > sample ? (size_t)(dot - sample) : strlen(sample) };
	time_t t = (time_t)(modified / NSEC_PER_SEC);
	struct dates d = { 0 };

	localtime_r(&t, &d.tm);
	for (size_t i = 0, end; i < stem.n; i = end) {
		enum kind k = next_run(stem, i, &end);
		str run = { stem.p + i, end - i };

		if (k == DIGITS) {
			put_digits(ret, run, &d);
		} else if ((k == JAPANESE && run.n > 3) || (k == LETTERS && !is_common(run))) { /* one character: 年, 月, 版… */
			put_word(ret, run, k == JAPANESE ? DECOY_JAPANESE : l == DECOY_JAPANESE ? DECOY_ENGLISH : l);
		} else {
			buf_puts(ret, run);
		}
	}
	buf_puts(ret, (str){ sample + stem.n, strlen(sample) - stem.n });
	return buf_error(ret);
}
