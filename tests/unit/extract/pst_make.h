/* pst_make.h — a small store of Outlook's (MS-PST, Unicode), made for tests.
 *
 * Purpose: nodes with properties in folders; one page of each tree, one block a node. Ownership: buffers are the caller's. Units: bytes. Threads: one.
 * Errors: abort() where it does not fit.
 */
#ifndef TYTO_EXTRACT_PST_MAKE_H
#define TYTO_EXTRACT_PST_MAKE_H

#include "base/buf.h"

struct pst_property {
	uint16_t id, type; /* 0x1f: text, UTF-8 here; 0x102: bytes; 3: number */
	str value;
	uint32_t number;
};

struct pst_node {
	uint32_t id, parent;             /* of a folder …2, of a message …4 (hexadecimal, last five bits) */
	const struct pst_property *props; /* id 0 ends them */
};

/* nodes: ascending by id, id 0 ends them; at most 12. */
void make_pst(struct buf *ret, const struct pst_node *nodes);

#endif
