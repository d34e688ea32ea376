/* sigma_int.h — what the files of the rule engine share.
 *
 * Purpose: the tree of a document, compiled rules, the record being matched. Ownership: everything of a set lies in its arena and goes with it, but
 * expressions and the prefilter, which sigma_free releases. Units: ns, bytes. Threads: as sigma.h. Errors: negative errno, rule_fail for a rule.
 */
#ifndef TYTO_SIGMA_INT_H
#define TYTO_SIGMA_INT_H

#define PCRE2_CODE_UNIT_WIDTH 8
#include <hs/hs.h>
#include <pcre2.h>

#include "base/buf.h"
#include "detect/sigma.h"

/* A document as a small tree (sigma_yaml.c). */
enum tree_type { TREE_SCALAR, TREE_MAP, TREE_LIST };
struct tree {
	enum tree_type type;
	str text;   /* scalar */
	bool plain; /* scalar without quotes */
	str key;    /* inside a map */
	unsigned line;
	struct tree *child, *last, *next;
};
#define TREE_DEPTH_MAX 32
#define TREE_NODES_MAX 100000
struct tree_error {
	unsigned line;
	const char *what; /* static, or the library's */
};
/* Calls back for each document. -EBADMSG with *ret_err. */
int tree_documents(struct sigma *s, str text, int (*cb)(void *arg, struct tree *t), void *arg, struct tree_error *ret_err);
struct tree *tree_get(const struct tree *map, const char *key);
bool tree_null(const struct tree *t);
/* `true`, as YAML's readers take it. NULL: no. */
bool tree_true(const struct tree *t);

/* Patterns: bytes, and these. */
enum { TOKEN_ANY = 256, TOKEN_ONE, TOKEN_DASH };
typedef uint16_t token;

enum match_kind { MATCH_EXACT, MATCH_PREFIX, MATCH_SUFFIX, MATCH_CONTAINS, MATCH_TOKENS, MATCH_RE, MATCH_CIDR, MATCH_COMPARE, MATCH_NULL,
	MATCH_EXISTS, MATCH_FIELD };
enum compare { CMP_EQ, CMP_LT, CMP_LTE, CMP_GT, CMP_GTE, CMP_NEQ, CMP_MAX_ };
enum time_part { PART_NONE, PART_MINUTE, PART_HOUR, PART_DAY, PART_WEEK, PART_MONTH, PART_YEAR };

struct matcher {
	uint8_t kind, op, part;
	uint8_t bits, family;      /* CIDR */
	bool cased, yes, dash;     /* yes: exists: true; dash: the pattern has TOKEN_DASH */
	uint8_t shape;             /* MATCH_FIELD: exact, prefix, suffix, contains */
	uint8_t address[16];
	str text;                  /* lower case unless cased */
	const token *tokens;
	size_t n;
	pcre2_code *re;
	double number;
	uint32_t field;
};

enum node_type { NODE_AND, NODE_OR, NODE_NOT, NODE_LEAF };
struct node {
	enum node_type type;
	struct node *child, *last, *next;
	uint32_t field;           /* leaf; FIELD_ALL: every value of the record */
	const struct matcher *m;
	size_t n;
	bool all, not_equal;
};
#define FIELD_ALL UINT32_MAX
#define NEST_MAX 64

struct named { /* a search identifier of a rule */
	str name;
	struct node *node;
};

struct correlation;
struct compiled {
	struct sigma_rule rule;
	struct node *root;
	struct node **filters;
	size_t n_filters;
	uint64_t verbs;            /* events it looks at; 0: none */
	struct correlation *correlation;
	struct tree *tree;         /* filter: until sigma_ready */
	uint32_t *feeds;           /* correlations that take its matches */
	size_t n_feeds;
	bool silent;               /* only feeds correlations */
	uint64_t mark;
};

struct field {
	str name;
	int slot;                  /* of an event; −1: no event has it */
};

struct value {
	str raw, lower;
	bool null;
};
struct matching { /* the record being matched */
	const struct value *values;
	size_t n_values;
	uint32_t *first, *count;   /* by slot */
	bool event;
	int64_t time;
	uint64_t seq, weight;
};

