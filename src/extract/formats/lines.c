#include "extract/formats/lines.h"

#include <errno.h>
#include <strings.h>

#include "base/utf8.h"

#define PIECE (1u << 20)

/* Where to cut: after the last line end; without one, between characters. wide: bytes a unit, negative: big endian. */
static size_t cut_at(const char *p, size_t n, int wide)
{
	size_t unit = (size_t)abs(wide);

	n -= n % unit;
	for (size_t i = n; i >= unit; i -= unit) {
		const char *u = p + i - unit;
		bool zero = true;

		for (size_t k = 0; k + 1 < unit; k++)
			zero = zero && u[wide < 0 ? k : k + 1] == 0;
		if (zero && u[wide < 0 ? unit - 1 : 0] == '\n')
			return i;
	}
	return unit == 1 ? utf8_cut((str){ p, n }, n ? n - 1 : 0) : n;
}

static int width(const char *charset)
{
	static const struct {
		const char *name;
		int wide;
	} widths[] = { { "utf-16le", 2 }, { "utf-16be", -2 }, { "utf-32le", 4 }, { "utf-32be", -4 } };

	for (size_t i = 0; i < ARRAY_SIZE(widths); i++)
		if (strcasecmp(charset, widths[i].name) == 0)
			return widths[i].wide;
	return 1;
}

/* In place: "\r\n" and lone '\r' become '\n'. */
static void unix_lines(struct buf *b)
{
	char *to = memchr(b->p, '\r', b->n), *end = b->p + b->n;

	if (!to)
		return;
	for (const char *p = to; p < end; p++) {
		if (*p != '\r')
			*to++ = *p;
		else if (p + 1 == end || p[1] != '\n')
			*to++ = '\n';
	}
	b->n = (size_t)(to - b->p);
}

static int one_piece(const char *charset, str raw, bool first, struct buf *b, int (*piece)(void *, str), void *arg)
{
	str s;
	int r;

	buf_clear(b);
	if (strcmp(charset, "utf-8") == 0) {
		buf_puts(b, raw); /* the sink cleans it */
		r = buf_error(b);
	} else {
		r = charset_to_utf8(str_c(charset), raw, b);
	}
	if (r < 0)
		return r;
	unix_lines(b);
	s = buf_str(b);
	if (first && str_starts(s, STR("\xef\xbb\xbf"))) {
		s.p += 3;
		s.n -= 3;
	}
	r = piece(arg, s);
	return r > 0 ? 1 : r;
}

#define GUESS 8192

static bool is_high(const char *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (p[i] & 0x80)
			return true;
	return false;
}

/* A text may begin with kilobytes of ASCII: what it is in is told by the first lines that are not. */
static const char *guess_later(str raw)
{
	size_t at = 0, line = 0;
	const char *guess;

	for (; at < raw.n && !(raw.p[at] & 0x80); at++)
		if (raw.p[at] == '\n')
			line = at + 1;
	line = MAX(line, at > GUESS / 2 ? at - GUESS / 2 : 0);
	guess = charset_guess((str){ raw.p + line, MIN(raw.n - line, (size_t)GUESS) });
	return guess && strncmp(guess, "utf-", 4) != 0 ? guess : "utf-8";
}

int lines_read(struct in *in, const char *charset, int (*piece)(void *arg, str utf8), void *arg)
{
	_cleanup_free_ char *raw = malloc(PIECE);
	_cleanup_buf_ struct buf b = BUF_INIT;
	uint64_t at = 0;
	bool open;

	if (!charset)
		charset = "utf-8";
	open = strcmp(charset, "utf-8") == 0 && !is_high(in_head(in).p, in_head(in).n);
	if (!raw)
		return -ENOMEM;
	for (;;) {
		ssize_t k = in_read(in, at, raw, PIECE);
		size_t n = (size_t)k;
		int r;

		if (k <= 0)
			return (int)k;
		if (open && is_high(raw, n)) {
			charset = guess_later((str){ raw, n });
			open = false;
		}
		if (at + n < in_size(in) && n == PIECE)
			n = cut_at(raw, n, width(charset));
		r = one_piece(charset, (str){ raw, n }, at == 0, &b, piece, arg);
		if (r)
			return r < 0 ? r : 0;
		at += n;
	}
}
