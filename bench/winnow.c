/* Text to normal form to fingerprints: MB/s of one core; and the property that every shared run is found.
 *
 * bench-winnow [FILE…]                 speed on generated English and Japanese (and on files), rounds interleaved: best, quartiles
 * bench-winnow property [CUTS [SEED]]  random cuts of 32 and more normalised characters, among strangers: how many leave no common fingerprint (exit 1 if any)
 */
#include <errno.h>
#include <stdio.h>
#include <time.h>

#include "base/utf8.h"
#include "document/fingerprint.h"
#include "evidence/vfs.h"
#include "prose.h"

#define ROUNDS 31
#define BYTES (4u << 20)
#define FILE_MAX (60u << 20)
#define TEXTS_MAX 16

static const uint8_t key[FINGERPRINT_KEY] = "bench of winnow";

enum stage { NORMALISE, WINNOW, STAGES };

struct sample {
	const char *name;
	struct buf b;
	double rate[STAGES + 1][ROUNDS]; /* MB/s; the last: both */
	size_t chars, kept;
};

static void fail(const char *what)
{
	fprintf(stderr, "bench-winnow: %s\n", what);
	exit(2);
}

static int64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &ts); /* neighbours take turns on the processor */
	return ts.tv_sec * NSEC_PER_SEC + ts.tv_nsec;
}

static int by_rate(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return x < y ? 1 : x > y ? -1 : 0;
}

static void once(struct sample *s, int round, struct normalised *t, struct fingerprints *f)
{
	int64_t t0 = now_ns(), t1, t2;

	normalised_clear(t);
	if (normalise(t, buf_str(&s->b), 0) < 0)
		fail("no memory");
	t1 = now_ns();
	if (fingerprint(key, t, FINGERPRINT_K, FINGERPRINT_WINDOW, f) < 0)
		fail("no memory");
	t2 = now_ns();
	s->chars = t->n;
	s->kept = f->n;
	s->rate[NORMALISE][round] = (double)s->b.n * 1000 / (double)(t1 - t0);
	s->rate[WINNOW][round] = (double)s->b.n * 1000 / (double)(t2 - t1);
	s->rate[STAGES][round] = (double)s->b.n * 1000 / (double)(t2 - t0);
}

static int speed(int n_files, char **files)
{
	static const char *const stage[] = { "normalise", "winnow", "both" };
	static struct sample s[TEXTS_MAX] = { { .name = "English, generated" }, { .name = "Japanese, generated" } };
	struct normalised t = { 0 };
	struct fingerprints f = { 0 };
	uint64_t seed = 1;
	int n = 2;

	prose_english(&s[0].b, &seed, BYTES);
	prose_japanese(&s[1].b, &seed, BYTES);
	for (int i = 0; i < n_files && n < TEXTS_MAX; i++, n++) {
		struct buf raw = BUF_INIT;

		s[n].name = files[i];
		if (read_file(AT_FDCWD, files[i], FILE_MAX, &raw) < 0)
			fail(files[i]);
		utf8_put_clean(&s[n].b, buf_str(&raw));
		buf_free(&raw);
	}
	for (int round = -2; round < ROUNDS; round++) /* two to warm up */
		for (int i = 0; i < n; i++)
			once(&s[i], MAX(round, 0), &t, &f);
	printf("%-28s %-10s %8s %8s %8s %8s  MB/s of processor time, %d rounds\n", "text", "", "best", "upper q.", "median", "lower q.", ROUNDS);
	for (int i = 0; i < n; i++) {
		for (int k = 0; k <= STAGES; k++) {
			double *r = s[i].rate[k];

			qsort(r, ROUNDS, sizeof(*r), by_rate);
			printf("%-28.28s %-10s %8.0f %8.0f %8.0f %8.0f\n", s[i].name, stage[k], r[0], r[ROUNDS / 4], r[ROUNDS / 2], r[3 * ROUNDS / 4]);
		}
		printf("%-28s %zu characters of %zu bytes, density %.4f\n", "", s[i].chars, s[i].b.n, (double)s[i].kept / (double)MAX(s[i].chars, 1u));
		buf_free(&s[i].b);
	}
	normalised_free(&t);
	fingerprints_free(&f);
	return 0;
}

static int by_key(const void *a, const void *b)
{
	const struct fingerprint *x = a, *y = b;

	return x->key < y->key ? -1 : x->key > y->key;
}

struct source {
	struct buf b;
	struct normalised t;
	struct fingerprints f; /* sorted by key */
};

static void made(struct buf *b, struct normalised *t, struct fingerprints *f)
{
	normalised_clear(t);
	if (normalise(t, buf_str(b), 0) < 0 || fingerprint(key, t, FINGERPRINT_K, FINGERPRINT_WINDOW, f) < 0)
		fail("no memory");
}

/* The bytes of n characters of the source, between strangers. */
static bool found(const struct source *s, uint64_t *seed, struct buf *b, struct normalised *t, struct fingerprints *f)
{
	uint32_t n = FINGERPRINT_RUN + (prose_below(seed, 4) ? prose_below(seed, 9) : prose_below(seed, 400));
	uint32_t from = prose_below(seed, (uint32_t)(s->t.n - n)), at, end;

	/* At edges of clusters: a cluster may become several characters. */
	while (from > 0 && s->t.at[from] == s->t.at[from - 1])
		from--;
	n += from;
	while (n < s->t.n && s->t.at[n] == s->t.at[n - 1])
		n++;
	at = s->t.at[from];
	end = s->t.at[n];
	buf_clear(b);
	prose_english(b, seed, prose_below(seed, 60));
	buf_put(b, s->b.p + at, end - at);
	buf_putc(b, ' ');
	prose_english(b, seed, prose_below(seed, 60));
	made(b, t, f);
	for (size_t i = 0; i < f->n; i++)
		if (bsearch(&f->f[i], s->f.f, s->f.n, sizeof(*f->f), by_key))
			return true;
	return false;
}

static int property(uint64_t cuts, uint64_t seed)
{
	static const struct {
		const char *name;
		void (*make)(struct buf *, uint64_t *, size_t);
	} kind[] = { { "English", prose_english }, { "Japanese", prose_japanese } };
	struct buf b = BUF_INIT;
	struct normalised t = { 0 };
	struct fingerprints f = { 0 };
	uint64_t all = 0;

	for (size_t k = 0; k < ARRAY_SIZE(kind); k++) {
		struct source s = { .b = BUF_INIT };
		uint64_t missed = 0;

		kind[k].make(&s.b, &seed, BYTES);
		made(&s.b, &s.t, &s.f);
		qsort(s.f.f, s.f.n, sizeof(*s.f.f), by_key);
		for (uint64_t i = 0; i < cuts; i++)
			missed += !found(&s, &seed, &b, &t, &f);
		printf("%s: %llu cuts of a text of %zu characters, %llu missed\n", kind[k].name, (unsigned long long)cuts, s.t.n, (unsigned long long)missed);
		all += missed;
		buf_free(&s.b);
		normalised_free(&s.t);
		fingerprints_free(&s.f);
	}
	buf_free(&b);
	normalised_free(&t);
	fingerprints_free(&f);
	return all > 0;
}

int main(int argc, char **argv)
{
	if (argc > 1 && strcmp(argv[1], "property") == 0)
		return property(argc > 2 ? strtoull(argv[2], NULL, 10) : 1000000, argc > 3 ? strtoull(argv[3], NULL, 10) : 20251125);
	return speed(argc - 1, argv + 1);
}
