/* people.h — who works where: rows, and from account names to persons.
 *
 * Purpose: reads rows from JSON Lines or CSV, checks them, answers aliases. A row takes the place of the person's older one: aliases it
 * does not name any more are nobody's, and those it names are the person's from now on, whoever had them. Rows are records of the log,
 * in force from their position on (daemon/peopletable.c); this is the table in memory.
 * Ownership: struct people owns copies; strs it returns live until the next add. Units: dates stay the text they were. Threads: one at a
 * time.
 * Errors: -EBADMSG for a row that is none, -EEXIST for an account of somebody else (people_one_owner), both with *ret_expect.
 */
#ifndef TYTO_PEOPLE_H
#define TYTO_PEOPLE_H

#include "base/buf.h"

#define PEOPLE_ROW_MAX 8000
#define PEOPLE_ALIASES_MAX 64
#define PEOPLE_MAX 1000000

/* Absent fields have n 0. aliases: separated by one space each. */
struct people_row {
	str person, name, unit, role, manager, joined, leaves, announced, aliases;
};

struct people;

struct people *people_new(void);
struct people *people_free(struct people *p);
size_t people_count(const struct people *p);
/* For the rows of one file: an account that two rows claim is a mistake, unless the first owner has given it up in between. */
void people_one_owner(struct people *p);

/* One JSON object with the contract's keys (aliases: list, or text separated by space, comma or semicolon). Unknown keys are refused,
 * but `from`. */
int people_add_json(struct people *p, str row, const char **ret_expect);
/* The row added last. -ENOENT: none. */
int people_last(const struct people *p, struct people_row *ret);
/* Canonical JSON: keys in the contract's order, then "from". */
void people_row_put(struct buf *b, const struct people_row *r, int64_t from);
/* The person of an account name. A person's own name is an alias of itself, unless a newer row gives it to somebody. */
bool people_alias(const struct people *p, str account, str *ret_person);

/* A whole file, CSV (first line: the column names) or JSON Lines, told apart by the first byte. cb gets each row as JSON with its line;
 * bad gets each line that is none. Both return non-zero to stop. Rows are not added to any table here. */
struct people_reader {
	int (*row)(void *arg, unsigned line, str json);
	int (*bad)(void *arg, unsigned line, const char *expect);
	void *arg;
};
int people_read(str text, const struct people_reader *r);

#endif
