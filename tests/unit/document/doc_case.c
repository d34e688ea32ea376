#include "doc_case.h"

struct text doc;

static uint32_t table, block;

void doc_begin(void)
{
	text_clear(&doc);
	table = block = 0;
}

void doc_free(void)
{
	text_free(&doc);
}

static struct span *add(const char *text, size_t n)
{
	if (doc.n_spans == doc.cap_spans) {
		doc.cap_spans = doc.cap_spans ? 2 * doc.cap_spans : 64;
		doc.spans = reallocarray(doc.spans, doc.cap_spans, sizeof(*doc.spans));
		assert_non_null(doc.spans);
	}
	if (doc.bytes.n)
		buf_putc(&doc.bytes, '\n');
	doc.spans[doc.n_spans] = (struct span){ .at = (uint32_t)doc.bytes.n, .n = (uint32_t)n, .block = ++block };
	buf_put(&doc.bytes, text, n);
	return &doc.spans[doc.n_spans++];
}

void doc_put(enum zone zone, const char *text)
{
	add(text, strlen(text))->zone = (uint8_t)zone;
}

void doc_table(void)
{
	table++;
}

static void cell(uint32_t row, uint32_t col, const char *text, size_t n)
{
	struct span *s;

	if (!n)
		return;
	s = add(text, n);
	s->zone = ZONE_CELL;
	s->table = table;
	s->row = row;
	s->col = col;
}

void doc_cell(uint32_t row, uint32_t col, const char *text)
{
	cell(row, col, text, strlen(text));
}

void doc_rows(const char *rows)
{
	uint32_t row = 1, col = 1;

	doc_table();
	for (const char *p = rows;; p++) {
		size_t n = strcspn(p, "|\n");

		cell(row, col, p, n);
		p += n;
		if (!*p)
			break;
		col = *p == '|' ? col + 1 : 1;
		row += *p == '\n';
	}
}

static str two(const char *a, const char *b, str *ret_b)
{
	size_t n = strlen(a), k = strlen(b);
	char *p = malloc(n + k + 1);

	assert_non_null(p);
	memcpy(p, a, n);
	memcpy(p + n, b, k);
	*ret_b = (str){ p + n, k };
	return (str){ p, n };
}

void doc_meta(const char *key, const char *value)
{
	struct meta *m = reallocarray(doc.metas, doc.n_metas + 1, sizeof(*m));

	assert_non_null(m);
	doc.metas = m;
	m[doc.n_metas].key = two(key, value, &m[doc.n_metas].value);
	doc.n_metas++;
}

void doc_label(const char *guid, const char *name, bool enabled, unsigned source)
{
	struct mslabel *l = reallocarray(doc.labels, doc.n_labels + 1, sizeof(*l));

	assert_non_null(l);
	doc.labels = l;
	l[doc.n_labels].guid = two(guid, name, &l[doc.n_labels].name);
	l[doc.n_labels].enabled = enabled;
	l[doc.n_labels].source = (uint8_t)source;
	doc.n_labels++;
}
