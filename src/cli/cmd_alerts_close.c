/* tyto alerts close: what a person says of an alert becomes a record. */
#include <errno.h>

#include "base/log.h"
#include "base/timefmt.h"
#include "cli/cli.h"
#include "cli/cmd_alerts.h"
#include "cli/writer.h"
#include "daemon/query.h"

static int close_alone(uint64_t id, enum alert_reason reason, uint32_t uid)
{
	const struct evidence_alert a = { .time = time_now(), .number = id, .phase = ALERT_CLOSED, .reason = reason, .account = &uid };
	struct evidence *e = NULL;
	uint64_t seq;
	int r = writer_open(false, &e);

	if (r < 0)
		return r;
	r = evidence_append_alert(e, &a, &seq);
	if (r == 0)
		r = evidence_commit(e);
	if (r < 0)
		log_error("%s", evidence_why());
	evidence_close(e);
	return r;
}

static int is_open(void *arg, struct evidence_reader *r, const struct alert *al)
{
	*(bool *)arg = al->open;
	return 0;
}

int alerts_close_one(struct alertqueue *q, uint64_t id, enum alert_reason reason, uint32_t uid)
{
	const struct alertqueue_filter f = { .id = id };
	struct alertqueue_counts counts;
	bool open = false;
	json_t *request;
	int r = alertqueue_ask(q, &f, is_open, &open, &counts);

	if (r < 0) {
		log_error("%s", alertqueue_why());
		return r;
	}
	if (!open) {
		log_error("alert %llu is closed already", (unsigned long long)id);
		return -EALREADY;
	}
	request = json_pack("{s:s,s:I,s:i,s:I}", "do", "alert", "close", (json_int_t)id, "reason", (int)reason, "uid", (json_int_t)uid);
	r = request ? query_ask(cli.state, request, NULL) : -ENOMEM;
	json_decref(request);
	if (r == -ENOENT)
		return close_alone(id, reason, uid);
	if (r < 0)
		log_error("%s", query_why());
	return r;
}

uint32_t alerts_whoami(void)
{
	unsigned long login = UINT32_MAX;
	FILE *f = fopen("/proc/self/loginuid", "re");

	if (f && fscanf(f, "%lu", &login) != 1)
		login = UINT32_MAX;
	if (f)
		fclose(f);
	return login < UINT32_MAX ? (uint32_t)login : getuid();
}
