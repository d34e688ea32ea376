/* The index is a view: whatever part of the log it holds, whatever happened to it, answers are those of the log alone. */
#include "../test.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "base/hash.h"
#include "index/index.h"
#include "index/internal.h"
#include "log.h"

#define LEAVES 3000
#define JAN_2026 1767225600LL

static char state[64], dir[80];
static uint64_t seed = 88172645463325252ULL;

static uint64_t rnd(uint64_t n)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return seed % n;
}

static void put(struct leaf *l, enum event_field f, uint64_t v)
{
	l->present |= EV_BIT(f);
	l->value[f] = v;
}

static uint64_t some_path(void)
{
	char path[64];
	uint64_t i = rnd(30);

	snprintf(path, sizeof(path), "/srv/d%u/f%u", (unsigned)(i % 4), (unsigned)i);
	return log_path(state, str_c(path));
}

static uint64_t some_object(uint64_t i)
{
	_cleanup_buf_ struct buf b = BUF_INIT;

	buf_put_uvar(&b, 8);
	buf_put_uvar(&b, 100 + i);
	buf_put_uvar(&b, 1);
	return log_name(state, NAME_OBJECT, buf_str(&b));
}

/* Renames, unknown persons, late events in old months, gaps, imports without object, decisions, documents. */
static void some_leaf(uint64_t seq)
{
	struct leaf l = { .kind = LEAF_EVENT };
	int64_t time = JAN_2026 + (int64_t)seq * 3600 - (rnd(10) == 0 ? (int64_t)rnd(120) * 86400 : 0);
	uint64_t verb = 1 + rnd(VERB_MAX_ - 1);
	char text[32];

	put(&l, EV_TIME, (uint64_t)(time * NSEC_PER_SEC + (int64_t)rnd(3)));
	put(&l, EV_VERB, verb);
	if (verb == VERB_GAP) {
		put(&l, EV_CAUSE, CAUSE_OVERFLOW);
		log_append(state, &l);
		return;
	}
	snprintf(text, sizeof(text), "person-%u", (unsigned)rnd(5));
	if (rnd(5))
		put(&l, EV_PERSON, log_name(state, NAME_PERSON, str_c(text)));
	snprintf(text, sizeof(text), "%u", 1000 + (unsigned)rnd(3));
	if (rnd(4))
		put(&l, EV_UID, log_name(state, NAME_ACCOUNT, str_c(text)));
	if (rnd(8))
		put(&l, EV_PATH, some_path());
	if (rnd(4))
		put(&l, EV_OBJECT, some_object(rnd(20)));
	if (rnd(2))
		put(&l, EV_VIA, 1 + rnd(VIA_MAX_ - 1));
	if (rnd(6) == 0)
		put(&l, EV_COUNT, 1 + rnd(9));
	if (seq && rnd(4) == 0)
		put(&l, EV_REFERS, seq - 1 - rnd(MIN(seq, (uint64_t)40)));
	if (verb == VERB_RENAME || verb == VERB_LINK || verb == VERB_COPY)
		put(&l, EV_TO, some_path());
	memset(text, (int)rnd(6), sizeof(text));
	if (rnd(6) == 0)
		put(&l, EV_DOCUMENT, log_name(state, NAME_DOCUMENT, (str){ text, 32 }));
	log_append(state, &l);
}

static int put_event(void *arg, const struct event *e)
{
	buf_putf(arg, "%llu %lld %.*s %.*s\n", (unsigned long long)e->seq, (long long)e->time, STR_ARG(e->person), STR_ARG(e->path));
	return 0;
}

static int put_who(void *arg, const struct index_who *w)
{
	buf_putf(arg, "%.*s|%.*s %lld %lld %llu %llx %llx\n", STR_ARG(w->person), STR_ARG(w->person_basis), (long long)w->first, (long long)w->last,
		(unsigned long long)w->count, (unsigned long long)w->verbs, (unsigned long long)w->vias);
	return 0;
}

static int put_path(void *arg, str path, int64_t first, int64_t last)
{
	buf_putf(arg, "%.*s %lld %lld\n", STR_ARG(path), (long long)first, (long long)last);
	return 0;
}

