#include "daemon/proto.h"

#include <errno.h>
#include <poll.h>
#include <sys/socket.h>

#include "base/varint.h"

void proto_put(struct buf *b, enum proto_kind kind, str body)
{
	buf_put_be32(b, (uint32_t)body.n + 1);
	buf_putc(b, (char)kind);
	buf_puts(b, body);
}

int proto_take(str s, enum proto_kind *ret_kind, str *ret_body, size_t *ret_used)
{
	uint32_t n;

	if (s.n < 4)
		return 0;
	n = get_be32(s.p);
	if (n < 1 || n > PROTO_MAX)
		return -EBADMSG;
	if (s.n - 4 < n)
		return 0;
	*ret_kind = (enum proto_kind)(uint8_t)s.p[4];
	*ret_body = (str){ s.p + 5, n - 1 };
	*ret_used = 4 + (size_t)n;
	return 1;
}

static int wait_for(int fd, short what, int timeout_ms)
{
	struct pollfd p = { .fd = fd, .events = what };
	int r = poll(&p, 1, timeout_ms);

	if (r < 0)
		return -errno;
	return r == 0 ? -ETIMEDOUT : 0;
}

int proto_write(int fd, str bytes, int timeout_ms)
{
	while (bytes.n) {
		ssize_t n = send(fd, bytes.p, bytes.n, MSG_NOSIGNAL | MSG_DONTWAIT);

		if (n < 0 && errno == EAGAIN) {
			int r = wait_for(fd, POLLOUT, timeout_ms);

			if (r < 0)
				return r;
			continue;
		}
		if (n < 0)
			return -errno;
		bytes.p += n;
		bytes.n -= (size_t)n;
	}
	return 0;
}

int proto_send(int fd, enum proto_kind kind, str body, int timeout_ms)
{
	_cleanup_buf_ struct buf b = BUF_INIT;

	proto_put(&b, kind, body);
	return buf_error(&b) ? buf_error(&b) : proto_write(fd, buf_str(&b), timeout_ms);
}

int proto_recv(struct proto_reader *r, enum proto_kind *ret_kind, str *ret_body, int timeout_ms)
{
	if (r->used) {
		memmove(r->b.p, r->b.p + r->used, r->b.n - r->used);
		r->b.n -= r->used;
		r->used = 0;
	}
	for (;;) {
		int k = proto_take(buf_str(&r->b), ret_kind, ret_body, &r->used);
		ssize_t n;

		if (k)
			return k < 0 ? k : 0;
		k = wait_for(r->fd, POLLIN, timeout_ms);
		if (k < 0)
			return k;
		k = buf_reserve(&r->b, PROTO_MAX);
		if (k < 0)
			return k;
		n = recv(r->fd, r->b.p + r->b.n, PROTO_MAX, 0);
		if (n < 0)
			return -errno;
		if (n == 0)
			return -ECONNRESET;
		r->b.n += (size_t)n;
	}
}
