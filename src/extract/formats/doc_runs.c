/* Formatted disk pages of Word 97-2003 (MS-DOC 2.9.33 ChpxFkp, PapxFkp) and the few properties in them that change what a text says. */
#include "extract/formats/doc_runs.h"

#define PAGE 512u
#define RUNS_MAX (4u << 20)

/* Bytes of a property's operand, by the upper bits of its name. */
static size_t operand(str s, size_t at)
{
	static const uint8_t sizes[] = { 1, 1, 2, 4, 2, 2, 0, 3 };
	uint16_t name = le16(s, at);

	if (name >> 13 != 6)
		return sizes[name >> 13];
	if (name == 0xd608)
		return (size_t)le16(s, at + 2) + 1;
	return (size_t)le8(s, at + 2) + 1;
}

static uint8_t flags_of(str s)
{
	static const struct {
		uint16_t name;
		uint8_t flag;
	} known[] = {
		{ 0x083c, RUN_HIDDEN }, { 0x0800, RUN_DELETED }, { 0x2416, RUN_TABLE }, { 0x2417, RUN_ROW_END }, { 0x244b, RUN_INNER },
		{ 0x244c, RUN_INNER },
	};
	uint8_t flags = 0;

	for (size_t at = 0; at + 3 <= s.n; at += 2 + operand(s, at)) {
		uint16_t name = le16(s, at);

		if (name == 0x6649 && le32(s, at + 2) > 1) /* depth of the table */
			flags |= RUN_INNER;
		for (size_t i = 0; i < ARRAY_SIZE(known); i++)
			if (known[i].name == name) /* 0x80, 0x81: as the style says, or not; styles hide nothing as a rule */
				flags = le8(s, at + 2) == 1 || le8(s, at + 2) == 0x81 ? flags | known[i].flag : flags & (uint8_t)~known[i].flag;
	}
	return flags;
}

static void add(struct runs *r, struct run run)
{
	if (!run.flags || run.from >= run.to || r->n >= RUNS_MAX)
		return;
	if (r->n && r->run[r->n - 1].to == run.from && r->run[r->n - 1].flags == run.flags && !(run.flags & RUN_ROW_END)) {
		r->run[r->n - 1].to = run.to;
		return;
	}
	if (r->n == r->cap) {
		size_t cap = r->cap ? r->cap * 2 : 256;
		struct run *p = realloc(r->run, cap * sizeof(*p));

		if (!p)
			return;
		r->run = p;
		r->cap = cap;
	}
	r->run[r->n++] = run;
}

static str properties(str page, size_t at, bool paragraphs)
{
	size_t n = le8(page, at);

	if (!paragraphs)
		return le_sub(page, at + 1, n);
	at++;
	if (n == 0)
		n = (size_t)le8(page, at++) * 2;
	else
		n = n * 2 - 1;
	return n > 2 ? le_sub(page, at + 2, n - 2) : (str){ page.p, 0 }; /* behind the style's number */
}

static void read_page(struct runs *r, str page, bool paragraphs)
{
	size_t n = le8(page, PAGE - 1), entry = paragraphs ? 13 : 1;

	if (page.n != PAGE || (n + 1) * 4 + n * entry > PAGE - 1)
		return;
	for (size_t i = 0; i < n; i++) {
		struct run run = { le32(page, 4 * i), le32(page, 4 * i + 4), 0 };
		size_t at = le8(page, 4 * (n + 1) + entry * i) * 2ul;

		if (at)
			run.flags = flags_of(properties((str){ page.p, PAGE - 1 }, at, paragraphs));
		add(r, run);
	}
}

static int by_position(const void *a, const void *b)
{
	const struct run *x = a, *y = b;

	return x->from < y->from ? -1 : x->from > y->from;
}

void runs_read(struct runs *r, str document, str plc, bool paragraphs)
{
	size_t n = plc.n >= 12 ? (plc.n - 4) / 8 : 0;

	/* No more pages than the file has. */
	n = MIN(n, document.n / PAGE + 1);
	for (size_t i = 0; i < n; i++)
		read_page(r, le_sub(document, (size_t)(le32(plc, 4 * (n + 1) + 4 * i) & 0x3fffff) * PAGE, PAGE), paragraphs);
	if (r->n)
		qsort(r->run, r->n, sizeof(*r->run), by_position);
}

uint8_t runs_at(struct runs *r, uint32_t fc, uint32_t *ret_to)
{
	size_t low = 0, high = r->n;

	if (r->at < r->n && r->run[r->at].from <= fc && fc < r->run[r->at].to) {
		*ret_to = r->run[r->at].to;
		return r->run[r->at].flags;
	}
	while (low < high) { /* the first that begins behind fc */
		size_t mid = low + (high - low) / 2;

		if (r->run[mid].from <= fc)
			low = mid + 1;
		else
			high = mid;
	}
	*ret_to = low < r->n ? r->run[low].from : UINT32_MAX;
	if (low && fc < r->run[low - 1].to) {
		r->at = low - 1;
		*ret_to = MIN(*ret_to, r->run[low - 1].to);
		return r->run[low - 1].flags;
	}
	return 0;
}

void runs_free(struct runs *r)
{
	free(r->run);
	*r = (struct runs){ 0 };
}
