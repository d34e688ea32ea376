/* The table of decoys: settings in, "is this record about one" out. */
#include "detect/decoys.h"

#include <errno.h>
#include <jansson.h>
#include <sys/stat.h>

#include "base/array.h"
#include "base/hash.h"
#include "base/json.h"
#include "base/timefmt.h"

#define PLANTED STR("decoy.planted = ")
#define REMOVED STR("decoy.removed = ")
#define EXCUSED STR(DECOY_EXCUSED " = ")
#define MARKS_MAX ((size_t)1 << 17)
#define VIEW_MAX ((size_t)256 << 20)
#define VIEW_STEP ((uint64_t)1 << 20) /* leaves without a decoy, after which the view is written nevertheless */

enum key_kind { KEY_PATH = 1, KEY_OBJECT, KEY_DOCUMENT };

struct place_of { /* a slot of the hash table; decoy 0: free, else index + 1 */
	uint64_t hash;
	uint32_t decoy;
};

struct decoys {
	struct decoy *v;
	size_t n, cap, standing;
	struct place_of *slots;
	size_t n_slots, used;
	uint8_t key[16];
	char *excused;
	str names[DECOY_EXCUSED_MAX]; /* into excused */
	size_t n_names;
	uint64_t *marked; /* records, sorted */
	size_t n_marked, marked_cap;
};

static int take_excused(struct decoys *d, str names);

struct decoys *decoys_new(void)
{
	struct decoys *d = calloc(1, sizeof(*d));

	if (!d)
		return NULL;
	arc4random_buf(d->key, sizeof(d->key));
	return take_excused(d, STR(DECOY_EXCUSED_STANDARD)) < 0 ? decoys_free(d) : d;
}

struct decoys *decoys_free(struct decoys *d)
{
	if (!d)
		return NULL;
	for (size_t i = 0; i < d->n; i++)
		free(d->v[i].path);
	free(d->v);
	free(d->slots);
	free(d->marked);
	free(d->excused);
	free(d);
	return NULL;
}

size_t decoys_count(const struct decoys *d)
{
	return d->n;
}

const struct decoy *decoys_at(const struct decoys *d, size_t i)
{
	return &d->v[i];
}

size_t decoys_standing(const struct decoys *d)
{
	return d->standing;
}

str decoys_excused(const struct decoys *d)
{
	return d->excused ? str_c(d->excused) : STR("");
}

/* --- finding --- */

static uint64_t hash_of(const struct decoys *d, enum key_kind kind, const void *p, size_t n)
{
	return siphash13(d->key, p, n) * 4 + kind;
}

static void object_key(const struct event_object *o, uint64_t out[static 3])
{
	out[0] = o->dev;
	out[1] = o->ino;
	out[2] = o->gen;
}

static void slot_put(struct decoys *d, uint64_t hash, uint32_t decoy)
{
	size_t i = hash & (d->n_slots - 1);

	while (d->slots[i].decoy)
		i = (i + 1) & (d->n_slots - 1);
	d->slots[i] = (struct place_of){ hash, decoy };
	d->used++;
}

static int slots_grow(struct decoys *d)
{
	struct place_of *old = d->slots;
	size_t n = d->n_slots;

	if (2 * (d->used + 3) < n)
		return 0;
	d->slots = calloc(n ? 2 * n : 64, sizeof(*d->slots));
	if (!d->slots) {
		d->slots = old;
		return -ENOMEM;
	}
	d->n_slots = n ? 2 * n : 64;
	d->used = 0;
	for (size_t i = 0; i < n; i++)
		if (old[i].decoy)
			slot_put(d, old[i].hash, old[i].decoy);
	free(old);
	return 0;
}

static int index_decoy(struct decoys *d, size_t i)
{
	const struct decoy *c = &d->v[i];
	uint64_t o[3];
	int r = slots_grow(d);

	if (r < 0)
		return r;
	slot_put(d, hash_of(d, KEY_PATH, c->path, strlen(c->path)), (uint32_t)i + 1);
	slot_put(d, hash_of(d, KEY_DOCUMENT, c->document, sizeof(c->document)), (uint32_t)i + 1);
	object_key(&c->object, o);
	if (c->has_object)
		slot_put(d, hash_of(d, KEY_OBJECT, o, sizeof(o)), (uint32_t)i + 1);
	return 0;
}

static bool same_object(const struct event_object *a, const struct event_object *b)
{
	return a->dev == b->dev && a->ino == b->ino && a->gen == b->gen;
}

