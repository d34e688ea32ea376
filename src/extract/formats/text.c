/* Plain text: charset by its bytes, paragraphs at empty lines. */
#include <errno.h>

#include "extract/format.h"
#include "extract/formats/lines.h"

static int bid(struct in *in, str head)
{
	return charset_guess(head) ? 10 : 0;
}

/* A paragraph at a time; a block ends where a line is empty. */
static int paragraphs(void *arg, str utf8)
{
	struct sink *s = arg;

	while (utf8.n && !sink_full(s)) {
		const char *gap = memmem(utf8.p, utf8.n, "\n\n", 2);
		size_t n = gap ? (size_t)(gap - utf8.p) : utf8.n;

		sink_text(s, ZONE_BODY, (str){ utf8.p, n });
		if (!gap)
			break;
		sink_block(s);
		while (n < utf8.n && utf8.p[n] == '\n')
			n++;
		utf8.p += n;
		utf8.n -= n;
	}
	return sink_full(s);
}

static int read_text(struct in *in, struct sink *s)
{
	return lines_read(in, charset_guess(in_head(in)), paragraphs, s);
}

const struct format format_text = { .name = "text", .mime = "text/plain", .bid = bid, .read = read_text };
