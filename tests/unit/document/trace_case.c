#include "trace_case.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "../evidence/store_fixture.h"
#include "base/hash.h"
#include "document/finding.h"

#define NAMES 8192

static struct fixture f;
static struct evidence *evidence_log;
static struct documents *table;
static struct prints *prints;
static struct prints_made made;
static struct extractor *reader;
static struct finder *finder;
static struct finding_scan *scan;
static struct contacts *contacts;
static struct trace *trace;
static struct trace_result result;
static struct { char name[128]; uint8_t hash[32]; } names[NAMES];
static size_t n_names;
static char share[96];
static int64_t now;

static void close_trace(void)
{
	trace_result_free(&result);
	trace = trace_close(trace);
}

void case_begin(void)
{
	uint8_t key[IDENTIFIER_KEY];

	fixture_begin(&f);
	evidence_log = fixture_open(&f);
	snprintf(share, sizeof(share), "%s/share", f.dir);
	assert_int_equal(mkdir(share, 0700), 0);
	assert_int_equal(documents_open(f.state, true, &table), 0);
	assert_int_equal(documents_key(f.state, key), 0);
	assert_int_equal(prints_open(f.state, true, &prints), 0);
	assert_int_equal(extractor_new(NULL, OCR_NOW, &reader), 0);
	assert_int_equal(finder_new(NULL, 0, &finder), 0);
	assert_int_equal(finding_scan_new(finder, &scan), 0);
	assert_int_equal(contacts_new(key, NULL, &contacts), 0);
	n_names = 0;
	now = 1760000000LL * NSEC_PER_SEC;
}

void case_end(void)
{
	close_trace();
	extractor_free(reader);
	contacts_free(contacts);
	finding_scan_free(scan);
	finder_free(finder);
	prints_made_free(&made);
	prints = prints_close(prints);
	table = documents_close(table);
	evidence_close(evidence_log);
	fixture_end(&f);
}

static void path_of(const char *name, char *ret, size_t n)
{
	snprintf(ret, n, "%s/%s", share, name);
}

static void remember(const char *name, const uint8_t *hash)
{
	assert_true(n_names < NAMES);
	snprintf(names[n_names].name, sizeof(names[0].name), "%s", name);
	memcpy(names[n_names++].hash, hash, 32);
}

static void record(const char *name, const uint8_t *hash, const struct extract_part *p, bool public)
{
	char path[256];
	const char *facts = public ? "{\"findings\":{},\"label_why\":[],\"version\":1,\"public\":true}" : "{\"findings\":{},\"label_why\":[],\"version\":1}";

	path_of(name, path, sizeof(path));
	assert_int_equal(evidence_append_document(evidence_log, &(struct evidence_document){ .time = now, .document = hash, .bytes = p->bytes, .text_chars = p->text.chars,
		.type = p->type, .facts = str_c(facts) }, NULL), 0);
	assert_int_equal(evidence_append_place(evidence_log, &(struct evidence_place){ .time = now, .path = str_c(path), .document = hash, .has_stat = p->name.n == 0,
		.mode = 0600 }, NULL), 0);
}

struct putting {
	const char *name;
	bool public;
};

static int put_part(void *arg, const struct extract_part *p)
{
	const struct putting *to = arg;
	struct contacts_result c;
	struct hits h;
	char name[128];

	assert_true(p->has_sha256);
	assert_int_equal(prints_make(&made, prints_key(prints), &p->text), 0);
	assert_int_equal(prints_put(prints, p->sha256, &made), 0);
	assert_int_equal(finding_run(scan, &p->text, &h), 0);
	assert_int_equal(contacts_run(contacts, &p->text, &h, &c), 0);
	assert_int_equal(documents_identifiers(table, p->sha256, FACTS_VERSION, c.identifiers, c.n), 0);
	snprintf(name, sizeof(name), p->name.n ? "%s!/%.*s" : "%s", to->name, STR_ARG(p->name));
	record(name, p->sha256, p, to->public);
	remember(name, p->sha256);
	return 0;
}

static void follow(void)
{
	struct evidence_reader *r = NULL;
	uint64_t size;

	assert_int_equal(prints_commit(prints), 0);
	assert_int_equal(documents_commit(table), 0);
	assert_int_equal(evidence_commit(evidence_log), 0);
	assert_int_equal(evidence_reader_open(f.state, &r), 0);
	assert_int_equal(evidence_reader_refresh(r, &size), 0);
	assert_int_equal(documents_advance(table, r, size), 0);
	evidence_reader_close(r);
}

