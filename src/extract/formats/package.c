/* A package: its members through libarchive, the small XML ones kept. */
#include "extract/formats/package.h"

#include <archive_entry.h>
#include <ctype.h>
#include <errno.h>
#include <strings.h>

#include "extract/formats/source.h"

#define DIRECTORY_MAX (1u << 20) /* bytes of the zip's directory that a bid looks at */
#define TAIL (66u << 10) /* the end's record has a comment of 64 KiB at most */
#define NAME_MAX_ 512
#define PARTS_DEEP 16
#define STREAMED_MAX (768u << 20) /* bytes of large members, all of them */
#define THIN_FREE (64u << 20)
#define THIN_RATIO 200

enum state { MEMBER_THERE, MEMBER_LOADED, MEMBER_LOCKED, MEMBER_GIVEN };

struct member {
	char *name;
	char *bytes;
	size_t n;
	uint32_t index; /* among the zip's entries, to find it again */
	int error;
	enum state state;
};

struct package {
	struct in *in;
	struct sink *sink;
	struct source source;
	struct member *members; /* in order of their names after opening */
	size_t n, cap, cached;
	unsigned streams, depth;
	uint64_t streamed;
	int error;
};

/* ---- bids: a look at the names without opening it ---- */

static uint32_t le32(const char *p)
{
	uint32_t v;

	memcpy(&v, p, 4);
	return v;
}

static uint16_t le16(const char *p)
{
	uint16_t v;

	memcpy(&v, p, 2);
	return v;
}

static bool name_is(const char *p, size_t n, const char *name)
{
	for (size_t i = 0; i < n; i++)
		if (!name[i] || (p[i] == '\\' ? '/' : tolower((unsigned char)p[i])) != tolower((unsigned char)name[i]))
			return false;
	return !name[n];
}

/* Records of a directory (PK\1\2, 46 bytes + name + extra + comment) or of the file's beginning (PK\3\4, 30 bytes + name + extra +
 * data). */
static bool names_have(str s, bool directory, const char *name)
{
	size_t fixed = directory ? 46 : 30, at = 0;

	while (at + fixed <= s.n && memcmp(s.p + at, directory ? "PK\1\2" : "PK\3\4", 4) == 0) {
		const char *h = s.p + at;
		size_t n = le16(h + (directory ? 28 : 26)), more = (size_t)le16(h + (directory ? 30 : 28)) + (directory ? le16(h + 32) : le32(h + 18));

		if (n > s.n - at - fixed)
			return false;
		if (name_is(h + fixed, n, name))
			return true;
		if (!directory && le16(h + 6) & 8) /* its size comes behind it */
			return false;
		at += fixed + n + more;
	}
	return false;
}

/* Where the directory ends: at the record of its end, whatever stands before the zip; 64-bit ones have two more records between. */
static uint64_t directory_end(const char *p, size_t i, uint64_t from)
{
	if (i >= 76 && memcmp(p + i - 20, "PK\6\7", 4) == 0 && memcmp(p + i - 76, "PK\6\6", 4) == 0)
		return from + i - 76;
	return from + i;
}

/* Reads of a MiB do not go through the input's window, where the head lies that the bids are looking at. */
static bool directory_has(struct in *in, const char *name)
{
	uint64_t size = in_size(in), from = size > DIRECTORY_MAX ? size - DIRECTORY_MAX : 0;
	_cleanup_free_ char *p = malloc(DIRECTORY_MAX);
	ssize_t n = p ? in_read(in, from, p, DIRECTORY_MAX) : 0;

	for (ssize_t i = n - 22; i >= 0 && i >= n - (ssize_t)TAIL; i--) {
		uint64_t end, begin;

		if (memcmp(p + i, "PK\5\6", 4) != 0)
			continue;
		end = directory_end(p, (size_t)i, from);
		begin = end - MIN((uint64_t)le32(p + i + 12), end);
		if (begin >= from)
			return names_have((str){ p + (begin - from), (size_t)(end - begin) }, true, name);
		n = in_read(in, begin, p, DIRECTORY_MAX);
		return n > 0 && names_have((str){ p, (size_t)n }, true, name);
	}
	return false;
}

bool package_has_member(struct in *in, str head, const char *name)
{
	return str_starts(head, STR("PK\3\4")) && (names_have(head, false, name) || directory_has(in, name));
}

