/* decoy_plan.h — what decoys should look like, from what stands on a share.
 *
 * Purpose: from the files of a share to so many decoys whose formats, sizes, dates, names, owners and modes follow them. Pure: reads and
 * writes nothing.
 * Ownership: the share owns its texts, plans point into it but for their names. Units: bytes, ns UTC. Threads: one at a time.
 * Errors: negative errno. -ENOENT: nothing there that could be imitated.
 */
#ifndef TYTO_DECOY_PLAN_H
#define TYTO_DECOY_PLAN_H

#include "detect/decoy_words.h"

enum decoy_format { DECOY_TXT, DECOY_CSV, DECOY_HTML, DECOY_RTF, DECOY_DOCX, DECOY_XLSX, DECOY_ODT, DECOY_PDF, DECOY_FORMATS_ };

#define DECOY_SAMPLES_MAX 200000
#define DECOY_BYTES_MAX ((uint64_t)8 << 20) /* larger documents are not imitated */

struct decoy_sample { /* a file of the share */
	uint32_t folder;   /* number of its folder */
	char *name;
	uint64_t bytes;
	int64_t modified;
	uint32_t uid, gid, mode;
};
struct decoy_share {
	char **folders; /* relative to the share, "" itself */
	size_t n_folders, cap_folders;
	struct decoy_sample *v;
	size_t n, cap;
	uint64_t others;  /* files of formats, or sizes, that are not imitated */
};
void decoy_share_free(struct decoy_share *s);
/* The format of a file's name; false: one that is not made here. */
bool decoy_format_of(str name, enum decoy_format *ret);
/* Adds a file, if it can be imitated. */
int decoy_share_add(struct decoy_share *s, const char *folder, const char *name, const struct decoy_sample *st);

struct decoy_plan {
	uint32_t folder;
	char *name;       /* owned */
	enum decoy_format format;
	enum decoy_language language;
	uint64_t bytes;
	int64_t modified;
	uint32_t uid, gid, mode;
};
/* n plans; ret is allocated. now: nothing is dated later. Names that stand in the folder already are not used. */
int decoy_plan(const struct decoy_share *s, size_t n, int64_t now, struct decoy_plan **ret);
void decoy_plans_free(struct decoy_plan *v, size_t n);

/* A name like `sample`'s: separators, case and digits as there; words are generic. modified: for the dates in it. */
int decoy_name(const char *sample, enum decoy_language l, int64_t modified, struct buf *ret);
enum decoy_language decoy_language_of(str name, enum decoy_language otherwise);

#endif
