/* names_table.h — number → place and value → number of names without reading them: a view of the names files (docs/names-table.md).
 *
 * Purpose: lets a process ask for a few names of millions. names.c is who uses it for look-ups; whoever feeds the index keeps it up to
 * date.
 * Ownership: struct names_table owns its mappings. Units: ordinals of entries from 0, numbers from 1, places (file << 32 | byte). Threads:
 * one at a time.
 * Errors: -ENOENT there is none; -EBADMSG it cannot be used, names_table_why() says why; -errno.
 */
#ifndef TYTO_NAMES_TABLE_H
#define TYTO_NAMES_TABLE_H

#include "evidence/names_file.h"

#define TABLE_DIR "names"
#define TABLE_DAMAGED "damaged"
#define TABLE_STEP 4096       /* names that wait for a run while records come */
#define TABLE_STEP_END 512    /* and when nothing more comes */
#define TABLE_RUN_MAX ((uint64_t)1 << 21)
#define TABLE_MERGE 3

/* An entry as it is known again: its crc and its salt. */
struct entry_id {
	uint64_t crc, salt[2];
};
struct entry_id entry_id_of(const uint8_t *entry, const struct name_entry *e);

/* What a run or a whole table reaches. */
struct table_end {
	uint64_t total;                  /* entries */
	uint64_t count[NAME_KINDS_];  /* of each kind */
	uint64_t behind, last;           /* places: behind the last entry, and its own */
	struct entry_id first_id, last_id;
};

struct names_table;

const char *names_table_why(void);
int names_table_refuse(const char *reason); /* -EBADMSG with that reason */

int names_table_open(int state_fd, struct names_table **ret);
struct names_table *names_table_close(struct names_table *t);
const struct table_end *names_table_end(const struct names_table *t);
int names_table_place(struct names_table *t, unsigned kind, uint64_t number, uint64_t *ret);
/* Parents of components, from `component` on as far as they stand together; they live as long as the table. */
int names_table_parents(struct names_table *t, uint64_t component, const uint64_t **ret, size_t *ret_n);

/* Numbers that a value may have: the caller compares. Begin with all zeros but kind and value. */
struct table_probe {
	unsigned kind;
	str value;
	size_t run;
	uint64_t hash, block, slot, looked;
	bool begun;
};
/* 1 and a number, 0 no more. */
int names_table_next(struct names_table *t, struct table_probe *p, uint64_t *ret);

/* The table cannot be used: its next builder begins anew. Best effort. */
void names_table_mark(int state_fd);
/* Takes in what n has more than the table, if that is at least `step` names; makes the folder. Only the holder of the writer lock may call
 * it. */
int names_table_advance(int state_fd, struct names *n, uint64_t step);
/* Overwrites and removes everything: nothing derived from an erased value stays. Only the holder of the writer lock. */
int names_table_remove(int state_fd);

/* --- of names.c, for the builder --- */

/* The entry at a place below what n has taken in; -EBADMSG. ret_bytes: where it stands. */
int names_entry_at(const struct names *n, uint64_t place, struct name_entry *ret, const uint8_t **ret_bytes);
/* Is the table of these files, and not ahead of them? -EBADMSG with names_table_why(). */
int names_table_fits(const struct names *n, const struct table_end *end);

/* --- format, shared by reader and builder --- */

#define BLOCK_BYTES 4096
#define BLOCK_WORDS 511
#define TABLE_MAGIC 0x3142544e4f545954ULL /* "TYTONTB1" */
#define TABLE_NAMES_MAX ((uint64_t)1 << 24)
#define SLOT_NUMBER_BITS NAME_NUMBER_BITS
#define SLOT_FILL 383 /* names a slot block on average */
enum {
	HEAD_MAGIC, HEAD_TAG, HEAD_FROM, HEAD_TO, HEAD_BEGIN, HEAD_BEHIND, HEAD_LAST, HEAD_LAST_ID, HEAD_FIRST_ID = 10, HEAD_KEY = 13,
	HEAD_SLOTS = 15, HEAD_BEFORE = 32, HEAD_COUNT = 64 /* plus the kind, below 32 */
};

struct table_block {
	uint64_t word[BLOCK_WORDS];
	uint32_t number, crc;
};
_Static_assert(sizeof(struct table_block) == BLOCK_BYTES, "a block");
_Static_assert(NAME_KIND_MAX_ <= NAME_KINDS_ && NAME_KINDS_ <= 32, "a kind has five bits in a slot, and its place in the head");

static inline uint64_t blocks_for(uint64_t words)
{
	return (words + BLOCK_WORDS - 1) / BLOCK_WORDS;
}

uint32_t table_block_sum(const struct table_block *b, uint32_t tag);
uint64_t table_hash(const uint64_t key[2], unsigned kind, str value);
static inline uint64_t table_slot_block(uint64_t hash, uint64_t blocks)
{
	return (hash & UINT32_MAX) * blocks >> 32;
}
static inline uint64_t table_slot_first(uint64_t hash)
{
	return (hash >> 32 & 0xff) * BLOCK_WORDS >> 8;
}
static inline uint64_t table_slot(uint64_t hash, unsigned kind, uint64_t number)
{
	return hash >> 40 << 40 | (uint64_t)kind << SLOT_NUMBER_BITS | number;
}

#define RUN_NAME_MAX 48
void table_run_name(char out[static RUN_NAME_MAX], uint64_t from, uint64_t to);
/* FROM and TO of the name of a run; false for any other name. */
bool table_run_parse(const char *name, uint64_t *ret_from, uint64_t *ret_to);

struct run_info {
	uint64_t from, to, begin; /* begin: place of the first entry */
	uint64_t before[NAME_KINDS_];
};
size_t names_table_runs(const struct names_table *t);
struct run_info names_table_run(const struct names_table *t, size_t i);

#endif
