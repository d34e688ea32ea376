/* The store of fingerprints at size: bytes of disk a byte of text, and how long a page of text is looked up.
 *
 *   bench-prints make  STATE DOCUMENTS [CHARACTERS]    makes it: CHARACTERS of text a document on average (3,000)
 *   bench-prints ask   STATE DOCUMENTS [CHARACTERS]    400 pages of 3,000 characters, warm; half of them stand in a document, half in none
 *   bench-prints cold  STATE DOCUMENTS [CHARACTERS]    20 of them, each in a store that is opened anew behind a dropped page cache (root)
 *   bench-prints files DIR DOCUMENTS [CHARACTERS]      the first DOCUMENTS as text files, 1,000 a folder, and the pages in DIR/pages: for bench/trace.py
 *
 * Text is drawn by Zipf from 40,000 made-up words, in turn English and Japanese; document N is the same in every run. Of ten documents one ends with one of 20
 * disclaimers, and two are versions of the one before: every fifth sentence is another.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "document/prints.h"

#define WORDS 40000
#define PAGE 3000
#define PAGES 400
#define COLD 20
#define COMMIT_EVERY 64
#define OF_KEY_MAX 64 /* documents of a key, as trace takes them */

static int64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * NSEC_PER_SEC + ts.tv_nsec;
}

static void fail(const char *what)
{
	fprintf(stderr, "bench-prints: %s: %s\n", what, prints_why());
	exit(1);
}

/* --- text --- */

static uint64_t rng;

static uint64_t draw(void)
{
	rng += 0x9e3779b97f4a7c15ULL;
	uint64_t x = rng;

	x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9ULL;
	x = (x ^ x >> 27) * 0x94d049bb133111ebULL;
	return x ^ x >> 31;
}

static char words[2][WORDS][24];
static double upto[WORDS];

static void put_utf8(char **at, uint32_t c)
{
	*(*at)++ = (char)(0xe0 | c >> 12);
	*(*at)++ = (char)(0x80 | (c >> 6 & 0x3f));
	*(*at)++ = (char)(0x80 | (c & 0x3f));
}

static char *stpcpy_short(char *to, const char *from)
{
	while (*from)
		*to++ = *from++;
	return to;
}

/* Frequent words are short in both. */
static void make_words(void)
{
	static const char *const syllables[] = { "a", "be", "con", "de", "er", "fi", "gra", "ho", "in", "ju", "ka", "lo", "men", "ne", "or", "pre", "qui", "re", "st",
		"tion", "u", "ve", "wi", "y" };
	double sum = 0;

	rng = 1;
	for (unsigned w = 0; w < WORDS; w++) {
		unsigned length = 1 + (w > 20) + (w > 1000 && draw() % 2) + (w > 10000 && draw() % 2);
		char *at = words[1][w], *end = words[0][w];

		for (unsigned i = 0; i < length; i++)
			end = stpcpy_short(end, syllables[draw() % ARRAY_SIZE(syllables)]);
		for (unsigned i = 0; i < length; i++)
			put_utf8(&at, w < 60 ? 0x3041 + (uint32_t)(draw() % 82) : draw() % 4 ? 0x4e00 + (uint32_t)(draw() % 2500) : 0x30a1 + (uint32_t)(draw() % 80));
		sum += 1.0 / (w + 2.7);
		upto[w] = sum;
	}
	for (unsigned w = 0; w < WORDS; w++)
		upto[w] /= sum;
}

