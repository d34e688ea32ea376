/* Contact details of a text, gathered into groups: rows, blocks, lines. Identifiers on the way. */
#include "document/contacts.h"

#include <errno.h>

#include "base/array.h"
#include "base/hash.h"
#include "document/contacts_internal.h"

#define HEADER_ROWS 5
#define COLUMNS 64
#define BARE_MAX 16       /* bytes of a block beside its address or number: "Tel.: " */
#define BARE_APART 8      /* blocks */
#define UNITS_MAX 65536

/* What stands on one line, or in one bare block: which of the details, in order. */
struct unit {
	uint32_t from, n;  /* details */
	uint32_t emails, phones;
	bool pair;         /* two lines: two addresses of one person */
	str name;          /* text before the first */
};

struct detail {
	uint64_t key;
	uint32_t at, end;
	bool phone, role;
};

struct contacts {
	uint8_t key[IDENTIFIER_KEY];
	const struct client_list *clients;
	uint8_t *client_seen;    /* a bit a client */
	struct contact_groups groups;
	struct identifier_set set;
	struct buf scratch;
	struct detail *details;  /* of the block, row or run of bare blocks at hand */
	size_t n_details, cap_details;
	struct unit *units;
	size_t n_units, cap_units;

	const struct text *t;
	const struct hits *h;
	size_t hit;              /* next */
	uint64_t found;          /* clients */
	/* the table at hand */
	uint32_t table;
	uint8_t columns[COLUMNS]; /* enum name_column */
	bool contacts_began;      /* a row with details was seen: headers are over */
	bool bare;               /* units are bare blocks, from… */
	uint32_t bare_block;     /* …the last of which is this */
};

int contacts_new(const uint8_t key[static IDENTIFIER_KEY], const struct client_list *clients, struct contacts **ret)
{
	struct contacts *c = calloc(1, sizeof(*c));

	if (!c)
		return -ENOMEM;
	memcpy(c->key, key, IDENTIFIER_KEY);
	c->clients = clients;
	if (clients) {
		c->client_seen = calloc(client_list_clients(clients) / 8 + 1, 1);
		if (!c->client_seen) {
			contacts_free(c);
			return -ENOMEM;
		}
	}
	*ret = c;
	return 0;
}

struct contacts *contacts_free(struct contacts *c)
{
	if (!c)
		return NULL;
	contact_groups_free(&c->groups);
	identifier_set_free(&c->set);
	buf_free(&c->scratch);
	free(c->client_seen);
	free(c->details);
	free(c->units);
	explicit_bzero(c, sizeof(*c));
	free(c);
	return NULL;
}

static void see_client(struct contacts *c, uint64_t key)
{
	uint32_t i = c->clients ? client_list_find(c->clients, key) : 0;

	if (!i || c->client_seen[i / 8] >> (i % 8) & 1)
		return;
	c->client_seen[i / 8] |= (uint8_t)(1u << (i % 8));
	c->found++;
}

static int add_identifier(struct contacts *c, uint64_t key, enum identifier_kind kind)
{
	see_client(c, key);
	return identifier_set_add(&c->set, key, kind, 0);
}

/* --- details --- */

static int add_detail(struct contacts *c, const struct hit *x)
{
	str value = hit_value(c->h, x);
	bool phone = x->detector == DET_PHONE;

	if (array_room(c->details, c->cap_details, c->n_details + 1) < 0)
		return -ENOMEM;
	c->details[c->n_details++] = (struct detail){ .key = identifier_key(c->key, phone ? IDENT_PHONE : IDENT_EMAIL, value), .at = x->at,
			.end = x->at + x->n,
		.phone = phone, .role = !phone && contact_role(value) };
	/* E-mails and phones enter the set at the end, with their persons. */
	see_client(c, c->details[c->n_details - 1].key);
	contact_groups_expect(&c->groups, c->details[c->n_details - 1].key);
	return 0;
}

/* Hits that begin in the span: details are kept, cards and accounts become identifiers. */
static int take_hits(struct contacts *c, const struct span *s, bool *ret_any)
{
	uint64_t end = (uint64_t)s->at + s->n;
	int r = 0;

	for (; r == 0 && c->hit < c->h->n && c->h->hit[c->hit].at < end; c->hit++) {
		const struct hit *x = &c->h->hit[c->hit];

		if (x->at < s->at)
			continue;
		if (x->detector == DET_EMAIL || x->detector == DET_PHONE)
			r = add_detail(c, x);
		else if (x->detector == DET_PAYMENT_CARD || x->detector == DET_IBAN)
			r = add_identifier(c, identifier_key(c->key, x->detector == DET_IBAN ? IDENT_IBAN : IDENT_CARD, hit_value(c->h, x)),
				x->detector == DET_IBAN ? IDENT_IBAN : IDENT_CARD);
		else
			continue;
		*ret_any = true;
	}
	return r;
}

