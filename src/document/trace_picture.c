/* Pictures: the same bytes, or what looks the same. A logo stands in many documents, and in many that are not known here. */
#include <errno.h>

#include "document/trace_internal.h"

#define PICTURES_MAX 256      /* of one leak */
#define LIKE_BITS 12          /* of 64: looks alike */
#define SAME_LOOK_BITS 3      /* looks the same: saved anew, made smaller */
#define LOGO_SIDE 200         /* pixels: smaller ones are marks and icons */
#define TEXT_FEW 200          /* characters: with more the leak is a document that has a picture in it */
#define HOLDERS_MAX 64
#define BITS_LOW 20           /* set bits of a hash that says something: pages and plain areas have few or many */
#define BITS_HIGH 44

struct holder {
	uint8_t hash[32];
	uint32_t kin;
	unsigned bits;
	bool same;
};

struct finding_picture {
	struct trace *t;
	struct holder h[HOLDERS_MAX];
	size_t n;
	bool more;
};

/* Documents without text are each a family of their own. */
static uint32_t kin_of_hash(struct trace *t, const uint8_t hash[static 32], size_t i)
{
	uint32_t doc;

	return prints_number(t->prints, PRINTS_TEXT, hash, &doc) == 0 ? prints_kin(t->prints, doc) : UINT32_MAX - (uint32_t)i;
}

static int on_picture(void *arg, const uint8_t hash[static 32], unsigned bits, bool same)
{
	struct finding_picture *f = arg;
	struct holder *h = NULL;

	for (size_t i = 0; i < f->n && !h; i++)
		if (memcmp(f->h[i].hash, hash, 32) == 0)
			h = &f->h[i];
	if (!h && f->n == HOLDERS_MAX) {
		f->more = true;
		return 1;
	}
	if (!h) {
		h = &f->h[f->n++];
		*h = (struct holder){ .bits = UINT_MAX, .kin = kin_of_hash(f->t, hash, f->n) };
		memcpy(h->hash, hash, 32);
	}
	h->bits = MIN(h->bits, bits);
	h->same |= same;
	return 0;
}

static int by_likeness(const void *a, const void *b)
{
	const struct holder *x = a, *y = b;

	if (x->same != y->same)
		return x->same ? -1 : 1;
	if (x->bits != y->bits)
		return x->bits < y->bits ? -1 : 1;
	return memcmp(x->hash, y->hash, 32);
}

static unsigned kins(const struct finding_picture *f, bool same)
{
	unsigned n = 0;

	for (size_t i = 0; i < f->n; i++) {
		bool first = true;

		for (size_t k = 0; k < i; k++)
			first &= f->h[k].kin != f->h[i].kin || (same && !f->h[k].same);
		n += first && (f->h[i].same || !same);
	}
	return n;
}

static enum trace_verdict verdict_of(const struct finding_picture *f, const struct image *p, bool is_picture, const char **ret_because)
{
	const struct holder *best = &f->h[0];
	int set = __builtin_popcountll(p->phash);
	enum trace_verdict v = TRACE_SHARED_ONLY;

	*ret_because = NULL;
	if (f->more || kins(f, best->same) > 1)
		*ret_because = "other documents have it, too";
	else if (p->width < LOGO_SIDE || p->height < LOGO_SIDE)
		*ret_because = "it is as small as a logo";
	else if (!is_picture)
		*ret_because = "the leak is a document with other text, which may share a picture with many";
	else if (best->same)
		v = TRACE_EXACT;
	else if (best->bits <= SAME_LOOK_BITS && set >= BITS_LOW && set <= BITS_HIGH)
		v = TRACE_SOURCE;
	else
		*ret_because = "it only looks alike";
	return v;
}

static int add_match(struct trace *t, struct finding_picture *f, const struct image *p, bool is_picture, struct trace_result *ret)
{
	const struct holder *best = &f->h[0];
	struct trace_match *m;
	const char *because;
	enum trace_verdict v;
	int r = 0;

	qsort(f->h, f->n, sizeof(*f->h), by_likeness);
	m = trace_match_of(ret, best->hash);
	if (!m)
		return 0;
	v = verdict_of(f, p, is_picture, &because);
	m->public = trace_public(t, best->hash);
	if (m->public) {
		v = TRACE_SHARED_ONLY;
		because = "the document is of outside origin";
	}
	m->how |= TRACE_BY_PICTURE;
	if (is_picture)
		m->coverage = 1;
	m->score += best->same ? 1000 : 500;
	if (!m->why || v > m->verdict)
		trace_match_why(m, "a picture of %u×%u %s%s%s", p->width, p->height,
			best->same ? "with the same bytes stands in it" : "that looks the same stands in it", because ? "; but " : "", because ? because : "");
	m->verdict = MAX(m->verdict, v);
	for (size_t i = 1; r == 0 && i < f->n; i++)
		if (f->h[i].same == best->same && f->h[i].bits == best->bits)
			r = trace_match_alternative(m, f->h[i].hash);
	return r;
}

int trace_by_pictures(struct trace *t, const struct text *text, uint64_t chars, struct trace_result *ret)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < MIN(text->n_images, (size_t)PICTURES_MAX); i++) {
		struct finding_picture f = { .t = t };

		r = prints_pictures(t->prints, &text->images[i], LIKE_BITS, on_picture, &f);
		if (r < 0)
			return r == -EUCLEAN ? 0 : trace_fail(r, "%s", prints_why());
		r = f.n ? add_match(t, &f, &text->images[i], chars < TEXT_FEW, ret) : 0;
	}
	return r;
}
