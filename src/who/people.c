#include "who/people.h"

#include <errno.h>
#include <jansson.h>

#include "base/hash.h"
#include "base/json.h"
#include "base/timefmt.h"

static const char *const columns[] = { "person", "name", "unit", "role", "manager", "joined", "leaves", "announced", "aliases" };
#define N_COLUMNS ARRAY_SIZE(columns)

static str *column_of(struct people_row *r, size_t i)
{
	return &(&r->person)[i];
}

/* Account name → its person. Open addressing, keyed hash: names come from outside. */
#define NOBODY UINT32_MAX
struct alias {
	char *name; /* NULL: free */
	size_t n;
	uint32_t person; /* whose it is; NOBODY: given up */
	uint32_t own;    /* the person of that name, whoever has the account; NOBODY */
};

struct person {
	char *name, *aliases; /* of the row in force; separated by a space */
};

struct people {
	bool one_owner;
	struct person *persons;
	size_t n_persons, cap_persons;
	struct alias *aliases;
	size_t n_aliases, cap_aliases; /* a power of two */
	char *last[N_COLUMNS];
	uint8_t key[16];
};

struct people *people_new(void)
{
	struct people *p = calloc(1, sizeof(*p));

	if (!p)
		return NULL;
	arc4random_buf(p->key, sizeof(p->key));
	return p;
}

struct people *people_free(struct people *p)
{
	if (!p)
		return NULL;
	for (size_t i = 0; i < p->n_persons; i++) {
		free(p->persons[i].name);
		free(p->persons[i].aliases);
	}
	for (size_t i = 0; i < p->cap_aliases; i++)
		free(p->aliases[i].name);
	for (size_t i = 0; i < N_COLUMNS; i++)
		free(p->last[i]);
	free(p->persons);
	free(p->aliases);
	free(p);
	return NULL;
}

size_t people_count(const struct people *p)
{
	return p->n_persons;
}

void people_one_owner(struct people *p)
{
	p->one_owner = true;
}

static struct alias *alias_slot(const struct people *p, str name)
{
	size_t i = siphash13(p->key, name.p, name.n) & (p->cap_aliases - 1);

	while (p->aliases[i].name && !str_eq((str){ p->aliases[i].name, p->aliases[i].n }, name))
		i = (i + 1) & (p->cap_aliases - 1);
	return &p->aliases[i];
}

static int aliases_grow(struct people *p)
{
	struct people old = *p;

	if (p->n_aliases * 2 < p->cap_aliases)
		return 0;
	p->cap_aliases = old.cap_aliases ? old.cap_aliases * 2 : 256;
	p->aliases = calloc(p->cap_aliases, sizeof(*p->aliases));
	if (!p->aliases) {
		*p = old;
		return -ENOMEM;
	}
	for (size_t i = 0; i < old.cap_aliases; i++)
		if (old.aliases[i].name)
			*alias_slot(p, (str){ old.aliases[i].name, old.aliases[i].n }) = old.aliases[i];
	free(old.aliases);
	return 0;
}

/* The slot of a name, made when new: nobody's. */
static int alias_make(struct people *p, str name, struct alias **ret)
{
	struct alias *a;
	int r = aliases_grow(p);

	if (r < 0)
		return r;
	a = alias_slot(p, name);
	if (!a->name) {
		*a = (struct alias){ strndup(name.p, name.n), name.n, NOBODY, NOBODY };
		if (!a->name)
			return -ENOMEM;
		p->n_aliases++;
	}
	*ret = a;
	return 0;
}

/* NULL: nobody's. */
static const struct alias *alias_of(const struct people *p, str name)
{
	const struct alias *a = p->cap_aliases ? alias_slot(p, name) : NULL;

	return a && a->name && a->person != NOBODY ? a : NULL;
}

bool people_alias(const struct people *p, str account, str *ret_person)
{
	const struct alias *a = alias_of(p, account);

	if (!a)
		return false;
	*ret_person = str_c(p->persons[a->person].name);
	return true;
}

