#include "evidence/merkle.h"

#include <errno.h>

/* A size above this cannot come from a log, and proofs for it would pass MERKLE_PROOF_MAX. */
#define SIZE_LIMIT ((uint64_t)1 << 62)

struct merkle {
	struct sha256 *sha;
	uint64_t size;
	unsigned n[MERKLE_LEVELS];
	hash32 edge[MERKLE_LEVELS][MERKLE_TILE];
	int (*on_full)(void *arg, unsigned level, uint64_t n, const hash32 *root);
	void *arg;
};

static void node(struct sha256 *sha, const hash32 *left, const hash32 *right, hash32 *ret)
{
	uint8_t in[1 + 2 * SHA256_LEN] = { 1 };

	memcpy(in + 1, left->b, SHA256_LEN);
	memcpy(in + 1 + SHA256_LEN, right->b, SHA256_LEN);
	sha256_init(sha);
	sha256_update(sha, in, sizeof(in));
	sha256_final(sha, ret->b);
}

static void empty_root(struct sha256 *sha, hash32 *ret)
{
	sha256_init(sha);
	sha256_final(sha, ret->b);
}

/* Largest power of two below n; n ≥ 2. */
static uint64_t split(uint64_t n)
{
	return (uint64_t)1 << (63 - __builtin_clzll(n - 1));
}

/* Folds n hashes in place, n ≥ 1: the last one left over in a row goes up as it is, which is RFC 6962's split. */
static void fold(struct sha256 *sha, hash32 *h, unsigned n)
{
	while (n > 1) {
		for (unsigned i = 0; i < n / 2; i++)
			node(sha, &h[2 * i], &h[2 * i + 1], &h[i]);
		if (n & 1)
			h[n / 2] = h[n - 1];
		n = (n + 1) / 2;
	}
}

struct merkle *merkle_new(void)
{
	struct merkle *m = calloc(1, sizeof(*m));

	if (!m)
		return NULL;
	m->sha = sha256_new();
	return m->sha ? m : merkle_free(m);
}

struct merkle *merkle_free(struct merkle *m)
{
	if (m)
		sha256_free(m->sha);
	free(m);
	return NULL;
}

void merkle_on_full(struct merkle *m, int (*cb)(void *arg, unsigned level, uint64_t n, const hash32 *root), void *arg)
{
	m->on_full = cb;
	m->arg = arg;
}

uint64_t merkle_size(const struct merkle *m)
{
	return m->size;
}

int merkle_append(struct merkle *m, const hash32 *leaf)
{
	hash32 h = *leaf;
	int r = 0;

	if (m->size >= SIZE_LIMIT)
		return -EINVAL;
	m->size++;
	for (unsigned level = 0; level < MERKLE_LEVELS; level++) {
		m->edge[level][m->n[level]++] = h;
		if (m->n[level] < MERKLE_TILE)
			break;
		fold(m->sha, m->edge[level], MERKLE_TILE);
		h = m->edge[level][0];
		m->n[level] = 0;
		/* The tree itself stays right when a callback fails; the first failure is handed back. */
		if (m->on_full && r == 0)
			r = m->on_full(m->arg, level + 1, (m->size >> (8 * (level + 1))) - 1, &h);
	}
	return r;
}

void merkle_root(struct merkle *m, hash32 *ret)
{
	hash32 row[MERKLE_TILE], low;
	bool have_low = false;

	for (unsigned level = 0; level < MERKLE_LEVELS; level++) {
		unsigned n = m->n[level];

		memcpy(row, m->edge[level], n * sizeof(row[0]));
		if (have_low)
			row[n++] = low;
		if (n == 0)
			continue;
		fold(m->sha, row, n);
		low = row[0];
		have_low = true;
	}
	if (have_low)
		*ret = low;
	else
		empty_root(m->sha, ret);
}

int merkle_restore(struct merkle *m, uint64_t size, int (*load)(void *arg, unsigned level, uint64_t n, hash32 *ret), void *arg)
{
	if (size > SIZE_LIMIT)
		return -EINVAL;
	memset(m->n, 0, sizeof(m->n));
	m->size = 0;
	for (unsigned level = 0; level < MERKLE_LEVELS; level++) {
		uint64_t full = size >> (8 * level);

		for (unsigned i = 0; i < full % MERKLE_TILE; i++) {
			int r = load(arg, level, full - full % MERKLE_TILE + i, &m->edge[level][i]);

			if (r < 0) {
				memset(m->n, 0, sizeof(m->n));
				return r;
			}
		}
		m->n[level] = full % MERKLE_TILE;
	}
	m->size = size;
	return 0;
}

struct prover {
	struct sha256 *sha;
	merkle_load load;
	void *arg;
	hash32 *out;
	size_t n;
};

/* Hash of leaves [lo, lo + n): a stored one where the range is a full subtree of 256^level leaves. */
static int range(struct prover *p, uint64_t lo, uint64_t n, hash32 *ret)
{
	unsigned bit = (unsigned)__builtin_ctzll(n);
	hash32 left, right;
	uint64_t k;
	int r;

	if (!(n & (n - 1)) && bit % 8 == 0)
		return p->load(p->arg, bit / 8, lo >> bit, ret);
	k = split(n);
	r = range(p, lo, k, &left);
	if (r == 0)
		r = range(p, lo + k, n - k, &right);
	if (r == 0)
		node(p->sha, &left, &right, ret);
	return r;
}

static int emit(struct prover *p, uint64_t lo, uint64_t n)
{
	if (p->n == MERKLE_PROOF_MAX)
		return -EINVAL;
	return range(p, lo, n, &p->out[p->n++]);
}

