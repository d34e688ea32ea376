#include "forward/notified.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>

#define LINE "tyto-notified/1 %llu\n"

static int path_of(const char *state, const char *end, char *out, size_t room)
{
	int n = snprintf(out, room, "%s/notified%s", state, end);

	return n < 0 || (size_t)n >= room ? -ENAMETOOLONG : 0;
}

int notified_write(const char *state, uint64_t upto)
{
	char path[4096], tmp[4096], line[64];
	_cleanup_close_ int fd = -1;
	int n = snprintf(line, sizeof(line), LINE, (unsigned long long)upto), r = path_of(state, "", path, sizeof(path));

	if (r == 0)
		r = path_of(state, ".tmp", tmp, sizeof(tmp));
	if (r < 0)
		return r;
	fd = open(tmp, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
	/* Durable before it takes the place of the old one: after a power cut one of the two is there. */
	if (fd < 0 || write(fd, line, (size_t)n) != n || fdatasync(fd) < 0 || rename(tmp, path) < 0)
		return errno ? -errno : -EIO;
	return 0;
}

int notified_read(const char *state, uint64_t *ret_upto)
{
	char path[4096], end;
	unsigned long long upto;
	int r = path_of(state, "", path, sizeof(path));
	FILE *f = r == 0 ? fopen(path, "re") : NULL;

	if (!f)
		return r < 0 ? r : -errno;
	r = fscanf(f, LINE "%c", &upto, &end) == 1 ? 0 : -EBADMSG;
	fclose(f);
	if (r == 0)
		*ret_upto = upto;
	return r;
}
