/* HTML as it is found: no grammar is asked for, whatever stands between tags is text. One pass; the stack serves what hides. */
#include "extract/formats/html_reader.h"

#include <ctype.h>
#include <errno.h>
#include <strings.h>

#include "base/base64.h"

#define STACK_MAX 1024  /* deeper ones are counted, and inherit */
#define TABLES_MAX 64
#define ATTRS_MAX 48
#define SPAN_MAX 1000   /* columns that one cell may take (as browsers) */
#define LINKS_MAX (64u << 10)
#define BAD_TAGS_MAX 16

enum {
	E_BLOCK = 1,   /* begins and ends a block */
	E_VOID = 2,    /* has no end */
	E_RAW = 4,     /* holds no tags, up to its own end */
	E_DROP = 8,    /* its text is nothing to read */
	E_SELF = 16,   /* closes an open one of its own */
	E_PRE = 32,
	E_HIDE = 64,
};

enum elem_id { EL_NONE, EL_A, EL_BR, EL_DEL, EL_FOOTER, EL_HEADER, EL_IMG, EL_INPUT, EL_META, EL_RP, EL_RT, EL_SECTION, EL_TABLE, EL_TD,
	EL_TITLE, EL_TR };

/* Sorted by name. */
static const struct elem {
	char name[12];
	uint8_t flags, id;
} elems[] = {
	{ "a", 0, EL_A }, { "address", E_BLOCK, 0 }, { "area", E_VOID, EL_A }, { "article", E_BLOCK, EL_SECTION }, { "aside", E_BLOCK, 0 },
	{ "base", E_VOID, 0 }, { "blockquote", E_BLOCK, 0 }, { "body", E_BLOCK, 0 }, { "br", E_VOID, EL_BR }, { "button", E_BLOCK, 0 },
	{ "caption", E_BLOCK, 0 }, { "center", E_BLOCK, 0 }, { "col", E_VOID, 0 }, { "dd", E_BLOCK | E_SELF, 0 }, { "del", 0, EL_DEL },
	{ "details", E_BLOCK, 0 }, { "dialog", E_BLOCK, 0 }, { "dir", E_BLOCK, 0 }, { "div", E_BLOCK, 0 }, { "dl", E_BLOCK, 0 },
	{ "dt", E_BLOCK | E_SELF, 0 }, { "embed", E_VOID, 0 }, { "fieldset", E_BLOCK, 0 }, { "figcaption", E_BLOCK, 0 },
	{ "figure", E_BLOCK, 0 }, { "footer", E_BLOCK, EL_FOOTER }, { "form", E_BLOCK, 0 }, { "frame", E_VOID, 0 }, { "h1", E_BLOCK, 0 },
	{ "h2", E_BLOCK, 0 }, { "h3", E_BLOCK, 0 }, { "h4", E_BLOCK, 0 }, { "h5", E_BLOCK, 0 }, { "h6", E_BLOCK, 0 }, { "head", E_BLOCK, 0 },
	{ "header", E_BLOCK, EL_HEADER }, { "hr", E_BLOCK | E_VOID, 0 }, { "html", E_BLOCK, 0 }, { "iframe", E_RAW | E_DROP, 0 },
	{ "img", E_VOID, EL_IMG }, { "input", E_VOID, EL_INPUT }, { "legend", E_BLOCK, 0 }, { "li", E_BLOCK | E_SELF, 0 }, { "link", E_VOID, 0 },
	{ "listing", E_BLOCK | E_PRE, 0 }, { "main", E_BLOCK, EL_SECTION }, { "menu", E_BLOCK, 0 }, { "meta", E_VOID, EL_META },
	{ "nav", E_BLOCK, 0 }, { "noframes", E_BLOCK, 0 }, { "ol", E_BLOCK, 0 }, { "optgroup", E_BLOCK, 0 }, { "option", E_BLOCK | E_SELF, 0 },
	{ "p", E_BLOCK | E_SELF, 0 }, { "param", E_VOID, 0 }, { "pre", E_BLOCK | E_PRE, 0 }, { "rp", E_DROP | E_SELF, EL_RP },
	{ "rt", E_SELF, EL_RT }, { "script", E_RAW | E_DROP, 0 }, { "section", E_BLOCK, EL_SECTION }, { "select", E_BLOCK, 0 },
	{ "source", E_VOID, 0 }, { "style", E_RAW | E_DROP, 0 }, { "summary", E_BLOCK, 0 }, { "table", E_BLOCK, EL_TABLE }, { "tbody", 0, 0 },
	{ "td", E_SELF, EL_TD }, { "template", E_BLOCK | E_HIDE, 0 }, { "textarea", E_RAW | E_BLOCK | E_PRE, 0 }, { "tfoot", 0, 0 },
	{ "th", E_SELF, EL_TD }, { "thead", 0, 0 }, { "title", E_RAW | E_BLOCK, EL_TITLE }, { "tr", E_SELF, EL_TR }, { "track", E_VOID, 0 },
	{ "ul", E_BLOCK, 0 }, { "wbr", E_VOID, 0 }, { "xmp", E_RAW | E_BLOCK | E_PRE, 0 },
};

