/* decoy_words.h — generic words for decoys: their names and their text.
 *
 * Purpose: words of an office in general, by language; never a word of the share's documents. Ownership: static. Units: none. Threads:
 * decoy_random is safe.
 * Errors: none.
 */
#ifndef TYTO_DECOY_WORDS_H
#define TYTO_DECOY_WORDS_H

#include "base/buf.h"

enum decoy_language { DECOY_ENGLISH, DECOY_GERMAN, DECOY_FRENCH, DECOY_JAPANESE, DECOY_LANGUAGES_ };

/* A word of a title: a thing that nobody is curious about. Lower case, but German nouns. */
str decoy_title_word(enum decoy_language l);
/* Is it one of them, whatever its case? */
bool decoy_is_title_word(enum decoy_language l, str word);
/* A sentence with its end. */
void decoy_sentence(enum decoy_language l, struct buf *b);
/* Column names, then cells. */
#define DECOY_COLUMNS 6
str decoy_column(enum decoy_language l, size_t column);
void decoy_cell(enum decoy_language l, size_t column, size_t row, int64_t time, struct buf *b);
bool decoy_column_number(size_t column);

/* [0, n) */
uint32_t decoy_random(uint32_t n);

#endif
