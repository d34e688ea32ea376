/* Tyto's own records: JSON Lines with the keys of the contract. */
#include <errno.h>

#include "event/event_json.h"
#include "sensor/import.h"

static int bid(str line)
{
	size_t i = 0;

	while (i < line.n && (line.p[i] == ' ' || line.p[i] == '\t'))
		i++;
	return i < line.n && line.p[i] == '{' ? 50 : 0;
}

static int line_event(str line, struct buf *scratch, struct event *ret, size_t *ret_byte, const char **ret_expect)
{
	struct event_json_error err;
	int r = event_from_json(line, scratch, ret, &err);

	if (r == 0)
		return 1;
	*ret_byte = err.byte;
	*ret_expect = err.expect;
	return r;
}

const struct import_format import_tyto = { .name = "tyto", .number = 1, .bid = bid, .line = line_event };

const struct import_format *const import_formats[] = { &import_tyto, NULL };
