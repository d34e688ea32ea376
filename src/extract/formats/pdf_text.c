/* Zones of what pdftotext prints. Pages end with a form feed, blocks with an empty line; where on the page they stand, it does not say. */
#include <ctype.h>

#include "extract/formats/pdf.h"

#define LINE_SHORT 100     /* a header, a footer, a title */
#define NUMBERED 40        /* bytes of a line with a page's number */
#define TABLE_BITS_MIN 8   /* of distinct lines */
#define TABLE_BITS_MAX 16  /* more lines are body text */
#define CONTACTS_WANTED 2
#define CONTACTS_SHARE 8   /* one line in so many: fewer are authors and letterheads */
#define SCRAPS_WANTED 3    /* one after the other */
#define SCRAP 3            /* letters */

struct seen {
	uint64_t key;
	uint32_t last_page, pages;
	bool often; /* twice on one page: no header */
};

static str next_line(str *rest)
{
	const char *end = memchr(rest->p, '\n', rest->n);
	size_t n = end ? (size_t)(end - rest->p) : rest->n;
	str line = { rest->p, n };

	n += end != NULL;
	*rest = (str){ rest->p + n, rest->n - n };
	return line;
}

static str next_page(str *rest)
{
	const char *end = memchr(rest->p, '\f', rest->n);
	size_t n = end ? (size_t)(end - rest->p) : rest->n;
	str page = { rest->p, n };

	n += end != NULL;
	*rest = (str){ rest->p + n, rest->n - n };
	return page;
}

static bool is_phone(str s)
{
	unsigned digits = 0;

	for (size_t i = 0; i < s.n; i++) {
		if (isdigit((unsigned char)s.p[i]))
			digits++;
		else if (!strchr("+-() .", s.p[i]))
			return false;
	}
	return digits >= 9 && digits <= 15 && s.n <= 24 && (s.p[0] == '+' || s.p[0] == '0' || s.p[0] == '(');
}

bool pdf_is_contact(str s)
{
	const char *at;

	while (s.n && s.p[s.n - 1] == ' ')
		s.n--;
	if (s.n < 6 || s.n > 254)
		return false;
	at = memchr(s.p, '@', s.n);
	if (at)
		return at > s.p && memchr(at, '.', s.n - (size_t)(at - s.p)) && !memchr(s.p, ' ', s.n);
	return is_phone(s);
}

static size_t letters_of(str s)
{
	size_t n = 0;

	for (size_t i = 0; i < s.n; i++)
		n += (s.p[i] & 0xc0) != 0x80;
	return n;
}

static bool is_scrap(str line)
{
	/* Numbers are cells; "(a" and "-" lead items of lists, while a piece of "TLP:RED" may begin with the colon. */
	return letters_of(line) <= SCRAP && !isdigit((unsigned char)line.p[0]) && (line.p[0] == ':' || !ispunct((unsigned char)line.p[0]));
}

static bool needs_places(str page, struct pdf_pages *ret)
{
	unsigned contacts = 0, scraps = 0, most = 0, lines = 0;

	while (page.n) {
		str line = next_line(&page);

		if (!line.n)
			continue;
		for (size_t i = 0; i < line.n; i++)
			ret->letters += line.p[i] != ' ';
		lines++;
		contacts += pdf_is_contact(line);
		/* One letter on a line that is no Latin one: two of them may be all there is of 極秘. */
		scraps = is_scrap(line) ? scraps + 1 + (line.n >= 3 && letters_of(line) == 1) : 0;
		most = MAX(most, scraps);
	}
	return (contacts >= CONTACTS_WANTED && contacts * CONTACTS_SHARE >= lines) || most >= SCRAPS_WANTED;
}

void pdf_text_count(str plain, struct pdf_pages *ret)
{
	const char *begin = plain.p;

	*ret = (struct pdf_pages){ 0 };
	while (plain.n) {
		size_t at = (size_t)(plain.p - begin);
		str page = next_page(&plain);

		ret->pages++;
		if (!needs_places(page, ret))
			continue;
		if (!ret->first) {
			ret->first = ret->pages;
			ret->at = at;
		}
		ret->last = ret->pages;
		ret->end = (size_t)(plain.p - begin);
	}
}

/* In a short line a digit is as good as another: page numbers, dates. */
static uint64_t key_of(str line)
{
	uint64_t h = 0xcbf29ce484222325u;

	while (line.n && line.p[0] == ' ')
		line = (str){ line.p + 1, line.n - 1 };
	while (line.n && line.p[line.n - 1] == ' ')
		line.n--;
	for (size_t i = 0; i < line.n; i++) {
		bool digit = line.n <= NUMBERED && isdigit((unsigned char)line.p[i]);

		if (digit && i && isdigit((unsigned char)line.p[i - 1]))
			continue;
		h = (h ^ (digit ? '0' : (uint8_t)line.p[i])) * 0x100000001b3u;
	}
	return line.n && line.n <= LINE_SHORT ? h | 1 : 0;
}

