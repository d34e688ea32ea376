/* Commands on the keeper's socket. The peer's uid decides: root and the keeper's account write, members of the group tyto-read read,
 * everybody else gets the status without names. */
#include <errno.h>
#include <grp.h>
#include <pthread.h>
#include <pwd.h>
#include <sys/socket.h>

#include "base/base64.h"
#include "base/json.h"
#include "base/log.h"
#include "base/timefmt.h"
#include "daemon/filing.h"
#include "daemon/imports.h"
#include "daemon/keeper_private.h"
#include "daemon/query.h"
#include "daemon/status.h"
#include "document/facts_wire.h"
#include "event/event_json.h"
#include "event/event_wire.h"

#define READ_SIZE (256 * 1024)
#define ANSWER_MS 1000
#define GROUPS_MAX 256
#define QUERIES_MAX 8

static bool member_of_readers(uid_t uid)
{
	char tmp[8192];
	struct passwd pw, *found = NULL;
	gid_t groups[GROUPS_MAX];
	struct group g, *readers = NULL;
	char gtmp[8192];
	int n = GROUPS_MAX;

	if (getgrnam_r("tyto-read", &g, gtmp, sizeof(gtmp), &readers) != 0 || !readers)
		return false;
	if (getpwuid_r(uid, &pw, tmp, sizeof(tmp), &found) != 0 || !found)
		return false;
	if (getgrouplist(pw.pw_name, pw.pw_gid, groups, &n) < 0)
		return false;
	for (int i = 0; i < n; i++)
		if (groups[i] == readers->gr_gid)
			return true;
	return false;
}

/* The name service may be slow, and whoever connects again and again must not make the writer wait for it each time. */
static enum client_role role_of(struct keeper *k, uid_t uid)
{
	int64_t now = time_boottime();
	struct known_role *place = &k->roles[0];

	if (uid == 0 || uid == geteuid())
		return ROLE_WRITE;
	for (size_t i = 0; i < KEEPER_ROLES; i++) {
		struct known_role *known = &k->roles[i];

		if (known->until > now && known->uid == uid)
			return known->role;
		if (known->until < place->until)
			place = known;
	}
	*place = (struct known_role){ uid, member_of_readers(uid) ? ROLE_READ : ROLE_NONE, now + KEEPER_ROLE_NS };
	return place->role;
}

/* Whoever may not write cannot take all places, nor one of them those of the others. */
static bool may_come_in(const struct keeper *k, uid_t uid, enum client_role role)
{
	size_t others = 0, his = 0;

	for (size_t i = 0; i < KEEPER_CLIENTS_MAX; i++) {
		const struct client *c = &k->clients[i];

		if (c->fd < 0 || c->role == ROLE_WRITE)
			continue;
		others++;
		his += c->uid == uid;
	}
	return role == ROLE_WRITE || (others < KEEPER_CLIENTS_OTHERS && his < KEEPER_CLIENTS_UID);
}

int keeper_client_accept(struct keeper *k)
{
	_cleanup_close_ int fd = accept4(k->c->listen_fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	enum client_role role;
	struct ucred cred;
	socklen_t n = sizeof(cred);

	if (fd < 0)
		return 0; /* it went away again */
	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &n) < 0)
		return 0;
	role = role_of(k, cred.uid);
	if (!may_come_in(k, cred.uid, role))
		return 0;
	for (size_t i = 0; i < KEEPER_CLIENTS_MAX; i++) {
		struct client *c = &k->clients[i];

		if (c->fd >= 0)
			continue;
		*c = (struct client){ .fd = TAKE_FD(fd), .uid = cred.uid, .role = role, .since = time_boottime() };
		return keeper_watch_fd(k, c->fd, TAG_CLIENT + i, EPOLLIN);
	}
	return 0;
}

static void client_close(struct keeper *k, struct client *c)
{
	if (c->fd < 0)
		return;
	epoll_ctl(k->epoll, EPOLL_CTL_DEL, c->fd, NULL);
	close(c->fd);
	buf_free(&c->in);
	*c = (struct client){ .fd = -1 };
}

