#include "base/array.h"
#include "document/inventory_private.h"

#include <errno.h>
#include <time.h>

#include "base/timefmt.h"

_Thread_local struct why inventory_last = { "no error" };
static struct why first_why; /* of the error that ended the run, from whichever thread */

const char *inventory_why(void)
{
	return *first_why.text ? first_why.text : inventory_last.text;
}

/* Under the lock. */
static void end_with(struct inventory *inv, int r)
{
	if (inv->error == 0) {
		inv->error = r;
		first_why = inventory_last;
	}
	pthread_cond_broadcast(&inv->work);
	pthread_cond_broadcast(&inv->room);
}

static int turn(struct inventory *inv)
{
	return inv->c->stop && inv->c->stop() ? -EINTR : inv->c->ops->turn(inv->c->arg, &inv->counts);
}

/* --- the queue --- */

static struct job *job_new(const struct place *p)
{
	struct job *j = malloc(sizeof(*j) + p->path.n + p->acl.n);

	if (!j)
		return NULL;
	*j = (struct job){ .place = *p };
	memcpy(j->text, p->path.p, p->path.n);
	if (p->acl.n)
		memcpy(j->text + p->path.n, p->acl.p, p->acl.n);
	j->place.path = (str){ j->text, p->path.n };
	j->place.acl = (str){ j->text + p->path.n, p->acl.n };
	j->place.error = STR_NONE;
	return j;
}

/* A tenth of a second, or until something has happened. Under the lock. */
static void wait_a_while(struct inventory *inv)
{
	struct timespec until;

	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_nsec += 100000000;
	if (until.tv_nsec >= NSEC_PER_SEC) {
		until.tv_nsec -= NSEC_PER_SEC;
		until.tv_sec++;
	}
	pthread_cond_timedwait(&inv->room, &inv->lock, &until);
}

/* Under the lock. */
static int push(struct inventory *inv, struct job *j)
{
	while (inv->queued >= QUEUE_MAX && inv->error == 0) {
		int r;

		wait_a_while(inv);
		r = turn(inv);
		if (r < 0)
			end_with(inv, r);
	}
	if (inv->error < 0) {
		free(j);
		return inv->error;
	}
	j->next = NULL;
	*inv->last = j;
	inv->last = &j->next;
	inv->queued++;
	pthread_cond_signal(&inv->work);
	return 0;
}

/* Under the lock; NULL: nothing more to do. */
static struct job *take(struct inventory *inv)
{
	struct job *j;

	while (!inv->first && !inv->closed && inv->error == 0)
		pthread_cond_wait(&inv->work, &inv->lock);
	j = inv->error == 0 ? inv->first : NULL;
	if (!j)
		return NULL;
	inv->first = j->next;
	if (!inv->first)
		inv->last = &inv->first;
	inv->queued--;
	inv->busy++;
	pthread_cond_signal(&inv->room);
	return j;
}

static void *work(void *arg)
{
	struct inventory *inv = arg;
	struct reading *rd = NULL;
	struct job *j;
	int r = reading_new(inv, &rd);

	pthread_mutex_lock(&inv->lock);
	if (r < 0)
		end_with(inv, r);
	while ((j = take(inv))) {
		bool later = false;

		pthread_mutex_unlock(&inv->lock);
		r = reading_job(rd, j, &later);
		pthread_mutex_lock(&inv->lock);
		inv->busy--;
		if (r < 0)
			end_with(inv, r);
		if (later) {
			j->next = inv->later;
			inv->later = j;
			inv->counts.pictures++;
		} else {
			free(j);
		}
		pthread_cond_signal(&inv->room);
	}
	pthread_mutex_unlock(&inv->lock);
	reading_free(rd);
	return NULL;
}

/* --- what has changed --- */

bool inventory_knows(struct inventory *inv, const uint8_t hash[static 32], struct facts *ret)
{
	return documents_facts(inv->c->documents, hash, &inv->facts_scratch, ret) == 0 && ret->version >= FACTS_VERSION &&
		documents_has_identifiers(inv->c->documents, hash, ret->version) && prints_has(inv->c->prints, hash);
}

/* Known but for its fingerprints. */
static bool only_prints_missing(struct inventory *inv, const uint8_t hash[static 32])
{
	struct facts f;

	return !prints_has(inv->c->prints, hash) && documents_facts(inv->c->documents, hash, &inv->facts_scratch, &f) == 0 &&
		f.version >= FACTS_VERSION && documents_has_identifiers(inv->c->documents, hash, f.version);
}

static bool of_older_version(struct inventory *inv, const uint8_t hash[static 32])
{
	struct facts f;

	return documents_facts(inv->c->documents, hash, &inv->facts_scratch, &f) == 0 && f.version < FACTS_VERSION;
}

