/* tyto verify: the log from the first byte to the last signature. */
#include <errno.h>
#include <fcntl.h>

#include "base/base64.h"
#include "base/json.h"
#include "base/log.h"
#include "base/timefmt.h"
#include "cli/cli.h"
#include "cli/files.h"
#include "cli/show.h"
#include "cli/term.h"
#include "evidence/evidence.h"

#define TEXT_MAX (256 * 1024)

static const char *since_checkpoint, *log_key;

static const struct opt *options(void)
{
	static const struct opt o[] = {
		{ "since-checkpoint", 0, OPT_TEXT, &since_checkpoint, "FILE", "a checkpoint kept elsewhere: the log must still begin with what it covers" },
		{ "log-key", 0, OPT_TEXT, &log_key, "FILE", "the log's verifier keys (log.vkey) from a place you trust" },
		OPT_END,
	};
	return o;
}

static void progress(void *arg, uint64_t done, uint64_t size)
{
	if (isatty(STDERR_FILENO) && !cli.quiet)
		fprintf(stderr, "\rverifying %3.0f %%", size ? 100.0 * (double)done / (double)size : 100.0);
}

static void put_json(const struct verify_result *v, bool trusted)
{
	struct buf *b = out();

	json_obj_begin(b);
	json_key(b, "ok");
	json_bool(b, !v->damaged);
	json_key(b, "trust");
	json_str(b, trusted ? STR("given key") : STR("self-consistent only"));
	json_key(b, "leaves");
	json_u64(b, v->size);
	json_key(b, "records");
	json_u64(b, v->records);
	json_key(b, "names");
	json_u64(b, v->names);
	json_key(b, "checkpoints");
	json_u64(b, v->checkpoints);
	if (v->damaged) {
		if (v->first_bad != UINT64_MAX) {
			json_key(b, "first_bad");
			json_u64(b, v->first_bad);
		}
		json_key(b, "where");
		json_str(b, str_c(v->where));
		json_key(b, "what");
		json_str(b, str_c(v->what));
	} else {
		json_key(b, "root");
		json_base64(b, (str){ (const char *)v->root.b, 32 });
	}
	json_obj_end(b);
	buf_putc(b, '\n');
}

static void put_text(const struct verify_result *v, bool trusted, double seconds)
{
	struct buf *b = out();

	if (v->damaged) {
		_cleanup_buf_ struct buf text = BUF_INIT;

		buf_puts(&text, STR("NOT INTACT: "));
		if (v->first_bad != UINT64_MAX)
			buf_putf(&text, "first bad record %llu, ", (unsigned long long)v->first_bad);
		buf_putf(&text, "%s: %s", v->where, v->what);
		term_prose(buf_str(&text), 0, 0);
		buf_putc(b, '\n');
		return;
	}
	buf_puts(b, STR("intact: "));
	show_number(v->size);
	buf_puts(b, STR(" leaves ("));
	show_number(v->records);
	buf_puts(b, STR(" events, "));
	show_number(v->names);
	buf_puts(b, STR(" names), "));
	show_number(v->checkpoints);
	buf_putf(b, " checkpoint%s, in %.1f s\n", v->checkpoints == 1 ? "" : "s", seconds);
	if (trusted)
		return;
	term_prose(STR("self-consistent: checked with the key that stands beside the log; --log-key FILE checks with one kept elsewhere"), 0, 0);
	buf_putc(b, '\n');
}

static int run(int argc, char **argv)
{
	_cleanup_buf_ struct buf since = { .max = TEXT_MAX }, keys = { .max = TEXT_MAX };
	struct note_verifier verifiers[NOTE_KEYS_MAX];
	struct verify_options o = { .progress = progress };
	struct verify_result v = { 0 };
	int64_t start = time_boottime();
	int r;

	if (argc > 0)
		return usage_error("evidence packages are not there yet; `tyto verify` checks the log of --state DIR");
	if (since_checkpoint) {
		if (files_read(since_checkpoint, &since) < 0)
			return EXIT_FAILED;
		if (since.n == 0) {
			log_error("%s: expected a checkpoint, the file is empty", since_checkpoint);
			return EXIT_FAILED;
		}
		o.since_checkpoint = buf_str(&since);
	}
	if (log_key) {
		if (files_read_keys(log_key, &keys, verifiers, &o.n_trusted) < 0)
			return EXIT_FAILED;
		o.trusted = verifiers;
	}
	r = evidence_verify(cli.state, &o, &v);
	if (isatty(STDERR_FILENO) && !cli.quiet)
		fputs("\r\033[K", stderr);
	if (r < 0) {
		log_error("%s", evidence_why());
		return exit_status(r);
	}
	if (cli.json)
		put_json(&v, log_key != NULL);
	else
		put_text(&v, log_key != NULL, (double)(time_boottime() - start) / NSEC_PER_SEC);
	return v.damaged ? EXIT_DAMAGED : EXIT_DONE;
}

const struct command cmd_verify = {
	.name = "verify", .args = "[OPTIONS]", .summary = "check the record, from the first byte to the last signature",
	.examples = "  tyto verify                                     self-consistent?\n"
		    "  tyto verify --log-key /media/safe/log.vkey      with a key kept elsewhere\n"
		    "  tyto verify --since-checkpoint june.checkpoint  does it still begin with what June's checkpoint covers?\n",
	.notes = "Exit status 4 and the first bad record when anything was changed, dropped, reordered, inserted or cut off.\n",
	.options = options, .run = run,
};
