/* From inside each profile: what must fail fails, what must work works. The same program, started again, is what the program profile executes. */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>

#include "../test.h"
#include "base/sandbox.h"

#if defined(__SANITIZE_ADDRESS__)
#define SANITIZED 1
#else
#define SANITIZED 0
#endif

static char self[4096];
static const struct sandbox_limits limits = { .memory = 256u << 20, .cpu = 5, .files = 16 };

/* ---- what is tried inside; true: it was refused ---- */

static bool closing(int fd)
{
	if (fd < 0)
		return true;
	close(fd);
	return false;
}

static bool no_open(void) { return closing(open("/etc/passwd", O_RDONLY)); }
static bool no_open_self(void) { return closing(open("/proc/self/maps", O_RDONLY)); }
static bool no_open_here(void) { return closing(open(".", O_RDONLY | O_DIRECTORY)); }
static bool no_openat2(void)
{
	uint64_t how[3] = { O_RDONLY };

	return syscall(SYS_openat2, AT_FDCWD, "/etc/passwd", how, sizeof(how)) < 0;
}
static bool no_create(void) { return closing(open("/tmp/tyto-sandbox-test", O_CREAT | O_WRONLY, 0600)); }
static bool no_memfd(void) { return closing(memfd_create("x", 0)); }
static bool no_socket(void) { return closing(socket(AF_INET, SOCK_STREAM, 0)); }
static bool no_unix(void) { return closing(socket(AF_UNIX, SOCK_STREAM, 0)); }
static bool no_netlink(void) { return closing(socket(AF_NETLINK, SOCK_RAW, 0)); }
static int spare_socket = -1; /* made before: even then it leads nowhere */
static bool no_connect(void)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX, .sun_path = "/run/systemd/notify" };

	return connect(spare_socket, (struct sockaddr *)&a, sizeof(a)) < 0 && errno == EPERM;
}
static bool no_bind(void)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };

	return bind(spare_socket, (struct sockaddr *)&a, sizeof(a.sun_family)) < 0 && errno == EPERM;
}
static bool child_gone(long pid)
{
	if (pid == 0)
		_exit(0);
	return pid < 0;
}
static bool no_fork(void) { return child_gone(fork()); }
static bool no_vfork(void) { return child_gone(syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0)); }
static bool no_clone3(void)
{
	uint64_t args[8] = { 0, 0, 0, 0, SIGCHLD };

	return child_gone(syscall(SYS_clone3, args, sizeof(args)));
}
static bool no_ptrace(void) { return ptrace(PTRACE_TRACEME, 0, NULL, NULL) < 0; }
static bool no_attach(void) { return ptrace(PTRACE_SEIZE, getppid(), NULL, NULL) < 0; }
static bool no_peek(void) { return syscall(SYS_process_vm_readv, 1, NULL, 0, NULL, 0, 0) < 0 && errno == EPERM; }
static bool no_kill(void) { return kill(1, 0) < 0 && errno == EPERM && kill(getpid(), 0) < 0; }
static bool no_exec(void)
{
	char name[] = "true", *argv[] = { name, NULL }, *none[] = { NULL };

	execve("/bin/true", argv, none);
	return true;
}
static bool no_uid(void) { return setuid(0) < 0 && geteuid() != 0; }
static bool no_mount(void) { return syscall(SYS_mount, "x", "/", "tmpfs", 0, NULL) < 0 && unshare(CLONE_NEWUSER) < 0; }
static bool no_bpf(void) { return syscall(SYS_bpf, 0, NULL, 0) < 0 && errno == EPERM; }
static bool no_uring(void) { return syscall(SYS_io_uring_setup, 1, NULL) < 0 && errno == EPERM; }
static bool no_keys(void) { return syscall(SYS_keyctl, 0, 0) < 0 && errno == EPERM; }
static bool no_code(void)
{
	return mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED;
}
static bool no_much_memory(void) { return mmap(NULL, 512u << 20, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED; }
static bool no_raise(void)
{
	struct rlimit r = { RLIM_INFINITY, RLIM_INFINITY };

	return setrlimit(RLIMIT_AS, &r) < 0;
}
static bool no_other_program(void) { return no_exec(); } /* of the program profile: only its own */

/* ---- what must work; true: it does ---- */

static int talk = -1;

static bool can_take_descriptor(void)
{
	char byte, space[CMSG_SPACE(sizeof(int))];
	struct iovec v = { &byte, 1 };
	struct msghdr m = { .msg_iov = &v, .msg_iovlen = 1, .msg_control = space, .msg_controllen = sizeof(space) };
	int fd;

	if (recvmsg(talk, &m, MSG_CMSG_CLOEXEC) != 1 || !CMSG_FIRSTHDR(&m))
		return false;
	memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&m)), sizeof(fd));
	return pread(fd, &byte, 1, 0) == 1 && byte == 'r';
}
static bool can_answer(void) { return send(talk, "x", 1, 0) == 1; }
static bool can_allocate(void)
{
	char *p = malloc(8u << 20);

	if (!p)
		return false;
	memset(p, 1, 8u << 20);
	free(p);
	return true;
}
static bool can_tell_time(void)
{
	struct timespec t;

	return clock_gettime(CLOCK_MONOTONIC, &t) == 0;
}
static bool can_read_libraries(void)
{
	int fd = open("/usr/lib", O_RDONLY | O_DIRECTORY);

	return !closing(fd);
}
static bool can_read_stdin(void)
{
	char c;

	return read(0, &c, 1) == 1 && c == 'r';
}

