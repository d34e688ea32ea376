/* Checkpoints and the keys that sign them. */
#include "evidence/store.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/random.h>
#include <sys/stat.h>

#include "base/base64.h"
#include "base/timefmt.h"
#include "evidence/vfs.h"

#define VKEY_MAX (64 * 1024)
#define KEY_FILE "log.key"
#define NEW_KEY_FILE "log.key.new"

/* Lines of log.vkey. */
static int load_verifiers(struct evidence *e, struct note_verifier *keys, size_t *ret_n)
{
	_cleanup_buf_ struct buf b = BUF_INIT;
	size_t n = 0;
	int r = read_file(e->log_fd, "log.vkey", VKEY_MAX, &b);

	if (r < 0)
		return r == -ENOENT ? r : evidence_fail(r, "log/log.vkey: %s", strerror(-r));
	for (size_t i = 0; i < b.n;) {
		const char *end = memchr(b.p + i, '\n', b.n - i);
		size_t len = end ? (size_t)(end - b.p) - i : b.n - i;

		r = n == NOTE_KEYS_MAX || !end ? -EBADMSG : note_verifier_parse((str){ b.p + i, len }, &keys[n]);
		if (r == -ENOMEM)
			return evidence_fail(r, "no memory");
		if (r < 0)
			return evidence_fail(-EUCLEAN, "log/log.vkey byte %zu: expected a verifier key, NAME+HASH+BASE64", i);
		n++;
		i += len + 1;
	}
	if (n == 0)
		return evidence_fail(-EUCLEAN, "log/log.vkey byte 0: expected verifier keys");
	*ret_n = n;
	return 0;
}

/* `first` and then what stands there, without `first` itself. */
static int save_verifiers(struct evidence *e, const struct note_key *first)
{
	struct note_verifier keys[NOTE_KEYS_MAX], v;
	_cleanup_buf_ struct buf b = BUF_INIT;
	size_t n = 0;
	int r = load_verifiers(e, keys, &n);

	if (r < 0 && r != -ENOENT)
		return r;
	note_verifier_of(first, &v);
	note_verifier_put(&b, &v);
	buf_putc(&b, '\n');
	for (size_t i = 0; i < n; i++)
		if (memcmp(keys[i].public_key, v.public_key, 32) != 0) {
			note_verifier_put(&b, &keys[i]);
			buf_putc(&b, '\n');
		}
	r = buf_error(&b) ? buf_error(&b) : vfs_replace(e->log_fd, "log.vkey", b.p, b.n, NULL);
	return r < 0 ? store_broken(e, r, "cannot write log.vkey") : 0;
}

static int make_key(struct evidence *e, const char *file, struct note_key **ret)
{
	struct note_key *k = NULL;
	int r = note_key_generate(e->origin, &k);

	(void)vfs_unlink(e->keys_fd, file); /* of a start or rotation that was cut off */
	if (r == 0)
		r = note_key_save(k, e->keys_fd, file);
	if (r == 0 && vfs_fsync(e->keys_fd) < 0)
		r = -EIO;
	if (r < 0) {
		note_key_free(k);
		return store_broken(e, r, "cannot keep a new key");
	}
	*ret = k;
	return 0;
}

int store_keys_open(struct evidence *e, bool create)
{
	struct note_verifier keys[NOTE_KEYS_MAX];
	const char *why = "";
	uint8_t id[8];
	size_t n = 0;
	int r = load_verifiers(e, keys, &n);

	if (r == -ENOENT && create) {
		_cleanup_buf_ struct buf name = BUF_INIT;

		if (getrandom(id, sizeof(id), 0) != (ssize_t)sizeof(id))
			return evidence_fail(-EIO, "no random numbers");
		buf_puts(&name, STR("tyto-"));
		hex_encode(&name, (str){ (const char *)id, sizeof(id) });
		snprintf(e->origin, sizeof(e->origin), "%.*s", STR_ARG(buf_str(&name)));
		r = make_key(e, KEY_FILE, &e->key);
		return r < 0 ? r : save_verifiers(e, e->key);
	}
	if (r == -ENOENT)
		return evidence_fail(-EUCLEAN, "log/log.vkey: expected verifier keys");
	if (r < 0)
		return r;
	snprintf(e->origin, sizeof(e->origin), "%s", keys[0].name);
	r = note_key_load(e->keys_fd, KEY_FILE, e->origin, &e->key, &why);
	return r < 0 ? evidence_fail(r, "%s/keys/%s: %s", e->state, KEY_FILE, why) : 0;
}

/* A rotation whose leaf is durable is carried to its end; one that did not get so far is forgotten. */
int store_keys_finish(struct evidence *e, const uint8_t *last_key_leaf)
{
	struct note_verifier keys[NOTE_KEYS_MAX];
	struct note_key *k = NULL;
	const char *why = "";
	size_t n = 0;
	int r = note_key_load(e->keys_fd, NEW_KEY_FILE, e->origin, &k, &why);

	if (r == 0 && last_key_leaf && memcmp(note_key_public(k), last_key_leaf, 32) == 0) {
		e->old_key = e->key;
		e->key = k;
		return evidence_checkpoint(e, time_now());
	}
	note_key_free(k);
	if (r != -ENOENT)
		(void)vfs_unlink(e->keys_fd, NEW_KEY_FILE);
	r = load_verifiers(e, keys, &n);
	if (r < 0)
		return r;
	if (memcmp(keys[0].public_key, note_key_public(e->key), 32) != 0)
		return evidence_fail(-EUCLEAN, "%s/keys/%s: expected the key of the first line of log.vkey", e->state, KEY_FILE);
	return 0;
}

