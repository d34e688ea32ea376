/* The worker's side of a program: asks the parent for it, feeds it and reads it until it has said everything. */
#include <errno.h>
#include <poll.h>

#include "extract/in.h"
#include "extract/sink.h"

#define ERR_MAX 4096

struct pipes {
	int fds[3]; /* stdout, stderr, stdin; -1 closed */
	struct in *in;
	uint64_t at; /* of the input, written */
};

/* 1 more, 0 its end, negative errno. */
static int drain(int fd, struct buf *b, size_t max, bool cut)
{
	char spare[4096];
	size_t room = b->n < max ? max - b->n : 0;
	ssize_t k;

	if (room && buf_reserve(b, MIN(room, (size_t)64 << 10)) < 0)
		return -ENOMEM;
	k = room ? read(fd, b->p + b->n, MIN(room, (size_t)64 << 10)) : read(fd, spare, sizeof(spare));
	if (k < 0)
		return errno == EAGAIN || errno == EINTR ? 1 : -errno;
	if (k > 0 && !room)
		return cut ? 1 : -EMSGSIZE;
	b->n += (size_t)k;
	return k > 0;
}

static int feed(struct pipes *p)
{
	char piece[16 << 10];
	ssize_t n = in_read(p->in, p->at, piece, sizeof(piece)), k;

	if (n <= 0)
		return (int)n;
	k = write(p->fds[2], piece, (size_t)n);
	if (k < 0 && errno == EPIPE)
		return 0;
	if (k < 0)
		return errno == EAGAIN || errno == EINTR ? 1 : -errno;
	p->at += (size_t)k;
	return 1;
}

static int pump(struct pipes *p, struct buf *out, struct buf *err)
{
	size_t max = out->max ? out->max : TEXT_MAX;

	while (p->fds[0] >= 0 || p->fds[1] >= 0) {
		struct pollfd w[3] = { { p->fds[0], POLLIN, 0 }, { p->fds[1], POLLIN, 0 }, { p->fds[2], POLLOUT, 0 } };

		if (poll(w, 3, -1) < 0 && errno != EINTR) /* the parent's clock runs */
			return -errno;
		for (size_t i = 0; i < 3; i++) {
			int r;

			if (p->fds[i] < 0 || !w[i].revents)
				continue;
			r = i == 0 ? drain(p->fds[0], out, max, false) : i == 1 ? drain(p->fds[1], err, ERR_MAX, true) : feed(p);
			if (r < 0)
				return r;
			if (r == 0)
				close_fd(&p->fds[i]);
		}
	}
	return 0;
}

/* 0 with the pipes, or negative errno. */
static int ask(struct doc *d, const struct program_request *q, struct pipes *p)
{
	struct frame f = { .n = sizeof(*q), .kind = FRAME_PROGRAM };
	size_t n = 0, want = q->document ? 2 : 3;
	int32_t error = 0;
	int r;

	r = doc_flush(d);
	if (r == 0)
		r = wire_send(d->sock, &f, q, NULL, 0);
	if (r == 0)
		r = wire_recv(d->sock, &f, &error, sizeof(error), p->fds, 3, &n);
	if (r <= 0 || f.kind != FRAME_PROGRAM_FDS || f.n != sizeof(error) || (error == 0 && n != want)) {
		d->send_error = r < 0 ? r : -EPIPE;
		return d->send_error;
	}
	return error;
}

int in_program(struct in *in, struct sink *s, enum program which, uint32_t first, uint32_t last, struct buf *out, struct buf *err,
		int *ret_status)
{
	struct pipes p = { .fds = { -1, -1, -1 }, .in = in };
	struct doc *d = sink_doc(s);
	struct program_request q = { .program = which, .first = first, .last = last, .document = in_fd(in) >= 0 };
	struct frame f;
	int32_t status;
	size_t n;
	int r = ask(d, &q, &p), k;

	if (r < 0) {
		if (r == -ENOENT)
			sink_reason(s, "the program that reads it is not installed");
		for (size_t i = 0; i < 3; i++)
			close_fd(&p.fds[i]);
		return d->send_error ? r : -ENOTSUP;
	}
	r = pump(&p, out, err);
	for (size_t i = 0; i < 3; i++)
		close_fd(&p.fds[i]);
	f = (struct frame){ .kind = FRAME_PROGRAM_END, .flags = r < 0 ? FRAME_CUT : 0 };
	k = wire_send(d->sock, &f, NULL, NULL, 0);
	if (k == 0)
		k = wire_recv(d->sock, &f, &status, sizeof(status), NULL, 0, &n);
	if (k <= 0 || f.kind != FRAME_PROGRAM_STATUS || f.n != sizeof(status)) {
		d->send_error = k < 0 ? k : -EPIPE;
		return d->send_error;
	}
	*ret_status = status;
	return r;
}
