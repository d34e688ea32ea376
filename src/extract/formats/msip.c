#include "extract/formats/msip.h"

#include <ctype.h>
#include <strings.h>

#define GUID 36

static str trim(str s)
{
	while (s.n && isspace((unsigned char)s.p[0]))
		s = (str){ s.p + 1, s.n - 1 };
	while (s.n && isspace((unsigned char)s.p[s.n - 1]))
		s.n--;
	return s;
}

static bool is(str s, const char *word)
{
	return s.n == strlen(word) && strncasecmp(s.p, word, s.n) == 0;
}

/* In lower case. */
static bool take_guid(const char *p, char ret[static GUID + 1])
{
	for (size_t i = 0; i < GUID; i++) {
		bool dash = i == 8 || i == 13 || i == 18 || i == 23;

		if (dash ? p[i] != '-' : !isxdigit((unsigned char)p[i]))
			return false;
		ret[i] = (char)tolower((unsigned char)p[i]);
	}
	ret[GUID] = '\0';
	return true;
}

bool msip_take(struct msip *m, str key, str value)
{
	static const char prefix[] = "MSIP_Label_";
	char guid[GUID + 1];
	unsigned i = 0;
	str field;

	key = trim(key);
	value = trim(value);
	if (key.n <= sizeof(prefix) - 1 + GUID || strncasecmp(key.p, prefix, sizeof(prefix) - 1) != 0 ||
	    !take_guid(key.p + sizeof(prefix) - 1, guid))
		return false;
	field = (str){ key.p + sizeof(prefix) - 1 + GUID, key.n - (sizeof(prefix) - 1) - GUID };
	if (field.p[0] != '_')
		return false;
	field = (str){ field.p + 1, field.n - 1 };
	while (i < m->n && strcmp(m->labels[i].guid, guid) != 0)
		i++;
	if (i == m->n) {
		if (m->n == MSIP_MAX)
			return true;
		m->n++;
		memcpy(m->labels[i].guid, guid, sizeof(guid));
	}
	if (is(field, "Enabled")) {
		m->labels[i].enabled = is(value, "true") || is(value, "1");
	} else if (is(field, "Name")) {
		buf_clear(&m->labels[i].name);
		buf_puts(&m->labels[i].name, value);
	}
	return true;
}

void msip_take_header(struct msip *m, str header)
{
	while (header.n) {
		const char *end = memchr(header.p, ';', header.n);
		size_t n = end ? (size_t)(end - header.p) : header.n;
		const char *eq = memchr(header.p, '=', n);

		if (eq)
			msip_take(m, (str){ header.p, (size_t)(eq - header.p) }, (str){ eq + 1, n - (size_t)(eq + 1 - header.p) });
		n += end != NULL;
		header = (str){ header.p + n, header.n - n };
	}
}

void msip_put(struct msip *m, struct sink *s, uint8_t source)
{
	for (unsigned i = 0; i < m->n; i++) {
		struct mslabel l = { .guid = str_c(m->labels[i].guid), .name = buf_str(&m->labels[i].name), .enabled = m->labels[i].enabled,
			.source = source };

		sink_mslabel(s, &l);
	}
}

void msip_free(struct msip *m)
{
	for (unsigned i = 0; i < m->n; i++)
		buf_free(&m->labels[i].name);
	m->n = 0;
}
