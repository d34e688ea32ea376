/* Which charset bytes are in, and UTF-8 from it. glibc's tables are files: all that are wanted are opened before the sandbox closes. */
#include <ctype.h>
#include <errno.h>
#include <iconv.h>
#include <stdio.h>

#include "base/utf8.h"
#include "extract/format.h"

#define NAME_MAX_ 24
#define SHORT 4096 /* a document that changes its font at each letter asks for millions of these */

/* What a name means, written without case, '-' and '_'; and what iconv calls it. As the web does it (encoding.spec.whatwg.org): what says
 * Latin-1 is read as Windows' superset. */
static const struct charset {
	const char *iconv, *names;
} charsets[] = {
	{ "UTF-8", " utf8 unicode11utf8 usascii ascii ansix341968 " },
	{ "UTF-16LE", " utf16le utf16 ucs2 unicode " },
	{ "UTF-16BE", " utf16be unicodefffe " },
	{ "UTF-32LE", " utf32le utf32 " },
	{ "UTF-32BE", " utf32be " },
	{ "UTF-7", " utf7 unicode11utf7 " },
	{ "CP932", " cp932 shiftjis sjis ms932 windows31j xsjis csshiftjis 932 mskanji windows932 " },
	{ "EUC-JP-MS", " eucjp xeucjp cseucpkdfmtjapanese eucjpms 51932 20932 cp51932 ujis " },
	{ "ISO-2022-JP-3", " iso2022jp csiso2022jp iso2022jpms iso2022jp1 iso2022jp2 iso2022jp3 cp50220 cp50221 cp50222 50220 50221 50222 " },
	{ "CP1252", " iso88591 latin1 cp1252 windows1252 l1 iso8859 cp819 ibm819 csisolatin1 1252 28591 " },
	{ "CP1250", " cp1250 windows1250 1250 " },
	{ "CP1251", " cp1251 windows1251 1251 " },
	{ "CP1253", " cp1253 windows1253 1253 " },
	{ "CP1254", " cp1254 windows1254 iso88599 latin5 1254 28599 " },
	{ "CP1255", " cp1255 windows1255 1255 " },
	{ "CP1256", " cp1256 windows1256 1256 " },
	{ "CP1257", " cp1257 windows1257 1257 " },
	{ "CP1258", " cp1258 windows1258 1258 " },
	{ "CP874", " cp874 windows874 tis620 iso885911 874 " },
	{ "ISO-8859-2", " iso88592 latin2 l2 28592 " },
	{ "ISO-8859-3", " iso88593 latin3 28593 " },
	{ "ISO-8859-4", " iso88594 latin4 28594 " },
	{ "ISO-8859-5", " iso88595 cyrillic 28595 " },
	{ "ISO-8859-6", " iso88596 arabic 28596 " },
	{ "ISO-8859-7", " iso88597 greek 28597 " },
	{ "ISO-8859-8", " iso88598 hebrew iso88598i 28598 " },
	{ "ISO-8859-10", " iso885910 latin6 " },
	{ "ISO-8859-13", " iso885913 latin7 28603 " },
	{ "ISO-8859-14", " iso885914 latin8 " },
	{ "ISO-8859-15", " iso885915 latin9 28605 " },
	{ "ISO-8859-16", " iso885916 latin10 " },
	{ "KOI8-R", " koi8r koi8 20866 " },
	{ "KOI8-U", " koi8u 21866 " },
	{ "CP437", " cp437 ibm437 437 " },
	{ "CP850", " cp850 ibm850 850 " },
	{ "CP852", " cp852 ibm852 852 " },
	{ "CP866", " cp866 ibm866 866 " },
	{ "MACINTOSH", " macintosh macroman xmacroman 10000 " },
	{ "GB18030", " gb18030 gbk gb2312 cp936 euccn xgbk csgb2312 936 54936 hz " },
	{ "BIG5-HKSCS", " big5 cp950 big5hkscs xxbig5 csbig5 950 " },
	{ "CP949", " euckr cp949 ksc56011987 uhc ksc5601 windows949 949 51949 " },
};

static iconv_t opened[ARRAY_SIZE(charsets)];
static bool prepared;

int charset_prepare(void)
{
	if (prepared)
		return 0;
	for (size_t i = 0; i < ARRAY_SIZE(charsets); i++) {
		opened[i] = iconv_open("UTF-8", charsets[i].iconv);
		if (i < 10 && opened[i] == (iconv_t)-1) /* the rest may be missing from a small system (libc-bin's gconv-modules-extra) */
			return -errno;
	}
	prepared = true;
	return 0;
}

