/* The store of fingerprints: three stores that answer as one, kin, pictures, damage, crashes. Fingerprints are made up here; making them is another matter. */
#include "../evidence/crash_model.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <sys/stat.h>

#include "document/documents.h"
#include "document/prints.h"

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
	static char out[2][128];
	static unsigned turn;

	turn ^= 1;
	snprintf(out[turn], sizeof(out[turn]), "%s/%s", root, name);
	return out[turn];
}

static const char *new_state(const char *name)
{
	const char *dir = folder(name);

	assert_int_equal(mkdir(dir, 0700), 0);
	return dir;
}

static struct prints *open_store(const char *state, bool write)
{
	struct prints *p = NULL;

	if (prints_open(state, write, &p) != 0)
		fail_msg("%s: %s", state, prints_why());
	return p;
}

static void hash_of(uint32_t doc, uint8_t out[static 32])
{
	memset(out, 7, 32);
	memcpy(out, &doc, 4);
}

static uint32_t doc_of(const uint8_t *hash)
{
	uint32_t doc;

	assert_non_null(hash);
	memcpy(&doc, hash, 4);
	return doc;
}

/* --- made-up fingerprints --- */

#define MADE_MAX 4096

static struct posting made_e[PRINTS_KINDS][MADE_MAX];
static struct prints_made made;

static uint64_t key_of(uint32_t source, uint32_t i)
{
	uint64_t x = (uint64_t)source << 32 | i;

	x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9ULL;
	x = (x ^ x >> 27) * 0x94d049bb133111ebULL;
	return (x ^ x >> 31) & 0xffffffffffffULL;
}

static void begin(void)
{
	made = (struct prints_made){ .e = { made_e[0], made_e[1] } };
}

/* n fingerprints of a source's text from one on. */
static void add(uint32_t source, uint32_t from, uint32_t n)
{
	for (unsigned k = 0; k < PRINTS_KINDS; k++)
		for (uint32_t i = 0; i < n; i++) {
			assert_true(made.n[k] < MADE_MAX);
			made_e[k][made.n[k]++] = (struct posting){ .key = key_of(source, from + i) + k };
		}
}

static int by_key(const void *a, const void *b)
{
	const struct posting *x = a, *y = b;

	return x->key < y->key ? -1 : x->key > y->key;
}

static int try_put(struct prints *p, uint32_t doc)
{
	uint8_t hash[32];

	hash_of(doc, hash);
	for (unsigned k = 0; k < PRINTS_KINDS; k++)
		qsort(made.e[k], made.n[k], sizeof(*made.e[k]), by_key);
	return prints_put(p, hash, &made);
}

static void put(struct prints *p, uint32_t doc)
{
	if (try_put(p, doc) != 0)
		fail_msg("%u: %s", doc, prints_why());
}

static void put_text(struct prints *p, uint32_t doc, uint32_t source, uint32_t from, uint32_t n)
{
	begin();
	add(source, from, n);
	put(p, doc);
}

struct found {
	struct prints *p;
	enum prints_kind kind;
	uint32_t doc;
	uint64_t n;
};

static int count_of(void *arg, uint64_t key, uint32_t doc)
{
	struct found *f = arg;

	f->n += doc_of(prints_hash(f->p, f->kind, doc)) == f->doc;
	return 0;
}

/* How many of these fingerprints stand in doc. */
static uint64_t standing(struct prints *p, enum prints_kind kind, uint32_t doc, uint32_t source, uint32_t from, uint32_t n)
{
	struct found f = { p, kind, doc, 0 };
	uint64_t keys[MADE_MAX];

	begin();
	add(source, from, n);
	qsort(made.e[kind], n, sizeof(*made.e[kind]), by_key);
	for (uint32_t i = 0; i < n; i++)
		keys[i] = made.e[kind][i].key;
	if (prints_find(p, kind, keys, n, count_of, &f) != 0)
		fail_msg("%s", prints_why());
	return f.n;
}

