/* A made-up office as records. Actors (persons, backup, indexer) stand in a heap by the time of their next step; a step is one record. */
#include <errno.h>

#include "office_int.h"

const char *const office_info_names[INFO_MAX_] = { "time", "action", "document", "name", "object", "pid", "bytes", "count", "session",
	"hash" };

/* Names ----------------------------------------------------------------------------------------------------------------------- */

static const char *const units[] = { "sales", "engineering", "legal", "finance", "purchasing", "personnel", "production", "quality",
	"projects", "board", "logistics", "service" };
static const char *const topics[] = { "customers", "offers", "contracts", "drawings", "tests", "minutes", "invoices", "budget", "suppliers",
	"audits", "training", "prices", "patents", "claims", "tenders", "reports",
	"\xe8\xa6\x8b\xe7\xa9\x8d", "\xe5\xa5\x91\xe7\xb4\x84\xe6\x9b\xb8",
	"plans", "archive" };
static const char *const things[] = { "summary", "draft", "list", "calculation", "letter", "presentation", "overview", "protocol",
	"specification", "order", "analysis", "forecast", "checklist", "comparison", "agreement", "schedule",
	"\xe5\xa0\xb1\xe5\x91\x8a", "assembly", "quotation",
	"review" };
static const char *const kinds[] = { "xlsx", "docx", "pdf", "pptx", "csv", "dwg", "odt", "txt" };
static const uint8_t kind_weights[] = { 74, 69, 51, 20, 13, 13, 8 };

static void path_of_new(struct office *o, struct doc *d, unsigned folder, char out[static PATH_MAX_OFFICE])
{
	unsigned unit = d->share % ARRAY_SIZE(units);
	int dir = snprintf(out, PATH_MAX_OFFICE, "/srv/shares/%s%s/%s/%u", units[unit], d->share >= ARRAY_SIZE(units) ? "-2" : "",
		topics[folder % ARRAY_SIZE(topics)], 2019 + folder / (unsigned)ARRAY_SIZE(topics) % 8);

	if (folder % 3) /* two in three folders are one deeper */
		dir += snprintf(out + dir, PATH_MAX_OFFICE - (size_t)dir, "/%s %03u", things[folder * 7 % ARRAY_SIZE(things)], folder);
	d->dir = (uint16_t)dir;
	d->n = (uint16_t)(dir + snprintf(out + dir, PATH_MAX_OFFICE - (size_t)dir, "/%s %s %04u.%s",
		topics[draw_below(&o->d, INFO_NAME, ARRAY_SIZE(topics))], things[draw_below(&o->d, INFO_NAME, ARRAY_SIZE(things))],
		(unsigned)draw_below(&o->d, INFO_NAME, 10000), kinds[draw_weighted(&o->d, INFO_NAME, kind_weights, ARRAY_SIZE(kinds))]));
}

struct object office_new_object(struct office *o)
{
	o->ino += 1 + draw_geometric(&o->d, INFO_OBJECT, 3);
	return (struct object){ o->ino, (uint32_t)draw_below(&o->d, INFO_OBJECT, UINT32_MAX) };
}

uint32_t office_new_pid(struct office *o)
{
	o->pid += 1 + draw_geometric(&o->d, INFO_PID, 40);
	if (o->pid > 4194303)
		o->pid = 300;
	return o->pid;
}

/* Sizes are spread over magnitudes as files are: 2 KiB to 16 MiB. */
static uint64_t new_size(struct office *o)
{
	uint64_t top = (uint64_t)2048 << draw_below(&o->d, INFO_BYTES, 13);

	return top + draw_below(&o->d, INFO_BYTES, top);
}

int office_doc_add(struct office *o, unsigned share, unsigned folder, uint32_t *ret)
{
	char path[PATH_MAX_OFFICE];
	struct doc *d;

	if (o->n_docs == o->docs_cap) {
		size_t cap = o->docs_cap * 2;
		struct doc *more = realloc(o->docs, cap * sizeof(*more));

		if (!more)
			return -ENOMEM;
		o->docs = more;
		o->docs_cap = cap;
	}
	d = &o->docs[o->n_docs];
	*d = (struct doc){ .share = (uint16_t)share };
	path_of_new(o, d, folder, path);
	d->path = strdup(path);
	if (!d->path)
		return -ENOMEM;
	d->object = office_new_object(o);
	d->size = new_size(o);
	d->known = draw_chance(&o->d, INFO_HASH, o->p.known);
	if (d->known)
		for (unsigned i = 0; i < 4; i++) {
			uint64_t r = draw_raw(&o->d);

			memcpy(d->hash + 8 * i, &r, 8);
		}
	*ret = (uint32_t)o->n_docs++;
	return 0;
}

