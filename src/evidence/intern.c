/* Events to leaves: every outside text becomes a number, introduced by a leaf of its own when it is new. */
#include "evidence/store.h"

#include <errno.h>

#include "base/varint.h"

int store_name(struct evidence *e, enum name_kind kind, str value, uint64_t *ret_number)
{
	struct leaf l = { .kind = LEAF_NAME, .present = 7 };
	bool is_new;
	int r;

	if (unlikely(e->broken))
		return store_refuse(e);
	/* Room for the leaf first: a name that is in the table and has no leaf would be used without having been introduced. */
	r = leaves_reserve(&e->pending, LEAF_MAX);
	if (r == 0)
		r = names_intern(e->names, kind, value, ret_number, &is_new, l.hash);
	if (r < 0)
		return store_broken(e, r, "a name cannot be kept");
	if (!is_new)
		return 0;
	l.value[0] = kind;
	l.value[1] = *ret_number;
	return store_append(e, &l, NULL);
}

static int component(struct evidence *e, uint64_t parent, str name, uint64_t *ret)
{
	uint8_t value[UVAR_MAX_BYTES + EVENT_PATH_MAX];
	size_t n = uvar_put(value, parent);

	if (name.n > EVENT_PATH_MAX)
		return evidence_fail(-EMSGSIZE, "a path of more than %d bytes", EVENT_PATH_MAX);
	if (name.n)
		memcpy(value + n, name.p, name.n);
	return store_name(e, NAME_COMPONENT, (str){ (const char *)value, n + name.n }, ret);
}

/* The number of a directory ("" and "/" included): remembered, since most events are in few directories. */
static int directory_number(struct evidence *e, str path, uint64_t *ret)
{
	struct directory *d = &e->dirs[siphash13(e->dirs_key, path.p, path.n) % STORE_DIRS];
	uint64_t c = 0;

	if (d->component && str_eq(buf_str(&d->path), path)) {
		*ret = d->component;
		return 0;
	}
	for (size_t at = 0; at <= path.n;) {
		const char *slash = at < path.n ? memchr(path.p + at, '/', path.n - at) : NULL;
		size_t n = slash ? (size_t)(slash - path.p) - at : path.n - at;
		int r = component(e, c, (str){ path.p + at, n }, &c);

		if (r < 0)
			return r;
		at += n + 1;
	}
	buf_clear(&d->path);
	buf_puts(&d->path, path);
	d->component = buf_error(&d->path) ? 0 : c;
	*ret = c;
	return 0;
}

int store_path(struct evidence *e, str path, uint64_t *ret_number)
{
	const char *slash = path.n ? memrchr(path.p, '/', path.n) : NULL;
	uint64_t parent = 0;
	int r;

	if (path.n > EVENT_PATH_MAX)
		return evidence_fail(-EMSGSIZE, "a path of more than %d bytes", EVENT_PATH_MAX);
	if (slash) {
		r = directory_number(e, (str){ path.p, (size_t)(slash - path.p) }, &parent);
		if (r < 0)
			return r;
		path = (str){ slash + 1, (size_t)(path.p + path.n - slash - 1) };
	}
	return component(e, parent, path, ret_number);
}

/* With a memory of the last one. `make` gets the number when the text is another. */
static int remembered(struct evidence *e, enum memo_field field, str text, int (*make)(struct evidence *, str, uint64_t *), uint64_t *ret)
{
	struct memo *m = &e->memos[field];
	int r;

	if (m->number && str_eq(buf_str(&m->text), text)) {
		*ret = m->number;
		return 0;
	}
	r = make(e, text, ret);
	if (r < 0)
		return r;
	buf_clear(&m->text);
	buf_puts(&m->text, text);
	m->number = buf_error(&m->text) ? 0 : *ret;
	return 0;
}

#define MAKER(name, kind)                                                           \
	static int name(struct evidence *e, str text, uint64_t *ret)                \
	{                                                                           \
		return store_name(e, kind, text, ret);                              \
	}
MAKER(make_host, NAME_HOST)
MAKER(make_person, NAME_PERSON)
MAKER(make_account, NAME_ACCOUNT)
MAKER(make_program, NAME_PROGRAM)
MAKER(make_client, NAME_CLIENT)
MAKER(make_container, NAME_CONTAINER)
MAKER(make_text, NAME_TEXT)
MAKER(make_extra, NAME_EXTRA)

static int account(struct evidence *e, enum memo_field field, uint32_t uid, uint64_t *ret)
{
	char text[16];
	int n = snprintf(text, sizeof(text), "%u", uid);

	return remembered(e, field, (str){ text, (size_t)n }, make_account, ret);
}

