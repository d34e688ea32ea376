/* The store of fingerprints: opening, putting, asking. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

#include "base/hash.h"
#include "document/documents.h"
#include "document/prints_internal.h"
#include "evidence/vfs.h"

#define JOURNAL_MAX (128u << 10) /* postings: who opens the store reads it */
#define WAITING_MAX (8u << 20) /* bytes that one crash may cost, and one fsync covers */

_Static_assert(FINGERPRINT_KEY == IDENTIFIER_KEY, "one is made of the other");

static const char *const folders[PRINTS_KINDS] = { [PRINTS_TEXT] = "prints", [PRINTS_SCAN] = "prints8" };

_Thread_local struct why prints_last = { "no error" };

const char *prints_why(void)
{
	return prints_last.text;
}

static int said(int r, const char *what)
{
	return prints_fail(r, "%s: %s", what, postings_why());
}

/* --- opening --- */

/* Whoever has a fingerprint's key must not be able to tell identifiers, nor the other way round. */
static int derive_key(const char *state, uint8_t ret[static FINGERPRINT_KEY])
{
	uint8_t key[IDENTIFIER_KEY], sum[SHA256_LEN];
	str parts[] = { STR("tyto/fingerprint/1"), { (const char *)key, sizeof(key) } };
	_cleanup_sha256_ struct sha256 *h = sha256_new();
	int r = documents_key(state, key);

	if (r < 0)
		return prints_fail(r, "%s", documents_why());
	if (!h)
		return prints_fail(-ENOMEM, "no memory");
	sha256_parts(h, parts, ARRAY_SIZE(parts), sum);
	memcpy(ret, sum, FINGERPRINT_KEY);
	explicit_bzero(key, sizeof(key));
	explicit_bzero(sum, sizeof(sum));
	return 0;
}

static int path_of(const struct prints *p, const char *folder, struct buf *b)
{
	buf_clear(b);
	buf_putf(b, "%s/%s", p->dir, folder);
	return buf_cstr(b) ? 0 : prints_fail(-ENOMEM, "no memory");
}

