/* Until classify.c and the identifiers are there: text is counted, nothing is found in it. */
#include <errno.h>

#include "document/classify.h"
#include "document/documents.h"

struct classifier { int unused; };
struct classify { int unused; };

int classifier_new(const struct label_config *labels, const uint8_t key[static IDENTIFIER_KEY], const struct client_list *clients, struct classifier **ret)
{
	*ret = calloc(1, sizeof(**ret));
	return *ret ? 0 : -ENOMEM;
}

struct classifier *classifier_free(struct classifier *c)
{
	free(c);
	return NULL;
}

int classify_new(const struct classifier *c, struct classify **ret)
{
	*ret = calloc(1, sizeof(**ret));
	return *ret ? 0 : -ENOMEM;
}

struct classify *classify_free(struct classify *c)
{
	free(c);
	return NULL;
}

int classify_text(struct classify *c, const struct text *t, struct facts *ret, struct contacts_result *ret_contacts)
{
	ret->text_chars = t->chars;
	*ret_contacts = (struct contacts_result){ 0 };
	return 0;
}

int client_list_load(int fd, const uint8_t key[static IDENTIFIER_KEY], struct client_list **ret)
{
	return -ENOSYS;
}

struct client_list *client_list_free(struct client_list *c)
{
	return NULL;
}

int documents_identifiers(struct documents *d, const uint8_t hash[static 32], uint32_t version, const struct identifier *i, size_t n)
{
	return 0;
}

bool documents_has_identifiers(struct documents *d, const uint8_t hash[static 32], uint32_t version)
{
	return true;
}
