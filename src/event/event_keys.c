#include "event/event_keys.h"

#define ENUM_FUNCTIONS(type)                                                   \
	static unsigned type##_number(str s) { return type##_from(s); }        \
	static const char *type##_text(unsigned v) { return type##_name((enum type)v); }

ENUM_FUNCTIONS(event_verb)
ENUM_FUNCTIONS(event_person_by)
ENUM_FUNCTIONS(event_seen)
ENUM_FUNCTIONS(event_via)
ENUM_FUNCTIONS(event_label)
ENUM_FUNCTIONS(event_confirmed)
ENUM_FUNCTIONS(event_cause)

#define K(key, form, field, member, max, expect) \
	{ key, sizeof(key) - 1, form, field, offsetof(struct event, member), max, NULL, NULL, expect }
#define TEXT(key, field, member, max, what) \
	K(key, KEY_TEXT, field, member, max, what), K(key "_b64", KEY_TEXT64, field, member, max, "base64 of " what)
#define E(key, field, member, type, expect) \
	{ key, sizeof(key) - 1, KEY_ENUM, field, offsetof(struct event, member), 0, type##_number, type##_text, expect }

#define NAME_TEXT "text of at most 1,024 bytes"
#define PATH_TEXT "a path of at most 4,096 bytes"
#define PATH_LIST "a list of one to eight paths of at most 4,096 bytes"
#define COMMAND_TEXT "text of at most 512 bytes"
#define NUMBER "a whole number"

const struct event_key event_keys[] = {
	K("seq", KEY_SKIP, 0, seq, 0, NUMBER),
	K("time", KEY_TIME, EV_TIME, time, 0, "a time as in 2026-11-25T14:56:20Z"),
	K("end", KEY_TIME, EV_END, end, 0, "a time as in 2026-11-25T14:56:20Z"),
	TEXT("host", EV_HOST, host, EVENT_NAME_MAX, NAME_TEXT),
	TEXT("person", EV_PERSON, person, EVENT_NAME_MAX, NAME_TEXT),
	E("person_by", EV_PERSON_BY, person_by, event_person_by, "opener, login, session, acting or late"),
	K("uid", KEY_U32, EV_UID, uid, 0, "a user id"),
	K("login_uid", KEY_U32, EV_LOGIN_UID, login_uid, 0, "a user id"),
	E("verb", EV_VERB, verb, event_verb,
	"open, read, write, create, delete, rename, link, permission, copy, archive, export, send, exec or gap"),
	E("seen", EV_SEEN, seen, event_seen, "bytes, access or open"),
	TEXT("path", EV_PATH, path, EVENT_PATH_MAX, PATH_TEXT),
	TEXT("to", EV_TO, to, EVENT_PATH_MAX, PATH_TEXT),
	K("object", KEY_OBJECT, EV_OBJECT, object, 0, "device:inode:generation"),
	K("document", KEY_DOCUMENT, EV_DOCUMENT, document, 0, "sha256: and 64 hexadecimal digits"),
	E("label", EV_LABEL, label, event_label, "public, internal, confidential or restricted"),
	K("bytes", KEY_U64, EV_BYTES, bytes, 0, NUMBER),
	K("covered", KEY_U64, EV_COVERED, covered, 0, NUMBER),
	K("count", KEY_U64, EV_COUNT, count, 0, NUMBER),
	TEXT("program", EV_PROGRAM, program, EVENT_PATH_MAX, PATH_TEXT),
	TEXT("command", EV_COMMAND, command, EVENT_TEXT_MAX, COMMAND_TEXT),
	K("pid", KEY_U32, EV_PID, pid, 0, "a process id"),
	K("parents", KEY_LIST, EV_PARENTS, parents, EVENT_PATH_MAX, PATH_LIST),
	K("parents_b64", KEY_LIST64, EV_PARENTS, parents, EVENT_PATH_MAX, PATH_LIST ", each as base64"),
	TEXT("parent_command", EV_PARENT_COMMAND, parent_command, EVENT_TEXT_MAX, COMMAND_TEXT),
	TEXT("cwd", EV_CWD, cwd, EVENT_PATH_MAX, PATH_TEXT),
	E("via", EV_VIA, via, event_via, "local, ssh, smb or nfs"),
	TEXT("client", EV_CLIENT, client, EVENT_NAME_MAX, NAME_TEXT),
	TEXT("peer", EV_PEER, peer, EVENT_NAME_MAX, NAME_TEXT),
	K("port", KEY_U16, EV_PORT, port, 0, "a port number"),
	TEXT("container", EV_CONTAINER, container, EVENT_NAME_MAX, NAME_TEXT),
	K("allowed", KEY_BOOL, EV_ALLOWED, allowed, 0, "true or false"),
	E("confirmed", EV_CONFIRMED, confirmed, event_confirmed, "content, opaque or flow"),
	E("cause", EV_CAUSE, cause, event_cause, "the cause of a gap"),
	K("late", KEY_FLAG, EV_LATE, late, 0, "true or false"),
	K("source", KEY_U64, EV_SOURCE, source, 0, NUMBER),
	K("refers", KEY_U64, EV_REFERS, refers, 0, NUMBER),
};
const size_t event_keys_n = ARRAY_SIZE(event_keys);
/* json_read.c keeps what it has seen in the bits of a u64. */
_Static_assert(ARRAY_SIZE(event_keys) <= 64, "a bit for every key");
