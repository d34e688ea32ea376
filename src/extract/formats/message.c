/* Addresses, headers and bodies of Outlook's messages. */
#include "extract/formats/message.h"

#include <errno.h>
#include <strings.h>

#include "base/utf8.h"
#include "extract/formats/msip.h"

#define NAME_BYTES 120
#define RTF_MAX (64u << 20)

void message_address(struct sink *s, str name, str address)
{
	_cleanup_buf_ struct buf b = BUF_INIT;

	if (address.n && address.p[0] == '/')
		address.n = 0;
	if (str_eq(name, address))
		name.n = 0;
	buf_puts(&b, name);
	if (address.n)
		buf_putf(&b, name.n ? " <%.*s>" : "%.*s", STR_ARG(address));
	sink_text(s, ZONE_ADDRESS, buf_str(&b));
	sink_block(s);
}

/* A header's value, with the lines that continue it. */
static str header(str all, const char *name)
{
	size_t n = strlen(name);

	for (size_t at = 0; at < all.n;) {
		const char *end = memchr(all.p + at, '\n', all.n - at);
		size_t line = end ? (size_t)(end - all.p) + 1 : all.n;

		if (line - at > n && strncasecmp(all.p + at, name, n) == 0 && all.p[at + n] == ':') {
			while (line < all.n && (all.p[line] == ' ' || all.p[line] == '\t')) {
				end = memchr(all.p + line, '\n', all.n - line);
				line = end ? (size_t)(end - all.p) + 1 : all.n;
			}
			return (str){ all.p + at + n + 1, line - at - n - 1 };
		}
		at = line;
	}
	return STR_NONE;
}

void message_headers(struct sink *s, str headers)
{
	struct msip m = { 0 };

	msip_take_header(&m, header(headers, "msip_labels"));
	msip_put(&m, s, 4);
	msip_free(&m);
}

static int put_plain(struct sink *s, str plain)
{
	_cleanup_buf_ struct buf b = BUF_INIT;

	/* Empty lines end blocks. */
	utf8_put_clean(&b, plain);
	for (size_t at = 0; at < b.n;) {
		const char *end = memmem(b.p + at, b.n - at, "\n\n", 2);
		size_t n = end ? (size_t)(end - b.p) - at : b.n - at;

		sink_text(s, ZONE_BODY, (str){ b.p + at, n });
		sink_block(s);
		at += n;
		while (at < b.n && b.p[at] == '\n')
			at++;
	}
	return buf_error(&b);
}

static int put_html(struct sink *s, str html, unsigned codepage)
{
	_cleanup_buf_ struct buf b = BUF_INIT;

	if (codepage == 0 || codepage == 65001 || str_utf8_valid(html))
		return html_read(html, s, ZONE_BODY);
	charset_codepage_to_utf8(codepage, html, &b);
	return html_read(buf_str(&b), s, ZONE_BODY);
}

static int put_rtf(struct sink *s, str packed)
{
	_cleanup_buf_ struct buf b = BUF_INIT;
	int r = lzfu_unpack(packed, MIN(RTF_MAX, sink_room(s)), &b), k;

	if (sink_unpacked(s, b.n) < 0)
		return -EMSGSIZE;
	if (r == -EBADMSG)
		sink_reason(s, "its compressed body is damaged");
	k = b.n ? rtf_read(buf_str(&b), s) : 0;
	return r ? r : k;
}

int message_body(struct sink *s, str plain, str html, unsigned html_codepage, str rtf)
{
	int r = 0;

	sink_block(s);
	if (html.n)
		r = put_html(s, html, html_codepage);
	else if (plain.n)
		r = put_plain(s, plain);
	else if (rtf.n)
		r = put_rtf(s, rtf);
	sink_block(s);
	return r;
}

void message_name(struct buf *ret, str raw, const char *otherwise)
{
	_cleanup_buf_ struct buf b = BUF_INIT;
	size_t n;

	utf8_put_clean(&b, (str){ raw.p, MIN(raw.n, (size_t)4 * NAME_BYTES) });
	for (size_t i = 0; i < b.n; i++)
		if (b.p[i] == '/' || (unsigned char)b.p[i] < ' ')
			b.p[i] = b.p[i] == '/' ? '_' : ' ';
	n = utf8_cut(buf_str(&b), NAME_BYTES);
	while (n && b.p[n - 1] == ' ')
		n--;
	if (n)
		buf_put(ret, b.p, n);
	else
		buf_puts(ret, str_c(otherwise));
}
