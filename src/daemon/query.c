#include "daemon/query.h"

#include <errno.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "base/base64.h"
#include "base/log.h"
#include "base/varint.h"
#include "base/why.h"
#include "daemon/mask.h"
#include "daemon/proto.h"
#include "daemon/state.h"
#include "event/event_wire.h"

#define TIMEOUT_MS 30000
#define FLUSH_AT (32 * 1024)

static _Thread_local struct why why;
#define fail(r, ...) why_set(&why, (r), __VA_ARGS__)

const char *query_why(void)
{
	return why.text;
}

int query_connect(const char *state)
{
	struct sockaddr_un a;
	int fd, r = state_socket(state, &a);

	if (r < 0)
		return r;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	if (connect(fd, (struct sockaddr *)&a, sizeof(a)) < 0) {
		r = errno == ECONNREFUSED ? -ENOENT : -errno;
		close(fd);
		return r;
	}
	return fd;
}

static int send_json(int fd, json_t *j)
{
	char *text = json_dumps(j, JSON_COMPACT);
	int r;

	if (!text)
		return -ENOMEM;
	r = proto_send(fd, PROTO_REQUEST, str_c(text), TIMEOUT_MS);
	free(text);
	return r;
}

/* The last frame: {"error":…} becomes our error. */
static int take_answer(str body, json_t **ret)
{
	json_t *j = json_loadb(body.p, body.n, 0, NULL), *error;
	int r = 0;

	if (!j)
		return fail(-EBADMSG, "the keeper's answer cannot be read");
	error = json_object_get(j, "error");
	if (error) {
		r = (int)json_integer_value(json_object_get(j, "errno"));
		r = fail(r < 0 ? r : -EIO, "%s", json_string_value(error));
	}
	if (r == 0 && ret)
		*ret = json_incref(j);
	json_decref(j);
	return r;
}

int query_ask(const char *state, json_t *request, json_t **ret)
{
	_cleanup_close_ int fd = query_connect(state);
	struct proto_reader reader = { .fd = fd };
	enum proto_kind kind;
	str body;
	int r;

	if (fd < 0)
		return fail(fd, "no keeper answers: %s", strerror(-fd));
	r = send_json(fd, request);
	if (r == 0)
		r = proto_recv(&reader, &kind, &body, TIMEOUT_MS);
	if (r < 0)
		fail(r, "the keeper does not answer: %s", strerror(-r));
	else
		r = kind == PROTO_ANSWER ? take_answer(body, ret) : fail(-EBADMSG, "the keeper's answer is none");
	buf_free(&reader.b);
	return r;
}

/* Filters as JSON. Bytes that need not be text go as base64. */

static json_t *bytes_to_json(str s)
{
	_cleanup_buf_ struct buf b = BUF_INIT;

	base64_encode(&b, s);
	return json_stringn(b.p ? b.p : "", b.n);
}

static json_t *object_to_json(const struct event_object *o)
{
	return json_pack("[I,I,I]", (json_int_t)o->dev, (json_int_t)o->ino, (json_int_t)o->gen);
}

static json_t *filter_to_json(const struct index_filter *f)
{
	json_t *j = json_pack("{s:s,s:I,s:I,s:I,s:I,s:I,s:I,s:b}", "do", "events", "since", (json_int_t)f->since, "until", (json_int_t)f->until,
		"verbs", (json_int_t)f->verbs, "vias", (json_int_t)f->vias, "labels", (json_int_t)f->labels, "limit", (json_int_t)f->limit,
		"reverse", f->reverse);
	json_t *persons = json_array();

	for (size_t i = 0; i < f->n_persons; i++)
		json_array_append_new(persons, bytes_to_json(f->persons[i]));
	json_object_set_new(j, "persons", persons);
	if (f->path_glob.n)
		json_object_set_new(j, "path", bytes_to_json(f->path_glob));
	if (f->client.n)
		json_object_set_new(j, "client", bytes_to_json(f->client));
	if (f->document)
		json_object_set_new(j, "document", bytes_to_json((str){ (const char *)f->document, 32 }));
	if (f->object)
		json_object_set_new(j, "object", object_to_json(f->object));
	return j;
}

#define PERSONS_MAX QUERY_PERSONS_MAX

/* Everything that a request's strs point into. */
struct request {
	struct index_filter f;
	struct index_subject s;
	struct event_object object;
	str persons[PERSONS_MAX];
	struct buf text;
};

/* The decoded bytes; text has been reserved so that it does not move. */
static str bytes_from_json(struct request *q, json_t *j)
{
	const char *s = json_string_value(j);
	size_t at = q->text.n;

	if (!s || base64_decode(&q->text, str_c(s)) < 0)
		return STR_NONE;
	return (str){ q->text.p + at, q->text.n - at };
}