static uint32_t number(struct prints *p, uint32_t doc)
{
	uint8_t hash[32];
	uint32_t n;

	hash_of(doc, hash);
	assert_int_equal(prints_number(p, PRINTS_TEXT, hash, &n), 0);
	return n;
}

static bool has(struct prints *p, uint32_t doc)
{
	uint8_t hash[32];

	hash_of(doc, hash);
	return prints_has(p, hash);
}

/* --- putting and asking --- */

static void check_three(struct prints *p)
{
	struct prints_stat st;

	assert_true(has(p, 1) && has(p, 2) && has(p, 3) && !has(p, 4));
	assert_int_equal(standing(p, PRINTS_TEXT, 1, 10, 0, 100), 100);
	assert_int_equal(standing(p, PRINTS_SCAN, 1, 10, 0, 100), 100);
	assert_int_equal(standing(p, PRINTS_TEXT, 2, 10, 0, 100), 20);
	assert_int_equal(standing(p, PRINTS_TEXT, 1, 30, 0, 100), 0);
	assert_int_equal(prints_count(p, PRINTS_TEXT, number(p, 2)), 90);
	assert_int_equal(prints_count(p, PRINTS_TEXT, number(p, 3)), 0);
	assert_int_equal(prints_documents(p), 2); /* the third has no text */
	prints_stat(p, &st);
	assert_true(st.documents == 2 && st.postings[PRINTS_TEXT] == 190 && st.postings[PRINTS_SCAN] == 190 && st.disk[PRINTS_TEXT] > 0);
}

static void put_three(struct prints *p)
{
	put_text(p, 1, 10, 0, 100);
	begin();
	add(10, 80, 20);
	add(20, 0, 70);
	put(p, 2);
	begin();
	put(p, 3);
}

static void put_and_ask(void **state)
{
	const char *dir = new_state("ask");
	struct prints *r = open_store(dir, false), *p;
	uint8_t key[FINGERPRINT_KEY], identifiers[IDENTIFIER_KEY];

	assert_false(has(r, 1));
	assert_int_equal(standing(r, PRINTS_TEXT, 1, 10, 0, 100), 0);
	p = open_store(dir, true);
	memcpy(key, prints_key(p), sizeof(key));
	assert_int_equal(documents_key(dir, identifiers), 0);
	assert_memory_not_equal(key, identifiers, sizeof(key));
	put_three(p);
	check_three(p);
	assert_int_equal(prints_refresh(r), 0);
	assert_false(has(r, 1)); /* not durable yet */
	assert_int_equal(prints_commit(p), 0);
	assert_int_equal(prints_refresh(r), 0);
	check_three(r);
	begin();
	assert_int_equal(try_put(r, 9), -EROFS);
	/* In place of what was there; and a document forgotten. */
	put_text(p, 1, 30, 0, 50);
	assert_int_equal(standing(p, PRINTS_TEXT, 1, 10, 0, 100), 0);
	assert_int_equal(standing(p, PRINTS_SCAN, 1, 30, 0, 50), 50);
	put_text(p, 1, 10, 0, 100);
	put_text(p, 5, 50, 0, 10);
	{
		uint8_t hash[32];

		hash_of(5, hash);
		assert_int_equal(prints_remove(p, hash), 0);
	}
	assert_false(has(p, 5));
	assert_int_equal(prints_commit(p), 0);
	prints_close(p);
	p = open_store(dir, true);
	assert_memory_equal(prints_key(p), key, sizeof(key));
	assert_false(prints_lost(p));
	assert_false(has(p, 5));
	assert_int_equal(standing(p, PRINTS_TEXT, 1, 10, 0, 100), 100);
	prints_close(p);
	prints_close(r);
	remove_tree(dir);
}

static int one_a_key(void *arg, uint64_t key, uint32_t doc)
{
	++*(unsigned *)arg;
	return POSTINGS_NEXT;
}

