/* Mails: gmime takes them apart; names, charsets and text are our own, since nothing can be loaded once the sandbox is shut. */
#include "extract/formats/mail.h"

#include <errno.h>
#include <gmime/gmime.h>
#include <strings.h>

#include "extract/formats/html.h"
#include "extract/formats/mail_header.h"
#include "extract/formats/message.h"
#include "extract/formats/msip.h"

#define LEVELS_MAX 64   /* multiparts in multiparts */
#define PARTS_MAX 10000
#define ADDRESSES_MAX 100000
#define HEADER_MAX (4u << 20) /* gmime makes an object of each field and address, */
#define BOUNDARIES_MAX 100000 /* and of each part, before anything can be said */

struct mail {
	struct sink *s;
	unsigned parts;     /* numbered as they stand */
	bool ended;         /* a cap */
};

static int prepare(void)
{
	g_mime_init();
	/* Types register themselves when first used: now. */
	for (size_t i = 0; i < 2; i++) {
		GMimeStream *st = g_mime_stream_mem_new_with_buffer("Subject: =?utf-8?Q?x?=\n\nx\n", 26);
		GMimeParser *p = g_mime_parser_new_with_stream(st);
		GMimeMessage *m = g_mime_parser_construct_message(p, NULL);

		if (m)
			g_object_unref(m);
		g_object_unref(p);
		g_object_unref(st);
	}
	return 0;
}

/* ---- header ---- */

static str raw_header(GMimeObject *o, const char *name)
{
	GMimeHeader *h = g_mime_header_list_get_header(g_mime_object_get_header_list(o), name);

	return str_c(h ? g_mime_header_get_raw_value(h) : NULL);
}

static void put_addresses(struct mail *m, str raw)
{
	_cleanup_buf_ struct buf b = BUF_INIT;

	for (unsigned i = 0; raw.n && i < ADDRESSES_MAX; i++) {
		str one = mail_header_address(&raw);

		buf_clear(&b);
		mail_header_text(one, &b);
		sink_text(m->s, ZONE_ADDRESS, buf_str(&b));
		sink_block(m->s);
	}
}

static void put_field(struct mail *m, const char *name, str raw)
{
	static const struct {
		const char *name, *key;
		uint8_t zone;
	} fields[] = {
		{ "Subject", "subject", ZONE_TITLE }, { "From", "author", ZONE_ADDRESS }, { "To", NULL, ZONE_ADDRESS }, { "Cc", NULL, ZONE_ADDRESS },
		{ "Bcc", NULL, ZONE_ADDRESS }, { "Reply-To", NULL, ZONE_ADDRESS }, { "Sender", NULL, ZONE_ADDRESS },
		{ "Resent-From", NULL, ZONE_ADDRESS }, { "Resent-To", NULL, ZONE_ADDRESS }, { "Date", "header:date", ZONE_ADDRESS },
		{ "Keywords", "keywords", 0 }, { "Comments", "comments", 0 },
		{ "Message-ID", "header:message-id", 0 }, { "In-Reply-To", "header:in-reply-to", 0 }, { "Organization", "company", 0 },
		{ "Sensitivity", "header:sensitivity", 0 }, { "Importance", "header:importance", 0 }, { "X-Mailer", "producer", 0 },
		{ "User-Agent", "producer", 0 }, { "X-Classification", "header:x-classification", 0 }, { "Classification", "header:classification", 0 },
		{ "X-Protective-Marking", "header:x-protective-marking", 0 }, { "X-Sensitivity", "header:x-sensitivity", 0 },
	};
	_cleanup_buf_ struct buf b = BUF_INIT;

	for (size_t i = 0; i < ARRAY_SIZE(fields); i++) {
		if (strcasecmp(name, fields[i].name) != 0)
			continue;
		mail_header_text(raw, &b);
		if (fields[i].key)
			sink_meta(m->s, fields[i].key, buf_str(&b));
		if (fields[i].zone == ZONE_ADDRESS && strcasecmp(name, "Date") != 0) {
			put_addresses(m, raw);
		} else if (fields[i].zone) {
			sink_text(m->s, fields[i].zone, buf_str(&b));
			sink_block(m->s);
		}
	}
}

