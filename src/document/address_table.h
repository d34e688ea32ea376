/* address_table.h — prefectures of Japan and their municipalities (JIS X 0401 and X 0402 names).
 *
 * Purpose: what an address begins with. Ownership: static. Units: UTF-8. Threads: no state. Errors: none.
 */
#ifndef TYTO_ADDRESS_TABLE_H
#define TYTO_ADDRESS_TABLE_H

#define PREFECTURES 47

struct prefecture {
	const char *name;
	const char *places; /* sorted by bytes, each ended by a space: cities, towns, villages, wards of Tokyo */
};

extern const struct prefecture prefectures[PREFECTURES];

#endif