struct attr {
	str name, value;
};

static const struct elem *elem_find(str name)
{
	char key[12] = "";
	size_t lo = 0, hi = name.n < sizeof(key) ? ARRAY_SIZE(elems) : 0;

	for (size_t i = 0; hi && i < name.n; i++)
		key[i] = (char)tolower((unsigned char)name.p[i]);
	while (lo < hi) {
		size_t mid = (lo + hi) / 2;
		int d = strcmp(key, elems[mid].name);

		if (d == 0)
			return &elems[mid];
		if (d < 0)
			hi = mid;
		else
			lo = mid + 1;
	}
	return NULL;
}

static uint32_t name_hash(str name)
{
	uint32_t h = 2166136261u;

	for (size_t i = 0; i < name.n; i++)
		h = (h ^ (uint32_t)tolower((unsigned char)name.p[i])) * 16777619u;
	return h;
}

static bool is(str s, const char *word)
{
	return s.n == strlen(word) && strncasecmp(s.p, word, s.n) == 0;
}

static str after(str s, size_t n)
{
	return (str){ s.p + n, s.n - n };
}

/* ---- attributes ---- */

static str attr(const struct attr *a, const char *name)
{
	for (; a->name.p; a++)
		if (is(a->name, name))
			return a->value;
	return STR_NONE;
}

static bool has_attr(const struct attr *a, const char *name)
{
	return attr(a, name).p;
}

/* s: what stands in a tag behind its name. The list ends with a name of NULL. */
static void attrs_parse(str s, struct attr *a)
{
	size_t k = 0;

	for (;;) {
		size_t n = 0;

		while (s.n && (html_is_white(*s.p) || *s.p == '/' || *s.p == '=' || *s.p == '"' || *s.p == '\''))
			s = after(s, 1);
		if (!s.n || k == ATTRS_MAX)
			break;
		while (n < s.n && !html_is_white(s.p[n]) && s.p[n] != '=' && s.p[n] != '/')
			n++;
		a[k] = (struct attr){ .name = { s.p, n }, .value = { s.p + n, 0 } };
		s = after(s, n);
		while (s.n && html_is_white(*s.p))
			s = after(s, 1);
		if (s.n && *s.p == '=') {
			char quote = 0;

			s = after(s, 1);
			while (s.n && html_is_white(*s.p))
				s = after(s, 1);
			if (s.n && (*s.p == '"' || *s.p == '\'')) {
				quote = *s.p;
				s = after(s, 1);
			}
			for (n = 0; n < s.n && (quote ? s.p[n] != quote : !html_is_white(s.p[n]));)
				n++;
			a[k].value = (str){ s.p, n };
			s = after(s, MIN(s.n, n + (quote != 0)));
		}
		k++;
	}
	a[k].name = STR_NONE;
}

