/* persons.h — who had a document, as a table and as JSON.
 *
 * Purpose: shared by `who` and `trace`. Ownership: the list owns its names. Units: ns UTC, columns. Threads: main thread. Errors: -ENOMEM.
 */
#ifndef TYTO_CLI_PERSONLIST_H
#define TYTO_CLI_PERSONLIST_H

#include "index/index.h"

struct person_list {
	struct index_who *who; /* in the order in which they were added */
	size_t n, cap;
	struct buf names;      /* what their strs point into, once person_list_done was called */
};
void person_list_free(struct person_list *l);
int person_list_add(struct person_list *l, const struct index_who *w);
/* None is added any more: the strs are right from here on. */
void person_list_done(struct person_list *l);
/* "(not known)" where neither name nor uid is. */
str person_shown(const struct index_who *w);
/* Widths are known only when all are there: a table of the first `max` of them, its heading first, to out(). */
void person_list_table(const struct person_list *l, size_t max, unsigned indent);
void person_json(struct buf *b, const struct index_who *w);

#endif
