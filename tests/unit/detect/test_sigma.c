/* Rules: modifiers, conditions, correlations, and what hostile rules are answered. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#include "base/buf.h"
#include "detect/sigma.h"

#define FIELD(f, v) { STR(f), STR(v), false }

static void count_hits(void *arg, const struct sigma_hit *h)
{
	(*(unsigned *)arg)++;
}

static struct sigma *set_of(const char *text)
{
	struct sigma *s = NULL;

	assert_int_equal(sigma_new(&s), 0);
	assert_int_equal(sigma_add_text(s, STR("rule.yml"), str_c(text)), 0);
	assert_int_equal(sigma_ready(s), 0);
	return s;
}

static unsigned feed(struct sigma *s, const struct sigma_field *f, size_t n, int64_t second, uint64_t count)
{
	struct sigma_record r = { .fields = f, .n = n, .time = second * NSEC_PER_SEC, .seq = (uint64_t)second, .count = count };
	unsigned hits = 0;

	assert_int_equal(sigma_feed_fields(s, &r, count_hits, &hits), 0);
	return hits;
}

#define RULE(items, condition) \
	"title: t\nlogsource: {product: tyto}\ndetection:\n" items "  condition: " condition "\n"

struct item_case {
	const char *item;
	str value; /* of field f; p NULL: the field is missing */
	bool hit;
};

static const struct item_case items[] = {
	{ "f: Secret", STR("sECRET"), true }, { "f: secret", STR("secrets"), false }, { "f|cased: Secret", STR("secret"), false },
	{ "f|contains: cre", STR("seCRet"), true }, { "f|startswith: se", STR("secret"), true }, { "f|startswith: cr", STR("secret"), false },
	{ "f|endswith: et", STR("secret"), true }, { "f|endswith: se", STR("secret"), false },
	{ "f|contains|all: [se, et]", STR("secret"), true }, { "f|contains|all: [se, xx]", STR("secret"), false },
	{ "f: 's*r?t'", STR("secret"), true }, { "f: 's\\*t'", STR("secret"), false }, { "f: 's\\*t'", STR("s*t"), true },
	{ "f: 'a?c'", STR("a\xc3\xa9" "c"), true }, { "f: 'a?c'", STR("ac"), false },
	{ "f|re: '^s.c'", STR("secret"), true }, { "f|re: S.C", STR("secret"), false }, { "f|re|i: S.C", STR("secret"), true },
	{ "f|re|m: '^b$'", STR("a\nb"), true }, { "f|re: '^b$'", STR("a\nb"), false }, { "f|re|s: a.b", STR("a\nb"), true }, { "f|re: a.b", STR("a\nb"), false },
	{ "f|cidr: 10.1.0.0/16", STR("10.1.9.9"), true }, { "f|cidr: 10.1.0.0/16", STR("10.2.9.9"), false }, { "f|cidr: 10.0.0.0/9", STR("10.128.0.1"), false },
	{ "f|cidr: '2001:db8::/33'", STR("2001:db8:7fff::1"), true }, { "f|cidr: '2001:db8::/33'", STR("2001:db8:8000::1"), false },
	{ "f|windash|contains: ' -x'", STR("tool /x"), true }, { "f|windash|contains: ' -x'", STR("tool \xe2\x80\x93x"), true },
	{ "f|windash|contains: ' -x'", STR("tool +x"), false },
	{ "f|base64: foobar", STR("Zm9vYmFy"), true }, { "f|base64: foobar", STR("Zm9vYmF"), false },
	{ "f|base64offset|contains: foobar", STR("eGZvb2Jhcg=="), true }, { "f|base64offset|contains: foobar", STR("eHhmb29iYXI="), true },
	{ "f|base64offset|contains: foobar", STR("Zm9vYmFyeA=="), true }, { "f|base64offset|contains: foobar", STR("Zm9vYnar"), false },
	{ "f|base64: 'a\\*b'", STR("YSpi"), true }, { "f|wide|base64|contains: 'a\\?'", STR("YQA/AA=="), true },
	{ "f|wide|base64: ab", STR("YQBiAA=="), true }, { "f|utf16be|base64: ab", STR("AGEAYg=="), true }, { "f|utf16|base64: ab", STR("//5hAGIA"), true },
	{ "f|wide|contains: abc", { "xa\0b\0c\0y", 8 }, true },
	{ "f|exists: true", STR("x"), true }, { "f|exists: true", { NULL, 0 }, false }, { "f|exists: false", { NULL, 0 }, true },
	{ "f: null", { NULL, 0 }, true }, { "f: null", STR(""), false }, { "f: ''", STR(""), true }, { "f: ''", { NULL, 0 }, false },
	{ "f|gt: 5", STR("6"), true }, { "f|gt: 5", STR("5"), false }, { "f|gte: 5", STR("5"), true }, { "f|lt: 5", STR("4.5"), true },
	{ "f|lte: 5", STR("6"), false }, { "f|lt: 5", STR("x"), false },
	{ "f|neq: a", STR("b"), true }, { "f|neq: a", STR("A"), false }, { "f|neq: a", { NULL, 0 }, true },
	{ "f|fieldref: g", STR("Other"), true }, { "f|fieldref: g", STR("others"), false }, { "f|fieldref|startswith: g", STR("others"), true },
	{ "f|hour: 3", STR("2026-11-25T03:10:00Z"), true }, { "f|hour|gte: 22", STR("2026-11-25T03:10:00Z"), false },
	{ "f|day: 25", STR("2026-11-25T03:10:00Z"), true }, { "f|month: 11", STR("2026-11-25T03:10:00Z"), true },
	{ "f|week: 48", STR("2026-11-25T03:10:00Z"), true }, { "f|year: 2026", STR("2026-11-25T03:10:00Z"), true },
	{ "f|minute: 10", STR("2026-11-25T03:11:00Z"), false },
};

