#include "../test.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon/state.h"

static char dir[64], at[128], other[128];

static int fresh(void **state)
{
	snprintf(dir, sizeof(dir), "/tmp/tyto-state-XXXXXX");
	assert_non_null(mkdtemp(dir));
	snprintf(at, sizeof(at), "%s/state", dir);
	snprintf(other, sizeof(other), "%s/other", dir);
	return 0;
}

static int gone(void **state)
{
	char command[128];

	snprintf(command, sizeof(command), "rm -rf %s", dir);
	return system(command);
}

static void owned(const char *path, uid_t uid, unsigned mode)
{
	struct stat st;

	assert_int_equal(lstat(path, &st), 0);
	assert_int_equal(st.st_uid, uid);
	assert_int_equal(st.st_mode & 07777, mode);
}

/* The account that a state belongs to here. */
static uid_t keeper(void)
{
	struct account a;

	state_account(&a);
	return geteuid() == 0 ? a.uid : geteuid();
}

static void made_for_the_account(void **state)
{
	struct account owner;
	const char *why = NULL;

	assert_int_equal(state_prepare(at, false, &owner, &why), -ENOENT);
	assert_non_null(strstr(why, "nothing has been recorded yet"));
	assert_int_equal(state_prepare(at, true, &owner, &why), 0);
	assert_int_equal(owner.uid, keeper());
	owned(at, keeper(), 0700);
	assert_int_equal(chmod(at, 0755), 0);
	assert_int_equal(state_prepare(at, true, &owner, &why), 0);
	owned(at, keeper(), 0700);
}

/* Root must not be led to give away, or to close, what a link points to. */
static void a_link_is_refused(void **state)
{
	struct account owner;
	const char *why = NULL;

	assert_int_equal(mkdir(other, 0755), 0);
	assert_int_equal(symlink(other, at), 0);
	assert_int_equal(state_prepare(at, true, &owner, &why), -ENOTDIR);
	owned(other, geteuid(), 0755);
}

static void a_file_is_refused(void **state)
{
	struct account owner;
	const char *why = NULL;
	int fd = open(at, O_CREAT | O_WRONLY | O_CLOEXEC, 0644);

	assert_true(fd >= 0);
	close(fd);
	assert_int_equal(state_prepare(at, true, &owner, &why), -ENOTDIR);
	owned(at, geteuid(), 0644);
}

static void roots_directory(void **state)
{
	struct account owner;
	const char *why = NULL;

	if (geteuid() != 0)
		skip();
	assert_int_equal(mkdir(at, 0755), 0);
	snprintf(other, sizeof(other), "%s/file", at);
	assert_int_equal(mkdir(other, 0755), 0);
	assert_int_equal(state_prepare(at, true, &owner, &why), -EPERM);
	assert_non_null(strstr(why, "not empty"));
	owned(at, 0, 0755);
	assert_int_equal(rmdir(other), 0);
	assert_int_equal(state_prepare(at, true, &owner, &why), 0);
	owned(at, keeper(), 0700);
}

static void somebody_elses(void **state)
{
	struct account owner;
	const char *why = NULL;

	if (geteuid() != 0)
		skip();
	assert_int_equal(mkdir(at, 0755), 0);
	assert_int_equal(chown(at, 20001, 20001), 0);
	assert_int_equal(state_prepare(at, true, &owner, &why), -EPERM);
	assert_non_null(strstr(why, "belongs to uid 20001"));
	owned(at, 20001, 0755);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(made_for_the_account, fresh, gone),
		cmocka_unit_test_setup_teardown(a_link_is_refused, fresh, gone),
		cmocka_unit_test_setup_teardown(a_file_is_refused, fresh, gone),
		cmocka_unit_test_setup_teardown(roots_directory, fresh, gone),
		cmocka_unit_test_setup_teardown(somebody_elses, fresh, gone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
