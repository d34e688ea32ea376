/* The store of postings: opening, the manifest, putting, forgetting. */
#include "document/postings.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

#include "base/hash.h"
#include "document/postings_internal.h"
#include "evidence/vfs.h"

#define MAGIC "tytopst1"
#define JOURNAL_MAX (512u << 10)
#define MANIFEST_MAX (POSTINGS_MANIFEST_HEADER + 8 * POSTINGS_SEGMENTS_MAX)
#define LOAD_TRIES 20 /* a writer that merges at the same time */

_Thread_local struct why postings_last = { "no error" };

const char *postings_why(void)
{
	return postings_last.text;
}

int postings_io(struct postings *p, int r, const char *what)
{
	if (r == -EIO)
		p->broken = true;
	return postings_fail(r, "%s: %s", what, strerror(-r));
}

/* --- the manifest --- */

struct manifest {
	char magic[8];
	uint32_t crc, n_segments;
	uint64_t journal, next;
	uint32_t docs, zero;
	uint64_t segments[POSTINGS_SEGMENTS_MAX];
};
_Static_assert(offsetof(struct manifest, segments) == POSTINGS_MANIFEST_HEADER, "as on disk");

static size_t manifest_size(const struct manifest *m)
{
	return POSTINGS_MANIFEST_HEADER + 8 * (size_t)m->n_segments;
}

static int manifest_parse(str s, struct manifest *ret)
{
	if (s.n < POSTINGS_MANIFEST_HEADER || s.n > sizeof(*ret))
		return postings_fail(-EUCLEAN, "manifest: %zu bytes", s.n);
	memcpy(ret, s.p, s.n);
	if (memcmp(ret->magic, MAGIC, 8) != 0 || ret->n_segments > POSTINGS_SEGMENTS_MAX || manifest_size(ret) != s.n ||
	    crc32c(0, (uint8_t *)ret + 12, s.n - 12) != ret->crc)
		return postings_fail(-EUCLEAN, "manifest: damaged");
	return 0;
}

int manifest_write(struct postings *p)
{
	struct manifest m = { .magic = MAGIC, .n_segments = (uint32_t)p->n_segments, .journal = p->journal, .next = p->next,
		.docs = p->docs_saved };
	int r;

	for (size_t i = 0; i < p->n_segments; i++)
		m.segments[i] = p->segments[i].number;
	m.crc = crc32c(0, (uint8_t *)&m + 12, manifest_size(&m) - 12);
	r = vfs_replace(p->dir, "manifest", &m, manifest_size(&m), NULL);
	if (r < 0)
		return postings_io(p, r, "manifest");
	buf_clear(&p->manifest);
	buf_put(&p->manifest, &m, manifest_size(&m));
	return buf_error(&p->manifest);
}

/* --- opening --- */

static void unload(struct postings *p)
{
	for (size_t i = 0; i < p->n_segments; i++)
		segment_close(&p->segments[i]);
	p->n_segments = 0;
	if (p->journal_fd >= 0)
		close(p->journal_fd);
	p->journal_fd = -1;
	p->journal_size = 0;
	p->n_mem = 0;
	p->n_runs = 0;
	p->generation++;
	registry_clear(p);
}

/* A file with nothing in it, durable with the folder's next fsync. */
static int journal_begin(struct postings *p, uint64_t number, int *ret)
{
	char name[32];
	int fd;

	journal_name(number, name);
	fd = vfs_open(p->dir, name, O_RDWR | O_CREAT | O_TRUNC, 0600);
	if (fd < 0)
		return postings_io(p, fd, name);
	if (vfs_fsync(fd) < 0 || vfs_fsync(p->dir) < 0) {
		close(fd);
		return postings_io(p, -EIO, name);
	}
	*ret = fd;
	return 0;
}

static int create(struct postings *p)
{
	int r = registry_load(p, 0);

	p->next = 2;
	p->journal = 1;
	p->docs_saved = 0;
	if (r == 0)
		r = journal_begin(p, p->journal, &p->journal_fd);
	return r == 0 ? manifest_write(p) : r;
}

