/* What can be done to the files of a log without its key: cut, frames dropped, doubled, reordered, inserted, rolled back, forked, files removed. */
#include "torture_log.h"

#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <sys/stat.h>

#include "evidence/frame.h"
#include "evidence/names_file.h"
#include "evidence/vfs.h"

#define DAY (86400 * NSEC_PER_SEC)

static bool damaged(const char *state, str since, struct verify_result *v)
{
	const struct verify_options o = { .since_checkpoint = since };
	int r = evidence_verify(state, &o, v);

	if (r == -EUCLEAN || r == -ESTALE)
		return true;
	if (r != 0)
		fail_msg("verify: %s", evidence_why());
	return v->damaged;
}

static void sound(const struct fixture *f)
{
	struct verify_result v;

	if (damaged(f->state, STR_NONE, &v))
		fail_msg("%s: %s", v.where, v.what);
}

static void path_of(const struct fixture *f, const char *name, char out[static 256])
{
	snprintf(out, 256, "%s/%s", f->state, name);
}

static void load(const struct fixture *f, const char *name, struct buf *ret)
{
	char path[256];

	path_of(f, name, path);
	buf_clear(ret);
	assert_int_equal(read_file(AT_FDCWD, path, 1 << 26, ret), 0);
}

static void store(const struct fixture *f, const char *name, str bytes)
{
	char path[256];
	FILE *out;

	path_of(f, name, path);
	out = fopen(path, "we");
	assert_non_null(out);
	assert_int_equal(fwrite(bytes.p, 1, bytes.n, out), bytes.n);
	assert_int_equal(fclose(out), 0);
}

/* The one file of a pattern. */
static void only(const struct fixture *f, const char *pattern, char out[static 64])
{
	char path[256];
	glob_t g;

	path_of(f, pattern, path);
	assert_int_equal(glob(path, 0, NULL, &g), 0);
	assert_int_equal(g.gl_pathc, 1);
	snprintf(out, 64, "%s", g.gl_pathv[0] + strlen(f->state) + 1);
	globfree(&g);
}

static void make(const struct fixture *f)
{
	struct evidence *e = fixture_open(f);

	fixture_fill(e, 0, 4200, 600);
	assert_int_equal(evidence_checkpoint(e, RICH_TIME), 0);
	fixture_fill(e, 4200, 4230, 5);
	assert_int_equal(evidence_checkpoint(e, RICH_TIME + 2 * DAY), 0);
	evidence_close(e);
}

static void cut(void **state)
{
	static const char *const patterns[] = { "log/journal-*", "log/segment-*", "log/names-*", "log/log.vkey", "log/checkpoint", "log/checkpoints/*",
		"log/reserve", "VERSION" };
	struct fixture f;

	fixture_begin(&f);
	make(&f);
	sound(&f);
	for (size_t i = 0; i < ARRAY_SIZE(patterns); i++) {
		_cleanup_buf_ struct buf b = BUF_INIT;
		char name[64];

		only(&f, patterns[i], name);
		load(&f, name, &b);
		for (size_t n = 0; n < b.n; n += n < 80 || n + 80 > b.n ? 1 : MAX(b.n / 60, (size_t)1)) {
			struct verify_result v;

			store(&f, name, (str){ b.p, n });
			if (!damaged(f.state, STR_NONE, &v))
				fail_msg("%s cut to %zu of %zu bytes: not found", name, n, b.n);
		}
		/* And something behind it. */
		buf_putc(&b, 'x');
		store(&f, name, buf_str(&b));
		if (i > 2) { /* behind journal, segment and names a crash may leave such a tail: the next start cuts it */
			struct verify_result v;

			if (!damaged(f.state, STR_NONE, &v))
				fail_msg("%s with a byte more: not found", name);
		}
		b.n--;
		store(&f, name, buf_str(&b));
		sound(&f);
	}
	fixture_end(&f);
}

/* --- frames --- */

struct piece {
	size_t from, to;
	uint64_t first;
};

static size_t pieces_of(bool journal, const struct buf *b, struct piece *ret, size_t max)
{
	const uint8_t *p = (const uint8_t *)b->p;
	size_t at = journal ? JOURNAL_HEADER : SEGMENT_HEADER, n = 0;
	struct frame fr;

	for (; at < b->n; at += fr.bytes) {
		assert_int_equal(journal ? journal_frame_parse(p + at, b->n - at, &fr) : segment_frame_parse(p + at, b->n - at, &fr), 0);
		assert_true(n < max);
		ret[n++] = (struct piece){ at, at + fr.bytes, fr.first };
	}
	return n;
}

