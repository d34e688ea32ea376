/* What a leaked file is from: opening, the order of asking, the verdict. */
#include "document/trace.h"

#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>

#include "base/timefmt.h"
#include "document/trace_internal.h"

_Thread_local struct why trace_last = { "no error" };

const char *trace_why(void)
{
	return trace_last.text;
}

static const char *const verdicts[] = {
	[TRACE_NONE] = "none", [TRACE_SHARED_ONLY] = "shared", [TRACE_SOURCE] = "source", [TRACE_EXACT] = "exact",
};

const char *trace_verdict_name(enum trace_verdict v)
{
	return v < ARRAY_SIZE(verdicts) ? verdicts[v] : "none";
}

/* --- opening --- */

int trace_open(const char *state, const struct trace_options *o, struct trace **ret)
{
	struct trace *t = calloc(1, sizeof(*t));
	int r;

	if (!t)
		return trace_fail(-ENOMEM, "no memory");
	if (o)
		t->o = *o;
	t->limits = t->o.limits ? *t->o.limits : extract_limits_default;
	t->limits.deadline_ms = MIN(t->limits.deadline_ms, (uint32_t)TRACE_READ_MS);
	t->state = strdup(state);
	r = t->state ? documents_open(state, false, &t->documents) : trace_fail(-ENOMEM, "no memory");
	if (r < 0 && t->state)
		trace_fail(r, "%s", documents_why());
	if (r == 0) {
		r = prints_open(state, false, &t->prints);
		if (r < 0)
			trace_fail(r, "%s", prints_why());
	}
	if (r < 0) {
		trace_close(t);
		return r;
	}
	*ret = t;
	return 0;
}

struct trace *trace_close(struct trace *t)
{
	if (!t)
		return NULL;
	trace_sources_forget(t);
	contacts_free(t->contacts);
	finding_scan_free(t->scan);
	finder_free(t->finder);
	extractor_free(t->extractor);
	extractor_free(t->ocr);
	prints_close(t->prints);
	documents_close(t->documents);
	explicit_bzero(t->key, sizeof(t->key));
	free(t->state);
	free(t);
	return NULL;
}

struct documents *trace_documents(struct trace *t)
{
	return t->documents;
}

/* --- matches --- */

struct trace_match *trace_match_find(struct trace_result *r, const uint8_t hash[static 32])
{
	for (size_t i = 0; i < r->n; i++)
		if (memcmp(r->matches[i].hash, hash, 32) == 0)
			return &r->matches[i];
	return NULL;
}

struct trace_match *trace_match_of(struct trace_result *r, const uint8_t hash[static 32])
{
	struct trace_match *m = trace_match_find(r, hash), *more;

	if (m)
		return m;
	more = r->n < TRACE_MATCHES ? reallocarray(r->matches, r->n + 1, sizeof(*more)) : NULL;
	if (!more) {
		r->more++;
		return NULL;
	}
	r->matches = more;
	m = &more[r->n++];
	*m = (struct trace_match){ 0 };
	memcpy(m->hash, hash, 32);
	return m;
}

int trace_match_alternative(struct trace_match *m, const uint8_t hash[static 32])
{
	uint8_t (*more)[32];

	for (size_t i = 0; i < m->n_alternatives; i++)
		if (memcmp(m->alternatives[i], hash, 32) == 0)
			return 0;
	more = reallocarray(m->alternatives, m->n_alternatives + 1, sizeof(*more));
	if (!more)
		return trace_fail(-ENOMEM, "no memory");
	m->alternatives = more;
	memcpy(more[m->n_alternatives++], hash, 32);
	return 0;
}

static void passage_free(struct trace_passage *p)
{
	free(p->text);
	free(p->before);
	free(p->after);
}

int trace_match_passage(struct trace_match *m, const struct trace_passage *p)
{
	struct trace_passage *more = reallocarray(m->passages, m->n_passages + 1, sizeof(*more));

	if (!more) {
		struct trace_passage copy = *p;

		passage_free(&copy);
		return trace_fail(-ENOMEM, "no memory");
	}
	m->passages = more;
	more[m->n_passages++] = *p;
	return 0;
}

void trace_match_forget_passages(struct trace_match *m)
{
	for (size_t i = 0; i < m->n_passages; i++)
		passage_free(&m->passages[i]);
	m->n_passages = m->more_passages = 0;
}

static void put_text(char **at, const char *fmt, va_list ap)
{
	char *text = NULL;

	if (vasprintf(&text, fmt, ap) < 0)
		return;
	free(*at);
	*at = text;
}

void trace_match_why(struct trace_match *m, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	put_text(&m->why, fmt, ap);
	va_end(ap);
}

void trace_note(struct trace_result *r, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	put_text(&r->note, fmt, ap);
	va_end(ap);
}