static void ask(struct buf *b)
{
	static const char *const globs[] = { "/srv/d1/f5", "/srv/d1", "/srv/**", "f1*", "/srv/d*/f2?", "/none", "f7" };
	str persons[] = { STR("person-1"), STR("uid:1001"), STR("person-3") };
	uint8_t document[32];
	struct event_object o = { 8, 103, 1 };
	const int64_t since = (JAN_2026 + 20 * 86400) * NSEC_PER_SEC, until = (JAN_2026 + 65 * 86400) * NSEC_PER_SEC;
	struct index_filter filters[] = {
		{ 0 }, { .reverse = true }, { .since = since, .until = until }, { .persons = persons, .n_persons = 1 },
		{ .persons = persons, .n_persons = 3, .since = since, .reverse = true }, { .verbs = 1 << VERB_READ | 1 << VERB_GAP },
		{ .document = document }, { .object = &o, .vias = 1 << VIA_SMB }, { .limit = 17 }, { .limit = 40, .reverse = true, .until = until },
		{ .below = 1600 }, { .below = 1600, .reverse = true, .limit = 1 }, { .below = 2000, .persons = persons, .n_persons = 2, .since = since },
	};
	struct index_subject subjects[] = { { .document = document }, { .object = &o }, { .object = &o, .since = since, .until = until } };

	memset(document, 3, sizeof(document));
	for (size_t i = 0; i < ARRAY_SIZE(filters); i++) {
		buf_putf(b, "filter %zu\n", i);
		assert_int_equal(index_events(state, &filters[i], put_event, b), 0);
	}
	for (size_t i = 0; i < ARRAY_SIZE(globs); i++) {
		struct index_filter f = { .path_glob = str_c(globs[i]) };
		struct index_subject s = { .path = str_c(globs[i]) };

		buf_putf(b, "glob %s\n", globs[i]);
		assert_int_equal(index_events(state, &f, put_event, b), 0);
		buf_putf(b, "who %d\n", index_who(state, &s, put_who, b));
		s.since = since;
		buf_putf(b, "who since %d\n", index_who(state, &s, put_who, b));
	}
	for (size_t i = 0; i < ARRAY_SIZE(subjects); i++)
		buf_putf(b, "subject %d\n", index_who(state, &subjects[i], put_who, b));
	buf_putf(b, "paths %d\n", index_paths(state, &o, put_path, b));
	assert_int_equal(buf_error(b), 0);
}

static void assert_same(const struct buf *want, const char *when)
{
	_cleanup_buf_ struct buf got = BUF_INIT;

	ask(&got);
	if (!str_eq(buf_str(&got), buf_str(want))) {
		size_t i = 0;

		while (i < got.n && i < want->n && got.p[i] == want->p[i])
			i++;
		i = i > 300 ? i - 300 : 0;
		fail_msg("%s: other answers, got …%.*s\nexpected …%.*s", when, (int)MIN(got.n - i, (size_t)600), got.p + i, (int)MIN(want->n - i, (size_t)600), want->p + i);
	}
}

static void advance_to(uint64_t upto)
{
	struct evidence_reader *r;
	struct index *x;

	assert_int_equal(evidence_reader_open(state, &r), 0);
	if (index_open(state, &x) < 0)
		fail_msg("index_open: %s", index_why());
	if (index_advance(x, r, upto, 0) < 0)
		fail_msg("index_advance: %s", index_why());
	assert_int_equal(index_indexed(x), upto);
	index_close(x);
	evidence_reader_close(r);
}

static struct buf want; /* answers of the log alone */

static int setup(void **unused)
{
	snprintf(state, sizeof(state), "/tmp/tyto-test-index-XXXXXX");
	if (!mkdtemp(state))
		return -1;
	snprintf(dir, sizeof(dir), "%s/index", state);
	index_busy_min = 3; /* most subjects have sums, and what comes late is added to them or makes them anew */
	index_busy_few = 40;
	index_rest_ns = 20 * 1000 * 1000;
	log_begin(state);
	for (uint64_t i = 0; i < LEAVES; i++)
		some_leaf(i);
	ask(&want);
	return 0;
}

static int teardown(void **unused)
{
	char cmd[128];

	buf_free(&want);
	log_end();
	snprintf(cmd, sizeof(cmd), "rm -rf '%s'", state);
	return system(cmd) == 0 ? 0 : -1;
}

