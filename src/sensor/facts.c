#include "sensor/facts.h"

#include <errno.h>

#include "base/hash.h"

static size_t used(const struct who_actor *a)
{
	size_t n = MAX((size_t)a->program_off + a->program_len, (size_t)a->cwd_off + a->cwd_len);

	n = MAX(n, (size_t)a->container_off + a->container_len);
	for (unsigned i = 0; i < MIN(a->n_parents, EVENT_PARENTS_MAX); i++)
		n = MAX(n, (size_t)a->parent_off[i] + a->parent_len[i]);
	return MIN(n, (size_t)WHO_STRINGS);
}

int facts_of(const uint8_t key[static 16], const struct who_actor *actor, pid_t tgid, struct facts **ret)
{
	size_t n = actor ? used(actor) : 0;
	struct facts *f = malloc(sizeof(*f)); /* only the used part is copied and touched */
	struct { uint64_t person, session_start, program; uint32_t session_pid, via; } fold = { 0 };
	struct { uint32_t known, fsuid, login, session; } person = { 0 };

	if (!f)
		return -ENOMEM;
	f->refs = 1;
	f->exec = NULL;
	memset(&f->a, 0, offsetof(struct who_actor, strings));
	if (actor) {
		memcpy(&f->a, actor, offsetof(struct who_actor, strings));
		memcpy(f->a.strings, actor->strings, n);
	} else {
		f->a.tgid = f->a.tid = tgid;
	}
	person.known = f->a.known & (WHO_FSUID | WHO_LOGIN | WHO_SESSION);
	person.fsuid = person.known & WHO_FSUID ? f->a.fsuid : 0;
	person.login = person.known & WHO_LOGIN ? f->a.login_uid : 0;
	person.session = person.known & WHO_SESSION ? f->a.session_uid : 0;
	f->person = siphash13(key, &person, sizeof(person));
	fold.person = f->person;
	fold.session_pid = (uint32_t)f->a.session_pid;
	fold.session_start = f->a.session_start;
	fold.via = f->a.via;
	fold.program = siphash13(key, f->a.strings + f->a.program_off, f->a.program_len);
	f->fold_id = siphash13(key, &fold, sizeof(fold));
	*ret = f;
	return 0;
}

void facts_ref(void *facts)
{
	((struct facts *)facts)->refs++;
}

void facts_unref(void *facts)
{
	struct facts *f = facts;

	if (!f || --f->refs > 0)
		return;
	if (f->exec)
		--*f->exec->live;
	free(f->exec);
	free(f);
}

static str text(const struct who_actor *a, uint16_t off, uint16_t n)
{
	return (str){ a->strings + off, n };
}

void facts_fill(const struct facts *f, struct event *e, char room[static INET6_ADDRSTRLEN])
{
	const struct who_actor *a = &f->a;

	if (a->tgid > 0) {
		e->pid = (uint32_t)a->tgid;
		event_set(e, EV_PID);
	}
	if (a->known & WHO_FSUID) {
		e->uid = a->fsuid;
		event_set(e, EV_UID);
	}
	if (a->known & WHO_LOGIN) {
		e->login_uid = a->login_uid;
		event_set(e, EV_LOGIN_UID);
	}
	if ((a->known & WHO_PROGRAM) && a->program_len) {
		e->program = text(a, a->program_off, a->program_len);
		event_set(e, EV_PROGRAM);
	}
	if ((a->known & WHO_CWD) && a->cwd_len) {
		e->cwd = text(a, a->cwd_off, a->cwd_len);
		event_set(e, EV_CWD);
	}
	if ((a->known & WHO_CONTAINER) && a->container_len) {
		e->container = text(a, a->container_off, a->container_len);
		event_set(e, EV_CONTAINER);
	}
	if ((a->known & WHO_PARENTS) && a->n_parents) {
		e->n_parents = MIN(a->n_parents, EVENT_PARENTS_MAX);
		for (uint8_t i = 0; i < e->n_parents; i++)
			e->parents[i] = text(a, a->parent_off[i], a->parent_len[i]);
		event_set(e, EV_PARENTS);
	}
	if ((a->known & WHO_VIA) && a->via) {
		e->via = a->via;
		event_set(e, EV_VIA);
	}
	if (a->known & WHO_CLIENT) {
		e->client = (str){ room, who_addr_text(&a->client, room) };
		event_set(e, EV_CLIENT);
	}
}
