/* Reading one document: opened by the walker, read by a worker, classified here, recorded with its parts. */
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <sys/xattr.h>

#include "base/array.h"
#include "base/hash.h"
#include "base/timefmt.h"
#include "document/inventory_private.h"
#include "sensor/object.h"

#define HASH_STEP (1u << 20)
#define OCR_DEADLINE_MS 120000
#define WHY_MAX 4096 /* bytes of reasons that the log holds */

struct part {
	char *name;    /* "" the document itself */
	struct facts f;
	char *text;    /* its strs */
	bool has_hash;
};

struct reading {
	struct inventory *inv;
	struct extractor *x;
	struct classify *cl;
	struct cover *cover;
	struct prints_made prints;
	struct sha256 *hash;
	char *step;
	struct part *part;
	size_t n, cap;
	struct buf why, path, acl;
	int error;     /* of a callback */
};

int reading_new(struct inventory *inv, struct reading **ret)
{
	struct extract_limits limits = inv->c->limits ? *inv->c->limits : extract_limits_default;
	struct reading *rd = calloc(1, sizeof(*rd));
	int r;

	if (!rd)
		return -ENOMEM;
	rd->inv = inv;
	if (inv->ocr == OCR_NOW)
		limits.deadline_ms = MAX(limits.deadline_ms, (uint32_t)OCR_DEADLINE_MS);
	r = extractor_new(&limits, inv->ocr, &rd->x);
	if (r == 0)
		r = classify_new(inv->c->classifier, &rd->cl);
	rd->cover = cover_new();
	rd->hash = sha256_new();
	rd->step = malloc(HASH_STEP);
	if (r == 0 && (!rd->cover || !rd->hash || !rd->step))
		r = -ENOMEM;
	if (r < 0) {
		reading_free(rd);
		return inventory_fail(r, "no reader can be made: %s", strerror(-r));
	}
	*ret = rd;
	return 0;
}

static void forget_parts(struct reading *rd)
{
	for (size_t i = 0; i < rd->n; i++) {
		free(rd->part[i].name);
		free(rd->part[i].text);
	}
	rd->n = 0;
	cover_clear(rd->cover);
}

struct reading *reading_free(struct reading *rd)
{
	if (!rd)
		return NULL;
	if (rd->cover)
		forget_parts(rd);
	cover_free(rd->cover);
	prints_made_free(&rd->prints);
	extractor_free(rd->x);
	classify_free(rd->cl);
	sha256_free(rd->hash);
	buf_free(&rd->why);
	buf_free(&rd->path);
	buf_free(&rd->acl);
	free(rd->step);
	free(rd->part);
	free(rd);
	return NULL;
}

/* --- parts as they come --- */

/* Whole reasons only. */
static str shorten(str why)
{
	const char *end;

	if (why.n <= WHY_MAX)
		return why;
	end = memrchr(why.p, '\n', WHY_MAX);
	return (str){ why.p, end ? (size_t)(end - why.p) : 0 };
}

/* Takes a copy of all that f points to. */
static int store_part(struct reading *rd, str name, struct facts *f, bool has_hash)
{
	str *const strs[] = { &f->type, &f->label_why, &f->error };
	struct part *p;
	size_t n = 1;
	char *at;

	if (array_room(rd->part, rd->cap, rd->n + 1) < 0)
		return -ENOMEM;
	p = &rd->part[rd->n];
	f->label_why = shorten(f->label_why);
	for (size_t i = 0; i < ARRAY_SIZE(strs); i++)
		n += strs[i]->n;
	*p = (struct part){ .name = strndup(name.p ? name.p : "", name.n), .text = at = malloc(n), .has_hash = has_hash };
	if (!p->name || !p->text) {
		free(p->name);
		free(p->text);
		return -ENOMEM;
	}
	rd->n++;
	for (size_t i = 0; i < ARRAY_SIZE(strs); i++) {
		if (strs[i]->n)
			memcpy(at, strs[i]->p, strs[i]->n);
		strs[i]->p = at;
		at += strs[i]->n;
	}
	p->f = *f;
	return 0;
}

