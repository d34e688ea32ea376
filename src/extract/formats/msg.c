/* Outlook's messages (MS-OXMSG): every property a stream or a row of a table; recipients and attachments storages. */
#include <errno.h>

#include "extract/formats/message.h"

#define PROPERTIES "__properties_version1.0"
#define RECIPIENTS_MAX 5000
#define TYPE_STRING 0x001f
#define TYPE_NARROW 0x001e
#define TYPE_BINARY 0x0102
#define TYPE_OBJECT 0x000d

struct msg {
	struct ole *ole;
	struct sink *sink;
	unsigned codepage, html_codepage;
	struct buf table; /* the message's own properties of fixed size */
};

/* The eight bytes of a property; 0 where it is not there. head: bytes before the first row. */
static uint64_t fixed(str table, size_t head, uint16_t id)
{
	for (size_t at = head; le_has(table, at, 16); at += 16)
		if (le16(table, at + 2) == id)
			return le64(table, at + 8);
	return 0;
}

static int bytes_of(const struct msg *m, GsfInfile *dir, uint16_t id, uint16_t type, struct buf *ret)
{
	char name[32];

	snprintf(name, sizeof(name), "__substg1.0_%04X%04X", id, type);
	return ole_load(m->ole, dir, name, ret);
}

/* A property of text as UTF-8; empty where it is not there. */
static str text_of(const struct msg *m, GsfInfile *dir, uint16_t id, struct buf *ret)
{
	_cleanup_buf_ struct buf raw = BUF_INIT;

	buf_clear(ret);
	if (bytes_of(m, dir, id, TYPE_STRING, &raw) == 0)
		ole_utf16(ret, buf_str(&raw), true);
	else if (bytes_of(m, dir, id, TYPE_NARROW, &raw) == 0)
		charset_codepage_to_utf8(m->codepage, le_sub(buf_str(&raw), 0, strnlen(raw.p ? raw.p : "", raw.n)), ret);
	return buf_str(ret);
}

static void address(const struct msg *m, GsfInfile *dir, uint16_t name_id, uint16_t smtp_id, uint16_t address_id)
{
	_cleanup_buf_ struct buf name = BUF_INIT, mail = BUF_INIT;

	text_of(m, dir, name_id, &name);
	if (!text_of(m, dir, smtp_id, &mail).n)
		text_of(m, dir, address_id, &mail);
	message_address(m->sink, buf_str(&name), buf_str(&mail));
}

static bool same_property(const struct msg *m, uint16_t a, uint16_t b)
{
	_cleanup_buf_ struct buf x = BUF_INIT, y = BUF_INIT;

	return str_eq(text_of(m, m->ole->root, a, &x), text_of(m, m->ole->root, b, &y));
}

/* Each storage whose name begins with prefix. */
static int each(const struct msg *m, const char *prefix, int max, int (*take)(const struct msg *m, GsfInfile *dir))
{
	int n = gsf_infile_num_children(m->ole->root), r = 0;

	for (int i = 0; r == 0 && i < MIN(n, OLE_ENTRIES_MAX) && max > 0; i++) {
		const char *name = gsf_infile_name_by_index(m->ole->root, i);
		GsfInput *child;

		if (!name || strncmp(name, prefix, strlen(prefix)) != 0)
			continue;
		child = gsf_infile_child_by_index(m->ole->root, i);
		if (child && GSF_IS_INFILE(child) && gsf_infile_num_children(GSF_INFILE(child)) >= 0)
			r = take(m, GSF_INFILE(child));
		if (child)
			g_object_unref(child);
		max--;
	}
	return r;
}

static int recipient(const struct msg *m, GsfInfile *dir)
{
	address(m, dir, PR_DISPLAY_NAME, PR_SMTP, PR_ADDRESS);
	return 0;
}

static int attachment(const struct msg *m, GsfInfile *dir)
{
	static const uint16_t names[] = { PR_ATTACH_LONG, PR_ATTACH_SHORT, PR_DISPLAY_NAME };
	_cleanup_buf_ struct buf raw = BUF_INIT, name = BUF_INIT, bytes = BUF_INIT;
	GsfInfile *embedded;
	int r;

	for (size_t i = 0; i < ARRAY_SIZE(names) && !raw.n; i++)
		text_of(m, dir, names[i], &raw);
	message_name(&name, buf_str(&raw), "attachment");
	embedded = ole_dir(dir, "__substg1.0_3701000D");
	if (embedded) {
		r = ole_object(m->ole, embedded, buf_str(&name));
		g_object_unref(embedded);
		return r;
	}
	r = bytes_of(m, dir, PR_ATTACH_DATA, TYPE_BINARY, &bytes);
	if (r == -EMSGSIZE || r == -ENOMEM)
		return r;
	if (r == 0)
		return ole_part(m->ole, buf_str(&name), buf_str(&bytes));
	if (r != -ENOENT) /* one that is only linked is no part */
		sink_part_failed(m->sink, buf_str(&name), r, "its bytes are missing");
	return 0;
}

