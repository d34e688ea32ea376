#include "daemon/importer.h"

#include <errno.h>

#include "base/base64.h"
#include "base/json.h"
#include "base/log.h"
#include "base/timefmt.h"
#include "base/why.h"
#include "daemon/detecting.h"
#include "daemon/indexer.h"
#include "daemon/peopletable.h"
#include "daemon/persons.h"
#include "daemon/proto.h"
#include "daemon/query.h"
#include "daemon/state.h"
#include "event/event_wire.h"
#include "evidence/evidence.h"

#define COMMIT_LEAVES 65536
#define ALERTS_EACH 2048 /* records between two looks whether alerts wait */
#define FLUSH_AT (64 * 1024)
#define TIMEOUT_MS 60000

struct importer {
	/* alone */
	char *state;
	struct evidence *ev;
	struct indexer *indexer;
	struct evidence_reader *reader; /* of what was imported before */
	struct people *people;
	struct persons *persons;
	struct detecting *detecting;
	uint64_t pending;
	int64_t last_checkpoint;
	/* through the keeper */
	int fd;
	struct buf out, body;
	/* of the file under way */
	uint8_t format;
	uint64_t begins, records;
	bool begun;    /* an import through the keeper that has not ended */
};

static _Thread_local struct why why;
#define fail(r, ...) why_set(&why, (r), __VA_ARGS__)

const char *importer_why(void)
{
	return why.text;
}

static int open_alone(struct importer *i, uint64_t disk_reserve, int64_t wait)
{
	int64_t until = time_boottime() + wait;
	const struct evidence_options o = { .create = true };
	struct account owner;
	const char *what = "";
	int r = state_prepare(i->state, true, &owner, &what);

	if (r == 0)
		r = state_enter(&owner, i->state, &what);
	if (r < 0)
		return fail(r, "%s", what);
	while ((r = evidence_open(i->state, &o, &i->ev)) == -EBUSY && time_boottime() < until)
		usleep(50000);
	if (r < 0)
		return fail(r, "%s", evidence_why());
	r = peopletable_load(evidence_names(i->ev), &i->people);
	if (r == 0 && !(i->persons = persons_new(i->people)))
		r = -ENOMEM;
	if (r == 0)
		r = indexer_start(i->state, disk_reserve, &i->indexer);
	return r < 0 ? fail(r, "%s", strerror(-r)) : 0;
}

int importer_open(const char *state, uint64_t disk_reserve, struct importer **ret)
{
	return importer_open_wait(state, disk_reserve, 0, ret);
}

int importer_open_wait(const char *state, uint64_t disk_reserve, int64_t wait, struct importer **ret)
{
	struct importer *i = calloc(1, sizeof(*i));
	int r;

	if (!i || !(i->state = strdup(state))) {
		free(i);
		return fail(-ENOMEM, "no memory");
	}
	i->fd = query_connect(state);
	r = i->fd < 0 ? open_alone(i, disk_reserve, wait) : 0;
	if (r < 0) {
		importer_close(i);
		return r;
	}
	*ret = i;
	return 0;
}

static int commit(struct importer *i)
{
	struct evidence_stat st;
	int64_t now = time_boottime();
	int r = evidence_commit(i->ev);

	if (r == 0 && now - i->last_checkpoint >= NSEC_PER_SEC) {
		r = evidence_checkpoint(i->ev, time_now());
		i->last_checkpoint = now;
	}
	if (r < 0)
		return fail(r, "%s", evidence_why());
	i->pending = 0;
	evidence_stat(i->ev, &st);
	indexer_tell(i->indexer, st.size);
	if (i->detecting)
		detecting_tell(i->detecting, st.size);
	return 0;
}

/* Alerts so far: durable with what comes next. */
static int take_alerts(struct importer *i)
{
	int r = i->detecting ? detecting_take(i->detecting, i->ev) : 0;

	return r < 0 ? fail(r, "%s", evidence_why()) : 0;
}

/* The connection was closed: the keeper mostly says why before. */
static int refused(struct importer *i, int r)
{
	struct proto_reader reader = { .fd = i->fd };
	enum proto_kind kind;
	json_t *j = NULL;
	str body;

	if (proto_recv(&reader, &kind, &body, 1000) == 0)
		j = json_loadb(body.p, body.n, 0, NULL);
	if (json_string_value(json_object_get(j, "error")))
		r = fail(-EIO, "%s", json_string_value(json_object_get(j, "error")));
	else
		fail(r, "the keeper does not take it: %s", strerror(-r));
	json_decref(j);
	buf_free(&reader.b);
	return r;
}

