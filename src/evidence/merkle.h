/* merkle.h — RFC 6962 tree: append, root, proofs, from hashes of full 256^L subtrees.
 *
 * Purpose: everything about the tree that needs no file. Ownership: struct merkle owns at most 255 hashes a level (8 levels).
 * Units: sizes and indices in leaves. Threads: one at a time. Errors: -EINVAL for impossible sizes, -EBADMSG for a wrong proof.
 */
#ifndef TYTO_MERKLE_H
#define TYTO_MERKLE_H

#include "base/hash.h"

#define MERKLE_LEVELS 8
#define MERKLE_TILE 256
#define MERKLE_PROOF_MAX 64

typedef struct { uint8_t b[32]; } hash32;

/* The growing right edge. When a level's 256th hash arrives, the subtree's root goes up a level and on_full is told (for the tree
 * files). */
struct merkle;
struct merkle *merkle_new(void);
struct merkle *merkle_free(struct merkle *m);
void merkle_on_full(struct merkle *m, int (*cb)(void *arg, unsigned level, uint64_t n, const hash32 *root), void *arg);
int merkle_append(struct merkle *m, const hash32 *leaf);
uint64_t merkle_size(const struct merkle *m);
void merkle_root(struct merkle *m, hash32 *ret);
/* Starts from stored state: `size` leaves whose full subtrees of 256^level hash to `load(level, n)`; level 0 are the leaves behind the
 * last full 256. When load fails its error is handed back and the tree is empty. */
int merkle_restore(struct merkle *m, uint64_t size, int (*load)(void *arg, unsigned level, uint64_t n, hash32 *ret), void *arg);

/* Source of node hashes for proofs: a hash at (level, n) of the 256-ary tiling, level 0 = leaf hashes. */
typedef int (*merkle_load)(void *arg, unsigned level, uint64_t n, hash32 *ret);
int merkle_prove_inclusion(uint64_t index, uint64_t size, merkle_load load, void *arg, hash32 *ret, size_t *ret_n);
int merkle_prove_consistency(uint64_t old_size, uint64_t size, merkle_load load, void *arg, hash32 *ret, size_t *ret_n);
/* Root at `size` ≤ the loader's size. */
int merkle_root_at(uint64_t size, merkle_load load, void *arg, hash32 *ret);
int merkle_check_inclusion(const hash32 *leaf, uint64_t index, uint64_t size, const hash32 *root, const hash32 *proof, size_t n);
int merkle_check_consistency(uint64_t old_size, const hash32 *old_root, uint64_t size, const hash32 *root, const hash32 *proof, size_t n);

#endif
