/* walk.h — what stands below some paths, and opening it: a process of its own that keeps the rights of whoever started it.
 *
 * Purpose: whoever scans gives up root before the first document is read, so that readers and classifiers have no rights; this process
 * keeps CAP_DAC_READ_SEARCH (and CAP_FOWNER, to leave access times alone), lists regular files and opens them on request: below its paths
 * only, never through a symbolic link, never anything but a regular file. It reads no byte of any.
 * Ownership: struct walk owns the process; strs of an entry live until the next walk_next. Units: bytes, ns UTC.
 * Threads: walk_start before any thread; walk_next by one thread; walk_open by any. Errors: negative errno.
 */
#ifndef TYTO_WALK_H
#define TYTO_WALK_H

#include "document/facts.h"

#define WALK_PATHS_MAX 64

struct walk;

enum walk_kind {
	WALK_FILE = 1,      /* place: path, object, owner, group, mode, acl, bytes, times */
	WALK_FAILED,        /* something that cannot be read: place.path, place.error */
	WALK_FOLDER_FAILED, /* the same of a folder: what is below it is not known */
};

struct walk_entry {
	enum walk_kind kind;
	struct place place;
};

struct walk_totals { /* counted ahead, in the walker */
	uint64_t files, bytes;
	bool complete;
};

/* paths: absolute, without symbolic links. exclude: a folder that is passed over (the state), or NULL. count: fill the totals. */
int walk_start(char *const *paths, size_t n, const char *exclude, bool count, struct walk **ret);
/* What is listed next: at or below those of walk_start. The paths live until walk_next has said 0; begun in the middle, the rest of the
 * last one comes first. */
void walk_begin(struct walk *w, char *const *paths, size_t n);
/* 1 an entry, 0 the end. */
int walk_next(struct walk *w, struct walk_entry *ret);
/* A descriptor for reading, and its state at that moment. -ENOENT vanished, -EACCES, -ELOOP, -EINVAL not a regular file. */
int walk_open(struct walk *w, str path, int *ret_fd);
struct walk_totals walk_totals(const struct walk *w);
struct walk *walk_end(struct walk *w);

/* What a descriptor's stat says of its place (not acl, object, path). */
struct stat;
void walk_take_stat(const struct stat *st, struct place *ret);
/* "user:7:r--,mask::r-x", as getfacl writes it: from the value of system.posix_acl_access. Entries that the mode says already are left out.
 * -EBADMSG. */
int walk_acl_text(str xattr, struct buf *ret);

#endif
