#include "daemon/scanner.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <limits.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/resource.h>

#include "base/hash.h"
#include "base/log.h"
#include "base/timefmt.h"
#include "daemon/filing.h"
#include "daemon/query.h"
#include "daemon/state.h"
#include "document/inventory.h"

#define PENDING_MAX 65536
#define BATCH 512
#define PICTURES 16       /* documents whose pictures are read in one turn */
#define TURN_MS 500
#define READY_NS (300 * NSEC_PER_SEC)
#define AGAIN_NS (5 * NSEC_PER_SEC)
#define NICENESS 10
#define BACK_LEAVES 65536
#define BACK_NS (30 * NSEC_PER_SEC)

struct pending {
	char *path; /* NULL: free */
	int64_t due;
	uint32_t next; /* of the bucket, from 1 */
};

struct scanner {
	const struct scanner_config *c;
	struct walk *walk;
	struct classifier *classifier;
	struct evidence_reader *reader;
	uint64_t followed;
	int64_t since;     /* records before it were followed by whoever ran before us, or are scanned with everything */
	struct buf scratch;
	struct pending *pending;
	uint32_t *bucket;
	uint32_t n, unused; /* waiting; entries ever used */
	uint32_t free;
	uint8_t key[16];
	int64_t all_due;    /* everything is to be looked at; 0: no */
	int64_t pictures_due;
	struct filing *filing; /* of the scan under way */
};

static const struct scanner *the_scanner; /* for stop(), which has no argument */

static bool ended(const struct scanner *s)
{
	struct pollfd p = { .fd = s->c->control_fd, .events = POLLIN };

	return s->c->interrupted() || (poll(&p, 1, 0) > 0 && p.revents & (POLLHUP | POLLIN | POLLERR));
}

static bool stop(void)
{
	return ended(the_scanner);
}

/* --- what was written --- */

static void add_pending(struct scanner *s, str path, int64_t due)
{
	uint32_t b = (uint32_t)siphash13(s->key, path.p, path.n) % PENDING_MAX, i;
	struct pending *p;
	char *copy;

	for (i = s->bucket[b]; i; i = s->pending[i - 1].next)
		if (str_eq(str_c(s->pending[i - 1].path), path)) {
			s->pending[i - 1].due = due;
			return;
		}
	i = s->free ? s->free : s->unused < PENDING_MAX ? s->unused + 1 : 0;
	copy = i && !memchr(path.p, '\0', path.n) ? strndup(path.p, path.n) : NULL;
	/* More than we can remember: then everything. */
	if (!copy) {
		s->all_due = MAX(s->all_due, due);
		return;
	}
	p = &s->pending[i - 1];
	if (i == s->free)
		s->free = p->next;
	else
		s->unused++;
	p->path = copy;
	p->due = due;
	p->next = s->bucket[b];
	s->bucket[b] = i;
	s->n++;
}

/* The path goes to the caller. */
static char *take_pending(struct scanner *s, uint32_t i)
{
	struct pending *p = &s->pending[i - 1];
	uint32_t b = (uint32_t)siphash13(s->key, p->path, strlen(p->path)) % PENDING_MAX, *at = &s->bucket[b];
	char *path = p->path;

	while (*at != i)
		at = &s->pending[*at - 1].next;
	*at = p->next;
	p->path = NULL;
	p->next = s->free;
	s->free = i;
	s->n--;
	return path;
}

static bool watched(const struct scanner *s, str path)
{
	for (size_t i = 0; i < s->c->n_paths; i++) {
		str root = str_c(s->c->paths[i]);

		if (str_starts(path, root) && (root.n == 1 || path.n == root.n || path.p[root.n] == '/'))
			return true;
	}
	return false;
}

static int on_leaf(void *arg, uint64_t seq, const struct leaf *l)
{
	const uint64_t changes = 1u << VERB_WRITE | 1u << VERB_CREATE | 1u << VERB_DELETE | 1u << VERB_RENAME | 1u << VERB_LINK |
			1u << VERB_PERMISSION |
		1u << VERB_OPEN; /* perhaps written through a mapping, which nobody sees */
	struct scanner *s = arg;
	int64_t now = time_boottime();
	struct event e;
	int r;

	if (l->kind != LEAF_EVENT)
		return 0;
	r = evidence_event(evidence_reader_names(s->reader), seq, l, &s->scratch, &e);
	if (r < 0)
		return r;
	/* Imported records are of other times or places. */
	if (event_has(&e, EV_SOURCE) || e.time < s->since)
		return 0;
	if (e.verb == VERB_GAP && !(event_has(&e, EV_CAUSE) && e.cause == CAUSE_CLOCK))
		s->all_due = now + NSEC_PER_SEC;
	if (!(changes >> e.verb & 1))
		return 0;
	if (event_has(&e, EV_PATH) && watched(s, e.path))
		add_pending(s, e.path, now + SCANNER_QUIET_NS);
	if (event_has(&e, EV_TO) && watched(s, e.to))
		add_pending(s, e.to, now + SCANNER_QUIET_NS);
	return 0;
}

