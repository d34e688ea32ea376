/* Who had a content: the times in which each object held it, and whom the index knows in them. */
#include "document/holders.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/array.h"
#include "base/why.h"
#include "extract/extract.h"

#define CHANGES ((uint64_t)1 << VERB_WRITE | (uint64_t)1 << VERB_CREATE)
/* A record without an object is about whatever stands at its path. */
#define CHANGES_AT_PATH (CHANGES | (uint64_t)1 << VERB_DELETE | (uint64_t)1 << VERB_RENAME)
#define HASHES_MAX 4096 /* contents and the containers that they are parts of */

static _Thread_local struct why why;
#define fail(r, ...) why_set(&why, (r), __VA_ARGS__)

struct sighting { /* by scans; more of the same may lie between */
	int64_t first, last;
	bool ours;
};

struct seen_place {
	struct event_object object;
	bool has_object;
	size_t path, path_n; /* in texts */
};

struct question {
	struct holders *h;
	const uint8_t *hash;         /* in hand */
	struct index_span *spans;
	size_t n_spans, cap_spans;
	struct sighting *sightings;
	size_t n_sightings, cap_sightings;
	struct seen_place *places;   /* of the content in hand */
	size_t n_places, cap_places;
	uint8_t (*hashes)[32];       /* asked for, and containers: appended to while it is walked through */
	size_t n_hashes, cap_hashes;
	struct buf texts;            /* paths of places */
	void **kept;                 /* what spans point into: paths, objects */
	size_t n_kept, cap_kept;
	int64_t since, until;
	int64_t first, last;         /* of a part */
};

struct holders {
	struct index_query *q;
	struct documents *d;
	uint64_t more;
	char program[3][PATH_MAX]; /* ours */
	struct index_own own;
};

const char *holders_why(void)
{
	return why.text;
}

/* What we read to compare is in the record like any access, and is nobody's having had it. */
static void know_ourselves(struct holders *h)
{
	const char *reader;
	size_t n = 0;

	if (readlink("/proc/self/exe", h->program[n], PATH_MAX - 1) > 0)
		n++;
	for (unsigned i = 0; n < ARRAY_SIZE(h->program) && (reader = extract_program(i, h->program[n])); i++, n++)
		if (reader != h->program[n])
			snprintf(h->program[n], PATH_MAX, "%s", reader);
	for (size_t i = 0; i < n; i++)
		h->own.programs[i] = str_c(h->program[i]);
	h->own.account = geteuid();
}

int holders_open(const char *state, struct documents *d, struct holders **ret)
{
	struct holders *h = calloc(1, sizeof(*h));
	int r = h ? index_query_open(state, &h->q) : -ENOMEM;

	if (r < 0) {
		free(h);
		return fail(r, "%s", r == -ENOMEM ? "no memory" : index_why());
	}
	h->d = d;
	know_ourselves(h);
	*ret = h;
	return 0;
}

struct holders *holders_close(struct holders *h)
{
	if (h)
		index_query_close(h->q);
	free(h);
	return NULL;
}

uint64_t holders_more(const struct holders *h)
{
	return h->more;
}

#define room(p, cap, need) (array_room((p), (cap), (need)) < 0 ? fail(-ENOMEM, "no memory") : 0)

static void question_free(struct question *k)
{
	for (size_t i = 0; i < k->n_kept; i++)
		free(k->kept[i]);
	free(k->kept);
	free(k->spans);
	free(k->sightings);
	free(k->places);
	free(k->hashes);
	buf_free(&k->texts);
}

/* A copy that lives as long as the question. */
static const void *keep(struct question *k, const void *p, size_t n)
{
	void *copy = room(k->kept, k->cap_kept, k->n_kept + 1) < 0 ? NULL : malloc(n + 1);

	if (!copy)
		return NULL;
	memcpy(copy, p, n);
	k->kept[k->n_kept++] = copy;
	return copy;
}

/* --- what is asked --- */

static int add_hash(struct question *k, const uint8_t hash[static 32])
{
	int r;

	for (size_t i = 0; i < k->n_hashes; i++)
		if (memcmp(k->hashes[i], hash, 32) == 0)
			return 0;
	if (k->n_hashes == HASHES_MAX) {
		k->h->more++;
		return 0;
	}
	r = room(k->hashes, k->cap_hashes, k->n_hashes + 1);
	if (r == 0)
		memcpy(k->hashes[k->n_hashes++], hash, 32);
	return r;
}

static int add_span(struct question *k, struct index_span s, int64_t since, int64_t until)
{
	int r = room(k->spans, k->cap_spans, k->n_spans + 1);

	s.since = MAX(since, k->since);
	s.until = MIN(until, k->until);
	if (r == 0 && s.since < s.until)
		k->spans[k->n_spans++] = s;
	return r;
}

/* --- when an object held it --- */

static int take_sighting(void *arg, const struct stood *s)
{
	struct question *k = arg;
	int r = room(k->sightings, k->cap_sightings, k->n_sightings + 1);

	if (r == 0)
		k->sightings[k->n_sightings++] = (struct sighting){ s->first, s->last, memcmp(s->hash, k->hash, 32) == 0 };
	return r;
}