/* -ESTALE: the manifest names what is gone; a reader tries again. */
static int load_once(struct postings *p)
{
	struct manifest m;
	int r;

	unload(p);
	buf_clear(&p->manifest);
	r = read_file(p->dir, "manifest", MANIFEST_MAX, &p->manifest);
	if (r == -ENOENT && p->o.write)
		return create(p);
	if (r == -ENOENT) /* nothing was ever put */
		return registry_load(p, 0);
	if (r < 0)
		return postings_fail(r == -EFBIG || r == -EMSGSIZE ? -EUCLEAN : r, "manifest: %s", strerror(-r));
	r = manifest_parse(buf_str(&p->manifest), &m);
	if (r < 0)
		return r;
	p->journal = m.journal;
	p->next = m.next;
	p->docs_saved = m.docs;
	r = registry_load(p, m.docs);
	for (size_t i = 0; r == 0 && i < m.n_segments; i++) {
		r = segment_open(p->dir, m.segments[i], &p->segments[i]);
		if (r < 0)
			r = postings_fail(r == -ENOENT ? -ESTALE : r, "segment-%llu: %s", (unsigned long long)m.segments[i],
				r == -EUCLEAN ? "damaged" : strerror(-r));
		else
			p->n_segments++;
	}
	if (r == 0)
		r = journal_read(p);
	return r == -ENOENT ? postings_fail(-ESTALE, "journal-%llu: it is gone", (unsigned long long)m.journal) : r;
}

static int load(struct postings *p)
{
	int r = -ESTALE;

	for (int i = 0; r == -ESTALE && i < (p->o.write ? 1 : LOAD_TRIES); i++)
		r = load_once(p);
	return r == -ESTALE ? -EUCLEAN : r;
}

/* What a crash left behind. Only names of ours. */
static bool stray(const struct postings *p, const char *name)
{
	char known[32];

	if (strcmp(name, "manifest.tmp") == 0 || strcmp(name, "dead.tmp") == 0)
		return true;
	if (!str_starts(str_c(name), STR("segment-")) && !str_starts(str_c(name), STR("journal-")))
		return false;
	journal_name(p->journal, known);
	if (strcmp(name, known) == 0)
		return false;
	for (size_t i = 0; i < p->n_segments; i++) {
		segment_name(p->segments[i].number, known);
		if (strcmp(name, known) == 0)
			return false;
	}
	return true;
}