static void a_key_left_early(void **state)
{
	const char *dir = new_state("early");
	struct prints *p = open_store(dir, true);
	const uint64_t keys[] = { key_of(1, 0), key_of(1, 1) };
	const uint64_t sorted[] = { MIN(keys[0], keys[1]), MAX(keys[0], keys[1]) };
	unsigned n = 0;

	for (uint32_t d = 0; d < 40; d++)
		put_text(p, d, 1, 0, 2);
	assert_int_equal(prints_find(p, PRINTS_TEXT, sorted, 2, one_a_key, &n), 0);
	assert_int_equal(n, 2);
	prints_close(p);
	remove_tree(dir);
}

/* --- kin --- */

static int sum_docs(void *arg, uint32_t doc)
{
	*(uint64_t *)arg += 1 + 1000 * (uint64_t)doc;
	return 0;
}

static uint64_t members(struct prints *p, uint32_t doc)
{
	uint64_t sum = 0;

	assert_int_equal(prints_kindred(p, prints_kin(p, number(p, doc)), sum_docs, &sum), 0);
	return sum % 1000;
}

static bool kindred(struct prints *p, uint32_t a, uint32_t b)
{
	return prints_kin(p, number(p, a)) == prints_kin(p, number(p, b));
}

/* Documents 1, 2, 3 are versions; 4 has a fifth of them; 5 and 6 are far apart until 7 comes. */
static void put_versions(struct prints *p)
{
	put_text(p, 1, 1, 0, 400);
	put_text(p, 4, 1, 320, 400);
	put_text(p, 2, 1, 60, 400);
	begin();
	add(1, 100, 360);
	add(9, 0, 40);
	put(p, 3);
	put_text(p, 5, 2, 0, 300);
	put_text(p, 6, 2, 150, 300);
	assert_true(kindred(p, 5, 5) && !kindred(p, 5, 6));
	put_text(p, 7, 2, 75, 300);
}

static void check_versions(struct prints *p)
{
	assert_true(kindred(p, 1, 2) && kindred(p, 1, 3) && !kindred(p, 1, 4) && !kindred(p, 1, 5));
	assert_true(kindred(p, 5, 7) && kindred(p, 6, 7));
	assert_int_equal(prints_kin(p, number(p, 3)), number(p, 1)); /* the first one's number */
	assert_int_equal(prints_kin(p, number(p, 7)), number(p, 5));
	assert_int_equal(prints_kins(p), 3);
	assert_int_equal(members(p, 2), 3);
	assert_int_equal(members(p, 4), 1);
	assert_int_equal(members(p, 6), 3);
}

static void versions_are_kin(void **state)
{
	const char *dir = new_state("kin");
	struct prints *p = open_store(dir, true), *r;

	put_versions(p);
	check_versions(p);
	assert_int_equal(prints_commit(p), 0);
	r = open_store(dir, false);
	check_versions(r);
	prints_close(p);
	p = open_store(dir, true);
	check_versions(p);
	/* Put again it stays with its kin, and is one of it, not two. */
	put_text(p, 2, 1, 60, 400);
	assert_int_equal(members(p, 3), 3);
	assert_true(kindred(p, 1, 2));
	assert_int_equal(prints_kins(p), 3);
	/* A short quotation of a long text, and the other way round. */
	put_text(p, 20, 1, 0, 30);
	assert_false(kindred(p, 20, 1));
	begin();
	put(p, 21);
	begin();
	put(p, 22);
	assert_false(kindred(p, 21, 22)); /* nothing is like nothing */
	prints_close(r);
	prints_close(p);
	remove_tree(dir);
}

/* Letters of one template; and versions under a letterhead that hundreds of other documents have. */
static void template_and_letterhead(void **state)
{
	const char *dir = new_state("template");
	struct prints *p = open_store(dir, true);

	for (uint32_t d = 0; d < 600; d++) {
		begin();
		add(1, 0, 200);
		add(1000 + d, 0, 60);
		put(p, d);
	}
	assert_int_equal(prints_kins(p), 1); /* J = .625 */
	assert_int_equal(members(p, 599), 600);
	for (uint32_t d = 1000; d < 1300; d++) {
		begin();
		add(2, 0, 100);
		add(10000 + d, 0, 150);
		put(p, d);
	}
	assert_int_equal(prints_kins(p), 301);
	begin();
	add(2, 0, 100);
	add(10000 + 1250, 30, 150); /* a version of the 251st: 220 of 280 */
	put(p, 2000);
	assert_true(kindred(p, 2000, 1250));
	assert_int_equal(prints_kins(p), 301);
	prints_close(p);
	remove_tree(dir);
}

