#include "detect/copies.h"

#include <errno.h>

#include "index/index.h"

#define WRITING_NS (15 * NSEC_PER_SEC) /* one go at writing: what is folded comes at the end of ten seconds */

struct looking {
	struct decoys *decoys;
	const struct decoy *of;
	uint64_t below, n;
	int64_t written; /* the newest writing; INT64_MAX: not met yet */
	copies_fn *fn;
	void *arg;
	int r;
};

/* Newest first. Before it was written as it is now, it was something else. */
static int look(void *arg, const struct event *e)
{
	struct looking *k = arg;
	bool writes = e->verb == VERB_WRITE || e->verb == VERB_CREATE;

	if (e->seq >= k->below || e->verb == VERB_GAP)
		return 0;
	if (e->seq <= k->of->planted_seq || (event_has(e, EV_DOCUMENT) && memcmp(e->document, k->of->document, sizeof(e->document)) != 0) ||
		(k->written != INT64_MAX && e->time < k->written - WRITING_NS))
		return 1;
	if (writes && k->written == INT64_MAX)
		k->written = e->time;
	/* With its content in the record it was known for what it is. */
	if (event_has(e, EV_DOCUMENT))
		return 0;
	k->r = decoys_mark(k->decoys, e->seq);
	if (k->r == 0)
		k->r = k->fn(k->arg, e->seq, e->time);
	return k->r || ++k->n == COPIES_MAX;
}

/* 1: the place is an object with a decoy's content that is no decoy itself. */
static int is_copy(const struct names *n, const struct decoys *d, uint64_t seq, const struct leaf *l, struct event_object *ret,
	const struct decoy **ret_of)
{
	uint8_t document[32];
	int r;

	if (decoys_count(d) == 0 || !(l->present >> PLACE_OBJECT & 1) || !(l->present >> PLACE_DOCUMENT & 1))
		return 0;
	r = evidence_content(n, l->value[PLACE_DOCUMENT], document);
	if (r < 0)
		return r == -ENODATA ? 0 : r;
	*ret_of = decoys_standing_at(d, document, seq);
	if (!*ret_of)
		return 0;
	r = evidence_object(n, l->value[PLACE_OBJECT], ret);
	if (r < 0)
		return r == -ENODATA ? 0 : r;
	return !decoys_has_object(d, ret);
}

int copies_place(const char *state, struct evidence_reader *r, struct decoys *d, uint64_t seq, const struct leaf *l, copies_fn *fn, void *arg)
{
	struct looking k = { .decoys = d, .below = seq, .written = INT64_MAX, .fn = fn, .arg = arg };
	struct event_object object;
	int e = is_copy(evidence_reader_names(r), d, seq, l, &object, &k.of);
	const struct index_filter f = { .object = &object, .since = (int64_t)l->value[PLACE_TIME] - COPIES_BACK_NS, .reverse = true };

	if (e <= 0)
		return e;
	e = index_events(state, &f, look, &k);
	return e < 0 ? e : k.r;
}

struct again {
	const char *state;
	struct evidence_reader *r;
	struct decoys *decoys;
	bool (*stop)(void);
};

static int known_already(void *arg, uint64_t seq, int64_t time)
{
	return 0;
}

static int mark_again(void *arg, uint64_t seq, const struct leaf *l)
{
	const struct again *a = arg;

	if (a->stop && a->stop())
		return -EINTR;
	return l->kind == LEAF_PLACE ? copies_place(a->state, a->r, a->decoys, seq, l, known_already, NULL) : 0;
}

int copies_again(const char *state, struct evidence_reader *r, struct decoys *d, uint64_t from, uint64_t to, bool (*stop)(void))
{
	struct again a = { state, r, d, stop };

	return decoys_count(d) ? evidence_each(r, from, to, mark_again, &a) : 0;
}
