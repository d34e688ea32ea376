/* store.h — what the files of the writer share; nobody outside the evidence folder's writer includes it.
 *
 * Purpose: struct evidence, and the calls between store.c (append, commit), compact.c, intern.c (events to leaves), records.c (other
 * records), signing.c (checkpoints, keys) and recover.c (opening). Ownership: store.c owns the struct. Units: leaves, bytes, ns.
 * Threads: one at a time.
 * Errors: negative errno with evidence_why() set.
 */
#ifndef TYTO_STORE_H
#define TYTO_STORE_H

#include "evidence/counters.h"
#include "evidence/evidence.h"
#include "evidence/frame.h"
#include "evidence/logdir.h"
#include "evidence/reserve.h"

#define STORE_COMPACT_LEAVES 4096
#define RESERVE_WRITE_NS NSEC_PER_SEC /* an open gap is brought up to date so often: a kill may leave it that old */
#define STORE_COUNTERS_LEAVES 65536 /* the cache of counters may be so far behind: two fsyncs, and a start counts these in a moment */
#define STORE_DIRS 4096 /* directories whose component number is remembered */

/* Leaves as bytes with where each begins: what stands in the journal, and what waits for a commit. */
struct leaves {
	struct buf bytes;  /* (uvar length, packed leaf)… */
	uint32_t *at;      /* offset of each */
	size_t n, cap;
};
int leaves_add(struct leaves *l, const uint8_t *packed, size_t n);
/* Room for one more of n bytes: adding it cannot fail then. */
int leaves_reserve(struct leaves *l, size_t n);
/* Drops the first k. */
void leaves_drop(struct leaves *l, size_t k);
/* The newest one is not wanted after all. */
void leaves_drop_last(struct leaves *l);
/* Bytes of leaves [i, j). */
str leaves_range(const struct leaves *l, size_t i, size_t j);
void leaves_free(struct leaves *l);

struct tree_entry {
	unsigned level;
	uint64_t n;
	hash32 root;
};

/* The last number of a field, by its text: events of one person mostly follow each other. */
struct memo {
	struct buf text;
	uint64_t number;
};
enum memo_field { MEMO_HOST, MEMO_PERSON, MEMO_UID, MEMO_LOGIN, MEMO_PROGRAM, MEMO_CHAIN, MEMO_CLIENT, MEMO_CWD, MEMO_CONTAINER,
	MEMO_MAX_ };

struct directory {
	struct buf path;
	uint64_t component;
};

struct evidence {
	int state_fd, log_fd, kept_fd, keys_fd, lock_fd;
	char *state; /* as it was named: for messages */
	char origin[NOTE_NAME_MAX + 1];
	struct note_key *key;
	struct note_key *old_key; /* a rotation whose first checkpoint is not written yet */
	struct names *names;
	struct merkle *tree;      /* over durable leaves */
	struct leaf_hasher *hasher;
	struct frame_packer *packer;
	struct counters counters; /* over durable leaves */
	struct counters aligned;  /* over the durable leaves up to the last multiple of FRAME_ALIGN: what the next compaction leaves behind */

	struct counters compacted; /* over the leaves in segments: what is cached on disk now and then */
	uint64_t counters_saved;  /* leaves that the cache covers */

	struct leaves pending;    /* appended, not durable */
	struct leaves journal;    /* durable, in the journal: [journal_first, counters.size) */
	uint64_t journal_first;
	int journal_fd;
	uint64_t journal_size;    /* bytes */

	uint64_t *segments;       /* first indices; the last is in use */
	size_t n_segments;
	struct segment_header segment; /* the one that the last leaf came into */
	int64_t segment_day;      /* of the newest */
	struct tree_entry *roots; /* full subtrees not in the tree files yet */
	size_t n_roots, cap_roots;

	struct reserve reserve;
	int64_t reserve_written;
	struct checkpoint checkpoint; /* the newest; size 0 none */
	int64_t checkpoint_time;
	bool begun;               /* STATE/begun is there */
	uint64_t disk_base;       /* bytes of the log but for the journal, when last counted */
	bool broken;              /* a failed fsync: nothing more is written */
	int64_t pending_from;     /* earliest time of a live event that is pending: a kill while the disk is full would lose it */
	bool live;                /* somebody watches: heartbeats come, or events of no import */
	bool full;                /* a commit met a full disk: nothing more is taken until there is room */
	bool no_compact;

	struct memo memos[MEMO_MAX_];
	struct directory *dirs;
	uint8_t dirs_key[16];
	struct buf scratch;
};

/* store.c */
int store_full(void); /* -ENOSPC, and why */
int store_append(struct evidence *e, const struct leaf *l, uint64_t *ret_seq);
uint64_t store_next(const struct evidence *e); /* index of the next appended leaf */
/* Hashes a durable leaf into the tree, and counts it. */
int store_take(struct evidence *e, str packed);
/* After a failure that is final. */
int store_refuse(const struct evidence *e);
int store_broken(struct evidence *e, int r, const char *what);
int64_t store_day(int64_t ns);
/* The gap that is open in the reserve becomes a record (recorded: it is one already), and the reserve is cleared. */
int store_close_gap(struct evidence *e, int64_t now, bool recorded);

/* compact.c */
int store_segment_begin(struct evidence *e, uint64_t first, int64_t day);
int store_segment_header(struct evidence *e, uint64_t first, struct segment_header *ret);
int store_segment_use(struct evidence *e, uint64_t index);
int store_compact(struct evidence *e);
int store_save_counters(struct evidence *e);
int store_root_full(void *arg, unsigned level, uint64_t n, const hash32 *root);
uint64_t store_disk(struct evidence *e);

/* intern.c */
int store_name(struct evidence *e, enum name_kind kind, str value, uint64_t *ret_number);
int store_path(struct evidence *e, str path, uint64_t *ret_number);
int store_object(struct evidence *e, const struct event_object *o, uint64_t *ret_number);
int store_event_leaf(struct evidence *e, const struct event *ev, struct leaf *ret);

/* signing.c */
int store_keys_open(struct evidence *e, bool create);
int store_checkpoint_load(struct evidence *e);
int store_keys_finish(struct evidence *e, const uint8_t *last_key_leaf);

/* recover.c */
int store_recover(struct evidence *e);

#endif