static uint64_t u64_of(json_t *j, const char *key)
{
	return (uint64_t)json_integer_value(json_object_get(j, key));
}

static bool object_from_json(json_t *j, struct event_object *ret)
{
	json_int_t d, i, g;

	if (!j || json_unpack(j, "[I,I,I]", &d, &i, &g) < 0)
		return false;
	*ret = (struct event_object){ (uint64_t)d, (uint64_t)i, (uint64_t)g };
	return true;
}

static int request_from_json(struct request *q, json_t *j)
{
	json_t *persons = json_object_get(j, "persons"), *one;
	str document;
	size_t i;

	if (buf_reserve(&q->text, PROTO_MAX) < 0)
		return -ENOMEM;
	q->f.since = q->s.since = (int64_t)u64_of(j, "since");
	q->f.until = q->s.until = (int64_t)u64_of(j, "until");
	q->f.verbs = u64_of(j, "verbs");
	q->f.vias = u64_of(j, "vias");
	q->f.labels = u64_of(j, "labels");
	q->f.limit = u64_of(j, "limit");
	q->f.reverse = json_is_true(json_object_get(j, "reverse"));
	if (json_array_size(persons) > PERSONS_MAX)
		return -E2BIG;
	json_array_foreach(persons, i, one)
		q->persons[i] = bytes_from_json(q, one);
	q->f.persons = q->persons;
	q->f.n_persons = json_array_size(persons);
	q->f.path_glob = q->s.path = bytes_from_json(q, json_object_get(j, "path"));
	q->f.client = bytes_from_json(q, json_object_get(j, "client"));
	document = bytes_from_json(q, json_object_get(j, "document"));
	if (document.n == 32)
		q->f.document = q->s.document = (const uint8_t *)document.p;
	if (object_from_json(json_object_get(j, "object"), &q->object))
		q->f.object = q->s.object = &q->object;
	return 0;
}

/* Local answers, masked where wished. */

struct local {
	struct evidence_reader *r; /* for its names; only when masking */
	struct buf scratch;
	query_event_cb *event_cb;
	query_who_cb *who_cb;
	void *arg;
	/* events whose paths are asked for as they are shown: counted here, since the index gives more */
	const struct index_filter *filter;
	uint64_t left;
	bool full;
};

static int local_event(void *arg, const struct event *e)
{
	struct local *l = arg;
	struct event masked = *e;
	int r;

	if (!l->r)
		return l->event_cb(l->arg, e);
	buf_clear(&l->scratch);
	mask_event(evidence_reader_names(l->r), &masked, &l->scratch);
	if (l->filter && !query_shown(l->filter, &masked))
		return 0;
	r = l->event_cb(l->arg, &masked);
	l->full = r == 0 && l->left && --l->left == 0;
	return l->full ? 1 : r;
}

static int local_who(void *arg, const struct index_who *w)
{
	struct local *l = arg;
	struct index_who masked = *w;

	if (!l->r)
		return l->who_cb(l->arg, w);
	buf_clear(&l->scratch);
	if (w->person.n)
		masked.person = mask_person(evidence_reader_names(l->r), w->person, &l->scratch);
	masked.person_basis = STR_NONE;
	return l->who_cb(l->arg, &masked);
}

static int local_open(struct local *l, const char *state, bool mask)
{
	int r = mask ? evidence_reader_open(state, &l->r) : 0;

	return r < 0 ? fail(r, "%s", evidence_why()) : 0;
}

/* Answered all the same, only later. A command that asks twice says it once. */
static void local_notice(void)
{
	static _Thread_local bool told;
	const char *notice = names_notice();

	if (notice && !told)
		log_error("%s", notice);
	told |= notice != NULL;
}

static void local_close(struct local *l)
{
	local_notice();
	evidence_reader_close(l->r);
	buf_free(&l->scratch);
}

static int resolve_persons(struct query_names *q, bool mask, struct index_filter *f)
{
	for (size_t i = 0; i < f->n_persons; i++) {
		int r = mask_resolve(evidence_reader_names(q->r), f->persons[i], &q->persons[i]);

		if (r < 0)
			return fail(r, "there is no person %.*s", STR_ARG(f->persons[i]));
		if (r > 0 && mask)
			return fail(-EPERM, "persons are masked here: expected p:NUMBER, not %.*s (or --unmask --reason TEXT)", STR_ARG(f->persons[i]));
	}
	f->persons = q->persons;
	return 0;
}

static bool any_number(const struct index_filter *f)
{
	for (size_t i = 0; i < f->n_persons; i++)
		if (str_starts(f->persons[i], STR("p:")))
			return true;
	return false;
}