static bool is_at(const struct decoy *c, enum key_kind kind, const void *p, size_t n)
{
	uint64_t o[3];

	switch (kind) {
	case KEY_PATH:
		return str_eq(str_c(c->path), (str){ p, n });
	case KEY_DOCUMENT:
		return memcmp(c->document, p, sizeof(c->document)) == 0;
	case KEY_OBJECT:
		object_key(&c->object, o);
		return c->has_object && memcmp(o, p, sizeof(o)) == 0;
	}
	return false;
}

/* The one in force at seq; any: removed ones, too (the newest). */
static const struct decoy *find(const struct decoys *d, enum key_kind kind, const void *p, size_t n, uint64_t seq, bool any)
{
	uint64_t hash = hash_of(d, kind, p, n);
	const struct decoy *found = NULL;

	if (!d->n_slots)
		return NULL;
	for (size_t i = hash & (d->n_slots - 1); d->slots[i].decoy; i = (i + 1) & (d->n_slots - 1)) {
		const struct decoy *c = &d->v[d->slots[i].decoy - 1];

		if (d->slots[i].hash != hash || !is_at(c, kind, p, n))
			continue;
		if (c->planted_seq < seq && seq < c->removed_seq)
			return c;
		found = any ? c : found;
	}
	return found;
}

const struct decoy *decoys_document(const struct decoys *d, const uint8_t document[static 32])
{
	return find(d, KEY_DOCUMENT, document, 32, UINT64_MAX - 1, true);
}

const struct decoy *decoys_standing_at(const struct decoys *d, const uint8_t document[static 32], uint64_t seq)
{
	return find(d, KEY_DOCUMENT, document, 32, seq, false);
}

/* Where it is, or belongs. */
static size_t mark_at(const struct decoys *d, uint64_t seq)
{
	size_t from = 0, to = d->n_marked;

	while (from < to) {
		size_t mid = from + (to - from) / 2;

		if (d->marked[mid] < seq)
			from = mid + 1;
		else
			to = mid;
	}
	return from;
}

static bool is_marked(const struct decoys *d, uint64_t seq)
{
	size_t i = mark_at(d, seq);

	return i < d->n_marked && d->marked[i] == seq;
}

/* The oldest go: they have been looked at long ago. */
int decoys_mark(struct decoys *d, uint64_t seq)
{
	size_t i;

	if (is_marked(d, seq))
		return 0;
	if (d->n_marked == MARKS_MAX) {
		d->n_marked -= MARKS_MAX / 2;
		memmove(d->marked, d->marked + MARKS_MAX / 2, d->n_marked * sizeof(*d->marked));
	}
	if (array_room(d->marked, d->marked_cap, d->n_marked + 1) < 0)
		return -ENOMEM;
	i = mark_at(d, seq);
	memmove(d->marked + i + 1, d->marked + i, (d->n_marked - i) * sizeof(*d->marked));
	d->marked[i] = seq;
	d->n_marked++;
	return 0;
}

const struct decoy *decoys_path(const struct decoys *d, str path)
{
	return find(d, KEY_PATH, path.p, path.n, UINT64_MAX - 1, false);
}

bool decoys_has_object(const struct decoys *d, const struct event_object *o)
{
	uint64_t key[3];

	object_key(o, key);
	return find(d, KEY_OBJECT, key, sizeof(key), UINT64_MAX - 1, false) != NULL;
}

/* A path tells nothing where the record has an object of the same device that is another one: the decoy was replaced. (A device's number
 * changes when
 * it is mounted again.) */
static const struct decoy *by_path(const struct decoys *d, const struct event *e, str path, uint64_t seq)
{
	const struct decoy *c = find(d, KEY_PATH, path.p, path.n, seq, false);

	if (c && c->has_object && event_has(e, EV_OBJECT) && e->object.dev == c->object.dev && !same_object(&e->object, &c->object))
		return NULL;
	return c;
}

static bool is_decoy(const struct decoys *d, const struct event *e)
{
	uint64_t o[3], seq = e->seq == UINT64_MAX ? UINT64_MAX - 1 : e->seq;

	object_key(&e->object, o);
	return (event_has(e, EV_OBJECT) && find(d, KEY_OBJECT, o, sizeof(o), seq, false)) ||
		(event_has(e, EV_DOCUMENT) && find(d, KEY_DOCUMENT, e->document, 32, seq, false)) ||
		(event_has(e, EV_PATH) && by_path(d, e, e->path, seq)) || (event_has(e, EV_TO) && by_path(d, e, e->to, seq));
}

bool decoys_excuses(const struct decoys *d, str account)
{
	for (size_t i = 0; i < d->n_names; i++)
		if (str_eq(d->names[i], account))
			return true;
	return false;
}

