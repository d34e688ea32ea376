#include "daemon/follower.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <time.h>

#include "daemon/mask.h"
#include "daemon/query.h"
#include "evidence/evidence.h"

#define TURN_NS (100 * 1000 * 1000L)

struct following {
	struct evidence_reader *r;
	struct buf scratch, masked;
	bool mask;
	const struct index_filter *filter;
	follow_cb *cb;
	void *arg;
};

/* Also by the pseudonym: a person who has none yet may get one while we follow. */
static bool wanted(struct following *f, const struct event *e)
{
	const struct names *n = evidence_reader_names(f->r);
	struct index_filter one = *f->filter;
	bool yes = index_matches(f->filter, e);

	one.n_persons = 1;
	for (size_t i = 0; !yes && f->mask && i < f->filter->n_persons; i++) {
		str person;

		one.persons = &person;
		yes = mask_resolve(n, f->filter->persons[i], &person) == 0 && index_matches(&one, e);
	}
	return yes;
}

static int on_leaf(void *arg, uint64_t seq, const struct leaf *l)
{
	struct following *f = arg;
	struct event e;
	int r;

	if (l->kind != LEAF_EVENT)
		return 0;
	buf_clear(&f->scratch);
	r = evidence_event(evidence_reader_names(f->r), seq, l, &f->scratch, &e);
	if (r < 0)
		return r;
	if (f->filter && !wanted(f, &e))
		return 0;
	if (f->mask) {
		buf_clear(&f->masked);
		mask_event(evidence_reader_names(f->r), &e, &f->masked);
		if (f->filter && !query_shown(f->filter, &e))
			return 0;
	}
	return f->cb(f->arg, &e);
}

static int turn(struct following *f, uint64_t *from)
{
	uint64_t size;
	int r = evidence_reader_refresh(f->r, &size);

	if (r < 0)
		return r;
	if (*from == UINT64_MAX)
		*from = size;
	if (*from >= size)
		return 0;
	r = evidence_each(f->r, *from, size, on_leaf, f);
	*from = size;
	return r;
}

int follow(const char *state, uint64_t from, const struct index_filter *filter, bool mask, follow_cb *cb, follow_idle *idle, void *arg)
{
	struct following f = { .cb = cb, .arg = arg, .mask = mask, .filter = filter };
	int r;

	r = evidence_reader_open(state, &f.r);
	if (r < 0)
		return r;
	for (;;) {
		struct timespec t = { .tv_nsec = TURN_NS };

		r = turn(&f, &from);
		if (r == 0)
			r = idle(arg);
		if (r)
			break;
		nanosleep(&t, NULL);
	}
	evidence_reader_close(f.r);
	buf_free(&f.scratch);
	buf_free(&f.masked);
	return r;
}

struct follower {
	pthread_t thread;
	char *state;
	uint64_t from;
	bool mask;
	follow_cb *cb;
	follow_idle *idle;
	void *arg;
	atomic_bool stop;
	bool last_turn; /* of the thread */
};

static int thread_event(void *arg, const struct event *e)
{
	struct follower *f = arg;

	return f->cb(f->arg, e);
}

static int thread_idle(void *arg)
{
	struct follower *f = arg;
	int r = f->idle(f->arg);

	if (r || f->last_turn)
		return r ? r : 1;
	/* What became durable before the stop still gets a whole turn. */
	f->last_turn = atomic_load(&f->stop);
	return 0;
}

static void *run(void *arg)
{
	struct follower *f = arg;

	follow(f->state, f->from, NULL, f->mask, thread_event, thread_idle, f);
	return NULL;
}

int follower_start(const char *state, uint64_t from, bool mask, follow_cb *cb, follow_idle *idle, void *arg, struct follower **ret)
{
	struct follower *f = calloc(1, sizeof(*f));
	int r;

	if (!f || !(f->state = strdup(state))) {
		free(f);
		return -ENOMEM;
	}
	f->from = from;
	f->mask = mask;
	f->cb = cb;
	f->idle = idle;
	f->arg = arg;
	r = pthread_create(&f->thread, NULL, run, f);
	if (r) {
		free(f->state);
		free(f);
		return -r;
	}
	*ret = f;
	return 0;
}

struct follower *follower_stop(struct follower *f)
{
	struct timespec until;

	if (!f)
		return NULL;
	atomic_store(&f->stop, true);
	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += 2;
	/* A thread that hangs in a write to a pipe that nobody reads is left to the end of the process; its memory too. */
	if (pthread_timedjoin_np(f->thread, NULL, &until) != 0)
		return NULL;
	free(f->state);
	free(f);
	return NULL;
}