static int list_add(struct list *l, uint32_t v)
{
	if (l->at == l->n)
		l->at = l->n = 0;
	if (l->n == l->cap) {
		size_t cap = l->cap ? l->cap * 2 : 1024;
		uint32_t *more = realloc(l->v, cap * sizeof(*more));

		if (!more)
			return -ENOMEM;
		l->v = more;
		l->cap = cap;
	}
	l->v[l->n++] = v;
	return 0;
}

struct step *office_put(struct actor *a, enum event_verb verb, enum on on, uint32_t doc, int64_t dt)
{
	static struct step beyond;
	struct step *s = a->n < STEPS_MAX ? &a->steps[a->n++] : &beyond;

	*s = (struct step){ .dt = dt, .doc = doc, .verb = (uint8_t)verb, .on = (uint8_t)on };
	return s;
}

int64_t office_wait(struct office *o, double mean_s)
{
	return draw_wait(&o->d, INFO_TIME, mean_s * (double)SEC);
}

/* Records ----------------------------------------------------------------------------------------------------------------------- */

static void who(const struct office *o, const struct actor *a, struct event *e, bool exec)
{
	static const struct {
		const char *program;
		enum event_via via;
		enum event_person_by by;
		bool session;
		unsigned n_parents;
		const char *parents[4];
	} ways[] = {
		[AT_SMB] = { "/usr/sbin/smbd", VIA_SMB, BY_OPENER, true, 2, { "/usr/sbin/smbd", "/usr/lib/systemd/systemd" } },
		[AT_SFTP] = { "/usr/lib/openssh/sftp-server", VIA_SSH, BY_LOGIN, true, 3,
			{ "/usr/sbin/sshd", "/usr/sbin/sshd", "/usr/lib/systemd/systemd" } },
		[AT_SHELL] = { NULL, VIA_SSH, BY_LOGIN, true, 4,
			{ "/usr/bin/bash", "/usr/sbin/sshd", "/usr/sbin/sshd", "/usr/lib/systemd/systemd" } },
		[AT_BACKUP] = { "/usr/bin/rsync", VIA_LOCAL, BY_ACTING, false, 3,
			{ "/usr/bin/bash", "/usr/sbin/cron", "/usr/lib/systemd/systemd" } },
		[AT_INDEXER] = { "/usr/bin/recollindex", VIA_LOCAL, BY_ACTING, false, 1, { "/usr/lib/systemd/systemd" } },
	};

	e->person = str_c(a->name);
	e->person_by = ways[a->kind].by;
	e->uid = a->uid;
	e->pid = a->pid;
	e->via = ways[a->kind].via;
	e->program = str_c(ways[a->kind].program ? ways[a->kind].program : a->program);
	e->n_parents = (uint8_t)ways[a->kind].n_parents;
	for (unsigned i = 0; i < e->n_parents; i++)
		e->parents[i] = str_c(ways[a->kind].parents[i]);
	e->present |= EV_BIT(EV_PERSON) | EV_BIT(EV_PERSON_BY) | EV_BIT(EV_UID) | EV_BIT(EV_PID) | EV_BIT(EV_VIA) |
		EV_BIT(EV_PROGRAM) | EV_BIT(EV_PARENTS);
	if (ways[a->kind].session) {
		e->client = str_c(a->vpn ? a->away : a->address);
		event_set(e, EV_CLIENT);
	}
	if (ways[a->kind].by == BY_LOGIN) {
		e->login_uid = a->uid;
		e->cwd = str_c(a->home);
		if (a->kind == AT_SHELL && a->cwd_doc != UINT_MAX)
			e->cwd = (str){ o->docs[a->cwd_doc].path, o->docs[a->cwd_doc].dir };
		e->present |= EV_BIT(EV_LOGIN_UID) | EV_BIT(EV_CWD);
	}
	if (exec) {
		e->command = str_c(a->command);
		e->parent_command = STR("-bash");
		e->present |= EV_BIT(EV_COMMAND) | EV_BIT(EV_PARENT_COMMAND);
	}
}

static int touched(struct office *o, uint32_t doc)
{
	struct doc *d = &o->docs[doc];
	int r;

	d->known = false; /* its content is another now */
	if (d->dirty)
		return 0;
	d->dirty = true;
	r = list_add(&o->changed, doc);
	return r < 0 ? r : list_add(&o->to_index, doc);
}