/* What stands only in the stores beside the table. A content that was read already, from another place, has put the same. */
static int put_keys(struct reading *rd, const uint8_t hash[static 32], const struct contacts_result *c)
{
	struct inventory *inv = rd->inv;
	const char *why = prints_why();
	int r = 0;

	pthread_mutex_lock(&inv->lock);
	if (!inventory_recorded(inv, hash)) {
		r = documents_identifiers(inv->c->documents, hash, FACTS_VERSION, c->identifiers, c->n);
		if (r < 0)
			why = documents_why();
		else
			r = prints_put(inv->c->prints, hash, &rd->prints);
	}
	pthread_mutex_unlock(&inv->lock);
	return r < 0 ? inventory_fail(r, "%s", why) : 0;
}

static int on_part(void *arg, const struct extract_part *p)
{
	struct reading *rd = arg;
	struct facts f = { .bytes = p->bytes, .type = p->type, .error = str_c(p->error), .version = FACTS_VERSION };
	struct contacts_result c = { 0 };
	int r = classify_text(rd->cl, &p->text, &f, &c);

	f.wants_ocr = p->text.wants_ocr && rd->inv->ocr == OCR_LATER;
	if (p->has_sha256)
		memcpy(f.hash, p->sha256, sizeof(f.hash));
	if (r == 0)
		r = cover_part(rd->cover, p->name, &f, &c, &rd->why);
	if (r == 0)
		r = classify_container(rd->inv->c->classifier, c.persons, &f, &rd->why);
	if (r == 0 && p->has_sha256)
		r = prints_make_keys(&rd->prints, prints_key(rd->inv->c->prints), &p->text);
	if (r < 0)
		inventory_fail(r, "a document cannot be classified: %s", strerror(-r));
	if (r == 0 && p->has_sha256)
		r = put_keys(rd, p->sha256, &c);
	if (r == 0)
		r = store_part(rd, p->name, &f, p->has_sha256);
	rd->error = r;
	return r < 0;
}

/* --- the file --- */

static int hash_file(struct reading *rd, int fd, uint8_t ret[static 32])
{
	off_t at = 0;
	ssize_t n;

	sha256_init(rd->hash);
	while ((n = pread(fd, rd->step, HASH_STEP, at)) > 0) {
		sha256_update(rd->hash, rd->step, (size_t)n);
		at += n;
		if (rd->inv->c->stop && rd->inv->c->stop())
			return -EINTR;
	}
	if (n < 0)
		return -errno;
	sha256_final(rd->hash, ret);
	return 0;
}

static bool same_stat(const struct stat *a, const struct stat *b)
{
	return a->st_ino == b->st_ino && a->st_dev == b->st_dev && a->st_size == b->st_size &&
	       memcmp(&a->st_mtim, &b->st_mtim, sizeof(a->st_mtim)) == 0 &&
		memcmp(&a->st_ctim, &b->st_ctim, sizeof(a->st_ctim)) == 0;
}

/* What stands behind the descriptor now; the walk may have seen another. */
static void take_now(struct reading *rd, int fd, const struct stat *st, struct place *p)
{
	struct place seen = *p;
	char acl[4096];
	struct statfs s;
	ssize_t n;

	walk_take_stat(st, p);
	if (seen.changed == p->changed && seen.object.ino == st->st_ino)
		return;
	object_at(fd, "", AT_EMPTY_PATH, fstatfs(fd, &s) < 0 ? 0 : (long)s.f_type, st, &p->object);
	buf_clear(&rd->acl);
	n = fgetxattr(fd, "system.posix_acl_access", acl, sizeof(acl));
	p->acl = n > 0 && walk_acl_text((str){ acl, (size_t)n }, &rd->acl) == 0 ? buf_str(&rd->acl) : STR_NONE;
}

enum outcome { READ_DONE, READ_SAME, READ_CHANGED };

