/* ruleset.h — the rules in force: their texts, as they were read once.
 *
 * Purpose: several engines are made of one set (one follows what comes, one goes through the past), and the set is named by its content in the log.
 * Ownership: struct ruleset owns copies of the texts; engines made of it own theirs. Units: bytes. Threads: one at a time a struct.
 * Errors: negative errno with ruleset_why(); a file that is not rules, or cannot be read, is no error: it is a broken rule of the set.
 */
#ifndef TYTO_RULESET_H
#define TYTO_RULESET_H

#include "base/buf.h"
#include "detect/sigma.h"

struct ruleset;

const char *ruleset_why(void);

/* paths: n files or folders; those that do not exist are passed over. */
int ruleset_load(char *const *paths, size_t n, struct ruleset **ret);
struct ruleset *ruleset_free(struct ruleset *s);
/* Ready to be fed. */
int ruleset_engine(const struct ruleset *s, struct sigma **ret);
/* Hexadecimal, over names and contents. */
void ruleset_hash(const struct ruleset *s, char ret[static 65]);
/* Names, sizes, times and places of the files: another number when something was changed. */
uint64_t ruleset_signature(char *const *paths, size_t n);

struct ruleset_counts {
	size_t all, run, never, unsupported, broken;
};
void ruleset_count(const struct sigma *engine, struct ruleset_counts *ret);
/* What the log says of the set: `rules = {…}` with its sha256, counts, and each rule's title with the first digits of its file's hash; at most
 * NAME_VALUE_MAX bytes: what does not fit is counted in `more`. */
int ruleset_record(const struct ruleset *s, const struct sigma *engine, struct buf *ret);

#endif