static int flush(struct importer *i)
{
	int r = buf_error(&i->out) ? buf_error(&i->out) : proto_write(i->fd, buf_str(&i->out), TIMEOUT_MS);

	buf_clear(&i->out);
	return r < 0 ? refused(i, r) : 0;
}

/* An import that ends half-way: the keeper may still have some of it to take in. When it answers, that is durable; whoever counts then
 * counts all. */
static void stop_remote(struct importer *i)
{
	struct proto_reader reader = { .fd = i->fd };
	enum proto_kind kind;
	str body;

	proto_put(&i->out, PROTO_DONE, STR("{\"stopped\":true}"));
	if (flush(i) == 0)
		(void)proto_recv(&reader, &kind, &body, TIMEOUT_MS);
	buf_free(&reader.b);
}

void importer_detect(struct importer *i, const struct config *c)
{
	struct evidence_stat st;
	int r;

	if (!i->ev)
		return;
	/* In force from before the first record. */
	if (detecting_settings(i->state, c, i->ev) < 0)
		log_error("settings of detection: %s", evidence_why());
	r = detecting_start(i->state, c, DETECTING_IMPORT, &i->detecting);
	if (r < 0)
		log_error("alerts: %s", strerror(-r));
	evidence_stat(i->ev, &st);
	if (i->detecting)
		detecting_tell(i->detecting, st.size);
}

int importer_close(struct importer *i)
{
	int r = 0;

	if (!i)
		return 0;
	if (!i->ev && i->begun && i->fd >= 0)
		stop_remote(i);
	if (i->ev && i->pending)
		r = commit(i);
	/* Late records are found by the index. */
	i->indexer = indexer_stop(i->indexer, true);
	/* What is recorded stays so whatever becomes of it: the next who comes finds the alerts. */
	if (i->detecting && r == 0 && detecting_finish(i->detecting, i->ev) < 0)
		log_error("alerts: %s", evidence_why());
	detecting_stop(i->detecting);
	evidence_close(i->ev);
	evidence_reader_close(i->reader);
	persons_free(i->persons);
	people_free(i->people);
	close_fd(&i->fd);
	buf_free(&i->out);
	buf_free(&i->body);
	free(i->state);
	free(i);
	return r;
}

static int open_reader(struct importer *i)
{
	int r = i->reader ? 0 : evidence_reader_open(i->state, &i->reader);

	return r < 0 ? fail(r, "%s", evidence_why()) : 0;
}

int importer_seen(struct importer *i, const uint8_t digest[static 32], bool *ret)
{
	int r = open_reader(i);

	if (r == 0)
		r = imports_seen(i->reader, digest, ret);
	return r < 0 ? fail(r, "%s", evidence_why()) : 0;
}

int importer_unfinished(struct importer *i, const uint8_t digest[static 32], struct imports_part *ret)
{
	int r = open_reader(i);

	if (r == 0)
		r = imports_unfinished(i->reader, digest, ret);
	return r < 0 ? fail(r, "%s", evidence_why()) : 0;
}

/* One connection a file: the keeper closes it with its answer. */
static int connect_again(struct importer *i)
{
	if (i->fd < 0)
		i->fd = query_connect(i->state);
	return i->fd < 0 ? fail(i->fd, "the keeper went away: %s", strerror(-i->fd)) : 0;
}

/* resume: NULL, or what stands. */
static int begin_remote(struct importer *i, str title, const uint8_t *file, const struct imports_part *resume)
{
	_cleanup_buf_ struct buf hex = BUF_INIT;
	int r = connect_again(i);

	if (r < 0)
		return r;
	buf_clear(&i->body);
	json_obj_begin(&i->body);
	json_put_str(&i->body, "do", STR("import"));
	json_put_str(&i->body, "title", title);
	json_put_u64(&i->body, "format", i->format);
	if (file) {
		hex_encode(&hex, (str){ (const char *)file, 32 });
		json_put_str(&i->body, "file", buf_str(&hex));
	}
	if (resume) {
		json_put_u64(&i->body, "resume", resume->begins);
		json_put_u64(&i->body, "records", resume->records);
	}
	json_obj_end(&i->body);
	proto_put(&i->out, PROTO_REQUEST, buf_str(&i->body));
	i->begun = true;
	return flush(i);
}

