/* The company's own client list: keyed hashes of what tells a client, and which client it is. */
#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>

#include "base/array.h"
#include "base/utf8.h"
#include "base/why.h"
#include "document/identifier.h"

#define FILE_MAX (256u << 20)
#define CLIENTS_MAX (8u << 20)
#define BATCH (1u << 20)       /* bytes of text that are looked at together */
#define SHARED UINT32_MAX

struct slot {
	uint64_t key;
	uint32_t client; /* from 1; SHARED: of more than one, which tells none */
};

struct client_list {
	struct slot *slots;
	size_t n_slots, n;
	uint32_t clients;
};

static _Thread_local struct why why = { "no error" };
#define fail(r, ...) why_set(&why, (r), __VA_ARGS__)

const char *client_list_why(void)
{
	return why.text;
}

uint32_t client_list_clients(const struct client_list *c)
{
	return c->clients;
}

static struct slot *slot_of(const struct client_list *c, uint64_t key)
{
	size_t i = key & (c->n_slots - 1);

	while (c->slots[i].client && c->slots[i].key != key)
		i = (i + 1) & (c->n_slots - 1);
	return &c->slots[i];
}

uint32_t client_list_find(const struct client_list *c, uint64_t key)
{
	uint32_t client = slot_of(c, key)->client;

	return client == SHARED ? 0 : client;
}

static int grow(struct client_list *c)
{
	struct client_list bigger = { .n_slots = 2 * c->n_slots };

	bigger.slots = calloc(bigger.n_slots, sizeof(*bigger.slots));
	if (!bigger.slots)
		return -ENOMEM;
	for (size_t i = 0; i < c->n_slots; i++)
		if (c->slots[i].client)
			*slot_of(&bigger, c->slots[i].key) = c->slots[i];
	free(c->slots);
	c->slots = bigger.slots;
	c->n_slots = bigger.n_slots;
	return 0;
}

static int put(struct client_list *c, uint64_t key, uint32_t client)
{
	struct slot *s;
	int r = 2 * c->n >= c->n_slots ? grow(c) : 0;

	if (r < 0)
		return r;
	s = slot_of(c, key);
	c->n += !s->client;
	s->client = !s->client || s->client == client ? client : SHARED;
	s->key = key;
	return 0;
}

/* --- the file --- */

struct loading {
	struct client_list *list;
	const uint8_t *key;
	struct finder *finder;
	struct finding_scan *scan;
	struct text text;     /* cells of some rows; span.row is the client */
	struct buf cell;
	char sep;
	uint32_t rows, columns; /* columns of the first row */
	struct buf header;    /* the cells of row 1, which count when no row has what it lacks */
	bool first_has, any_has; /* e-mail or phone in row 1; in a later row */
};

/* Dates, amounts, postal codes: digits and marks tell a client only from eight digits on. */
static bool tells(str s)
{
	unsigned digits = 0;

	for (size_t i = 0; i < s.n; i++) {
		if ((s.p[i] & 0x80) || (s.p[i] >= 'a' && s.p[i] <= 'z'))
			return true;
		digits += s.p[i] >= '0' && s.p[i] <= '9';
	}
	return digits > 8 || (digits == 8 && !memchr(s.p, '-', s.n) && !memchr(s.p, '/', s.n) && !memchr(s.p, '.', s.n));
}

static int add_cell(struct loading *l, uint32_t col, str cell)
{
	struct text *t = &l->text;

	if (!cell.n)
		return 0;
	if (array_room(t->spans, t->cap_spans, t->n_spans + 1) < 0)
		return -ENOMEM;
	if (t->bytes.n)
		buf_putc(&t->bytes, '\n');
	t->spans[t->n_spans++] = (struct span){ .at = (uint32_t)t->bytes.n, .n = (uint32_t)cell.n, .table = 1, .row = l->rows, .col = col,
			.zone = ZONE_CELL };
	buf_puts(&t->bytes, cell);
	return buf_error(&t->bytes);
}

