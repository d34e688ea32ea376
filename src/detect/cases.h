/* cases.h — what the detectors found, joined to one case a person.
 *
 * Purpose: decides whether a firing raises an alert, grows one, reopens one or is quieted, and when a case is closed by quiet days. Pure state: fed by the
 * detector, which reads the log. The body of an alert is the case's whole state, so that a later start goes on from the log.
 * A case is a stretch of event time: what fires within 14 days of it, before or behind, belongs to it, in whatever order the records came.
 * Ownership: struct cases owns all. Units: ns of event time, leaves. Threads: one at a time. Errors: negative errno.
 */
#ifndef TYTO_CASES_H
#define TYTO_CASES_H

#include "detect/alerts.h"
#include "detect/detector.h"
#include "detect/sigma.h"

#define CASE_QUIET_DAYS 14    /* of event time without a firing close a case */
#define CASE_EXPECTED_DAYS 30 /* for which an expected case stays quiet */
#define CASE_EVENTS_MAX 200
#define CASE_DOCUMENTS_MAX 200
#define CASE_LABELLED_MAX 50  /* so many more of each where they are confidential or restricted: they must not be crowded out */
#define CASE_RULES_MAX 12
#define CASE_ATTACK_MAX 8    /* techniques of a rule; so many tactics, too */
#define CASE_LOOK_MAX 4096 /* records named for what a correlation counted */
#define CASE_GROW_NS (600 * NSEC_PER_SEC) /* between two records of a case that say nothing new but numbers */

/* One rule's firing. */
struct firing {
	char title[100];
	enum severity severity;
	bool exempt;      /* from budget and quieting */
	bool correlation;
	uint64_t count;
	int64_t first, last;
	uint64_t newest;  /* highest seq behind it */
	struct firing_count { /* as sigma_count */
		const char *counts;
		char counted[40];
		uint64_t least;
		int64_t span;
	} what; /* of a correlation */
	struct firing_count parts[SIGMA_PARTS_MAX];
	size_t n_parts;
	bool composed;
	double percentile;
	struct firing_ask { /* as sigma_ask */
		char field[40];
		double least;
		bool above;
	} asks[SIGMA_ASKS_MAX];
	size_t n_asks;
	char attack[CASE_ATTACK_MAX][12]; /* techniques of MITRE ATT&CK: "T1039", "T1048.003" */
	size_t n_attack;
	const char *tactics[CASE_ATTACK_MAX]; /* of the same: "TA0009" */
	size_t n_tactics;
	uint64_t seqs[SIGMA_SEQS_MAX];
	size_t n_seqs;
};
/* SILENT: read again after a start, to fill windows and open cases. PAST: what came late, in its place. */
enum firing_mode { FIRING_LOUD, FIRING_SILENT, FIRING_PAST };
/* Of one record: what fired, whose it is. */
struct firings {
	struct firing *v;
	size_t n, cap;
	uint64_t seq, person, path; /* of the record; numbers of names, 0 not known */
	int64_t time;
	enum firing_mode mode;
	bool late;          /* PAST: this record itself came late */
	uint64_t late_from; /* PAST: no leaf before it did: what leans on none from here on was told before */
};
int firings_add(struct firings *f, const struct sigma_hit *h);

struct cases;

/* state: for its index; NULL: what a correlation counted is not looked up, only what it names. */
struct cases *cases_new(const char *state, struct evidence_reader *r);
struct cases *cases_free(struct cases *c);
/* As the table of alerts has it. */
int cases_load(struct cases *c, const struct alert *al);
/* An alert leaf that came behind what was loaded: a person closed something. */
void cases_leaf(struct cases *c, const struct leaf *l);
/* Persons known so far: the highest number seen. */
void cases_person(struct cases *c, uint64_t person);
uint64_t cases_persons(const struct cases *c);
/* The daily budget of what is raised from here on: alerts for 1,000 persons known, ALERTS_PERSONS at first; never less than one alert. */
void cases_budget(struct cases *c, uint64_t of_1000);

/* LOUD: at once, when there is news. PAST: kept for cases_flush. */
int cases_firings(struct cases *c, const struct firings *f, detector_emit *emit, void *arg);
/* Some have grown since their newest records. */
bool cases_unsaved(const struct cases *c);
/* One record for each of these, and for each that the past has changed; `upto` leaves have been read. */
int cases_flush(struct cases *c, uint64_t upto, detector_emit *emit, void *arg);
/* Time has come to `time` with leaf seq. */
int cases_quiet(struct cases *c, int64_t time, uint64_t seq, detector_emit *emit, void *arg);

struct cases_count {
	size_t open, held; /* of the open ones, beyond their day's budget when they were raised */
	size_t by[SEVERITY_MAX_]; /* open */
};
void cases_count(const struct cases *c, struct cases_count *ret);

#endif
