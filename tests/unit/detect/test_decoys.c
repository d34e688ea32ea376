/* Decoys: the list from its settings, what is a touch and what is excused; plans that follow a share; documents of every format and
 * size. */
#include "../test.h"

#include <errno.h>
#include <stdio.h>

#include "base/timefmt.h"
#include "detect/decoy_make.h"
#include "detect/decoys.h"

static void plant(struct decoys *d, uint64_t seq, const char *id, const char *path, uint64_t ino, uint8_t hash)
{
	struct decoy c = { .path = (char *)(uintptr_t)path, .object = { 3, ino, 7 }, .has_object = ino != 0, .bytes = 5 };
	_cleanup_buf_ struct buf b = BUF_INIT;

	snprintf(c.id, sizeof(c.id), "%16s", id);
	memset(c.document, hash, sizeof(c.document));
	decoy_put_planted(&b, &c);
	assert_int_equal(decoys_setting(d, seq, 1000, buf_str(&b)), 1);
}

static struct event event_at(uint64_t seq, enum event_verb verb, const char *path)
{
	struct event e = { .seq = seq, .time = 5, .verb = verb, .path = str_c(path), .person = STR("clerk") };

	event_set(&e, EV_PERSON);
	if (path)
		event_set(&e, EV_PATH);
	return e;
}

static enum decoy_touch touch(const struct decoys *d, const struct event *e)
{
	return decoys_touch(d, e, 900);
}

static void known_by(void **state)
{
	_cleanup_decoys_ struct decoys *d = decoys_new();
	_cleanup_buf_ struct buf b = BUF_INIT;
	struct event e;

	plant(d, 10, "a", "/s/a.txt", 41, 1);
	plant(d, 11, "b", "/s/b.txt", 42, 2);
	assert_int_equal(decoys_standing(d), 2);
	e = event_at(20, VERB_READ, "/s/a.txt");
	assert_int_equal(touch(d, &e), DECOY_TOUCHED);
	e.seq = 10; /* before it was one */
	assert_int_equal(touch(d, &e), DECOY_NONE);
	e = event_at(20, VERB_READ, "/s/else.txt");
	assert_int_equal(touch(d, &e), DECOY_NONE);
	/* By its object, whatever its name. */
	e.object = (struct event_object){ 3, 42, 7 };
	event_set(&e, EV_OBJECT);
	assert_int_equal(touch(d, &e), DECOY_TOUCHED);
	e.object.gen = 8; /* the inode's next life */
	assert_int_equal(touch(d, &e), DECOY_NONE);
	/* By its content. */
	memset(e.document, 2, sizeof(e.document));
	event_set(&e, EV_DOCUMENT);
	assert_int_equal(touch(d, &e), DECOY_TOUCHED);
	/* What stands at its path is another document now; on another device that cannot be said. */
	e = event_at(20, VERB_READ, "/s/a.txt");
	e.object = (struct event_object){ 3, 99, 7 };
	event_set(&e, EV_OBJECT);
	assert_int_equal(touch(d, &e), DECOY_NONE);
	e.object.dev = 4;
	assert_int_equal(touch(d, &e), DECOY_TOUCHED);
	/* As a scan found out later: this record, and no other. */
	e = event_at(20, VERB_READ, "/s/copy.txt");
	assert_int_equal(touch(d, &e), DECOY_NONE);
	for (uint64_t seq = 40; seq > 0; seq -= 10)
		assert_int_equal(decoys_mark(d, seq), 0);
	assert_int_equal(decoys_mark(d, 20), 0);
	assert_int_equal(touch(d, &e), DECOY_TOUCHED);
	e.seq = 21;
	assert_int_equal(touch(d, &e), DECOY_NONE);
	assert_ptr_equal(decoys_standing_at(d, decoys_at(d, 1)->document, 20), decoys_at(d, 1));
	assert_null(decoys_standing_at(d, decoys_at(d, 1)->document, 11));
	/* Where something went. */
	e = event_at(20, VERB_COPY, "/s/else.txt");
	e.to = STR("/s/b.txt");
	event_set(&e, EV_TO);
	assert_int_equal(touch(d, &e), DECOY_TOUCHED);
	/* Removed: none from there on. */
	decoy_put_removed(&b, decoys_path(d, STR("/s/a.txt")));
	assert_int_equal(decoys_setting(d, 30, 2000, buf_str(&b)), 1);
	assert_int_equal(decoys_standing(d), 1);
	assert_null(decoys_path(d, STR("/s/a.txt")));
	e = event_at(29, VERB_READ, "/s/a.txt");
	assert_int_equal(touch(d, &e), DECOY_TOUCHED);
	e.seq = 31;
	assert_int_equal(touch(d, &e), DECOY_NONE);
	assert_non_null(decoys_document(d, decoys_at(d, 0)->document));
	/* And planted there again. */
	plant(d, 40, "c", "/s/a.txt", 41, 1);
	e.seq = 41;
	assert_int_equal(touch(d, &e), DECOY_TOUCHED);
}

