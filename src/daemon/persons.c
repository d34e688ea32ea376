#include "daemon/persons.h"

#include <errno.h>
#include <pwd.h>

#include "base/timefmt.h"

#define SLOTS 4096
#define KEEP_KNOWN (600 * NSEC_PER_SEC)
#define KEEP_UNKNOWN (60 * NSEC_PER_SEC)
#define NAME_TEXT 256

/* Direct-mapped: two uids that share a slot take turns, which costs a lookup and never an answer. */
struct cached {
	bool used;
	uint32_t uid;
	int64_t until;
	char name[NAME_TEXT];
};

struct persons {
	const struct people *people;
	struct cached slots[SLOTS];
};

struct persons *persons_new(const struct people *people)
{
	struct persons *p = calloc(1, sizeof(*p));

	if (p)
		p->people = people;
	return p;
}

struct persons *persons_free(struct persons *p)
{
	free(p);
	return NULL;
}

void persons_set_people(struct persons *p, const struct people *people)
{
	p->people = people;
	memset(p->slots, 0, sizeof(p->slots));
}

str persons_alias(struct persons *p, str account)
{
	str person;

	return p->people && people_alias(p->people, account, &person) ? person : account;
}

static void look_up(struct persons *p, struct cached *c, uint32_t uid, int64_t now)
{
	char tmp[16384], plain[24];
	struct passwd pw, *found = NULL;
	bool known = getpwuid_r(uid, &pw, tmp, sizeof(tmp), &found) == 0 && found;
	str name;

	snprintf(plain, sizeof(plain), "uid:%u", uid);
	name = str_c(plain);
	if (known && strlen(pw.pw_name) < NAME_TEXT)
		name = str_c(pw.pw_name);
	/* An alias may be given by account name or, where there is none, as uid:1234. */
	if (p->people) {
		str person;

		if (people_alias(p->people, name, &person) || people_alias(p->people, str_c(plain), &person))
			name = person;
	}
	c->used = true;
	c->uid = uid;
	c->until = now + (known ? KEEP_KNOWN : KEEP_UNKNOWN);
	snprintf(c->name, sizeof(c->name), "%.*s", STR_ARG(name));
}

static str name_of(struct persons *p, uint32_t uid)
{
	struct cached *c = &p->slots[(uid * 2654435761U) >> 20];
	int64_t now = time_boottime();

	if (!c->used || c->uid != uid || c->until < now)
		look_up(p, c, uid, now);
	return str_c(c->name);
}

void persons_decide(struct persons *p, const struct persons_facts *f, struct event *ev)
{
	bool has_uid = event_has(ev, EV_UID), has_login = event_has(ev, EV_LOGIN_UID);
	enum event_person_by by;
	uint32_t uid;

	if (f->opener) {
		/* smbd before it takes on a user's credentials is nobody in particular. */
		if (!has_uid || ev->uid == 0)
			return;
		uid = ev->uid;
		by = BY_OPENER;
	} else if (has_login) {
		uid = ev->login_uid;
		by = BY_LOGIN;
	} else if (f->has_session) {
		uid = f->session_uid;
		by = BY_SESSION;
	} else if (has_uid && ev->uid >= 1) {
		uid = ev->uid;
		by = BY_ACTING;
	} else {
		return;
	}
	ev->person = name_of(p, uid);
	ev->person_by = f->late ? BY_LATE : by;
	event_set(ev, EV_PERSON);
	event_set(ev, EV_PERSON_BY);
}
