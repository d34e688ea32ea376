#include "daemon/detecting.h"

#include <errno.h>
#include <pthread.h>
#include <sys/eventfd.h>

#include "base/log.h"
#include "detect/decoys.h"

#define STEP 4096      /* leaves between two looks at whether to end */
#define WAITING_MAX 64 /* alerts that may wait for the keeper; then the detector waits */

/* --- an import --- */

static int append(void *arg, const struct evidence_alert *a)
{
	uint64_t seq;

	return evidence_append_alert(arg, a, &seq);
}

int detecting_settings(const char *state, const struct config *c, struct evidence *ev)
{
	int r = decoys_excuse(state, ev, str_c(c->decoy_excused));

	if (r == -E2BIG)
		log_error(DECOY_EXCUSED ": at most %d accounts; what was in force stays so", DECOY_EXCUSED_MAX);
	return r == -E2BIG ? 0 : r;
}

int detecting_alone(const char *state, const struct config *c, struct evidence *ev)
{
	char *rules[CONFIG_PATHS_MAX];
	struct detection *d = NULL;
	bool more = true;
	int r = detector_open(state, rules, config_rules(c, rules), &d);

	while (r == 0 && more)
		r = detector_advance(d, UINT64_MAX, append, ev, &more);
	if (r == 0)
		r = evidence_commit(ev);
	/* What was raised is read back: then it need not be looked for again. */
	for (more = true; r == 0 && more;)
		r = detector_advance(d, UINT64_MAX, append, ev, &more);
	detector_close(d);
	return r;
}

/* --- behind the keeper --- */

struct waiting {
	struct evidence_alert a;
	char *person, *rule, *body;
};

struct detecting {
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t wake;
	char *state;
	const struct config *c;
	int fd;
	uint64_t size; /* under lock, as what follows */
	struct waiting waiting[WAITING_MAX];
	size_t n;
	bool stop;
};

static void waiting_free(struct waiting *w)
{
	free(w->person);
	free(w->rule);
	free(w->body);
	*w = (struct waiting){ 0 };
}

static char *copy(str *s)
{
	char *p = s->n ? malloc(s->n) : NULL;

	if (p)
		memcpy(p, s->p, s->n);
	s->n = p ? s->n : 0;
	s->p = p;
	return p;
}

static int hand_over(void *arg, const struct evidence_alert *a)
{
	struct detecting *d = arg;
	struct waiting *w;
	int r = 0;

	pthread_mutex_lock(&d->lock);
	while (d->n == WAITING_MAX && !d->stop)
		pthread_cond_wait(&d->wake, &d->lock);
	if (d->stop) {
		r = -EINTR;
	} else {
		w = &d->waiting[d->n];
		w->a = *a;
		w->person = copy(&w->a.person);
		w->rule = copy(&w->a.rule);
		w->body = copy(&w->a.body);
		if ((a->body.n && !w->body) || (a->person.n && !w->person)) {
			waiting_free(w);
			r = -ENOMEM;
		} else {
			d->n++;
			eventfd_write(d->fd, 1);
		}
	}
	pthread_mutex_unlock(&d->lock);
	return r;
}

/* Until there is more than `done`. False: it is to end. */
static bool wait_more(struct detecting *d, uint64_t *done)
{
	bool stop;

	pthread_mutex_lock(&d->lock);
	while (!d->stop && d->size <= *done)
		pthread_cond_wait(&d->wake, &d->lock);
	*done = d->size;
	stop = d->stop;
	pthread_mutex_unlock(&d->lock);
	return !stop;
}

static bool stopping(struct detecting *d)
{
	bool stop;

	pthread_mutex_lock(&d->lock);
	stop = d->stop;
	pthread_mutex_unlock(&d->lock);
	return stop;
}

static void *run(void *arg)
{
	struct detecting *d = arg;
	char *rules[CONFIG_PATHS_MAX];
	struct detection *detector = NULL;
	uint64_t done = 0;
	bool more = false;
	int r = detector_open(d->state, rules, config_rules(d->c, rules), &detector);

	if (r == 0 && detector_rules(detector) == 0)
		log_info("no detection rules: nothing will raise an alert (the setting `rules`)");
	while (r == 0 && wait_more(d, &done)) {
		do {
			r = detector_advance(detector, STEP, hand_over, d, &more);
		} while (r == 0 && more && !stopping(d));
	}
	if (r < 0 && r != -EINTR)
		log_error("alerts: %s; the record goes on, and the next start finds what it missed", detector_why());
	detector_close(detector);
	return NULL;
}

int detecting_start(const char *state, const struct config *c, struct detecting **ret)
{
	struct detecting *d = calloc(1, sizeof(*d));
	int r;

	if (!d || !(d->state = strdup(state))) {
		free(d);
		return -ENOMEM;
	}
	d->c = c;
	d->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	pthread_mutex_init(&d->lock, NULL);
	pthread_cond_init(&d->wake, NULL);
	r = d->fd < 0 ? errno : pthread_create(&d->thread, NULL, run, d);
	if (r) {
		close_fd(&d->fd);
		free(d->state);
		free(d);
		return -r;
	}
	*ret = d;
	return 0;
}

int detecting_fd(const struct detecting *d)
{
	return d->fd;
}

void detecting_tell(struct detecting *d, uint64_t size)
{
	pthread_mutex_lock(&d->lock);
	if (size > d->size) {
		d->size = size;
		pthread_cond_broadcast(&d->wake);
	}
	pthread_mutex_unlock(&d->lock);
}

int detecting_take(struct detecting *d, struct evidence *ev)
{
	eventfd_t told;
	size_t taken = 0;
	uint64_t seq;
	int r = 0;

	eventfd_read(d->fd, &told);
	pthread_mutex_lock(&d->lock);
	while (taken < d->n && r == 0) {
		r = evidence_append_alert(ev, &d->waiting[taken].a, &seq);
		if (r == -EINVAL || r == -EMSGSIZE) {
			log_error("an alert was refused: %s", evidence_why());
			r = 0;
		}
		if (r == 0)
			waiting_free(&d->waiting[taken++]);
	}
	memmove(d->waiting, d->waiting + taken, (d->n - taken) * sizeof(*d->waiting));
	d->n -= taken;
	pthread_cond_broadcast(&d->wake);
	pthread_mutex_unlock(&d->lock);
	return r < 0 ? r : (int)taken;
}

struct detecting *detecting_stop(struct detecting *d)
{
	if (!d)
		return NULL;
	pthread_mutex_lock(&d->lock);
	d->stop = true;
	pthread_cond_broadcast(&d->wake);
	pthread_mutex_unlock(&d->lock);
	pthread_join(d->thread, NULL);
	for (size_t i = 0; i < d->n; i++)
		waiting_free(&d->waiting[i]);
	pthread_mutex_destroy(&d->lock);
	pthread_cond_destroy(&d->wake);
	close_fd(&d->fd);
	free(d->state);
	free(d);
	return NULL;
}
