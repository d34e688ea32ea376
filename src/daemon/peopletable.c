#include "daemon/peopletable.h"

#include <errno.h>

#include "base/timefmt.h"

int peopletable_load(const struct names *n, struct people **ret)
{
	struct people *p = people_new();
	const char *expect;

	if (!p)
		return -ENOMEM;
	for (uint64_t i = 1; i <= names_count(n, NAME_ROW); i++) {
		str row;

		/* An erased row is gone; one that a later rule refuses was taken under an earlier one and is passed over. */
		if (names_value(n, NAME_ROW, i, &row) == 0)
			people_add_json(p, row, &expect);
	}
	*ret = p;
	return 0;
}

int peopletable_record(struct evidence *ev, struct people *people, str row, uint64_t source, const char **ret_expect)
{
	_cleanup_buf_ struct buf canonical = BUF_INIT;
	int64_t now = time_now();
	struct people_row last;
	uint64_t seq;
	int r = people_add_json(people, row, ret_expect);

	if (r == 0)
		r = people_last(people, &last);
	if (r < 0)
		return r;
	people_row_put(&canonical, &last, now);
	return evidence_append_person(ev, now, last.person, buf_str(&canonical), source, &seq);
}
