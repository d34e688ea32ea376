#include "cli/lookup.h"

#include <errno.h>

#include "base/base64.h"
#include "base/log.h"
#include "base/timefmt.h"
#include "daemon/query.h"
#include "daemon/state.h"

bool lookup_document(const char *text, uint8_t ret[static 32])
{
	str s = str_c(text);

	if (!str_starts(s, STR("sha256:")))
		return false;
	return hex_decode((str){ s.p + 7, s.n - 7 }, ret, 32) == 0;
}

bool lookup_object(const char *text, struct event_object *ret)
{
	uint64_t v[3];
	const char *p = text;

	for (int i = 0; i < 3; i++) {
		size_t n = strcspn(p, ":");

		if (str_to_u64((str){ p, n }, &v[i]) < 0 || (i < 2) != (p[n] == ':'))
			return false;
		p += n + 1;
	}
	*ret = (struct event_object){ v[0], v[1], v[2] };
	return true;
}

bool lookup_mask(void)
{
	return cli.config.mask && !cli.unmask;
}

int lookup_unmask(void)
{
	_cleanup_buf_ struct buf b = BUF_INIT;
	struct account owner;
	const char *why;
	json_t *request;
	int r;

	if (!cli.unmask || !cli.config.mask)
		return EXIT_DONE;
	if (!cli.reason)
		return usage_error("--unmask needs --reason TEXT: it becomes part of the record");
	buf_putf(&b, "unmask by uid %u: %s", getuid(), cli.reason);
	request = json_pack("{s:s,s:s}", "do", "config", "setting", buf_cstr(&b));
	r = request ? query_ask(cli.state, request, NULL) : -EINVAL;
	json_decref(request);
	if (r == 0)
		return EXIT_DONE;
	if (r != -ENOENT && geteuid() != 0) {
		/* A reader writes nothing himself: the keeper records the reason with his uid, and then answers with names. */
		query_unmask(cli.reason);
		return EXIT_DONE;
	}
	if (r != -ENOENT) {
		log_error("names stay masked: %s", query_why());
		return EXIT_FAILED;
	}
	/* No keeper runs: we write ourselves. */
	struct evidence *e = NULL;
	struct evidence_options o = { 0 };
	uint64_t seq;

	r = state_prepare(cli.state, false, &owner, &why);
	if (r == 0)
		r = state_enter(&owner, cli.state, &why);
	if (r < 0) {
		log_error("names stay masked: %s", why);
		return EXIT_FAILED;
	}
	r = evidence_open(cli.state, &o, &e);
	if (r == 0)
		r = evidence_append_config(e, time_now(), buf_str(&b), &seq);
	if (r == 0)
		r = evidence_commit(e);
	evidence_close(e);
	if (r < 0) {
		log_error("names stay masked: %s", evidence_why());
		return EXIT_FAILED;
	}
	return EXIT_DONE;
}

int lookup_failed(int r)
{
	const char *why = query_why();

	log_error("%s", *why ? why : strerror(-r));
	return r == -EUCLEAN ? EXIT_DAMAGED : EXIT_FAILED;
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