static void set_object(struct event *e, unsigned share, struct object ob)
{
	e->object = (struct event_object){ 64768 + share, ob.ino, ob.gen };
	event_set(e, EV_OBJECT);
}

/* The document gets another version's name; the old one stays readable in o->old for the record. */
static int new_name(struct office *o, struct doc *d, struct event *e)
{
	const char *base = d->path + d->dir + 1;
	char path[PATH_MAX_OFFICE];
	int n;

	if (d->version++) /* its last version's prefix goes */
		base = strchr(base, ' ') + 1;
	n = snprintf(path, sizeof(path), "%.*s/v%u %.200s", d->dir, d->path, d->version, base);
	char *fresh = n < PATH_MAX_OFFICE ? strdup(path) : NULL;

	if (!fresh)
		return -ENOMEM;
	snprintf(o->old, sizeof(o->old), "%s", d->path);
	free(d->path);
	d->path = fresh;
	d->n = (uint16_t)n;
	e->path = str_c(o->old);
	e->to = (str){ d->path, d->n };
	event_set(e, EV_TO);
	return 0;
}

static int where(struct office *o, struct actor *a, const struct step *s, struct event *e)
{
	struct doc *d = &o->docs[s->doc];
	int r = 0;

	e->path = (str){ d->path, d->n };
	switch ((enum on)s->on) {
	case ON_LOCK:
		e->path = str_c(a->lock);
		set_object(e, d->share, a->lock_object);
		break;
	case ON_TMP:
		e->path = str_c(a->tmp);
		set_object(e, d->share, a->tmp_object);
		break;
	case TMP_TO_DOC:
		e->path = str_c(a->tmp);
		e->to = (str){ d->path, d->n };
		event_set(e, EV_TO);
		d->object = a->tmp_object;
		d->size = s->bytes;
		set_object(e, d->share, d->object);
		r = touched(o, s->doc);
		break;
	case ON_NEW_NAME:
		set_object(e, d->share, d->object);
		r = new_name(o, d, e);
		break;
	case ON_DOC:
		if (s->verb == VERB_WRITE || s->verb == VERB_CREATE)
			r = touched(o, s->doc);
		if (d->gone && s->verb != VERB_DELETE) { /* somebody put it back */
			d->gone = false;
			d->object = office_new_object(o);
		}
		d->gone = s->verb == VERB_DELETE;
		set_object(e, d->share, d->object);
		if (d->known && s->verb == VERB_READ) {
			memcpy(e->document, d->hash, 32);
			event_set(e, EV_DOCUMENT);
		}
	}
	event_set(e, EV_PATH);
	return r;
}

static int emit(struct office *o, struct actor *a, const struct step *s, struct event *e)
{
	*e = (struct event){ .present = EV_BIT(EV_TIME) | EV_BIT(EV_VERB) | EV_BIT(EV_HOST), .seq = UINT64_MAX, .time = a->next,
		.host = STR("files1"), .verb = (enum event_verb)s->verb };
	who(o, a, e, s->verb == VERB_EXEC);
	if (s->verb == VERB_EXEC)
		return 0;
	if (s->seen) {
		e->seen = (enum event_seen)s->seen;
		if (e->seen == SEEN_BYTES && !o->p.bytes)
			e->seen = SEEN_ACCESS;
		event_set(e, EV_SEEN);
	}
	if (s->seen == SEEN_BYTES && o->p.bytes) {
		e->bytes = s->bytes;
		e->covered = (s->bytes + 4095) & ~(uint64_t)4095;
		e->present |= EV_BIT(EV_BYTES) | EV_BIT(EV_COVERED);
	}
	if (s->count) {
		e->count = s->count;
		e->end = e->time;
		e->time -= s->len;
		e->present |= EV_BIT(EV_COUNT) | EV_BIT(EV_END);
	}
	return where(o, a, s, e);
}

/* Heap of actors by their next time --------------------------------------------------------------------------------------------- */

static void sink(struct office *o, unsigned i)
{
	for (;;) {
		unsigned least = i, l = 2 * i + 1;

		for (unsigned c = l; c < l + 2 && c < o->n_actors; c++)
			if (o->actors[o->heap[c]].next < o->actors[o->heap[least]].next)
				least = c;
		if (least == i)
			return;
		uint32_t t = o->heap[i];

		o->heap[i] = o->heap[least];
		o->heap[least] = t;
		i = least;
	}
}