void keeper_clients_tick(struct keeper *k, int64_t now)
{
	for (size_t i = 0; i < KEEPER_CLIENTS_MAX; i++)
		if (k->clients[i].fd >= 0 && k->clients[i].role != ROLE_WRITE && now - k->clients[i].since > KEEPER_CLIENT_NS)
			client_close(k, &k->clients[i]);
}

static void answer_text(struct keeper *k, struct client *c, str text)
{
	proto_send(c->fd, PROTO_ANSWER, text, ANSWER_MS);
	client_close(k, c);
}

static void answer_error(struct keeper *k, struct client *c, const char *what)
{
	_cleanup_buf_ struct buf b = BUF_INIT;

	json_obj_begin(&b);
	json_put_str(&b, "error", str_c(what));
	json_obj_end(&b);
	answer_text(k, c, buf_str(&b));
}

void keeper_status(struct keeper *k, bool names, struct buf *b)
{
	struct status s = { .state = k->c->state, .names = names, .backend = k->backend, .tier = "fanotify", .queue = k->pending,
		.disk_full = k->disk_full,
		.n_watching = names ? k->n_watching : 0, .watching = (const char *const *)k->watching, .counters = k->counters, .running = true,
		.keeper_uid = geteuid(), .keeper_named = k->c->owner.named,
		.blind = (const char *const *)k->blind, .n_blind = k->n_blind };
	struct documents_stat documents;
	struct detecting_stat detection;

	evidence_stat(k->ev, &s.evidence);
	s.indexed = indexer_indexed(k->indexer);
	s.n_watching_all = k->n_watching;
	if (indexer_documents(k->indexer, &documents))
		s.documents = &documents;
	if (k->detecting) {
		struct detector_stat *st = &detection.detector;

		detecting_stat(k->detecting, &detection);
		s.detection = (struct status_detection){ .known = detection.since || detection.failed || st->rules.all || st->open,
				.failed = detection.failed,
			.rules = st->rules.all, .run = st->rules.run, .broken = st->rules.broken, .since = detection.since,
			.set = detection.set[0] ? detection.set : NULL, .open = st->open, .held = st->held, .waiting = st->waiting, .full = st->full };
	}
	status_put(&s, b);
}

/* A query runs in a thread of its own, with its own readers, so that the writer never waits for somebody's terminal. */
struct query_job {
	const char *state;
	int fd;
	json_t *request;
	bool mask;
};

/* Two of the places are the writers'. */
static pthread_mutex_t jobs_lock = PTHREAD_MUTEX_INITIALIZER;
static unsigned jobs;

static void *query_thread(void *arg)
{
	struct query_job *j = arg;

	query_serve(j->state, j->fd, j->request, j->mask);
	close(j->fd);
	json_decref(j->request);
	free(j);
	pthread_mutex_lock(&jobs_lock);
	jobs--;
	pthread_mutex_unlock(&jobs_lock);
	return NULL;
}

static bool job_slot(enum client_role role)
{
	bool ok;

	pthread_mutex_lock(&jobs_lock);
	ok = jobs < (role == ROLE_WRITE ? QUERIES_MAX : QUERIES_MAX - 2);
	jobs += ok;
	pthread_mutex_unlock(&jobs_lock);
	return ok;
}

static void start_query(struct keeper *k, struct client *c, json_t *request, bool mask)
{
	struct query_job *j;
	pthread_t t;
	int fd;

	if (!job_slot(c->role)) {
		answer_error(k, c, "too many questions at once; try again");
		return;
	}
	j = calloc(1, sizeof(*j));
	fd = dup(c->fd);
	if (j && fd >= 0) {
		*j = (struct query_job){ k->c->state, fd, json_incref(request), mask };
		if (pthread_create(&t, NULL, query_thread, j) == 0) {
			pthread_detach(t);
			client_close(k, c);
			return;
		}
		json_decref(request);
	}
	free(j);
	close_fd(&fd);
	pthread_mutex_lock(&jobs_lock);
	jobs--;
	pthread_mutex_unlock(&jobs_lock);
	answer_error(k, c, "no memory for the question");
}

