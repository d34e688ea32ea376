/* Records that are not events to leaves: heartbeats, imports, people, settings, documents and places. */
#include <errno.h>

#include "evidence/store.h"

static void put(struct leaf *l, unsigned bit, uint64_t v)
{
	l->present |= (uint64_t)1 << bit;
	l->value[bit] = v;
}

static int put_name(struct evidence *e, struct leaf *l, unsigned bit, enum name_kind kind, str value)
{
	uint64_t number;
	int r = store_name(e, kind, value, &number);

	if (r == 0)
		put(l, bit, number);
	return r;
}

int evidence_append_heartbeat(struct evidence *e, const struct evidence_heartbeat *h, uint64_t *ret_seq)
{
	const struct sensor_heartbeat *c = &h->counters;
	const uint64_t counts[] = { c->received, c->delivered, c->lost, c->missed, c->own, c->held_max, c->watched };
	struct leaf l = { .kind = LEAF_HEARTBEAT };
	int r = 0;

	e->live = true;
	if (e->full)
		return store_full();
	put(&l, 0, (uint64_t)h->time);
	put(&l, 1, h->phase);
	if (h->host.n)
		r = put_name(e, &l, 2, NAME_HOST, h->host);
	if (r == 0)
		r = put_name(e, &l, 3, NAME_BOOT, h->boot);
	put(&l, 4, h->uptime);
	put(&l, 5, h->clock);
	if (h->backend) {
		put(&l, 6, h->backend);
		for (unsigned i = 0; i < ARRAY_SIZE(counts); i++)
			put(&l, 7 + i, counts[i]);
	}
	return r < 0 ? r : store_append(e, &l, ret_seq);
}

int evidence_append_import(struct evidence *e, const struct evidence_import *i, uint64_t *ret_seq)
{
	struct leaf l = { .kind = LEAF_IMPORT };
	int r = 0;

	if (e->full)
		return store_full();
	put(&l, 0, (uint64_t)i->time);
	put(&l, 1, i->phase);
	if (i->file)
		r = put_name(e, &l, 2, NAME_DOCUMENT, (str){ (const char *)i->file, 32 });
	if (i->format)
		put(&l, 3, i->format);
	if (i->phase == PHASE_STOP) {
		put(&l, 4, i->begins);
		put(&l, 5, i->records);
		put(&l, 6, i->refused);
	}
	if (r == 0 && i->title.n)
		r = put_name(e, &l, 7, NAME_TEXT, i->title);
	return r < 0 ? r : store_append(e, &l, ret_seq);
}

int evidence_append_person(struct evidence *e, int64_t time, str person, str row, uint64_t source, uint64_t *ret_seq)
{
	struct leaf l = { .kind = LEAF_PERSON };
	int r;

	if (e->full)
		return store_full();
	put(&l, 0, (uint64_t)time);
	r = put_name(e, &l, 1, NAME_PERSON, person);
	if (r == 0)
		r = put_name(e, &l, 2, NAME_ROW, row);
	if (source != UINT64_MAX)
		put(&l, 3, source);
	return r < 0 ? r : store_append(e, &l, ret_seq);
}

int evidence_append_config(struct evidence *e, int64_t time, str setting, uint64_t *ret_seq)
{
	struct leaf l = { .kind = LEAF_CONFIG };
	int r;

	if (e->full)
		return store_full();
	put(&l, 0, (uint64_t)time);
	r = put_name(e, &l, 1, NAME_TEXT, setting);
	return r < 0 ? r : store_append(e, &l, ret_seq);
}

/* Numbers of accounts and groups are outside identifiers: names. */
static int put_id(struct evidence *e, struct leaf *l, unsigned bit, enum name_kind kind, uint32_t id)
{
	char text[16];
	int n = snprintf(text, sizeof(text), "%u", id);

	return put_name(e, l, bit, kind, (str){ text, (size_t)n });
}

static int put_some(struct evidence *e, struct leaf *l, unsigned bit, enum name_kind kind, str value)
{
	return value.n ? put_name(e, l, bit, kind, value) : 0;
}

