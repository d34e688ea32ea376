/* import.h — record files as a source of events, beside the sensor.
 *
 * Purpose: reads files of records (plain, .gz, .zst: told by content), a format each, and hands their records out in order of time.
 * Within a file records may be out of order by 10 minutes: so far it is read ahead, at most IMPORT_AHEAD_RECORDS and IMPORT_AHEAD_BYTES
 * over all files. A record that is more than 10 minutes behind the newest of its file, or comes behind one of its file that was handed
 * out already (the caps were reached), is handed out at once and flagged late. The flag says how a record came to this log: one that
 * stands in the input is not taken.
 * Ownership: struct import owns the descriptors it is given. An event lives until the next import_next. Units: lines from 1, bytes from
 * 0.
 * Threads: one at a time. Errors: a bad line goes to the callback, and reading goes on; import_next fails only when a file cannot be
 * read on (the callback has been told) and there is no other.
 */
#ifndef TYTO_IMPORT_H
#define TYTO_IMPORT_H

#include "base/buf.h"
#include "base/hash.h"
#include "event/event.h"

#define IMPORT_LINE_MAX (64 * 1024)
#define IMPORT_LATE_NS (600 * NSEC_PER_SEC)
#define IMPORT_FILES_MAX 256
#define IMPORT_AHEAD_RECORDS (256 * 1024)
#define IMPORT_AHEAD_BYTES (64 * 1024 * 1024)

/* One format a file: what it is called, whether a first line looks like it, and how a line becomes an event. */
struct import_format {
	const char *name;
	uint8_t number; /* as in the import leaf of docs/log-format.md */
	/* 0 to 100: how sure. */
	int (*bid)(str first_line);
	/* 1 an event, 0 a line without one, -EBADMSG. strs may point into line and scratch. */
	int (*line)(str line, struct buf *scratch, struct event *ret, size_t *ret_byte, const char **ret_expect);
};
extern const struct import_format import_tyto;
extern const struct import_format *const import_formats[]; /* NULL-terminated */

struct import;

/* line 0: the file as a whole. byte: SIZE_MAX where it says nothing. */
typedef void import_complaint(void *arg, const char *file, uint64_t line, size_t byte, const char *expect);

/* stop_fd: as in sensor/inflate.h. */
struct import *import_new(import_complaint *complain, void *arg, int stop_fd);
struct import *import_free(struct import *im);
/* Takes fd, unless it fails. name: for messages. format NULL: told by the first line. */
int import_add(struct import *im, int fd, const char *name, const struct import_format *format);
/* The next event in order of time: 1, 0 at the end of all files. */
int import_next(struct import *im, int64_t now, struct event *ret);
/* Reads no more: import_next hands out what was read ahead, then ends. */
void import_stop(struct import *im);

size_t import_files(const struct import *im);
/* SHA-256 of the bytes read of file i; false before its end. */
bool import_digest(const struct import *im, size_t i, uint8_t out[static SHA256_LEN]);
const struct import_format *import_format_of(const struct import *im, size_t i);
uint64_t import_refused(const struct import *im); /* lines, of all files */
/* Bytes read from all descriptors, for progress. */
uint64_t import_bytes(const struct import *im);

#endif