/* --- groups --- */

static int group_of_details(struct contacts *c, size_t from, size_t n, uint64_t name, enum name_column sure)
{
	int r = n ? contact_groups_open(&c->groups) : 0;

	if (n && r == 0)
		contact_groups_name(&c->groups, name, sure);
	for (size_t i = from; r == 0 && i < from + n; i++)
		r = contact_groups_add(&c->groups, c->details[i].key, c->details[i].phone, c->details[i].role);
	return r;
}

static uint64_t hash_name(struct contacts *c, str name, uint64_t before)
{
	size_t n = c->scratch.n;
	uint64_t h;

	/* Spaces do not make another name. */
	buf_put(&c->scratch, &before, sizeof(before));
	for (size_t i = 0; i < name.n; i++) {
		if (name.n - i >= 3 && memcmp(name.p + i, "\xe3\x80\x80", 3) == 0)
			i += 2;
		else if (name.p[i] != ' ' && name.p[i] != '\t')
			buf_putc(&c->scratch, name.p[i] >= 'A' && name.p[i] <= 'Z' ? (char)(name.p[i] | 0x20) : name.p[i]);
	}
	h = buf_error(&c->scratch) ? 0 : siphash13(c->key, c->scratch.p + n, c->scratch.n - n);
	c->scratch.n = n;
	return h;
}

/* --- rows --- */

static void table_begin(struct contacts *c, uint32_t table)
{
	c->table = table;
	memset(c->columns, COLUMN_OTHER, sizeof(c->columns));
	c->contacts_began = false;
}

static bool has_letters(str s)
{
	for (size_t i = 0; i < s.n; i++)
		if ((s.p[i] >= '0' && s.p[i] <= '9') || s.p[i] == '@')
			return false;
	for (size_t i = 0; i < s.n; i++)
		if ((s.p[i] & 0x80) || (s.p[i] >= 'A' && s.p[i] <= 'Z') || (s.p[i] >= 'a' && s.p[i] <= 'z'))
			return true;
	return false;
}

static int row_group(struct contacts *c, const struct span *row, size_t n)
{
	bool persons = false, names = false, companies = false;
	uint64_t name = 0;

	c->contacts_began = true;
	for (size_t i = 0; i < COLUMNS; i++) {
		persons = persons || c->columns[i] == COLUMN_PERSON;
		names = names || c->columns[i] == COLUMN_NAME;
		companies = companies || c->columns[i] == COLUMN_COMPANY;
	}
	for (size_t i = 0; i < n; i++) {
		uint8_t kind = row[i].col < COLUMNS ? c->columns[row[i].col] : COLUMN_OTHER;

		if (kind == COLUMN_PERSON || kind == COLUMN_NAME)
			name = hash_name(c, text_span(c->t, &row[i]), name);
	}
	if (persons || names)
		return group_of_details(c, 0, c->n_details, name, persons || (names && companies) ? COLUMN_PERSON : COLUMN_NAME);
	for (size_t i = 0; i < n && !name; i++)
		if (has_letters(text_span(c->t, &row[i])))
			name = hash_name(c, text_span(c->t, &row[i]), 0);
	return group_of_details(c, 0, c->n_details, name, COLUMN_OTHER);
}

static int take_cell(struct contacts *c, const struct span *s)
{
	bool any = false;
	int r = take_hits(c, s, &any);
	str text = text_span(c->t, s);

	if (r < 0 || any || text.n < IDENTIFIER_CELL_MIN)
		return r;
	buf_clear(&c->scratch);
	if (identifier_normalise(text, &c->scratch))
		r = add_identifier(c, identifier_key(c->key, IDENT_CELL, buf_str(&c->scratch)), IDENT_CELL);
	return r == 0 ? buf_error(&c->scratch) : r;
}

/* Spans from i on that are one row; returns the next. */
static int take_row(struct contacts *c, size_t *i)
{
	const struct text *t = c->t;
	size_t from = *i, to = from;
	const struct span *s = &t->spans[from];
	int r = 0;

	if (s->table != c->table)
		table_begin(c, s->table);
	c->n_details = 0;
	for (; r == 0 && to < t->n_spans && t->spans[to].zone == ZONE_CELL && t->spans[to].table == s->table && t->spans[to].row == s->row; to++)
		r = take_cell(c, &t->spans[to]);
	*i = to;
	if (r < 0)
		return r;
	if (c->n_details)
		return row_group(c, s, to - from);
	for (size_t k = from; s->row <= HEADER_ROWS && !c->contacts_began && k < to; k++)
		if (t->spans[k].col < COLUMNS) {
			enum name_column kind = contact_header(text_span(t, &t->spans[k]));

			if (kind)
				c->columns[t->spans[k].col] = (uint8_t)kind;
		}
	return 0;
}