/* The estimate against the truth: far below the threshold none, far above all. */
static void estimate_is_near(void **state)
{
	const char *dir = new_state("estimate");
	struct prints *p = open_store(dir, true);
	unsigned joined[2] = { 0 };

	for (uint32_t i = 0; i < 200; i++) {
		const uint32_t away[] = { 214, 44 }; /* of 300: J = .17, .74 */

		for (unsigned k = 0; k < 2; k++) {
			put_text(p, 4 * i + 2 * k, 100 + 2 * i + k, 0, 300);
			put_text(p, 4 * i + 2 * k + 1, 100 + 2 * i + k, away[k], 300);
			joined[k] += kindred(p, 4 * i + 2 * k, 4 * i + 2 * k + 1);
		}
	}
	assert_int_equal(joined[0], 0);
	assert_int_equal(joined[1], 200);
	prints_close(p);
	remove_tree(dir);
}

/* --- pictures --- */

struct pictures_seen {
	unsigned n, same, bits;
	uint32_t last;
};

static int see(void *arg, const uint8_t hash[static 32], unsigned bits, bool same)
{
	struct pictures_seen *s = arg;

	s->n++;
	s->same += same;
	s->bits += bits;
	s->last = doc_of(hash);
	return 0;
}

static struct pictures_seen look(struct prints *p, const struct image *i, unsigned bits)
{
	struct pictures_seen s = { 0 };

	assert_int_equal(prints_pictures(p, i, bits, see, &s), 0);
	return s;
}

static void pictures(void **state)
{
	const char *dir = new_state("pictures");
	struct prints *p = open_store(dir, true), *r;
	struct image im[3] = { { .phash = 0x123456789abcdef0ULL, .has_phash = true, .sha256 = { 1 } }, { .phash = 0, .has_phash = false, .sha256 = { 2 } } };
	struct image near = im[0], plain = im[1];
	struct pictures_seen s;
	struct prints_stat st;

	im[2] = im[0];
	begin();
	made.images = im;
	made.n_images = 3;
	put(p, 1);
	begin();
	made.images = &near;
	made.n_images = 1;
	near.phash ^= 0x8000000000000401ULL;
	near.sha256[8] = 9;
	put(p, 2);
	assert_int_equal(prints_commit(p), 0);
	prints_stat(p, &st);
	assert_int_equal(st.pictures, 3); /* the same one twice in a document is one */
	r = open_store(dir, false);
	s = look(r, &im[0], 0);
	assert_true(s.n == 1 && s.same == 1 && s.last == 1);
	s = look(r, &im[0], 2);
	assert_int_equal(s.n, 1);
	s = look(r, &im[0], 3);
	assert_true(s.n == 2 && s.same == 1 && s.bits == 3);
	s = look(r, &near, 0);
	assert_true(s.n == 1 && s.same == 1 && s.last == 2);
	/* Other bytes, the same look. */
	near.sha256[8] = 10;
	s = look(r, &near, 0);
	assert_true(s.n == 1 && s.same == 0);
	/* By bytes alone. */
	s = look(r, &plain, 64);
	assert_true(s.n == 1 && s.same == 1 && s.last == 1);
	plain.sha256[0] = 3;
	s = look(r, &plain, 64);
	assert_int_equal(s.n, 0);
	/* What has none any more is not found. */
	begin();
	put(p, 2);
	assert_int_equal(prints_commit(p), 0);
	assert_int_equal(prints_refresh(r), 0);
	s = look(r, &im[0], 3);
	assert_int_equal(s.n, 1);
	prints_close(r);
	prints_close(p);
	remove_tree(dir);
}

