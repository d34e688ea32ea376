#include "document/facts_wire.h"

#include <errno.h>

#include "base/varint.h"
#include "event/event.h"

enum { HAS_OBJECT = 1, HAS_DOCUMENT = 2, HAS_STAT = 4, GONE = 8 };

static void put_str(struct buf *b, str s)
{
	buf_put_uvar(b, s.n);
	buf_puts(b, s);
}

static int take_number(str *m, uint64_t *ret)
{
	int r = uvar_get((const uint8_t *)m->p, m->n, ret);

	if (r < 0)
		return r;
	m->p += r;
	m->n -= (size_t)r;
	return 0;
}

static int take_bytes(str *m, size_t n, str *ret)
{
	if (n > m->n)
		return -EBADMSG;
	*ret = (str){ m->p, n };
	m->p += n;
	m->n -= n;
	return 0;
}

static int take_str(str *m, str *ret)
{
	uint64_t n;
	int r = take_number(m, &n);

	return r < 0 ? r : n > m->n ? -EBADMSG : take_bytes(m, (size_t)n, ret);
}

static int take_hash(str *m, uint8_t ret[static 32])
{
	str bytes;
	int r = take_bytes(m, 32, &bytes);

	if (r == 0)
		memcpy(ret, bytes.p, 32);
	return r;
}

void facts_wire_put(struct buf *b, const struct facts *f)
{
	const uint64_t numbers[] = { f->bytes, f->text_chars, f->contacts, f->label };
	_cleanup_buf_ struct buf json = BUF_INIT;

	buf_put(b, f->hash, 32);
	for (size_t i = 0; i < ARRAY_SIZE(numbers); i++)
		buf_put_uvar(b, numbers[i]);
	put_str(b, f->type);
	put_str(b, f->error);
	facts_pack(&json, f);
	if (buf_error(&json) && !b->err)
		b->err = buf_error(&json);
	put_str(b, buf_str(&json));
}

int facts_wire_take(str m, struct facts *ret, struct buf *scratch)
{
	struct facts f = { 0 };
	uint64_t label = 0;
	uint64_t *const numbers[] = { &f.bytes, &f.text_chars, &f.contacts, &label };
	str json;
	int r = take_hash(&m, f.hash);

	for (size_t i = 0; r == 0 && i < ARRAY_SIZE(numbers); i++)
		r = take_number(&m, numbers[i]);
	if (r == 0)
		r = take_str(&m, &f.type);
	if (r == 0)
		r = take_str(&m, &f.error);
	if (r == 0)
		r = take_str(&m, &json);
	if (r == 0 && (m.n || label >= LABEL_MAX_))
		r = -EBADMSG;
	if (r == 0)
		r = facts_unpack(json, &f, scratch);
	if (r < 0)
		return r;
	f.label = (enum event_label)label;
	*ret = f;
	return 0;
}

void place_wire_put(struct buf *b, const struct place *p)
{
	buf_putc(b, (char)((p->has_object ? HAS_OBJECT : 0) | (p->has_document ? HAS_DOCUMENT : 0) | (p->has_stat ? HAS_STAT : 0) |
			(p->gone ? GONE : 0)));
	put_str(b, p->path);
	buf_put_uvar(b, (uint64_t)p->time);
	if (p->has_object) {
		buf_put_uvar(b, p->object.dev);
		buf_put_uvar(b, p->object.ino);
		buf_put_uvar(b, p->object.gen);
	}
	if (p->has_document)
		buf_put(b, p->document, 32);
	if (p->has_stat) {
		const uint64_t numbers[] = { p->owner, p->group, p->mode, p->bytes, (uint64_t)p->modified, (uint64_t)p->changed };

		for (size_t i = 0; i < ARRAY_SIZE(numbers); i++)
			buf_put_uvar(b, numbers[i]);
	}
	put_str(b, p->acl);
	put_str(b, p->error);
}

static int take_stat(str *m, struct place *p)
{
	uint64_t v[6];
	int r = 0;

	for (size_t i = 0; r == 0 && i < ARRAY_SIZE(v); i++)
		r = take_number(m, &v[i]);
	if (r == 0 && (v[0] > UINT32_MAX || v[1] > UINT32_MAX || v[2] > 07777))
		r = -EBADMSG;
	if (r < 0)
		return r;
	p->has_stat = true;
	p->owner = (uint32_t)v[0];
	p->group = (uint32_t)v[1];
	p->mode = (uint32_t)v[2];
	p->bytes = v[3];
	p->modified = (int64_t)v[4];
	p->changed = (int64_t)v[5];
	return 0;
}

int place_wire_take(str m, struct place *ret)
{
	struct place p = { 0 };
	uint64_t time = 0;
	uint8_t flags;
	str one;
	int r = take_bytes(&m, 1, &one);

	if (r < 0)
		return r;
	flags = (uint8_t)one.p[0];
	p.gone = flags & GONE;
	p.has_object = flags & HAS_OBJECT;
	p.has_document = flags & HAS_DOCUMENT;
	r = flags > 15 ? -EBADMSG : take_str(&m, &p.path);
	if (r == 0)
		r = take_number(&m, &time);
	if (r == 0 && p.has_object)
		r = take_number(&m, &p.object.dev);
	if (r == 0 && p.has_object)
		r = take_number(&m, &p.object.ino);
	if (r == 0 && p.has_object)
		r = take_number(&m, &p.object.gen);
	if (r == 0 && p.has_document)
		r = take_hash(&m, p.document);
	if (r == 0 && flags & HAS_STAT)
		r = take_stat(&m, &p);
	if (r == 0)
		r = take_str(&m, &p.acl);
	if (r == 0)
		r = take_str(&m, &p.error);
	if (r == 0 && (m.n || !p.path.n))
		r = -EBADMSG;
	if (r < 0)
		return r;
	p.time = (int64_t)time;
	*ret = p;
	return 0;
}

void known_wire_put(struct buf *b, const struct place *p, const struct facts *f, int64_t started)
{
	const uint64_t numbers[] = { p->object.dev, p->object.ino, p->object.gen, f->label, (uint64_t)started };

	for (size_t i = 0; i < ARRAY_SIZE(numbers); i++)
		buf_put_uvar(b, numbers[i]);
	buf_put(b, p->document, 32);
}

int known_wire_take(str m, struct place *ret, enum event_label *ret_label, int64_t *ret_started)
{
	struct place p = { .has_object = true, .has_document = true };
	uint64_t label = 0, started = 0;
	uint64_t *const numbers[] = { &p.object.dev, &p.object.ino, &p.object.gen, &label, &started };
	int r = 0;

	for (size_t i = 0; r == 0 && i < ARRAY_SIZE(numbers); i++)
		r = take_number(&m, numbers[i]);
	if (r == 0)
		r = take_hash(&m, p.document);
	if (r == 0 && (m.n || label >= LABEL_MAX_))
		r = -EBADMSG;
	if (r < 0)
		return r;
	*ret = p;
	*ret_label = (enum event_label)label;
	*ret_started = (int64_t)started;
	return 0;
}
