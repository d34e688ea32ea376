#include "index/vfs.h"

#include <errno.h>
#include <pthread.h>
#include <sqlite3.h>

#include "base/hash.h"
#include "base/varint.h"

#define PAGE_MAGIC 0x54594958u /* so that a page of zeros does not agree */

struct sum_file {
	sqlite3_file base;
	sqlite3_file *real;  /* behind this struct */
	bool checked;        /* a database file */
};

static sqlite3_vfs vfs;

static sqlite3_vfs *real_vfs(sqlite3_vfs *v)
{
	return v->pAppData;
}

static struct sum_file *file_of(sqlite3_file *f)
{
	return (struct sum_file *)f;
}

static sqlite3_file *real_of(sqlite3_file *f)
{
	return file_of(f)->real;
}

static void page_sum(const uint8_t *page, uint8_t out[static INDEX_PAGE_RESERVE])
{
	put_be32(out, PAGE_MAGIC);
	put_be32(out + 4, crc32c(0, page, INDEX_PAGE - INDEX_PAGE_RESERVE));
}

static int sum_close(sqlite3_file *f)
{
	int r = real_of(f)->pMethods->xClose(real_of(f));

	f->pMethods = NULL;
	return r;
}

static int sum_read(sqlite3_file *f, void *p, int n, sqlite3_int64 at)
{
	uint8_t want[INDEX_PAGE_RESERVE];
	int r = real_of(f)->pMethods->xRead(real_of(f), p, n, at);

	if (!file_of(f)->checked || n != INDEX_PAGE)
		return r;
	if (r == SQLITE_IOERR_SHORT_READ)
		return SQLITE_IOERR_DATA; /* the file was cut */
	if (r != SQLITE_OK)
		return r;
	page_sum(p, want);
	return memcmp((uint8_t *)p + INDEX_PAGE - INDEX_PAGE_RESERVE, want, sizeof(want)) ? SQLITE_IOERR_DATA : SQLITE_OK;
}

static int sum_write(sqlite3_file *f, const void *p, int n, sqlite3_int64 at)
{
	uint8_t page[INDEX_PAGE];

	if (!file_of(f)->checked || n != INDEX_PAGE)
		return real_of(f)->pMethods->xWrite(real_of(f), p, n, at);
	memcpy(page, p, INDEX_PAGE - INDEX_PAGE_RESERVE);
	page_sum(page, page + INDEX_PAGE - INDEX_PAGE_RESERVE);
	return real_of(f)->pMethods->xWrite(real_of(f), page, n, at);
}

#define PASS(name, params, ...)                                                      \
	static int sum_##name params                                                 \
	{                                                                            \
		return real_of(f)->pMethods->x##name(real_of(f), ##__VA_ARGS__);     \
	}
PASS(Truncate, (sqlite3_file *f, sqlite3_int64 size), size)
PASS(Sync, (sqlite3_file *f, int flags), flags)
PASS(FileSize, (sqlite3_file *f, sqlite3_int64 *ret), ret)
PASS(Lock, (sqlite3_file *f, int level), level)
PASS(Unlock, (sqlite3_file *f, int level), level)
PASS(CheckReservedLock, (sqlite3_file *f, int *ret), ret)
PASS(FileControl, (sqlite3_file *f, int op, void *arg), op, arg)
PASS(SectorSize, (sqlite3_file *f))
PASS(DeviceCharacteristics, (sqlite3_file *f))
PASS(ShmMap, (sqlite3_file *f, int page, int size, int extend, void volatile **ret), page, size, extend, ret)
PASS(ShmLock, (sqlite3_file *f, int offset, int n, int flags), offset, n, flags)
PASS(ShmUnmap, (sqlite3_file *f, int drop), drop)
#undef PASS

static void sum_shm_barrier(sqlite3_file *f)
{
	real_of(f)->pMethods->xShmBarrier(real_of(f));
}

/* Version 2: without xFetch, so that no page comes in by mmap unchecked. */
static const sqlite3_io_methods methods = {
	.iVersion = 2, .xClose = sum_close, .xRead = sum_read, .xWrite = sum_write, .xTruncate = sum_Truncate, .xSync = sum_Sync,
	.xFileSize = sum_FileSize, .xLock = sum_Lock, .xUnlock = sum_Unlock, .xCheckReservedLock = sum_CheckReservedLock,
	.xFileControl = sum_FileControl, .xSectorSize = sum_SectorSize, .xDeviceCharacteristics = sum_DeviceCharacteristics,
	.xShmMap = sum_ShmMap, .xShmLock = sum_ShmLock, .xShmBarrier = sum_shm_barrier, .xShmUnmap = sum_ShmUnmap,
};

static int sum_open(sqlite3_vfs *v, const char *name, sqlite3_file *f, int flags, int *ret_flags)
{
	struct sum_file *s = file_of(f);
	int r;

	*s = (struct sum_file){ .real = (sqlite3_file *)(s + 1), .checked = (flags & SQLITE_OPEN_MAIN_DB) != 0 };
	r = real_vfs(v)->xOpen(real_vfs(v), name, s->real, flags, ret_flags);
	if (s->real->pMethods)
		f->pMethods = &methods;
	return r;
}

static void vfs_register_once(void)
{
	sqlite3_vfs *real;

	/* Sums of memory that nobody asks for, behind a lock that every allocation takes. Refused where SQLite is in use already. */
	sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
	real = sqlite3_vfs_find("unix");
	if (!real)
		return;
	/* Everything but opening is the system's own; those methods get our struct and look only at what is copied here. */
	vfs = *real;
	vfs.zName = INDEX_VFS;
	vfs.pNext = NULL;
	vfs.pAppData = real;
	vfs.szOsFile = (int)sizeof(struct sum_file) + real->szOsFile;
	vfs.xOpen = sum_open;
	sqlite3_vfs_register(&vfs, 0);
}

int index_vfs_register(void)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	pthread_once(&once, vfs_register_once);
	return sqlite3_vfs_find(INDEX_VFS) ? 0 : -ENOSYS;
}
