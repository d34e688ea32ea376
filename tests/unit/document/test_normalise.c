/* The normal form against its definition, written here once more over utf8proc; and cuts. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <utf8proc.h>

#include "base/utf8.h"
#include "document/normalise.h"

static uint64_t seed = 7;

static uint32_t draw(uint32_t below)
{
	seed = seed * 6364136223846793005ULL + 1442695040888963407ULL;
	return (uint32_t)((seed >> 33) % below);
}

static bool letter_like(int32_t c)
{
	const char *k = utf8proc_category_string(c);

	return k[0] == 'L' || k[0] == 'N' || !strcmp(k, "Cn");
}

/* What normalise.c's opening says, by utf8proc_map alone; short texts. */
static void define(const char *text, size_t n, struct normalised *ret)
{
	static uint32_t c[4096], at[4096];
	size_t i = 0;

	ret->n = 0;
	ret->c = c;
	ret->at = at;
	while (i < n) {
		utf8proc_int32_t last, next, state = 0;
		size_t from = i, cut = 0, count = 0;
		utf8proc_uint8_t *form = NULL, *again = NULL;
		utf8proc_ssize_t len = 0;
		const int o = UTF8PROC_STABLE | UTF8PROC_COMPAT | UTF8PROC_CASEFOLD | UTF8PROC_IGNORE | UTF8PROC_COMPOSE;
		bool base = true;

		i += (size_t)utf8proc_iterate((const uint8_t *)text + i, (utf8proc_ssize_t)(n - i), &last);
		next = last;
		cut = i;
		for (count = 1; i < n; count++) {
			utf8proc_ssize_t w = utf8proc_iterate((const uint8_t *)text + i, (utf8proc_ssize_t)(n - i), &next);

			if (utf8proc_grapheme_break_stateful(last, next, &state))
				break;
			i += (size_t)w;
			if (count < 30)
				cut = i;
			last = next;
		}
		utf8proc_iterate((const uint8_t *)text + from, (utf8proc_ssize_t)(n - from), &next);
		if (next == 0xFFFA) {
			const char *end = memmem(text + i, n - i < 256 ? n - i : 256, "\xEF\xBF\xBB", 3);

			i = end ? (size_t)(end - text) + 3 : i;
		}
		len = utf8proc_map((const uint8_t *)text + from, (utf8proc_ssize_t)(cut - from), &form, o);
		for (int round = 0; round < 4; round++) {
			len = utf8proc_map(form, len, &again, o);
			free(form);
			form = again;
		}
		for (utf8proc_ssize_t k = 0; k < len;) {
			utf8proc_int32_t v;

			k += utf8proc_iterate(form + k, len - k, &v);
			if (utf8proc_category_string(v)[0] != 'M')
				base = letter_like(v);
			if (base) {
				c[ret->n] = (uint32_t)v;
				at[ret->n++] = (uint32_t)from;
			}
		}
		free(form);
	}
	at[ret->n] = (uint32_t)n;
}

static struct normalised got;

static void compare(const char *text, size_t n)
{
	struct normalised want;

	define(text, n, &want);
	normalised_clear(&got);
	assert_int_equal(normalise(&got, (str){ text, n }, 0), 0);
	if (got.n != want.n || memcmp(got.c, want.c, want.n * 4) || memcmp(got.at, want.at, (want.n + 1) * 4)) {
		print_error("of:");
		for (size_t i = 0; i < n; i++)
			print_error(" %02x", (unsigned char)text[i]);
		print_error("\n");
		for (size_t i = 0; i < MAX(got.n, want.n); i++)
			print_error("%zu: %x at %u, wanted %x at %u\n", i, i < got.n ? got.c[i] : 0, i < got.n ? got.at[i] : 0, i < want.n ? want.c[i] : 0,
				i < want.n ? want.at[i] : 0);
		fail();
	}
}

static void put_char(struct buf *b, uint32_t c)
{
	if (c != 0 && (c < 0xD800 || c > 0xDFFF) && c <= 0x10FFFF)
		utf8_put(b, c);
}