/* Characters by name made plain; lives until the next call. */
static str attr_text(struct html *h, str raw)
{
	buf_clear(&h->value);
	while (raw.n) {
		const char *amp = memchr(raw.p, '&', raw.n);
		size_t n = amp ? (size_t)(amp - raw.p) : raw.n;

		buf_puts(&h->value, (str){ raw.p, n });
		raw = after(raw, n);
		if (raw.n) {
			n = html_entity(raw, &h->value);
			if (!n)
				buf_putc(&h->value, '&');
			raw = after(raw, n ? n : 1);
		}
	}
	return buf_str(&h->value);
}

/* "display: none" and its like, whatever the spaces. */
static bool style_hides(str style)
{
	static const char *const hides[] = { "display:none", "visibility:hidden", "mso-hide:all", "font-size:0;", "font-size:0px", "opacity:0;" };
	char plain[512];
	size_t n = 0;

	for (size_t i = 0; i < style.n && n < sizeof(plain) - 2; i++)
		if (!html_is_white(style.p[i]))
			plain[n++] = (char)tolower((unsigned char)style.p[i]);
	plain[n++] = ';';
	plain[n] = '\0';
	for (size_t i = 0; i < ARRAY_SIZE(hides); i++)
		if (strstr(plain, hides[i]))
			return true;
	return false;
}

static uint32_t number(str s, uint32_t least, uint32_t most)
{
	uint32_t v = 0;

	for (size_t i = 0; i < s.n && isdigit((unsigned char)s.p[i]) && v <= most; i++)
		v = v * 10 + (uint32_t)(s.p[i] - '0');
	return v < least ? least : MIN(v, most);
}

/* ---- elements ---- */

static void on_link(struct html *h, const struct attr *a)
{
	static const char *const schemes[] = { "http:", "https:", "mailto:", "tel:", "ftp:", "file:", "sip:" };
	str url = attr_text(h, attr(a, "href"));
	bool known = false;

	while (url.n && html_is_white(*url.p))
		url = after(url, 1);
	for (size_t i = 0; i < ARRAY_SIZE(schemes); i++)
		known = known || (url.n > strlen(schemes[i]) && strncasecmp(url.p, schemes[i], strlen(schemes[i])) == 0);
	if (!known || h->links.n + url.n > LINKS_MAX)
		return;
	if (html_cell_table(h) && strncasecmp(url.p, "mailto:", 7) == 0) {
		const char *query = memchr(url.p, '?', url.n);

		buf_puts(&h->mails, after((str){ url.p, query ? (size_t)(query - url.p) : url.n }, 7));
		buf_putc(&h->mails, '\n');
		return;
	}
	if (h->links.n)
		buf_putc(&h->links, '\n');
	buf_puts(&h->links, url);
}

static void on_image(struct html *h, const struct attr *a)
{
	_cleanup_buf_ struct buf bytes = BUF_INIT;
	str src = attr(a, "src"), alt = attr(a, "alt");
	const char *comma = src.n > 5 && strncasecmp(src.p, "data:", 5) == 0 ? memchr(src.p, ',', src.n) : NULL;
	str head = comma ? (str){ src.p, (size_t)(comma - src.p) } : STR_NONE;

	if (!h->words && str_ends(head, STR(";base64")) && base64_decode(&bytes, after(src, head.n + 1)) == 0)
		sink_image(h->s, STR_NONE, buf_str(&bytes));
	if (alt.n)
		html_put_text(h, alt);
}

static void on_input(struct html *h, const struct attr *a)
{
	str value = attr(a, "value");
	bool was = h->now.hidden;

	if (!value.n)
		return;
	html_put_run(h);
	h->now.hidden = was || is(attr(a, "type"), "hidden");
	h->space = h->begun ? ' ' : 0;
	html_put_text(h, value);
	html_put_run(h);
	h->space = ' ';
	h->now.hidden = was;
}

