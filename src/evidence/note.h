/* note.h — signed notes, checkpoints, verifier keys and proofs in C2SP form (signed-note, tlog-checkpoint, tlog-proof, tlog-tiles
 * paths), Ed25519.
 *
 * Purpose: the text forms that outside tools check. Ownership: struct note_key owns the key; text goes to the caller's buf.
 * Units: sizes in leaves. Threads: no shared state. Errors: -EBADMSG malformed, -EKEYREJECTED a signature that does not verify,
 * -ENOKEY no signature by a known key. Sources: c2sp.org/signed-note, /tlog-checkpoint, /tlog-proof, /tlog-tiles.
 */
#ifndef TYTO_NOTE_H
#define TYTO_NOTE_H

#include "base/buf.h"
#include "evidence/merkle.h"

#define NOTE_NAME_MAX 200
#define NOTE_KEYS_MAX 64

struct note_key; /* private (and public) key with its name */
int note_key_generate(const char *name, struct note_key **ret);
/* PEM PKCS#8 file of mode 0600 of our own or the folder's owner, no symbolic link; ret_why: a sentence on failure. */
int note_key_load(int dirfd, const char *file, const char *name, struct note_key **ret, const char **ret_why);
/* A new file, fsynced (the folder is not); -EEXIST. */
int note_key_save(const struct note_key *k, int dirfd, const char *file);
struct note_key *note_key_free(struct note_key *k);
const uint8_t *note_key_public(const struct note_key *k); /* 32 bytes */

struct note_verifier {
	char name[NOTE_NAME_MAX + 1];
	uint32_t id;
	uint8_t public_key[32];
};
void note_verifier_of(const struct note_key *k, struct note_verifier *ret);
int note_verifier_from_public(const char *name, const uint8_t public_key[static 32], struct note_verifier *ret);
int note_verifier_parse(str line, struct note_verifier *ret); /* NAME+HASH+BASE64 */
void note_verifier_put(struct buf *b, const struct note_verifier *v); /* one line, no newline */

/* Any text, of lines, signed by each key in order. */
int note_sign(str text, const struct note_key *const *keys, size_t n, struct buf *ret);
/* Any signed note: ret_text is the part that is signed; ret_signed gets bit i when verifier i made a valid signature. A bad signature by a
 * known key is -EKEYREJECTED; unknown keys' lines are passed over; -ENOKEY when no known key has signed. */
int note_open(str note, const struct note_verifier *keys, size_t n, str *ret_text, uint64_t *ret_signed);

struct checkpoint {
	char origin[NOTE_NAME_MAX + 1];
	uint64_t size;
	hash32 root;
};
/* Text of a checkpoint signed by each key in order. */
int checkpoint_sign(const struct checkpoint *c, const struct note_key *const *keys, size_t n, struct buf *ret);
/* note_open and the form of a checkpoint. That the origin is the name of the key is the caller's to compare: a witness signs under its own.
 * An origin that could not be the name of a key is -EBADMSG. */
int checkpoint_parse(str text, const struct note_verifier *keys, size_t n, struct checkpoint *ret, uint64_t *ret_signed);

/* c2sp.org/tlog-proof@v1 */
int proof_put(struct buf *b, uint64_t index, const hash32 *proof, size_t n, str checkpoint_text);
int proof_parse(str text, uint64_t *ret_index, hash32 *ret_proof, size_t *ret_n, str *ret_checkpoint);

/* "tile/0/x001/234.p/17"; width 256 is a full tile. level -1: entries. */
void tile_path(struct buf *b, int level, uint64_t n, unsigned width);

#endif
