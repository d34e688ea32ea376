#include "daemon/detecting.h"

#include <errno.h>
#include <pthread.h>
#include <sys/eventfd.h>

#include "base/log.h"
#include "base/timefmt.h"
#include "detect/decoys.h"

#define STEP 4096      /* leaves between two looks at whether to end */
#define PAST_STEP 32768 /* records of the past between two looks at what is new */
#define WAITING_MAX 64 /* alerts that may wait for the keeper; then the detector waits */
#define LOOK_MS 2000   /* between looks at the rules' files; they are read when two looks see the same change */
#define SETTLE_NS (2 * NSEC_PER_SEC)      /* without another late record… */
#define SETTLE_MAX_NS (60 * NSEC_PER_SEC) /* …or so long after the first one, the past is gone through */
#define SAVE_NS (60 * NSEC_PER_SEC)       /* a case's numbers are not older in the queue */
#define COMPLAINTS_MAX 20

struct complaints {
	size_t n;
};

static void complain(void *arg, const struct sigma_rule *r)
{
	struct complaints *c = arg;

	if (c->n++ < COMPLAINTS_MAX)
		log_error("%.*s:%u: %s: this rule is not in force", STR_ARG(r->file), r->line, r->why ? r->why : "not a rule");
}

static void say_rules(const struct detection *d)
{
	struct complaints c = { 0 };

	detector_complain(d, complain, &c);
	if (c.n > COMPLAINTS_MAX)
		log_error("%zu more rules are not in force: `tyto rules check` names them", c.n - COMPLAINTS_MAX);
}

int detecting_settings(const char *state, const struct config *c, struct evidence *ev)
{
	int r = decoys_excuse(state, ev, str_c(c->decoy_excused));

	if (r == -E2BIG)
		log_error(DECOY_EXCUSED ": at most %d accounts; what was in force stays so", DECOY_EXCUSED_MAX);
	return r == -E2BIG ? 0 : r;
}

/* That there are none is said only where there were some. */
static bool is_news(const struct detection *d, str *ret_setting)
{
	struct detector_stat st;

	detector_stat(d, &st);
	return detector_unrecorded(d, ret_setting) && (st.rules.all || detector_recorded_any(d));
}

/* Beside a keeper `tyto doctor` says it. */
static void say_full(const struct detection *d)
{
	struct detector_stat st;

	detector_stat(d, &st);
	if (st.full)
		log_info("detection state was full %llu times: some counts began anew; shorter timespans or fewer groups need less",
			(unsigned long long)st.full);
}

/* --- between the thread and the writer --- */


struct waiting {
	struct evidence_alert a;
	char *person, *rule, *body;
};

enum end { GOES_ON, TO_FINISH, LOOKED_THROUGH, DURABLE, ENDED }; /* of an import, in this order */

struct detecting {
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t wake;
	char *state;
	const struct config *c;
	enum detecting_how how;
	int fd;
	uint64_t size; /* under lock, as what follows */
	struct waiting waiting[WAITING_MAX];
	size_t n;
	char *setting; /* about the rules in force, to be recorded; NULL none… */
	size_t setting_at; /* …behind so many of the waiting alerts: those are of the set before */
	struct detector_stat stat;
	int64_t since; /* the rules have been in force */
	char set[65];
	bool stop, reload, failed;
	enum end end;
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

/* Under lock: the keeper looks at the descriptor, the end of an import at the condition. */
static void tell_writer(struct detecting *d)
{
	eventfd_write(d->fd, 1);
	pthread_cond_broadcast(&d->wake);
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
			tell_writer(d);
		}
	}
	pthread_mutex_unlock(&d->lock);
	return r;
}

