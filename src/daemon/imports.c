#include "daemon/imports.h"

#include <errno.h>

#include "base/base64.h"

/* Fields of an import leaf, as in docs/log-format.md. */
enum { IMPORT_PHASE = 1, IMPORT_FILE = 2, IMPORT_BEGINS = 4 };
enum { CONFIG_SETTING = 1 };

int imports_append_event(struct evidence *e, struct persons *p, struct event *ev, uint64_t begins)
{
	/* Places in another log say nothing here. */
	ev->present &= ~EV_BIT(EV_REFERS);
	ev->source = begins;
	event_set(ev, EV_SOURCE);
	if (event_has(ev, EV_PERSON))
		ev->person = persons_alias(p, ev->person);
	return evidence_append_event(e, ev, NULL);
}

static void put_mark(struct buf *b, const uint8_t digest[static 32])
{
	buf_puts(b, STR("imported sha256:"));
	hex_encode(b, (str){ (const char *)digest, 32 });
}

int imports_append_end(struct evidence *e, const struct evidence_import *end, const uint8_t (*digests)[32], size_t n)
{
	int r = evidence_append_import(e, end, NULL);

	for (size_t i = 0; r == 0 && i < n; i++) {
		_cleanup_buf_ struct buf b = BUF_INIT;

		put_mark(&b, digests[i]);
		r = evidence_append_config(e, end->time, buf_str(&b), NULL);
	}
	return r;
}

/* arg: number of the mark's name. */
static int look_mark(void *arg, uint64_t seq, const struct leaf *l)
{
	const uint64_t *mark = arg;

	(void)seq;
	return l->kind == LEAF_CONFIG && leaf_has(l, CONFIG_SETTING) && l->value[CONFIG_SETTING] == *mark;
}

int imports_seen(struct evidence_reader *r, const uint8_t digest[static 32], bool *ret)
{
	_cleanup_buf_ struct buf b = BUF_INIT;
	uint64_t size, mark;
	int e = evidence_reader_refresh(r, &size);

	*ret = false;
	if (e < 0)
		return e;
	put_mark(&b, digest);
	mark = names_find(evidence_reader_names(r), NAME_TEXT, buf_str(&b));
	/* Names are durable before the leaves that use them: after a kill the mark's name alone proves nothing. */
	e = mark ? evidence_each(r, 0, size, look_mark, &mark) : 0;
	*ret = e > 0;
	return MIN(e, 0);
}

struct looking {
	uint64_t file; /* number of the content */
	struct imports_part part;
};

static int look(void *arg, uint64_t seq, const struct leaf *l)
{
	struct looking *k = arg;

	if (l->kind == LEAF_IMPORT && l->value[IMPORT_PHASE] == PHASE_START && l->value[IMPORT_FILE] == k->file)
		k->part = (struct imports_part){ true, seq, 0 };
	else if (l->kind == LEAF_IMPORT && l->value[IMPORT_PHASE] == PHASE_STOP && k->part.found && l->value[IMPORT_BEGINS] == k->part.begins)
		k->part = (struct imports_part){ 0 };
	else if (l->kind == LEAF_EVENT && k->part.found && l->present & EV_BIT(EV_SOURCE) && l->value[EV_SOURCE] == k->part.begins)
		k->part.records++;
	return 0;
}

int imports_unfinished(struct evidence_reader *r, const uint8_t digest[static 32], struct imports_part *ret)
{
	struct looking k = { 0 };
	uint64_t size;
	int e = evidence_reader_refresh(r, &size);

	*ret = k.part;
	if (e < 0)
		return e;
	k.file = names_find(evidence_reader_names(r), NAME_DOCUMENT, (str){ (const char *)digest, 32 });
	e = k.file ? evidence_each(r, 0, size, look, &k) : 0;
	if (e == 0)
		*ret = k.part;
	return e;
}

int imports_check(const char *state, uint64_t begins)
{
	struct leaf l;
	int r = evidence_leaf(state, begins, &l);

	if (r < 0)
		return r;
	return l.kind == LEAF_IMPORT && l.value[IMPORT_PHASE] == PHASE_START ? 0 : -EINVAL;
}
