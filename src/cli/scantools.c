#include "cli/scantools.h"

#include "base/log.h"
#include "document/documents.h"
#include "event/event.h"

/* The settings were checked when they were read: a GUID, a space, a label, perhaps a name. */
static void take_microsoft(const struct config *config, struct label_config *c, char text[static CONFIG_PATHS_MAX][40])
{
	for (size_t i = 0; i < config->n_label_microsoft && c->n_ms < ARRAY_SIZE(c->ms); i++) {
		const char *line = config->label_microsoft[i], *label = line + 37, *end = strchrnul(label, ' ');

		memcpy(text[i], line, 36);
		text[i][36] = '\0';
		for (char *p = text[i]; *p; p++)
			if (*p >= 'A' && *p <= 'F')
				*p = (char)(*p - 'A' + 'a');
		c->ms[c->n_ms].guid = text[i];
		c->ms[c->n_ms].name = *end ? end + 1 : "";
		for (unsigned l = 1; l < LABEL_MAX_; l++)
			if (str_eq((str){ label, (size_t)(end - label) }, str_c(event_label_name((enum event_label)l))))
				c->ms[c->n_ms].label = (enum event_label)l;
		c->n_ms++;
	}
}

int scantools_new(const char *state, const struct config *config, int client_fd, const char *client_file, struct client_list **ret_clients,
	struct classifier **ret)
{
	struct label_config labels = { .file = *config->label_markings ? config->label_markings : NULL, .contacts_confidential = config->label_contacts };
	static char guids[CONFIG_PATHS_MAX][40];
	uint8_t key[IDENTIFIER_KEY];
	int r = documents_key(state, key);

	if (r < 0) {
		log_error("%s", documents_why());
		return r;
	}
	if (client_fd >= 0) {
		r = client_list_load(client_fd, key, ret_clients);
		if (r < 0) {
			log_error("%s: expected clients, one a line or CSV: %s", client_file, strerror(-r));
			return r;
		}
	}
	take_microsoft(config, &labels, guids);
	r = classifier_new(&labels, key, *ret_clients, ret);
	if (r < 0)
		log_error("the classifier cannot be made: %s", strerror(-r));
	return r;
}
