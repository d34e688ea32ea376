/* Whole paths from their components, and back. */
#include "evidence/names.h"

#include <errno.h>

#include "base/varint.h"

int names_path(const struct names *n, uint64_t component, struct buf *ret)
{
	size_t start = ret->n;
	uint64_t c = component;
	str v;
	int r, k;

	/* From the last component to the first, each written backwards; turned round at the end. A parent's number is smaller than its
	 * child's, so this ends. */
	do {
		uint64_t parent = 0;

		r = names_value(n, NAME_COMPONENT, c, &v);
		if (r < 0)
			return r;
		k = uvar_get((const uint8_t *)v.p, v.n, &parent);
		if (k < 0 || parent >= c)
			return -EBADMSG;
		if (c != component) /* an empty last component has its slash too */
			buf_putc(ret, '/');
		for (size_t i = v.n; i > (size_t)k; i--)
			buf_putc(ret, v.p[i - 1]);
		c = parent;
		if (ret->n - start > (size_t)1 << 20)
			return -EMSGSIZE;
	} while (c);
	if (buf_error(ret))
		return buf_error(ret);
	for (size_t i = start, j = ret->n; i + 1 < j; i++) {
		char t = ret->p[i];

		ret->p[i] = ret->p[--j];
		ret->p[j] = t;
	}
	return 0;
}

uint64_t names_find_path(const struct names *n, str path)
{
	uint8_t tmp[UVAR_MAX_BYTES + EVENT_PATH_MAX];
	uint64_t c = 0;

	if (path.n > EVENT_PATH_MAX)
		return 0;
	for (size_t at = 0; at <= path.n;) {
		const char *p = path.p + at, *slash = path.n > at ? memchr(p, '/', path.n - at) : NULL;
		size_t len = slash ? (size_t)(slash - p) : path.n - at, k = uvar_put(tmp, c);

		if (len)
			memcpy(tmp + k, p, len);
		c = names_find(n, NAME_COMPONENT, (str){ (const char *)tmp, k + len });
		if (c == 0)
			return 0;
		at += len + 1;
	}
	return c;
}
