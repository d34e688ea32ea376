/* The outbox over restarts, damage and too many letters. */
#include "../test.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/wait.h>

#include "forward/outbox.h"

static char dir[64];

static int setup(void **state)
{
	snprintf(dir, sizeof(dir), "/tmp/tyto-outbox-XXXXXX");
	return mkdtemp(dir) ? 0 : -1;
}

static int teardown(void **state)
{
	char command[128];

	snprintf(command, sizeof(command), "rm -rf %s", dir);
	return system(command);
}

static struct outbox *box(void)
{
	struct outbox *o = NULL;

	if (outbox_open(dir, true, &o) < 0)
		fail_msg("%s", outbox_why());
	return o;
}

static void add(struct outbox *o, uint64_t alert, const char *way, int64_t due)
{
	const struct outbox_letter l = { .alert = alert, .record = 7, .kind = 1, .way = str_c(way), .created = due, .due = due };

	assert_int_equal(outbox_add(o, &l), 0);
}

static uint64_t next(struct outbox *o, const char *way, int64_t now)
{
	struct outbox_letter l = { 0 };
	int r = outbox_next(o, way, now, &l);

	assert_true(r >= 0);
	return r ? l.id : 0;
}

static void turns(void **state)
{
	struct outbox *o = box();
	struct outbox_stat st;

	add(o, 1, "a", 10);
	add(o, 2, "a", 10);
	add(o, 3, "b", 30);
	assert_int_equal(next(o, "a", 9), 0); /* not due */
	assert_int_equal(next(o, "a", 10), 1);
	assert_int_equal(next(o, "b", 20), 0);
	assert_int_equal(outbox_sending(o, 1), 0);
	assert_int_equal(next(o, "a", 10), 2);
	/* One that failed stands behind those that were not tried. */
	assert_int_equal(outbox_failed(o, 1, STR("no"), 10, false), 0);
	assert_int_equal(next(o, "a", 10), 2);
	assert_int_equal(outbox_sent(o, 2, 99), 0);
	assert_int_equal(next(o, "a", 10), 1);
	/* A clock that was set back must not keep it for ever. */
	assert_int_equal(outbox_failed(o, 1, STR("no"), 100000 * NSEC_PER_SEC, false), 0);
	assert_int_equal(next(o, "a", 99999 * NSEC_PER_SEC), 0);
	assert_int_equal(next(o, "a", 10), 1);
	assert_int_equal(outbox_stat(dir, &st), 0);
	assert_true(st.waiting == 2 && st.dead == 0 && st.sent == 1 && st.last == 99 && st.oldest == 10);
	assert_string_equal(st.answer, "no");
	outbox_close(o);
}

static void position(void **state)
{
	const struct outbox_told told = { SEVERITY_HIGH, true, 0 };
	struct outbox_told got;
	struct outbox *o = box();
	uint64_t at;
	bool begun;

	assert_int_equal(outbox_position(o, &at, &begun), 0);
	assert_false(begun);
	/* What was told, its letters and the position: all or nothing. */
	assert_int_equal(outbox_begin(o), 0);
	assert_int_equal(outbox_tell(o, 1, &told), 0);
	add(o, 1, "a", 1);
	outbox_rollback(o);
	assert_int_equal(outbox_told(o, 1, &got), 0);
	assert_int_equal(next(o, "a", 5), 0);
	assert_int_equal(outbox_begin(o), 0);
	assert_int_equal(outbox_tell(o, 1, &told), 0);
	add(o, 1, "a", 1);
	assert_int_equal(outbox_commit(o, 42), 0);
	outbox_close(o);
	o = box();
	assert_int_equal(outbox_position(o, &at, &begun), 0);
	assert_true(begun && at == 42);
	assert_int_equal(outbox_told(o, 1, &got), 1);
	assert_true(got.severity == SEVERITY_HIGH && got.open && got.reason == 0);
	outbox_close(o);
}

