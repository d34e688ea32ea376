/* Records as JSON, read and written, beside jansson doing less: it parses without making an event, and writes objects that stand ready.
 *
 * An office's records (office.h). Rounds are interleaved; ns a record, minimum and quartiles.
 */
#include <jansson.h>
#include <stdio.h>
#include <time.h>

#include "event/event_json.h"
#include "event/event_wire.h"
#include "office.h"

#define ROUNDS 15
#define RECORDS 20000

struct record {
	str json, wire;
	struct event e; /* its strs point into json */
	json_t *tree;
};

struct data {
	struct record *r;
	size_t n;
	struct buf text, scratch;
};

static int64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * NSEC_PER_SEC + ts.tv_nsec;
}

static void fail(const char *what)
{
	fprintf(stderr, "bench-event-json: %s\n", what);
	exit(1);
}

static void read_ours(struct data *d)
{
	struct event_json_error err;
	struct event e;

	for (size_t i = 0; i < d->n; i++) {
		buf_clear(&d->scratch);
		if (event_from_json(d->r[i].json, &d->scratch, &e, &err) < 0)
			fail(err.expect);
	}
}

static void read_jansson(struct data *d)
{
	for (size_t i = 0; i < d->n; i++) {
		json_t *j = json_loadb(d->r[i].json.p, d->r[i].json.n, 0, NULL);

		if (!j)
			fail("jansson");
		json_decref(j);
	}
}

static void write_ours(struct data *d)
{
	for (size_t i = 0; i < d->n; i++) {
		buf_clear(&d->scratch);
		event_to_json(&d->scratch, &d->r[i].e);
	}
}

static void write_jansson(struct data *d)
{
	static char out[64 * 1024];

	for (size_t i = 0; i < d->n; i++)
		if (json_dumpb(d->r[i].tree, out, sizeof(out), JSON_COMPACT) == 0)
			fail("jansson");
}

static void pack(struct data *d)
{
	for (size_t i = 0; i < d->n; i++) {
		buf_clear(&d->scratch);
		event_pack(&d->scratch, &d->r[i].e);
	}
}

static void unpack(struct data *d)
{
	struct event e;

	for (size_t i = 0; i < d->n; i++)
		if (event_unpack((const uint8_t *)d->r[i].wire.p, d->r[i].wire.n, &e) < 0)
			fail("event_unpack");
}

/* Texts and packed records first, then views of them: the buffers move while they grow. */
static void make(struct data *d)
{
	struct office_params p = OFFICE_DEFAULTS;
	_cleanup_office_ struct office *o = NULL;
	size_t *ends = calloc(2 * RECORDS, sizeof(*ends)), at = 0;
	struct event e;

	d->r = calloc(RECORDS, sizeof(*d->r));
	if (!ends || !d->r || office_new(&p, &o) < 0)
		fail("no memory");
	for (; d->n < RECORDS && office_next(o, &e) == 1; d->n++) {
		buf_putc(&d->text, '\n'); /* so that the writer does not see a list */
		event_to_json(&d->text, &e);
		ends[2 * d->n] = d->text.n;
		event_pack(&d->text, &e);
		ends[2 * d->n + 1] = d->text.n;
	}
	for (size_t i = 0; i < d->n; i++) {
		struct record *r = &d->r[i];
		struct event_json_error err;
		_cleanup_buf_ struct buf own = BUF_INIT;

		r->json = (str){ d->text.p + at + 1, ends[2 * i] - at - 1 };
		r->wire = (str){ d->text.p + ends[2 * i], ends[2 * i + 1] - ends[2 * i] };
		at = ends[2 * i + 1];
		r->tree = json_loadb(r->json.p, r->json.n, 0, NULL);
		if (event_from_json(r->json, &own, &r->e, &err) < 0 || !r->tree)
			fail("a record that cannot be read");
		/* Nothing of an office's records is escaped, so every text is a view of the line. */
		if (own.n)
			fail("a record with escapes");
	}
	free(ends);
}

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

int main(void)
{
	static const struct { const char *what; void (*run)(struct data *); } cases[] = {
		{ "read, event_from_json", read_ours },
		{ "read, jansson json_loadb", read_jansson },
		{ "write, event_to_json", write_ours },
		{ "write, jansson json_dumpb", write_jansson },
		{ "wire, event_pack", pack },
		{ "wire, event_unpack", unpack },
	};
	double ns[ARRAY_SIZE(cases)][ROUNDS];
	struct data d = { 0 };
	size_t json = 0, wire = 0;

	make(&d);
	for (size_t i = 0; i < d.n; i++) {
		json += d.r[i].json.n;
		wire += d.r[i].wire.n;
	}
	printf("%zu records, %.0f bytes each as JSON, %.0f on the wire\n", d.n, (double)json / (double)d.n, (double)wire / (double)d.n);
	for (int round = 0; round < ROUNDS; round++)
		for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
			int64_t t = now_ns();

			cases[i].run(&d);
			ns[i][round] = (double)(now_ns() - t) / (double)d.n;
		}
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		qsort(ns[i], ROUNDS, sizeof(double), by_value);
		printf("%-28s min %7.1f  q1 %7.1f  median %7.1f  q3 %7.1f ns   %5.2f M/s at the median\n", cases[i].what, ns[i][0], ns[i][ROUNDS / 4],
			ns[i][ROUNDS / 2], ns[i][ROUNDS * 3 / 4], 1000 / ns[i][ROUNDS / 2]);
	}
	return 0;
}
