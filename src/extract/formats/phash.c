/* The perceptual hash of a picture.
 *
 * Zauner, "Implementation and Benchmarking of Perceptual Image Hash Functions" (2010), section 3.2.1 (DCT based): shrunk to 32x32 by
 * averaging, the two-dimensional DCT-II of it, and of its 64 coefficients next to the constant one (rows and columns 1 to 8) whether each
 * is above their median. Two pictures are alike when few bits differ; unrelated ones differ in about 32. In whole numbers, so that every
 * machine gives the same bits.
 * Bit 63 is row 1, column 1; rows first.
 */
#include <leptonica/allheaders.h>

#include "extract/formats/picture.h"

#define SIDE 32
#define KEEP 8
#define FLAT 64 /* a sum of coefficients below is noise of the averaging: grey levels times 256, see below */

/* round(2^14 cos(pi k / 64)), k = 0 … 16: the rest by symmetry. */
static const int16_t quarter[SIDE + 1] = {
	16384, 16364, 16305, 16207, 16069, 15893, 15679, 15426, 15137, 14811, 14449, 14053, 13623, 13160, 12665, 12140, 11585,
	11003, 10394, 9760, 9102, 8423, 7723, 7005, 6270, 5520, 4756, 3981, 3196, 2404, 1606, 804, 0,
};

/* cos(pi (2x + 1) u / 64) in 1/2^14. */
static int32_t cosine(unsigned x, unsigned u)
{
	unsigned k = (2 * x + 1) * u % 128;

	if (k > 64)
		k = 128 - k;
	return k <= 32 ? quarter[k] : -quarter[64 - k];
}

/* The mean of the pixels of each of 32x32 fields, in 1/256 grey levels; where the picture is smaller, the nearest. */
static void shrink(const struct Pix *p, int32_t ret[SIDE][SIDE])
{
	uint32_t w = (uint32_t)p->w, h = (uint32_t)p->h;

	for (uint32_t r = 0; r < SIDE; r++)
		for (uint32_t c = 0; c < SIDE; c++) {
			uint32_t y0 = (uint32_t)((uint64_t)r * h / SIDE), y1 = (uint32_t)((uint64_t)(r + 1) * h / SIDE);
			uint32_t x0 = (uint32_t)((uint64_t)c * w / SIDE), x1 = (uint32_t)((uint64_t)(c + 1) * w / SIDE);
			uint64_t sum = 0;

			y1 = MAX(y1, y0 + 1);
			x1 = MAX(x1, x0 + 1);
			for (uint32_t y = y0; y < y1; y++) {
				const l_uint32 *line = p->data + (size_t)y * p->wpl;

				for (uint32_t x = x0; x < x1; x++)
					sum += GET_DATA_BYTE(line, x);
			}
			ret[r][c] = (int32_t)(sum * 256 / ((uint64_t)(y1 - y0) * (x1 - x0)));
		}
}

static int by_value(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return (x > y) - (x < y);
}

bool picture_hash(const struct Pix *grey, uint64_t *ret)
{
	int32_t f[SIDE][SIDE];
	int64_t rows[SIDE][KEEP], d[KEEP * KEEP], sorted[KEEP * KEEP], most = 0, median;
	uint64_t h = 0;

	if (grey->d != 8 || grey->w < KEEP || grey->h < KEEP)
		return false;
	shrink(grey, f);
	for (unsigned y = 0; y < SIDE; y++)
		for (unsigned u = 0; u < KEEP; u++) {
			int64_t sum = 0;

			for (unsigned x = 0; x < SIDE; x++)
				sum += (int64_t)f[y][x] * cosine(x, u + 1);
			rows[y][u] = sum / (1 << 14);
		}
	for (unsigned v = 0; v < KEEP; v++)
		for (unsigned u = 0; u < KEEP; u++) {
			int64_t sum = 0;

			for (unsigned y = 0; y < SIDE; y++)
				sum += rows[y][u] * cosine(y, v + 1);
			d[v * KEEP + u] = sum / (1 << 14);
			most = MAX(most, llabs(d[v * KEEP + u]));
		}
	if (most < (int64_t)FLAT * 256)
		return false;
	memcpy(sorted, d, sizeof(d));
	qsort(sorted, ARRAY_SIZE(sorted), sizeof(*sorted), by_value);
	median = (sorted[31] + sorted[32]) / 2;
	for (size_t i = 0; i < ARRAY_SIZE(d); i++)
		h = h << 1 | (d[i] > median);
	*ret = h;
	return true;
}