void trace_result_free(struct trace_result *r)
{
	for (size_t i = 0; i < r->n; i++) {
		struct trace_match *m = &r->matches[i];

		for (size_t k = 0; k < m->n_passages; k++)
			passage_free(&m->passages[k]);
		free(m->passages);
		free(m->alternatives);
		free(m->why);
	}
	free(r->matches);
	free(r->note);
	*r = (struct trace_result){ 0 };
}

/* --- the same bytes --- */

static int count_place(void *arg, const struct place *p)
{
	(*(size_t *)arg)++;
	return 0;
}

int trace_by_hash(struct trace *t, const struct extract_part *part, struct trace_result *ret)
{
	_cleanup_buf_ struct buf scratch = BUF_INIT;
	struct trace_match *m;
	struct facts f = { 0 };
	size_t places = 0;
	bool known;
	int r;

	if (!part->has_sha256 || !part->bytes)
		return 0;
	known = documents_facts(t->documents, part->sha256, &scratch, &f) == 0;
	r = documents_of_hash(t->documents, part->sha256, count_place, &places);
	if (r < 0)
		return trace_fail(r, "%s", documents_why());
	if (!known && !places)
		return 0;
	m = trace_match_of(ret, part->sha256);
	if (!m)
		return trace_fail(-ENOMEM, "no memory");
	m->how |= TRACE_BY_HASH;
	m->public = f.public_;
	m->verdict = m->public ? TRACE_SHARED_ONLY : TRACE_EXACT;
	m->coverage = 1;
	m->score = HUGE_VAL;
	trace_match_why(m, m->public ? "the same %llu bytes, but it is of outside origin" : "the same %llu bytes",
		(unsigned long long)part->bytes);
	return 1;
}

/* --- all together --- */

static int by_rank(const void *a, const void *b)
{
	const struct trace_match *x = a, *y = b;

	if (x->verdict != y->verdict)
		return x->verdict > y->verdict ? -1 : 1;
	if (x->score > y->score || x->score < y->score)
		return x->score > y->score ? -1 : 1;
	return x->coverage > y->coverage ? -1 : x->coverage < y->coverage;
}

/* By whatever it was found: what comes from outside accuses nobody. */
static void spare_public(struct trace *t, struct trace_match *m)
{
	if (m->verdict < TRACE_SOURCE || !trace_public(t, m->hash))
		return;
	m->public = true;
	m->verdict = TRACE_SHARED_ONLY;
	trace_match_why(m, "it is of outside origin");
}

static void finish(struct trace *t, const struct leak *l, struct trace_result *r)
{
	for (size_t i = 0; i < r->n; i++)
		spare_public(t, &r->matches[i]);
	if (r->n)
		qsort(r->matches, r->n, sizeof(*r->matches), by_rank);
	r->verdict = r->n ? r->matches[0].verdict : TRACE_NONE;
	if (!r->n && l && l->p.text.n < FINGERPRINT_RUN && !r->identifiers && !r->note)
		trace_note(r, "too short: %zu characters count, and it takes %u", l->p.text.n, FINGERPRINT_RUN);
}

static int of_text(struct trace *t, const struct text *text, struct leak *l, struct trace_result *ret)
{
	int r = leak_make(t, text, l);

	if (r < 0)
		return r;
	ret->chars = l->p.text.n;
	if (prints_lost(t->prints))
		trace_note(ret, "fingerprints are damaged: scan again");
	else if (prints_documents(t->prints) == 0)
		trace_note(ret, "there are no fingerprints yet: scan again");
	if (l->p.text.n >= FINGERPRINT_RUN)
		r = trace_by_text(t, l, ret);
	if (r == 0)
		r = trace_by_identifiers(t, l, ret);
	if (r == 0)
		r = trace_by_pictures(t, text, l->p.text.n, ret);
	if (r == 0)
		r = trace_by_likeness(t, l, ret);
	return r;
}

static int begin(struct trace *t)
{
	int r = prints_refresh(t->prints);

	trace_sources_forget(t);
	t->until = time_boottime() + TRACE_TIME_MS * 1000000LL;
	return r < 0 ? trace_fail(r, "%s", prints_why()) : 0;
}

static int whole(struct trace *t, const struct extract_part *part, const struct text *text, struct trace_result *ret)
{
	struct trace_result result = { 0 };
	struct leak l = { 0 };
	int r = begin(t);

	if (r == 0 && part)
		r = trace_by_hash(t, part, &result);
	if (r == 0)
		r = of_text(t, text, &l, &result);
	if (r >= 0)
		finish(t, &l, &result);
	leak_free(&l);
	if (r < 0) {
		trace_result_free(&result);
		return r;
	}
	*ret = result;
	return 0;
}

int trace_part(struct trace *t, const struct extract_part *part, struct trace_result *ret)
{
	return whole(t, part, &part->text, ret);
}

int trace_text(struct trace *t, const struct text *text, struct trace_result *ret)
{
	return whole(t, NULL, text, ret);
}
