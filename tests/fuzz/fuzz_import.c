/* A file of records, plain or packed, in one piece. Every event passes the checks of an import; every refusal says what was expected. */
#include <sys/mman.h>

#include "event/event_json.h"
#include "sensor/import.h"

#define NOW (1795618580 * NSEC_PER_SEC)
#define FILE_MAX (1 << 20) /* a bomb that a fuzzer finds is as good as one of any size */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void check(bool holds)
{
	if (!holds)
		abort();
}

static void complain(void *arg, const char *file, uint64_t line, size_t byte, const char *expect)
{
	uint64_t *count = arg;

	check(file && expect && *expect && (byte == SIZE_MAX || (line > 0 && byte <= IMPORT_LINE_MAX)));
	*count += line > 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	uint64_t complaints = 0;
	struct import *im;
	uint8_t digest[SHA256_LEN];
	const char *expect;
	struct event e;
	int fd;

	if (n > FILE_MAX)
		return 0;
	fd = memfd_create("fuzz", MFD_CLOEXEC);
	im = import_new(complain, &complaints, -1);
	check(fd >= 0 && im && write(fd, data, n) == (ssize_t)n && lseek(fd, 0, SEEK_SET) == 0);
	check(import_add(im, fd, "f", NULL) == 0);
	while (import_next(im, NOW, &e) == 1)
		check(event_check(&e, NOW, &expect) == 0);
	check(import_refused(im) == complaints && import_bytes(im) == n && import_digest(im, 0, digest));
	import_free(im);
	return 0;
}
