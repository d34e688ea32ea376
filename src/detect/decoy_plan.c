/* Drawing from what is there: each format gets its share, sizes and dates are drawn by strata, so that even a few follow the whole. */
#include "detect/decoy_plan.h"

#include <errno.h>
#include <strings.h>

#include "base/array.h"

#define TRIES 40
#define JITTER_S (36 * 3600)

static const struct { const char *extension; enum decoy_format format; } formats[] = {
	{ ".txt", DECOY_TXT }, { ".md", DECOY_TXT }, { ".log", DECOY_TXT }, { ".csv", DECOY_CSV }, { ".html", DECOY_HTML }, { ".htm", DECOY_HTML },
	{ ".rtf", DECOY_RTF }, { ".docx", DECOY_DOCX }, { ".xlsx", DECOY_XLSX }, { ".odt", DECOY_ODT }, { ".pdf", DECOY_PDF },
};

static size_t extension_of(str name)
{
	for (size_t i = 0; i < ARRAY_SIZE(formats); i++) {
		size_t n = strlen(formats[i].extension);

		if (name.n > n && strncasecmp(name.p + name.n - n, formats[i].extension, n) == 0)
			return i;
	}
	return ARRAY_SIZE(formats);
}

bool decoy_format_of(str name, enum decoy_format *ret)
{
	size_t i = extension_of(name);

	if (i == ARRAY_SIZE(formats))
		return false;
	*ret = formats[i].format;
	return true;
}

void decoy_share_free(struct decoy_share *s)
{
	for (size_t i = 0; i < s->n_folders; i++)
		free(s->folders[i]);
	for (size_t i = 0; i < s->n; i++)
		free(s->v[i].name);
	free(s->folders);
	free(s->v);
	*s = (struct decoy_share){ 0 };
}

/* Files come folder by folder, so that it is the last one or a new one. */
static int folder_number(struct decoy_share *s, const char *folder, uint32_t *ret)
{
	if (s->n_folders && strcmp(s->folders[s->n_folders - 1], folder) == 0) {
		*ret = (uint32_t)s->n_folders - 1;
		return 0;
	}
	if (array_room(s->folders, s->cap_folders, s->n_folders + 1) < 0)
		return -ENOMEM;
	s->folders[s->n_folders] = strdup(folder);
	if (!s->folders[s->n_folders])
		return -ENOMEM;
	*ret = (uint32_t)s->n_folders++;
	return 0;
}

int decoy_share_add(struct decoy_share *s, const char *folder, const char *name, const struct decoy_sample *st)
{
	enum decoy_format format;
	uint32_t number;
	int r;

	if (!decoy_format_of(str_c(name), &format) || st->bytes > DECOY_BYTES_MAX || st->bytes == 0 || !str_utf8_valid(str_c(name)) ||
		!str_utf8_valid(str_c(folder)) || s->n == DECOY_SAMPLES_MAX) {
		s->others++;
		return 0;
	}
	r = folder_number(s, folder, &number);
	if (r < 0)
		return r;
	if (array_room(s->v, s->cap, s->n + 1) < 0)
		return -ENOMEM;
	s->v[s->n] = *st;
	s->v[s->n].folder = number;
	s->v[s->n].name = strdup(name);
	if (!s->v[s->n].name)
		return -ENOMEM;
	s->n++;
	return 0;
}

/* --- drawing --- */

struct drawing {
	const struct decoy_share *s;
	const struct decoy_sample **by_size, **by_date; /* of the extension at hand */
	size_t n;
};

static int cmp_size(const void *a, const void *b)
{
	const struct decoy_sample *const *x = a, *const *y = b;

	return (*x)->bytes < (*y)->bytes ? -1 : (*x)->bytes > (*y)->bytes;
}

static int cmp_date(const void *a, const void *b)
{
	const struct decoy_sample *const *x = a, *const *y = b;

	return (*x)->modified < (*y)->modified ? -1 : (*x)->modified > (*y)->modified;
}

/* A random one of stratum i of k. */
static const struct decoy_sample *draw(const struct decoy_sample **v, size_t n, size_t i, size_t k)
{
	double at = ((double)i + (double)decoy_random(1 << 20) / (1 << 20)) / (double)k;

	return v[MIN(n - 1, (size_t)(at * (double)n))];
}

/* How many decoys each extension gets: the largest remainders. */
static void apportion(const size_t *counts, size_t all, size_t n, size_t *ret)
{
	double rest[ARRAY_SIZE(formats)];
	size_t given = 0;

	for (size_t i = 0; i < ARRAY_SIZE(formats); i++) {
		double exact = (double)n * (double)counts[i] / (double)all;

		ret[i] = (size_t)exact;
		rest[i] = counts[i] ? exact - (double)ret[i] : -1;
		given += ret[i];
	}
	for (; given < n; given++) {
		size_t top = 0;

		for (size_t i = 1; i < ARRAY_SIZE(formats); i++)
			if (rest[i] > rest[top])
				top = i;
		ret[top]++;
		rest[top] -= 1;
	}
}

static bool taken(const struct decoy_share *s, const struct decoy_plan *v, size_t n, uint32_t folder, const char *name)
{
	for (size_t i = 0; i < s->n; i++)
		if (s->v[i].folder == folder && strcasecmp(s->v[i].name, name) == 0)
			return true;
	for (size_t i = 0; i < n; i++)
		if (v[i].folder == folder && strcasecmp(v[i].name, name) == 0)
			return true;
	return false;
}

