/* Scans, photos, retyped text: candidates by grams of eight characters, which errors leave alone more often; an alignment decides
 * between them. */
#include <errno.h>
#include <math.h>

#include "document/trace_internal.h"

#define LEAST 0.6              /* agreement of a run */
#define ALIGNED_MAX 24         /* documents that are read and aligned */
#define HOLDERS_MAX 256        /* of one gram; it says nothing if so many have it */
#define CHARS_MIN 40           /* shorter texts agree by chance */
#define CHARS_MAX 400000
#define RETYPED_MAX 20000      /* nobody types more; and what shares so little with all documents is not aligned with them for long */
#define WORTH 0.25             /* of the best one's score */
#define HITS_MIN 2
#define EVERY_GRAM 4000        /* characters: of a leak that is no longer all grams are looked for: errors make others the least ones */
#define LISTED_PERCENT 30      /* of the leak's characters must agree, or it is no match */
#define EXPLAINED_PERCENT 50   /* word for word: then the passages say it better */
#define SOURCE_AGREE 0.75      /* within the runs */
#define SOURCE_PERCENT 50      /* of the leak inside runs */
#define SOURCE_DISTINCT 64     /* characters that no other document agrees with as well; half of that in CJK */
#define AS_WELL 0.1
#define CLEAR_CHARS 400        /* of the leak for each clear error, at most */
#define UNCLEAR_PART 3         /* differences that may be either, for each clear error */
#define TYPED_ENDS 12          /* characters of a leak that is text and not a picture's, outside of all runs */

struct scored {
	uint32_t doc, hits;
	double score;
};

struct scoring {
	struct scored *d;          /* by number of the document */
	size_t n;
	uint32_t of_key[HOLDERS_MAX], n_of_key;
	uint64_t key;
	double all;
	int error;
};

static int room(struct scoring *s, uint32_t doc)
{
	size_t n = MAX((size_t)doc + 1, 2 * s->n);
	struct scored *more;

	if (doc < s->n)
		return 0;
	more = reallocarray(s->d, n, sizeof(*more));
	if (!more)
		return -ENOMEM;
	memset(more + s->n, 0, (n - s->n) * sizeof(*more));
	s->d = more;
	s->n = n;
	return 0;
}

static int end_key(struct scoring *s)
{
	int r = 0;

	for (uint32_t i = 0; r == 0 && i < s->n_of_key && s->n_of_key < HOLDERS_MAX; i++) {
		r = room(s, s->of_key[i]);
		if (r < 0)
			break;
		s->d[s->of_key[i]].doc = s->of_key[i];
		s->d[s->of_key[i]].hits++;
		s->d[s->of_key[i]].score += log((s->all + 1) / s->n_of_key + 1);
	}
	s->n_of_key = 0;
	return r;
}

static int on_holder(void *arg, uint64_t key, uint32_t doc)
{
	struct scoring *s = arg;

	if (key != s->key)
		s->error = end_key(s);
	if (s->error < 0)
		return 1;
	s->key = key;
	s->of_key[s->n_of_key++] = doc;
	return s->n_of_key == HOLDERS_MAX ? POSTINGS_NEXT : 0;
}

static int by_score(const void *a, const void *b)
{
	const struct scored *x = a, *y = b;

	if (x->score > y->score || x->score < y->score)
		return x->score > y->score ? -1 : 1;
	return x->doc < y->doc ? -1 : x->doc > y->doc;
}

