#include "sensor/import.h"

#include <errno.h>

#include "event/event_json.h"
#include "sensor/ahead.h"
#include "sensor/inflate.h"

#define CHUNK (256 * 1024)

struct file {
	char *name;
	struct inflate *in;
	const struct import_format *format;
	struct buf text;     /* decoded bytes not yet taken */
	size_t at;           /* start of the next line in text */
	struct buf scratch;
	uint64_t line;
	bool skipping;       /* in a line that is too long */
	bool end;
	struct ahead ahead;
	int64_t newest, given; /* times: of all that was read, of all that was handed out */
};

struct import {
	import_complaint *complain;
	void *arg;
	int stop_fd;
	struct file *files;
	size_t n;
	uint64_t refused;
	size_t records, bytes; /* read ahead, of all files */
};

struct import *import_new(import_complaint *complain, void *arg, int stop_fd)
{
	struct import *im = calloc(1, sizeof(*im));

	if (!im || !(im->files = calloc(IMPORT_FILES_MAX, sizeof(*im->files)))) {
		free(im);
		return NULL;
	}
	im->complain = complain;
	im->arg = arg;
	im->stop_fd = stop_fd;
	return im;
}

struct import *import_free(struct import *im)
{
	if (!im)
		return NULL;
	for (size_t i = 0; i < im->n; i++) {
		free(im->files[i].name);
		inflate_free(im->files[i].in);
		buf_free(&im->files[i].text);
		buf_free(&im->files[i].scratch);
		ahead_free(&im->files[i].ahead);
	}
	free(im->files);
	free(im);
	return NULL;
}

int import_add(struct import *im, int fd, const char *name, const struct import_format *format)
{
	struct file *f = &im->files[im->n];
	int r;

	if (im->n == IMPORT_FILES_MAX)
		return -E2BIG;
	f->name = strdup(name);
	r = f->name ? inflate_new(fd, im->stop_fd, &f->in) : -ENOMEM;
	if (r < 0) {
		free(f->name);
		return r;
	}
	f->format = format;
	f->newest = f->given = INT64_MIN;
	im->n++;
	return 0;
}

static void refuse(struct import *im, struct file *f, uint64_t line, size_t byte, const char *expect)
{
	im->refused += line > 0;
	im->complain(im->arg, f->name, line, byte, expect);
}

/* More decoded bytes behind what is there. 0 at the end. */
static ssize_t more(struct import *im, struct file *f)
{
	ssize_t n;

	if (f->at) {
		memmove(f->text.p, f->text.p + f->at, f->text.n - f->at);
		f->text.n -= f->at;
		f->at = 0;
	}
	if (buf_reserve(&f->text, CHUNK) < 0)
		return -ENOMEM;
	n = inflate_read(f->in, f->text.p + f->text.n, CHUNK);
	if (n == -EINTR)
		return n; /* asked to end: not the file's fault */
	if (n < 0) {
		refuse(im, f, 0, SIZE_MAX, n == -EBADMSG ? "whole compressed data (it is damaged or cut off)" : strerror((int)-n));
		return n;
	}
	f->text.n += (size_t)n;
	return n;
}

/* The next line: 1, 0 at the end, -errno when the file cannot be read on. A line that is too long is passed over in bounded memory. */
static int next_line(struct import *im, struct file *f, str *ret)
{
	size_t searched = f->at;

	for (;;) {
		const char *end = searched < f->text.n ? memchr(f->text.p + searched, '\n', f->text.n - searched) : NULL;
		bool last = false;

		if (!end) {
			size_t have = f->text.n - f->at;
			ssize_t n;

			if (have > IMPORT_LINE_MAX && !f->skipping) {
				refuse(im, f, f->line + 1, SIZE_MAX, "a line of at most 65,536 bytes");
				f->skipping = true;
			}
			if (f->skipping)
				f->at = f->text.n;
			have = f->text.n - f->at;
			n = more(im, f);
			if (n < 0)
				return (int)n;
			searched = f->at + have;
			if (n > 0)
				continue;
			if (f->text.n == f->at)
				return 0;
			last = true;
		}
		str line = { f->text.p + f->at, last ? f->text.n - f->at : (size_t)(end - f->text.p) - f->at };

		f->at += line.n + !last;
		searched = f->at;
		f->line++;
		if (f->skipping || line.n > IMPORT_LINE_MAX) {
			if (!f->skipping)
				refuse(im, f, f->line, SIZE_MAX, "a line of at most 65,536 bytes");
			f->skipping = false;
			continue;
		}
		if (line.n && line.p[line.n - 1] == '\r')
			line.n--;
		*ret = line;
		return 1;
	}
}

