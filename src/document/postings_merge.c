/* Merging segments: four of a size become one, on a thread of its own where that is wanted. */
#include <errno.h>
#include <stdio.h>

#include "document/postings_internal.h"
#include "evidence/vfs.h"

#define FAN 4          /* of one size, then they are merged: each posting is written again log4(n) times */
#define INPUTS_MAX 16
#define CHECK_EVERY 65536
#define SEGMENTS_MANY (POSTINGS_SEGMENTS_MAX / 4)

/* --- the job: nothing of struct postings but what the job holds --- */

struct input {
	const struct segment *s;
	uint32_t next;         /* block */
	uint32_t at;           /* in the block */
	struct segment_block b;
};

static int advance(struct input *in)
{
	if (++in->at < in->b.n)
		return 0;
	in->at = 0;
	in->b.n = 0;
	return in->next < in->s->blocks ? segment_block(in->s, in->next++, &in->b) : 0;
}

static bool before(const struct posting *a, const struct posting *b)
{
	return a->key != b->key ? a->key < b->key : a->doc < b->doc;
}

/* Few inputs: a look at each is as fast as a heap. */
static struct input *smallest(struct input *in, size_t n)
{
	struct input *best = NULL;

	for (size_t i = 0; i < n; i++)
		if (in[i].b.n && (!best || before(&in[i].b.e[in[i].at], &best->b.e[best->at])))
			best = &in[i];
	return best;
}

static int merge(struct merge_job *j, struct input *in, struct segment_writer *w)
{
	struct input *x;
	uint64_t count = 0;
	int r = 0;

	for (size_t i = 0; r == 0 && i < j->n_in; i++) {
		in[i].s = &j->in[i];
		r = j->in[i].blocks ? segment_block(in[i].s, in[i].next++, &in[i].b) : 0;
	}
	while (r == 0 && (x = smallest(in, j->n_in))) {
		if (++count % CHECK_EVERY == 0 && atomic_load(&j->cancel))
			return -ECANCELED;
		if (!postings_dead(j->dead, j->docs, x->b.e[x->at].doc))
			r = segment_writer_add(w, &x->b.e[x->at]);
		if (r == 0)
			r = advance(x);
	}
	if (r == 0)
		r = segment_writer_end(w);
	j->n = w->n;
	return r;
}

static void *work(void *arg)
{
	struct merge_job *j = arg;
	struct input *in = calloc(j->n_in, sizeof(*in));
	struct segment_writer w;

	j->result = in ? segment_writer_begin(j->dir, j->number, &w) : -ENOMEM;
	if (j->result == 0) {
		j->result = merge(j, in, &w);
		segment_writer_drop(&w);
	}
	free(in);
	atomic_store(&j->done, true);
	return NULL;
}

static void job_free(struct merge_job *j)
{
	free(j->in);
	free(j->dead);
	free(j);
}

static int job_start(struct postings *p, const size_t *which, size_t n)
{
	struct merge_job *j = calloc(1, sizeof(*j));

	if (!j)
		return postings_fail(-ENOMEM, "no memory");
	j->in = calloc(n, sizeof(*j->in));
	j->dead = malloc(p->cap_docs / 8);
	if (!j->in || !j->dead) {
		job_free(j);
		return postings_fail(-ENOMEM, "no memory");
	}
	for (size_t i = 0; i < n; i++) {
		j->in[i] = p->segments[which[i]];
		j->in[i].checked = NULL; /* it reads on a thread of its own */
	}
	memcpy(j->dead, p->dead, p->cap_docs / 8);
	j->docs = p->n_docs;
	j->n_in = n;
	j->dir = p->dir;
	j->number = p->next++;
	p->job = j;
	j->threaded = p->o.background && pthread_create(&j->thread, NULL, work, j) == 0;
	if (!j->threaded)
		work(j);
	return 0;
}

/* --- taking in --- */

static bool is_input(const struct merge_job *j, uint64_t number)
{
	for (size_t i = 0; i < j->n_in; i++)
		if (j->in[i].number == number)
			return true;
	return false;
}

