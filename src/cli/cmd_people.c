/* tyto people import: who works where. */
#include <errno.h>

#include "base/json.h"
#include "base/log.h"
#include "cli/cli.h"
#include "cli/peoplefile.h"

static int run(int argc, char **argv)
{
	_cleanup_buf_ struct buf text = { .max = PEOPLEFILE_MAX };
	struct importer *i = NULL;
	struct peoplefile_rows rows = { 0 };
	int r;

	if (argc != 2 || strcmp(argv[0], "import") != 0)
		return usage_error("`tyto people`: expected import FILE");
	if (peoplefile_read(argv[1], &text) < 0)
		return EXIT_FAILED;
	r = importer_open(cli.state, cli.config.disk_reserve, &i);
	if (i)
		importer_detect(i, &cli.config);
	if (r == 0)
		r = peoplefile_import(i, argv[1], buf_str(&text), &rows);
	if (r < 0)
		log_error("%s", importer_why());
	if (importer_close(i) < 0 && r == 0) {
		log_error("%s", importer_why());
		r = -EIO;
	}
	if (r == 0 && cli.json) {
		json_obj_begin(out());
		json_put_u64(out(), "people", rows.taken);
		json_put_u64(out(), "refused", rows.refused);
		json_obj_end(out());
		buf_putc(out(), '\n');
	}
	return r < 0 ? exit_status(r) : rows.refused ? EXIT_PARTLY : EXIT_DONE;
}

const struct command cmd_people = {
	.name = "people", .args = "import FILE", .summary = "who works where",
	.examples = "  tyto people import staff.csv       columns: person,name,unit,role,manager,joined,leaves,announced,aliases\n"
		    "  tyto people import staff.jsonl     the same keys, one object a line\n",
	.notes = "`person` is a login name. `aliases` are other accounts of the same person, separated by `;` or spaces; `uid:1234` for an "
	"account\n"
		 "without a name. From here on their accesses are recorded as the person's. Each row is a record, in force from here on: it takes the\n"
		 "place of the person's older row, and accounts it does not name any more are no longer the person's; an account that was somebody\n"
		 "else's changes hands. What was recorded before stays as it is. Two rows of one FILE that claim an account are a mistake: the second\n"
		 "is refused, unless the first person has given it up by a row in between.\n",
	.run = run, .needs_args = true,
};