static int chain(struct evidence *e, const struct event *ev, uint64_t *ret)
{
	uint8_t value[EVENT_PARENTS_MAX * UVAR_MAX_BYTES];
	struct memo *m = &e->memos[MEMO_CHAIN];
	size_t n = 0;
	int r;

	/* The memory is of the texts, one after the other with their lengths. */
	buf_clear(&e->scratch);
	for (unsigned i = 0; i < ev->n_parents; i++) {
		buf_put_uvar(&e->scratch, ev->parents[i].n);
		buf_puts(&e->scratch, ev->parents[i]);
	}
	if (m->number && str_eq(buf_str(&m->text), buf_str(&e->scratch))) {
		*ret = m->number;
		return 0;
	}
	for (unsigned i = 0; i < ev->n_parents; i++) {
		uint64_t program;

		r = store_name(e, NAME_PROGRAM, ev->parents[i], &program);
		if (r < 0)
			return r;
		n += uvar_put(value + n, program);
	}
	r = store_name(e, NAME_CHAIN, (str){ (const char *)value, n }, ret);
	if (r < 0)
		return r;
	buf_clear(&m->text);
	buf_puts(&m->text, buf_str(&e->scratch));
	m->number = buf_error(&m->text) ? 0 : *ret;
	return 0;
}

int store_object(struct evidence *e, const struct event_object *o, uint64_t *ret)
{
	uint8_t value[3 * UVAR_MAX_BYTES];
	size_t n = uvar_put(value, o->dev);

	n += uvar_put(value + n, o->ino);
	n += uvar_put(value + n, o->gen);
	return store_name(e, NAME_OBJECT, (str){ (const char *)value, n }, ret);
}

/* Fields that are names. */
static int name_fields(struct evidence *e, const struct event *ev, struct leaf *l)
{
	const struct {
		enum event_field field;
		str value;
		enum memo_field memo; /* MEMO_MAX_: not remembered */
		int (*make)(struct evidence *, str, uint64_t *);
	} texts[] = {
		{ EV_HOST, ev->host, MEMO_HOST, make_host }, { EV_PERSON, ev->person, MEMO_PERSON, make_person },
		{ EV_PROGRAM, ev->program, MEMO_PROGRAM, make_program }, { EV_CLIENT, ev->client, MEMO_CLIENT, make_client },
		{ EV_CWD, ev->cwd, MEMO_CWD, store_path }, { EV_CONTAINER, ev->container, MEMO_CONTAINER, make_container },
		{ EV_PATH, ev->path, MEMO_MAX_, store_path }, { EV_TO, ev->to, MEMO_MAX_, store_path },
		{ EV_COMMAND, ev->command, MEMO_MAX_, make_text }, { EV_PARENT_COMMAND, ev->parent_command, MEMO_MAX_, make_text },
		{ EV_PEER, ev->peer, MEMO_MAX_, make_client }, { EV_EXTRA, ev->extra, MEMO_MAX_, make_extra },
	};
	int r = 0;

	for (size_t i = 0; i < ARRAY_SIZE(texts) && r == 0; i++) {
		uint64_t *number = &l->value[texts[i].field];

		if (!event_has(ev, texts[i].field))
			continue;
		r = texts[i].memo == MEMO_MAX_ ? texts[i].make(e, texts[i].value, number)
					       : remembered(e, texts[i].memo, texts[i].value, texts[i].make, number);
	}
	if (r == 0 && event_has(ev, EV_UID))
		r = account(e, MEMO_UID, ev->uid, &l->value[EV_UID]);
	if (r == 0 && event_has(ev, EV_LOGIN_UID))
		r = account(e, MEMO_LOGIN, ev->login_uid, &l->value[EV_LOGIN_UID]);
	if (r == 0 && event_has(ev, EV_PARENTS))
		r = chain(e, ev, &l->value[EV_PARENTS]);
	if (r == 0 && event_has(ev, EV_OBJECT))
		r = store_object(e, &ev->object, &l->value[EV_OBJECT]);
	if (r == 0 && event_has(ev, EV_DOCUMENT))
		r = store_name(e, NAME_DOCUMENT, (str){ (const char *)ev->document, 32 }, &l->value[EV_DOCUMENT]);
	return r;
}

int store_event_leaf(struct evidence *e, const struct event *ev, struct leaf *ret)
{
	uint64_t *v = ret->value;

	if (!event_has(ev, EV_TIME) || !event_has(ev, EV_VERB))
		return evidence_fail(-EINVAL, "a record without time or verb");
	ret->kind = LEAF_EVENT;
	ret->present = ev->present & (EV_BIT(EV_FIELDS_) - 1);
	v[EV_TIME] = (uint64_t)ev->time;
	v[EV_VERB] = ev->verb;
	v[EV_SEEN] = ev->seen;
	v[EV_PERSON_BY] = ev->person_by;
	v[EV_PID] = ev->pid;
	v[EV_VIA] = ev->via;
	v[EV_COUNT] = ev->count;
	v[EV_END] = (uint64_t)ev->end - (uint64_t)ev->time;
	v[EV_REFERS] = ev->refers;
	v[EV_LABEL] = ev->label;
	v[EV_BYTES] = ev->bytes;
	v[EV_COVERED] = ev->covered;
	v[EV_PORT] = ev->port;
	v[EV_ALLOWED] = ev->allowed;
	v[EV_CONFIRMED] = ev->confirmed;
	v[EV_CAUSE] = ev->cause;
	v[EV_SOURCE] = ev->source;
	/* A field that says only "yes": present is what it says. */
	if (!ev->late)
		ret->present &= ~EV_BIT(EV_LATE);
	v[EV_LATE] = 1;
	return name_fields(e, ev, ret);
}
