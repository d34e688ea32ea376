/* facts.h — what is known of one document (content) and one place (path) of it: `tyto scan --json`, the leaves of kind 9 and 10, the table.
 *
 * Purpose: the two structs that pass between scan, keeper, evidence log and table; their JSON. Ownership: strs belong to whoever filled
 * them.
 * Units: bytes, ns UTC. Threads: plain data. Errors: negative errno; -EBADMSG for JSON that is not of this form.
 */
#ifndef TYTO_FACTS_H
#define TYTO_FACTS_H

#include "document/finding.h"
#include "event/event.h"

struct facts {          /* of a content */
	uint8_t hash[32];
	uint64_t bytes;
	str type;
	enum event_label label; /* 0 none */
	str label_why;          /* '\n' between reasons */
	uint64_t findings[DET_MAX_];
	uint64_t contacts, clients, text_chars;
	str error;              /* n 0: read */
	bool wants_ocr;         /* pictures still to be read */
	bool public_;           /* of outside origin (laws, forms, templates): no evidence of a leak */
	uint32_t version;       /* of extractors and detectors: a scan by newer ones reads again */
};
/* Raised with every change of what is read out of a document, found in it, counted or labelled. */
#define FACTS_VERSION 3

struct place {          /* where it stands */
	str path;               /* `container.zip!/member` for a part */
	struct event_object object;
	bool has_object;
	bool has_document;
	uint8_t document[32];
	bool has_stat;          /* owner, group, mode, bytes, times; a part of a container has none of its own */
	uint32_t owner, group;
	uint32_t mode;          /* permission bits, 07777 */
	str acl;                /* short text form of POSIX ACL, n 0: none beyond the mode */
	uint64_t bytes;
	int64_t modified;       /* mtime */
	int64_t changed;        /* ctime: with mtime, size and inode decides whether it is read again */
	int64_t time;           /* of the scan */
	bool gone;
	str error;              /* the place could not be read: "unreadable: permission denied" */
};

/* The object of `tyto scan --json`, place and facts joined (either may be NULL). owner/group names: STR_NONE writes "uid:N". */
void facts_write_json(struct buf *b, const struct place *p, const struct facts *f, str owner, str group);
/* The part of facts that stands in the log as one JSON object (label_why, findings, clients, version, public). */
void facts_pack(struct buf *b, const struct facts *f);
int facts_unpack(str json, struct facts *f, struct buf *scratch);

#endif
