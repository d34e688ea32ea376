#include "daemon/state.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "base/hash.h"
#include "base/why.h"

#define NOBODY 65534

static _Thread_local struct why why;

void state_account(struct account *ret)
{
	char tmp[4096];
	struct passwd pw, *found = NULL;

	*ret = (struct account){ NOBODY, NOBODY, false };
	if (getpwnam_r("tyto", &pw, tmp, sizeof(tmp), &found) == 0 && found)
		*ret = (struct account){ pw.pw_uid, pw.pw_gid, true };
}

/* By descriptor, never by name: in a folder that somebody else may write, the name can mean another thing the next moment, and we are
 * root. */
static int open_directory(const char *state, struct stat *ret_st)
{
	int fd = open(state, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	if (fd < 0)
		return -errno;
	if (fstat(fd, ret_st) < 0) {
		close(fd);
		return -EIO;
	}
	return fd;
}

static bool is_empty(int fd)
{
	_Alignas(struct dirent64) char entries[1024];

	/* The two that every directory has fit in one call. */
	for (ssize_t n; (n = getdents64(fd, entries, sizeof(entries))) > 0;) {
		for (ssize_t at = 0; at < n;) {
			const struct dirent64 *d = (const struct dirent64 *)(entries + at);

			if (strcmp(d->d_name, ".") != 0 && strcmp(d->d_name, "..") != 0)
				return false;
			at += d->d_reclen;
		}
	}
	return true;
}

#define refuse(r, ret_why, ...) (*(ret_why) = why.text, why_set(&why, (r), __VA_ARGS__))

/* Who may keep a state here, and which directory becomes the keeper's. */
static int check_owner(const char *state, int fd, struct stat *st, const struct account *a, const char **ret_why)
{
	if (geteuid() != 0 && st->st_uid != geteuid())
		return refuse(-EPERM, ret_why,
		       "state directory %s belongs to uid %u, not to uid %u: run as root, or name a state of your own with --state",
			state, st->st_uid, geteuid());
	if (geteuid() != 0 || st->st_uid == a->uid)
		return 0;
	if (st->st_uid != 0)
		return refuse(-EPERM, ret_why,
			"state directory %s belongs to uid %u; expected the keeper's account (uid %u): `chown -R` it, or name another with --state",
			state, st->st_uid, a->uid);
	/* An empty directory that root has made (we, or beforehand) is taken over. */
	if (!is_empty(fd))
		return refuse(-EPERM, ret_why,
			"state directory %s belongs to root and is not empty; expected the keeper's account (uid %u): `chown -R` it, or name another with "
			"--state",
			state, a->uid);
	if (fchown(fd, a->uid, a->gid) < 0 || fstat(fd, st) < 0)
		return refuse(-errno, ret_why, "cannot give the state directory %s to uid %u: %s", state, a->uid, strerror(errno));
	return 0;
}

int state_prepare(const char *state, bool create, struct account *ret_owner, const char **ret_why)
{
	_cleanup_close_ int fd = -1;
	struct account a;
	struct stat st = { 0 };
	int r;

	state_account(&a);
	if (create && mkdir(state, 0700) < 0 && errno != EEXIST) {
		r = -errno;
		return refuse(r, ret_why, "cannot make the state directory %s: %s", state, strerror(-r));
	}
	fd = open_directory(state, &st);
	if (fd == -ENOTDIR || fd == -ELOOP)
		return refuse(-ENOTDIR, ret_why, "%s is not a directory", state);
	/* Somebody else's, which we may not even look into. */
	if (fd == -EACCES && geteuid() != 0 && lstat(state, &st) == 0 && st.st_uid != geteuid())
		return check_owner(state, -1, &st, &a, ret_why);
	if (fd < 0)
		return refuse(fd, ret_why, "state directory %s: %s%s", state, strerror(-fd),
			fd == -ENOENT ? " (nothing has been recorded yet, or --state names another place)" : "");
	r = check_owner(state, fd, &st, &a, ret_why);
	if (r < 0)
		return r;
	if (st.st_mode & 077 && fchmod(fd, 0700) < 0)
		return refuse(-errno, ret_why, "cannot close the state directory %s to others: %s", state, strerror(errno));
	*ret_owner = (struct account){ st.st_uid, st.st_gid, a.named };
	return 0;
}

int state_enter(const struct account *owner, const char *state, const char **ret_why)
{
	if (geteuid() == 0) {
		if (setgroups(0, NULL) < 0 || setresgid(owner->gid, owner->gid, owner->gid) < 0 || setresuid(owner->uid, owner->uid, owner->uid) < 0)
			return refuse(-EPERM, ret_why, "cannot become uid %u: %s", owner->uid, strerror(errno));
		umask(077);
	}
	if (access(state, R_OK | W_OK | X_OK) < 0)
		return refuse(-EACCES, ret_why,
			"uid %u cannot reach the state directory %s: %s (every folder above it must be searchable for that account)",
			geteuid(), state, strerror(errno));
	return 0;
}

bool state_unused(const char *state)
{
	DIR *d = opendir(state);
	struct dirent *entry;
	bool used = false;

	if (!d)
		return errno == ENOENT;
	while (!used && (entry = readdir(d)))
		used = entry->d_name[0] != '.' && strcmp(entry->d_name, "lock") != 0 && strcmp(entry->d_name, "VERSION.tmp") != 0;
	closedir(d);
	return !used;
}

int state_socket(const char *state, struct sockaddr_un *ret)
{
	char real[PATH_MAX], hex[17];
	_cleanup_sha256_ struct sha256 *h = sha256_new();
	uint8_t digest[SHA256_LEN];
	str part;

	if (!h)
		return -ENOMEM;
	if (!realpath(state, real))
		return -errno;
	part = str_c(real);
	sha256_parts(h, &part, 1, digest);
	for (int i = 0; i < 8; i++)
		snprintf(hex + 2 * i, 3, "%02x", digest[i]);
	*ret = (struct sockaddr_un){ .sun_family = AF_UNIX };
	snprintf(ret->sun_path, sizeof(ret->sun_path), "/run/tyto/%s.sock", hex);
	return 0;
}
