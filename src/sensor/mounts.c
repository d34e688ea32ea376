#include "sensor/mounts.h"

#include "sensor/groups.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/sysmacros.h>

#include "base/buf.h"

static void free_list(struct mount **m, size_t *n)
{
	for (size_t i = 0; i < *n; i++)
		free((*m)[i].path);
	free(*m);
	*m = NULL;
	*n = 0;
}

void mounts_close(struct mounts *m)
{
	free_list(&m->m, &m->n);
	free_list(&m->gone, &m->n_gone);
	close_fd(&m->fd);
}

int mounts_open(struct mounts *m)
{
	*m = (struct mounts){ .fd = fd_above(open("/proc/self/mountinfo", O_RDONLY | O_CLOEXEC), FAN_FD_HIGH) };
	if (m->fd < 0)
		return -errno;
	return mounts_read(m);
}

/* \040 and the like, in place. */
static void unescape(char *s)
{
	char *to = s;

	for (; *s; s++) {
		if (s[0] == '\\' && s[1] >= '0' && s[1] <= '3' && s[2] >= '0' && s[2] <= '7' && s[3] >= '0' && s[3] <= '7') {
			*to++ = (char)((s[1] - '0') << 6 | (s[2] - '0') << 3 | (s[3] - '0'));
			s += 3;
		} else {
			*to++ = *s;
		}
	}
	*to = '\0';
}

/* "36 35 98:0 /mnt1 /mnt2 rw,noatime …": proc(5). */
static int parse_line(char *line, struct mount *ret)
{
	unsigned major, minor;
	char *path;
	int at = 0;

	if (sscanf(line, "%d %*d %u:%u %*s %n", &ret->id, &major, &minor, &at) < 3 || at == 0)
		return -EBADMSG;
	path = line + at;
	path[strcspn(path, " ")] = '\0';
	unescape(path);
	ret->dev = makedev(major, minor);
	ret->path = strdup(path);
	ret->known = false;
	return ret->path ? 0 : -ENOMEM;
}

static int read_all(int fd, struct buf *b)
{
	ssize_t n;

	if (lseek(fd, 0, SEEK_SET) < 0)
		return -errno;
	do {
		if (buf_reserve(b, 16384) < 0)
			return -ENOMEM;
		n = read(fd, b->p + b->n, 16384);
		if (n > 0)
			b->n += (size_t)n;
	} while (n > 0);
	return n < 0 ? -errno : 0;
}

static bool take_same(struct mounts *old, const struct mount *m)
{
	for (size_t i = 0; i < old->n; i++) {
		struct mount *o = &old->m[i];

		if (o->path && o->id == m->id && o->dev == m->dev && strcmp(o->path, m->path) == 0) {
			free(o->path);
			o->path = NULL;
			return true;
		}
	}
	return false;
}

int mounts_read(struct mounts *m)
{
	_cleanup_buf_ struct buf b = BUF_INIT;
	struct mounts old = { .m = m->m, .n = m->n };
	struct mount *list = NULL;
	size_t n = 0, cap = 0;
	int r = read_all(m->fd, &b);

	if (r < 0 || !buf_cstr(&b))
		return r < 0 ? r : -ENOMEM;
	for (char *line = b.p, *next; line && *line; line = next) {
		next = strchr(line, '\n');
		if (next)
			*next++ = '\0';
		if (n == cap) {
			struct mount *more = realloc(list, (cap = cap ? cap * 2 : 64) * sizeof(*list));

			if (!more)
				break;
			list = more;
		}
		if (parse_line(line, &list[n]) == 0) {
			list[n].known = take_same(&old, &list[n]);
			n++;
		}
	}
	free_list(&m->gone, &m->n_gone);
	/* What was not found again, closed up. */
	for (size_t i = 0; i < old.n; i++)
		if (old.m[i].path)
			old.m[m->n_gone++] = old.m[i];
	m->gone = old.m;
	m->m = list;
	m->n = n;
	return 0;
}
