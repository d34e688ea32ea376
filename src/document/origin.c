/* Recording facts once, and whether a content is of outside origin: a law, a form, a template is no evidence of a leak. */
#include <errno.h>

#include "document/inventory_private.h"

static bool below_any(str path, char *const *roots, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		str root = str_c(roots[i]);

		if (str_starts(path, root) && (root.n == 1 || path.n == root.n || path.p[root.n] == '/'))
			return true;
	}
	return false;
}

static uint64_t key_of(const struct inventory *inv, const uint8_t hash[static 32])
{
	return seen_key(&inv->contents, (str){ (const char *)hash, 32 });
}

bool inventory_recorded(const struct inventory *inv, const uint8_t hash[static 32])
{
	return seen_get(&inv->contents, key_of(inv, hash)) / CONTENT_PASS == inv->pass;
}

/* A content may stand in several places: one below the public paths decides for all, then one below the others, then what was said before.
 * `before` is what the table has; what this run has recorded is not in it yet. */
static uint8_t decide(const struct inventory *inv, str path, uint8_t was, bool before)
{
	const struct inventory_config *c = inv->c;

	if (below_any(path, c->public_paths, c->n_public))
		return CONTENT_PUBLIC | CONTENT_DECIDED;
	if (was & CONTENT_DECIDED)
		return was & (CONTENT_PUBLIC | CONTENT_DECIDED);
	if (below_any(path, c->private_paths, c->n_private))
		return CONTENT_DECIDED;
	return was ? was & CONTENT_PUBLIC : before ? CONTENT_PUBLIC : 0;
}

static bool in_table(struct inventory *inv, const uint8_t hash[static 32])
{
	_cleanup_buf_ struct buf scratch = BUF_INIT;
	struct facts f;

	return documents_facts(inv->c->documents, hash, &scratch, &f) == 0 && f.public_;
}

static int put(struct inventory *inv, struct facts *f, uint8_t now, bool before)
{
	int r;

	f->public_ = now & CONTENT_PUBLIC;
	inv->counts.public_ += f->public_ && !before;
	inv->counts.not_public += !f->public_ && before;
	r = inv->c->ops->document(inv->c->arg, f);
	return r < 0 ? r : seen_put(&inv->contents, key_of(inv, f->hash), (uint8_t)(now | inv->pass * CONTENT_PASS));
}

int inventory_record(struct inventory *inv, str path, struct facts *f)
{
	uint8_t was = seen_get(&inv->contents, key_of(inv, f->hash)), now;
	bool before = was ? was & CONTENT_PUBLIC : in_table(inv, f->hash);

	now = decide(inv, path, was, before);
	f->public_ = now & CONTENT_PUBLIC;
	if (was / CONTENT_PASS == inv->pass && f->public_ == before)
		return 0;
	return put(inv, f, now, before);
}

/* --- what is known already --- */

static int change(struct inventory *inv, str path, struct facts *f)
{
	uint8_t was = seen_get(&inv->contents, key_of(inv, f->hash)), now;
	bool before = was ? was & CONTENT_PUBLIC : f->public_;

	now = decide(inv, path, was, before);
	f->public_ = now & CONTENT_PUBLIC;
	return f->public_ == before ? 0 : put(inv, f, now, before);
}

struct parts {
	struct inventory *inv;
	str path;
	struct buf scratch;
};

static int change_part(void *arg, const struct place *p)
{
	struct parts *x = arg;
	struct facts f;

	if (p->has_stat || !p->has_document || documents_facts(x->inv->c->documents, p->document, &x->scratch, &f) < 0)
		return 0;
	return change(x->inv, x->path, &f);
}

int inventory_origin(struct inventory *inv, str path, struct facts *f)
{
	const struct inventory_config *c = inv->c;
	struct parts x = { .inv = inv, .path = path };
	int r;

	if (c->n_public + c->n_private == 0)
		return 0;
	r = change(inv, path, f);
	if (r == 0 && (below_any(path, c->public_paths, c->n_public) || below_any(path, c->private_paths, c->n_private)))
		r = documents_places(c->documents, path, false, change_part, &x);
	buf_free(&x.scratch);
	return r;
}