static size_t find(str name)
{
	char key[NAME_MAX_ + 2] = " ";
	size_t n = 1;

	for (size_t i = 0; i < name.n; i++) {
		char c = (char)tolower((unsigned char)name.p[i]);

		if (!isalnum((unsigned char)c))
			continue;
		if (n >= NAME_MAX_)
			return SIZE_MAX;
		key[n++] = c;
	}
	key[n++] = ' ';
	key[n] = '\0';
	if (n <= 2)
		return SIZE_MAX;
	for (size_t i = 0; i < ARRAY_SIZE(charsets); i++)
		if (strstr(charsets[i].names, key))
			return i;
	return SIZE_MAX;
}

/* A character that might still be joined to a mark behind it (Vietnamese, kana, Hong Kong's letters) is held back until it is asked for. */
static int flush(iconv_t cd, struct buf *ret)
{
	int r = buf_reserve(ret, 64);
	char *out;
	size_t room;

	if (r < 0)
		return r;
	out = ret->p + ret->n;
	room = ret->cap - ret->n;
	if (iconv(cd, NULL, NULL, &out, &room) == (size_t)-1)
		return -errno;
	ret->n = (size_t)(out - ret->p);
	return 0;
}

static int convert(iconv_t cd, str s, size_t unit, struct buf *ret)
{
	char *p = (char *)s.p;
	size_t left = s.n;

	iconv(cd, NULL, NULL, NULL, NULL);
	while (left && !buf_error(ret)) {
		int r = buf_reserve(ret, MIN(left, (size_t)1 << 20) * 2 + 64);
		char *out;
		size_t room;

		if (r < 0)
			return r;
		out = ret->p + ret->n;
		room = ret->cap - ret->n;
		r = iconv(cd, &p, &left, &out, &room) == (size_t)-1 ? -errno : 0;
		ret->n = (size_t)(out - ret->p);
		if (r == -EILSEQ || r == -EINVAL) { /* malformed, or cut */
			size_t skip = MIN(unit, left);

			p += skip;
			left -= skip;
			buf_puts(ret, STR("\xef\xbf\xbd"));
		} else if (r < 0 && r != -E2BIG) {
			return r;
		}
	}
	return buf_error(ret) ? buf_error(ret) : flush(cd, ret);
}

/* Those that write ASCII as it is: their short pieces need no converter. */
static bool holds_ascii(size_t i)
{
	const char *name = charsets[i].iconv;

	return strncmp(name, "UTF-", 4) != 0 && strncmp(name, "ISO-2022", 8) != 0;
}

static bool all_ascii(str s)
{
	for (size_t i = 0; i < s.n; i++)
		if ((uint8_t)s.p[i] >= 0x80)
			return false;
	return true;
}

static int to_utf8(size_t i, str bytes, struct buf *ret)
{
	if (i == SIZE_MAX || (i && (!prepared || opened[i] == (iconv_t)-1)))
		return -ENOTSUP;
	if (i == 0) {
		utf8_put_clean(ret, bytes);
		return buf_error(ret);
	}
	if (bytes.n <= SHORT && holds_ascii(i) && all_ascii(bytes)) {
		buf_puts(ret, bytes);
		return buf_error(ret);
	}
	return convert(opened[i], bytes, strncmp(charsets[i].iconv, "UTF-16", 6) == 0 ? 2 : strncmp(charsets[i].iconv, "UTF-32", 6) == 0 ? 4 : 1,
	       ret);
}

int charset_to_utf8(str charset, str bytes, struct buf *ret)
{
	return to_utf8(find(charset), bytes, ret);
}

static size_t find_codepage(unsigned codepage)
{
	char name[16];

	snprintf(name, sizeof(name), codepage == 65001 ? "utf-8" : codepage == 1200 ? "utf-16le" : "%u", codepage);
	return find(str_c(name));
}

void charset_codepage_to_utf8(unsigned codepage, str bytes, struct buf *ret)
{
	/* Documents change back and forth between few pages, a few bytes at a time: finding one by its name would cost more than the text. */
	static struct { unsigned codepage; size_t i; } known[8];
	static size_t oldest;
	size_t slot = 0;

	while (slot < ARRAY_SIZE(known) && known[slot].codepage != codepage)
		slot++;
	if (!codepage || slot == ARRAY_SIZE(known)) {
		slot = oldest++ % ARRAY_SIZE(known);
		known[slot].codepage = codepage;
		known[slot].i = find_codepage(codepage);
	}
	if (to_utf8(known[slot].i, bytes, ret) == -ENOTSUP)
		to_utf8(find_codepage(1252), bytes, ret);
}

