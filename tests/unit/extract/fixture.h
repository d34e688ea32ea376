/* fixture.h — documents made in memory, read by a real worker, and what came of them as one readable text.
 *
 * Purpose: tests of formats say what must stand in the dump and what must not. Ownership: dump() and the archives return memory that dump_free and buf_free
 * release. Units: bytes. Threads: one. Errors: a failed step ends the test.
 *
 *	part "a.zip!/b.txt" text/plain 12 bytes        one for each part, in order; the document itself is part ""
 *	 body 1: first paragraph                        zone, block; "hidden " before the zone where it is
 *	 cell t1 r2 c3: Tokyo                           table, row, column
 *	 meta subject: Offer
 *	 label 1 on GUID name
 *	 image 640x480
 *	 flags: cut wants_ocr
 *	 error: corrupt (truncated in stream 3)
 */
#ifndef TYTO_EXTRACT_FIXTURE_H
#define TYTO_EXTRACT_FIXTURE_H

#include "../test.h"
#include "extract/extract.h"
#include "extract/format.h"

/* The test's main: it is its own worker. */
#define EXTRACT_TEST_MAIN(tests)                                                                 \
	int main(int argc, char **argv)                                                          \
	{                                                                                        \
		if (argc > 1 && strcmp(argv[1], EXTRACT_ROLE) == 0)                              \
			return extract_worker_main(argc - 2, argv + 2);                          \
		return cmocka_run_group_tests(tests, NULL, NULL);                                \
	}

/* With extract_limits_default, or those given (NULL: default). The returned text ends with NUL and is one of at most 8 at a time. */
const char *dump(const char *name, str bytes);
const char *dump_with(const struct extract_limits *limits, enum ocr_mode ocr, const char *name, str bytes);
const char *dump_fd(struct extractor *x, int fd, const char *name);
/* A descriptor of memory that holds bytes. */
int memory_file(str bytes);

void assert_has(const char *dump, const char *want);
void assert_has_not(const char *dump, const char *unwanted);

/* Archives: members are name, bytes pairs up to a NULL name. format and filter as libarchive names them ("zip", "ustar", "7zip"; NULL filter for none). */
struct member {
	const char *name;
	str bytes;
};
void make_archive(struct buf *ret, const char *format, const char *filter, const char *password, const struct member *m);

#endif
