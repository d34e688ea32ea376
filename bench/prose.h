/* prose.h — generated text for tests and benches of tracing: words that no one wrote, drawn from a seed.
 *
 * Purpose: English-like and Japanese-like prose, and text of hard characters (marks, jamo, emoji, Arabic). Ownership: the caller's buffer, appended to.
 * Units: bytes. Threads: a seed each. Errors: none (buf's own).
 */
#ifndef TYTO_PROSE_H
#define TYTO_PROSE_H

#include "base/buf.h"

uint32_t prose_draw(uint64_t *seed);
static inline uint32_t prose_below(uint64_t *seed, uint32_t n) { return (uint32_t)((uint64_t)prose_draw(seed) * n >> 32); }

void prose_english(struct buf *b, uint64_t *seed, size_t bytes);
void prose_japanese(struct buf *b, uint64_t *seed, size_t bytes);
void prose_hard(struct buf *b, uint64_t *seed, size_t pieces);

#endif
