/* The baseline as it is kept. What is taken goes on as a baseline: it is fed, told of, rewound, and kept the same again. */
#include <errno.h>

#include "base/hash.h"
#include "detect/profile.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

#define DAY (86400 * NSEC_PER_SEC)

static void check(bool holds)
{
	if (!holds)
		abort();
}

static int row_of(void *arg, uint64_t row, str *ret)
{
	static const str rows[] = { STR("{\"person\":\"a\",\"unit\":\"x/y\",\"joined\":\"2026-03-01\"}"), STR("{\"person\":\"b\",\"unit\":\"x/y\",\"role\":\"backup\"}"),
		STR("no row") };

	(void)arg;
	if (row % 4 == 3)
		return -ENODATA; /* erased */
	*ret = rows[row % 4];
	return 0;
}

/* The sum over all is no obstacle: inputs come without it. */
static void summed(const uint8_t *data, size_t n, struct buf *ret)
{
	_cleanup_sha256_ struct sha256 *h = sha256_new();
	uint8_t digest[SHA256_LEN];
	str all;

	buf_put(ret, data, n);
	all = buf_str(ret);
	check(h);
	sha256_parts(h, &all, 1, digest);
	buf_put(ret, digest, sizeof(digest));
}

static void use(struct profile *p)
{
	struct profile_record r = { .time = 20600 * DAY, .verb = VERB_READ, .program = 1, .client = 1, .path = 7 };

	for (unsigned i = 0; i < 12; i++) {
		struct sigma_beside beside = { 0 };
		int e;

		r.person = 1 + i % 4;
		r.path += i % 3;
		r.program = 1 + i % 5;
		r.labelled = i % 2;
		r.time += (int64_t)i * DAY / 3;
		e = profile_take(p, &r);
		check(e == 0 || e == -ENOMEM);
		profile_tell(p, &r, &beside);
	}
	profile_rewind(p, r.time - 2 * DAY);
}

static void load(str bytes, bool again)
{
	_cleanup_buf_ struct buf first = BUF_INIT, second = BUF_INIT;
	struct profile *p = NULL, *q = NULL;
	uint64_t upto = 0, other = 0;
	int r = profile_load(bytes, row_of, NULL, &upto, &p);

	check(r == 0 || ((r == -EBADMSG || r == -ENOMEM) && !p));
	if (r < 0)
		return;
	/* A list of a day's documents is a set: its order may be another, its bytes as many. */
	check(profile_save(p, upto, &first) == 0 && profile_load(buf_str(&first), row_of, NULL, &other, &q) == 0 && other == upto);
	check(profile_save(q, other, &second) == 0 && second.n == first.n && profile_full(p) == profile_full(q));
	use(p);
	buf_clear(&first);
	check(profile_save(p, upto, &first) == 0);
	if (again)
		load(buf_str(&first), false);
	profile_free(p);
	profile_free(q);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	_cleanup_buf_ struct buf bytes = BUF_INIT;

	summed(data, n, &bytes);
	load(buf_str(&bytes), true);
	load((str){ (const char *)data, n }, true);
	return 0;
}
