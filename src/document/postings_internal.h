/* postings_internal.h — what the files of the store of postings share; nobody else includes it.
 *
 * Purpose: struct postings between postings.c (opening, putting), postings_journal.c, postings_merge.c, postings_find.c. Ownership:
 * postings.c owns the struct.
 * Units: as in postings.h. Threads: the merge job is the only thing that another thread touches. Errors: negative errno, postings_why().
 */
#ifndef TYTO_POSTINGS_INTERNAL_H
#define TYTO_POSTINGS_INTERNAL_H

#include <pthread.h>
#include <stdatomic.h>

#include "base/why.h"
#include "document/segment.h"

#define POSTINGS_MANIFEST_HEADER 40
#define POSTINGS_RECORD_HEADER 12
#define POSTINGS_BODY_FIXED 44
#define POSTINGS_REMOVED 1u
#define POSTINGS_LINK 2u
#define POSTINGS_NOTE_SHIFT 4
#define POSTINGS_WAITING_MAX (64u << 20)
#define POSTINGS_RUNS_MAX 40 /* each at least twice the next: more postings than memory */
#define POSTINGS_DOCUMENTS_MAX (1u << 28)
#define POSTINGS_JOURNAL_BYTES_MAX (512u << 20)

struct doc_entry { /* as on disk */
	uint8_t hash[32];
	uint32_t version, n, flags, crc;
};

struct merge_job {
	pthread_t thread;
	bool threaded;
	atomic_bool done, cancel;
	int result;
	int dir;
	uint64_t number;              /* of the new segment; no postings: there is none */
	uint64_t n;
	struct segment *in;           /* copies; the mappings stay with struct postings */
	size_t n_in;
	uint8_t *dead;                /* as it was when the job began */
	uint32_t docs;
};

struct postings {
	struct postings_options o;
	int dir;
	bool broken;                  /* an fsync failed: nothing is written any more */
	struct segment segments[POSTINGS_SEGMENTS_MAX];
	size_t n_segments;
	uint64_t journal, next;
	uint32_t docs_saved;          /* entries of `docs` that the manifest counts */
	struct buf manifest;          /* as it was read or written last */
	struct doc_entry *docs;
	uint32_t n_docs, cap_docs;
	void *map;                    /* of a reader: where docs lies; its own when NULL */
	size_t map_bytes;
	uint8_t *dead;                /* a bit a document */
	uint32_t *slots;              /* number + 1 of the latest entry of a hash; a power of two; NULL while a reader needs none */
	uint32_t n_slots;
	uint32_t settled, searches;   /* without slots: entries that have ended earlier ones; hashes that were searched for */
	int journal_fd;
	uint64_t journal_size;
	bool inherited;               /* its records were read, and may be of an fsync that failed: before the next put they become a segment */
	struct posting *mem, *scratch; /* of the journal */
	size_t n_mem, cap_mem;
	size_t runs[POSTINGS_RUNS_MAX]; /* where each ends; sorted by (key, document) */
	unsigned n_runs;
	struct buf record, waiting;   /* a frame that is written at once; one that gathers until the commit */
	uint64_t generation;
	struct merge_job *job;
};

#define postings_fail(r, ...) why_set(&postings_last, (r), __VA_ARGS__)
extern _Thread_local struct why postings_last;
/* A failed fsync is final. */
int postings_io(struct postings *p, int r, const char *what);

static inline bool postings_dead(const uint8_t *dead, uint32_t docs, uint32_t doc)
{
	return doc >= docs || (dead[doc / 8] >> (doc % 8) & 1);
}

/* --- postings_registry.c --- */
int registry_add(struct postings *p, const uint8_t hash[static 32], uint32_t version, uint32_t n, uint32_t flags);
int registry_load(struct postings *p, uint32_t n);
void registry_clear(struct postings *p);
/* What was added ends earlier entries of its hashes; before anything is answered. */
int registry_settle(struct postings *p);
/* Number + 1 of the latest entry of a hash, which may be a removal; 0: none. */
uint32_t registry_find(struct postings *p, const uint8_t hash[static 32]);
int registry_save(struct postings *p);
void registry_save_dead(const struct postings *p);

/* --- postings_journal.c: what came since the last segment --- */
void journal_name(uint64_t number, char out[static 32]);
/* Frames from journal_size on. */
int journal_read(struct postings *p);
/* later: into the frame that gathers. */
int journal_append(struct postings *p, const struct doc_entry *d, const struct posting *e, bool later);
/* Writes the frame that gathers; on failure it stays. */
int journal_commit(struct postings *p);
/* All runs into one. */
void mem_sort(struct postings *p);

/* --- postings.c --- */
int manifest_write(struct postings *p);

/* --- postings_merge.c --- */
/* Takes in a finished job, and begins one that is due. */
int merge_step(struct postings *p);
/* One segment of all. */
int merge_all(struct postings *p);
void merge_stop(struct postings *p);

#endif
