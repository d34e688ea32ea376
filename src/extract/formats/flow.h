/* flow.h — paragraphs, tables and what hangs in them (text boxes, notes, comments) on their way into a sink.
 *
 * Purpose: word processors nest: a text box stands inside a paragraph, a note inside a sentence, a table inside a cell. A flow keeps what
 * has begun apart and gives the sink whole blocks and cells. Ownership: a flow owns its buffers (flow_finish). Units: rows and columns from
 * 1. Threads: one.
 * Errors: none; too deep a nesting joins the level above.
 *
 * Only a table of the body becomes cells. Tables within cells, headers, notes and text boxes are paragraphs: their zone says more than
 * their columns.
 */
#ifndef TYTO_EXTRACT_FLOW_H
#define TYTO_EXTRACT_FLOW_H

#include "extract/format.h"

#define FLOW_LEVELS 8
#define FLOW_HELD (256u << 10) /* bytes of a paragraph or cell that are kept together */
#define FLOW_PIECES 256

enum flow_how { FLOW_PLAIN, FLOW_HIDDEN, FLOW_DELETED };

struct flow_piece {
	uint32_t to; /* ends here */
	uint8_t how;
};

struct flow_level {
	struct buf text;
	struct flow_piece pieces[FLOW_PIECES];
	size_t n_pieces;
	enum zone zone;
	enum zone para;     /* of this paragraph only (a title), else 0 */
	unsigned tables;    /* open ones */
	bool cells;         /* the outermost table goes to the sink as one */
	uint32_t row, col, span;
};

struct flow {
	struct sink *sink;
	struct flow_level levels[FLOW_LEVELS];
	unsigned depth;     /* may exceed FLOW_LEVELS */
	struct buf links;   /* targets that wait for the end of the paragraph, each ends with \n */
	bool hidden;        /* all of it: a slide, a row */
};

void flow_init(struct flow *f, struct sink *s, enum zone zone);
/* Gives what had begun, and frees. */
void flow_finish(struct flow *f);

/* Something that stands inside a paragraph begins and ends. */
void flow_push(struct flow *f, enum zone zone);
void flow_pop(struct flow *f);
enum zone flow_zone(const struct flow *f);
/* The whole of what follows at the outermost level (another part, a shape). */
void flow_set_zone(struct flow *f, enum zone zone);
/* This paragraph is a title (or whatever zone). */
void flow_para_zone(struct flow *f, enum zone zone);

void flow_text(struct flow *f, enum flow_how how, str utf8);
/* A paragraph ends: a block, or a line of a cell. */
void flow_para_end(struct flow *f);
void flow_link(struct flow *f, str target);

void flow_table(struct flow *f, str name, bool hidden);
void flow_row(struct flow *f, uint32_t repeat_before);
/* A cell begins, span columns wide. */
void flow_cell(struct flow *f, uint32_t span);
/* Columns that are passed over. */
void flow_columns(struct flow *f, uint32_t n);
void flow_cell_end(struct flow *f);
void flow_table_end(struct flow *f);

#endif
