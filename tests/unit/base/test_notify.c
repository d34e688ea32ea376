#include "../test.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/notify.h"

static int listener(const char *path, size_t n)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	memcpy(a.sun_path, path, n);
	assert_int_equal(bind(fd, (struct sockaddr *)&a, (socklen_t)(offsetof(struct sockaddr_un, sun_path) + n)), 0);
	return fd;
}

static void says(int manager, const char *name, const char *text)
{
	char got[64];
	ssize_t n;
	int fd;

	setenv("NOTIFY_SOCKET", name, 1);
	fd = notify_open();
	assert_true(fd >= 0);
	assert_null(getenv("NOTIFY_SOCKET"));
	notify_send(fd, text);
	n = recv(manager, got, sizeof(got), MSG_DONTWAIT);
	assert_int_equal(n, strlen(text));
	assert_memory_equal(got, text, strlen(text));
	close(fd);
	close(manager);
}

static void by_path(void **state)
{
	char dir[] = "/tmp/tyto-notify-XXXXXX", path[64];

	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/s", dir);
	says(listener(path, strlen(path)), path, "READY=1");
	unlink(path);
	rmdir(dir);
}

static void abstract(void **state)
{
	char name[64];

	snprintf(name, sizeof(name), "@tyto-notify-%d", (int)getpid());
	name[0] = '\0';
	int manager = listener(name, 1 + strlen(name + 1));

	name[0] = '@';
	says(manager, name, "STOPPING=1");
}

static void nobody_waits(void **state)
{
	char longer[200];

	unsetenv("NOTIFY_SOCKET");
	assert_int_equal(notify_open(), -ENOENT);
	memset(longer, '/', sizeof(longer) - 1);
	longer[sizeof(longer) - 1] = '\0';
	static const char *const bad[] = { "x", "/", "vsock:2:1" };
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		setenv("NOTIFY_SOCKET", bad[i], 1);
		assert_int_equal(notify_open(), -EINVAL);
	}
	setenv("NOTIFY_SOCKET", longer, 1);
	assert_int_equal(notify_open(), -EINVAL);
	setenv("NOTIFY_SOCKET", "/nonexistent/socket", 1);
	assert_int_equal(notify_open(), -ENOENT);
	notify_send(-1, "READY=1"); /* nothing, and no crash */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(by_path),
		cmocka_unit_test(abstract),
		cmocka_unit_test(nobody_waits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
