#include "daemon/mask.h"

#include <errno.h>

str mask_person(const struct names *n, str person, struct buf *scratch)
{
	uint64_t number = names_find(n, NAME_PERSON, person);
	size_t at = scratch->n;

	if (number)
		buf_putf(scratch, "p:%llu", (unsigned long long)number);
	else
		buf_puts(scratch, STR("p:?"));
	return (str){ scratch->p + at, scratch->n - at };
}

/* A component that is a person's name (a home directory, mostly) is replaced. */
str mask_path(const struct names *n, str path, struct buf *scratch)
{
	size_t at = scratch->n;

	for (size_t i = 0; i <= path.n;) {
		const char *slash = i < path.n ? memchr(path.p + i, '/', path.n - i) : NULL;
		size_t end = slash ? (size_t)(slash - path.p) : path.n;
		str part = { path.p + i, end - i };

		if (part.n && names_find(n, NAME_PERSON, part))
			mask_person(n, part, scratch);
		else
			buf_puts(scratch, part);
		if (slash)
			buf_putc(scratch, '/');
		i = end + 1;
	}
	return (str){ scratch->p + at, scratch->n - at };
}

void mask_event(const struct names *n, struct event *e, struct buf *scratch)
{
	static const struct { enum event_field field; size_t offset; } paths[] = {
		{ EV_PATH, offsetof(struct event, path) }, { EV_TO, offsetof(struct event, to) }, { EV_CWD, offsetof(struct event, cwd) },
	};

	/* Enough for all, so that what was returned before does not move. */
	if (buf_reserve(scratch, 3 * (size_t)EVENT_PATH_MAX * 12 + 64) < 0)
		return;
	if (event_has(e, EV_PERSON))
		e->person = mask_person(n, e->person, scratch);
	for (size_t i = 0; i < ARRAY_SIZE(paths); i++)
		if (event_has(e, paths[i].field)) {
			str *s = (str *)((char *)e + paths[i].offset);

			*s = mask_path(n, *s, scratch);
		}
	/* Numbers and texts that name the account as plainly as the name does. */
	e->present &= ~(EV_BIT(EV_UID) | EV_BIT(EV_LOGIN_UID) | EV_BIT(EV_COMMAND) | EV_BIT(EV_PARENT_COMMAND) | EV_BIT(EV_EXTRA));
}

int mask_resolve(const struct names *n, str given, str *ret)
{
	uint64_t number;

	if (!str_starts(given, STR("p:")) || str_to_u64((str){ given.p + 2, given.n - 2 }, &number) < 0 || names_find(n, NAME_PERSON, given)) {
		*ret = given;
		return 1;
	}
	return names_value(n, NAME_PERSON, number, ret) < 0 ? -ENOENT : 0;
}

static void resolve_part(const struct names *n, str part, bool glob, struct buf *ret)
{
	str name;

	if (glob && memmem(part.p, part.n, "**", 2))
		buf_puts(ret, STR("**"));
	else if (glob && (memchr(part.p, '*', part.n) || memchr(part.p, '?', part.n)))
		buf_putc(ret, '*');
	else
		buf_puts(ret, mask_resolve(n, part, &name) == 0 ? name : part);
}

static void resolve_parts(const struct names *n, str given, bool glob, struct buf *ret)
{
	for (size_t i = 0; i <= given.n;) {
		const char *slash = i < given.n ? memchr(given.p + i, '/', given.n - i) : NULL;
		size_t end = slash ? (size_t)(slash - given.p) : given.n;

		resolve_part(n, (str){ given.p + i, end - i }, glob, ret);
		if (slash)
			buf_putc(ret, '/');
		i = end + 1;
	}
}

void mask_resolve_path(const struct names *n, str given, struct buf *ret)
{
	resolve_parts(n, given, false, ret);
}

void mask_resolve_glob(const struct names *n, str given, struct buf *ret)
{
	/* Brackets may hold a slash, a backslash may stand before one. */
	if (!memchr(given.p, '[', given.n) && !memchr(given.p, '\\', given.n))
		resolve_parts(n, given, true, ret);
}
