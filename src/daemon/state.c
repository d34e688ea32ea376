#include "daemon/state.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "base/hash.h"

#define NOBODY 65534

static _Thread_local char why[PATH_MAX + 200];

void state_account(struct account *ret)
{
	char tmp[4096];
	struct passwd pw, *found = NULL;

	*ret = (struct account){ NOBODY, NOBODY, false };
	if (getpwnam_r("tyto", &pw, tmp, sizeof(tmp), &found) == 0 && found)
		*ret = (struct account){ pw.pw_uid, pw.pw_gid, true };
}

static int make_directory(const char *state, const struct account *a, const char **ret_why)
{
	int r = 0;

	if (mkdir(state, 0700) < 0) {
		r = -errno;
	} else if (geteuid() == 0 && chown(state, a->uid, a->gid) < 0) {
		r = -errno;
		rmdir(state);
	}
	if (r < 0) {
		snprintf(why, sizeof(why), "cannot make the state directory %s: %s", state, strerror(-r));
		*ret_why = why;
	}
	return r;
}

int state_prepare(const char *state, bool create, struct account *ret_owner, const char **ret_why)
{
	struct account a;
	struct stat st;
	int r;

	state_account(&a);
	if (lstat(state, &st) < 0) {
		if (errno != ENOENT || !create) {
			r = -errno;
			snprintf(why, sizeof(why), "state directory %s: %s%s", state, strerror(-r),
				r == -ENOENT ? " (nothing has been recorded yet, or --state names another place)" : "");
			*ret_why = why;
			return r;
		}
		r = make_directory(state, &a, ret_why);
		if (r < 0)
			return r;
		if (lstat(state, &st) < 0)
			return -errno;
	}
	if (!S_ISDIR(st.st_mode)) {
		snprintf(why, sizeof(why), "%s is not a directory", state);
		*ret_why = why;
		return -ENOTDIR;
	}
	if (geteuid() != 0 && st.st_uid != geteuid()) {
		snprintf(why, sizeof(why), "state directory %s belongs to uid %u, not to uid %u: run as root, or name a state of your own with --state",
			state, st.st_uid, geteuid());
		*ret_why = why;
		return -EPERM;
	}
	if (geteuid() == 0 && st.st_uid != a.uid && st.st_uid != 0) {
		snprintf(why, sizeof(why), "state directory %s belongs to uid %u; expected the keeper's account (uid %u): `chown -R` it, or name another with --state",
			state, st.st_uid, a.uid);
		*ret_why = why;
		return -EPERM;
	}
	/* An empty directory that root has made beforehand is taken over. */
	if (geteuid() == 0 && st.st_uid == 0 && rmdir(state) == 0) {
		r = make_directory(state, &a, ret_why);
		if (r < 0)
			return r;
		if (lstat(state, &st) < 0)
			return -errno;
	}
	if (geteuid() == 0 && st.st_uid == 0) {
		snprintf(why, sizeof(why), "state directory %s belongs to root and is not empty; expected the keeper's account (uid %u): `chown -R` it, or name another with --state",
			state, a.uid);
		*ret_why = why;
		return -EPERM;
	}
	if (st.st_mode & 077 && chmod(state, 0700) < 0)
		return -errno;
	*ret_owner = (struct account){ st.st_uid, st.st_gid, a.named };
	return 0;
}

int state_enter(const struct account *owner, const char *state, const char **ret_why)
{
	*ret_why = why;
	if (geteuid() == 0) {
		if (setgroups(0, NULL) < 0 || setresgid(owner->gid, owner->gid, owner->gid) < 0 || setresuid(owner->uid, owner->uid, owner->uid) < 0) {
			snprintf(why, sizeof(why), "cannot become uid %u: %s", owner->uid, strerror(errno));
			return -EPERM;
		}
		umask(077);
	}
	if (access(state, R_OK | W_OK | X_OK) < 0) {
		snprintf(why, sizeof(why), "uid %u cannot reach the state directory %s: %s (every folder above it must be searchable for that account)",
			geteuid(), state, strerror(errno));
		return -EACCES;
	}
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
