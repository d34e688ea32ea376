#include "base/base64.h"
#include "base/json.h"
#include "event/event_json.h"
#include "event/event_keys.h"

/* The readable stand-in, and in the twin beside it the bytes themselves where text cannot hold them. */
static void put_text(struct buf *b, const struct event_key *k, str s)
{
	json_put_str(b, k->name, s);
	if (likely(str_utf8_valid(s)))
		return;
	json_put_base64(b, k[1].name, s);
}

static void put_list(struct buf *b, const struct event_key *k, const struct event *e)
{
	bool valid = true;

	json_put_arr(b, k->name);
	for (unsigned i = 0; i < e->n_parents; i++) {
		json_str(b, e->parents[i]);
		valid = valid && str_utf8_valid(e->parents[i]);
	}
	json_arr_end(b);
	if (valid)
		return;
	json_put_arr(b, k[1].name);
	for (unsigned i = 0; i < e->n_parents; i++)
		json_base64(b, e->parents[i]);
	json_arr_end(b);
}

static void put_object(struct buf *b, const struct event_key *k, const struct event_object *o)
{
	json_key(b, k->name);
	buf_putc(b, '"');
	buf_put_dec(b, o->dev);
	buf_putc(b, ':');
	buf_put_dec(b, o->ino);
	buf_putc(b, ':');
	buf_put_dec(b, o->gen);
	buf_putc(b, '"');
}

static void put_document(struct buf *b, const struct event_key *k, const uint8_t *digest)
{
	json_key(b, k->name);
	buf_puts(b, STR("\"sha256:"));
	hex_encode(b, (str){ (const char *)digest, 32 });
	buf_putc(b, '"');
}

static void put_key(struct buf *b, const struct event_key *k, const struct event *e)
{
	const char *p = (const char *)e + k->offset;

	switch ((enum key_form)k->form) {
	case KEY_TEXT:
		put_text(b, k, *(const str *)p);
		return;
	case KEY_LIST:
		put_list(b, k, e);
		return;
	case KEY_OBJECT:
		put_object(b, k, &e->object);
		return;
	case KEY_DOCUMENT:
		put_document(b, k, e->document);
		return;
	case KEY_FLAG:
		if (!*(const bool *)p)
			return;
		break;
	case KEY_TEXT64:
	case KEY_LIST64:
	case KEY_SKIP:
		return;
	default:
		break;
	}
	json_key(b, k->name);
	switch ((enum key_form)k->form) {
	case KEY_TIME: json_time(b, *(const int64_t *)p); break;
	case KEY_ENUM: json_str(b, str_c(k->name_of(*(const unsigned *)p))); break;
	case KEY_U16: json_u64(b, *(const uint16_t *)p); break;
	case KEY_U32: json_u64(b, *(const uint32_t *)p); break;
	case KEY_U64: json_u64(b, *(const uint64_t *)p); break;
	default: json_bool(b, *(const bool *)p); break;
	}
}

void event_to_json(struct buf *b, const struct event *e)
{
	json_obj_begin(b);
	if (e->seq != UINT64_MAX)
		json_put_u64(b, "seq", e->seq);
	for (size_t i = 0; i < event_keys_n; i++)
		if (event_keys[i].form != KEY_SKIP && event_has(e, event_keys[i].field))
			put_key(b, &event_keys[i], e);
	/* The members of the object, without its braces. */
	if (event_has(e, EV_EXTRA) && e->extra.n > 2)
		json_raw(b, (str){ e->extra.p + 1, e->extra.n - 2 });
	json_obj_end(b);
}