/* At most so long, until there is more than `done`, or the rules are to be read again. False: it is to end. */
static bool wait_more(struct detecting *d, uint64_t *done, int64_t ms, bool *ret_reload)
{
	struct timespec until;
	bool stop;

	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += ms / 1000;
	until.tv_nsec += ms % 1000 * 1000000;
	if (until.tv_nsec >= NSEC_PER_SEC) {
		until.tv_sec++;
		until.tv_nsec -= NSEC_PER_SEC;
	}
	pthread_mutex_lock(&d->lock);
	while (!d->stop && !d->reload && d->size <= *done && d->end == GOES_ON && ms && pthread_cond_timedwait(&d->wake, &d->lock, &until) == 0)
		;
	*done = d->size;
	*ret_reload = d->reload;
	d->reload = false;
	stop = d->stop || d->end != GOES_ON;
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

/* What the thread knows of itself. */
struct following {
	struct detecting *d;
	struct detection *detector;
	char *rules[CONFIG_PATHS_MAX];
	size_t n_rules;
	uint64_t signature, seen; /* of the rules in force; at the last look */
	int64_t looked, late_since, late_last; /* CLOCK_BOOTTIME */
	uint64_t waiting;         /* late records at the last look */
	int64_t unsaved_since;    /* 0: all is */
};

/* The rules in force, to the keeper and into the log. */
static void publish(struct following *f, bool fresh)
{
	struct detecting *d = f->d;
	str setting;
	bool news = fresh && is_news(f->detector, &setting);

	pthread_mutex_lock(&d->lock);
	detector_stat(f->detector, &d->stat);
	if (fresh) {
		d->since = news ? time_now() : detector_since(f->detector);
		detector_set(f->detector, d->set);
	}
	if (news) {
		free(d->setting);
		d->setting = strndup(setting.p, setting.n);
		d->setting_at = d->n;
		tell_writer(d);
	}
	pthread_mutex_unlock(&d->lock);
	if (news)
		detector_recorded(f->detector);
}

static void reload(struct following *f)
{
	struct detector_stat st;
	int r = detector_reload(f->detector, f->rules, f->n_rules);

	if (r < 0) {
		log_error("rules: %s; those in force stay so", detector_why());
		return;
	}
	if (r == 0)
		return;
	say_rules(f->detector);
	detector_stat(f->detector, &st);
	log_info("the rules were read again: %zu run of %zu", st.rules.run, st.rules.all);
	publish(f, true);
}

/* Files that are being written change from look to look. */
static void look_at_rules(struct following *f)
{
	uint64_t now;

	if (time_boottime() - f->looked < LOOK_MS * 1000000LL)
		return;
	f->looked = time_boottime();
	now = ruleset_signature(f->rules, f->n_rules);
	if (now != f->signature && now == f->seen) {
		f->signature = now;
		reload(f);
	}
	f->seen = now;
}

/* Is it time to go through the past? An import comes in one go; a source that never rests must not be waited for. */
static bool is_settled(struct following *f)
{
	struct detector_stat st;
	int64_t now = time_boottime();

	detector_stat(f->detector, &st);
	if (st.waiting && !f->waiting)
		f->late_since = now;
	if (st.waiting != f->waiting)
		f->late_last = now;
	f->waiting = st.waiting;
	return st.waiting && (now - f->late_last >= SETTLE_NS || now - f->late_since >= SETTLE_MAX_NS);
}

static int advance(struct following *f)
{
	bool more = false;
	int r;

	do {
		r = detector_advance(f->detector, STEP, hand_over, f->d, &more);
	} while (r == 0 && more && !stopping(f->d));
	return r;
}

static int save(struct following *f)
{
	int64_t now = time_boottime();

	if (!detector_unsaved(f->detector) || detector_unsettled(f->detector))
		f->unsaved_since = 0;
	else if (!f->unsaved_since)
		f->unsaved_since = now;
	else if (now - f->unsaved_since >= SAVE_NS)
		return detector_save(f->detector, hand_over, f->d);
	return 0;
}

/* As the keeper does it, at the keeper's times. */
static int follow_live(struct following *f)
{
	bool again = false, past = false;
	uint64_t done = 0;
	int r = 0;

	while (r == 0 && wait_more(f->d, &done, past ? 0 : detector_unsettled(f->detector) ? LOOK_MS / 4 : LOOK_MS, &again)) {
		if (again) {
			f->signature = ruleset_signature(f->rules, f->n_rules);
			reload(f);
		}
		look_at_rules(f);
		r = advance(f);
		if (r == 0 && (past || is_settled(f))) {
			r = detector_settle(f->detector, PAST_STEP, hand_over, f->d, &past);
			f->late_since = f->late_last = time_boottime();
		}
		if (r == 0)
			r = save(f);
		if (r == 0)
			publish(f, false);
	}
	return r;
}

/* Until it is `end`, or it is to stop. */
static bool wait_end(struct detecting *d, enum end end)
{
	bool stop;

	pthread_mutex_lock(&d->lock);
	while (d->end < end && !d->stop)
		pthread_cond_wait(&d->wake, &d->lock);
	stop = d->stop;
	pthread_mutex_unlock(&d->lock);
	return !stop;
}

static void set_end(struct detecting *d, enum end end)
{
	pthread_mutex_lock(&d->lock);
	d->end = MAX(d->end, end);
	pthread_cond_broadcast(&d->wake);
	pthread_mutex_unlock(&d->lock);
}

/* What was raised is read back at last: then it need not be looked for again. */
static int follow_import(struct following *f)
{
	struct detecting *d = f->d;
	bool again, past = true;
	uint64_t done = 0;
	int r = 0;

	while (r == 0 && wait_more(d, &done, LOOK_MS, &again))
		r = advance(f);
	if (r < 0 || !wait_end(d, TO_FINISH))
		return r;
	r = advance(f);
	while (r == 0 && detector_unsettled(f->detector) && !stopping(d))
		r = detector_settle(f->detector, PAST_STEP, hand_over, d, &past);
	if (r == 0)
		r = detector_save(f->detector, hand_over, d);
	if (r < 0)
		return r;
	set_end(d, LOOKED_THROUGH);
	if (!wait_end(d, DURABLE))
		return 0;
	r = advance(f);
	say_full(f->detector);
	return r;
}

static void *run(void *arg)
{
	struct following f = { .d = arg };
	struct detector_stat st;
	int r;

	f.n_rules = config_rules(f.d->c, f.rules);
	f.signature = f.seen = ruleset_signature(f.rules, f.n_rules);
	r = detector_open(f.d->state, f.rules, f.n_rules, &f.detector);
	if (r == 0) {
		detector_budget(f.detector, f.d->c->alerts_budget);
		say_rules(f.detector);
		detector_stat(f.detector, &st);
		if (st.rules.run == 0 && f.d->how == DETECTING_LIVE)
			log_info("no detection rules: nothing will raise an alert (the setting `rules`)");
		publish(&f, true);
		r = f.d->how == DETECTING_LIVE ? follow_live(&f) : follow_import(&f);
	}
	if (r < 0 && r != -EINTR) {
		log_error("alerts: %s; the record goes on, and the next start finds what it missed", detector_why());
		pthread_mutex_lock(&f.d->lock);
		f.d->failed = true;
		pthread_mutex_unlock(&f.d->lock);
	}
	detector_close(f.detector);
	set_end(f.d, ENDED);
	return NULL;
}

int detecting_start(const char *state, const struct config *c, enum detecting_how how, struct detecting **ret)
{
	struct detecting *d = calloc(1, sizeof(*d));
	pthread_condattr_t clock;
	int r;

	if (!d || !(d->state = strdup(state))) {
		free(d);
		return -ENOMEM;
	}
	d->c = c;
	d->how = how;
	d->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	pthread_mutex_init(&d->lock, NULL);
	pthread_condattr_init(&clock);
	pthread_condattr_setclock(&clock, CLOCK_MONOTONIC);
	pthread_cond_init(&d->wake, &clock);
	pthread_condattr_destroy(&clock);
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

static int take_setting(struct detecting *d, struct evidence *ev)
{
	uint64_t seq;
	int r = evidence_append_config(ev, time_now(), str_c(d->setting), &seq);

	if (r < 0 && r != -EINVAL && r != -EMSGSIZE)
		return r;
	free(d->setting);
	d->setting = NULL;
	return 0;
}

static int take_alert(struct waiting *w, struct evidence *ev)
{
	uint64_t seq;
	int r = evidence_append_alert(ev, &w->a, &seq);

	if (r == -EINVAL || r == -EMSGSIZE) {
		log_error("an alert was refused: %s", evidence_why());
		r = 0;
	}
	if (r == 0)
		waiting_free(w);
	return r;
}

int detecting_take(struct detecting *d, struct evidence *ev)
{
	eventfd_t told;
	size_t taken = 0;
	int recorded = 0, r = 0;

	eventfd_read(d->fd, &told);
	pthread_mutex_lock(&d->lock);
	while (r == 0 && (taken < d->n || d->setting)) {
		bool setting = d->setting && taken == d->setting_at;

		r = setting ? take_setting(d, ev) : take_alert(&d->waiting[taken], ev);
		recorded += r == 0 && setting;
		taken += r == 0 && !setting;
	}
	memmove(d->waiting, d->waiting + taken, (d->n - taken) * sizeof(*d->waiting));
	d->n -= taken;
	d->setting_at -= MIN(taken, d->setting_at);
	pthread_cond_broadcast(&d->wake);
	pthread_mutex_unlock(&d->lock);
	return r < 0 ? r : (int)taken + recorded;
}

/* Something waits for the writer, or the thread is through. */
static enum end next_end(struct detecting *d)
{
	enum end end;

	pthread_mutex_lock(&d->lock);
	while (d->end < LOOKED_THROUGH && !d->n && !d->setting)
		pthread_cond_wait(&d->wake, &d->lock);
	end = d->end;
	pthread_mutex_unlock(&d->lock);
	return end;
}

int detecting_finish(struct detecting *d, struct evidence *ev)
{
	struct evidence_stat st;
	enum end end;
	int r;

	set_end(d, TO_FINISH);
	do {
		end = next_end(d);
		r = detecting_take(d, ev);
	} while (r >= 0 && end < LOOKED_THROUGH);
	if (r >= 0)
		r = evidence_commit(ev);
	if (r < 0)
		return r;
	evidence_stat(ev, &st);
	detecting_tell(d, st.size);
	if (end < DURABLE) {
		set_end(d, DURABLE);
		(void)wait_end(d, ENDED);
	}
	return 0;
}

void detecting_reload(struct detecting *d)
{
	pthread_mutex_lock(&d->lock);
	d->reload = true;
	pthread_cond_broadcast(&d->wake);
	pthread_mutex_unlock(&d->lock);
}

void detecting_stat(struct detecting *d, struct detecting_stat *ret)
{
	pthread_mutex_lock(&d->lock);
	*ret = (struct detecting_stat){ .detector = d->stat, .since = d->since, .failed = d->failed };
	memcpy(ret->set, d->set, sizeof(ret->set));
	pthread_mutex_unlock(&d->lock);
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
	free(d->setting);
	free(d->state);
	free(d);
	return NULL;
}