/* Tyto's own: its program, run as root or as the state's owner. Whoever is one of these two can hide anyway. */
static bool is_ours(const struct event *e, uint32_t owner)
{
	static const char *const programs[] = { "/tyto", "/tyto-extract" };

	if (!event_has(e, EV_PROGRAM) || !event_has(e, EV_UID) || (e->uid != 0 && e->uid != owner))
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(programs); i++) {
		if (str_ends(e->program, str_c(programs[i])))
			return true;
		if (event_has(e, EV_PARENTS) && e->n_parents && str_ends(e->parents[0], str_c(programs[i])))
			return true;
	}
	return false;
}

enum decoy_touch decoys_touch(const struct decoys *d, const struct event *e, uint32_t owner)
{
	if (likely(d->n == 0) || e->verb == VERB_GAP || !(is_decoy(d, e) || is_marked(d, e->seq)))
		return DECOY_NONE;
	if ((event_has(e, EV_PERSON) && decoys_excuses(d, e->person)) || is_ours(e, owner))
		return DECOY_EXCUSED_TOUCH;
	/* A backup that root's own timer started is nobody's: known by its program. */
	if (!event_has(e, EV_PERSON) && event_has(e, EV_UID) && e->uid == 0 && event_has(e, EV_PROGRAM) && decoys_excuses(d, e->program))
		return DECOY_EXCUSED_TOUCH;
	return DECOY_TOUCHED;
}

/* --- settings --- */

/* What the log and the view say of it. */
static void put_fields(struct buf *b, const struct decoy *c)
{
	json_put_str(b, "id", str_c(c->id));
	json_put_str(b, "path", str_c(c->path));
	if (c->has_object) {
		char text[80];

		snprintf(text, sizeof(text), "%llu:%llu:%llu", (unsigned long long)c->object.dev, (unsigned long long)c->object.ino,
			(unsigned long long)c->object.gen);
		json_put_str(b, "object", str_c(text));
	}
	json_key(b, "document");
	buf_puts(b, STR("\"sha256:"));
	for (size_t i = 0; i < sizeof(c->document); i++)
		buf_putf(b, "%02x", c->document[i]);
	buf_putc(b, '"');
	json_put_u64(b, "bytes", c->bytes);
}

void decoy_put_planted(struct buf *b, const struct decoy *c)
{
	_cleanup_buf_ struct buf o = BUF_INIT;

	json_obj_begin(&o);
	put_fields(&o, c);
	json_obj_end(&o);
	buf_puts(b, PLANTED);
	buf_puts(b, buf_str(&o));
}

void decoy_put_removed(struct buf *b, const struct decoy *c)
{
	buf_puts(b, REMOVED);
	buf_putf(b, "{\"id\":\"%s\"}", c->id);
}

static const char *text_of(const json_t *j, const char *key)
{
	const char *s = json_string_value(json_object_get(j, key));

	return s ? s : "";
}

static int add(struct decoys *d, const struct decoy *c)
{
	int r;

	if (d->standing == DECOYS_MAX)
		return 0;
	if (array_room(d->v, d->cap, d->n + 1) < 0)
		return -ENOMEM;
	d->v[d->n] = *c;
	d->v[d->n].path = strdup(c->path);
	if (!d->v[d->n].path)
		return -ENOMEM;
	r = index_decoy(d, d->n);
	if (r < 0) {
		free(d->v[d->n].path);
		return r;
	}
	d->n++;
	d->standing += c->removed_seq == UINT64_MAX;
	return 0;
}

/* False: not what a planting looks like. */
static bool read_planted(const json_t *j, struct decoy *ret)
{
	const char *id = text_of(j, "id"), *path = text_of(j, "path");

	*ret = (struct decoy){ .removed_seq = UINT64_MAX };
	if (strlen(id) != DECOY_ID_LEN || path[0] != '/' || !event_document_from(str_c(text_of(j, "document")), ret->document))
		return false;
	memcpy(ret->id, id, DECOY_ID_LEN);
	ret->path = (char *)(uintptr_t)path;
	ret->has_object = event_object_from(str_c(text_of(j, "object")), &ret->object);
	ret->bytes = (uint64_t)json_integer_value(json_object_get(j, "bytes"));
	return true;
}

static int take_planted(struct decoys *d, uint64_t seq, int64_t time, const json_t *j)
{
	struct decoy c;

	if (!read_planted(j, &c))
		return 0;
	c.planted = time;
	c.planted_seq = seq;
	return add(d, &c);
}

