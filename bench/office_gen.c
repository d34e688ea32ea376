/* office-gen — a made-up office's records as JSON Lines on stdout (office.h says what it is like).
 *
 *	office-gen --persons 100 --days 365 --seed 1 > year.jsonl
 *	office-gen --days 365 --records 10000000     ten million, spread over the year
 *	office-gen --entropy                         what the records hold: bits a record, by field; nothing else is printed
 */
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>

#include "base/buf.h"
#include "base/json.h"
#include "base/timefmt.h"
#include "office.h"

#define FLUSH_AT ((size_t)1 << 18)
#define CALIBRATE_DAYS 28

struct options {
	struct office_params p;
	bool entropy, days_given;
};

static void put_str(struct buf *b, const char *key, str s)
{
	json_key(b, key);
	json_str(b, s);
}

static void put_u64(struct buf *b, const char *key, uint64_t v)
{
	json_key(b, key);
	json_u64(b, v);
}

static void put_time(struct buf *b, const char *key, int64_t t)
{
	json_key(b, key);
	json_time(b, t);
}

static void put_hash(struct buf *b, const uint8_t h[static 32])
{
	static const char digit[] = "0123456789abcdef";
	char text[64];

	for (unsigned i = 0; i < 32; i++) {
		text[2 * i] = digit[h[i] >> 4];
		text[2 * i + 1] = digit[h[i] & 15];
	}
	json_key(b, "document");
	buf_puts(b, STR("\"sha256:"));
	buf_put(b, text, sizeof(text));
	buf_putc(b, '"');
}

static void put_object(struct buf *b, struct event_object o)
{
	json_key(b, "object");
	buf_putc(b, '"');
	const uint64_t parts[] = { o.dev, o.ino, o.gen };

	for (unsigned i = 0; i < 3; i++) {
		char tmp[20];
		size_t n = sizeof(tmp);
		uint64_t v = parts[i];

		do
			tmp[--n] = (char)('0' + v % 10);
		while (v /= 10);
		if (i)
			buf_putc(b, ':');
		buf_put(b, tmp + n, sizeof(tmp) - n);
	}
	buf_putc(b, '"');
}

static void put_process(struct buf *b, const struct event *e)
{
	put_str(b, "program", e->program);
	if (event_has(e, EV_COMMAND)) {
		put_str(b, "command", e->command);
		put_str(b, "parent_command", e->parent_command);
	}
	put_u64(b, "pid", e->pid);
	json_key(b, "parents");
	json_arr_begin(b);
	for (unsigned i = 0; i < e->n_parents; i++)
		json_str(b, e->parents[i]);
	json_arr_end(b);
	if (event_has(e, EV_CWD))
		put_str(b, "cwd", e->cwd);
	put_str(b, "via", str_c(event_via_name(e->via)));
	if (event_has(e, EV_CLIENT))
		put_str(b, "client", e->client);
}

/* Only what office.c sets; its own writer, so that the generator does not depend on the code that it measures. */
static void put_event(struct buf *b, const struct event *e)
{
	json_obj_begin(b);
	put_time(b, "time", e->time);
	if (event_has(e, EV_END))
		put_time(b, "end", e->end);
	put_str(b, "host", e->host);
	put_str(b, "person", e->person);
	put_str(b, "person_by", str_c(event_person_by_name(e->person_by)));
	put_u64(b, "uid", e->uid);
	if (event_has(e, EV_LOGIN_UID))
		put_u64(b, "login_uid", e->login_uid);
	put_str(b, "verb", str_c(event_verb_name(e->verb)));
	if (event_has(e, EV_SEEN))
		put_str(b, "seen", str_c(event_seen_name(e->seen)));
	if (event_has(e, EV_PATH))
		put_str(b, "path", e->path);
	if (event_has(e, EV_TO))
		put_str(b, "to", e->to);
	if (event_has(e, EV_OBJECT))
		put_object(b, e->object);
	if (event_has(e, EV_DOCUMENT))
		put_hash(b, e->document);
	if (event_has(e, EV_BYTES))
		put_u64(b, "bytes", e->bytes);
	if (event_has(e, EV_COVERED))
		put_u64(b, "covered", e->covered);
	if (event_has(e, EV_COUNT))
		put_u64(b, "count", e->count);
	put_process(b, e);
	json_obj_end(b);
	buf_putc(b, '\n');
}

static int flush(struct buf *b)
{
	if (buf_error(b))
		return buf_error(b);
	for (size_t at = 0; at < b->n;) {
		ssize_t w = write(STDOUT_FILENO, b->p + at, b->n - at);

		if (w < 0 && errno != EINTR)
			return -errno;
		at += w > 0 ? (size_t)w : 0;
	}
	buf_clear(b);
	return 0;
}

static int print(struct office *o)
{
	_cleanup_buf_ struct buf b = BUF_INIT;
	struct event e;
	int r;

	while ((r = office_next(o, &e)) > 0) {
		put_event(&b, &e);
		if (b.n >= FLUSH_AT && (r = flush(&b)) < 0)
			return r;
	}
	return r < 0 ? r : flush(&b);
}