struct lines_seen {
	struct seen *at; /* NULL: one page, nothing repeats */
	unsigned bits;
};

/* NULL: there are too many. */
static struct seen *find(const struct lines_seen *t, uint64_t key)
{
	size_t at = key >> (64 - t->bits);

	for (unsigned tries = 0; tries < 64; tries++, at = (at + 1) & ((1u << t->bits) - 1))
		if (t->at[at].key == key || !t->at[at].key)
			return &t->at[at];
	return NULL;
}

/* Twice as many places as lines: one size for the longest document would cost a short one more to clear than all else here. */
static unsigned table_bits(str plain)
{
	unsigned bits = TABLE_BITS_MIN;
	size_t lines = 0;

	for (const char *p = plain.p; (p = memchr(p, '\n', (size_t)(plain.p + plain.n - p))); p++)
		lines++;
	while (bits < TABLE_BITS_MAX && (size_t)1 << bits < 2 * lines)
		bits++;
	return bits;
}

static struct lines_seen count_lines(str plain)
{
	unsigned bits = table_bits(plain);
	struct lines_seen t = { calloc((size_t)1 << bits, sizeof(*t.at)), bits };
	struct seen *e;

	for (uint32_t n = 1; t.at && plain.n; n++) {
		str page = next_page(&plain);

		while (page.n) {
			uint64_t key = key_of(next_line(&page));

			e = key ? find(&t, key) : NULL;
			if (e && e->last_page == n)
				e->often = true;
			else if (e)
				*e = (struct seen){ key, n, e->pages + 1, e->often };
		}
	}
	return t;
}

struct writer {
	struct sink *s;
	struct lines_seen table;
	uint32_t wanted;    /* pages on which a header stands */
	bool first;         /* nothing has been written */
	bool own;           /* the page has lines of its own: one that repeats as a whole has no header */
};

static enum zone zone_of(const struct writer *w, str line, bool upper)
{
	uint64_t key = w->table.at && w->own ? key_of(line) : 0;
	struct seen *e = key ? find(&w->table, key) : NULL;

	if (!e || e->often || e->pages < w->wanted)
		return ZONE_BODY;
	return upper ? ZONE_HEADER : ZONE_FOOTER;
}

static bool ends_sentence(str s)
{
	return s.n && (strchr(".!?:;,", s.p[s.n - 1]) || str_ends(s, STR("。")) || str_ends(s, STR("、")));
}

/* One line, short, and no sentence. */
static bool is_alone(str block)
{
	return block.n <= LINE_SHORT && !memchr(block.p, '\n', block.n) && !ends_sentence(block);
}

static void put_block(struct writer *w, str block, bool upper, bool last)
{
	bool title = w->first && is_alone(block);

	w->first = false;
	for (str rest = block; rest.n;) {
		str from = next_line(&rest);
		enum zone z = zone_of(w, from, upper);

		while (rest.n) { /* runs of one zone together */
			str look = rest, line = next_line(&look);

			if (zone_of(w, line, upper) != z)
				break;
			from.n = (size_t)(line.p + line.n - from.p);
			rest = look;
		}
		if (z == ZONE_BODY && title)
			z = ZONE_TITLE;
		else if (z == ZONE_BODY && last && is_alone(block))
			z = ZONE_FOOTER;
		sink_text(w->s, z, from);
		sink_block(w->s);
	}
}

static bool has_lines_of_its_own(struct writer *w, str page)
{
	w->own = true;
	while (page.n) {
		str line = next_line(&page);

		if (line.n && zone_of(w, line, true) == ZONE_BODY)
			return true;
	}
	return false;
}

static void put_page(struct writer *w, str page)
{
	unsigned blocks = 0;

	w->own = has_lines_of_its_own(w, page);
	for (size_t at = 0; at < page.n && !sink_full(w->s);) {
		const char *gap = memmem(page.p + at, page.n - at, "\n\n", 2);
		size_t n = gap ? (size_t)(gap - page.p) - at : page.n - at, next = at + n;

		while (next < page.n && page.p[next] == '\n')
			next++;
		while (n && page.p[at + n - 1] == '\n')
			n--;
		blocks++;
		if (n)
			put_block(w, (str){ page.p + at, n }, at < page.n / 2, next >= page.n && blocks >= 3);
		at = next;
	}
}

void pdf_text_put(str plain, size_t at, size_t end, uint32_t pages, struct sink *s)
{
	struct writer w = { .s = s, .first = at == 0, .wanted = MAX(2u, (pages * 2 + 4) / 5) };
	str rest = { plain.p + at, end - at };

	if (!rest.n)
		return;
	if (pages > 1)
		w.table = count_lines(plain);
	while (rest.n && !sink_full(s))
		put_page(&w, next_page(&rest));
	free(w.table.at);
}
