/* profile.h — what is usual for a person, and what is known of him: a small baseline, in event time, made of the record alone.
 *
 * Purpose: for each person the programs and clients that were ever used, different documents a day over 28 days, the row about him that
 * is in force; from
 * these the fields tyto.* that rules may ask (docs/rules.md). Until a person has been seen for 14 days, on 5 of them, nothing is told of
 * what is new or unusual.
 * Ownership: the struct owns all; strs of profile_tell live until the next call. Units: ns UTC of event time; days are UTC days.
 * Threads: one at a time.
 * Errors: negative errno. What did not fit is counted (profile_full) and then not told: it never looks new.
 *
 * Numbers are those of the log's dictionary: dense, from 1; 0 is not known.
 */
#ifndef TYTO_PROFILE_H
#define TYTO_PROFILE_H

#include "base/buf.h"
#include "detect/sigma.h"

#define PROFILE_PERSONS_MAX 100000
#define PROFILE_PROGRAMS_MAX 65536
#define PROFILE_USED_MAX 64            /* programs, and clients, of a person */
#define PROFILE_DAYS 28
#define PROFILE_DOCUMENTS_MAX 65536    /* different ones of a person's day; it is "at least so many" then */
#define PROFILE_ENTRIES_MAX ((size_t)8 << 20) /* of all persons' days together */
#define PROFILE_KNOWN_MAX 65536         /* documents that a person has ever taken */
#define PROFILE_KNOWN_ALL ((size_t)16 << 20) /* places for them, of all persons together: 128 MB */
#define PROFILE_LEARN_NS (14 * 86400 * NSEC_PER_SEC)
#define PROFILE_LEARN_DAYS 5
#define PROFILE_NEW_NS (86400 * NSEC_PER_SEC)     /* what was first used within it is new */
#define PROFILE_PEERS_MIN 3

struct profile;

struct profile *profile_new(void);
struct profile *profile_free(struct profile *p); /* accepts NULL, returns NULL */

struct profile_record {
	int64_t time;
	enum event_verb verb;
	uint64_t person, program, client, path;
	bool labelled; /* confidential or restricted */
};
/* Takes it in; in the order of the log. */
int profile_take(struct profile *p, const struct profile_record *r);
/* What is known at this record, which has been taken in. Fields that are not known are left alone. */
void profile_tell(struct profile *p, const struct profile_record *r, struct sigma_beside *ret);
/* A row about a person is in force from here on; row: number of its name. -EBADMSG: no row. */
int profile_person(struct profile *p, uint64_t person, uint64_t row, str json);
uint64_t profile_full(const struct profile *p);

/* Goes back to the beginning of the UTC day of `from`: what a replay from there on starts with. Of what is known now it keeps rows about
 * people and when what was first
 * used; days from that one on are to be taken in again. (Of 28 days, those that the present has passed since are not known any more.) */
void profile_rewind(struct profile *p, int64_t from);

/* All of it as bytes, and back. row: the row of that number, for what stands in the log alone. -EBADMSG: damaged, or of another version. */
typedef int profile_row_fn(void *arg, uint64_t row, str *ret);
int profile_save(const struct profile *p, uint64_t upto, struct buf *ret);
int profile_load(str bytes, profile_row_fn *fn, void *arg, uint64_t *ret_upto, struct profile **ret);

#endif
