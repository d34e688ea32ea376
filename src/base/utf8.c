#include "base/utf8.h"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

static bool tail(uint8_t c)
{
	return (c & 0xc0) == 0x80;
}

/* Bytes of the character at p (n > 0), 0 where none stands there; *bad: how many bytes of it are right (at least 1). RFC 3629, table 3-7 of
 * Unicode. */
static size_t one(const uint8_t *p, size_t n, size_t *bad)
{
	uint8_t c = p[0], low = 0x80, high = 0xbf;
	size_t need;

	*bad = 1;
	if (c < 0x80)
		return (c >= 0x20 && c != 0x7f) || c == '\t' || c == '\n';
	if (c < 0xc2 || c > 0xf4)
		return 0;
	need = c < 0xe0 ? 2 : c < 0xf0 ? 3 : 4;
	low = c == 0xe0 ? 0xa0 : c == 0xf0 ? 0x90 : low;
	high = c == 0xed ? 0x9f : c == 0xf4 ? 0x8f : high;
	for (size_t i = 1; i < need; i++, low = 0x80, high = 0xbf) {
		if (i >= n || p[i] < low || p[i] > high)
			return 0;
		*bad = i + 1;
	}
	return need;
}

/* Eight bytes at once: all of 0x20…0x7e? */
static bool eight_plain(const uint8_t *p)
{
	uint64_t v;

	memcpy(&v, p, 8);
	/* high bit set · below 0x20 · equal to 0x7f */
	return !((v | (v - 0x2020202020202020ULL) | (v + 0x0101010101010101ULL)) & 0x8080808080808080ULL);
}

#if defined(__x86_64__)
#define AVX2 __attribute__((target("avx2,popcnt")))

static bool has_avx2(void)
{
	return __builtin_cpu_supports("avx2");
}

/* J. Keiser, D. Lemire: Validating UTF-8 in less than one instruction per byte (2021). A bit for each way in which two neighbours are
 * wrong; three tables, by the high and the low half of the first and the high half of the second, have a bit in common where they are. */
enum {
	TOO_SHORT = 1, TOO_LONG = 2, OVERLONG_3 = 4, TOO_LARGE = 8, SURROGATE = 16, OVERLONG_2 = 32, TOO_LARGE_1000 = 64, OVERLONG_4 = 64,
	TWO_CONTS = 128,
	CARRY = TOO_SHORT | TOO_LONG | TWO_CONTS,
	LARGE = CARRY | TOO_LARGE | TOO_LARGE_1000,
	CONT = TOO_LONG | OVERLONG_2 | TWO_CONTS,
};
static const uint8_t first_high[16] = {
	TOO_LONG, TOO_LONG, TOO_LONG, TOO_LONG, TOO_LONG, TOO_LONG, TOO_LONG, TOO_LONG, TWO_CONTS, TWO_CONTS, TWO_CONTS, TWO_CONTS, TOO_SHORT |
	OVERLONG_2,
	TOO_SHORT, TOO_SHORT | OVERLONG_3 | SURROGATE, TOO_SHORT | TOO_LARGE | TOO_LARGE_1000 | OVERLONG_4,
};
static const uint8_t first_low[16] = {
	CARRY | OVERLONG_3 | OVERLONG_2 | OVERLONG_4, CARRY | OVERLONG_2, CARRY, CARRY, CARRY | TOO_LARGE, LARGE, LARGE, LARGE, LARGE, LARGE,
	LARGE, LARGE, LARGE,
	LARGE | SURROGATE, LARGE, LARGE,
};
static const uint8_t second_high[16] = {
	TOO_SHORT, TOO_SHORT, TOO_SHORT, TOO_SHORT, TOO_SHORT, TOO_SHORT, TOO_SHORT, TOO_SHORT, CONT | OVERLONG_3 | TOO_LARGE_1000 | OVERLONG_4,
	CONT | OVERLONG_3 | TOO_LARGE, CONT | SURROGATE | TOO_LARGE, CONT | SURROGATE | TOO_LARGE, TOO_SHORT, TOO_SHORT, TOO_SHORT, TOO_SHORT,
};

AVX2 static inline __m256i table(const uint8_t *t)
{
	return _mm256_broadcastsi128_si256(_mm_loadu_si128((const __m128i *)t));
}

AVX2 static inline __m256i high(__m256i v)
{
	return _mm256_and_si256(_mm256_srli_epi16(v, 4), _mm256_set1_epi8(15));
}

/* Where two neighbours are wrong, or a third or fourth byte is missing or too many. */
AVX2 static inline __m256i wrong(__m256i v, __m256i before)
{
	__m256i across = _mm256_permute2x128_si256(before, v, 0x21);
	__m256i b1 = _mm256_alignr_epi8(v, across, 15), b2 = _mm256_alignr_epi8(v, across, 14), b3 = _mm256_alignr_epi8(v, across, 13);
	__m256i pairs = _mm256_and_si256(_mm256_shuffle_epi8(table(first_high), high(b1)),
					 _mm256_shuffle_epi8(table(first_low), _mm256_and_si256(b1, _mm256_set1_epi8(15))));
	__m256i third = _mm256_subs_epu8(b2, _mm256_set1_epi8(0xe0 - 0x80)), fourth = _mm256_subs_epu8(b3, _mm256_set1_epi8(0xf0 - 0x80));
	__m256i must = _mm256_and_si256(_mm256_or_si256(third, fourth), _mm256_set1_epi8((char)0x80));

	pairs = _mm256_and_si256(pairs, _mm256_shuffle_epi8(table(second_high), high(v)));
	return _mm256_xor_si256(must, pairs);
}

