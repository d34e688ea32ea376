#include "cli/term.h"

#include <locale.h>
#include <sys/ioctl.h>
#include <wchar.h>

#include "base/buf.h"
#include "cli/cli.h"

#define NARROW 40 /* below that, breaking lines makes nothing clearer */

unsigned term_columns(void)
{
	const char *given = getenv(TERM_COLUMNS_ENV);
	struct winsize w;
	uint64_t n;

	if (given && str_to_u64(str_c(given), &n) == 0 && n >= NARROW && n < 10000)
		return (unsigned)n;
	if (!stdout_terminal() || ioctl(STDOUT_FILENO, TIOCGWINSZ, &w) < 0)
		return 0;
	return w.ws_col < NARROW ? 0 : w.ws_col;
}

/* The C library's table, whatever locale the user has: what is recorded is UTF-8. Without it
 * (libc-bin brings it) each byte counts as one column. */
static locale_t utf8(void)
{
	static locale_t l;
	static bool tried;

	if (!tried)
		l = newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t)0);
	tried = true;
	return l;
}

unsigned term_width(str s)
{
	locale_t before = (locale_t)0, l = utf8();
	mbstate_t state = { 0 };
	unsigned columns = 0;

	if (l)
		before = uselocale(l);
	for (size_t i = 0; i < s.n;) {
		wchar_t c;
		size_t n = mbrtowc(&c, s.p + i, s.n - i, &state);
		int w = n > 0 && n <= s.n - i ? wcwidth(c) : -1;

		if (n == 0 || n > s.n - i) {
			n = 1;
			state = (mbstate_t){ 0 };
		}
		columns += w < 0 ? 1 : (unsigned)w;
		i += n;
	}
	if (l)
		uselocale(before);
	return columns;
}

static unsigned term_visible(str s)
{
	_cleanup_buf_ struct buf b = BUF_INIT;

	buf_put_visible(&b, s);
	return term_width(buf_str(&b));
}

void term_spaces(unsigned n)
{
	while (n-- > 0)
		buf_putc(out(), ' ');
}

static void new_line(unsigned indent)
{
	buf_putc(out(), '\n');
	term_spaces(indent);
}

unsigned term_prose(str text, unsigned at, unsigned indent)
{
	unsigned columns = term_columns();

	if (!columns || columns < indent + NARROW / 2) {
		buf_put_visible(out(), text);
		return at + term_visible(text);
	}
	for (size_t i = 0; i < text.n;) {
		_cleanup_buf_ struct buf word = BUF_INIT;
		const char *space = memchr(text.p + i, ' ', text.n - i);
		size_t end = space ? (size_t)(space - text.p) : text.n;
		unsigned w;

		buf_put_visible(&word, (str){ text.p + i, end - i });
		w = term_width(buf_str(&word));
		if (i > 0 && at + 1 + w > columns) {
			new_line(indent);
			at = indent;
		} else if (i > 0) {
			buf_putc(out(), ' ');
			at++;
		}
		buf_puts(out(), buf_str(&word));
		at += w;
		i = end + 1;
	}
	return at;
}

struct term_line term_line(unsigned indent)
{
	unsigned columns = term_columns();

	return (struct term_line){ .indent = indent, .columns = columns >= indent + NARROW / 2 ? columns : 0 };
}

void term_piece(struct term_line *l, unsigned gap, str visible)
{
	unsigned w = term_width(visible);

	if (l->columns && l->at > l->indent && l->at + gap + w > l->columns) {
		new_line(l->indent);
		l->at = l->indent;
	} else {
		term_spaces(gap);
		l->at += gap;
	}
	buf_puts(out(), visible);
	l->at += w;
}