/* Who looks behind the masks, and why, is durable before a name is shown. */
static int record_unmask(struct keeper *k, struct client *c, const char *reason)
{
	_cleanup_buf_ struct buf b = BUF_INIT;
	uint64_t seq;
	int r;

	buf_putf(&b, "unmask by uid %u: %s", c->uid, reason);
	r = evidence_append_config(k->ev, time_now(), buf_str(&b), &seq);
	return r < 0 ? r : evidence_commit(k->ev);
}

static int on_query(struct keeper *k, struct client *c, json_t *request)
{
	const char *reason = json_string_value(json_object_get(request, "unmask"));
	bool mask = c->role != ROLE_WRITE && k->c->settings->mask;
	int r = 0;

	/* It becomes a record: nobody fills the disk with reasons. */
	if (reason && strlen(reason) > KEEPER_REASON_MAX) {
		answer_error(k, c, "the reason is too long: at most 512 bytes");
		return 0;
	}
	if (mask && reason && *reason) {
		r = record_unmask(k, c, reason);
		if (r < 0)
			answer_error(k, c, "names stay masked: the reason cannot be recorded");
		mask = false;
	}
	if (r == 0)
		start_query(k, c, request, mask);
	return r == -EIO || r == -EUCLEAN ? r : 0;
}

/* Records that do not fit are still where they came from: no loss, and no gap; whoever sent them is told. */
static int imported(struct keeper *k, int r)
{
	if (r != -ENOSPC)
		return keeper_appended(k, r);
	keeper_full(k);
	return 0;
}

/* Under the beginning that stands: nobody else may be at it. */
static int resume_import(struct keeper *k, struct client *c, json_t *request, uint64_t begins)
{
	for (size_t i = 0; i < KEEPER_CLIENTS_MAX; i++)
		if (k->clients[i].fd >= 0 && k->clients[i].importing && k->clients[i].import_seq == begins) {
			answer_error(k, c, "this import is going on just now");
			return 0;
		}
	if (imports_check(k->c->state, begins) < 0) {
		answer_error(k, c, "no import began there");
		return 0;
	}
	c->importing = true;
	c->import_seq = begins;
	c->records = (uint64_t)json_integer_value(json_object_get(request, "records"));
	return 0;
}

static int start_import(struct keeper *k, struct client *c, json_t *request)
{
	struct evidence_import im = { .time = time_now(), .phase = PHASE_START };
	const char *title = json_string_value(json_object_get(request, "title")), *file = json_string_value(json_object_get(request, "file"));
	json_t *resume = json_object_get(request, "resume");
	uint8_t digest[32];
	int r;

	im.format = (uint8_t)json_integer_value(json_object_get(request, "format"));
	im.title = str_c(title);
	if (file && hex_decode(str_c(file), digest, 32) == 0)
		im.file = digest;
	if (k->disk_full) {
		answer_error(k, c, "the disk is full: nothing can be imported until there is room");
		return 0;
	}
	if (resume)
		return resume_import(k, c, request, (uint64_t)json_integer_value(resume));
	c->importing = true;
	r = evidence_append_import(k->ev, &im, &c->import_seq);
	return imported(k, r);
}

/* Whoever may write says himself for whom: he may have become the state's owner. */
static int close_alert(struct keeper *k, struct client *c, json_t *request)
{
	json_int_t number = json_integer_value(json_object_get(request, "close")), reason = json_integer_value(json_object_get(request, "reason"));
	uint32_t uid = (uint32_t)json_integer_value(json_object_get(request, "uid"));
	const struct evidence_alert a = { .time = time_now(), .number = (uint64_t)number, .phase = ALERT_CLOSED,
		.reason = (enum alert_reason)reason,
		.account = &uid };
	uint64_t seq;

	if (number < 1 || reason < 1 || reason >= ALERT_REASON_MAX_) {
		answer_error(k, c, "expected the number of an alert, and a reason");
		return 0;
	}
	c->answer_due = true;
	return imported(k, evidence_append_alert(k->ev, &a, &seq));
}

