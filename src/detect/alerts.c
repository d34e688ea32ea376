/* The table of alerts: following the log, asking. */
#include "detect/alerts.h"

#include <errno.h>
#include <jansson.h>

#include "index/view.h"

static const char schema[] =
	"CREATE TABLE meta(k TEXT PRIMARY KEY, v INTEGER) WITHOUT ROWID;"
	"CREATE TABLE alert(number INTEGER PRIMARY KEY, raised INTEGER, changed INTEGER, seq INTEGER, upto INTEGER, records INTEGER, severity INTEGER,"
	" reason INTEGER, open INTEGER, exempt INTEGER, account INTEGER, person INTEGER, rule TEXT, body TEXT, allowed INTEGER, day INTEGER, joined INTEGER);"
	"CREATE TABLE ruleset(seq INTEGER PRIMARY KEY, time INTEGER, text TEXT);";

/* Of a day's alerts the most severe ones are shown, the earlier ones first; the budget is the largest that the day's alerts knew of. */
#define RANKED "SELECT number, raised, changed, seq, upto, records, severity, reason, open, exempt, account, person, rule, body," \
	" exempt=0 AND joined=0 AND row_number() OVER (PARTITION BY day, exempt, joined ORDER BY severity DESC, raised, number)" \
	" > max(allowed) OVER (PARTITION BY day) AS held, joined FROM alert"

struct alerts {
	struct view view;
	sqlite3_stmt *put;
};

static _Thread_local struct why why;
#define fail(r, ...) why_set(&why, (r), __VA_ARGS__)

const char *alerts_why(void)
{
	return why.text;
}

static int db_failed(const struct alerts *a, int r)
{
	return view_failed(&a->view, r, &why);
}

/* --- following the log --- */

static int name(const struct names *n, const struct leaf *l, unsigned bit, enum name_kind kind, str *ret)
{
	int r = evidence_name(n, l, bit, kind, ret);

	return r < 0 ? fail(r, "%s", evidence_why()) : 0;
}

/* What a later record leaves out stays as it was. A closed alert that only grows (what was quieted is counted) stays closed. */
static const char put_sql[] =
	"INSERT INTO alert VALUES(?1,min(?2,ifnull(?14,?2)),?2,?3,?4,1,ifnull(?5,1),?6,?7 <> 3,ifnull(?8,0),?9,?10,?11,?12,ifnull(?13,1),"
	"min(?2,ifnull(?14,?2))/86400000000000,ifnull(?15,0))"
	" ON CONFLICT(number) DO UPDATE SET changed=?2, seq=?3, upto=ifnull(?4,upto), records=records+1, severity=ifnull(?5,severity),"
	" reason=CASE ?7 WHEN 3 THEN ?6 WHEN 4 THEN NULL ELSE reason END, open=CASE ?7 WHEN 3 THEN 0 WHEN 4 THEN 1 ELSE open END,"
	" exempt=max(exempt,ifnull(?8,0)), account=CASE ?7 WHEN 3 THEN ?9 WHEN 4 THEN NULL ELSE account END,"
	" person=ifnull(?10,person), rule=ifnull(?11,rule), body=ifnull(?12,body), joined=ifnull(?15,joined),"
	" raised=min(raised,ifnull(?14,raised)), day=min(raised,ifnull(?14,raised))/86400000000000";

static int take(struct alerts *a, const struct names *n, uint64_t seq, const struct leaf *l)
{
	json_t *j = NULL;
	str rule, body;
	int r = name(n, l, ALERT_RULE, NAME_TEXT, &rule);

	if (r == 0)
		r = name(n, l, ALERT_BODY, NAME_FACTS, &body);
	if (r == 0 && !a->put && (r = db_prepare(a->view.db, put_sql, &a->put)) < 0)
		db_failed(a, r);
	if (r < 0)
		return r;
	sqlite3_reset(a->put);
	sqlite3_clear_bindings(a->put);
	db_bind_field(a->put, 1, l, ALERT_NUMBER);
	db_bind_field(a->put, 2, l, ALERT_TIME);
	sqlite3_bind_int64(a->put, 3, (sqlite3_int64)seq);
	db_bind_field(a->put, 4, l, ALERT_UPTO);
	db_bind_field(a->put, 5, l, ALERT_SEVERITY);
	db_bind_field(a->put, 6, l, ALERT_REASON);
	db_bind_field(a->put, 7, l, ALERT_PHASE);
	if (body.p && (j = json_loadb(body.p, body.n, 0, NULL))) {
		sqlite3_bind_int(a->put, 8, json_is_true(json_object_get(j, "exempt")));
		sqlite3_bind_int64(a->put, 13, json_integer_value(json_object_get(j, "allowed")));
		if (json_object_get(j, "first"))
			sqlite3_bind_int64(a->put, 14, json_integer_value(json_object_get(j, "first")));
		if (json_object_get(j, "joined"))
			sqlite3_bind_int64(a->put, 15, json_integer_value(json_object_get(j, "joined")));
	}
	json_decref(j);
	/* An account is a uid in decimal. */
	if (leaf_has(l, ALERT_ACCOUNT)) {
		str uid;
		uint64_t v;

		if (names_value(n, NAME_ACCOUNT, l->value[ALERT_ACCOUNT], &uid) == 0 && str_to_u64(uid, &v) == 0)
			sqlite3_bind_int64(a->put, 9, (sqlite3_int64)v);
	}
	db_bind_field(a->put, 10, l, ALERT_PERSON);
	db_bind_text(a->put, 11, rule);
	db_bind_text(a->put, 12, body);
	r = db_run(a->put);
	return r < 0 ? db_failed(a, r) : 0;
}

