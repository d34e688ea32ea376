/* The process that parses. It loads what it needs, shuts itself in, and serves one document after the other. */
#include "extract/worker.h"

#include <errno.h>
#include <locale.h>
#include <magic.h>
#include <malloc.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>

#include "base/sandbox.h"
#include "extract/format.h"
#include "extract/in.h"
#include "extract/sink.h"

#define CPU_OF_ALL (3600u) /* seconds: the parent's deadline ends a document long before; this ends a worker that nobody watches */

static magic_t magic;

static const char *type_of(str head)
{
	return magic ? magic_buffer(magic, head.p, head.n) : NULL;
}

static int load_magic(void)
{
	magic = magic_open(MAGIC_MIME_TYPE);
	if (magic && magic_load(magic, NULL) < 0) {
		magic_close(magic);
		magic = NULL;
	}
	return magic ? 0 : -ENOENT;
}

/* Libraries that abort when they get no memory are told apart from those that are broken. */
static void on_fatal(int sig)
{
	void *p = mmap(NULL, 64u << 20, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (p == MAP_FAILED)
		_exit(WORKER_NO_MEMORY);
	signal(sig, SIG_DFL);
	raise(sig);
}

static void catch_fatal(void)
{
	static char stack[64 << 10];
	static const int signals[] = { SIGSEGV, SIGBUS, SIGABRT, SIGTRAP, SIGILL, SIGFPE };
	stack_t alt = { .ss_sp = stack, .ss_size = sizeof(stack) };
	struct sigaction a = { .sa_handler = on_fatal, .sa_flags = SA_ONSTACK | SA_RESETHAND | SA_NODEFER };

	sigaltstack(&alt, NULL);
	for (size_t i = 0; i < ARRAY_SIZE(signals); i++)
		sigaction(signals[i], &a, NULL);
}

static int prepare(void)
{
	int r = load_magic();

	if (r == 0)
		r = charset_prepare();
	for (size_t i = 0; r == 0 && formats[i]; i++)
		if (formats[i]->prepare)
			r = formats[i]->prepare();
	return r;
}

/* What one document leaves behind is not the next one's burden. */
static bool grown(const struct extract_limits *l)
{
	struct mallinfo2 m;

	malloc_trim(1 << 20);
	m = mallinfo2();
	return m.uordblks + m.hblkhd > l->memory / 4;
}

static int serve(const struct extract_limits *l, struct doc *d)
{
	char name[TEXT_NAME_MAX];
	struct frame f;
	uint32_t done = 0;

	for (;;) {
		_cleanup_close_ int fd = -1;
		struct frame end = { .kind = FRAME_DONE };
		struct in *in = NULL;
		uint32_t parts, slow;
		size_t n_fds;
		int r = wire_recv(WORKER_SOCKET, &f, name, sizeof(name), &fd, 1, &n_fds);

		if (r <= 0)
			return r;
		if (f.kind != FRAME_DOCUMENT || n_fds != 1)
			return -EBADMSG;
		r = in_file((str){ name, f.n }, fd, &in);
		parts = r == 0 ? doc_parts_max(in_size(in)) - PART_COUNT_SMALL : 0;
		slow = r == 0 ? extract_slow_ms(MIN(in_size(in), l->file_max)) : 0;
		alarm((l->deadline_ms + slow + parts * PART_MS) / 1000 + 2); /* should the parent have died */
		r = r == 0 ? doc_read(d, in) : doc_failed(d, r);
		in_close(in);
		if (r < 0)
			return r;
		alarm(0);
		if (++done >= l->files || grown(l))
			end.flags = FRAME_RETIRE;
		r = wire_send(WORKER_SOCKET, &end, NULL, NULL, 0);
		if (r < 0)
			return r;
	}
}

int extract_worker_main(int argc, char **argv)
{
	struct extract_limits l;
	struct sandbox_limits box = { .cpu = CPU_OF_ALL, .files = 16 };
	struct doc d = { .sock = WORKER_SOCKET, .type_of = type_of };
	enum sandbox_fs fs;

	if (argc < 1 || worker_limits_get(argv[0], &l, &d.ocr) < 0)
		return 2;
	ocr_mode_of_worker = d.ocr;
	prctl(PR_SET_NAME, "tyto-extract");
	setlocale(LC_CTYPE, "C.UTF-8"); /* libarchive's names */
	d.text_max = l.text_max;
	d.file_max = l.file_max;
	d.deadline_ms = l.deadline_ms;
	d.hash = sha256_new();
	box.memory = l.memory;
	if (!d.hash || prepare() < 0)
		return 1;
	signal(SIGPIPE, SIG_IGN); /* a program may end before it has read all it is given */
	catch_fatal();
	if (sandbox_library(&box, &fs) < 0)
		return WORKER_NO_SANDBOX;
	return serve(&l, &d) < 0 ? 1 : 0;
}
