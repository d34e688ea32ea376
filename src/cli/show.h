/* show.h — records for people's eyes and as JSON Lines.
 *
 * Purpose: how an event and a person are shown on a terminal, in one place. Ownership: written to out(). Units: local time.
 * Threads: main thread, or the keeper's follower alone. Errors: kept in out().
 */
#ifndef TYTO_SHOW_H
#define TYTO_SHOW_H

#include "base/buf.h"
#include "event/event.h"

/* One line: time, person, verb, document, how. Outside bytes are made safe for a terminal. */
void show_event(const struct event *e);
void show_event_json(const struct event *e);
/* Text from outside: control characters and invalid UTF-8 become ‹xx›-like escapes, so that a file name cannot write to a terminal. */
void show_text(str s);
/* Columns that show_text takes for it. */
unsigned show_width(str s);
/* Padded to that many columns. */
void show_person(str person, unsigned width);
/* "3,512". */
void show_number(uint64_t n);
void put_number(struct buf *b, uint64_t n);
void show_time(int64_t ns);
/* Verbs of a bit set: "read, write". */
void show_verbs(struct buf *b, uint64_t bits);

#endif
