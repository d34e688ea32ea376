#include "detect/ruleset.h"

#include <errno.h>
#include <sys/stat.h>

#include "base/array.h"
#include "base/base64.h"
#include "base/hash.h"
#include "base/json.h"
#include "base/why.h"
#include "evidence/names.h"

#define FILES_MAX 65536
#define TEXT_MAX ((size_t)256 << 20) /* of all files */
#define VERSION_DIGITS 8

struct file {
	char *name;
	char *text;
	size_t n;
	int error; /* it could not be read */
	uint8_t digest[SHA256_LEN];
};

struct ruleset {
	struct file *v;
	size_t n, cap, bytes;
	uint8_t digest[SHA256_LEN];
};

static _Thread_local struct why why;
#define fail(r, ...) why_set(&why, (r), __VA_ARGS__)

const char *ruleset_why(void)
{
	return why.text;
}

struct ruleset *ruleset_free(struct ruleset *s)
{
	if (!s)
		return NULL;
	for (size_t i = 0; i < s->n; i++) {
		free(s->v[i].name);
		free(s->v[i].text);
	}
	free(s->v);
	free(s);
	return NULL;
}

static struct file *add(struct ruleset *s)
{
	if (array_room_max(s->v, s->cap, s->n + 1, FILES_MAX) < 0)
		return NULL;
	s->v[s->n] = (struct file){ 0 };
	return &s->v[s->n++];
}

static int take_file(void *arg, int dir, const char *name, const char *shown, const struct stat *st)
{
	struct ruleset *s = arg;
	_cleanup_buf_ struct buf b = BUF_INIT;
	int r = sigma_read_file(dir, name, &b);
	struct file *f;

	(void)st;
	if (r < 0 && r != -EFBIG && dir == AT_FDCWD)
		return r;
	f = add(s);
	if (!f)
		return -ENOMEM;
	f->error = r;
	f->name = strdup(shown);
	f->text = malloc(b.n + 1);
	if (!f->name || !f->text || (s->bytes += b.n) > TEXT_MAX)
		return -ENOMEM;
	if (r == 0 && b.n)
		memcpy(f->text, b.p, b.n);
	f->n = r == 0 ? b.n : 0;
	return 0;
}

/* Over the names as they are looked up and the contents: another place of the same files is another set, since messages name the place. */
static int digest(struct ruleset *s)
{
	_cleanup_sha256_ struct sha256 *h = sha256_new();

	if (!h)
		return -ENOMEM;
	for (size_t i = 0; i < s->n; i++) {
		sha256_init(h);
		sha256_update(h, s->v[i].text, s->v[i].n);
		sha256_final(h, s->v[i].digest);
	}
	sha256_init(h);
	for (size_t i = 0; i < s->n; i++) {
		sha256_update(h, s->v[i].name, strlen(s->v[i].name) + 1);
		sha256_update(h, s->v[i].digest, SHA256_LEN);
	}
	sha256_final(h, s->digest);
	return 0;
}

int ruleset_load(char *const *paths, size_t n, struct ruleset **ret)
{
	struct ruleset *s = calloc(1, sizeof(*s));
	int r = s ? 0 : fail(-ENOMEM, "no memory");

	for (size_t i = 0; i < n && r == 0; i++) {
		r = sigma_walk(paths[i], take_file, s);
		if (r == -ENOENT)
			r = 0;
		else if (r < 0)
			fail(r, "%s: %s", paths[i], r == -EINVAL ? "expected a file of rules, or a folder with such files" : strerror(-r));
	}
	if (r == 0)
		r = digest(s);
	if (r < 0) {
		ruleset_free(s);
		return r;
	}
	*ret = s;
	return 0;
}

int ruleset_engine(const struct ruleset *s, struct sigma **ret)
{
	_cleanup_sigma_ struct sigma *e = NULL;
	int r = sigma_new(&e);

	for (size_t i = 0; i < s->n && r == 0; i++) {
		const struct file *f = &s->v[i];

		r = f->error ? sigma_add_unread(e, str_c(f->name), f->error) : sigma_add_text(e, str_c(f->name), (str){ f->text, f->n });
	}
	if (r == 0)
		r = sigma_ready(e);
	if (r < 0)
		return fail(r, "rules: %s", strerror(-r));
	*ret = TAKE_PTR(e);
	return 0;
}

