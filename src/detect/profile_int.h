/* profile_int.h — what profile.c, profile_people.c and profile_file.c share; nobody else includes it.
 *
 * Purpose: the state of a person. Ownership: struct profile owns all. Units, threads and errors: as in profile.h.
 */
#ifndef TYTO_PROFILE_INT_H
#define TYTO_PROFILE_INT_H

#include "detect/profile.h"

#define DAY_NS (86400 * NSEC_PER_SEC)
#define NO_DAY INT32_MIN
#define ROLLOUT 3                   /* persons to whom a program is new within 7 days: it was rolled out */
#define ROLLOUT_NS (7 * DAY_NS)

struct used { /* a program or a client of a person */
	uint64_t id;
	int64_t first, last;
};
struct uses {
	struct used *v;
	uint8_t n, cap;
	bool full; /* something was given up */
};
struct past { /* different documents of a day */
	int32_t day;
	uint32_t documents, labelled;
};
struct staff { /* the row in force; strs into row */
	uint64_t number; /* 0: none */
	char *unit, *role, *manager;
	int64_t joined, announced, left; /* INT64_MIN: not given. left: the first moment at which the last day is over everywhere */
	int32_t leaves_day;
	bool service;
};
struct person {
	bool seen;
	int64_t first;      /* its first record */
	struct uses programs, clients;
	int32_t day;        /* of `today` */
	struct past today;
	struct past past[PROFILE_DAYS]; /* by day modulo */
	/* of the days before `day` */
	uint32_t busiest, busiest_labelled, active;
	uint64_t *set;      /* paths of today, bit 63: labelled; 0 is free */
	uint32_t set_n, set_cap;
	uint64_t *known;    /* path << 16 | day on which it was first taken; 0 is free */
	uint32_t known_n, known_cap;
	bool known_full;
	struct staff staff;
	uint32_t unit;      /* index + 1 */
};
struct unit {
	char *name;
	uint32_t *members;  /* person numbers */
	uint32_t n, cap;
	/* for one day: the two busiest members with enough of a past, and how many have that */
	int32_t day;
	uint32_t best[2], who[2], known;
};
struct program {
	int64_t newest[ROLLOUT]; /* first uses by persons who had been learned, newest first */
};

struct profile {
	struct person *persons; /* by number */
	size_t n_persons;
	struct program *programs;
	size_t n_programs;
	struct unit *units;
	size_t n_units;
	size_t entries, known_slots;
	uint64_t full;
	struct buf text;        /* numbers that profile_tell gives out */
};

/* NULL: beyond the cap, or no memory. */
struct person *profile_at(struct profile *p, uint64_t number);
/* Figures of the days before `day`. */
void profile_past(const struct person *a, int32_t day, uint32_t *ret_busiest, uint32_t *ret_labelled, uint32_t *ret_active);
int profile_remember(struct profile *p, struct person *a, uint64_t path, bool labelled, bool *ret_new, bool *ret_new_labelled);
/* --- profile_known.c --- */
int profile_know(struct profile *p, struct person *a, uint64_t path, int32_t day);
bool profile_first_on(const struct person *a, uint64_t path, int32_t day);
/* Forgets what was first taken on `day` or later. */
void profile_unknow(struct person *a, int32_t day);
int profile_staff(struct profile *p, uint64_t number, uint64_t row, str json);
void staff_free(struct staff *s);
void profile_tell_person(struct profile *p, const struct person *a, int64_t time, struct sigma_beside *ret);
/* The busiest day of any peer up to this one; false: too few of them are known. */
bool profile_peers(struct profile *p, uint64_t number, int32_t day, uint32_t *ret);
/* A member's day has grown. */
void profile_unit_grown(struct profile *p, uint64_t number);

#endif