static void test_items(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(items); i++) {
		char text[512];
		struct sigma_field f[2] = { { STR("g"), STR("other"), false }, { STR("f"), items[i].value, false } };
		_cleanup_sigma_ struct sigma *s = NULL;

		snprintf(text, sizeof(text), RULE("  s:\n    %s\n", "s"), items[i].item);
		s = set_of(text);
		if (sigma_rule(s, 0)->state > SIGMA_NEVER)
			fail_msg("%s: %s", items[i].item, sigma_rule(s, 0)->why);
		if (feed(s, f, items[i].value.p ? 2 : 1, 1, 1) != items[i].hit)
			fail_msg("%s beside \"%.*s\"", items[i].item, STR_ARG(items[i].value));
	}
}

static const struct { const char *condition; bool a, b, c, hit; } conditions[] = {
	{ "a and b", true, true, false, true }, { "a and b", true, false, false, false }, { "a or b and c", true, false, false, true },
	{ "(a or b) and c", true, false, false, false }, { "not a and b", false, true, false, true }, { "not (a and b)", true, true, false, false },
	{ "1 of them", false, false, true, true }, { "all of them", true, true, false, false }, { "all of them", true, true, true, true },
	{ "any of a*", true, false, false, true }, { "NOT a AND b", false, true, false, true }, { "not not a", true, false, false, true },
};

static void test_conditions(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(conditions); i++) {
		struct sigma_field f[3] = { { STR("x"), conditions[i].a ? STR("1") : STR("0"), false },
			{ STR("y"), conditions[i].b ? STR("1") : STR("0"), false }, { STR("z"), conditions[i].c ? STR("1") : STR("0"), false } };
		char text[512];
		_cleanup_sigma_ struct sigma *s = NULL;

		snprintf(text, sizeof(text), RULE("  a: {x: 1}\n  b: {y: 1}\n  c: {z: 1}\n", "%s"), conditions[i].condition);
		s = set_of(text);
		if (feed(s, f, 3, 1, 1) != conditions[i].hit)
			fail_msg("%s", conditions[i].condition);
	}
}