#define ALIAS_ENDS " ;,\t\r\n"

static bool ends_alias(char c)
{
	return c && strchr(ALIAS_ENDS, c);
}

/* Words of aliases, one at a time. */
static bool next_alias(str *rest, str *ret)
{
	size_t n = 0;

	while (rest->n && ends_alias(rest->p[0]))
		*rest = (str){ rest->p + 1, rest->n - 1 };
	while (n < rest->n && !ends_alias(rest->p[n]))
		n++;
	*ret = (str){ rest->p, n };
	*rest = (str){ rest->p + n, rest->n - n };
	return n > 0;
}

static bool date_ok(str s)
{
	char full[TIME_TEXT_MAX + 16];
	int64_t t;

	if (s.n == 0 || time_parse(s, &t) == 0)
		return true;
	if (s.n != 10)
		return false;
	snprintf(full, sizeof(full), "%.*sT00:00:00Z", STR_ARG(s));
	return time_parse(str_c(full), &t) == 0;
}

/* What is written must be read again: escapes make it longer than it was. */
static bool fits(const struct people_row *r)
{
	_cleanup_buf_ struct buf b = { .max = PEOPLE_ROW_MAX };

	people_row_put(&b, r, 1); /* a time of the longest form */
	return buf_error(&b) == 0;
}

static int check_row(const struct people_row *r, const char **ret_expect)
{
	str rest = r->aliases, a;
	size_t n = 0;

	*ret_expect = "`person`: the login name of a person";
	if (r->person.n == 0 || r->person.n > 256)
		return -EBADMSG;
	*ret_expect = "dates as 2026-11-25 in joined, leaves, announced";
	if (!date_ok(r->joined) || !date_ok(r->leaves) || !date_ok(r->announced))
		return -EBADMSG;
	*ret_expect = "at most 64 aliases of at most 256 bytes";
	while (next_alias(&rest, &a))
		if (a.n > 256 || ++n > PEOPLE_ALIASES_MAX)
			return -EBADMSG;
	*ret_expect = "a row of at most 8,000 bytes";
	if (!fits(r))
		return -EBADMSG;
	*ret_expect = NULL;
	return 0;
}

/* Aliases with one space between. */
static void put_aliases(struct buf *b, str rest)
{
	str a;

	while (next_alias(&rest, &a)) {
		if (b->n)
			buf_putc(b, ' ');
		buf_puts(b, a);
	}
}

static int keep_last(struct people *p, const struct people_row *r)
{
	_cleanup_buf_ struct buf aliases = BUF_INIT;
	struct people_row copy = *r;

	put_aliases(&aliases, r->aliases);
	copy.aliases = buf_str(&aliases);
	for (size_t i = 0; i < N_COLUMNS; i++) {
		str s = *column_of(&copy, i);
		char *text = strndup(s.p ? s.p : "", s.n);

		if (!text)
			return -ENOMEM;
		free(p->last[i]);
		p->last[i] = text;
	}
	return buf_error(&aliases);
}

static int person_make(struct people *p, str name, uint32_t *ret)
{
	struct alias *a;
	int r = alias_make(p, name, &a);

	if (r == 0 && a->own == NOBODY) {
		if (p->n_persons == PEOPLE_MAX)
			return -E2BIG;
		if (p->n_persons == p->cap_persons) {
			size_t cap = p->cap_persons ? 2 * p->cap_persons : 64;
			struct person *grown = reallocarray(p->persons, cap, sizeof(*grown));

			if (!grown)
				return -ENOMEM;
			p->persons = grown;
			p->cap_persons = cap;
		}
		p->persons[p->n_persons] = (struct person){ strndup(name.p, name.n), NULL };
		if (!p->persons[p->n_persons].name)
			return -ENOMEM;
		a->own = (uint32_t)p->n_persons++;
	}
	if (r == 0)
		*ret = a->own;
	return r;
}

