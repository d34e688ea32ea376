/* array.h — arrays that grow, in one way.
 *
 * Purpose: room for `need` elements in an array with a pointer and a capacity of its own; it doubles, so that adding one by one costs
 * little. Ownership: the caller's, who frees the pointer. Units: elements. Threads: no state.
 * Errors: -ENOMEM; -E2BIG above the limit, or above what the capacity's type can count. On failure the array stays as it was.
 */
#ifndef TYTO_ARRAY_H
#define TYTO_ARRAY_H

#include "base/base.h"

/* p: the address of the pointer. */
int array_grow(void *p, size_t *cap, size_t need, size_t size, size_t max);

/* p and cap are variables; cap is of any unsigned type, and max at least its value. */
#define array_room_max(p, cap, need, max) ({ \
	_Static_assert((__typeof__(cap))-1 > 0, "a capacity is unsigned"); \
	size_t cap_ = (cap), need_ = (need); \
	int r_ = likely(need_ <= cap_) ? 0 : array_grow(&(p), &cap_, need_, sizeof(*(p)), MIN((size_t)(max), (size_t)(__typeof__(cap))-1)); \
	(cap) = (__typeof__(cap))cap_; \
	r_; })
#define array_room(p, cap, need) array_room_max(p, cap, need, SIZE_MAX)

#endif
