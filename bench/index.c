/* index.c: builds an index over a year of office records and times the two questions that it is for.
 *
 *	bench-index [RECORDS]      default 1,000,000; the goal is stated for 10,000,000
 *
 * The log is made in memory, leaf by leaf from its number alone (no entropy: a mixing function of the number), so that what is timed is the index: 200
 * persons, 100,000 documents with a long tail of popularity, working hours over one year. Reading the real log is measured with import.
 */
#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>

#include "base/timefmt.h"
#include "base/varint.h"
#include "index/index.h"

#define PERSONS 200
#define DOCUMENTS 100000
#define YEAR_NS (365 * 86400 * NSEC_PER_SEC)
#define BEGIN_NS (1735689600 * NSEC_PER_SEC) /* 2025-01-01 */
#define ROUNDS 101

static uint64_t records;

struct names {
	char text[64];
};
struct evidence_reader {
	struct names names;
	uint8_t packed[LEAF_MAX];
};

static uint64_t mix(uint64_t x)
{
	x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ULL;
	x = (x ^ (x >> 27)) * 0x94d049bb133111ebULL;
	return x ^ (x >> 31);
}

static void put(struct leaf *l, enum event_field f, uint64_t v)
{
	l->present |= EV_BIT(f);
	l->value[f] = v;
}

static void make(uint64_t seq, struct leaf *l)
{
	uint64_t x = mix(seq + 1), y = mix(x), document = 1 + (uint64_t)((double)DOCUMENTS * (double)(x % 1000) / 1000 * (double)(y % 1000) / 1000);

	*l = (struct leaf){ .kind = LEAF_EVENT };
	document += y / 1000 % (document / 100 + 1);
	put(l, EV_TIME, (uint64_t)(BEGIN_NS + (int64_t)((__int128)seq * YEAR_NS / (int64_t)records) + (int64_t)(y % 1000000)));
	put(l, EV_VERB, x >> 20 & 7 ? VERB_READ : VERB_WRITE);
	put(l, EV_SEEN, SEEN_ACCESS);
	put(l, EV_HOST, 1);
	put(l, EV_PERSON, 1 + (x >> 32) % PERSONS);
	put(l, EV_PERSON_BY, BY_OPENER);
	put(l, EV_UID, 1 + (x >> 32) % PERSONS);
	put(l, EV_PATH, 1 + document);
	put(l, EV_OBJECT, document);
	put(l, EV_PROGRAM, 1 + y % 20);
	put(l, EV_PID, 1000 + y % 30000);
	put(l, EV_VIA, VIA_SMB);
	put(l, EV_CLIENT, 1 + (x >> 32) % PERSONS);
}

const char *evidence_why(void)
{
	return "made log";
}

int evidence_reader_open(const char *state, struct evidence_reader **ret)
{
	*ret = calloc(1, sizeof(**ret));
	return *ret ? 0 : -ENOMEM;
}

struct evidence_reader *evidence_reader_close(struct evidence_reader *r)
{
	free(r);
	return NULL;
}

int evidence_reader_refresh(struct evidence_reader *r, uint64_t *ret_size)
{
	*ret_size = records;
	return 0;
}

const struct names *evidence_reader_names(const struct evidence_reader *r)
{
	return &r->names;
}

int evidence_read(struct evidence_reader *r, uint64_t seq, str *ret)
{
	struct leaf l;
	ssize_t n;

	make(seq, &l);
	n = leaf_encode(&l, r->packed);
	if (n < 0)
		return (int)n;
	*ret = (str){ (const char *)r->packed, (size_t)n };
	return 0;
}

int evidence_each(struct evidence_reader *r, uint64_t from, uint64_t to, int (*cb)(void *arg, uint64_t seq, const struct leaf *l), void *arg)
{
	int e = 0;

	for (struct leaf l; e == 0 && from < to; from++) {
		make(from, &l);
		e = cb(arg, from, &l);
	}
	return e;
}

int names_path(const struct names *n, uint64_t component, struct buf *ret)
{
	if (component == 1)
		buf_puts(ret, STR("/srv"));
	else
		buf_putf(ret, "/srv/document-%llu", (unsigned long long)component);
	return 0;
}

int names_value(const struct names *n, enum name_kind kind, uint64_t number, str *ret)
{
	static char text[64];
	uint8_t *p = (uint8_t *)text;

	if (kind == NAME_COMPONENT)
		*ret = (str){ text, uvar_put(p, number == 1 ? 0 : 1) };
	else
		*ret = (str){ text, (size_t)snprintf(text, sizeof(text), "%llu", (unsigned long long)number) };
	return 0;
}

size_t names_parents(const struct names *n, uint64_t component, uint64_t *ret, size_t max)
{
	*ret = component == 1 ? 0 : 1;
	return max ? 1 : 0;
}

int names_error(const struct names *n)
{
	return 0;
}

uint64_t names_count(const struct names *n, enum name_kind kind)
{
	return 2 * DOCUMENTS;
}

uint64_t names_find(const struct names *n, enum name_kind kind, str value)
{
	uint64_t v = 0, k;

	if (kind == NAME_OBJECT) { /* dev 8, ino = number */
		k = (uint64_t)uvar_get((const uint8_t *)value.p, value.n, &v);
		return uvar_get((const uint8_t *)value.p + k, value.n - k, &v) > 0 ? v : 0;
	}
	return str_to_u64(value, &v) == 0 ? v : 0;
}