/* Nothing is taken of a row of which a part is refused. */
static int check_owners(const struct people *p, const struct people_row *row, const char **ret_expect)
{
	str rest = row->aliases, a, owner;

	*ret_expect = "a person that is not an alias of somebody else";
	if (people_alias(p, row->person, &owner) && !str_eq(owner, row->person))
		return -EEXIST;
	*ret_expect = "aliases that are nobody else's";
	while (next_alias(&rest, &a))
		if (people_alias(p, a, &owner) && !str_eq(owner, row->person))
			return -EEXIST;
	*ret_expect = NULL;
	return 0;
}

/* What the person's older row gave, and nobody has taken since. */
static void give_up(struct people *p, uint32_t person)
{
	str rest = str_c(p->persons[person].aliases), a;

	while (next_alias(&rest, &a)) {
		struct alias *slot = alias_slot(p, a);

		if (slot->name && slot->person == person)
			slot->person = NOBODY;
	}
}

/* The row in force: its person's name and aliases are the person's from now on. */
static int put_in_force(struct people *p, uint32_t person, const struct people_row *row)
{
	str rest = row->aliases, one = row->person;
	char *aliases = strndup(rest.p ? rest.p : "", rest.n);
	int r = aliases ? 0 : -ENOMEM;

	if (r < 0)
		return r;
	give_up(p, person);
	free(p->persons[person].aliases);
	p->persons[person].aliases = aliases;
	do {
		struct alias *slot;

		r = alias_make(p, one, &slot);
		if (r == 0)
			slot->person = person;
	} while (r == 0 && next_alias(&rest, &one));
	return r;
}

static int add_row(struct people *p, const struct people_row *row, const char **ret_expect)
{
	uint32_t person;
	int r = check_row(row, ret_expect);

	if (r == 0 && p->one_owner)
		r = check_owners(p, row, ret_expect);
	if (r == 0)
		r = person_make(p, row->person, &person);
	if (r == 0)
		r = put_in_force(p, person, row);
	return r < 0 ? r : keep_last(p, row);
}

static size_t column_named(str key)
{
	size_t i = 0;

	while (i < N_COLUMNS && !str_eq(key, str_c(columns[i])))
		i++;
	return i;
}

/* aliases as a list becomes text with one space between. */
static int aliases_text(json_t *list, struct buf *b)
{
	json_t *one;
	size_t i;

	json_array_foreach(list, i, one) {
		const char *s = json_string_value(one);

		if (!s || !*s || strpbrk(s, ALIAS_ENDS))
			return -EBADMSG;
		buf_putf(b, "%s%s", i ? " " : "", s);
	}
	return buf_error(b);
}

static int row_from_json(json_t *j, struct people_row *r, struct buf *aliases, const char **ret_expect)
{
	const char *key;
	json_t *v;

	json_object_foreach(j, key, v) {
		size_t i = column_named(str_c(key));

		if (strcmp(key, "from") == 0)
			continue;
		if (i == N_COLUMNS) {
			*ret_expect = "only the keys person, name, unit, role, manager, joined, leaves, announced, aliases";
			return -EBADMSG;
		}
		if (json_is_null(v))
			continue;
		if (json_is_array(v) && i == N_COLUMNS - 1) {
			*ret_expect = "aliases: a list of account names";
			if (aliases_text(v, aliases) < 0)
				return -EBADMSG;
			r->aliases = buf_str(aliases);
			continue;
		}
		if (!json_is_string(v)) {
			*ret_expect = "texts as values";
			return -EBADMSG;
		}
		*column_of(r, i) = (str){ json_string_value(v), json_string_length(v) };
	}
	return 0;
}

