/* The store of postings answers like a plain list of what was put: over segments, merges, removals, reopening, crashes; damage is noticed. */
#include "../evidence/crash_model.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <sys/stat.h>

#include "document/segment.h"

#define KEYS 97 /* few, so that they are shared */
#define DOCS 64

static char root[64];

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	return remove(path);
}

static void remove_tree(const char *path)
{
	assert_int_equal(nftw(path, remove_one, 16, FTW_DEPTH | FTW_PHYS), 0);
}

static const char *folder(const char *name)
{
	static char out[128];

	snprintf(out, sizeof(out), "%s/%s", root, name);
	return out;
}

static struct postings *open_store(const char *dir, bool write, uint32_t journal_max)
{
	struct postings *p = NULL;

	if (postings_open(dir, &(struct postings_options){ .write = write, .journal_max = journal_max }, &p) != 0)
		fail_msg("%s: %s", dir, postings_why());
	return p;
}

static void hash_of(uint32_t doc, uint8_t out[static 32])
{
	memset(out, 0, 32);
	memcpy(out, &doc, 4);
	out[31] = 1;
}

/* --- the plain list --- */

struct model {
	struct { bool there; uint32_t version; size_t n; struct posting e[40]; } docs[DOCS];
};

static uint64_t rng_state;

static uint32_t rnd(uint32_t below)
{
	rng_state = rng_state * 6364136223846793005ULL + 1442695040888963407ULL;
	return (uint32_t)(rng_state >> 33) % below;
}

static void put_random(struct postings *p, struct model *m, uint32_t doc)
{
	uint8_t hash[32];

	hash_of(doc, hash);
	m->docs[doc].there = true;
	m->docs[doc].version++;
	m->docs[doc].n = rnd(40);
	for (size_t i = 0; i < m->docs[doc].n; i++)
		m->docs[doc].e[i] = (struct posting){ .key = (uint64_t)rnd(KEYS) << (rnd(2) * 57), .aux = rnd(3) ? rnd(9) : UINT32_MAX };
	if (rnd(2))
		assert_int_equal(postings_put(p, hash, m->docs[doc].version, m->docs[doc].e, m->docs[doc].n), 0);
	else
		assert_int_equal(postings_put_later(p, hash, m->docs[doc].version, m->docs[doc].e, m->docs[doc].n, doc), 0);
}

struct sum {
	struct postings *p;
	uint64_t n, mixed;
	uint64_t last;
};

static uint64_t mix(uint64_t key, uint32_t doc, uint32_t aux)
{
	return (key + 0x9e3779b97f4a7c15ULL) * ((uint64_t)doc * 2 + 1) + aux * 0x2545f4914f6cdd1dULL;
}

static int add_up(void *arg, const struct posting *e)
{
	struct sum *s = arg;
	uint32_t doc;

	memcpy(&doc, postings_hash(s->p, e->doc), 4);
	s->n++;
	s->mixed += mix(e->key, doc, e->aux);
	assert_true(e->key >= s->last); /* key by key */
	s->last = e->key;
	return 0;
}

static int add_up_any(void *arg, const struct posting *e)
{
	struct sum *s = arg;

	s->last = 0;
	return add_up(arg, e);
}

