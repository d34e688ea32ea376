/* One entry of a names file, and the form of a value. */
#include "evidence/names_file.h"

#include <errno.h>

#include "base/hash.h"
#include "base/varint.h"

int name_entry_parse(const uint8_t *p, size_t n, struct name_entry *ret)
{
	struct name_entry e = { 0 };
	uint64_t len = 0;
	size_t at = 6;
	int r;

	if (n < at + 1)
		return -ENODATA;
	e.state = p[4];
	e.kind = p[5];
	if ((e.state != NAME_STATE_LIVE && e.state != NAME_STATE_ERASED) || e.kind < 1 || e.kind >= NAME_KINDS_)
		return -EBADMSG;
	r = uvar_get(p + at, n - at, &e.number);
	if (r < 0)
		return n - at < UVAR_MAX_BYTES ? -ENODATA : -EBADMSG;
	at += (size_t)r;
	if (n - at < 17)
		return -ENODATA;
	e.salt = p + at;
	at += 16;
	r = uvar_get(p + at, n - at, &len);
	if (r < 0)
		return n - at < UVAR_MAX_BYTES ? -ENODATA : -EBADMSG;
	at += (size_t)r;
	if (len > NAME_VALUE_MAX || e.number == 0 || e.number >> NAME_NUMBER_BITS)
		return -EBADMSG;
	if (n - at < len)
		return -ENODATA;
	e.value = (str){ (const char *)p + at, len };
	e.bytes = at + len;
	if (crc32c(0, p + 4, e.bytes - 4) != get_be32(p))
		return -EBADMSG;
	if (e.state == NAME_STATE_ERASED)
		for (const uint8_t *z = e.salt; z < p + e.bytes; z++)
			if (*z && !(z >= e.salt + 16 && z < p + at))
				return -EBADMSG;
	*ret = e;
	return 0;
}

size_t name_entry_put(uint8_t *out, uint8_t state, uint8_t kind, uint64_t number, const uint8_t salt[static 16], str value)
{
	size_t at = 6;

	out[4] = state;
	out[5] = kind;
	at += uvar_put(out + at, number);
	memcpy(out + at, salt, 16);
	at += 16;
	at += uvar_put(out + at, value.n);
	if (value.n)
		memcpy(out + at, value.p, value.n);
	at += value.n;
	put_be32(out, crc32c(0, out + 4, at - 4));
	return at;
}

bool name_value_ok(uint8_t kind, str v, const uint64_t counts[static NAME_KINDS_])
{
	const uint8_t *p = (const uint8_t *)v.p;
	size_t at = 0, parts = 0;
	uint64_t x = 0;
	int r;

	switch (kind) {
	case NAME_COMPONENT:
		r = uvar_get(p, v.n, &x);
		return r > 0 && x <= counts[NAME_COMPONENT] && (v.n == (size_t)r || !memchr(p + r, '/', v.n - (size_t)r));
	case NAME_CHAIN:
		for (; at < v.n; at += (size_t)r, parts++) {
			r = uvar_get(p + at, v.n - at, &x);
			if (r < 0 || x == 0 || x > counts[NAME_PROGRAM])
				return false;
		}
		return parts >= 1 && parts <= EVENT_PARENTS_MAX;
	case NAME_OBJECT:
		for (; at < v.n; at += (size_t)r, parts++) {
			r = uvar_get(p + at, v.n - at, &x);
			if (r < 0)
				return false;
		}
		return parts == 3;
	case NAME_DOCUMENT:
		return v.n == 32;
	case NAME_ACCOUNT:
	case NAME_GROUP:
		return str_to_u64(v, &x) == 0 && x <= UINT32_MAX;
	default:
		return true;
	}
}
