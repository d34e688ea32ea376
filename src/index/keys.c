/* keys.c: what of a leaf the index is ordered by. */
#include <errno.h>

#include "index/internal.h"

int64_t index_who_key(const struct leaf *l)
{
	if (leaf_has(l, EV_PERSON))
		return (int64_t)l->value[EV_PERSON];
	return leaf_has(l, EV_UID) ? -(int64_t)l->value[EV_UID] : 0;
}

/* A renamed or linked object stands at `to` itself; a copy's `to` is another object's place. */
static bool to_is_place(const struct leaf *l)
{
	return leaf_has(l, EV_TO) && (l->value[EV_VERB] == VERB_RENAME || l->value[EV_VERB] == VERB_LINK);
}

size_t index_subjects(const struct leaf *l, int64_t out[static SUBJECTS_MAX])
{
	size_t n = 0;

	if (leaf_has(l, EV_OBJECT)) {
		out[n++] = SUBJECT(SUBJECT_OBJECT, l->value[EV_OBJECT]);
		if (leaf_has(l, EV_TO) && !to_is_place(l))
			out[n++] = SUBJECT(SUBJECT_TO, l->value[EV_TO]);
	} else {
		if (leaf_has(l, EV_PATH))
			out[n++] = SUBJECT(SUBJECT_PATH, l->value[EV_PATH]);
		if (leaf_has(l, EV_TO) && !(leaf_has(l, EV_PATH) && l->value[EV_TO] == l->value[EV_PATH]))
			out[n++] = SUBJECT(SUBJECT_PATH, l->value[EV_TO]);
	}
	if (leaf_has(l, EV_DOCUMENT))
		out[n++] = SUBJECT(SUBJECT_DOCUMENT, l->value[EV_DOCUMENT]);
	return n;
}

size_t index_places(const struct leaf *l, uint64_t out[static PLACES_MAX])
{
	size_t n = 0;

	if (!leaf_has(l, EV_OBJECT))
		return 0;
	if (leaf_has(l, EV_PATH))
		out[n++] = l->value[EV_PATH];
	if (to_is_place(l))
		out[n++] = l->value[EV_TO];
	return n;
}

int index_accesses(struct evidence_reader *r, uint64_t accesses, uint64_t refers, uint64_t *ret)
{
	struct leaf l;
	str packed;
	int e = evidence_read(r, refers, &packed);

	if (e < 0)
		return e;
	e = leaf_decode_any((const uint8_t *)packed.p, packed.n, &l);
	if (e < 0)
		return e;
	if (l.kind == LEAF_EVENT && l.value[EV_VERB] == VERB_OPEN)
		accesses -= MIN(accesses, leaf_accesses(&l));
	*ret = accesses;
	return 0;
}

/* Days ↔ civil date: the proleptic Gregorian calendar in eras of 400 years (146,097 days), years begun in March. */
static int64_t days_of(int64_t year, unsigned month)
{
	int64_t y = year - (month <= 2), era = (y >= 0 ? y : y - 399) / 400;
	unsigned yoe = (unsigned)(y - era * 400), doy = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5;

	return era * 146097 + yoe * 365 + yoe / 4 - yoe / 100 + doy - 719468;
}

#define DAY_NS (86400 * NSEC_PER_SEC)

int32_t month_of(int64_t ns)
{
	int64_t day = ns / DAY_NS - (ns % DAY_NS < 0), z = day + 719468, era = (z >= 0 ? z : z - 146096) / 146097;
	unsigned doe = (unsigned)(z - era * 146097);
	unsigned yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
	unsigned doy = doe - (365 * yoe + yoe / 4 - yoe / 100), mp = (5 * doy + 2) / 153;
	unsigned month = mp < 10 ? mp + 3 : mp - 9;

	return (int32_t)((era * 400 + yoe + (month <= 2)) * 12 + month - 1);
}

int64_t month_start(int32_t month)
{
	int64_t days = days_of(month / 12, (unsigned)(month % 12) + 1), ns;

	if (__builtin_mul_overflow(days, DAY_NS, &ns))
		return days < 0 ? INT64_MIN : INT64_MAX;
	return ns;
}

void month_file(int32_t month, char out[static 24])
{
	snprintf(out, 24, "%04d-%02d.db", month / 12, month % 12 + 1);
}

void aggs_free(struct aggs *a)
{
	free(a->p);
	*a = (struct aggs){ 0 };
}

static struct agg *aggs_slot(const struct aggs *a, int64_t who)
{
	uint64_t h = (uint64_t)who * 0x9e3779b97f4a7c15ULL;
	size_t i = (size_t)(h >> 32) & (a->cap - 1);

	while (a->p[i].used && a->p[i].who != who)
		i = (i + 1) & (a->cap - 1);
	return &a->p[i];
}

static int aggs_grow(struct aggs *a)
{
	struct aggs wider = { .n = a->n, .cap = a->cap ? a->cap * 2 : 64 };

	wider.p = calloc(wider.cap, sizeof(*wider.p));
	if (!wider.p)
		return -ENOMEM;
	for (size_t i = 0; i < a->cap; i++)
		if (a->p[i].used)
			*aggs_slot(&wider, a->p[i].who) = a->p[i];
	free(a->p);
	*a = wider;
	return 0;
}

struct agg *aggs_at(struct aggs *a, int64_t who)
{
	struct agg *g;

	if (a->n * 2 >= a->cap && aggs_grow(a) < 0)
		return NULL;
	g = aggs_slot(a, who);
	if (!g->used) {
		*g = (struct agg){ .who = who, .first = INT64_MAX, .last = INT64_MIN, .used = true };
		a->n++;
	}
	return g;
}

int aggs_add(struct aggs *a, int64_t who, int64_t first, int64_t last, uint64_t count, uint64_t verbs, uint64_t vias)
{
	struct agg *g = aggs_at(a, who);

	if (!g)
		return -ENOMEM;
	g->first = MIN(g->first, first);
	g->last = MAX(g->last, last);
	if (__builtin_add_overflow(g->count, count, &g->count))
		g->count = UINT64_MAX;
	g->verbs |= verbs;
	g->vias |= vias;
	return 0;
}
