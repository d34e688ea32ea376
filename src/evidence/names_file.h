/* names_file.h — one entry of a names file as bytes, and what recovery needs of struct names beyond names.h.
 *
 * Purpose: shared by names.c, recovery and verify. Ownership: parsed entries point into the caller's bytes. Units: bytes.
 * Threads: no state. Errors: name_entry_parse -EBADMSG for any other form, -ENODATA when the bytes end inside an entry.
 */
#ifndef TYTO_NAMES_FILE_H
#define TYTO_NAMES_FILE_H

#include "evidence/names.h"

#define NAME_NUMBER_BITS 35
#define NAMES_MAGIC "TYTONAM1"
#define NAMES_HEADER 16
#define NAMES_FILE_FULL ((uint64_t)64 << 20)
#define NAMES_ENTRY_MAX (4 + 1 + 1 + 10 + 16 + 10 + NAME_VALUE_MAX)
#define NAMES_FILES_MAX 16384

enum { NAME_STATE_LIVE = 1, NAME_STATE_ERASED = 2 };

struct name_entry {
	uint8_t state, kind;
	uint64_t number;
	const uint8_t *salt;
	str value;
	size_t bytes; /* whole entry */
};
int name_entry_parse(const uint8_t *p, size_t n, struct name_entry *ret);
size_t name_entry_put(uint8_t *out, uint8_t state, uint8_t kind, uint64_t number, const uint8_t salt[static 16], str value);
/* True where the value has the form of its kind and refers to parents that exist (numbers below counts). */
bool name_value_ok(uint8_t kind, str value, const uint64_t counts[static NAME_KINDS_]);

/* Bytes at the end of the last file that are no whole entry; 0 none. Writers must cut them before names_intern. */
uint64_t names_tail(const struct names *n);
int names_cut_tail(struct names *n);
/* Recovery: writes the entries of the last file from ordinal `from` on again, and fsyncs: they may never have come to the disk. */
int names_again(struct names *n, uint64_t from);
/* Entries of all kinds in order of introduction, from 0: kind and number; for adopting entries that have no leaf yet. */
uint64_t names_total(const struct names *n);
int names_commitment(struct names *n, enum name_kind kind, uint64_t number, uint8_t ret[static 32]);
/* Calls for each entry from ordinal `from` on. */
int names_each_from(struct names *n, uint64_t from, int (*cb)(void *arg, enum name_kind kind, uint64_t number), void *arg);

#endif