/* ---- guessing ---- */

/* How well bytes fit a charset: characters of two bytes that are common in Japanese prose, those that fit at all, half-width kana. */
struct fit {
	size_t common, other, kana, bad;
};

static bool between(uint8_t c, uint8_t a, uint8_t b)
{
	return c >= a && c <= b;
}

static struct fit fit_sjis(const uint8_t *p, size_t n)
{
	struct fit f = { 0 };

	for (size_t i = 0; i < n; i++) {
		uint8_t c = p[i], d = i + 1 < n ? p[i + 1] : 0x40;

		if (c < 0x80)
			continue;
		if (between(c, 0xa1, 0xdf)) {
			f.kana++; /* rare in prose, and what most of EUC looks like */
		} else if ((between(c, 0x81, 0x9f) || between(c, 0xe0, 0xfc)) && between(d, 0x40, 0xfc) && d != 0x7f) {
			f.common += 2 * (c == 0x82 || c == 0x83 || c == 0x81) + between(c, 0x88, 0x97);
			f.other++;
			i++;
		} else {
			f.bad++;
		}
	}
	return f;
}

static struct fit fit_euc(const uint8_t *p, size_t n)
{
	struct fit f = { 0 };

	for (size_t i = 0; i < n; i++) {
		uint8_t c = p[i], d = i + 1 < n ? p[i + 1] : 0xa1;

		if (c < 0x80)
			continue;
		if (c == 0x8e && between(d, 0xa1, 0xdf)) {
			f.other++;
			i++;
		} else if (c == 0x8f && between(d, 0xa1, 0xfe) && (i + 2 >= n || between(p[i + 2], 0xa1, 0xfe))) {
			f.other++;
			i += 2;
		} else if (between(c, 0xa1, 0xfe) && between(d, 0xa1, 0xfe)) {
			f.common += 2 * (c == 0xa4 || c == 0xa5 || c == 0xa1) + between(c, 0xb0, 0xcf);
			f.other++;
			i++;
		} else {
			f.bad++;
		}
	}
	return f;
}

/* Records of banks and old programs: half-width kana in words between ASCII. In EUC they would be kanji, of two bytes each, and some of
 * those have bytes that no kana has; accented letters of Latin stand alone. */
static bool is_half_width(const uint8_t *p, size_t n)
{
	size_t high = 0, runs = 0, odd = 0, leads = 0;

	for (size_t i = 0, run = 0; i <= n; i++) {
		if (i < n && p[i] >= 0x80) {
			if (!between(p[i], 0xa1, 0xdf))
				return false;
			leads += run % 2 == 0 && p[i] <= 0xa5; /* kana and signs in EUC */
			high++;
			run++;
			continue;
		}
		runs += run > 0;
		odd += run % 2;
		run = 0;
	}
	return high >= 6 && high >= 3 * runs && (odd * 4 >= runs || (high >= 20 && !leads));
}

/* NULs in every second byte, on one side only. */
static const char *guess_utf16(const uint8_t *p, size_t n)
{
	size_t even = 0, odd = 0, pairs = n / 2;

	for (size_t i = 0; i + 1 < n; i += 2) {
		even += p[i] == 0;
		odd += p[i + 1] == 0;
	}
	if (pairs >= 4 && odd * 10 >= pairs * 4 && even * 20 <= pairs)
		return "utf-16le";
	if (pairs >= 4 && even * 10 >= pairs * 4 && odd * 20 <= pairs)
		return "utf-16be";
	return NULL;
}

/* Units that Japanese text is made of, kana and punctuation above all; in other bytes they are not so many. */
static bool is_japanese_utf16(const uint8_t *p, size_t n, bool big)
{
	size_t units = n / 2, good = 0, kana = 0;

	for (size_t i = 0; i + 1 < n; i += 2) {
		uint32_t c = big ? (uint32_t)p[i] << 8 | p[i + 1] : (uint32_t)p[i + 1] << 8 | p[i];

		kana += (c >= 0x3001 && c <= 0x30ff) || c == '\n';
		good += (c >= 0x20 && c < 0x7f) || c == '\n' || c == '\r' || c == '\t' || (c >= 0x3000 && c <= 0x30ff) ||
			(c >= 0x4e00 && c <= 0x9fff) || (c >= 0xff01 && c <= 0xffe5) || (c >= 0x2010 && c <= 0x2fff);
	}
	return units >= 8 && good * 50 >= units * 49 && kana * 6 >= units;
}