static int remove_strays(struct postings *p)
{
	int fd = openat(p->dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d = fd >= 0 ? fdopendir(fd) : NULL;
	struct dirent *e;
	bool sure = false;
	int r = 0;

	if (!d) {
		if (fd >= 0)
			close(fd);
		return postings_fail(-errno, "%m");
	}
	while (r == 0 && (e = readdir(d))) {
		if (!stray(p, e->d_name))
			continue;
		/* The manifest that was read may be one whose folder could not be fsynced: what an older one names goes only when this one is sure to
		 * stay. */
		if (!sure)
			r = manifest_write(p);
		sure = true;
		if (r == 0)
			(void)vfs_unlink(p->dir, e->d_name);
	}
	closedir(d);
	return r;
}

int postings_open(const char *dir, const struct postings_options *o, struct postings **ret)
{
	struct postings *p = calloc(1, sizeof(*p));
	int r = 0;

	if (!p)
		return postings_fail(-ENOMEM, "no memory");
	p->o = *o;
	if (!p->o.journal_max)
		p->o.journal_max = JOURNAL_MAX;
	p->dir = p->journal_fd = -1;
	if (o->write && mkdir(dir, 0700) < 0 && errno != EEXIST)
		r = postings_fail(-errno, "%s: %m", dir);
	if (r == 0) {
		p->dir = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		if (p->dir < 0)
			r = postings_fail(-errno, "%s: %m", dir);
	}
	if (r == 0)
		r = load(p);
	if (r == 0 && o->write)
		r = remove_strays(p);
	if (r < 0) {
		postings_close(p);
		return r;
	}
	p->inherited = p->journal_size > 0;
	p->waiting.max = POSTINGS_JOURNAL_BYTES_MAX / 2;
	*ret = p;
	return 0;
}

struct postings *postings_close(struct postings *p)
{
	if (!p)
		return NULL;
	merge_stop(p);
	unload(p);
	if (p->dir >= 0)
		close(p->dir);
	buf_free(&p->manifest);
	buf_free(&p->record);
	buf_free(&p->waiting);
	free(p->mem);
	free(p->scratch);
	free(p);
	return NULL;
}

int postings_refresh(struct postings *p)
{
	_cleanup_buf_ struct buf b = BUF_INIT;
	int r;

	if (p->o.write)
		return 0;
	r = read_file(p->dir, "manifest", MANIFEST_MAX, &b);
	if (r == -ENOENT)
		return 0;
	if (r == 0 && str_eq(buf_str(&b), buf_str(&p->manifest)))
		return journal_read(p);
	return load(p);
}

int postings_reset(const char *dir)
{
	_cleanup_close_ int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int copy = fd >= 0 ? dup(fd) : -1;
	DIR *d = copy >= 0 ? fdopendir(copy) : NULL;
	struct dirent *e;
	int r = 0;

	if (!d) {
		r = errno == ENOENT ? 0 : postings_fail(-errno, "%s: %m", dir);
		if (copy >= 0)
			close(copy);
		return r;
	}
	/* The manifest first: without it the rest is nothing. */
	if (unlinkat(fd, "manifest", 0) < 0 && errno != ENOENT)
		r = postings_fail(-errno, "%s/manifest: %m", dir);
	while (r == 0 && (e = readdir(d))) {
		str name = str_c(e->d_name);

		if ((str_starts(name, STR("segment-")) || str_starts(name, STR("journal-")) || str_eq(name, STR("docs")) ||
		    str_eq(name, STR("dead")) || str_eq(name, STR("dead.tmp")) || str_eq(name, STR("manifest.tmp"))) &&
		    unlinkat(fd, e->d_name, 0) < 0 && errno != ENOENT)
			r = postings_fail(-errno, "%s/%s: %m", dir, e->d_name);
	}
	closedir(d);
	return r;
}

/* --- putting --- */

/* What is in memory becomes a segment; without postings that count there is none. */
static int write_segment(struct postings *p, uint64_t number, struct segment *ret)
{
	struct segment_writer w;
	int r = segment_writer_begin(p->dir, number, &w);

	if (r < 0)
		return postings_io(p, r, "segment");
	mem_sort(p);
	for (size_t i = 0; r == 0 && i < p->n_mem; i++)
		if (!postings_dead(p->dead, p->n_docs, p->mem[i].doc))
			r = segment_writer_add(&w, &p->mem[i]);
	if (r == 0)
		r = segment_writer_end(&w);
	if (r < 0)
		r = postings_io(p, r, "segment");
	if (r == 0 && w.n)
		r = segment_open(p->dir, number, ret);
	segment_writer_drop(&w);
	return r;
}

static void drop_file(struct postings *p, void (*name_of)(uint64_t number, char out[static 32]), uint64_t number)
{
	char name[32];

	name_of(number, name);
	(void)vfs_unlink(p->dir, name);
}

static int flush(struct postings *p)
{
	uint64_t segment = p->next, journal = p->next + 1, old = p->journal;
	uint32_t saved = p->docs_saved;
	struct segment s = { 0 };
	int fd = -1, r;

	if (p->n_segments == POSTINGS_SEGMENTS_MAX)
		return postings_fail(-EBUSY, "%d segments wait to be merged", POSTINGS_SEGMENTS_MAX);
	r = write_segment(p, segment, &s);
	if (r == 0)
		r = registry_save(p);
	if (r == 0)
		r = journal_begin(p, journal, &fd);
	if (r == 0) {
		registry_save_dead(p);
		p->docs_saved = p->n_docs;
		p->next += 2;
		p->journal = journal;
		if (s.map)
			p->segments[p->n_segments++] = s;
		r = manifest_write(p);
		if (r < 0) {
			p->n_segments -= s.map != NULL;
			p->journal = old;
			p->docs_saved = saved;
		}
	}
	if (r < 0) {
		segment_close(&s);
		if (fd >= 0)
			close(fd);
		if (!p->broken) {
			drop_file(p, segment_name, segment);
			drop_file(p, journal_name, journal);
		}
		return r;
	}
	if (!s.map)
		drop_file(p, segment_name, segment);
	close(p->journal_fd);
	p->journal_fd = fd;
	p->journal_size = 0;
	p->n_mem = 0;
	p->n_runs = 0;
	p->inherited = false;
	buf_clear(&p->waiting);
	drop_file(p, journal_name, old);
	return 0;
}

static int writable(struct postings *p)
{
	if (!p->o.write)
		return postings_fail(-EROFS, "opened for reading");
	return p->broken ? postings_fail(-EIO, "an earlier write failed: opened again, it goes on from what is durable") : 0;
}

/* All is durable: on a full disk the journal goes on, and becomes a segment when there is room. */
static int tidy(struct postings *p)
{
	int r = 0;

	if (p->n_mem >= p->o.journal_max) {
		r = flush(p);
		if (r == 0)
			r = merge_step(p);
	} else if (p->job) {
		r = merge_step(p);
	}
	return p->broken || r == -EUCLEAN ? r : 0;
}

int postings_commit(struct postings *p)
{
	int r = writable(p);

	if (r == 0)
		r = journal_commit(p);
	return r == 0 ? tidy(p) : r;
}

static int put(struct postings *p, const struct doc_entry *d, const struct posting *e, bool later)
{
	int r = writable(p);

	if (r == 0 && d->n > POSTINGS_OF_DOCUMENT_MAX)
		return postings_fail(-EMSGSIZE, "%u postings of one document", d->n);
	if (r == 0 && p->inherited)
		r = flush(p);
	/* Records stand in the journal in the order of their numbers. */
	if (r == 0 && p->waiting.n && (!later || p->waiting.n >= POSTINGS_WAITING_MAX))
		r = postings_commit(p);
	if (r == 0)
		r = journal_append(p, d, e, later);
	return r == 0 && !later ? tidy(p) : r;
}

/* More than counts is refused by put(). */
static uint32_t clamp(size_t n)
{
	return (uint32_t)MIN(n, (size_t)POSTINGS_OF_DOCUMENT_MAX + 1);
}

int postings_put(struct postings *p, const uint8_t hash[static 32], uint32_t version, const struct posting *e, size_t n)
{
	struct doc_entry d = { .version = version, .n = clamp(n) };

	memcpy(d.hash, hash, sizeof(d.hash));
	return put(p, &d, e, false);
}

int postings_put_later(struct postings *p, const uint8_t hash[static 32], uint32_t version, const struct posting *e, size_t n,
		uint32_t note)
{
	struct doc_entry d = { .version = version, .n = clamp(n), .flags = note << POSTINGS_NOTE_SHIFT };

	if (note >= POSTINGS_NOTE_MAX)
		return postings_fail(-ERANGE, "a note of %u", note);
	memcpy(d.hash, hash, sizeof(d.hash));
	return put(p, &d, e, true);
}

int postings_link_later(struct postings *p, uint32_t a, uint32_t b)
{
	struct doc_entry d = { .version = a, .flags = b << POSTINGS_NOTE_SHIFT | POSTINGS_LINK };

	return MAX(a, b) >= POSTINGS_NOTE_MAX ? postings_fail(-ERANGE, "a note of %u", MAX(a, b)) : put(p, &d, NULL, true);
}

int postings_remove(struct postings *p, const uint8_t hash[static 32])
{
	struct doc_entry d = { .flags = POSTINGS_REMOVED };

	memcpy(d.hash, hash, sizeof(d.hash));
	return postings_document(p, hash, NULL, NULL) < 0 ? 0 : put(p, &d, NULL, false);
}

size_t postings_waiting(const struct postings *p)
{
	return p->waiting.n;
}

int postings_compact(struct postings *p)
{
	int r = writable(p);

	if (r == 0 && p->n_docs > p->docs_saved)
		r = flush(p);
	return r == 0 ? merge_all(p) : r;
}

void postings_stat(const struct postings *p, struct postings_stat *ret)
{
	*ret = (struct postings_stat){ .postings = p->n_mem, .segments = (uint32_t)p->n_segments,
		.disk = p->journal_size + (uint64_t)p->docs_saved * sizeof(struct doc_entry) + p->manifest.n };
	for (size_t i = 0; i < p->n_segments; i++) {
		ret->postings += p->segments[i].n;
		ret->disk += p->segments[i].size;
	}
	for (uint32_t i = 0; i < p->n_docs; i++)
		ret->documents += !postings_dead(p->dead, p->n_docs, i);
}
