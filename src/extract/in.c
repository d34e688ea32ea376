/* struct in: a file read by pread, small ones at once; or memory. */
#include "extract/in.h"

#include <errno.h>
#include <strings.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>

#include "base/hash.h"

#define SMALL (4u << 20)    /* loaded at once */
#define WINDOW (256u << 10)

struct in {
	str name;
	int fd;
	uint64_t size;
	str mem;         /* all of it, when p is set */
	char *own;       /* what mem points to, if ours */
	char *window;
	uint64_t window_at;
	size_t window_n;
	struct stat st;
	int err;
};

/* Not the C library's: it asks by path (newfstatat), which the sandbox refuses. Where long has 64 bits, the kernel's struct stat is the
 * same. */
_Static_assert(sizeof(long) == 8, "SYS_fstat fills another struct stat here");
static int file_stat(int fd, struct stat *st)
{
	return syscall(SYS_fstat, fd, st) < 0 ? -errno : 0;
}

static ssize_t pread_all(struct in *in, uint64_t at, void *p, size_t n)
{
	size_t got = 0;

	while (got < n) {
		ssize_t k = pread(in->fd, (char *)p + got, n - got, (off_t)(at + got));

		if (k < 0 && errno == EINTR)
			continue;
		if (k < 0)
			in->err = -errno;
		if (k <= 0)
			break;
		got += (size_t)k;
	}
	return got || !in->err ? (ssize_t)got : in->err;
}

static int load(struct in *in)
{
	ssize_t k;

	in->own = malloc(in->size + 1);
	if (!in->own)
		return -ENOMEM;
	k = pread_all(in, 0, in->own, in->size);
	if (k < 0)
		return (int)k;
	in->mem = (str){ in->own, (size_t)k };
	return 0;
}

static struct in *in_new(str name, int fd)
{
	struct in *in = calloc(1, sizeof(*in) + name.n);

	if (!in)
		return NULL;
	if (name.n)
		memcpy(in + 1, name.p, name.n);
	in->name = (str){ (char *)(in + 1), name.n };
	in->fd = fd;
	return in;
}

int in_file(str name, int fd, struct in **ret)
{
	struct in *in = in_new(name, fd);
	int r;

	if (!in)
		return -ENOMEM;
	r = file_stat(fd, &in->st);
	if (r == 0)
		in->size = (uint64_t)in->st.st_size;
	if (r == 0 && in->size <= SMALL)
		r = load(in);
	if (r < 0) {
		in_close(in);
		return r;
	}
	*ret = in;
	return 0;
}

struct in *in_memory(str name, str bytes)
{
	struct in *in = in_new(name, -1);

	if (in) {
		in->mem = bytes.p ? bytes : STR("");
		in->size = bytes.n;
	}
	return in;
}

struct in *in_close(struct in *in)
{
	if (in) {
		free(in->own);
		free(in->window);
	}
	free(in);
	return NULL;
}

ssize_t in_read(struct in *in, uint64_t at, void *p, size_t n)
{
	ssize_t k;

	if (in->mem.p) {
		n = at >= in->mem.n ? 0 : MIN(n, in->mem.n - at);
		if (n)
			memcpy(p, in->mem.p + at, n);
		return (ssize_t)n;
	}
	if (at >= in->size)
		return 0;
	n = MIN(n, in->size - at);
	if (n >= WINDOW)
		return pread_all(in, at, p, n);
	if (at < in->window_at || at + n > in->window_at + in->window_n) {
		if (!in->window)
			in->window = malloc(WINDOW);
		if (!in->window)
			return -ENOMEM;
		in->window_n = 0;
		k = pread_all(in, at, in->window, WINDOW);
		if (k < 0)
			return k;
		in->window_at = at;
		in->window_n = (size_t)k;
	}
	n = MIN(n, in->window_n - (size_t)(at - in->window_at));
	memcpy(p, in->window + (at - in->window_at), n);
	return (ssize_t)n;
}

uint64_t in_size(const struct in *in)
{
	return in->size;
}

int in_whole(struct in *in, size_t max, str *ret)
{
	int r;

	if (in->size > MIN(max, (size_t)IN_WHOLE_MAX))
		return -EMSGSIZE;
	if (!in->mem.p) {
		r = load(in);
		if (r < 0)
			return r;
	}
	*ret = in->mem;
	return 0;
}

str in_head(struct in *in)
{
	ssize_t k;

	if (in->mem.p)
		return (str){ in->mem.p, MIN(in->mem.n, (size_t)IN_HEAD) };
	if (!in->window_n || in->window_at) {
		char c;

		k = in_read(in, 0, &c, 1);
		if (k <= 0)
			return STR("");
	}
	return in->window_at ? STR("") : (str){ in->window, MIN(in->window_n, (size_t)IN_HEAD) };
}

str in_name(const struct in *in)
{
	return in->name;
}

bool in_name_is(const struct in *in, const char *ext)
{
	size_t n = strlen(ext);

	return in->name.n > n && in->name.p[in->name.n - n - 1] == '.' && strncasecmp(in->name.p + in->name.n - n, ext, n) == 0;
}

int in_fd(const struct in *in)
{
	return in->fd;
}

int in_unchanged(struct in *in)
{
	struct stat st;

	if (in->fd < 0)
		return 0;
	if (in->err)
		return -EIO;
	if (file_stat(in->fd, &st) < 0)
		return -EIO;
	if (st.st_size != in->st.st_size || st.st_mtim.tv_sec != in->st.st_mtim.tv_sec || st.st_mtim.tv_nsec != in->st.st_mtim.tv_nsec)
		return -ESTALE;
	return 0;
}

int in_hash(struct in *in, struct sha256 *h, uint32_t limit_ms, uint8_t ret[static 32])
{
	_cleanup_free_ char *p = NULL;
	int64_t end = monotonic_ms() + limit_ms;

	sha256_init(h);
	if (in->mem.p) {
		sha256_update(h, in->mem.p, in->mem.n);
		sha256_final(h, ret);
		return 0;
	}
	p = malloc(WINDOW);
	if (!p)
		return -ENOMEM;
	for (uint64_t at = 0;;) {
		ssize_t k = pread_all(in, at, p, WINDOW);

		if (k < 0)
			return (int)k;
		if (k == 0)
			break;
		sha256_update(h, p, (size_t)k);
		at += (size_t)k;
		if (monotonic_ms() > end)
			return -ETIME;
	}
	sha256_final(h, ret);
	return 0;
}
