/* TNEF ("winmail.dat"): Outlook's body and attachments in one attachment. Attributes with a checksum, two of which hold MAPI properties
 * (MS-OXTNEF). */
#include <errno.h>

#include "extract/formats/cursor.h"
#include "extract/formats/html.h"
#include "extract/formats/message.h"

#define SIGNATURE "\x78\x9f\x3e\x22"
#define PROPERTIES_MAX 100000
#define TYPE(tag) ((tag) & 0x0fff)
#define MULTIPLE 0x1000
#define PR_TOPIC 0x0070 /* the subject without "Re:" */

enum {
	ATT_SUBJECT = 0x00018004, ATT_BODY = 0x0002800c, ATT_ATTACH_TITLE = 0x00018010, ATT_ATTACH_DATA = 0x0006800f, ATT_ATTACH_BEGINS =
	0x00069002,
	ATT_PROPERTIES = 0x00069003, ATT_ATTACH_PROPERTIES = 0x00069005, ATT_CODEPAGE = 0x00069007,
};

enum { TYPE_OBJECT = 0x0d, TYPE_STRING8 = 0x1e, TYPE_UNICODE = 0x1f, TYPE_BINARY = 0x102 };

struct tnef {
	struct sink *s;
	uint32_t codepage, html_codepage;
	struct buf plain, name, subject;
	str html, rtf;
	str data;          /* of the attachment at hand */
	bool attachment, object;
	bool titled;       /* its name is the long one */
	unsigned n;
};

static str take_padded(struct cursor *c)
{
	size_t n = cursor_number(c, 4);
	str r = cursor_take(c, n);

	cursor_take(c, c->bad ? 0 : MIN((4 - n % 4) % 4, c->s.n));
	return r;
}

/* ---- text ---- */

/* Up to its NUL, in the code page that the sender had. */
static void put_string(struct tnef *t, struct buf *b, str s, bool unicode)
{
	if (unicode) {
		while (s.n >= 2 && !s.p[s.n - 1] && !s.p[s.n - 2])
			s.n -= 2;
		charset_to_utf8(STR("utf-16le"), s, b);
		return;
	}
	while (s.n && !s.p[s.n - 1])
		s.n--;
	if (str_utf8_valid(s))
		buf_puts(b, s);
	else
		charset_codepage_to_utf8(t->codepage, s, b);
}

/* ---- properties ---- */

static void on_property(struct tnef *t, uint32_t type, uint32_t id, str value)
{
	bool text = type == TYPE_STRING8 || type == TYPE_UNICODE;

	if (id == PR_RTF && type == TYPE_BINARY) {
		t->rtf = value;
	} else if (id == PR_HTML && (type == TYPE_BINARY || type == TYPE_STRING8)) {
		t->html = value;
	} else if (id == PR_BODY && text && !t->plain.n) {
		put_string(t, &t->plain, value, type == TYPE_UNICODE);
	} else if ((id == PR_ATTACH_LONG || (id == PR_DISPLAY_NAME && !t->titled)) && text && t->attachment) {
		buf_clear(&t->name); /* better than the short one of the attribute */
		put_string(t, &t->name, value, type == TYPE_UNICODE);
		t->titled = id == PR_ATTACH_LONG;
	} else if ((id == PR_SUBJECT || id == PR_TOPIC) && text && !t->attachment && !t->subject.n) {
		put_string(t, &t->subject, value, type == TYPE_UNICODE);
	} else if (id == PR_ATTACH_DATA && t->attachment && (type == TYPE_BINARY || type == TYPE_OBJECT)) {
		t->object = type == TYPE_OBJECT && value.n > 16;
		t->data = t->object ? (str){ value.p + 16, value.n - 16 } : value; /* an object's interface stands before it */
	}
}

/* Bytes of a value of fixed size, 0: it says its own. */
static size_t fixed_size(uint32_t type)
{
	static const uint8_t sizes[] = { [0x02] = 4, [0x03] = 4, [0x04] = 4, [0x05] = 8, [0x06] = 8, [0x07] = 8, [0x0a] = 4, [0x0b] = 4,
		[0x14] = 8, [0x40] = 8,
		[0x48] = 16 };

	return type < sizeof(sizes) ? sizes[type] : 0;
}

static void skip_name(struct cursor *c)
{
	cursor_take(c, 16);
	if (cursor_number(c, 4) == 0)
		cursor_take(c, 4);
	else
		take_padded(c);
}

