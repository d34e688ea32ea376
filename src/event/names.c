/* The outside names of the enums, one table each, by number; and the outside forms of an object and a document. */
#include "event/event.h"

#include "base/base64.h"

static const char *const verbs[] = { NULL, "open", "read", "write", "create", "delete", "rename", "link", "permission", "copy", "archive",
	"export", "send", "exec", "gap" };
static const char *const bys[] = { NULL, "opener", "login", "session", "acting", "late" };
static const char *const seens[] = { NULL, "bytes", "access", "open" };
static const char *const vias[] = { NULL, "local", "ssh", "smb", "nfs" };
static const char *const labels[] = { NULL, "public", "internal", "confidential", "restricted" };
static const char *const confirmeds[] = { NULL, "content", "opaque", "flow" };
static const char *const causes[] = { NULL, "overflow", "restart", "stalled", "deadline", "backlog", "unmount", "mount", "tree",
	"disk_full", "clock", "keeper" };
static const char *const severities[] = { NULL, "low", "medium", "high", "critical" };
static const char *const reasons[] = { NULL, "theft", "expected", "mistake" };

static const char *name_of(const char *const *table, size_t n, unsigned v)
{
	return v < n ? table[v] : NULL;
}

static unsigned number_of(const char *const *table, size_t n, str s)
{
	for (unsigned i = 1; i < n; i++)
		if (str_eq(s, str_c(table[i])))
			return i;
	return 0;
}

#define NAMED(type, table, max)                                                              \
	_Static_assert(ARRAY_SIZE(table) == (max), "a name for every number");               \
	const char *type##_name(enum type v)                                                 \
	{                                                                                    \
		return name_of(table, ARRAY_SIZE(table), (unsigned)v);                       \
	}                                                                                    \
	enum type type##_from(str s)                                                         \
	{                                                                                    \
		return (enum type)number_of(table, ARRAY_SIZE(table), s);                    \
	}

NAMED(event_verb, verbs, VERB_MAX_)
NAMED(event_person_by, bys, BY_MAX_)
NAMED(event_seen, seens, SEEN_MAX_)
NAMED(event_via, vias, VIA_MAX_)
NAMED(event_label, labels, LABEL_MAX_)
NAMED(event_confirmed, confirmeds, CONFIRMED_MAX_)
NAMED(event_cause, causes, CAUSE_MAX_)
NAMED(severity, severities, SEVERITY_MAX_)
NAMED(alert_reason, reasons, ALERT_REASON_MAX_)

bool event_object_from(str s, struct event_object *ret)
{
	struct event_object o = { 0 };
	uint64_t *v[3] = { &o.dev, &o.ino, &o.gen };

	for (int i = 0; i < 3; i++) {
		const char *colon = i < 2 && s.n ? memchr(s.p, ':', s.n) : NULL;
		size_t n = colon ? (size_t)(colon - s.p) : s.n;

		if ((i < 2 && !colon) || str_to_u64((str){ s.p, n }, v[i]) < 0)
			return false;
		if (colon)
			s = (str){ colon + 1, s.n - n - 1 };
	}
	*ret = o;
	return true;
}

bool event_document_from(str s, uint8_t ret[static 32])
{
	return str_starts(s, STR("sha256:")) && hex_decode((str){ s.p + 7, s.n - 7 }, ret, 32) == 0;
}
