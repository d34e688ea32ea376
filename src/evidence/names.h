/* names.h — the dictionary: outside text ↔ dense numbers, with salts and commitments (docs/log-format.md, section 2).
 *
 * Purpose: the only place where outside text of the log stands. Ownership: struct names owns the files' descriptors and a table; strs
 * that it returns point into its mapping and live until the next names_intern or names_free. Threads: writer one at a time; a reader has
 * its own struct names (names_open with write false) and calls names_refresh to see more.
 * Units: bytes. Errors: negative errno; -EBADMSG with the place in names_damage().
 */
#ifndef TYTO_NAMES_H
#define TYTO_NAMES_H

#include "base/buf.h"
#include "event/event.h"
#include "evidence/leaf.h"

#define NAME_VALUE_MAX 8192

struct names;

/* Where the last -EBADMSG of this thread was, and what was expected there; for the operator. */
const char *names_damage(void);

int names_open(int log_dirfd, bool write, struct names **ret);
/* The same, without reading what the names table covers (docs/names-table.md), if there is one in the state directory. A table that cannot
 * be used is given up at any time and all is read; names_notice then has one line about it, once (NULL: nothing happened). Per thread. */
int names_open_beside(int log_dirfd, int state_dirfd, bool write, struct names **ret);
const char *names_notice(void);
/* The names could not be read after the table had to be given up: what names_find and names_count say is not right. */
int names_error(const struct names *n);
struct names *names_free(struct names *n);
/* Sees what another process has added since. */
int names_refresh(struct names *n);

/* The number of a value, 0 if it has none. */
uint64_t names_find(const struct names *n, enum name_kind kind, str value);
/* Finds or adds. When added, *ret_new is true and ret_commitment is filled: the caller writes the leaf. Buffered until names_sync. */
int names_intern(struct names *n, enum name_kind kind, str value, uint64_t *ret_number, bool *ret_new, uint8_t ret_commitment[static 32]);
int names_sync(struct names *n); /* written and fsynced */
/* -ENOENT unknown number, -ENODATA erased. */
int names_value(const struct names *n, enum name_kind kind, uint64_t number, str *ret);
uint64_t names_count(const struct names *n, enum name_kind kind);

/* Whole path from its last component. */
int names_path(const struct names *n, uint64_t component, struct buf *ret);
/* The components above those from `component` on (0 none, or not known): how many were filled in, at most max; 0 where there are no
 * more. */
size_t names_parents(const struct names *n, uint64_t component, uint64_t *ret, size_t max);
/* Component number of a path, 0 if any part is unknown. */
uint64_t names_find_path(const struct names *n, str path);

#endif
