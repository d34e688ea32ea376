#include "cli/files.h"

#include <errno.h>
#include <fcntl.h>

#include "base/log.h"

int files_read(const char *path, struct buf *b)
{
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	ssize_t n = -1;
	int r = fd < 0 ? -errno : 0;

	while (r == 0 && n != 0) {
		r = buf_reserve(b, 4096);
		if (r < 0)
			break;
		n = read(fd, b->p + b->n, 4096);
		if (n < 0)
			r = -errno;
		else
			b->n += (size_t)n;
	}
	if (r < 0)
		log_error("%s: %s", path, strerror(-r));
	return r;
}

int files_read_keys(const char *path, struct buf *b, struct note_verifier keys[static NOTE_KEYS_MAX], size_t *ret_n)
{
	size_t n = 0;
	unsigned line = 0;
	int r = files_read(path, b);

	for (size_t i = 0; r == 0 && i < b->n;) {
		const char *end = memchr(b->p + i, '\n', b->n - i);
		size_t len = end ? (size_t)(end - b->p) - i : b->n - i;

		line++;
		if (len) {
			if (n == NOTE_KEYS_MAX || note_verifier_parse((str){ b->p + i, len }, &keys[n]) < 0) {
				log_error("%s, line %u: expected a verifier key, NAME+HASH+BASE64", path, line);
				return -EBADMSG;
			}
			n++;
		}
		i += len + 1;
	}
	if (r == 0 && n == 0) {
		log_error("%s: expected verifier keys, found none", path);
		r = -EBADMSG;
	}
	if (r == 0)
		*ret_n = n;
	return r;
}

int files_write(const char *path, str bytes)
{
	/* A link that somebody else has put there must not make root write elsewhere; /dev/stdout and the like are the system's own. */
	int link = strncmp(path, "/dev/", 5) == 0 ? 0 : O_NOFOLLOW;
	_cleanup_close_ int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOCTTY | link, 0644);
	int r = fd < 0 ? -errno : 0;

	while (r == 0 && bytes.n) {
		ssize_t n = write(fd, bytes.p, bytes.n);

		if (n < 0) {
			r = -errno;
			break;
		}
		bytes.p += n;
		bytes.n -= (size_t)n;
	}
	if (r < 0)
		log_error("%s: %s", path, r == -ELOOP ? "is a symbolic link; expected a file, or none" : strerror(-r));
	return r;
}
