/* inventory_private.h — what the files of the inventory share; nobody else includes it.
 *
 * Purpose: struct inventory, between inventory.c (what is to be read, who is gone) and reading.c (reading one). Ownership: inventory.c owns
 * it.
 * Units: bytes. Threads: `lock` covers everything that is not of one thread. Errors: negative errno; the first one ends the run.
 */
#ifndef TYTO_INVENTORY_PRIVATE_H
#define TYTO_INVENTORY_PRIVATE_H

#include <pthread.h>

#include "base/why.h"
#include "document/cover.h"
#include "document/inventory.h"
#include "document/seen.h"

#define QUEUE_MAX 256

enum { SEEN_UNCHANGED = 1, SEEN_READ };
enum { CONTENT_PUBLIC = 1, CONTENT_DECIDED = 2, CONTENT_PASS = 4 }; /* decided: by a place below one of the paths; times the pass */

struct job { /* a file to be read */
	struct job *next;
	struct place place;     /* as the walk saw it; strs in text */
	bool hash_first;        /* its size is that of the content it had: perhaps that has not changed */
	uint8_t document[32];
	char text[];
};

struct inventory {
	const struct inventory_config *c;
	pthread_mutex_t lock;
	pthread_cond_t work, room;      /* something in the queue, or the end of it; room in it, or nothing to do */
	struct job *first, **last;
	unsigned queued, busy;
	bool closed;
	struct job *later;              /* pictures */
	int error;
	struct inventory_counts counts;
	struct seen paths, contents;    /* of contents: in which pass they were recorded, and CONTENT_… */
	uint8_t pass;
	enum ocr_mode ocr;              /* of this pass */
	struct buf scratch, facts_scratch;
	str *unknown;                   /* folders that could not be read: what is below them stays as it was */
	size_t n_unknown, cap_unknown;
};

#define inventory_fail(r, ...) why_set(&inventory_last, (r), __VA_ARGS__)
extern _Thread_local struct why inventory_last;
/* Under the lock: may its facts be taken from the table? */
bool inventory_knows(struct inventory *inv, const uint8_t hash[static 32], struct facts *ret);
/* Under the lock: has this pass recorded its facts? */
bool inventory_recorded(const struct inventory *inv, const uint8_t hash[static 32]);
/* Under the lock: records facts, once a pass, and whether they are of outside origin, by a place where they stand. f->public_ is set. */
int inventory_record(struct inventory *inv, str path, struct facts *f);
/* The same for facts that the table has: they are recorded where the place decides otherwise. Parts of a container at path too. */
int inventory_origin(struct inventory *inv, str path, struct facts *f);

/* One thread's tools. */
struct reading;
int reading_new(struct inventory *inv, struct reading **ret);
struct reading *reading_free(struct reading *r);
/* Reads, records, shows one. *ret_later: it is to be read once more, with its pictures. */
int reading_job(struct reading *r, const struct job *j, bool *ret_later);

#endif