static int follow(struct scanner *s)
{
	uint64_t size;
	int r = evidence_reader_refresh(s->reader, &size);

	if (r == 0)
		r = evidence_each(s->reader, s->followed, size, on_leaf, s);
	if (r == 0)
		s->followed = size;
	return r;
}

/* --- scanning --- */

static int put_document(void *arg, const struct facts *f)
{
	return filing_document(((struct scanner *)arg)->filing, f);
}

static int put_place(void *arg, const struct place *p)
{
	return filing_place(((struct scanner *)arg)->filing, p);
}

static int show(void *arg, enum inventory_how how, const struct place *p, const struct facts *f)
{
	return how == INVENTORY_READ || how == INVENTORY_UNCHANGED || how == INVENTORY_MOVED ?
	       filing_known(((struct scanner *)arg)->filing, p, f) : 0;
}

static int turn(void *arg, const struct inventory_counts *counts)
{
	return filing_turn(((struct scanner *)arg)->filing, 16);
}

static const struct inventory_ops ops = { .document = put_document, .place = put_place, .show = show, .turn = turn };

static unsigned cores(void)
{
	cpu_set_t set;

	return sched_getaffinity(0, sizeof(set), &set) == 0 ? (unsigned)CPU_COUNT(&set) : 1;
}

/* -EAGAIN: not now (another scan, a keeper that starts). */
static int scan(struct scanner *s, char *const *paths, size_t n, enum ocr_mode ocr)
{
	struct inventory_config c = { .walk = s->walk, .paths = paths, .n_paths = n, .classifier = s->classifier, .ocr = ocr, .threads = cores(),
		.stop = stop, .ops = &ops, .arg = s };
	struct inventory_counts counts = { 0 };
	int r = filing_open(s->c->state, s->c->settings->disk_reserve, true, &s->filing), e;

	if (r == -ENOENT || r == -EBUSY || r == -ECONNREFUSED)
		return -EAGAIN;
	if (r < 0) {
		log_error("inventory: %s", filing_why());
		return r;
	}
	c.documents = filing_documents(s->filing);
	c.prints = filing_prints(s->filing);
	if (prints_lost(c.prints)) {
		log_error("fingerprints were damaged: they are made anew");
		s->all_due = time_boottime();
	}
	r = inventory_run(&c, &counts);
	if (r < 0 && r != -EINTR)
		log_error("inventory: %s", *filing_why() ? filing_why() : inventory_why());
	if (documents_identifiers_lost(c.documents)) {
		log_error("identifiers were damaged: they are made anew");
		s->all_due = time_boottime();
	}
	e = filing_close(s->filing);
	s->filing = NULL;
	if (counts.read || counts.gone || counts.failed)
		log_debug("inventory: %llu documents read, %llu gone, %llu unreadable", (unsigned long long)counts.read, (unsigned long long)counts.gone,
			(unsigned long long)counts.failed);
	return r < 0 ? r : e;
}

static void free_paths(char **paths, size_t n)
{
	while (n)
		free(paths[--n]);
}

static int scan_due(struct scanner *s, int64_t now)
{
	char *paths[BATCH];
	size_t n = 0;
	int r;

	for (uint32_t i = 1; i <= s->unused && n < BATCH && s->n; i++)
		if (s->pending[i - 1].path && s->pending[i - 1].due <= now)
			paths[n++] = take_pending(s, i);
	if (n == 0)
		return 0;
	r = scan(s, paths, n, OCR_LATER);
	for (size_t i = 0; r < 0 && i < n; i++)
		add_pending(s, str_c(paths[i]), now + AGAIN_NS);
	free_paths(paths, n);
	return r == -EAGAIN ? 0 : r;
}

static int scan_everything(struct scanner *s, int64_t now)
{
	int r;

	s->all_due = 0;
	r = scan(s, s->c->paths, s->c->n_paths, OCR_LATER);
	if (r < 0)
		s->all_due = now + AGAIN_NS;
	return r == -EAGAIN ? 0 : r;
}

