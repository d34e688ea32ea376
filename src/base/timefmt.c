#include "base/timefmt.h"

#include <errno.h>
#include <time.h>

/* Days from civil and back: H. Hinnant, "chrono-Compatible Low-Level Date Algorithms" (public domain). */
static int64_t days_from_civil(int64_t y, unsigned m, unsigned d)
{
	int64_t era;
	unsigned yoe, doy, doe;

	y -= m <= 2;
	era = (y >= 0 ? y : y - 399) / 400;
	yoe = (unsigned)(y - era * 400);
	doy = (153 * (m > 2 ? m - 3 : m + 9) + 2) / 5 + d - 1;
	doe = yoe * 365 + yoe / 4 - yoe / 100 + doy;
	return era * 146097 + (int64_t)doe - 719468;
}

static void civil_from_days(int64_t z, int64_t *y, unsigned *m, unsigned *d)
{
	int64_t era;
	unsigned doe, yoe, doy, mp;

	z += 719468;
	era = (z >= 0 ? z : z - 146096) / 146097;
	doe = (unsigned)(z - era * 146097);
	yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
	doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
	mp = (5 * doy + 2) / 153;
	*d = doy - (153 * mp + 2) / 5 + 1;
	*m = mp < 10 ? mp + 3 : mp - 9;
	*y = (int64_t)yoe + era * 400 + (*m <= 2);
}

static char *put2(char *p, unsigned v)
{
	*p++ = (char)('0' + v / 10 % 10);
	*p++ = (char)('0' + v % 10);
	return p;
}

size_t time_format(int64_t ns, char out[static TIME_TEXT_MAX])
{
	int64_t sec = ns / NSEC_PER_SEC, frac = ns % NSEC_PER_SEC, days, y;
	unsigned m, d, s, digits;
	char *p = out;

	if (frac < 0) {
		frac += NSEC_PER_SEC;
		sec--;
	}
	days = sec / 86400;
	if (sec % 86400 < 0)
		days--;
	s = (unsigned)(sec - days * 86400);
	civil_from_days(days, &y, &m, &d);
	p = put2(p, (unsigned)(y / 100));
	p = put2(p, (unsigned)(y % 100));
	*p++ = '-';
	p = put2(p, m);
	*p++ = '-';
	p = put2(p, d);
	*p++ = 'T';
	p = put2(p, s / 3600);
	*p++ = ':';
	p = put2(p, s / 60 % 60);
	*p++ = ':';
	p = put2(p, s % 60);
	if (frac) {
		digits = 9;
		while (digits > 3 && frac % 1000 == 0) {
			frac /= 1000;
			digits -= 3;
		}
		*p++ = '.';
		for (unsigned i = digits; i-- > 0; frac /= 10)
			p[i] = (char)('0' + frac % 10);
		p += digits;
	}
	*p++ = 'Z';
	*p = '\0';
	return (size_t)(p - out);
}

size_t time_format_local(int64_t ns, char out[static TIME_TEXT_MAX])
{
	time_t t = (time_t)(ns / NSEC_PER_SEC - (ns % NSEC_PER_SEC < 0));
	struct tm tm;

	localtime_r(&t, &tm);
	return strftime(out, TIME_TEXT_MAX, "%Y-%m-%d %H:%M:%S", &tm);
}

/* n digits at p as a number, -1 if one is not a digit. */
static int digits(const char *p, int n)
{
	int v = 0;

	for (int i = 0; i < n; i++) {
		if (p[i] < '0' || p[i] > '9')
			return -1;
		v = v * 10 + (p[i] - '0');
	}
	return v;
}

static unsigned month_days(int y, int m)
{
	static const uint8_t days[12] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };

	return m == 2 && y % 4 == 0 && (y % 100 != 0 || y % 400 == 0) ? 29 : days[m - 1];
}

/* The zone at p: Z or ±hh:mm, to the end. */
static int parse_zone(const char *p, size_t n, int *ret_seconds)
{
	int h, m;

	if (n == 1 && (*p == 'Z' || *p == 'z')) {
		*ret_seconds = 0;
		return 0;
	}
	if (n != 6 || (*p != '+' && *p != '-') || p[3] != ':')
		return -EINVAL;
	h = digits(p + 1, 2);
	m = digits(p + 4, 2);
	if (h < 0 || h > 23 || m < 0 || m > 59)
		return -EINVAL;
	*ret_seconds = (h * 3600 + m * 60) * (*p == '-' ? -1 : 1);
	return 0;
}