/* Parts into rd->part, the document itself last. */
static int read_content(struct reading *rd, const struct job *j, int fd, const struct place *p)
{
	const char *slash = memrchr(p->path.p, '/', p->path.n);
	size_t skip = slash ? (size_t)(slash + 1 - p->path.p) : 0;
	struct part *own;
	int r;

	forget_parts(rd);
	rd->error = 0;
	r = extract_file(rd->x, fd, (str){ p->path.p + skip, p->path.n - skip }, on_part, rd);
	if (r == -EOPNOTSUPP)
		return inventory_fail(r, "documents cannot be read safely on this machine: no sandbox can be had");
	if (r < 0 || rd->error < 0)
		return r < 0 ? inventory_fail(r, "no reader can be started: %s", strerror(-r)) : rd->error;
	own = rd->n ? &rd->part[rd->n - 1] : NULL;
	if (!own || *own->name)
		return inventory_fail(-EBADMSG, "a reader gave no document");
	own->f.bytes = p->bytes;
	/* Too large or too slow to be read whole; what it is, is known all the same, and is not asked again while it stands unchanged. */
	if (!own->has_hash) {
		static const struct contacts_result none;
		static const struct text no_text;

		r = hash_file(rd, fd, own->f.hash);
		own->has_hash = r == 0;
		if (r == 0)
			r = prints_make_keys(&rd->prints, prints_key(rd->inv->c->prints), &no_text);
		if (r == 0)
			return put_keys(rd, own->f.hash, &none);
		return r == -EINTR || r == -ENOMEM ? r : 0;
	}
	return 0;
}

static int read_once(struct reading *rd, const struct job *j, int fd, struct place *p, enum outcome *ret)
{
	uint8_t hash[32];
	struct stat before, after;
	int r = 0;

	if (fstat(fd, &before) < 0)
		return -errno;
	take_now(rd, fd, &before, p);
	*ret = READ_DONE;
	if (j->hash_first && hash_file(rd, fd, hash) == 0 && memcmp(hash, j->document, sizeof(hash)) == 0)
		*ret = READ_SAME;
	else
		r = read_content(rd, j, fd, p);
	if (r == 0 && (fstat(fd, &after) < 0 || !same_stat(&before, &after)))
		*ret = READ_CHANGED;
	return r;
}

/* --- recording: under the lock --- */

static int record_place(struct inventory *inv, const struct place *p)
{
	int r = inv->c->ops->place(inv->c->arg, p);

	return r < 0 ? r : seen_put(&inv->paths, seen_key(&inv->paths, p->path), SEEN_READ);
}

static int record_part(struct reading *rd, const struct place *container, struct part *p, bool show)
{
	struct inventory *inv = rd->inv;
	struct place place = { .time = container->time, .has_document = p->has_hash, .error = p->has_hash ? STR_NONE : p->f.error };
	int r = 0;

	buf_clear(&rd->path);
	buf_puts(&rd->path, container->path);
	buf_puts(&rd->path, STR("!/"));
	buf_puts(&rd->path, str_c(p->name));
	if (buf_error(&rd->path))
		return buf_error(&rd->path);
	place.path = buf_str(&rd->path);
	memcpy(place.document, p->f.hash, sizeof(place.document));
	if (p->has_hash)
		r = inventory_record(inv, container->path, &p->f);
	if (r == 0)
		r = record_place(inv, &place);
	inv->counts.parts += show;
	return r == 0 && show ? inv->c->ops->show(inv->c->arg, INVENTORY_PART, &place, &p->f) : r;
}

static int record_document(struct reading *rd, struct place *p, bool *ret_later)
{
	struct inventory *inv = rd->inv;
	struct part *own = &rd->part[rd->n - 1];
	bool later = own->f.wants_ocr && inv->c->ocr == OCR_NOW && inv->ocr == OCR_LATER;
	int r = 0;

	for (size_t i = 0; r == 0 && i + 1 < rd->n; i++)
		r = record_part(rd, p, &rd->part[i], !later);
	p->has_document = own->has_hash;
	memcpy(p->document, own->f.hash, sizeof(p->document));
	if (!own->has_hash)
		p->error = own->f.error.n ? own->f.error : STR("unreadable: it cannot be read to its end");
	if (r == 0 && own->has_hash)
		r = inventory_record(inv, p->path, &own->f);
	if (r == 0)
		r = record_place(inv, p);
	inv->counts.read += !later; /* its pictures are read last of all: once is enough */
	inv->counts.waiting_ocr += own->f.wants_ocr && !later;
	*ret_later = later;
	if (r == 0 && !later)
		r = inv->c->ops->show(inv->c->arg, p->error.n ? INVENTORY_FAILED : INVENTORY_READ, p, &own->f);
	inv->counts.failed += p->error.n > 0;
	return r;
}