/* --- pictures, when nothing else is to be done --- */

struct pictures {
	const struct scanner *s;
	char *paths[PICTURES];
	size_t n;
};

static int on_waiting(void *arg, const struct place *p)
{
	struct pictures *w = arg;

	if (p->has_stat && !p->gone && watched(w->s, p->path) && (w->paths[w->n] = strndup(p->path.p, p->path.n)))
		w->n++;
	return w->n == PICTURES;
}

static int scan_pictures(struct scanner *s, int64_t now)
{
	struct pictures w = { .s = s };
	struct documents *d = NULL;
	int r = documents_open(s->c->state, false, &d);

	s->pictures_due = now + 12 * AGAIN_NS;
	if (r == 0)
		documents_waiting_ocr(d, on_waiting, &w);
	documents_close(d);
	if (w.n == 0)
		return 0;
	r = scan(s, w.paths, w.n, OCR_NOW);
	if (r == 0)
		s->pictures_due = now;
	free_paths(w.paths, w.n);
	return r == -EAGAIN ? 0 : r;
}

/* --- the process --- */

/* What is scanned before the sensor sees every write may be written unseen. */
static int wait_ready(struct scanner *s)
{
	int64_t until = time_boottime() + READY_NS;
	json_t *request = json_pack("{s:s}", "do", "status");
	bool ready = false;

	while (!ready && !ended(s) && time_boottime() < until) {
		json_t *status = NULL;

		usleep(200000);
		if (query_ask(s->c->state, request, &status) == 0)
			ready = json_array_size(json_object_get(status, "watching")) >= s->c->n_paths;
		json_decref(status);
	}
	json_decref(request);
	return ready ? 0 : -ETIMEDOUT;
}

static int begin(struct scanner *s)
{
	struct account owner;
	const char *why = "";
	uint64_t size = 0;
	int r;

	setpriority(PRIO_PROCESS, 0, NICENESS);
	if (getrandom(s->key, sizeof(s->key), 0) != sizeof(s->key))
		return -EIO;
	s->pending = calloc(PENDING_MAX, sizeof(*s->pending));
	s->bucket = calloc(PENDING_MAX, sizeof(*s->bucket));
	if (!s->pending || !s->bucket)
		return -ENOMEM;
	r = walk_start(s->c->paths, s->c->n_paths, s->c->state, false, &s->walk);
	if (r < 0)
		return r;
	r = state_prepare(s->c->state, false, &owner, &why);
	if (r == 0)
		r = state_enter(&owner, s->c->state, &why);
	if (r < 0) {
		log_error("inventory: %s", why);
		return r;
	}
	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	prctl(PR_SET_PDEATHSIG, SIGCONT);
	r = wait_ready(s);
	if (r == 0)
		r = evidence_reader_open(s->c->state, &s->reader);
	if (r == 0)
		r = evidence_reader_refresh(s->reader, &size);
	/* What was written just before we start is not quiet yet when everything is scanned: it comes once more. */
	s->since = time_now() - BACK_NS;
	s->followed = size - MIN(size, (uint64_t)BACK_LEAVES);
	return r < 0 ? r : s->c->classifier(s->c->state, s->c->settings, &s->classifier);
}

static int loop(struct scanner *s)
{
	struct pollfd p = { .fd = s->c->control_fd, .events = POLLIN };
	int r = 0;

	s->all_due = time_boottime();
	while (r == 0 && !ended(s)) {
		int64_t now = time_boottime();

		r = follow(s);
		if (r == 0 && s->all_due && s->all_due <= now)
			r = scan_everything(s, now);
		else if (r == 0 && s->n)
			r = scan_due(s, now);
		if (r == 0 && !s->all_due && s->pictures_due <= now)
			r = scan_pictures(s, now);
		if (r == 0)
			poll(&p, 1, TURN_MS);
	}
	return r;
}

int scanner_run(const struct scanner_config *c)
{
	struct scanner s = { .c = c };
	int r;

	the_scanner = &s;
	r = begin(&s);
	if (r == 0)
		r = loop(&s);
	walk_end(s.walk);
	classifier_free(s.classifier);
	evidence_reader_close(s.reader);
	for (uint32_t i = 0; s.pending && i < s.unused; i++)
		free(s.pending[i].path);
	free(s.pending);
	free(s.bucket);
	buf_free(&s.scratch);
	return r < 0 && !ended(&s) ? 1 : 0;
}
