/* From a text to what is put: normalised, winnowed twice, sorted.
 *
 * A reader copies the running text; what stands beside it (headers and footers, notes, comments, the targets of links, what was deleted or
 * is hidden) would cut his run in two wherever the file has it in between. So it comes behind, and is winnowed for itself: no run goes from
 * one to the other.
 */
#include <errno.h>

#include "base/array.h"
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

/* The next run of neighbours from span *i on that stand together: what is between them is a line's end. Its bytes. */
static bool next_run(const struct text *t, size_t *i, bool run, uint32_t *ret_at, uint32_t *ret_end)
{
	size_t k = *i;

	while (k < t->n_spans && running(&t->spans[k]) != run)
		k++;
	if (k == t->n_spans)
		return false;
	*ret_at = t->spans[k].at;
	while (k + 1 < t->n_spans && running(&t->spans[k + 1]) == run)
		k++;
	*ret_end = t->spans[k].at + t->spans[k].n;
	*i = k + 1;
	return true;
}

static int take_spans(struct normalised *x, const struct text *t, bool run)
{
	uint32_t at, end;
	size_t i = 0;
	int r = 0;

	while (r == 0 && next_run(t, &i, run, &at, &end))
		r = normalise(x, (str){ t->bytes.p + at, end - at }, at);
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
	if (array_room(to->f, to->cap, to->n + more->n) < 0)
		return -ENOMEM;
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

static int add_keys(struct prints_made *m, enum prints_kind kind, const struct fingerprints *f)
{
	int r = array_room(m->e[kind], m->cap[kind], m->n[kind] + f->n);

	for (size_t i = 0; r == 0 && i < f->n; i++)
		m->e[kind][m->n[kind]++] = (struct posting){ .key = f->f[i].key };
	return r;
}

/* Each key once. Of more than a store takes the lowest stay: which ones does not depend on where they stand. */
static int sort(struct prints_made *m, enum prints_kind kind)
{
	struct posting *e = m->e[kind];
	size_t n = m->n[kind], k = 0;
	int r = array_room(m->scratch, m->cap_scratch, n);

	if (r < 0)
		return r;
	postings_sort(e, m->scratch, n);
	for (size_t i = 0; i < n; i++)
		if (k == 0 || e[k - 1].key != e[i].key)
			e[k++] = e[i];
	m->n[kind] = MIN(k, (size_t)POSTINGS_OF_DOCUMENT_MAX);
	return 0;
}

static void begin(struct prints_made *m, const struct text *t)
{
	for (unsigned k = 0; k < PRINTS_KINDS; k++)
		m->n[k] = 0;
	m->images = t->images;
	m->n_images = t->n_images;
}

int prints_make(struct prints_made *m, const uint8_t key[static FINGERPRINT_KEY], const struct text *t)
{
	int r = prints_normalise(&m->text, t, &m->aside);

	begin(m, t);
	for (unsigned k = 0; r == 0 && k < PRINTS_KINDS; k++) {
		r = winnow(m, key, (enum prints_kind)k);
		if (r == 0)
			r = add_keys(m, (enum prints_kind)k, &m->f[k]);
		if (r == 0)
			r = sort(m, (enum prints_kind)k);
	}
	return r;
}

/* --- in pieces: what a scan needs, in memory that does not grow with the text --- */

#define PIECE (1u << 20)     /* bytes */
#define LOOK_BACK 4096
#define CARRY 64             /* characters */

_Static_assert(CARRY >= FINGERPRINT_K + FINGERPRINT_WINDOW - 2 && CARRY >= FINGERPRINT_SCAN_K + FINGERPRINT_SCAN_WINDOW - 2,
		"every window is whole in one piece");

/* Before what never joins the character before it: ASCII, and most ideographs (U+4000…U+9FFF). */
static size_t piece_of(str s)
{
	size_t n = PIECE;

	if (s.n <= PIECE)
		return s.n;
	for (; n > PIECE - LOOK_BACK; n--) {
		uint8_t c = (uint8_t)s.p[n];

		if (c < 0x80 || (c >= 0xe4 && c <= 0xe9))
			return n;
	}
	for (n = PIECE; ((uint8_t)s.p[n] & 0xc0) == 0x80; n--)
		;
	return n;
}

/* Winnows what has come and keeps its end. A window that lies in what was kept was there already, and its key comes once more: each is put
 * once. */
static int drain(struct prints_made *m, const uint8_t key[static FINGERPRINT_KEY])
{
	struct normalised *x = &m->text;
	int r = 0;

	for (unsigned k = 0; r == 0 && k < PRINTS_KINDS; k++) {
		r = fingerprint(key, x, grams[k].k, grams[k].window, &m->part);
		if (r == 0)
			r = add_keys(m, (enum prints_kind)k, &m->part);
		if (r == 0 && m->n[k] > 2 * POSTINGS_OF_DOCUMENT_MAX)
			r = sort(m, (enum prints_kind)k);
	}
	if (r == 0 && x->n > CARRY) {
		memmove(x->c, x->c + x->n - CARRY, CARRY * sizeof(*x->c));
		x->n = CARRY;
	}
	return r;
}

static int make_run(struct prints_made *m, const uint8_t key[static FINGERPRINT_KEY], const struct text *t, bool run)
{
	struct normalised *x = &m->text;
	size_t i = 0, kept = 0;
	uint32_t at, end;
	int r = 0;

	normalised_clear(x);
	while (r == 0 && next_run(t, &i, run, &at, &end)) {
		while (r == 0 && at < end) {
			size_t n = piece_of((str){ t->bytes.p + at, end - at });

			r = normalise(x, (str){ t->bytes.p + at, n }, 0);
			at += (uint32_t)n;
			if (r == 0 && x->n >= PIECE / 2) {
				r = drain(m, key);
				kept = x->n;
			}
		}
	}
	return r == 0 && x->n > kept ? drain(m, key) : r;
}

int prints_make_keys(struct prints_made *m, const uint8_t key[static FINGERPRINT_KEY], const struct text *t)
{
	int r;

	begin(m, t);
	r = make_run(m, key, t, true);
	if (r == 0)
		r = make_run(m, key, t, false);
	for (unsigned k = 0; r == 0 && k < PRINTS_KINDS; k++)
		r = sort(m, (enum prints_kind)k);
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
