/* Text into the detectors. The first byte says how it is divided: one span, spans that join at every so many bytes, cells. Hits are in order, inside their spans,
 * at the edges of characters; counts and values agree with them. */
#include "base/utf8.h"
#include "document/finding.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static struct finder *finder;
static struct finding_scan *scan;

static void check(bool holds)
{
	if (!holds)
		abort();
}

static bool at_character(const struct text *t, size_t i)
{
	return i == t->bytes.n || ((uint8_t)t->bytes.p[i] & 0xc0) != 0x80;
}

static void divide(struct text *t, uint8_t how)
{
	size_t step = how >= 2 ? how : t->bytes.n, from = 0;

	t->spans = calloc(t->bytes.n + 1, sizeof(*t->spans));
	check(t->spans);
	for (size_t i = 0; i <= t->bytes.n; i++) {
		bool cell = how % 2 && i < t->bytes.n && t->bytes.p[i] == '\n', end = i == t->bytes.n || (!(how % 2) && i - from >= step && at_character(t, i));

		if (!cell && !end)
			continue;
		t->spans[t->n_spans] = (struct span){ .at = (uint32_t)from, .n = (uint32_t)(i - from), .table = how % 2, .row = 1 + (uint32_t)t->n_spans / 4,
						      .col = 1 + (uint32_t)t->n_spans % 4, .zone = how % 2 ? ZONE_CELL : ZONE_BODY };
		t->n_spans++;
		from = i + cell;
	}
}

static void check_hits(const struct text *t, const struct hits *h)
{
	uint64_t count[DET_MAX_] = { 0 };

	for (size_t i = 0; i < h->n; i++) {
		const struct hit *x = &h->hit[i];
		const struct span *s;

		check(x->span < MAX(t->n_spans, 1) && x->n > 0 && (i == 0 || x->at >= h->hit[i - 1].at));
		check(at_character(t, x->at) && at_character(t, (size_t)x->at + x->n));
		s = t->n_spans ? &t->spans[x->span] : NULL;
		check((size_t)x->at + x->n <= t->bytes.n && (!s || (x->at >= s->at && x->at + x->n <= s->at + s->n)));
		check(x->detector < DET_MAX_ && (x->detector ? x->value_n > 0 : x->literal == 7));
		check(str_utf8_valid(hit_value(h, x)) || x->detector == 0);
		count[x->detector]++;
	}
	for (size_t d = 1; d < DET_MAX_ && !h->cut; d++)
		check(count[d] == h->count[d]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	const struct finder_literal extra[] = { { STR("Top Secret"), 7, true }, { STR("極秘"), 7, false } };
	struct text t = { 0 };
	struct hits h;

	if (!finder)
		check(finder_new(extra, 2, &finder) == 0 && finding_scan_new(finder, &scan) == 0);
	if (!n)
		return 0;
	utf8_put_clean(&t.bytes, (str){ (const char *)data + 1, n - 1 });
	if (t.bytes.n) { /* of exact size, so that a byte too far is seen */
		char *exact = malloc(t.bytes.n);

		check(exact);
		memcpy(exact, t.bytes.p, t.bytes.n);
		free(t.bytes.p);
		t.bytes.p = exact;
		t.bytes.cap = t.bytes.n;
	}
	divide(&t, data[0]);
	check(finding_run(scan, &t, &h) == 0);
	check_hits(&t, &h);
	text_free(&t);
	return 0;
}
