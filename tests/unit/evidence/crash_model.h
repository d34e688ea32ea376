/* crash_model.h — a filesystem that forgets: what a power cut may leave of recorded operations.
 *
 * Purpose: record_begin puts a recorder behind vfs.h; record_replay builds in a folder what the disk may hold after the first k operations.
 * Model: data of a file is durable with its fsync, names in a directory with that of the directory, and nothing else is. Before that, each 512-byte
 * sector of a write and each change of a name is there or not, independently. A failed fsync leaves its writes forgotten though they can be read.
 * Ownership: one recording at a time, freed by record_end. Units: operations. Threads: one. Errors: a failed check ends the test.
 */
#ifndef TYTO_CRASH_MODEL_H
#define TYTO_CRASH_MODEL_H

#include "../test.h"

#include "evidence/vfs.h"

enum crash_mode {
	CRASH_KILL,    /* everything is there: the machine went on */
	CRASH_DROP,    /* nothing that was not made durable */
	CRASH_NAMES,   /* names, but no data */
	CRASH_RANDOM,  /* any of it */
	CRASH_MODES
};

/* root: an empty folder. */
void record_begin(const char *root);
void record_end(void);
size_t record_count(void);
/* What is promised from now on: numbers of the test's own, handed back for each k. */
void record_promise(uint64_t acknowledged, uint64_t checkpoint);
void record_promised(size_t k, uint64_t *ret_acknowledged, uint64_t *ret_checkpoint);
/* The next writes fail with this after half of their bytes, until 0; the next fsync of a file fails with -EIO, once. */
void record_fail_writes(int error);
void record_fail_fsync(void);
/* to: is made. */
void record_replay(size_t k, enum crash_mode mode, uint64_t seed, const char *to);
const char *record_describe(size_t k);

/* The real one without fsync. */
const struct vfs *vfs_lazy(void);

#endif