static int print_entropy(struct office *o)
{
	uint64_t n = 0, verbs[VERB_MAX_] = { 0 };
	const double *bits = office_info(o);
	double sum = 0;
	struct event e;
	int r;

	while ((r = office_next(o, &e)) > 0) {
		n++;
		verbs[e.verb]++;
	}
	if (r < 0 || !n)
		return r;
	for (unsigned f = 0; f < INFO_MAX_; f++) {
		printf("%-10s %7.2f bits a record\n", office_info_names[f], bits[f] / (double)n);
		sum += bits[f];
	}
	printf("%-10s %7.2f bits = %.2f bytes a record, %" PRIu64 " records\n", "sum", sum / (double)n, sum / (double)n / 8, n);
	for (unsigned v = 1; v < VERB_MAX_; v++)
		if (verbs[v])
			printf("%-10s %7.2f %%\n", event_verb_name((enum event_verb)v), 100.0 * (double)verbs[v] / (double)n);
	return 0;
}

static int count(struct office_params p, unsigned days, uint64_t *ret)
{
	_cleanup_office_ struct office *o = NULL;
	struct event e;
	uint64_t n = 0;
	int r;

	p.days = days;
	p.records = 0;
	p.measure = false;
	r = office_new(&p, &o);
	if (r < 0)
		return r;
	while ((r = office_next(o, &e)) > 0)
		n++;
	*ret = n;
	return r;
}

/* So many records over so many days: how busy the persons are follows, tried out on four weeks. */
static int calibrate(struct office_params *p)
{
	unsigned part = MIN(p->days, (unsigned)CALIBRATE_DAYS);

	for (unsigned round = 0; round < 2; round++) {
		uint64_t n;
		int r = count(*p, part, &n);

		if (r < 0)
			return r;
		p->gap_s *= (double)n * p->days / part / (double)p->records;
		if (p->gap_s < 0.05)
			p->gap_s = 0.05;
	}
	p->gap_s *= 0.99; /* rather end a little early than fall short */
	return 0;
}

static bool number(const char *s, uint64_t *ret)
{
	return str_to_u64(str_c(s), ret) == 0;
}

static int parse(int argc, char **argv, struct options *o)
{
	enum { PERSONS = 1, SHARES, FOLDERS, DOCUMENTS, DAYS, RECORDS, SEED, START, NO_BYTES, ENTROPY };
	static const struct option table[] = { { "persons", 1, NULL, PERSONS }, { "shares", 1, NULL, SHARES },
		{ "folders", 1, NULL, FOLDERS },
		{ "documents", 1, NULL, DOCUMENTS }, { "days", 1, NULL, DAYS }, { "records", 1, NULL, RECORDS }, { "seed", 1, NULL, SEED },
		{ "start", 1, NULL, START }, { "no-bytes", 0, NULL, NO_BYTES }, { "entropy", 0, NULL, ENTROPY }, { 0 } };
	int c;

	while ((c = getopt_long(argc, argv, "", table, NULL)) != -1) {
		uint64_t v = 0;

		if (c == '?' || (c != START && optarg && !number(optarg, &v)))
			return -EINVAL;
		switch (c) {
		case PERSONS: o->p.persons = (unsigned)v; break;
		case SHARES: o->p.shares = (unsigned)v; break;
		case FOLDERS: o->p.folders = (unsigned)v; break;
		case DOCUMENTS: o->p.documents = (unsigned)v; break;
		case DAYS: o->p.days = (unsigned)v; o->days_given = true; break;
		case RECORDS: o->p.records = v; break;
		case SEED: o->p.seed = v; break;
		case START:
			if (time_parse(str_c(optarg), &o->p.start) < 0)
				return -EINVAL;
			break;
		case NO_BYTES: o->p.bytes = false; break;
		case ENTROPY: o->entropy = o->p.measure = true; break;
		}
	}
	return optind == argc ? 0 : -EINVAL;
}

int main(int argc, char **argv)
{
	_cleanup_office_ struct office *o = NULL;
	struct options opt = { .p = OFFICE_DEFAULTS };
	int r = parse(argc, argv, &opt);

	if (r < 0) {
		fprintf(stderr, "usage: office-gen [--persons N] [--shares N] [--folders N] [--documents N] [--days N]\n"
			"                  [--records N] [--seed N] [--start RFC3339] [--no-bytes] [--entropy]\n");
		return 2;
	}
	if (opt.p.records && !opt.days_given)
		opt.p.days = 36500;
	else if (opt.p.records)
		r = calibrate(&opt.p);
	if (r == 0)
		r = office_new(&opt.p, &o);
	if (r == 0)
		r = opt.entropy ? print_entropy(o) : print(o);
	if (r < 0 && r != -EPIPE) {
		fprintf(stderr, "office-gen: %s\n", strerror(-r));
		return 1;
	}
	return 0;
}