static void excused(void **state)
{
	_cleanup_decoys_ struct decoys *d = decoys_new();
	struct event e;

	plant(d, 10, "a", "/s/a.txt", 41, 1);
	e = event_at(20, VERB_READ, "/s/a.txt");
	e.person = STR("backup");
	assert_int_equal(touch(d, &e), DECOY_EXCUSED_TOUCH);
	assert_int_equal(decoys_setting(d, 21, 0, STR("decoy.excused = night scan /usr/bin/borg")), 1);
	assert_int_equal(touch(d, &e), DECOY_TOUCHED);
	e.person = STR("scan");
	assert_int_equal(touch(d, &e), DECOY_EXCUSED_TOUCH);
	e.person = STR("scan ");
	assert_int_equal(touch(d, &e), DECOY_TOUCHED);
	/* A program excuses nobody who is known, and nobody but root. */
	e.program = STR("/usr/bin/borg");
	event_set(&e, EV_PROGRAM);
	event_set(&e, EV_UID);
	e.person = STR("clerk");
	assert_int_equal(touch(d, &e), DECOY_TOUCHED);
	e.present &= ~EV_BIT(EV_PERSON);
	assert_int_equal(touch(d, &e), DECOY_EXCUSED_TOUCH);
	e.uid = 1000;
	assert_int_equal(touch(d, &e), DECOY_TOUCHED);
	/* Tyto's own, as root or as the state's owner. */
	e.program = STR("/usr/bin/tyto");
	assert_int_equal(touch(d, &e), DECOY_TOUCHED);
	e.uid = 900;
	assert_int_equal(touch(d, &e), DECOY_EXCUSED_TOUCH);
	e.program = STR("/usr/bin/pdftotext");
	assert_int_equal(touch(d, &e), DECOY_TOUCHED);
	e.parents[0] = STR("/usr/libexec/tyto/tyto-extract");
	e.n_parents = 1;
	event_set(&e, EV_PARENTS);
	assert_int_equal(touch(d, &e), DECOY_EXCUSED_TOUCH);
	e.uid = 0;
	e.verb = VERB_GAP;
	assert_int_equal(touch(d, &e), DECOY_NONE);
}

static void what_is_no_setting(void **state)
{
	static const char *const none[] = { "rules = /x", "decoy.plant", "decoy.excuse = a" };
	static const char *const bad[] = { "decoy.planted = ", "decoy.planted = {", "decoy.planted = []", "decoy.planted = {\"id\":\"x\"}",
		"decoy.removed = {}",
		"decoy.planted = {\"id\":\"0123456789abcdef\",\"path\":\"relative\",\"document\":\"sha256:00\"}", "decoy.removed = {\"id\":7}" };
	_cleanup_decoys_ struct decoys *d = decoys_new();

	for (size_t i = 0; i < ARRAY_SIZE(none); i++)
		assert_int_equal(decoys_setting(d, i, 0, str_c(none[i])), 0);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_int_equal(decoys_setting(d, i, 0, str_c(bad[i])), 1);
	assert_int_equal(decoys_count(d), 0);
	for (uint64_t i = 0; i < DECOYS_MAX + 5; i++) {
		char path[32], id[17];

		snprintf(path, sizeof(path), "/s/%llu", (unsigned long long)i);
		snprintf(id, sizeof(id), "%llx", (unsigned long long)i);
		plant(d, i, id, path, 100 + i, 9);
	}
	assert_int_equal(decoys_standing(d), DECOYS_MAX);
}

