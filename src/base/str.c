#include "base/str.h"

#include <errno.h>

int str_cmp(str a, str b)
{
	size_t n = MIN(a.n, b.n);
	int r = n ? memcmp(a.p, b.p, n) : 0;

	if (r)
		return r;
	return a.n < b.n ? -1 : a.n > b.n;
}

bool str_utf8_valid(str s)
{
	const uint8_t *p = (const uint8_t *)s.p, *end = p + s.n;

	while (p < end) {
		uint64_t eight;

		if (end - p >= 8) {
			memcpy(&eight, p, 8);
			if (!(eight & 0x8080808080808080ULL)) {
				p += 8;
				continue;
			}
		}
		if (p[0] < 0x80) {
			p++;
		} else if (p[0] >= 0xc2 && p[0] <= 0xdf) {
			if (end - p < 2 || (p[1] & 0xc0) != 0x80)
				return false;
			p += 2;
		} else if ((p[0] & 0xf0) == 0xe0) {
			if (end - p < 3 || (p[1] & 0xc0) != 0x80 || (p[2] & 0xc0) != 0x80)
				return false;
			if ((p[0] == 0xe0 && p[1] < 0xa0) || (p[0] == 0xed && p[1] > 0x9f))
				return false;
			p += 3;
		} else if (p[0] >= 0xf0 && p[0] <= 0xf4) {
			if (end - p < 4 || (p[1] & 0xc0) != 0x80 || (p[2] & 0xc0) != 0x80 || (p[3] & 0xc0) != 0x80)
				return false;
			if ((p[0] == 0xf0 && p[1] < 0x90) || (p[0] == 0xf4 && p[1] > 0x8f))
				return false;
			p += 4;
		} else {
			return false;
		}
	}
	return true;
}

size_t str_put_dec(char out[static STR_DEC_MAX], uint64_t v)
{
	char tmp[STR_DEC_MAX];
	size_t i = sizeof(tmp);

	do
		tmp[--i] = (char)('0' + v % 10);
	while (v /= 10);
	memcpy(out, tmp + i, sizeof(tmp) - i);
	return sizeof(tmp) - i;
}

int str_to_u64(str s, uint64_t *ret)
{
	uint64_t v = 0;

	if (s.n == 0 || (s.n > 1 && s.p[0] == '0'))
		return -EINVAL;
	for (size_t i = 0; i < s.n; i++) {
		unsigned d = (unsigned char)s.p[i] - '0';

		if (d > 9)
			return -EINVAL;
		if (__builtin_mul_overflow(v, 10, &v) || __builtin_add_overflow(v, d, &v))
			return -ERANGE;
	}
	*ret = v;
	return 0;
}

/* One pattern element at p against c: 1 match, 0 no; *ret_next is behind the element. A set that is not closed stands for itself. */
static bool glob_one(str pat, size_t p, char c, size_t *ret_next)
{
	bool negate, hit = false;
	size_t i = p + 1;

	switch (pat.p[p]) {
	case '?':
		*ret_next = p + 1;
		return c != '/';
	case '\\':
		if (i < pat.n) {
			*ret_next = i + 1;
			return c == pat.p[i];
		}
		break;
	case '[':
		negate = i < pat.n && (pat.p[i] == '!' || pat.p[i] == '^');
		i += negate;
		for (size_t first = i; i < pat.n && (pat.p[i] != ']' || i == first); i++) {
			unsigned char lo = (unsigned char)pat.p[i], hi = lo;

			if (i + 2 < pat.n && pat.p[i + 1] == '-' && pat.p[i + 2] != ']') {
				hi = (unsigned char)pat.p[i + 2];
				i += 2;
			}
			hit |= (unsigned char)c >= lo && (unsigned char)c <= hi;
		}
		if (i < pat.n) {
			*ret_next = i + 1;
			return hit != negate && c != '/';
		}
		break;
	}
	*ret_next = p + 1;
	return c == pat.p[p];
}

/* Two resume points are enough: after `**` nothing before it can help, and after `*` only a `**` further left can. So the
 * work is bounded by |pattern| × |s|². */
static bool glob_whole(str pat, str s)
{
	size_t p = 0, i = 0;
	size_t star_p = SIZE_MAX, star_i = 0, deep_p = SIZE_MAX, deep_i = 0;

	while (i < s.n) {
		size_t next;

		if (p + 1 < pat.n && pat.p[p] == '*' && pat.p[p + 1] == '*') {
			p += 2;
			while (p < pat.n && pat.p[p] == '*')
				p++;
			/* "**" followed by "/" also matches no directory at all. */
			deep_p = p;
			deep_i = i;
			star_p = SIZE_MAX;
			if (p < pat.n && pat.p[p] == '/' && (i == 0 || s.p[i - 1] == '/'))
				p++;
			continue;
		}
		if (p < pat.n && pat.p[p] == '*') {
			star_p = ++p;
			star_i = i;
			continue;
		}
		if (p < pat.n && glob_one(pat, p, s.p[i], &next)) {
			p = next;
			i++;
			continue;
		}
		if (star_p != SIZE_MAX && s.p[star_i] != '/') {
			p = star_p;
			i = ++star_i;
			continue;
		}
		if (deep_p != SIZE_MAX) {
			p = deep_p;
			i = ++deep_i;
			star_p = SIZE_MAX;
			if (p < pat.n && pat.p[p] == '/' && i < s.n && s.p[i - 1] == '/')
				p++;
			continue;
		}
		return false;
	}
	while (p < pat.n && pat.p[p] == '*')
		p++;
	return p == pat.n;
}

bool str_glob(str pat, str s)
{
	const char *slash;

	if (!memchr(pat.p, '/', pat.n)) {
		slash = s.n ? memrchr(s.p, '/', s.n) : NULL;
		if (slash)
			s = (str){ slash + 1, (size_t)(s.p + s.n - slash - 1) };
	}
	return glob_whole(pat, s);
}
