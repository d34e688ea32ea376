/* correlation_int.h — what the reader of correlation rules and their counting share; nobody else includes it.
 *
 * Purpose: struct correlation between correlation_parse.c (reading, joining with the rules they name) and correlation.c (counting).
 * Ownership: struct sigma's memory, but for table and groups: correlation_release. Units: nanoseconds of event time. Threads: as struct
 * sigma. Errors: as sigma_int.h.
 */
#ifndef TYTO_CORRELATION_INT_H
#define TYTO_CORRELATION_INT_H

#include "detect/sigma_int.h"

#define CORRELATION_TABLE 16384
#define CORRELATION_REFS_MAX 64
#define CORRELATION_BY_MAX 8
#define CORRELATION_VALUES_MAX 8
#define CORRELATION_ENTRIES_MAX 4096 /* of one group */

enum correlation_kind { EVENT_COUNT, VALUE_COUNT, TEMPORAL, TEMPORAL_ORDERED, VALUE_SUM, VALUE_AVG, VALUE_PERCENTILE, KINDS };
extern const char *const correlation_kinds[KINDS];

struct group;

struct correlation {
	enum correlation_kind kind;
	str refs[CORRELATION_REFS_MAX];
	uint32_t rules[CORRELATION_REFS_MAX];
	size_t n_refs;
	str by[CORRELATION_BY_MAX];
	uint32_t fields[CORRELATION_BY_MAX][CORRELATION_REFS_MAX]; /* under aliases a field has another name in each rule */
	size_t n_by;
	int64_t span;
	struct { uint8_t op; double than; } test[2];
	size_t n_tests;
	bool from_above; /* a test that more may make false */
	uint32_t values[CORRELATION_VALUES_MAX]; /* the fields whose values are counted */
	size_t n_values;
	double percentile;
	bool generate;
	uint8_t color; /* while cycles are looked for */
	struct group **table;
	struct group *oldest, *newest;
	size_t n_groups;
};

#endif