static int on_request(struct keeper *k, struct client *c, str body)
{
	json_t *request = json_loadb(body.p, body.n, 0, NULL);
	const char *what = json_string_value(json_object_get(request, "do"));
	int r = 0;

	if (!what) {
		answer_error(k, c, "expected a request");
	} else if (strcmp(what, "status") == 0) {
		_cleanup_buf_ struct buf b = BUF_INIT;

		keeper_status(k, c->role != ROLE_NONE, &b);
		answer_text(k, c, buf_str(&b));
	} else if (c->role == ROLE_NONE) {
		answer_error(k, c, "not permitted: members of the group tyto-read may read, root may write");
	} else if (strcmp(what, "events") == 0 || strcmp(what, "who") == 0) {
		r = on_query(k, c, request);
	} else if (c->role != ROLE_WRITE) {
		answer_error(k, c, "not permitted: only root writes");
	} else if (strcmp(what, "rotate") == 0) {
		r = evidence_commit(k->ev);
		if (r == 0)
			r = evidence_key_rotate(k->ev, time_now());
		if (r == -EIO || r == -EUCLEAN)
			return r;
		c->answer_due = r == 0;
		if (r < 0)
			answer_error(k, c, evidence_why());
		r = 0;
	} else if (strcmp(what, "import") == 0) {
		r = start_import(k, c, request);
	} else if (strcmp(what, "scan") == 0) {
		c->scanning = true;
		if (k->disk_full)
			answer_error(k, c, "the disk is full: nothing can be scanned until there is room");
	} else if (strcmp(what, "config") == 0) {
		const char *setting = json_string_value(json_object_get(request, "setting"));
		uint64_t seq;

		c->answer_due = true;
		r = imported(k, evidence_append_config(k->ev, time_now(), str_c(setting ? setting : ""), &seq));
	} else if (strcmp(what, "alert") == 0) {
		r = close_alert(k, c, request);
	} else {
		answer_error(k, c, "a request that this keeper does not know; is it of another version?");
	}
	json_decref(request);
	return r;
}

static int import_event(struct keeper *k, struct client *c, str body)
{
	struct event ev;
	const char *expect;
	int r;

	if (event_unpack((const uint8_t *)body.p, body.n, &ev) != (ssize_t)body.n || event_check(&ev, time_now(), &expect) < 0)
		return -EBADMSG;
	r = imports_append_event(k->ev, k->persons, &ev, c->import_seq);
	if (r == 0)
		c->records++;
	return imported(k, r);
}

/* Answered when what is pending is durable: now, where nothing is. */
static int all_here(struct keeper *k, struct client *c)
{
	c->answer_due = true;
	if (k->pending == 0)
		keeper_clients_committed(k);
	return 0;
}

static int import_done(struct keeper *k, struct client *c, str body)
{
	json_t *j = json_loadb(body.p, body.n, 0, NULL);
	struct evidence_import im = { .time = time_now(), .phase = PHASE_STOP, .begins = c->import_seq };
	json_t *files = json_object_get(j, "files"), *one;
	uint8_t (*digests)[32] = calloc(json_array_size(files) + 1, 32);
	size_t i, n = 0;
	int r;

	/* Stopped half-way: what came is durable before the answer, and the import stays open for --resume. */
	if (json_is_true(json_object_get(j, "stopped"))) {
		free(digests);
		json_decref(j);
		return all_here(k, c);
	}
	c->refused = (uint64_t)json_integer_value(json_object_get(j, "refused"));
	im.records = c->records + c->rows;
	im.refused = c->refused;
	im.format = (uint8_t)json_integer_value(json_object_get(j, "format"));
	json_array_foreach(files, i, one)
		n += digests && hex_decode(str_c(json_string_value(one)), digests[n], 32) == 0;
	r = digests ? imported(k, imports_append_end(k->ev, &im, (const uint8_t (*)[32])digests, n)) : -ENOMEM;
	c->answer_due = r == 0 && c->fd >= 0;
	free(digests);
	json_decref(j);
	return r;
}

