/* reader.h — the log as files, without names: what readers, recovery and proofs have in common.
 *
 * Purpose: find and unpack leaf n from segments and journal, beside a live writer; hash it; hashes of whole subtrees. Ownership: struct
 * log_reader owns its descriptors and mappings. Units: leaf indices. Threads: one at a time.
 * Errors: -EUCLEAN for damage (evidence_why says where), -ERANGE behind the end, -errno.
 */
#ifndef TYTO_READER_H
#define TYTO_READER_H

#include "evidence/evidence.h"
#include "evidence/frame.h"
#include "evidence/store.h"

struct log_reader;

int log_reader_open(int log_fd, struct log_reader **ret);
struct log_reader *log_reader_close(struct log_reader *r);
/* limit: leaves behind it are not looked for (recovery: up to the journal); UINT64_MAX: all there are. */
int log_reader_refresh(struct log_reader *r, uint64_t limit, uint64_t *ret_size);
int log_reader_leaf(struct log_reader *r, uint64_t seq, str *ret_packed);
int log_reader_hash(struct log_reader *r, uint64_t seq, hash32 *ret);
int log_reader_nonce(struct log_reader *r, uint64_t seq, uint8_t ret[static LEAF_NONCE]);
/* merkle_load: arg is the reader. Level 0 from leaves, above from the tree files, or computed where they do not reach. */
int log_reader_load(void *arg, unsigned level, uint64_t n, hash32 *ret);

/* Of the reader with names. */
struct log_reader *evidence_reader_log(struct evidence_reader *r);
int evidence_reader_log_fd(const struct evidence_reader *r);

#endif
