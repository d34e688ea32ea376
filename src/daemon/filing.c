#include "daemon/filing.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>

#include "base/timefmt.h"
#include "base/why.h"
#include "daemon/indexer.h"
#include "daemon/proto.h"
#include "daemon/query.h"
#include "daemon/state.h"
#include "document/facts_wire.h"
#include "evidence/evidence.h"

/* So much work may be lost by a kill; the keeper's own measure. */
#define COMMIT_NS (50 * 1000 * 1000LL)
#define FLUSH_AT (32 * 1024)
#define TIMEOUT_MS 60000
#define LOCK_WAIT_NS (5 * NSEC_PER_SEC)

struct filing {
	char *state;
	int lock;                       /* one scan a state */
	struct documents *documents;
	struct prints *prints;
	struct evidence_reader *reader;
	/* alone */
	struct evidence *ev;
	struct indexer *indexer;
	uint64_t pending, places;
	int64_t pending_since, last_checkpoint;
	/* through the keeper */
	int fd;
	struct buf out;
	int64_t out_since, opened;
	struct buf body;
};

static _Thread_local struct why why;

const char *filing_why(void)
{
	return why.text;
}

#define fail(r, ...) why_set(&why, (r), __VA_ARGS__)

/* --- records --- */

int filing_append_document(struct evidence *e, const struct facts *d, int64_t now, struct buf *scratch)
{
	struct evidence_document doc = { .time = now, .document = d->hash, .bytes = d->bytes, .text_chars = d->text_chars, .contacts = d->contacts,
		.type = d->type, .error = d->error, .label = d->label };

	buf_clear(scratch);
	facts_pack(scratch, d);
	if (buf_error(scratch))
		return buf_error(scratch);
	doc.facts = buf_str(scratch);
	return evidence_append_document(e, &doc, NULL);
}

int filing_append_place(struct evidence *e, const struct place *p)
{
	return evidence_append_place(e, &(struct evidence_place){ .time = p->time, .path = p->path, .object = p->has_object ? &p->object : NULL,
		.document = p->has_document ? p->document : NULL, .has_stat = p->has_stat, .owner = p->owner, .group = p->group, .mode = p->mode,
		.bytes = p->bytes, .modified = p->modified, .changed = p->changed, .acl = p->acl, .error = p->error, .gone = p->gone }, NULL);
}

/* --- opening --- */

static int enter(struct filing *f)
{
	struct account owner;
	const char *what = "";
	int r = state_prepare(f->state, true, &owner, &what);

	if (r == 0)
		r = state_enter(&owner, f->state, &what);
	return r < 0 ? fail(r, "%s", what) : 0;
}

static int open_alone(struct filing *f, uint64_t disk_reserve)
{
	const struct evidence_options o = { .create = true };
	struct evidence_stat st;
	int r = evidence_open(f->state, &o, &f->ev);

	if (r < 0)
		return fail(r, "%s", evidence_why());
	r = indexer_start(f->state, disk_reserve, &f->indexer);
	if (r < 0)
		return fail(r, "%s", strerror(-r));
	evidence_stat(f->ev, &st);
	indexer_tell(f->indexer, st.size);
	return 0;
}

/* Identifiers have one writer; whoever watches scans in short turns and lets go between them. */
static int take_lock(struct filing *f)
{
	int64_t until = time_boottime() + LOCK_WAIT_NS;
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/documents", f->state);
	if (mkdir(path, 0700) < 0 && errno != EEXIST)
		return fail(-errno, "%s: %m", path);
	snprintf(path, sizeof(path), "%s/documents/scan.lock", f->state);
	f->lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (f->lock < 0)
		return fail(-errno, "%s: %m", path);
	while (flock(f->lock, LOCK_EX | LOCK_NB) < 0) {
		if (errno != EWOULDBLOCK)
			return fail(-errno, "%s: %m", path);
		if (time_boottime() >= until)
			return fail(-EBUSY, "another scan is at work on the state %s: try again when it is done", f->state);
		usleep(50000);
	}
	return 0;
}

static int catch_up(struct filing *f)
{
	uint64_t size;
	int r = f->reader ? 0 : evidence_reader_open(f->state, &f->reader);

	if (r == 0)
		r = evidence_reader_refresh(f->reader, &size);
	if (r < 0)
		return fail(r, "%s", evidence_why());
	r = documents_advance(f->documents, f->reader, size);
	return r < 0 ? fail(r, "%s", documents_why()) : 0;
}

int filing_open(const char *state, uint64_t disk_reserve, bool beside, struct filing **ret)
{
	struct filing *f = calloc(1, sizeof(*f));
	int r;

	if (!f || !(f->state = strdup(state))) {
		free(f);
		return fail(-ENOMEM, "no memory");
	}
	f->lock = -1;
	/* Who we are decides what the keeper takes: asked before we become somebody else. */
	f->fd = query_connect(state);
	f->opened = time_boottime();
	r = beside && f->fd < 0 ? fail(f->fd, "no keeper runs") : enter(f);
	if (r == 0 && f->fd < 0)
		r = open_alone(f, disk_reserve);
	if (r == 0)
		r = take_lock(f);
	if (r == 0) {
		r = documents_open(state, true, &f->documents);
		if (r < 0)
			fail(r, "%s", documents_why());
	}
	if (r == 0) {
		r = prints_open(state, true, &f->prints);
		if (r < 0)
			fail(r, "%s", prints_why());
	}
	if (r == 0)
		r = catch_up(f);
	if (r == 0 && f->fd >= 0)
		proto_put(&f->out, PROTO_REQUEST, STR("{\"do\":\"scan\"}"));
	if (r < 0) {
		close_fd(&f->fd);
		filing_close(f);
		return r;
	}
	*ret = f;
	return 0;
}

