#include "cli/trace_found.h"

#include <errno.h>
#include <stdlib.h>

#include "base/array.h"
#include "base/log.h"
#include "base/timefmt.h"
#include "cli/cli.h"
#include "cli/trace_source.h"
#include "daemon/mask.h"
#include "detect/decoys.h"
#include "document/holders.h"

/* --- freeing --- */

static void document_free(struct found_document *d)
{
	buf_free(&d->path);
	buf_free(&d->type);
	buf_free(&d->others);
}

static void match_free(struct found_match *m)
{
	document_free(&m->document);
	for (size_t i = 0; i < m->n_alternatives; i++)
		document_free(&m->alternatives[i]);
	free(m->alternatives);
	person_list_free(&m->people);
}

void found_free(struct found *f)
{
	for (size_t i = 0; i < f->n; i++) {
		struct found_part *p = &f->parts[i];

		for (size_t k = 0; k < p->n; k++)
			match_free(&p->matches[k]);
		free(p->matches);
		trace_result_free(&p->result);
		text_free(&p->text);
		buf_free(&p->file);
		buf_free(&p->type);
		buf_free(&p->error);
		buf_free(&p->reason);
	}
	free(f->parts);
	*f = (struct found){ 0 };
}

/* --- reading a leak --- */

struct reading {
	struct found *f;
	const char *name;
	int error;
};

static int fill_part(struct found_part *p, const char *name, const struct extract_part *from)
{
	buf_puts(&p->file, str_c(name));
	if (from->name.n) {
		buf_puts(&p->file, STR("!/"));
		buf_puts(&p->file, from->name);
	}
	buf_puts(&p->type, from->type);
	buf_puts(&p->error, str_c(from->error));
	buf_puts(&p->reason, str_c(from->reason));
	p->bytes = from->bytes;
	p->has_sha256 = from->has_sha256;
	p->whole = from->name.n == 0;
	memcpy(p->sha256, from->sha256, sizeof(p->sha256));
	return buf_error(&p->file) || buf_error(&p->error) ? -ENOMEM : text_copy(&p->text, &from->text);
}

static int take_part(void *arg, const struct extract_part *part)
{
	struct reading *x = arg;
	struct found *f = x->f;
	int r;

	/* The document itself comes last, and always has room. */
	if (part->name.n && (f->n >= FOUND_PARTS_MAX || f->text_bytes + part->text.bytes.n > FOUND_TEXT_MAX)) {
		f->more++;
		return 0;
	}
	r = array_room(f->parts, f->cap, f->n + 1);
	if (r == 0) {
		f->parts[f->n] = (struct found_part){ 0 };
		f->text_bytes += part->text.bytes.n;
		r = fill_part(&f->parts[f->n++], x->name, part);
	}
	x->error = r;
	return r;
}

int found_read(struct extractor *x, int fd, const char *name, struct found *ret)
{
	const char *slash = strrchr(name, '/');
	struct found f = { .time = time_now() };
	struct reading reading = { .f = &f, .name = name };
	int r = extract_file(x, fd, str_c(strcmp(name, "-") == 0 ? "" : slash ? slash + 1 : name), take_part, &reading);

	r = r < 0 ? r : reading.error;
	if (r < 0) {
		log_error("%s: cannot be read: %s", name, strerror(-r));
		found_free(&f);
		return r;
	}
	/* People ask about the whole first. */
	if (f.n > 1 && f.parts[f.n - 1].whole) {
		struct found_part last = f.parts[f.n - 1];

		memmove(&f.parts[1], &f.parts[0], (f.n - 1) * sizeof(*f.parts));
		f.parts[0] = last;
	}
	*ret = f;
	return 0;
}

/* --- finding --- */

struct finder {
	struct finder_config c;
	struct documents *documents;
	struct evidence_reader *reader; /* names, where they are masked */
	struct holders *holders;
	struct sources sources;
	struct trace *trace;
	struct decoys *decoys;
	struct buf scratch;
};

/* An answer from an empty inventory would say that nothing is known. */
static int open_documents(struct finder *x)
{
	uint64_t n = 0;
	int r = documents_open(x->c.state, false, &x->documents);

	if (r == 0)
		r = documents_count(x->documents, &n);
	if (r == 0 && n == 0)
		r = -ENOENT;
	if (r == -ENOENT)
		log_error("no document is known here yet: `tyto scan PATH` takes inventory");
	else if (r < 0)
		log_error("%s%s", documents_why(), r == -EUCLEAN ? ": the next `tyto scan` makes it anew" : "");
	return r;
}

