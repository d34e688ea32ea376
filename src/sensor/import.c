#include "sensor/import.h"

#include <errno.h>

#include "event/event_json.h"
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
	bool end, have;      /* have: head holds an event */
	struct event head;
	int64_t newest;
};

struct import {
	import_complaint *complain;
	void *arg;
	struct file *files;
	size_t n;
	struct file *last; /* whose head was handed out */
	uint64_t refused;
};

struct import *import_new(import_complaint *complain, void *arg)
{
	struct import *im = calloc(1, sizeof(*im));

	if (!im || !(im->files = calloc(IMPORT_FILES_MAX, sizeof(*im->files)))) {
		free(im);
		return NULL;
	}
	im->complain = complain;
	im->arg = arg;
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
	r = f->name ? inflate_new(fd, &f->in) : -ENOMEM;
	if (r < 0) {
		free(f->name);
		return r;
	}
	f->format = format;
	f->newest = INT64_MIN;
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

/* Fills f->head with the next event of the file that can be taken. */
static void advance(struct import *im, struct file *f, int64_t now)
{
	f->have = false;
	while (!f->end && !f->have) {
		size_t byte = SIZE_MAX, mark = 0;
		const char *expect;
		str line;
		int r = next_line(im, f, &line);

		if (r <= 0) {
			f->end = true;
			break;
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
		r = f->format->line(line, &f->scratch, &f->head, &byte, &expect);
		if (r == 1 && event_check(&f->head, now, &expect) < 0)
			r = -EBADMSG;
		if (r < 0)
			refuse(im, f, f->line, byte == SIZE_MAX ? byte : byte + mark, expect);
		f->have = r == 1;
	}
	if (!f->have)
		return;
	if (f->newest != INT64_MIN && f->head.time < f->newest - IMPORT_LATE_NS) {
		f->head.late = true;
		event_set(&f->head, EV_LATE);
	}
	f->newest = MAX(f->newest, f->head.time);
}

int import_next(struct import *im, int64_t now, struct event *ret)
{
	struct file *best = NULL;

	if (im->last)
		im->last->have = false;
	im->last = NULL;
	for (size_t i = 0; i < im->n; i++) {
		struct file *f = &im->files[i];

		if (!f->have && !f->end)
			advance(im, f, now);
		if (f->have && (!best || f->head.time < best->head.time))
			best = f;
	}
	if (!best)
		return 0;
	im->last = best;
	*ret = best->head;
	return 1;
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