int query_names_open(const char *state, bool mask, struct index_filter *f, struct query_names *ret)
{
	int r;

	ret->r = NULL;
	ret->path = BUF_INIT;
	if (f->n_persons > PERSONS_MAX)
		return fail(-E2BIG, "at most %d persons at once", PERSONS_MAX);
	if (!mask && !any_number(f))
		return 0;
	r = evidence_reader_open(state, &ret->r);
	if (r < 0)
		return fail(r, "%s", evidence_why());
	r = resolve_persons(ret, mask, f);
	if (r == 0 && mask && f->path_glob.n) {
		mask_resolve_glob(evidence_reader_names(ret->r), f->path_glob, &ret->path);
		r = buf_error(&ret->path);
		f->shown_glob = f->path_glob;
		f->path_glob = buf_str(&ret->path);
	}
	if (r < 0)
		query_names_close(ret);
	return r;
}

bool query_shown(const struct index_filter *f, const struct event *masked)
{
	const struct index_filter shown = { .path_glob = f->shown_glob };

	return index_matches(&shown, masked);
}

void query_names_close(struct query_names *q)
{
	q->r = evidence_reader_close(q->r);
	buf_free(&q->path);
}

static int local_events(const char *state, const struct index_filter *f, bool mask, query_event_cb *cb, void *arg)
{
	struct local l = { .event_cb = cb, .arg = arg };
	struct index_filter resolved = *f;
	struct query_names names;
	int r = query_names_open(state, mask, &resolved, &names);

	if (r < 0)
		return r;
	l.r = mask ? names.r : NULL;
	if (resolved.shown_glob.n) {
		l.filter = &resolved;
		l.left = resolved.limit;
		resolved.limit = 0;
	}
	r = index_events(state, &resolved, local_event, &l);
	if (l.full)
		r = 0;
	if (r < 0)
		fail(r, "%s", index_why());
	query_names_close(&names);
	local_notice();
	buf_free(&l.scratch);
	return r;
}

/* -ENODATA where there is a log that knows nothing of it; else what is missing, as every command says it. */
static int nothing_known(const char *state)
{
	struct evidence_reader *reader = NULL;
	int r = evidence_reader_open(state, &reader);

	evidence_reader_close(reader);
	return r < 0 ? fail(r, "%s", evidence_why()) : -ENODATA;
}

static int local_whos(const char *state, const struct index_subject *s, bool mask, query_who_cb *cb, void *arg)
{
	struct local l = { .who_cb = cb, .arg = arg };
	_cleanup_buf_ struct buf path = BUF_INIT;
	struct index_subject subject = *s;
	int r = local_open(&l, state, mask);

	if (r < 0)
		return r;
	if (mask && s->path.n) {
		mask_resolve_path(evidence_reader_names(l.r), s->path, &path);
		subject.path = buf_str(&path);
		/* Only a path as it is shown. */
		if (!str_eq(mask_path(evidence_reader_names(l.r), subject.path, &l.scratch), s->path))
			r = -ENOENT;
	}
	if (r == 0)
		r = index_who(state, &subject, local_who, &l);
	if (r == -ENOENT)
		r = nothing_known(state);
	else if (r < 0)
		fail(r, "%s", index_why());
	local_close(&l);
	return r;
}

/* Remote answers. */

static int who_unpack(str body, struct index_who *w)
{
	uint64_t v[6];
	const uint8_t *p = (const uint8_t *)body.p;
	size_t at = 0;

	for (size_t i = 0; i < ARRAY_SIZE(v); i++) {
		int r = uvar_get(p + at, body.n - at, &v[i]);

		if (r < 0)
			return r;
		at += (size_t)r;
	}
	if (v[5] > body.n - at)
		return -EBADMSG;
	*w = (struct index_who){ .first = (int64_t)v[0], .last = (int64_t)v[1], .count = v[2], .verbs = v[3], .vias = v[4] };
	w->person = (str){ body.p + at, v[5] };
	w->person_basis = (str){ body.p + at + v[5], body.n - at - v[5] };
	return 0;
}

static void who_pack(struct buf *b, const struct index_who *w)
{
	const uint64_t v[] = { (uint64_t)w->first, (uint64_t)w->last, w->count, w->verbs, w->vias, w->person.n };

	for (size_t i = 0; i < ARRAY_SIZE(v); i++)
		buf_put_uvar(b, v[i]);
	buf_puts(b, w->person);
	buf_puts(b, w->person_basis);
}

static int remote_event(str body, query_event_cb *cb, void *arg)
{
	struct event e;
	uint64_t seq;
	int used = uvar_get((const uint8_t *)body.p, body.n, &seq);

	if (used < 0 || event_unpack((const uint8_t *)body.p + used, body.n - (size_t)used, &e) < 0)
		return fail(-EBADMSG, "the keeper's answer cannot be read");
	e.seq = seq;
	return cb(arg, &e);
}

static const char *unmask_reason;