struct sigma {
	struct chunk *chunks;
	size_t allocated;
	struct compiled **rules;
	size_t n_rules, room_rules;
	struct field *fields;
	size_t n_fields, room_fields;
	uint32_t *field_table;
	size_t field_table_size;
	struct compiled *current;  /* while loading */
	size_t nodes;
	pcre2_code **res;
	size_t n_res, room_res;
	pcre2_match_data *match_data;
	pcre2_match_context *match_context;
	/* prefilter */
	hs_database_t *db;
	hs_scratch_t *scratch;
	uint32_t *atom_first, *atom_rules; /* rules of an atom */
	uint32_t *always;
	size_t n_always;
	uint32_t *candidates;
	size_t n_candidates;
	uint64_t epoch;
	/* the record */
	struct value *values;
	size_t room_values;
	uint32_t *first, *count;
	size_t room_slots;
	struct buf lower;
	struct sigma_stat stat;
	uint64_t entries;          /* of all correlations */
	bool ready;
};

void *sigma_alloc(struct sigma *s, size_t n); /* zeroed; NULL at the cap */
str sigma_copy(struct sigma *s, str text);
int sigma_field_number(struct sigma *s, str name, uint32_t *ret);
/* Sets the state of the rule that is being read, once; returns -EBADMSG. */
int rule_fail(struct sigma *s, enum sigma_state state, const char *fmt, ...) _printf_(3, 4);

/* A file of which nothing else can be said, as a broken rule. */
int sigma_broken_file(struct sigma *s, str file, unsigned line, const char *what);

/* sigma_parse.c */
int parse_document(struct sigma *s, struct tree *t, str file);
int parse_detections(struct sigma *s, const struct tree *map, struct node **ret);
struct node *node_new(struct sigma *s, enum node_type type);
void node_add(struct node *parent, struct node *child);
/* sigma_condition.c */
int parse_condition(struct sigma *s, str text, const struct named *names, size_t n, struct node **ret);
/* sigma_modifier.c: "Field|modifier|…" and its value(s). */
int parse_item(struct sigma *s, str key, const struct tree *value, bool keyword, struct node **ret);

/* sigma_match.c */
bool match_node(struct sigma *s, const struct node *n, const struct matching *m);
const struct value *match_values(const struct sigma *s, const struct matching *m, uint32_t field, size_t *ret_n);
bool number_of(str text, double *ret);

/* sigma_field.c */
int event_slot(str field);
size_t event_values(const struct event *e, struct value *out, uint32_t *first, uint32_t *count, char *room, size_t n_room);
/* Behind those of the event: n values stand there already; how many then. */
size_t beside_values(const struct sigma_beside *b, size_t n, struct value *out, uint32_t *first, uint32_t *count);
#define EVENT_VALUES_MAX 80
#define EVENT_SLOTS_MAX 80
#define EVENT_TEXT_ROOM 1024
/* Verbs of a log source; 0 with *ret_why where no event here is of it. */
uint64_t logsource_verbs(str product, str category, str service, const char **ret_why);

/* sigma_prefilter.c */
#define VALUE_EDGE 1 /* around each value */
int prefilter_build(struct sigma *s);
int prefilter_scan(struct sigma *s, str lower);

/* sigma_asks.c: once all rules are read; a correlation's come from the rule that it counts. */
void asks_of_rules(struct sigma *s);
void asks_of_correlation(const struct sigma_rule *on, struct sigma_rule *ret);

/* correlation_parse.c */
int correlation_parse(struct sigma *s, const struct tree *map);
int correlations_join(struct sigma *s);

/* correlation.c */
/* newest: the highest seq behind it. */
void correlation_feed(struct sigma *s, uint32_t self, uint32_t from, const struct matching *m, uint64_t newest, sigma_hit_fn fn, void *arg);
void correlation_release(struct sigma *s, struct correlation *c);
void correlation_forget(struct sigma *s, struct correlation *c); /* as if nothing had been fed */
int64_t correlation_reach(const struct sigma *s, uint32_t self);

#endif
