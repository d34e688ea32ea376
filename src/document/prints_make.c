/* From a text to what is put: normalised, winnowed twice, sorted.
 *
 * A reader copies the running text; what stands beside it (headers and footers, notes, comments, the targets of links, what was deleted or is hidden) would cut his run
 * in two wherever the file has it in between. So it comes behind, and is winnowed for itself: no run goes from one to the other.
 */
#include <errno.h>

#include "document/prints.h"
#include "document/segment.h"

static const struct { unsigned k, window; } grams[PRINTS_KINDS] = {
	[PRINTS_TEXT] = { FINGERPRINT_K, FINGERPRINT_WINDOW }, [PRINTS_SCAN] = { FINGERPRINT_SCAN_K, FINGERPRINT_SCAN_WINDOW },
};

#define BIT(zone) (1u << (zone))
#define RUNNING (BIT(ZONE_BODY) | BIT(ZONE_TITLE) | BIT(ZONE_CELL) | BIT(ZONE_OCR))

static bool running(const struct span *s)
{
	return (RUNNING >> s->zone & 1) && !(s->flags & SPAN_HIDDEN);
}

/* Neighbours in one call: what is between them is a line's end. */
static int take_spans(struct normalised *x, const struct text *t, bool run)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < t->n_spans; i++) {
		uint32_t at = t->spans[i].at, end;

		if (running(&t->spans[i]) != run)
			continue;
		while (i + 1 < t->n_spans && running(&t->spans[i + 1]) == run)
			i++;
		end = t->spans[i].at + t->spans[i].n;
		r = normalise(x, (str){ t->bytes.p + at, end - at }, at);
	}
	return r;
}

int prints_normalise(struct normalised *x, const struct text *t, size_t *ret_aside)
{
	size_t aside;
	int r;

	normalised_clear(x);
	r = take_spans(x, t, true);
	aside = x->n;
	if (r == 0)
		r = take_spans(x, t, false);
	if (r == 0)
		*ret_aside = aside;
	return r;
}

/* Behind what is there, `from` characters further on. */
static int append(struct fingerprints *to, const struct fingerprints *more, uint32_t from)
{
	if (to->n + more->n > to->cap) {
		struct fingerprint *f = reallocarray(to->f, to->n + more->n, sizeof(*f));

		if (!f)
			return -ENOMEM;
		to->f = f;
		to->cap = to->n + more->n;
	}
	for (size_t i = 0; i < more->n; i++)
		to->f[to->n++] = (struct fingerprint){ more->f[i].key, more->f[i].pos + from };
	return 0;
}

static int winnow(struct prints_made *m, const uint8_t key[static FINGERPRINT_KEY], enum prints_kind kind)
{
	struct normalised run = m->text, aside = { m->text.c + m->aside, m->text.at + m->aside, m->text.n - m->aside, m->text.n - m->aside };
	int r;

	run.n = m->aside;
	m->f[kind].n = 0;
	r = run.n ? fingerprint(key, &run, grams[kind].k, grams[kind].window, &m->f[kind]) : 0;
	if (r < 0 || aside.n == 0)
		return r;
	m->part.n = 0;
	r = fingerprint(key, &aside, grams[kind].k, grams[kind].window, &m->part);
	return r < 0 ? r : append(&m->f[kind], &m->part, (uint32_t)m->aside);
}

static int reserve(struct posting **e, size_t *cap, size_t n)
{
	struct posting *more;

	if (n <= *cap)
		return 0;
	more = reallocarray(*e, n + n / 2, sizeof(*more));
	if (!more)
		return -ENOMEM;
	*e = more;
	*cap = n + n / 2;
	return 0;
}

/* Each key once. Of more than a store takes the lowest stay: which ones does not depend on where they stand. */
static int sort(struct prints_made *m, enum prints_kind kind)
{
	const struct fingerprints *f = &m->f[kind];
	struct posting *e;
	size_t k = 0;
	int r = reserve(&m->e[kind], &m->cap[kind], f->n);

	if (r == 0)
		r = reserve(&m->scratch, &m->cap_scratch, f->n);
	if (r < 0)
		return r;
	e = m->e[kind];
	for (size_t i = 0; i < f->n; i++)
		e[i] = (struct posting){ .key = f->f[i].key };
	postings_sort(e, m->scratch, f->n);
	for (size_t i = 0; i < f->n; i++)
		if (k == 0 || e[k - 1].key != e[i].key)
			e[k++] = e[i];
	m->n[kind] = MIN(k, (size_t)POSTINGS_OF_DOCUMENT_MAX);
	return 0;
}

int prints_make(struct prints_made *m, const uint8_t key[static FINGERPRINT_KEY], const struct text *t)
{
	int r = prints_normalise(&m->text, t, &m->aside);

	m->images = t->images;
	m->n_images = t->n_images;
	for (unsigned k = 0; r == 0 && k < PRINTS_KINDS; k++) {
		r = winnow(m, key, (enum prints_kind)k);
		if (r == 0)
			r = sort(m, (enum prints_kind)k);
	}
	return r;
}

void prints_made_free(struct prints_made *m)
{
	normalised_free(&m->text);
	fingerprints_free(&m->part);
	for (unsigned k = 0; k < PRINTS_KINDS; k++) {
		fingerprints_free(&m->f[k]);
		free(m->e[k]);
	}
	free(m->scratch);
	*m = (struct prints_made){ 0 };
}
