/* Limits as a word of the worker's command line: numbers with commas between them. */
#include <errno.h>
#include <inttypes.h>

#include "base/str.h"
#include "extract/worker.h"

#define FIELDS 6

void worker_limits_put(char *p, size_t n, const struct extract_limits *l, enum ocr_mode ocr)
{
	snprintf(p, n, "%" PRIu64 ",%" PRIu64 ",%" PRIu32 ",%" PRIu64 ",%" PRIu32 ",%u", l->file_max, l->text_max, l->deadline_ms, l->memory,
			l->files,
		(unsigned)ocr);
}

int worker_limits_get(const char *p, struct extract_limits *l, enum ocr_mode *ocr)
{
	uint64_t v[FIELDS];

	for (size_t i = 0; i < FIELDS; i++) {
		size_t n = strcspn(p, ",");

		if (str_to_u64((str){ p, n }, &v[i]) < 0 || (p[n] == ',') != (i + 1 < FIELDS))
			return -EINVAL;
		p += n + (p[n] == ',');
	}
	if (v[2] > UINT32_MAX || v[4] > UINT32_MAX || v[5] > OCR_NOW)
		return -EINVAL;
	*l = (struct extract_limits){ .file_max = v[0], .text_max = v[1], .deadline_ms = (uint32_t)v[2], .memory = v[3], .files = (uint32_t)v[4] };
	*ocr = (enum ocr_mode)v[5];
	return 0;
}
