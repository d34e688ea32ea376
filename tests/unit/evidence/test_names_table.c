/* The names table: the same answers as from all names, whatever happens to it. */
#include "../test.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

#include "base/varint.h"
#include "evidence/names_table.h"
#include "evidence/vfs.h"

struct place {
	char dir[64];
	int state, log;
};

static void begin(struct place *p)
{
	snprintf(p->dir, sizeof(p->dir), "/tmp/tyto-names-table.XXXXXX");
	assert_non_null(mkdtemp(p->dir));
	p->state = open(p->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_int_equal(mkdirat(p->state, "log", 0700), 0);
	p->log = openat(p->state, "log", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(p->log >= 0);
}

static void end(struct place *p)
{
	char cmd[128];

	close(p->log);
	close(p->state);
	snprintf(cmd, sizeof(cmd), "rm -rf '%s'", p->dir);
	assert_int_equal(system(cmd), 0);
}

/* The i-th value of all there are, and its kind: parents before children, programs before chains. */
static str value_of(uint64_t i, enum name_kind *ret_kind, char out[static 128])
{
	uint8_t *b = (uint8_t *)out;
	size_t n = 0;

	switch (i % 5) {
	case 0:
		*ret_kind = NAME_COMPONENT;
		n = uvar_put(b, i / 10);
		return (str){ out, n + (size_t)snprintf(out + n, 100, "part %llu", (unsigned long long)i) };
	case 1:
		*ret_kind = NAME_PROGRAM;
		return (str){ out, (size_t)snprintf(out, 100, "/usr/bin/%llu", (unsigned long long)i) };
	case 2:
		*ret_kind = NAME_CHAIN;
		n = uvar_put(b, 1);
		n += uvar_put(b + n, i / 5 + 1);
		return (str){ out, n };
	case 3:
		*ret_kind = NAME_OBJECT;
		n = uvar_put(b, 8);
		n += uvar_put(b + n, i);
		return (str){ out, n + uvar_put(b + n, 1) };
	default:
		*ret_kind = NAME_TEXT;
		return i == 4 ? (str){ out, 0 } : (str){ out, (size_t)snprintf(out, 100, "text %llu", (unsigned long long)i) };
	}
}

static void intern(struct names *n, uint64_t from, uint64_t to)
{
	for (uint64_t i = from; i < to; i++) {
		uint8_t commitment[32];
		enum name_kind kind;
		uint64_t number;
		char text[128];
		bool is_new;
		str v = value_of(i, &kind, text);

		assert_int_equal(names_intern(n, kind, v, &number, &is_new, commitment), 0);
		assert_true(is_new);
		assert_int_equal(number, i / 5 + 1);
	}
}

static void fill(const struct place *p, uint64_t from, uint64_t to)
{
	struct names *n = NULL;

	assert_int_equal(names_open(p->log, true, &n), 0);
	intern(n, from, to);
	assert_int_equal(names_sync(n), 0);
	names_free(n);
}

static void advance(const struct place *p, uint64_t step)
{
	struct names *n = NULL;

	assert_int_equal(names_open_beside(p->log, p->state, false, &n), 0);
	assert_int_equal(names_table_advance(p->state, n, step), 0);
	names_free(n);
}

static void check_parents(const struct names *n, uint64_t components)
{
	uint64_t c = 1, parents[300];

	for (size_t have; (have = names_parents(n, c, parents, ARRAY_SIZE(parents))); c += have)
		for (size_t i = 0; i < have; i++)
			assert_int_equal(parents[i], (c + i - 1) / 2);
	assert_int_equal(c, components + 1);
}

/* All `count` values by number and back, none that is not there. */
static void check_answers(const struct names *n, uint64_t count)
{
	for (uint64_t i = 0; i < count; i++) {
		enum name_kind kind;
		char text[128];
		str v = value_of(i, &kind, text), got;

		assert_int_equal(names_find(n, kind, v), i / 5 + 1);
		assert_int_equal(names_value(n, kind, i / 5 + 1, &got), 0);
		assert_true(str_eq(got, v));
		assert_int_equal(names_find(n, NAME_PERSON, v), 0);
	}
	check_parents(n, (count + 4) / 5);
	for (uint64_t i = count; i < count + 20; i++) {
		enum name_kind kind;
		char text[128];
		str v = value_of(i, &kind, text), got;

		assert_int_equal(names_find(n, kind, v), 0);
		assert_int_equal(names_value(n, kind, i / 5 + 1 + (i % 5 >= count % 5 && count % 5), &got), -ENOENT);
	}
	assert_int_equal(names_total(n), count);
	assert_int_equal(names_error(n), 0);
}

/* Answers right; returns whether the table had to be given up. */
static bool answers_right(const struct place *p, uint64_t count)
{
	struct names *n = NULL;
	bool said;

	(void)names_notice();
	assert_int_equal(names_open_beside(p->log, p->state, false, &n), 0);
	check_answers(n, count);
	said = names_notice() != NULL;
	names_free(n);
	return said;
}

static size_t runs(const struct place *p, char name[static RUN_NAME_MAX])
{
	int fd = openat(p->state, TABLE_DIR, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *e;
	uint64_t from, to;
	size_t n = 0;

	while (d && (e = readdir(d)))
		if (table_run_parse(e->d_name, &from, &to)) {
			snprintf(name, RUN_NAME_MAX, "%.45s", e->d_name);
			n++;
		}
	if (d)
		closedir(d);
	return n;
}

static bool marked(const struct place *p)
{
	return faccessat(p->state, TABLE_DIR "/" TABLE_DAMAGED, F_OK, 0) == 0;
}

static void test_same_answers(void **state)
{
	const uint64_t steps[] = { 1, 2, 700, 5000, 5100, 5200, 5300, 9000, 9001 };
	char name[RUN_NAME_MAX];
	struct place p;
	uint64_t have = 0;

	begin(&p);
	fill(&p, 0, 1);
	assert_false(answers_right(&p, 1)); /* no table, and nothing to say about it */
	for (size_t i = 0; i < ARRAY_SIZE(steps); i++) {
		if (steps[i] > 1)
			fill(&p, have, steps[i]);
		have = steps[i];
		assert_false(answers_right(&p, have)); /* what the table has not is read */
		advance(&p, 1);
		assert_false(answers_right(&p, have));
		assert_true(runs(&p, name) >= 1 && runs(&p, name) <= 8);
	}
	/* Not enough for a run of its own. */
	fill(&p, have, have + 10);
	advance(&p, 11);
	table_run_name(name, have, have + 10);
	assert_true(faccessat(p.state, name, F_OK, 0) < 0);
	assert_false(answers_right(&p, have + 10));
	/* Short runs go into one. */
	fill(&p, have + 10, 40000);
	advance(&p, 1);
	assert_int_equal(runs(&p, name), 1);
	assert_string_equal(name, "run-00000000000000000000-00000000000000040000");
	assert_false(answers_right(&p, 40000));
	end(&p);
}

/* A reader that stays: what comes later is seen, though the runs that it has open are replaced. */
static void test_refresh(void **state)
{
	struct names *n = NULL;
	struct place p;

	begin(&p);
	fill(&p, 0, 600);
	advance(&p, 1);
	assert_int_equal(names_open_beside(p.log, p.state, false, &n), 0);
	fill(&p, 600, 3000);
	advance(&p, 1);
	assert_int_equal(names_refresh(n), 0);
	check_answers(n, 3000);
	names_free(n);
	end(&p);
}

#define SMALL 60

static int run_file(const struct place *p, int flags)
{
	char name[RUN_NAME_MAX], path[80];

	assert_int_equal(runs(p, name), 1);
	snprintf(path, sizeof(path), TABLE_DIR "/%s", name);
	return openat(p->state, path, flags | O_CLOEXEC);
}

/* Every byte that says something, and one in 31 of the rest, changed: the answers stay right, and a rebuild puts it in order. */
static void test_changed_bytes(void **state)
{
	size_t said = 0, tried = 0;
	struct place p;
	struct stat st;
	int fd;

	begin(&p);
	fill(&p, 0, SMALL);
	advance(&p, 1);
	fd = run_file(&p, O_RDWR);
	assert_true(fd >= 0 && fstat(fd, &st) == 0);
	for (off_t at = 0; at < st.st_size; at++) {
		uint8_t before, after;

		assert_int_equal(read_exactly(fd, &before, 1, at), 0);
		if (before == 0 && at % 31)
			continue;
		after = before ^ (uint8_t)(1 << at % 8);
		assert_int_equal(pwrite(fd, &after, 1, at), 1);
		said += answers_right(&p, SMALL);
		tried++;
		assert_int_equal(pwrite(fd, &before, 1, at), 1);
		unlinkat(p.state, TABLE_DIR "/" TABLE_DAMAGED, 0);
	}
	/* Each block of this table is touched by the questions: each change is found. */
	assert_true(tried > 300);
	assert_int_equal(said, tried);
	close(fd);
	end(&p);
}

static void test_blocks_moved(void **state)
{
	uint8_t block[2][BLOCK_BYTES];
	struct place p;
	struct stat st;
	int fd;

	begin(&p);
	fill(&p, 0, SMALL);
	advance(&p, 1);
	fd = run_file(&p, O_RDWR);
	assert_true(fd >= 0 && fstat(fd, &st) == 0);
	for (int i = 0; i < 2; i++)
		assert_int_equal(read_exactly(fd, block[i], BLOCK_BYTES, (1 + i) * BLOCK_BYTES), 0);
	for (int i = 0; i < 2; i++)
		assert_int_equal(pwrite(fd, block[!i], BLOCK_BYTES, (1 + i) * BLOCK_BYTES), BLOCK_BYTES);
	assert_true(answers_right(&p, SMALL));
	close(fd);
	end(&p);
}

static void test_cut(void **state)
{
	struct place p;
	struct stat st;

	begin(&p);
	fill(&p, 0, SMALL);
	advance(&p, 1);
	for (int i = 0; i < 2; i++) {
		int fd = run_file(&p, O_RDWR);

		assert_true(fd >= 0 && fstat(fd, &st) == 0);
		close(fd);
		for (off_t to = st.st_size - 1; to >= 0; to -= to % BLOCK_BYTES ? to % BLOCK_BYTES : BLOCK_BYTES - 100) {
			fd = run_file(&p, O_RDWR);
			assert_int_equal(ftruncate(fd, to), 0);
			close(fd);
			assert_true(answers_right(&p, SMALL));
			assert_true(marked(&p));
			assert_true(answers_right(&p, SMALL)); /* said again while it stands */
			advance(&p, 1);
			assert_false(marked(&p));
			assert_false(answers_right(&p, SMALL));
		}
		fd = run_file(&p, O_RDWR);
		assert_true(fd >= 0 && ftruncate(fd, st.st_size + BLOCK_BYTES) == 0);
		close(fd);
		assert_true(answers_right(&p, SMALL));
		advance(&p, 1);
	}
	end(&p);
}

static void copy(const struct place *from, const struct place *to, const char *what)
{
	char cmd[256];

	snprintf(cmd, sizeof(cmd), "rm -rf '%s/%s' && cp -a '%s/%s' '%s/'", to->dir, what, from->dir, what, to->dir);
	assert_int_equal(system(cmd), 0);
}

static void test_foreign_and_stale(void **state)
{
	struct place a, b, c;

	begin(&a);
	begin(&b);
	begin(&c);
	fill(&a, 0, 500);
	fill(&b, 0, 500);
	advance(&a, 1);
	copy(&a, &b, TABLE_DIR);
	assert_true(answers_right(&b, 500)); /* of another log */
	advance(&b, 1);
	assert_false(answers_right(&b, 500));
	/* A backup of the log is put back under a table that has gone on; then the log goes on otherwise. */
	copy(&b, &c, "log");
	fill(&b, 500, 900);
	advance(&b, 1);
	copy(&b, &c, TABLE_DIR);
	close(c.log);
	c.log = openat(c.state, "log", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(answers_right(&c, 500)); /* ahead */
	copy(&b, &c, TABLE_DIR);
	fill(&c, 500, 1200);
	assert_true(answers_right(&c, 1200)); /* other salts stand there */
	advance(&c, 1);
	assert_false(answers_right(&c, 1200));
	end(&a);
	end(&b);
	end(&c);
}

/* A writer that looks into the table: no value gets a second number, also when the table is found damaged with names that wait to be written. */
static void test_writer(void **state)
{
	struct names *n = NULL;
	uint8_t commitment[32], byte = 0xff;
	char text[128];
	enum name_kind kind;
	uint64_t number;
	struct place p;
	struct stat st;
	bool is_new;
	str kept;
	int fd;

	begin(&p);
	fill(&p, 0, 3000);
	advance(&p, 1);
	for (int damage = 0; damage < 2; damage++) {
		uint64_t from = 3000 + 500 * (uint64_t)damage;

		assert_int_equal(names_open_beside(p.log, p.state, true, &n), 0);
		assert_int_equal(names_value(n, NAME_TEXT, 2, &kept), 0);
		intern(n, from, from + 200);
		if (damage) {
			/* Every block of it but the head. */
			fd = run_file(&p, O_RDWR);
			assert_true(fd >= 0 && fstat(fd, &st) == 0);
			for (off_t at = BLOCK_BYTES + 77; at < st.st_size; at += BLOCK_BYTES)
				assert_int_equal(pwrite(fd, &byte, 1, at), 1);
			close(fd);
		}
		intern(n, from + 200, from + 500);
		for (uint64_t i = 0; i < from + 500; i++) {
			str v = value_of(i, &kind, text);

			assert_int_equal(names_intern(n, kind, v, &number, &is_new, commitment), 0);
			assert_false(is_new);
			assert_int_equal(number, i / 5 + 1);
		}
		assert_str(kept, "text 9"); /* what was handed out before stays */
		assert_int_equal(names_sync(n), 0);
		names_free(n);
		assert_int_equal(names_open(p.log, false, &n), 0);
		check_answers(n, from + 500);
		names_free(n);
	}
	end(&p);
}

/* As an erasure leaves the entry. */
static void erase(const struct place *p, str value)
{
	uint8_t bytes[64 * 1024], salt[16] = { 0 }, out[NAMES_ENTRY_MAX];
	static const char zero[128];
	int fd = openat(p->log, "names-000000", O_RDWR | O_CLOEXEC);
	struct name_entry e;
	struct stat st;
	size_t at = NAMES_HEADER;

	assert_true(fd >= 0 && fstat(fd, &st) == 0 && st.st_size < (off_t)sizeof(bytes));
	assert_int_equal(read_exactly(fd, bytes, (size_t)st.st_size, 0), 0);
	for (; at < (size_t)st.st_size; at += e.bytes) {
		assert_int_equal(name_entry_parse(bytes + at, (size_t)st.st_size - at, &e), 0);
		if (str_eq(e.value, value))
			break;
	}
	assert_true(at < (size_t)st.st_size);
	assert_int_equal(name_entry_put(out, NAME_STATE_ERASED, e.kind, e.number, salt, (str){ zero, e.value.n }), e.bytes);
	assert_int_equal(pwrite(fd, out, e.bytes, (off_t)at), e.bytes);
	close(fd);
}

static void test_erased(void **state)
{
	char name[RUN_NAME_MAX];
	struct names *n = NULL;
	struct place p;
	str value;

	(void)names_notice();
	begin(&p);
	fill(&p, 0, 500);
	advance(&p, 1);
	erase(&p, STR("text 99"));
	for (int again = 0; again < 2; again++) {
		assert_int_equal(names_open_beside(p.log, p.state, false, &n), 0);
		assert_int_equal(names_value(n, NAME_TEXT, 99 / 5 + 1, &value), -ENODATA);
		assert_int_equal(names_find(n, NAME_TEXT, STR("text 99")), 0);
		assert_int_equal(names_find(n, NAME_TEXT, STR("text 104")), 104 / 5 + 1);
		assert_null(names_notice());
		names_free(n);
		/* What an erasure does with the table; its next builder leaves the name out. */
		assert_int_equal(names_table_remove(p.state), 0);
		assert_int_equal(runs(&p, name), 0);
		advance(&p, 1);
		assert_int_equal(runs(&p, name), 1);
	}
	/* Also the first of all, by which the log is known: never a wrong answer in between. */
	erase(&p, STR("/usr/bin/1"));
	assert_int_equal(names_open_beside(p.log, p.state, false, &n), 0);
	assert_int_equal(names_value(n, NAME_PROGRAM, 1, &value), -ENODATA);
	names_free(n);
	end(&p);
}

/* What a crash between a merge and the removals leaves. */
static void test_leftovers(void **state)
{
	char name[RUN_NAME_MAX], cmd[256];
	struct place p, old;

	begin(&p);
	begin(&old);
	fill(&p, 0, 500);
	advance(&p, 1);
	copy(&p, &old, TABLE_DIR);
	fill(&p, 500, 900);
	advance(&p, 1);
	assert_int_equal(runs(&p, name), 1);
	snprintf(cmd, sizeof(cmd), "cp -a %s/" TABLE_DIR "/run-* %s/" TABLE_DIR "/ && touch %s/" TABLE_DIR "/run.tmp", old.dir, p.dir, p.dir);
	assert_int_equal(system(cmd), 0);
	assert_int_equal(runs(&p, name), 2);
	assert_false(answers_right(&p, 900));
	fill(&p, 900, 910);
	advance(&p, 1);
	assert_int_equal(runs(&p, name), 2);
	assert_false(answers_right(&p, 910));
	table_run_name(name, 0, 500);
	assert_true(faccessat(p.state, name, F_OK, 0) < 0);
	end(&p);
	end(&old);
}

/* Damaged names behind a sound table: said where, never a wrong answer. */
static void test_names_damaged(void **state)
{
	struct names *n = NULL;
	uint8_t byte = 0xa5;
	struct place p;
	str value;
	int fd;

	begin(&p);
	fill(&p, 0, 500);
	advance(&p, 1);
	fd = openat(p.log, "names-000000", O_RDWR | O_CLOEXEC);
	assert_int_equal(pwrite(fd, &byte, 1, 5000), 1);
	close(fd);
	assert_int_equal(names_open_beside(p.log, p.state, false, &n), 0);
	for (uint64_t i = 1; i <= 100 && names_error(n) == 0; i++)
		for (unsigned k = 1; k < NAME_KIND_MAX_; k++)
			(void)names_value(n, k, i, &value);
	assert_int_equal(names_error(n), -EBADMSG);
	assert_non_null(strstr(names_damage(), "log/names-000000 byte "));
	assert_int_equal(names_value(n, NAME_TEXT, 90, &value), -EBADMSG);
	assert_int_equal(names_refresh(n), -EBADMSG);
	names_free(n);
	end(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_same_answers), cmocka_unit_test(test_refresh), cmocka_unit_test(test_changed_bytes),
		cmocka_unit_test(test_blocks_moved), cmocka_unit_test(test_cut), cmocka_unit_test(test_foreign_and_stale),
		cmocka_unit_test(test_writer), cmocka_unit_test(test_erased), cmocka_unit_test(test_leftovers),
		cmocka_unit_test(test_names_damaged),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
