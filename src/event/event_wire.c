#include "event/event_wire.h"

#include <errno.h>

#include "base/varint.h"
#include "event/event_json.h"

enum wire_type { W_STR, W_U8, W_BOOL, W_FLAG, W_U16, W_U32, W_U64 };

/* One row a field that is a plain value; time, end, object, document and parents have forms of their own. */
struct wire_field {
	enum wire_type type;
	size_t offset;
	uint64_t max; /* strings: bytes; numbers: largest value */
};

#define FIELD(f, t, m) { t, offsetof(struct event, f), m }
static const struct wire_field fields[EV_FIELDS_] = {
	[EV_VERB] = FIELD(verb, W_U8, VERB_MAX_ - 1),
	[EV_SEEN] = FIELD(seen, W_U8, SEEN_MAX_ - 1),
	[EV_HOST] = FIELD(host, W_STR, EVENT_NAME_MAX),
	[EV_PERSON] = FIELD(person, W_STR, EVENT_NAME_MAX),
	[EV_PERSON_BY] = FIELD(person_by, W_U8, BY_MAX_ - 1),
	[EV_UID] = FIELD(uid, W_U32, UINT32_MAX),
	[EV_PATH] = FIELD(path, W_STR, EVENT_PATH_MAX),
	[EV_PROGRAM] = FIELD(program, W_STR, EVENT_PATH_MAX),
	[EV_PID] = FIELD(pid, W_U32, UINT32_MAX),
	[EV_VIA] = FIELD(via, W_U8, VIA_MAX_ - 1),
	[EV_CLIENT] = FIELD(client, W_STR, EVENT_NAME_MAX),
	[EV_LOGIN_UID] = FIELD(login_uid, W_U32, UINT32_MAX),
	[EV_COUNT] = FIELD(count, W_U64, UINT64_MAX),
	[EV_REFERS] = FIELD(refers, W_U64, UINT64_MAX),
	[EV_CWD] = FIELD(cwd, W_STR, EVENT_PATH_MAX),
	[EV_TO] = FIELD(to, W_STR, EVENT_PATH_MAX),
	[EV_LABEL] = FIELD(label, W_U8, LABEL_MAX_ - 1),
	[EV_BYTES] = FIELD(bytes, W_U64, UINT64_MAX),
	[EV_COVERED] = FIELD(covered, W_U64, UINT64_MAX),
	[EV_COMMAND] = FIELD(command, W_STR, EVENT_TEXT_MAX),
	[EV_PARENT_COMMAND] = FIELD(parent_command, W_STR, EVENT_TEXT_MAX),
	[EV_PEER] = FIELD(peer, W_STR, EVENT_NAME_MAX),
	[EV_PORT] = FIELD(port, W_U16, UINT16_MAX),
	[EV_ALLOWED] = FIELD(allowed, W_BOOL, 1),
	[EV_CONFIRMED] = FIELD(confirmed, W_U8, CONFIRMED_MAX_ - 1),
	[EV_CONTAINER] = FIELD(container, W_STR, EVENT_NAME_MAX),
	[EV_CAUSE] = FIELD(cause, W_U8, CAUSE_MAX_ - 1),
	[EV_SOURCE] = FIELD(source, W_U64, UINT64_MAX),
	[EV_EXTRA] = FIELD(extra, W_STR, EVENT_EXTRA_MAX),
	[EV_LATE] = FIELD(late, W_FLAG, 1),
};

static void put_str(struct buf *b, str s)
{
	buf_put_uvar(b, s.n);
	buf_puts(b, s);
}

/* The number in a field of any width; enums are ints. */
static uint64_t number_of(const struct event *e, const struct wire_field *f)
{
	const char *p = (const char *)e + f->offset;

	switch (f->type) {
	case W_U8: return *(const unsigned *)p;
	case W_BOOL:
	case W_FLAG: return *(const bool *)p;
	case W_U16: return *(const uint16_t *)p;
	case W_U32: return *(const uint32_t *)p;
	default: return *(const uint64_t *)p;
	}
}

static void set_number(struct event *e, const struct wire_field *f, uint64_t v)
{
	char *p = (char *)e + f->offset;

	switch (f->type) {
	case W_U8: *(unsigned *)p = (unsigned)v; break;
	case W_BOOL:
	case W_FLAG: *(bool *)p = v != 0; break;
	case W_U16: *(uint16_t *)p = (uint16_t)v; break;
	case W_U32: *(uint32_t *)p = (uint32_t)v; break;
	default: *(uint64_t *)p = v; break;
	}
}

