/* Options are tables; they may stand anywhere between the arguments, as users of git expect. */
#include <errno.h>
#include <stdarg.h>

#include "base/buf.h"
#include "base/log.h"
#include "base/timefmt.h"
#include "cli/cli.h"

static const struct opt *find_long(const struct opt *table, str name)
{
	for (; table && table->name; table++)
		if (str_eq(name, str_c(table->name)))
			return table;
	return NULL;
}

static const struct opt *find_letter(const struct opt *table, char letter)
{
	for (; table && table->name; table++)
		if (table->letter == letter)
			return table;
	return NULL;
}

static int set_option(const struct opt *o, const char *value)
{
	struct opt_list *list;

	/* A variable of a script that was not set must not become "everything", or "here". */
	if (o->type != OPT_FLAG && *value == '\0' && !(cli.command && cli.command->hidden)) {
		usage_error("--%s needs a value: %s", o->name, o->arg);
		return -EINVAL;
	}
	switch (o->type) {
	case OPT_FLAG:
		*(bool *)o->value = true;
		return 0;
	case OPT_TEXT:
		*(const char **)o->value = value;
		return 0;
	case OPT_LIST:
		list = o->value;
		if (list->n == OPT_LIST_MAX) {
			usage_error("--%s: at most %d of them", o->name, OPT_LIST_MAX);
			return -EINVAL;
		}
		list->v[list->n++] = value;
		return 0;
	case OPT_COUNT:
		if (str_to_u64(str_c(value), o->value) == 0)
			return 0;
		usage_error("--%s %s: expected a number", o->name, value);
		return -EINVAL;
	case OPT_TIME:
		if (time_parse_user(str_c(value), time_now(), o->value) == 0)
			return 0;
		usage_error("--%s %s: expected a date, a time (RFC 3339) or an age such as 30d or 6h", o->name, value);
		return -EINVAL;
	}
	return -EINVAL;
}

/* argv[*i] is "--name", "--name=value": takes the next word as the value where one is needed. */
static int take_long(int argc, char **argv, int *i, const struct opt *common, const struct opt *own)
{
	char *word = argv[*i] + 2, *eq = strchr(word, '=');
	str name = { word, eq ? (size_t)(eq - word) : strlen(word) };
	const struct opt *o = find_long(own, name);

	if (!o)
		o = find_long(common, name);
	if (!o) {
		usage_error("unknown option --%.*s", STR_ARG(name));
		return -EINVAL;
	}
	if (o->type == OPT_FLAG) {
		if (eq) {
			usage_error("--%s takes no value", o->name);
			return -EINVAL;
		}
		return set_option(o, NULL);
	}
	if (eq)
		return set_option(o, eq + 1);
	if (*i + 1 >= argc) {
		usage_error("--%s needs a value: %s", o->name, o->arg);
		return -EINVAL;
	}
	return set_option(o, argv[++*i]);
}

/* "-n5", "-n 5", "-qv". */
static int take_letters(int argc, char **argv, int *i, const struct opt *common, const struct opt *own)
{
	for (const char *p = argv[*i] + 1; *p; p++) {
		const struct opt *o = find_letter(own, *p);
		int r;

		if (!o)
			o = find_letter(common, *p);
		if (!o) {
			usage_error("unknown option -%c", *p);
			return -EINVAL;
		}
		if (o->type == OPT_FLAG) {
			r = set_option(o, NULL);
			if (r < 0)
				return r;
			continue;
		}
		if (p[1])
			return set_option(o, p + 1);
		if (*i + 1 >= argc) {
			usage_error("-%c needs a value: %s", *p, o->arg);
			return -EINVAL;
		}
		return set_option(o, argv[++*i]);
	}
	return 0;
}

int options_parse(int argc, char **argv, const struct opt *common, const struct opt *own)
{
	int kept = 0, r;

	for (int i = 0; i < argc; i++) {
		if (strcmp(argv[i], "--") == 0) {
			for (i++; i < argc; i++)
				argv[kept++] = argv[i];
			break;
		}
		if (argv[i][0] != '-' || argv[i][1] == '\0') {
			argv[kept++] = argv[i];
			continue;
		}
		r = argv[i][1] == '-' ? take_long(argc, argv, &i, common, own) : take_letters(argc, argv, &i, common, own);
		if (r < 0)
			return r;
	}
	return kept;
}

void options_help(struct buf *b, const struct opt *table)
{
	for (; table && table->name; table++) {
		char left[64];

		snprintf(left, sizeof(left), "%c%c%s--%s%s%s", table->letter ? '-' : ' ', table->letter ? table->letter : ' ',
			table->letter ? ", " : "  ",
			table->name, table->arg ? " " : "", table->arg ? table->arg : "");
		buf_putf(b, "  %-28s %s\n", left, table->help);
	}
}

int usage_error(const char *fmt, ...)
{
	char text[1024];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	log_error("%s (see `tyto %s%s--help`)", text, cli.command ? cli.command->name : "", cli.command ? " " : "");
	return EXIT_USAGE;
}
