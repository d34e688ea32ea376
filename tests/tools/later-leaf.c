/* later-leaf STATE KIND|name:KIND…: appends a leaf of each kind number, or a name of it, as a newer version of the program might. */
#include <stdio.h>

#include "evidence/store.h"

int main(int argc, char **argv)
{
	const struct evidence_options o = { .create = true };
	struct evidence *e;

	if (argc < 3 || evidence_open(argv[1], &o, &e) < 0) {
		fprintf(stderr, "%s\n", argc < 3 ? "usage: later-leaf STATE KIND…" : evidence_why());
		return 1;
	}
	for (int i = 2; i < argc; i++) {
		uint64_t number;

		if (strncmp(argv[i], "name:", 5) == 0) {
			if (store_name(e, (enum name_kind)strtoul(argv[i] + 5, NULL, 10), STR("of a later form"), &number) < 0)
				return 1;
			continue;
		}
		const uint8_t leaf[] = { LEAF_VERSION, (uint8_t)strtoul(argv[i], NULL, 10), 1, 2, 3 };

		if (leaves_add(&e->pending, leaf, sizeof(leaf)) < 0)
			return 1;
	}
	if (evidence_commit(e) < 0) {
		fprintf(stderr, "%s\n", evidence_why());
		return 1;
	}
	evidence_close(e);
	return 0;
}
