/* Rules beside records of their own fields: sigma-match RULES… < RECORDS. A record a line: {"fields": {"Image": "…", "n": 1, "l": ["a"], "x": null}, "time": ns,
 * "seq": n, "count": n}; a line out: the ids of what fired, comma-separated, empty where nothing did. Used by eval/. */
#include <jansson.h>
#include <stdio.h>

#include "base/buf.h"
#include "detect/sigma.h"

#define FIELDS_MAX 1024

static void put_id(void *arg, const struct sigma_hit *h)
{
	bool *any = arg;

	printf("%s%.*s", *any ? "," : "", STR_ARG(h->rule->id.n ? h->rule->id : h->rule->title));
	*any = true;
}

static void add(struct sigma_field *f, size_t *n, char (*room)[64], const char *name, const json_t *v)
{
	str text = STR("");

	if (*n == FIELDS_MAX)
		return;
	if (json_is_string(v))
		text = (str){ json_string_value(v), json_string_length(v) };
	else if (json_is_boolean(v))
		text = json_is_true(v) ? STR("true") : STR("false");
	else if (json_is_number(v))
		text = (str){ room[*n], (size_t)(json_is_integer(v) ? snprintf(room[*n], 64, "%lld", (long long)json_integer_value(v)) :
								      snprintf(room[*n], 64, "%.17g", json_real_value(v))) };
	f[(*n)++] = (struct sigma_field){ str_c(name), text, json_is_null(v) };
}

int main(int argc, char **argv)
{
	static struct sigma_field fields[FIELDS_MAX];
	static char room[FIELDS_MAX][64];
	_cleanup_sigma_ struct sigma *s = NULL;
	_cleanup_free_ char *line = NULL;
	size_t size = 0;
	ssize_t len;

	if (sigma_new(&s) < 0)
		return 1;
	for (int i = 1; i < argc; i++)
		if (sigma_add_path(s, argv[i]) < 0)
			return 1;
	if (sigma_ready(s) < 0)
		return 1;
	while ((len = getline(&line, &size, stdin)) > 0) {
		json_t *j = json_loadb(line, (size_t)len, JSON_ALLOW_NUL, NULL), *v, *one;
		struct sigma_record r = { .fields = fields, .time = json_integer_value(json_object_get(j, "time")),
			.seq = (uint64_t)json_integer_value(json_object_get(j, "seq")), .count = (uint64_t)json_integer_value(json_object_get(j, "count")) };
		const char *name;
		bool any = false;
		size_t i;

		if (!j)
			return 1;
		json_object_foreach(json_object_get(j, "fields"), name, v) {
			if (json_is_array(v)) {
				json_array_foreach(v, i, one)
					add(fields, &r.n, room, name, one);
			} else {
				add(fields, &r.n, room, name, v);
			}
		}
		if (sigma_feed_fields(s, &r, put_id, &any) < 0)
			return 1;
		putchar('\n');
		json_decref(j);
	}
	return 0;
}
