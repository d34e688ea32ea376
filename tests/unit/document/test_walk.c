/* The walker opens what it may, and nothing else. */
#include "../test.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

#include "document/walk.h"

static char dir[] = "/tmp/tyto-walk.XXXXXX";

static void put(const char *name, const char *text)
{
	char path[256];
	int fd;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	assert_true(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text));
	close(fd);
}

static int try_open(struct walk *w, const char *name, const char *root)
{
	char path[256];
	int fd = -1, r;

	snprintf(path, sizeof(path), "%s%s", root, name);
	r = walk_open(w, str_c(path), &fd);
	close_fd(&fd);
	return r;
}

static int setup(void **state)
{
	char a[256], b[256];

	assert_non_null(mkdtemp(dir));
	for (const char *const *p = (const char *const[]){ "in", "in/sub", "out", NULL }; *p; p++) {
		snprintf(a, sizeof(a), "%s/%s", dir, *p);
		assert_int_equal(mkdir(a, 0700), 0);
	}
	put("in/a", "a");
	put("in/sub/b", "bb");
	put("out/secret", "s");
	snprintf(a, sizeof(a), "%s/in/fifo", dir);
	assert_int_equal(mkfifo(a, 0600), 0);
	snprintf(a, sizeof(a), "%s/out/secret", dir);
	snprintf(b, sizeof(b), "%s/in/link", dir);
	assert_int_equal(symlink(a, b), 0);
	snprintf(a, sizeof(a), "%s/out", dir);
	snprintf(b, sizeof(b), "%s/in/away", dir);
	assert_int_equal(symlink(a, b), 0);
	return 0;
}

static int teardown(void **state)
{
	static const char *const names[] = { "in/away", "in/link", "in/fifo", "in/sub/b", "in/sub", "in/a", "in", "out/secret", "out", "" };
	char path[256];

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		snprintf(path, sizeof(path), "%s/%s", dir, names[i]);
		remove(path);
	}
	return 0;
}

static void opens_only_what_it_may(void **state)
{
	char root[256], *paths[] = { root };
	struct walk *w;

	snprintf(root, sizeof(root), "%s/in", dir);
	assert_int_equal(walk_start(paths, 1, NULL, false, &w), 0);
	assert_int_equal(try_open(w, "/a", root), 0);
	assert_int_equal(try_open(w, "/sub/b", root), 0);
	assert_int_equal(try_open(w, "/none", root), -ENOENT);
	assert_int_equal(try_open(w, "/sub", root), -EINVAL);
	assert_int_equal(try_open(w, "/fifo", root), -EINVAL);
	assert_true(try_open(w, "/link", root) < 0);
	assert_int_equal(try_open(w, "/away/secret", root), -ELOOP);
	assert_int_equal(try_open(w, "/../out/secret", root), -EPERM);
	assert_int_equal(try_open(w, "/sub/..", root), -EPERM);
	assert_int_equal(try_open(w, "/out/secret", dir), -EPERM);
	assert_int_equal(try_open(w, "2", root), -EPERM);
	assert_int_equal(try_open(w, "/etc/passwd", ""), -EPERM);
	assert_int_equal(try_open(w, "a", ""), -EPERM);
	walk_end(w);
}

static void lists_and_lists_again(void **state)
{
	char root[256], sub[256], out[256], *paths[] = { root }, *again[] = { sub, out, sub };
	unsigned files = 0, failed = 0;
	struct walk_entry e;
	struct walk *w;

	snprintf(root, sizeof(root), "%s/in", dir);
	snprintf(sub, sizeof(sub), "%s/in/sub", dir);
	snprintf(out, sizeof(out), "%s/out", dir);
	assert_int_equal(walk_start(paths, 1, NULL, true, &w), 0);
	walk_begin(w, paths, 1);
	while (walk_next(w, &e) == 1) {
		files += e.kind == WALK_FILE;
		failed += e.kind == WALK_FAILED;
		if (e.kind == WALK_FILE)
			assert_true(e.place.has_stat && e.place.has_object && e.place.bytes == (str_ends(e.place.path, STR("/b")) ? 2u : 1u));
	}
	assert_int_equal(files, 2);
	assert_int_equal(failed, 1); /* the fifo; symbolic links are passed over */
	for (int i = 0; i < 500 && !walk_totals(w).complete; i++)
		usleep(10000);
	assert_true(walk_totals(w).complete && walk_totals(w).files == 2 && walk_totals(w).bytes == 3);
	/* What is not below the paths gives nothing. */
	files = 0;
	walk_begin(w, again, 3);
	while (walk_next(w, &e) == 1)
		files++;
	assert_int_equal(files, 2);
	walk_end(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(opens_only_what_it_may), cmocka_unit_test(lists_and_lists_again) };

	return cmocka_run_group_tests(tests, setup, teardown);
}
