/* members.h — a package written as one text: "==NAME" on a line begins a member, what follows is its content.
 *
 * Purpose: samples of docx and the like that a person can read, for tests and as seeds of the fuzz targets, where zipped ones would hide what changed.
 * Ownership: ret is the caller's. Units: bytes. Threads: one. Errors: abort() where libarchive fails.
 */
#ifndef TYTO_EXTRACT_MEMBERS_H
#define TYTO_EXTRACT_MEMBERS_H

#include "base/buf.h"

/* Appends the zip; deflated, or stored (fast). */
void members_pack(str text, bool stored, struct buf *ret);

#endif
