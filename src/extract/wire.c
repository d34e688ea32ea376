#include "extract/wire.h"

#include <errno.h>
#include <sys/socket.h>
#include <sys/uio.h>

#define FDS_MAX 4

union fd_space {
	struct cmsghdr align;
	char bytes[CMSG_SPACE(sizeof(int) * FDS_MAX)];
};

static int send_rest(int fd, const struct frame *f, const char *p, size_t sent)
{
	while (sent < sizeof(*f) + f->n) {
		struct iovec v[2] = {
			{ (char *)f + MIN(sent, sizeof(*f)), sizeof(*f) - MIN(sent, sizeof(*f)) },
			{ (char *)p + (sent > sizeof(*f) ? sent - sizeof(*f) : 0), f->n - (sent > sizeof(*f) ? sent - sizeof(*f) : 0) },
		};
		struct msghdr m = { .msg_iov = v, .msg_iovlen = f->n ? 2 : 1 };
		ssize_t k = sendmsg(fd, &m, MSG_NOSIGNAL);

		if (k < 0 && errno == EINTR)
			continue;
		if (k < 0)
			return -errno;
		sent += (size_t)k;
	}
	return 0;
}

int wire_send(int fd, const struct frame *f, const void *p, const int *fds, size_t n_fds)
{
	union fd_space space = { 0 };
	struct iovec v = { (void *)f, sizeof(*f) };
	struct msghdr m = { .msg_iov = &v, .msg_iovlen = 1 };
	ssize_t k;

	if (n_fds > FDS_MAX)
		return -EINVAL;
	if (n_fds) {
		struct cmsghdr *c;

		m.msg_control = space.bytes;
		m.msg_controllen = CMSG_SPACE(sizeof(int) * n_fds);
		c = CMSG_FIRSTHDR(&m);
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(sizeof(int) * n_fds);
		memcpy(CMSG_DATA(c), fds, sizeof(int) * n_fds);
	}
	do
		k = sendmsg(fd, &m, MSG_NOSIGNAL);
	while (k < 0 && errno == EINTR);
	if (k <= 0)
		return k < 0 ? -errno : -EPIPE;
	return send_rest(fd, f, p, (size_t)k);
}

static void take_fds(struct msghdr *m, int *fds, size_t max, size_t *n)
{
	for (struct cmsghdr *c = CMSG_FIRSTHDR(m); c; c = CMSG_NXTHDR(m, c)) {
		size_t k = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);

		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
			continue;
		for (size_t i = 0; i < k; i++) {
			int fd;

			memcpy(&fd, CMSG_DATA(c) + i * sizeof(int), sizeof(int));
			if (*n < max)
				fds[(*n)++] = fd;
			else
				close(fd);
		}
	}
}

/* Descriptors come with the first byte of the head, and only there. */
int wire_recv(int fd, struct frame *f, void *p, size_t max, int *fds, size_t max_fds, size_t *ret_n_fds)
{
	size_t got = 0, n_fds = 0;

	*ret_n_fds = 0;
	while (got < sizeof(*f) || got < sizeof(*f) + f->n) {
		union fd_space space;
		struct iovec v = { (char *)f + got, sizeof(*f) - got };
		struct msghdr m = { .msg_iov = &v, .msg_iovlen = 1, .msg_control = space.bytes, .msg_controllen = sizeof(space) };
		ssize_t k;

		if (got >= sizeof(*f)) {
			if (f->n > max)
				return -EBADMSG;
			v = (struct iovec){ (char *)p + got - sizeof(*f), f->n - (got - sizeof(*f)) };
		}
		k = recvmsg(fd, &m, MSG_CMSG_CLOEXEC);
		if (k < 0 && errno == EINTR)
			continue;
		if (k < 0)
			return -errno;
		take_fds(&m, fds, max_fds, &n_fds);
		*ret_n_fds = n_fds;
		if (k == 0)
			return got ? -EBADMSG : 0;
		got += (size_t)k;
	}
	return 1;
}
