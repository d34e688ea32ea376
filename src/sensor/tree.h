/* tree.h — names and paths of the watched objects.
 *
 * Purpose: the path of a record comes from here (parent + name, kept current by create, rename, link and delete), never from readlink, so
 * that an alias or another mount namespace does not change it. An object with several links has the path that was known first.
 * Ownership: the tree owns nodes and names. Threads: recorder only. Errors: -ENOMEM; tree_path -ENAMETOOLONG.
 */
#ifndef TYTO_TREE_H
#define TYTO_TREE_H

#include <sys/types.h>

#include "base/buf.h"

#define TREE_DEPTH_MAX 2048 /* components of the longest path */

struct tree_link {
	uint64_t parent; /* key of the directory; 0: name is the whole path */
	char *name;
	uint32_t name_n;
	struct tree_link *more; /* further links of the same object, oldest first */
};

struct tree_node {
	uint64_t key;
	struct tree_link link; /* the first */
	struct tree_node *next; /* in its bucket */
	uint64_t dev, ino; /* dev 0: the filesystem's */
	uint32_t gen;
	uint32_t uid, gid;
	uint16_t mode; /* type and permission bits; 0: not known */
	uint8_t fs;
	bool dir;
	bool deleted;   /* no link that is known is left */
	bool departing; /* see departed.h */
	uint32_t scan; /* round of the scan that last read this directory */
};

struct tree; /* opaque */

int tree_new(struct tree **ret);
struct tree *tree_free(struct tree *t);
struct tree_node *tree_find(const struct tree *t, uint64_t key);
/* A node is made or, if it is there, returned as it is. */
int tree_add(struct tree *t, uint64_t key, struct tree_node **ret);
void tree_remove(struct tree *t, struct tree_node *n);
size_t tree_count(const struct tree *t);

/* One more name; a name that it has already is not added twice. */
int tree_link(struct tree_node *n, uint64_t parent, str name);
/* Takes one name away. Returns how many are left; -ENOENT when it was not there. */
int tree_unlink(struct tree_node *n, uint64_t parent, str name);
bool tree_has_link(const struct tree_node *n, uint64_t parent, str name);

/* Appends the path of the first link, or of a name below a directory. */
int tree_path(const struct tree *t, const struct tree_node *n, struct buf *b);
int tree_path_of(const struct tree *t, uint64_t parent, str name, struct buf *b);

#endif
