#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "who/internal.h"

#define KERNEL_THREAD 0x00200000 /* PF_KTHREAD of the kernel's sched.h, shown in field 9 of stat */

static str field_next(str *s)
{
	str f;

	while (s->n && (*s->p == ' ' || *s->p == '\t'))
		*s = (str){ s->p + 1, s->n - 1 };
	f = (str){ s->p, 0 };
	while (s->n && *s->p != ' ' && *s->p != '\t' && *s->p != '\n') {
		*s = (str){ s->p + 1, s->n - 1 };
		f.n++;
	}
	return f;
}

static int pid_from(str s, pid_t *ret)
{
	uint64_t v;
	int r = str_to_u64(s, &v);

	if (r < 0 || v > INT32_MAX)
		return -EBADMSG;
	*ret = (pid_t)v;
	return 0;
}

static int uid_from(str s, uid_t *ret)
{
	uint64_t v;
	int r = str_to_u64(s, &v);

	if (r < 0 || v > UINT32_MAX)
		return -EBADMSG;
	*ret = (uid_t)v;
	return 0;
}

/* PID (COMM) STATE PPID PGRP SID TTY TPGID FLAGS …; COMM is whatever the process calls itself, brackets, blanks and newlines too: the
 * fields begin behind the last bracket, as no later field has one. */
int procfs_parse_stat(str text, struct stat_facts *ret)
{
	const char *close = memrchr(text.p, ')', text.n);
	struct stat_facts f = { 0 };
	uint64_t flags = 0;
	str rest;

	if (!close)
		return -EBADMSG;
	rest = (str){ close + 1, text.n - (size_t)(close + 1 - text.p) };
	for (int field = 3; field <= 22; field++) {
		str v = field_next(&rest);
		int r = v.n ? 0 : -EBADMSG;

		if (r == 0 && field == 4)
			r = pid_from(v, &f.ppid);
		else if (r == 0 && field == 6)
			r = pid_from(v, &f.sid);
		else if (r == 0 && field == 9)
			r = str_to_u64(v, &flags);
		else if (r == 0 && field == 22)
			r = rest.n ? str_to_u64(v, &f.start) : -EBADMSG; /* a number at the very end may be cut */
		if (r < 0)
			return -EBADMSG;
	}
	f.kernel = (flags & KERNEL_THREAD) != 0;
	*ret = f;
	return 0;
}

/* The value of a line "Key:\t…". The kernel escapes newlines in Name, so a line cannot be forged. */
static bool status_line(str text, str key, str *ret)
{
	while (text.n) {
		const char *end = memchr(text.p, '\n', text.n);

		if (!end)
			return false; /* cut */
		if (str_starts(text, key)) {
			*ret = (str){ text.p + key.n, (size_t)(end - text.p) - key.n };
			return true;
		}
		text = (str){ end + 1, text.n - (size_t)(end + 1 - text.p) };
	}
	return false;
}

int procfs_parse_status(str text, struct status_facts *ret)
{
	struct status_facts f = { 0 };
	uid_t suid;
	str v;

	if (!status_line(text, STR("Tgid:"), &v) || pid_from(field_next(&v), &f.tgid) < 0)
		return -EBADMSG;
	if (!status_line(text, STR("PPid:"), &v) || pid_from(field_next(&v), &f.ppid) < 0)
		return -EBADMSG;
	if (!status_line(text, STR("Uid:"), &v))
		return -EBADMSG;
	if (uid_from(field_next(&v), &f.ruid) < 0 || uid_from(field_next(&v), &f.euid) < 0 || uid_from(field_next(&v), &suid) < 0 ||
	    uid_from(field_next(&v), &f.fsuid) < 0)
		return -EBADMSG;
	*ret = f;
	return 0;
}

int procfs_parse_loginuid(str text, uid_t *ret)
{
	uid_t uid;
	str v = text;

	if (uid_from(field_next(&v), &uid) < 0)
		return -EBADMSG;
	if (uid == UINT32_MAX)
		return -ENODATA;
	*ret = uid;
	return 0;
}

int procfs_open(int proc_fd, pid_t tid)
{
	char name[16];
	char *p = name + sizeof(name) - 1;
	uint32_t v = (uint32_t)tid;
	int fd;

	if (tid <= 0)
		return -ENOENT;
	*p = '\0';
	do
		*--p = (char)('0' + v % 10);
	while (v /= 10);
	fd = openat(proc_fd, p, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

int procfs_read(int dir_fd, const char *name, char *buf, size_t size)
{
	_cleanup_close_ int fd = openat(dir_fd, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
	size_t n = 0;

	if (fd < 0)
		return -errno;
	while (n < size) {
		ssize_t r = read(fd, buf + n, size - n);

		if (r < 0 && errno == EINTR)
			continue;
		if (r < 0)
			return -errno;
		if (r == 0)
			break;
		n += (size_t)r;
	}
	return (int)n;
}

int procfs_link(int dir_fd, const char *name, char *buf, size_t size)
{
	ssize_t r = readlinkat(dir_fd, name, buf, size);

	if (r < 0)
		return -errno;
	return (size_t)r >= size ? -ENAMETOOLONG : (int)r;
}

int procfs_stat(int dir_fd, struct stat_facts *ret)
{
	char buf[1024];
	int r = procfs_read(dir_fd, "stat", buf, sizeof(buf));

	return r < 0 ? r : procfs_parse_stat((str){ buf, (size_t)r }, ret);
}

/* What we need stands before Groups, which may be long. */
int procfs_status(int dir_fd, struct status_facts *ret)
{
	char buf[1024];
	int r = procfs_read(dir_fd, "status", buf, sizeof(buf));

	return r < 0 ? r : procfs_parse_status((str){ buf, (size_t)r }, ret);
}

/* In place: NULs between arguments become blanks, those at the end go. Cut text ends at a whole UTF-8 character. */
size_t procfs_join_arguments(char *text, size_t n, size_t max)
{
	bool cut = n > max;

	n = MIN(n, max);
	for (size_t i = n; cut && i > 0 && n - i < 4; i--) {
		unsigned char c = (unsigned char)text[i - 1];
		size_t need = c >= 0xf0 ? 4 : c >= 0xe0 ? 3 : c >= 0xc0 ? 2 : 1;

		if ((c & 0xc0) == 0x80)
			continue;
		n = n - i + 1 < need ? i - 1 : n;
		break;
	}
	while (n && text[n - 1] == '\0')
		n--;
	for (size_t i = 0; i < n; i++)
		text[i] = text[i] ? text[i] : ' ';
	return n;
}

int procfs_command(int dir_fd, char *buf, size_t size)
{
	char text[EVENT_TEXT_MAX + 1]; /* one more shows that it was cut */
	int r = procfs_read(dir_fd, "cmdline", text, MIN(sizeof(text), size + 1));
	size_t n;

	if (r <= 0)
		return r;
	n = procfs_join_arguments(text, (size_t)r, size);
	memcpy(buf, text, n);
	return (int)n;
}

/* A file may really be called "x (deleted)": the kernel's mark is taken off only where the file has no name left. */
int procfs_exe(int dir_fd, char *buf, size_t size)
{
	static const str mark = { " (deleted)", 10 };
	struct stat st;
	int r = procfs_link(dir_fd, "exe", buf, size);

	if (r > (int)mark.n && str_ends((str){ buf, (size_t)r }, mark) && fstatat(dir_fd, "exe", &st, 0) == 0 && st.st_nlink == 0)
		r -= (int)mark.n;
	return r;
}