/* What one who stays is told, of a tail that it has seen before. */
static void ask_again(struct index_query *q)
{
	str person = STR("person-1");
	const struct index_filter filters[] = { { 0 }, { .persons = &person, .n_persons = 1 }, { .persons = &person, .n_persons = 1, .below = 1600, .reverse = true },
		{ .since = (JAN_2026 + 30 * 86400) * NSEC_PER_SEC } };

	for (size_t i = 0; i < ARRAY_SIZE(filters); i++) {
		_cleanup_buf_ struct buf fresh = BUF_INIT, again = BUF_INIT;

		assert_int_equal(index_events(state, &filters[i], put_event, &fresh), 0);
		assert_int_equal(index_query_events(q, &filters[i], put_event, &again), 0);
		assert_true(fresh.n > 1000 && str_eq(buf_str(&fresh), buf_str(&again)));
	}
}

static void same_answers_whatever_is_indexed(void **unused)
{
	static const uint64_t steps[] = { 0, 1, 2, 700, 701, 1500, 2999, LEAVES };
	struct index_query *q;
	struct index_stat st;

	assert_true(want.n > 100000);
	assert_int_equal(index_query_open(state, &q), 0);
	for (size_t i = 0; i < ARRAY_SIZE(steps); i++) {
		char when[32];

		advance_to(steps[i]);
		snprintf(when, sizeof(when), "indexed %u", (unsigned)steps[i]);
		assert_same(&want, when);
		assert_int_equal(index_stat(state, &st), 0);
		assert_int_equal(st.indexed, steps[i]);
		ask_again(q);
	}
	assert_true(st.disk > 0);
	/* The index is built anew beside it: the tail begins earlier than it did. */
	for (int i = 0; i < 2; i++) {
		char cmd[128];

		snprintf(cmd, sizeof(cmd), "rm -rf '%s'", dir);
		assert_int_equal(system(cmd), 0);
		if (i)
			advance_to(900);
		ask_again(q);
	}
	index_query_close(q);
}

/* dir/GENERATION */
static void current_folder(char out[static 160])
{
	char name[INDEX_FOLDER_LEN + 1] = "";
	int fd;

	snprintf(out, 160, "%s/" INDEX_CURRENT, dir);
	fd = open(out, O_RDONLY);
	assert_true(fd >= 0);
	assert_int_equal(read(fd, name, INDEX_FOLDER_LEN), INDEX_FOLDER_LEN);
	close(fd);
	snprintf(out, 160, "%s/%s", dir, name);
}

static void damage(const char *file, unsigned how)
{
	char path[160];
	struct stat st;
	int fd;

	current_folder(path);
	snprintf(path + strlen(path), sizeof(path) - strlen(path), "/%s", file);
	fd = open(path, O_RDWR);
	if (fd < 0 || fstat(fd, &st) < 0)
		fail_msg("%s: %m", path);
	if (how == 0) {
		assert_int_equal(unlink(path), 0);
	} else if (how == 1) {
		assert_int_equal(ftruncate(fd, (off_t)rnd((uint64_t)st.st_size)), 0);
	} else {
		for (int i = 0; i < 40; i++) {
			off_t at = (off_t)rnd((uint64_t)st.st_size);
			uint8_t c;

			assert_int_equal(pread(fd, &c, 1, at), 1);
			c ^= (uint8_t)(1 + rnd(255));
			assert_int_equal(pwrite(fd, &c, 1, at), 1);
		}
	}
	close(fd);
}

/* Sums there are, in every month but the newest, and right ones: the answers above were made of them. */
static void busy_subjects_have_sums(void **unused)
{
	size_t with = 0;
	sqlite3 *meta, *db;
	struct snapshot snap = { 0 };
	char folder[160];

	advance_to(LEAVES);
	current_folder(folder);
	assert_int_equal(db_open(folder, "meta.db", false, false, &meta), 0);
	assert_int_equal(snapshot_load(meta, &snap), 0);
	for (size_t i = 0; i < snap.n_parts; i++) {
		_cleanup_stmt_ sqlite3_stmt *st = NULL;
		bool usable = false;

		assert_int_equal(part_open(folder, &snap, &snap.parts[i], false, &db), 0);
		assert_int_equal(busy_usable(db, snap.indexed, &usable), 0);
		assert_int_equal(db_prepare(db, "SELECT subject, count(*) FROM busy GROUP BY subject", &st), 0);
		while (usable && db_step(st) == 1) {
			struct aggs sums = { 0 };

			assert_int_equal(busy_take(db, sqlite3_column_int64(st, 0), &sums), 1);
			assert_int_equal(sums.n, sqlite3_column_int64(st, 1));
			aggs_free(&sums);
			with++;
		}
		db_finalize(&st);
		db_close(&db);
	}
	assert_true(with > 20);
	snapshot_free(&snap);
	db_close(&meta);
	assert_same(&want, "with sums");
}

