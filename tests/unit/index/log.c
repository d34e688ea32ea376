#include "log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

#include "base/varint.h"

struct names {
	struct buf bytes;
	str values[NAME_KIND_MAX_][4096];
	uint64_t count[NAME_KIND_MAX_];
};
struct evidence_reader {
	char state[256];
	struct buf bytes;
	str *leaves;
	size_t n, cap, parsed;
	struct names names;
};

static struct evidence_reader *writer; /* what log_append and log_name have written */

static void slurp(const char *state, const char *file, struct buf *b)
{
	char path[300], tmp[65536];
	_cleanup_close_ int fd = -1;
	ssize_t n;

	snprintf(path, sizeof(path), "%s/%s", state, file);
	fd = open(path, O_RDONLY);
	buf_clear(b);
	while (fd >= 0 && (n = read(fd, tmp, sizeof(tmp))) > 0)
		buf_put(b, tmp, (size_t)n);
}

static void spill(const char *state, const char *file, const void *p, size_t n)
{
	char path[300];
	_cleanup_close_ int fd = -1;

	snprintf(path, sizeof(path), "%s/%s", state, file);
	fd = open(path, O_WRONLY | O_APPEND | O_CREAT, 0600);
	if (fd < 0 || write(fd, p, n) != (ssize_t)n)
		abort();
}

static void names_parse(struct names *n)
{
	memset(n->count, 0, sizeof(n->count));
	for (size_t i = 0; i + 3 <= n->bytes.n;) {
		uint8_t kind = (uint8_t)n->bytes.p[i];
		size_t len = (uint8_t)n->bytes.p[i + 1] << 8 | (uint8_t)n->bytes.p[i + 2];

		if (i + 3 + len > n->bytes.n)
			break;
		n->values[kind][++n->count[kind]] = (str){ n->bytes.p + i + 3, len };
		i += 3 + len;
	}
}

static void leaves_parse(struct evidence_reader *r)
{
	r->n = 0;
	for (size_t i = 0; i + 2 <= r->bytes.n;) {
		size_t len = (uint8_t)r->bytes.p[i] << 8 | (uint8_t)r->bytes.p[i + 1];

		if (i + 2 + len > r->bytes.n)
			break;
		if (r->n == r->cap)
			r->leaves = reallocarray(r->leaves, r->cap = r->cap ? 2 * r->cap : 1024, sizeof(str));
		r->leaves[r->n++] = (str){ r->bytes.p + i + 2, len };
		i += 2 + len;
	}
}

void log_begin(const char *state)
{
	mkdir(state, 0700);
	log_end();
	evidence_reader_open(state, &writer);
}

void log_end(void)
{
	writer = evidence_reader_close(writer);
}

void log_append(const char *state, const struct leaf *l)
{
	uint8_t out[LEAF_MAX + 2];
	ssize_t n = leaf_encode(l, out + 2);

	if (n < 0)
		abort();
	out[0] = (uint8_t)(n >> 8);
	out[1] = (uint8_t)n;
	spill(state, "leaves", out, (size_t)n + 2);
}

uint64_t log_name(const char *state, enum name_kind kind, str value)
{
	uint64_t n = names_find(&writer->names, kind, value);
	char head[3] = { (char)kind, (char)(value.n >> 8), (char)value.n };
	_cleanup_buf_ struct buf b = BUF_INIT;

	if (n)
		return n;
	buf_put(&b, head, 3);
	buf_puts(&b, value);
	spill(state, "names", b.p, b.n);
	slurp(state, "names", &writer->names.bytes);
	names_parse(&writer->names);
	return names_find(&writer->names, kind, value);
}

uint64_t log_path(const char *state, str path)
{
	uint64_t c = 0;

	for (size_t i = 0; i <= path.n;) {
		const char *slash = i < path.n ? memchr(path.p + i, '/', path.n - i) : NULL;
		size_t end = slash ? (size_t)(slash - path.p) : path.n;
		_cleanup_buf_ struct buf v = BUF_INIT;

		buf_put_uvar(&v, c);
		buf_put(&v, path.p + i, end - i);
		c = log_name(state, NAME_COMPONENT, buf_str(&v));
		i = end + 1;
	}
	return c;
}

/* The reader's side, as evidence.h and names.h say. */

const char *evidence_why(void)
{
	return "test log";
}

