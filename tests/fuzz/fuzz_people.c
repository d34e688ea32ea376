/* A file of people. Rows that are taken are written, taken by another table, and written the same again. */
#include "who/people.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void check(bool holds)
{
	if (!holds)
		abort();
}

struct state {
	struct people *people;
	unsigned line;
};

static void check_row(const struct people *p)
{
	_cleanup_buf_ struct buf first = BUF_INIT, again = BUF_INIT;
	struct people *q = people_new();
	struct people_row row;
	const char *expect;
	str person;

	check(q && people_last(p, &row) == 0 && people_alias(p, row.person, &person) && str_eq(person, row.person));
	people_row_put(&first, &row, 1);
	check(first.n <= PEOPLE_ROW_MAX && people_add_json(q, buf_str(&first), &expect) == 0 && people_last(q, &row) == 0);
	people_row_put(&again, &row, 1);
	check(str_eq(buf_str(&first), buf_str(&again)));
	people_free(q);
}

static int on_row(void *arg, unsigned line, str json)
{
	struct state *s = arg;
	const char *expect = NULL;
	size_t before = people_count(s->people);

	check(line > s->line && json.n <= PEOPLE_ROW_MAX);
	s->line = line;
	if (people_add_json(s->people, json, &expect) == 0)
		check_row(s->people);
	else
		check(expect && people_count(s->people) == before);
	return 0;
}

static int on_bad(void *arg, unsigned line, const char *expect)
{
	struct state *s = arg;

	check(line > s->line && expect);
	s->line = line;
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	_cleanup_free_ char *copy = malloc(n ? n : 1);
	struct state s = { people_new(), 0 };
	struct people_reader reader = { on_row, on_bad, &s };

	if (copy && s.people) {
		if (n)
			memcpy(copy, data, n);
		check(people_read((str){ copy, n }, &reader) == 0);
	}
	people_free(s.people);
	return 0;
}