static void on_meta(struct html *h, const struct attr *a)
{
	static const struct {
		const char *name, *key;
	} keys[] = {
		{ "author", "author" }, { "creator", "author" }, { "dc.creator", "author" }, { "description", "comments" },
		{ "dc.description", "comments" }, { "keywords", "keywords" }, { "subject", "subject" }, { "dc.subject", "subject" },
		{ "dc.title", "title" }, { "title", "title" }, { "generator", "producer" }, { "progid", "producer" }, { "company", "company" },
		{ "manager", "manager" }, { "category", "category" }, { "classification", "custom:classification" },
		{ "sensitivity", "custom:sensitivity" }, { "dcterms.created", "created" }, { "created", "created" }, { "dcterms.modified", "modified" },
		{ "changed", "modified" },
	};
	str name = attr(a, "name"), value = attr_text(h, attr(a, "content"));

	if (!name.n)
		name = attr(a, "property");
	if (h->words || !name.n || msip_take(&h->msip, name, value))
		return;
	for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
		if (is(name, keys[i].name))
			sink_meta(h->s, keys[i].key, value);
}

/* ---- tables ---- */

/* An address that only the link says belongs to the row like what is shown. */
static void put_mails(struct html *h)
{
	str left = buf_str(&h->mails);

	while (left.n) {
		const char *end = memchr(left.p, '\n', left.n);
		size_t n = end ? (size_t)(end - left.p) : left.n;

		if (n && (!h->run.n || !memmem(h->run.p, h->run.n, left.p, n))) {
			if (h->run.n)
				buf_putc(&h->run, ' ');
			buf_puts(&h->run, (str){ left.p, n });
		}
		left = after(left, MIN(left.n, n + 1));
	}
	buf_clear(&h->mails);
}

static void end_cell(struct html *h)
{
	struct table *t = h->n_tables ? &h->tables[h->n_tables - 1] : NULL;

	if (!t || !t->in_cell)
		return;
	if (html_cell_table(h)) {
		put_mails(h);
		html_put_run(h);
		h->space = 0;
		h->begun = false;
	} else {
		html_end_block(h);
	}
	t->in_cell = false;
	t->holds = false;
}

static void begin_table(struct html *h, const struct attr *a)
{
	struct table *outer = h->n_tables ? &h->tables[h->n_tables - 1] : NULL;
	str role = attr(a, "role");

	if (h->n_tables == TABLES_MAX) {
		h->over_tables++;
		return;
	}
	if (outer && outer->in_cell) {
		outer->holds = true; /* the table inside has the cells: what stands around it are paragraphs */
		html_end_block(h);
	}
	if (outer && !h->words)
		sink_table_end(h->s);
	h->tables[h->n_tables++] = (struct table){ .wide = 1, .layout = is(role, "presentation") || is(role, "none") };
}

static void end_table(struct html *h)
{
	if (h->over_tables) {
		h->over_tables--;
		return;
	}
	if (!h->n_tables)
		return;
	end_cell(h);
	h->n_tables--;
	if (!h->words)
		sink_table_end(h->s);
	html_end_block(h);
}

static void begin_row(struct html *h)
{
	struct table *t = h->n_tables ? &h->tables[h->n_tables - 1] : NULL;

	if (!t || h->over_tables)
		return;
	end_cell(h);
	t->row++;
	t->col = 0;
	t->wide = 1;
	for (size_t i = 0; i < SPANS_MAX; i++)
		t->below[i] -= t->below[i] > 0;
}