/* ---- opening ---- */

static int by_name(const void *a, const void *b)
{
	const struct member *x = a, *y = b;
	int c = strcasecmp(x->name, y->name);

	return c ? c : (x->index > y->index) - (x->index < y->index);
}

static int find_cmp(const void *key, const void *m)
{
	return strcasecmp(key, ((const struct member *)m)->name);
}

static struct member *find(const struct package *p, const char *name)
{
	struct member *m = p->n ? bsearch(name, p->members, p->n, sizeof(*m), find_cmp) : NULL;

	while (m && m > p->members && strcasecmp(m[-1].name, name) == 0)
		m--; /* of two the first */
	return m;
}

int package_fail(struct package *p, int error)
{
	if (!p->error)
		p->error = error;
	return error;
}

static int trouble(struct package *p, struct archive *a)
{
	const char *why = archive_error_string(a);

	if (why)
		sink_reason(p->sink, "%s", why);
	return archive_errno(a) == ENOMEM ? -ENOMEM : -EBADMSG;
}

static struct archive *zip_open(struct package *p, int *ret_error)
{
	struct archive *a = archive_read_new();

	if (!a) {
		*ret_error = -ENOMEM;
		return NULL;
	}
	archive_read_support_format_zip(a);
	if (source_open(&p->source, a) < ARCHIVE_WARN) {
		*ret_error = trouble(p, a);
		archive_read_free(a);
		return NULL;
	}
	return a;
}

static char *member_name(struct archive_entry *e)
{
	const char *raw = archive_entry_pathname(e);
	char *name;

	if (!raw)
		raw = archive_entry_pathname_utf8(e);
	while (raw && (*raw == '/' || *raw == '\\'))
		raw++;
	if (!raw || !*raw || strlen(raw) > NAME_MAX_)
		return NULL;
	name = strdup(raw);
	for (char *c = name; c && *c; c++)
		if (*c == '\\')
			*c = '/';
	return name;
}

static bool is_xml(const char *name)
{
	static const char *const endings[] = { ".xml", ".rels", ".vml", "mimetype" };
	size_t n = strlen(name);

	for (size_t i = 0; i < ARRAY_SIZE(endings); i++) {
		size_t k = strlen(endings[i]);

		if (n >= k && strcasecmp(name + n - k, endings[i]) == 0)
			return true;
	}
	return false;
}

/* The next piece of the member at hand: 1, 0 its end, negative errno. By libarchive's own blocks: archive_read_data would fill a buffer,
 * and on an error forget what it had put there. */
static int piece(struct package *p, struct archive *a, str *ret)
{
	const void *q;
	size_t n;
	la_int64_t at;
	int k = archive_read_data_block(a, &q, &n, &at);

	if (k == ARCHIVE_EOF)
		return 0;
	if (k < ARCHIVE_WARN)
		return trouble(p, a);
	if (sink_unpacked(p->sink, n) < 0)
		return -EMSGSIZE;
	*ret = (str){ n ? q : "", n };
	return 1;
}

/* Keeps what is small; a large one is left to be found again. */
static int load(struct package *p, struct archive *a, struct member *m)
{
	_cleanup_buf_ struct buf b = { .max = PACKAGE_LOADED_MAX };
	str s;

	for (;;) {
		int r = piece(p, a, &s);

		if (r == -EMSGSIZE)
			return r;
		if (r < 0)
			m->error = r;
		if (r <= 0)
			break;
		if (b.n + s.n > PACKAGE_LOADED_MAX || p->cached + b.n + s.n > PACKAGE_CACHE_MAX)
			return 0;
		buf_puts(&b, s);
	}
	if (buf_error(&b))
		return -ENOMEM;
	m->n = b.n;
	m->bytes = TAKE_PTR(b.p);
	m->state = MEMBER_LOADED;
	p->cached += m->n;
	return 0;
}

