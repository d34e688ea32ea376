/* ring.h — a queue of bytes between two threads.
 *
 * Purpose: responder → recorder (and back, for questions) without lock or allocation: one writer, one reader, entries of any length.
 * Ownership: the struct owns its memory, taken at ring_new. Threads: begin/commit by one thread, peek/next by one other.
 * Units: bytes, entries are multiples of 8. Errors: ring_begin returns NULL when there is no room: the writer counts and goes on.
 *
 *	 tail                 head
 *	  │ n kind body │ … │  │ free …       an entry never wraps: a filler (kind 0) takes the rest of the end
 */
#ifndef TYTO_RING_H
#define TYTO_RING_H

#include <stdatomic.h>

#include "base/base.h"

struct ring {
	uint8_t *p;
	size_t size; /* power of two */
	_Alignas(64) _Atomic size_t head;
	size_t writing;    /* writer: bytes of the entry begun, fillers included */
	size_t tail_known; /* writer: what it last saw of tail */
	_Alignas(64) _Atomic size_t tail;
};

int ring_new(struct ring *r, size_t size);
void ring_free(struct ring *r);

/* Room for n bytes (8-aligned), or NULL. Nothing is seen by the reader before ring_commit. */
void *ring_begin(struct ring *r, uint16_t kind, size_t n);
void ring_commit(struct ring *r);

/* The oldest entry, or NULL. It stays until ring_next. */
const void *ring_peek(struct ring *r, uint16_t *ret_kind, size_t *ret_n);
void ring_next(struct ring *r);

size_t ring_used(const struct ring *r);

#endif
