/* Text bodies of mails, and the question whether two of them say the same. */
#include <ctype.h>
#include <errno.h>
#include <strings.h>

#include "extract/formats/mail.h"

#define GRAM 8           /* bytes that are looked for at once */
#define MISSING_PERCENT 10

static str after(str s, size_t n)
{
	return (str){ s.p + n, s.n - n };
}

unsigned mail_fields(str head)
{
	static const char *const known[] = { "from", "to", "cc", "bcc", "subject", "date", "received", "return-path", "reply-to", "message-id",
		"mime-version",
		"content-type", "content-transfer-encoding", "delivered-to", "in-reply-to", "references", "sender", "x-mailer", "x-priority",
		"x-originating-ip",
		"dkim-signature", "x-sender", "user-agent", "x-mozilla-status", "x-received", "authentication-results", "resent-from", "status",
		"thread-topic", "thread-index", "x-gm-thrid", "arc-seal" };
	unsigned n = 0;

	while (head.n && *head.p != '\n' && *head.p != '\r') {
		const char *end = memchr(head.p, '\n', head.n), *colon;
		size_t line = end ? (size_t)(end - head.p) : head.n;

		colon = memchr(head.p, ':', line);
		if (*head.p != ' ' && *head.p != '\t') {
			size_t name = colon ? (size_t)(colon - head.p) : 0;

			while (name && head.p[name - 1] == ' ')
				name--;
			if (!name && end)
				return 0;
			for (size_t i = 0; i < name; i++)
				if (head.p[i] <= ' ' || head.p[i] > '~')
					return 0;
			for (size_t i = 0; i < ARRAY_SIZE(known); i++)
				n += name == strlen(known[i]) && strncasecmp(head.p, known[i], name) == 0;
		}
		head = after(head, MIN(head.n, line + 1));
	}
	return n;
}

/* ---- paragraphs ---- */

struct line {
	str text;     /* without marks of quoting */
	unsigned quotes;
	bool flows;   /* goes on in the next line */
};

static struct line line_of(str s, bool flowed)
{
	struct line l = { .text = s };

	if (l.text.n && l.text.p[l.text.n - 1] == '\r')
		l.text.n--;
	if (!flowed)
		return l;
	while (l.text.n && *l.text.p == '>') {
		l.quotes++;
		l.text = after(l.text, 1);
	}
	if (l.text.n && *l.text.p == ' ') /* stuffed */
		l.text = after(l.text, 1);
	l.flows = l.text.n && l.text.p[l.text.n - 1] == ' ' && !str_eq(l.text, STR("-- "));
	return l;
}

static bool blank(str s)
{
	for (size_t i = 0; i < s.n; i++)
		if (!isspace((unsigned char)s.p[i]))
			return false;
	return true;
}

int mail_plain(struct sink *s, str utf8, bool flowed, bool delsp)
{
	_cleanup_buf_ struct buf paragraph = BUF_INIT;
	bool joins = false;
	unsigned quotes = 0;

	sink_block(s);
	while (utf8.n && !sink_full(s)) {
		const char *end = memchr(utf8.p, '\n', utf8.n);
		size_t n = end ? (size_t)(end - utf8.p) : utf8.n;
		struct line l = line_of((str){ utf8.p, n }, flowed);

		if (!joins || l.quotes != quotes) {
			if (paragraph.n && !blank(l.text))
				buf_putc(&paragraph, '\n');
			for (unsigned i = 0; i < l.quotes && !blank(l.text); i++)
				buf_putc(&paragraph, '>');
		}
		if (blank(l.text)) {
			sink_text(s, ZONE_BODY, buf_str(&paragraph));
			sink_block(s);
			buf_clear(&paragraph);
		} else {
			buf_puts(&paragraph, (str){ l.text.p, l.text.n - (l.flows && delsp) });
		}
		joins = l.flows;
		quotes = l.quotes;
		utf8 = after(utf8, MIN(utf8.n, n + 1));
	}
	sink_text(s, ZONE_BODY, buf_str(&paragraph));
	sink_block(s);
	return buf_error(&paragraph);
}

/* ---- comparing ---- */

/* Letters and digits only: how they are set differs. */
static void bare(struct buf *b, str s)
{
	for (size_t i = 0; i < s.n; i++) {
		uint8_t c = (uint8_t)s.p[i];

		if (c == 0xe3 && i + 2 < s.n && (uint8_t)s.p[i + 1] == 0x80 && (uint8_t)s.p[i + 2] == 0x80) /* ideographic space */
			i += 2;
		else if (isalnum(c) || c >= 0x80)
			buf_putc(b, (char)(c < 0x80 ? tolower(c) : c));
	}
}

static uint64_t gram(const char *p)
{
	uint64_t v;

	memcpy(&v, p, sizeof(v));
	v *= 0x9e3779b97f4a7c15ULL;
	return v ^ v >> 29;
}

bool mail_differs(str plain, str html)
{
	_cleanup_buf_ struct buf a = BUF_INIT, b = BUF_INIT;
	_cleanup_free_ uint64_t *seen = NULL;
	size_t bits = 1024, total = 0, missing = 0;

	bare(&a, plain);
	bare(&b, html);
	if (a.n < GRAM)
		return a.n && (!b.n || !memmem(b.p, b.n, a.p, a.n));
	while (bits < b.n * 16)
		bits *= 2;
	seen = calloc(bits / 64, sizeof(*seen));
	if (!seen)
		return true;
	for (size_t i = 0; i + GRAM <= b.n; i++) {
		uint64_t g = gram(b.p + i) & (bits - 1);

		seen[g / 64] |= 1ull << g % 64;
	}
	for (size_t i = 0; i + GRAM <= a.n; i++) {
		uint64_t g = gram(a.p + i) & (bits - 1);

		total++;
		missing += !(seen[g / 64] >> g % 64 & 1);
	}
	return missing * 100 > total * MISSING_PERCENT;
}