static void begin_cell(struct html *h, const struct attr *a)
{
	struct table *t = h->n_tables ? &h->tables[h->n_tables - 1] : NULL;
	uint32_t wide_by, high_by;

	if (!t || h->over_tables)
		return;
	end_cell(h);
	html_end_block(h);
	if (!t->row)
		t->row = 1;
	wide_by = number(attr(a, "colspan"), 1, SPAN_MAX);
	high_by = number(attr(a, "rowspan"), 1, UINT16_MAX);
	t->col += t->wide;
	t->wide = wide_by;
	while (t->col <= SPANS_MAX && t->below[t->col - 1] > 0)
		t->col++;
	for (uint32_t i = t->col - 1; high_by > 1 && i < SPANS_MAX && i < t->col - 1 + wide_by; i++)
		t->below[i] = (uint16_t)high_by; /* counted down at each row, this one's begin is past */
	t->in_cell = true;
	if (!h->words && !t->layout && t->row == 1 && t->col == 1)
		sink_table(h->s, STR_NONE, false);
}

/* ---- tags ---- */

static void close_to(struct html *h, unsigned depth)
{
	while (h->depth > depth) {
		const struct open *o = &h->stack[h->depth - 1];

		if (o->hidden != h->now.hidden || o->zone != h->now.zone || o->drop != h->now.drop)
			html_put_run(h);
		if (h->now.ruby && !o->ruby && h->ruby.n)
			buf_putc(&h->ruby, ' ');
		h->open[o->hash % ARRAY_SIZE(h->open)]--;
		h->now = *o;
		h->depth--;
	}
}

/* Depth of the innermost open one of that name, 0 none. */
static unsigned opened(const struct html *h, str name)
{
	unsigned least = h->depth > 256 ? h->depth - 256 : 0;
	const struct elem *wanted = elem_find(name);
	uint32_t hash = name_hash(name);
	bool across = wanted && (wanted->id == EL_TD || wanted->id == EL_TR || wanted->id == EL_TABLE);

	for (unsigned d = h->open[hash % ARRAY_SIZE(h->open)] ? h->depth : 0; d > least; d--) {
		const struct elem *e = h->stack[d - 1].e;
		str o = h->stack[d - 1].name;

		if (e && (e->id == EL_TABLE || e->id == EL_TD) && !across && !(wanted && wanted == e)) /* nothing in a cell ends what is around it */
			return 0;

		if (h->stack[d - 1].hash == hash && o.n == name.n && strncasecmp(o.p, name.p, name.n) == 0)
			return d;
	}
	return 0;
}

static void push(struct html *h, const struct elem *e, str name, const struct attr *a)
{
	struct open was = h->now;
	bool hides = has_attr(a, "hidden") || style_hides(attr(a, "style")) || (e && e->flags & E_HIDE);
	enum zone zone = h->now.zone;

	if (h->depth == STACK_MAX) {
		h->over++;
		return;
	}
	if (e && e->id == EL_DEL)
		zone = ZONE_DELETED;
	if (e && (e->id == EL_HEADER || e->id == EL_FOOTER) && zone == ZONE_BODY && !opened(h, STR("article")) && !opened(h, STR("section")))
		zone = e->id == EL_HEADER ? ZONE_HEADER : ZONE_FOOTER;
	if (e && e->id == EL_TITLE && zone == ZONE_BODY && !opened(h, STR("svg")))
		zone = ZONE_TITLE;
	if ((hides && !was.hidden) || zone != was.zone)
		html_put_run(h);
	was.name = name;
	was.hash = name_hash(name);
	h->open[was.hash % ARRAY_SIZE(h->open)]++;
	was.e = e;
	h->stack[h->depth++] = was;
	h->now.zone = (uint8_t)zone;
	h->now.hidden = was.hidden || hides;
	h->now.drop = was.drop || (e && e->flags & E_DROP);
	h->now.pre = was.pre || (e && e->flags & E_PRE);
	h->now.ruby = was.ruby || (e && e->id == EL_RT);
}

static void start_special(struct html *h, const struct elem *e, const struct attr *a)
{
	switch (e->id) {
	case EL_A: on_link(h, a); break;
	case EL_BR: html_line_break(h); break;
	case EL_IMG: on_image(h, a); break;
	case EL_INPUT: on_input(h, a); break;
	case EL_META: on_meta(h, a); break;
	case EL_TABLE: begin_table(h, a); break;
	case EL_TR: begin_row(h); break;
	case EL_TD: begin_cell(h, a); break;
	default: break;
	}
}

