#include "fuzz_format.h"

#include <errno.h>
#include <locale.h>

#include "extract/in.h"
#include "extract/sink.h"

static struct decoder *decoder;
static struct buf inbox;

static void check(bool holds)
{
	if (!holds)
		abort();
}

static int on_part(void *arg, const struct extract_part *p)
{
	const struct text *t = &p->text;
	size_t at = 0;

	check(str_utf8_valid(buf_str(&t->bytes)) && !(t->bytes.n && memchr(t->bytes.p, 0, t->bytes.n)) && str_utf8_valid(p->name) && str_utf8_valid(p->type));
	for (size_t i = 0; i < t->n_spans; i++) {
		check(t->spans[i].at == at && t->spans[i].zone >= ZONE_BODY && t->spans[i].zone < ZONE_MAX_);
		at += t->spans[i].n + 1;
	}
	check(t->bytes.n == (at ? at - 1 : 0));
	return 0;
}

static int take(void *arg, str frames)
{
	const char *body;
	struct frame f;
	ssize_t used;

	buf_puts(&inbox, frames);
	used = decoder_feed(decoder, inbox.p, inbox.n, &f, &body);
	check(used >= 0);
	if (f.kind) /* a program is asked for: there is none here */
		return -EPIPE;
	inbox.n -= (size_t)used;
	memmove(inbox.p, inbox.p + used, inbox.n);
	return 0;
}

static void prepare(void)
{
	static bool done;

	if (done)
		return;
	done = true;
	setlocale(LC_CTYPE, "C.UTF-8");
	check(charset_prepare() == 0);
	for (size_t i = 0; formats[i]; i++)
		check(!formats[i]->prepare || formats[i]->prepare() == 0);
	decoder = decoder_new(1 << 20);
}

void fuzz_format(const char *name, const uint8_t *data, size_t n)
{
	struct doc d = { .sock = -1, .send = take, .text_max = 1 << 20, .file_max = 1 << 30, .hash = sha256_new() };
	_cleanup_free_ char *copy = malloc(n ? n : 1);
	struct in *in;

	prepare();
	check(copy && d.hash);
	if (n)
		memcpy(copy, data, n);
	in = in_memory(str_c(name), (str){ copy, n });
	check(in != NULL);
	decoder_start(decoder, on_part, NULL);
	buf_clear(&inbox);
	doc_read(&d, in);
	in_close(in);
	buf_free(&d.out);
	sha256_free(d.hash);
}