int evidence_reader_open(const char *state, struct evidence_reader **ret)
{
	struct evidence_reader *r = calloc(1, sizeof(*r));
	uint64_t size;

	snprintf(r->state, sizeof(r->state), "%s", state);
	evidence_reader_refresh(r, &size);
	*ret = r;
	return 0;
}

struct evidence_reader *evidence_reader_close(struct evidence_reader *r)
{
	if (r) {
		buf_free(&r->bytes);
		buf_free(&r->names.bytes);
		free(r->leaves);
		free(r);
	}
	return NULL;
}

int evidence_reader_refresh(struct evidence_reader *r, uint64_t *ret_size)
{
	slurp(r->state, "leaves", &r->bytes);
	leaves_parse(r);
	slurp(r->state, "names", &r->names.bytes);
	names_parse(&r->names);
	*ret_size = r->n;
	return 0;
}

const struct names *evidence_reader_names(const struct evidence_reader *r)
{
	return &r->names;
}

int evidence_read(struct evidence_reader *r, uint64_t seq, str *ret_packed)
{
	if (seq >= r->n)
		return -ENOENT;
	*ret_packed = r->leaves[seq];
	return 0;
}

int evidence_each(struct evidence_reader *r, uint64_t from, uint64_t to, int (*cb)(void *arg, uint64_t seq, const struct leaf *l), void *arg)
{
	for (; from < to; from++) {
		struct leaf l;
		int e = leaf_decode((const uint8_t *)r->leaves[from].p, r->leaves[from].n, &l);

		if (e == 0)
			e = cb(arg, from, &l);
		if (e)
			return e;
	}
	return 0;
}

int evidence_event(const struct names *n, uint64_t seq, const struct leaf *l, struct buf *scratch, struct event *ret)
{
	*ret = (struct event){ .present = l->present, .seq = seq, .time = (int64_t)l->value[EV_TIME], .verb = l->value[EV_VERB] };
	buf_clear(scratch);
	if (event_has(ret, EV_PATH) && names_path(n, l->value[EV_PATH], scratch) == 0)
		ret->path = buf_str(scratch);
	if (event_has(ret, EV_PERSON))
		names_value(n, NAME_PERSON, l->value[EV_PERSON], &ret->person);
	return 0;
}

uint64_t names_find(const struct names *n, enum name_kind kind, str value)
{
	for (uint64_t i = 1; i <= n->count[kind]; i++)
		if (str_eq(n->values[kind][i], value))
			return i;
	return 0;
}

int names_value(const struct names *n, enum name_kind kind, uint64_t number, str *ret)
{
	if (number < 1 || number > n->count[kind])
		return -ENOENT;
	*ret = n->values[kind][number];
	return 0;
}

uint64_t names_count(const struct names *n, enum name_kind kind)
{
	return n->count[kind];
}

int names_path(const struct names *n, uint64_t component, struct buf *ret)
{
	uint64_t parent;
	str v;
	int k;

	if (names_value(n, NAME_COMPONENT, component, &v) < 0)
		return -ENOENT;
	k = uvar_get((const uint8_t *)v.p, v.n, &parent);
	if (parent) {
		names_path(n, parent, ret);
		buf_putc(ret, '/');
	}
	buf_put(ret, v.p + k, v.n - (size_t)k);
	return 0;
}

size_t names_parents(const struct names *n, uint64_t component, uint64_t *ret, size_t max)
{
	str v;

	*ret = 0;
	if (max == 0 || component > names_count(n, NAME_COMPONENT))
		return 0;
	if (names_value(n, NAME_COMPONENT, component, &v) == 0)
		(void)uvar_get((const uint8_t *)v.p, v.n, ret);
	return 1;
}

int names_error(const struct names *n)
{
	return 0;
}

uint64_t names_find_path(const struct names *n, str path)
{
	uint64_t c = 0;

	for (size_t i = 0; i <= path.n;) {
		const char *slash = i < path.n ? memchr(path.p + i, '/', path.n - i) : NULL;
		size_t end = slash ? (size_t)(slash - path.p) : path.n;
		_cleanup_buf_ struct buf v = BUF_INIT;

		buf_put_uvar(&v, c);
		buf_put(&v, path.p + i, end - i);
		c = names_find(n, NAME_COMPONENT, buf_str(&v));
		if (!c)
			return 0;
		i = end + 1;
	}
	return c;
}