/* Which documents are decoys: the list is small, and its reader is not kept. */
static int open_decoys(struct finder *x)
{
	struct evidence_reader *r = NULL;
	uint64_t size;
	int e = evidence_reader_open(x->c.state, &r);

	if (e == 0)
		e = evidence_reader_refresh(r, &size);
	if (e == 0)
		e = decoys_load(x->c.state, r, size, &x->decoys);
	evidence_reader_close(r);
	if (e < 0)
		log_error("decoys: %s", evidence_why());
	return e;
}

int finder_open(const struct finder_config *c, struct finder **ret)
{
	struct finder *x = calloc(1, sizeof(*x));
	int r;

	if (!x)
		return -ENOMEM;
	x->c = *c;
	r = open_documents(x);
	if (r == 0 && c->mask && (r = evidence_reader_open(c->state, &x->reader)) < 0)
		log_error("%s", evidence_why());
	if (r == 0)
		r = open_decoys(x);
	if (r == 0 && (r = holders_open(c->state, x->documents, &x->holders)) < 0)
		log_error("%s", holders_why());
	x->sources = (struct sources){ .documents = x->documents, .holders = x->holders, .walk = c->walk };
	if (r == 0 && (r = trace_open(c->state, &(struct trace_options){ .open_source = source_open, .arg = &x->sources }, &x->trace)) < 0)
		log_error("%s", trace_why());
	if (r < 0) {
		finder_close(x);
		return r;
	}
	*ret = x;
	return 0;
}

struct finder *finder_close(struct finder *x)
{
	if (!x)
		return NULL;
	trace_close(x->trace);
	holders_close(x->holders);
	evidence_reader_close(x->reader);
	documents_close(x->documents);
	decoys_free(x->decoys);
	buf_free(&x->scratch);
	free(x);
	return NULL;
}

static void put_path(struct finder *x, struct buf *to, str path)
{
	if (!x->reader) {
		buf_puts(to, path);
		return;
	}
	buf_clear(&x->scratch);
	buf_puts(to, mask_path(evidence_reader_names(x->reader), path, &x->scratch));
}

struct place_list {
	struct finder *x;
	struct found_document *d;
	str main; /* named already */
};

static int take_place(void *arg, const struct place *p)
{
	struct place_list *l = arg;

	if (p->gone)
		return 0;
	l->d->places++;
	if (str_eq(p->path, l->main) || l->d->places > FOUND_PLACES + 1)
		return 0;
	put_path(l->x, &l->d->others, p->path);
	buf_putc(&l->d->others, '\0');
	return 0;
}

static int find_document(struct finder *x, const uint8_t hash[static 32], struct found_document *d)
{
	_cleanup_buf_ struct buf path = BUF_INIT, scratch = BUF_INIT;
	struct place_list l = { x, d, STR_NONE };
	struct facts facts;
	int r;

	memcpy(d->hash, hash, 32);
	d->decoy = decoys_document(x->decoys, hash) != NULL;
	r = holders_path(x->holders, hash, &path, &d->gone);
	if (r == 0)
		put_path(x, &d->path, buf_str(&path));
	d->gone |= r == -ENOENT;
	l.main = buf_str(&path);
	if (r == 0)
		r = documents_of_hash(x->documents, hash, take_place, &l);
	if (r >= 0 && documents_facts(x->documents, hash, &scratch, &facts) == 0) {
		d->label = facts.label;
		buf_puts(&d->type, facts.type);
	}
	return r == -ENOENT ? 0 : MIN(r, 0);
}

/* --- who had it --- */

struct asking {
	struct finder *x;
	struct found_match *m;
	bool list; /* else only counted */
	int error;
};

static int take_person(void *arg, const struct index_who *w)
{
	struct asking *a = arg;
	struct index_who shown = *w;
	bool had = (w->verbs & HOLDERS_HAD) != 0;

	if (!a->list) {
		a->m->had += had;
		return 0;
	}
	a->m->had_in_time += had;
	a->m->moved += !had;
	if (a->x->reader) {
		buf_clear(&a->x->scratch);
		if (w->person.n)
			shown.person = mask_person(evidence_reader_names(a->x->reader), w->person, &a->x->scratch);
		shown.person_basis = STR_NONE;
	}
	a->error = person_list_add(&a->m->people, &shown);
	return a->error;
}

