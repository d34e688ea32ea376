/* attack.h — tactics of MITRE ATT&CK, as tags of rules name them.
 *
 * Purpose: a tag's number and its name, for alerts. Techniques carry their numbers in the tag itself and need no table.
 * Ownership: static text. Threads: any. Errors: NULL.
 */
#ifndef TYTO_ATTACK_H
#define TYTO_ATTACK_H

#include "base/str.h"

/* "TA0009" of "attack.collection"; NULL: the tag names no tactic. */
const char *attack_tactic(str tag);
/* "Collection" of "TA0009"; NULL: not known. */
const char *attack_tactic_name(str number);

#endif