int importer_begin(struct importer *i, str title, const uint8_t *file, uint8_t format)
{
	struct evidence_import im = { .time = time_now(), .phase = PHASE_START, .format = format, .title = title, .file = file };
	int r;

	i->format = format;
	i->records = 0;
	if (!i->ev)
		return begin_remote(i, title, file, NULL);
	r = evidence_append_import(i->ev, &im, &i->begins);
	return r < 0 ? fail(r, "%s", evidence_why()) : 0;
}

int importer_resume(struct importer *i, const struct imports_part *part, uint8_t format)
{
	i->format = format;
	i->records = part->records;
	i->begins = part->begins;
	return i->ev ? 0 : begin_remote(i, STR_NONE, NULL, part);
}

int importer_event(struct importer *i, struct event *ev)
{
	int r;

	i->records++;
	if (!i->ev) {
		buf_clear(&i->body);
		event_pack(&i->body, ev);
		proto_put(&i->out, PROTO_EVENT, buf_str(&i->body));
		return i->out.n >= FLUSH_AT ? flush(i) : 0;
	}
	r = imports_append_event(i->ev, i->persons, ev, i->begins);
	if (r < 0)
		return fail(r, "%s", evidence_why());
	if (++i->pending % ALERTS_EACH == 0)
		r = take_alerts(i);
	return r == 0 && i->pending >= COMMIT_LEAVES ? commit(i) : r;
}

int importer_row(struct importer *i, str row, const char **ret_expect)
{
	int r;

	i->records++;
	if (!i->ev) {
		proto_put(&i->out, PROTO_ROW, row);
		return i->out.n >= FLUSH_AT ? flush(i) : 0;
	}
	r = peopletable_record(i->ev, i->people, row, i->begins, ret_expect);
	if (r == 0) {
		persons_set_people(i->persons, i->people);
		i->pending++;
	}
	return r;
}

static int end_alone(struct importer *i, const uint8_t (*digests)[32], size_t n, uint64_t refused)
{
	struct evidence_import im = { .time = time_now(), .phase = PHASE_STOP, .format = i->format, .begins = i->begins, .records = i->records,
		.refused = refused };
	int r = imports_append_end(i->ev, &im, digests, n);

	return r < 0 ? fail(r, "%s", evidence_why()) : commit(i);
}

static int end_remote(struct importer *i, const uint8_t (*digests)[32], size_t n, uint64_t refused, uint64_t *ret_records)
{
	struct proto_reader reader = { .fd = i->fd };
	enum proto_kind kind;
	json_t *j = NULL;
	str body;
	int r;

	buf_clear(&i->body);
	json_obj_begin(&i->body);
	json_put_u64(&i->body, "refused", refused);
	json_put_u64(&i->body, "format", i->format);
	json_put_arr(&i->body, "files");
	for (size_t k = 0; k < n; k++) {
		_cleanup_buf_ struct buf hex = BUF_INIT;

		hex_encode(&hex, (str){ (const char *)digests[k], 32 });
		json_str(&i->body, buf_str(&hex));
	}
	json_arr_end(&i->body);
	json_obj_end(&i->body);
	proto_put(&i->out, PROTO_DONE, buf_str(&i->body));
	i->begun = false;
	r = flush(i);
	if (r < 0) {
		close_fd(&i->fd);
		return r;
	}
	r = proto_recv(&reader, &kind, &body, TIMEOUT_MS);
	if (r == 0)
		j = json_loadb(body.p, body.n, 0, NULL);
	if (r < 0)
		fail(r, "the keeper does not answer: %s", strerror(-r));
	else if (!j || json_object_get(j, "error"))
		r = fail(-EIO, "%s", j ? json_string_value(json_object_get(j, "error")) : "the keeper's answer cannot be read");
	else
		*ret_records = (uint64_t)(json_integer_value(json_object_get(j, "records")) + json_integer_value(json_object_get(j, "rows")));
	json_decref(j);
	buf_free(&reader.b);
	close_fd(&i->fd);
	return r;
}

int importer_end(struct importer *i, const uint8_t (*digests)[32], size_t n, uint64_t refused, uint64_t *ret_records)
{
	*ret_records = i->records;
	return i->ev ? end_alone(i, digests, n, refused) : end_remote(i, digests, n, refused, ret_records);
}