static int put_key(struct loading *l, enum identifier_kind kind, str value, uint32_t row)
{
	return put(l->list, identifier_key(l->key, kind, value), row);
}

/* Fields of row 1 wait until it is known whether it is a header. */
static int put_field(struct loading *l, str cell, uint32_t row)
{
	struct buf *b = row == 1 ? &l->header : &l->cell;
	size_t from;
	uint64_t key;

	if (row != 1)
		buf_clear(b);
	from = b->n;
	if (!identifier_normalise(cell, b) || !tells((str){ b->p + from, b->n - from })) {
		b->n = from;
		return buf_error(b);
	}
	if (row != 1)
		return put_key(l, IDENT_CELL, buf_str(b), row);
	key = identifier_key(l->key, IDENT_CELL, (str){ b->p + from, b->n - from });
	b->n = from;
	buf_put(b, &key, sizeof(key));
	return buf_error(b);
}

static enum identifier_kind kind_of(const struct hit *x)
{
	switch (x->detector) {
	case DET_EMAIL: return IDENT_EMAIL;
	case DET_PHONE: return IDENT_PHONE;
	case DET_PAYMENT_CARD: return IDENT_CARD;
	case DET_IBAN: return IDENT_IBAN;
	default: return 0;
	}
}

static int take_batch(struct loading *l)
{
	struct text *t = &l->text;
	struct hits h;
	size_t k = 0;
	int r = finding_run(l->scan, t, &h);

	for (size_t i = 0; r == 0 && i < t->n_spans; i++) {
		const struct span *s = &t->spans[i];
		bool any = false;

		for (; r == 0 && k < h.n && h.hit[k].at < s->at + s->n; k++) {
			enum identifier_kind kind = kind_of(&h.hit[k]);

			if (!kind)
				continue;
			any = true;
			if (kind == IDENT_EMAIL || kind == IDENT_PHONE)
				*(s->row == 1 ? &l->first_has : &l->any_has) = true;
			r = put_key(l, kind, hit_value(&h, &h.hit[k]), s->row);
		}
		if (r == 0 && !any)
			r = put_field(l, text_span(t, s), s->row);
	}
	t->n_spans = 0;
	buf_clear(&t->bytes);
	return r;
}

/* The separator that stands most on the first line; none: one client a line. */
static char separator(str s)
{
	static const char all[] = { '\t', ',', ';' };
	const char *nl = memchr(s.p, '\n', s.n);
	size_t n = nl ? (size_t)(nl - s.p) : s.n, most = 0;
	char sep = 0;

	for (size_t i = 0; i < ARRAY_SIZE(all); i++) {
		size_t k = 0;

		for (size_t j = 0; j < n; j++)
			k += s.p[j] == all[i];
		if (k > most) {
			most = k;
			sep = all[i];
		}
	}
	return sep;
}

/* One field from i on, quotes as in RFC 4180, into b; returns where it ends: at the separator, the line's end, or the end. */
static size_t field(const struct loading *l, str s, size_t i, struct buf *b)
{
	bool quoted = false;

	buf_clear(b);
	for (bool start = true; i < s.n; i++, start = false) {
		char c = s.p[i];

		if (quoted && c == '"' && i + 1 < s.n && s.p[i + 1] == '"')
			buf_putc(b, s.p[++i]);
		else if (c == '"' && (start || quoted))
			quoted = !quoted;
		else if (!quoted && (c == '\n' || (l->sep && c == l->sep)))
			break;
		else if (c != '\r')
			buf_putc(b, c);
	}
	return i;
}

