/* filter.c: the filter over an event, for records as they come. query.c asks the same of numbers; a test holds the two together. */
#include "index/index.h"

static bool person_matches(const struct index_filter *f, const struct event *e)
{
	char uid[24] = "";

	/* Who is not known by name can be asked for by number. */
	if (!event_has(e, EV_PERSON) && event_has(e, EV_UID))
		snprintf(uid, sizeof(uid), "uid:%u", e->uid);
	for (size_t i = 0; i < f->n_persons; i++)
		if (event_has(e, EV_PERSON) ? str_eq(f->persons[i], e->person) : f->persons[i].n && str_eq(f->persons[i], str_c(uid)))
			return true;
	return f->n_persons == 0;
}

/* A pattern is a glob; a plain path means everything below it too. */
static bool path_meant(str pattern, str path)
{
	bool plain = pattern.n && memchr(pattern.p, '/', pattern.n);

	for (size_t i = 0; plain && i < pattern.n; i++)
		plain = !memchr("*?[\\", pattern.p[i], 4);
	if (!plain)
		return str_glob(pattern, path);
	while (pattern.n > 1 && pattern.p[pattern.n - 1] == '/')
		pattern.n--;
	return str_starts(path, pattern) && (path.n == pattern.n || path.p[pattern.n] == '/');
}

static bool path_matches(const struct index_filter *f, const struct event *e)
{
	return f->path_glob.n == 0 || (event_has(e, EV_PATH) && path_meant(f->path_glob, e->path)) ||
		(event_has(e, EV_TO) && path_meant(f->path_glob, e->to));
}

static bool in_set(uint64_t asked, bool known, unsigned v)
{
	return asked == 0 || (known && asked >> v & 1);
}

bool index_matches(const struct index_filter *f, const struct event *e)
{
	if ((f->since && e->time < f->since) || (f->until && e->time >= f->until) || (f->below && e->seq >= f->below))
		return false;
	if (!in_set(f->verbs, true, e->verb) || !in_set(f->vias, event_has(e, EV_VIA), e->via) || !in_set(f->labels, event_has(e, EV_LABEL),
		e->label))
		return false;
	if (f->client.n && !(event_has(e, EV_CLIENT) && str_eq(e->client, f->client)))
		return false;
	if (f->document && !(event_has(e, EV_DOCUMENT) && memcmp(e->document, f->document, 32) == 0))
		return false;
	if (f->object && !(event_has(e, EV_OBJECT) && memcmp(&e->object, f->object, sizeof(*f->object)) == 0))
		return false;
	return person_matches(f, e) && path_matches(f, e);
}