int time_parse(str s, int64_t *ret)
{
	const char *p = s.p;
	int y, mo, d, h, mi, sec, zone;
	int64_t frac = 0, t;
	size_t i = 19;

	if (s.n < 20 || p[4] != '-' || p[7] != '-' || (p[10] != 'T' && p[10] != 't' && p[10] != ' ') || p[13] != ':' || p[16] != ':')
		return -EINVAL;
	y = digits(p, 4);
	mo = digits(p + 5, 2);
	d = digits(p + 8, 2);
	h = digits(p + 11, 2);
	mi = digits(p + 14, 2);
	sec = digits(p + 17, 2);
	if (y < 1 || mo < 1 || mo > 12 || d < 1 || d > (int)month_days(y, mo) || h < 0 || h > 23 || mi < 0 || mi > 59 || sec < 0 || sec > 60)
		return -EINVAL;
	if (p[i] == '.') {
		int64_t scale = NSEC_PER_SEC;

		for (i++; i < s.n && p[i] >= '0' && p[i] <= '9'; i++) {
			if (scale == 1)
				return -EINVAL;
			scale /= 10;
			frac += (p[i] - '0') * scale;
		}
		if (i == 20)
			return -EINVAL;
	}
	if (parse_zone(p + i, s.n - i, &zone) < 0)
		return -EINVAL;
	t = days_from_civil(y, (unsigned)mo, (unsigned)d) * 86400 + h * 3600 + mi * 60 + sec - zone;
	if (__builtin_mul_overflow(t, NSEC_PER_SEC, &t) || __builtin_add_overflow(t, frac, &t))
		return -ERANGE;
	*ret = t;
	return 0;
}

/* "2026-11-25", "2026-11-25 14:56", "2026-11-25 14:56:20" in local time. */
static int parse_local(str s, int64_t *ret)
{
	struct tm tm = { .tm_isdst = -1 };
	int y, mo, d, h = 0, mi = 0, sec = 0;
	int64_t t;

	if ((s.n != 10 && s.n != 16 && s.n != 19) || s.p[4] != '-' || s.p[7] != '-')
		return -EINVAL;
	y = digits(s.p, 4);
	mo = digits(s.p + 5, 2);
	d = digits(s.p + 8, 2);
	if (s.n >= 16) {
		if ((s.p[10] != ' ' && s.p[10] != 'T') || s.p[13] != ':')
			return -EINVAL;
		h = digits(s.p + 11, 2);
		mi = digits(s.p + 14, 2);
	}
	if (s.n == 19) {
		if (s.p[16] != ':')
			return -EINVAL;
		sec = digits(s.p + 17, 2);
	}
	if (y < 1 || mo < 1 || mo > 12 || d < 1 || d > (int)month_days(y, mo) || h < 0 || h > 23 || mi < 0 || mi > 59 || sec < 0 || sec > 59)
		return -EINVAL;
	tm.tm_year = y - 1900;
	tm.tm_mon = mo - 1;
	tm.tm_mday = d;
	tm.tm_hour = h;
	tm.tm_min = mi;
	tm.tm_sec = sec;
	if (__builtin_mul_overflow((int64_t)mktime(&tm), NSEC_PER_SEC, &t))
		return -EINVAL;
	*ret = t;
	return 0;
}

int time_parse_user(str s, int64_t now, int64_t *ret)
{
	static const struct { char unit; int64_t seconds; } units[] = {
		{ 's', 1 }, { 'm', 60 }, { 'h', 3600 }, { 'd', 86400 }, { 'w', 7 * 86400 },
	};
	uint64_t v;

	if (time_parse(s, ret) == 0 || parse_local(s, ret) == 0)
		return 0;
	if (s.n < 2 || str_to_u64((str){ s.p, s.n - 1 }, &v) < 0)
		return -EINVAL;
	for (size_t i = 0; i < ARRAY_SIZE(units); i++) {
		int64_t age;

		if (units[i].unit != s.p[s.n - 1])
			continue;
		if (__builtin_mul_overflow(v, units[i].seconds * NSEC_PER_SEC, &age) || __builtin_sub_overflow(now, age, ret))
			return -EINVAL;
		return 0;
	}
	return -EINVAL;
}

static int64_t clock_ns(clockid_t id)
{
	struct timespec ts;

	clock_gettime(id, &ts);
	return ts.tv_sec * NSEC_PER_SEC + ts.tv_nsec;
}

int64_t time_now(void)
{
	return clock_ns(CLOCK_REALTIME);
}

int64_t time_boottime(void)
{
	return clock_ns(CLOCK_BOOTTIME);
}
