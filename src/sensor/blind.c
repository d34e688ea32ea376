#include "sensor/blind.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/timefmt.h"
#include "sensor/recorder.h"

#define RETRY_MIN_NS (5 * NSEC_PER_SEC)
#define RETRY_MAX_NS (600 * NSEC_PER_SEC)

_Static_assert(ARRAY_SIZE(((struct blind *)0)->spots) == SENSOR_BLIND_MAX, "as many as the keeper keeps");

static void tell(struct recorder *r, const char *text)
{
	out_text(&r->out, SENSOR_BLIND, str_c(text));
}

static void tell_more(struct recorder *r)
{
	char text[80];

	snprintf(text, sizeof(text), "%zu more folders or paths cannot be watched", r->blind.more);
	tell(r, text);
}

void blind_tell(struct recorder *r)
{
	tell(r, "");
	for (size_t i = 0; i < r->blind.n; i++)
		tell(r, r->blind.spots[i].text);
	if (r->blind.more)
		tell_more(r);
	r->blind.more_told = r->blind.more;
}

void blind_add(struct recorder *r, const struct fan_fid *dir, const char *fmt, ...)
{
	struct blind *b = &r->blind;
	struct blind_spot *s = &b->spots[b->n];
	char text[4400];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	for (size_t i = 0; i < b->n; i++)
		if (dir ? b->spots[i].dir.key == dir->key : strcmp(b->spots[i].text, text) == 0)
			return;
	if (b->n == SENSOR_BLIND_MAX && b->more) { /* said enough */
		b->more++;
		return;
	}
	if (dir && !b->unsaid)
		b->unsaid = time_now();
	if (!b->retry_at) {
		b->delay = RETRY_MIN_NS;
		b->retry_at = time_boottime() + b->delay;
	}
	recorder_note(r, "%s", text);
	if (b->n == SENSOR_BLIND_MAX || !(s->text = strdup(text))) {
		b->more++;
		return;
	}
	s->dir = dir ? *dir : (struct fan_fid){ 0 };
	s->since = time_now();
	b->n++;
	tell(r, text);
}

static void take_out(struct blind *b, size_t i)
{
	free(b->spots[i].text);
	b->spots[i] = b->spots[--b->n];
}

void blind_over(struct recorder *r, uint64_t dir)
{
	struct blind *b = &r->blind;

	for (size_t i = 0; i < b->n; i++)
		if (b->spots[i].dir.key == dir) {
			recorder_gap(r, CAUSE_TREE, b->spots[i].since, time_now(), 0);
			take_out(b, i);
			blind_tell(r);
			return;
		}
}

void blind_again(struct recorder *r)
{
	struct blind *b = &r->blind;

	for (size_t i = b->n; i-- > 0;)
		if (!b->spots[i].dir.key)
			take_out(b, i);
	b->more = 0;
	blind_tell(r);
}

/* From here on it is not known what happens there: the end is told when it can be read again. */
void blind_scanned(struct recorder *r)
{
	if (r->blind.more != r->blind.more_told)
		blind_tell(r);
	if (r->blind.unsaid)
		recorder_gap(r, CAUSE_TREE, r->blind.unsaid, time_now(), 0);
	r->blind.unsaid = 0;
}

void blind_retry(struct recorder *r)
{
	struct blind *b = &r->blind;
	int64_t now;

	if (!b->retry_at || r->n_todo || atomic_load(&r->f->scarce))
		return;
	now = time_boottime();
	if (now < b->retry_at)
		return;
	b->retry_at = 0;
	b->delay = MIN(MAX(b->delay, RETRY_MIN_NS) * 2, RETRY_MAX_NS);
	if (b->more) /* which they are is not known any more */
		r->rescan = true;
	for (size_t i = b->n; i-- > 0;) {
		if (!b->spots[i].dir.key)
			continue;
		if (!tree_find(r->tree, b->spots[i].dir.key)) { /* deleted meanwhile */
			take_out(b, i);
			continue;
		}
		if (!b->retry_at) {
			b->retry_at = now + b->delay;
			scan_begin(r);
		}
		scan_push(r, &b->spots[i].dir);
	}
	if (!b->n && !b->more)
		blind_tell(r);
}

void blind_free(struct blind *b)
{
	while (b->n)
		take_out(b, b->n - 1);
}
