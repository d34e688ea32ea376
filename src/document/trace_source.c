/* A source read again: from the places where it has been seen, through the sandbox, and only if its bytes are the same. */
#include <errno.h>
#include <sys/stat.h>

#include "base/timefmt.h"
#include "document/trace_internal.h"

struct reading_again {
	const uint8_t *hash;
	struct source *s;
	bool found, wants_ocr;
	int error;
};

/* Members come before their container: whichever has the hash is what was asked for. */
static int on_part(void *arg, const struct extract_part *p)
{
	struct reading_again *a = arg;

	if (!p->has_sha256 || memcmp(p->sha256, a->hash, 32) != 0)
		return 0;
	a->found = true;
	a->wants_ocr = p->text.wants_ocr;
	for (size_t i = 0; i < p->text.n_spans && !a->s->ocr; i++)
		a->s->ocr = p->text.spans[i].zone == ZONE_OCR;
	a->error = prints_normalise(&a->s->p.text, &p->text, &a->s->p.aside);
	buf_clear(&a->s->bytes);
	a->s->bytes.max = TEXT_MAX;
	buf_puts(&a->s->bytes, buf_str(&p->text.bytes));
	if (a->error == 0)
		a->error = buf_error(&a->s->bytes);
	/* What else a container holds is not wanted. Ending it costs the worker, so that it is not done behind the last part. */
	return p->name.n > 0;
}

static int extractor_of(struct trace *t, enum ocr_mode ocr, struct extractor **ret)
{
	struct extractor **x = ocr == OCR_NOW ? &t->ocr : &t->extractor;
	int r = *x ? 0 : extractor_new(&t->limits, ocr, x);

	if (r < 0)
		return trace_fail(r, "no reader can be started: %s", strerror(-r));
	*ret = *x;
	return 0;
}

/* 1: it was found behind this descriptor. */
static int read_from(struct trace *t, int fd, str name, enum ocr_mode ocr, struct source *s, bool *ret_wants_ocr)
{
	struct reading_again a = { .hash = s->hash, .s = s };
	struct extractor *x = NULL;
	int r = extractor_of(t, ocr, &x);

	if (r == 0)
		r = extract_file(x, fd, name, on_part, &a);
	if (r < 0)
		return trace_fail(r, "no reader can be started: %s", strerror(-r));
	if (a.error < 0)
		return trace_fail(a.error, "no memory");
	*ret_wants_ocr = a.wants_ocr;
	return a.found;
}

/* Pictures are read only where the scan has read them, that is, where the store has text of a document that shows none. */
static int read_again(struct trace *t, int fd, str name, struct source *s)
{
	bool wants_ocr = false, again;
	uint32_t doc;
	int r = read_from(t, fd, name, OCR_LATER, s, &wants_ocr);

	if (r <= 0 || !wants_ocr || trace_late(t))
		return r;
	if (prints_number(t->prints, PRINTS_SCAN, s->hash, &doc) < 0 && prints_number(t->prints, PRINTS_TEXT, s->hash, &doc) < 0)
		return r;
	return read_from(t, fd, name, OCR_NOW, s, &again);
}

/* --- places --- */

struct placing {
	struct source *s;
	int error;
};

/* Places further back are not tried. */
static int add_place(struct placing *p, str path)
{
	struct source *s = p->s;

	for (size_t i = 0; i < s->n_paths; i++)
		if (str_eq(str_c(s->path[i]), path))
			return 0;
	if (s->n_paths == TRACE_PLACES)
		return 0;
	s->path[s->n_paths] = strndup(path.p, path.n);
	if (!s->path[s->n_paths]) {
		p->error = -ENOMEM;
		return 1;
	}
	s->n_paths++;
	return 0;
}

static int on_place(void *arg, const struct place *p)
{
	struct placing *all = arg;

	all->s->last = MAX(all->s->last, p->time);
	return add_place(all, p->path);
}

static int on_stood(void *arg, const struct stood *s)
{
	struct placing *all = arg;

	all->s->last = MAX(all->s->last, s->last);
	return add_place(all, s->path);
}