static int add(struct package *p, struct archive *a, struct archive_entry *e, uint32_t index)
{
	struct member *m;

	if (p->n >= PACKAGE_MEMBERS_MAX) {
		sink_reason(p->sink, "more than %d members", PACKAGE_MEMBERS_MAX);
		return -EMSGSIZE;
	}
	if (p->n == p->cap) {
		size_t cap = p->cap ? p->cap * 2 : 64;

		m = realloc(p->members, cap * sizeof(*m));
		if (!m)
			return -ENOMEM;
		p->members = m;
		p->cap = cap;
	}
	m = &p->members[p->n];
	*m = (struct member){ .name = member_name(e), .index = index };
	if (!m->name)
		return 0;
	p->n++;
	if (archive_entry_is_encrypted(e)) {
		m->state = MEMBER_LOCKED;
		return 0;
	}
	if (!is_xml(m->name) || (archive_entry_size_is_set(e) && archive_entry_size(e) > (la_int64_t)PACKAGE_LOADED_MAX))
		return 0;
	return load(p, a, m);
}

static int load_all(struct package *p, struct archive *a)
{
	struct archive_entry *e;

	for (uint32_t index = 0;; index++) {
		int k = archive_read_next_header(a, &e);

		if (k == ARCHIVE_EOF)
			return 0;
		if (k == ARCHIVE_RETRY)
			continue;
		if (k < ARCHIVE_WARN)
			return trouble(p, a);
		k = add(p, a, e, index);
		if (k < 0)
			return k;
	}
}

int package_open(struct in *in, struct sink *s, struct package **ret)
{
	struct package *p = calloc(1, sizeof(*p));
	struct archive *a;
	int r = 0;

	if (!p)
		return -ENOMEM;
	p->in = p->source.in = in;
	p->sink = s;
	a = zip_open(p, &r);
	if (a) {
		r = load_all(p, a);
		archive_read_free(a);
	}
	if (r < 0 && (!p->n || r == -ENOMEM)) {
		package_close(p);
		return r;
	}
	if (p->n)
		qsort(p->members, p->n, sizeof(*p->members), by_name);
	p->error = r;
	*ret = p;
	return 0;
}

struct package *package_close(struct package *p)
{
	for (size_t i = 0; p && i < p->n; i++) {
		free(p->members[i].name);
		free(p->members[i].bytes);
	}
	if (p)
		free(p->members);
	free(p);
	return NULL;
}

struct sink *package_sink(const struct package *p)
{
	return p->sink;
}

bool package_has(const struct package *p, const char *name)
{
	return find(p, name) != NULL;
}

const char *package_name(const struct package *p, size_t i)
{
	return i < p->n ? p->members[i].name : NULL;
}

bool package_enter(struct package *p)
{
	if (p->depth >= PARTS_DEEP)
		return false;
	p->depth++;
	return true;
}

void package_leave(struct package *p)
{
	p->depth--;
}

int package_error(const struct package *p)
{
	return p->error;
}

/* ---- members ---- */

static struct archive *find_again(struct package *p, uint32_t index, int *ret_error)
{
	struct archive *a = zip_open(p, ret_error);
	struct archive_entry *e;

	for (uint32_t i = 0; a; i++) {
		int k = archive_read_next_header(a, &e);

		if (k < ARCHIVE_WARN || k == ARCHIVE_EOF) {
			*ret_error = k == ARCHIVE_EOF ? -EBADMSG : trouble(p, a);
			archive_read_free(a);
			return NULL;
		}
		if (i == index)
			return a;
	}
	return NULL;
}

/* What unpacks to so much more than it is, is made to. */
static int too_thin(struct package *p, uint64_t from, uint64_t n)
{
	uint64_t packed = p->source.at - MIN(from, p->source.at);

	p->streamed += n;
	if (p->streamed > STREAMED_MAX) {
		sink_reason(p->sink, "more than %u MiB of XML", STREAMED_MAX >> 20);
		return -EMSGSIZE;
	}
	if (p->streamed > THIN_FREE && p->streamed / THIN_RATIO > packed) {
		sink_reason(p->sink, "unpacks to more than %u times its size", THIN_RATIO);
		return -EMSGSIZE;
	}
	return 0;
}

static int stream(struct package *p, struct member *m, int (*feed)(void *, str, bool), void *arg)
{
	struct archive *a;
	uint64_t from;
	str s;
	int r = 0;

	if (++p->streams > PACKAGE_STREAMS_MAX) {
		sink_reason(p->sink, "too many large members");
		return -EMSGSIZE;
	}
	a = find_again(p, m->index, &r);
	from = p->source.at > SOURCE_BLOCK ? p->source.at - SOURCE_BLOCK : 0; /* the block that is at hand belongs to it, too */
	while (a && r == 0) {
		r = piece(p, a, &s);
		if (r == 0) {
			r = feed(arg, STR(""), true);
			break;
		}
		if (r == 1)
			r = too_thin(p, from, s.n);
		if (r == 0)
			r = feed(arg, s, false);
	}
	if (a)
		archive_read_free(a);
	return r;
}

