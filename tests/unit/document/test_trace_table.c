/* Tables: rows in any order, columns dropped, another format; and lists that only look alike. */
#include "trace_case.h"

#include "extract/extract.h"

static unsigned mix(unsigned x)
{
	x = (x ^ 61) ^ (x >> 16);
	x *= 9;
	x ^= x >> 4;
	x *= 0x27d4eb2d;
	return x ^ x >> 15;
}

static const char *first_of(unsigned x)
{
	static const char *const names[] = { "Anna", "Boris", "Chiyo", "Dora", "Emil", "Fumi", "Greta", "Hiro" };

	return names[x % 8];
}

/* Of client n: e-mail, phone, name, number; a customer stands in one list of `lists`. */
static const char *email(unsigned n)
{
	return case_text("%s.%x@firm-%u.example", first_of(mix(n)), mix(n) & 0xffff, n % 97);
}

static const char *row(unsigned n, unsigned columns)
{
	static const char *const parts[] = { "berg", "mann", "ito", "zawa", "son", "land", "mori", "tani" };
	const char *name = case_text("%s %s%s%u", first_of(mix(n)), parts[mix(n + 7) % 8], parts[mix(n + 9) % 8], n % 10), *to = "";

	if (columns & 1)
		to = case_text("%s%s,", to, name);
	if (columns & 2)
		to = case_text("%s%s,", to, email(n));
	if (columns & 4)
		to = case_text("%sC-%06u,", to, mix(n) % 1000000);
	if (columns & 16)
		to = case_text("%s+81 90-%04u-%04u,", to, 1000 + mix(n) % 9000, mix(n + 3) % 10000);
	if (columns & 32) /* the same numbers, written otherwise */
		to = case_text("%s090 %04u %04u,", to, 1000 + mix(n) % 9000, mix(n + 3) % 10000);
	if (columns & 8)
		to = case_text("%s2026-%02u-%02u,%u.00", to, 1 + n % 12, 1 + n % 28, 100 * (n % 50));
	return to;
}

static const char *table(unsigned from, unsigned n, unsigned step, unsigned columns, const char *head)
{
	static char all[1 << 17];
	size_t at = (size_t)snprintf(all, sizeof(all), "%s", head);

	for (unsigned i = 0; i < n; i++)
		at += (size_t)snprintf(all + at, sizeof(all) - at, "%s\n", row(from + (i * step) % n, columns));
	return all;
}

static void fill(void)
{
	case_begin();
	for (unsigned i = 0; i < 5; i++)
		case_put_text(case_text("clients-%u.csv", i), table(1000 * i, 60, 1, 31, "name,email,number,phone,since,amount\n"));
	case_put_text("notes.txt", case_prose(3, 3000));
}

static void any_column(void **state)
{
	const struct trace_result *r;

	fill();
	/* A fifth of the rows, in another order, one column. */
	r = case_trace_text(table(2000, 12, 5, 2, ""));
	assert_string_equal(case_said(r), "source clients-2.csv");
	assert_true(r->matches[0].how & TRACE_BY_IDENTIFIERS);
	assert_true(r->identifiers == 12 && r->matches[0].identifiers == 12);
	assert_non_null(strstr(r->matches[0].why, "12 of 12"));
	r = case_trace_text(table(4000, 60, 7, 4, ""));
	assert_string_equal(case_said(r), "source clients-4.csv");
	r = case_trace_text(table(3000, 20, 7, 1, ""));
	assert_string_equal(case_name(r->matches[0].hash), "clients-3.csv");
	r = case_trace("leak.json", str_c(case_text("[{\"mail\":\"%s\"},\n{\"mail\":\"%s\"},\n{\"mail\":\"%s\"}]", email(1003), email(1010), email(1044))));
	assert_string_equal(case_said(r), "shared clients-1.csv"); /* so few tell nothing */
	case_end();
}

/* A number or an address is one value, not also the cell that it stands in: the document's side keeps no such cells, which would speak against it. */
static void details_are_no_cells(void **state)
{
	static const unsigned columns[] = { 16, 32, 2, 18, 34 }, values[] = { 12, 12, 12, 24, 24 };

	fill();
	for (size_t i = 0; i < ARRAY_SIZE(columns); i++)
		for (int csv = 0; csv < 2; csv++) {
			const char *leak = table(2000, 12, 5, columns[i], csv ? "a,b\n" : "");
			const struct trace_result *r = csv ? case_trace("leak.csv", str_c(leak)) : case_trace_text(leak);

			assert_string_equal(case_said(r), "source clients-2.csv");
			assert_int_equal(r->identifiers, values[i]);
			assert_int_equal(r->matches[0].identifiers, values[i]);
		}
	case_end();
}

static void copies_of_a_table(void **state)
{
	const struct trace_result *r;

	fill();
	/* An older export without the last ten, and one with another column: both hold all of the leak. */
	case_put_text("clients-1-b.csv", table(1000, 60, 1, 3, "name,email\n"));
	r = case_trace_text(table(1000, 60, 7, 2, ""));
	assert_true(r->verdict == TRACE_SOURCE && r->matches[0].n_alternatives == 1);
	case_end();
}

/* Most of the rows stand in an older state, too: that all of the leak's stand in the newer one tells which it is. */
static void states_of_a_table(void **state)
{
	static const unsigned columns[] = { 2, 16, 18 };
	const struct trace_result *r;

	fill();
	case_put_text("clients-2-old.csv", table(2000, 52, 1, 31, "name,email,number,phone,since,amount\n"));
	for (size_t i = 0; i < ARRAY_SIZE(columns); i++) {
		r = case_trace_text(table(2000, 60, 7, columns[i], ""));
		assert_string_equal(case_said(r), "source clients-2.csv");
		assert_true(r->matches[0].n_alternatives == 0);
	}
	/* What both have. */
	r = case_trace_text(table(2000, 40, 7, 2, ""));
	assert_true(r->verdict == TRACE_SOURCE && r->matches[0].n_alternatives == 1);
	/* A state that nobody knows. */
	r = case_trace_text(table(2000, 64, 7, 2, ""));
	assert_true(r->verdict < TRACE_SOURCE);
	case_end();
}

static void nobody_is_accused(void **state)
{
	const struct trace_result *r;
	_cleanup_buf_ struct buf b = BUF_INIT;

	fill();
	/* Other clients; a third of them known. */
	r = case_trace_text(table(2040, 60, 7, 3, ""));
	assert_true(r->verdict < TRACE_SOURCE);
	r = case_trace_text(table(8000, 60, 7, 15, ""));
	assert_true(r->verdict < TRACE_SOURCE);
	/* A letter that happens to go to many of them. */
	buf_puts(&b, STR("To: "));
	for (unsigned i = 0; i < 12; i++)
		buf_putf(&b, "%s, ", email(1000 + i));
	buf_putf(&b, "\n\n%s", case_prose(55, 2500));
	r = case_trace("leak.txt", buf_str(&b));
	assert_true(r->verdict < TRACE_SOURCE);
	case_end();
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(any_column), cmocka_unit_test(details_are_no_cells), cmocka_unit_test(copies_of_a_table), cmocka_unit_test(states_of_a_table),
		cmocka_unit_test(nobody_is_accused) };

	if (argc > 1 && strcmp(argv[1], EXTRACT_ROLE) == 0)
		return extract_worker_main(argc - 2, argv + 2);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