/* --- blocks of text --- */

static int add_unit(struct contacts *c, uint32_t from, uint32_t n, str name)
{
	struct unit u = { .from = from, .n = n, .name = name };

	if (array_room(c->units, c->cap_units, c->n_units + 1) < 0)
		return -ENOMEM;
	for (uint32_t i = from; i < from + n; i++) {
		u.emails += !c->details[i].phone;
		u.phones += c->details[i].phone;
	}
	c->units[c->n_units++] = u;
	return 0;
}

/* What leads a line, up to a gap; a leading number is none. */
static str lead(str line)
{
	size_t i = 0, n = 0;

	while (i < line.n && ((line.p[i] >= '0' && line.p[i] <= '9') || strchr(" \t.,;|-*", line.p[i])))
		i++;
	for (n = i; n < line.n && line.p[n] != '\t' && line.p[n] != ',' && line.p[n] != ';' && line.p[n] != '|' && line.p[n] != '<'; n++)
		if (line.p[n] == ' ' && n + 1 < line.n && line.p[n + 1] == ' ')
			break;
	while (n > i && line.p[n - 1] == ' ')
		n--;
	return (str){ line.p + i, n - i };
}

/* Units that are rows of a list: a line each. More than two addresses and no number on one line are that many persons. */
static int groups_of_rows(struct contacts *c)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < c->n_units; i++) {
		const struct unit *u = &c->units[i];
		uint64_t name = has_letters(u->name) ? hash_name(c, u->name, 0) : 0;

		if (u->emails > 2 && !u->phones)
			for (uint32_t k = 0; r == 0 && k < u->n; k++)
				r = group_of_details(c, u->from + k, 1, 0, COLUMN_OTHER);
		else
			r = group_of_details(c, u->from, u->n, name, COLUMN_OTHER);
	}
	return r;
}

/* Columns that were read one after the other: the first address and the first number are one person's. */
static int groups_of_columns(struct contacts *c)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < c->n_units;) {
		size_t a = i, b, end;

		while (i < c->n_units && (c->units[i].emails > 0) == (c->units[a].emails > 0))
			i++;
		b = i;
		while (i < c->n_units && (c->units[i].emails > 0) != (c->units[a].emails > 0))
			i++;
		end = i;
		for (size_t k = 0; r == 0 && k < MAX(b - a, end - b); k++) {
			r = contact_groups_open(&c->groups);
			if (r == 0 && a + k < b)
				r = contact_groups_add(&c->groups, c->details[c->units[a + k].from].key, c->details[c->units[a + k].from].phone,
						c->details[c->units[a + k].from].role);
			if (r == 0 && b + k < end)
				r = contact_groups_add(&c->groups, c->details[c->units[b + k].from].key, c->details[c->units[b + k].from].phone,
						c->details[c->units[b + k].from].role);
		}
	}
	return r;
}

/* Cards below each other: each address begins one, or ends it where a number stands first. */
static int groups_of_cards(struct contacts *c)
{
	bool ends = c->units[0].phones > 0;
	size_t from = 0, n = 0;
	int r = 0;

	for (size_t i = 0; r == 0 && i < c->n_units; i++) {
		bool email = c->units[i].emails > 0;

		if (email && !ends && i) {
			r = group_of_details(c, from, n, 0, COLUMN_OTHER);
			n = 0;
		}
		if (n == 0)
			from = c->units[i].from;
		n += c->units[i].n;
		if (email && ends && r == 0) {
			r = group_of_details(c, from, n, 0, COLUMN_OTHER);
			n = 0;
		}
	}
	return r == 0 && n ? group_of_details(c, from, n, 0, COLUMN_OTHER) : r;
}

static int groups_of_units(struct contacts *c)
{
	size_t emails = 0, phones = 0, both = 0, runs_e = 0, runs_p = 0, singles = 0;

	if (c->n_units == 0)
		return 0;
	for (size_t i = 0; i < c->n_units; i++) {
		const struct unit *u = &c->units[i];

		emails += u->pair ? 1 : u->emails;
		phones += u->phones;
		both += u->emails && u->phones;
		singles += u->n == 1;
		runs_e += i && u->emails && c->units[i - 1].emails;
		runs_p += i && u->phones && c->units[i - 1].phones;
	}
	if (emails <= 1 && phones <= 2) /* one card */
		return group_of_details(c, 0, c->n_details, 0, COLUMN_OTHER);
	if (both || !emails || !phones)
		return emails == 1 && phones && !both ? group_of_details(c, 0, c->n_details, 0, COLUMN_OTHER) : groups_of_rows(c);
	if (runs_e && runs_p && singles == c->n_units)
		return groups_of_columns(c);
	return groups_of_cards(c);
}

