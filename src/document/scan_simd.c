/* Where digits, '@' and foldable characters stand: AVX2 where the processor has it, a table of byte classes otherwise. */
#include "document/finding_internal.h"

#if defined(__x86_64__)
#include <immintrin.h>

__attribute__((target("avx2"))) static inline uint32_t mask_digits(__m256i v)
{
	__m256i d = _mm256_sub_epi8(v, _mm256_set1_epi8('0'));

	return (uint32_t)_mm256_movemask_epi8(_mm256_cmpeq_epi8(_mm256_min_epu8(d, _mm256_set1_epi8(9)), d));
}

__attribute__((target("avx2,bmi"))) static size_t starts_avx2(const char *p, size_t n, uint32_t *ret)
{
	const __m256i sign = _mm256_set1_epi8('@');
	uint64_t carry = 0;
	size_t k = 0;

	for (size_t i = 0; i < n; i += 64) {
		char last[64] = { 0 };
		const char *q = p + i;

		if (n - i < 64) {
			memcpy(last, q, n - i);
			q = last;
		}
		__m256i a = _mm256_loadu_si256((const void *)q), b = _mm256_loadu_si256((const void *)(q + 32));
		uint64_t d = mask_digits(a) | (uint64_t)mask_digits(b) << 32;
		uint64_t m = (uint32_t)_mm256_movemask_epi8(_mm256_cmpeq_epi8(a, sign)) |
			     (uint64_t)(uint32_t)_mm256_movemask_epi8(_mm256_cmpeq_epi8(b, sign)) << 32;

		m |= d & ~(d << 1 | carry);
		carry = d >> 63;
		for (; m; m &= m - 1)
			ret[k++] = (uint32_t)i + (uint32_t)__builtin_ctzll(m);
	}
	return k;
}

#define EQ(v, c) _mm256_cmpeq_epi8(v, _mm256_set1_epi8((char)(c)))
#define OR _mm256_or_si256
#define AND _mm256_and_si256

__attribute__((target("avx2,bmi"))) static size_t folds_avx2(const char *p, size_t n, uint32_t *ret)
{
	size_t k = 0, i = 0;

	/* The block reads two bytes beyond itself. */
	for (; i + 34 <= n; i += 32) {
		__m256i a = _mm256_loadu_si256((const void *)(p + i));

		if (!_mm256_movemask_epi8(a))
			continue;
		__m256i b = _mm256_loadu_si256((const void *)(p + i + 1)), c = _mm256_loadu_si256((const void *)(p + i + 2));
		__m256i m = AND(EQ(a, 0xef), OR(EQ(b, 0xbc), EQ(b, 0xbd)));

		m = OR(m, AND(EQ(a, 0xe3), OR(AND(EQ(b, 0x80), EQ(c, 0x80)), AND(EQ(b, 0x83), EQ(c, 0xbc)))));
		m = OR(m, AND(EQ(a, 0xe2), OR(EQ(b, 0x80), EQ(b, 0x88))));
		m = OR(m, AND(EQ(a, 0xc2), EQ(b, 0xa0)));
		for (uint32_t bits = (uint32_t)_mm256_movemask_epi8(m); bits; bits &= bits - 1)
			ret[k++] = (uint32_t)i + (uint32_t)__builtin_ctz(bits);
	}
	for (; i < n; i++)
		if ((uint8_t)p[i] >= 0xc2)
			ret[k++] = (uint32_t)i;
	return k;
}

static bool avx2(void)
{
	return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi");
}
#endif

static size_t starts_plain(const char *p, size_t n, uint32_t *ret)
{
	bool inside = false;
	size_t k = 0;

	for (size_t i = 0; i < n; i++) {
		bool digit = is_digit(p[i]);

		if ((digit && !inside) || p[i] == '@')
			ret[k++] = (uint32_t)i;
		inside = digit;
	}
	return k;
}

static size_t folds_plain(const char *p, size_t n, uint32_t *ret)
{
	size_t k = 0;

	for (size_t i = 0; i < n; i++) {
		uint8_t c = (uint8_t)p[i];

		if (c == 0xef || c == 0xe3 || c == 0xe2 || c == 0xc2)
			ret[k++] = (uint32_t)i;
	}
	return k;
}

size_t scan_starts(const char *p, size_t n, uint32_t *ret)
{
#if defined(__x86_64__)
	if (avx2())
		return starts_avx2(p, n, ret);
#endif
	return starts_plain(p, n, ret);
}

size_t scan_folds(const char *p, size_t n, uint32_t *ret)
{
#if defined(__x86_64__)
	if (avx2())
		return folds_avx2(p, n, ret);
#endif
	return folds_plain(p, n, ret);
}

/* The ASCII character for the one at p, and its bytes; 0: it stays. `last` is the folded byte before it. */
static char folded(const uint8_t *p, size_t n, char last, unsigned *ret_n)
{
	if (n >= 2 && p[0] == 0xc2 && p[1] == 0xa0) {
		*ret_n = 2;
		return ' '; /* no-break space */
	}
	if (n < 3)
		return 0;
	*ret_n = 3;
	if (p[0] == 0xef && p[1] == 0xbc && p[2] >= 0x81)
		return (char)(p[2] - 0x81 + '!');
	if (p[0] == 0xef && p[1] == 0xbd && p[2] <= 0x9e)
		return (char)(p[2] - 0x80 + '`');
	if (p[0] == 0xe3 && p[1] == 0x80 && p[2] == 0x80)
		return ' '; /* ideographic space */
	if (p[0] == 0xe3 && p[1] == 0x83 && p[2] == 0xbc && is_digit(last))
		return '-'; /* the long-vowel mark, typed for a hyphen between digits */
	if (p[0] == 0xe2 && p[1] == 0x80 && p[2] >= 0x90 && p[2] <= 0x95)
		return '-'; /* hyphens and dashes */
	if (p[0] == 0xe2 && p[1] == 0x80 && (p[2] == 0xaf || p[2] == 0x87))
		return ' '; /* narrow no-break space, figure space */
	if (p[0] == 0xe2 && p[1] == 0x88 && p[2] == 0x92)
		return '-'; /* minus */
	return 0;
}

static void fold_put(struct finding_scan *s, uint32_t at, uint32_t text)
{
	if (s->n_folds < s->cap_folds)
		s->folds[s->n_folds++] = (struct fold){ at, text };
}

size_t fold_bytes(const char *p, size_t n, char *out, struct finding_scan *s)
{
	uint32_t few[256];
	uint32_t *places = s ? s->starts : few; /* not in use yet */
	size_t k = s || n <= ARRAY_SIZE(few) ? scan_folds(p, n, places) : 0, from = 0, to = 0;

	for (size_t i = 0; i < k; i++) {
		size_t x = places[i];
		unsigned bytes = 0;
		char c;

		if (x < from)
			continue;
		if (x > from) {
			memcpy(out + to, p + from, x - from);
			to += x - from;
			from = x;
		}
		c = folded((const uint8_t *)p + x, n - x, to ? out[to - 1] : 0, &bytes);
		if (!c)
			continue;
		out[to++] = c;
		from = x + bytes;
		if (s)
			fold_put(s, (uint32_t)to, (uint32_t)from);
	}
	memcpy(out + to, p + from, n - from);
	return to + n - from;
}