/* What a start tag ends unsaid: <p> by any block, <li> by the next one, cells and rows by those of the same table. */
static void close_implied(struct html *h, const struct elem *e)
{
	if (h->depth && e->flags & E_BLOCK && is(h->stack[h->depth - 1].name, "p")) {
		html_end_block(h);
		close_to(h, h->depth - 1);
	}
	if (e->id == EL_TD || e->id == EL_TR) {
		end_cell(h);
		for (unsigned d = h->depth; d > 0 && h->depth - d < 256; d--) {
			const struct elem *o = h->stack[d - 1].e;

			if (o && o->id == EL_TABLE)
				break;
			if (o && (o->id == EL_TD || (o->id == EL_TR && e->id == EL_TR))) {
				close_to(h, d - 1);
				break;
			}
		}
	} else if (h->depth && e->flags & E_SELF && is(h->stack[h->depth - 1].name, e->name)) {
		close_to(h, h->depth - 1);
	}
}

/* Up to the end tag of its own name; returns how much it was. */
static size_t raw_text(struct html *h, const struct elem *e, str s)
{
	size_t n = strlen(e->name), at = 0, end = s.n, behind = s.n;

	while (at < s.n) {
		const char *lt = memchr(s.p + at, '<', s.n - at);
		const char *gt;

		if (!lt)
			break;
		at = (size_t)(lt - s.p);
		if (s.n - at > n + 2 && s.p[at + 1] == '/' && strncasecmp(s.p + at + 2, e->name, n) == 0 && !isalnum((unsigned char)s.p[at + 2 + n])) {
			gt = memchr(lt, '>', s.n - at);
			end = at;
			behind = gt ? (size_t)(gt - s.p) + 1 : s.n;
			break;
		}
		at++;
	}
	html_put_text(h, (str){ s.p, end });
	return behind;
}

static size_t start_tag(struct html *h, str name, str rest, bool empty, str behind)
{
	const struct elem *e = elem_find(name);
	struct attr a[ATTRS_MAX + 1];
	size_t used = 0;

	attrs_parse(rest, a);
	if (e)
		close_implied(h, e);
	if (e && e->flags & E_BLOCK)
		html_end_block(h);
	if (e)
		start_special(h, e, a);
	if ((e && e->flags & E_VOID) || empty)
		return 0;
	push(h, e, name, a);
	if (e && e->flags & E_RAW) {
		used = raw_text(h, e, behind);
		if (e->flags & E_BLOCK)
			html_end_block(h);
		if (h->over)
			h->over--;
		else
			close_to(h, h->depth - 1);
	}
	return used;
}

static void end_tag(struct html *h, str name)
{
	const struct elem *e = elem_find(name);
	unsigned d = h->over ? 0 : opened(h, name);

	if (e && e->id == EL_BR) {
		html_line_break(h);
		return;
	}
	if (e && (e->id == EL_TD || e->id == EL_TR))
		end_cell(h);
	if (e && e->id == EL_TABLE)
		end_table(h);
	if (e && e->flags & E_BLOCK)
		html_end_block(h);
	if (h->over)
		h->over--;
	else if (d)
		close_to(h, d - 1);
}

/* Bytes up to and with '>', minding quotes; 0: there is no end. */
static size_t tag_length(struct html *h, str s)
{
	const char *gt;

	if (h->no_close)
		return 0;
	for (size_t i = 1; h->bad_tags < BAD_TAGS_MAX && i < s.n; i++) {
		const char *quote;

		if (s.p[i] == '>')
			return i + 1;
		if ((s.p[i] != '"' && s.p[i] != '\'') || s.p[i - 1] != '=') /* quotes elsewhere are what somebody mistyped */
			continue;
		quote = memchr(s.p + i + 1, s.p[i], s.n - i - 1);
		if (!quote)
			break;
		i = (size_t)(quote - s.p);
	}
	h->bad_tags++;
	gt = memchr(s.p, '>', s.n);
	h->no_close = !gt;
	return gt ? (size_t)(gt - s.p) + 1 : 0;
}