/* Its name is durable before anything in it counts. */
static int make_folder(const struct prints *p, const char *folder)
{
	_cleanup_close_ int fd = open(p->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int r = fd < 0 ? -errno : vfs_mkdir(fd, folder);

	if (r == 0)
		r = vfs_fsync(fd);
	return r < 0 && r != -EEXIST ? prints_fail(r, "%s/%s: %s", p->dir, folder, strerror(-r)) : 0;
}

/* A reader finds nothing in what is not there, or is damaged. */
static int open_one(struct prints *p, const char *folder, struct postings **ret)
{
	const struct postings_options o = { .write = p->write, .background = true, .journal_max = JOURNAL_MAX };
	_cleanup_buf_ struct buf b = BUF_INIT;
	int r = p->write ? make_folder(p, folder) : 0;

	if (r == 0)
		r = path_of(p, folder, &b);
	if (r == 0)
		r = postings_open(b.p, &o, ret);
	if (r == 0 || (r == -ENOENT && !p->write))
		return 0;
	if (r == -EUCLEAN && !p->write) {
		p->lost = true;
		return 0;
	}
	return said(r, folder);
}

static int open_all(struct prints *p)
{
	int r = 0;

	for (unsigned k = 0; r == 0 && k < PRINTS_KINDS; k++)
		if (!p->kind[k])
			r = open_one(p, folders[k], &p->kind[k]);
	if (r == 0 && !p->pictures)
		r = open_one(p, "pictures", &p->pictures);
	return r == 0 && p->kind[PRINTS_TEXT] ? kin_follow(p->kin, p->kind[PRINTS_TEXT]) : r;
}

static void close_all(struct prints *p)
{
	for (unsigned k = 0; k < PRINTS_KINDS; k++)
		p->kind[k] = postings_close(p->kind[k]);
	p->pictures = postings_close(p->pictures);
}

/* One of them damaged: all begin anew, empty, so that prints_has() is false for every document, and the next scan makes them again. */
static int begin_anew(struct prints *p)
{
	_cleanup_buf_ struct buf b = BUF_INIT;
	int r = 0;

	close_all(p);
	p->lost = true;
	p->kin = kin_free(p->kin); /* of the old numbers */
	p->kin = kin_new();
	if (!p->kin)
		return prints_fail(-ENOMEM, "no memory");
	for (unsigned k = 0; r == 0 && k <= PRINTS_KINDS; k++) {
		r = path_of(p, k < PRINTS_KINDS ? folders[k] : "pictures", &b);
		if (r == 0)
			r = postings_reset(b.p);
	}
	return r == 0 ? open_all(p) : r;
}

/* dir is taken over. */
static int open_with(char *dir, const uint8_t *key, bool write, struct prints **ret)
{
	struct prints *p = calloc(1, sizeof(*p));
	int r;

	if (!p) {
		free(dir);
		return prints_fail(-ENOMEM, "no memory");
	}
	p->dir = dir;
	p->write = write;
	if (key)
		memcpy(p->key, key, sizeof(p->key));
	p->kin = kin_new();
	r = p->kin ? open_all(p) : prints_fail(-ENOMEM, "no memory");
	if (r == -EUCLEAN && write)
		r = begin_anew(p);
	if (r < 0) {
		prints_close(p);
		return r;
	}
	*ret = p;
	return 0;
}

int prints_open(const char *state, bool write, struct prints **ret)
{
	uint8_t key[FINGERPRINT_KEY] = { 0 };
	struct stat st;
	char *dir;
	int r = 0;

	if (asprintf(&dir, "%s/documents", state) < 0)
		return prints_fail(-ENOMEM, "no memory");
	/* A reader makes nothing, no key either. */
	if (write || stat(dir, &st) == 0)
		r = derive_key(state, key);
	if (r < 0)
		free(dir);
	else
		r = open_with(dir, key, write, ret);
	explicit_bzero(key, sizeof(key));
	return r;
}

int prints_open_at(const char *documents, struct prints **ret)
{
	char *dir = strdup(documents);

	return dir ? open_with(dir, NULL, false, ret) : prints_fail(-ENOMEM, "no memory");
}

struct prints *prints_close(struct prints *p)
{
	if (!p)
		return NULL;
	close_all(p);
	kin_free(p->kin);
	explicit_bzero(p->key, sizeof(p->key));
	free(p->scratch);
	free(p->dir);
	free(p);
	return NULL;
}

static int refresh_one(struct prints *p, struct postings **store, const char *folder)
{
	int r = *store ? postings_refresh(*store) : 0;

	if (r == -EUCLEAN) {
		*store = postings_close(*store);
		p->lost = true;
		return 0;
	}
	return r < 0 ? said(r, folder) : 0;
}

int prints_refresh(struct prints *p)
{
	int r = 0;

	if (p->write)
		return 0;
	for (unsigned k = 0; r == 0 && k < PRINTS_KINDS; k++)
		r = refresh_one(p, &p->kind[k], folders[k]);
	if (r == 0)
		r = refresh_one(p, &p->pictures, "pictures");
	return r == 0 ? open_all(p) : r; /* what was not there may have come */
}

bool prints_lost(const struct prints *p)
{
	return p->lost;
}

const uint8_t *prints_key(const struct prints *p)
{
	return p->key;
}

/* --- putting --- */

static int put_scan(struct prints *p, const uint8_t hash[static 32], const struct prints_made *m)
{
	struct postings *s = p->kind[PRINTS_SCAN];
	int r;

	if (m->n[PRINTS_SCAN] == 0 && postings_document(s, hash, NULL, NULL) < 0)
		return 0;
	r = postings_put_later(s, hash, PRINTS_VERSION, m->e[PRINTS_SCAN], m->n[PRINTS_SCAN], 0);
	return r < 0 ? said(r, folders[PRINTS_SCAN]) : 0;
}

/* The last one of the three: by it a document counts as taken in. */
static int put_text(struct prints *p, const uint8_t hash[static 32], const struct prints_made *m)
{
	struct postings *s = p->kind[PRINTS_TEXT];
	uint32_t kin[KIN_JOIN_MAX];
	int n = kin_find(p->kin, s, m->e[PRINTS_TEXT], m->n[PRINTS_TEXT], kin), r;

	if (n < 0)
		return n;
	r = postings_put_later(s, hash, PRINTS_VERSION, m->e[PRINTS_TEXT], m->n[PRINTS_TEXT], n ? kin[0] + 1 : 0);
	for (int i = 1; r == 0 && i < n; i++)
		r = postings_link_later(s, kin[0] + 1, kin[i] + 1);
	return r < 0 ? said(r, folders[PRINTS_TEXT]) : kin_follow(p->kin, s);
}

static int commit(struct prints *p)
{
	struct postings *const order[] = { p->kind[PRINTS_SCAN], p->pictures, p->kind[PRINTS_TEXT] };
	int r = 0;

	for (size_t i = 0; r == 0 && i < ARRAY_SIZE(order); i++)
		r = postings_commit(order[i]);
	return r < 0 ? said(r, "fingerprints") : 0;
}

/* Before the store of the text would do so by itself, the others must be durable. */
static int put(struct prints *p, const uint8_t hash[static 32], const struct prints_made *m)
{
	int r = 0;

	if (postings_waiting(p->kind[PRINTS_TEXT]) >= WAITING_MAX || postings_waiting(p->kind[PRINTS_SCAN]) >= WAITING_MAX)
		r = commit(p);
	if (r == 0)
		r = put_scan(p, hash, m);
	if (r == 0)
		r = pictures_put(p, hash, m->images, m->n_images);
	return r == 0 ? put_text(p, hash, m) : r;
}

int prints_put(struct prints *p, const uint8_t hash[static 32], const struct prints_made *m)
{
	int r;

	if (!p->write)
		return prints_fail(-EROFS, "opened for reading");
	r = put(p, hash, m);
	if (r == -EUCLEAN) {
		r = begin_anew(p);
		if (r == 0)
			r = put(p, hash, m);
	}
	return r;
}

int prints_commit(struct prints *p)
{
	int r = p->write ? commit(p) : prints_fail(-EROFS, "opened for reading");

	/* A merge found damage: what was put is gone with the rest, and prints_has() says so. */
	return r == -EUCLEAN ? begin_anew(p) : r;
}

int prints_remove(struct prints *p, const uint8_t hash[static 32])
{
	struct postings *const order[] = { p->kind[PRINTS_TEXT], p->kind[PRINTS_SCAN], p->pictures };
	int r = p->write ? 0 : prints_fail(-EROFS, "opened for reading");

	for (size_t i = 0; r == 0 && i < ARRAY_SIZE(order); i++) {
		r = postings_remove(order[i], hash);
		if (r < 0)
			said(r, "fingerprints");
	}
	if (r == -EUCLEAN)
		return begin_anew(p);
	return r == 0 ? kin_follow(p->kin, p->kind[PRINTS_TEXT]) : r;
}

/* --- asking --- */

bool prints_has(const struct prints *p, const uint8_t hash[static 32])
{
	uint32_t version;

	return p->kind[PRINTS_TEXT] && postings_document(p->kind[PRINTS_TEXT], hash, NULL, &version) == 0 && version == PRINTS_VERSION;
}

struct asking {
	prints_cb *cb;
	void *arg;
};

static int give(void *arg, const struct posting *e)
{
	const struct asking *a = arg;

	return a->cb(a->arg, e->key, e->doc);
}

int prints_find(struct prints *p, enum prints_kind kind, const uint64_t *keys, size_t n, prints_cb *cb, void *arg)
{
	struct asking a = { cb, arg };
	int r = p->kind[kind] ? postings_find(p->kind[kind], keys, n, give, &a) : 0;

	if (r == -EUCLEAN) {
		said(r, folders[kind]);
		p->lost = true;
		if (!p->write)
			p->kind[kind] = postings_close(p->kind[kind]);
	}
	return r;
}

const uint8_t *prints_hash(const struct prints *p, enum prints_kind kind, uint32_t doc)
{
	return p->kind[kind] ? postings_hash(p->kind[kind], doc) : NULL;
}

int prints_number(const struct prints *p, enum prints_kind kind, const uint8_t hash[static 32], uint32_t *ret_doc)
{
	return p->kind[kind] ? postings_document(p->kind[kind], hash, ret_doc, NULL) : -ENOENT;
}

uint32_t prints_count(const struct prints *p, enum prints_kind kind, uint32_t doc)
{
	return p->kind[kind] && doc < postings_documents(p->kind[kind]) ? postings_entry(p->kind[kind], doc).n : 0;
}

uint32_t prints_documents(const struct prints *p)
{
	return p->kind[PRINTS_TEXT] ? kin_tally(p->kin, p->kind[PRINTS_TEXT]).documents : 0;
}

uint32_t prints_kin(const struct prints *p, uint32_t doc)
{
	return kin_of(p->kin, doc);
}

uint32_t prints_kins(const struct prints *p)
{
	return p->kind[PRINTS_TEXT] ? kin_tally(p->kin, p->kind[PRINTS_TEXT]).kins : 0;
}

int prints_kindred(struct prints *p, uint32_t kin, int (*cb)(void *arg, uint32_t doc), void *arg)
{
	const struct postings *s = p->kind[PRINTS_TEXT];
	uint32_t doc = kin;
	int r = 0;

	if (!s || kin >= postings_documents(s))
		return 0;
	do {
		if (!postings_entry(s, doc).dead)
			r = cb(arg, doc);
		doc = kin_next(p->kin, doc);
	} while (r == 0 && doc != kin);
	return r;
}

void prints_stat(const struct prints *p, struct prints_stat *ret)
{
	struct prints_stat st = { .documents = prints_documents(p) };
	struct postings_stat s;

	for (unsigned k = 0; k < PRINTS_KINDS; k++) {
		if (!p->kind[k])
			continue;
		postings_stat(p->kind[k], &s);
		st.postings[k] = s.postings;
		st.disk[k] = s.disk;
	}
	if (p->pictures) {
		postings_stat(p->pictures, &s);
		st.pictures = s.postings;
		st.disk_pictures = s.disk;
	}
	*ret = st;
}