/* Whoever had any of the versions that cannot be told apart. */
static int find_people(struct finder *x, struct found_match *m)
{
	size_t n = m->n_alternatives + 1;
	_cleanup_free_ uint8_t (*hashes)[32] = calloc(n, sizeof(*hashes));
	struct asking a = { .x = x, .m = m, .list = true };
	int r;

	if (!hashes)
		return -ENOMEM;
	memcpy(hashes[0], m->m->hash, 32);
	for (size_t i = 0; i < m->n_alternatives; i++)
		memcpy(hashes[i + 1], m->alternatives[i].hash, 32);
	m->asked = true;
	r = holders_each(x->holders, (const uint8_t (*)[32])hashes, n, x->c.since, x->c.until, take_person, &a);
	r = r < 0 ? r : a.error;
	person_list_done(&m->people);
	m->more_places = holders_more(x->holders);
	m->had = m->had_in_time;
	if (r < 0 || (!x->c.since && !x->c.until))
		return r;
	m->had = 0;
	a.list = false;
	return holders_each(x->holders, (const uint8_t (*)[32])hashes, n, 0, 0, take_person, &a);
}

static bool there(struct finder *x, const uint8_t hash[static 32])
{
	_cleanup_buf_ struct buf name = BUF_INIT;
	_cleanup_close_ int fd = source_open(&x->sources, hash, &name);

	return fd >= 0;
}

static int find_match(struct finder *x, const struct trace_match *m, struct found_match *ret)
{
	int r;

	ret->m = m;
	r = find_document(x, m->hash, &ret->document);
	/* Deleted or changed since the last scan: nobody could read it just now. What is known by its hash was not read yet. */
	ret->document.gone |= m->gone || (m->n_passages == 0 && !there(x, m->hash));
	ret->alternatives = calloc(m->n_alternatives + 1, sizeof(*ret->alternatives));
	if (!ret->alternatives)
		return -ENOMEM;
	for (size_t i = 0; r == 0 && i < m->n_alternatives; i++, ret->n_alternatives++)
		r = find_document(x, m->alternatives[i], &ret->alternatives[i]);
	if (r == 0 && m->verdict >= TRACE_SOURCE)
		r = find_people(x, ret);
	if (r < 0)
		log_error("who had it cannot be said: %s", r == -ENOMEM ? "no memory" : holders_why());
	return r;
}

static int find_part(struct finder *x, struct found_part *p)
{
	struct extract_part part = { .type = buf_str(&p->type), .bytes = p->bytes, .has_sha256 = p->has_sha256, .reason = "", .text = p->text };
	size_t n;
	int r;

	memcpy(part.sha256, p->sha256, sizeof(part.sha256));
	r = trace_part(x->trace, &part, &p->result);
	if (r < 0) {
		log_error("%.*s: %s", STR_ARG(buf_str(&p->file)), trace_why());
		return r;
	}
	n = x->c.limit ? MIN(p->result.n, x->c.limit) : p->result.n;
	p->result.more += p->result.n - n;
	p->matches = calloc(n + 1, sizeof(*p->matches));
	if (!p->matches)
		return -ENOMEM;
	for (; r == 0 && p->n < n; p->n++)
		r = find_match(x, &p->result.matches[p->n], &p->matches[p->n]);
	return r;
}

int finder_trace(struct finder *x, struct found *f)
{
	int r = documents_count(x->documents, &f->documents);

	if (r < 0)
		log_error("%s", documents_why());
	for (size_t i = 0; r == 0 && i < f->n; i++)
		r = find_part(x, &f->parts[i]);
	return r;
}

/* --- asked by those who show it --- */

const struct found_match *found_source(const struct found_part *p)
{
	return p->n && p->matches[0].m->verdict >= TRACE_SOURCE ? &p->matches[0] : NULL;
}

size_t found_sources(const struct found_part *p)
{
	size_t n = 0;

	for (size_t i = 0; i < p->n; i++)
		n += p->matches[i].m->verdict >= TRACE_SOURCE;
	return n;
}

uint32_t found_shared_by(const struct trace_match *m)
{
	uint32_t most = 0;

	for (size_t i = 0; i < m->n_passages; i++)
		most = MAX(most, m->passages[i].shared_by);
	return most;
}