static const char *guess_japanese_utf16(const uint8_t *p, size_t n)
{
	return is_japanese_utf16(p, n, false) ? "utf-16le" : is_japanese_utf16(p, n, true) ? "utf-16be" : NULL;
}

static bool has_iso2022jp(const uint8_t *p, size_t n)
{
	for (size_t i = 0; i + 2 < n; i++)
		if (p[i] == 0x1b && ((p[i + 1] == '$' && (p[i + 2] == 'B' || p[i + 2] == '@')) || (p[i + 1] == '(' && p[i + 2] == 'I')))
			return true;
	return false;
}

/* Text has few control characters; nothing but those of text, form feed and the escape of terminals counts as one of its own. */
static bool few_controls(const uint8_t *p, size_t n)
{
	size_t bad = 0;

	for (size_t i = 0; i < n; i++) {
		if (p[i] == 0)
			return false;
		bad += p[i] < 0x20 && !strchr("\t\n\r\f\x1b\x08", p[i]);
	}
	return bad <= 2 + n / 100;
}

static bool utf8_fits(str s)
{
	size_t cut = s.n;

	/* The head may end inside a character. */
	for (size_t back = 0; back < 4 && back < s.n; back++) {
		if (str_utf8_valid((str){ s.p, s.n - back }))
			return true;
		if ((uint8_t)s.p[--cut] >= 0xc0)
			return str_utf8_valid((str){ s.p, cut });
	}
	return s.n == 0;
}

/* A few damaged characters make nothing else of it: other charsets seldom look like this one. */
static bool is_mostly_utf8(const uint8_t *p, size_t n)
{
	size_t good = 0, bad = 0;

	for (size_t i = 0; i < n; i++) {
		size_t more = between(p[i], 0xc2, 0xdf) ? 1 : between(p[i], 0xe0, 0xef) ? 2 : between(p[i], 0xf0, 0xf4) ? 3 : 0, k = 0;

		if (p[i] < 0x80)
			continue;
		while (k < more && i + k + 1 < n && between(p[i + k + 1], 0x80, 0xbf))
			k++;
		if (more && k == more) {
			good++;
			i += more;
		} else {
			bad++;
		}
	}
	return good >= 4 && good >= 8 * bad;
}

const char *charset_guess(str s)
{
	const uint8_t *p = (const uint8_t *)s.p;
	struct fit sjis, euc;
	const char *wide;
	size_t high = 0;

	if (s.n == 0)
		return NULL;
	if (str_starts(s, STR("\xef\xbb\xbf")))
		return "utf-8";
	if (str_starts(s, (str){ "\xff\xfe\0\0", 4 }))
		return "utf-32le";
	if (str_starts(s, (str){ "\0\0\xfe\xff", 4 }))
		return "utf-32be";
	if (str_starts(s, STR("\xff\xfe")))
		return "utf-16le";
	if (str_starts(s, STR("\xfe\xff")))
		return "utf-16be";
	wide = guess_utf16(p, s.n);
	if (wide)
		return wide;
	if (!few_controls(p, s.n))
		return guess_japanese_utf16(p, s.n);
	if (has_iso2022jp(p, s.n))
		return "iso-2022-jp";
	if (utf8_fits(s) || is_mostly_utf8(p, s.n))
		return "utf-8";
	sjis = fit_sjis(p, s.n);
	euc = fit_euc(p, s.n);
	if ((!sjis.bad && euc.bad && sjis.common && sjis.common >= sjis.other / 4) || is_half_width(p, s.n))
		return "shift_jis";
	if (euc.bad * 50 <= euc.other && euc.common >= euc.other / 4 && euc.common > sjis.common)
		return "euc-jp";
	if (sjis.bad * 50 <= sjis.other + sjis.kana && sjis.common >= sjis.other / 4 && sjis.common)
		return "shift_jis";
	for (size_t i = 0; i < s.n; i++)
		high += p[i] >= 0x80;
	/* Latin letters with accents among plain ones; random bytes are half above 0x80. */
	return high * 10 <= s.n * 3 ? "windows-1252" : guess_japanese_utf16(p, s.n);
}