static void examples(void **state)
{
	static const struct { const char *text, *want; } t[] = {
		{ "The Quick, brown FOX!", "thequickbrownfox" },
		{ "\xE2\x80\x9Cquoted\xE2\x80\x9D \xC2\xAB" "so\xC2\xBB it's it\xE2\x80\x99s", "quotedsoitsits" },
		{ "Stra\xC3\x9F" "e o\xEF\xAC\x83" "ce", "strasseoffice" },
		{ "> quoted\n> in a mail", "quotedinamail" },
		{ "\xEF\xBD\xB6\xEF\xBE\x9E\xEF\xBD\xB7", "\xE3\x82\xAC\xE3\x82\xAD" },          /* half-width ga, ki */
		{ "\xEF\xBC\xA1\xEF\xBC\x91", "a1" },                                            /* full-width A1 */
		{ "e\xCC\x81t\xC3\xA9", "\xC3\xA9t\xC3\xA9" },                                   /* a mark of its own, and composed */
		{ "a\xC2\xAD" "b\xE2\x80\x8B" "c\xEF\xBB\xBF" "d", "abcd" },
		{ "\xE8\x91\x9B\xF3\xA0\x84\x80\xE5\x9F\x8E", "\xE8\x91\x9B\xE5\x9F\x8E" },      /* variation selector */
		{ "\xEF\xBF\xB9\xE6\xBC\xA2\xEF\xBF\xBA\xE3\x81\x8B\xE3\x82\x93\xEF\xBF\xBB\xE5\xAD\x97", "\xE6\xBC\xA2\xE5\xAD\x97" }, /* ruby */
		{ "\xE1\x84\x80\xE1\x85\xA1", "\xEA\xB0\x80" },                                  /* Hangul jamo */
		{ "\xE3\x8C\x94", "\xE3\x82\xAD\xE3\x83\xAD" },                                  /* square kiro */
		{ "$1.50 \xC2\xA5" "3 \xEF\xBF\xA5\\ a|b+c \xE3\x80\x9C~\xE2\x88\x92-\xEF\x82\xB7 \xE2\x84\xA2", "1503abctm" }, /* what conversions change */
		{ "\xE3\x81\x8B\xE3\x82\x9B", "\xE3\x81\x8B" },                              /* a voiced mark that stands apart: a space and a mark */
		{ "\xE1\x80\x80\xE1\x80\xAB", "\xE1\x80\x80\xE1\x80\xAB" },                  /* a vowel that is a cluster of its own (Myanmar) */
		{ "\xF0\x9F\x91\xA9\xE2\x80\x8D\xF0\x9F\x91\xA7 x \xF0\x9F\x87\xAF\xF0\x9F\x87\xB5", "x" }, /* emoji, flags */
		{ "", "" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(t); i++) {
		_cleanup_buf_ struct buf b = BUF_INIT;

		normalised_clear(&got);
		assert_int_equal(normalise(&got, str_c(t[i].text), 0), 0);
		for (size_t k = 0; k < got.n; k++)
			utf8_put(&b, got.c[k]);
		if (!str_eq(buf_str(&b), str_c(t[i].want)))
			fail_msg("%s: got %.*s", t[i].text, (int)b.n, b.p);
		compare(t[i].text, strlen(t[i].text));
	}
}

/* Each code point alone, and between neighbours that join, extend or do neither. */
static void all_code_points(void **state)
{
	static const uint32_t beside[] = { 'a', 0x304B, 0x3099, 0x0301, 0x200D, 0x1161, 0x1F468, 0xFF76, 0x0915, '\n' };

	for (uint32_t c = 1; c <= 0x10FFFF; c++) {
		_cleanup_buf_ struct buf b = BUF_INIT;

		if (c >= 0xD800 && c <= 0xDFFF)
			continue;
		if (c >= 0x30000 && c < 0xE0000 && c % 97)
			continue; /* nothing is assigned there */
		if (c >= 0xE0200 && c % 97)
			continue; /* private use */
		put_char(&b, c);
		compare(b.p, b.n);
		if (c > 0x3400 && c < 0xA000 && c % 16)
			continue;
		if (c >= 0xAC00 && c < 0xD7A4 && c % 16)
			continue;
		for (size_t i = 0; i < ARRAY_SIZE(beside); i++) {
			buf_clear(&b);
			put_char(&b, beside[i]);
			put_char(&b, c);
			put_char(&b, beside[(i + c) % ARRAY_SIZE(beside)]);
			compare(b.p, b.n);
		}
	}
}

/* Letters, kana with marks, jamo, emoji joined, Arabic, anything: the kinds follow each other in runs. */
static uint32_t any(void)
{
	static const uint32_t from[] = { ' ', 'A', 0xC0, 0x300, 0x3041, 0x3099, 0xFF61, 0x4E00, 0x1100, 0xAC00, 0x1F468, 0x200B, 0x600, 0x900, 0x1F1E6, 0xFE00, 0xFFF9, 1 };
	static const uint32_t range[] = { 32, 58, 256, 64, 190, 2, 64, 2000, 256, 800, 80, 6, 256, 128, 26, 16, 3, 0x10FFFE };
	uint32_t k = draw(ARRAY_SIZE(from));

	return from[k] + draw(range[k]);
}

static void random_text(struct buf *b, unsigned n)
{
	buf_clear(b);
	while (n) {
		unsigned run = 1 + draw(12);
		uint32_t kind = draw(4);

		for (; run && n; run--, n--)
			put_char(b, kind == 0 ? ' ' + draw(95) : kind == 1 ? 0x3041 + draw(180) : kind == 2 ? 0x4E00 + draw(5000) : any());
	}
}

static void random_strings(void **state)
{
	_cleanup_buf_ struct buf b = BUF_INIT;

	for (unsigned i = 0; i < 60000; i++) {
		random_text(&b, 1 + draw(60));
		utf8_portable = i & 1;
		compare(b.p, b.n);
	}
	utf8_portable = false;
}

/* A piece cut at cluster boundaries: its normal form is a piece of the whole's, with offsets moved. Inside a ruby annotation this does not hold: none here. */
static void cuts(void **state)
{
	_cleanup_buf_ struct buf b = BUF_INIT;
	struct normalised piece = { 0 };

	for (unsigned i = 0; i < 4000; i++) {
		size_t bounds[600], n = 0, at = 0, from, to, k;
		utf8proc_int32_t last = 0, next, st = 0;

		random_text(&b, 1 + draw(200));
		if (memmem(b.p, b.n, "\xEF\xBF\xBA", 3))
			continue;
		while (at < b.n) {
			size_t w = (size_t)utf8proc_iterate((const uint8_t *)b.p + at, (utf8proc_ssize_t)(b.n - at), &next);

			if (at == 0 || utf8proc_grapheme_break_stateful(last, next, &st))
				bounds[n++] = at;
			last = next;
			at += w;
		}
		bounds[n++] = b.n;
		from = draw((uint32_t)n);
		to = from + draw((uint32_t)(n - from));
		normalised_clear(&got);
		assert_int_equal(normalise(&got, buf_str(&b), 0), 0);
		normalised_clear(&piece);
		assert_int_equal(normalise(&piece, (str){ b.p + bounds[from], bounds[to] - bounds[from] }, (uint32_t)bounds[from]), 0);
		for (k = 0; k < got.n && got.at[k] < bounds[from]; k++)
			;
		assert_true(k + piece.n <= got.n);
		assert_memory_equal(piece.c, got.c + k, piece.n * 4);
		assert_memory_equal(piece.at, got.at + k, piece.n * 4);
		assert_true(k + piece.n == got.n || got.at[k + piece.n] >= bounds[to]);
	}
	normalised_free(&piece);
}

/* Longer than the pieces in which room is made; appended with a base. */
static void long_and_appended(void **state)
{
	_cleanup_buf_ struct buf b = BUF_INIT;
	struct normalised parts = { 0 };

	for (unsigned i = 0; i < 30000; i++) {
		uint32_t c = i % 3 ? 'a' + draw(26) : 0x3041 + draw(80);

		put_char(&b, c);
	}
	normalised_clear(&got);
	assert_int_equal(normalise(&got, buf_str(&b), 0), 0);
	assert_int_equal(got.n, 30000);
	assert_int_equal(normalise(&parts, (str){ b.p, b.n }, 5), 0);
	assert_int_equal(normalise(&parts, STR("xyz"), 5 + (uint32_t)b.n), 0);
	assert_int_equal(parts.n, 30003);
	assert_memory_equal(parts.c, got.c, got.n * 4);
	assert_int_equal(parts.at[30002], 5 + b.n + 2);
	assert_int_equal(parts.at[parts.n], 5 + b.n + 3);
	normalised_free(&parts);
}

/* Thousands of marks on one letter are bounded, and what comes behind is as it was. */
static void marks_without_end(void **state)
{
	_cleanup_buf_ struct buf b = BUF_INIT;

	buf_puts(&b, STR("a"));
	for (unsigned i = 0; i < 100000; i++)
		put_char(&b, 0x0301 + i % 8);
	buf_puts(&b, STR("bc"));
	normalised_clear(&got);
	assert_int_equal(normalise(&got, buf_str(&b), 0), 0);
	assert_true(got.n > 3 && got.n < 40);
	assert_int_equal(got.c[got.n - 1], 'c');
	assert_int_equal(got.at[got.n - 1], b.n - 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(examples), cmocka_unit_test(all_code_points), cmocka_unit_test(random_strings), cmocka_unit_test(cuts),
		cmocka_unit_test(long_and_appended), cmocka_unit_test(marks_without_end),
	};
	int r = cmocka_run_group_tests(tests, NULL, NULL);

	normalised_free(&got);
	return r;
}