static void put(const char *name, str bytes, bool public)
{
	struct putting to = { name, public };
	char path[256];
	FILE *out;
	int fd;

	close_trace();
	path_of(name, path, sizeof(path));
	out = fopen(path, "we");
	assert_non_null(out);
	assert_int_equal(fwrite(bytes.p, 1, bytes.n, out), bytes.n);
	assert_int_equal(fclose(out), 0);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	now += NSEC_PER_SEC;
	assert_int_equal(extract_file(reader, fd, str_c(name), put_part, &to), 0);
	close(fd);
}

void case_put(const char *name, str bytes)
{
	put(name, bytes, false);
}

void case_put_text(const char *name, const char *text)
{
	put(name, str_c(text), false);
}

void case_public(const char *name, const char *text)
{
	put(name, str_c(text), true);
}

void case_overwrite(const char *name, const char *text)
{
	put(name, str_c(text), false);
}

void case_remove(const char *name)
{
	char path[256];

	path_of(name, path, sizeof(path));
	assert_int_equal(unlink(path), 0);
	now += NSEC_PER_SEC;
	assert_int_equal(evidence_append_place(evidence_log, &(struct evidence_place){ .time = now, .path = str_c(path), .gone = true }, NULL), 0);
}

static int trace_one(void *arg, const struct extract_part *p)
{
	if (p->name.n)
		return 0;
	trace_result_free(&result);
	if (trace_part(trace, p, &result) != 0)
		fail_msg("trace: %s", trace_why());
	return 0;
}

const struct trace_result *case_trace(const char *name, str bytes)
{
	int fd = memfd_create("leak", MFD_CLOEXEC);

	follow();
	if (!trace && trace_open(f.state, NULL, &trace) != 0)
		fail_msg("trace: %s", trace_why());
	assert_int_equal(write(fd, bytes.p, bytes.n), bytes.n);
	assert_int_equal(extract_file(reader, fd, str_c(name), trace_one, NULL), 0);
	close(fd);
	return &result;
}

const struct trace_result *case_trace_text(const char *text)
{
	return case_trace("leak.txt", str_c(text));
}

const char *case_name(const uint8_t hash[static 32])
{
	for (size_t i = n_names; i-- > 0;)
		if (memcmp(names[i].hash, hash, 32) == 0)
			return names[i].name;
	return "?";
}

static char ring[16][1 << 18];
static unsigned turn;

const char *case_text(const char *fmt, ...)
{
	char *to = ring[turn++ % ARRAY_SIZE(ring)];
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(to, sizeof(ring[0]), fmt, ap);
	va_end(ap);
	assert_true(n >= 0 && (size_t)n < sizeof(ring[0]));
	return to;
}

const char *case_said(const struct trace_result *r)
{
	return case_text("%s%s%s", trace_verdict_name(r->verdict), r->n ? " " : "", r->n ? case_name(r->matches[0].hash) : "");
}

static size_t put_at(char *to, const char *text)
{
	size_t n = strlen(text);

	memcpy(to, text, n);
	return n;
}

static unsigned next(uint64_t *x)
{
	*x = *x * 6364136223846793005ull + 1442695040888963407ull;
	return (unsigned)(*x >> 33);
}

const char *case_prose(unsigned seed, size_t n)
{
	static const char *const parts[] = { "ba", "ren", "to", "mil", "es", "cor", "da", "lin", "ver", "sto", "ing", "pra", "un", "tel", "mo", "ger" };
	char *to = ring[turn++ % ARRAY_SIZE(ring)];
	uint64_t x = seed * 7919ull + 17;
	size_t at = 0;
	unsigned word = 0;

	assert_true(n + 64 < sizeof(ring[0]));
	while (at < n) {
		for (unsigned k = 1 + next(&x) % 3; k; k--)
			at += put_at(to + at, parts[next(&x) % ARRAY_SIZE(parts)]);
		word++;
		if (word % 60 == 0)
			at += put_at(to + at, ".\n\n");
		else
			at += put_at(to + at, word % 11 == 0 ? ". " : " ");
	}
	to[at] = 0;
	return to;
}

const char *case_prose_ja(unsigned seed, size_t n)
{
	static const char *const parts[] = { "見積", "設計", "顧客", "納期", "の", "を", "確認", "製造", "については", "部品", "価格", "交渉", "必要", "する", "工程", "計画", "は", "東京",
		"変更", "される" };
	char *to = ring[turn++ % ARRAY_SIZE(ring)];
	uint64_t x = seed * 7919ull + 23;
	size_t at = 0;
	unsigned word = 0;

	assert_true(n + 64 < sizeof(ring[0]));
	while (at < n) {
		at += put_at(to + at, parts[next(&x) % ARRAY_SIZE(parts)]);
		if (++word % 13 == 0)
			at += put_at(to + at, word % 78 == 0 ? "。\n" : "。");
	}
	to[at] = 0;
	return to;
}
