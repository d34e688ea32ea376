/* What persons do: views, edits as office suites make them, previews, commands; each a few steps, a step a record. */
#include "office_int.h"

static uint32_t choose(struct office *o, struct actor *a)
{
	uint32_t doc;

	if (a->n_recent && draw_chance(&o->d, INFO_DOCUMENT, o->p.own)) {
		unsigned r = draw_zipf(&o->d, INFO_DOCUMENT, &o->recent);

		doc = a->recent[r % a->n_recent];
	} else {
		unsigned share = a->share, rank = draw_zipf(&o->d, INFO_DOCUMENT, &o->popular);

		if (draw_chance(&o->d, INFO_DOCUMENT, 0.15))
			share = (unsigned)draw_below(&o->d, INFO_DOCUMENT, o->p.shares);
		/* Neighbours in rank are no neighbours in the tree. */
		doc = share * o->p.documents + (uint32_t)((uint64_t)rank * 2654435761u % o->p.documents);
	}
	return doc;
}

/* Moves to the front of what the person had last. */
static void remember(struct actor *a, uint32_t doc)
{
	unsigned i = 0;

	while (i < a->n_recent && a->recent[i] != doc)
		i++;
	if (i == a->n_recent && a->n_recent < RECENT_MAX)
		a->n_recent++;
	if (i == RECENT_MAX)
		i--;
	memmove(a->recent + 1, a->recent, i * sizeof(a->recent[0]));
	a->recent[0] = doc;
}

static uint64_t some_bytes(struct office *o, uint64_t size)
{
	return draw_chance(&o->d, INFO_BYTES, 0.65) ? size : 1 + draw_below(&o->d, INFO_BYTES, size);
}

static void plan_read(struct office *o, struct actor *a, uint32_t doc, int64_t dt)
{
	struct step *s = office_put(a, VERB_READ, ON_DOC, doc, dt);

	s->seen = SEEN_BYTES;
	s->bytes = some_bytes(o, o->docs[doc].size);
	while (draw_chance(&o->d, INFO_COUNT, 0.35)) { /* it goes on: one more record a window, with the count of the rest */
		s = office_put(a, VERB_READ, ON_DOC, doc, FOLD + draw_wait(&o->d, INFO_TIME, 2.0 * MS));
		s->seen = SEEN_BYTES;
		s->count = 1 + draw_geometric(&o->d, INFO_COUNT, 6);
		s->len = FOLD - (int64_t)draw_below(&o->d, INFO_TIME, FOLD / 2);
		s->bytes = some_bytes(o, o->docs[doc].size);
	}
}

static void lock_path(struct office *o, struct actor *a, uint32_t doc, const char *before, const char *after)
{
	const struct doc *d = &o->docs[doc];

	snprintf(a->lock, sizeof(a->lock), "%.*s/%s%s%s", d->dir, d->path, before, d->path + d->dir + 1, after);
	a->lock_object = office_new_object(o);
}

/* As office suites save: into a new file of a random name that then takes the document's place. */
static void plan_save(struct office *o, struct actor *a, uint32_t doc)
{
	const struct doc *d = &o->docs[doc];
	uint64_t size = d->size / 2 + 1 + draw_below(&o->d, INFO_BYTES, d->size);
	struct step *s;

	snprintf(a->tmp, sizeof(a->tmp), "%.*s/%08X.tmp", d->dir, d->path, (unsigned)draw_below(&o->d, INFO_NAME, UINT32_MAX));
	a->tmp_object = office_new_object(o);
	office_put(a, VERB_CREATE, ON_TMP, doc, office_wait(o, 240));
	s = office_put(a, VERB_WRITE, ON_TMP, doc, office_wait(o, 0.01));
	s->seen = SEEN_BYTES;
	s->bytes = size;
	s = office_put(a, VERB_RENAME, TMP_TO_DOC, doc, office_wait(o, 0.02));
	s->bytes = size;
}

static void plan_edit(struct office *o, struct actor *a, uint32_t doc)
{
	lock_path(o, a, doc, "~$", "");
	office_put(a, VERB_CREATE, ON_LOCK, doc, 0);
	office_put(a, VERB_WRITE, ON_LOCK, doc, office_wait(o, 0.003))->seen = SEEN_ACCESS;
	plan_read(o, a, doc, office_wait(o, 0.05));
	if (draw_chance(&o->d, INFO_ACTION, 0.7)) /* one temporary name a session: the rest are read only */
		plan_save(o, a, doc);
	office_put(a, VERB_DELETE, ON_LOCK, doc, office_wait(o, 90));
}

static void plan_in_place(struct office *o, struct actor *a, uint32_t doc)
{
	struct step *s;

	plan_read(o, a, doc, 0);
	s = office_put(a, VERB_WRITE, ON_DOC, doc, office_wait(o, 120));
	s->seen = SEEN_BYTES;
	s->bytes = 1 + draw_below(&o->d, INFO_BYTES, o->docs[doc].size);
	if (draw_chance(&o->d, INFO_COUNT, 0.4)) {
		s = office_put(a, VERB_WRITE, ON_DOC, doc, FOLD + draw_wait(&o->d, INFO_TIME, 2.0 * MS));
		s->seen = SEEN_BYTES;
		s->count = 1 + draw_geometric(&o->d, INFO_COUNT, 4);
		s->len = FOLD - (int64_t)draw_below(&o->d, INFO_TIME, FOLD / 2);
		s->bytes = 1 + draw_below(&o->d, INFO_BYTES, o->docs[doc].size);
	}
}