/* <!-- -->, <!DOCTYPE>, <![CDATA[ ]]>, <?xml ?>. */
static size_t declaration(struct html *h, str s)
{
	const char *end;

	if (str_starts(s, STR("<!--")) && !h->no_comment_end) {
		end = s.n > 4 ? memmem(s.p + 4, s.n - 4, "-->", 3) : NULL;
		if (str_starts(s, STR("<!-->")))
			return 5;
		if (end)
			return (size_t)(end - s.p) + 3;
		h->no_comment_end = true; /* the rest of the page is worth more than the rule */
	}
	if (str_starts(s, STR("<![CDATA["))) {
		end = h->no_cdata_end ? NULL : memmem(s.p, s.n, "]]>", 3);
		h->no_cdata_end = !end;
		if (end)
			html_put_text(h, (str){ s.p + 9, (size_t)(end - s.p) - 9 });
		return end ? (size_t)(end - s.p) + 3 : 9;
	}
	return tag_length(h, s);
}

/* s begins with '<': how much of it was a tag; 0: a plain '<'. */
static size_t tag(struct html *h, str s)
{
	bool closes = s.n > 1 && s.p[1] == '/';
	size_t at = closes ? 2 : 1, n, name;

	if (s.n > 1 && (s.p[1] == '!' || s.p[1] == '?'))
		return declaration(h, s);
	if (at >= s.n || !isalpha((unsigned char)s.p[at]))
		return closes && at < s.n && s.p[at] == '>' ? 3 : 0;
	n = tag_length(h, s);
	if (!n)
		return 0;
	for (name = at; name < n - 1 && !html_is_white(s.p[name]) && s.p[name] != '/'; name++)
		;
	if (closes)
		end_tag(h, (str){ s.p + at, name - at });
	else
		n += start_tag(h, (str){ s.p + at, name - at }, (str){ s.p + name, n - 1 - name }, s.p[n - 2] == '/', after(s, n));
	return n;
}

static void run(struct html *h, str s)
{
	while (s.n && !(h->s && sink_full(h->s))) {
		const char *lt = memchr(s.p, '<', s.n);
		size_t n = lt ? (size_t)(lt - s.p) : s.n;

		html_put_text(h, (str){ s.p, n });
		s = after(s, n);
		if (!s.n)
			break;
		n = tag(h, s);
		if (!n) {
			html_put_text(h, STR("<"));
			n = 1;
		}
		s = after(s, n);
	}
	while (h->n_tables) {
		h->over_tables = 0;
		end_table(h);
	}
	html_end_block(h);
}

static int read_into(struct html *h, str utf8)
{
	int r = -ENOMEM;

	h->stack = calloc(STACK_MAX, sizeof(*h->stack));
	h->tables = calloc(TABLES_MAX, sizeof(*h->tables));
	h->now.zone = (uint8_t)h->base;
	if (str_starts(utf8, STR("\xef\xbb\xbf")))
		utf8 = after(utf8, 3);
	if (h->stack && h->tables) {
		run(h, utf8);
		r = buf_error(&h->run);
		if (h->s)
			msip_put(&h->msip, h->s, 2);
	}
	free(h->stack);
	free(h->tables);
	buf_free(&h->run);
	buf_free(&h->links);
	buf_free(&h->ruby);
	buf_free(&h->value);
	buf_free(&h->mails);
	msip_free(&h->msip);
	return r;
}

int html_read(str utf8, struct sink *s, enum zone zone)
{
	struct html h = { .s = s, .base = zone };

	sink_block(s);
	return read_into(&h, utf8);
}

int html_words(str utf8, struct buf *ret)
{
	struct html h = { .words = ret, .base = ZONE_BODY };

	return read_into(&h, utf8);
}