static void take_removed(struct decoys *d, uint64_t seq, int64_t time, const json_t *j)
{
	for (size_t i = d->n; i-- > 0;) {
		struct decoy *c = &d->v[i];

		if (c->removed_seq != UINT64_MAX || strcmp(c->id, text_of(j, "id")) != 0)
			continue;
		c->removed = time;
		c->removed_seq = seq;
		d->standing--;
		return;
	}
}

static int take_excused(struct decoys *d, str names)
{
	char *copy = strndup(names.p ? names.p : "", names.n), *at;

	if (!copy)
		return -ENOMEM;
	free(d->excused);
	d->excused = copy;
	d->n_names = 0;
	for (at = copy; *at && d->n_names < DECOY_EXCUSED_MAX;) {
		size_t n = strcspn(at, " ");

		if (n)
			d->names[d->n_names++] = (str){ at, n };
		at += n + (at[n] == ' ');
	}
	return 0;
}

int decoys_setting(struct decoys *d, uint64_t seq, int64_t time, str setting)
{
	bool planted = str_starts(setting, PLANTED);
	json_t *j;
	int r = 0;

	if (str_starts(setting, EXCUSED)) {
		r = take_excused(d, (str){ setting.p + EXCUSED.n, setting.n - EXCUSED.n });
		return r < 0 ? r : 1;
	}
	if (!planted && !str_starts(setting, REMOVED))
		return 0;
	/* Both are as long. */
	j = json_loadb(setting.p + PLANTED.n, setting.n - PLANTED.n, JSON_REJECT_DUPLICATES, NULL);
	if (planted)
		r = take_planted(d, seq, time, j);
	else
		take_removed(d, seq, time, j);
	json_decref(j);
	return r < 0 ? r : 1;
}

/* --- the view --- */

static void put_view(struct buf *b, const struct decoys *d, uint64_t upto)
{
	json_obj_begin(b);
	json_put_u64(b, "version", 1);
	json_put_u64(b, "upto", upto);
	json_put_str(b, "excused", decoys_excused(d));
	json_obj_end(b);
	buf_putc(b, '\n');
	for (size_t i = 0; i < d->n; i++) {
		const struct decoy *c = &d->v[i];

		json_obj_begin(b);
		json_put_u64(b, "seq", c->planted_seq);
		json_key(b, "planted");
		json_i64(b, c->planted);
		if (c->removed_seq != UINT64_MAX) {
			json_put_u64(b, "removed_seq", c->removed_seq);
			json_key(b, "removed");
			json_i64(b, c->removed);
		}
		put_fields(b, c);
		json_obj_end(b);
		buf_putc(b, '\n');
	}
}