static void put_date(struct mail *m, GMimeMessage *msg)
{
	GDateTime *t = g_mime_message_get_date(msg);
	char *s = t ? g_date_time_format(t, "%Y-%m-%dT%H:%M:%S%:z") : NULL;

	if (s)
		sink_meta(m->s, "created", str_c(s));
	g_free(s);
}

static void put_header(struct mail *m, GMimeMessage *msg)
{
	GMimeHeaderList *l = g_mime_object_get_header_list(GMIME_OBJECT(msg));
	struct msip labels = { 0 };

	for (int i = 0; i < g_mime_header_list_get_count(l); i++) {
		GMimeHeader *h = g_mime_header_list_get_header_at(l, i);
		const char *name = g_mime_header_get_name(h);
		str raw = str_c(g_mime_header_get_raw_value(h));

		if (strcasecmp(name, "msip_labels") == 0) {
			_cleanup_buf_ struct buf b = BUF_INIT;

			mail_header_text(raw, &b);
			msip_take_header(&labels, buf_str(&b));
		} else {
			put_field(m, name, raw);
		}
	}
	put_date(m, msg);
	msip_put(&labels, m->s, 4);
	msip_free(&labels);
}

/* ---- parts ---- */

static bool is_type(GMimeObject *o, const char *type, const char *subtype)
{
	GMimeContentType *t = g_mime_object_get_content_type(o);

	return t && g_mime_content_type_is_type(t, type, subtype);
}

static bool is_attachment(GMimeObject *o)
{
	str d = raw_header(o, "Content-Disposition");

	while (d.n && (*d.p == ' ' || *d.p == '\t'))
		d = (str){ d.p + 1, d.n - 1 };
	return d.n >= 10 && strncasecmp(d.p, "attachment", 10) == 0;
}

static bool file_name(GMimeObject *o, struct buf *ret)
{
	return mail_header_param(raw_header(o, "Content-Disposition"), "filename", ret) ||
	       mail_header_param(raw_header(o, "Content-Type"), "name", ret);
}

/* What is in a part, its encoding undone. NULL: nothing. Released by g_byte_array_unref. */
static GByteArray *content(GMimeObject *o)
{
	GMimeDataWrapper *w = g_mime_part_get_content(GMIME_PART(o));
	GByteArray *b = g_byte_array_new();
	GMimeStream *st = g_mime_stream_mem_new_with_byte_array(b);

	g_mime_stream_mem_set_owner(GMIME_STREAM_MEM(st), FALSE);
	if (w)
		g_mime_data_wrapper_write_to_stream(w, st);
	g_object_unref(st);
	return b;
}

static str bytes_of(const GByteArray *b)
{
	return (str){ (const char *)b->data, b->len };
}

/* A name for what has none. */
static void part_name(struct mail *m, GMimeObject *o, struct buf *ret)
{
	_cleanup_buf_ struct buf given = BUF_INIT;
	static const struct {
		const char *type, *subtype, *name, *ext;
	} names[] = {
		{ "text", "calendar", "invitation", ".ics" }, { "text", "vcard", "contact", ".vcf" }, { "text", "x-vcard", "contact", ".vcf" },
		{ "text", "directory", "contact", ".vcf" }, { "text", "html", "part", ".html" }, { "text", "csv", "part", ".csv" },
		{ "text", "*", "part", ".txt" }, { "message", "rfc822", "message", ".eml" }, { "message", "*", "part", ".txt" },
		{ "image", "png", "image", ".png" }, { "image", "jpeg", "image", ".jpg" }, { "image", "gif", "image", ".gif" },
		{ "image", "*", "image", "" }, { "application", "pdf", "part", ".pdf" }, { "application", "ms-tnef", "winmail", ".dat" },
		{ "application", "zip", "part", ".zip" },
		{ "*", "*", "part", "" },
	};

	if (file_name(o, &given) && given.n) {
		message_name(ret, buf_str(&given), "part");
		return;
	}
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (i + 1 == ARRAY_SIZE(names) || is_type(o, names[i].type, names[i].subtype)) {
			buf_putf(ret, "%s-%u%s", names[i].name, m->parts, names[i].ext);
			return;
		}
}

