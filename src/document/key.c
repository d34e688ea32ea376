/* The key of identifiers: made once, never leaves the state directory. */
#include <errno.h>
#include <fcntl.h>
#include <sys/random.h>
#include <sys/stat.h>

#include "document/internal.h"

int documents_key(const char *state, uint8_t ret[static IDENTIFIER_KEY])
{
	_cleanup_buf_ struct buf dir = BUF_INIT;
	_cleanup_close_ int at = -1, fd = -1;
	uint8_t key[IDENTIFIER_KEY];
	int tries;

	buf_putf(&dir, "%s/documents", state);
	if (!buf_cstr(&dir))
		return documents_fail(-ENOMEM, "no memory");
	if (mkdir(dir.p, 0700) < 0 && errno != EEXIST)
		return documents_fail(-errno, "%s: %m", dir.p);
	at = open(dir.p, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (at < 0)
		return documents_fail(-errno, "%s: %m", dir.p);
	for (tries = 0; tries < 2; tries++) {
		fd = openat(at, "key", O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
		if (fd >= 0) {
			if (read(fd, ret, IDENTIFIER_KEY) != IDENTIFIER_KEY)
				return documents_fail(-EUCLEAN, "%s/key: expected %d bytes", dir.p, IDENTIFIER_KEY);
			return 0;
		}
		if (errno != ENOENT)
			return documents_fail(-errno, "%s/key: %m", dir.p);
		/* Whole or not at all; whoever comes first wins. */
		unlinkat(at, "key.tmp", 0);
		fd = openat(at, "key.tmp", O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0400);
		if (fd < 0 || getrandom(key, sizeof(key), 0) != sizeof(key) || write(fd, key, sizeof(key)) != sizeof(key) || fsync(fd) < 0)
			return documents_fail(errno ? -errno : -EIO, "%s/key.tmp: %m", dir.p);
		close_fd(&fd);
		if (linkat(at, "key.tmp", at, "key", 0) < 0 && errno != EEXIST)
			return documents_fail(-errno, "%s/key: %m", dir.p);
		unlinkat(at, "key.tmp", 0);
		if (fsync(at) < 0)
			return documents_fail(-errno, "%s: %m", dir.p);
	}
	return documents_fail(-EIO, "%s/key cannot be made", dir.p);
}
