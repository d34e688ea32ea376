/* postings.h — which documents hold a key: identifiers, and fingerprints of text.
 *
 * Purpose: sorted immutable segments of (key, document number, aux), a journal of what came since, a registry of document numbers; many
 * keys are looked up at once. Ownership: struct postings owns its files; what a callback gets lives until it returns. Units: bytes; numbers
 * from 0.
 * Threads: one at a time; merging runs on a thread of its own over files that nobody changes, and its result is taken in by the next put.
 * One writer (the caller sees to that), readers beside it. Errors: negative errno, postings_why() says more; -EUCLEAN: damaged,
 * postings_reset() begins anew.
 *
 * Files of the folder (integers little endian, CRC-32C, varints LEB128):
 *
 * `manifest`, replaced as a whole; what it does not name is no part of the store, and removed by the next writer.
 *    0  8  "tytopst1"
 *    8  4  crc of all from 12
 *   12  4  segments, at most POSTINGS_SEGMENTS_MAX
 *   16  8  number of the journal in use
 *   24  8  number that the next file gets
 *   32  4  documents: entries of `docs` that count; what stands behind them is ignored and overwritten
 *   36  4  zero
 *   40  8  for each segment, oldest first: its number
 *
 * `docs`, 48 bytes an entry, its index being the document's number; numbers are never used again, and a later entry of the same hash ends
 * the earlier one:
 *    0 32  hash     32  4  version     36  4  postings     40  4  flags: 1 removed, 2 a link, note × 16     44  4  crc of the 44 before
 *   A link is no document: hash and postings are zero, and it joins the notes `version` and `note`, whatever these mean to the caller.
 *
 * `dead`, replaced before each manifest that counts more documents; only a help for readers, who do without one that does not fit:
 *    0  8  "tytodead"     8  4  crc of all from 12     12  4  documents     16  4  crc of the crcs of their entries     20  4  zero
 *   24     a bit a document, lowest first: 1 where it was put again since, removed, or is a link
 *
 * `journal-N`, frames behind each other, one a commit; a torn last one is cut, a torn one with a whole one behind it is damage:
 *    0  4  "tyR1"     4  4  bytes of the body     8  4  crc of the body
 *   12     records: hash[32], version u32, flags u32 (as in `docs`), count u32, then for each posting in order of key: varint key minus the
 *          one before, varint aux
 *
 * `segment-N`:
 *    0  8  "tytoseg1"       8  4  crc of 12…64     12  4  blocks
 *   16  8  postings        24  8  offset of the index     32  4  crc of the index     36  28  zero
 *   64     blocks, each from a multiple of 8: 128 postings, the last one fewer, in order of (key, document)
 *            0  1  n - 1   1  1  bits of a key   2  1  bits of a document   3  1  bits of an aux   4  4  zero
 *            8     n - 1 keys, each minus the one before; n documents, each minus nothing; n auxes: packed, lowest bit first, each column
 *                  from a whole byte
 *          index, 16 bytes a block: first key u64, offset / 8 u32, crc of the block u32; then 8 bytes of zero
 *
 * Order of durability: a put is durable when its frame is in the journal and that is fsynced. A full journal becomes a segment: segment,
 * docs, and the new journal are fsynced, then the manifest is replaced, then the old journal is removed. A merge: new segment fsynced,
 * manifest replaced, old segments removed.
 *
 * Size: 30 million keys of 48 bits in 20,000 documents need 26 + 15 bits a posting: 5.4 bytes with index and sums.
 */
#ifndef TYTO_POSTINGS_H
#define TYTO_POSTINGS_H

#include <limits.h>

#include "base/buf.h"

#define POSTINGS_SEGMENTS_MAX 256
#define POSTINGS_BLOCK 128
#define POSTINGS_OF_DOCUMENT_MAX (4u << 20)
#define POSTINGS_NOTE_MAX (1u << 28)

struct posting {
	uint64_t key;
	uint32_t doc, aux;
};

struct postings;

const char *postings_why(void);

struct postings_options {
	bool write;
	bool background;       /* merges on a thread; otherwise within the put that is due */
	uint32_t journal_max;  /* postings, then it becomes a segment; 0: 512 Ki */
};
/* dir is made (one level). */
int postings_open(const char *dir, const struct postings_options *o, struct postings **ret);
struct postings *postings_close(struct postings *p);
static inline void postings_closep(struct postings **p)
{
	*p = postings_close(*p);
}
#define _cleanup_postings_ _cleanup_(postings_closep)
/* A reader looks for what the writer has done since. */
int postings_refresh(struct postings *p);
/* Everything in the folder is removed, and the store empty. */
int postings_reset(const char *dir);

/* All postings of a document, in place of what it had: key and aux, in any order; doc is not looked at. Durable on return. */
int postings_put(struct postings *p, const uint8_t hash[static 32], uint32_t version, const struct posting *e, size_t n);
/* The same, durable with the next postings_commit: many of them cost one fsync. Found by this struct at once, by readers when durable. A
 * commit that fails for want of room keeps them, and may be tried again. note: below POSTINGS_NOTE_MAX, kept with the document. */
int postings_put_later(struct postings *p, const uint8_t hash[static 32], uint32_t version, const struct posting *e, size_t n,
		uint32_t note);
int postings_link_later(struct postings *p, uint32_t a, uint32_t b); /* two notes */
int postings_commit(struct postings *p);
size_t postings_waiting(const struct postings *p); /* bytes of what is not durable yet */
/* Forgets a document: at once in answers, on disk at the next merge. 0 also where it was not there. */
int postings_remove(struct postings *p, const uint8_t hash[static 32]);
/* -ENOENT; else its number, ret_version may be NULL. */
int postings_document(struct postings *p, const uint8_t hash[static 32], uint32_t *ret_doc, uint32_t *ret_version);
/* The hash of a number that a callback got. */
const uint8_t *postings_hash(const struct postings *p, uint32_t doc);
uint32_t postings_documents(const struct postings *p); /* numbers given so far */

struct postings_entry {
	const uint8_t *hash;
	uint32_t version, n, note;
	bool dead;                 /* removed, put again since, or no document: a link */
	bool link;                 /* of the notes `version` and `note` */
};
/* doc below postings_documents(). Entries only come behind; after a refresh that read everything anew `generation` is another. */
struct postings_entry postings_entry(const struct postings *p, uint32_t doc);
uint64_t postings_generation(const struct postings *p);

/* Every posting of these keys (sorted, unique), key by key. Non-zero of cb ends it and is returned; POSTINGS_NEXT only ends the key at
 * hand. */
#define POSTINGS_NEXT INT_MIN
int postings_find(struct postings *p, const uint64_t *keys, size_t n, int (*cb)(void *arg, const struct posting *e), void *arg);
/* Every posting there is, segment by segment. */
int postings_each(struct postings *p, int (*cb)(void *arg, const struct posting *e), void *arg);
/* All into one segment, now. */
int postings_compact(struct postings *p);

struct postings_stat {
	uint64_t postings, disk; /* removed ones count until they are merged away */
	uint32_t documents, segments;
};
void postings_stat(const struct postings *p, struct postings_stat *ret);

#endif
