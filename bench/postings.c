/* The store of postings at size: taking in, bytes each, looking hundreds of keys up. bench-postings DIR [MILLIONS]
 *
 * Keys are 48 random bits, 1,500 a document; looked up are 300 keys at once of which every third is there. The folder must not exist; it is left behind.
 */
#include <stdio.h>
#include <time.h>

#include "document/postings.h"

#define OF_ONE 1500u
#define KEYS 300
#define ROUNDS 400

static int64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * NSEC_PER_SEC + ts.tv_nsec;
}

static uint64_t mix(uint64_t x)
{
	x ^= x >> 31;
	x *= 0x7fb5d329728ea185ULL;
	x ^= x >> 27;
	x *= 0x81dadef4bc2dd44dULL;
	return (x ^ x >> 33) & 0xffffffffffffULL;
}

static int by_value(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

static int by_time(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return x < y ? -1 : x > y;
}

static int count(void *arg, const struct posting *e)
{
	++*(uint64_t *)arg;
	return 0;
}

static void fail(void)
{
	fprintf(stderr, "bench-postings: %s\n", postings_why());
	exit(1);
}

static void look_up(struct postings *p, uint64_t n, const char *what)
{
	static int64_t took[ROUNDS];
	struct postings_stat st;
	uint64_t found = 0, keys[KEYS];

	for (unsigned r = 0; r < ROUNDS; r++) {
		int64_t t;

		for (unsigned k = 0; k < KEYS; k++)
			keys[k] = mix(k % 3 ? UINT32_MAX + (uint64_t)r * KEYS + k : mix((uint64_t)r * KEYS + k) % n);
		qsort(keys, KEYS, sizeof(keys[0]), by_value);
		t = now_ns();
		if (postings_find(p, keys, KEYS, count, &found) != 0)
			fail();
		took[r] = now_ns() - t;
	}
	qsort(took, ROUNDS, sizeof(took[0]), by_time);
	postings_stat(p, &st);
	printf("%s: %u segments, %.2f bytes a posting; %u keys p50 %.2f ms p99 %.2f ms; %llu found\n", what, st.segments, (double)st.disk / (double)st.postings, KEYS,
		(double)took[ROUNDS / 2] / 1e6, (double)took[ROUNDS * 99 / 100] / 1e6, (unsigned long long)found);
}

int main(int argc, char **argv)
{
	uint64_t n = (argc > 2 ? strtoull(argv[2], NULL, 10) : 30) * 1000000;
	static struct posting e[OF_ONE];
	struct postings *p = NULL;
	int64_t t = now_ns();

	if (argc < 2 || postings_open(argv[1], &(struct postings_options){ .write = true, .background = true }, &p) != 0)
		fail();
	for (uint64_t i = 0; i < n; i += OF_ONE) {
		uint8_t hash[32] = { 0 };

		memcpy(hash, &i, 8);
		for (unsigned k = 0; k < OF_ONE; k++)
			e[k] = (struct posting){ .key = mix(i + k) };
		if (postings_put(p, hash, 1, e, OF_ONE) != 0)
			fail();
	}
	printf("%llu postings taken in: %.1f s\n", (unsigned long long)n, (double)(now_ns() - t) / 1e9);
	look_up(p, n, "as they are");
	t = now_ns();
	if (postings_compact(p) != 0)
		fail();
	printf("made into one: %.1f s\n", (double)(now_ns() - t) / 1e9);
	look_up(p, n, "in one");
	postings_close(p);
	return 0;
}
