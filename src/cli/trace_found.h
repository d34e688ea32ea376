/* trace_found.h — what `tyto trace` has found, ready to be shown: a leak's parts, their sources, and who had these.
 *
 * Purpose: between cmd_trace.c (which finds) and trace_show.c, trace_json.c, trace_html.c (which only show). Names are masked here, where
 * that is wished.
 * Ownership: struct found owns everything below it (found_free). Units: bytes, characters after normalisation, ns UTC. Threads: main
 * thread.
 * Errors: negative errno, having said what is wrong; what could not be read of a leak is no error but in its part.
 *
 * Persons are given for `exact` and `source` only: what stands in several documents names nobody.
 */
#ifndef TYTO_TRACE_FOUND_H
#define TYTO_TRACE_FOUND_H

#include "cli/personlist.h"
#include "document/trace.h"

#define FOUND_PARTS_MAX 4096
#define FOUND_TEXT_MAX (256u << 20)   /* bytes of text kept, over all parts */
#define FOUND_PLACES 8                /* further places of a document that are named */

struct found_document {
	uint8_t hash[32];
	struct buf path;         /* the last known; n 0: none */
	bool gone;               /* it does not stand there any more */
	enum event_label label;
	struct buf type;
	uint64_t places;         /* where it stands now */
	struct buf others;       /* further ones, at most FOUND_PLACES, NUL behind each */
};

struct found_match {
	const struct trace_match *m;
	struct found_document document;
	struct found_document *alternatives;
	size_t n_alternatives;
	bool asked;              /* for its persons */
	struct person_list people; /* in the time asked */
	uint64_t had, had_in_time, moved; /* persons who had it ever, and in the time asked; others who only moved, deleted… it in that time */
	uint64_t more_places;    /* too many to be asked about */
};

struct found_part {
	struct buf file;         /* as given, with "!/member" */
	struct buf type, error, reason;
	uint64_t bytes;
	uint8_t sha256[32];
	bool has_sha256, whole;  /* whole: the leak itself, no member */
	struct text text;
	struct trace_result result;
	struct found_match *matches;
	size_t n;
};

struct found {
	struct found_part *parts; /* the leak itself first */
	size_t n, cap;
	uint64_t more;            /* parts that were not traced, for want of room */
	uint64_t text_bytes;
	int64_t time;             /* of the trace */
	uint64_t documents;       /* in the table */
};

void found_free(struct found *f);
/* Reads a leak: its parts, not traced yet. name: as given. -errno: no reader can be had. */
int found_read(struct extractor *x, int fd, const char *name, struct found *ret);

struct finder;
struct finder_config {
	const char *state;
	struct walk *walk;       /* opens the sources */
	bool mask;
	int64_t since, until;
	uint64_t limit;          /* sources shown of a part; 0 all */
};
int finder_open(const struct finder_config *c, struct finder **ret);
struct finder *finder_close(struct finder *x);
int finder_trace(struct finder *x, struct found *f);

/* The best match that says where a part is from, or NULL. */
const struct found_match *found_source(const struct found_part *p);
/* How many there are. */
size_t found_sources(const struct found_part *p);
/* The most that any passage of it stands in elsewhere. */
uint32_t found_shared_by(const struct trace_match *m);

#endif