struct seen {
	uint64_t n, id;
	char answer[128];
};

static int see(void *arg, const struct outbox_letter *l)
{
	struct seen *s = arg;

	s->n++;
	s->id = l->id;
	snprintf(s->answer, sizeof(s->answer), "%.*s", STR_ARG(l->answer));
	return 0;
}

static void settled(void **state)
{
	static const char *const ways[] = { "a" };
	struct outbox *o = box();
	struct seen s = { 0 };
	uint64_t n = 9;

	add(o, 1, "a", 1);
	add(o, 2, "gone", 1);
	assert_int_equal(outbox_sending(o, 1), 0);
	outbox_close(o); /* and never heard of again */
	o = box();
	assert_int_equal(next(o, "a", 5), 0);
	assert_int_equal(outbox_settle(o, ways, 1), 0);
	assert_int_equal(next(o, "a", 5), 1);
	assert_int_equal(outbox_dead(o, see, &s), 0);
	assert_true(s.n == 1 && s.id == 2 && strstr(s.answer, "not configured"));
	assert_int_equal(outbox_retry(o, 1, &n), 0);
	assert_int_equal(n, 0); /* it is not dead */
	assert_int_equal(outbox_retry(o, 0, &n), 0);
	assert_int_equal(n, 1);
	assert_int_equal(outbox_settle(o, NULL, 0), 0);
	memset(&s, 0, sizeof(s));
	assert_int_equal(outbox_dead(o, see, &s), 0);
	assert_int_equal(s.n, 2);
	outbox_close(o);
}

static void too_many(void **state)
{
	struct outbox *o = box();
	struct outbox_stat st;

	assert_int_equal(outbox_begin(o), 0);
	for (unsigned i = 0; i < OUTBOX_WAITING_MAX + 3; i++)
		add(o, i + 1, "a", 1);
	add(o, 1, "b", 1);
	assert_int_equal(outbox_commit(o, 1), 0);
	assert_int_equal(outbox_stat(dir, &st), 0);
	assert_true(st.waiting == OUTBOX_WAITING_MAX + 1 && st.dead == 3);
	outbox_close(o);
}

static void damaged(void **state)
{
	char path[128];
	struct outbox *o = box();
	bool begun = true;
	uint64_t at;
	int fd;

	assert_int_equal(outbox_begin(o), 0);
	assert_int_equal(outbox_commit(o, 42), 0);
	outbox_close(o);
	snprintf(path, sizeof(path), "%s/notify/notify.db", dir);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	assert_true(fd >= 0 && pwrite(fd, "damage", 6, 20) == 6);
	close(fd);
	o = box();
	assert_int_equal(outbox_position(o, &at, &begun), 0);
	assert_false(begun);
	outbox_close(o);
	snprintf(path, sizeof(path), "%s/notify/notify.db.damaged", dir);
	assert_int_equal(access(path, F_OK), 0);
}

static void one_teller(void **state)
{
	int fd = -1, other = -1, status;

	assert_false(outbox_locked(dir));
	assert_int_equal(outbox_lock(dir, &fd), 0);
	assert_true(outbox_locked(dir));
	assert_int_equal(outbox_lock(dir, &other), -EWOULDBLOCK);
	pid_t pid = fork();

	if (pid == 0)
		_exit(outbox_lock(dir, &other) == -EWOULDBLOCK ? 0 : 1);
	assert_true(waitpid(pid, &status, 0) == pid && status == 0);
	close(fd);
	assert_false(outbox_locked(dir));
}

static void missing(void **state)
{
	struct outbox *o = NULL;
	struct outbox_stat st;

	assert_int_equal(outbox_open(dir, false, &o), -ENOENT);
	assert_int_equal(outbox_stat(dir, &st), -ENOENT);
}

#define each(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = { each(turns), each(position), each(settled), each(too_many), each(damaged), each(one_teller), each(missing) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
