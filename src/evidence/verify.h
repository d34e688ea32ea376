/* verify.h — what the files of verify share.
 *
 * Purpose: struct verifier, between verify.c (the walk over all bytes), verify_leaf.c (what each leaf must be) and verify_sign.c (keys,
 * checkpoints).
 * Ownership: verify.c owns it. Units: leaf indices, bytes. Threads: one at a time.
 * Errors: VERIFY_BAD after verify_bad(): damage was found and noted; other negative errno: the log cannot be read.
 */
#ifndef TYTO_VERIFY_H
#define TYTO_VERIFY_H

#include "evidence/evidence.h"
#include "evidence/frame.h"
#include "evidence/logdir.h"

#define VERIFY_BAD (-EUCLEAN)

struct signed_size {
	struct checkpoint c;
	uint64_t signed_by; /* bits of verifier.keys */
	char file[64];
	bool reached, outside;
};

struct rotation {
	uint64_t index;  /* of the key leaf */
	size_t from, to; /* in verifier.keys */
};

struct import_begun {
	uint64_t index;
	bool ended;
};

struct verifier {
	const struct verify_options *o;
	struct verify_result *ret;
	int log_fd;
	struct names *names;
	struct leaf_hasher *hasher;
	struct frame_packer *packer;
	struct merkle *tree;
	struct logdir dir;
	struct buf journal;
	bool begun;                         /* a first checkpoint was written */
	bool rotating;                      /* what was found may be a rotation that is going on */
	int tree_fd[MERKLE_LEVELS];
	uint64_t tree_size[MERKLE_LEVELS];
	uint64_t next;                      /* index of the next leaf */
	uint64_t names_by_kind[NAME_KINDS_];
	struct import_begun *imports;       /* ascending */
	size_t n_imports, cap_imports;
	struct note_verifier keys[NOTE_KEYS_MAX]; /* of log.vkey: the one in use first */
	size_t n_keys, key;                 /* key: in force now */
	struct rotation rotations[NOTE_KEYS_MAX];
	size_t n_rotations;
	struct signed_size *sizes;          /* ascending */
	size_t n_sizes, size_at;
	const char *file;                   /* being read, for messages */
	uint64_t byte;
};

/* Notes the first damage. index UINT64_MAX: not a record's. */
int verify_bad(struct verifier *v, uint64_t index, const char *file, uint64_t byte, const char *fmt, ...) _printf_(5, 6);

/* verify_leaf.c */
int verify_leaf(struct verifier *v, str packed);

/* verify_sign.c */
int verify_keys_load(struct verifier *v);
int verify_checkpoints_load(struct verifier *v);
int verify_key_leaf(struct verifier *v, const struct leaf *l);
/* Compares the root with every checkpoint of this size. */
int verify_size_reached(struct verifier *v);
/* After the last leaf. */
int verify_signatures(struct verifier *v);

#endif