static int by_key(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

/* Best first; ret_n of them are worth looking at. */
static int score_all(struct trace *t, const struct leak *l, struct scoring *s, size_t *ret_n)
{
	struct normalised run = l->p.text;
	struct fingerprints f = { 0 };
	_cleanup_free_ uint64_t *keys = NULL;
	size_t n = 0;
	int r;

	if (l->p.aside)
		run.n = l->p.aside;
	r = fingerprint(prints_key(t->prints), &run, FINGERPRINT_SCAN_K, run.n <= EVERY_GRAM ? 1 : FINGERPRINT_SCAN_WINDOW, &f);
	keys = r == 0 ? calloc(f.n + 1, sizeof(*keys)) : NULL;
	for (size_t i = 0; keys && i < f.n; i++)
		keys[i] = f.f[i].key;
	if (keys && f.n)
		qsort(keys, f.n, sizeof(*keys), by_key);
	for (size_t i = 0; keys && i < f.n; i++)
		if (n == 0 || keys[n - 1] != keys[i])
			keys[n++] = keys[i];
	fingerprints_free(&f);
	if (!keys)
		return -ENOMEM;
	r = n ? prints_find(t->prints, PRINTS_SCAN, keys, n, on_holder, s) : 0;
	if (s->error == 0)
		s->error = end_key(s);
	if (s->error < 0 || (r < 0 && r != -EUCLEAN))
		return s->error < 0 ? s->error : r;
	if (s->n)
		qsort(s->d, s->n, sizeof(*s->d), by_score);
	for (n = 0; n < MIN(s->n, (size_t)ALIGNED_MAX) && s->d[n].hits >= HITS_MIN && s->d[n].score >= WORTH * s->d[0].score; n++)
		;
	*ret_n = n;
	return 0;
}

/* --- deciding --- */

struct tried {
	struct source *s;
	struct alignment al;
	float *level;             /* of each of the leak's characters: agreement of the run it stands in */
	unsigned slots;
	struct noise noise;       /* of a leak that is text */
};

static int try_one(struct trace *t, const struct leak *l, uint32_t doc, struct tried *x)
{
	const uint8_t *hash = prints_hash(t->prints, PRINTS_SCAN, doc);
	int r = hash ? trace_source(t, hash, &x->s) : 0;

	if (r < 0 || !hash || !x->s->read)
		return r;
	r = align(&l->p.text, &x->s->p.text, LEAST, &x->al);
	if (r < 0)
		return trace_fail(r, "no memory");
	x->level = calloc(l->p.text.n + 1, sizeof(*x->level));
	if (!x->level)
		return trace_fail(-ENOMEM, "no memory");
	for (size_t i = 0; i < x->al.n; i++) {
		const struct aligned *y = &x->al.runs[i];

		for (uint32_t k = y->a_from; k < y->a_to; k++)
			x->level[k] = (float)y->same / (float)MAX(y->a_to - y->a_from, 1u);
	}
	x->slots = noise_slots(l, x->s, &x->al);
	r = l->ocr ? 0 : noise_of(l, x->s, &x->al, &x->noise);
	return r < 0 ? trace_fail(r, "no memory") : 0;
}

static uint64_t distinct_of(const struct leak *l, const struct tried *all, size_t n, size_t which, uint64_t *ret_weight)
{
	uint64_t chars = 0, weight = 0;

	for (size_t i = 0; i < l->p.text.n; i++) {
		bool own = all[which].level && all[which].level[i] > 0;

		for (size_t k = 0; k < n && own; k++)
			own = k == which || !all[k].level || all[k].level[i] < all[which].level[i] - (float)AS_WELL;
		chars += own;
		weight += own ? 1 + (l->p.text.c[i] >= 0x3040) : 0;
	}
	*ret_weight = weight;
	return chars;
}

/* Text that was not read from a picture: what differs must look like errors all the same, and lie all over it. */
static const char *doubt_of_text(const struct leak *l, const struct tried *x)
{
	const struct noise *d = &x->noise;

	if (d->places || d->values)
		return "the leak has other words or figures in its places: another instance of the same template, or another version";
	if ((uint64_t)CLEAR_CHARS * d->clear < l->p.text.n || d->unclear > UNCLEAR_PART * d->clear)
		return "what differs need not be errors, and was not read from a picture";
	if (x->al.n && (x->al.runs[0].a_from > TYPED_ENDS || l->p.text.n - x->al.runs[x->al.n - 1].a_to > TYPED_ENDS))
		return "the leak has words of its own before or behind";
	return d->outside ? "it is such text as usually comes from outside" : NULL;
}

static const char *doubt(const struct leak *l, const struct tried *x, uint64_t weight, bool public)
{
	if (public)
		return "it is of outside origin";
	if (x->slots && l->ocr)
		return "the leak has other words in its places: another instance of the same template, or another version";
	if (weight < SOURCE_DISTINCT)
		return "other documents agree with it as well";
	if ((double)x->al.same < SOURCE_AGREE * (double)x->al.length || 100 * x->al.length < SOURCE_PERCENT * l->p.text.n)
		return "too little of it agrees";
	return l->ocr ? NULL : doubt_of_text(l, x);
}

static int add_passages(const struct leak *l, const struct tried *x, struct trace_match *m)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < x->al.n; i++) {
		const struct aligned *y = &x->al.runs[i];
		const struct normalised *a = &l->p.text, *b = &x->s->p.text;
		struct trace_passage p = { .leak_from = a->at[y->a_from], .leak_to = trace_end_byte(a, &l->text->bytes, y->a_to - 1),
			.source_from = b->at[y->b_from],
			.source_to = trace_end_byte(b, &x->s->bytes, y->b_to - 1), .chars = y->a_to - y->a_from,
			.same = (float)y->same / (float)MAX(y->a_to - y->a_from, 1u) };

		if (m->n_passages >= TRACE_PASSAGES || p.source_to < p.source_from || y->a_to == y->a_from || y->b_to == y->b_from) {
			m->more_passages++;
			continue;
		}
		r = trace_passage_read(x->s, &p);
		if (r == 0)
			r = trace_match_passage(m, &p);
	}
	return r;
}