static int note(struct mail *m, int r)
{
	m->ended = m->ended || r < 0;
	return r;
}

static int attachment(struct mail *m, GMimeObject *o, const char *hint_ext)
{
	_cleanup_buf_ struct buf name = BUF_INIT, hint = BUF_INIT;
	GByteArray *b = content(o);
	struct in *in;
	int r = -ENOMEM;

	part_name(m, o, &name);
	buf_puts(&hint, buf_str(&name));
	if (hint_ext)
		buf_puts(&hint, str_c(hint_ext));
	in = in_memory(buf_str(&hint), bytes_of(b));
	if (in)
		r = sink_part(m->s, buf_str(&name), in);
	in_close(in);
	g_byte_array_unref(b);
	return note(m, r);
}

static void encrypted(struct mail *m, const char *name, const char *how)
{
	sink_part_failed(m->s, str_c(name), -EACCES, how);
}

static void body_utf8(GMimeObject *o, str bytes, struct buf *ret)
{
	_cleanup_buf_ struct buf charset = BUF_INIT;

	mail_header_param(raw_header(o, "Content-Type"), "charset", &charset);
	mail_charset_text(buf_str(&charset), bytes, ret);
}

static bool param_is(GMimeObject *o, const char *name, const char *value)
{
	_cleanup_buf_ struct buf b = BUF_INIT;

	return mail_header_param(raw_header(o, "Content-Type"), name, &b) && b.n == strlen(value) && strncasecmp(b.p, value, b.n) == 0;
}

static int text_body(struct mail *m, GMimeObject *o)
{
	_cleanup_buf_ struct buf utf8 = BUF_INIT;
	GByteArray *b = content(o);
	int r;

	body_utf8(o, bytes_of(b), &utf8);
	g_byte_array_unref(b);
	if (is_type(o, "text", "html") || is_type(o, "text", "enriched") || is_type(o, "application", "xhtml+xml"))
		r = html_read(buf_str(&utf8), m->s, ZONE_BODY);
	else
		r = mail_plain(m->s, buf_str(&utf8), param_is(o, "format", "flowed"), param_is(o, "delsp", "yes"));
	if (utf8.n && memmem(utf8.p, utf8.n, "-----BEGIN PGP MESSAGE-----", 27))
		encrypted(m, "pgp-message", "encrypted with OpenPGP inside the text");
	return note(m, r);
}

static int nested(struct mail *m, GMimeObject *o)
{
	GMimeMessage *msg = g_mime_message_part_get_message(GMIME_MESSAGE_PART(o));
	_cleanup_buf_ struct buf name = BUF_INIT;
	GByteArray *b;
	GMimeStream *st;
	struct in *in;
	int r = -ENOMEM;

	if (!msg)
		return 0;
	b = g_byte_array_new();
	st = g_mime_stream_mem_new_with_byte_array(b);
	g_mime_stream_mem_set_owner(GMIME_STREAM_MEM(st), FALSE);
	g_mime_object_write_to_stream(GMIME_OBJECT(msg), NULL, st);
	g_object_unref(st);
	part_name(m, o, &name);
	in = in_memory(STR("message.eml"), bytes_of(b));
	if (in)
		r = sink_part(m->s, buf_str(&name), in);
	in_close(in);
	g_byte_array_unref(b);
	return note(m, r);
}

static bool secure_mime(struct mail *m, GMimeObject *o)
{
	if (!is_type(o, "application", "pkcs7-mime") && !is_type(o, "application", "x-pkcs7-mime"))
		return false;
	if (param_is(o, "smime-type", "signed-data") || param_is(o, "smime-type", "certs-only"))
		sink_part_failed(m->s, STR("smime.p7m"), -ENOTSUP, "signed with S/MIME in a closed form");
	else
		encrypted(m, "smime.p7m", "encrypted with S/MIME");
	return true;
}

