#include <errno.h>

#include "who/internal.h"

/* Slots that nobody refers to lie on `unused` (the responder's) or on `returned`: a stack that any thread pushes to and the responder
 * takes whole, so there is no lock and no ABA. */

int pool_new(size_t n, struct pool *ret)
{
	struct slot *slots = calloc(n, sizeof(*slots));

	if (!slots)
		return -ENOMEM;
	*ret = (struct pool){ .slots = slots, .n = n, .next_id = 1 };
	for (size_t i = n; i-- > 0;) {
		slots[i].pool = ret;
		slots[i].next = ret->unused;
		ret->unused = &slots[i];
	}
	return 0;
}

void pool_free(struct pool *p)
{
	free(p->slots);
	p->slots = NULL;
}

static struct slot *slot_of(struct who_actor *a)
{
	return (struct slot *)((char *)a - offsetof(struct slot, a));
}

void who_ref(struct who_actor *a)
{
	atomic_fetch_add_explicit(&slot_of(a)->refs, 1, memory_order_relaxed);
}

void who_unref(struct who_actor *a)
{
	struct slot *s, *head;

	if (!a)
		return;
	s = slot_of(a);
	if (atomic_fetch_sub_explicit(&s->refs, 1, memory_order_acq_rel) != 1)
		return;
	head = atomic_load_explicit(&s->pool->returned, memory_order_relaxed);
	do
		s->next = head;
	while (!atomic_compare_exchange_weak_explicit(&s->pool->returned, &head, s, memory_order_release, memory_order_relaxed));
}

void pool_cached(struct pool *p, struct slot *s, uint32_t task)
{
	who_ref(&s->a);
	s->task = task;
	s->newer = NULL;
	s->older = p->newest;
	*(p->newest ? &p->newest->newer : &p->oldest) = s;
	p->newest = s;
}

void pool_uncached(struct pool *p, struct slot *s)
{
	*(s->older ? &s->older->newer : &p->oldest) = s->newer;
	*(s->newer ? &s->newer->older : &p->newest) = s->older;
	s->task = 0;
	who_unref(&s->a);
}

struct slot *pool_take(struct pool *p)
{
	struct slot *s;

	if (!p->unused)
		p->unused = atomic_exchange_explicit(&p->returned, NULL, memory_order_acquire);
	s = p->unused;
	if (!s)
		return NULL;
	p->unused = s->next;
	atomic_store_explicit(&s->refs, 1, memory_order_relaxed);
	s->a.id = p->next_id++;
	if (!s->a.id)
		s->a.id = p->next_id++;
	return s;
}