static int find_places(struct trace *t, struct source *s)
{
	struct placing p = { .s = s };
	int r = documents_of_hash(t->documents, s->hash, on_place, &p);

	if (r >= 0)
		r = documents_stood(t->documents, s->hash, on_stood, &p);
	if (r < 0)
		return trace_fail(r, "%s", documents_why());
	return p.error < 0 ? trace_fail(p.error, "no memory") : 0;
}

/* -ENOENT: nothing of use is there. */
static int open_regular(const char *path)
{
	int fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	struct stat st;

	if (fd < 0)
		return -ENOENT;
	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode)) {
		close(fd);
		return -ENOENT;
	}
	return fd;
}

/* The place itself, else the container before one of its "!/": a folder's name may end in '!', too. */
static int try_place(struct trace *t, char *path, struct source *s)
{
	char *cut = NULL;

	for (;;) {
		_cleanup_close_ int fd = open_regular(path);
		const char *slash = strrchr(path, '/');
		int r = fd < 0 ? 0 : read_again(t, fd, str_c(slash ? slash + 1 : path), s);

		if (cut)
			*cut = '!';
		if (r)
			return r;
		cut = strstr(cut ? cut + 2 : path, "!/");
		if (!cut)
			return 0;
		*cut = 0;
	}
}

static int read_somewhere(struct trace *t, struct source *s)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < s->n_paths && !trace_late(t); i++)
		r = try_place(t, s->path[i], s);
	return r;
}

static int read_by_caller(struct trace *t, struct source *s)
{
	_cleanup_buf_ struct buf name = BUF_INIT;
	_cleanup_close_ int fd = t->o.open_source(t->o.arg, s->hash, &name);

	return fd < 0 ? 0 : read_again(t, fd, buf_str(&name), s);
}

/* --- the cache --- */

static struct source *source_free(struct source *s)
{
	if (!s)
		return NULL;
	for (size_t i = 0; i < s->n_paths; i++)
		free(s->path[i]);
	prepared_free(&s->p);
	buf_free(&s->bytes);
	free(s);
	return NULL;
}

void trace_sources_forget(struct trace *t)
{
	for (size_t i = 0; i < t->n_sources; i++)
		source_free(t->sources[i]);
	free(t->sources);
	t->sources = NULL;
	t->n_sources = t->held = 0;
}

bool trace_late(const struct trace *t)
{
	return t->held > TRACE_CACHE_MAX || time_boottime() > t->until;
}

bool trace_public(struct trace *t, const uint8_t hash[static 32])
{
	_cleanup_buf_ struct buf scratch = BUF_INIT;
	struct facts f = { 0 };

	return documents_facts(t->documents, hash, &scratch, &f) == 0 && f.public_;
}

static int fill(struct trace *t, struct source *s)
{
	int r = find_places(t, s);

	s->public = trace_public(t, s->hash);
	if (r == 0 && !trace_late(t))
		r = t->o.open_source ? read_by_caller(t, s) : read_somewhere(t, s);
	if (r <= 0)
		return r;
	s->read = true;
	t->held += s->p.text.n * 8 + s->bytes.n;
	r = prepared_winnow(&s->p, prints_key(t->prints));
	return r < 0 ? trace_fail(r, "no memory") : 0;
}

int trace_source(struct trace *t, const uint8_t hash[static 32], struct source **ret)
{
	struct source *s, **more;
	int r;

	for (size_t i = 0; i < t->n_sources; i++)
		if (memcmp(t->sources[i]->hash, hash, 32) == 0) {
			*ret = t->sources[i];
			return 0;
		}
	s = calloc(1, sizeof(*s));
	more = s ? reallocarray(t->sources, t->n_sources + 1, sizeof(*more)) : NULL;
	if (more)
		t->sources = more;
	if (!s || !more) {
		free(s);
		return trace_fail(-ENOMEM, "no memory");
	}
	memcpy(s->hash, hash, 32);
	r = fill(t, s);
	if (r < 0) {
		source_free(s);
		return r;
	}
	t->sources[t->n_sources++] = s;
	*ret = s;
	return 0;
}