int store_checkpoint_load(struct evidence *e)
{
	struct note_verifier keys[NOTE_KEYS_MAX];
	_cleanup_buf_ struct buf b = BUF_INIT;
	struct stat st;
	uint64_t signed_by;
	size_t n = 0;
	int r = read_file(e->log_fd, "checkpoint", VKEY_MAX, &b);

	if (r == -ENOENT)
		return logdir_begun(e->state_fd) ?
		       evidence_fail(-EUCLEAN, "log/checkpoint: missing, but this log has begun: expected its newest checkpoint") : 0;
	if (r < 0)
		return evidence_fail(r, "log/checkpoint: %s", strerror(-r));
	r = load_verifiers(e, keys, &n);
	if (r < 0)
		return r;
	r = checkpoint_parse(buf_str(&b), keys, n, &e->checkpoint, &signed_by);
	if (r == -ENOMEM)
		return evidence_fail(r, "no memory");
	if (r < 0 || !signed_by || strcmp(e->checkpoint.origin, e->origin) != 0)
		return evidence_fail(-EUCLEAN, "log/checkpoint: expected a checkpoint signed by a key of log.vkey");
	if (fstatat(e->log_fd, "checkpoint", &st, AT_SYMLINK_NOFOLLOW) == 0)
		e->checkpoint_time = st.st_mtim.tv_sec * NSEC_PER_SEC + st.st_mtim.tv_nsec;
	return 0;
}

/* The newest one of a day, of a month… stays: as a file of its own before the next takes its place. */
static int keep(struct evidence *e, str text, uint64_t size)
{
	char name[LOGDIR_NAME_MAX];
	int r;

	logdir_number_name(name, size);
	r = vfs_replace(e->kept_fd, name, text.p, text.n, NULL);
	return r < 0 ? store_broken(e, r, "cannot keep a checkpoint") : 0;
}

static int keep_last(struct evidence *e)
{
	_cleanup_buf_ struct buf b = BUF_INIT;
	int r = read_file(e->log_fd, "checkpoint", VKEY_MAX, &b);

	return r < 0 ? evidence_fail(r, "log/checkpoint: %s", strerror(-r)) : keep(e, buf_str(&b), e->checkpoint.size);
}

int evidence_checkpoint(struct evidence *e, int64_t now)
{
	const struct note_key *keys[2] = { e->key, e->old_key };
	struct checkpoint c = { .size = e->counters.size };
	_cleanup_buf_ struct buf b = BUF_INIT;
	int r;

	if (e->broken)
		return evidence_fail(-EIO, "the log was closed by a failed write; start again");
	/* The first one signs the empty log: from then on a log without a checkpoint has lost it. */
	if (c.size == e->checkpoint.size && e->checkpoint_time && !e->old_key)
		return 0;
	if (e->old_key) {
		/* A rotation that stopped half-way goes on here. */
		r = save_verifiers(e, e->key);
		if (r < 0)
			return r;
	}
	snprintf(c.origin, sizeof(c.origin), "%s", e->origin);
	merkle_root(e->tree, &c.root);
	r = checkpoint_sign(&c, keys, e->old_key ? 2 : 1, &b);
	if (r < 0)
		return evidence_fail(r, "cannot sign a checkpoint");
	if (e->checkpoint.size && store_day(e->checkpoint_time) != store_day(now)) {
		r = keep_last(e);
		if (r < 0)
			return r;
	}
	if (e->old_key) {
		r = keep(e, buf_str(&b), c.size);
		if (r < 0)
			return r;
	}
	r = vfs_replace(e->log_fd, "checkpoint", b.p, b.n, NULL);
	if (r < 0)
		return store_broken(e, r, "cannot write the checkpoint");
	if (!e->begun) {
		r = logdir_begun(e->state_fd) ? 0 : vfs_replace(e->state_fd, LOGDIR_BEGUN, "", 0, NULL);
		if (r < 0)
			return store_broken(e, r, "cannot write that the log has begun");
		e->begun = true;
	}
	e->checkpoint = c;
	e->checkpoint_time = now;
	if (e->old_key) {
		/* The new key is in force now. */
		r = vfs_rename(e->keys_fd, NEW_KEY_FILE, KEY_FILE);
		if (r < 0)
			return evidence_fail(r, "cannot put the new key in place: %s", strerror(-r));
		if (vfs_fsync(e->keys_fd) < 0)
			return store_broken(e, -EIO, "fsync of keys failed");
		e->old_key = note_key_free(e->old_key);
	}
	return 0;
}

int evidence_key_rotate(struct evidence *e, int64_t now)
{
	struct leaf l = { .kind = LEAF_KEY, .present = 7, .value = { (uint64_t)now } };
	struct note_key *k;
	int r = evidence_commit(e);

	/* One that stopped half-way comes to its end first. */
	if (r == 0 && e->old_key)
		r = evidence_checkpoint(e, now);
	if (r < 0)
		return r;
	r = make_key(e, NEW_KEY_FILE, &k);
	if (r < 0)
		return r;
	memcpy(l.hash, note_key_public(k), 32);
	memcpy(l.hash2, note_key_public(e->key), 32);
	/* The leaf stays in the journal until the rotation is whole: a start looks for it there. */
	e->no_compact = true;
	r = store_append(e, &l, NULL);
	if (r == 0)
		r = evidence_commit(e);
	e->no_compact = false;
	if (r < 0) {
		/* The leaf must not become durable later, without its key. Where it is durable already, the next start finishes. */
		if (e->pending.n)
			leaves_drop_last(&e->pending);
		note_key_free(k);
		return r;
	}
	e->old_key = e->key;
	e->key = k;
	return evidence_checkpoint(e, now);
}