static void test_keywords(void **state)
{
	struct sigma_field f[] = { FIELD("any", "the Needle here") };
	_cleanup_sigma_ struct sigma *s = set_of(RULE("  k: [needle, nothing]\n", "k")), *all = set_of(RULE("  k: {'|all': [needle, nothing]}\n", "k"));

	assert_int_equal(feed(s, f, 1, 1, 1), 1);
	assert_int_equal(feed(all, f, 1, 1, 1), 0);
}

#define BASE "title: base\nname: base\nlogsource: {product: tyto}\ndetection:\n  s: {verb: read}\n  condition: s\n---\n" \
	     "title: second\nname: second\nlogsource: {product: tyto}\ndetection:\n  s: {verb: delete}\n  condition: s\n---\n"
#define CORRELATION(type, rules, rest) \
	BASE "title: c\ncorrelation:\n  type: " type "\n  rules: [" rules "]\n  group-by: [person]\n  timespan: 10s\n" rest

static unsigned access_by(struct sigma *s, str person, str verb, str value, int64_t second, uint64_t count)
{
	struct sigma_field f[] = { { STR("person"), person, false }, { STR("verb"), verb, false }, { STR("v"), value, false } };

	return feed(s, f, 3, second, count);
}

static void test_event_count(void **state)
{
	_cleanup_sigma_ struct sigma *s = set_of(CORRELATION("event_count", "base", "  condition: {gte: 3}\n"));

	assert_int_equal(access_by(s, STR("clerk"), STR("read"), STR(""), 100, 1), 0);
	assert_int_equal(access_by(s, STR("sales"), STR("read"), STR(""), 101, 1), 0);
	assert_int_equal(access_by(s, STR("clerk"), STR("read"), STR(""), 102, 1), 0);
	assert_int_equal(access_by(s, STR("clerk"), STR("read"), STR(""), 103, 1), 1);
	assert_int_equal(access_by(s, STR("clerk"), STR("read"), STR(""), 104, 1), 0); /* told already */
	assert_int_equal(access_by(s, STR("clerk"), STR("read"), STR(""), 200, 2), 0); /* the window is empty again */
	assert_int_equal(access_by(s, STR("clerk"), STR("read"), STR(""), 201, 1), 1); /* folded accesses count */
	assert_int_equal(access_by(s, STR(""), STR("read"), STR(""), 202, 9), 0);      /* nobody: no group */
	assert_int_equal(access_by(s, STR("clerk"), STR("read"), STR(""), 100, 1), 0); /* far too late */
}

static void test_late_in_window(void **state)
{
	_cleanup_sigma_ struct sigma *s = set_of(CORRELATION("event_count", "base", "  condition: {gte: 3}\n"));

	assert_int_equal(access_by(s, STR("clerk"), STR("read"), STR(""), 108, 1), 0);
	assert_int_equal(access_by(s, STR("clerk"), STR("read"), STR(""), 101, 1), 0);
	assert_int_equal(access_by(s, STR("clerk"), STR("read"), STR(""), 105, 1), 1);
}

