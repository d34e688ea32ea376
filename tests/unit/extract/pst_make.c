#include "pst_make.h"

#include "ole_make.h"

#define NODES_MAX 12
#define BLOCKS_AT 0x4600 /* behind the head and the first map */

static uint32_t checksum(const char *p, size_t n)
{
	uint32_t crc = 0;

	for (size_t i = 0; i < n; i++) {
		crc ^= (uint8_t)p[i];
		for (int k = 0; k < 8; k++)
			crc = crc >> 1 ^ (crc & 1 ? 0xedb88320u : 0);
	}
	return crc;
}

static uint32_t signature(uint64_t at, uint64_t id)
{
	uint32_t x = (uint32_t)(at ^ id);

	return (x >> 16 ^ x) & 0xffff;
}

/* A heap with a tree of properties: allocation 1 the tree's head, 2 its rows, the rest values. */
static void put_heap(struct buf *b, const struct pst_property *props)
{
	size_t starts[40], n = 0, rows = 0;
	_cleanup_buf_ struct buf table = BUF_INIT, values = BUF_INIT;
	size_t count = 0, first;

	while (props[count].id)
		count++;
	first = 12 + 8 + 8 * count;
	starts[n++] = 12;
	starts[n++] = 20;
	for (size_t i = 0; i < count; i++) {
		const struct pst_property *p = &props[i];

		put_le16(&table, p->id);
		put_le16(&table, p->type);
		if (p->type == 3) {
			put_le32(&table, p->number);
			continue;
		}
		starts[n++] = first + values.n;
		put_le32(&table, (uint32_t)(n << 5));
		if (p->type == 0x1f) {
			_cleanup_buf_ struct buf z = BUF_INIT;

			buf_puts(&z, p->value);
			put_utf16(&values, buf_cstr(&z));
		} else {
			buf_puts(&values, p->value);
		}
		if (n + 2 > ARRAY_SIZE(starts))
			abort();
	}
	rows = first + values.n;
	starts[n] = rows;
	rows += rows & 1;
	put_le16(b, (uint32_t)rows);
	buf_putc(b, (char)0xec);
	buf_putc(b, (char)0xbc);
	put_le32(b, 0x20);
	put_le32(b, 0);
	buf_puts(b, STR("\xb5\2\6\0"));
	put_le32(b, 0x40);
	buf_puts(b, buf_str(&table));
	buf_puts(b, buf_str(&values));
	pad_to(b, rows);
	put_le16(b, (uint32_t)n);
	put_le16(b, 0);
	for (size_t i = 0; i <= n; i++)
		put_le16(b, (uint32_t)starts[i]);
}

static void put_block(struct buf *ret, uint64_t id, str data)
{
	size_t at = ret->n;

	buf_puts(ret, data);
	pad_to(ret, at + (data.n + 16 + 63) / 64 * 64 - 16);
	put_le16(ret, (uint32_t)data.n);
	put_le16(ret, signature(at, id));
	put_le32(ret, checksum(data.p, data.n));
	put_le64(ret, id);
}

static void put_page(struct buf *ret, uint8_t kind, uint64_t id, str entries, size_t n, size_t entry)
{
	size_t at = ret->n;

	buf_puts(ret, entries);
	pad_to(ret, at + 488);
	buf_putc(ret, (char)n);
	buf_putc(ret, (char)(488 / entry));
	buf_putc(ret, (char)entry);
	buf_putc(ret, 0);
	put_le32(ret, 0);
	buf_putc(ret, (char)kind);
	buf_putc(ret, (char)kind);
	put_le16(ret, signature(at, id));
	put_le32(ret, checksum(ret->p + at, 496));
	put_le64(ret, id);
}

static void put_head(struct buf *ret, uint64_t nodes_at, uint64_t blocks_at)
{
	_cleanup_buf_ struct buf h = BUF_INIT;

	buf_puts(&h, STR("!BDN\0\0\0\0SM\x17\0\x13\0\1\1"));
	pad_to(&h, 184);
	put_le64(&h, ret->n);
	put_le64(&h, 0x4400);
	pad_to(&h, 216);
	put_le64(&h, 0x1001);
	put_le64(&h, nodes_at);
	put_le64(&h, 0x1002);
	put_le64(&h, blocks_at);
	buf_putc(&h, 2);
	pad_to(&h, 512);
	buf_putc(&h, (char)0x80);
	pad_to(&h, 564);
	set_le32(&h, 4, checksum(h.p + 8, 471));
	set_le32(&h, 524, checksum(h.p + 8, 516));
	memcpy(ret->p, h.p, h.n);
}

void make_pst(struct buf *ret, const struct pst_node *nodes)
{
	_cleanup_buf_ struct buf nbt = BUF_INIT, bbt = BUF_INIT;
	uint64_t nodes_at;
	size_t n = 0;

	pad_to(ret, BLOCKS_AT);
	for (; nodes[n].id; n++) {
		_cleanup_buf_ struct buf heap = BUF_INIT;
		uint64_t block = 4 * (n + 1), at = ret->n;

		if (n >= NODES_MAX)
			abort();
		put_heap(&heap, nodes[n].props);
		put_block(ret, block, buf_str(&heap));
		put_le64(&nbt, nodes[n].id);
		put_le64(&nbt, block);
		put_le64(&nbt, 0);
		put_le32(&nbt, nodes[n].parent);
		put_le32(&nbt, 0);
		put_le64(&bbt, block);
		put_le64(&bbt, at);
		put_le16(&bbt, (uint32_t)heap.n);
		put_le16(&bbt, 2);
		put_le32(&bbt, 0);
	}
	pad_to(ret, (ret->n + 511) / 512 * 512);
	nodes_at = ret->n;
	put_page(ret, 0x81, 0x1001, buf_str(&nbt), n, 32);
	put_page(ret, 0x80, 0x1002, buf_str(&bbt), n, 24);
	put_head(ret, nodes_at, nodes_at + 512);
}
