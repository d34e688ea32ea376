#include <errno.h>
#include <linux/cn_proc.h>
#include <linux/connector.h>
#include <linux/netlink.h>
#include <sys/socket.h>

#include "who/internal.h"

#define RECEIVE_BUFFER (8 * 1024 * 1024)
#define BATCH 64
#define ROUNDS_MAX 4096 /* more than the buffer holds: a fork bomb must not keep us here */
#define MESSAGE_MAX 256 /* the kernel's are 76 bytes */

static int subscribe(int fd)
{
	struct {
		struct nlmsghdr nl;
		struct cn_msg cn;
		enum proc_cn_mcast_op op;
	} __attribute__((packed)) m = {
		.nl = { .nlmsg_len = sizeof(m), .nlmsg_type = NLMSG_DONE, .nlmsg_pid = 0 },
		.cn = { .id = { .idx = CN_IDX_PROC, .val = CN_VAL_PROC }, .len = sizeof(m.op) },
		.op = PROC_CN_MCAST_LISTEN,
	};

	return send(fd, &m, sizeof(m), 0) == (ssize_t)sizeof(m) ? 0 : -errno;
}

/* The answer to our subscription: the kernel refuses (EPERM in a user or pid namespace of its own) by a message of kind NONE. */
static int acknowledged(int fd)
{
	struct timeval wait = { .tv_usec = 200 * 1000 };
	_Alignas(8) char buf[MESSAGE_MAX];

	if (setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof(wait)) < 0)
		return -errno;
	for (int i = 0; i < 1000; i++) {
		ssize_t n = recv(fd, buf, sizeof(buf), 0);
		struct proc_event ev;

		if (n < 0)
			return errno == EAGAIN ? -EOPNOTSUPP : -errno;
		if ((size_t)n < NLMSG_HDRLEN + sizeof(struct cn_msg) + offsetof(struct proc_event, event_data) + sizeof(ev.event_data.ack))
			continue;
		memcpy(&ev, buf + NLMSG_HDRLEN + sizeof(struct cn_msg), MIN(sizeof(ev), (size_t)n - NLMSG_HDRLEN - sizeof(struct cn_msg)));
		if (ev.what == PROC_EVENT_NONE)
			return -(int)ev.event_data.ack.err;
	}
	return -EOPNOTSUPP;
}

int connector_open(void)
{
	_cleanup_close_ int fd = socket(AF_NETLINK, SOCK_DGRAM | SOCK_CLOEXEC, NETLINK_CONNECTOR);
	struct sockaddr_nl addr = { .nl_family = AF_NETLINK, .nl_groups = CN_IDX_PROC };
	int size = RECEIVE_BUFFER, r;

	if (fd < 0)
		return -errno;
	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size)) < 0)
		setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
	if (bind(fd, (struct sockaddr *)&addr, sizeof(addr)) < 0)
		return -errno;
	r = subscribe(fd);
	if (r == 0)
		r = acknowledged(fd);
	if (r < 0)
		return r;
	return fd_above(TAKE_FD(fd), 400); /* low numbers are wanted for what is opened a short time */
}

bool connector_message(struct who *w, const void *msg, size_t n)
{
	const size_t head = NLMSG_HDRLEN + sizeof(struct cn_msg), data = offsetof(struct proc_event, event_data);
	struct proc_event e = { 0 };
	struct nlmsghdr nl;
	struct cn_msg cn;
	int64_t when;

	if (n < head + data)
		return false;
	memcpy(&nl, msg, sizeof(nl));
	memcpy(&cn, (const char *)msg + NLMSG_HDRLEN, sizeof(cn));
	if (nl.nlmsg_type != NLMSG_DONE || cn.id.idx != CN_IDX_PROC || cn.id.val != CN_VAL_PROC || n - head < cn.len || cn.len < data)
		return false;
	memcpy(&e, (const char *)msg + head, MIN(sizeof(e), (size_t)cn.len));
	when = (int64_t)e.timestamp_ns;
	w->c.messages++;
	switch (e.what) {
	case PROC_EVENT_FORK:
		table_fork(w, e.event_data.fork.parent_pid, e.event_data.fork.parent_tgid, e.event_data.fork.child_pid, e.event_data.fork.child_tgid,
			   when);
		break;
	case PROC_EVENT_EXEC:
		table_exec(w, e.event_data.exec.process_pid, e.event_data.exec.process_tgid, when);
		break;
	case PROC_EVENT_UID:
		table_uid(w, e.event_data.id.process_pid, e.event_data.id.e.euid, when);
		break;
	case PROC_EVENT_EXIT:
		table_exit(w, e.event_data.exit.process_pid, when);
		break;
	default: /* GID, SID, PTRACE, COMM, COREDUMP change nothing that we keep */
		break;
	}
	return true;
}

/* Only the kernel's messages count: anybody may send to a netlink port, but sender 0 cannot be forged. After a loss the messages that
 * still wait are older than it: they are taken in, then everything is forgotten. */
void connector_drain(struct who *w)
{
	_Alignas(8) char bytes[BATCH][MESSAGE_MAX];
	struct sockaddr_nl from[BATCH];
	struct iovec iov[BATCH];
	struct mmsghdr m[BATCH];
	int64_t start = who_clock();
	bool lost = false, emptied = false;

	for (size_t i = 0; i < BATCH; i++) {
		iov[i] = (struct iovec){ .iov_base = bytes[i], .iov_len = MESSAGE_MAX };
		m[i] = (struct mmsghdr){ .msg_hdr = { .msg_name = &from[i], .msg_iov = &iov[i], .msg_iovlen = 1 } };
	}
	for (int round = 0; round < ROUNDS_MAX; round++) {
		int n;

		for (size_t i = 0; i < BATCH; i++)
			m[i].msg_hdr.msg_namelen = sizeof(from[i]);
		n = recvmmsg(w->netlink, m, BATCH, MSG_DONTWAIT, NULL);
		if (n < 0 && errno == ENOBUFS) {
			w->c.lost_messages++;
			lost = true;
		} else if (n < 0 && errno != EINTR) {
			emptied = errno == EAGAIN;
			break;
		}
		for (int i = 0; i < n; i++)
			if (m[i].msg_hdr.msg_namelen == sizeof(from[i]) && from[i].nl_pid == 0)
				connector_message(w, bytes[i], m[i].msg_len);
	}
	if (lost) {
		execs_unsure(w);
		table_drop_all(w);
	}
	if (emptied)
		w->drained = start;
}
