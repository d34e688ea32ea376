#include "event/attack.h"

#define PREFIX STR("attack.")

/* ATT&CK 19, enterprise; the first row of a number has its name. "Defense Evasion" became two tactics there; many rules carry its tag. */
static const struct {
	const char *tag, *number, *name;
} tactics[] = {
	{ "reconnaissance", "TA0043", "Reconnaissance" }, { "resource-development", "TA0042", "Resource Development" },
	{ "initial-access", "TA0001", "Initial Access" }, { "execution", "TA0002", "Execution" }, { "persistence", "TA0003", "Persistence" },
	{ "privilege-escalation", "TA0004", "Privilege Escalation" }, { "stealth", "TA0005", "Stealth" },
	{ "defense-evasion", "TA0005", "Stealth" }, { "defense-impairment", "TA0112", "Defense Impairment" },
	{ "credential-access", "TA0006", "Credential Access" }, { "discovery", "TA0007", "Discovery" },
	{ "lateral-movement", "TA0008", "Lateral Movement" }, { "collection", "TA0009", "Collection" },
	{ "exfiltration", "TA0010", "Exfiltration" }, { "command-and-control", "TA0011", "Command and Control" }, { "impact", "TA0040", "Impact" },
};

/* Older rules write `_` where newer ones write `-`. */
static bool same(str word, str tag)
{
	for (size_t i = 0; i < word.n && word.n == tag.n; i++)
		if ((word.p[i] == '_' ? '-' : word.p[i]) != tag.p[i])
			return false;
	return word.n == tag.n;
}

const char *attack_tactic(str tag)
{
	for (size_t i = 0; str_starts(tag, PREFIX) && i < ARRAY_SIZE(tactics); i++)
		if (same((str){ tag.p + PREFIX.n, tag.n - PREFIX.n }, str_c(tactics[i].tag)))
			return tactics[i].number;
	return NULL;
}

const char *attack_tactic_name(str number)
{
	for (size_t i = 0; i < ARRAY_SIZE(tactics); i++)
		if (str_eq(number, str_c(tactics[i].number)))
			return tactics[i].name;
	return NULL;
}
