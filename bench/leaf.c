/* leaf.c: records a second on one core through encode, nonce and hash, each alone and together; and the tree above.
 *
 *	bench-leaf
 *
 * Leaves like those of an office day: 13 fields, numbers of one to three bytes, times to the nanosecond. Minimum and quartiles of 15 short rounds, all kinds
 * of work interleaved, so that a neighbour's load falls on all of them.
 */
#include <errno.h>
#include <stdio.h>

#include "evidence/leaf.h"
#include "evidence/merkle.h"

#define ROUNDS 15
#define N 65536

static struct leaf leaves[N];
static uint8_t packed[N][128];
static uint8_t length[N];
static hash32 hashes[N];
static struct leaf_hasher *hasher;
static uint64_t first; /* of a new segment each round */

static uint64_t mix(uint64_t x)
{
	x ^= x >> 33;
	x *= 0xff51afd7ed558ccd;
	x ^= x >> 33;
	x *= 0xc4ceb9fe1a85ec53;
	return x ^ x >> 33;
}

static void set(struct leaf *l, unsigned field, uint64_t v)
{
	l->present |= (uint64_t)1 << field;
	l->value[field] = v;
}

static struct leaf office_leaf(uint64_t i)
{
	uint64_t r = mix(i + 1);
	struct leaf l = { .kind = LEAF_EVENT };

	set(&l, EV_TIME, 1767225600000000000 + i * 1000000000 + r % 1000000000);
	set(&l, EV_VERB, r % 8 < 6 ? VERB_READ : VERB_WRITE);
	set(&l, EV_SEEN, SEEN_ACCESS);
	set(&l, EV_HOST, 1);
	set(&l, EV_PERSON, 1 + (r >> 8) % 100);
	set(&l, EV_PERSON_BY, BY_OPENER);
	set(&l, EV_UID, 1 + (r >> 8) % 100);
	set(&l, EV_PATH, 1 + (r >> 16) % 30000);
	set(&l, EV_OBJECT, 1 + (r >> 16) % 30000);
	set(&l, EV_PROGRAM, 1 + (r >> 40) % 20);
	set(&l, EV_PID, 1000 + (r >> 44) % 30000);
	set(&l, EV_VIA, VIA_SMB);
	set(&l, EV_CLIENT, 1 + (r >> 8) % 100);
	return l;
}

static void do_encode(void)
{
	for (unsigned i = 0; i < N; i++)
		length[i] = (uint8_t)leaf_encode(&leaves[i], packed[i]);
}

static void do_decode(void)
{
	static struct leaf l;

	for (unsigned i = 0; i < N; i++)
		if (leaf_decode(packed[i], length[i], &l) < 0)
			abort();
}

static void do_nonce(void)
{
	uint8_t nonce[LEAF_NONCE];

	for (unsigned i = 0; i < N; i++)
		leaf_nonce(hasher, first + i, nonce);
}

static void do_hash(void)
{
	for (unsigned i = 0; i < N; i++)
		leaf_hash(hasher, first + i, packed[i], length[i], hashes[i].b);
}

static void do_append(void)
{
	for (unsigned i = 0; i < N; i++) {
		length[i] = (uint8_t)leaf_encode(&leaves[i], packed[i]);
		leaf_hash(hasher, first + i, packed[i], length[i], hashes[i].b);
	}
}

static void do_verify(void)
{
	do_decode();
	do_hash();
}

static void do_tree(void)
{
	struct merkle *m = merkle_new();

	if (!m)
		abort();
	for (unsigned i = 0; i < N; i++)
		if (merkle_append(m, &hashes[i]) < 0)
			abort();
	merkle_free(m);
}

static const struct work {
	const char *name;
	void (*run)(void);
} works[] = {
	{ "encode", do_encode }, { "decode", do_decode }, { "nonce", do_nonce }, { "nonce + hash", do_hash }, { "tree", do_tree },
	{ "encode + nonce + hash", do_append }, { "decode + nonce + hash", do_verify },
};

static double cpu_seconds(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

static void new_segment(uint64_t round)
{
	uint8_t seed[16] = { 0 };

	memcpy(seed, &round, sizeof(round));
	first = round << 20;
	if (leaf_hasher_segment(hasher, seed, first) < 0)
		abort();
}

int main(void)
{
	static double s[ARRAY_SIZE(works)][ROUNDS];
	uint64_t bytes = 0;

	hasher = leaf_hasher_new();
	if (!hasher)
		return 1;
	for (unsigned i = 0; i < N; i++)
		leaves[i] = office_leaf(i);
	do_encode();
	for (unsigned i = 0; i < N; i++)
		bytes += length[i];
	for (unsigned round = 0; round < ROUNDS; round++)
		for (size_t w = 0; w < ARRAY_SIZE(works); w++) {
			double from;

			new_segment(round);
			from = cpu_seconds();
			works[w].run();
			s[w][round] = (cpu_seconds() - from) / N;
		}
	printf("%.1f bytes a packed leaf; CPU time, %d rounds of %d leaves\n", (double)bytes / N, ROUNDS, N);
	for (size_t w = 0; w < ARRAY_SIZE(works); w++) {
		qsort(s[w], ROUNDS, sizeof(double), by_value);
		printf("%-24s min %6.0f  q1 %6.0f  median %6.0f  q3 %6.0f ns   best %5.2f  median %5.2f M/s\n", works[w].name, s[w][0] * 1e9,
			s[w][ROUNDS / 4] * 1e9, s[w][ROUNDS / 2] * 1e9, s[w][ROUNDS * 3 / 4] * 1e9, 1e-6 / s[w][0], 1e-6 / s[w][ROUNDS / 2]);
	}
	leaf_hasher_free(hasher);
	return 0;
}