static void metas(const struct msg *m)
{
	static const struct {
		uint16_t id;
		const char *key;
	} texts[] = {
		{ PR_SUBJECT, "subject" }, { PR_MESSAGE_ID, "header:message-id" }, { PR_DISPLAY_TO, "header:to" }, { PR_DISPLAY_CC, "header:cc" },
	};
	_cleanup_buf_ struct buf b = BUF_INIT;
	char time[64];
	uint64_t sent = fixed(buf_str(&m->table), 32, PR_SUBMIT_TIME);

	for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
		sink_meta(m->sink, texts[i].key, text_of(m, m->ole->root, texts[i].id, &b));
	sink_meta(m->sink, "created", ole_time(sent ? sent : fixed(buf_str(&m->table), 32, PR_DELIVERY_TIME), time));
	message_headers(m->sink, text_of(m, m->ole->root, PR_HEADERS, &b));
}

/* A card of the address book has its data in properties. */
static void contact(const struct msg *m)
{
	static const uint16_t ids[] = { PR_TITLE_JOB, PR_COMPANY, PR_WORK_PHONE, PR_HOME_PHONE, PR_MOBILE, PR_WORK_FAX, PR_POSTAL };
	_cleanup_buf_ struct buf b = BUF_INIT;

	for (size_t i = 0; i < ARRAY_SIZE(ids); i++) {
		str s = text_of(m, m->ole->root, ids[i], &b);

		if (s.n && i)
			sink_text(m->sink, ZONE_BODY, STR("\n"));
		sink_text(m->sink, ZONE_BODY, s);
	}
	sink_block(m->sink);
}

static int body(const struct msg *m)
{
	_cleanup_buf_ struct buf plain = BUF_INIT, html = BUF_INIT, rtf = BUF_INIT;
	unsigned codepage = m->html_codepage;
	int r;

	r = bytes_of(m, m->ole->root, PR_HTML, TYPE_BINARY, &html);
	if (r == -ENOENT && text_of(m, m->ole->root, PR_HTML, &html).n)
		codepage = 65001;
	else if (r == -EMSGSIZE || r == -ENOMEM)
		return r;
	text_of(m, m->ole->root, PR_BODY, &plain);
	r = bytes_of(m, m->ole->root, PR_RTF, TYPE_BINARY, &rtf);
	if (r == -EMSGSIZE || r == -ENOMEM)
		return r;
	return message_body(m->sink, buf_str(&plain), buf_str(&html), codepage, buf_str(&rtf));
}

static unsigned codepage_of(uint64_t v)
{
	uint32_t cp = (uint32_t)v;

	return cp && cp < 65536 && cp != 1200 ? cp : 0;
}

int msg_read_ole(struct ole *o)
{
	_cleanup_buf_ struct buf subject = BUF_INIT;
	struct msg m = { .ole = o, .sink = o->sink };
	int r = ole_load(o, o->root, PROPERTIES, &m.table), k;

	if (r == -EMSGSIZE || r == -ENOMEM)
		return r;
	m.codepage = codepage_of(fixed(buf_str(&m.table), 32, PR_CODEPAGE));
	m.html_codepage = codepage_of(fixed(buf_str(&m.table), 32, PR_INTERNET_CODEPAGE));
	if (!m.codepage)
		m.codepage = m.html_codepage && m.html_codepage != 65001 ? m.html_codepage : 1252;
	metas(&m);
	sink_text(m.sink, ZONE_TITLE, text_of(&m, o->root, PR_SUBJECT, &subject));
	sink_block(m.sink);
	address(&m, o->root, PR_SENDER_NAME, PR_SENDER_SMTP, PR_SENDER_ADDRESS);
	if (!same_property(&m, PR_SENDER_NAME, PR_SENT_NAME))
		address(&m, o->root, PR_SENT_NAME, PR_SENT_SMTP, PR_SENT_ADDRESS);
	each(&m, "__recip_version1.0_#", RECIPIENTS_MAX, recipient);
	k = body(&m);
	r = r ? r : k;
	contact(&m);
	if (k != -EMSGSIZE)
		k = each(&m, "__attach_version1.0_#", OLE_ENTRIES_MAX, attachment);
	buf_free(&m.table);
	return k < 0 ? k : r;
}
