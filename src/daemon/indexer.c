#include "daemon/indexer.h"

#include <errno.h>
#include <pthread.h>
#include <sys/statvfs.h>
#include <time.h>

#include "base/log.h"
#include "document/documents.h"
#include "index/index.h"

#define BATCH 65536
#define WAIT_SECONDS 5

struct indexer {
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t wake;
	char *state;
	uint64_t reserve;
	uint64_t size, indexed; /* under lock */
	struct documents_stat documents;
	bool has_documents;
	bool stop, finish;
};

static bool disk_is_short(const struct indexer *x)
{
	struct statvfs v;

	return statvfs(x->state, &v) == 0 && (uint64_t)v.f_bavail * v.f_frsize < x->reserve;
}

/* Waits until there is enough to do. Returns the size to go to, or 0 to end. */
static uint64_t next_target(struct indexer *x)
{
	uint64_t size;

	pthread_mutex_lock(&x->lock);
	if (!x->stop && x->size < x->indexed + BATCH) {
		struct timespec until;

		clock_gettime(CLOCK_MONOTONIC, &until);
		until.tv_sec += WAIT_SECONDS;
		while (!x->stop && x->size < x->indexed + BATCH)
			if (pthread_cond_timedwait(&x->wake, &x->lock, &until) == ETIMEDOUT)
				break;
	}
	size = x->stop && (!x->finish || x->size == x->indexed) ? 0 : x->size;
	pthread_mutex_unlock(&x->lock);
	return size;
}

static void set_indexed(struct indexer *x, uint64_t indexed)
{
	pthread_mutex_lock(&x->lock);
	x->indexed = indexed;
	x->size = MAX(x->size, indexed);
	pthread_mutex_unlock(&x->lock);
}

static bool stopping(struct indexer *x)
{
	bool stop;

	pthread_mutex_lock(&x->lock);
	stop = x->stop && !x->finish;
	pthread_mutex_unlock(&x->lock);
	return stop;
}

static int advance(struct indexer *x, struct index *index, struct evidence_reader *r, uint64_t target)
{
	uint64_t size;
	int e = evidence_reader_refresh(r, &size);

	if (e < 0)
		return e;
	target = MIN(target, size);
	while (index_indexed(index) < target && !stopping(x)) {
		uint64_t before = index_indexed(index);

		e = index_advance(index, r, target, 16 * BATCH);
		if (e < 0)
			return e;
		set_indexed(x, index_indexed(index));
		if (index_indexed(index) == before)
			break;
	}
	return 0;
}

/* The table of documents is a view as the index is; its failure stops nothing else. */
static void follow_documents(struct indexer *x, struct documents **d, struct evidence_reader *r, uint64_t target)
{
	struct documents_stat st;
	uint64_t size;
	int e = 0;

	if (*d && target <= documents_known(*d))
		return;
	if (!*d)
		e = documents_open(x->state, true, d);
	if (e == 0)
		e = evidence_reader_refresh(r, &size);
	if (e == 0)
		e = documents_advance(*d, r, MIN(target, size));
	if (e == 0)
		e = documents_stat(*d, &st);
	if (e == 0) {
		pthread_mutex_lock(&x->lock);
		x->documents = st;
		x->has_documents = true;
		pthread_mutex_unlock(&x->lock);
	}
	if (e == -EUCLEAN)
		*d = documents_close(*d); /* opened anew, it is built anew */
	if (e < 0)
		log_debug("%s", documents_why());
}

static void *run(void *arg)
{
	struct indexer *x = arg;
	struct evidence_reader *r = NULL;
	struct documents *documents = NULL;
	struct index *index = NULL;
	uint64_t target;
	bool told = false;
	int e;

	e = evidence_reader_open(x->state, &r);
	if (e == 0)
		e = index_open(x->state, &index);
	if (e < 0) {
		log_error("index: %s; queries look through the record instead", index_why());
		goto end;
	}
	set_indexed(x, index_indexed(index));
	follow_documents(x, &documents, r, index_indexed(index));
	while ((target = next_target(x))) {
		if (disk_is_short(x)) {
			if (!told)
				log_error("index waits: less than disk.reserve is free; the record goes on");
			told = true;
			if (x->stop)
				break;
			sleep(1);
			continue;
		}
		told = false;
		e = target > index_indexed(index) ? advance(x, index, r, target) : 0;
		follow_documents(x, &documents, r, target);
		if (e == -EUCLEAN || e == -ENOMEM || (e < 0 && x->stop)) {
			log_error("index: %s; queries look through the record instead", index_why());
			break;
		}
		/* Somebody else's lock, or no room for a moment: the log waits for nobody, and the index catches up. */
		if (e < 0)
			sleep(1);
	}
end:
	documents_close(documents);
	index_close(index);
	evidence_reader_close(r);
	return NULL;
}

int indexer_start(const char *state, uint64_t reserve, struct indexer **ret)
{
	struct indexer *x = calloc(1, sizeof(*x));
	pthread_condattr_t attr;
	int r;

	if (!x || !(x->state = strdup(state))) {
		free(x);
		return -ENOMEM;
	}
	x->reserve = reserve;
	pthread_mutex_init(&x->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&x->wake, &attr);
	pthread_condattr_destroy(&attr);
	r = pthread_create(&x->thread, NULL, run, x);
	if (r) {
		free(x->state);
		free(x);
		return -r;
	}
	*ret = x;
	return 0;
}

void indexer_tell(struct indexer *x, uint64_t size)
{
	pthread_mutex_lock(&x->lock);
	x->size = MAX(x->size, size);
	if (x->size >= x->indexed + BATCH)
		pthread_cond_signal(&x->wake);
	pthread_mutex_unlock(&x->lock);
}

uint64_t indexer_indexed(struct indexer *x)
{
	uint64_t v;

	pthread_mutex_lock(&x->lock);
	v = x->indexed;
	pthread_mutex_unlock(&x->lock);
	return v;
}

bool indexer_documents(struct indexer *x, struct documents_stat *ret)
{
	bool has;

	pthread_mutex_lock(&x->lock);
	has = x->has_documents;
	if (has)
		*ret = x->documents;
	pthread_mutex_unlock(&x->lock);
	return has;
}

struct indexer *indexer_stop(struct indexer *x, bool finish)
{
	if (!x)
		return NULL;
	pthread_mutex_lock(&x->lock);
	x->stop = true;
	x->finish = finish;
	pthread_cond_signal(&x->wake);
	pthread_mutex_unlock(&x->lock);
	pthread_join(x->thread, NULL);
	pthread_cond_destroy(&x->wake);
	pthread_mutex_destroy(&x->lock);
	free(x->state);
	free(x);
	return NULL;
}