/* --- damage --- */

static void cut(const char *state, const char *file)
{
	char path[256];

	snprintf(path, sizeof(path), "%s/documents/%s", state, file);
	if (truncate(path, 20) < 0)
		fail_msg("%s: %s", path, strerror(errno));
}

/* Whichever store it is: a writer begins anew with all and says so, a reader answers without. */
static void damage_is_said(void **state)
{
	static const char *const files[] = { "prints/manifest", "prints8/manifest", "pictures/manifest" };

	for (size_t f = 0; f < ARRAY_SIZE(files); f++) {
		const char *dir = new_state("damage");
		struct prints *p = open_store(dir, true), *r;

		put_three(p);
		assert_int_equal(prints_commit(p), 0);
		prints_close(p);
		cut(dir, files[f]);
		r = open_store(dir, false);
		assert_true(prints_lost(r));
		assert_int_equal(standing(r, PRINTS_TEXT, 1, 10, 0, 100), f == 0 ? 0 : 100);
		assert_int_equal(standing(r, PRINTS_SCAN, 1, 10, 0, 100), f == 1 ? 0 : 100);
		p = open_store(dir, true);
		assert_true(prints_lost(p));
		assert_false(has(p, 1));
		assert_int_equal(prints_kins(p), 0);
		assert_int_equal(standing(p, PRINTS_SCAN, 1, 10, 0, 100), 0);
		put_three(p);
		assert_int_equal(prints_commit(p), 0);
		prints_close(p);
		p = open_store(dir, true);
		assert_false(prints_lost(p));
		check_three(p);
		prints_close(p);
		prints_close(r);
		remove_tree(dir);
	}
}

/* A block that rots while we look: said by the call that meets it. */
static void rot_is_met(void **state)
{
	const char *dir = new_state("rot");
	struct prints *p = open_store(dir, true), *r;
	uint64_t keys[1] = { UINT64_MAX };
	unsigned n = 0;
	char path[256];
	int fd;

	for (uint32_t d = 0; d < 200; d++) /* more than a journal holds */
		put_text(p, d, d, 0, 4000);
	for (uint32_t i = 0; i < 4000; i++)
		keys[0] = MIN(keys[0], key_of(0, i));
	assert_int_equal(prints_commit(p), 0);
	r = open_store(dir, false);
	snprintf(path, sizeof(path), "%s/documents/prints/segment-2", dir);
	fd = open(path, O_RDWR | O_CLOEXEC);
	assert_true(fd >= 0);
	for (off_t at = 70; at < 200000; at += 128)
		assert_int_equal(pwrite(fd, "x", 1, at), 1);
	close(fd);
	assert_int_equal(prints_find(r, PRINTS_TEXT, keys, 1, one_a_key, &n), -EUCLEAN);
	assert_true(prints_lost(r));
	assert_int_equal(prints_find(r, PRINTS_TEXT, keys, 1, one_a_key, &n), 0);
	/* The writer looks for kin, meets it, and goes on with an empty store. */
	put_text(p, 0, 0, 0, 4000);
	assert_true(prints_lost(p));
	assert_true(has(p, 0) && !has(p, 1));
	assert_int_equal(prints_commit(p), 0);
	prints_close(r);
	prints_close(p);
	remove_tree(dir);
}

/* --- crashes --- */

#define CRASH_PUTS 24u

