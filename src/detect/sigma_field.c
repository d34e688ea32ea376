/* Names of fields and log sources, as rules write them, beside the keys of the record. */
#include "base/timefmt.h"
#include "detect/sigma_int.h"
#include "event/event_keys.h"

/* The record's own keys are known by their own names. These are Sigma's (product linux). */
static const struct { const char *field, *key; } aliases[] = {
	{ "Image", "program" }, { "ProcessPath", "program" }, { "exe", "program" },
	{ "CommandLine", "command" }, { "ParentCommandLine", "parent_command" }, { "ParentImage", "parents" },
	{ "CurrentDirectory", "cwd" }, { "ProcessId", "pid" }, { "User", "person" }, { "LogonId", "login_uid" },
	{ "TargetFilename", "path" }, { "SourceFilename", "path" }, { "FileName", "path" },
	{ "DestinationIp", "peer" }, { "DestinationHostname", "peer" }, { "DestinationPort", "port" },
	{ "SourceIp", "client" }, { "Computer", "host" }, { "Hostname", "host" }, { "UtcTime", "time" }, { "timestamp", "time" },
};

/* What is known beside the record. */
static const char *const besides[BESIDE_FIELDS_] = {
	[BESIDE_UNIT] = "tyto.unit", [BESIDE_ROLE] = "tyto.role", [BESIDE_MANAGER] = "tyto.manager", [BESIDE_JOINED_DAYS] = "tyto.joined_days",
	[BESIDE_LEAVES_DAYS] = "tyto.leaves_days", [BESIDE_LEFT] = "tyto.left", [BESIDE_SERVICE] = "tyto.service",
	[BESIDE_PROGRAM_NEW] = "tyto.program_new", [BESIDE_CLIENT_NEW] = "tyto.client_new", [BESIDE_DAY_DOCUMENTS] = "tyto.day_documents",
	[BESIDE_DAY_LABELLED] = "tyto.day_labelled", [BESIDE_OWN_RATIO] = "tyto.own_ratio", [BESIDE_LABELLED_RATIO] = "tyto.labelled_ratio",
	[BESIDE_PEER_RATIO] = "tyto.peer_ratio", [BESIDE_DECOY] = "tyto.decoy", [BESIDE_RENAME] = "tyto.rename", [BESIDE_READ_TODAY] =
		"tyto.read_today", [BESIDE_DOCUMENT_NEW] = "tyto.document_new", [BESIDE_NEW_IN] = "tyto.new_in",
};

#define V(v) ((uint64_t)1 << VERB_##v)
static const struct { const char *category; uint64_t verbs; } categories[] = {
	{ "file_access", V(OPEN) | V(READ) },
	{ "file_event", V(CREATE) | V(WRITE) | V(RENAME) | V(LINK) | V(COPY) | V(ARCHIVE) },
	{ "file_change", V(WRITE) | V(PERMISSION) },
	{ "file_delete", V(DELETE) },
	{ "file_rename", V(RENAME) },
	{ "process_creation", V(EXEC) },
	{ "network_connection", V(SEND) },
};

uint64_t logsource_verbs(str product, str category, str service, const char **ret_why)
{
	bool own = str_eq(product, STR("tyto"));

	if (product.n && !own && !str_eq(product, STR("linux"))) {
		*ret_why = "log source: product";
		return 0;
	}
	if (service.n && !own) {
		*ret_why = "log source: service";
		return 0;
	}
	for (size_t i = 0; i < ARRAY_SIZE(categories); i++)
		if (str_eq(category, str_c(categories[i].category)))
			return categories[i].verbs;
	if (category.n || !own) {
		*ret_why = "log source: category";
		return 0;
	}
	return UINT64_MAX;
}

int event_slot(str field)
{
	for (size_t i = 0; i < ARRAY_SIZE(aliases); i++)
		if (str_eq(field, str_c(aliases[i].field)))
			field = str_c(aliases[i].key);
	for (size_t i = 0; i < event_keys_n; i++) {
		uint8_t form = event_keys[i].form;

		if (str_eq(field, str_c(event_keys[i].name)))
			return form == KEY_SKIP || form == KEY_TEXT64 || form == KEY_LIST64 || form == KEY_DOCUMENT || form == KEY_OBJECT ? -1 : (int)i;
	}
	for (size_t i = 0; i < ARRAY_SIZE(besides); i++)
		if (str_eq(field, str_c(besides[i])))
			return (int)(event_keys_n + i);
	return -1;
}

/* A number, time or flag as text. */
static str text_of(const struct event *e, const struct event_key *k, char room[static TIME_TEXT_MAX])
{
	const char *p = (const char *)e + k->offset;
	uint64_t n = 0;

	switch (k->form) {
	case KEY_TEXT: return *(const str *)p;
	case KEY_ENUM: return str_c(k->name_of(*(const unsigned *)p));
	case KEY_TIME: return (str){ room, time_format(*(const int64_t *)p, room) };
	case KEY_BOOL:
	case KEY_FLAG: return *(const bool *)p ? STR("true") : STR("false");
	case KEY_U16: n = *(const uint16_t *)p; break;
	case KEY_U32: n = *(const uint32_t *)p; break;
	default: n = *(const uint64_t *)p;
	}
	return (str){ room, str_put_dec(room, n) };
}

size_t event_values(const struct event *e, struct value *out, uint32_t *first, uint32_t *count, char *room, size_t n_room)
{
	size_t n = 0, used = 0;

	for (size_t i = 0; i < event_keys_n; i++) {
		const struct event_key *k = &event_keys[i];

		first[i] = (uint32_t)n;
		count[i] = 0;
		if (!event_has(e, k->field) || k->form == KEY_SKIP || k->form == KEY_TEXT64 || k->form == KEY_LIST64 || k->form == KEY_DOCUMENT ||
			k->form == KEY_OBJECT)
			continue;
		if (k->form == KEY_LIST) {
			for (size_t j = 0; j < e->n_parents && j < EVENT_PARENTS_MAX; j++)
				out[n++] = (struct value){ .raw = e->parents[j] };
		} else {
			str v = n_room - used >= TIME_TEXT_MAX ? text_of(e, k, room + used) : STR_NONE;

			if (v.p == room + used)
				used += v.n;
			out[n++] = (struct value){ .raw = v.p ? v : STR("") };
		}
		count[i] = (uint32_t)n - first[i];
	}
	return n;
}

size_t beside_values(const struct sigma_beside *b, size_t n, struct value *out, uint32_t *first, uint32_t *count)
{
	for (size_t i = 0; i < BESIDE_FIELDS_; i++) {
		size_t slot = event_keys_n + i;

		first[slot] = (uint32_t)n;
		count[slot] = b && b->value[i].p;
		if (count[slot])
			out[n++] = (struct value){ .raw = b->value[i] };
	}
	return n;
}
