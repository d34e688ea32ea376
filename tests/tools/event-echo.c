/* event-echo: records through the reader and the writer of src/event. JSON Lines on stdin to JSON Lines on stdout.
 *
 * A record that is refused is one line on stderr, `LINE BYTE expected …`, and status 3. --keys prints the keys that are ours.
 */
#include <stdio.h>

#include "event/event_json.h"
#include "event/event_keys.h"

static bool echo(str line, struct buf *scratch, struct buf *out, unsigned number)
{
	struct event_json_error err;
	struct event e;

	buf_clear(scratch);
	buf_clear(out);
	if (event_from_json(line, scratch, &e, &err) < 0) {
		fprintf(stderr, "%u %zu expected %s\n", number, err.byte, err.expect);
		return false;
	}
	event_to_json(out, &e);
	printf("%.*s\n", (int)out->n, out->p);
	return true;
}

int main(int argc, char **argv)
{
	_cleanup_buf_ struct buf scratch = BUF_INIT, out = BUF_INIT;
	_cleanup_free_ char *line = NULL;
	size_t cap = 0;
	bool ok = true;
	ssize_t n;

	if (argc == 2 && strcmp(argv[1], "--keys") == 0) {
		for (size_t i = 0; i < event_keys_n; i++)
			puts(event_keys[i].name);
		return 0;
	}
	for (unsigned number = 1; (n = getline(&line, &cap, stdin)) > 0; number++)
		ok &= echo((str){ line, (size_t)n - (line[n - 1] == '\n') }, &scratch, &out, number);
	return ok ? 0 : 3;
}
