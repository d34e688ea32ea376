/* Embedded objects: OLE 1's header, then what some program made of it; files dropped into a text are a "Package". */
#include <errno.h>

#include "extract/formats/cursor.h"
#include "extract/formats/rtf.h"

#define OLE1_EMBEDDED 2
#define NAME_MAX_ 260

/* Length, then that many bytes with a NUL at their end. */
static str take_counted(struct cursor *c)
{
	str p = cursor_take(c, cursor_number(c, 4));

	while (p.n && !p.p[p.n - 1])
		p.n--;
	return p;
}

static str take_terminated(struct cursor *c)
{
	const char *end = c->s.n ? memchr(c->s.p, 0, c->s.n) : NULL;
	str p = cursor_take(c, end ? (size_t)(end - c->s.p) + 1 : SIZE_MAX);

	p.n -= p.n > 0;
	return p;
}

/* Names are in the code page of whoever packed it. */
static void put_name(struct buf *b, str name)
{
	for (size_t i = name.n; i > 0; i--)
		if (name.p[i - 1] == '\\' || name.p[i - 1] == '/') {
			name = (str){ name.p + i, name.n - i };
			break;
		}
	name.n = MIN(name.n, (size_t)NAME_MAX_);
	if (str_utf8_valid(name))
		buf_puts(b, name);
	else
		charset_to_utf8(str_c(charset_guess(name) ? charset_guess(name) : "windows-1252"), name, b);
}

/* What OLE's packager makes: label, path, and the file. */
static bool package(str native, struct buf *name, str *ret)
{
	struct cursor c = { native, false };
	str label, path;

	if (cursor_number(&c, 2) != 2)
		return false;
	label = take_terminated(&c);
	path = take_terminated(&c);
	cursor_number(&c, 4);
	take_counted(&c);
	*ret = cursor_take(&c, cursor_number(&c, 4));
	if (c.bad)
		return false;
	put_name(name, label.n ? label : path);
	return true;
}

static const char *extension(str bytes, str class_name)
{
	static const struct {
		const char *class_name, *ext;
	} exts[] = { { "Word.Document.8", ".doc" }, { "Word.Document", ".docx" }, { "Excel.Sheet.8", ".xls" }, { "Excel.Sheet", ".xlsx" },
		{ "PowerPoint.Show.8", ".ppt" }, { "PowerPoint.", ".pptx" }, { "AcroExch", ".pdf" } };

	for (size_t i = 0; i < ARRAY_SIZE(exts); i++)
		if (str_starts(class_name, str_c(exts[i].class_name)))
			return exts[i].ext;
	return str_starts(bytes, STR("\xd0\xcf\x11\xe0")) ? ".ole" : "";
}

int rtf_object(struct sink *s, str bytes, str class_name, unsigned n)
{
	_cleanup_buf_ struct buf name = BUF_INIT;
	struct cursor c = { bytes, false };
	str native, file;
	struct in *in;
	int r;

	cursor_number(&c, 4);
	if (cursor_number(&c, 4) != OLE1_EMBEDDED) /* a link: what it leads to is not here */
		return 0;
	class_name = take_counted(&c);
	take_counted(&c);
	take_counted(&c);
	native = cursor_take(&c, cursor_number(&c, 4));
	if (c.bad)
		native = c.s; /* cut: as much as there is */
	if (!native.n)
		return 0;
	if (!package(native, &name, &file) || !name.n) {
		file = name.n ? file : native;
		buf_clear(&name);
		buf_putf(&name, "object-%u%s", n, extension(native, class_name));
	}
	in = in_memory(buf_str(&name), file);
	if (!in)
		return -ENOMEM;
	r = c.bad ? sink_part_damaged(s, buf_str(&name), in, "cut") : sink_part(s, buf_str(&name), in);
	in_close(in);
	return r;
}
