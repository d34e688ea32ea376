/* peoplefile.h — a file of people rows into the record.
 *
 * Purpose: shared by `people import`, `import --people` and `watch --people`. Ownership: caller's buf. Units: bytes. Threads: main thread.
 * Errors: negative errno, having said what is wrong in one line each.
 */
#ifndef TYTO_PEOPLEFILE_H
#define TYTO_PEOPLEFILE_H

#include "base/buf.h"
#include "daemon/importer.h"

#define PEOPLEFILE_MAX ((size_t)256 << 20)

int peoplefile_read(const char *path, struct buf *b);
struct peoplefile_rows {
	uint64_t taken, refused;
};
int peoplefile_import(struct importer *i, const char *path, str text, struct peoplefile_rows *ret);

#endif