static int leaf(struct mail *m, GMimeObject *o)
{
	_cleanup_buf_ struct buf name = BUF_INIT;
	bool attached = is_attachment(o), named = file_name(o, &name);

	if (secure_mime(m, o))
		return 0;
	if (!attached && !named && (is_type(o, "text", "plain") || is_type(o, "text", "html") || is_type(o, "text", "enriched") ||
	    is_type(o, "application", "xhtml+xml") || is_type(o, "message", "*")))
		return text_body(m, o);
	if (is_type(o, "text", "css") || is_type(o, "text", "javascript") || is_type(o, "application", "javascript") ||
	    is_type(o, "application", "x-javascript") || is_type(o, "application", "pgp-signature") ||
	    is_type(o, "application", "pkcs7-signature") ||
	    is_type(o, "application", "x-pkcs7-signature"))
		return 0;
	if (!attached && is_type(o, "image", "*")) {
		GByteArray *b = content(o);

		sink_image(m->s, buf_str(&name), bytes_of(b));
		g_byte_array_unref(b);
		return 0;
	}
	return attachment(m, o, is_type(o, "text", "html") ? ".html" : is_type(o, "text", "csv") ? ".csv" : NULL);
}

static int walk(struct mail *m, GMimeObject *o, unsigned level);

/* The first leaf of that type in what may be a tree of its own (related). */
static GMimeObject *find_leaf(GMimeObject *o, const char *subtype, unsigned level)
{
	if (GMIME_IS_PART(o))
		return is_type(o, "text", subtype) && !is_attachment(o) ? o : NULL;
	if (!GMIME_IS_MULTIPART(o) || level >= LEVELS_MAX)
		return NULL;
	for (int i = 0; i < g_mime_multipart_get_count(GMIME_MULTIPART(o)) && i < 16; i++) {
		GMimeObject *found = find_leaf(g_mime_multipart_get_part(GMIME_MULTIPART(o), i), subtype, level + 1);

		if (found)
			return found;
	}
	return NULL;
}

/* Whether the plain text of an alternative is only the other one once more. */
static bool repeats(GMimeObject *plain, GMimeObject *html)
{
	_cleanup_buf_ struct buf a = BUF_INIT, raw = BUF_INIT, b = BUF_INIT;
	GByteArray *p = content(plain), *h = content(html);

	body_utf8(plain, bytes_of(p), &a);
	body_utf8(html, bytes_of(h), &raw);
	g_byte_array_unref(p);
	g_byte_array_unref(h);
	html_words(buf_str(&raw), &b);
	return !mail_differs(buf_str(&a), buf_str(&b));
}

static int multipart(struct mail *m, GMimeObject *o, unsigned level)
{
	GMimeMultipart *mp = GMIME_MULTIPART(o);
	GMimeObject *plain = NULL, *html = NULL;
	int n = g_mime_multipart_get_count(mp), r = 0;

	if (is_type(o, "multipart", "encrypted")) {
		encrypted(m, "encrypted", "encrypted with OpenPGP");
		return 0;
	}
	if (n == 0) { /* no boundary, or none was found: what stands there is text */
		const char *prologue = g_mime_multipart_get_prologue(mp);

		return prologue ? mail_plain(m->s, str_c(prologue), false, false) : 0;
	}
	if (is_type(o, "multipart", "alternative")) {
		plain = find_leaf(o, "plain", level);
		html = find_leaf(o, "html", level);
		if (plain && html && !repeats(plain, html))
			plain = NULL;
	}
	for (int i = 0; r >= 0 && i < n && !m->ended; i++) {
		GMimeObject *part = g_mime_multipart_get_part(mp, i);

		if (!(plain && html && part == plain))
			r = walk(m, part, level + 1);
	}
	return r;
}

static int walk(struct mail *m, GMimeObject *o, unsigned level)
{
	if (!o || sink_full(m->s))
		return 0;
	m->parts++;
	if (level > LEVELS_MAX || m->parts > PARTS_MAX) {
		sink_reason(m->s, level > LEVELS_MAX ? "parts nested more than %d levels deep" : "more than %d parts", level > LEVELS_MAX ? LEVELS_MAX :
				PARTS_MAX);
		return note(m, -EMSGSIZE);
	}
	if (GMIME_IS_MULTIPART(o))
		return multipart(m, o, level);
	if (GMIME_IS_MESSAGE_PART(o))
		return nested(m, o);
	return GMIME_IS_PART(o) ? leaf(m, o) : 0;
}

