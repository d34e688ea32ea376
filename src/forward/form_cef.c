/* Common Event Format, version 0. In the header `\` and `|` are escaped, in the extension `\` and `=`; a line's end is `\n` there and a
 * space in the header. Keys and the lengths of their values are those of the format's dictionary. */
#include "base/utf8.h"
#include "forward/form.h"

static const unsigned severities[] = { [SEVERITY_LOW] = 3, [SEVERITY_MEDIUM] = 5, [SEVERITY_HIGH] = 8, [SEVERITY_CRITICAL] = 10 };

static void severity(const struct alert_view *v, struct buf *b)
{
	buf_put_dec(b, severities[v->severity]);
}

static void first_path(const struct alert_view *v, struct buf *b)
{
	if (v->n_documents)
		buf_puts(b, str_c(v->documents[0].path));
}

static void first_name(const struct alert_view *v, struct buf *b)
{
	if (v->n_documents)
		buf_puts(b, form_file_name(v->documents[0].path));
}

static void first_hash(const struct alert_view *v, struct buf *b)
{
	if (v->n_documents)
		form_sha256(&v->documents[0], b);
}

static void documents(const struct alert_view *v, struct buf *b)
{
	buf_put_dec(b, v->n_documents);
}

/* CEF has no key for it: a custom string with its label. */
static void attack(const struct alert_view *v, struct buf *b)
{
	for (size_t i = 0; i < v->n_attack; i++)
		buf_putf(b, "%s%s", i ? " " : "", v->attack[i]);
}

static void attack_label(const struct alert_view *v, struct buf *b)
{
	if (v->n_attack)
		buf_puts(b, STR("MITRE ATT&CK"));
}

static void tactics(const struct alert_view *v, struct buf *b)
{
	for (size_t i = 0; i < v->n_tactics; i++)
		buf_putf(b, "%s%s", i ? " " : "", v->tactics[i]);
}

static void tactics_label(const struct alert_view *v, struct buf *b)
{
	if (v->n_tactics)
		buf_puts(b, STR("MITRE ATT&CK tactics"));
}

struct cef_field {
	const char *key;
	size_t max; /* characters that the dictionary allows */
	const char *constant;
	void (*get)(const struct alert_view *v, struct buf *b);
};

static const struct cef_field header[] = {
	{ "Device Vendor", 63, "Tyto" },
	{ "Device Product", 63, "Tyto" },
	{ "Device Version", 31, TYTO_VERSION },
	{ "Device Event Class ID", 1023, .get = form_rule },
	{ "Name", 512, .get = form_rule },
	{ "Severity", 2, .get = severity },
};

static const struct cef_field extension[] = {
	{ "rt", 32, .get = form_changed_ms },
	{ "start", 32, .get = form_first_ms },
	{ "end", 32, .get = form_last_ms },
	{ "dvchost", 100, .get = form_host },
	{ "externalId", 40, .get = form_number },
	{ "suser", 1023, .get = form_person },
	{ "fname", 1023, .get = first_name },
	{ "filePath", 1023, .get = first_path },
	{ "fileHash", 255, .get = first_hash },
	{ "cnt", 10, .get = form_records },
	{ "cn1Label", 1023, "documents" },
	{ "cn1", 10, .get = documents },
	{ "cs1Label", 1023, "status" },
	{ "cs1", 4000, .get = form_status },
	{ "cs2Label", 1023, "alert" },
	{ "cs2", 4000, .get = form_uid },
	{ "cs3Label", 1023, .get = attack_label },
	{ "cs3", 4000, .get = attack },
	{ "cs4Label", 1023, .get = tactics_label },
	{ "cs4", 4000, .get = tactics },
	{ "msg", 1023, .get = form_why },
};

/* Well-formed UTF-8 of at most max characters, without what would end the record. */
static void put_escaped(str s, size_t max, bool in_header, struct buf *b)
{
	_cleanup_buf_ struct buf clean = BUF_INIT;
	size_t chars = 0;

	utf8_put_clean(&clean, s);
	for (size_t i = 0; i < clean.n; i++) {
		char c = clean.p[i];

		if (((unsigned char)c & 0xc0) != 0x80 && ++chars > max)
			return;
		if (c == '\n' && !in_header) {
			buf_puts(b, STR("\\n"));
			continue;
		}
		if (c == '\\' || c == (in_header ? '|' : '='))
			buf_putc(b, '\\');
		buf_putc(b, c == '\n' || c == '\t' ? ' ' : c);
	}
}

static bool put_value(const struct cef_field *f, const struct alert_view *v, bool in_header, struct buf *b)
{
	_cleanup_buf_ struct buf value = BUF_INIT;

	if (f->constant)
		buf_puts(&value, str_c(f->constant));
	else
		f->get(v, &value);
	if (value.n == 0)
		return false;
	if (!in_header)
		buf_putf(b, "%s=", f->key);
	put_escaped(buf_str(&value), f->max, in_header, b);
	return true;
}

void form_cef(const struct alert_view *v, struct buf *b)
{
	buf_puts(b, STR("CEF:0|"));
	for (size_t i = 0; i < ARRAY_SIZE(header); i++) {
		put_value(&header[i], v, true, b);
		buf_putc(b, '|');
	}
	for (size_t i = 0, n = 0; i < ARRAY_SIZE(extension); i++) {
		_cleanup_buf_ struct buf one = BUF_INIT;

		if (!put_value(&extension[i], v, false, &one))
			continue;
		if (n++)
			buf_putc(b, ' ');
		buf_puts(b, buf_str(&one));
	}
	buf_putc(b, '\n');
}
