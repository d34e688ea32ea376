/* Workbooks that Excel enciphers without asking anybody for a password: those with a protected structure, or to be opened read-only. The
 * bytes of records are enciphered where they stand; their heads are not (MS-XLS 2.2.10). */
#include "extract/formats/xls_password.h"

#include <errno.h>

#include "extract/formats/office_rc4.h"

#define BLOCK 1024 /* bytes of the stream that share a key */

static const char everybodys[] = "V\0e\0l\0v\0e\0t\0S\0w\0e\0a\0t\0s\0h\0o\0p"; /* and the NUL behind: UTF-16LE */

/* The oldest way knows but 16 bits of a password: for this one they are these, and the bytes that each byte is changed by (MS-OFFCRYPTO
 * 2.3.7). */
#define XOR_KEY 0xb359
#define XOR_VERIFIER 0x9a0a
static const uint8_t xor_bytes[16] = { 0x3c, 0x5b, 0xd4, 0x17, 0xf0, 0x1f, 0x28, 0x13, 0xf0, 0x4b, 0xb4, 0x03, 0xc4, 0x73, 0xa4, 0x20 };

struct opener {
	struct office_rc4 rc4;
	bool by_xor;
	uint64_t at; /* where the key stands in the stream; UINT64_MAX nowhere yet */
};

static bool pass_rc4(struct opener *o, uint8_t *p, uint64_t at, size_t n)
{
	while (n) {
		size_t k = MIN(n, (size_t)(BLOCK - at % BLOCK));

		if (o->at > at || o->at / BLOCK != at / BLOCK || o->at % BLOCK == 0) {
			if (!office_rc4_block(&o->rc4, (uint32_t)(at / BLOCK)))
				return false;
			o->at = at / BLOCK * BLOCK;
		}
		office_rc4_apply(&o->rc4, NULL, (size_t)(at - o->at));
		office_rc4_apply(&o->rc4, p, k);
		o->at = at += k;
		p += k;
		n -= k;
	}
	return true;
}

static void pass_xor(uint8_t *p, uint64_t index, size_t n)
{
	for (size_t i = 0; i < n; i++)
		p[i] = (uint8_t)(p[i] << 3 | p[i] >> 5) ^ xor_bytes[(index + i) % sizeof(xor_bytes)];
}

/* How many bytes of a record are left as they are. */
static size_t in_the_clear(const struct record *r)
{
	switch (r->type) {
	case 0x809: case 0x2f: case 0xe1: case 0x194: case 0x195: case 0x196: case 0x138: return SIZE_MAX; /* versions, locks, of shared books */
	case 0x85: return 4; /* where a sheet begins */
	default: return 0;
	}
}

static int open_with(struct opener *o, const struct record *filepass, unsigned version)
{
	str info = filepass->data;

	if (version >= 8 && le16(info, 0) == 1)
		return office_rc4_open(&o->rc4, le_sub(info, 2, info.n), (str){ everybodys, sizeof(everybodys) });
	if (version >= 8)
		info = le_sub(info, le16(info, 0) == 0 ? 2 : info.n, info.n);
	o->by_xor = true;
	return version >= 5 && le16(info, 0) == XOR_KEY && le16(info, 2) == XOR_VERIFIER ? 0 : -EACCES;
}

int xls_everybodys(str stream, const struct record *filepass, unsigned version, struct buf *ret)
{
	struct opener o = { .at = UINT64_MAX };
	int r = open_with(&o, filepass, version);
	struct record rec;
	bool ok = true;

	if (r < 0)
		return r;
	buf_puts(ret, stream);
	r = buf_error(ret);
	for (size_t at = filepass->next; r == 0 && ok && record_at(stream, at, &rec); at = rec.next) {
		size_t clear = in_the_clear(&rec), from = at + 4 + clear;

		if (clear >= rec.data.n)
			continue;
		if (o.by_xor)
			pass_xor((uint8_t *)ret->p + from, from + rec.data.n, rec.data.n - clear);
		else
			ok = pass_rc4(&o, (uint8_t *)ret->p + from, from, rec.data.n - clear);
	}
	if (!o.by_xor)
		office_rc4_close(&o.rc4);
	return r < 0 ? r : ok ? 0 : -ENOMEM;
}