/* A file manager's previews, or grep and rsync: neighbours of a folder, one after the other. */
static void plan_folder(struct office *o, struct actor *a, uint32_t doc, unsigned mean, double each_s, enum event_seen seen)
{
	unsigned n = 2 + draw_geometric(&o->d, INFO_COUNT, mean);
	uint32_t end = MIN((uint32_t)o->n_docs, doc + MIN(n, STEPS_MAX - 4u));

	for (uint32_t i = doc; i < end; i++) {
		struct step *s = office_put(a, seen == SEEN_OPEN ? VERB_OPEN : VERB_READ, ON_DOC, i, i == doc ? 0 : office_wait(o, each_s));

		s->seen = (uint8_t)seen;
		if (seen == SEEN_BYTES)
			s->bytes = o->docs[i].size;
	}
}

static int plan_new(struct office *o, struct actor *a)
{
	uint32_t doc;
	int r = office_doc_add(o, a->share, (unsigned)draw_below(&o->d, INFO_DOCUMENT, o->p.folders), &doc);
	struct step *s;

	if (r < 0)
		return r;
	o->docs[doc].known = false;
	remember(a, doc);
	office_put(a, VERB_CREATE, ON_DOC, doc, 0);
	s = office_put(a, VERB_WRITE, ON_DOC, doc, office_wait(o, 0.05));
	s->seen = SEEN_BYTES;
	s->bytes = o->docs[doc].size;
	return 0;
}

static void plan_tidy(struct office *o, struct actor *a, uint32_t doc)
{
	static const uint8_t weights[] = { 128, 77, 26 };
	static const enum event_verb verbs[] = { VERB_RENAME, VERB_DELETE, VERB_PERMISSION, VERB_LINK };
	enum event_verb v = verbs[draw_weighted(&o->d, INFO_ACTION, weights, ARRAY_SIZE(verbs))];

	office_put(a, v, v == VERB_RENAME || v == VERB_LINK ? ON_NEW_NAME : ON_DOC, doc, 0);
}

static void plan_command(struct office *o, struct actor *a, uint32_t doc)
{
	static const uint8_t weights[] = { 60, 50, 45, 40, 31 };
	static const struct {
		const char *program, *format;
		unsigned files; /* mean of further files; 0: one */
	} commands[] = { { "/usr/bin/less", "less %s", 0 }, { "/usr/bin/grep", "grep -rn %.12s .", 9 },
		{ "/usr/bin/python3.11", "python3 load.py --input %s", 0 },
		{ "/usr/bin/cat", "cat %s", 1 }, { "/usr/bin/vim.basic", "vim %s", 0 }, { "/usr/bin/rsync", "rsync -a ./ work/%s", 14 } };
	unsigned c = draw_weighted(&o->d, INFO_ACTION, weights, ARRAY_SIZE(commands));
	const struct doc *d = &o->docs[doc];

	a->pid = office_new_pid(o);
	a->program = commands[c].program;
	a->cwd_doc = draw_chance(&o->d, INFO_SESSION, 0.65) ? doc : UINT_MAX;
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
	snprintf(a->command, sizeof(a->command), commands[c].format, d->path + (a->cwd_doc == UINT_MAX ? 0 : d->dir + 1));
#pragma GCC diagnostic pop
	office_put(a, VERB_EXEC, ON_DOC, doc, 0);
	if (commands[c].files)
		plan_folder(o, a, doc, commands[c].files, 0.002, SEEN_BYTES);
	else if (c == 4)
		plan_in_place(o, a, doc);
	else
		plan_read(o, a, doc, office_wait(o, 0.004));
}

int office_plan_person(struct office *o, struct actor *a)
{
	static const uint8_t smb[] = { 133, 56, 26, 13, 10, 10 }, sftp[] = { 128, 0, 77, 31, 0, 10 };
	uint32_t doc = choose(o, a);

	if (a->kind == AT_SHELL) {
		plan_command(o, a, doc);
	} else {
		switch (draw_weighted(&o->d, INFO_ACTION, a->kind == AT_SMB ? smb : sftp, 6)) {
		case 0: plan_read(o, a, doc, 0); break;
		case 1: plan_edit(o, a, doc); break;
		case 2: plan_folder(o, a, doc, 5, 0.08, a->kind == AT_SFTP ? SEEN_BYTES : SEEN_ACCESS); break;
		case 3: return plan_new(o, a);
		case 4: plan_tidy(o, a, doc); break;
		case 5: plan_folder(o, a, doc, 2, 0.5, SEEN_OPEN); break; /* opened for its properties: content may not have been read */
		default: plan_in_place(o, a, doc);
		}
	}
	remember(a, doc);
	return 0;
}
