/* msip.h — sensitivity labels of Microsoft's products that stand in pairs of key and value: MSIP_Label_GUID_Enabled, MSIP_Label_GUID_Name …
 *
 * Purpose: collects the pairs of one part and says each label once. Ownership: struct msip lives on the reader's stack, msip_free releases
 * it.
 * Units: bytes. Threads: one. Errors: none; what is malformed is no label, more than MSIP_MAX are dropped.
 */
#ifndef TYTO_MSIP_H
#define TYTO_MSIP_H

#include "extract/format.h"

#define MSIP_MAX 64

struct msip {
	struct {
		char guid[37];
		bool enabled;
		struct buf name;
	} labels[MSIP_MAX];
	unsigned n;
};

/* True when key was one of a label. */
bool msip_take(struct msip *m, str key, str value);
/* A mail's header: pairs "key=value;". */
void msip_take_header(struct msip *m, str header);
void msip_put(struct msip *m, struct sink *s, uint8_t source);
void msip_free(struct msip *m);

#endif
