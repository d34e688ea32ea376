/* Keys and checkpoints: who signed which size, and whether it is this log that was signed. */
#include <errno.h>
#include <fcntl.h>

#include "evidence/verify.h"
#include "evidence/vfs.h"

/* Damage, or a rotation that is going on this moment. */
#define verify_bad_rotating(v, ...) ((v)->rotating = true, verify_bad(v, __VA_ARGS__))
#define TEXT_MAX (64 * 1024)

int verify_keys_load(struct verifier *v)
{
	_cleanup_buf_ struct buf b = BUF_INIT;
	int r = read_file(v->log_fd, "log.vkey", TEXT_MAX, &b);
	bool trusted = v->o->n_trusted == 0;

	if (r < 0 && !evidence_is_damage(r))
		return evidence_fail(r, "log/log.vkey: %s", strerror(-r));
	if (r < 0)
		return verify_bad(v, UINT64_MAX, "log.vkey", 0, "expected verifier keys (%s)", strerror(-r));
	for (size_t i = 0; i < b.n;) {
		const char *end = memchr(b.p + i, '\n', b.n - i);
		struct note_verifier *k = &v->keys[v->n_keys];

		r = !end || v->n_keys == NOTE_KEYS_MAX ? -EBADMSG : note_verifier_parse((str){ b.p + i, (size_t)(end - b.p) - i }, k);
		if (r == -ENOMEM)
			return evidence_fail(r, "no memory");
		if (r < 0 || strcmp(k->name, v->keys[0].name) != 0)
			return verify_bad(v, UINT64_MAX, "log.vkey", i, "expected a verifier key of one name, NAME+HASH+BASE64");
		for (size_t t = 0; t < v->o->n_trusted; t++)
			trusted |= memcmp(v->o->trusted[t].public_key, k->public_key, 32) == 0 && strcmp(v->o->trusted[t].name, k->name) == 0;
		v->n_keys++;
		i = (size_t)(end - b.p) + 1;
	}
	if (v->n_keys == 0)
		return verify_bad(v, UINT64_MAX, "log.vkey", 0, "expected verifier keys");
	if (!trusted)
		return verify_bad(v, UINT64_MAX, "log.vkey", 0, "expected one of the keys that were given");
	v->key = v->n_keys - 1;
	return 0;
}

/* Signature lines behind the blank line. */
static size_t signature_lines(str text)
{
	size_t n = 0;
	bool body = true;

	for (size_t i = 0; i < text.n;) {
		const char *end = memchr(text.p + i, '\n', text.n - i);
		size_t len = end ? (size_t)(end - text.p) - i : text.n - i;

		if (body && len == 0)
			body = false;
		else if (!body)
			n++;
		i += len + 1;
	}
	return n;
}

static int add_checkpoint(struct verifier *v, str text, const char *file, bool outside)
{
	struct signed_size *grown = reallocarray(v->sizes, v->n_sizes + 1, sizeof(*grown)), *s;
	int r;

	if (!grown)
		return evidence_fail(-ENOMEM, "no memory");
	v->sizes = grown;
	s = &v->sizes[v->n_sizes];
	*s = (struct signed_size){ .outside = outside };
	snprintf(s->file, sizeof(s->file), "%s", file);
	r = checkpoint_parse(text, v->keys, v->n_keys, &s->c, &s->signed_by);
	if (r == -ENOMEM)
		return evidence_fail(r, "no memory");
	if (r < 0 || strcmp(s->c.origin, v->keys[0].name) != 0)
		return verify_bad(v, UINT64_MAX, file, 0, "expected a checkpoint of this log with a valid signature");
	/* A line by a key that nobody knows would be bytes that nobody checks. */
	if (!outside && signature_lines(text) != (size_t)__builtin_popcountll(s->signed_by))
		return verify_bad(v, UINT64_MAX, file, 0, "expected signatures by keys of log.vkey only");
	v->n_sizes++;
	v->ret->checkpoints += !outside;
	return 0;
}

static int by_size(const void *a, const void *b)
{
	const struct signed_size *x = a, *y = b;

	return x->c.size < y->c.size ? -1 : x->c.size > y->c.size;
}