static void damage_is_never_a_wrong_answer(void **unused)
{
	static const char *const files[] = { "meta.db", "2026-01.db", "2026-03.db" };

	for (unsigned i = 0; i < 18; i++) {
		advance_to(LEAVES);
		damage(files[i % 3], i / 3 % 3);
		assert_same(&want, "damaged");
		advance_to(LEAVES);
		assert_same(&want, "rebuilt");
	}
}

static int hook_left;

static void die(const char *step)
{
	if (--hook_left == 0)
		_exit(7);
}

static void a_killed_build_goes_on(void **unused)
{
	struct index *x;
	int died = 0;

	damage("meta.db", 0);
	for (int i = 1; i < 60; i += 1 + (int)rnd(4)) {
		int status;
		pid_t pid = fork();

		if (pid == 0) {
			struct evidence_reader *r;

			index_hook = die;
			hook_left = i;
			if (evidence_reader_open(state, &r) < 0 || index_open(state, &x) < 0)
				_exit(1);
			for (uint64_t to = index_indexed(x); to < LEAVES; to += 900)
				if (index_advance(x, r, MIN(to + 900, (uint64_t)LEAVES), 0) < 0)
					_exit(1);
			_exit(0);
		}
		assert_true(pid > 0 && waitpid(pid, &status, 0) == pid && WIFEXITED(status));
		assert_true(WEXITSTATUS(status) == 7 || WEXITSTATUS(status) == 0);
		died += WEXITSTATUS(status) == 7;
		assert_same(&want, "after a kill");
	}
	assert_true(died > 3);
	advance_to(LEAVES);
	assert_same(&want, "after kills");
}