int people_add_json(struct people *p, str row, const char **ret_expect)
{
	_cleanup_buf_ struct buf aliases = BUF_INIT;
	struct people_row r = { 0 };
	json_t *j;
	int e;

	*ret_expect = "one JSON object of at most 8,000 bytes";
	if (row.n > PEOPLE_ROW_MAX)
		return -EBADMSG;
	j = json_loadb(row.p, row.n, JSON_REJECT_DUPLICATES, NULL);
	if (!json_is_object(j)) {
		json_decref(j);
		return -EBADMSG;
	}
	e = row_from_json(j, &r, &aliases, ret_expect);
	if (e == 0)
		e = add_row(p, &r, ret_expect);
	json_decref(j);
	return e;
}

int people_last(const struct people *p, struct people_row *ret)
{
	struct people_row r = { 0 };

	if (!p->last[0])
		return -ENOENT;
	for (size_t i = 0; i < N_COLUMNS; i++)
		*column_of(&r, i) = str_c(p->last[i]);
	*ret = r;
	return 0;
}

void people_row_put(struct buf *b, const struct people_row *row, int64_t from)
{
	struct people_row r = *row;
	str rest = r.aliases, a;

	json_obj_begin(b);
	for (size_t i = 0; i < N_COLUMNS - 1; i++) {
		str s = *column_of(&r, i);

		if (s.n == 0)
			continue;
		json_put_str(b, columns[i], s);
	}
	if (r.aliases.n) {
		json_put_arr(b, "aliases");
		while (next_alias(&rest, &a))
			json_str(b, a);
		json_arr_end(b);
	}
	if (from)
		json_put_time(b, "from", from);
	json_obj_end(b);
}

/* CSV, RFC 4180. */

struct csv {
	str text;
	size_t at;
	unsigned line; /* of the record that starts at `at` */
	unsigned next_line;
};

static bool line_ends(str s)
{
	return s.n == 0 || s.p[0] == '\n' || (s.p[0] == '\r' && (s.n == 1 || s.p[1] == '\n'));
}

/* One field into b. Returns 1 when more fields follow on the record, 0 at its end, -EBADMSG. */
static int csv_field(struct csv *c, struct buf *b)
{
	const char *p = c->text.p;
	size_t n = c->text.n;
	bool quoted = c->at < n && p[c->at] == '"';

	buf_clear(b);
	c->at += quoted;
	for (; c->at < n; c->at++) {
		char ch = p[c->at];

		if (quoted && ch == '"') {
			if (c->at + 1 < n && p[c->at + 1] == '"') {
				buf_putc(b, '"');
				c->at++;
				continue;
			}
			quoted = false;
			if (c->at + 1 < n && p[c->at + 1] != ',' && !line_ends((str){ p + c->at + 1, n - c->at - 1 }))
				return -EBADMSG;
			continue;
		}
		if (!quoted && ch == ',') {
			c->at++;
			return 1;
		}
		if (ch == '\n')
			c->next_line++;
		if (!quoted && ch == '\n') {
			c->at++;
			return 0;
		}
		if (!quoted && ch == '\r' && line_ends((str){ p + c->at, n - c->at }))
			continue;
		buf_putc(b, ch);
	}
	return quoted ? -EBADMSG : 0;
}

static void csv_skip_line(struct csv *c)
{
	const char *end = c->at < c->text.n ? memchr(c->text.p + c->at, '\n', c->text.n - c->at) : NULL;

	c->next_line += end != NULL;
	c->at = end ? (size_t)(end + 1 - c->text.p) : c->text.n;
}

static int csv_header(struct csv *c, size_t map[static N_COLUMNS], size_t *ret_n, const char **ret_expect)
{
	_cleanup_buf_ struct buf b = { .max = PEOPLE_ROW_MAX };
	bool seen[N_COLUMNS] = { false };
	size_t n = 0;
	int more;

	*ret_expect = "a first line of column names: person, name, unit, role, manager, joined, leaves, announced, aliases";
	do {
		size_t column;

		more = csv_field(c, &b);
		column = more < 0 ? N_COLUMNS : column_named(buf_str(&b));
		if (column == N_COLUMNS || seen[column])
			return -EBADMSG;
		map[n++] = column;
		seen[column] = true;
	} while (more);
	if (!seen[0])
		return -EBADMSG;
	*ret_n = n;
	return 0;
}

