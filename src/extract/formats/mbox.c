/* Files of many mails: "From " lines part them. Each is a part named by its place, which stays as it is while others are appended. */
#include <ctype.h>
#include <errno.h>

#include "extract/formats/mail.h"

#define WINDOW (1u << 20)
#define LINE_MAX_ 1000 /* of a field that may follow a "From " line */

struct mbox {
	struct sink *s;
	struct buf mail;
	unsigned n;
	bool begun, too_large;
};

/* A line that ends as those of mbox do: "Mon Jun  1 10:00:00 2009", perhaps with a zone. */
static bool has_time(str line)
{
	bool time = false, year = false;

	for (size_t i = 4; i + 5 <= line.n; i++) {
		const char *p = line.p + i;

		time = time || (isdigit((unsigned char)p[0]) && isdigit((unsigned char)p[1]) && p[2] == ':' && isdigit((unsigned char)p[3]) &&
				isdigit((unsigned char)p[4]));
		year = year || (p[0] == ' ' && (p[1] == '1' || p[1] == '2') && isdigit((unsigned char)p[2]) && isdigit((unsigned char)p[3]) &&
				isdigit((unsigned char)p[4]));
	}
	return time && year;
}

/* "From somebody at some time", or anything with a field behind it: prose has lines that begin so, too, but neither. */
static bool parts_mails(str s)
{
	const char *end = memchr(s.p, '\n', MIN(s.n, (size_t)LINE_MAX_));
	str next;
	size_t i = 0;

	if (!str_starts(s, STR("From ")) || !end)
		return false;
	if (has_time((str){ s.p, (size_t)(end - s.p) }))
		return true;
	next = (str){ end + 1, s.n - (size_t)(end + 1 - s.p) };
	while (i < next.n && i < LINE_MAX_ && next.p[i] > ' ' && next.p[i] != ':' && next.p[i] <= '~')
		i++;
	return i > 0 && i < next.n && next.p[i] == ':';
}

static int flush(struct mbox *m)
{
	char name[32];
	struct in *in;
	int r;

	if (!m->begun)
		return 0;
	snprintf(name, sizeof(name), "message-%04u.eml", ++m->n);
	if (m->too_large) {
		sink_part_failed(m->s, str_c(name), -EMSGSIZE, "a mail of more than 256 MiB");
		r = 0;
	} else {
		in = in_memory(str_c(name), buf_str(&m->mail));
		r = in ? sink_part(m->s, str_c(name), in) : -ENOMEM;
		in_close(in);
	}
	buf_clear(&m->mail);
	m->too_large = false;
	return r;
}

/* ">From " at a line's start was "From " before it was put here (mboxrd: one '>' less). */
static void put_line(struct mbox *m, str line)
{
	size_t quotes = 0;

	while (quotes < line.n && line.p[quotes] == '>')
		quotes++;
	if (quotes && line.n - quotes >= 5 && memcmp(line.p + quotes, "From ", 5) == 0)
		line = (str){ line.p + 1, line.n - 1 };
	if (m->mail.n + line.n > IN_WHOLE_MAX)
		m->too_large = true;
	else
		buf_puts(&m->mail, line);
}

/* The lines of s; the rest of a line that does not end is left, unless it is the last. Returns the bytes used, or an error. */
static ssize_t lines(struct mbox *m, str s, bool last, bool *line_start)
{
	size_t at = 0;

	while (at < s.n) {
		str left = { s.p + at, s.n - at };
		const char *end = memchr(left.p, '\n', left.n);
		size_t n = end ? (size_t)(end - left.p) + 1 : left.n;
		bool from = *line_start && str_starts(left, STR("From "));

		if (!last && (!end || (from && left.n < n + LINE_MAX_)) && at > 0)
			break; /* more must be seen */
		if (from && parts_mails(left)) {
			int r = flush(m);

			if (r < 0)
				return r;
			m->begun = true;
		} else if (m->begun && *line_start) {
			put_line(m, (str){ left.p, n });
		} else if (m->begun) {
			buf_puts(&m->mail, (str){ left.p, m->mail.n + n > IN_WHOLE_MAX ? 0 : n });
		}
		*line_start = end;
		at += n;
	}
	return (ssize_t)at;
}

static int read_mbox(struct in *in, struct sink *s)
{
	_cleanup_free_ char *window = malloc(WINDOW);
	struct mbox m = { .s = s };
	bool line_start = true;
	uint64_t at = 0;
	ssize_t used = window ? 1 : -ENOMEM;

	while (used > 0 && !sink_full(s)) {
		ssize_t k = in_read(in, at, window, WINDOW);

		used = k <= 0 ? k : lines(&m, (str){ window, (size_t)k }, at + (size_t)k >= in_size(in) || k < (ssize_t)WINDOW, &line_start);
		at += used > 0 ? (uint64_t)used : 0;
	}
	if (used >= 0 && !sink_full(s))
		used = flush(&m);
	buf_free(&m.mail);
	if (used >= 0 && !m.n) {
		sink_reason(s, "no mail in it");
		return -EBADMSG;
	}
	return used < 0 ? (int)used : 0;
}

static int bid(struct in *in, str head)
{
	while (head.n && *head.p == '\n')
		head = (str){ head.p + 1, head.n - 1 };
	return parts_mails(head) ? 85 : 0;
}

const struct format format_mbox = { .name = "mbox", .mime = "application/mbox", .bid = bid, .read = read_mbox };
