/* marking.h — is this line a marking, or does it only speak of one?
 *
 * Purpose: the shipped table of markings, and the judgement of one line, cell or property; label.c knows where it stands. Ownership: struct
 * markings owns its table. Units: bytes. Threads: read-only once made. Errors: negative errno; judging has none.
 *
 * A line falls into segments at separators (| – • brackets, wide gaps …). A segment is a marking when nothing but the marking and words
 * that go with it ("strictly", "document", 資料) is in it; so "CONFIDENTIAL – Page 3" is one, "confidential matters were discussed" is none.
 * Case, full-width forms and spaced-out letters are folded.
 */
#ifndef TYTO_DOCUMENT_MARKING_H
#define TYTO_DOCUMENT_MARKING_H

#include "base/buf.h"
#include "event/event.h"

#define MARKING_LINE_MAX 240   /* bytes of a line that can be one */
#define MARKING_TEXT_MAX 96    /* bytes of one */
#define MARKINGS_MAX 1024      /* of a company's own */
#define MARKING_SLOTS 4096

struct marking {
	str text;               /* folded: words with one space between */
	str squeezed;           /* without spaces */
	str shown;
	enum event_label label;
	bool weak;              /* an everyday word: counts only where it is loud or behind a key */
};

struct markings {
	struct marking *m;
	size_t n;
	struct buf text;        /* what they point into */
	uint16_t *by_text, *by_squeezed; /* MARKING_SLOTS each: number + 1 by hash */
};

/* file: a company's own, in front of the shipped ones (NULL: none). why: what is wrong with it. */
int markings_load(const char *file, struct markings *ret, struct buf *why);
int markings_parse(str file, const char *name, struct markings *ret, struct buf *why);
void markings_free(struct markings *m);

enum marking_place {
	MARK_MARGIN,  /* header, footer, watermark: a company's name may stand before it */
	MARK_TITLE,   /* title, subject, sheet name */
	MARK_LINE,    /* a line of the body */
	MARK_CELL,
	MARK_LIST,    /* keywords: items are separated by commas, too */
	MARK_VALUE,   /* the value of a property or cell whose key asks for a classification */
};

struct judged {
	const struct marking *m; /* the highest; NULL: none */
	bool loud;               /* in capitals, or framed */
	bool framed;             /* in brackets, spaced out, or behind a key: no heading looks so */
	unsigned labels;         /* bits of all that the line says */
};
struct judged marking_judge(const struct markings *m, enum marking_place place, str line);
/* "Classification", 機密区分… */
bool marking_is_key(str s);
/* Puts marking i into a hash table of the texts. */
void marking_index(struct markings *m, uint16_t *slots, size_t i, bool squeezed);
/* Folds what a marking file or a configuration says. */
void marking_fold(struct buf *b, str s);

#endif
