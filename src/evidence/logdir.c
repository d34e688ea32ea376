#include "evidence/logdir.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "base/array.h"
#include "evidence/evidence.h"
#include "evidence/vfs.h"

_Thread_local struct why evidence_last;

const char *evidence_why(void)
{
	return evidence_last.text;
}

void logdir_segment_name(char out[static LOGDIR_NAME_MAX], uint64_t first)
{
	snprintf(out, LOGDIR_NAME_MAX, "segment-%020llu", (unsigned long long)first);
}

void logdir_journal_name(char out[static LOGDIR_NAME_MAX], uint64_t first)
{
	snprintf(out, LOGDIR_NAME_MAX, "journal-%020llu", (unsigned long long)first);
}

void logdir_number_name(char out[static LOGDIR_NAME_MAX], uint64_t n)
{
	snprintf(out, LOGDIR_NAME_MAX, "%020llu", (unsigned long long)n);
}

/* "PREFIX" and exactly 20 digits. */
static bool number_of(const char *name, const char *prefix, uint64_t *ret)
{
	size_t n = strlen(prefix);
	uint64_t v = 0;

	if (strncmp(name, prefix, n) != 0 || strlen(name + n) != 20)
		return false;
	for (const char *p = name + n; *p; p++) {
		if (*p < '0' || *p > '9' || __builtin_mul_overflow(v, 10, &v) || __builtin_add_overflow(v, (uint64_t)(*p - '0'), &v))
			return false;
	}
	*ret = v;
	return true;
}

static int by_number(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

int logdir_numbers(int dir_fd, const char *prefix, uint64_t **ret, size_t *ret_n)
{
	int fd = openat(dir_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d = fd < 0 ? NULL : fdopendir(fd);
	_cleanup_free_ uint64_t *list = NULL;
	size_t n = 0, cap = 0;
	struct dirent *e;
	int r;

	if (!d) {
		r = -errno;
		close_fd(&fd);
		return r;
	}
	while ((errno = 0, e = readdir(d))) {
		uint64_t v;

		if (!number_of(e->d_name, prefix, &v))
			continue;
		if (array_room(list, cap, n + 1) < 0) {
			closedir(d);
			return -ENOMEM;
		}
		list[n++] = v;
	}
	r = -errno;
	closedir(d);
	if (r < 0)
		return r;
	if (n)
		qsort(list, n, sizeof(*list), by_number);
	*ret = TAKE_PTR(list);
	*ret_n = n;
	return 0;
}

int logdir_list(int log_fd, struct logdir *ret)
{
	struct logdir d = { 0 };
	/* Journals first: a writer may begin a segment and then a journal behind it meanwhile, and a reader that saw only the journal
	 * would miss records. */
	int r = logdir_numbers(log_fd, "journal-", &d.journals, &d.n_journals);

	if (r == 0)
		r = logdir_numbers(log_fd, "segment-", &d.segments, &d.n_segments);
	if (r < 0) {
		logdir_free(&d);
		return r;
	}
	*ret = d;
	return 0;
}

uint64_t logdir_bytes(int dir)
{
	int fd = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d = fd < 0 ? NULL : fdopendir(fd);
	uint64_t sum = 0;
	struct dirent *entry;
	struct stat st;

	if (!d) {
		close_fd(&fd);
		return 0;
	}
	while ((entry = readdir(d)))
		if (fstatat(dir, entry->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(st.st_mode))
			sum += (uint64_t)st.st_size;
	closedir(d);
	return sum;
}

void logdir_free(struct logdir *d)
{
	free(d->segments);
	free(d->journals);
	*d = (struct logdir){ 0 };
}

bool logdir_begun(int state_fd)
{
	return faccessat(state_fd, LOGDIR_BEGUN, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

int logdir_open(const char *state, int *ret_state_fd, int *ret_log_fd)
{
	_cleanup_close_ int state_fd = -1, log_fd = -1;
	_cleanup_buf_ struct buf version = BUF_INIT;
	unsigned v;
	int r;

	state_fd = open(state, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (state_fd < 0) {
		r = -errno;
		return evidence_fail(r, "state directory %s: %s%s", state, strerror(-r), r == -ENOENT ? " (nothing has been recorded there)" : "");
	}
	r = read_file(state_fd, "VERSION", 64, &version);
	if (r < 0)
		return evidence_fail(r, "%s/VERSION: %s (is it a state directory of Tyto?)", state, strerror(-r));
	if (!str_eq(buf_str(&version), STR(STATE_VERSION_TEXT))) {
		const char *text = buf_cstr(&version);

		if (text && sscanf(text, "tyto-state %u", &v) == 1 && v > STATE_VERSION)
			return evidence_fail(-ESTALE, "%s is a state of version %u, this program knows up to %d: use a newer tyto", state, v, STATE_VERSION);
		return evidence_fail(-EUCLEAN, "%s/VERSION: expected \"tyto-state %d\"", state, STATE_VERSION);
	}
	log_fd = openat(state_fd, "log", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (log_fd < 0) {
		r = -errno;
		/* A state whose key is there had a log. */
		if (r == -ENOENT && faccessat(state_fd, "keys/log.key", F_OK, AT_SYMLINK_NOFOLLOW) == 0)
			return evidence_fail(-EUCLEAN, "%s/log: %s, but its key is there: expected the log", state, strerror(-r));
		return evidence_fail(r, "%s/log: %s", state, strerror(-r));
	}
	*ret_state_fd = TAKE_FD(state_fd);
	*ret_log_fd = TAKE_FD(log_fd);
	return 0;
}