/* What scans saw between two changes. */
struct segment {
	int64_t from, until;   /* [ ) */
	int64_t low, high;     /* ours was seen from … to */
	bool ours, covered;
};

static void see(struct segment *g, const struct sighting *s)
{
	const int64_t ends[] = { s->first, s->last };

	if (!s->ours)
		return;
	g->covered |= s->first < g->from && s->last >= g->until;
	for (size_t i = 0; i < ARRAY_SIZE(ends); i++) {
		if (ends[i] < g->from || ends[i] >= g->until)
			continue;
		g->low = g->ours ? MIN(g->low, ends[i]) : ends[i];
		g->high = g->ours ? MAX(g->high, ends[i]) : ends[i];
		g->ours = true;
	}
}

/* Something else was seen in the same segment: there was a change that no record tells of. Between the two sightings it may have been
 * either. */
static bool narrow(struct segment *g, const struct sighting *s)
{
	const int64_t ends[] = { s->first, s->last };
	bool inside = false;

	for (size_t i = 0; !s->ours && i < ARRAY_SIZE(ends); i++) {
		if (ends[i] < g->from || ends[i] >= g->until)
			continue;
		inside = true;
		if (g->ours && ends[i] < g->low)
			g->from = ends[i] + 1;
		else if (g->ours && ends[i] > g->high)
			g->until = ends[i];
	}
	return inside;
}

static int add_segment(struct question *k, struct index_span s, int64_t from, int64_t until)
{
	struct segment g = { .from = from, .until = until };
	bool others = false;

	for (size_t i = 0; i < k->n_sightings; i++)
		see(&g, &k->sightings[i]);
	for (size_t i = 0; i < k->n_sightings; i++)
		others |= narrow(&g, &k->sightings[i]);
	return g.ours || (g.covered && !others) ? add_span(k, s, g.from, g.until) : 0;
}

/* The sightings are there: cuts time where the thing was changed. */
static int add_times(struct question *k, struct index_span s, uint64_t changes)
{
	_cleanup_free_ int64_t *times = NULL;
	int64_t from = INT64_MIN;
	size_t n = 0;
	int r = index_query_times(k->h->q, &s, changes, &times, &n);

	if (r < 0)
		return fail(r, "%s", index_why());
	for (size_t i = 0; r == 0 && i < n; i++) {
		/* Of writes that follow each other the first begins the new content. */
		if (i > 0 && times[i] - times[i - 1] < HOLDERS_QUIET_NS)
			continue;
		r = add_segment(k, s, from, times[i]);
		from = times[i];
	}
	return r == 0 ? add_segment(k, s, from, INT64_MAX) : r;
}

static int add_object(struct question *k, const struct event_object *o)
{
	const struct event_object *kept = keep(k, o, sizeof(*o));
	int r;

	k->n_sightings = 0;
	r = kept ? documents_stood_object(k->h->d, o, take_sighting, k) : -ENOMEM;
	return r < 0 ? fail(r, "%s", documents_why()) : add_times(k, (struct index_span){ .object = kept }, CHANGES);
}

static int add_path(struct question *k, str path)
{
	const char *kept = keep(k, path.p, path.n);
	int r;

	k->n_sightings = 0;
	r = kept ? documents_stood_path(k->h->d, path, take_sighting, k) : -ENOMEM;
	return r < 0 ? fail(r, "%s", documents_why()) : add_times(k, (struct index_span){ .path = { kept, path.n } }, CHANGES_AT_PATH);
}

/* --- parts of containers --- */

static int take_container(void *arg, const struct stood *s)
{
	struct question *k = arg;

	return s->first <= k->last && s->last >= k->first ? add_hash(k, s->hash) : 0;
}

/* "/a/b.zip!/c.zip!/d": what stood at /a/b.zip then. "!/" may also stand in the name of a folder: the longest container that is known
 * counts. */
static int add_containers(struct question *k, str path)
{
	size_t before = k->n_hashes;
	int r = 0;

	for (size_t n = path.n; r == 0 && n-- > 1 && k->n_hashes == before;)
		if (path.p[n] == '!' && n + 1 < path.n && path.p[n + 1] == '/')
			r = documents_stood_path(k->h->d, (str){ path.p, n }, take_container, k);
	return r < 0 && r != -ENOMEM ? fail(r, "%s", documents_why()) : r;
}

/* --- a content --- */

static int take_place(void *arg, const struct stood *s)
{
	struct question *k = arg;
	int r;

	if (k->n_places == HOLDERS_PLACES) {
		k->h->more++;
		return 0;
	}
	if (!s->has_object) {
		k->first = s->first;
		k->last = s->last;
		return add_containers(k, s->path);
	}
	r = room(k->places, k->cap_places, k->n_places + 1);
	if (r < 0)
		return r;
	k->places[k->n_places++] = (struct seen_place){ s->object, true, k->texts.n, s->path.n };
	buf_puts(&k->texts, s->path);
	return buf_error(&k->texts);
}

