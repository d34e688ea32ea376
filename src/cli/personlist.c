#include "cli/personlist.h"

#include <errno.h>
#include <stdlib.h>

#include "base/array.h"
#include "base/json.h"
#include "cli/cli.h"
#include "cli/show.h"
#include "cli/term.h"

/* PERSON, FIRST, LAST, COUNT, DID; a name too long for its column has a line of its own on a terminal. */
#define PERSON_MIN 14
#define PERSON_MAX 24
#define TIMES_AND_COUNT 53
#define VERBS_MIN 13

static const char *verb_name(unsigned v) { return event_verb_name((enum event_verb)v); }
static const char *via_name(unsigned v) { return event_via_name((enum event_via)v); }

/* The names of the bits that are set. */
static void put_set(struct buf *b, const char *key, uint64_t bits, unsigned max, const char *(*name)(unsigned))
{
	json_put_arr(b, key);
	for (unsigned v = 1; v < max; v++)
		if (bits >> v & 1)
			json_str(b, str_c(name(v)));
	json_arr_end(b);
}

void person_json(struct buf *b, const struct index_who *w)
{
	json_obj_begin(b);
	if (w->person.n)
		json_put_str(b, "person", w->person);
	else if (w->person_basis.n)
		json_put_str(b, "person_basis", w->person_basis);
	json_put_time(b, "first", w->first);
	json_put_time(b, "last", w->last);
	put_set(b, "verbs", w->verbs, VERB_MAX_, verb_name);
	put_set(b, "via", w->vias, VIA_MAX_, via_name);
	json_put_u64(b, "count", w->count);
	json_obj_end(b);
}

str person_shown(const struct index_who *w)
{
	return w->person.n ? w->person : w->person_basis.n ? w->person_basis : STR("(not known)");
}

void person_list_free(struct person_list *l)
{
	free(l->who);
	buf_free(&l->names);
	*l = (struct person_list){ 0 };
}

int person_list_add(struct person_list *l, const struct index_who *w)
{
	if (array_room(l->who, l->cap, l->n + 1) < 0)
		return -ENOMEM;
	buf_puts(&l->names, w->person);
	buf_puts(&l->names, w->person_basis);
	l->who[l->n++] = *w;
	return buf_error(&l->names);
}

void person_list_done(struct person_list *l)
{
	size_t at = 0;

	for (size_t i = 0; i < l->n; i++) {
		l->who[i].person.p = l->names.p + at;
		at += l->who[i].person.n;
		l->who[i].person_basis.p = l->names.p + at;
		at += l->who[i].person_basis.n;
	}
}

static void put_line(const struct index_who *w, unsigned person_width, unsigned indent)
{
	_cleanup_buf_ struct buf verbs = BUF_INIT;
	unsigned width = show_width(person_shown(w)), did_at = indent + person_width + TIMES_AND_COUNT;

	term_spaces(indent);
	show_person(person_shown(w), person_width);
	if (width > person_width && term_columns()) {
		buf_putc(out(), '\n');
		term_spaces(indent + person_width);
	} else if (width > person_width) {
		did_at += width - person_width;
	}
	buf_puts(out(), STR("  "));
	show_time(w->first);
	buf_puts(out(), STR("  "));
	show_time(w->last);
	buf_putf(out(), "  %7llu  ", (unsigned long long)w->count);
	show_verbs(&verbs, w->verbs);
	term_prose(buf_str(&verbs), did_at, did_at);
	buf_putc(out(), '\n');
}

void person_list_table(const struct person_list *l, size_t max, unsigned indent)
{
	unsigned width = PERSON_MIN, most = PERSON_MAX, columns = term_columns();
	size_t n = MIN(l->n, max);

	if (n == 0)
		return;
	for (size_t i = 0; i < n; i++)
		width = MAX(width, show_width(person_shown(&l->who[i])));
	if (columns)
		most = columns < indent + PERSON_MIN + TIMES_AND_COUNT + VERBS_MIN ? PERSON_MIN :
				MIN(most, columns - indent - TIMES_AND_COUNT - VERBS_MIN);
	width = MIN(width, most);
	term_spaces(indent);
	buf_putf(out(), "%-*s  %-19s  %-19s  %7s  %s\n", (int)width, "PERSON", "FIRST", "LAST", "COUNT", "DID");
	for (size_t i = 0; i < n; i++)
		put_line(&l->who[i], width, indent);
}