/* Device numbers change when a machine starts again; an inode's generation tells a new file with an old number. */
static bool same_file(const struct place *a, const struct place *b)
{
	return a->has_stat && a->has_object && b->has_object && a->modified == b->modified && a->changed == b->changed && a->bytes == b->bytes &&
		a->object.ino == b->object.ino && a->object.gen == b->object.gen;
}

static int show_part(void *arg, const struct place *p)
{
	struct inventory *inv = arg;
	struct facts f;
	bool known;

	if (p->has_stat)
		return 0;
	known = p->has_document && documents_facts(inv->c->documents, p->document, &inv->facts_scratch, &f) == 0;
	inv->counts.parts++;
	return inv->c->ops->show(inv->c->arg, INVENTORY_PART, p, known ? &f : NULL);
}

/* Stands as it stood. */
static int keep(struct inventory *inv, const struct place *was, const struct walk_entry *e, struct facts *f)
{
	struct place now = e->place;
	int r = 0;

	now.has_document = true;
	memcpy(now.document, was->document, sizeof(now.document));
	now.time = time_now();
	if (was->gone || was->object.dev != now.object.dev)
		r = inv->c->ops->place(inv->c->arg, &now);
	inv->counts.files++;
	inv->counts.bytes += now.bytes;
	inv->counts.unchanged++;
	inv->counts.waiting_ocr += f->wants_ocr;
	if (r == 0)
		r = inventory_origin(inv, now.path, f);
	if (r == 0)
		r = inv->c->ops->show(inv->c->arg, INVENTORY_UNCHANGED, &now, f);
	if (r == 0 && inv->c->parts)
		r = documents_places(inv->c->documents, now.path, false, show_part, inv);
	return r;
}

/* Under the lock: keeps it, or queues it. */
static int look_at(struct inventory *inv, const struct walk_entry *e)
{
	struct place was = { 0 };
	struct facts f;
	struct job *j;
	int r = documents_place(inv->c->documents, e->place.path, &inv->scratch, &was);
	bool known = r == 0 && was.has_stat && was.has_document;

	if (r < 0 && r != -ENOENT)
		return inventory_fail(r, "%s", documents_why());
	if (known && !inv->c->again) {
		known = inventory_knows(inv, was.document, &f);
		inv->counts.older += !known && of_older_version(inv, was.document);
		inv->counts.printed += !known && only_prints_missing(inv, was.document);
	}
	r = seen_put(&inv->paths, seen_key(&inv->paths, e->place.path), SEEN_UNCHANGED);
	if (r < 0)
		return r;
	if (known && !inv->c->again && same_file(&was, &e->place) && !(f.wants_ocr && inv->c->ocr == OCR_NOW))
		return keep(inv, &was, e, &f);
	j = job_new(&e->place);
	if (!j)
		return -ENOMEM;
	if (known && !inv->c->again && same_file(&was, &e->place)) {
		j->next = inv->later;
		inv->later = j;
		inv->counts.pictures++;
		inv->counts.files++;
		inv->counts.bytes += e->place.bytes;
		return 0;
	}
	j->hash_first = known && !inv->c->again && was.bytes == e->place.bytes && !(f.wants_ocr && inv->c->ocr == OCR_NOW);
	memcpy(j->document, was.document, sizeof(j->document));
	return push(inv, j);
}

static int note_unknown(struct inventory *inv, str path)
{
	if (array_room(inv->unknown, inv->cap_unknown, inv->n_unknown + 1) < 0)
		return -ENOMEM;
	inv->unknown[inv->n_unknown] = (str){ strndup(path.p, path.n), path.n };
	return inv->unknown[inv->n_unknown++].p ? 0 : -ENOMEM;
}

static int take_entry(struct inventory *inv, const struct walk_entry *e)
{
	int r = 0;

	if (e->kind == WALK_FILE)
		return look_at(inv, e);
	if (e->kind == WALK_FOLDER_FAILED)
		r = note_unknown(inv, e->place.path);
	inv->counts.failed++;
	return r < 0 ? r : inv->c->ops->show(inv->c->arg, INVENTORY_FAILED, &e->place, NULL);
}

/* --- what is gone --- */

static bool below_unknown(const struct inventory *inv, str path)
{
	for (size_t i = 0; i < inv->n_unknown; i++) {
		str u = inv->unknown[i];

		if (str_starts(path, u) && (path.n == u.n || path.p[u.n] == '/' || path.p[u.n] == '!'))
			return true;
	}
	return false;
}

/* A part stands as long as its container does and was not read anew without it. */
static bool part_stands(struct inventory *inv, str path)
{
	for (size_t i = 0; i + 1 < path.n; i++) {
		uint8_t how = path.p[i] == '!' && path.p[i + 1] == '/' ? seen_get(&inv->paths, seen_key(&inv->paths, (str){ path.p, i })) : 0;

		if (how)
			return how == SEEN_UNCHANGED;
	}
	return false;
}