static void queries_beside_a_build(void **unused)
{
	int status;
	pid_t pid;

	damage("meta.db", 0);
	pid = fork();
	if (pid == 0) {
		struct evidence_reader *r;
		struct index *x;

		if (evidence_reader_open(state, &r) < 0 || index_open(state, &x) < 0) {
			print_error("cannot open: %s\n", index_why());
			_exit(1);
		}
		for (uint64_t to = 0; to <= LEAVES; to += 50, usleep(5000))
			if (index_advance(x, r, to, 0) < 0) {
				print_error("up to %llu: %s\n", (unsigned long long)to, index_why());
				_exit(1);
			}
		index_close(x);
		_exit(0);
	}
	assert_true(pid > 0);
	for (int i = 0; i < 400; i++) {
		assert_same(&want, "beside a build");
		if (waitpid(pid, &status, WNOHANG) == pid) {
			assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
			return;
		}
	}
	waitpid(pid, &status, 0);
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

static unsigned begun;

static void count_begun(const char *step)
{
	begun += strcmp(step, "anew") == 0;
}

static int take_any(void *arg, const struct event *e)
{
	return 1;
}

/* Holds the months open in a process of its own, asks again when it is told to, and closes. */
static void hold(int in, int out)
{
	struct index_filter f = { 0 };
	struct index_query *q;
	char c;

	if (index_query_open(state, &q) < 0)
		_exit(1);
	do {
		if (index_query_events(q, &f, take_any, NULL) < 0 || write(out, "a", 1) != 1)
			_exit(1);
	} while (read(in, &c, 1) == 1);
	index_query_close(q);
	_exit(0);
}

/* Whoever has the files of a removed generation open, in this process or another, delays no rebuild and spoils nothing by closing. */
static void a_rebuild_beside_readers_that_hold_the_old(void **unused)
{
	struct index_filter f = { 0 };

	for (unsigned i = 0; i < 6; i++) {
		struct index_query *q;
		int in[2], out[2], status;
		char before[160], after[160], c;
		pid_t pid;

		advance_to(LEAVES);
		current_folder(before);
		assert_int_equal(index_query_open(state, &q), 0);
		assert_int_equal(index_query_events(q, &f, take_any, NULL), 0);
		assert_true(pipe(in) == 0 && pipe(out) == 0);
		pid = fork();
		if (pid == 0) {
			close(in[1]);
			hold(in[0], out[1]);
		}
		close(in[0]);
		close(out[1]);
		assert_int_equal(read(out[0], &c, 1), 1);
		damage("2026-03.db", 2);
		index_mark_damaged(before);
		begun = 0;
		index_hook = count_begun;
		advance_to(LEAVES);
		index_hook = NULL;
		assert_int_equal(begun, 1);
		current_folder(after);
		assert_string_not_equal(before, after);
		assert_true(access(before, F_OK) < 0);
		if (i % 2)
			assert_true(write(in[1], "a", 1) == 1 && read(out[0], &c, 1) == 1);
		if (i % 3)
			index_query_close(q); /* before anybody asks the new one */
		close(in[1]);
		assert_true(waitpid(pid, &status, 0) == pid && WIFEXITED(status) && WEXITSTATUS(status) == 0);
		close(out[0]);
		assert_same(&want, "rebuilt beside readers");
		if (i % 3 == 0) {
			assert_int_equal(index_query_events(q, &f, take_any, NULL), 0);
			assert_true(q->use);
			index_query_close(q);
		}
		/* Nothing was damaged by that: the next turn finds nothing to build anew. */
		begun = 0;
		index_hook = count_begun;
		advance_to(LEAVES);
		index_hook = NULL;
		assert_int_equal(begun, 0);
	}
}

/* A folder that a crash left, and the files of an index that stood in no folder. */
static void leftovers_are_removed(void **unused)
{
	char path[200];

	advance_to(LEAVES);
	for (int i = 0; i < 2; i++) {
		int fd;

		snprintf(path, sizeof(path), "%s/%s", dir, i ? "2026-01.db" : "g-0123456789abcdef");
		if (i == 0)
			assert_int_equal(mkdir(path, 0700), 0);
		snprintf(path, sizeof(path), "%s/%s", dir, i ? "2026-01.db" : "g-0123456789abcdef/meta.db");
		fd = open(path, O_CREAT | O_WRONLY, 0600);
		assert_true(fd >= 0);
		close(fd);
		advance_to(LEAVES);
		assert_true(access(path, F_OK) < 0);
		assert_same(&want, "beside leftovers");
	}
}

static void patterns_mean_what_the_text_says(void **unused)
{
	static const char *const patterns[] = { "/srv/d1/f5", "/srv/d1", "/srv/d1/", "/srv/**", "f1*", "/srv/d*/f2?", "/none/*", "f7", "d2", "/**/f9", "*" };
	struct evidence_reader *r;
	const struct names *n;

	assert_int_equal(evidence_reader_open(state, &r), 0);
	n = evidence_reader_names(r);
	for (size_t i = 0; i < ARRAY_SIZE(patterns); i++) {
		str pattern = str_c(patterns[i]), above = pattern;
		struct pathset set;
		bool wild = strpbrk(patterns[i], "*?[") != NULL;

		if (above.p[above.n - 1] == '/')
			above.n--;
		assert_int_equal(pathset_match(n, pattern, &set), 0);
		for (uint64_t c = 1; c <= names_count(n, NAME_COMPONENT); c++) {
			_cleanup_buf_ struct buf path = BUF_INIT;
			bool below, want_it;

			names_path(n, c, &path);
			below = !wild && above.p[0] == '/' && str_starts(buf_str(&path), above) && (path.n == above.n || path.p[above.n] == '/');
			want_it = below || str_glob(pattern, buf_str(&path));
			if (pathset_has(&set, c) != want_it)
				fail_msg("%s: %.*s", patterns[i], STR_ARG(buf_str(&path)));
		}
		pathset_free(&set);
	}
	evidence_reader_close(r);
}

static void months(void **unused)
{
	static const int64_t times[] = { 0, -1, JAN_2026 * NSEC_PER_SEC, JAN_2026 * NSEC_PER_SEC - 1, INT64_MIN, INT64_MAX, 951782400LL * NSEC_PER_SEC };
	char file[24];

	for (size_t i = 0; i < ARRAY_SIZE(times); i++) {
		int32_t m = month_of(times[i]);

		assert_true(month_start(m) <= times[i] && times[i] <= month_start(m + 1));
	}
	month_file(month_of(951782400LL * NSEC_PER_SEC), file); /* 2000-02-29 */
	assert_string_equal(file, "2000-02.db");
	month_file(month_of(-1), file);
	assert_string_equal(file, "1969-12.db");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(months),
		cmocka_unit_test(patterns_mean_what_the_text_says),
		cmocka_unit_test(same_answers_whatever_is_indexed),
		cmocka_unit_test(busy_subjects_have_sums),
		cmocka_unit_test(damage_is_never_a_wrong_answer),
		cmocka_unit_test(a_killed_build_goes_on),
		cmocka_unit_test(queries_beside_a_build),
		cmocka_unit_test(a_rebuild_beside_readers_that_hold_the_old),
		cmocka_unit_test(leftovers_are_removed),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