/* A name like that of a neighbour with the same extension; the neighbour first drawn gives folder and owner. */
static int name_it(const struct drawing *d, struct decoy_plan *v, size_t at, const struct decoy_sample *first, enum decoy_language usual)
{
	struct decoy_plan *p = &v[at];

	for (int i = 0; i < TRIES; i++) {
		const struct decoy_sample *like = i == 0 ? first : d->by_size[decoy_random((uint32_t)d->n)];
		_cleanup_buf_ struct buf name = BUF_INIT;
		int r;

		if (i > 0 && i < TRIES / 2 && like->folder != p->folder)
			continue;
		p->language = decoy_language_of(str_c(like->name), usual);
		r = decoy_name(like->name, p->language, p->modified, &name);
		if (r < 0 || !buf_cstr(&name))
			return r < 0 ? r : -ENOMEM;
		if (name.n > 200 || taken(d->s, v, at, p->folder, name.p))
			continue;
		p->name = strdup(name.p);
		return p->name ? 0 : -ENOMEM;
	}
	return -EEXIST;
}

static enum decoy_language usual_language(const struct decoy_share *s)
{
	size_t counts[DECOY_LANGUAGES_] = { 0 }, top = 0;

	for (size_t i = 0; i < s->n; i++)
		counts[decoy_language_of(str_c(s->v[i].name), DECOY_ENGLISH)]++;
	/* English is also what says nothing: one in ten of another decides. */
	for (size_t l = DECOY_ENGLISH + 1; l < DECOY_LANGUAGES_; l++)
		if (counts[l] * 10 >= s->n && (top == 0 || counts[l] > counts[top]))
			top = l;
	return (enum decoy_language)top;
}

static int64_t near(int64_t modified, int64_t now)
{
	int64_t t = modified + ((int64_t)decoy_random(2 * JITTER_S) - JITTER_S) * NSEC_PER_SEC + decoy_random(1000000000);

	return MIN(t, now - (int64_t)(3600 + decoy_random(7200)) * NSEC_PER_SEC);
}

static int draw_all(struct drawing *d, size_t k, int64_t now, enum decoy_language usual, struct decoy_plan *v, size_t *n)
{
	size_t *order = calloc(k, sizeof(*order));
	int r = 0;

	if (!order)
		return -ENOMEM;
	for (size_t i = 0; i < k; i++) {
		size_t j = decoy_random((uint32_t)i + 1);

		order[i] = order[j];
		order[j] = i;
	}
	for (size_t i = 0; i < k && r == 0; i++) {
		const struct decoy_sample *like = draw(d->by_size, d->n, i, k), *date = draw(d->by_date, d->n, order[i], k);
		struct decoy_plan *p = &v[*n];

		*p = (struct decoy_plan){ .folder = like->folder, .bytes = like->bytes, .modified = near(date->modified, now), .uid = like->uid,
			.gid = like->gid, .mode = like->mode };
		decoy_format_of(str_c(like->name), &p->format);
		/* Not twice the same size to the byte. */
		p->bytes += p->bytes / 200 ? decoy_random((uint32_t)(p->bytes / 200)) : 0;
		r = name_it(d, v, *n, like, usual);
		if (r == 0)
			(*n)++;
		else if (r == -EEXIST)
			r = 0;
	}
	free(order);
	return r;
}

int decoy_plan(const struct decoy_share *s, size_t n, int64_t now, struct decoy_plan **ret)
{
	size_t counts[ARRAY_SIZE(formats)] = { 0 }, parts[ARRAY_SIZE(formats)], made = 0;
	struct drawing d = { .s = s };
	struct decoy_plan *v;
	int r = 0;

	if (s->n == 0 || n == 0)
		return -ENOENT;
	v = calloc(n, sizeof(*v));
	d.by_size = calloc(s->n, sizeof(*d.by_size));
	d.by_date = calloc(s->n, sizeof(*d.by_date));
	if (!v || !d.by_size || !d.by_date)
		r = -ENOMEM;
	for (size_t i = 0; i < s->n; i++)
		counts[extension_of(str_c(s->v[i].name))]++;
	apportion(counts, s->n, n, parts);
	for (size_t f = 0; f < ARRAY_SIZE(formats) && r == 0; f++) {
		d.n = 0;
		if (!parts[f])
			continue;
		for (size_t i = 0; i < s->n; i++)
			if (extension_of(str_c(s->v[i].name)) == f)
				d.by_size[d.n] = d.by_date[d.n] = &s->v[i], d.n++;
		qsort(d.by_size, d.n, sizeof(*d.by_size), cmp_size);
		qsort(d.by_date, d.n, sizeof(*d.by_date), cmp_date);
		r = draw_all(&d, parts[f], now, usual_language(s), v, &made);
	}
	free(d.by_size);
	free(d.by_date);
	if (r == 0 && made == 0)
		r = -EEXIST;
	if (r < 0) {
		decoy_plans_free(v, made);
		return r;
	}
	*ret = v;
	return (int)made;
}

void decoy_plans_free(struct decoy_plan *v, size_t n)
{
	for (size_t i = 0; v && i < n; i++)
		free(v[i].name);
	free(v);
}
