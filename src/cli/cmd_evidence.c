/* tyto evidence export|proof|checkpoint: the log in forms that tools not ours can check. */
#include <errno.h>

#include "base/log.h"
#include "cli/cli.h"
#include "cli/files.h"
#include "evidence/evidence.h"

static bool with_names;
static const char *output;

static const struct opt *options(void)
{
	static const struct opt o[] = {
		{ "names", 0, OPT_FLAG, &with_names, NULL, "export: also names.jsonl, the salts and values (personal data)" },
		{ "output", 'o', OPT_TEXT, &output, "FILE", "proof, checkpoint: write there instead of to stdout" },
		OPT_END,
	};
	return o;
}

static int put(struct buf *b)
{
	if (output)
		return files_write(output, buf_str(b)) < 0 ? EXIT_FAILED : EXIT_DONE;
	buf_puts(out(), buf_str(b));
	return EXIT_DONE;
}

static int failed(int e)
{
	log_error("%s", evidence_why());
	return exit_status(e);
}

static int do_export(struct evidence_reader *r, int argc, char **argv)
{
	int e;

	if (argc != 1)
		return usage_error("`tyto evidence export` needs one DIR");
	e = evidence_export(r, argv[0], with_names);
	if (e < 0)
		return failed(e);
	log_info("exported to %s (C2SP tlog-tiles: checkpoint, log.vkey, tile/)", argv[0]);
	return EXIT_DONE;
}

static int do_proof(struct evidence_reader *r, int argc, char **argv)
{
	_cleanup_buf_ struct buf b = BUF_INIT;
	uint64_t seq;
	int e;

	if (argc != 1 || str_to_u64(str_c(argv[0]), &seq) < 0)
		return usage_error("`tyto evidence proof` needs the SEQ of one record");
	e = evidence_proof(r, seq, &b);
	if (e < 0)
		return failed(e);
	return put(&b);
}

static int do_checkpoint(struct evidence_reader *r, int argc, char **argv)
{
	_cleanup_buf_ struct buf b = BUF_INIT;
	int e;

	if (argc != 0)
		return usage_error("`tyto evidence checkpoint` takes no arguments");
	e = evidence_reader_checkpoint(r, &b);
	if (e < 0)
		return failed(e);
	return put(&b);
}

static int run(int argc, char **argv)
{
	static const struct { const char *name; int (*run)(struct evidence_reader *, int, char **); } actions[] = {
		{ "export", do_export }, { "proof", do_proof }, { "checkpoint", do_checkpoint },
	};
	struct evidence_reader *r = NULL;
	int e;

	for (size_t i = 0; i < ARRAY_SIZE(actions); i++) {
		if (strcmp(argv[0], actions[i].name) != 0)
			continue;
		e = evidence_reader_open(cli.state, &r);
		if (e < 0)
			return failed(e);
		e = actions[i].run(r, argc - 1, argv + 1);
		evidence_reader_close(r);
		return e;
	}
	return usage_error("`tyto evidence %s`: expected export, proof or checkpoint", argv[0]);
}

const struct command cmd_evidence = {
	.name = "evidence", .args = "export DIR | proof SEQ | checkpoint", .summary = "the log for tools that are not ours",
	.examples = "  tyto evidence export /media/usb/log         C2SP tlog-tiles layout\n"
		    "  tyto evidence proof 4711 -o 4711.proof      proof that record 4711 stands in the log\n"
		    "  tyto evidence checkpoint -o june.checkpoint to be kept elsewhere, for --since-checkpoint\n",
	.options = options, .run = run, .needs_args = true,
};