enum change { DROP, DOUBLE, SWAP, MOVE_TO_END, CHANGES };

static void change_pieces(struct buf *out, const struct buf *in, const struct piece *p, size_t n, size_t i, enum change c)
{
	buf_clear(out);
	buf_put(out, in->p, p[0].from);
	for (size_t k = 0; k < n; k++) {
		size_t from = k;

		if ((c == DROP || c == MOVE_TO_END) && k == i)
			continue;
		if (c == SWAP && (k == i || k == i + 1))
			from = k == i ? i + 1 : i;
		buf_put(out, in->p + p[from].from, p[from].to - p[from].from);
		if (c == DOUBLE && k == i)
			buf_put(out, in->p + p[k].from, p[k].to - p[k].from);
	}
	if (c == MOVE_TO_END)
		buf_put(out, in->p + p[i].from, p[i].to - p[i].from);
}

static void frames(void **state)
{
	struct fixture f;

	fixture_begin(&f);
	make(&f);
	for (int journal = 0; journal < 2; journal++) {
		_cleanup_buf_ struct buf b = BUF_INIT, out = BUF_INIT;
		struct piece p[64];
		char name[64];
		size_t n;

		only(&f, journal ? "log/journal-*" : "log/segment-*", name);
		load(&f, name, &b);
		n = pieces_of(journal, &b, p, ARRAY_SIZE(p));
		assert_true(n >= 4);
		for (size_t i = 0; i + 1 < n; i++)
			for (enum change c = DROP; c < CHANGES; c++) {
				struct verify_result v;
				uint64_t want = c == DOUBLE ? p[i + 1].first : p[i].first;

				change_pieces(&out, &b, p, n, i, c);
				store(&f, name, buf_str(&out));
				if (!damaged(f.state, STR_NONE, &v))
					fail_msg("%s frame %zu change %d: not found", name, i, c);
				if (v.first_bad != want)
					fail_msg("%s frame %zu change %d: record %llu named, expected %llu", name, i, c, (unsigned long long)v.first_bad,
						(unsigned long long)want);
			}
		store(&f, name, buf_str(&b));
	}
	sound(&f);
	fixture_end(&f);
}

/* A frame that is sound in itself, in the place of another: only the tree tells. */
static void inserted(void **state)
{
	_cleanup_buf_ struct buf b = BUF_INIT, out = BUF_INIT;
	struct verify_result v;
	struct fixture f;
	struct piece p[64];
	struct frame fr;
	char name[64];
	size_t n;

	fixture_begin(&f);
	make(&f);
	only(&f, "log/journal-*", name);
	load(&f, name, &b);
	n = pieces_of(true, &b, p, ARRAY_SIZE(p));
	/* Behind the last checkpoint nothing is signed yet: a record added to the last frame stands there. */
	for (size_t i = 0; i + 1 < n; i++) {
		_cleanup_buf_ struct buf payload = BUF_INIT;
		str leaf = STR_NONE;
		size_t at = 0, start = 0;

		/* The same leaves, the last of them once more in the place of the one before: still canonical. */
		assert_int_equal(journal_frame_parse((const uint8_t *)b.p + p[i].from, b.n - p[i].from, &fr), 0);
		while (at < fr.length) {
			start = at;
			assert_int_equal(payload_next((str){ (const char *)fr.payload, fr.length }, &at, &leaf), 0);
		}
		buf_put(&payload, fr.payload, fr.length);
		buf_put(&payload, (const char *)fr.payload + start, fr.length - start);
		buf_clear(&out);
		buf_put(&out, b.p, p[i].from);
		journal_frame_put(&out, fr.first, fr.count + 1, buf_str(&payload));
		for (size_t k = i + 1; k < n; k++) {
			struct frame rest;

			assert_int_equal(journal_frame_parse((const uint8_t *)b.p + p[k].from, b.n - p[k].from, &rest), 0);
			journal_frame_put(&out, rest.first + 1, rest.count, (str){ (const char *)rest.payload, rest.length });
		}
		store(&f, name, buf_str(&out));
		if (!damaged(f.state, STR_NONE, &v))
			fail_msg("a record inserted into frame %zu: not found", i);
	}
	store(&f, name, buf_str(&b));
	sound(&f);
	fixture_end(&f);
}

/* --- whole files --- */

