#include "cli/scantools.h"

#include "base/log.h"
#include "document/documents.h"

int scantools_new(const char *state, const struct config *config, int client_fd, const char *client_file, struct client_list **ret_clients,
	struct classifier **ret)
{
	struct label_config labels = { 0 };
	uint8_t key[IDENTIFIER_KEY];
	int r = documents_key(state, key);

	*ret_clients = NULL;
	if (r < 0) {
		log_error("%s", documents_why());
		return r;
	}
	if (client_fd >= 0) {
		r = client_list_load(client_fd, key, ret_clients);
		if (r < 0) {
			log_error("%s: expected clients, one a line or CSV: %s", client_file, client_list_why());
			return r;
		}
	}
	config_labels(config, &labels);
	r = classifier_new(&labels, key, *ret_clients, ret);
	if (r < 0)
		log_error("documents cannot be classified: %s", classify_why());
	return r;
}
