/* Open, read and close through io_uring: no system call of the reader names the file. Raw system calls: no library is needed for three requests. */
#include <errno.h>
#include <fcntl.h>
#include <linux/io_uring.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#include "base/timefmt.h"
#include "workload.h"

struct uring {
	int fd;
	uint8_t *sq, *cq;
	struct io_uring_sqe *sqe;
	struct io_uring_params p;
};

static void uring_close(struct uring *u)
{
	if (u->sq != MAP_FAILED)
		munmap(u->sq, 4096);
	if (u->cq != MAP_FAILED)
		munmap(u->cq, 4096);
	if (u->sqe != MAP_FAILED)
		munmap(u->sqe, 4096);
	close_fd(&u->fd);
}

/* One entry: both rings are smaller than a page. */
static int uring_open(struct uring *u)
{
	*u = (struct uring){ .sq = MAP_FAILED, .cq = MAP_FAILED, .sqe = MAP_FAILED };
	u->fd = (int)syscall(SYS_io_uring_setup, 1, &u->p);
	if (u->fd < 0)
		return -errno;
	u->sq = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, u->fd, IORING_OFF_SQ_RING);
	u->cq = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, u->fd, IORING_OFF_CQ_RING);
	u->sqe = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, u->fd, IORING_OFF_SQES);
	if (u->sq == MAP_FAILED || u->cq == MAP_FAILED || u->sqe == MAP_FAILED) {
		uring_close(u);
		return -ENOMEM;
	}
	return 0;
}

/* Its result, as a system call's. */
static int uring_do(struct uring *u, const struct io_uring_sqe *request)
{
	_Atomic uint32_t *tail = (_Atomic uint32_t *)(void *)(u->sq + u->p.sq_off.tail), *head = (_Atomic uint32_t *)(void *)(u->cq + u->p.cq_off.head);
	uint32_t at = atomic_load(tail), slot = at & (u->p.sq_entries - 1);
	const struct io_uring_cqe *done = (const void *)(u->cq + u->p.cq_off.cqes);
	int r;

	u->sqe[slot] = *request;
	((uint32_t *)(void *)(u->sq + u->p.sq_off.array))[slot] = slot;
	atomic_store(tail, at + 1);
	if (syscall(SYS_io_uring_enter, u->fd, 1, 1, IORING_ENTER_GETEVENTS, NULL, 0) < 0)
		return -errno;
	r = done[atomic_load(head) & (u->p.cq_entries - 1)].res;
	atomic_fetch_add(head, 1);
	return r;
}

/* In every second round by a worker thread of the kernel, which bears the process's number but not its thread's. */
int workload_uring(struct worker *w, const char *path)
{
	struct io_uring_sqe open = { .opcode = IORING_OP_OPENAT, .fd = AT_FDCWD, .addr = (uintptr_t)path, .open_flags = O_RDONLY | O_CLOEXEC };
	_cleanup_close_ int fd = -1;
	char text[4096];
	struct uring u;
	int64_t t;
	int r = uring_open(&u);

	if (r < 0)
		return r;
	open.flags = w->round % 2 ? IOSQE_ASYNC : 0;
	t = time_boottime();
	fd = uring_do(&u, &open);
	w->c->slowest = MAX(w->c->slowest, time_boottime() - t);
	if (fd >= 0) {
		struct io_uring_sqe read = { .opcode = IORING_OP_READ, .flags = open.flags, .fd = fd, .addr = (uintptr_t)text, .len = sizeof(text) };

		w->c->opens++;
		r = uring_do(&u, &read);
	}
	if (fd >= 0 && r > 0) {
		w->c->reads++;
		w->c->read_bytes += (uint64_t)r;
	}
	uring_close(&u);
	return fd < 0 ? fd : MIN(r, 0);
}