/* A run of bare blocks ends. */
static int bare_end(struct contacts *c)
{
	int r = c->bare ? groups_of_units(c) : 0;

	c->bare = false;
	c->n_details = c->n_units = 0;
	return r;
}

/* "E-mail (private): ", "メール2：" */
static bool is_email_label(str s)
{
	static const char *const labels[] = {
		"e-mail", "email", "mail", "e-mail address", "email address", "mail address", "private e-mail", "private email", "work e-mail",
		"work email",
		"private", "work", "メール", "メールアドレス", "Eメール", "Ｅメール", "電子メール",
	};
	const char *bracket = memchr(s.p, '(', s.n), *wide = s.n ? memmem(s.p, s.n, "（", 3) : NULL;

	if (s.n && (bracket || wide))
		s.n = (size_t)((bracket ? bracket : wide) - s.p);
	while (s.n && strchr(": 0123456789", s.p[s.n - 1]))
		s.n--;
	if (str_ends(s, STR("：")))
		s.n -= 3;
	while (s.n && strchr(" 0123456789", s.p[s.n - 1]))
		s.n--;
	for (size_t i = 0; i < ARRAY_SIZE(labels); i++)
		if (s.n == strlen(labels[i]) && strncasecmp(s.p, labels[i], s.n) == 0)
			return true;
	return false;
}

/* The line before p is a name, or what else a card begins with; a line that ends with a colon begins a list. */
static bool heads_card(str block, const char *p)
{
	const char *nl = memrchr(block.p, '\n', (size_t)(p - block.p)), *before;
	str line;

	if (!nl)
		return false;
	before = memrchr(block.p, '\n', (size_t)(nl - block.p));
	before = before ? before + 1 : block.p;
	line = (str){ before, (size_t)(nl - before) };
	while (line.n && line.p[line.n - 1] == ' ')
		line.n--;
	return line.n && !memchr(line.p, '@', line.n) && line.p[line.n - 1] != ':' && !str_ends(line, STR("："));
}

/* Unit b is the line below a, and both are an address behind its label. */
static bool below_with_label(const struct contacts *c, const struct unit *a, const struct unit *b)
{
	const char *from = c->t->bytes.p + c->details[a->from].end, *to = c->t->bytes.p + c->details[b->from].at, *nl;

	if (a->n != 1 || b->n != 1 || a->phones || b->phones || !is_email_label(a->name) || !is_email_label(b->name))
		return false;
	nl = memchr(from, '\n', (size_t)(to - from));
	return nl && !memchr(nl + 1, '\n', (size_t)(to - nl - 1));
}

/* A name, and two lines "e-mail: …" below it: one person's, as in a row. Three and more are a list. */
static void pair_addresses(struct contacts *c, size_t from, str block)
{
	size_t to = from;

	for (size_t i = from, n; i < c->n_units; i += n) {
		for (n = 1; i + n < c->n_units && below_with_label(c, &c->units[i + n - 1], &c->units[i + n]); n++)
			;
		if (n == 2 && heads_card(block, c->t->bytes.p + c->details[c->units[i].from].at)) {
			c->units[to] = c->units[i];
			c->units[to].pair = true;
			c->units[to].emails = c->units[to].n = 2;
			to++;
			continue;
		}
		for (size_t k = 0; k < n; k++)
			c->units[to++] = c->units[i + k];
	}
	c->n_units = to;
}

/* Lines of a block with details in them. */
static int units_of_lines(struct contacts *c, size_t from, str block, uint32_t at)
{
	size_t first = c->n_units;
	int r = 0;

	for (size_t i = from; r == 0 && i < c->n_details;) {
		size_t k = i + 1;
		const char *p = block.p + (c->details[i].at - at), *nl = memrchr(block.p, '\n', (size_t)(p - block.p));
		const char *begin = nl ? nl + 1 : block.p;

		while (k < c->n_details && !memchr(c->t->bytes.p + c->details[k - 1].end, '\n',
		       c->details[k].at - MIN(c->details[k].at, c->details[k - 1].end)))
			k++;
		r = add_unit(c, (uint32_t)i, (uint32_t)(k - i), lead((str){ begin, (size_t)(p - begin) }));
		i = k;
	}
	if (r == 0)
		pair_addresses(c, first, block);
	return r;
}

