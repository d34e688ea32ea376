/* groups.h — the three fanotify groups, their marks, and what names an object.
 *
 * Purpose: everything that knows about fanotify's and file handles' layouts.
 *	G1 opens, held until answered (a descriptor comes with each; no handles in this class)
 *	G2 create, delete, rename, attributes, with names
 *	G3 access, modify, close: no descriptor, merged by the kernel per process and object, read lazily
 * All mark filesystems. Marks of G3 on each watched file would cost the closes of all others less (bench/marks.c measures it), but they go
 * when the kernel drops the inode: a truncate(2) after that would be missed, and subvolumes of btrfs refuse them.
 * Ownership: the struct owns the groups' descriptors. Threads: marks and filesystems are added by the recorder; keys are computed by both.
 * Errors: negative errno; groups_add_fs says why in words.
 */
#ifndef TYTO_GROUPS_H
#define TYTO_GROUPS_H

#include <fcntl.h>
#include <stdatomic.h>
#include <sys/fanotify.h>
#include <sys/types.h>

#include "base/base.h"
#include "base/str.h"

#define FAN_FS_MAX 250 /* one each time one is mounted anew; numbered in a byte */
#define FAN_FD_HIGH 400 /* what stays open stands there: event descriptors take the lowest free numbers */
#define FAN_HANDLE_MAX 64
#define GROUP_OPENS FAN_OPEN_PERM
#define GROUP_NAMES (FAN_CREATE | FAN_DELETE | FAN_RENAME | FAN_ATTRIB | FAN_ONDIR)
#define GROUP_USES (FAN_ACCESS | FAN_MODIFY | FAN_CLOSE_WRITE | FAN_CLOSE_NOWRITE)

struct fan_fs {
	uint64_t fsid;  /* as events say */
	uint64_t whole; /* the same for all subvolumes */
	dev_t dev;      /* as stat says of root */
	dev_t mount_dev; /* as the list of mounts says: another one on btrfs */
	long type;      /* statfs f_type */
	char root[4096]; /* a place where it is mounted, for open_by_handle_at: opened only for the call, so that umount works */
};

/* A file handle. n 0: too long to keep, key alone. */
struct fan_fid {
	uint64_t key;
	int32_t type;
	uint8_t n, fs;
	uint8_t bytes[FAN_HANDLE_MAX];
};

struct groups {
	int opens, names, uses;
	const _Atomic bool *scarce; /* true: no more descriptors are to be opened; NULL: never */
	int handle_flag; /* AT_HANDLE_FID where the kernel has it */
	uint8_t hash_key[16];
	struct fan_fs *fs[FAN_FS_MAX];
	_Atomic unsigned n_fs;
};

int groups_open(struct groups *g, const uint8_t hash_key[static 16], const char **ret_why);
void groups_close(struct groups *g);

/* The filesystem that fd lies on, marked if it was not. Returns its number. root: a folder of it; mount_dev: its device in the list of
 * mounts, 0: as stat says. */
int groups_add_fs(struct groups *g, int fd, const char *root, dev_t mount_dev, const char **ret_why);
int groups_find_fs(const struct groups *g, uint64_t fsid);

uint64_t groups_key(const struct groups *g, unsigned fs, int32_t type, const uint8_t *bytes, size_t n);
/* Of an entry of a directory, or with name "" and AT_EMPTY_PATH of the descriptor itself. */
int groups_fid_at(const struct groups *g, unsigned fs, int dir_fd, const char *name, int flags, struct fan_fid *ret);
/* The key behind the descriptor of an event: which filesystem is found out only where there is a choice. */
int groups_key_of_event(const struct groups *g, int fd, uint64_t *ret);
void groups_fid_from(const struct groups *g, unsigned fs, const struct file_handle *h, struct fan_fid *ret);
/* O_PATH descriptor; opens the filesystem's root for the call. */
int groups_open_fid(const struct groups *g, const struct fan_fid *fid);
/* Inode number and generation, where the handle of this filesystem says so. */
bool groups_object(const struct groups *g, const struct fan_fid *fid, uint64_t *ret_ino, uint32_t *ret_gen);

/* The root of a subvolume: it comes into being with its content, and is in no list of mounts. */
bool groups_is_subvolume(const struct groups *g, unsigned fs, uint64_t ino);

/* No opens and uses of this object until groups_forget. */
void groups_ignore(const struct groups *g, int fd);
void groups_forget(const struct groups *g);

#endif