static void test_values(void **state)
{
	_cleanup_sigma_ struct sigma *n = set_of(CORRELATION("value_count", "base", "  condition: {field: v, gte: 2}\n")),
				     *sum = set_of(CORRELATION("value_sum", "base", "  condition: {field: v, gt: 10}\n")),
				     *avg = set_of(CORRELATION("value_avg", "base", "  condition: {field: v, gte: 5}\n")),
				     *p = set_of(CORRELATION("value_percentile", "base", "  condition: {field: v, gte: 5, percentile: 50}\n"));

	assert_int_equal(access_by(n, STR("clerk"), STR("read"), STR("1"), 1, 1), 0);
	assert_int_equal(access_by(n, STR("clerk"), STR("read"), STR("1"), 2, 5), 0);
	assert_int_equal(access_by(n, STR("clerk"), STR("read"), STR("2"), 3, 1), 1);
	assert_int_equal(access_by(sum, STR("clerk"), STR("read"), STR("9"), 1, 1), 0);
	assert_int_equal(access_by(sum, STR("clerk"), STR("read"), STR("x"), 1, 1), 0);
	assert_int_equal(access_by(sum, STR("clerk"), STR("read"), STR("2"), 2, 1), 1);
	assert_int_equal(access_by(avg, STR("clerk"), STR("read"), STR("4"), 1, 1), 0);
	assert_int_equal(access_by(avg, STR("clerk"), STR("read"), STR("6"), 2, 1), 1);
	assert_int_equal(access_by(p, STR("clerk"), STR("read"), STR("1"), 1, 1), 0);
	assert_int_equal(access_by(p, STR("clerk"), STR("read"), STR("9"), 2, 1), 0);
	assert_int_equal(access_by(p, STR("clerk"), STR("read"), STR("8"), 3, 1), 1);
}

static void test_temporal(void **state)
{
	_cleanup_sigma_ struct sigma *t = set_of(CORRELATION("temporal", "base, second", "")), *o = set_of(CORRELATION("temporal_ordered", "base, second", ""));

	assert_int_equal(access_by(t, STR("clerk"), STR("delete"), STR(""), 1, 1), 0);
	assert_int_equal(access_by(t, STR("sales"), STR("read"), STR(""), 2, 1), 0);
	assert_int_equal(access_by(t, STR("clerk"), STR("read"), STR(""), 3, 1), 1);
	assert_int_equal(access_by(o, STR("clerk"), STR("delete"), STR(""), 1, 1), 0);
	assert_int_equal(access_by(o, STR("clerk"), STR("read"), STR(""), 2, 1), 0);
	assert_int_equal(access_by(o, STR("clerk"), STR("delete"), STR(""), 3, 1), 1);
}

static void test_filter(void **state)
{
	_cleanup_sigma_ struct sigma *s = set_of(BASE "title: f\nlogsource: {product: tyto}\nfilter:\n  rules: [base]\n  x: {person: backup}\n  condition: not x\n");

	assert_int_equal(access_by(s, STR("clerk"), STR("read"), STR(""), 1, 1), 1);
	assert_int_equal(access_by(s, STR("backup"), STR("read"), STR(""), 1, 1), 0);
	assert_int_equal(access_by(s, STR("backup"), STR("delete"), STR(""), 1, 1), 1);
}

