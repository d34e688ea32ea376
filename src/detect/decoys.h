/* decoys.h — which documents are decoys, from when to when, and who may touch them.
 *
 * Purpose: planting, removal and the accounts that are excused are settings in the log (kind 8), in force from their position on; this
 * is the table of them,
 * with a view in STATE/decoys/list, so that nobody reads years to find them. The view is the state's owner's alone; deleted or damaged
 * it is made anew.
 * Ownership: struct decoys owns all; strs live until the next decoys_setting. Units: leaves, bytes, ns UTC. Threads: one at a time a
 * struct.
 * Errors: negative errno. A setting that is none of ours, or cannot be read, is passed over.
 */
#ifndef TYTO_DECOYS_H
#define TYTO_DECOYS_H

#include "evidence/evidence.h"

#define DECOYS_MAX 10000          /* that stand at once; what is planted beyond is passed over, and said */
#define DECOY_EXCUSED_MAX 64      /* accounts and programs */
#define DECOY_ID_LEN 16
#define DECOY_EXCUSED "decoy.excused"
/* In force where the log has no setting. */
#define DECOY_EXCUSED_STANDARD "antivirus amandabackup backup bacula bareos borg clamav indexer restic"

struct decoy {
	char id[DECOY_ID_LEN + 1];
	char *path;
	struct event_object object;
	bool has_object;
	uint8_t document[32];
	uint64_t bytes;
	int64_t planted, removed;          /* removed 0: it stands */
	uint64_t planted_seq, removed_seq; /* UINT64_MAX: not removed */
};

struct decoys;

struct decoys *decoys_new(void);
struct decoys *decoys_free(struct decoys *d); /* accepts NULL, returns NULL */
static inline void decoys_freep(struct decoys **d)
{
	*d = decoys_free(*d);
}
#define _cleanup_decoys_ _cleanup_(decoys_freep)

/* All of the log's first `size` leaves, by the view and what came since; the view is brought up to it. */
int decoys_load(const char *state, struct evidence_reader *r, uint64_t size, struct decoys **ret);
/* Leaf seq is a setting: 1 it was one about decoys, 0 not. */
int decoys_setting(struct decoys *d, uint64_t seq, int64_t time, str setting);

size_t decoys_count(const struct decoys *d); /* removed ones, too */
const struct decoy *decoys_at(const struct decoys *d, size_t i);
size_t decoys_standing(const struct decoys *d);
const struct decoy *decoys_document(const struct decoys *d, const uint8_t document[static 32]);
/* The one that stands at a path. */
const struct decoy *decoys_path(const struct decoys *d, str path);
/* The one with this content that stood when leaf seq was recorded. */
const struct decoy *decoys_standing_at(const struct decoys *d, const uint8_t document[static 32], uint64_t seq);
/* Record seq was about a copy of one, as turned out later (copies.h). */
int decoys_mark(struct decoys *d, uint64_t seq);
bool decoys_has_object(const struct decoys *d, const struct event_object *o);
/* Accounts and programs that are excused, separated by a space. */
str decoys_excused(const struct decoys *d);
/* Makes `names` (separated by spaces or commas) what is excused from here on; nothing is appended where it is so already. -E2BIG: too
 * many. */
int decoys_excuse(const char *state, struct evidence *ev, str names);

enum decoy_touch { DECOY_NONE, DECOY_EXCUSED_TOUCH, DECOY_TOUCHED };
/* By object, by content, by a mark, or by its path where the record has no better; owner: who owns the state, as whom Tyto's own reading runs. */
enum decoy_touch decoys_touch(const struct decoys *d, const struct event *e, uint32_t owner);
/* Whose job it is to read everything: named in decoy.excused. */
bool decoys_excuses(const struct decoys *d, str account);

/* The settings, as they stand in the log. */
void decoy_put_planted(struct buf *b, const struct decoy *c);
void decoy_put_removed(struct buf *b, const struct decoy *c);

#endif
