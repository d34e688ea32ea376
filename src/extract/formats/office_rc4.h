/* office_rc4.h — RC4 of binary Office files (MS-OFFCRYPTO 2.3.5, 2.3.6) that a password opens which Office itself asks nobody for.
 *
 * Purpose: shared by xls and ppt. Ownership: a struct office_rc4 that was opened is closed. Units: bytes; blocks as the file counts them.
 * Threads: one. Errors: negative errno; -EACCES: another password is needed, or it is enciphered otherwise.
 */
#ifndef TYTO_EXTRACT_OFFICE_RC4_H
#define TYTO_EXTRACT_OFFICE_RC4_H

#include <openssl/evp.h>

#include "base/str.h"

struct office_rc4 {
	const EVP_MD *md;
	EVP_MD_CTX *hashing;
	uint8_t base[EVP_MAX_MD_SIZE]; /* what the key of each block is made of */
	size_t n_base, n_key;
	uint8_t s[256], i, j;
};

/* Before the sandbox closes. */
int office_rc4_prepare(void);
/* info: versions, salt, verifier as they stand in the file; password: UTF-16LE. */
int office_rc4_open(struct office_rc4 *k, str info, str password);
void office_rc4_close(struct office_rc4 *k);
/* The beginning of a block. */
bool office_rc4_block(struct office_rc4 *k, uint32_t block);
/* Goes on in it; p NULL: passes over. */
void office_rc4_apply(struct office_rc4 *k, uint8_t *p, size_t n);

#endif
