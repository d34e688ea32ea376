#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/pidfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#include "who/internal.h"

/* Called with each socket of the process; a copy, closed afterwards. */
typedef void (*socket_fn)(int fd, void *arg);

/* A pidfd that is surely of the process whose /proc folder is dir: while that folder answers, its number has not been given away. */
static int pidfd_of(int dir, pid_t pid, uint64_t start)
{
	_cleanup_close_ int fd = pidfd_open(pid, 0);
	struct stat_facts s;
	int r;

	if (fd < 0)
		return -errno;
	r = procfs_stat(dir, &s);
	if (r < 0)
		return r;
	if (start && s.start != start)
		return -ESRCH;
	return TAKE_FD(fd);
}

static bool is_socket(int fds, const char *name)
{
	char link[16];
	ssize_t n = readlinkat(fds, name, link, sizeof(link));

	return n > 8 && memcmp(link, "socket:[", 8) == 0;
}

/* 1: all descriptors were looked at; 0: there are more; negative: cannot look. */
static int each_socket(struct who *w, pid_t pid, uint64_t start, socket_fn fn, void *arg)
{
	_cleanup_close_ int dir = procfs_open(w->proc_fd, pid), fds = -1, pidfd = -1;
	_Alignas(8) char buf[2048];
	int seen = 0;
	long n;

	if (dir < 0)
		return dir;
	pidfd = pidfd_of(dir, pid, start);
	if (pidfd < 0)
		return pidfd;
	fds = openat(dir, "fd", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fds < 0)
		return -errno;
	w->c.proc_reads++;
	while ((n = syscall(SYS_getdents64, fds, buf, sizeof(buf))) > 0) {
		for (long at = 0; at < n;) {
			const struct dirent64 *e = (const struct dirent64 *)(buf + at);
			uint64_t number;
			int fd;

			at += e->d_reclen;
			if (str_to_u64(str_c(e->d_name), &number) < 0 || number > INT32_MAX)
				continue;
			if (++seen > WHO_FDS_MAX || who_past(w))
				return 0;
			if (!is_socket(fds, e->d_name))
				continue;
			fd = pidfd_getfd(pidfd, (int)number, 0);
			if (fd < 0)
				continue;
			fn(fd, arg);
			close(fd);
		}
	}
	return n < 0 ? -errno : 1;
}

static int option(int fd, int name)
{
	int v = -1;
	socklen_t n = sizeof(v);

	return getsockopt(fd, SOL_SOCKET, name, &v, &n) < 0 ? -1 : v;
}

static void take_tcp(int fd, void *arg)
{
	struct sockaddr_storage here, there;
	socklen_t n_here = sizeof(here), n_there = sizeof(there);
	struct peers *p = arg;
	struct who_addr local;

	if (option(fd, SO_PROTOCOL) != IPPROTO_TCP || getsockname(fd, (struct sockaddr *)&here, &n_here) < 0 ||
	    !addr_from_sockaddr(&here, n_here, &local))
		return;
	if (option(fd, SO_ACCEPTCONN) == 1) {
		if (p->n_ports < PEERS_MAX)
			p->ports[p->n_ports++] = local.port;
		return;
	}
	if (getpeername(fd, (struct sockaddr *)&there, &n_there) < 0)
		return;
	if (p->n == PEERS_MAX) {
		p->complete = false;
		return;
	}
	if (addr_from_sockaddr(&there, n_there, &p->addr[p->n]))
		p->local[p->n++] = local.port;
}

int peers_tcp(struct who *w, pid_t pid, uint64_t start, struct peers *ret)
{
	struct peers p = { .complete = true };
	int r = each_socket(w, pid, start, take_tcp, &p);

	if (r < 0)
		return r;
	p.complete = p.complete && r == 1;
	*ret = p;
	return 0;
}

struct unix_peers {
	pid_t self, *pids;
	size_t n, cap;
	bool more;
};

static void take_unix(int fd, void *arg)
{
	struct unix_peers *u = arg;
	struct ucred cred;
	socklen_t n = sizeof(cred);

	if (option(fd, SO_DOMAIN) != AF_UNIX || option(fd, SO_ACCEPTCONN) != 0 ||
	    getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &n) < 0 || cred.pid <= 0 || cred.pid == u->self)
		return;
	for (size_t i = 0; i < u->n; i++)
		if (u->pids[i] == cred.pid)
			return;
	if (u->n == u->cap)
		u->more = true;
	else
		u->pids[u->n++] = cred.pid;
}

int peers_unix(struct who *w, pid_t pid, uint64_t start, pid_t *pids, size_t cap, size_t *ret_n)
{
	struct unix_peers u = { .self = pid, .pids = pids, .cap = cap };
	int r = each_socket(w, pid, start, take_unix, &u);

	if (r < 0)
		return r;
	if (r == 0 || u.more)
		return -EMSGSIZE;
	*ret_n = u.n;
	return 0;
}
