/* Correlations beside tests/detect/correlations.jsonl; what is expected comes from a model that shares no code with the engine
 * (tests/detect/model.py). */
#include "../test.h"

#include <jansson.h>
#include <stdio.h>

#include "base/buf.h"
#include "detect/sigma.h"

#define CASES_MIN 200
#define FIELDS_MAX 16
#define HITS_MAX 16

struct hits {
	char *line[HITS_MAX];
	size_t n;
};

static const char *cases_path;

static void take(void *arg, const struct sigma_hit *h)
{
	struct hits *all = arg;
	str id = h->rule->id.n ? h->rule->id : h->rule->title;

	assert_true(all->n < HITS_MAX);
	assert_true(asprintf(&all->line[all->n++], "%.*s\t%.*s\t%llu", STR_ARG(id), STR_ARG(h->group), (unsigned long long)h->count) > 0);
}

static int by_text(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static size_t fields_of(const json_t *map, struct sigma_field *f, char (*room)[64])
{
	const char *name;
	json_t *v;
	size_t n = 0;

	json_object_foreach((json_t *)map, name, v) {
		str text = STR("");

		assert_true(n < FIELDS_MAX);
		if (json_is_string(v))
			text = (str){ json_string_value(v), json_string_length(v) };
		else if (json_is_integer(v))
			text = (str){ room[n], (size_t)snprintf(room[n], 64, "%lld", (long long)json_integer_value(v)) };
		else if (json_is_real(v))
			text = (str){ room[n], (size_t)snprintf(room[n], 64, "%.15g", json_real_value(v)) };
		f[n++] = (struct sigma_field){ str_c(name), text, json_is_null(v) };
	}
	return n;
}

static struct sigma *rules_of(const json_t *docs, const char *name)
{
	struct sigma *s = NULL;
	size_t i;
	json_t *doc;

	assert_int_equal(sigma_new(&s), 0);
	json_array_foreach(docs, i, doc) {
		char *text = json_dumps(doc, 0); /* JSON is YAML */

		assert_non_null(text);
		assert_int_equal(sigma_add_text(s, str_c(name), str_c(text)), 0);
		free(text);
	}
	assert_int_equal(sigma_ready(s), 0);
	return s;
}

/* Whether the hits of one event are those expected; says so where they are not. */
static bool same(const char *name, size_t at, struct hits *got, const json_t *want)
{
	bool equal = got->n == json_array_size(want);

	qsort(got->line, got->n, sizeof(got->line[0]), by_text);
	for (size_t i = 0; equal && i < got->n; i++)
		equal = !strcmp(got->line[i], json_string_value(json_array_get(want, i)));
	if (!equal) {
		char *text = json_dumps(want, 0);

		print_error("%s: event %zu: want %s, got", name, at, text);
		for (size_t i = 0; i < got->n; i++)
			print_error(" [%s]", got->line[i]);
		print_error("\n");
		free(text);
	}
	for (size_t i = 0; i < got->n; i++)
		free(got->line[i]);
	return equal;
}

static bool run_case(const json_t *c)
{
	const char *name = json_string_value(json_object_get(c, "case"));
	const json_t *want = json_object_get(c, "want");
	_cleanup_sigma_ struct sigma *s = rules_of(json_object_get(c, "rules"), name);
	bool right = true;
	size_t at;
	json_t *e;

	for (size_t i = 0; i < sigma_rules(s); i++)
		if (sigma_rule(s, i)->state == SIGMA_BROKEN || sigma_rule(s, i)->state == SIGMA_UNSUPPORTED) {
			print_error("%s: rule %zu does not run: %s\n", name, i, sigma_rule(s, i)->why);
			right = false;
		}
	json_array_foreach(json_object_get(c, "events"), at, e) {
		struct sigma_field fields[FIELDS_MAX];
		char room[FIELDS_MAX][64];
		struct hits got = { .n = 0 };
		struct sigma_record r = { .fields = fields, .n = fields_of(json_object_get(e, "f"), fields, room),
			.time = json_integer_value(json_object_get(e, "t")), .seq = at, .count = (uint64_t)json_integer_value(json_object_get(e, "n")) };

		assert_int_equal(sigma_feed_fields(s, &r, take, &got), 0);
		right = same(name, at, &got, json_array_get(want, at)) && right;
	}
	if (json_object_get(c, "late")) {
		struct sigma_stat st;

		sigma_stat(s, &st);
		if (st.late != (uint64_t)json_integer_value(json_object_get(c, "late"))) {
			print_error("%s: %llu late records\n", name, (unsigned long long)st.late);
			right = false;
		}
	}
	return right;
}

static void correlations(void **state)
{
	FILE *f = fopen(cases_path, "re");
	_cleanup_free_ char *line = NULL;
	size_t size = 0, n = 0, wrong = 0;
	ssize_t len;

	(void)state;
	assert_non_null(f);
	while ((len = getline(&line, &size, f)) > 0) {
		json_t *c = json_loadb(line, (size_t)len, 0, NULL);

		assert_non_null(c);
		n++;
		wrong += !run_case(c);
		json_decref(c);
	}
	fclose(f);
	print_message("%zu cases, %zu wrong\n", n, wrong);
	assert_int_equal(wrong, 0);
	assert_true(n >= CASES_MIN);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(correlations) };

	if (argc != 2)
		return 2;
	cases_path = argv[1];
	return cmocka_run_group_tests(tests, NULL, NULL);
}
