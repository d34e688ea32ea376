#include "events.h"

/* The pool never moves: room for every text at its cap. */
#define POOL (160 * 1024)

uint64_t events_draw(uint64_t *seed)
{
	*seed ^= *seed >> 12;
	*seed ^= *seed << 25;
	*seed ^= *seed >> 27;
	return *seed * 0x2545f4914f6cdd1dULL;
}

static uint64_t below(uint64_t *seed, uint64_t n)
{
	return (events_draw(seed) >> 11) % n;
}

/* Any width from 1 to 64 bits, and the edges. */
static uint64_t number(uint64_t *seed)
{
	static const uint64_t edges[] = { 0, 1, 127, 128, 65535, UINT32_MAX, (uint64_t)UINT32_MAX + 1, INT64_MAX, (uint64_t)1 << 63, UINT64_MAX };

	return below(seed, 4) ? events_draw(seed) >> below(seed, 64) : edges[below(seed, ARRAY_SIZE(edges))];
}

static void put_piece(uint64_t *seed, struct buf *pool)
{
	static const char *const pieces[] = { "/", "srv", "offers 2026", "\xe5\xa5\x91\xe7\xb4\x84", "\xf0\x9f\xa6\x89", "\xc3\xa9", "\"",
		"\\", "\n",
		"\r", "\t", "\x01", "\x7f", "\xff", "\xc0\x80", "\xed\xa0\x80", "\xe2\x80\xa8", "\xf4\x90\x80\x80", "u0041", "\\u0000" };
	uint64_t i = below(seed, ARRAY_SIZE(pieces) + 2);

	if (i < ARRAY_SIZE(pieces))
		buf_put(pool, pieces[i], strlen(pieces[i]));
	else
		buf_putc(pool, i == ARRAY_SIZE(pieces) ? '\0' : (char)events_draw(seed));
}

static str text(uint64_t *seed, struct buf *pool, size_t max)
{
	static const char plain[] = "/srv/share/offers/2026/contract-0123456789.docx";
	size_t at = pool->n, n = below(seed, 50) == 0 ? max : below(seed, 64);

	if (below(seed, 2))
		buf_put(pool, plain, MIN(n, sizeof(plain) - 1));
	else
		while (pool->n - at < n)
			put_piece(seed, pool);
	/* The cut may fall into a character. */
	pool->n = MIN(pool->n, at + MIN(n, max));
	return (str){ pool->p + at, pool->n - at };
}

static void put_value(uint64_t *seed, struct buf *pool, unsigned depth)
{
	static const char *const leaves[] = { "null", "true", "-0.5e+10", "0", "\"\"", "\"a \\\" b\"", "\"\\ud83e\\udd89\"", "\"\\\\\"",
		"18446744073709551616" };
	uint64_t kind = depth < 4 ? below(seed, 4) : 0, n = below(seed, 4);

	if (kind < 2) {
		const char *leaf = leaves[below(seed, ARRAY_SIZE(leaves))];

		buf_put(pool, leaf, strlen(leaf));
		return;
	}
	buf_putc(pool, kind == 2 ? '[' : '{');
	for (uint64_t i = 0; i < n; i++) {
		buf_putf(pool, "%s", i ? "," : "");
		if (kind == 3)
			buf_putf(pool, "\"%s%llu\":", i ? "path" : "", (unsigned long long)i);
		put_value(seed, pool, depth + 1);
	}
	buf_putc(pool, kind == 2 ? ']' : '}');
}

static str extra(uint64_t *seed, struct buf *pool)
{
	size_t at = pool->n;

	buf_puts(pool, STR("{\"x\\n-department\":"));
	put_value(seed, pool, 0);
	if (below(seed, 2)) {
		buf_puts(pool, STR(",\"ticket\":"));
		put_value(seed, pool, 0);
	}
	buf_putc(pool, '}');
	return (str){ pool->p + at, pool->n - at };
}

static void fill_texts(uint64_t *seed, struct buf *pool, struct event *e)
{
	static const struct { size_t offset; size_t max; } texts[] = {
		{ offsetof(struct event, host), EVENT_NAME_MAX }, { offsetof(struct event, person), EVENT_NAME_MAX },
		{ offsetof(struct event, client), EVENT_NAME_MAX }, { offsetof(struct event, peer), EVENT_NAME_MAX },
		{ offsetof(struct event, container), EVENT_NAME_MAX }, { offsetof(struct event, path), EVENT_PATH_MAX },
		{ offsetof(struct event, to), EVENT_PATH_MAX }, { offsetof(struct event, cwd), EVENT_PATH_MAX },
		{ offsetof(struct event, program), EVENT_PATH_MAX }, { offsetof(struct event, command), EVENT_TEXT_MAX },
		{ offsetof(struct event, parent_command), EVENT_TEXT_MAX },
	};

	for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
		*(str *)((char *)e + texts[i].offset) = text(seed, pool, texts[i].max);
	e->n_parents = (uint8_t)(1 + below(seed, EVENT_PARENTS_MAX));
	for (unsigned i = 0; i < e->n_parents; i++)
		e->parents[i] = text(seed, pool, EVENT_PATH_MAX);
	e->extra = extra(seed, pool);
}