static int parse(struct loading *l, str s)
{
	_cleanup_buf_ struct buf b = { .max = FILE_MAX };
	uint32_t col = 0;
	bool empty = true;
	int r = 0;

	l->sep = separator(s);
	l->rows = 1;
	for (size_t i = 0; r == 0 && i < s.n;) {
		i = field(l, s, i, &b);
		col++;
		empty = empty && !b.n;
		r = buf_error(&b);
		if (r == 0)
			r = add_cell(l, col, buf_str(&b));
		if (i < s.n && s.p[i] == l->sep && l->sep) {
			i++;
			continue;
		}
		i++;
		l->columns = l->rows == 1 ? col : l->columns;
		col = 0;
		/* Empty lines are no clients. */
		if (!empty && l->rows == CLIENTS_MAX)
			return fail(-E2BIG, "more than %u clients", CLIENTS_MAX);
		l->rows += !empty;
		empty = true;
		if (r == 0 && l->text.bytes.n >= BATCH)
			r = take_batch(l);
	}
	return r == 0 ? take_batch(l) : r;
}

static int finish(struct loading *l)
{
	int r = 0;

	/* A first row of fields without any address, over rows that have them, says what they are. */
	if (l->columns > 1 && !l->first_has && l->any_has)
		return 0;
	for (size_t i = 0; r == 0 && i + 8 <= l->header.n; i += 8) {
		uint64_t key;

		memcpy(&key, l->header.p + i, 8);
		r = put(l->list, key, 1);
	}
	return r;
}

static int read_all(int fd, struct buf *b)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return -errno;
	if (st.st_size > FILE_MAX)
		return -EFBIG;
	for (;;) {
		ssize_t n;

		if (buf_reserve(b, 65536) < 0)
			return -EFBIG;
		n = read(fd, b->p + b->n, 65536);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? -errno : 0;
		b->n += (size_t)n;
	}
}

static void loading_free(struct loading *l)
{
	finding_scan_free(l->scan);
	finder_free(l->finder);
	/* The list itself does not stay in memory. */
	if (l->text.bytes.p)
		explicit_bzero(l->text.bytes.p, l->text.bytes.cap);
	text_free(&l->text);
	buf_free(&l->cell);
	buf_free(&l->header);
}

static int load(struct loading *l, str s)
{
	int r;

	if (str_starts(s, STR("\xef\xbb\xbf")))
		s = (str){ s.p + 3, s.n - 3 };
	if (!str_utf8_valid(s)) {
		size_t ok = utf8_clean_prefix(s);

		return fail(-EBADMSG, "byte %zu: expected UTF-8", ok);
	}
	if (s.n && memchr(s.p, '\0', s.n))
		return fail(-EBADMSG, "byte %zu: expected text", (size_t)((const char *)memchr(s.p, '\0', s.n) - s.p));
	l->list->n_slots = 1024;
	l->list->slots = calloc(l->list->n_slots, sizeof(*l->list->slots));
	r = l->list->slots ? finder_new(NULL, 0, &l->finder) : -ENOMEM;
	if (r == 0)
		r = finding_scan_new(l->finder, &l->scan);
	if (r == 0 && s.n)
		r = parse(l, s);
	if (r == 0 && s.n)
		r = finish(l);
	l->list->clients = l->rows;
	return r < 0 && r != -E2BIG ? fail(r, "%s", strerror(-r)) : r;
}

int client_list_load(int fd, const uint8_t key[static IDENTIFIER_KEY], struct client_list **ret)
{
	_cleanup_buf_ struct buf b = { .max = FILE_MAX + 65536 };
	struct loading l = { .key = key, .list = calloc(1, sizeof(*l.list)) };
	int r = l.list ? read_all(fd, &b) : -ENOMEM;

	if (r < 0)
		fail(r, r == -EFBIG ? "larger than 256 MiB" : "%s", strerror(-r));
	else
		r = load(&l, buf_str(&b));
	if (b.p)
		explicit_bzero(b.p, b.n);
	loading_free(&l);
	if (r < 0) {
		client_list_free(l.list);
		return r;
	}
	*ret = l.list;
	return 0;
}

struct client_list *client_list_free(struct client_list *c)
{
	if (!c)
		return NULL;
	free(c->slots);
	free(c);
	return NULL;
}
