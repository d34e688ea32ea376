/* program.h — programs that read what no library may (poppler is GPL: it is run, never linked), started by the parent in a sandbox of their
 * own.
 *
 * Purpose: the worker asks for one by number (FRAME_PROGRAM); the parent starts it and gives the worker the ends of its pipes, then only
 * watches and buries it.
 * Ownership: a run owns its process. Units: ms, bytes. Threads: one a run; the plans of the sandboxes are made once for all. Errors:
 * negative errno.
 */
#ifndef TYTO_PROGRAM_H
#define TYTO_PROGRAM_H

#include "extract/wire.h"

struct program_run;

/* body: a struct program_request from the worker, not trusted. Starts and answers over sock; 0 also when the program could not be started
 * (the worker is told); negative: end the worker. One program at a time. doc: the document. */
int program_request(struct program_run **run, int sock, const char *body, size_t n, int doc, uint64_t memory, uint32_t deadline_ms);
/* The worker has read all it wants: stop, or the program has closed its output. Buries, and tells the worker how it ended. */
int program_answer(struct program_run **run, int sock, bool stop);
/* Accepts NULL, returns NULL. kill_it: at once; else within two seconds. */
struct program_run *program_end(struct program_run *run, bool kill_it, int *ret_status);

#endif
