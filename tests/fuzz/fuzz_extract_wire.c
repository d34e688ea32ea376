/* Bytes as what a worker sends, in pieces of a size that the first byte chooses: the decoder refuses, or builds text that is as text.h says. */
#include "extract/wire.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void check(bool holds)
{
	if (!holds)
		abort();
}

static int on_part(void *arg, const struct extract_part *p)
{
	const struct text *t = &p->text;

	check(str_utf8_valid(buf_str(&t->bytes)) && str_utf8_valid(p->name) && str_utf8_valid(p->type));
	check(!(t->bytes.n && memchr(t->bytes.p, 0, t->bytes.n)));
	for (size_t i = 0; i < t->n_spans; i++) {
		check(t->spans[i].at + (uint64_t)t->spans[i].n <= t->bytes.n && zone_name(t->spans[i].zone)[0]);
		check(!t->spans[i].row == !t->spans[i].col && (!t->spans[i].row || t->spans[i].table));
	}
	for (size_t i = 0; i < t->n_metas; i++)
		check(t->metas[i].key.n && str_utf8_valid(t->metas[i].value));
	check(p->error == NULL || p->error[0]);
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	static struct decoder *d;
	size_t step, used = 0, have = 0;

	if (!d)
		d = decoder_new(1 << 16);
	if (!d || n < 1)
		return 0;
	step = data[0] + 1u;
	data++;
	n--;
	decoder_start(d, on_part, NULL);
	while (have < n) {
		_cleanup_free_ char *copy = NULL;
		const char *body;
		struct frame f;
		ssize_t k;

		have = have + step < n ? have + step : n;
		copy = malloc(have - used ? have - used : 1);
		check(copy != NULL);
		memcpy(copy, data + used, have - used);
		k = decoder_feed(d, copy, have - used, &f, &body);
		if (k < 0)
			break;
		used += (size_t)k;
	}
	decoder_abort(d, "unreadable: the end");
	return 0;
}