uint64_t names_find_path(const struct names *n, str path)
{
	uint64_t v;

	return str_starts(path, STR("/srv/document-")) && str_to_u64((str){ path.p + 14, path.n - 14 }, &v) == 0 ? v : 0;
}

int evidence_event(const struct names *n, uint64_t seq, const struct leaf *l, struct buf *scratch, struct event *ret)
{
	*ret = (struct event){ .present = l->present, .seq = seq, .time = (int64_t)l->value[EV_TIME], .verb = l->value[EV_VERB] };
	buf_clear(scratch);
	names_path(n, l->value[EV_PATH], scratch);
	ret->path = buf_str(scratch);
	return names_value(n, NAME_PERSON, l->value[EV_PERSON], &ret->person);
}

static int count_event(void *arg, const struct event *e)
{
	++*(uint64_t *)arg;
	return 0;
}

static int count_who(void *arg, const struct index_who *w)
{
	++*(uint64_t *)arg;
	return 0;
}

static int by_value(const void *a, const void *b)
{
	const int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return x < y ? -1 : x > y;
}

enum question { PERSON_MONTH, WHO_PATH, WHO_OBJECT, NEWEST, QUESTIONS };

static int ask(struct index_query *q, enum question what, unsigned round, uint64_t *answers)
{
	char text[64];
	str person;
	struct event_object o = { 8, 1 + mix(round) % (DOCUMENTS / 2), 0 };
	struct index_subject s = { 0 };
	struct index_filter f = { 0 };

	switch (what) {
	case PERSON_MONTH:
		snprintf(text, sizeof(text), "%u", 1 + round % PERSONS);
		person = str_c(text);
		f.persons = &person;
		f.n_persons = 1;
		f.since = BEGIN_NS + (int64_t)(round % 11) * 31 * 86400 * NSEC_PER_SEC;
		f.until = f.since + 31 * 86400 * NSEC_PER_SEC;
		return index_query_events(q, &f, count_event, answers);
	case WHO_PATH:
		snprintf(text, sizeof(text), "/srv/document-%llu", (unsigned long long)o.ino + 1);
		s.path = str_c(text);
		return index_query_who(q, &s, count_who, answers);
	case WHO_OBJECT:
		s.object = &o;
		return index_query_who(q, &s, count_who, answers);
	default:
		f.limit = 50;
		f.reverse = true;
		return index_query_events(q, &f, count_event, answers);
	}
}

static int time_questions(const char *state)
{
	static const char *const title[QUESTIONS] = { "a person's month", "who, by path", "who, by object", "newest 50 of all" };
	struct index_query *q;
	int r = index_query_open(state, &q);

	for (int what = 0; r == 0 && what < QUESTIONS; what++) {
		int64_t ns[ROUNDS];
		uint64_t answers = 0;

		for (unsigned i = 0; r == 0 && i < ROUNDS; i++) {
			int64_t start;

			r = ask(q, what, i, &(uint64_t){ 0 }); /* warm */
			start = time_boottime();
			if (r == 0)
				r = ask(q, what, i, &answers);
			ns[i] = time_boottime() - start;
		}
		const size_t middle = ROUNDS / 2;

		qsort(ns, ROUNDS, sizeof(ns[0]), by_value);
		printf("%-18s min %.2f ms  median %.2f  p99 %.2f  (%.0f rows on average)\n", title[what], (double)ns[0] / 1e6,
			(double)ns[middle] / 1e6, (double)ns[ROUNDS - 2] / 1e6, (double)answers / ROUNDS);
	}
	index_query_close(q);
	return r;
}

static int time_build(const char *state)
{
	struct evidence_reader *r;
	struct index_stat st;
	struct index *x;
	int64_t start, took;
	struct leaf l;
	int e = evidence_reader_open(state, &r);

	start = time_boottime();
	for (uint64_t i = 0; i < records; i++)
		make(i, &l);
	printf("making the records: %.2f µs each (part of the build below)\n", (double)(time_boottime() - start) / 1e3 / (double)records);
	if (e == 0)
		e = index_open(state, &x);
	if (e < 0)
		return e;
	start = time_boottime();
	e = index_advance(x, r, records, 0);
	index_close(x);
	took = time_boottime() - start;
	evidence_reader_close(r);
	if (e == 0)
		e = index_stat(state, &st);
	if (e == 0)
		printf("build: %llu records in %.2f s, %.0f records/s, %.1f bytes a record\n", (unsigned long long)records, (double)took / 1e9,
			(double)records * 1e9 / (double)took, (double)st.disk / (double)records);
	return e;
}

int main(int argc, char **argv)
{
	char state[] = "/var/tmp/tyto-bench-index-XXXXXX", cmd[128];
	int r;

	records = argc > 1 ? strtoull(argv[1], NULL, 10) : 1000000;
	if (records == 0 || !mkdtemp(state))
		return 2;
	r = time_build(state);
	if (r == 0)
		r = time_questions(state);
	if (r < 0)
		fprintf(stderr, "bench-index: %s\n", index_why());
	snprintf(cmd, sizeof(cmd), "rm -rf '%s'", state);
	return system(cmd) == 0 && r == 0 ? 0 : 1;
}