static int path(struct prover *p, uint64_t m, uint64_t lo, uint64_t n)
{
	uint64_t k;
	int r;

	if (n == 1)
		return 0;
	k = split(n);
	r = m < k ? path(p, m, lo, k) : path(p, m - k, lo + k, n - k);
	if (r < 0)
		return r;
	return m < k ? emit(p, lo + k, n - k) : emit(p, lo, k);
}

/* SUBPROOF of RFC 6962, 2.1.2; `known`: the old root is this subtree, so the checker has it. */
static int subproof(struct prover *p, uint64_t m, uint64_t lo, uint64_t n, bool known)
{
	uint64_t k;
	int r;

	if (m == n)
		return known ? 0 : emit(p, lo, n);
	k = split(n);
	r = m <= k ? subproof(p, m, lo, k, known) : subproof(p, m - k, lo + k, n - k, false);
	if (r < 0)
		return r;
	return m <= k ? emit(p, lo + k, n - k) : emit(p, lo, k);
}

int merkle_prove_inclusion(uint64_t index, uint64_t size, merkle_load load, void *arg, hash32 *ret, size_t *ret_n)
{
	hash32 out[MERKLE_PROOF_MAX];
	_cleanup_sha256_ struct sha256 *sha = sha256_new();
	struct prover p = { .sha = sha, .load = load, .arg = arg, .out = out };
	int r;

	if (!sha)
		return -ENOMEM;
	if (index >= size || size > SIZE_LIMIT)
		return -EINVAL;
	r = path(&p, index, 0, size);
	if (r < 0)
		return r;
	memcpy(ret, out, p.n * sizeof(out[0]));
	*ret_n = p.n;
	return 0;
}

int merkle_prove_consistency(uint64_t old_size, uint64_t size, merkle_load load, void *arg, hash32 *ret, size_t *ret_n)
{
	hash32 out[MERKLE_PROOF_MAX];
	_cleanup_sha256_ struct sha256 *sha = sha256_new();
	struct prover p = { .sha = sha, .load = load, .arg = arg, .out = out };
	int r;

	if (!sha)
		return -ENOMEM;
	if (old_size > size || size > SIZE_LIMIT)
		return -EINVAL;
	r = old_size == 0 ? 0 : subproof(&p, old_size, 0, size, true);
	if (r < 0)
		return r;
	memcpy(ret, out, p.n * sizeof(out[0]));
	*ret_n = p.n;
	return 0;
}

int merkle_root_at(uint64_t size, merkle_load load, void *arg, hash32 *ret)
{
	_cleanup_sha256_ struct sha256 *sha = sha256_new();
	struct prover p = { .sha = sha, .load = load, .arg = arg };
	hash32 root;
	int r = 0;

	if (!sha)
		return -ENOMEM;
	if (size > SIZE_LIMIT)
		return -EINVAL;
	if (size == 0)
		empty_root(sha, &root);
	else
		r = range(&p, 0, size, &root);
	if (r == 0)
		*ret = root;
	return r;
}

static bool same(const hash32 *a, const hash32 *b)
{
	return memcmp(a->b, b->b, sizeof(a->b)) == 0;
}

/* RFC 9162, 2.1.3.2. */
int merkle_check_inclusion(const hash32 *leaf, uint64_t index, uint64_t size, const hash32 *root, const hash32 *proof, size_t n)
{
	_cleanup_sha256_ struct sha256 *sha = sha256_new();
	uint64_t fn = index, sn = size - 1;
	hash32 h = *leaf;

	if (!sha)
		return -ENOMEM;
	if (index >= size || size > SIZE_LIMIT)
		return -EINVAL;
	for (size_t i = 0; i < n; i++, fn >>= 1, sn >>= 1) {
		if (sn == 0)
			return -EBADMSG;
		if (!(fn & 1) && fn != sn) {
			node(sha, &h, &proof[i], &h);
			continue;
		}
		node(sha, &proof[i], &h, &h);
		for (; !(fn & 1) && fn != 0; fn >>= 1)
			sn >>= 1;
	}
	return sn == 0 && same(&h, root) ? 0 : -EBADMSG;
}

/* RFC 9162, 2.1.4.2. */
int merkle_check_consistency(uint64_t old_size, const hash32 *old_root, uint64_t size, const hash32 *root, const hash32 *proof, size_t n)
{
	_cleanup_sha256_ struct sha256 *sha = sha256_new();
	uint64_t fn = old_size - 1, sn = size - 1;
	hash32 old_h, new_h;
	size_t i = 0;

	if (!sha)
		return -ENOMEM;
	if (old_size > size || size > SIZE_LIMIT)
		return -EINVAL;
	if (old_size == 0) {
		empty_root(sha, &old_h);
		return n == 0 && same(&old_h, old_root) ? 0 : -EBADMSG;
	}
	if (old_size == size)
		return n == 0 && same(old_root, root) ? 0 : -EBADMSG;
	if (!(old_size & (old_size - 1)))
		old_h = *old_root;
	else if (n > 0)
		old_h = proof[i++];
	else
		return -EBADMSG;
	new_h = old_h;
	for (; fn & 1; fn >>= 1)
		sn >>= 1;
	for (; i < n; i++, fn >>= 1, sn >>= 1) {
		if (sn == 0)
			return -EBADMSG;
		if (!(fn & 1) && fn != sn) {
			node(sha, &new_h, &proof[i], &new_h);
			continue;
		}
		node(sha, &proof[i], &old_h, &old_h);
		node(sha, &proof[i], &new_h, &new_h);
		for (; !(fn & 1) && fn != 0; fn >>= 1)
			sn >>= 1;
	}
	return sn == 0 && same(&old_h, old_root) && same(&new_h, root) ? 0 : -EBADMSG;
}