void ruleset_hash(const struct ruleset *s, char ret[static 65])
{
	for (size_t i = 0; i < SHA256_LEN; i++)
		snprintf(ret + 2 * i, 3, "%02x", s->digest[i]);
}

static int sign_file(void *arg, int dir, const char *name, const char *shown, const struct stat *st)
{
	static const uint8_t key[16] = "tyto ruleset sig";
	uint64_t *sum = arg;
	const uint64_t v[] = { *sum, st->st_ino, (uint64_t)st->st_size, (uint64_t)st->st_mtim.tv_sec, (uint64_t)st->st_mtim.tv_nsec,
		(uint64_t)st->st_ctim.tv_sec, (uint64_t)st->st_ctim.tv_nsec, siphash13(key, shown, strlen(shown)) };

	(void)dir;
	(void)name;
	*sum = siphash13(key, v, sizeof(v));
	return 0;
}

uint64_t ruleset_signature(char *const *paths, size_t n)
{
	uint64_t sum = n;

	for (size_t i = 0; i < n; i++)
		if (sigma_walk(paths[i], sign_file, &sum) < 0)
			sum++;
	return sum;
}

void ruleset_count(const struct sigma *engine, struct ruleset_counts *ret)
{
	size_t by[SIGMA_STATES_] = { 0 };

	for (size_t i = 0; i < sigma_rules(engine); i++)
		by[sigma_rule(engine, i)->state]++;
	*ret = (struct ruleset_counts){ sigma_rules(engine), by[SIGMA_RUNS], by[SIGMA_NEVER], by[SIGMA_UNSUPPORTED], by[SIGMA_BROKEN] };
}

static const struct file *file_of(const struct ruleset *s, str name)
{
	for (size_t i = 0; i < s->n; i++)
		if (str_eq(str_c(s->v[i].name), name))
			return &s->v[i];
	return NULL;
}

/* Title@version: a rule that others lean on is told with them. */
static void put_rule(const struct ruleset *s, const struct sigma_rule *r, struct buf *b)
{
	const struct file *f = file_of(s, r->file);
	_cleanup_buf_ struct buf name = BUF_INIT;

	buf_puts(&name, r->title.n > 100 ? (str){ r->title.p, 100 } : r->title);
	while (name.n && !str_utf8_valid(buf_str(&name)))
		name.n--;
	buf_putc(&name, '@');
	if (f)
		hex_encode(&name, (str){ (const char *)f->digest, VERSION_DIGITS / 2 });
	json_str(b, buf_str(&name));
}

int ruleset_record(const struct ruleset *s, const struct sigma *engine, struct buf *ret)
{
	_cleanup_buf_ struct buf hex = BUF_INIT, b = BUF_INIT;
	struct ruleset_counts c;
	size_t more = 0;

	ruleset_count(engine, &c);
	hex_encode(&hex, (str){ (const char *)s->digest, SHA256_LEN });
	json_obj_begin(&b);
	json_put_str(&b, "sha256", buf_str(&hex));
	json_put_u64(&b, "rules", c.all);
	json_put_u64(&b, "run", c.run);
	json_put_u64(&b, "broken", c.broken);
	json_put_arr(&b, "names");
	for (size_t i = 0; i < sigma_rules(engine); i++) {
		const struct sigma_rule *r = sigma_rule(engine, i);

		if (r->state != SIGMA_RUNS)
			continue;
		if (b.n > NAME_VALUE_MAX - 1024)
			more++;
		else
			put_rule(s, r, &b);
	}
	json_arr_end(&b);
	if (more)
		json_put_u64(&b, "more", more);
	json_obj_end(&b);
	buf_puts(ret, STR("rules = "));
	buf_puts(ret, buf_str(&b));
	return buf_error(&b) ? buf_error(&b) : buf_error(ret);
}