int evidence_append_document(struct evidence *e, const struct evidence_document *d, uint64_t *ret_seq)
{
	struct leaf l = { .kind = LEAF_DOCUMENT };
	int r;

	if (e->full)
		return store_full();
	put(&l, DOC_TIME, (uint64_t)d->time);
	put(&l, DOC_BYTES, d->bytes);
	put(&l, DOC_TEXT_CHARS, d->text_chars);
	put(&l, DOC_CONTACTS, d->contacts);
	if (d->label)
		put(&l, DOC_LABEL, d->label);
	r = put_name(e, &l, DOC_DOCUMENT, NAME_DOCUMENT, (str){ (const char *)d->document, 32 });
	if (r == 0)
		r = put_some(e, &l, DOC_TYPE, NAME_TEXT, d->type);
	if (r == 0)
		r = put_some(e, &l, DOC_FACTS, NAME_FACTS, d->facts);
	if (r == 0)
		r = put_some(e, &l, DOC_ERROR, NAME_TEXT, d->error);
	return r < 0 ? r : store_append(e, &l, ret_seq);
}

int evidence_append_alert(struct evidence *e, const struct evidence_alert *a, uint64_t *ret_seq)
{
	struct leaf l = { .kind = LEAF_ALERT };
	int r;

	if (e->full)
		return store_full();
	put(&l, ALERT_TIME, (uint64_t)a->time);
	put(&l, ALERT_NUMBER, a->number);
	put(&l, ALERT_PHASE, a->phase);
	if (a->severity)
		put(&l, ALERT_SEVERITY, a->severity);
	if (a->reason)
		put(&l, ALERT_REASON, a->reason);
	if (a->upto)
		put(&l, ALERT_UPTO, a->upto);
	r = put_some(e, &l, ALERT_PERSON, NAME_PERSON, a->person);
	if (r == 0)
		r = put_some(e, &l, ALERT_RULE, NAME_TEXT, a->rule);
	if (r == 0)
		r = put_some(e, &l, ALERT_BODY, NAME_FACTS, a->body);
	if (r == 0 && a->account)
		r = put_id(e, &l, ALERT_ACCOUNT, NAME_ACCOUNT, *a->account);
	return r < 0 ? r : store_append(e, &l, ret_seq);
}

static int put_stat(struct evidence *e, struct leaf *l, const struct evidence_place *p)
{
	int r = put_id(e, l, PLACE_OWNER, NAME_ACCOUNT, p->owner);

	if (r == 0)
		r = put_id(e, l, PLACE_GROUP, NAME_GROUP, p->group);
	put(l, PLACE_MODE, p->mode & 07777);
	put(l, PLACE_BYTES, p->bytes);
	put(l, PLACE_MODIFIED, (uint64_t)p->modified);
	put(l, PLACE_CHANGED, (uint64_t)p->changed);
	return r;
}

int evidence_append_place(struct evidence *e, const struct evidence_place *p, uint64_t *ret_seq)
{
	struct leaf l = { .kind = LEAF_PLACE, .present = 1ULL << PLACE_PATH };
	int r;

	if (e->full)
		return store_full();
	put(&l, PLACE_TIME, (uint64_t)p->time);
	if (p->gone)
		put(&l, PLACE_GONE, 1);
	r = store_path(e, p->path, &l.value[PLACE_PATH]);
	if (r == 0 && p->object) {
		r = store_object(e, p->object, &l.value[PLACE_OBJECT]);
		l.present |= 1ULL << PLACE_OBJECT;
	}
	if (r == 0 && p->document)
		r = put_name(e, &l, PLACE_DOCUMENT, NAME_DOCUMENT, (str){ (const char *)p->document, 32 });
	if (r == 0 && p->has_stat)
		r = put_stat(e, &l, p);
	if (r == 0)
		r = put_some(e, &l, PLACE_ACL, NAME_TEXT, p->acl);
	if (r == 0)
		r = put_some(e, &l, PLACE_ERROR, NAME_TEXT, p->error);
	return r < 0 ? r : store_append(e, &l, ret_seq);
}
