/* office_int.h — the inside of the made-up office, shared by its files.
 *
 * Purpose: the world (documents, actors), and the calls between office.c (world, records), office_time.c (who acts when) and
 * office_plan.c (what they do). Ownership: struct office owns all. Units: ns, bytes. Threads: one at a time. Errors: -ENOMEM.
 */
#ifndef TYTO_BENCH_OFFICE_INT_H
#define TYTO_BENCH_OFFICE_INT_H

#include <limits.h>

#include "draw.h"
#include "office.h"

#define MS 1000000LL
#define SEC NSEC_PER_SEC
#define HOUR (3600 * SEC)
#define DAY (24 * HOUR)
#define FOLD (10 * SEC)
#define STEPS_MAX 64
#define RECENT_MAX 40
#define PATH_MAX_OFFICE 400
#define NEVER INT64_MAX

enum actor_kind { AT_SMB, AT_SFTP, AT_SHELL, AT_BACKUP, AT_INDEXER };
enum on { ON_DOC, ON_LOCK, ON_TMP, TMP_TO_DOC, ON_NEW_NAME };

struct object {
	uint64_t ino;
	uint32_t gen;
};

struct doc {
	char *path;
	uint16_t n, dir; /* bytes of the path, and of its folder */
	uint16_t share, version;
	bool known, dirty, gone;
	struct object object;
	uint64_t size;
	uint8_t hash[32];
};

struct step {
	int64_t dt, len; /* after the step before; how long it lasts, 0: not said */
	uint32_t doc, count;
	uint64_t bytes;
	uint8_t verb, seen, on;
};

struct actor {
	enum actor_kind kind;
	unsigned share, uid;
	char name[16], address[20], away[20];
	bool vpn;
	uint32_t pid, recent[RECENT_MAX];
	unsigned n_recent;
	int64_t next, leaves, clock; /* time of the next step; end of the working day; of the last step */
	unsigned day;
	struct step steps[STEPS_MAX];
	unsigned at, n;
	char lock[PATH_MAX_OFFICE], tmp[PATH_MAX_OFFICE];
	struct object lock_object, tmp_object;
	const char *program;
	char command[512];
	unsigned cwd_doc; /* UINT_MAX: home */
	char home[24];
};

struct list {
	uint32_t *v;
	size_t n, cap, at;
};

struct office {
	struct office_params p;
	struct draw d;
	struct zipf popular, recent;
	struct doc *docs;
	size_t n_docs, docs_cap;
	struct actor *actors;
	unsigned n_actors;
	uint32_t *heap;
	uint32_t pid;
	uint64_t ino, made;
	struct list changed, to_index; /* for the backup, for the indexer */
	char old[PATH_MAX_OFFICE];
};

/* office.c */
struct object office_new_object(struct office *o);
uint32_t office_new_pid(struct office *o);
int office_doc_add(struct office *o, unsigned share, unsigned folder, uint32_t *ret); /* moves o->docs */
int64_t office_wait(struct office *o, double mean_s);
struct step *office_put(struct actor *a, enum event_verb verb, enum on on, uint32_t doc, int64_t dt);

/* office_plan.c: the steps of the next thing that a person does. */
int office_plan_person(struct office *o, struct actor *a);

/* office_time.c: the actor's next steps, and when. */
void office_begin_day(struct office *o, struct actor *a, unsigned day);
int office_plan(struct office *o, struct actor *a);

#endif
