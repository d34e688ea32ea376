/* findings: what the detectors find in the text on stdin, JSON Lines on stdout: detector, at, n, text, value.
 *
 * The text is one span; with --lines every line is a text of its own and `line` says which (from 1); with --cells lines are rows of one table, divided by tabs.
 */
#include "base/json.h"
#include "base/utf8.h"
#include "document/finding.h"

static int add_cell(struct text *t, size_t from, size_t to, uint32_t row, uint32_t col)
{
	if (t->n_spans == t->cap_spans) {
		struct span *s = realloc(t->spans, (t->cap_spans ? t->cap_spans * 2 : 1024) * sizeof(*s));

		if (!s)
			return -1;
		t->spans = s;
		t->cap_spans = t->cap_spans ? t->cap_spans * 2 : 1024;
	}
	t->spans[t->n_spans++] = (struct span){ .at = (uint32_t)from, .n = (uint32_t)(to - from), .table = 1, .row = row, .col = col, .zone = ZONE_CELL };
	return 0;
}

static int cells(struct text *t)
{
	uint32_t row = 1, col = 1;

	for (size_t i = 0, from = 0; i <= t->bytes.n; i++) {
		char c = i < t->bytes.n ? t->bytes.p[i] : '\n';

		if (c != '\t' && c != '\n')
			continue;
		if (i > from && add_cell(t, from, i, row, col) < 0)
			return -1;
		col = c == '\t' ? col + 1 : 1;
		row += c == '\n';
		from = i + 1;
	}
	return 0;
}

static int show(struct finding_scan *s, const struct text *t, uint64_t line, struct buf *out)
{
	struct hits h;

	if (finding_run(s, t, &h) < 0)
		return -1;
	for (size_t i = 0; i < h.n; i++) {
		const struct hit *x = &h.hit[i];

		buf_clear(out);
		json_obj_begin(out);
		json_key(out, "detector");
		json_str(out, str_c(detector_name(x->detector)));
		if (line) {
			json_key(out, "line");
			json_u64(out, line);
		}
		json_key(out, "at");
		json_u64(out, x->at);
		json_key(out, "n");
		json_u64(out, x->n);
		json_key(out, "text");
		json_str(out, (str){ t->bytes.p + x->at, x->n });
		json_key(out, "value");
		json_str(out, hit_value(&h, x));
		json_obj_end(out);
		buf_putc(out, '\n');
		fwrite(out->p, 1, out->n, stdout);
	}
	return 0;
}

int main(int argc, char **argv)
{
	_cleanup_buf_ struct buf raw = BUF_INIT, out = BUF_INIT;
	struct finder *f = NULL;
	struct finding_scan *s = NULL;
	struct text t = { 0 };
	bool lines = argc > 1 && !strcmp(argv[1], "--lines");
	char block[65536];
	size_t n, from = 0;
	int r = 1;

	while ((n = fread(block, 1, sizeof(block), stdin)) > 0)
		buf_put(&raw, block, n);
	if (buf_error(&raw) || finder_new(NULL, 0, &f) < 0 || finding_scan_new(f, &s) < 0)
		goto out;
	for (uint64_t line = 1; from < raw.n || line == 1; line++) {
		const char *nl = lines ? memchr(raw.p + from, '\n', raw.n - from) : NULL;
		size_t to = nl ? (size_t)(nl - raw.p) : raw.n;

		buf_clear(&t.bytes);
		utf8_put_clean(&t.bytes, (str){ raw.p + from, to - from });
		if ((argc > 1 && !strcmp(argv[1], "--cells") && cells(&t) < 0) || show(s, &t, lines ? line : 0, &out) < 0)
			goto out;
		from = to + 1;
	}
	r = 0;
out:
	text_free(&t);
	finding_scan_free(s);
	finder_free(f);
	return r;
}
