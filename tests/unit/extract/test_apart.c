/* A program without the readers, as tyto is: it finds tyto-extract beside itself, and says so where there is none. argv[1]: tyto-extract. */
#include "../test.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "extract/extract.h"

static const char *worker;
static char dir[] = "/tmp/tyto-apart-XXXXXX";

static int on_part(void *arg, const struct extract_part *p)
{
	*(bool *)arg = p->text.n_spans == 1 && str_eq(text_span(&p->text, p->text.spans), STR("words")) && str_eq(p->type, STR("text/plain"));
	return 0;
}

/* 0 read, 1 not, 2 no worker: what the copy of this program answers. */
static int inside(void)
{
	int fd = memfd_create("document", MFD_CLOEXEC);
	struct extractor *x;
	bool good = false;
	int r;

	if (fd < 0 || write(fd, "words", 5) != 5 || extractor_new(NULL, OCR_NEVER, &x) < 0)
		return 1;
	r = extract_file(x, fd, STR("a.txt"), on_part, &good);
	extractor_free(x);
	return r < 0 ? 2 : good ? 0 : 1;
}

static void copy(const char *from, const char *name)
{
	_cleanup_close_ int in = open(from, O_RDONLY | O_CLOEXEC), out = -1;
	struct stat st;
	char to[256];

	snprintf(to, sizeof(to), "%s/%s", dir, name);
	out = open(to, O_CREAT | O_WRONLY | O_CLOEXEC, 0755);
	assert_true(in >= 0 && out >= 0 && fstat(in, &st) == 0);
	for (off_t left = st.st_size; left > 0;) {
		ssize_t n = sendfile(out, in, NULL, (size_t)left);

		assert_true(n > 0);
		left -= n;
	}
}

static int run_copy(void)
{
	char path[256], word[] = "inside", *argv[] = { path, word, NULL };
	int status;
	pid_t pid;

	snprintf(path, sizeof(path), "%s/program", dir);
	pid = fork();
	if (pid == 0) {
		execv(path, argv);
		_exit(99);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static void test_beside(void **state)
{
	char path[256];

	assert_non_null(worker);
	assert_non_null(mkdtemp(dir));
	assert_int_equal(chmod(dir, 0755), 0);
	copy("/proc/self/exe", "program");
	assert_int_equal(run_copy(), access("/usr/local/libexec/tyto/tyto-extract", X_OK) == 0 ? 0 : 2);
	copy(worker, "tyto-extract");
	assert_int_equal(run_copy(), 0);
	snprintf(path, sizeof(path), "%s/program", dir);
	unlink(path);
	snprintf(path, sizeof(path), "%s/tyto-extract", dir);
	unlink(path);
	rmdir(dir);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_beside) };

	if (argc > 1 && strcmp(argv[1], "inside") == 0)
		return inside();
	worker = argc > 1 ? argv[1] : NULL;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
