/* The field tables of docs/log-format.md, section 1: same order, same names. Rows are only ever added at the end. */
#include "evidence/leaf.h"

#define U8(n_, max_) { .name = (n_), .type = LEAF_U8, .max = (max_) }
#define BOOL(n_) { .name = (n_), .type = LEAF_BOOL }
#define UVAR(n_) { .name = (n_), .type = LEAF_UVAR }
#define UVAR_IN(n_, min_, limit_) { .name = (n_), .type = LEAF_UVAR, .min = (min_), .limit = (limit_) }
#define TIME(n_) { .name = (n_), .type = LEAF_TIME }
#define HASH(n_) { .name = (n_), .type = LEAF_HASH }
#define REF(n_, kind_) { .name = (n_), .type = LEAF_REF, .name_kind = (kind_) }
#define BIT(n_) ((uint64_t)1 << (n_))

static const struct leaf_field name_fields[] = {
	U8("name_kind", NAME_KINDS_ - 1), UVAR_IN("number", 1, 0), HASH("commitment"),
};

static const struct leaf_field event_fields[] = {
	[EV_TIME] = TIME("time"),
	[EV_VERB] = U8("verb", VERB_MAX_ - 1),
	[EV_SEEN] = U8("seen", SEEN_MAX_ - 1),
	[EV_HOST] = REF("host", NAME_HOST),
	[EV_PERSON] = REF("person", NAME_PERSON),
	[EV_PERSON_BY] = U8("person_by", BY_MAX_ - 1),
	[EV_UID] = REF("uid", NAME_ACCOUNT),
	[EV_PATH] = REF("path", NAME_COMPONENT),
	[EV_OBJECT] = REF("object", NAME_OBJECT),
	[EV_PROGRAM] = REF("program", NAME_PROGRAM),
	[EV_PID] = UVAR_IN("pid", 0, UINT32_MAX),
	[EV_VIA] = U8("via", VIA_MAX_ - 1),
	[EV_PARENTS] = REF("parents", NAME_CHAIN),
	[EV_CLIENT] = REF("client", NAME_CLIENT),
	[EV_LOGIN_UID] = REF("login_uid", NAME_ACCOUNT),
	[EV_COUNT] = UVAR("count"),
	[EV_END] = UVAR("end"),
	[EV_REFERS] = UVAR("refers"),
	[EV_CWD] = REF("cwd", NAME_COMPONENT),
	[EV_TO] = REF("to", NAME_COMPONENT),
	[EV_DOCUMENT] = REF("document", NAME_DOCUMENT),
	[EV_LABEL] = U8("label", LABEL_MAX_ - 1),
	[EV_BYTES] = UVAR("bytes"),
	[EV_COVERED] = UVAR("covered"),
	[EV_COMMAND] = REF("command", NAME_TEXT),
	[EV_PARENT_COMMAND] = REF("parent_command", NAME_TEXT),
	[EV_PEER] = REF("peer", NAME_CLIENT),
	[EV_PORT] = UVAR_IN("port", 0, UINT16_MAX),
	[EV_ALLOWED] = BOOL("allowed"),
	[EV_CONFIRMED] = U8("confirmed", CONFIRMED_MAX_ - 1),
	[EV_CONTAINER] = REF("container", NAME_CONTAINER),
	[EV_CAUSE] = U8("cause", CAUSE_MAX_ - 1),
	[EV_SOURCE] = UVAR("source"),
	[EV_EXTRA] = REF("extra", NAME_EXTRA),
	[EV_LATE] = U8("late", 1),
};

static const struct leaf_field heartbeat_fields[] = {
	TIME("time"), U8("phase", 3), REF("host", NAME_HOST), REF("boot", NAME_BOOT), UVAR("uptime"), U8("clock", 3), U8("backend", 3),
	UVAR("received"), UVAR("delivered"), UVAR("lost"), UVAR("missed"), UVAR("own"), UVAR("held_max"), UVAR("watched"),
};

static const struct leaf_field import_fields[] = {
	TIME("time"), U8("phase", 3), REF("file", NAME_DOCUMENT), U8("format", 3),
	UVAR("begins"), UVAR("records"), UVAR("refused"), REF("title", NAME_TEXT),
};

static const struct leaf_field key_fields[] = {
	TIME("time"), HASH("public_key"), HASH("previous"),
};

static const struct leaf_field recovery_fields[] = {
	TIME("time"), U8("cut", 4), UVAR("bytes"),
};

static const struct leaf_field person_fields[] = {
	TIME("time"), REF("person", NAME_PERSON), REF("row", NAME_ROW), UVAR("source"),
};