/* A view: what cannot be written is read from the log again. */
static void write_view(const char *state, const struct decoys *d, uint64_t upto)
{
	_cleanup_buf_ struct buf b = BUF_INIT, path = BUF_INIT, tmp = BUF_INIT, folder = BUF_INIT;
	_cleanup_close_ int fd = -1;
	struct stat st;

	buf_putf(&folder, "%s/decoys", state);
	buf_putf(&path, "%s/decoys/list", state);
	buf_putf(&tmp, "%s/decoys/list.%d.tmp", state, (int)getpid());
	if (!buf_cstr(&folder) || !buf_cstr(&path) || !buf_cstr(&tmp) || stat(state, &st) < 0 || (mkdir(folder.p, 0700) < 0 && errno != EEXIST))
		return;
	put_view(&b, d, upto);
	fd = open(tmp.p, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return;
	/* Root reads, too; the view is the owner's. */
	if (geteuid() == 0 && (fchown(fd, st.st_uid, st.st_gid) < 0 || lchown(folder.p, st.st_uid, st.st_gid) < 0)) {
		unlink(tmp.p);
		return;
	}
	if (buf_error(&b) || write(fd, b.p, b.n) != (ssize_t)b.n || rename(tmp.p, path.p) < 0)
		unlink(tmp.p);
}

static bool read_line(struct decoys *d, str line)
{
	json_t *j = json_loadb(line.p, line.n, 0, NULL);
	struct decoy c;
	bool ok = j && read_planted(j, &c);

	if (ok) {
		c.planted_seq = (uint64_t)json_integer_value(json_object_get(j, "seq"));
		c.planted = json_integer_value(json_object_get(j, "planted"));
		if (json_object_get(j, "removed_seq")) {
			c.removed_seq = (uint64_t)json_integer_value(json_object_get(j, "removed_seq"));
			c.removed = json_integer_value(json_object_get(j, "removed"));
		}
		ok = add(d, &c) == 0;
	}
	json_decref(j);
	return ok;
}

static bool read_head(struct decoys *d, str line, uint64_t *ret_upto)
{
	json_t *j = json_loadb(line.p, line.n, 0, NULL);
	bool ok = json_integer_value(json_object_get(j, "version")) == 1;

	if (ok) {
		*ret_upto = (uint64_t)json_integer_value(json_object_get(j, "upto"));
		ok = take_excused(d, str_c(text_of(j, "excused"))) == 0;
	}
	json_decref(j);
	return ok;
}

static int read_all(const char *path, struct buf *b)
{
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	ssize_t n;

	if (fd < 0)
		return -errno;
	b->max = VIEW_MAX;
	do {
		if (buf_reserve(b, 65536) < 0)
			return -EFBIG;
		n = read(fd, b->p + b->n, b->cap - b->n);
		b->n += n > 0 ? (size_t)n : 0;
	} while (n > 0);
	return n < 0 ? -errno : 0;
}

/* 0 with *ret_upto 0: there is none that can be used. */
static void read_view(const char *state, struct decoys *d, uint64_t size, uint64_t *ret_upto)
{
	_cleanup_buf_ struct buf path = BUF_INIT, b = BUF_INIT;
	uint64_t upto = 0;
	bool ok = true, head = true;

	*ret_upto = 0;
	buf_putf(&path, "%s/decoys/list", state);
	if (!buf_cstr(&path) || read_all(path.p, &b) < 0)
		return;
	for (size_t i = 0; i < b.n && ok;) {
		const char *end = memchr(b.p + i, '\n', b.n - i);
		str line = { b.p + i, end ? (size_t)(end - b.p) - i : 0 };

		ok = end && (head ? read_head(d, line, &upto) : read_line(d, line));
		head = false;
		i += line.n + 1;
	}
	if (ok && upto <= size)
		*ret_upto = upto;
}

struct loading {
	struct decoys *d;
	struct evidence_reader *r;
	bool news;
};

static int load_leaf(void *arg, uint64_t seq, const struct leaf *l)
{
	struct loading *o = arg;
	str setting;
	int r;

	if (l->kind != LEAF_CONFIG || names_value(evidence_reader_names(o->r), NAME_TEXT, l->value[1], &setting) < 0)
		return 0;
	r = decoys_setting(o->d, seq, (int64_t)l->value[0], setting);
	o->news |= r > 0;
	return r < 0 ? r : 0;
}

int decoys_load(const char *state, struct evidence_reader *r, uint64_t size, struct decoys **ret)
{
	_cleanup_decoys_ struct decoys *d = decoys_new();
	struct loading o = { .r = r };
	uint64_t upto = 0;
	int e;

	if (!d)
		return -ENOMEM;
	read_view(state, d, size, &upto);
	if (upto == 0) {
		decoys_free(d);
		d = decoys_new();
		if (!d)
			return -ENOMEM;
	}
	o.d = d;
	e = evidence_each(r, upto, size, load_leaf, &o);
	if (e < 0)
		return e;
	if (o.news || size - upto > VIEW_STEP)
		write_view(state, d, size);
	*ret = TAKE_PTR(d);
	return 0;
}

static int normal(str names, struct buf *ret)
{
	size_t n = 0, k;

	for (size_t i = 0; i < names.n; i += k + 1) {
		for (k = 0; i + k < names.n && !strchr(" ,;\t", names.p[i + k]);)
			k++;
		if (k == 0)
			continue;
		buf_putf(ret, "%s%.*s", n ? " " : "", (int)k, names.p + i);
		if (++n > DECOY_EXCUSED_MAX)
			return -E2BIG;
	}
	return buf_error(ret);
}

int decoys_excuse(const char *state, struct evidence *ev, str names)
{
	_cleanup_decoys_ struct decoys *d = NULL;
	_cleanup_buf_ struct buf wanted = BUF_INIT, setting = { .max = NAME_VALUE_MAX };
	struct evidence_reader *r = NULL;
	uint64_t size, seq;
	int e = normal(names, &wanted);

	if (e == 0)
		e = evidence_reader_open(state, &r);
	if (e == 0)
		e = evidence_reader_refresh(r, &size);
	if (e == 0)
		e = decoys_load(state, r, size, &d);
	evidence_reader_close(r);
	if (e < 0 || str_eq(buf_str(&wanted), decoys_excused(d)))
		return e;
	buf_puts(&setting, EXCUSED);
	buf_puts(&setting, buf_str(&wanted));
	return buf_error(&setting) ? buf_error(&setting) : evidence_append_config(ev, time_now(), buf_str(&setting), &seq);
}
