/* office.h — a made-up office: persons at work on shares, as the records that Tyto would get.
 *
 * Purpose: records for measuring bytes, speed and answers. Realistic rather than flattering: times at ns, pids that advance as a server's
 * do, office suites that replace a file at each save (new object, random temporary name, lock file), previews, folding counts, partial
 * reads, command lines, working directories, a nightly backup and an indexer that follows writers.
 * The same parameters and seed give the same records.
 * Ownership: the strs of an event live until the next office_next. Units: ns UTC, bytes. Threads: one at a time. Errors: -ENOMEM.
 *
 * Information: every random draw adds −log2 of its probability to the field it decides. Records follow from the draws, so the sum a
 * record is an upper bound of the entropy of the generating distribution, and close to it (few draws leave no trace in a record).
 */
#ifndef TYTO_BENCH_OFFICE_H
#define TYTO_BENCH_OFFICE_H

#include "event/event.h"

struct office_params {
	uint64_t seed;
	int64_t start;        /* first midnight, UTC */
	unsigned persons;     /* 100 */
	unsigned shares;      /* 10; each person has a home share */
	unsigned folders;     /* 120 a share */
	unsigned documents;   /* 3,000 a share */
	unsigned days;        /* 1; weekends are nearly empty */
	uint64_t records;     /* stop after so many; 0: when the days are over */
	double zipf;          /* 1.0: popularity of the documents of a share */
	double gap_s;         /* 300: mean seconds between the things a person does */
	double own;           /* 0.7: share of accesses that go to the person's recent documents */
	double known;         /* 0.3: share of documents whose content hash is known from a scan */
	bool bytes;           /* the backend knows bytes and coverage (eBPF); otherwise absent (fanotify) */
	bool measure;         /* sum up the information drawn */
};

#define OFFICE_DEFAULTS ((struct office_params){ .seed = 1, .start = 1764028800LL * NSEC_PER_SEC, .persons = 100, .shares = 10, \
	.folders = 120, .documents = 3000, .days = 1, .zipf = 1.0, .gap_s = 300, .own = 0.7, .known = 0.3, .bytes = true })

enum office_info { INFO_TIME, INFO_ACTION, INFO_DOCUMENT, INFO_NAME, INFO_OBJECT, INFO_PID, INFO_BYTES, INFO_COUNT,
	INFO_SESSION, INFO_HASH, INFO_MAX_ };
extern const char *const office_info_names[INFO_MAX_];

struct office;
int office_new(const struct office_params *p, struct office **ret);
struct office *office_free(struct office *o);
/* 1 and a record, 0 at the end, or -errno. */
int office_next(struct office *o, struct event *ret);
/* Bits drawn so far, by field (needs .measure). */
const double *office_info(const struct office *o);

static inline void office_freep(struct office **o)
{
	office_free(*o);
}
#define _cleanup_office_ _cleanup_(office_freep)

#endif