static void put_special(struct buf *b, const struct event *e, unsigned i)
{
	switch (i) {
	case EV_TIME:
		buf_put_be64(b, (uint64_t)e->time);
		break;
	case EV_END:
		buf_put_uvar(b, (uint64_t)e->end - (uint64_t)e->time);
		break;
	case EV_OBJECT:
		buf_put_uvar(b, e->object.dev);
		buf_put_uvar(b, e->object.ino);
		buf_put_uvar(b, e->object.gen);
		break;
	case EV_DOCUMENT:
		buf_put(b, e->document, sizeof(e->document));
		break;
	case EV_PARENTS:
		buf_putc(b, (char)e->n_parents);
		for (unsigned k = 0; k < e->n_parents; k++)
			put_str(b, e->parents[k]);
		break;
	}
}

static bool is_special(unsigned i)
{
	return i == EV_TIME || i == EV_END || i == EV_OBJECT || i == EV_DOCUMENT || i == EV_PARENTS;
}

void event_pack(struct buf *b, const struct event *e)
{
	uint64_t present = e->late ? e->present : e->present & ~EV_BIT(EV_LATE);

	buf_put_uvar(b, present);
	for (unsigned i = 0; i < EV_FIELDS_; i++) {
		if (!(present & EV_BIT(i)))
			continue;
		if (is_special(i))
			put_special(b, e, i);
		else if (fields[i].type == W_STR)
			put_str(b, *(const str *)((const char *)e + fields[i].offset));
		else
			buf_put_uvar(b, number_of(e, &fields[i]));
	}
}

struct cursor {
	const uint8_t *p;
	size_t n, at;
};

static int get_number(struct cursor *c, uint64_t max, uint64_t *ret)
{
	uint64_t v;
	int r = uvar_get(c->p + c->at, c->n - c->at, &v);

	if (r < 0 || v > max)
		return -EBADMSG;
	c->at += (size_t)r;
	*ret = v;
	return 0;
}

static int get_str(struct cursor *c, size_t max, str *ret)
{
	uint64_t n;

	if (get_number(c, max, &n) < 0 || n > c->n - c->at)
		return -EBADMSG;
	*ret = (str){ (const char *)c->p + c->at, n };
	c->at += n;
	return 0;
}

static int get_parents(struct cursor *c, struct event *e)
{
	if (c->at == c->n || c->p[c->at] == 0 || c->p[c->at] > EVENT_PARENTS_MAX)
		return -EBADMSG;
	e->n_parents = c->p[c->at++];
	for (unsigned k = 0; k < e->n_parents; k++)
		if (get_str(c, EVENT_PATH_MAX, &e->parents[k]) < 0)
			return -EBADMSG;
	return 0;
}

static int get_special(struct cursor *c, struct event *e, unsigned i)
{
	uint64_t v;

	switch (i) {
	case EV_TIME:
		if (c->n - c->at < 8)
			return -EBADMSG;
		e->time = (int64_t)get_be64(c->p + c->at);
		c->at += 8;
		return 0;
	case EV_END:
		/* time comes before end in the order of fields; without one there is nothing to count from. */
		if (!event_has(e, EV_TIME) || get_number(c, UINT64_MAX, &v) < 0 || v > (uint64_t)INT64_MAX - (uint64_t)e->time)
			return -EBADMSG;
		e->end = (int64_t)((uint64_t)e->time + v);
		return 0;
	case EV_OBJECT:
		return get_number(c, UINT64_MAX, &e->object.dev) < 0 || get_number(c, UINT64_MAX, &e->object.ino) < 0 ||
			get_number(c, UINT64_MAX, &e->object.gen) < 0 ? -EBADMSG : 0;
	case EV_DOCUMENT:
		if (c->n - c->at < sizeof(e->document))
			return -EBADMSG;
		memcpy(e->document, c->p + c->at, sizeof(e->document));
		c->at += sizeof(e->document);
		return 0;
	default:
		return get_parents(c, e);
	}
}

static int get_field(struct cursor *c, struct event *e, unsigned i)
{
	const struct wire_field *f = &fields[i];
	uint64_t v;

	if (is_special(i))
		return get_special(c, e, i);
	if (f->type == W_STR)
		return get_str(c, f->max, (str *)((char *)e + f->offset));
	/* Enumerations are numbered from 1; a flag is there only when true. */
	if (get_number(c, f->max, &v) < 0 || (v == 0 && (f->type == W_U8 || f->type == W_FLAG)))
		return -EBADMSG;
	set_number(e, f, v);
	return 0;
}

ssize_t event_unpack(const uint8_t *p, size_t n, struct event *ret)
{
	struct cursor c = { p, n, 0 };
	struct event e = { .seq = UINT64_MAX };

	if (get_number(&c, EV_BIT(EV_FIELDS_) - 1, &e.present) < 0)
		return -EBADMSG;
	for (unsigned i = 0; i < EV_FIELDS_; i++)
		if (event_has(&e, i) && get_field(&c, &e, i) < 0)
			return -EBADMSG;
	/* It will be written into JSON as it is. */
	if (event_has(&e, EV_EXTRA) && !event_extra_ok(e.extra))
		return -EBADMSG;
	*ret = e;
	return (ssize_t)c.at;
}