static const struct import_format *tell_format(str line)
{
	const struct import_format *best = NULL;
	int best_bid = 0;

	for (size_t i = 0; import_formats[i]; i++) {
		int bid = import_formats[i]->bid(line);

		if (bid > best_bid) {
			best = import_formats[i];
			best_bid = bid;
		}
	}
	return best ? best : &import_tyto;
}

static bool is_late(const struct file *f, int64_t time)
{
	return time < f->given || (f->newest != INT64_MIN && time < f->newest - IMPORT_LATE_NS);
}

static int push(struct import *im, struct file *f, struct event *e)
{
	size_t before = f->ahead.bytes;
	int r;

	e->late = is_late(f, e->time);
	e->present &= ~EV_BIT(EV_LATE);
	if (e->late)
		event_set(e, EV_LATE);
	r = ahead_push(&f->ahead, e);
	if (r < 0)
		return r;
	im->records++;
	im->bytes += f->ahead.bytes - before;
	f->newest = MAX(f->newest, e->time);
	return 0;
}

/* The next event of the file that can be taken joins what was read ahead. */
static int advance(struct import *im, struct file *f, int64_t now)
{
	for (;;) {
		size_t byte = SIZE_MAX, mark = 0;
		const char *expect;
		struct event e;
		str line;
		int r = next_line(im, f, &line);

		if (r <= 0) {
			f->end = true;
			return 0;
		}
		/* Some editors begin UTF-8 with a byte order mark. */
		if (f->line == 1 && str_starts(line, STR("\xef\xbb\xbf")))
			mark = 3;
		line = (str){ line.p + mark, line.n - mark };
		if (line.n == 0)
			continue;
		if (!f->format)
			f->format = tell_format(line);
		buf_clear(&f->scratch);
		r = f->format->line(line, &f->scratch, &e, &byte, &expect);
		if (r == 1 && event_check(&e, now, &expect) < 0)
			r = -EBADMSG;
		if (r < 0)
			refuse(im, f, f->line, byte == SIZE_MAX ? byte : byte + mark, expect);
		if (r == 1)
			return push(im, f, &e);
	}
}

/* Nothing that is still to come, late records apart, is before the file's earliest. */
static bool is_ready(const struct import *im, const struct file *f)
{
	if (f->ahead.n == 0)
		return false;
	return f->ahead.p[0].time < f->newest - IMPORT_LATE_NS || im->records >= IMPORT_AHEAD_RECORDS || im->bytes >= IMPORT_AHEAD_BYTES;
}

static bool pop(struct import *im, struct file *f, struct event *ret)
{
	size_t before = f->ahead.bytes;
	bool ok = ahead_pop(&f->ahead, ret);

	im->records--;
	im->bytes -= before - f->ahead.bytes;
	f->given = MAX(f->given, ret->time);
	return ok;
}

int import_next(struct import *im, int64_t now, struct event *ret)
{
	struct file *best = NULL;

	for (size_t i = 0; i < im->n; i++) {
		struct file *f = &im->files[i];

		while (!f->end && !is_ready(im, f)) {
			int r = advance(im, f, now);

			if (r < 0)
				return r;
		}
		if (f->ahead.n && (!best || f->ahead.p[0].time < best->ahead.p[0].time))
			best = f;
	}
	if (!best)
		return 0;
	return pop(im, best, ret) ? 1 : -EBADMSG;
}

void import_stop(struct import *im)
{
	for (size_t i = 0; i < im->n; i++)
		im->files[i].end = true;
}

size_t import_files(const struct import *im)
{
	return im->n;
}

bool import_digest(const struct import *im, size_t i, uint8_t out[static SHA256_LEN])
{
	return inflate_digest(im->files[i].in, out);
}

const struct import_format *import_format_of(const struct import *im, size_t i)
{
	return im->files[i].format ? im->files[i].format : &import_tyto;
}

uint64_t import_refused(const struct import *im)
{
	return im->refused;
}

uint64_t import_bytes(const struct import *im)
{
	uint64_t n = 0;

	for (size_t i = 0; i < im->n; i++)
		n += inflate_raw_bytes(im->files[i].in);
	return n;
}