static void properties(struct tnef *t, str s)
{
	struct cursor c = { s, false };
	uint32_t n = cursor_number(&c, 4);

	for (uint32_t i = 0; i < n && i < PROPERTIES_MAX && !c.bad; i++) {
		uint32_t type = cursor_number(&c, 2), id = cursor_number(&c, 2), values = 1;
		size_t size = fixed_size(TYPE(type));

		if (id >= 0x8000)
			skip_name(&c);
		if (!size || type & MULTIPLE)
			values = cursor_number(&c, 4);
		for (uint32_t k = 0; k < values && !c.bad; k++) {
			str v = size ? cursor_take(&c, size) : take_padded(&c);

			if (id == PR_INTERNET_CODEPAGE && v.n == 4)
				t->html_codepage = cursor_number(&(struct cursor){ v, false }, 4);
			else if (!c.bad && k == 0)
				on_property(t, TYPE(type), id, v);
		}
	}
}

/* ---- attributes ---- */

static int put_attachment(struct tnef *t)
{
	_cleanup_buf_ struct buf name = BUF_INIT;
	char otherwise[40];
	struct in *in;
	int r = 0;

	if (t->attachment && t->data.p) {
		snprintf(otherwise, sizeof(otherwise), t->object ? "message-%u.tnef" : "part-%u", ++t->n);
		message_name(&name, buf_str(&t->name), otherwise);
		in = in_memory(buf_str(&name), t->data);
		r = in ? sink_part(t->s, buf_str(&name), in) : -ENOMEM;
		in_close(in);
	}
	buf_clear(&t->name);
	t->data = STR_NONE;
	t->object = t->titled = false;
	return r;
}

static int attribute(struct tnef *t, uint32_t id, str value)
{
	int r = 0;

	switch (id) {
	case ATT_CODEPAGE: t->codepage = cursor_number(&(struct cursor){ value, false }, 4); break;
	case ATT_SUBJECT:
		buf_clear(&t->subject);
		put_string(t, &t->subject, value, false);
		break;
	case ATT_BODY: put_string(t, &t->plain, value, false); break;
	case ATT_PROPERTIES: properties(t, value); break;
	case ATT_ATTACH_BEGINS:
		r = put_attachment(t);
		t->attachment = true;
		break;
	case ATT_ATTACH_TITLE:
		if (!t->name.n)
			put_string(t, &t->name, value, false);
		break;
	case ATT_ATTACH_DATA: t->data = value; break;
	case ATT_ATTACH_PROPERTIES: properties(t, value); break;
	default: break;
	}
	return r;
}

static int run(struct tnef *t, str bytes)
{
	struct cursor c = { bytes, false };
	int r = 0, k;

	cursor_take(&c, 6); /* signature, key */
	while (r >= 0 && c.s.n && !sink_full(t->s)) {
		uint32_t id;
		str value;

		cursor_take(&c, 1); /* message or attachment */
		id = cursor_number(&c, 4);
		value = cursor_take(&c, cursor_number(&c, 4));
		cursor_take(&c, 2);
		if (c.bad)
			break;
		r = attribute(t, id, value);
	}
	if (r >= 0)
		r = put_attachment(t);
	if (r < 0)
		return r;
	sink_meta(t->s, "subject", buf_str(&t->subject));
	sink_text(t->s, ZONE_TITLE, buf_str(&t->subject));
	k = message_body(t->s, buf_str(&t->plain), t->html, t->html_codepage ? t->html_codepage : t->codepage, t->rtf);
	if (c.bad) {
		sink_reason(t->s, "ends inside an attribute");
		return -EBADMSG;
	}
	return k;
}

static int bid(struct in *in, str head)
{
	return str_starts(head, STR(SIGNATURE)) ? 90 : 0;
}

static int read_tnef(struct in *in, struct sink *s)
{
	struct tnef t = { .s = s, .codepage = 1252 };
	str bytes;
	int r = in_whole(in, IN_WHOLE_MAX, &bytes);

	if (r == 0)
		r = run(&t, bytes);
	buf_free(&t.plain);
	buf_free(&t.name);
	buf_free(&t.subject);
	return r;
}

const struct format format_tnef = { .name = "tnef", .mime = "application/vnd.ms-tnef", .bid = bid, .read = read_tnef };
