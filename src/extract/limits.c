/* Limits as a word of the worker's command line. */
#include <errno.h>
#include <inttypes.h>

#include "extract/worker.h"

void worker_limits_put(char *p, size_t n, const struct extract_limits *l, enum ocr_mode ocr)
{
	snprintf(p, n, "%" PRIu64 ",%" PRIu64 ",%" PRIu32 ",%" PRIu64 ",%" PRIu32 ",%u", l->file_max, l->text_max, l->deadline_ms, l->memory, l->files,
		(unsigned)ocr);
}

int worker_limits_get(const char *p, struct extract_limits *l, enum ocr_mode *ocr)
{
	unsigned mode;
	int end = 0;

	if (sscanf(p, "%" SCNu64 ",%" SCNu64 ",%" SCNu32 ",%" SCNu64 ",%" SCNu32 ",%u%n", &l->file_max, &l->text_max, &l->deadline_ms, &l->memory, &l->files,
		   &mode, &end) != 6 || p[end] || mode > OCR_NOW)
		return -EINVAL;
	*ocr = (enum ocr_mode)mode;
	return 0;
}
