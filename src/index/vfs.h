/* vfs.h — an SQLite VFS that puts a checksum on every page of the index.
 *
 * Purpose: a byte that changed on disk is an error when its page is read, never a wrong answer. Only pages of database files carry it (the
 * last 8 of each page, reserved for that); frames of a WAL have SQLite's own, checked when it is recovered. Ownership: none; registered
 * once a process.
 * Units: bytes. Threads: any. Errors: a page that does not agree reads as SQLITE_IOERR_DATA.
 */
#ifndef TYTO_INDEX_VFS_H
#define TYTO_INDEX_VFS_H

#define INDEX_VFS "tyto-index"
#define INDEX_PAGE 8192
#define INDEX_PAGE_RESERVE 8

/* 0 or -errno; may be called again. */
int index_vfs_register(void);

#endif
