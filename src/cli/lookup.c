#include "cli/lookup.h"

#include <errno.h>

#include "base/base64.h"
#include "base/log.h"
#include "base/timefmt.h"
#include "cli/writer.h"
#include "daemon/query.h"

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

static bool person_matches(const struct index_filter *f, const struct event *e)
{
	for (size_t i = 0; i < f->n_persons; i++)
		if (event_has(e, EV_PERSON) && str_eq(e->person, f->persons[i]))
			return true;
	return f->n_persons == 0;
}

static bool path_matches(const struct index_filter *f, const struct event *e)
{
	return f->path_glob.n == 0 || (event_has(e, EV_PATH) && str_glob(f->path_glob, e->path)) || (event_has(e, EV_TO) && str_glob(f->path_glob, e->to));
}

bool lookup_matches(const struct index_filter *f, const struct event *e)
{
	if ((f->since && e->time < f->since) || (f->until && e->time >= f->until))
		return false;
	if (f->verbs && !(f->verbs >> e->verb & 1))
		return false;
	if (f->vias && !(event_has(e, EV_VIA) && f->vias >> e->via & 1))
		return false;
	if (f->labels && !(event_has(e, EV_LABEL) && f->labels >> e->label & 1))
		return false;
	if (f->client.n && !(event_has(e, EV_CLIENT) && str_eq(e->client, f->client)))
		return false;
	if (f->document && !(event_has(e, EV_DOCUMENT) && memcmp(e->document, f->document, 32) == 0))
		return false;
	if (f->object && !(event_has(e, EV_OBJECT) && memcmp(&e->object, f->object, sizeof(*f->object)) == 0))
		return false;
	return person_matches(f, e) && path_matches(f, e);
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