int office_next(struct office *o, struct event *ret)
{
	while (!o->p.records || o->made < o->p.records) {
		struct actor *a = &o->actors[o->heap[0]];
		struct event e;
		bool have;
		int r;

		if (a->next == NEVER)
			return 0;
		have = a->at < a->n;
		if (have) {
			r = emit(o, a, &a->steps[a->at], &e);
			if (r < 0)
				return r;
			a->at++;
		}
		if (a->at < a->n) {
			a->next = a->clock += a->steps[a->at].dt;
		} else {
			/* The record points at the actor's names, which the next plan overwrites only for steps to come: keep them. */
			a->next = a->clock;
			if (!have) {
				r = office_plan(o, a);
				if (r < 0)
					return r;
			}
		}
		sink(o, 0);
		if (have) {
			o->made++;
			*ret = e;
			return 1;
		}
	}
	return 0;
}

static int actors_begin(struct office *o)
{
	static const char *const roles[] = { "clerk", "sales", "engineer", "buyer", "legal" };

	for (unsigned i = 0; i < o->n_actors; i++) {
		struct actor *a = &o->actors[i];

		o->heap[i] = i;
		a->cwd_doc = UINT_MAX;
		if (i >= o->p.persons) {
			a->kind = i == o->p.persons ? AT_BACKUP : AT_INDEXER;
			a->uid = i == o->p.persons ? 34 : 998;
			snprintf(a->name, sizeof(a->name), "%s", i == o->p.persons ? "backup" : "indexer");
			a->clock = a->next = o->p.start + (a->kind == AT_BACKUP ? 22 * HOUR : 0);
			a->leaves = a->clock + 8 * HOUR;
			a->cwd_doc = 0;
			a->pid = office_new_pid(o);
			continue;
		}
		/* Of twenty: fifteen by SMB, two by sftp, three in a shell. */
		a->kind = i % 20 < 15 ? AT_SMB : i % 20 < 17 ? AT_SFTP : AT_SHELL;
		a->share = i % o->p.shares;
		a->uid = 10000 + i;
		snprintf(a->name, sizeof(a->name), "%s%03u", roles[i % ARRAY_SIZE(roles)], i);
		snprintf(a->home, sizeof(a->home), "/home/%s", a->name);
		snprintf(a->address, sizeof(a->address), "10.20.%u.%u", 1 + i / 200, 10 + i % 200);
		snprintf(a->away, sizeof(a->away), "10.99.%u.%u", 1 + i * 7 % 250, 2 + i * 13 % 250);
		office_begin_day(o, a, 0);
		if (a->next != NEVER)
			a->next = a->clock;
	}
	return 0;
}

int office_new(const struct office_params *p, struct office **ret)
{
	_cleanup_office_ struct office *o = calloc(1, sizeof(*o));
	int r = 0;

	if (!o)
		return -ENOMEM;
	if (!p->persons || !p->shares || !p->folders || !p->documents || p->shares > 2000 || p->persons > 1000000)
		return -EINVAL;
	o->p = *p;
	o->d.s = p->seed;
	o->pid = 1200;
	o->ino = 131072;
	o->n_actors = p->persons + 2;
	o->docs_cap = (size_t)p->shares * p->documents + 1024;
	o->docs = calloc(o->docs_cap, sizeof(*o->docs));
	o->actors = calloc(o->n_actors, sizeof(*o->actors));
	o->heap = calloc(o->n_actors, sizeof(*o->heap));
	if (!o->docs || !o->actors || !o->heap)
		return -ENOMEM;
	if (zipf_init(&o->popular, p->documents, p->zipf) < 0 || zipf_init(&o->recent, RECENT_MAX, 1) < 0)
		return -ENOMEM;
	for (unsigned s = 0; s < p->shares && r == 0; s++)
		for (unsigned i = 0; i < p->documents && r == 0; i++) {
			uint32_t doc;

			r = office_doc_add(o, s, i * p->folders / p->documents, &doc);
		}
	if (r == 0)
		r = actors_begin(o);
	if (r < 0)
		return r;
	for (unsigned i = o->n_actors / 2 + 1; i-- > 0;)
		sink(o, i);
	o->d.measure = p->measure; /* what stood there before the first record is not information of the records */
	*ret = TAKE_PTR(o);
	return 0;
}

struct office *office_free(struct office *o)
{
	if (!o)
		return NULL;
	for (size_t i = 0; i < o->n_docs; i++)
		free(o->docs[i].path);
	zipf_done(&o->popular);
	zipf_done(&o->recent);
	free(o->docs);
	free(o->actors);
	free(o->heap);
	free(o->changed.v);
	free(o->to_index.v);
	free(o);
	return NULL;
}

const double *office_info(const struct office *o)
{
	return o->d.bits;
}
