/* HTML and XHTML files: which charset, then the reader. */
#include "extract/formats/html.h"

#include <ctype.h>
#include <errno.h>
#include <strings.h>

#define GUESS_MAX (64u << 10)

static char lower_at(str s, size_t i)
{
	return i < s.n ? (char)tolower((unsigned char)s.p[i]) : '\0';
}

static bool starts_nocase(str s, const char *word)
{
	return s.n >= strlen(word) && strncasecmp(s.p, word, strlen(word)) == 0;
}

static size_t find_nocase(str s, const char *word)
{
	size_t n = strlen(word);

	for (size_t i = 0; i + n <= s.n; i++)
		if (lower_at(s, i) == word[0] && strncasecmp(s.p + i, word, n) == 0)
			return i;
	return SIZE_MAX;
}

/* The head without the NULs of UTF-16, marks and spaces before the first sign. */
static str plain_head(str head, char *room, size_t max)
{
	size_t n = 0, skip = 0;

	for (size_t i = 0; i < head.n && n < max; i++)
		if (head.p[i])
			room[n++] = head.p[i];
	while (skip < n && (isspace((unsigned char)room[skip]) || (uint8_t)room[skip] >= 0xbb))
		skip++;
	return (str){ room + skip, n - skip };
}

static int bid(struct in *in, str head)
{
	static const char *const first[] = { "<html", "<!doctype html", "<head", "<body" };
	static const char *const likely[] = { "<meta", "<title", "<script", "<style", "<table", "<div", "<p>", "<p ", "<h1", "<h2", "<font", "<br",
		"<span", "<center", "<ul", "<a href" };
	bool named = in_name_is(in, "html") || in_name_is(in, "htm") || in_name_is(in, "xhtml") || in_name_is(in, "xht") ||
			in_name_is(in, "shtml");
	char room[IN_HEAD];
	str s = plain_head(head, room, sizeof(room));

	for (size_t i = 0; i < ARRAY_SIZE(first); i++)
		if (starts_nocase(s, first[i]))
			return 60;
	if (named && charset_guess(head))
		return 50;
	if (!s.n || *s.p != '<')
		return 0;
	if (starts_nocase(s, "<?xml") || starts_nocase(s, "<!--") || starts_nocase(s, "<!doctype"))
		return find_nocase(s, "<html") != SIZE_MAX ? 55 : 0;
	for (size_t i = 0; i < ARRAY_SIZE(likely); i++)
		if (starts_nocase(s, likely[i]))
			return 35;
	return 0;
}

/* What the page says of itself in its first bytes: charset=NAME, charset="NAME", encoding="NAME". */
static str declared(str s)
{
	static const char *const keys[] = { "charset", "encoding" };

	for (size_t k = 0; k < ARRAY_SIZE(keys); k++) {
		for (str left = s;;) {
			size_t at = find_nocase(left, keys[k]), n = 0;

			if (at == SIZE_MAX)
				break;
			at += strlen(keys[k]);
			left = (str){ left.p + at, left.n - at };
			while (left.n && (isspace((unsigned char)*left.p) || *left.p == '=' || *left.p == '"' || *left.p == '\''))
				left = (str){ left.p + 1, left.n - 1 };
			while (n < left.n && n < 40 && (isalnum((unsigned char)left.p[n]) || strchr("-_:.", left.p[n])))
				n++;
			if (n && left.p[-1] != 't' && left.p[-1] != 'g') /* something stood between */
				return (str){ left.p, n };
		}
	}
	return STR_NONE;
}

static int to_utf8(str bytes, struct buf *ret)
{
	str head = { bytes.p, MIN(bytes.n, (size_t)GUESS_MAX) };
	const char *guess = charset_guess(head);
	str name = declared((str){ bytes.p, MIN(bytes.n, (size_t)IN_HEAD) });

	/* Bytes that can be nothing else outdo what is said of them. */
	if (guess && (starts_nocase(str_c(guess), "utf-16") || starts_nocase(str_c(guess), "utf-32") || (!name.n || starts_nocase(name, "utf"))))
		return charset_to_utf8(str_c(guess), bytes, ret);
	if (guess && strcmp(guess, "utf-8") == 0 && str_utf8_valid(bytes) && !starts_nocase(name, "iso-2022"))
		return charset_to_utf8(STR("utf-8"), bytes, ret);
	if (!name.n || charset_to_utf8(name, bytes, ret) == -ENOTSUP)
		return charset_to_utf8(guess ? str_c(guess) : STR("windows-1252"), bytes, ret);
	return buf_error(ret);
}

static int read_html(struct in *in, struct sink *s)
{
	_cleanup_buf_ struct buf utf8 = BUF_INIT;
	str bytes;
	int r = in_whole(in, IN_WHOLE_MAX, &bytes);

	if (r == -EMSGSIZE)
		sink_reason(s, "a page of more than %u bytes", IN_WHOLE_MAX);
	if (r < 0)
		return r;
	if (starts_nocase(bytes, "<?xml"))
		sink_type(s, "application/xhtml+xml");
	if (str_utf8_valid(bytes) && !memchr(bytes.p, 0x1b, bytes.n)) /* most are: nothing to copy */
		return html_read(bytes, s, ZONE_BODY);
	r = to_utf8(bytes, &utf8);
	return r < 0 ? r : html_read(buf_str(&utf8), s, ZONE_BODY);
}

const struct format format_html = { .name = "html", .mime = "text/html", .bid = bid, .read = read_html };
