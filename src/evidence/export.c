/* The log in C2SP tlog-tiles layout, and proofs of single records. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <sys/stat.h>

#include "base/base64.h"
#include "base/json.h"
#include "base/varint.h"
#include "evidence/names_file.h"
#include "evidence/reader.h"
#include "evidence/vfs.h"

#define TEXT_MAX (64 * 1024)

/* The newest checkpoint: what is exported and proved is what it covers. */
static int load_checkpoint(struct evidence_reader *r, struct buf *text, struct checkpoint *ret)
{
	_cleanup_buf_ struct buf keys = BUF_INIT;
	struct note_verifier v[NOTE_KEYS_MAX];
	uint64_t signed_by;
	size_t n = 0;
	int e = evidence_reader_checkpoint(r, text);

	if (e < 0)
		return e;
	e = read_file(evidence_reader_log_fd(r), "log.vkey", TEXT_MAX, &keys);
	for (size_t i = 0; e == 0 && i < keys.n && n < NOTE_KEYS_MAX;) {
		const char *end = memchr(keys.p + i, '\n', keys.n - i);
		size_t len = end ? (size_t)(end - keys.p) - i : keys.n - i;

		e = note_verifier_parse((str){ keys.p + i, len }, &v[n++]);
		i += len + 1;
	}
	if (e == 0)
		e = checkpoint_parse(buf_str(text), v, n, ret, &signed_by);
	return e < 0 ? evidence_fail(-EUCLEAN, "log/checkpoint: expected a checkpoint signed by a key of log.vkey") : 0;
}

int evidence_proof(struct evidence_reader *r, uint64_t seq, struct buf *ret)
{
	_cleanup_buf_ struct buf text = BUF_INIT;
	hash32 proof[MERKLE_PROOF_MAX];
	struct checkpoint c;
	size_t n;
	int e = load_checkpoint(r, &text, &c);

	if (e < 0)
		return e;
	if (seq >= c.size)
		return evidence_fail(-ERANGE, "record %llu is not covered by the newest checkpoint (%llu records)", (unsigned long long)seq,
			(unsigned long long)c.size);
	e = evidence_reader_refresh(r, NULL);
	if (e == 0)
		e = merkle_prove_inclusion(seq, c.size, log_reader_load, evidence_reader_log(r), proof, &n);
	if (e < 0)
		return e;
	return proof_put(ret, seq, proof, n, buf_str(&text));
}

/* --- tiles --- */

struct tiles {
	int dir;
	struct merkle_level {
		hash32 h[MERKLE_TILE];
		unsigned n;
		uint64_t done; /* full tiles written */
	} level[MERKLE_LEVELS];
	struct buf entries;
	unsigned n_entries;
	uint64_t entry_tiles;
};

/* The folder of path, made where it is missing. No link is followed: in a folder that others may write, root would write where they
 * want. */