static int load_kept(struct verifier *v)
{
	_cleanup_close_ int fd = openat(v->log_fd, "checkpoints", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	uint64_t *list = NULL;
	size_t n = 0;
	int r;

	if (fd < 0)
		return errno == ENOENT ? 0 : evidence_fail(-errno, "log/checkpoints: %s", strerror(errno));
	r = logdir_numbers(fd, "", &list, &n);
	for (size_t i = 0; r == 0 && i < n; i++) {
		_cleanup_buf_ struct buf b = BUF_INIT;
		char name[LOGDIR_NAME_MAX], file[64];

		logdir_number_name(name, list[i]);
		snprintf(file, sizeof(file), "checkpoints/%s", name);
		r = read_file(fd, name, TEXT_MAX, &b);
		if (r == 0)
			r = add_checkpoint(v, buf_str(&b), file, false);
		if (r == 0 && v->sizes[v->n_sizes - 1].c.size != list[i])
			r = verify_bad(v, UINT64_MAX, file, 0, "expected the size that the file is named by");
	}
	free(list);
	return r;
}

int verify_checkpoints_load(struct verifier *v)
{
	_cleanup_buf_ struct buf b = BUF_INIT;
	uint64_t newest = 0;
	int r = load_kept(v); /* the kept ones first: a live writer keeps one only when a newer one takes its place */

	if (r < 0)
		return r;
	r = read_file(v->log_fd, "checkpoint", TEXT_MAX, &b);
	if (r == 0) {
		r = add_checkpoint(v, buf_str(&b), "checkpoint", false);
		newest = r == 0 ? v->sizes[v->n_sizes - 1].c.size : 0;
	} else if (r == -ENOENT) {
		r = 0;
	} else if (!evidence_is_damage(r)) {
		return evidence_fail(r, "log/checkpoint: %s", strerror(-r));
	} else {
		return verify_bad(v, UINT64_MAX, "checkpoint", 0, "expected a checkpoint that can be read");
	}
	for (size_t i = 0; r == 0 && i < v->n_sizes; i++)
		if (v->sizes[i].c.size > newest)
			r = verify_bad_rotating(v, UINT64_MAX, "checkpoint", 0, "expected a newest checkpoint not older than %s", v->sizes[i].file);
	if (r == 0 && v->o->since_checkpoint.n)
		r = add_checkpoint(v, v->o->since_checkpoint, "the checkpoint that was given", true);
	if (r == 0 && v->n_sizes)
		qsort(v->sizes, v->n_sizes, sizeof(*v->sizes), by_size);
	return r;
}

int verify_key_leaf(struct verifier *v, const struct leaf *l)
{
	if (memcmp(l->hash2, v->keys[v->key].public_key, 32) != 0)
		return verify_bad(v, v->next, v->file, v->byte, "expected the key in force as the one before");
	if (v->key == 0 || memcmp(l->hash, v->keys[v->key - 1].public_key, 32) != 0)
		return verify_bad_rotating(v, v->next, v->file, v->byte, "expected the new key to stand in log.vkey");
	v->rotations[v->n_rotations++] = (struct rotation){ v->next, v->key, v->key - 1 };
	v->key--;
	return 0;
}

int verify_size_reached(struct verifier *v)
{
	for (; v->size_at < v->n_sizes && v->sizes[v->size_at].c.size <= v->next; v->size_at++) {
		struct signed_size *s = &v->sizes[v->size_at];
		uint64_t before = v->size_at ? v->sizes[v->size_at - 1].c.size : 0;
		hash32 root;

		merkle_root(v->tree, &root);
		if (memcmp(root.b, s->c.root.b, 32) != 0)
			return verify_bad(v, before, s->file, 0, "the first %llu records are not those that it signs (they were up to record %llu)",
				(unsigned long long)s->c.size, (unsigned long long)before);
		s->reached = true;
	}
	return 0;
}

/* The key in force at a size: that of the last key leaf before it. */
static size_t key_at(const struct verifier *v, uint64_t size)
{
	size_t key = v->n_keys - 1;

	for (size_t i = 0; i < v->n_rotations && v->rotations[i].index < size; i++)
		key = v->rotations[i].to;
	return key;
}

static int verify_rotation(struct verifier *v, const struct rotation *r)
{
	uint64_t both = (uint64_t)1 << r->from | (uint64_t)1 << r->to;

	for (size_t i = 0; i < v->n_sizes; i++) {
		const struct signed_size *s = &v->sizes[i];

		if (s->c.size <= r->index)
			continue;
		if ((s->signed_by & both) == both)
			return 0;
		/* The one that both signed is kept, and may have come between our look at the kept ones and that at the newest. */
		v->rotating |= strcmp(s->file, "checkpoint") == 0;
		return verify_bad(v, r->index, s->file, 0, "expected signatures by the old and the new key on the first checkpoint after a rotation");
	}
	return verify_bad_rotating(v, r->index, "checkpoint", 0, "expected a checkpoint signed by the old and the new key");
}

int verify_signatures(struct verifier *v)
{
	int r = 0;

	if (v->key != 0)
		return verify_bad(v, UINT64_MAX, "log.vkey", 0, "expected only keys that the log introduces");
	if (v->n_sizes == 0 && (v->next || v->begun))
		return verify_bad(v, UINT64_MAX, "checkpoint", 0, "expected a checkpoint (the file is gone)");
	for (size_t i = 0; i < v->n_sizes; i++) {
		const struct signed_size *s = &v->sizes[i];

		if (!s->reached)
			return verify_bad(v, v->next, s->file, 0, "expected %llu records, found %llu: the log was cut off or rolled back",
				(unsigned long long)s->c.size, (unsigned long long)v->next);
		if (!(s->signed_by >> key_at(v, s->c.size) & 1))
			return verify_bad(v, UINT64_MAX, s->file, 0, "expected the signature of the key in force");
	}
	for (size_t i = 0; r == 0 && i < v->n_rotations; i++)
		r = verify_rotation(v, &v->rotations[i]);
	return r;
}
