/* rtf.h — what the halves of the RTF reader share: control words (rtf_words.c), objects (rtf_object.c), the reader itself (rtf.c).
 *
 * Purpose: tables and small parsers. Ownership: caller's. Units: bytes. Threads: no state. Errors: negative errno.
 */
#ifndef TYTO_RTF_H
#define TYTO_RTF_H

#include "extract/format.h"

enum rtf_kind {
	RTF_CHAR = 1,  /* arg: code point */
	RTF_DEST,      /* arg: enum rtf_dest */
	RTF_META,      /* text of the group is the property key */
	RTF_ZONE,      /* text of the group stands in zone arg */
	RTF_CODEPAGE,  /* arg: what the document's is */
	RTF_WORD,      /* arg: enum rtf_word */
};

enum rtf_dest {
	DEST_BODY, DEST_SKIP /* with all that it holds */, DEST_INFO, DEST_FONTS, DEST_META, DEST_ASIDE /* another zone, or a shape's text */,
	DEST_PICTURE, DEST_OBJECT_DATA, DEST_OBJECT_CLASS,
	DEST_FIELD, DEST_SHAPE_NAME, DEST_SHAPE_VALUE, DEST_PROPERTY, DEST_PROPERTY_VALUE, DEST_HTML_TAG, DEST_CREATED, DEST_MODIFIED,
};

enum rtf_word {
	WORD_PAR = 1, WORD_CELL, WORD_ROW, WORD_TROWD, WORD_PARD, WORD_PLAIN, WORD_INTBL, WORD_HIDDEN, WORD_DELETED, WORD_UC, WORD_U, WORD_BIN,
	WORD_FONT,
	WORD_CHARSET, WORD_CPG, WORD_ANSICPG, WORD_DEFF, WORD_DBCH, WORD_LOCH, WORD_AF, WORD_HTML, WORD_HTMLRTF, WORD_YEAR, WORD_MONTH, WORD_DAY,
	WORD_HOUR, WORD_MINUTE, WORD_UPR, WORD_UD,
};

struct rtf_control {
	const char *name;
	uint8_t kind;
	uint32_t arg;
	const char *key; /* RTF_META */
};

/* NULL: not known. */
const struct rtf_control *rtf_control(str name);
/* Windows code page of a \fcharset; 0: the document's own. */
uint16_t rtf_charset(int fcharset);
/* An OLE 1 object as \objdata holds it: sink_part of what is in it. n numbers those without a name. */
int rtf_object(struct sink *s, str bytes, str class_name, unsigned n);

#endif
