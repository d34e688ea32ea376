#include "sensor/object.h"

#include <fcntl.h>
#include <linux/magic.h>

#ifndef AT_HANDLE_FID
#define AT_HANDLE_FID 0x200
#endif

/* Layouts of include/linux/exportfs.h and of the filesystems' own encode_fh. */
static const struct layout {
	long fs; /* f_type; 0: any other */
	int32_t type;
	uint8_t n, ino_lo, ino_hi, gen; /* offsets; ino_hi 0xff: 32 bits, 0xfe: 64 bits at ino_lo */
} layouts[] = {
	{ TMPFS_MAGIC, 1, 12, 4, 8, 0 },
	{ 0x9123683e /* btrfs */, 0x4d, 20, 0, 0xfe, 16 },
	{ 0, 1, 8, 0, 0xff, 4 },     /* FILEID_INO32_GEN: ext4, xfs, f2fs */
	{ 0, 0x81, 12, 0, 0xfe, 8 }, /* xfs, 64-bit inodes */
};

bool object_of_handle(long fs_type, int32_t type, const uint8_t *bytes, size_t n, uint64_t *ret_ino, uint32_t *ret_gen)
{
	for (const struct layout *l = layouts; l < layouts + ARRAY_SIZE(layouts); l++) {
		uint32_t lo, hi = 0;

		if ((l->fs && l->fs != fs_type) || l->type != type || n < l->n)
			continue;
		memcpy(&lo, bytes + l->ino_lo, 4);
		if (l->ino_hi != 0xff)
			memcpy(&hi, bytes + (l->ino_hi == 0xfe ? l->ino_lo + 4 : l->ino_hi), 4);
		memcpy(ret_gen, bytes + l->gen, 4);
		*ret_ino = (uint64_t)hi << 32 | lo;
		return true;
	}
	return false;
}

void object_at(int dir_fd, const char *name, int flags, long fs_type, const struct stat *st, struct event_object *ret)
{
	union {
		struct file_handle h;
		char room[sizeof(struct file_handle) + MAX_HANDLE_SZ];
	} u = { .h.handle_bytes = MAX_HANDLE_SZ };
	uint64_t ino;
	uint32_t gen;
	int mount, r;

	*ret = (struct event_object){ st->st_dev, st->st_ino, 0 };
	r = name_to_handle_at(dir_fd, name, &u.h, &mount, flags | AT_HANDLE_FID);
	if (r < 0) {
		u.h.handle_bytes = MAX_HANDLE_SZ;
		r = name_to_handle_at(dir_fd, name, &u.h, &mount, flags);
	}
	if (r == 0 && object_of_handle(fs_type, u.h.handle_type, u.h.f_handle, u.h.handle_bytes, &ino, &gen)) {
		ret->ino = ino;
		ret->gen = gen;
	}
}
