/* Stand-in for src/event's wire form until that is merged: tests only. */
#include <errno.h>

#include "base/varint.h"
#include "event/event_wire.h"

enum kind { END, S, U64, U32, U16, U8, T, TEND, PAR, OBJ };
#define F(bit, kind, member) [bit] = { kind, offsetof(struct event, member) }
static const struct { uint8_t kind; size_t at; } fields[EV_FIELDS_] = {
	F(EV_TIME, T, time), F(EV_VERB, U32, verb), F(EV_SEEN, U32, seen), F(EV_UID, U32, uid), F(EV_PATH, S, path),
	F(EV_OBJECT, OBJ, object), F(EV_PROGRAM, S, program), F(EV_PID, U32, pid), F(EV_VIA, U32, via), F(EV_PARENTS, PAR, parents),
	F(EV_CLIENT, S, client), F(EV_LOGIN_UID, U32, login_uid), F(EV_COUNT, U64, count), F(EV_END, TEND, end),
	F(EV_CWD, S, cwd), F(EV_TO, S, to), F(EV_CONTAINER, S, container), F(EV_CAUSE, U32, cause),
};

static void put_str(struct buf *b, str s)
{
	buf_put_uvar(b, s.n);
	buf_puts(b, s);
}

void event_pack(struct buf *b, const struct event *e)
{
	buf_put_uvar(b, e->present);
	for (int f = 0; f < EV_FIELDS_; f++) {
		const char *p = (const char *)e + fields[f].at;

		if (!event_has(e, f))
			continue;
		switch (fields[f].kind) {
		case S: put_str(b, *(const str *)p); break;
		case U64: buf_put_uvar(b, *(const uint64_t *)p); break;
		case U32: buf_put_uvar(b, *(const uint32_t *)p); break;
		case T: buf_put_be64(b, (uint64_t)*(const int64_t *)p); break;
		case TEND: buf_put_uvar(b, (uint64_t)(e->end - e->time)); break;
		case PAR:
			buf_putc(b, (char)e->n_parents);
			for (int i = 0; i < e->n_parents; i++)
				put_str(b, e->parents[i]);
			break;
		case OBJ:
			buf_put_uvar(b, e->object.dev);
			buf_put_uvar(b, e->object.ino);
			buf_put_uvar(b, e->object.gen);
			break;
		default: break;
		}
	}
}

static size_t get(const uint8_t *p, size_t n, uint64_t *v)
{
	int r = uvar_get(p, n, v);

	return r > 0 ? (size_t)r : 0;
}

static size_t get_str(const uint8_t *p, size_t n, str *s)
{
	uint64_t len;
	size_t at = get(p, n, &len);

	*s = (str){ (const char *)p + at, len };
	return at + len;
}

ssize_t event_unpack(const uint8_t *p, size_t n, struct event *e)
{
	size_t at;
	uint64_t v;

	memset(e, 0, sizeof(*e));
	at = get(p, n, &e->present);
	for (int f = 0; f < EV_FIELDS_; f++) {
		char *m = (char *)e + fields[f].at;

		if (!event_has(e, f))
			continue;
		switch (fields[f].kind) {
		case S: at += get_str(p + at, n - at, (str *)m); break;
		case U64: at += get(p + at, n - at, (uint64_t *)m); break;
		case U32: at += get(p + at, n - at, &v); *(uint32_t *)m = (uint32_t)v; break;
		case T: e->time = (int64_t)get_be64(p + at); at += 8; break;
		case TEND: at += get(p + at, n - at, &v); e->end = e->time + (int64_t)v; break;
		case PAR:
			e->n_parents = p[at++];
			for (int i = 0; i < e->n_parents; i++)
				at += get_str(p + at, n - at, &e->parents[i]);
			break;
		case OBJ:
			at += get(p + at, n - at, &e->object.dev);
			at += get(p + at, n - at, &e->object.ino);
			at += get(p + at, n - at, &e->object.gen);
			break;
		default: return -EBADMSG;
		}
		if (at > n)
			return -EBADMSG;
	}
	return (ssize_t)at;
}
