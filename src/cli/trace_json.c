/* The contract's form of a trace: an object a part of a leak. */
#include "base/json.h"
#include "cli/cli.h"
#include "cli/trace_out.h"
#include "cli/trace_words.h"

/* Not UTF-8: the bytes beside a readable stand-in, as everywhere. */
static void put_text(struct buf *b, const char *key, const char *key_b64, str s)
{
	json_put_str(b, key, s);
	if (!str_utf8_valid(s))
		json_put_base64(b, key_b64, s);
}

static void put_hash(struct buf *b, const uint8_t hash[static 32])
{
	_cleanup_buf_ struct buf text = BUF_INIT;

	words_hash(&text, hash);
	json_put_str(b, "document", buf_str(&text));
}

/* Four digits: more would be noise. */
static void put_share(struct buf *b, const char *key, double share)
{
	char text[32];
	int n = snprintf(text, sizeof(text), "%.4f", share);

	json_key(b, key);
	json_raw(b, (str){ text, (size_t)n });
}

static void put_range(struct buf *b, const char *key, uint32_t from, uint32_t to)
{
	json_put_arr(b, key);
	json_u64(b, from);
	json_u64(b, to);
	json_arr_end(b);
}

static void put_passage(struct buf *b, const struct trace_passage *p)
{
	json_obj_begin(b);
	put_range(b, "leak", p->leak_from, p->leak_to);
	if (p->text)
		put_range(b, "source", p->source_from, p->source_to);
	json_put_u64(b, "chars", p->chars);
	json_put_u64(b, "shared_by", p->shared_by);
	put_share(b, "same", (double)p->same);
	if (p->text)
		json_put_str(b, "text", str_c(p->text));
	if (p->before)
		json_put_str(b, "before", str_c(p->before));
	if (p->after)
		json_put_str(b, "after", str_c(p->after));
	json_obj_end(b);
}

static void put_document(struct buf *b, const struct found_document *d)
{
	put_hash(b, d->hash);
	if (d->path.n)
		put_text(b, "path", "path_b64", buf_str(&d->path));
	if (d->gone)
		json_put_bool(b, "gone", true);
	if (d->decoy)
		json_put_bool(b, "decoy", true);
	if (d->label)
		json_put_str(b, "label", str_c(event_label_name(d->label)));
	if (d->type.n)
		json_put_str(b, "type", buf_str(&d->type));
}

static void put_how(struct buf *b, unsigned how)
{
	static const struct { enum trace_how how; const char *name; } names[] = {
		{ TRACE_BY_HASH, "hash" }, { TRACE_BY_PICTURE, "picture" }, { TRACE_BY_TEXT, "text" }, { TRACE_BY_IDENTIFIERS, "identifiers" },
		{ TRACE_BY_LIKENESS, "likeness" },
	};

	json_put_arr(b, "how");
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (how & names[i].how)
			json_str(b, str_c(names[i].name));
	json_arr_end(b);
}

static void put_places(struct buf *b, const struct found_document *d)
{
	if (d->others.n == 0)
		return;
	json_put_u64(b, "places", d->places);
	json_put_arr(b, "other_paths");
	for (size_t at = 0; at < d->others.n; at += strlen(d->others.p + at) + 1)
		json_str(b, str_c(d->others.p + at));
	json_arr_end(b);
}

static void put_people(struct buf *b, const struct found_match *m)
{
	json_put_arr(b, "people");
	for (size_t i = 0; i < m->people.n; i++)
		person_json(b, &m->people.who[i]);
	json_arr_end(b);
	json_put_u64(b, "had", m->had);
	if (m->more_places)
		json_put_u64(b, "places_not_asked", m->more_places);
}

static void put_match(struct buf *b, const struct found_match *m)
{
	const struct trace_match *t = m->m;

	json_obj_begin(b);
	put_document(b, &m->document);
	put_places(b, &m->document);
	json_put_str(b, "verdict", str_c(trace_verdict_name(t->verdict)));
	put_how(b, t->how);
	put_share(b, "coverage", t->coverage);
	json_put_u64(b, "chars", t->chars);
	json_put_u64(b, "distinct", t->distinct);
	json_put_u64(b, "identifiers", t->identifiers);
	json_put_u64(b, "shared_by", found_shared_by(t));
	if (t->public)
		json_put_bool(b, "public", true);
	if (t->variant)
		json_put_bool(b, "variant", true);
	if (t->why)
		json_put_str(b, "why", str_c(t->why));
	json_put_arr(b, "passages");
	for (size_t i = 0; i < t->n_passages; i++)
		put_passage(b, &t->passages[i]);
	json_arr_end(b);
	if (t->more_passages)
		json_put_u64(b, "more_passages", t->more_passages);
	json_put_arr(b, "alternatives");
	for (size_t i = 0; i < m->n_alternatives; i++) {
		json_obj_begin(b);
		put_document(b, &m->alternatives[i]);
		json_obj_end(b);
	}
	json_arr_end(b);
	if (m->asked)
		put_people(b, m);
	json_obj_end(b);
}

static void put_part(struct buf *b, const struct found *f, const struct found_part *p)
{
	json_obj_begin(b);
	put_text(b, "file", "file_b64", buf_str(&p->file));
	json_put_str(b, "verdict", str_c(trace_verdict_name(p->result.verdict)));
	json_put_time(b, "time", f->time);
	if (p->has_sha256)
		put_hash(b, p->sha256);
	json_put_u64(b, "bytes", p->bytes);
	json_put_str(b, "type", buf_str(&p->type));
	json_put_u64(b, "chars", p->result.chars);
	json_put_u64(b, "identifiers", p->result.identifiers);
	if (p->error.n)
		json_put_str(b, "error", buf_str(&p->error));
	if (p->reason.n)
		json_put_str(b, "reason", buf_str(&p->reason));
	if (p->result.note)
		json_put_str(b, "note", str_c(p->result.note));
	json_put_arr(b, "matches");
	for (size_t i = 0; i < p->n; i++)
		put_match(b, &p->matches[i]);
	json_arr_end(b);
	if (p->result.more)
		json_put_u64(b, "more", p->result.more);
	if (p->whole && f->more)
		json_put_u64(b, "parts_not_traced", f->more);
	json_obj_end(b);
	buf_putc(b, '\n');
}

void trace_json(const struct found *f)
{
	for (size_t i = 0; i < f->n; i++)
		put_part(out(), f, &f->parts[i]);
}