static bool same_object(const struct event_object *a, const struct event_object *b)
{
	return a->dev == b->dev && a->ino == b->ino && a->gen == b->gen;
}

static bool same_path(const struct question *k, const struct seen_place *a, const struct seen_place *b)
{
	return str_eq((str){ k->texts.p + a->path, a->path_n }, (str){ k->texts.p + b->path, b->path_n });
}

/* An object once, whatever names it had; a path once, whatever objects stood there. */
static bool again(const struct question *k, size_t i, bool object)
{
	for (size_t j = 0; j < i; j++)
		if (object ? same_object(&k->places[i].object, &k->places[j].object) : same_path(k, &k->places[i], &k->places[j]))
			return true;
	return false;
}

static int add_content(struct question *k, size_t which)
{
	uint8_t hash[32];
	const uint8_t *kept;
	int r;

	memcpy(hash, k->hashes[which], 32);
	kept = keep(k, hash, 32);
	if (!kept)
		return -ENOMEM;
	k->hash = kept;
	k->n_places = 0;
	buf_clear(&k->texts);
	r = add_span(k, (struct index_span){ .document = kept }, INT64_MIN, INT64_MAX);
	if (r == 0)
		r = documents_stood(k->h->d, hash, take_place, k);
	if (r < 0)
		return fail(r, "%s", documents_why());
	for (size_t i = 0; r == 0 && i < k->n_places; i++) {
		if (!again(k, i, true))
			r = add_object(k, &k->places[i].object);
		if (r == 0 && !again(k, i, false))
			r = add_path(k, (str){ k->texts.p + k->places[i].path, k->places[i].path_n });
	}
	return r;
}

int holders_each(struct holders *h, const uint8_t (*hashes)[32], size_t n, int64_t since, int64_t until,
	int (*cb)(void *arg, const struct index_who *w), void *arg)
{
	_cleanup_(question_free) struct question k = { .h = h, .since = since ? since : INT64_MIN, .until = until ? until : INT64_MAX };
	int r = 0;

	h->more = 0;
	for (size_t i = 0; r == 0 && i < n; i++)
		r = add_hash(&k, hashes[i]);
	for (size_t i = 0; r == 0 && i < k.n_hashes; i++)
		r = add_content(&k, i);
	if (r < 0 || k.n_spans == 0)
		return r;
	r = index_query_who_spans(h->q, k.spans, k.n_spans, &h->own, cb, arg);
	return r < 0 ? fail(r, "%s", index_why()) : r;
}

/* --- where it is --- */

struct latest {
	struct buf path, scanned; /* where it stands; where a scan saw it last */
	struct event_object object;
	int64_t first, time;
	bool found, has_object, gone;
};

static int take_present(void *arg, const struct place *p)
{
	struct latest *l = arg;

	l->found = true;
	l->gone = p->gone;
	l->time = p->time;
	l->object = p->object;
	l->has_object = p->has_object;
	buf_clear(&l->path);
	buf_puts(&l->path, p->path);
	return 1;
}

static int take_stood(void *arg, const struct stood *s)
{
	struct latest *l = arg;

	*l = (struct latest){ .path = l->path, .object = s->object, .has_object = s->has_object, .time = s->last, .found = true, .gone = true };
	buf_clear(&l->path);
	buf_puts(&l->path, s->path);
	return 1;
}

/* Where an object was told of last is where it stands, also when it has been moved since the last scan. A rename tells of two places at
 * once: the newer one counts. */
static int take_path(void *arg, str path, int64_t first, int64_t last)
{
	struct latest *l = arg;
	bool newer = last > l->time || (last == l->time && (first > l->first || (first == l->first && !str_eq(path, buf_str(&l->scanned)))));

	if (!newer)
		return 0;
	l->first = first;
	l->time = last;
	buf_clear(&l->path);
	buf_puts(&l->path, path);
	return 0;
}

int holders_path(struct holders *h, const uint8_t hash[static 32], struct buf *ret_path, bool *ret_gone)
{
	struct latest l = { .first = INT64_MIN };
	int r = documents_of_hash(h->d, hash, take_present, &l);

	if (r >= 0 && (!l.found || l.gone))
		r = documents_stood(h->d, hash, take_stood, &l);
	if (r < 0)
		fail(r, "%s", documents_why());
	if (r >= 0 && !l.found)
		r = fail(-ENOENT, "it stands nowhere");
	l.first = INT64_MIN;
	buf_puts(&l.scanned, buf_str(&l.path));
	if (r >= 0 && l.has_object) {
		int e = index_query_paths(h->q, &l.object, take_path, &l);

		r = e < 0 && e != -ENOENT ? fail(e, "%s", index_why()) : r; /* the record need not know it: then the scan's place stands */
	}
	if (r >= 0) {
		buf_puts(ret_path, buf_str(&l.path));
		*ret_gone = l.gone;
		r = buf_error(&l.path) ? buf_error(&l.path) : buf_error(ret_path);
	}
	buf_free(&l.path);
	buf_free(&l.scanned);
	return r < 0 ? r : 0;
}