/* More than can be taken apart at a reasonable cost: then it is read as the text that it is. */
static const char *too_much(str s)
{
	size_t boundaries = 0, at = 0;
	bool header = true;

	while (at < s.n) {
		const char *end = memchr(s.p + at, '\n', s.n - at);
		size_t n = end ? (size_t)(end - s.p) - at : s.n - at;

		if (header && n <= 1 && (n == 0 || s.p[at] == '\r'))
			header = false;
		at += n + 1;
		if (header && at > HEADER_MAX)
			return "its header is longer than 4 MiB";
		boundaries += at + 1 < s.n && s.p[at] == '-' && s.p[at + 1] == '-';
		if (boundaries > BOUNDARIES_MAX)
			return "it has more than 100,000 parts";
	}
	return NULL;
}

static int read_as_text(struct sink *s, str bytes)
{
	_cleanup_buf_ struct buf utf8 = BUF_INIT;

	mail_charset_text(STR_NONE, bytes, &utf8);
	return utf8.n ? mail_plain(s, buf_str(&utf8), false, false) : -EBADMSG;
}

static int read_message(struct sink *s, str bytes)
{
	GByteArray whole = { (guint8 *)bytes.p, (guint)bytes.n }; /* read only */
	GMimeStream *st = g_mime_stream_mem_new_with_byte_array(&whole);
	GMimeParser *p;
	GMimeMessage *msg;
	struct mail m = { .s = s };
	int r = -EBADMSG;

	g_mime_stream_mem_set_owner(GMIME_STREAM_MEM(st), FALSE);
	p = g_mime_parser_new_with_stream(st);
	msg = g_mime_parser_construct_message(p, NULL);
	if (msg) {
		put_header(&m, msg);
		r = walk(&m, g_mime_message_get_mime_part(msg), 0);
		g_object_unref(msg);
	} else { /* no field at its head: all of it is text */
		r = read_as_text(s, bytes);
		if (r < 0)
			sink_reason(s, "no mail can be made of it");
	}
	g_object_unref(p);
	g_object_unref(st);
	return r;
}

/* Apple Mail puts the length in a line before. */
static str without_length(str s)
{
	size_t n = 0;

	while (n < s.n && n < 12 && ((s.p[n] >= '0' && s.p[n] <= '9') || s.p[n] == ' '))
		n++;
	return n && n < s.n && s.p[n] == '\n' ? (str){ s.p + n + 1, s.n - n - 1 } : s;
}

static str trimmed(str s)
{
	while (s.n && (*s.p == '\n' || *s.p == '\r' || (uint8_t)*s.p == 0xef || (uint8_t)*s.p == 0xbb || (uint8_t)*s.p == 0xbf))
		s = (str){ s.p + 1, s.n - 1 };
	return s;
}

static int bid(struct in *in, str head)
{
	bool named = in_name_is(in, "eml") || in_name_is(in, "mht") || in_name_is(in, "mhtml") || in_name_is(in, "emlx");
	unsigned n = mail_fields(trimmed(in_name_is(in, "emlx") ? without_length(head) : head));

	return n >= 3 ? 75 : n == 2 ? 70 : n == 1 ? (named ? 70 : 30) : named && charset_guess(head) ? 20 : 0;
}

static int read_mail(struct in *in, struct sink *s)
{
	const char *why;
	str bytes;
	int r = in_whole(in, IN_WHOLE_MAX, &bytes);

	if (r == -EMSGSIZE)
		sink_reason(s, "a mail of more than %u bytes", IN_WHOLE_MAX);
	if (r < 0)
		return r;
	bytes = trimmed(in_name_is(in, "emlx") ? without_length(bytes) : bytes);
	why = too_much(bytes);
	if (!why)
		return read_message(s, bytes);
	sink_reason(s, "%s: read as text", why);
	r = read_as_text(s, bytes);
	return r < 0 ? r : -EMSGSIZE;
}

const struct format format_mail = { .name = "mail", .mime = "message/rfc822", .bid = bid, .read = read_mail, .prepare = prepare };
