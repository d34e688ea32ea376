/* The table of markings: those that are shipped, behind a company's own. */
#include "document/marking.h"

#include <errno.h>
#include <fcntl.h>

#include "document/marking_table.h"
#include "evidence/vfs.h"

#define FILE_MAX (1u << 20)

static int bad_line(struct buf *why, const char *name, unsigned line, const char *expected)
{
	buf_putf(why, "%s, line %u: expected %s", name, line, expected);
	return -EBADMSG;
}

/* Offsets first: the text grows. */
struct own { size_t at, n, squeezed, squeezed_n, shown, shown_n; enum event_label label; };

static int parse_own(str line, struct buf *text, struct own *ret, const char **ret_expected)
{
	const char *tab = memchr(line.p, '\t', line.n);
	str label = { line.p, tab ? (size_t)(tab - line.p) : line.n }, shown;

	*ret_expected = "LABEL<TAB>MARKING, LABEL being public, internal, confidential or restricted";
	ret->label = event_label_from(label);
	if (!tab || !ret->label)
		return -EBADMSG;
	shown = (str){ tab + 1, (size_t)(line.p + line.n - tab - 1) };
	*ret_expected = "a marking of 1 to 96 bytes with letters in it";
	if (shown.n > MARKING_TEXT_MAX || !str_utf8_valid(shown))
		return -EBADMSG;
	ret->shown = text->n;
	ret->shown_n = shown.n;
	buf_puts(text, shown);
	ret->at = text->n;
	marking_fold(text, shown);
	ret->n = text->n - ret->at;
	if (ret->n == 0 || ret->n > MARKING_TEXT_MAX)
		return -EBADMSG;
	ret->squeezed = text->n;
	for (size_t i = 0; i < ret->n; i++) {
		char c = text->p[ret->at + i];

		if (c != ' ')
			buf_putc(text, c);
	}
	ret->squeezed_n = text->n - ret->squeezed;
	return buf_error(text);
}

static int add_shipped(struct markings *m)
{
	for (size_t i = 0; i < ARRAY_SIZE(shipped); i++) {
		struct own o = { .at = m->text.n, .n = strlen(shipped[i].text) };

		buf_puts(&m->text, str_c(shipped[i].text));
		for (size_t k = 0; k < o.n; k++)
			if (shipped[i].text[k] != ' ')
				buf_putc(&m->text, shipped[i].text[k]);
		m->m[m->n++] = (struct marking){ .label = shipped[i].label, .weak = shipped[i].weak, .text = { NULL, o.n }, .shown = { NULL, o.n },
			.squeezed = { NULL, m->text.n - o.at - o.n } };
	}
	return buf_error(&m->text);
}

int markings_parse(str file, const char *name, struct markings *ret, struct buf *why)
{
	_cleanup_free_ struct own *own = calloc(MARKINGS_MAX, sizeof(*own));
	struct markings m = { .m = calloc(MARKINGS_MAX + ARRAY_SIZE(shipped), sizeof(*m.m)) };
	const char *expected;
	unsigned line = 0;
	size_t n = 0, at;
	int r = own && m.m ? 0 : -ENOMEM;

	for (size_t i = 0; r == 0 && i < file.n;) {
		const char *end = memchr(file.p + i, '\n', file.n - i);
		str s = { file.p + i, end ? (size_t)(end - file.p) - i : file.n - i };

		i += s.n + 1;
		line++;
		if (s.n && s.p[s.n - 1] == '\r')
			s.n--;
		if (s.n == 0 || s.p[0] == '#')
			continue;
		if (n == MARKINGS_MAX)
			r = bad_line(why, name, line, "at most 1024 markings");
		else if (parse_own(s, &m.text, &own[n], &expected) < 0)
			r = bad_line(why, name, line, expected);
		n++;
	}
	at = m.text.n;
	if (r == 0) {
		m.n = n;
		r = add_shipped(&m);
	}
	if (r < 0) {
		markings_free(&m);
		return r;
	}
	for (size_t i = 0; i < n; i++)
		m.m[i] = (struct marking){ .label = own[i].label, .text = { m.text.p + own[i].at, own[i].n },
				.shown = { m.text.p + own[i].shown, own[i].shown_n },
			.squeezed = { m.text.p + own[i].squeezed, own[i].squeezed_n } };
	for (size_t i = n; i < m.n; i++) {
		struct marking *x = &m.m[i];

		x->text.p = x->shown.p = m.text.p + at;
		x->squeezed.p = x->text.p + x->text.n;
		at += x->text.n + x->squeezed.n;
	}
	m.by_text = calloc(2 * MARKING_SLOTS, sizeof(*m.by_text));
	if (!m.by_text) {
		markings_free(&m);
		return -ENOMEM;
	}
	m.by_squeezed = m.by_text + MARKING_SLOTS;
	for (size_t i = 0; i < m.n; i++) {
		marking_index(&m, m.by_text, i, false);
		marking_index(&m, m.by_squeezed, i, true);
	}
	*ret = m;
	return 0;
}

int markings_load(const char *file, struct markings *ret, struct buf *why)
{
	_cleanup_buf_ struct buf b = BUF_INIT;
	int r = 0;

	if (file)
		r = read_file(AT_FDCWD, file, FILE_MAX, &b);
	if (r < 0) {
		buf_putf(why, "%s: %s", file, strerror(-r));
		return r;
	}
	return markings_parse(buf_str(&b), file ? file : "", ret, why);
}

void markings_free(struct markings *m)
{
	free(m->m);
	free(m->by_text);
	buf_free(&m->text);
	*m = (struct markings){ 0 };
}
