#include "prose.h"

#include "base/utf8.h"

uint32_t prose_draw(uint64_t *seed)
{
	uint64_t z = *seed += 0x9e3779b97f4a7c15ULL;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ULL;
	z = (z ^ z >> 27) * 0x94d049bb133111ebULL;
	return (uint32_t)(z >> 32);
}

/* Few words are frequent: the lesser of several draws, some words for each thousand. */
static uint32_t frequent(uint64_t *seed, uint32_t n)
{
	return MIN(MIN(prose_below(seed, n), prose_below(seed, n)), prose_below(seed, n));
}

static void english_word(struct buf *b, uint32_t id, bool capital)
{
	static const char *const on[] = { "b", "c", "d", "f", "g", "h", "l", "m", "n", "p", "r", "s", "t", "v", "w", "st", "tr", "th", "sh", "pr", "" };
	static const char *const core[] = { "a", "e", "i", "o", "u", "ea", "ou", "ai", "io" };
	static const char *const off[] = { "", "n", "r", "s", "t", "d", "l", "nd", "st", "ng", "m", "ck" };
	uint64_t seed = id * 0x9e3779b97f4a7c15ULL + 1;
	size_t at = b->n;

	for (uint32_t i = 0, n = 1 + prose_below(&seed, id < 60 ? 1 : 3); i < n; i++) {
		buf_puts(b, str_c(on[prose_below(&seed, ARRAY_SIZE(on))]));
		buf_puts(b, str_c(core[prose_below(&seed, ARRAY_SIZE(core))]));
		buf_puts(b, str_c(off[prose_below(&seed, ARRAY_SIZE(off))]));
	}
	if (capital && b->n > at && b->p[at] >= 'a')
		b->p[at] = (char)(b->p[at] - 'a' + 'A');
}

void prose_english(struct buf *b, uint64_t *seed, size_t bytes)
{
	size_t end = b->n + bytes;

	while (b->n < end && !b->err) {
		uint32_t words = 6 + prose_below(seed, 18);

		for (uint32_t i = 0; i < words; i++) {
			if (i > 0)
				buf_puts(b, prose_below(seed, 12) ? STR(" ") : STR(", "));
			if (prose_below(seed, 50) == 0)
				buf_putf(b, "%u", prose_below(seed, 3000));
			else
				english_word(b, frequent(seed, 4000), i == 0);
		}
		buf_puts(b, prose_below(seed, 5) ? STR(". ") : STR(".\n"));
	}
	b->n = MIN(b->n, end);
}

/* A word of one to three ideographs of 1,200, or of katakana, with a tail of hiragana. */
static void japanese_word(struct buf *b, uint64_t *seed)
{
	static const char *const tail[] = { "の", "は", "が", "を", "に", "で", "と", "も", "から", "まで", "する", "した", "して", "である", "という", "について", "" };
	uint64_t word = frequent(seed, 5000) * 0x9e3779b97f4a7c15ULL + 7;
	uint32_t n = 1 + prose_below(&word, 3);
	bool kana = prose_below(&word, 6) == 0;

	for (uint32_t i = 0; i < n + 2 * kana; i++)
		utf8_put(b, kana ? 0x30a2 + prose_below(&word, 80) : 0x4e00 + 16 * prose_below(&word, 1200));
	buf_puts(b, str_c(tail[prose_below(seed, ARRAY_SIZE(tail))]));
}

void prose_japanese(struct buf *b, uint64_t *seed, size_t bytes)
{
	size_t end = b->n + bytes;

	while (b->n < end && !b->err) {
		uint32_t words = 4 + prose_below(seed, 12);

		for (uint32_t i = 0; i < words; i++) {
			japanese_word(b, seed);
			if (prose_below(seed, 6) == 0)
				buf_puts(b, STR("、"));
			if (prose_below(seed, 40) == 0)
				buf_putf(b, "%u", prose_below(seed, 3000));
		}
		buf_puts(b, prose_below(seed, 5) ? STR("。") : STR("。\n"));
	}
	b->n = utf8_cut(buf_str(b), end);
}

void prose_hard(struct buf *b, uint64_t *seed, size_t pieces)
{
	/* Ranges that join with their neighbours or change when they are normalised. */
	static const struct {
		uint32_t from, to;
	} range[] = {
		{ 0x20, 0x7e }, { 0x41, 0x7a }, { 0xa0, 0x17f }, { 0x300, 0x345 }, { 0x300, 0x345 }, { 0x370, 0x3ff }, { 0x590, 0x5f4 }, { 0x600, 0x6ff }, { 0x64b, 0x65f },
		{ 0x900, 0x97f }, { 0xe00, 0xe4f }, { 0xf71, 0xf84 }, { 0x1000, 0x104f }, { 0x1100, 0x11ff }, { 0x1100, 0x1112 }, { 0x1161, 0x1175 }, { 0x11a8, 0x11c2 },
		{ 0x1f00, 0x1fff }, { 0x200b, 0x200f }, { 0x200d, 0x200d }, { 0x2028, 0x202f }, { 0x2100, 0x214f }, { 0x2460, 0x249b }, { 0x3000, 0x303f }, { 0x3041, 0x30ff },
		{ 0x3099, 0x309c }, { 0x3131, 0x318e }, { 0x3200, 0x33ff }, { 0x4e00, 0x4eff }, { 0xac00, 0xac40 }, { 0xac00, 0xd7a3 }, { 0xd7b0, 0xd7fb }, { 0xf900, 0xfaff },
		{ 0xfb00, 0xfb4f }, { 0xfdf0, 0xfdfb }, { 0xfe00, 0xfe0f }, { 0xff01, 0xff9f }, { 0xff61, 0xff9f }, { 0xff9e, 0xff9f }, { 0xffa0, 0xffdc }, { 0x1f1e6, 0x1f1ff },
		{ 0x1f3fb, 0x1f3ff }, { 0x1f466, 0x1f469 }, { 0x2764, 0x2764 }, { 0x1d400, 0x1d4ff }, { 0x20000, 0x200ff }, { 0x2f800, 0x2f8ff }, { 0xe0100, 0xe0110 },
		{ 0x110bd, 0x110bd }, { 0x1e900, 0x1e94a }, { 0xf000, 0xf0ff }, { 0x0a, 0x0d },
	};

	for (size_t i = 0; i < pieces; i++) {
		size_t k = prose_below(seed, ARRAY_SIZE(range));

		for (uint32_t n = prose_below(seed, 4); n > 0; n--)
			utf8_put(b, range[k].from + prose_below(seed, range[k].to - range[k].from + 1));
	}
}
