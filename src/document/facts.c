/* Facts as JSON: what `scan --json` prints, and the part that stands in the log. */
#include "document/facts.h"

#include <errno.h>
#include <jansson.h>

#include "base/json.h"
#include "event/event_json.h"

static void put_number(struct buf *b, const char *key, uint64_t v)
{
	json_key(b, key);
	json_u64(b, v);
}

static void put_text(struct buf *b, const char *key, str v)
{
	if (!v.n)
		return;
	json_key(b, key);
	json_str(b, v);
}

/* False is absent. */
static void put_true(struct buf *b, const char *key, bool v)
{
	if (!v)
		return;
	json_key(b, key);
	json_bool(b, true);
}

/* Bytes that are not UTF-8 are given a second time, whole. */
static void put_bytes(struct buf *b, const char *key, str v)
{
	char twin[32];

	put_text(b, key, v);
	if (!v.n || str_utf8_valid(v))
		return;
	snprintf(twin, sizeof(twin), "%s_b64", key);
	json_key(b, twin);
	json_base64(b, v);
}

static void put_findings(struct buf *b, const struct facts *f)
{
	json_key(b, "findings");
	json_obj_begin(b);
	for (unsigned d = 1; d < DET_MAX_; d++)
		if (f->findings[d])
			put_number(b, detector_name((enum detector)d), f->findings[d]);
	json_obj_end(b);
}

static void put_reasons(struct buf *b, str why)
{
	json_key(b, "label_why");
	json_arr_begin(b);
	while (why.n) {
		const char *end = memchr(why.p, '\n', why.n);
		size_t n = end ? (size_t)(end - why.p) : why.n;

		if (n)
			json_str(b, (str){ why.p, n });
		n += end != NULL;
		why = (str){ why.p + n, why.n - n };
	}
	json_arr_end(b);
}

static void put_hash(struct buf *b, const uint8_t hash[static 32])
{
	json_key(b, "document");
	buf_puts(b, STR("\"sha256:"));
	for (unsigned i = 0; i < 32; i++)
		buf_putf(b, "%02x", hash[i]);
	buf_putc(b, '"');
}

static void put_account(struct buf *b, const char *key, const char *kind, str name, uint32_t id)
{
	char text[24];

	snprintf(text, sizeof(text), "%s:%u", kind, id);
	json_key(b, key);
	json_str(b, name.n ? name : str_c(text));
}

static void put_place(struct buf *b, const struct place *p, str owner, str group)
{
	char mode[8];

	put_bytes(b, "path", p->path);
	if (p->has_object) {
		json_key(b, "object");
		buf_putf(b, "\"%llu:%llu:%llu\"", (unsigned long long)p->object.dev, (unsigned long long)p->object.ino,
				(unsigned long long)p->object.gen);
	}
	if (p->has_document)
		put_hash(b, p->document);
	if (!p->has_stat)
		return;
	put_number(b, "bytes", p->bytes);
	put_account(b, "owner", "uid", owner, p->owner);
	put_account(b, "group", "gid", group, p->group);
	snprintf(mode, sizeof(mode), "%04o", p->mode);
	put_text(b, "mode", str_c(mode));
	put_text(b, "acl", p->acl);
	json_key(b, "modified");
	json_time(b, p->modified);
}

/* p: what has been said of the place already. */
static void put_facts(struct buf *b, const struct facts *f, const struct place *p)
{
	if (!p)
		put_hash(b, f->hash);
	if (!p || !p->has_stat)
		put_number(b, "bytes", f->bytes);
	put_text(b, "type", f->type);
	if (f->label)
		put_text(b, "label", str_c(event_label_name(f->label)));
	if (f->label_why.n)
		put_reasons(b, f->label_why);
	put_findings(b, f);
	put_number(b, "contacts", f->contacts);
	if (f->clients)
		put_number(b, "clients", f->clients);
	put_number(b, "text_chars", f->text_chars);
	put_true(b, "waiting_ocr", f->wants_ocr);
	put_true(b, "public", f->public_);
}

void facts_write_json(struct buf *b, const struct place *p, const struct facts *f, str owner, str group)
{
	json_obj_begin(b);
	if (p)
		put_place(b, p, owner, group);
	if (f)
		put_facts(b, f, p);
	if (p && p->error.n)
		put_text(b, "error", p->error);
	else if (f)
		put_text(b, "error", f->error);
	put_true(b, "gone", p && p->gone);
	json_obj_end(b);
}

void facts_pack(struct buf *b, const struct facts *f)
{
	json_obj_begin(b);
	put_number(b, "version", f->version);
	put_findings(b, f);
	put_reasons(b, f->label_why);
	if (f->clients)
		put_number(b, "clients", f->clients);
	put_true(b, "waiting_ocr", f->wants_ocr);
	put_true(b, "public", f->public_);
	json_obj_end(b);
}

static int get_number(const json_t *o, const char *key, uint64_t max, uint64_t *ret)
{
	const json_t *v = json_object_get(o, key);

	*ret = 0;
	if (!v)
		return 0;
	if (!json_is_integer(v) || json_integer_value(v) < 0 || (uint64_t)json_integer_value(v) > max)
		return -EBADMSG;
	*ret = (uint64_t)json_integer_value(v);
	return 0;
}

static int get_findings(json_t *findings, struct facts *f)
{
	const char *key;
	json_t *v;

	if (!json_is_object(findings))
		return -EBADMSG;
	json_object_foreach(findings, key, v) {
		enum detector d = detector_from(str_c(key));

		/* One of a later version counts for nothing here, and is no damage. */
		if (d && get_number(findings, key, INT64_MAX, &f->findings[d]) < 0)
			return -EBADMSG;
	}
	return 0;
}

static int get_reasons(const json_t *reasons, struct buf *scratch)
{
	size_t i;
	const json_t *v;

	if (!json_is_array(reasons))
		return -EBADMSG;
	json_array_foreach(reasons, i, v) {
		if (!json_is_string(v))
			return -EBADMSG;
		if (i)
			buf_putc(scratch, '\n');
		buf_put(scratch, json_string_value(v), json_string_length(v));
	}
	return buf_error(scratch);
}

static void json_freep(json_t **j)
{
	json_decref(*j);
}

int facts_unpack(str json, struct facts *f, struct buf *scratch)
{
	__attribute__((cleanup(json_freep))) json_t *o = json_loadb(json.p, json.n, JSON_REJECT_DUPLICATES, NULL);
	uint64_t version;
	int r;

	if (!json_is_object(o))
		return -EBADMSG;
	buf_clear(scratch);
	memset(f->findings, 0, sizeof(f->findings));
	r = get_findings(json_object_get(o, "findings"), f);
	if (r == 0)
		r = get_reasons(json_object_get(o, "label_why"), scratch);
	if (r == 0)
		r = get_number(o, "clients", INT64_MAX, &f->clients);
	if (r == 0)
		r = get_number(o, "version", UINT32_MAX, &version);
	if (r < 0)
		return r;
	f->version = (uint32_t)version;
	f->wants_ocr = json_is_true(json_object_get(o, "waiting_ocr"));
	f->public_ = json_is_true(json_object_get(o, "public"));
	f->label_why = buf_str(scratch);
	return 0;
}