static int by_value(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

static void same(struct postings *p, const struct model *m)
{
	struct sum found = { .p = p }, each = { .p = p }, want = { 0 };
	uint64_t keys[2 * KEYS];
	size_t n = 0;

	for (uint64_t k = 0; k < KEYS; k++) {
		keys[n++] = k;
		if (k)
			keys[n++] = k << 57;
	}
	qsort(keys, n, sizeof(keys[0]), by_value);
	/* Before any hash is looked up: a reader has no table of them then. */
	if (postings_find(p, keys, n, add_up, &found) != 0 || postings_each(p, add_up_any, &each) != 0)
		fail_msg("%s", postings_why());
	for (uint32_t d = 0; d < DOCS; d++) {
		uint32_t version = 0;
		uint8_t hash[32];

		hash_of(d, hash);
		if (!m->docs[d].there) {
			assert_int_equal(postings_document(p, hash, NULL, NULL), -ENOENT);
			continue;
		}
		assert_int_equal(postings_document(p, hash, NULL, &version), 0);
		assert_int_equal(version, m->docs[d].version);
		for (size_t i = 0; i < m->docs[d].n; i++) {
			want.n++;
			want.mixed += mix(m->docs[d].e[i].key, d, m->docs[d].e[i].aux);
		}
	}
	assert_true(found.n == want.n && found.mixed == want.mixed);
	assert_true(each.n == want.n && each.mixed == want.mixed);
}

static int keep_last(void *arg, const struct posting *e)
{
	*(uint32_t *)arg = e->doc;
	return 0;
}

/* Twice ten documents, every third put twice, others removed, the last ten in the journal; a few hashes asked, then all. */
static void check_few(const char *dir, uint32_t salt)
{
	struct postings *r = open_store(dir, false, 0);

	for (uint32_t round = 0; round < 2; round++)
		for (uint32_t d = 0; d < (round ? 20 : 3); d++) {
			uint32_t doc = UINT32_MAX, holder = UINT32_MAX;
			uint64_t key = 1000 * salt + d;
			uint8_t hash[32];

			hash_of(d, hash);
			assert_int_equal(postings_document(r, hash, &doc, NULL), d % 4 == 1 + salt ? -ENOENT : 0);
			assert_int_equal(postings_find(r, &key, 1, keep_last, &holder), 0);
			assert_int_equal(holder, d % 4 == 1 + salt ? UINT32_MAX : doc);
		}
	postings_close(r);
}

static void fill_few(const char *dir, uint32_t salt)
{
	struct postings *p = open_store(dir, true, 1000);

	for (uint32_t d = 0; d < 20; d++) {
		struct posting e = { .key = 1000 * salt + d };
		uint8_t hash[32];

		if (d == 10)
			assert_int_equal(postings_compact(p), 0);
		hash_of(d, hash);
		for (unsigned times = d % 3 ? 1 : 2; times > 0; times--)
			assert_int_equal(postings_put_later(p, hash, 1, &e, 1, 0), 0);
		if (d % 4 == 1 + salt)
			assert_int_equal(postings_remove(p, hash), 0);
	}
	assert_int_equal(postings_commit(p), 0);
	postings_close(p);
}

static size_t copy_file(const char *dir, const char *name, const char *to, bool back)
{
	static char bytes[4096];
	char path[256];
	size_t n = 0;
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	f = fopen(back ? to : path, "r");
	assert_non_null(f);
	n = fread(bytes, 1, sizeof(bytes), f);
	fclose(f);
	f = fopen(back ? path : to, "w");
	assert_non_null(f);
	assert_int_equal(fwrite(bytes, 1, n, f), n);
	fclose(f);
	return n;
}

/* With `dead`, without it, and with that of another registry of as many documents. */
static void without_a_table(void **state)
{
	const char *dir = folder("mapped");
	char name[256], other[256];

	snprintf(other, sizeof(other), "%s/other-dead", root);
	snprintf(name, sizeof(name), "%s/dead", dir);
	fill_few(dir, 1);
	check_few(dir, 1);
	assert_true(copy_file(dir, "dead", other, false) > 24);
	assert_int_equal(unlink(name), 0);
	check_few(dir, 1);
	assert_int_equal(postings_reset(dir), 0);
	fill_few(dir, 2);
	check_few(dir, 2);
	copy_file(dir, "dead", other, true);
	check_few(dir, 2);
	assert_int_equal(unlink(other), 0);
	remove_tree(dir);
}

static void like_a_list(void **state)
{
	const char *dir = folder("list");
	struct postings *p = open_store(dir, true, 300), *r;
	struct model m = { 0 };
	struct postings_stat st;
	uint8_t hash[32];

	rng_state = 7;
	r = open_store(dir, false, 0);
	for (unsigned step = 0; step < 3000; step++) {
		uint32_t doc = rnd(DOCS);

		if (rnd(5) == 0) {
			hash_of(doc, hash);
			assert_int_equal(postings_remove(p, hash), 0);
			m.docs[doc].there = false;
		} else {
			put_random(p, &m, doc);
		}
		if (step % 97 == 0) {
			same(p, &m);
			assert_int_equal(postings_commit(p), 0);
			assert_int_equal(postings_refresh(r), 0);
			same(r, &m);
		}
		if (step % 501 == 0) {
			assert_int_equal(postings_commit(p), 0);
			postings_close(p);
			p = open_store(dir, true, 300);
			same(p, &m);
		}
	}
	postings_stat(p, &st);
	assert_true(st.segments > 1 && st.segments < 24);
	assert_int_equal(postings_compact(p), 0);
	same(p, &m);
	postings_stat(p, &st);
	assert_int_equal(st.segments, 1);
	assert_true(st.postings < DOCS * 40); /* what was removed is gone */
	assert_int_equal(postings_refresh(r), 0);
	same(r, &m);
	assert_int_equal(postings_put(r, hash, 1, NULL, 0), -EROFS);
	postings_close(r);
	postings_close(p);
	remove_tree(dir);
}

static void empty_and_caps(void **state)
{
	const char *dir = folder("empty");
	struct postings *p = NULL;
	struct model m = { 0 };
	uint8_t hash[32] = { 0 };

	assert_int_equal(postings_open(dir, &(struct postings_options){ 0 }, &p), -ENOENT);
	p = open_store(dir, true, 0);
	same(p, &m);
	assert_int_equal(postings_put(p, hash, 1, (struct posting *)hash, POSTINGS_OF_DOCUMENT_MAX + 1), -EMSGSIZE);
	assert_int_equal(postings_compact(p), 0);
	postings_close(p);
	p = open_store(dir, false, 0);
	same(p, &m);
	postings_close(p);
	remove_tree(dir);
}

/* Merging on a thread: answers are the same while it runs and after. */
static void in_the_background(void **state)
{
	const char *dir = folder("background");
	struct postings *p = NULL;
	struct model m = { 0 };
	struct postings_stat st;

	rng_state = 3;
	assert_int_equal(postings_open(dir, &(struct postings_options){ .write = true, .background = true, .journal_max = 400 }, &p), 0);
	for (unsigned step = 0; step < 2000; step++) {
		put_random(p, &m, rnd(DOCS));
		if (step % 50 == 0)
			same(p, &m);
	}
	assert_int_equal(postings_commit(p), 0);
	same(p, &m);
	postings_stat(p, &st);
	assert_true(st.segments < 40);
	postings_close(p);
	p = open_store(dir, false, 0);
	same(p, &m);
	postings_close(p);
	remove_tree(dir);
}

/* Notes stay with their documents, links between them; what was put later is seen by readers when it is durable; a key may be left in the middle. */
static int next_at_once(void *arg, const struct posting *e)
{
	++*(uint64_t *)arg;
	return POSTINGS_NEXT;
}

static void check_notes(struct postings *p)
{
	const uint64_t keys[] = { 5, 7, 8 };
	struct postings_entry e = postings_entry(p, 0);
	uint64_t n = 0;

	assert_int_equal(postings_documents(p), 5);
	assert_true(e.version == 3 && e.n == 2 && e.note == 40 && !e.dead && !e.link && e.hash[31] == 1);
	e = postings_entry(p, 1);
	assert_true(e.note == POSTINGS_NOTE_MAX - 1 && !e.dead);
	e = postings_entry(p, 2);
	assert_true(e.version == 40 && e.note == 41 && e.dead && e.link);
	assert_int_equal(postings_find(p, keys, 3, next_at_once, &n), 0);
	assert_int_equal(n, 2);
}

static void notes_and_links(void **state)
{
	const char *dir = folder("notes");
	struct postings *p = open_store(dir, true, 0), *r = open_store(dir, false, 0);
	const struct posting e[] = { { 5, 0, 0 }, { 7, 0, 0 } };
	struct postings_stat st;
	uint64_t generation;
	uint8_t hash[32];

	hash_of(1, hash);
	assert_int_equal(postings_put_later(p, hash, 3, e, 2, POSTINGS_NOTE_MAX), -ERANGE);
	assert_int_equal(postings_put_later(p, hash, 3, e, 2, 40), 0);
	hash_of(2, hash);
	assert_int_equal(postings_put_later(p, hash, 3, e, 1, POSTINGS_NOTE_MAX - 1), 0);
	assert_int_equal(postings_link_later(p, 40, 41), 0);
	assert_int_equal(postings_link_later(p, 0, POSTINGS_NOTE_MAX - 1), 0);
	assert_int_equal(postings_refresh(r), 0);
	assert_int_equal(postings_documents(r), 0);
	assert_true(postings_waiting(p) > 0);
	hash_of(3, hash);
	assert_int_equal(postings_put(p, hash, 1, e, 2), 0); /* takes with it what waits */
	assert_int_equal(postings_waiting(p), 0);
	check_notes(p);
	assert_int_equal(postings_refresh(r), 0);
	check_notes(r);
	generation = postings_generation(r);
	assert_int_equal(postings_compact(p), 0);
	check_notes(p);
	assert_int_equal(postings_refresh(r), 0);
	check_notes(r);
	assert_true(postings_generation(r) != generation);
	postings_stat(p, &st);
	assert_int_equal(st.documents, 3);
	postings_close(r);
	postings_close(p);
	p = open_store(dir, true, 0);
	check_notes(p);
	postings_close(p);
	remove_tree(dir);
}

/* A full disk refuses a commit, and takes it later with nothing lost. */
static void commit_again(void **state)
{
	const char *dir = folder("again");
	struct postings *p;
	uint64_t keys[60], n = 0;

	assert_int_equal(mkdir(dir, 0700), 0);
	record_begin(dir);
	p = open_store(dir, true, 0);
	for (uint32_t doc = 1; doc <= 2; doc++) {
		struct posting e[30];
		uint8_t hash[32];

		for (uint32_t i = 0; i < 30; i++)
			e[i].key = keys[(doc - 1) * 30 + i] = doc << 8 | i;
		hash_of(doc, hash);
		assert_int_equal(postings_put_later(p, hash, 1, e, 30, 0), 0);
		record_fail_writes(-ENOSPC);
		assert_int_equal(postings_commit(p), -ENOSPC);
		record_fail_writes(0);
	}
	assert_int_equal(postings_commit(p), 0);
	assert_int_equal(postings_commit(p), 0);
	postings_close(p);
	vfs_set(vfs_lazy());
	record_end();
	p = open_store(dir, false, 0);
	assert_int_equal(postings_find(p, keys, 60, next_at_once, &n), 0);
	assert_int_equal(n, 60);
	postings_close(p);
	remove_tree(dir);
}

/* 48-bit keys in 20,000 documents: bytes a posting, and all of them found. */
static void small_and_found(void **state)
{
	enum { N = 400000 };
	const char *dir = folder("small");
	struct postings *p = open_store(dir, true, N + 1);
	_cleanup_free_ struct posting *e = calloc(N, sizeof(*e));
	_cleanup_free_ uint64_t *keys = calloc(N, sizeof(*keys));
	struct postings_stat st;
	struct sum found = { .p = p };

	rng_state = 11;
	assert_non_null(e);
	assert_non_null(keys);
	for (size_t i = 0; i < N; i++)
		e[i].key = keys[i] = (uint64_t)rnd(1 << 24) << 24 | rnd(1 << 24);
	for (uint32_t d = 0; d < 200; d++) {
		uint8_t hash[32];

		hash_of(d, hash);
		assert_int_equal(postings_put(p, hash, 1, e + d * (N / 200), N / 200), 0);
	}
	assert_int_equal(postings_compact(p), 0);
	postings_stat(p, &st);
	/* log2(2^48 / N) = 29.4, the longest of 128 gaps 2.3 more: 32 or 33 bits, and 8 of the document. */
	assert_true(st.postings == N && st.disk * 8 / N <= 45);
	qsort(keys, N, sizeof(*keys), by_value);
	assert_int_equal(postings_find(p, keys, N, add_up, &found), 0);
	assert_true(found.n >= N);
	postings_close(p);
	remove_tree(dir);
}

/* --- damage --- */

static void read_whole(const char *path, struct buf *b)
{
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct stat st;

	assert_true(fd >= 0 && fstat(fd, &st) == 0);
	buf_clear(b);
	assert_int_equal(buf_reserve(b, (size_t)st.st_size), 0);
	b->n = (size_t)st.st_size;
	assert_int_equal(read_exactly(fd, b->p, b->n, 0), 0);
}

static void write_whole(const char *path, const void *bytes, size_t n)
{
	_cleanup_close_ int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	assert_true(fd >= 0 && write(fd, bytes, n) == (ssize_t)n);
}

static int count(void *arg, const struct posting *e)
{
	++*(uint64_t *)arg;
	return 0;
}

/* 0 with all there, or damage said. */
static void intact_or_said(const char *dir, uint64_t want, const char *what, size_t at)
{
	struct postings *p = NULL;
	uint64_t n = 0;
	int r = postings_open(dir, &(struct postings_options){ 0 }, &p);

	if (r == 0)
		r = postings_each(p, count, &n);
	if (r != -EUCLEAN && (r != 0 || n != want))
		fail_msg("%s, byte %zu: %d, %llu postings of %llu", what, at, r, (unsigned long long)n, (unsigned long long)want);
	postings_close(p);
}

static void every_flip_is_noticed(void **state)
{
	char dir[128], segment[192];
	struct postings *p;
	struct posting e[150];
	uint8_t hash[32];
	static const char *const files[] = { "manifest", "docs", "segment-2" };

	snprintf(dir, sizeof(dir), "%s", folder("flip"));
	p = open_store(dir, true, 200);
	for (uint32_t d = 0; d < 2; d++) {
		for (uint32_t i = 0; i < 150; i++)
			e[i] = (struct posting){ .key = i * 1000003ULL + d, .aux = i };
		hash_of(d, hash);
		assert_int_equal(postings_put(p, hash, 1, e, 150), 0);
	}
	postings_close(p);
	intact_or_said(dir, 300, "nothing", 0);
	for (size_t f = 0; f < ARRAY_SIZE(files); f++) {
		_cleanup_buf_ struct buf b = BUF_INIT;
		char path[192];

		snprintf(path, sizeof(path), "%s/%s", dir, files[f]);
		read_whole(path, &b);
		for (size_t i = 0; i < b.n; i++) {
			b.p[i] ^= 0x10;
			write_whole(path, b.p, b.n);
			intact_or_said(dir, 300, files[f], i);
			b.p[i] ^= 0x10;
		}
		for (size_t n = 0; n < b.n; n += 7) {
			write_whole(path, b.p, n);
			intact_or_said(dir, 300, files[f], n);
		}
		write_whole(path, b.p, b.n);
	}
	/* A writer says it, too, and begins anew after a reset. */
	snprintf(segment, sizeof(segment), "%s/segment-2", dir);
	assert_int_equal(truncate(segment, 100), 0);
	assert_int_equal(postings_open(dir, &(struct postings_options){ .write = true }, &p), -EUCLEAN);
	assert_int_equal(postings_reset(dir), 0);
	p = open_store(dir, true, 0);
	assert_int_equal(postings_documents(p), 0);
	postings_close(p);
	remove_tree(dir);
}

/* A journal cut anywhere keeps what is whole; a hole before a whole record is damage. */
static void torn_journal(void **state)
{
	_cleanup_buf_ struct buf b = BUF_INIT;
	char dir[128], path[192];
	struct postings *p;
	struct posting e[20] = { 0 };
	size_t ends[4] = { 0 };
	uint8_t hash[32];

	snprintf(dir, sizeof(dir), "%s", folder("torn"));
	snprintf(path, sizeof(path), "%s/journal-1", dir);
	p = open_store(dir, true, 0);
	for (uint32_t d = 1; d < 4; d++) {
		struct stat st;

		for (uint32_t i = 0; i < 20; i++)
			e[i].key = d * 100 + i;
		hash_of(d, hash);
		assert_int_equal(postings_put(p, hash, 1, e, 20), 0);
		assert_int_equal(stat(path, &st), 0);
		ends[d] = (size_t)st.st_size;
	}
	postings_close(p);
	read_whole(path, &b);
	for (size_t n = 0; n <= b.n; n++) {
		uint32_t whole = n >= ends[3] ? 3 : n >= ends[2] ? 2 : n >= ends[1] ? 1 : 0;

		write_whole(path, b.p, n);
		p = open_store(dir, n % 2, 0);
		assert_int_equal(postings_documents(p), whole);
		postings_close(p);
	}
	for (size_t i = 0; i < ends[2]; i++) {
		b.p[i] ^= 4;
		write_whole(path, b.p, b.n);
		p = NULL;
		assert_int_equal(postings_open(dir, &(struct postings_options){ .write = true }, &p), -EUCLEAN);
		b.p[i] ^= 4;
	}
	remove_tree(dir);
}

/* --- crashes --- */

#define CRASH_PUTS 46u

static void crash_postings(uint32_t doc, struct posting e[static 30])
{
	for (uint32_t i = 0; i < 30; i++)
		e[i] = (struct posting){ .key = (uint64_t)doc << 8 | i, .aux = doc };
}

static void crash_put(struct postings *p, uint32_t doc, bool later)
{
	struct posting e[30];
	uint8_t hash[32];

	crash_postings(doc, e);
	hash_of(doc, hash);
	if ((later ? postings_put_later(p, hash, 1, e, 30, 0) : postings_put(p, hash, 1, e, 30)) != 0)
		fail_msg("put %u: %s", doc, postings_why());
}

static int one_of(void *arg, const struct posting *e)
{
	assert_int_equal(e->aux, e->key >> 8);
	++*(uint64_t *)arg;
	return 0;
}

static void check_crash(const char *dir, size_t k, enum crash_mode mode)
{
	uint64_t acknowledged, unused;
	struct postings *p = NULL;

	record_promised(k, &acknowledged, &unused);
	if (postings_open(dir, &(struct postings_options){ .write = true, .journal_max = 100 }, &p) != 0)
		fail_msg("crash %zu (%s) mode %d: %s", k, record_describe(k), mode, postings_why());
	for (unsigned again = 0; again < 2; again++) {
		for (uint32_t doc = 1; doc <= acknowledged; doc++) {
			struct posting e[30];
			uint64_t keys[30], n = 0;

			crash_postings(doc, e);
			for (size_t i = 0; i < 30; i++)
				keys[i] = e[i].key;
			if (postings_find(p, keys, 30, one_of, &n) != 0 || n != 30)
				fail_msg("crash %zu (%s) mode %d: document %u of %llu: %llu postings", k, record_describe(k), mode, doc,
					(unsigned long long)acknowledged, (unsigned long long)n);
		}
		for (uint32_t doc = 1000; !again && doc < 1008; doc++)
			crash_put(p, doc, false);
	}
	postings_close(p);
}

static void crashes_when(uint32_t gathered)
{
	char dir[128], copy[128];
	struct postings *p;
	unsigned runs = 0;

	snprintf(dir, sizeof(dir), "%s", folder("crash"));
	snprintf(copy, sizeof(copy), "%s", folder("copy"));
	assert_int_equal(mkdir(dir, 0700), 0);
	record_begin(dir);
	p = open_store(dir, true, 100);
	for (uint32_t doc = 1; doc <= CRASH_PUTS; doc++) {
		if (doc == 20) { /* a full disk: refused, and the next one is taken */
			uint8_t hash[32] = { 9 };

			record_fail_writes(-ENOSPC);
			assert_int_equal(gathered ? postings_commit(p) : postings_put(p, hash, 1, NULL, 0), -ENOSPC);
			record_fail_writes(0);
		}
		if (doc == 30) { /* a failed fsync is final until it is opened again */
			uint8_t hash[32] = { 9 };

			assert_int_equal(postings_commit(p), 0);
			record_fail_fsync();
			assert_int_equal(postings_put(p, hash, 1, NULL, 0), -EIO);
			assert_int_equal(postings_put(p, hash, 1, NULL, 0), -EIO);
			postings_close(p);
			p = open_store(dir, true, 100);
		}
		crash_put(p, doc, gathered && doc % gathered);
		if (!gathered || doc % gathered == 0) /* the last of them commits all */
			record_promise(doc, 0);
	}
	assert_int_equal(postings_commit(p), 0);
	record_promise(CRASH_PUTS, 0);
	assert_int_equal(postings_compact(p), 0);
	postings_close(p);
	vfs_set(vfs_lazy());
	for (size_t k = 0; k <= record_count(); k++)
		for (enum crash_mode mode = 0; mode < CRASH_MODES; mode++) {
			record_replay(k, mode, k, copy);
			check_crash(copy, k, mode);
			remove_tree(copy);
			runs++;
		}
	print_message("%zu operations, %u crashes\n", record_count(), runs);
	record_end();
	remove_tree(dir);
}

static void crashes(void **state)
{
	crashes_when(0);
}

static void crashes_gathered(void **state)
{
	crashes_when(4);
	crashes_when(7);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(like_a_list), cmocka_unit_test(without_a_table), cmocka_unit_test(empty_and_caps), cmocka_unit_test(in_the_background), cmocka_unit_test(small_and_found),
		cmocka_unit_test(every_flip_is_noticed), cmocka_unit_test(torn_journal), cmocka_unit_test(notes_and_links), cmocka_unit_test(commit_again),
		cmocka_unit_test(crashes), cmocka_unit_test(crashes_gathered),
	};
	int r;

	/* Thousands of small files, again and again: memory, where there is any. */
	snprintf(root, sizeof(root), "%s/tyto-postings.XXXXXX", access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
	if (!mkdtemp(root))
		return 1;
	vfs_set(vfs_lazy()); /* what must be durable is the matter of crashes() */
	r = cmocka_run_group_tests(tests, NULL, NULL);
	rmdir(root);
	return r;
}