/* What does not fit is read again by the next scan: refused, not lost. */
static int scan_frame(struct keeper *k, struct client *c, enum proto_kind kind, str body)
{
	enum event_label label;
	struct facts f;
	struct place p;
	int64_t started;
	int r = -EBADMSG;

	if (kind == PROTO_DONE) {
		return all_here(k, c);
	}
	if (kind == PROTO_KNOWN) {
		r = known_wire_take(body, &p, &label, &started);
		if (r == 0 && k->n_watching)
			known_put(k->known, &p.object, p.document, label, started);
		return r;
	}
	if (kind == PROTO_FACTS) {
		_cleanup_buf_ struct buf text = BUF_INIT;

		r = facts_wire_take(body, &f, &text);
		if (r == 0)
			r = filing_append_document(k->ev, &f, time_now(), &k->scratch);
	} else if (kind == PROTO_PLACE) {
		r = place_wire_take(body, &p);
		if (r == 0)
			r = filing_append_place(k->ev, &p);
	}
	c->records += r == 0;
	return r == -EBADMSG ? r : imported(k, r);
}

static int on_frame(struct keeper *k, struct client *c, enum proto_kind kind, str body)
{
	const char *expect;
	int r;

	if (kind == PROTO_REQUEST && !c->importing && !c->scanning && !c->answer_due)
		return on_request(k, c, body);
	if (c->scanning && !c->answer_due)
		return scan_frame(k, c, kind, body);
	if (!c->importing || c->answer_due)
		return -EBADMSG;
	switch (kind) {
	case PROTO_EVENT:
		return import_event(k, c, body);
	case PROTO_ROW:
		r = keeper_add_person(k, body, c->import_seq, &expect);
		if (r == -ENOSPC)
			return imported(k, r);
		c->rows += r == 0;
		return r == -EBADMSG || r == -EEXIST ? -EBADMSG : r;
	case PROTO_DONE:
		return import_done(k, c, body);
	default:
		return -EBADMSG;
	}
}

int keeper_client_event(struct keeper *k, size_t i, uint32_t events)
{
	struct client *c = &k->clients[i];
	size_t at = 0, used;
	ssize_t n;
	int r = 0;

	if (i >= KEEPER_CLIENTS_MAX || c->fd < 0)
		return 0;
	if (buf_reserve(&c->in, READ_SIZE) < 0)
		return -ENOMEM;
	n = recv(c->fd, c->in.p + c->in.n, READ_SIZE, 0);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return 0;
	if (n <= 0) {
		client_close(k, c);
		return 0;
	}
	c->in.n += (size_t)n;
	while (r == 0 && c->fd >= 0) {
		enum proto_kind kind;
		str body;

		r = proto_take((str){ c->in.p + at, c->in.n - at }, &kind, &body, &used);
		if (r <= 0)
			break;
		at += used;
		r = on_frame(k, c, kind, body);
	}
	if (r == -EBADMSG) {
		answer_error(k, c, "a frame that cannot be read");
		return 0;
	}
	if (c->fd >= 0) {
		memmove(c->in.p, c->in.p + at, c->in.n - at);
		c->in.n -= at;
	}
	return r;
}

void keeper_clients_committed(struct keeper *k)
{
	for (size_t i = 0; i < KEEPER_CLIENTS_MAX; i++) {
		struct client *c = &k->clients[i];
		_cleanup_buf_ struct buf b = BUF_INIT;

		if (c->fd < 0 || !c->answer_due)
			continue;
		json_obj_begin(&b);
		json_put_u64(&b, "records", c->records);
		json_put_u64(&b, "rows", c->rows);
		json_obj_end(&b);
		answer_text(k, c, buf_str(&b));
	}
}

void keeper_clients_full(struct keeper *k)
{
	for (size_t i = 0; i < KEEPER_CLIENTS_MAX; i++)
		if (k->clients[i].fd >= 0 && (k->clients[i].importing || k->clients[i].scanning || k->clients[i].answer_due))
			answer_error(k, &k->clients[i], "the disk is full: not all of it was recorded");
}

void keeper_clients_close(struct keeper *k)
{
	for (size_t i = 0; i < KEEPER_CLIENTS_MAX; i++)
		client_close(k, &k->clients[i]);
	/* Queries still running read from files of their own; they get a moment. */
	for (int i = 0; i < 100; i++) {
		unsigned left;

		pthread_mutex_lock(&jobs_lock);
		left = jobs;
		pthread_mutex_unlock(&jobs_lock);
		if (left == 0)
			break;
		usleep(10000);
	}
}