/* Which rules are in force from here on. */
static int take_setting(struct alerts *a, const struct names *n, uint64_t seq, const struct leaf *l)
{
	_cleanup_stmt_ sqlite3_stmt *s = NULL;
	str text;
	int r = names_value(n, NAME_TEXT, l->value[1], &text);

	if (r < 0 || !str_starts(text, STR("rules = ")))
		return r == -ENODATA ? 0 : r < 0 ? fail(r, "%s", evidence_why()) : 0;
	r = db_prepare(a->view.db, "INSERT OR REPLACE INTO ruleset VALUES(?1,?2,?3)", &s);
	if (r == 0) {
		sqlite3_bind_int64(s, 1, (sqlite3_int64)seq);
		sqlite3_bind_int64(s, 2, (sqlite3_int64)l->value[0]);
		db_bind_text(s, 3, (str){ text.p + 8, text.n - 8 });
		r = db_run(s);
	}
	return r < 0 ? db_failed(a, r) : 0;
}

static int take_leaf(void *arg, const struct names *n, uint64_t seq, const struct leaf *l)
{
	return (l->kind == LEAF_ALERT ? take : take_setting)(arg, n, seq, l);
}

static const struct view_kind kind = { .name = "table of alerts", .folder = "alerts", .file = "alerts.db", .schema = schema, .format = 2,
	.leaves = 1U << LEAF_ALERT | 1U << LEAF_CONFIG, .take = take_leaf };

int alerts_open(const char *state, bool write, struct alerts **ret)
{
	struct alerts *a = calloc(1, sizeof(*a));
	int r = a ? view_open(&a->view, &kind, state, write, &why) : fail(-ENOMEM, "no memory");

	if (r < 0)
		free(a);
	else
		*ret = a;
	return r;
}

struct alerts *alerts_close(struct alerts *a)
{
	if (!a)
		return NULL;
	db_finalize(&a->put);
	view_close(&a->view);
	free(a);
	return NULL;
}

uint64_t alerts_known(const struct alerts *a)
{
	return a->view.known;
}

int alerts_advance(struct alerts *a, struct evidence_reader *r, uint64_t upto)
{
	return view_advance(&a->view, r, upto, a, &why);
}

/* --- asking --- */

static void read_row(sqlite3_stmt *s, struct alert *ret)
{
	*ret = (struct alert){ .number = (uint64_t)sqlite3_column_int64(s, 0), .raised = sqlite3_column_int64(s, 1), .changed = sqlite3_column_int64(s, 2),
		.seq = (uint64_t)sqlite3_column_int64(s, 3), .upto = (uint64_t)sqlite3_column_int64(s, 4), .records = (uint64_t)sqlite3_column_int64(s, 5),
		.severity = (enum severity)sqlite3_column_int(s, 6), .reason = (enum alert_reason)sqlite3_column_int(s, 7),
		.open = sqlite3_column_int(s, 8) != 0, .exempt = sqlite3_column_int(s, 9) != 0,
		.has_account = sqlite3_column_type(s, 10) != SQLITE_NULL, .account = (uint32_t)sqlite3_column_int64(s, 10),
		.person = (uint64_t)sqlite3_column_int64(s, 11), .rule = db_column(s, 12), .body = db_column(s, 13), .held = sqlite3_column_int(s, 14) != 0,
		.joined = (uint64_t)sqlite3_column_int64(s, 15) };
}

static int rows(struct alerts *a, const char *sql, uint64_t number, int (*cb)(void *arg, const struct alert *al), void *arg, uint64_t *ret_n)
{
	_cleanup_stmt_ sqlite3_stmt *s = NULL;
	int r = db_prepare(a->view.db, sql, &s);

	if (r == 0 && number)
		sqlite3_bind_int64(s, 1, (sqlite3_int64)number);
	while (r >= 0 && (r = db_step(s)) > 0) {
		struct alert al;

		read_row(s, &al);
		(*ret_n)++;
		r = cb(arg, &al);
		if (r != 0)
			return r;
	}
	return r < 0 ? db_failed(a, r) : 0;
}

int alerts_newest(struct alerts *a, uint64_t *ret)
{
	_cleanup_stmt_ sqlite3_stmt *s = NULL;
	int r = db_prepare(a->view.db, "SELECT max(seq) FROM alert", &s);

	r = r == 0 ? db_step(s) : r;
	if (r < 0)
		return db_failed(a, r);
	*ret = r > 0 ? (uint64_t)sqlite3_column_int64(s, 0) : 0;
	return 0;
}

int alerts_each(struct alerts *a, int (*cb)(void *arg, const struct alert *al), void *arg)
{
	uint64_t n = 0;

	return rows(a, RANKED " ORDER BY number", 0, cb, arg, &n);
}

int alerts_one(struct alerts *a, uint64_t number, int (*cb)(void *arg, const struct alert *al), void *arg)
{
	uint64_t n = 0;
	int r = rows(a, "SELECT * FROM (" RANKED ") WHERE number=?1", number, cb, arg, &n);

	return r == 0 && n == 0 ? fail(-ENOENT, "there is no alert %llu", (unsigned long long)number) : r;
}

int alerts_ruleset(struct alerts *a, int64_t *ret_time, struct buf *ret)
{
	_cleanup_stmt_ sqlite3_stmt *s = NULL;
	int r = db_prepare(a->view.db, "SELECT time, text FROM ruleset ORDER BY seq DESC LIMIT 1", &s);

	if (r == 0)
		r = db_step(s);
	if (r <= 0)
		return r < 0 ? db_failed(a, r) : fail(-ENOENT, "no rules have been in force yet");
	*ret_time = sqlite3_column_int64(s, 0);
	buf_puts(ret, db_column(s, 1));
	return buf_error(ret);
}
