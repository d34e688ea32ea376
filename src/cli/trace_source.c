#include "cli/trace_source.h"

#include <errno.h>
#include <sys/stat.h>

#include "base/hash.h"

#define PLACES_MAX 32 /* tried for one document */
#define CHUNK (256 << 10)

struct places {
	struct buf paths; /* NUL behind each */
	size_t n;
};

static int add_path(struct places *p, str path)
{
	if (p->n == PLACES_MAX)
		return 1;
	p->n++;
	buf_puts(&p->paths, path);
	buf_putc(&p->paths, '\0');
	return buf_error(&p->paths);
}

static int take_place(void *arg, const struct place *p)
{
	return p->gone ? 0 : add_path(arg, p->path);
}

static int take_stood(void *arg, const struct stood *s)
{
	return add_path(arg, s->path);
}

/* The whole of it has that hash. */
static bool holds(int fd, const uint8_t hash[static 32])
{
	_cleanup_sha256_ struct sha256 *h = sha256_new();
	_cleanup_free_ char *chunk = malloc(CHUNK);
	uint8_t got[32];
	off_t at = 0;
	ssize_t n;

	if (!h || !chunk)
		return false;
	sha256_init(h);
	while ((n = pread(fd, chunk, CHUNK, at)) > 0) {
		sha256_update(h, chunk, (size_t)n);
		at += n;
	}
	sha256_final(h, got);
	return n == 0 && memcmp(got, hash, 32) == 0;
}

static void put_name(struct buf *name, str path)
{
	const char *slash = path.n ? memrchr(path.p, '/', path.n) : NULL;

	buf_clear(name);
	buf_puts(name, slash ? (str){ slash + 1, (size_t)(path.p + path.n - slash - 1) } : path);
}

/* Itself, or the outermost container that can be opened: whoever reads it looks for the part with that hash. */
static int open_place(struct sources *s, str path, const uint8_t hash[static 32], struct buf *name)
{
	int fd, r = walk_open(s->walk, path, &fd);

	if (r == 0 && holds(fd, hash)) {
		put_name(name, path);
		return fd;
	}
	if (r == 0)
		close(fd);
	for (size_t n = 1; n + 1 < path.n; n++) {
		if (path.p[n] != '!' || path.p[n + 1] != '/' || walk_open(s->walk, (str){ path.p, n }, &fd) < 0)
			continue;
		put_name(name, (str){ path.p, n });
		return fd;
	}
	return -ENOENT;
}

int source_open(void *arg, const uint8_t hash[static 32], struct buf *ret_name)
{
	struct sources *s = arg;
	struct places p = { 0 };
	_cleanup_buf_ struct buf now = BUF_INIT;
	const char *path;
	bool gone;
	int r = holders_path(s->holders, hash, &now, &gone);

	if (r == 0)
		add_path(&p, buf_str(&now));
	r = documents_of_hash(s->documents, hash, take_place, &p);

	if (r >= 0)
		r = documents_stood(s->documents, hash, take_stood, &p);
	r = r < 0 ? r : -ENOENT;
	path = p.paths.p;
	for (size_t i = 0; r == -ENOENT && i < p.n; i++) {
		r = open_place(s, str_c(path), hash, ret_name);
		path += strlen(path) + 1;
	}
	buf_free(&p.paths);
	return r;
}
