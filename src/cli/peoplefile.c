#include "cli/peoplefile.h"

#include <errno.h>

#include "base/log.h"
#include "cli/cli.h"
#include "cli/files.h"
#include "who/people.h"

int peoplefile_read(const char *path, struct buf *b)
{
	return files_read(strcmp(path, "-") == 0 ? "/dev/stdin" : path, b);
}

struct taking {
	struct importer *importer;
	struct people *table; /* of this file: so that a bad row is named here, whoever writes */
	const char *path;
	uint64_t refused;
};

static int bad(void *arg, unsigned line, const char *expect)
{
	struct taking *t = arg;

	t->refused++;
	log_error("%s, line %u: expected %s", t->path, line, expect);
	return 0;
}

static int row(void *arg, unsigned line, str json)
{
	struct taking *t = arg;
	const char *expect = "a row";
	int r = people_add_json(t->table, json, &expect);

	if (r == 0)
		r = importer_row(t->importer, json, &expect);
	if (r == -EBADMSG || r == -EEXIST)
		return bad(arg, line, expect);
	return r;
}

int peoplefile_import(struct importer *i, const char *path, str text, struct peoplefile_rows *ret)
{
	struct taking t = { i, people_new(), path, 0 };
	const struct people_reader reader = { row, bad, &t };
	uint64_t records = 0;
	int r;

	if (t.table)
		people_one_owner(t.table);
	r = t.table ? importer_begin(i, str_c(path), NULL, 1) : -ENOMEM;

	if (r == 0)
		r = people_read(text, &reader);
	if (r == 0)
		r = importer_end(i, NULL, 0, t.refused, &records);
	if (r == 0 && !cli.json)
		log_info("%llu %s%s", (unsigned long long)records, records == 1 ? "person" : "people",
			t.refused ? "; the rows named above were left out" : "");
	*ret = (struct peoplefile_rows){ records, t.refused };
	people_free(t.table);
	return r;
}