static void unlink_segment(struct postings *p, uint64_t number)
{
	char name[32];

	segment_name(number, name);
	(void)vfs_unlink(p->dir, name);
}

/* The new segment in place of its inputs. */
static int job_install(struct postings *p, struct merge_job *j)
{
	struct segment old[POSTINGS_SEGMENTS_MAX], s = { 0 };
	size_t n_old = p->n_segments, n = 0;
	int r = j->n ? segment_open(p->dir, j->number, &s) : 0;

	if (r < 0)
		return postings_fail(r, "segment-%llu: %s", (unsigned long long)j->number, strerror(-r));
	memcpy(old, p->segments, n_old * sizeof(old[0]));
	for (size_t i = 0; i < n_old; i++)
		if (!is_input(j, old[i].number))
			p->segments[n++] = old[i];
	if (s.map)
		p->segments[n++] = s;
	p->n_segments = n;
	/* Its name must be durable before the manifest gives it. */
	r = vfs_fsync(p->dir) < 0 ? postings_io(p, -EIO, "folder") : manifest_write(p);
	if (r < 0) {
		segment_close(&s);
		memcpy(p->segments, old, n_old * sizeof(old[0]));
		p->n_segments = n_old;
		return r;
	}
	for (size_t i = 0; i < n_old; i++) {
		if (!is_input(j, old[i].number))
			continue;
		unlink_segment(p, old[i].number);
		segment_close(&old[i]);
	}
	if (!s.map)
		unlink_segment(p, j->number);
	return 0;
}

static int job_end(struct postings *p)
{
	struct merge_job *j = p->job;
	int r;

	if (j->threaded)
		pthread_join(j->thread, NULL);
	p->job = NULL;
	r = p->broken ? -EIO : j->result;
	if (r == 0)
		r = job_install(p, j);
	else if (r == -EUCLEAN)
		postings_fail(r, "a segment is damaged");
	else if (r == -EIO)
		postings_io(p, r, "merge");
	if (r < 0 && !p->broken)
		unlink_segment(p, j->number);
	job_free(j);
	return r;
}

static unsigned tier(uint64_t n)
{
	return n ? (63 - (unsigned)__builtin_clzll(n)) / 2 : 0;
}

/* Segments of the lowest size of which there are enough; 0: none. */
static size_t due(const struct postings *p, size_t which[static INPUTS_MAX])
{
	for (unsigned t = 0; t < 32; t++) {
		size_t n = 0;

		for (size_t i = 0; i < p->n_segments && n < INPUTS_MAX; i++)
			if (tier(p->segments[i].n) == t)
				which[n++] = i;
		if (n >= FAN)
			return n;
	}
	return 0;
}

int merge_step(struct postings *p)
{
	size_t which[INPUTS_MAX], n;
	int r = 0;

	if (p->job) {
		/* Who puts faster than is merged waits, before there is no room for segments. */
		if (!atomic_load(&p->job->done) && p->n_segments < SEGMENTS_MANY)
			return 0;
		r = job_end(p);
	}
	while (r == 0 && !p->job && (n = due(p, which)) > 0) {
		r = job_start(p, which, n);
		if (r == 0 && !p->job->threaded)
			r = job_end(p);
	}
	return r;
}

int merge_all(struct postings *p)
{
	size_t which[INPUTS_MAX];
	int r = p->job ? job_end(p) : 0;
	bool again = false;

	/* A single one is written again where it may hold what was removed. */
	while (r == 0 && p->n_segments > 0 && (p->n_segments > 1 || !again)) {
		size_t n = MIN(p->n_segments, (size_t)INPUTS_MAX);

		for (size_t i = 0; i < n; i++)
			which[i] = i;
		r = job_start(p, which, n);
		if (r == 0)
			r = job_end(p);
		again = true;
	}
	return r;
}

void merge_stop(struct postings *p)
{
	if (!p->job)
		return;
	/* Where each run is short a large merge would never be done. */
	if (p->n_segments < SEGMENTS_MANY)
		atomic_store(&p->job->cancel, true);
	job_end(p);
}