AVX2 static inline __m256i control(__m256i v)
{
	__m256i low = _mm256_cmpeq_epi8(_mm256_min_epu8(v, _mm256_set1_epi8(0x1f)), v);
	__m256i kept = _mm256_or_si256(_mm256_cmpeq_epi8(v, _mm256_set1_epi8('\t')), _mm256_cmpeq_epi8(v, _mm256_set1_epi8('\n')));

	return _mm256_or_si256(_mm256_andnot_si256(kept, low), _mm256_cmpeq_epi8(v, _mm256_set1_epi8(0x7f)));
}

/* Bytes at the beginning, which is one of a character, that are clean; up to the beginning of a character, not as many as possible. */
AVX2 static size_t clean_blocks(const uint8_t *p, size_t n)
{
	__m256i before = _mm256_setzero_si256();
	size_t i = 0, back;

	for (; n - i >= 32; i += 32) {
		__m256i v = _mm256_loadu_si256((const __m256i *)(p + i));
		__m256i bad = _mm256_or_si256(wrong(v, before), control(v));

		if (!_mm256_testz_si256(bad, bad))
			break;
		before = v;
	}
	/* The last block may end inside a character, which nobody has seen the end of. */
	for (back = 1; back <= 3 && back <= i; back++)
		if (p[i - back] >= 0xc0)
			return p[i - back] >= (back == 1 ? 0xc0 : back == 2 ? 0xe0 : 0xf0) ? i - back : i;
	return i;
}

AVX2 static size_t count_blocks(const uint8_t *p, size_t n, uint64_t *count)
{
	size_t i = 0;

	for (; n - i >= 32; i += 32) {
		__m256i v = _mm256_loadu_si256((const __m256i *)(p + i));

		/* Tails are the signed bytes below -64. */
		*count += (uint64_t)__builtin_popcount((unsigned)_mm256_movemask_epi8(_mm256_cmpgt_epi8(v, _mm256_set1_epi8(-65))));
	}
	return i;
}
#else
static bool has_avx2(void)
{
	return false;
}

static size_t clean_blocks(const uint8_t *p, size_t n)
{
	return 0;
}

static size_t count_blocks(const uint8_t *p, size_t n, uint64_t *count)
{
	return 0;
}
#endif

bool utf8_portable;

size_t utf8_clean_prefix(str s)
{
	const uint8_t *p = (const uint8_t *)s.p;
	bool wide = s.n >= 64 && !utf8_portable && has_avx2();
	size_t i = 0, bad;

	while (i < s.n) {
		size_t k;

		if (wide && s.n - i >= 64) {
			k = clean_blocks(p + i, s.n - i);
			i += k;
			/* Stopped by something near: looked at one by one; then on in blocks. */
			wide = k > 0 || s.n - i < 64;
		}
		while (s.n - i >= 8 && eight_plain(p + i))
			i += 8;
		if (i == s.n)
			break;
		k = one(p + i, s.n - i, &bad);
		if (!k)
			break;
		i += k;
	}
	return i;
}

uint64_t utf8_count(str s)
{
	uint64_t n = 0;
	size_t i = !utf8_portable && s.n >= 32 && has_avx2() ? count_blocks((const uint8_t *)s.p, s.n, &n) : 0;

	for (; i < s.n; i++)
		n += !tail((uint8_t)s.p[i]);
	return n;
}

void utf8_put_clean(struct buf *b, str s)
{
	while (s.n && !b->err) {
		size_t k = utf8_clean_prefix(s), bad;

		buf_put(b, s.p, k);
		s.p += k;
		s.n -= k;
		if (!s.n)
			break;
		one((const uint8_t *)s.p, s.n, &bad);
		if ((uint8_t)s.p[0] >= 0x80)
			buf_puts(b, STR("\xef\xbf\xbd"));
		else if (s.p[0] != '\r' || s.n < 2 || s.p[1] != '\n')
			buf_putc(b, ' ');
		s.p += bad;
		s.n -= bad;
	}
}

size_t utf8_cut(str s, size_t max)
{
	size_t n = MIN(s.n, max), back = 0;

	if (n == s.n)
		return n;
	while (back < 4 && back < n && tail((uint8_t)s.p[n - back]))
		back++;
	/* More than three of them are no character anyway; and a cut is never empty. */
	return back < 4 && back < n ? n - back : n;
}

void utf8_put(struct buf *b, uint32_t c)
{
	if (c < 0x80) {
		buf_putc(b, (char)c);
	} else if (c < 0x800) {
		buf_putc(b, (char)(0xc0 | c >> 6));
		buf_putc(b, (char)(0x80 | (c & 0x3f)));
	} else if (c < 0x10000) {
		buf_putc(b, (char)(0xe0 | c >> 12));
		buf_putc(b, (char)(0x80 | (c >> 6 & 0x3f)));
		buf_putc(b, (char)(0x80 | (c & 0x3f)));
	} else {
		buf_putc(b, (char)(0xf0 | c >> 18));
		buf_putc(b, (char)(0x80 | (c >> 12 & 0x3f)));
		buf_putc(b, (char)(0x80 | (c >> 6 & 0x3f)));
		buf_putc(b, (char)(0x80 | (c & 0x3f)));
	}
}