static int take_block(struct contacts *c, const struct span *s, size_t first_detail, str block)
{
	size_t n = c->n_details - first_detail, inside = 0;
	int r;

	for (size_t i = first_detail; i < c->n_details; i++)
		inside += c->details[i].end - c->details[i].at;
	/* Nothing but details: it may go together with the blocks beside it. */
	if (block.n - MIN(inside, block.n) <= BARE_MAX * n && (!c->bare || s->block - c->bare_block <= BARE_APART) && c->n_units < UNITS_MAX) {
		c->bare = true;
		c->bare_block = s->block;
		return units_of_lines(c, first_detail, block, s->at);
	}
	/* Those before it first; its own details move to the front. */
	if (first_detail) {
		struct detail *keep = c->details + first_detail;
		size_t all = c->n_details;

		c->n_details = first_detail;
		r = c->bare ? groups_of_units(c) : 0;
		if (r < 0)
			return r;
		memmove(c->details, keep, (all - first_detail) * sizeof(*keep));
		c->n_details = all - first_detail;
	}
	c->bare = false;
	c->n_units = 0;
	r = units_of_lines(c, 0, block, s->at);
	if (r == 0)
		r = groups_of_units(c);
	c->n_details = c->n_units = 0;
	return r;
}

/* Spans of one block and zone. */
static int take_text(struct contacts *c, size_t *i)
{
	const struct text *t = c->t;
	const struct span *s = &t->spans[*i];
	size_t first = c->n_details, to = *i;
	bool any = false;
	str block;
	int r = 0;

	if (!c->bare)
		first = c->n_details = 0;
	for (; r == 0 && to < t->n_spans && t->spans[to].zone == s->zone && t->spans[to].block == s->block; to++)
		r = take_hits(c, &t->spans[to], &any);
	*i = to;
	if (r < 0 || c->n_details == first)
		return r;
	block = (str){ t->bytes.p + s->at, t->spans[to - 1].at + t->spans[to - 1].n - s->at };
	if (s->zone != ZONE_ADDRESS)
		return take_block(c, s, first, block);
	/* Sender and recipients: each address somebody. */
	for (size_t k = first; r == 0 && k < c->n_details; k++)
		r = group_of_details(c, k, 1, 0, COLUMN_OTHER);
	c->n_details = first;
	return r;
}

/* --- the whole --- */

static int finish(struct contacts *c, struct contacts_result *ret)
{
	struct contact_groups *g = &c->groups;
	uint64_t persons = contact_groups_persons(g);
	int r = 0;

	for (size_t i = 0; r == 0 && i < g->n_nodes; i++)
		r = identifier_set_add(&c->set, g->nodes[i].key, g->nodes[i].phone ? IDENT_PHONE : IDENT_EMAIL,
				contact_groups_person_of(g, &g->nodes[i]));
	if (r < 0)
		return r;
	identifier_set_finish(&c->set);
	*ret = (struct contacts_result){ .persons = persons, .identifiers = c->set.i, .n = c->set.n, .cut = c->set.cut || c->h->cut,
			.clients = c->found };
	return 0;
}

/* Hits of documents that have no spans at all. */
static int take_unspanned(struct contacts *c)
{
	struct span s = { .n = (uint32_t)c->t->bytes.n, .zone = ZONE_BODY, .block = 1 };
	bool any = false;
	int r = take_hits(c, &s, &any);

	return r == 0 && c->n_details ? take_block(c, &s, 0, buf_str(&c->t->bytes)) : r;
}

int contacts_run(struct contacts *c, const struct text *t, const struct hits *h, struct contacts_result *ret)
{
	int r = 0;

	c->t = t;
	c->h = h;
	c->hit = c->n_details = c->n_units = 0;
	c->found = 0;
	c->bare = false;
	table_begin(c, 0);
	contact_groups_clear(&c->groups);
	identifier_set_clear(&c->set);
	if (c->clients)
		memset(c->client_seen, 0, client_list_clients(c->clients) / 8 + 1);
	for (size_t i = 0; r == 0 && i < t->n_spans;) {
		if (t->spans[i].zone == ZONE_CELL) {
			r = bare_end(c);
			if (r == 0)
				r = take_row(c, &i);
			c->n_details = 0;
		} else {
			r = take_text(c, &i);
		}
	}
	if (r == 0 && t->n_spans == 0)
		r = take_unspanned(c);
	if (r == 0)
		r = bare_end(c);
	return r == 0 ? finish(c, ret) : r;
}
