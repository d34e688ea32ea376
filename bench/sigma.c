/* What one event costs beside many rules whose log source matches it: bench-sigma [RULES [EVENTS]]. */
#include <stdio.h>

#include "base/buf.h"
#include "base/timefmt.h"
#include "detect/sigma.h"

static uint64_t random_state = 88172645463325252ULL;

static unsigned draw(unsigned n)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return (unsigned)(random_state % n);
}

/* Four kinds, as published rules are: folders, programs, endings together with something else, expressions beside a literal. */
static void put_rule(struct buf *b, unsigned i)
{
	static const char *const forms[] = {
		"    TargetFilename|contains: ['/case-%u/', '/matter-%u/']\n", "    Image|endswith: ['/tool%u', '/helper%u']\n",
		"    TargetFilename|startswith: '/srv/unit%u/'\n    TargetFilename|endswith: '.k%u'\n", "    path|re: 'draft-[0-9]{%u}'\n    program|contains: 'editor%u'\n",
	};
	unsigned a = 1000 + i * 7, c = 5 + i;

	buf_putf(b, "---\ntitle: rule %u\nlogsource: {product: linux, category: file_access}\ndetection:\n  s:\n", i);
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
	buf_putf(b, forms[i % 4], i % 4 == 3 ? 3 + i % 9 : a, c);
#pragma GCC diagnostic pop
	buf_puts(b, STR("  condition: s\n"));
}

static int64_t now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * NSEC_PER_SEC + t.tv_nsec;
}

static int by_value(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return (x > y) - (x < y);
}

static void count(void *arg, const struct sigma_hit *h)
{
	(*(uint64_t *)arg)++;
}

int main(int argc, char **argv)
{
	unsigned rules = argc > 1 ? (unsigned)atoi(argv[1]) : 4000, events = argc > 2 ? (unsigned)atoi(argv[2]) : 200000;
	_cleanup_free_ int64_t *cost = calloc(events, sizeof(*cost));
	_cleanup_sigma_ struct sigma *s = NULL;
	struct sigma_stat stat;
	uint64_t hits = 0;
	int64_t from = now();

	if (!events || !cost || sigma_new(&s) < 0)
		return 1;
	for (unsigned i = 0; i < rules;) {
		_cleanup_buf_ struct buf b = BUF_INIT;

		for (unsigned k = 0; k < 500 && i < rules; k++)
			put_rule(&b, i++);
		if (sigma_add_text(s, STR("generated"), buf_str(&b)) < 0)
			return 1;
	}
	if (sigma_ready(s) < 0)
		return 1;
	printf("rules %u loaded_ms %.1f\n", rules, (double)(now() - from) / 1e6);
	for (unsigned i = 0; i < events; i++) {
		char path[128], person[16], program[32];
		struct event e = { .seq = i, .time = (int64_t)i * NSEC_PER_SEC, .verb = VERB_READ, .seen = SEEN_BYTES, .via = VIA_SMB, .bytes = 4096 + i,
			.client = STR("192.0.2.7"), .host = STR("files"),
			.present = EV_BIT(EV_TIME) | EV_BIT(EV_VERB) | EV_BIT(EV_SEEN) | EV_BIT(EV_VIA) | EV_BIT(EV_BYTES) | EV_BIT(EV_CLIENT) | EV_BIT(EV_HOST) |
				EV_BIT(EV_PATH) | EV_BIT(EV_PERSON) | EV_BIT(EV_PROGRAM) };

		e.path = (str){ path, (size_t)snprintf(path, sizeof(path), "/srv/share/Unit %u/case-%u/Plan %u final.docx", draw(40), draw(60000), draw(1000)) };
		e.person = (str){ person, (size_t)snprintf(person, sizeof(person), "p%u", draw(100)) };
		e.program = (str){ program, (size_t)snprintf(program, sizeof(program), "/usr/sbin/smbd%u", draw(3)) };
		from = now();
		if (sigma_feed(s, &e, count, &hits) < 0)
			return 1;
		cost[i] = now() - from;
	}
	qsort(cost, events, sizeof(*cost), by_value);
	sigma_stat(s, &stat);
	printf("events %u median_ns %lld p99_ns %lld evaluated_an_event %.2f hits %llu\n", events, (long long)cost[events / 2],
		(long long)cost[(size_t)events * 99 / 100], (double)stat.evaluated / events, (unsigned long long)hits);
	return 0;
}