void events_random(uint64_t *seed, struct buf *pool, struct event *ret)
{
	struct event e = { .seq = UINT64_MAX };

	buf_clear(pool);
	buf_reserve(pool, POOL);
	e.present = events_draw(seed) >> (64 - EV_FIELDS_);
	if (below(seed, 3) == 0)
		e.present &= events_draw(seed);
	event_set(&e, EV_TIME); /* `end` on the wire is counted from it */
	fill_texts(seed, pool, &e);
	/* From 1678 on: the first second that an int64 can begin is not a whole one. */
	e.time = (int64_t)(events_draw(seed) >> (1 + below(seed, 40))) * (below(seed, 8) ? 1 : -1);
	e.time = MAX(e.time, INT64_MIN + 2 * NSEC_PER_SEC);
	e.end = e.time > 0 ? e.time + (int64_t)below(seed, (uint64_t)(INT64_MAX - e.time) + 1) : e.time + (int64_t)below(seed, INT64_MAX);
	e.verb = (enum event_verb)(1 + below(seed, VERB_MAX_ - 1));
	e.seen = (enum event_seen)(1 + below(seed, SEEN_MAX_ - 1));
	e.person_by = (enum event_person_by)(1 + below(seed, BY_MAX_ - 1));
	e.via = (enum event_via)(1 + below(seed, VIA_MAX_ - 1));
	e.label = (enum event_label)(1 + below(seed, LABEL_MAX_ - 1));
	e.confirmed = (enum event_confirmed)(1 + below(seed, CONFIRMED_MAX_ - 1));
	e.cause = (enum event_cause)(1 + below(seed, CAUSE_MAX_ - 1));
	e.object = (struct event_object){ number(seed), number(seed), number(seed) };
	for (size_t i = 0; i < sizeof(e.document); i++)
		e.document[i] = (uint8_t)events_draw(seed);
	e.uid = (uint32_t)number(seed);
	e.login_uid = (uint32_t)number(seed);
	e.pid = (uint32_t)number(seed);
	e.port = (uint16_t)number(seed);
	e.allowed = below(seed, 2);
	e.late = event_has(&e, EV_LATE);
	e.bytes = number(seed);
	e.covered = number(seed);
	e.count = number(seed);
	e.refers = number(seed);
	e.source = number(seed);
	*ret = e;
}

static bool same_parents(const struct event *a, const struct event *b)
{
	if (a->n_parents != b->n_parents)
		return false;
	for (unsigned i = 0; i < a->n_parents; i++)
		if (!str_eq(a->parents[i], b->parents[i]))
			return false;
	return true;
}

bool events_same(const struct event *a, const struct event *b)
{
	if (a->present != b->present)
		return false;
#define DIFFER(bit, condition) if (event_has(a, bit) && (condition)) return false
#define PLAIN(bit, member) DIFFER(bit, a->member != b->member)
#define TEXT(bit, member) DIFFER(bit, !str_eq(a->member, b->member))
	PLAIN(EV_TIME, time);
	PLAIN(EV_END, end);
	PLAIN(EV_VERB, verb);
	PLAIN(EV_SEEN, seen);
	PLAIN(EV_PERSON_BY, person_by);
	PLAIN(EV_VIA, via);
	PLAIN(EV_LABEL, label);
	PLAIN(EV_CONFIRMED, confirmed);
	PLAIN(EV_CAUSE, cause);
	PLAIN(EV_UID, uid);
	PLAIN(EV_LOGIN_UID, login_uid);
	PLAIN(EV_PID, pid);
	PLAIN(EV_PORT, port);
	PLAIN(EV_ALLOWED, allowed);
	PLAIN(EV_LATE, late);
	PLAIN(EV_BYTES, bytes);
	PLAIN(EV_COVERED, covered);
	PLAIN(EV_COUNT, count);
	PLAIN(EV_REFERS, refers);
	PLAIN(EV_SOURCE, source);
	TEXT(EV_HOST, host);
	TEXT(EV_PERSON, person);
	TEXT(EV_PATH, path);
	TEXT(EV_TO, to);
	TEXT(EV_PROGRAM, program);
	TEXT(EV_CWD, cwd);
	TEXT(EV_CLIENT, client);
	TEXT(EV_PEER, peer);
	TEXT(EV_CONTAINER, container);
	TEXT(EV_COMMAND, command);
	TEXT(EV_PARENT_COMMAND, parent_command);
	TEXT(EV_EXTRA, extra);
	DIFFER(EV_PARENTS, !same_parents(a, b));
	DIFFER(EV_OBJECT, a->object.dev != b->object.dev || a->object.ino != b->object.ino || a->object.gen != b->object.gen);
	DIFFER(EV_DOCUMENT, memcmp(a->document, b->document, sizeof(a->document)) != 0);
	return true;
}