static void check_crash(const char *state, size_t k, enum crash_mode mode)
{
	uint64_t acknowledged, unused;
	struct prints *p = NULL;

	record_promised(k, &acknowledged, &unused);
	if (prints_open(state, true, &p) != 0)
		fail_msg("crash %zu (%s) mode %d: %s", k, record_describe(k), mode, prints_why());
	if (prints_lost(p))
		fail_msg("crash %zu (%s) mode %d: damaged: %s", k, record_describe(k), mode, postings_why());
	for (uint32_t d = 1; d <= CRASH_PUTS; d++) {
		const struct image i = { .phash = key_of(d, 7), .has_phash = true };

		if (d <= acknowledged && !has(p, d))
			fail_msg("crash %zu (%s) mode %d: document %u of %llu is lost", k, record_describe(k), mode, d, (unsigned long long)acknowledged);
		/* It is there whole or not at all. */
		if (!has(p, d))
			continue;
		assert_int_equal(standing(p, PRINTS_TEXT, d, d / 2, 0, 40), 40);
		assert_int_equal(standing(p, PRINTS_SCAN, d, d / 2, 0, 40), 40);
		assert_int_equal(look(p, &i, 0).n, 1);
		if (d % 2 && has(p, d - 1))
			assert_true(kindred(p, d, d - 1));
	}
	put_text(p, 1000, 1000, 0, 40);
	assert_int_equal(prints_commit(p), 0);
	prints_close(p);
}

static void crash_put(struct prints *p, uint32_t d)
{
	const struct image i = { .phash = key_of(d, 7), .has_phash = true };

	begin();
	add(d / 2, 0, 40);
	made.images = &i;
	made.n_images = 1;
	put(p, d);
}

static void put_key(const char *documents, const uint8_t key[static IDENTIFIER_KEY])
{
	char path[192];
	int fd;

	snprintf(path, sizeof(path), "%s/key", documents);
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	assert_true(fd >= 0 && write(fd, key, IDENTIFIER_KEY) == IDENTIFIER_KEY);
	close(fd);
}

static void crashes(void **state)
{
	char dir[128], copy[128], to[160], recorded[160];
	uint8_t key[IDENTIFIER_KEY];
	struct prints *p;
	unsigned runs = 0;

	snprintf(dir, sizeof(dir), "%s", new_state("crash"));
	snprintf(copy, sizeof(copy), "%s", folder("copy"));
	snprintf(to, sizeof(to), "%s/documents", copy);
	snprintf(recorded, sizeof(recorded), "%s/documents", dir);
	assert_int_equal(documents_key(dir, key), 0);
	record_begin(recorded);
	p = open_store(dir, true);
	for (uint32_t d = 1; d <= CRASH_PUTS; d++) {
		crash_put(p, d);
		if (d == 9) { /* a full disk: refused, kept, taken later */
			record_fail_writes(-ENOSPC);
			assert_int_equal(prints_commit(p), -ENOSPC);
			record_fail_writes(0);
		}
		if (d == 12) {
			prints_close(p); /* without a commit: 7 … 12 are lost */
			p = open_store(dir, true);
			for (uint32_t again = 7; again <= 12; again++)
				crash_put(p, again);
		}
		if (d % 3 == 0 && d != 9) {
			assert_int_equal(prints_commit(p), 0);
			record_promise(d, 0);
		}
	}
	prints_close(p);
	vfs_set(vfs_lazy());
	for (size_t k = 0; k <= record_count(); k++)
		for (enum crash_mode mode = 0; mode < CRASH_MODES; mode++) {
			assert_int_equal(mkdir(copy, 0700), 0);
			record_replay(k, mode, k, to);
			put_key(to, key); /* made whole by other means */
			check_crash(copy, k, mode);
			remove_tree(copy);
			runs++;
		}
	print_message("%zu operations, %u crashes\n", record_count(), runs);
	record_end();
	remove_tree(dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(put_and_ask), cmocka_unit_test(a_key_left_early), cmocka_unit_test(versions_are_kin), cmocka_unit_test(template_and_letterhead),
		cmocka_unit_test(estimate_is_near), cmocka_unit_test(pictures), cmocka_unit_test(damage_is_said), cmocka_unit_test(rot_is_met),
		cmocka_unit_test(crashes),
	};
	int r;

	/* Thousands of small files, again and again: memory, where there is any. */
	snprintf(root, sizeof(root), "%s/tyto-prints.XXXXXX", access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
	if (!mkdtemp(root))
		return 1;
	vfs_set(vfs_lazy()); /* what must be durable is the matter of crashes() */
	r = cmocka_run_group_tests(tests, NULL, NULL);
	rmdir(root);
	return r;
}
