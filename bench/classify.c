/* Text to label, findings, contacts and identifiers: MB/s of one core, beside the finder alone. bench-classify FILE…
 *
 * A FILE that ends with .csv is taken as a table, others as prose in paragraphs. Rounds are interleaved; minimum and median are printed.
 */
#include <fcntl.h>
#include <stdio.h>
#include <time.h>

#include "document/classify.h"
#include "evidence/vfs.h"

#define ROUNDS 15
#define FILE_MAX (60u << 20)

static int64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &ts); /* neighbours take turns on the processor */
	return ts.tv_sec * NSEC_PER_SEC + ts.tv_nsec;
}

static void fail(const char *what)
{
	fprintf(stderr, "bench-classify: %s\n", what);
	exit(1);
}

static void add(struct text *t, str s, struct span kind)
{
	if (t->n_spans == t->cap_spans) {
		t->cap_spans = t->cap_spans ? 2 * t->cap_spans : 1024;
		t->spans = reallocarray(t->spans, t->cap_spans, sizeof(*t->spans));
		if (!t->spans)
			fail("no memory");
	}
	if (t->bytes.n)
		buf_putc(&t->bytes, '\n');
	kind.at = (uint32_t)t->bytes.n;
	kind.n = (uint32_t)s.n;
	t->spans[t->n_spans++] = kind;
	buf_puts(&t->bytes, s);
}

static void prose(struct text *t, str s)
{
	uint32_t block = 0;

	for (size_t i = 0; i < s.n;) {
		const char *gap = memmem(s.p + i, s.n - i, "\n\n", 2);
		size_t n = gap ? (size_t)(gap - s.p) - i : s.n - i;

		if (n)
			add(t, (str){ s.p + i, n }, (struct span){ .zone = ZONE_BODY, .block = ++block });
		i += n + 2;
	}
}

static void table(struct text *t, str s)
{
	uint32_t row = 1, col = 1;

	for (size_t i = 0; i < s.n;) {
		size_t n = 0;

		while (i + n < s.n && s.p[i + n] != ',' && s.p[i + n] != '\n')
			n++;
		if (n)
			add(t, (str){ s.p + i, n }, (struct span){ .zone = ZONE_CELL, .table = 1, .row = row, .col = col });
		col = i + n < s.n && s.p[i + n] == ',' ? col + 1 : 1;
		row += col == 1;
		i += n + 1;
	}
}

static int by_time(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return x < y ? -1 : x > y;
}

static void report(const char *what, int64_t *ns, size_t bytes)
{
	const size_t middle = ROUNDS / 2;

	qsort(ns, ROUNDS, sizeof(*ns), by_time);
	printf("  %-10s best %6.1f MB/s, median %6.1f\n", what, (double)bytes / 1e6 / ((double)ns[0] / 1e9), (double)bytes / 1e6 / ((double)ns[middle] / 1e9));
}

int main(int argc, char **argv)
{
	static const uint8_t key[IDENTIFIER_KEY] = { 1 };
	struct classifier *shared = NULL;
	struct classify *c = NULL;
	struct finder *finder = NULL;
	struct finding_scan *scan = NULL;
	struct labels *labels = NULL;
	const struct finder_literal *lit;
	size_t n_lit;

	if (classifier_new(NULL, key, NULL, &shared) < 0 || classify_new(shared, &c) < 0 || labels_new(&(struct label_config){ 0 }, &labels) < 0)
		fail("classifier");
	lit = labels_literals(labels, &n_lit);
	if (finder_new(lit, n_lit, &finder) < 0 || finding_scan_new(finder, &scan) < 0)
		fail("finder");
	for (int i = 1; i < argc; i++) {
		_cleanup_buf_ struct buf b = BUF_INIT;
		struct text t = { 0 };
		struct contacts_result r = { 0 };
		struct facts f = { 0 };
		struct hits h = { 0 };
		int64_t alone[ROUNDS], whole[ROUNDS];

		if (read_file(AT_FDCWD, argv[i], FILE_MAX, &b) < 0)
			fail(argv[i]);
		if (str_ends(str_c(argv[i]), STR(".csv")))
			table(&t, buf_str(&b));
		else
			prose(&t, buf_str(&b));
		for (unsigned k = 0; k < ROUNDS; k++) {
			int64_t a = now_ns(), m;

			if (finding_run(scan, &t, &h) < 0)
				fail("finding");
			m = now_ns();
			if (classify_text(c, &t, &f, &r) < 0)
				fail("classify");
			alone[k] = m - a;
			whole[k] = now_ns() - m;
		}
		printf("%s: %.1f MB, %zu hits, %llu persons, %zu identifiers, label %s\n", argv[i], (double)t.bytes.n / 1e6, h.n, (unsigned long long)r.persons, r.n,
			f.label ? event_label_name(f.label) : "none");
		report("finding", alone, t.bytes.n);
		report("all", whole, t.bytes.n);
		text_free(&t);
	}
	finding_scan_free(scan);
	finder_free(finder);
	labels_free(labels);
	classify_free(c);
	classifier_free(shared);
	return 0;
}