/* --- plans --- */

static void a_share(struct decoy_share *s, const char *const *names, size_t n_names, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		struct decoy_sample one = { .bytes = 900 + (uint64_t)i * i % 90001 + i * 31, .modified = (int64_t)(1600000000 + i * 86400) * NSEC_PER_SEC,
			.uid = 1000 + (uint32_t)(i % 3), .gid = 50, .mode = 0640 };
		char name[256];

		snprintf(name, sizeof(name), "%04zu-%s", i, names[i % n_names]);
		assert_int_equal(decoy_share_add(s, i < n / 2 ? "" : "sub", name, &one), 0);
	}
}

static int cmp(const void *a, const void *b)
{
	const double *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

/* The largest distance of two distributions. */
static double kolmogorov(double *a, size_t n, double *b, size_t m)
{
	double most = 0;
	size_t i = 0, j = 0;

	qsort(a, n, sizeof(*a), cmp);
	qsort(b, m, sizeof(*b), cmp);
	while (i < n && j < m) {
		double x = MIN(a[i], b[j]), d;

		while (i < n && a[i] <= x)
			i++;
		while (j < m && b[j] <= x)
			j++;
		d = (double)i / (double)n - (double)j / (double)m;
		most = MAX(most, d < 0 ? -d : d);
	}
	return most;
}

static void follows_the_share(void **state)
{
	static const char *const names[] = { "Report_final.docx", "plan.txt", "BUDGET.xlsx", "photo.jpg", "Report_new.docx" };
	enum { N = 500, K = 50 };
	struct decoy_share s = { 0 };
	struct decoy_plan *v = NULL;
	double sizes[2][N], dates[2][N];
	size_t counts[DECOY_FORMATS_] = { 0 };
	int64_t now = (int64_t)1700000000 * NSEC_PER_SEC;

	a_share(&s, names, ARRAY_SIZE(names), N);
	assert_int_equal(s.others, N / 5);
	assert_int_equal(s.n, N - N / 5);
	assert_int_equal(decoy_plan(&s, K, now, &v), K);
	for (size_t i = 0; i < s.n; i++) {
		sizes[0][i] = (double)s.v[i].bytes;
		dates[0][i] = (double)s.v[i].modified;
	}
	for (size_t i = 0; i < K; i++) {
		sizes[1][i] = (double)v[i].bytes;
		dates[1][i] = (double)v[i].modified;
		counts[v[i].format]++;
		assert_true(v[i].modified < now && v[i].mode == 0640 && v[i].uid >= 1000 && v[i].uid < 1003);
		assert_null(strstr(v[i].name, "Report"));
		for (size_t k = 0; k < i; k++)
			assert_true(v[i].folder != v[k].folder || strcmp(v[i].name, v[k].name) != 0);
	}
	/* Strata: far nearer than chance would have it (0.24 at the level of 0.01). */
	assert_true(kolmogorov(sizes[0], s.n, sizes[1], K) < 0.15);
	assert_true(kolmogorov(dates[0], s.n, dates[1], K) < 0.15);
	assert_in_range(counts[DECOY_DOCX], 24, 26);
	assert_in_range(counts[DECOY_TXT], 12, 13);
	assert_in_range(counts[DECOY_XLSX], 12, 13);
	decoy_plans_free(v, K);
	decoy_share_free(&s);
	assert_int_equal(decoy_plan(&s, K, now, &v), -ENOENT);
}

static void names_like_theirs(void **state)
{
	static const struct { const char *like, *shape; enum decoy_language l; } cases[] = {
		{ "Offer_Invoice-2024-03_v2.docx", "^_^-2021-05_v2.docx", DECOY_ENGLISH },
		{ "MINUTES 20240311 FINAL.txt", "@ 20210517 FINAL.txt", DECOY_ENGLISH },
		{ "quarterlyForecast.xlsx", "~^.xlsx", DECOY_ENGLISH },
		{ "Prüfbericht 2024.pdf", "^ 2021.pdf", DECOY_GERMAN },
		{ "契約書_2024年3月.pdf", "漢_2021年3月.pdf", DECOY_JAPANESE },
		{ ".hidden.txt", ".~.txt", DECOY_ENGLISH },
	};
	int64_t t;

	assert_int_equal(time_parse(STR("2021-05-17T12:00:00Z"), &t), 0);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_buf_ struct buf name = BUF_INIT;
		const char *want = cases[i].shape, *got;

		assert_int_equal(decoy_language_of(str_c(cases[i].like), DECOY_ENGLISH), cases[i].l);
		assert_int_equal(decoy_name(cases[i].like, cases[i].l, t, &name), 0);
		got = buf_cstr(&name);
		/* @ a word in capitals, ^ one with a capital, ~ one in small letters; the rest as it stands. */
		while (*want) {
			bool upper = *want == '@', title = *want == '^';

			if (strncmp(want, "漢", 3) == 0) {
				assert_true((unsigned char)*got >= 0xe3);
				while ((unsigned char)*got >= 0x80 && strncmp(got, "年", 3) != 0)
					got++;
				want += 3;
			} else if (strchr("@^~", *want)) {
				assert_true(upper || title ? *got >= 'A' && *got <= 'Z' : *got >= 'a' && *got <= 'z');
				got++;
				while (upper ? *got >= 'A' && *got <= 'Z' : *got >= 'a' && *got <= 'z')
					got++;
				want++;
			} else {
				assert_int_equal(*got, *want);
				got++;
				want++;
			}
		}
		assert_int_equal(*got, 0);
	}
}

