/* From leaves back to events: numbers become the texts they stand for. */
#include <errno.h>

#include "base/varint.h"
#include "evidence/evidence.h"
#include "evidence/logdir.h"

/* Texts of a record, all of them: scratch is reserved so that it does not move. */
#define SCRATCH (3 * (size_t)(EVENT_PATH_MAX + 1) + 64)

int evidence_name(const struct names *n, const struct leaf *l, unsigned bit, enum name_kind kind, str *ret)
{
	str value = STR_NONE;
	int r = leaf_has(l, bit) ? names_value(n, kind, l->value[bit], &value) : 0;

	if (r < 0 && r != -ENODATA)
		return r;
	*ret = r == 0 ? value : STR_NONE;
	return 0;
}

static int get_text(const struct names *n, enum name_kind kind, uint64_t number, str *ret)
{
	int r = names_value(n, kind, number, ret);

	if (r == -ENODATA)
		*ret = STR("(erased)");
	return r == -ENODATA ? 0 : r;
}

static int get_path(const struct names *n, uint64_t component, struct buf *scratch, str *ret)
{
	size_t at = scratch->n;
	int r = names_path(n, component, scratch);

	if (r == -ENODATA) {
		scratch->n = at;
		*ret = STR("(erased)");
		return 0;
	}
	*ret = (str){ scratch->p + at, scratch->n - at };
	return r;
}

static int get_account(const struct names *n, uint64_t number, uint32_t *ret)
{
	uint64_t v;
	str s;
	int r = names_value(n, NAME_ACCOUNT, number, &s);

	if (r < 0)
		return r;
	if (str_to_u64(s, &v) < 0 || v > UINT32_MAX)
		return -EBADMSG;
	*ret = (uint32_t)v;
	return 0;
}

static int get_chain(const struct names *n, uint64_t number, struct event *e)
{
	str s;
	size_t at = 0;
	int r = names_value(n, NAME_CHAIN, number, &s);

	e->n_parents = 0;
	while (r == 0 && at < s.n && e->n_parents < EVENT_PARENTS_MAX) {
		uint64_t program;
		int k = uvar_get((const uint8_t *)s.p + at, s.n - at, &program);

		if (k < 0)
			return k;
		at += (size_t)k;
		r = get_text(n, NAME_PROGRAM, program, &e->parents[e->n_parents++]);
	}
	return r;
}

int evidence_object(const struct names *n, uint64_t number, struct event_object *ret)
{
	uint64_t *const v[] = { &ret->dev, &ret->ino, &ret->gen };
	str s;
	size_t at = 0;
	int r = names_value(n, NAME_OBJECT, number, &s);

	for (size_t i = 0; r == 0 && i < ARRAY_SIZE(v); i++) {
		int k = uvar_get((const uint8_t *)s.p + at, s.n - at, v[i]);

		if (k < 0)
			return k;
		at += (size_t)k;
	}
	return r;
}

int evidence_content(const struct names *n, uint64_t number, uint8_t ret[static 32])
{
	str s;
	int r = names_value(n, NAME_DOCUMENT, number, &s);

	if (r == 0 && s.n != 32)
		return -EBADMSG;
	if (r == 0)
		memcpy(ret, s.p, 32);
	return r;
}

static int get_name(const struct names *n, unsigned field, uint64_t v, struct buf *scratch, struct event *e)
{
	switch (field) {
	case EV_HOST: return get_text(n, NAME_HOST, v, &e->host);
	case EV_PERSON: return get_text(n, NAME_PERSON, v, &e->person);
	case EV_UID: return get_account(n, v, &e->uid);
	case EV_LOGIN_UID: return get_account(n, v, &e->login_uid);
	case EV_PATH: return get_path(n, v, scratch, &e->path);
	case EV_TO: return get_path(n, v, scratch, &e->to);
	case EV_CWD: return get_path(n, v, scratch, &e->cwd);
	case EV_OBJECT: return evidence_object(n, v, &e->object);
	case EV_PROGRAM: return get_text(n, NAME_PROGRAM, v, &e->program);
	case EV_PARENTS: return get_chain(n, v, e);
	case EV_CLIENT: return get_text(n, NAME_CLIENT, v, &e->client);
	case EV_PEER: return get_text(n, NAME_CLIENT, v, &e->peer);
	case EV_DOCUMENT: return evidence_content(n, v, e->document);
	case EV_COMMAND: return get_text(n, NAME_TEXT, v, &e->command);
	case EV_PARENT_COMMAND: return get_text(n, NAME_TEXT, v, &e->parent_command);
	case EV_CONTAINER: return get_text(n, NAME_CONTAINER, v, &e->container);
	case EV_EXTRA: return get_text(n, NAME_EXTRA, v, &e->extra);
	default: return 0;
	}
}

/* Fields that are numbers themselves. */
static void take_numbers(const struct leaf *l, struct event *e)
{
	const uint64_t *v = l->value;

	e->time = (int64_t)v[EV_TIME];
	e->end = (int64_t)(v[EV_TIME] + v[EV_END]);
	e->verb = (enum event_verb)v[EV_VERB];
	e->seen = (enum event_seen)v[EV_SEEN];
	e->person_by = (enum event_person_by)v[EV_PERSON_BY];
	e->via = (enum event_via)v[EV_VIA];
	e->label = (enum event_label)v[EV_LABEL];
	e->confirmed = (enum event_confirmed)v[EV_CONFIRMED];
	e->cause = (enum event_cause)v[EV_CAUSE];
	e->pid = (uint32_t)v[EV_PID];
	e->port = (uint16_t)v[EV_PORT];
	e->count = v[EV_COUNT];
	e->bytes = v[EV_BYTES];
	e->covered = v[EV_COVERED];
	e->refers = v[EV_REFERS];
	e->source = v[EV_SOURCE];
	e->allowed = v[EV_ALLOWED] != 0;
	e->late = (l->present & EV_BIT(EV_LATE)) != 0;
}

int evidence_event(const struct names *n, uint64_t seq, const struct leaf *l, struct buf *scratch, struct event *ret)
{
	int r;

	if (l->kind != LEAF_EVENT)
		return -EINVAL;
	r = buf_reserve(scratch, SCRATCH);
	if (r < 0)
		return evidence_fail(r, "no memory");
	*ret = (struct event){ .present = l->present, .seq = seq };
	take_numbers(l, ret);
	for (uint64_t left = l->present; left && r == 0; left &= left - 1) {
		unsigned field = (unsigned)__builtin_ctzll(left);

		r = get_name(n, field, l->value[field], scratch, ret);
		/* An erased number or hash has no readable stand-in: it is absent. */
		if (r == -ENODATA) {
			ret->present &= ~EV_BIT(field);
			r = 0;
		}
	}
	return r < 0 ? evidence_fail(-EUCLEAN, "record %llu: expected names that exist", (unsigned long long)seq) : 0;
}
