/* leaf.h — the binary leaf of docs/log-format.md, section 1: numbers only, names already numbered.
 *
 * Purpose: encode and decode the packed leaf, its nonce and its hash. Pure functions; the field tables of the page are the tables of
 * leaf.c.
 * Ownership: encode appends to the caller's memory. Units: as on the page. Threads: struct leaf_hasher one at a time, the rest no state.
 * Errors: -EBADMSG for any form the page refuses; -EMSGSIZE above LEAF_MAX; -EOPNOTSUPP for a kind above those of format 1.0, which is
 * no damage: its hash and place are checked, its fields are not known.
 */
#ifndef TYTO_LEAF_H
#define TYTO_LEAF_H

#include "base/hash.h"
#include "event/event.h"

#define LEAF_MAX 4096
#define LEAF_NONCE 16
#define LEAF_VERSION 1

enum leaf_kind { LEAF_NAME = 1, LEAF_EVENT, LEAF_HEARTBEAT, LEAF_IMPORT, LEAF_KEY, LEAF_RECOVERY, LEAF_PERSON, LEAF_CONFIG,
	LEAF_DOCUMENT, LEAF_PLACE, LEAF_ALERT, LEAF_KIND_MAX_ };
enum name_kind {
	NAME_HOST = 1, NAME_PERSON, NAME_ACCOUNT, NAME_COMPONENT, NAME_PROGRAM, NAME_CHAIN, NAME_CLIENT, NAME_DOCUMENT, NAME_OBJECT,
	NAME_CONTAINER, NAME_TEXT, NAME_EXTRA, NAME_BOOT, NAME_ROW, NAME_FACTS, NAME_GROUP, NAME_KIND_MAX_
};
/* Kinds of names that a log may have: those above ours are of later versions. Their numbers and commitments are as those of any kind, only
 * what their values look like is not known. */
#define NAME_KINDS_ 32
#define LEAF_FIELDS_MAX 40

/* Bits of the tables that are neither an event's (enum event_field) nor read in one place only. */
enum leaf_document_field {
	DOC_TIME, DOC_DOCUMENT, DOC_BYTES, DOC_TYPE, DOC_LABEL, DOC_TEXT_CHARS, DOC_CONTACTS, DOC_FACTS, DOC_ERROR, DOC_FIELDS_
};
enum leaf_place_field {
	PLACE_TIME, PLACE_PATH, PLACE_OBJECT, PLACE_DOCUMENT, PLACE_OWNER, PLACE_GROUP, PLACE_MODE, PLACE_ACL, PLACE_BYTES, PLACE_MODIFIED,
	PLACE_CHANGED, PLACE_GONE, PLACE_ERROR, PLACE_FIELDS_
};
enum leaf_alert_field {
	ALERT_TIME, ALERT_NUMBER, ALERT_PHASE, ALERT_SEVERITY, ALERT_PERSON, ALERT_RULE, ALERT_REASON, ALERT_BODY, ALERT_UPTO, ALERT_ACCOUNT,
			ALERT_FIELDS_
};

/* A decoded leaf: value[n] for bit n of the kind's table. `time` is stored as its int64 bits; a hash field leaves its bytes in `hash`
 * (and `hash2` for a second one) and value[n] unused. */
struct leaf {
	uint8_t kind;
	uint64_t present;
	uint64_t value[LEAF_FIELDS_MAX];
	uint8_t hash[32], hash2[32];
};

enum leaf_type { LEAF_U8 = 1, LEAF_BOOL, LEAF_UVAR, LEAF_TIME, LEAF_HASH, LEAF_REF };
struct leaf_field {
	const char *name;
	uint8_t type;     /* enum leaf_type */
	uint8_t max;      /* LEAF_U8: largest number of the enumeration */
	uint8_t name_kind; /* LEAF_REF */
	uint8_t min;      /* LEAF_UVAR: smallest value */
	uint64_t limit;   /* LEAF_UVAR: largest value, 0: none */
};
struct leaf_table {
	const char *name;
	const struct leaf_field *fields;
	uint8_t n;
	uint64_t required; /* bits that must be present */
};
/* NULL for an unknown kind. */
const struct leaf_table *leaf_table(uint8_t kind);

/* Packed leaf into out (LEAF_MAX bytes of room): bytes written, or -errno. */
ssize_t leaf_encode(const struct leaf *l, uint8_t *out);
/* The whole of [p, p+n) must be one packed leaf. */
int leaf_decode(const uint8_t *p, size_t n, struct leaf *ret);
/* The same for whoever walks a log that a newer program wrote to: a leaf of a kind above ours gives its kind, and no fields. */
int leaf_decode_any(const uint8_t *p, size_t n, struct leaf *ret);
/* Is the field of this bit there? */
static inline bool leaf_has(const struct leaf *l, unsigned bit)
{
	return l->present >> bit & 1;
}

/* False for what a newer program wrote: a leaf of a later kind, or one that introduces a name of a later kind. */
static inline bool leaf_known(const struct leaf *l)
{
	return l->kind < LEAF_KIND_MAX_ && !(l->kind == LEAF_NAME && l->value[0] >= NAME_KIND_MAX_);
}
/* The same without decoding; only for what is a sound leaf. A name's leaf has all its fields, so the kind of the name stands behind one
 * byte of bitmap. */
static inline bool leaf_is_later(const uint8_t *p, size_t n)
{
	return n > 3 ? p[1] >= LEAF_KIND_MAX_ || (p[1] == LEAF_NAME && p[3] >= NAME_KIND_MAX_) : n > 1 && p[1] >= LEAF_KIND_MAX_;
}

/* Nonces and leaf hashes of one segment; batch calls make use of the pipelined AES. */
struct leaf_hasher;
struct leaf_hasher *leaf_hasher_new(void);
struct leaf_hasher *leaf_hasher_free(struct leaf_hasher *h);
int leaf_hasher_segment(struct leaf_hasher *h, const uint8_t seed[static 16], uint64_t first);
void leaf_nonce(struct leaf_hasher *h, uint64_t index, uint8_t out[static LEAF_NONCE]);
/* Whole leaf (with nonce) into out: n + 16 bytes. */
void leaf_whole(const uint8_t *packed, size_t n, const uint8_t nonce[static LEAF_NONCE], uint8_t *out);
void leaf_hash(struct leaf_hasher *h, uint64_t index, const uint8_t *packed, size_t n, uint8_t out[static SHA256_LEN]);

#endif
