/* A table that follows the evidence log. */
#include "index/view.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

#include "index/index.h"

#define BATCH 65536 /* leaves a transaction */

int view_failed(const struct view *v, int r, struct why *why)
{
	return why_set(why, r, "%s: %s", v->kind->name, index_why());
}

/* --- opening --- */

static int open_db(struct view *v, struct why *why)
{
	static const char *const zeros[] = { "known" };
	uint64_t format;
	int r = db_open(v->dir, v->kind->file, v->write, v->write, &v->db);

	if (r == 0 && v->write)
		r = db_create(v->db, v->kind->schema, v->kind->format, zeros, ARRAY_SIZE(zeros));
	if (r == 0)
		r = db_meta_get(v->db, "format", &format);
	if (r == 0 && format != v->kind->format)
		return why_set(why, -EUCLEAN, "%s: another version", v->kind->name);
	if (r == 0)
		r = db_meta_get(v->db, "known", &v->known);
	return r < 0 ? view_failed(v, r, why) : 0;
}

static int remove_files(const struct view *v, struct why *why)
{
	static const char *const ends[] = { "", "-wal", "-shm" };
	_cleanup_close_ int fd = open(v->dir, O_PATH | O_DIRECTORY | O_CLOEXEC);

	for (size_t i = 0; i < ARRAY_SIZE(ends); i++) {
		char file[64];

		snprintf(file, sizeof(file), "%s%s", v->kind->file, ends[i]);
		if (unlinkat(fd, file, 0) < 0 && errno != ENOENT)
			return why_set(why, -errno, "%s/%s: %m", v->dir, file);
	}
	return 0;
}

int view_open(struct view *v, const struct view_kind *kind, const char *state, bool write, struct why *why)
{
	int r = 0;

	*v = (struct view){ .kind = kind, .write = write };
	if (asprintf(&v->dir, "%s/%s", state, kind->folder) < 0) {
		v->dir = NULL;
		return why_set(why, -ENOMEM, "no memory");
	}
	if (write && mkdir(v->dir, 0700) < 0 && errno != EEXIST)
		r = why_set(why, -errno, "%s: %m", v->dir);
	if (r == 0)
		r = open_db(v, why);
	if (r == -EUCLEAN && write) {
		db_close(&v->db);
		r = remove_files(v, why);
		if (r == 0)
			r = open_db(v, why);
	}
	if (r < 0)
		view_close(v);
	return r;
}

void view_close(struct view *v)
{
	db_close(&v->db);
	free(v->dir);
	v->dir = NULL;
}

/* --- following --- */

static int take_leaves(struct view *v, struct evidence_reader *r, uint64_t from, uint64_t to, void *arg, struct why *why)
{
	int e = 0;

	for (uint64_t seq = from; e == 0 && seq < to; seq++) {
		struct leaf l;
		str packed;

		e = evidence_read(r, seq, &packed);
		if (e < 0)
			return why_set(why, e, "%s", evidence_why());
		/* Most of a log is none of ours. */
		if (packed.n < 2 || (uint8_t)packed.p[1] >= 32 || !(v->kind->leaves & 1U << (uint8_t)packed.p[1]))
			continue;
		v->changes++;
		e = leaf_decode((const uint8_t *)packed.p, packed.n, &l);
		e = e < 0 ? why_set(why, -EUCLEAN, "record %llu: expected a leaf", (unsigned long long)seq) :
			v->kind->take(arg, evidence_reader_names(r), seq, &l);
	}
	return e;
}

static int advance_batch(struct view *v, struct evidence_reader *r, uint64_t to, void *arg, struct why *why)
{
	uint64_t known = 0;
	int e = db_exec(v->db, "BEGIN IMMEDIATE");

	if (e < 0)
		return view_failed(v, e, why);
	/* Another process may have followed the log since. */
	e = db_meta_get(v->db, "known", &known);
	if (e < 0)
		view_failed(v, e, why);
	v->changes += known != v->known;
	to = MAX(to, known);
	if (e == 0)
		e = take_leaves(v, r, known, to, arg, why);
	if (e == 0) {
		e = db_meta_put(v->db, "known", to);
		if (e == 0)
			e = db_exec(v->db, "COMMIT");
		if (e < 0)
			view_failed(v, e, why);
	}
	if (e < 0)
		db_exec(v->db, "ROLLBACK");
	else
		v->known = to;
	return e;
}

int view_advance(struct view *v, struct evidence_reader *r, uint64_t upto, void *arg, struct why *why)
{
	int e = 0;

	while (e == 0 && v->known < upto)
		e = advance_batch(v, r, MIN(upto, v->known + BATCH), arg, why);
	return e;
}