/* A field's text into the row; what is wrong with it, or NULL. */
static const char *put_field(struct buf *json, const char *column, const struct buf *field)
{
	if (buf_error(field))
		return "a row of at most 8,000 bytes";
	if (!str_utf8_valid(buf_str(field)))
		return "text in UTF-8";
	if (field->n)
		json_put_str(json, column, buf_str(field));
	return NULL;
}

/* One record as JSON. Behind one that is refused comes the next record; where a quote makes it unclear what that is, the next line. */
static int csv_record(struct csv *c, const size_t *map, size_t n_map, struct buf *json, const char **ret_expect)
{
	_cleanup_buf_ struct buf b = { .max = PEOPLE_ROW_MAX };
	const char *wrong = NULL, *count = "as many fields as the first line has";
	size_t n = 0, start = c->at;
	int more;

	json_obj_begin(json);
	do {
		more = csv_field(c, &b);
		if (more < 0) {
			c->at = start;
			c->next_line = c->line;
			csv_skip_line(c);
			*ret_expect = "a quoted field to end in a quote, and then a comma";
			return -EBADMSG;
		}
		if (!wrong)
			wrong = n < n_map ? put_field(json, columns[map[n]], &b) : count;
		n++;
	} while (more);
	json_obj_end(json);
	if (!wrong && n < n_map)
		wrong = count;
	if (!wrong && (buf_error(json) || json->n > PEOPLE_ROW_MAX))
		wrong = "a row of at most 8,000 bytes";
	*ret_expect = wrong;
	return wrong ? -EBADMSG : 0;
}

static bool csv_blank(const struct csv *c)
{
	return line_ends((str){ c->text.p + c->at, c->text.n - c->at });
}

static int read_csv(str text, const struct people_reader *r)
{
	struct csv c = { text, 0, 1, 1 };
	size_t map[N_COLUMNS], n;
	const char *expect;
	int e;

	while (c.at < text.n && csv_blank(&c))
		csv_skip_line(&c);
	c.line = c.next_line;
	e = csv_header(&c, map, &n, &expect);
	if (e < 0)
		return r->bad(r->arg, c.line, expect);
	while (c.at < text.n) {
		_cleanup_buf_ struct buf json = { .max = 4 * PEOPLE_ROW_MAX };

		c.line = c.next_line;
		if (csv_blank(&c)) {
			csv_skip_line(&c);
			continue;
		}
		if (csv_record(&c, map, n, &json, &expect) < 0)
			e = r->bad(r->arg, c.line, expect);
		else
			e = r->row(r->arg, c.line, buf_str(&json));
		if (e)
			return e;
	}
	return 0;
}

static int read_json_lines(str text, const struct people_reader *r)
{
	unsigned line = 0;

	for (size_t i = 0; i < text.n;) {
		const char *end = memchr(text.p + i, '\n', text.n - i);
		size_t n = end ? (size_t)(end - text.p) - i : text.n - i;
		str s = { text.p + i, n };
		int e = 0;

		line++;
		if (s.n && s.p[s.n - 1] == '\r')
			s.n--;
		if (s.n > PEOPLE_ROW_MAX)
			e = r->bad(r->arg, line, "a row of at most 8,000 bytes");
		else if (s.n)
			e = r->row(r->arg, line, s);
		if (e)
			return e;
		i += n + 1;
	}
	return 0;
}

int people_read(str text, const struct people_reader *r)
{
	size_t i = 0;

	if (str_starts(text, STR("\xef\xbb\xbf")))
		text = (str){ text.p + 3, text.n - 3 };
	while (i < text.n && (text.p[i] == ' ' || text.p[i] == '\n' || text.p[i] == '\r' || text.p[i] == '\t'))
		i++;
	return i < text.n && text.p[i] == '{' ? read_json_lines(text, r) : read_csv(text, r);
}
