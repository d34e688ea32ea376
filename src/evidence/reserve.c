#include "evidence/reserve.h"

#include <errno.h>
#include <fcntl.h>

#include "base/buf.h"
#include "base/hash.h"
#include "base/varint.h"
#include "evidence/vfs.h"

static void head_put(uint8_t out[static RESERVE_HEAD], const struct reserve *r)
{
	memset(out, 0, RESERVE_HEAD);
	memcpy(out, "TYTORSV1", 8);
	out[8] = r->open;
	put_be64(out + 16, (uint64_t)r->from);
	put_be64(out + 24, (uint64_t)r->to);
	put_be64(out + 32, r->lost);
	put_be32(out + 60, crc32c(0, out, 60));
}

int reserve_parse(const uint8_t *p, size_t n, struct reserve *ret)
{
	struct reserve r = { .fd = -1 };
	uint8_t again[RESERVE_HEAD];

	if (n != RESERVE_BYTES)
		return -EBADMSG;
	r.open = p[8] == 1;
	r.from = (int64_t)get_be64(p + 16);
	r.to = (int64_t)get_be64(p + 24);
	r.lost = get_be64(p + 32);
	/* Canonical: what it says, written again, is what stands there. */
	head_put(again, &r);
	if (memcmp(again, p, RESERVE_HEAD) != 0)
		return -EBADMSG;
	for (size_t i = RESERVE_HEAD; i < n; i++)
		if (p[i])
			return -EBADMSG;
	if (!r.open && (r.from || r.to || r.lost))
		return -EBADMSG;
	*ret = r;
	return 0;
}

int reserve_open(int log_fd, struct reserve *ret)
{
	_cleanup_buf_ struct buf b = BUF_INIT;
	struct reserve r = { .fd = -1 };
	int e = read_file(log_fd, "reserve", RESERVE_BYTES, &b);

	if (e == -ENOENT) {
		if (buf_reserve(&b, RESERVE_BYTES) < 0)
			return -ENOMEM;
		memset(b.p, 0, RESERVE_BYTES);
		head_put((uint8_t *)b.p, &r);
		e = vfs_replace(log_fd, "reserve", b.p, RESERVE_BYTES, NULL);
	} else if (e == 0) {
		e = reserve_parse((const uint8_t *)b.p, b.n, &r);
	}
	if (e < 0)
		return e;
	r.fd = vfs_open(log_fd, "reserve", O_WRONLY, 0);
	if (r.fd < 0)
		return r.fd;
	*ret = r;
	return 0;
}

int reserve_write(struct reserve *r)
{
	uint8_t head[RESERVE_HEAD];
	int e;

	if (!r->open)
		*r = (struct reserve){ .fd = r->fd };
	head_put(head, r);
	e = vfs_pwrite(r->fd, head, sizeof(head), 0);
	if (e == 0 && vfs_fsync(r->fd) < 0)
		e = -EIO;
	return e;
}