static const struct { const char *text; enum sigma_state state; const char *why; } refused[] = {
	{ "a: &a [x, x]\nb: [*a, *a]\n", SIGMA_BROKEN, "aliases" },
	{ "title: [unclosed\n", SIGMA_BROKEN, "not YAML" },
	{ "just text\n", SIGMA_BROKEN, "expected a rule" },
	{ "title: t\ntitle: u\n", SIGMA_BROKEN, "each key once" },
	{ RULE("  s: {verb|re: '('}\n", "s"), SIGMA_BROKEN, "expression" },
	{ RULE("  s: {verb|base64: 'a*b'}\n", "s"), SIGMA_UNSUPPORTED, "wildcards" },
	{ RULE("  s: {verb|base64|re: 'ab'}\n", "s"), SIGMA_BROKEN, "no encoding" },
	{ RULE("  s: {verb|base64|exists: true}\n", "s"), SIGMA_BROKEN, "no encoding" },
	{ RULE("  s: {client|cidr: 192.168.1.1/24}\n", "s"), SIGMA_BROKEN, "a host within" },
	{ RULE("  s: {client|cidr: 'fe80::1/64'}\n", "s"), SIGMA_BROKEN, "a host within" },
	{ RULE("  s: {path|fieldref: 't*'}\n", "s"), SIGMA_BROKEN, "a field's name" },
	{ RULE("  s: [null]\n", "s"), SIGMA_BROKEN, "a keyword" },
	{ RULE("  s: {verb|magic: x}\n", "s"), SIGMA_UNSUPPORTED, "modifier magic" },
	{ RULE("  s: {verb|expand: '%x%'}\n", "s"), SIGMA_UNSUPPORTED, "no values" },
	{ RULE("  s: {verb: x}\n", "s | count() > 5"), SIGMA_UNSUPPORTED, "aggregation" },
	{ RULE("  s: {verb: x}\n", "s and"), SIGMA_BROKEN, "identifier" },
	{ RULE("  s: {verb: x}\n", "t"), SIGMA_BROKEN, "identifier" },
	{ RULE("  s: {NoSuchField: x}\n", "s"), SIGMA_NEVER, "NoSuchField" },
	{ "title: t\nlogsource: {product: windows}\ndetection: {s: {a: b}, condition: s}\n", SIGMA_NEVER, "windows" },
	{ "title: a\nname: a\ncorrelation: {type: temporal, rules: [b], timespan: 1m}\n---\n"
	  "title: b\nname: b\ncorrelation: {type: temporal, rules: [a], timespan: 1m}\n", SIGMA_BROKEN, "circle" },
	{ "title: a\ncorrelation: {type: value_sum, rules: [x], timespan: 1m, condition: {field: [a, b], gte: 1}}\n", SIGMA_BROKEN, "the name of a field" },
	{ "title: a\ncorrelation: {type: value_count, rules: [x], timespan: 1m, condition: {field: a, gt: 4096}}\n", SIGMA_UNSUPPORTED, "value_count over" },
	{ "title: a\ncorrelation: {type: value_count, rules: [x], timespan: 1m, condition: {field: [], gte: 1}}\n", SIGMA_BROKEN, "expected a field" },
	{ "title: a\ncorrelation: {type: value_count, rules: [x], timespan: 1m, condition: {field: [a, b, c, d, e, f, g, h, i], gte: 1}}\n",
	  SIGMA_UNSUPPORTED, "more than 8 fields" },
	{ "title: a\ncorrelation: {type: event_count, rules: [x], timespan: 1m, condition: {gte: 1}}\n", SIGMA_BROKEN, "expected a rule \"x\"" },
};

static void test_refused(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(refused); i++) {
		_cleanup_sigma_ struct sigma *s = set_of(refused[i].text);
		bool found = false;

		for (size_t k = 0; k < sigma_rules(s); k++)
			found |= sigma_rule(s, k)->state == refused[i].state && strstr(sigma_rule(s, k)->why, refused[i].why) != NULL;
		if (!found)
			fail_msg("%s: %s", refused[i].text, sigma_rules(s) && sigma_rule(s, 0)->why ? sigma_rule(s, 0)->why : "taken");
	}
}

static void test_sizes(void **state)
{
	_cleanup_buf_ struct buf b = BUF_INIT;
	_cleanup_sigma_ struct sigma *s = NULL;

	while (b.n < 10u << 20)
		buf_puts(&b, STR("# ten million bytes of rules\n"));
	assert_int_equal(sigma_new(&s), 0);
	assert_int_equal(sigma_add_text(s, STR("big.yml"), buf_str(&b)), 0);
	assert_string_equal(sigma_rule(s, 0)->why, "expected at most 1 MiB");
	buf_clear(&b);
	for (unsigned i = 0; i < 1000; i++)
		buf_putc(&b, '[');
	assert_int_equal(sigma_add_text(s, STR("deep.yml"), buf_str(&b)), 0);
	assert_non_null(strstr(sigma_rule(s, 1)->why, "32 levels"));
}