static int record_same(struct reading *rd, const struct job *j, struct place *p)
{
	struct inventory *inv = rd->inv;
	struct facts f;
	int r;

	p->has_document = true;
	memcpy(p->document, j->document, sizeof(p->document));
	inv->counts.moved++;
	r = inv->c->ops->place(inv->c->arg, p);
	if (r == 0 && inventory_knows(inv, p->document, &f)) {
		inv->counts.waiting_ocr += f.wants_ocr;
		r = inventory_origin(inv, p->path, &f);
		if (r == 0)
			r = inv->c->ops->show(inv->c->arg, INVENTORY_MOVED, p, &f);
	}
	return r;
}

/* A place that cannot be read is recorded once, not with each scan. */
static int record_failed(struct reading *rd, struct place *p, const char *error, bool record)
{
	struct inventory *inv = rd->inv;
	struct place was;
	int r = 0;

	p->error = str_c(error);
	if (record && (documents_place(inv->c->documents, p->path, &inv->scratch, &was) < 0 || was.gone || !str_eq(was.error, p->error)))
		r = inv->c->ops->place(inv->c->arg, p);
	inv->counts.failed++;
	if (r == 0)
		r = seen_put(&inv->paths, seen_key(&inv->paths, p->path), record ? SEEN_READ : 0);
	if (r == 0)
		r = inv->c->ops->show(inv->c->arg, INVENTORY_FAILED, p, NULL);
	p->error = STR_NONE; /* it lives as long as this call */
	return r;
}

static int record(struct reading *rd, const struct job *j, struct place *p, enum outcome outcome, int error, bool *ret_later)
{
	char text[128];

	p->time = time_now();
	if (error == -ENOENT || error == -ELOOP || error == -ENOTDIR)
		return record_failed(rd, p, "vanished before it was read", false);
	if (error == -EINVAL)
		return record_failed(rd, p, "not read: it is no regular file any more", false);
	if (error < 0) {
		snprintf(text, sizeof(text), "unreadable: %s", strerror(-error));
		return record_failed(rd, p, text, true);
	}
	if (outcome == READ_CHANGED)
		return record_failed(rd, p, "unreadable: it changes while it is read", true);
	return outcome == READ_SAME ? record_same(rd, j, p) : record_document(rd, p, ret_later);
}

int reading_job(struct reading *rd, const struct job *j, bool *ret_later)
{
	struct inventory *inv = rd->inv;
	enum outcome outcome = READ_DONE;
	struct place p = j->place;
	int r = 0, error = 0;

	for (int tries = 0; tries < 2 && (tries == 0 || outcome == READ_CHANGED); tries++) {
		_cleanup_close_ int fd = -1;

		error = walk_open(inv->c->walk, p.path, &fd);
		if (error == -EPIPE || error == -EIO)
			return inventory_fail(error, "the process that opens documents has ended");
		if (error == 0)
			r = read_once(rd, j, fd, &p, &outcome);
		if (r < 0 || error < 0)
			break;
	}
	if (r < 0)
		return r;
	pthread_mutex_lock(&inv->lock);
	r = record(rd, j, &p, outcome, error, ret_later);
	if (inv->ocr == OCR_NOW) {
		inv->counts.pictures_done++;
	} else {
		inv->counts.files++;
		inv->counts.bytes += j->place.bytes;
	}
	if (r == 0)
		r = inv->c->ops->turn(inv->c->arg, &inv->counts);
	pthread_mutex_unlock(&inv->lock);
	return r;
}