int package_read(struct package *p, const char *name, int (*feed)(void *arg, str piece, bool last), void *arg)
{
	struct member *m = find(p, name);
	int r;

	if (!m)
		return -ENOENT;
	if (m->state == MEMBER_LOCKED)
		return package_fail(p, -EACCES);
	if (m->state == MEMBER_GIVEN)
		return 0;
	if (m->state == MEMBER_LOADED) {
		m->state = MEMBER_GIVEN;
		r = feed(arg, (str){ m->bytes ? m->bytes : "", m->n }, !m->error);
		free(TAKE_PTR(m->bytes));
	} else {
		m->state = MEMBER_GIVEN;
		r = stream(p, m, feed, arg);
	}
	if (r == 0)
		r = m->error;
	if (r < 0 && r != -ECANCELED) /* the reader has had enough */
		package_fail(p, r);
	return r;
}

/* ---- pictures and embedded documents ---- */

static const char *last_component(const char *name)
{
	const char *slash = strrchr(name, '/');

	return slash && slash[1] ? slash + 1 : name;
}

/* Negative: the document as a whole has had enough. */
static int one_medium(struct package *p, struct archive *a, struct member *m, enum package_use use)
{
	_cleanup_buf_ struct buf b = { .max = IN_WHOLE_MAX };
	str name = str_c(last_component(m->name));
	const char *damage = NULL;
	struct in *in;
	str s;
	int r;

	while ((r = piece(p, a, &s)) > 0) {
		buf_puts(&b, s);
		if (buf_error(&b)) {
			sink_part_failed(p->sink, name, -EMSGSIZE, "a member of more than 256 MiB");
			return 0;
		}
	}
	if (r == -EMSGSIZE)
		return r;
	if (r < 0) {
		damage = archive_error_string(a);
		damage = damage ? damage : "damaged";
		package_fail(p, r);
	}
	if (use == PACKAGE_IMAGE) {
		if (!damage)
			sink_image(p->sink, name, buf_str(&b));
		return 0;
	}
	in = in_memory(name, buf_str(&b));
	if (!in)
		return -ENOMEM;
	r = damage ? sink_part_damaged(p->sink, name, in, damage) : sink_part(p->sink, name, in);
	in_close(in);
	return r;
}

struct wanted {
	struct member *m;
	enum package_use use;
};

static int by_index(const void *a, const void *b)
{
	uint32_t x = ((const struct wanted *)a)->m->index, y = ((const struct wanted *)b)->m->index;

	return (x > y) - (x < y);
}

static int media_pass(struct package *p, const struct wanted *w, size_t n)
{
	struct archive_entry *e;
	struct archive *a;
	int r = 0;

	a = zip_open(p, &r);
	for (uint32_t i = 0, at = 0; a && at < n && r == 0; i++) {
		int k = archive_read_next_header(a, &e);

		if (k < ARCHIVE_WARN || k == ARCHIVE_EOF)
			break; /* the first pass has said so */
		if (i != w[at].m->index)
			continue;
		r = one_medium(p, a, w[at].m, w[at].use);
		at++;
	}
	if (a)
		archive_read_free(a);
	return r;
}

int package_media(struct package *p, enum package_use (*use)(const char *name))
{
	_cleanup_free_ struct wanted *w = calloc(p->n + 1, sizeof(*w));
	size_t n = 0;
	int r;

	if (!w)
		return -ENOMEM;
	for (size_t i = 0; i < p->n; i++) {
		enum package_use u = p->members[i].state == MEMBER_THERE ? use(p->members[i].name) : PACKAGE_SKIP;

		if (u != PACKAGE_SKIP)
			w[n++] = (struct wanted){ &p->members[i], u };
	}
	if (!n)
		return 0;
	qsort(w, n, sizeof(*w), by_index);
	r = media_pass(p, w, n);
	return r < 0 ? package_fail(p, r) : 0;
}
