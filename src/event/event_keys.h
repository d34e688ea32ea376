/* event_keys.h — the JSON keys of the record: one table for reading and writing.
 *
 * Purpose: key, field, form and cap of each key, in the order in which they are written. Ownership: static. Units: bytes. Threads:
 * constant.
 * Errors: none.
 */
#ifndef TYTO_EVENT_KEYS_H
#define TYTO_EVENT_KEYS_H

#include "event/event.h"

/* A text or list is followed by its twin, NAME_b64: the bytes where they are not UTF-8, beside a readable stand-in. */
enum key_form { KEY_TIME, KEY_TEXT, KEY_TEXT64, KEY_LIST, KEY_LIST64, KEY_ENUM, KEY_U16, KEY_U32, KEY_U64, KEY_BOOL, KEY_FLAG, KEY_OBJECT,
	KEY_DOCUMENT, KEY_SKIP };

struct event_key {
	const char *name;
	uint8_t len;
	uint8_t form;   /* enum key_form */
	uint8_t field;  /* enum event_field */
	uint16_t offset;
	uint16_t max;   /* bytes of a string */
	unsigned (*number)(str);        /* KEY_ENUM */
	const char *(*name_of)(unsigned);
	const char *expect;             /* what a value must be, for the error */
};

extern const struct event_key event_keys[];
extern const size_t event_keys_n;

#endif