static void every_format(void **state)
{
	static const uint64_t sizes[] = { 1, 120, 900, 6000, 30000, 400000 };
	static const char *const begins[DECOY_FORMATS_] = { [DECOY_HTML] = "<!DOCTYPE", [DECOY_RTF] = "{\\rtf1", [DECOY_DOCX] = "PK",
		[DECOY_XLSX] = "PK",
		[DECOY_ODT] = "PK", [DECOY_PDF] = "%PDF-1.4" };

	for (unsigned f = 0; f < DECOY_FORMATS_; f++)
		for (unsigned l = 0; l < DECOY_LANGUAGES_; l++)
			for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
				const struct decoy_wish w = { f, l, sizes[i], (int64_t)1600000000 * NSEC_PER_SEC };
				_cleanup_buf_ struct buf b = BUF_INIT;
				double off;

				assert_int_equal(decoy_make(&w, &b), 0);
				assert_true(b.n > 0);
				if (begins[f])
					assert_true(str_starts(buf_str(&b), str_c(begins[f])));
				else
					assert_true(str_utf8_valid(buf_str(&b)));
				off = ((double)b.n - (double)sizes[i]) / (double)sizes[i];
				if (sizes[i] >= 6000 && (off < -0.2 || off > 0.15))
					fail_msg("format %u, language %u: %zu bytes instead of %llu", f, l, b.n, (unsigned long long)sizes[i]);
				assert_true(b.n < sizes[i] + 4500 || off < 0.15);
			}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(known_by), cmocka_unit_test(excused), cmocka_unit_test(what_is_no_setting), cmocka_unit_test(follows_the_share),
		cmocka_unit_test(names_like_theirs), cmocka_unit_test(every_format),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
