#include "torture_log.h"

void rich_event(uint64_t i, struct event *ret)
{
	static char command[64], extra[64];

	fixture_event(i, ret);
	ret->login_uid = 1000;
	ret->cwd = STR("/home/clerk");
	ret->to = STR("relative/and//empty/");
	memset(ret->document, (int)i, sizeof(ret->document));
	ret->command = (str){ command, (size_t)snprintf(command, sizeof(command), "cp -a %d", (int)i) };
	ret->parent_command = STR("sh");
	ret->peer = STR("2001:db8::7");
	ret->port = 443;
	ret->container = STR("0123456789abcdef");
	ret->extra = (str){ extra, (size_t)snprintf(extra, sizeof(extra), "{\"ticket\":%d}", (int)i) };
	ret->parents[0] = STR("/bin/bash");
	ret->n_parents = 1;
	ret->client = STR("192.0.2.9");
	for (enum event_field f = EV_PARENTS; f <= EV_LOGIN_UID; f++)
		event_set(ret, f);
	event_set(ret, EV_CWD);
	event_set(ret, EV_TO);
	event_set(ret, EV_DOCUMENT);
	event_set(ret, EV_COMMAND);
	event_set(ret, EV_PARENT_COMMAND);
	event_set(ret, EV_PEER);
	event_set(ret, EV_PORT);
	event_set(ret, EV_CONTAINER);
	event_set(ret, EV_EXTRA);
}

int rich_append(struct evidence *e, uint64_t i)
{
	const uint8_t file[32] = { (uint8_t)i, 1 };
	const struct evidence_heartbeat h = { .time = RICH_TIME, .phase = PHASE_PERIODIC, .host = STR("files"), .boot = STR("boot-id"), .uptime = 5,
		.clock = CLOCK_SYNCED, .backend = BACKEND_FANOTIFY, .counters = { .received = i } };
	struct evidence_import in = { .time = RICH_TIME, .phase = PHASE_START, .file = file, .format = 1, .title = STR("records.jsonl") };
	uint64_t begun;
	struct event ev;
	int r = evidence_append_import(e, &in, &begun);

	rich_event(i, &ev);
	ev.source = begun;
	event_set(&ev, EV_SOURCE);
	if (r == 0)
		r = evidence_append_event(e, &ev, NULL);
	if (r == 0)
		r = evidence_append_heartbeat(e, &h, NULL);
	if (r == 0)
		r = evidence_append_person(e, RICH_TIME, STR("clerk"), STR("{\"person\":\"clerk\",\"unit\":\"sales\"}"), begun, NULL);
	if (r == 0)
		r = evidence_append_config(e, RICH_TIME, STR("privacy.mask = no"), NULL);
	in = (struct evidence_import){ .time = RICH_TIME, .phase = PHASE_STOP, .file = file, .format = 1, .begins = begun, .records = 1 };
	return r == 0 ? evidence_append_import(e, &in, NULL) : r;
}
