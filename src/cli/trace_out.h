/* trace_out.h — the three ways in which `tyto trace` shows what was found.
 *
 * Purpose: one function a way, the same order in each. Ownership: borrowed. Units: columns, bytes. Threads: main thread. Errors: kept in
 * the buf.
 */
#ifndef TYTO_TRACE_OUT_H
#define TYTO_TRACE_OUT_H

#include "cli/trace_found.h"

struct trace_asked { /* what the user wanted */
	int64_t since, until;
	bool all; /* every passage, every person */
};

/* On a terminal, to out(). */
void trace_show(const struct found *f, const struct trace_asked *a);
/* A line a part, to out(). */
void trace_json(const struct found *f);
/* A page of its own for any number of leaks. */
void trace_html(struct buf *b, const struct found *f, size_t n, const struct trace_asked *a);
extern const char trace_css[];

#endif