struct documents *filing_documents(struct filing *f)
{
	return f->documents;
}

struct prints *filing_prints(struct filing *f)
{
	return f->prints;
}

/* --- writing --- */

/* A record says that a content was read: its identifiers and fingerprints are there by then. */
static int commit_keys(struct filing *f)
{
	int r = documents_commit(f->documents);

	if (r < 0)
		return fail(r, "%s", documents_why());
	r = prints_commit(f->prints);
	return r < 0 ? fail(r, "%s", prints_why()) : 0;
}

static int commit(struct filing *f)
{
	struct evidence_stat st;
	int64_t now = time_boottime();
	int r = commit_keys(f);

	if (r < 0)
		return r;
	r = evidence_commit(f->ev);
	if (r == 0 && now - f->last_checkpoint >= NSEC_PER_SEC) {
		r = evidence_checkpoint(f->ev, time_now());
		f->last_checkpoint = now;
	}
	if (r < 0)
		return fail(r, "%s", evidence_why());
	f->pending = f->places = 0;
	evidence_stat(f->ev, &st);
	indexer_tell(f->indexer, st.size);
	return 0;
}

/* What the keeper says: an error before it closes, or the answer at the end. */
static int hear(struct filing *f, int timeout_ms, int r)
{
	struct proto_reader reader = { .fd = f->fd };
	enum proto_kind kind;
	json_t *j = NULL;
	str body;
	int e = proto_recv(&reader, &kind, &body, timeout_ms);

	if (e == 0)
		j = json_loadb(body.p, body.n, 0, NULL);
	if (json_string_value(json_object_get(j, "error")))
		r = fail(-EIO, "%s", json_string_value(json_object_get(j, "error")));
	else if (e < 0 || r < 0)
		r = fail(r < 0 ? r : e, "the keeper does not take it: %s", strerror(r < 0 ? -r : -e));
	json_decref(j);
	buf_free(&reader.b);
	return r;
}

static int flush(struct filing *f)
{
	int r = commit_keys(f);

	if (r < 0)
		return r;
	r = buf_error(&f->out) ? buf_error(&f->out) : proto_write(f->fd, buf_str(&f->out), TIMEOUT_MS);
	buf_clear(&f->out);
	f->places = 0;
	return r < 0 ? hear(f, 1000, r) : 0;
}

static int appended(struct filing *f, int r)
{
	if (r < 0)
		return fail(r, "%s", evidence_why());
	if (f->pending++ == 0)
		f->pending_since = time_boottime();
	return 0;
}

static int put(struct filing *f, enum proto_kind kind)
{
	if (f->out.n == 0)
		f->out_since = time_boottime();
	proto_put(&f->out, kind, buf_str(&f->body));
	return f->out.n >= FLUSH_AT ? flush(f) : 0;
}

int filing_document(struct filing *f, const struct facts *d)
{
	if (f->ev)
		return appended(f, filing_append_document(f->ev, d, time_now(), &f->body));
	buf_clear(&f->body);
	facts_wire_put(&f->body, d);
	return put(f, PROTO_FACTS);
}

int filing_place(struct filing *f, const struct place *p)
{
	f->places++;
	if (f->ev)
		return appended(f, filing_append_place(f->ev, p));
	buf_clear(&f->body);
	place_wire_put(&f->body, p);
	return put(f, PROTO_PLACE);
}

int filing_known(struct filing *f, const struct place *p, const struct facts *d)
{
	if (f->ev || !p->has_object || !p->has_document)
		return 0;
	buf_clear(&f->body);
	known_wire_put(&f->body, p, d, f->opened);
	return put(f, PROTO_KNOWN);
}

int filing_turn(struct filing *f, uint64_t places)
{
	int64_t now = time_boottime();
	bool due = f->places >= places;

	if (f->ev)
		return f->pending && (due || now - f->pending_since >= COMMIT_NS) ? commit(f) : 0;
	return f->out.n && (due || now - f->out_since >= COMMIT_NS) ? flush(f) : 0;
}

int filing_close(struct filing *f)
{
	int r = 0;

	if (!f)
		return 0;
	if (f->ev && f->pending)
		r = commit(f);
	if (!f->ev && f->fd >= 0) {
		proto_put(&f->out, PROTO_DONE, STR("{}"));
		r = flush(f);
		if (r == 0)
			r = hear(f, TIMEOUT_MS, 0);
	}
	if (r == 0 && f->documents)
		r = catch_up(f);
	f->indexer = indexer_stop(f->indexer, true);
	evidence_close(f->ev);
	documents_close(f->documents);
	prints_close(f->prints);
	evidence_reader_close(f->reader);
	close_fd(&f->fd);
	close_fd(&f->lock);
	buf_free(&f->out);
	buf_free(&f->body);
	free(f->state);
	free(f);
	return r;
}
