/* Signed notes, checkpoints, proofs, verifier keys. The first byte selects one. */
#include <stdlib.h>
#include <string.h>

#include "evidence/note.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static struct note_key *key;
static struct note_verifier verifiers[2]; /* a published one, and that of `key` */

static void set_up(void)
{
	if (key)
		return;
	if (note_verifier_parse(STR("example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k"), &verifiers[0]) < 0 ||
	    note_key_generate("example.com/log", &key) < 0)
		abort();
	note_verifier_of(key, &verifiers[1]);
}

static void inside(str whole, str part)
{
	if (part.n && (part.p < whole.p || part.p + part.n > whole.p + whole.n))
		abort();
}

static void open_note(str s)
{
	uint64_t by;
	str text;

	if (note_open(s, verifiers, 2, &text, &by) < 0)
		return;
	inside(s, text);
	if (by != 1 || text.n == 0)
		abort();
}

static void parse_checkpoint(str s)
{
	struct checkpoint c;
	uint64_t by;

	if (checkpoint_parse(s, verifiers, 2, &c, &by) == 0 && by == 0)
		abort();
}

/* Signed, so that the form of the text decides. Where there are no extension lines the text has one form. */
static void sign_and_parse(str s)
{
	_cleanup_buf_ struct buf b = BUF_INIT, again = BUF_INIT;
	struct checkpoint c;
	unsigned lines = 0;
	uint64_t by;

	if (note_sign(s, (const struct note_key *const[]){ key }, 1, &b) < 0 || checkpoint_parse(buf_str(&b), verifiers, 2, &c, &by) < 0)
		return;
	if (by != 2 || checkpoint_sign(&c, (const struct note_key *const[]){ key }, 1, &again) < 0)
		abort();
	for (size_t i = 0; i < s.n; i++)
		lines += s.p[i] == '\n';
	if (lines < 3 || (lines == 3 && !str_eq(buf_str(&b), buf_str(&again))))
		abort();
}

static void parse_proof(str s)
{
	hash32 proof[MERKLE_PROOF_MAX];
	_cleanup_buf_ struct buf b = BUF_INIT;
	uint64_t index;
	size_t n;
	str text;

	if (proof_parse(s, &index, proof, &n, &text) < 0)
		return;
	inside(s, text);
	if (n > MERKLE_PROOF_MAX || proof_put(&b, index, proof, n, text) < 0)
		abort();
	if (!memmem(s.p, s.n, "extra ", 6) && !str_eq(s, buf_str(&b)))
		abort();
	parse_checkpoint(text);
}

static void parse_verifier(str s)
{
	_cleanup_buf_ struct buf b = BUF_INIT;
	struct note_verifier v;

	if (note_verifier_parse(s, &v) < 0)
		return;
	note_verifier_put(&b, &v);
	if (!str_eq(s, buf_str(&b)))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	static void (*const targets[])(str) = { open_note, parse_checkpoint, sign_and_parse, parse_proof, parse_verifier };
	char *p;

	if (n == 0)
		return 0;
	set_up();
	p = malloc(n > 1 ? n - 1 : 1);
	if (!p)
		return 0;
	memcpy(p, data + 1, n - 1);
	targets[data[0] % ARRAY_SIZE(targets)]((str){ p, n - 1 });
	free(p);
	return 0;
}
