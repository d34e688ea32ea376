/* The fuzz target on samples with bytes changed, cut and doubled: the same every time, in buffers of exact size. */
#include "../test.h"


int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

#define ID "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static const char *const samples[] = {
	"\1Name:\tbash\nUmask:\t0022\nTgid:\t17\nPid:\t18\nPPid:\t3\nUid:\t1000\t1001\t1002\t1003\nGid:\t5\t5\t5\t5\n",
	"\4" "7 (a) b (c) S 41 7 9 0 -1 4194304 1 2 3 4 5 6 7 8 20 0 1 0 118957 4096 1 0 0\n",
	"\2" "4294967295", "\2" "1000",
	"\3" "12:pids:/docker/" ID "\n0::/kubepods.slice/kubepods-pod12.slice/cri-containerd-" ID ".scope\n",
};

static uint64_t seed = 88172645463325252ULL;

static uint64_t next(void)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return seed;
}

static void mutated(void **state)
{
	static const char interesting[] = ")( \n\t:/0-9f\0\xff";

	for (int i = 0; i < 60000; i++) {
		const char *s = samples[next() % ARRAY_SIZE(samples)];
		size_t n = strlen(s), cap = n * 2 + 1;
		uint8_t *buf = malloc(cap), *exact;

		memcpy(buf, s, n);
		for (uint64_t k = next() % 4; k > 0; k--)
			buf[1 + next() % (n - 1)] = (uint8_t)interesting[next() % (sizeof(interesting) - 1)];
		if (next() % 4 == 0)
			n = 1 + next() % n;
		if (next() % 8 == 0) {
			memcpy(buf + n, buf + 1, n - 1);
			n += n - 1;
		}
		exact = malloc(n);
		memcpy(exact, buf, n);
		LLVMFuzzerTestOneInput(exact, n);
		free(exact);
		free(buf);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(mutated) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
