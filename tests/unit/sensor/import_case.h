/* import_case.h — imports out of memory, for the tests of files of records.
 *
 * Purpose: makes records, packs them, imports them, and keeps what came out. Ownership: end() frees the import; buffers are the caller's. Units: bytes.
 * Threads: one. Errors: a failed step ends the test.
 */
#ifndef TYTO_TEST_IMPORT_CASE_H
#define TYTO_TEST_IMPORT_CASE_H

#include "../test.h"
#include "sensor/import.h"

#define NOW (1795618580 * NSEC_PER_SEC) /* 2026-11-25T14:56:20Z */

struct complaint {
	char file[32], expect[64];
	uint64_t line;
	size_t byte;
};

/* What came out of an import: the pids of its events stand for them. */
struct result {
	struct import *im;
	struct complaint bad[16], last;
	size_t n_bad, n_lines, n; /* complaints, those of them about a line, events */
	uint32_t pids[64];
	bool late[64];
};

typedef void pack(struct buf *b, str s);

void begin(struct result *r);
void drain(struct result *r);
void end(struct result *r);
int file_of(str bytes);
void import_text(struct result *r, str bytes);
void put_record(struct buf *b, int second, unsigned pid);
void put_records(struct buf *b, unsigned n);
void put_gz(struct buf *b, str s);
void put_zst(struct buf *b, str s);
void check_digest(struct result *r, str bytes);

#endif
