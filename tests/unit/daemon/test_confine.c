#include "../test.h"

#include <errno.h>
#include <linux/capability.h>
#include <pthread.h>
#include <pwd.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "daemon/confine.h"

static void *idle(void *arg)
{
	return arg;
}

static bool refused(long r)
{
	return r < 0 && errno == EPERM;
}

/* In a process of its own: a bit for each thing that is not as it must be. */
static int confined(void)
{
	char name[] = "true";
	char *const argv[] = { name, NULL };
	int bad = 0, status;
	pthread_t t;
	pid_t pid;
	FILE *f;

	if (confine_keeper() < 0)
		return 255;
	bad |= refused(execv("/bin/true", argv)) ? 0 : 1;
	pid = fork();
	if (pid == 0)
		_exit(0);
	bad |= refused(pid) ? 0 : 2;
	if (pid > 0)
		waitpid(pid, &status, 0);
	bad |= refused(socket(AF_INET, SOCK_STREAM, 0)) ? 0 : 4;
	bad |= refused(ptrace(PTRACE_TRACEME, 0, 0, 0)) ? 0 : 8;
	/* What a keeper needs. */
	bad |= socket(AF_UNIX, SOCK_STREAM, 0) >= 0 ? 0 : 16;
	bad |= pthread_create(&t, NULL, idle, NULL) == 0 && pthread_join(t, NULL) == 0 ? 0 : 32;
	f = tmpfile();
	bad |= f && fputs("x", f) >= 0 && fflush(f) == 0 && fdatasync(fileno(f)) == 0 ? 0 : 64;
	bad |= getpwuid(0) ? 0 : 128;
	return bad;
}

/* The guard: it starts programs, but neither it nor they load modules, mount, trace or set the clock. */
static int guarded(void)
{
	char *const argv[] = { (char[]){ "sh" }, (char[]){ "-c" }, (char[]){ "! mount -t tmpfs none /mnt 2>/dev/null" }, NULL };
	struct timespec t;
	int bad = 0, status;
	pid_t pid;

	if (confine_guard() < 0)
		return 255;
	bad |= refused(ptrace(PTRACE_TRACEME, 0, 0, 0)) ? 0 : 1;
	clock_gettime(CLOCK_REALTIME, &t);
	bad |= refused(clock_settime(CLOCK_REALTIME, &t)) ? 0 : 2;
	bad |= prctl(PR_CAPBSET_READ, CAP_SYS_MODULE) == 0 && prctl(PR_CAPBSET_READ, CAP_SYS_RAWIO) == 0 ? 0 : 4;
	bad |= prctl(PR_CAPBSET_READ, CAP_SYS_ADMIN) == 1 ? 0 : 8;
	pid = fork();
	if (pid == 0) {
		execv("/bin/sh", argv);
		_exit(2);
	}
	bad |= pid > 0 && waitpid(pid, &status, 0) == pid && WIFEXITED(status) && WEXITSTATUS(status) == 0 ? 0 : 16;
	return bad;
}

static void guard_list(void **state)
{
	int status;
	pid_t pid;

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
	skip();
#endif
	if (geteuid() != 0)
		skip(); /* only root has what is given up here */
	pid = fork();
	if (pid == 0)
		_exit(guarded());
	assert_true(pid > 0 && waitpid(pid, &status, 0) == pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

static void allow_list(void **state)
{
	int status;
	pid_t pid;

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
	skip();
#endif
	pid = fork();
	if (pid == 0)
		_exit(confined());
	assert_true(pid > 0 && waitpid(pid, &status, 0) == pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(allow_list), cmocka_unit_test(guard_list) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