static int remote(const char *state, json_t *request, query_event_cb *event_cb, query_who_cb *who_cb, void *arg)
{
	_cleanup_close_ int fd = query_connect(state);
	struct proto_reader reader = { .fd = fd };
	struct index_who w;
	struct stat st;
	int r;

	if (fd == -ENOTDIR || (fd < 0 && stat(state, &st) == 0 && !S_ISDIR(st.st_mode)))
		return fail(-ENOTDIR, "%s is not a directory", state);
	if (fd < 0)
		return fail(fd, "state directory %s cannot be read, and no keeper answers (%s): run as root, or as a member of the group tyto-read "
		       "beside a running `tyto watch`",
			state, strerror(-fd));
	if (unmask_reason)
		json_object_set_new(request, "unmask", json_string(unmask_reason));
	r = send_json(fd, request);
	while (r == 0) {
		enum proto_kind kind;
		str body;

		r = proto_recv(&reader, &kind, &body, TIMEOUT_MS);
		if (r < 0) {
			fail(r, "the keeper does not answer: %s", strerror(-r));
		} else if (kind == PROTO_EVENT && event_cb) {
			r = remote_event(body, event_cb, arg);
		} else if (kind == PROTO_WHO && who_cb) {
			r = who_unpack(body, &w);
			r = r < 0 ? r : who_cb(arg, &w);
		} else {
			r = kind == PROTO_ANSWER ? take_answer(body, NULL) : fail(-EBADMSG, "the keeper's answer is none");
			break;
		}
	}
	buf_free(&reader.b);
	return r;
}

void query_unmask(const char *reason)
{
	unmask_reason = reason;
}

bool query_direct(const char *state)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/log", state);
	/* No such directory is answered by the local way, with the better sentence. */
	return access(path, R_OK | X_OK) == 0 || errno == ENOENT;
}

int query_events(const char *state, const struct index_filter *f, bool mask, query_event_cb *cb, void *arg)
{
	json_t *request;
	int r;

	if (query_direct(state))
		return local_events(state, f, mask, cb, arg);
	request = filter_to_json(f);
	r = remote(state, request, cb, NULL, arg);
	json_decref(request);
	return r;
}

int query_who(const char *state, const struct index_subject *s, bool mask, query_who_cb *cb, void *arg)
{
	json_t *request;
	int r;

	if (query_direct(state))
		return local_whos(state, s, mask, cb, arg);
	request = json_pack("{s:s,s:I,s:I,s:o}", "do", "who", "since", (json_int_t)s->since, "until", (json_int_t)s->until, "path",
		bytes_to_json(s->path));
	if (s->document)
		json_object_set_new(request, "document", bytes_to_json((str){ (const char *)s->document, 32 }));
	if (s->object)
		json_object_set_new(request, "object", object_to_json(s->object));
	r = remote(state, request, NULL, cb, arg);
	json_decref(request);
	return r;
}

/* The keeper's half. */

struct serving {
	int fd;
	struct buf out, body;
};

static int serving_put(struct serving *s, enum proto_kind kind)
{
	int r = 0;

	if (s->body.n >= PROTO_MAX)
		return -EMSGSIZE;
	proto_put(&s->out, kind, buf_str(&s->body));
	if (s->out.n >= FLUSH_AT) {
		r = proto_write(s->fd, buf_str(&s->out), TIMEOUT_MS);
		buf_clear(&s->out);
	}
	return r;
}

static int serve_event(void *arg, const struct event *e)
{
	struct serving *s = arg;

	buf_clear(&s->body);
	buf_put_uvar(&s->body, e->seq);
	event_pack(&s->body, e);
	return serving_put(s, PROTO_EVENT);
}

static int serve_who(void *arg, const struct index_who *w)
{
	struct serving *s = arg;

	buf_clear(&s->body);
	who_pack(&s->body, w);
	return serving_put(s, PROTO_WHO);
}

void query_serve(const char *state, int fd, json_t *request, bool mask)
{
	struct serving s = { .fd = fd };
	struct request q = { 0 };
	const char *what = json_string_value(json_object_get(request, "do"));
	json_t *answer;
	char *text;
	int r = request_from_json(&q, request);

	why.text[0] = '\0';
	if (r == 0)
		r = what && strcmp(what, "who") == 0 ? local_whos(state, &q.s, mask, serve_who, &s) : local_events(state, &q.f, mask, serve_event, &s);
	answer = r < 0 ? json_pack("{s:s,s:i}", "error", why.text[0] ? why.text : strerror(-r), "errno", r) : json_object();
	text = json_dumps(answer, JSON_COMPACT);
	if (text)
		proto_put(&s.out, PROTO_ANSWER, str_c(text));
	proto_write(fd, buf_str(&s.out), TIMEOUT_MS);
	free(text);
	json_decref(answer);
	buf_free(&s.out);
	buf_free(&s.body);
	buf_free(&q.text);
}
