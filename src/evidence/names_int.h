/* names_int.h — what names.c (files, look-ups, adding) and names_base.c (the part that stands in the names table) share.
 *
 * Purpose: struct names. Ownership: as in names.h. Units: bytes, numbers from 1. Threads: one at a time.
 * Errors: negative errno, -EBADMSG with names_damage().
 */
#ifndef TYTO_NAMES_INT_H
#define TYTO_NAMES_INT_H

#include "base/hash.h"
#include "evidence/names_file.h"
#include "evidence/names_table.h"

#define OFFSET_BITS 27
#define FILE_BITS 14
#define MAP_BYTES (NAMES_FILE_FULL + 2 * (uint64_t)NAMES_ENTRY_MAX)

struct names {
	int dir, state;         /* state: where the names table may be, -1 none */
	bool write;
	int *fds;
	uint8_t **maps;
	uint64_t *sizes;        /* of the files before the last */
	unsigned n_files;
	uint64_t end;           /* of the last file: bytes that are whole entries, and pending ones */
	uint64_t written;       /* of it, in the file */
	uint64_t tail;
	bool dirty;             /* written, not fsynced */
	struct buf pend;
	uint64_t total;
	uint64_t *places[NAME_KINDS_];
	uint64_t count[NAME_KINDS_], cap[NAME_KINDS_];
	uint64_t base[NAME_KINDS_]; /* numbers up to here are in the table, those above in places and slots */
	struct names_table *table;     /* NULL: all are in places and slots */
	struct base_memo *memo;        /* BASE_MEMO of them, where there is a table */
	struct names *before;          /* after the table was given up: what values that were handed out point into */
	int error;                     /* the names could not be read after that: no answer is right any more */
	uint64_t *slots;
	uint64_t mask, used;
	uint8_t key[16];
	struct sha256 *sha;
	uint8_t pool[4096]; /* random bytes for salts: a system call a name would be most of its cost */
	size_t pool_left;
};

/* The entries met last: most records of an answer share their names. */
#define BASE_MEMO 4096
struct base_memo {
	uint64_t key; /* number << 5 | kind */
	str value;
};

/* names.c */
int names_damaged(unsigned file, uint64_t off, const char *expect);
/* The next file. before: entries that its header must count, UINT64_MAX: whatever it says. */
int names_file_open(struct names *n, uint64_t before);
void names_files_drop(struct names *n);
/* Takes over what waits to be written from the names that were used before. */
int names_take_pending(struct names *n, struct names *from);

/* names_base.c */
/* Takes the table in; -ENOENT there is none, or none that can be used (said already). */
int names_base_attach(struct names *n);
uint64_t names_base_find(struct names *n, unsigned kind, str value);
int names_base_value(struct names *n, unsigned kind, uint64_t number, str *ret);

#endif
