#include "base/hash.h"
#include "base/timefmt.h"
#include "sensor/recorder.h"

#define COMMANDS_ALL 2048 /* kept at a time */

/* What is not sure of the actor goes, so that it neither stands in the record nor folds. */
static struct facts *facts_at_exec(struct recorder *r, const struct fan_exec *x)
{
	struct who_actor a;
	struct facts *f;

	if (!x->actor)
		return facts_of(r->f->hash_key, NULL, x->tgid, &f) < 0 ? NULL : f;
	a = *x->actor;
	a.known &= ~(uint32_t)WHO_CWD; /* that of now; the record's own is in the text */
	if (!x->sure) {
		a.known &= ~(uint32_t)WHO_PROGRAM;
		a.program_len = 0;
	}
	if (!x->same_uid)
		a.known &= ~(uint32_t)WHO_FSUID;
	return facts_of(r->f->hash_key, &a, x->tgid, &f) < 0 ? NULL : f;
}

static struct execs_seen *seen_of(struct execs *e, uint64_t who)
{
	struct execs_seen *row = e->seen[who % ARRAY_SIZE(e->seen)], *oldest = row;

	for (unsigned i = 0; i < ARRAY_SIZE(e->seen[0]); i++) {
		if (row[i].who == who)
			return &row[i];
		if (row[i].since < oldest->since)
			oldest = &row[i];
	}
	return oldest;
}

static bool may_keep(struct recorder *r, uint64_t who, uint64_t command, int64_t time)
{
	struct execs_seen *s = seen_of(&r->execs, who);

	if (s->who != who || time - s->since >= FOLD_WINDOW_NS || time < s->since) {
		s->who = who;
		s->since = time;
		s->n = 0;
	}
	for (unsigned i = 0; i < s->n; i++)
		if (s->command[i] == command)
			return true;
	if (s->n == EXEC_COMMANDS || r->execs.live >= COMMANDS_ALL)
		return false;
	s->command[s->n++] = command;
	return true;
}

static struct exec_text *keep(struct recorder *r, const struct fan_exec *x)
{
	size_t n = (size_t)x->command_n + x->parent_n + x->cwd_n;
	struct exec_text *t = malloc(sizeof(*t) + n);

	if (!t)
		return NULL;
	*t = (struct exec_text){ .live = &r->execs.live, .command_n = x->command_n, .parent_n = x->parent_n, .cwd_n = x->cwd_n };
	memcpy(t->text, x->text, n);
	r->execs.live++;
	return t;
}

static void put_text(struct event *e, enum event_field field, str *to, const char *p, size_t n)
{
	if (!n)
		return;
	*to = (str){ p, n };
	event_set(e, field);
}

uint64_t exec_write(struct recorder *r, const struct fold_access *a, int64_t end)
{
	const struct facts *f = a->who;
	const struct exec_text *t = f->exec;
	struct event e = { .time = a->time, .end = end, .verb = VERB_EXEC, .count = a->count };
	char client[INET6_ADDRSTRLEN];

	event_set(&e, EV_TIME);
	event_set(&e, EV_VERB);
	if (end > a->time)
		event_set(&e, EV_END);
	if (a->count > 1)
		event_set(&e, EV_COUNT);
	facts_fill(f, &e, client);
	if (t) {
		put_text(&e, EV_COMMAND, &e.command, t->text, t->command_n);
		put_text(&e, EV_PARENT_COMMAND, &e.parent_command, t->text + t->command_n, t->parent_n);
		put_text(&e, EV_CWD, &e.cwd, t->text + t->command_n + t->parent_n, t->cwd_n);
	}
	return out_record(&r->out, &e, 0, f->a.known & WHO_SESSION ? (uint64_t)f->a.session_uid + 1 : 0,
	                  (f->a.known & WHO_SMB ? SENSOR_OPENER : 0) | (f->a.known & WHO_LATE ? SENSOR_LATE : 0));
}

/* Folded like an access, the command standing in for the object: two commands are two records. */
void exec_handle(struct recorder *r, const struct fan_exec *x)
{
	struct facts *f = facts_at_exec(r, x);
	struct fold_access a = { .verb = VERB_EXEC, .count = 1, .time = x->time, .who = f };

	if (x->actor)
		who_unref(x->actor);
	if (!f) {
		fan_first_time(&r->f->dropped_time, x->time);
		atomic_fetch_add(&r->f->dropped, 1);
		return;
	}
	a.who_id = f->fold_id;
	a.object = siphash13(r->f->hash_key, x->text, x->command_n) | 1;
	if (x->sure && may_keep(r, f->fold_id, a.object, x->time))
		f->exec = keep(r, x);
	if (!f->exec)
		a.object = 0;
	if (fold_add(r->fold, &a))
		exec_write(r, &a, 0);
	facts_unref(f);
}