static int check_gone(void *arg, const struct place *p)
{
	struct inventory *inv = arg;
	struct place gone = { .path = p->path, .gone = true, .time = time_now() };
	int r;

	if (seen_get(&inv->paths, seen_key(&inv->paths, p->path)) || (!p->has_stat && part_stands(inv, p->path)) || below_unknown(inv, p->path))
		return 0;
	inv->counts.gone++;
	r = inv->c->ops->place(inv->c->arg, &gone);
	return r < 0 ? r : inv->c->ops->show(inv->c->arg, INVENTORY_GONE, &gone, NULL);
}

static int find_gone(struct inventory *inv)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < inv->c->n_paths; i++) {
		str root = str_c(inv->c->paths[i]);

		r = documents_places(inv->c->documents, root.n > 1 ? root : STR_NONE, false, check_gone, inv);
	}
	return r;
}

/* --- the run --- */

/* Under the lock: the queue runs dry. */
static int finish(struct inventory *inv)
{
	while (inv->error == 0 && (inv->queued || inv->busy)) {
		int r;

		wait_a_while(inv);
		r = turn(inv);
		if (r < 0)
			end_with(inv, r);
	}
	return inv->error;
}

static int walk_all(struct inventory *inv)
{
	struct walk_entry e;
	int r;

	walk_begin(inv->c->walk, inv->c->paths, inv->c->n_paths);
	while ((r = walk_next(inv->c->walk, &e)) > 0) {
		pthread_mutex_lock(&inv->lock);
		r = inv->error < 0 ? inv->error : take_entry(inv, &e);
		if (r == 0)
			r = turn(inv);
		if (r < 0)
			end_with(inv, r);
		pthread_mutex_unlock(&inv->lock);
		if (r < 0)
			break;
	}
	if (r < 0 && inv->error == 0) {
		pthread_mutex_lock(&inv->lock);
		inventory_fail(r, "the walk through the folders ended: %s", strerror(-r));
		end_with(inv, r);
		pthread_mutex_unlock(&inv->lock);
	}
	return r;
}

static int requeue_pictures(struct inventory *inv)
{
	struct job *j;
	int r = 0;

	pthread_mutex_lock(&inv->lock);
	while (r == 0 && (j = inv->later)) {
		inv->later = j->next;
		j->hash_first = false;
		r = push(inv, j);
	}
	pthread_mutex_unlock(&inv->lock);
	return r;
}

/* One pass: feed fills the queue while the threads empty it. */
static int pass(struct inventory *inv, enum ocr_mode ocr, int (*feed)(struct inventory *inv))
{
	pthread_t threads[INVENTORY_THREADS_MAX];
	unsigned n = 0, want = MIN(MAX(inv->c->threads, 1u), (unsigned)INVENTORY_THREADS_MAX);
	int r;

	inv->pass++;
	inv->ocr = ocr;
	inv->closed = false;
	while (n < want && pthread_create(&threads[n], NULL, work, inv) == 0)
		n++;
	r = n ? feed(inv) : inventory_fail(-EAGAIN, "no thread can be started");
	pthread_mutex_lock(&inv->lock);
	if (r < 0)
		end_with(inv, r);
	r = finish(inv);
	inv->closed = true;
	pthread_cond_broadcast(&inv->work);
	pthread_mutex_unlock(&inv->lock);
	while (n)
		pthread_join(threads[--n], NULL);
	return r < 0 ? r : inv->error;
}

static void free_jobs(struct job *j)
{
	while (j) {
		struct job *next = j->next;

		free(j);
		j = next;
	}
}

int inventory_run(const struct inventory_config *c, struct inventory_counts *ret)
{
	struct inventory inv = { .c = c, .lock = PTHREAD_MUTEX_INITIALIZER, .work = PTHREAD_COND_INITIALIZER, .room = PTHREAD_COND_INITIALIZER };
	int r = seen_init(&inv.paths);

	*first_why.text = '\0';
	inv.last = &inv.first;
	if (r == 0)
		r = seen_init(&inv.contents);
	if (r == 0)
		r = pass(&inv, c->ocr == OCR_NEVER ? OCR_NEVER : OCR_LATER, walk_all);
	if (r == 0)
		r = find_gone(&inv);
	if (r == 0 && inv.later)
		r = pass(&inv, OCR_NOW, requeue_pictures);
	*ret = inv.counts;
	free_jobs(inv.first);
	free_jobs(inv.later);
	for (size_t i = 0; i < inv.n_unknown; i++)
		free((char *)inv.unknown[i].p);
	free(inv.unknown);
	seen_free(&inv.paths);
	seen_free(&inv.contents);
	buf_free(&inv.scratch);
	buf_free(&inv.facts_scratch);
	return r;
}
