/* Compressed RTF of Outlook (MS-OXRTFCP): references into a ring of 4,096 bytes that begins with what most documents begin with. */
#include <errno.h>

#include "extract/formats/message.h"

#define RING 4096u
#define COMPRESSED 0x75465a4cu
#define STORED 0x414c454du

static const char begin[] =
	"{\\rtf1\\ansi\\mac\\deff0\\deftab720{\\fonttbl;}{\\f0\\fnil \\froman \\fswiss \\fmodern \\fscript \\fdecor MS Sans SerifSymbolArial"
	"Times New RomanCourier{\\colortbl\\red0\\green0\\blue0\r\n\\par \\pard\\plain\\f0\\fs20\\b\\i\\u\\tab\\tx";
_Static_assert(sizeof(begin) - 1 == 207, "as in the specification");

/* As zlib's, but neither begun nor ended with ones. */
static uint32_t checksum(str s)
{
	uint32_t crc = 0;

	for (size_t i = 0; i < s.n; i++) {
		crc ^= (uint8_t)s.p[i];
		for (int k = 0; k < 8; k++)
			crc = crc >> 1 ^ (crc & 1 ? 0xedb88320u : 0);
	}
	return crc;
}

int lzfu_unpack(str s, size_t max, struct buf *ret)
{
	char ring[RING] = { 0 };
	size_t to = sizeof(begin) - 1, at = 16, end;
	uint32_t raw;

	if (s.n < 16)
		return -EBADMSG;
	raw = le32(s, 4);
	if (le32(s, 8) == STORED) {
		buf_puts(ret, le_sub(s, 16, raw));
		return buf_error(ret);
	}
	if (le32(s, 8) != COMPRESSED)
		return -ENOTSUP;
	end = MIN(s.n, (size_t)le32(s, 0) + 4);
	memcpy(ring, begin, to);
	while (at < end && ret->n <= max) {
		uint8_t control = le8(s, at++);

		for (int i = 0; i < 8 && at < end; i++, control >>= 1) {
			size_t from, n;

			if (!(control & 1)) {
				buf_putc(ret, s.p[at]);
				ring[to] = s.p[at++];
				to = (to + 1) % RING;
				continue;
			}
			if (at + 1 >= end)
				return -EBADMSG;
			from = (size_t)le8(s, at) << 4 | le8(s, at + 1) >> 4;
			n = (le8(s, at + 1) & 15) + 2ul;
			at += 2;
			if (from == to) /* the end */
				return buf_error(ret) ? buf_error(ret) : checksum(le_sub(s, 16, end - 16)) == le32(s, 12) ? 0 : -EBADMSG;
			while (n--) {
				char c = ring[from];

				buf_putc(ret, c);
				ring[to] = c;
				from = (from + 1) % RING;
				to = (to + 1) % RING;
			}
		}
	}
	return ret->n > max ? -EMSGSIZE : -EBADMSG; /* no end */
}