static int open_parent(int dir, const char *path, const char **ret_name)
{
	_cleanup_close_ int at = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	const char *end;

	for (; at >= 0 && (end = strchr(path, '/')); path = end + 1) {
		char name[NAME_MAX + 1];
		int next;

		snprintf(name, sizeof(name), "%.*s", (int)(end - path), path);
		if (mkdirat(at, name, 0755) < 0 && errno != EEXIST)
			return -errno;
		next = openat(at, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		if (next < 0)
			return -errno;
		close(at);
		at = next;
	}
	*ret_name = path;
	return at < 0 ? -errno : TAKE_FD(at);
}

/* Always a new file: what stood there may be a link, a pipe, or open in somebody's hands. */
static int write_file(int dir, const char *path, mode_t mode, str bytes)
{
	_cleanup_close_ int parent = -1, fd = -1;
	const char *name;
	int e = 0;

	parent = open_parent(dir, path, &name);
	if (parent < 0)
		e = parent;
	else if (unlinkat(parent, name, 0) < 0 && errno != ENOENT)
		e = -errno;
	if (e == 0) {
		fd = openat(parent, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, mode);
		e = fd < 0 ? -errno : vfs_real.pwrite(NULL, fd, bytes.p, bytes.n, 0);
	}
	return e < 0 ? evidence_fail(e, "%s: %s", path, strerror(-e)) : 0;
}

static int write_tile(struct tiles *t, int level, uint64_t n, unsigned width, str bytes)
{
	_cleanup_buf_ struct buf path = BUF_INIT;

	tile_path(&path, level, n, width);
	if (!buf_cstr(&path))
		return evidence_fail(-ENOMEM, "no memory");
	return write_file(t->dir, path.p, 0644, bytes);
}

static int put_hash(struct tiles *t, unsigned level, const hash32 *h)
{
	struct merkle_level *l = &t->level[level];
	struct merkle *m;
	hash32 root;
	int e;

	l->h[l->n++] = *h;
	if (l->n < MERKLE_TILE)
		return 0;
	e = write_tile(t, (int)level, l->done++, MERKLE_TILE, (str){ (const char *)l->h, sizeof(l->h) });
	m = e < 0 ? NULL : merkle_new();
	for (unsigned i = 0; m && i < MERKLE_TILE && e == 0; i++)
		e = merkle_append(m, &l->h[i]);
	if (e == 0 && m)
		merkle_root(m, &root);
	merkle_free(m);
	l->n = 0;
	if (e < 0 || level + 1 >= MERKLE_LEVELS)
		return e;
	return put_hash(t, level + 1, &root);
}

static int flush_entries(struct tiles *t)
{
	int e = write_tile(t, -1, t->entry_tiles++, t->n_entries, buf_str(&t->entries));

	buf_clear(&t->entries);
	t->n_entries = 0;
	return e;
}

static int put_leaf(struct tiles *t, struct log_reader *log, uint64_t seq)
{
	uint8_t whole[LEAF_MAX + LEAF_NONCE], nonce[LEAF_NONCE], length[2];
	hash32 h;
	str packed;
	int e = log_reader_hash(log, seq, &h);

	if (e == 0)
		e = log_reader_nonce(log, seq, nonce);
	if (e == 0)
		e = log_reader_leaf(log, seq, &packed);
	if (e < 0)
		return e;
	leaf_whole((const uint8_t *)packed.p, packed.n, nonce, whole);
	length[0] = (uint8_t)((packed.n + LEAF_NONCE) >> 8);
	length[1] = (uint8_t)(packed.n + LEAF_NONCE);
	buf_put(&t->entries, length, 2);
	buf_put(&t->entries, whole, packed.n + LEAF_NONCE);
	e = put_hash(t, 0, &h);
	if (e == 0 && ++t->n_entries == MERKLE_TILE)
		e = flush_entries(t);
	return e < 0 ? e : buf_error(&t->entries);
}

static int put_partials(struct tiles *t)
{
	int e = t->n_entries ? flush_entries(t) : 0;

	for (unsigned level = 0; level < MERKLE_LEVELS && e == 0; level++) {
		struct merkle_level *l = &t->level[level];

		if (l->n)
			e = write_tile(t, (int)level, l->done, l->n, (str){ (const char *)l->h, l->n * sizeof(*l->h) });
	}
	return e;
}

/* --- names --- */

static int put_name(const struct names *n, enum name_kind kind, uint64_t number, struct buf *b)
{
	uint8_t tmp[UVAR_MAX_BYTES];
	str value;
	int e = names_value(n, kind, number, &value);

	if (e == -ENODATA)
		return 0; /* erased: nothing is left to export */
	if (e < 0)
		return e;
	json_obj_begin(b);
	json_put_u64(b, "kind", kind);
	json_put_u64(b, "number", number);
	json_key(b, "salt");
	buf_putc(b, '"');
	/* The salt stands before the value's length. */
	hex_encode(b, (str){ value.p - uvar_put(tmp, value.n) - 16, 16 });
	buf_putc(b, '"');
	json_put_base64(b, "value", value);
	json_obj_end(b);
	buf_putc(b, '\n');
	return buf_error(b);
}

static int put_names(struct evidence_reader *r, int dir)
{
	const struct names *n = evidence_reader_names(r);
	_cleanup_buf_ struct buf b = BUF_INIT;
	int e = 0;

	for (unsigned kind = 1; kind < NAME_KINDS_ && e == 0; kind++)
		for (uint64_t i = 1; i <= names_count(n, kind) && e == 0; i++)
			e = put_name(n, kind, i, &b);
	return e < 0 ? evidence_fail(e, "names cannot be exported: %s", strerror(-e)) :
		write_file(dir, "names.jsonl", 0600, buf_str(&b));
}

int evidence_export(struct evidence_reader *r, const char *dir, bool names)
{
	_cleanup_buf_ struct buf text = BUF_INIT, keys = BUF_INIT;
	struct tiles *t = calloc(1, sizeof(*t));
	struct checkpoint c;
	int e;

	if (!t)
		return evidence_fail(-ENOMEM, "no memory");
	t->dir = -1;
	e = load_checkpoint(r, &text, &c);
	if (e == 0)
		e = evidence_reader_refresh(r, NULL);
	if (e == 0 && mkdir(dir, 0700) < 0 && errno != EEXIST)
		e = evidence_fail(-errno, "%s: %s", dir, strerror(errno));
	if (e == 0) {
		t->dir = open(dir, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		e = t->dir < 0 ? evidence_fail(-errno, "%s: %s", dir, strerror(errno)) : 0;
	}
	for (uint64_t seq = 0; e == 0 && seq < c.size; seq++)
		e = put_leaf(t, evidence_reader_log(r), seq);
	if (e == 0)
		e = put_partials(t);
	if (e == 0)
		e = read_file(evidence_reader_log_fd(r), "log.vkey", TEXT_MAX, &keys);
	if (e == 0)
		e = write_file(t->dir, "log.vkey", 0644, buf_str(&keys));
	if (e == 0 && names)
		e = put_names(r, t->dir);
	/* Last: where it stands, everything that it covers does. */
	if (e == 0)
		e = write_file(t->dir, "checkpoint", 0644, buf_str(&text));
	close_fd(&t->dir);
	buf_free(&t->entries);
	free(t);
	return e;
}