static void test_catastrophe(void **state)
{
	_cleanup_sigma_ struct sigma *s = set_of(RULE("  s: {f|re: '^(a+)+$'}\n", "s"));
	struct sigma_field f[] = { FIELD("f", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab") };
	struct sigma_stat stat;

	assert_int_equal(feed(s, f, 1, 1, 1), 0);
	sigma_stat(s, &stat);
	assert_int_equal(stat.limits, 1);
}

static void test_bounded(void **state)
{
	_cleanup_sigma_ struct sigma *s = set_of(CORRELATION("event_count", "base", "  condition: {gte: 1000000}\n"));
	struct sigma_stat stat;

	for (unsigned i = 0; i < 70000; i++) {
		char name[16];

		access_by(s, (str){ name, (size_t)snprintf(name, sizeof(name), "p%u", i) }, STR("read"), STR(""), 1, 1);
	}
	sigma_stat(s, &stat);
	assert_int_equal(stat.groups, 65536);
	assert_int_equal(stat.full, 70000 - 65536);
}

/* Of one group's records the oldest go; where that cannot change what is told it is not said. */
static void test_bounded_group(void **state)
{
	_cleanup_sigma_ struct sigma *s = set_of(CORRELATION("value_count", "base", "  condition: {field: v, gte: 4096}\n"));
	_cleanup_sigma_ struct sigma *below = set_of(CORRELATION("value_count", "base", "  condition: {field: v, gte: 2, lt: 4000}\n"));
	struct sigma_stat stat;
	unsigned hits = 0;

	for (unsigned i = 0; i < 5000; i++) {
		char value[16];
		str v = { value, (size_t)snprintf(value, sizeof(value), "v%u", i) };

		hits += access_by(s, STR("clerk"), STR("read"), v, 1, 1);
		access_by(below, STR("clerk"), STR("read"), v, 1, 1);
	}
	assert_int_equal(hits, 1);
	sigma_stat(s, &stat);
	assert_int_equal(stat.full, 0);
	sigma_stat(below, &stat);
	assert_int_equal(stat.full, 5000 - 4096);
}

static void count_read(void *arg, const struct sigma_hit *h)
{
	assert_int_equal(h->n_seqs, 1);
	assert_int_equal(h->seqs[0], 7);
	assert_int_equal(h->count, 4);
	(*(unsigned *)arg)++;
}

static void test_event(void **state)
{
	_cleanup_sigma_ struct sigma *s = set_of("title: t\nlogsource: {product: linux, category: file_access}\ndetection:\n"
		"  s: {TargetFilename|endswith: .docx, User: clerk, ParentImage|endswith: /bash, bytes|gte: 10}\n  condition: s\n");
	struct event e = { .seq = 7, .verb = VERB_READ, .path = STR("/srv/Plan.DOCX"), .person = STR("clerk"), .parents = { STR("/bin/sh"), STR("/bin/bash") },
		.n_parents = 2, .bytes = 10, .count = 4,
		.present = EV_BIT(EV_VERB) | EV_BIT(EV_PATH) | EV_BIT(EV_PERSON) | EV_BIT(EV_PARENTS) | EV_BIT(EV_BYTES) | EV_BIT(EV_COUNT) };
	unsigned hits = 0;

	assert_int_equal(sigma_rule(s, 0)->state, SIGMA_RUNS);
	assert_int_equal(sigma_feed(s, &e, count_read, &hits), 0);
	assert_int_equal(hits, 1);
	e.verb = VERB_DELETE;
	assert_int_equal(sigma_feed(s, &e, count_read, &hits), 0);
	e.verb = VERB_READ;
	e.present &= ~EV_BIT(EV_BYTES);
	assert_int_equal(sigma_feed(s, &e, count_read, &hits), 0);
	assert_int_equal(hits, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_items), cmocka_unit_test(test_conditions), cmocka_unit_test(test_keywords), cmocka_unit_test(test_event_count),
		cmocka_unit_test(test_late_in_window), cmocka_unit_test(test_values), cmocka_unit_test(test_temporal), cmocka_unit_test(test_filter),
		cmocka_unit_test(test_refused), cmocka_unit_test(test_sizes), cmocka_unit_test(test_catastrophe), cmocka_unit_test(test_bounded),
		cmocka_unit_test(test_bounded_group),
		cmocka_unit_test(test_event),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
