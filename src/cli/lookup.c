#include "cli/lookup.h"

#include <errno.h>

#include "base/log.h"
#include "base/timefmt.h"
#include "cli/writer.h"
#include "daemon/query.h"

bool lookup_mask(void)
{
	return cli.config.mask && !cli.unmask;
}

/* No keeper runs: we write ourselves. */
static int record_alone(str text)
{
	struct evidence *e = NULL;
	uint64_t seq;
	int r;

	if (writer_enter(false) < 0 || writer_open(false, &e) < 0)
		return -EIO;
	r = evidence_append_config(e, time_now(), text, &seq);
	if (r == 0)
		r = evidence_commit(e);
	if (r < 0)
		log_error("%s", evidence_why());
	evidence_close(e);
	return r;
}

int lookup_unmask(void)
{
	_cleanup_buf_ struct buf b = BUF_INIT;
	json_t *request;
	int r;

	if (!cli.unmask)
		return EXIT_DONE;
	if (!cli.config.mask && query_direct(cli.state)) {
		log_info("--unmask: nothing is masked here (privacy.mask = no), and nothing was recorded");
		return EXIT_DONE;
	}
	if (!cli.reason || !*cli.reason)
		return usage_error("--unmask needs --reason TEXT: it becomes part of the record");
	if (!str_utf8_valid(str_c(cli.reason)))
		return usage_error("--reason: expected UTF-8");
	if (!query_direct(cli.state)) {
		/* A reader writes nothing himself: the keeper records the reason with his uid, and then answers with names. */
		query_unmask(cli.reason);
		return EXIT_DONE;
	}
	buf_putf(&b, "unmask by uid %u: %s", getuid(), cli.reason);
	request = json_pack("{s:s,s:s}", "do", "config", "setting", buf_cstr(&b));
	r = request ? query_ask(cli.state, request, NULL) : -EINVAL;
	json_decref(request);
	if (r == 0)
		return EXIT_DONE;
	if (r != -ENOENT)
		log_error("%s", query_why());
	else if (record_alone(buf_str(&b)) == 0)
		return EXIT_DONE;
	log_error("names stay masked: the reason could not be recorded");
	return EXIT_FAILED;
}

int lookup_failed(int r)
{
	const char *why = query_why();

	log_error("%s", *why ? why : strerror(-r));
	return exit_status(r);
}

void lookup_say_unknown(void)
{
	json_t *request, *status = NULL;
	uint64_t n = 0;

	if (evidence_count_unknown(cli.state, &n) < 0) {
		/* Not ours to read: the keeper knows. */
		request = json_pack("{s:s}", "do", "status");
		if (query_ask(cli.state, request, &status) == 0)
			n = (uint64_t)json_integer_value(json_object_get(status, "unknown"));
		json_decref(request);
		json_decref(status);
	}
	if (n)
		log_info("%llu leaves of the log are of kinds that a newer tyto wrote: they are not shown here", (unsigned long long)n);
}

int lookup_position(const char *state, struct lookup_position *ret)
{
	struct evidence_reader *r = NULL;
	int e = evidence_reader_open(state, &r);

	if (e == 0)
		e = evidence_reader_refresh(r, &ret->size);
	if (e < 0)
		log_error("%s", evidence_why());
	evidence_reader_close(r);
	return e;
}