static unsigned draw_word(void)
{
	double x = (double)(draw() >> 11) * 0x1p-53;
	unsigned lo = 0, hi = WORDS - 1;

	while (lo < hi) {
		unsigned mid = (lo + hi) / 2;

		if (upto[mid] < x)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

/* Returns characters. */
static size_t sentence(struct buf *b, uint64_t seed, bool japanese)
{
	unsigned n;
	size_t chars = 0, from = b->n;

	rng = seed * 0x632be59bd9b4e019ULL;
	n = 6 + (unsigned)(draw() % 20);
	for (unsigned i = 0; i < n; i++) {
		if (i && !japanese)
			buf_putc(b, ' ');
		buf_puts(b, str_c(words[japanese][draw_word()]));
	}
	buf_puts(b, japanese ? STR("。") : STR(". "));
	for (size_t i = from; i < b->n; i++)
		chars += (b->p[i] & 0xc0) != 0x80;
	return chars;
}

/* Of document d, at most so many characters. A version's sentences are those of the one before, but every fifth. */
static void write_document(struct buf *b, uint64_t d, size_t average, size_t max)
{
	uint64_t of = d % 10 >= 8 ? d - d % 10 + 7 : d;
	bool japanese = of / 10 % 2;
	size_t chars = 0, want;

	rng = of * 77;
	want = MIN(average / 4 + (size_t)(draw() % (average * 3 / 2)), max);
	for (uint64_t i = 0; chars < want; i++)
		chars += sentence(b, (i % 5 == d % 10 - 7 && d != of ? d : of) << 20 | i, japanese);
	for (uint64_t i = 0; d % 10 == 3 && i < 6; i++)
		sentence(b, (1ULL << 50) + (d / 10 % 20) * 100 + i, japanese);
}

static void as_text(struct buf *b, struct text *t, struct span *s)
{
	*s = (struct span){ .n = (uint32_t)b->n, .zone = ZONE_BODY };
	*t = (struct text){ .bytes = *b, .spans = s, .n_spans = 1 };
}

/* --- making --- */

/* What is ours alone: pages of the store that the kernel has in its cache, and maps, are not. */
static uint64_t own_mib(void)
{
	_cleanup_close_ int dir = open("/proc/self", O_RDONLY | O_DIRECTORY | O_CLOEXEC), fd = openat(dir, "status", O_RDONLY | O_CLOEXEC);
	char text[4096] = "", *at;

	if (read(fd, text, sizeof(text) - 1) < 0 || !(at = strstr(text, "RssAnon:")))
		return 0;
	return strtoull(at + 8, NULL, 10) / 1024;
}

struct language { /* English, Japanese */
	uint64_t bytes, n[PRINTS_KINDS];
};

static void say_sizes(const struct prints *p, const struct language l[2])
{
	const uint64_t bytes = l[0].bytes + l[1].bytes;
	struct prints_stat st;

	prints_stat(p, &st);
	for (unsigned i = 0; i < 2; i++)
		printf("%s: %.3f bytes of disk a byte of text for k=12, %.3f for k=8\n", i ? "Japanese" : "English",
			(double)st.disk[PRINTS_TEXT] / (double)st.postings[PRINTS_TEXT] * (double)l[i].n[PRINTS_TEXT] / (double)l[i].bytes,
			(double)st.disk[PRINTS_SCAN] / (double)st.postings[PRINTS_SCAN] * (double)l[i].n[PRINTS_SCAN] / (double)l[i].bytes);
	printf("k=12: %llu postings, %.2f bytes each, %.3f a byte of text; k=8: %llu, %.2f, %.3f; %u kins of %u documents\n",
		(unsigned long long)st.postings[PRINTS_TEXT], (double)st.disk[PRINTS_TEXT] / (double)st.postings[PRINTS_TEXT],
		(double)st.disk[PRINTS_TEXT] / (double)bytes, (unsigned long long)st.postings[PRINTS_SCAN],
		(double)st.disk[PRINTS_SCAN] / (double)st.postings[PRINTS_SCAN], (double)st.disk[PRINTS_SCAN] / (double)bytes, prints_kins(p), prints_documents(p));
}

static void make(const char *state, uint64_t n, size_t average)
{
	struct prints_made m = { 0 };
	struct prints *p = NULL;
	struct buf b = BUF_INIT;
	int64_t t = now_ns(), text = 0, made = 0, putting = 0;
	struct language l[2] = { 0 };

	if (prints_open(state, true, &p) < 0)
		fail(state);
	for (uint64_t d = 0; d < n; d++) {
		uint8_t hash[32] = { 1 };
		struct text x;
		struct span s;
		int64_t t0 = now_ns(), t1, t2;

		buf_clear(&b);
		write_document(&b, d, average, SIZE_MAX);
		as_text(&b, &x, &s);
		memcpy(hash, &(uint64_t){ d * 0x9e3779b97f4a7c15ULL }, 8);
		memcpy(hash + 8, &d, 8);
		t1 = now_ns();
		if (prints_make(&m, prints_key(p), &x) < 0)
			fail("make");
		t2 = now_ns();
		if (prints_put(p, hash, &m) < 0 || (d % COMMIT_EVERY == 0 && prints_commit(p) < 0))
			fail("put");
		l[d / 10 % 2].bytes += b.n;
		for (unsigned k = 0; k < PRINTS_KINDS; k++)
			l[d / 10 % 2].n[k] += m.n[k];
		text += t1 - t0;
		made += t2 - t1;
		putting += now_ns() - t2;
	}
	if (prints_commit(p) < 0)
		fail("commit");
	printf("%llu documents, %.0f MB of text: %.0f s (text %.0f s, fingerprints %.0f s, putting %.0f s = %.0f µs a document); %llu MiB of memory\n",
		(unsigned long long)n, (double)(l[0].bytes + l[1].bytes) / 1e6, (double)(now_ns() - t) / 1e9, (double)text / 1e9, (double)made / 1e9, (double)putting / 1e9,
		(double)putting / 1e3 / (double)n, (unsigned long long)own_mib());
	say_sizes(p, l);
	prints_close(p);
	prints_made_free(&m);
	buf_free(&b);
}

/* --- asking --- */

struct asked {
	uint32_t *count;       /* of a document, how many keys; forgotten behind each page */
	uint32_t n, of_key;
	uint64_t key, holders;
	uint32_t best;
};

static int take(void *arg, uint64_t key, uint32_t doc)
{
	struct asked *a = arg;

	if (key != a->key)
		a->of_key = 0;
	a->key = key;
	a->holders++;
	if (doc < a->n && ++a->count[doc] > a->best)
		a->best = a->count[doc];
	return ++a->of_key == OF_KEY_MAX ? POSTINGS_NEXT : 0;
}

static int by_time(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return x < y ? -1 : x > y;
}

static size_t keys_of(const struct prints_made *m, enum prints_kind kind, uint64_t **ret)
{
	*ret = realloc(*ret, (m->n[kind] + 1) * sizeof(**ret));
	for (size_t i = 0; i < m->n[kind]; i++)
		(*ret)[i] = m->e[kind][i].key;
	return m->n[kind];
}

/* An even one stands in a document, an odd one in none. */
static void write_page(struct buf *b, unsigned i, uint64_t n, size_t average)
{
	rng = 4711 + i;
	if (i % 2 == 0) {
		write_document(b, draw() % n, average, PAGE);
	} else {
		for (size_t chars = 0, k = 0; chars < PAGE; k++)
			chars += sentence(b, 1ULL << 60 | (uint64_t)i << 20 | k, i / 2 % 2);
	}
}

/* Page i into m. */
static void page(struct prints_made *m, const uint8_t *key, unsigned i, uint64_t n, size_t average)
{
	struct buf b = BUF_INIT;
	struct text x;
	struct span s;

	write_page(&b, i, n, average);
	as_text(&b, &x, &s);
	if (prints_make(m, key, &x) < 0)
		fail("make");
	buf_free(&b);
}

static int64_t look(struct prints *p, enum prints_kind kind, const struct prints_made *m, struct asked *a)
{
	uint64_t *keys = NULL;
	size_t n = keys_of(m, kind, &keys);
	int64_t t = now_ns();

	a->best = 0;
	a->key = UINT64_MAX;
	memset(a->count, 0, a->n * sizeof(*a->count));
	if (prints_find(p, kind, keys, n, take, a) < 0)
		fail("find");
	t = now_ns() - t;
	free(keys);
	return t;
}

static void begin(const char *state, struct prints **p, struct asked *a)
{
	int64_t t = now_ns();

	if (prints_open(state, false, p) < 0)
		fail(state);
	printf("opened in %.1f ms; ", (double)(now_ns() - t) / 1e6);
	a->n = prints_documents(*p) + 1000;
	a->count = calloc(a->n, sizeof(*a->count));
}

static void say_times(const char *what, int64_t *took, size_t n)
{
	qsort(took, n, sizeof(*took), by_time);
	printf("%s p50 %.2f ms p99 %.2f ms worst %.2f ms; ", what, (double)took[n / 2] / 1e6, (double)took[n * 99 / 100] / 1e6, (double)took[n - 1] / 1e6);
}

static void ask(const char *state, uint64_t n, size_t average)
{
	static int64_t took[PRINTS_KINDS][PAGES];
	struct prints_made m = { 0 };
	struct asked a = { 0 };
	struct prints *p = NULL;
	unsigned found = 0, mistaken = 0;

	begin(state, &p, &a);
	for (unsigned i = 0; i < PAGES; i++) {
		page(&m, prints_key(p), i, n, average);
		for (unsigned k = 0; k < PRINTS_KINDS; k++) {
			took[k][i] = look(p, (enum prints_kind)k, &m, &a);
			if (k != PRINTS_TEXT)
				continue;
			found += i % 2 == 0 && a.best * 3 >= m.n[k] * 2;
			mistaken += i % 2 && a.best * 2 >= m.n[k];
		}
	}
	say_times("k=12", took[PRINTS_TEXT], PAGES);
	say_times("k=8", took[PRINTS_SCAN], PAGES);
	printf("%u of %u found, %u mistaken; %llu holders a page; %llu MiB of memory\n", found, PAGES / 2, mistaken, (unsigned long long)a.holders / PAGES,
		(unsigned long long)own_mib());
	prints_close(p);
}

static void drop_cache(void)
{
	int fd = open("/proc/sys/vm/drop_caches", O_WRONLY | O_CLOEXEC);

	sync();
	if (fd < 0 || write(fd, "3", 1) != 1) {
		fprintf(stderr, "bench-prints: the page cache cannot be dropped: %s\n", strerror(errno));
		exit(1);
	}
	close(fd);
}

static void cold(const char *state, uint64_t n, size_t average)
{
	static int64_t opening[COLD], took[PRINTS_KINDS][COLD];
	struct prints_made m = { 0 };
	struct asked a = { .n = (uint32_t)n + 1000 };

	a.count = calloc(a.n, sizeof(*a.count));
	for (unsigned i = 0; i < COLD; i++) {
		struct prints *p = NULL;
		int64_t t;

		drop_cache();
		t = now_ns();
		if (prints_open(state, false, &p) < 0)
			fail(state);
		opening[i] = now_ns() - t;
		page(&m, prints_key(p), i, n, average);
		for (unsigned k = 0; k < PRINTS_KINDS; k++)
			took[k][i] = look(p, (enum prints_kind)k, &m, &a);
		prints_close(p);
	}
	say_times("cold: opening", opening, COLD);
	say_times("k=12", took[PRINTS_TEXT], COLD);
	say_times("k=8", took[PRINTS_SCAN], COLD);
	printf("\n");
}

static void write_file(const char *folder, const char *sub, uint64_t i, const struct buf *b)
{
	char path[4096];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", folder, sub);
	mkdir(path, 0700);
	snprintf(path, sizeof(path), "%s/%s/%llu.txt", folder, sub, (unsigned long long)i);
	f = fopen(path, "we");
	if (!f || fwrite(b->p, 1, b->n, f) != b->n || fclose(f)) {
		fprintf(stderr, "bench-prints: %s: %s\n", path, strerror(errno));
		exit(1);
	}
}

static void files(const char *folder, uint64_t n, size_t average)
{
	struct buf b = BUF_INIT;
	char sub[64];

	for (uint64_t d = 0; d < n; d++) {
		snprintf(sub, sizeof(sub), "documents-%llu", (unsigned long long)(d / 1000));
		buf_clear(&b);
		write_document(&b, d, average, SIZE_MAX);
		write_file(folder, sub, d, &b);
	}
	for (unsigned i = 0; i < PAGES; i++) {
		buf_clear(&b);
		write_page(&b, i, n, average);
		write_file(folder, "pages", i, &b);
	}
	buf_free(&b);
}

int main(int argc, char **argv)
{
	static const struct { const char *name; void (*run)(const char *state, uint64_t n, size_t average); } what[] = { { "make", make }, { "ask", ask }, { "cold", cold },
		{ "files", files } };
	uint64_t n = argc > 3 ? strtoull(argv[3], NULL, 10) : 0;
	size_t average = argc > 4 ? strtoull(argv[4], NULL, 10) : 3000;

	setvbuf(stdout, NULL, _IOLBF, 0);
	make_words();
	for (size_t i = 0; n && average && i < ARRAY_SIZE(what); i++)
		if (strcmp(argv[1], what[i].name) == 0) {
			what[i].run(argv[2], n, average);
			return 0;
		}
	fprintf(stderr, "usage: bench-prints make|ask|cold|files STATE DOCUMENTS [CHARACTERS]\n");
	return 2;
}