struct check {
	const char *name;
	bool (*ok)(void);
};
#define C(f) { #f, f }

static const struct check library_checks[] = {
	C(no_open), C(no_open_self), C(no_open_here), C(no_openat2), C(no_create), C(no_memfd), C(no_socket), C(no_unix), C(no_netlink), C(no_connect),
	C(no_bind), C(no_fork), C(no_vfork), C(no_clone3), C(no_ptrace), C(no_attach), C(no_peek), C(no_kill), C(no_exec), C(no_uid), C(no_mount), C(no_bpf),
	C(no_uring), C(no_keys), C(no_code), C(no_much_memory), C(no_raise), C(can_take_descriptor), C(can_answer), C(can_allocate), C(can_tell_time),
};
static const struct check program_checks[] = {
	C(no_open), C(no_open_self), C(no_create), C(no_memfd), C(no_socket), C(no_unix), C(no_netlink), C(no_fork), C(no_vfork), C(no_clone3), C(no_ptrace),
	C(no_attach), C(no_peek), C(no_kill), C(no_other_program), C(no_uid), C(no_mount), C(no_bpf), C(no_uring), C(no_keys), C(no_much_memory), C(no_raise),
	C(can_allocate), C(can_tell_time), C(can_read_libraries), C(can_read_stdin),
};

#define ENTERED 100 /* exit status 100: every check held; 1…: the check that did not */

static int run_checks(const struct check *c, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (!c[i].ok())
			return (int)i + 1;
	return ENTERED;
}

static void expect(pid_t pid, const struct check *c, size_t n, const char *where)
{
	int status = 0;

	assert_int_equal(waitpid(pid, &status, 0), pid);
	if (WIFEXITED(status) && WEXITSTATUS(status) == 99)
		skip();
	if (WIFSIGNALED(status))
		fail_msg("%s: killed by signal %d", where, WTERMSIG(status));
	if (WEXITSTATUS(status) != ENTERED)
		fail_msg("%s: %s", where, WEXITSTATUS(status) <= (int)n && WEXITSTATUS(status) ? c[WEXITSTATUS(status) - 1].name : "could not be entered");
}

static void hand_over(int sock, int fd)
{
	char byte = 'f', space[CMSG_SPACE(sizeof(int))] = { 0 };
	struct iovec v = { &byte, 1 };
	struct msghdr m = { .msg_iov = &v, .msg_iovlen = 1, .msg_control = space, .msg_controllen = sizeof(space) };
	struct cmsghdr *c = CMSG_FIRSTHDR(&m);

	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(c), &fd, sizeof(fd));
	assert_int_equal(sendmsg(sock, &m, 0), 1);
}

static int document(void)
{
	int fd = memfd_create("doc", MFD_CLOEXEC);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, "rest", 4), 4);
	assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
	return fd;
}