static int add_match(struct trace *t, const struct leak *l, const struct tried *all, size_t n, size_t which, struct trace_result *ret)
{
	const struct tried *x = &all[which];
	struct trace_match *m = trace_match_of(ret, x->s->hash);
	uint64_t weight, distinct = distinct_of(l, all, n, which, &weight);
	const char *because = doubt(l, x, weight, x->s->public);

	if (!m)
		return 0;
	m->how |= TRACE_BY_LIKENESS;
	m->public = x->s->public;
	m->score = MAX(m->score, (double)x->al.same * log(prints_documents(t->prints) + 2.0));
	if (m->verdict >= TRACE_SOURCE || (double)x->al.same < m->coverage * (double)l->p.text.n)
		return 0;
	m->coverage = (double)x->al.same / (double)l->p.text.n;
	m->chars = x->al.same;
	m->distinct = distinct;
	m->variant = (l->ocr ? x->slots : x->noise.places + x->noise.values) > 0;
	m->verdict = because ? TRACE_SHARED_ONLY : TRACE_SOURCE;
	trace_match_why(m, "%llu of the leak's %zu characters agree with it in order, %llu of them better than with any other document%s%s",
		(unsigned long long)x->al.same, l->p.text.n, (unsigned long long)distinct, because ? "; but " : "", because ? because : "");
	trace_match_forget_passages(m);
	return add_passages(l, x, m);
}

int trace_by_likeness(struct trace *t, const struct leak *l, struct trace_result *ret)
{
	struct scoring s = { .all = prints_documents(t->prints) };
	struct tried all[ALIGNED_MAX] = { 0 };
	size_t n = 0, m = 0;
	int r = 0;

	for (size_t i = 0; i < ret->n; i++) {
		const struct trace_match *known = &ret->matches[i];

		if (known->verdict >= TRACE_SOURCE || (!l->ocr && known->how & TRACE_BY_TEXT && 100 * known->coverage >= EXPLAINED_PERCENT &&
			l->p.text.n > EVERY_GRAM))
			return 0;
	}
	if (l->p.text.n < CHARS_MIN || l->p.text.n > (l->ocr ? CHARS_MAX : RETYPED_MAX) || (l->code && !l->ocr))
		return 0;
	r = score_all(t, l, &s, &n);
	if (r < 0)
		trace_fail(r, "no memory");
	for (; r == 0 && m < n && !trace_late(t); m++)
		r = try_one(t, l, s.d[m].doc, &all[m]);
	for (size_t i = 0; r == 0 && i < m; i++)
		if (100 * all[i].al.same >= LISTED_PERCENT * l->p.text.n)
			r = add_match(t, l, all, m, i, ret);
	for (size_t i = 0; i < m; i++) {
		alignment_free(&all[i].al);
		free(all[i].level);
	}
	free(s.d);
	return r;
}
