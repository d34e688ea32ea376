/* inventory.h — every document below some paths: read, classified, and handed to whoever records it.
 *
 * Purpose: decides what has changed since the table was told (times, size and inode, then the hash), reads that with a thread a core (an
 * extractor and a classifier each), pictures last, and finds what is gone. Nothing is recorded here: ops do that, and so this is the same
 * beside a keeper or alone.
 * Ownership: everything in the config is borrowed; strs that ops get live until they return. Units: bytes, ns UTC.
 * Threads: inventory_run makes its own; ops are called one at a time, from any of them. Errors: negative errno, inventory_why() says more;
 * -EINTR: stopped.
 *
 * Order: parts before their container, facts before places. Whoever stops in between reads that document again, and no other.
 */
#ifndef TYTO_INVENTORY_H
#define TYTO_INVENTORY_H

#include "document/classify.h"
#include "document/documents.h"
#include "document/prints.h"
#include "document/walk.h"
#include "extract/extract.h"

#define INVENTORY_THREADS_MAX 64

const char *inventory_why(void);

enum inventory_how {
	INVENTORY_UNCHANGED = 1, /* as the table has it */
	INVENTORY_READ,          /* read now */
	INVENTORY_MOVED,         /* the content is known, its place is new */
	INVENTORY_PART,          /* inside a container: read now, or as the table has it */
	INVENTORY_FAILED,        /* cannot be read: place.error */
	INVENTORY_GONE,          /* was there before */
};

struct inventory_counts {
	uint64_t files, bytes;   /* looked at: done with */
	uint64_t unchanged, read, moved, parts, failed, gone;
	uint64_t waiting_ocr;    /* pictures that are still to be read */
	uint64_t printed;        /* read again only because their fingerprints were missing, or of another version */
	uint64_t public_, not_public; /* contents that are of outside origin from now on; that are not any more */
	uint64_t pictures, pictures_done; /* of the last part, OCR_NOW */
};

struct inventory_ops {
	int (*document)(void *arg, const struct facts *f); /* to be recorded */
	int (*place)(void *arg, const struct place *p);
	/* Each document as it is done with; f NULL where nothing is known of the content. */
	int (*show)(void *arg, enum inventory_how how, const struct place *p, const struct facts *f);
	/* At least every 100 ms and after each document: commit, progress. */
	int (*turn)(void *arg, const struct inventory_counts *counts);
};

struct inventory_config {
	struct walk *walk;
	char *const *paths;
	size_t n_paths;
	struct documents *documents; /* follows the log up to now; for writing */
	struct prints *prints;       /* for writing; ops commit both */
	/* What is below these (real paths) is of outside origin, or not; what is below neither stays what it was. Both at once: of outside
	 * origin. */
	char *const *public_paths, *const *private_paths;
	size_t n_public, n_private;
	const struct classifier *classifier;
	const struct extract_limits *limits; /* NULL: the standard */
	enum ocr_mode ocr;
	unsigned threads;
	bool again;  /* read unchanged ones, too */
	bool parts;  /* show parts of unchanged containers */
	bool (*stop)(void);
	const struct inventory_ops *ops;
	void *arg;
};

int inventory_run(const struct inventory_config *c, struct inventory_counts *ret);

#endif
