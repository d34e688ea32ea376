#include "base/array.h"

#include <errno.h>

#define FIRST 16

int array_grow(void *p, size_t *cap, size_t need, size_t size, size_t max)
{
	size_t want = *cap > max / 2 ? max : MAX(2 * *cap, MIN(FIRST, max));
	void *old, *grown;

	if (need > max)
		return -E2BIG;
	want = MAX(want, need);
	if (want > SIZE_MAX / size)
		return -ENOMEM;
	/* Through memcpy: p is the address of a pointer of any type. */
	memcpy(&old, p, sizeof(old));
	grown = realloc(old, want * size);
	if (!grown)
		return -ENOMEM;
	memcpy(p, &grown, sizeof(grown));
	*cap = want;
	/* cppcheck-suppress memleak ; it is what p points to now */
	return 0;
}