static void removed(void **state)
{
	static const struct {
		const char *pattern;
		bool allowed;
	} t[] = {
		{ "log/journal-*", false }, { "log/segment-*", false }, { "log/names-*", false }, { "log/log.vkey", false }, { "log/checkpoint", false },
		{ "VERSION", false },
		{ "log/checkpoints/*", true }, /* kept for the reader's use; the newest covers it */
		{ "log/tree-1", true },        /* derived */
		{ "log/reserve", true },       /* made again */
	};

	for (size_t i = 0; i < ARRAY_SIZE(t); i++) {
		struct verify_result v = { 0 };
		struct fixture f;
		char name[64], path[256];
		int r;
		const struct verify_options o = { 0 };

		fixture_begin(&f);
		make(&f);
		only(&f, t[i].pattern, name);
		path_of(&f, name, path);
		assert_int_equal(unlink(path), 0);
		r = evidence_verify(f.state, &o, &v);
		if ((r == 0 && !v.damaged) != t[i].allowed)
			fail_msg("%s removed: %s", name, t[i].allowed ? v.what : "not found");
		if (t[i].allowed) {
			evidence_close(fixture_open(&f));
			sound(&f);
		}
		fixture_end(&f);
	}
}

static void rolled_back(void **state)
{
	_cleanup_buf_ struct buf checkpoint = BUF_INIT;
	struct evidence_options o = { 0 };
	struct evidence *e;
	struct verify_result v;
	struct fixture f, old;

	fixture_begin(&f);
	old = f;
	snprintf(old.state, sizeof(old.state), "%s/old", f.dir);
	make(&f);
	fixture_copy(f.state, old.state);
	e = fixture_open(&f);
	fixture_fill(e, 4230, 4260, 5);
	evidence_close(e);
	load(&f, "log/checkpoint", &checkpoint);
	/* All files of before, and the checkpoint of now. */
	store(&old, "log/checkpoint", buf_str(&checkpoint));
	assert_true(damaged(old.state, STR_NONE, &v));
	assert_int_equal(evidence_open(old.state, &o, &e), -EUCLEAN);
	fixture_end(&f);
}

static void forked(void **state)
{
	_cleanup_buf_ struct buf before = BUF_INIT, kept = BUF_INIT, other = BUF_INIT;
	struct evidence *e;
	struct verify_result v;
	struct fixture f, fork;

	fixture_begin(&f);
	fork = f;
	snprintf(fork.state, sizeof(fork.state), "%s/fork", f.dir);
	make(&f);
	load(&f, "log/checkpoint", &before);
	fixture_copy(f.state, fork.state);
	e = fixture_open(&f);
	fixture_fill(e, 4230, 4260, 5);
	evidence_close(e);
	load(&f, "log/checkpoint", &kept);
	/* Somebody with the key writes another history. */
	e = fixture_open(&fork);
	fixture_fill(e, 5000, 5100, 5);
	evidence_close(e);
	assert_false(damaged(fork.state, STR_NONE, &v));
	assert_false(damaged(fork.state, buf_str(&before), &v));
	assert_true(damaged(fork.state, buf_str(&kept), &v));
	assert_true(v.first_bad >= 4230 && v.first_bad != UINT64_MAX);
	assert_false(damaged(f.state, buf_str(&kept), &v));
	/* A checkpoint that nobody signed, and one of another log. */
	buf_puts(&other, buf_str(&kept));
	other.p[other.n - 10] ^= 1;
	assert_true(damaged(f.state, buf_str(&other), &v));
	fixture_end(&f);
}

/* The last name of all is the empty text: it stands at the very end of its file. */
static void empty_last(void **state)
{
	struct event ev = { .time = RICH_TIME, .verb = VERB_EXEC, .command = STR(""), .present = EV_BIT(EV_TIME) | EV_BIT(EV_VERB) | EV_BIT(EV_COMMAND) };
	struct fixture f;
	struct evidence *e;

	fixture_begin(&f);
	e = fixture_open(&f);
	for (int i = 0; i < 3; i++) {
		assert_int_equal(evidence_append_event(e, &ev, NULL), 0);
		assert_int_equal(evidence_commit(e), 0);
		assert_true(names_count(evidence_names(e), NAME_TEXT) == 1);
		evidence_close(e);
		sound(&f);
		e = fixture_open(&f);
	}
	evidence_close(e);
	fixture_end(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(cut), cmocka_unit_test(frames), cmocka_unit_test(inserted), cmocka_unit_test(removed),
		cmocka_unit_test(rolled_back), cmocka_unit_test(forked), cmocka_unit_test(empty_last) };
	return cmocka_run_group_tests(tests, NULL, NULL);
}
