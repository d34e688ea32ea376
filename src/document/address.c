/* Addresses of Japan: a prefecture, one of its municipalities, and what stands behind them as far as it belongs to it. */
#include "document/address_table.h"
#include "document/finding_internal.h"

#define TOWN_MAX 48  /* bytes before the first number */
#define QUARTERS 7   /* of the words in tail(): those behind are quarters */
#define TAIL_MAX 150 /* bytes of town, block and building */

/* ヶ and ケ are written for one another in names of places. */
static bool same(const char *p, const char *name, size_t n)
{
	static const char large[] = "ケ", small[] = "ヶ";

	for (size_t i = 0; i < n; i += 3) {
		if (!memcmp(p + i, name + i, 3))
			continue;
		if ((memcmp(p + i, large, 3) != 0 && memcmp(p + i, small, 3) != 0) ||
		    (memcmp(name + i, large, 3) != 0 && memcmp(name + i, small, 3) != 0))
			return false;
	}
	return true;
}

static uint32_t first_character(const char *p)
{
	return (uint32_t)(uint8_t)p[0] << 16 | (uint32_t)(uint8_t)p[1] << 8 | (uint8_t)p[2];
}

/* Bytes of the municipality at i; every name is made of characters of three bytes, and they are sorted. */
static uint32_t municipality(const struct finding_scan *s, uint32_t i, const char *places)
{
	uint32_t left = s->hi - i, best = 0, first = left >= 3 ? first_character(s->p + i) : 0;

	while (*places) {
		uint32_t n = 3, other = first_character(places);

		if (other > first)
			break;
		while (places[n] != ' ')
			n += 3;
		/* No name begins with ヶ or ケ. */
		if (other == first && n <= left && n > best && same(s->p + i, places, n))
			best = n;
		places += n + 1;
	}
	return best;
}

/* 虻田郡倶知安町: the district may stand between. */
static uint32_t district(const struct finding_scan *s, uint32_t i)
{
	for (uint32_t k = 3; k <= 15 && i + k + 3 <= s->hi; k += 3)
		if (!memcmp(s->p + i + k, "郡", 3))
			return k + 3;
	return 0;
}

/* Where the next address begins, at i or behind: this one goes no further. */
static uint32_t next_address(const struct finding_scan *s, const struct mark *m, uint32_t i)
{
	for (const struct mark *other = m + 1; other < s->marks + s->n_marks && other->at < i + TAIL_MAX; other++) {
		const struct literal *l = &s->f->lit[other->lit];

		if (other->at >= i && l->kind == LIT_PREFECTURE && address_begins(s, other, l->arg))
			return other->at;
	}
	return s->hi;
}

/* Kanji, kana, letters, digits and hyphens as in 丸の内1-2-3 or 本町二丁目4番; ends at punctuation, at a space behind which no digit stands. */
static uint32_t tail(const struct finding_scan *s, uint32_t i, uint32_t end)
{
	uint32_t from = i, good = i;
	bool digits = false, spaces = false;

	while (i < end && i - from < TAIL_MAX) {
		uint8_t c = (uint8_t)s->p[i];

		if (is_digit((char)c)) {
			digits = true;
			i++;
			good = i;
		} else if (c == '-' && is_digit(at(s, i + 1))) {
			i++;
		} else if (c == ' ' && !digits && is_digit(at(s, i + 1)) && at(s, i + 1) != '0') {
			i++;
		} else if (c == ' ' && !digits && !spaces && i + 1 < end && (uint8_t)at(s, i + 1) >= 0xe3) { /* 渋谷区 神宮前1-2-3 */
			spaces = true;
			i++;
		} else if (c >= 0xe3 && c <= 0xe9 && i + 3 <= end) {
			static const char *const numbers[] = { "丁", "目", "番", "地", "号", "条", "の", "東", "西", "南", "北" };
			static const char *const particles[] = { "を", "は", "が", "に", "で" };
			bool part = false, prose = !digits && i - from > TOWN_MAX;

			if (c == 0xe3 && (uint8_t)s->p[i + 1] == 0x80 && (uint8_t)s->p[i + 2] < 0x85)
				break; /* 、。 */
			for (size_t k = 0; k < ARRAY_SIZE(numbers); k++) /* 北1条東3丁目: a quarter counts before its number */
				part = part || (!memcmp(s->p + i, numbers[k], 3) && (k < QUARTERS || is_digit(at(s, i + 3))));
			for (size_t k = 0; k < ARRAY_SIZE(particles); k++) /* the sentence goes on: the address ended before */
				prose = prose || !memcmp(s->p + i, particles[k], 3);
			if ((digits && !part) || prose)
				break;
			i += 3;
			if (part && digits && !is_digit(at(s, i)))
				good = i;
		} else {
			break;
		}
	}
	return good;
}

uint32_t address_begins(const struct finding_scan *s, const struct mark *m, unsigned prefecture)
{
	uint32_t i = m->end, n, d;

	/* 東京都府中市 holds 京都府. */
	if (m->end > s->hi || (m->at - s->lo >= 3 && !memcmp(s->p + m->at, "京都府", 9) && !memcmp(s->p + m->at - 3, "東", 3)))
		return 0;
	if (at(s, i) == ' ')
		i++;
	n = municipality(s, i, prefectures[prefecture].places);
	if (n)
		return i + n;
	d = district(s, i);
	n = d ? municipality(s, i + d, prefectures[prefecture].places) : 0;
	return n ? i + d + n : 0;
}

void detect_address(struct finding_scan *s, const struct mark *m, unsigned prefecture)
{
	uint32_t end = address_begins(s, m, prefecture);

	if (!end)
		return;
	end = tail(s, end, next_address(s, m, end));
	finding_emit(s, DET_ADDRESS_JP, m->at, end, s->p + m->at, end - m->at);
}
