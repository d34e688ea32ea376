/* Formats of numbers (MS-XLS 2.4.126 Format): only what they say about the kind. */
#include "extract/formats/xls_number.h"

#include <ctype.h>
#include <math.h>

/* Letters of dates outside quotes, brackets and escapes; or zeros alone, that is, an identifier whose zeros count. */
uint8_t xls_kind(str f)
{
	unsigned dates = 0, times = 0, zeros = 0, other = 0, minutes = 0, words = 0;

	for (size_t i = 0; i < f.n && f.p[i] != ';'; i++) {
		char c = (char)tolower((unsigned char)f.p[i]);

		if (c == '"' || c == '[') {
			char close = c == '[' ? ']' : '"';
			size_t k = i + 1;

			while (k < f.n && f.p[k] != close)
				k++;
			if (c == '[' && k == i + 2 && strchr("hms", tolower((unsigned char)f.p[i + 1])))
				times++;
			i = k;
		} else if (c == '\\' || c == '_' || c == '*') {
			i++;
		} else {
			dates += c == 'd' || c == 'y' || c == 'e';
			times += c == 'h' || c == 's';
			minutes += c == 'm';
			zeros += c == '0';
			words += isalpha((unsigned char)c) && !strchr("dmyhsegbap", c);
			other += c == '#' || c == '?' || c == '.' || c == '%' || c == '@' || c == ',';
		}
	}
	if (minutes && !times)
		dates++;
	if (zeros)
		return zeros > 3 && !other && !dates && !times ? (uint8_t)(KIND_DIGITS + MIN(zeros, 32u)) : KIND_PLAIN;
	if (words || (!dates && !times)) /* "General", in any language */
		return KIND_PLAIN;
	return dates && times ? KIND_BOTH : dates ? KIND_DATE : KIND_TIME;
}

uint8_t xls_kind_builtin(uint16_t format)
{
	if (format == 22)
		return KIND_BOTH;
	if ((format >= 18 && format <= 21) || (format >= 45 && format <= 47) || format == 32 || format == 33)
		return KIND_TIME;
	if ((format >= 14 && format <= 17) || (format >= 27 && format <= 36) || (format >= 50 && format <= 58))
		return KIND_DATE;
	return KIND_PLAIN;
}

/* Excel takes 1900 for a leap year: days before March of it are one off. */
void xls_date(struct buf *b, double v, bool dates_1904, uint8_t kind)
{
	double day = floor(v), seconds = round((v - day) * 86400);
	time_t t = (time_t)((day + (dates_1904 ? 1462 : 0) - (day < 60 && !dates_1904 ? 25568 : 25569)) * 86400 + seconds);
	struct tm tm;

	if (!gmtime_r(&t, &tm))
		return;
	if (kind != KIND_TIME || day >= 1)
		buf_putf(b, "%04d-%02d-%02d", tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday);
	if (kind == KIND_TIME || kind == KIND_BOTH || seconds > 0)
		buf_putf(b, "%s%02d:%02d", b->n ? " " : "", tm.tm_hour, tm.tm_min);
	if ((kind == KIND_TIME || kind == KIND_BOTH || seconds > 0) && tm.tm_sec)
		buf_putf(b, ":%02d", tm.tm_sec);
}

double xls_real(str s, size_t at)
{
	uint64_t bits = le64(s, at);
	double d;

	memcpy(&d, &bits, sizeof(d));
	return d;
}

double xls_rk(uint32_t v)
{
	uint64_t bits = (uint64_t)(v & ~3u) << 32;
	double d;

	if (v & 2)
		d = (int32_t)v >> 2;
	else
		memcpy(&d, &bits, sizeof(d));
	return v & 1 ? d / 100 : d;
}