static void library(bool landlock, uid_t uid, enum sandbox_fs want)
{
	int pair[2], doc = document();
	pid_t pid;

	if (SANITIZED)
		skip();
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	spare_socket = socket(AF_UNIX, SOCK_STREAM, 0);
	hand_over(pair[0], doc);
	pid = fork();
	if (pid == 0) {
		enum sandbox_fs fs = SANDBOX_FS_NONE;
		int r;

		talk = pair[1];
		sandbox_without_landlock = !landlock;
		if (uid && setresuid(uid, uid, uid) < 0)
			_exit(98);
		r = sandbox_library(&limits, &fs);
		if (r == -EOPNOTSUPP)
			_exit(99);
		_exit(r < 0 || fs != want ? 98 : run_checks(library_checks, ARRAY_SIZE(library_checks)));
	}
	expect(pid, library_checks, ARRAY_SIZE(library_checks), "library");
	close(pair[0]);
	close(pair[1]);
	close(spare_socket);
	close(doc);
}

static void program(bool landlock, uid_t uid, enum sandbox_fs want)
{
	static const char *const libraries[] = { "/lib64/ld-linux-x86-64.so.2", "/lib/ld-linux-aarch64.so.1", "/lib", "/lib64", "/usr/lib", "/etc/ld.so.cache" };
	const char *places[ARRAY_SIZE(libraries) + 2] = { self };
	int doc = document();
	pid_t pid;

	if (SANITIZED)
		skip();
	for (size_t i = 0; i < ARRAY_SIZE(libraries); i++)
		places[i + 1] = libraries[i];
	pid = fork();
	if (pid == 0) {
		char word[] = "inside", *argv[] = { self, word, NULL }, *none[] = { NULL };
		enum sandbox_fs fs = SANDBOX_FS_NONE;
		int r;

		dup2(doc, 0);
		sandbox_without_landlock = !landlock;
		if (uid && setresuid(uid, uid, uid) < 0)
			_exit(98);
		r = sandbox_program(&limits, places, &fs);
		if (r == -EOPNOTSUPP)
			_exit(99);
		if (r == 0 && fs == want)
			execve(self, argv, none);
		_exit(98);
	}
	expect(pid, program_checks, ARRAY_SIZE(program_checks), "program");
	close(doc);
}

static void test_library(void **state) { library(true, 0, SANDBOX_FS_LANDLOCK); }
static void test_library_user(void **state)
{
	if (geteuid() != 0)
		skip();
	library(true, 12345, SANDBOX_FS_LANDLOCK);
}
static void test_library_namespace(void **state) { library(false, 0, SANDBOX_FS_NAMESPACE); }
static void test_program(void **state) { program(true, 0, SANDBOX_FS_LANDLOCK); }
static void test_program_namespace(void **state) { program(false, 0, SANDBOX_FS_NAMESPACE); }

/* A program that is not among the places is not executed at all. */
static void test_program_not_named(void **state)
{
	static const char *const places[] = { "/usr/lib", NULL };
	enum sandbox_fs fs;
	int status;
	pid_t pid;

	if (SANITIZED)
		skip();
	pid = fork();
	if (pid == 0) {
		if (sandbox_program(&limits, places, &fs) < 0)
			_exit(99);
		_exit(no_exec() ? ENTERED : 1);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	if (WEXITSTATUS(status) == 99)
		skip();
	assert_int_equal(WEXITSTATUS(status), ENTERED);
}

/* Too much processor time ends it. */
static void test_cpu(void **state)
{
	const struct sandbox_limits short_time = { .memory = 256u << 20, .cpu = 1, .files = 16 };
	enum sandbox_fs fs;
	int status;
	pid_t pid;

	if (SANITIZED)
		skip();
	pid = fork();
	if (pid == 0) {
		if (sandbox_library(&short_time, &fs) < 0)
			_exit(99);
		for (;;)
			__asm__ volatile("");
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	if (WIFEXITED(status) && WEXITSTATUS(status) == 99)
		skip();
	assert_true(WIFSIGNALED(status));
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_library), cmocka_unit_test(test_library_user), cmocka_unit_test(test_library_namespace), cmocka_unit_test(test_program),
		cmocka_unit_test(test_program_namespace), cmocka_unit_test(test_program_not_named), cmocka_unit_test(test_cpu),
	};
	ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);

	if (argc > 1 && strcmp(argv[1], "inside") == 0)
		_exit(run_checks(program_checks, ARRAY_SIZE(program_checks)));
	if (n <= 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
