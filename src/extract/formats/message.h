/* message.h — what Outlook's messages have in common, in a file of their own (msg) or in a store (pst).
 *
 * Purpose: MAPI properties to zones. Ownership: strs are the caller's. Units: bytes of UTF-8 unless said otherwise. Threads: one. Errors:
 * negative errno.
 */
#ifndef TYTO_EXTRACT_MESSAGE_H
#define TYTO_EXTRACT_MESSAGE_H

#include "extract/formats/ole.h"

/* Property numbers (MS-OXPROPS). */
enum {
	PR_SUBJECT = 0x0037, PR_SUBMIT_TIME = 0x0039, PR_SENT_NAME = 0x0042, PR_SENT_ADDRESS = 0x0065, PR_HEADERS = 0x007d, PR_RECIPIENT_TYPE =
	0x0c15,
	PR_SENDER_NAME = 0x0c1a, PR_SENDER_ADDRESS = 0x0c1f, PR_DISPLAY_BCC = 0x0e02, PR_DISPLAY_CC = 0x0e03, PR_DISPLAY_TO = 0x0e04,
	PR_DELIVERY_TIME = 0x0e06,
	PR_BODY = 0x1000, PR_RTF = 0x1009, PR_HTML = 0x1013, PR_MESSAGE_ID = 0x1035, PR_DISPLAY_NAME = 0x3001, PR_ADDRESS = 0x3003, PR_CREATED =
	0x3007,
	PR_MODIFIED = 0x3008, PR_ATTACH_DATA = 0x3701, PR_ATTACH_SHORT = 0x3704, PR_ATTACH_LONG = 0x3707, PR_SMTP = 0x39fe, PR_INTERNET_CODEPAGE =
	0x3fde,
	PR_CODEPAGE = 0x3ffd, PR_SENDER_SMTP = 0x5d01, PR_SENT_SMTP = 0x5d02,
	PR_GIVEN_NAME = 0x3a06, PR_HOME_PHONE = 0x3a09, PR_WORK_PHONE = 0x3a08, PR_SURNAME = 0x3a11, PR_COMPANY = 0x3a16, PR_TITLE_JOB = 0x3a17,
	PR_MOBILE = 0x3a1c, PR_WORK_FAX = 0x3a24, PR_POSTAL = 0x3a15,
};

/* "Name <address>" into the address zone; an address of an Exchange server ("/o=…") is left out. */
void message_address(struct sink *s, str name, str address);
/* Headers as they were sent: labels among them. */
void message_headers(struct sink *s, str headers);
/* The body, of which a message may have three forms: the one that says most is read. html: bytes in a code page; rtf: compressed as in the
 * file. */
int message_body(struct sink *s, str plain, str html, unsigned html_codepage, str rtf);
/* A name that may be one component of a path: no '/', no control characters, not empty, at most 120 bytes. */
void message_name(struct buf *ret, str raw, const char *otherwise);

/* lzfu.c: RTF out of its compressed form. -EBADMSG: cut, or its checksum does not agree (what came out stays). */
int lzfu_unpack(str packed, size_t max, struct buf *ret);

#endif
