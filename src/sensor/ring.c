#include "sensor/ring.h"

#include <errno.h>
#include <sys/mman.h>

struct head {
	uint32_t n; /* whole entry */
	uint16_t kind, unused;
};

int ring_new(struct ring *r, size_t size)
{
	void *p;

	if (size < 64 || (size & (size - 1)))
		return -EINVAL;
	p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
	if (p == MAP_FAILED)
		return -errno;
	r->p = p;
	r->size = size;
	r->writing = r->tail_known = 0;
	atomic_init(&r->head, 0);
	atomic_init(&r->tail, 0);
	return 0;
}

void ring_free(struct ring *r)
{
	if (r->p)
		munmap(r->p, r->size);
	r->p = NULL;
}

void *ring_begin(struct ring *r, uint16_t kind, size_t n)
{
	size_t head = atomic_load_explicit(&r->head, memory_order_relaxed);
	size_t need = (sizeof(struct head) + n + 7) & ~(size_t)7;
	size_t at = head & (r->size - 1), rest = r->size - at, fill = rest < need ? rest : 0;
	struct head h = { .n = (uint32_t)need, .kind = kind };

	if (need > r->size / 2)
		return NULL;
	if (head + fill + need - r->tail_known > r->size) {
		r->tail_known = atomic_load_explicit(&r->tail, memory_order_acquire);
		if (head + fill + need - r->tail_known > r->size)
			return NULL;
	}
	if (fill) {
		struct head f = { .n = (uint32_t)fill };

		memcpy(r->p + at, &f, sizeof(f));
		at = 0;
	}
	memcpy(r->p + at, &h, sizeof(h));
	r->writing = fill + need;
	return r->p + at + sizeof(h);
}

void ring_commit(struct ring *r)
{
	size_t head = atomic_load_explicit(&r->head, memory_order_relaxed);

	atomic_store_explicit(&r->head, head + r->writing, memory_order_release);
	r->writing = 0;
}

const void *ring_peek(struct ring *r, uint16_t *ret_kind, size_t *ret_n)
{
	for (;;) {
		size_t tail = atomic_load_explicit(&r->tail, memory_order_relaxed);
		size_t at = tail & (r->size - 1);
		struct head h;

		if (tail == atomic_load_explicit(&r->head, memory_order_acquire))
			return NULL;
		memcpy(&h, r->p + at, sizeof(h));
		if (h.kind) {
			*ret_kind = h.kind;
			*ret_n = h.n - sizeof(h);
			return r->p + at + sizeof(h);
		}
		atomic_store_explicit(&r->tail, tail + h.n, memory_order_release);
	}
}

void ring_next(struct ring *r)
{
	size_t tail = atomic_load_explicit(&r->tail, memory_order_relaxed);
	struct head h;

	memcpy(&h, r->p + (tail & (r->size - 1)), sizeof(h));
	atomic_store_explicit(&r->tail, tail + h.n, memory_order_release);
}

size_t ring_used(const struct ring *r)
{
	size_t tail = atomic_load_explicit(&r->tail, memory_order_acquire);

	return atomic_load_explicit(&r->head, memory_order_acquire) - tail;
}
