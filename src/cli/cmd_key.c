/* tyto key show|rotate: who signs the log. */
#include <errno.h>

#include "base/json.h"
#include "base/log.h"
#include "base/timefmt.h"
#include "cli/cli.h"
#include "cli/files.h"
#include "cli/writer.h"
#include "daemon/query.h"

static int show(void)
{
	_cleanup_buf_ struct buf file = { .max = 64 * 1024 };
	struct note_verifier keys[NOTE_KEYS_MAX];
	char path[4096];
	size_t n = 0;

	snprintf(path, sizeof(path), "%s/log/log.vkey", cli.state);
	if (files_read_keys(path, &file, keys, &n) < 0)
		return EXIT_FAILED;
	for (size_t i = 0; i < n; i++) {
		if (cli.json) {
			_cleanup_buf_ struct buf line = BUF_INIT;

			note_verifier_put(&line, &keys[i]);
			json_obj_begin(out());
			json_key(out(), "key");
			json_str(out(), buf_str(&line));
			json_key(out(), "in_use");
			json_bool(out(), i == 0);
			json_obj_end(out());
		} else {
			note_verifier_put(out(), &keys[i]);
		}
		buf_putc(out(), '\n');
	}
	return EXIT_DONE;
}

static int rotate(void)
{
	struct evidence *e = NULL;
	json_t *request = json_pack("{s:s}", "do", "rotate");
	int r = query_ask(cli.state, request, NULL);

	json_decref(request);
	if (r < 0 && r != -ENOENT) {
		log_error("%s", query_why());
		return EXIT_FAILED;
	}
	if (r == -ENOENT) {
		r = writer_enter(false);
		if (r == 0)
			r = writer_open(false, &e);
		if (r < 0)
			return exit_status(r);
		r = evidence_key_rotate(e, time_now());
		if (r < 0)
			log_error("%s", evidence_why());
		evidence_close(e);
		if (r < 0)
			return exit_status(r);
	}
	log_info("a new key signs from here on; keep the new log.vkey where nobody here can change it");
	return show();
}

static int run(int argc, char **argv)
{
	if (argc == 1 && strcmp(argv[0], "show") == 0)
		return show();
	if (argc == 1 && strcmp(argv[0], "rotate") == 0)
		return rotate();
	return usage_error("`tyto key`: expected show or rotate");
}

const struct command cmd_key = {
	.name = "key", .args = "show | rotate", .summary = "who signs the record",
	.examples = "  tyto key show        the verifier keys, the one in use first: keep a copy elsewhere\n"
		    "  tyto key rotate      a new key from here on, vouched for by the old one\n",
	.run = run, .needs_args = true,
};