static const struct leaf_field config_fields[] = {
	TIME("time"), REF("setting", NAME_TEXT),
};

static const struct leaf_field document_fields[DOC_FIELDS_] = {
	[DOC_TIME] = TIME("time"),
	[DOC_DOCUMENT] = REF("document", NAME_DOCUMENT),
	[DOC_BYTES] = UVAR("bytes"),
	[DOC_TYPE] = REF("type", NAME_TEXT),
	[DOC_LABEL] = U8("label", LABEL_MAX_ - 1),
	[DOC_TEXT_CHARS] = UVAR("text_chars"),
	[DOC_CONTACTS] = UVAR("contacts"),
	[DOC_FACTS] = REF("facts", NAME_FACTS),
	[DOC_ERROR] = REF("error", NAME_TEXT),
};

static const struct leaf_field place_fields[PLACE_FIELDS_] = {
	[PLACE_TIME] = TIME("time"),
	[PLACE_PATH] = REF("path", NAME_COMPONENT),
	[PLACE_OBJECT] = REF("object", NAME_OBJECT),
	[PLACE_DOCUMENT] = REF("document", NAME_DOCUMENT),
	[PLACE_OWNER] = REF("owner", NAME_ACCOUNT),
	[PLACE_GROUP] = REF("group", NAME_GROUP),
	[PLACE_MODE] = UVAR_IN("mode", 0, 07777),
	[PLACE_ACL] = REF("acl", NAME_TEXT),
	[PLACE_BYTES] = UVAR("bytes"),
	[PLACE_MODIFIED] = TIME("modified"),
	[PLACE_CHANGED] = TIME("changed"),
	[PLACE_GONE] = U8("gone", 1),
	[PLACE_ERROR] = REF("error", NAME_TEXT),
};

static const struct leaf_field alert_fields[ALERT_FIELDS_] = {
	[ALERT_TIME] = TIME("time"),
	[ALERT_NUMBER] = UVAR_IN("number", 1, 0),
	[ALERT_PHASE] = U8("phase", ALERT_PHASE_MAX_ - 1),
	[ALERT_SEVERITY] = U8("severity", SEVERITY_MAX_ - 1),
	[ALERT_PERSON] = REF("person", NAME_PERSON),
	[ALERT_RULE] = REF("rule", NAME_TEXT),
	[ALERT_REASON] = U8("reason", ALERT_REASON_MAX_ - 1),
	[ALERT_BODY] = REF("body", NAME_FACTS),
	[ALERT_UPTO] = UVAR("upto"),
	[ALERT_ACCOUNT] = REF("account", NAME_ACCOUNT),
};

_Static_assert(ARRAY_SIZE(event_fields) == EV_FIELDS_ && EV_FIELDS_ <= LEAF_FIELDS_MAX, "one row for each field of an event");

#define TABLE(n_, required_) { .name = #n_, .fields = n_##_fields, .n = ARRAY_SIZE(n_##_fields), .required = (required_) }

static const struct leaf_table tables[LEAF_KIND_MAX_] = {
	[LEAF_NAME] = TABLE(name, BIT(0) | BIT(1) | BIT(2)),
	[LEAF_EVENT] = TABLE(event, BIT(EV_TIME) | BIT(EV_VERB)),
	[LEAF_HEARTBEAT] = TABLE(heartbeat, BIT(0) | BIT(1) | BIT(3) | BIT(4) | BIT(5)),
	[LEAF_IMPORT] = TABLE(import, BIT(0) | BIT(1)),
	[LEAF_KEY] = TABLE(key, BIT(0) | BIT(1) | BIT(2)),
	[LEAF_RECOVERY] = TABLE(recovery, BIT(0) | BIT(1) | BIT(2)),
	[LEAF_PERSON] = TABLE(person, BIT(0) | BIT(1) | BIT(2)),
	[LEAF_CONFIG] = TABLE(config, BIT(0) | BIT(1)),
	[LEAF_DOCUMENT] = TABLE(document, BIT(DOC_TIME) | BIT(DOC_DOCUMENT)),
	[LEAF_PLACE] = TABLE(place, BIT(PLACE_TIME) | BIT(PLACE_PATH)),
	[LEAF_ALERT] = TABLE(alert, BIT(ALERT_TIME) | BIT(ALERT_NUMBER) | BIT(ALERT_PHASE)),
};

const struct leaf_table *leaf_table(uint8_t kind)
{
	return kind < LEAF_KIND_MAX_ && tables[kind].fields ? &tables[kind] : NULL;
}
