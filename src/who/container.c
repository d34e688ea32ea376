/* container.c — the container's id in a cgroup path.
 *
 * Runtimes name a container's cgroup by 64 hexadecimal digits, bare below a folder of theirs (/docker/ID, /kubepods/…/ID) or as
 * NAME-ID.scope (docker-, libpod-, cri-containerd-, crio-). Only these forms count, so that a hash in some other name does not become a
 * container.
 */
#include "who/internal.h"

#define ID_DIGITS 64

static bool is_hex(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
}

static size_t hex_run(str s)
{
	size_t n = 0;

	while (n < s.n && is_hex(s.p[n]))
		n++;
	return n;
}

/* One path component. */
static str component_id(str c)
{
	static const char *const prefixes[] = { "docker-", "libpod-", "libpod-payload-", "cri-containerd-", "crio-" };

	if (hex_run(c) == ID_DIGITS && c.n == ID_DIGITS)
		return c;
	for (size_t i = 0; i < ARRAY_SIZE(prefixes); i++) {
		str p = str_c(prefixes[i]), id;

		if (!str_starts(c, p))
			continue;
		id = (str){ c.p + p.n, c.n - p.n };
		if (hex_run(id) == ID_DIGITS && (id.n == ID_DIGITS || str_eq((str){ id.p + ID_DIGITS, id.n - ID_DIGITS }, STR(".scope"))))
			return (str){ id.p, ID_DIGITS };
	}
	return STR_NONE;
}

/* The folders below which a bare id is a container. */
static bool is_runtime_folder(str c)
{
	static const char *const folders[] = { "docker", "kubepods", "libpod_parent", "containerd", "default", "k8s.io", "crio", "buildkit" };

	for (size_t i = 0; i < ARRAY_SIZE(folders); i++)
		if (str_starts(c, str_c(folders[i])))
			return true;
	return false;
}

/* The innermost id of one path. */
static str path_id(str path)
{
	str found = STR_NONE;
	bool runtime = false;

	while (path.n) {
		const char *slash = memchr(path.p, '/', path.n);
		str c = { path.p, slash ? (size_t)(slash - path.p) : path.n };
		str id = component_id(c);

		if (id.n && (id.n != c.n || runtime))
			found = id;
		runtime = runtime || is_runtime_folder(c);
		path = (str){ path.p + c.n, path.n - c.n };
		if (path.n)
			path = (str){ path.p + 1, path.n - 1 };
	}
	return found;
}

/* Lines are HIERARCHY:CONTROLLERS:PATH. Where hierarchies disagree the first one with an id counts. */
str container_id(str text)
{
	while (text.n) {
		const char *end = memchr(text.p, '\n', text.n);
		str line = { text.p, end ? (size_t)(end - text.p) : text.n };
		const char *colon = memchr(line.p, ':', line.n);

		if (colon)
			colon = memchr(colon + 1, ':', line.n - (size_t)(colon + 1 - line.p));
		if (colon) {
			str id = path_id((str){ colon + 1, line.n - (size_t)(colon + 1 - line.p) });

			if (id.n)
				return id;
		}
		if (!end)
			break;
		text = (str){ end + 1, text.n - line.n - 1 };
	}
	return STR_NONE;
}
