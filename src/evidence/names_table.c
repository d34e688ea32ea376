/* Looking into the runs of the names table; each block is checked when it is first touched, and nothing of a run is trusted before. */
#include "evidence/names_table.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "base/varint.h"
#include "base/why.h"

#define RUNS_MAX 4096
#define LIST_AGAIN 5 /* a builder may remove a run that was listed just before */

struct run {
	uint64_t from, to, blocks, slot_blocks;
	uint64_t before[NAME_KINDS_], count[NAME_KINDS_];
	uint64_t places[NAME_KINDS_]; /* first block of each kind */
	uint64_t parents, slots;         /* first blocks */
	uint64_t key[2];
	uint32_t tag;
	const struct table_block *block;
	uint64_t *seen;                  /* a bit a block: its sum was right */
};

struct names_table {
	struct run *run;
	size_t n;
	struct table_end end;
};

static _Thread_local struct why why;

const char *names_table_why(void)
{
	return why.text;
}

#define bad(...) why_set(&why, -EBADMSG, __VA_ARGS__)

int names_table_refuse(const char *reason)
{
	return bad("%s", reason);
}

static int bad_run(const struct run *r, uint64_t block, const char *expect)
{
	return bad("names/run-%020llu-%020llu block %llu: expected %s", (unsigned long long)r->from, (unsigned long long)r->to,
		(unsigned long long)block, expect);
}

/* --- format --- */

uint32_t table_block_sum(const struct table_block *b, uint32_t tag)
{
	return crc32c(tag, b, offsetof(struct table_block, crc));
}

uint64_t table_hash(const uint64_t key[2], unsigned kind, str value)
{
	uint8_t k[16];

	memcpy(k, key, 16);
	k[15] ^= (uint8_t)kind;
	return siphash13(k, value.p, value.n);
}

void table_run_name(char out[static RUN_NAME_MAX], uint64_t from, uint64_t to)
{
	snprintf(out, RUN_NAME_MAX, "run-%020llu-%020llu", (unsigned long long)from, (unsigned long long)to);
}

/* 20 digits. */
static bool padded(const char *p, uint64_t *ret)
{
	uint64_t v = 0;

	for (int i = 0; i < 20; i++)
		if (p[i] < '0' || p[i] > '9' || __builtin_mul_overflow(v, 10, &v) || __builtin_add_overflow(v, (uint64_t)(p[i] - '0'), &v))
			return false;
	*ret = v;
	return true;
}

bool table_run_parse(const char *name, uint64_t *ret_from, uint64_t *ret_to)
{
	uint64_t from, to;

	if (strlen(name) != 45 || memcmp(name, "run-", 4) != 0 || name[24] != '-' || !padded(name + 4, &from) || !padded(name + 25, &to))
		return false;
	if (from >= to || to - from > TABLE_NAMES_MAX)
		return false;
	*ret_from = from;
	*ret_to = to;
	return true;
}

struct entry_id entry_id_of(const uint8_t *entry, const struct name_entry *e)
{
	struct entry_id id = { .crc = get_be32(entry) };

	memcpy(id.salt, e->salt, 16);
	return id;
}

/* --- blocks --- */

static int block_use(struct run *r, uint64_t n, const uint64_t **ret)
{
	const struct table_block *b = &r->block[n];

	if (!(r->seen[n / 64] >> (n % 64) & 1)) {
		if (b->number != n || b->crc != table_block_sum(b, r->tag))
			return bad_run(r, n, "its number and sum");
		r->seen[n / 64] |= (uint64_t)1 << (n % 64);
	}
	*ret = b->word;
	return 0;
}

static int word_at(struct run *r, uint64_t first_block, uint64_t i, uint64_t *ret)
{
	const uint64_t *word;
	int e = block_use(r, first_block + i / BLOCK_WORDS, &word);

	if (e == 0)
		*ret = word[i % BLOCK_WORDS];
	return e;
}

/* --- opening --- */

/* Where everything stands follows from the counts. */
static int layout(struct run *r)
{
	uint64_t sum = 0, at = 1;

	for (unsigned k = 1; k < NAME_KINDS_; k++) {
		if (r->count[k] > TABLE_NAMES_MAX || r->before[k] >> SLOT_NUMBER_BITS)
			return bad_run(r, 0, "counts of its names");
		r->places[k] = at;
		at += blocks_for(r->count[k]);
		sum += r->count[k];
	}
	if (sum != r->to - r->from || r->slot_blocks == 0 || r->slot_blocks > TABLE_NAMES_MAX || r->slot_blocks * BLOCK_WORDS <= sum)
		return bad_run(r, 0, "counts of its names");
	r->parents = at;
	at += blocks_for(r->count[NAME_COMPONENT]);
	r->slots = at;
	r->blocks = at + r->slot_blocks;
	return 0;
}

/* Block 0, and what it says of the run; ends with what the table reaches with this run. */
static int head_take(struct run *r, struct table_end *end)
{
	const uint64_t *w = r->block[0].word;
	const uint32_t tag = (uint32_t)w[HEAD_TAG];

	if (w[HEAD_MAGIC] != TABLE_MAGIC || w[HEAD_TAG] > UINT32_MAX || r->block[0].number != 0 ||
	    r->block[0].crc != table_block_sum(&r->block[0], tag))
		return bad_run(r, 0, "TYTONTB1 and its sum");
	if (w[HEAD_FROM] != r->from || w[HEAD_TO] != r->to)
		return bad_run(r, 0, "what the file is named by");
	r->tag = tag;
	memcpy(r->key, w + HEAD_KEY, sizeof(r->key));
	r->slot_blocks = w[HEAD_SLOTS];
	for (unsigned k = 1; k < NAME_KINDS_; k++) {
		r->before[k] = w[HEAD_BEFORE + k];
		r->count[k] = w[HEAD_COUNT + k];
		if (r->before[k] != end->count[k])
			return bad_run(r, 0, "to go on where the run before it ends");
		end->count[k] += r->count[k];
	}
	if (r->from ? w[HEAD_BEGIN] != end->behind || memcmp(w + HEAD_FIRST_ID, &end->first_id, sizeof(end->first_id)) != 0 :
	    w[HEAD_BEGIN] != NAMES_HEADER)
		return bad_run(r, 0, "to go on where the run before it ends");
	end->total = r->to;
	end->behind = w[HEAD_BEHIND];
	end->last = w[HEAD_LAST];
	memcpy(&end->last_id, w + HEAD_LAST_ID, sizeof(end->last_id));
	memcpy(&end->first_id, w + HEAD_FIRST_ID, sizeof(end->first_id));
	return layout(r);
}

static void run_close(struct run *r, uint64_t bytes)
{
	if (r->block)
		munmap((void *)(uintptr_t)r->block, bytes);
	free(r->seen);
}

static int run_open(int dir, uint64_t from, uint64_t to, struct table_end *end, struct run *ret)
{
	struct run r = { .from = from, .to = to };
	_cleanup_close_ int fd = -1;
	char name[RUN_NAME_MAX];
	uint64_t bytes;
	struct stat st;
	void *map;
	int e;

	table_run_name(name, from, to);
	fd = openat(dir, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	if (fd < 0 || fstat(fd, &st) < 0)
		return -errno;
	bytes = (uint64_t)st.st_size;
	if (!S_ISREG(st.st_mode) || bytes < 2 * BLOCK_BYTES || bytes % BLOCK_BYTES || bytes / BLOCK_BYTES > UINT32_MAX)
		return bad_run(&r, 0, "a regular file of whole blocks");
	map = mmap(NULL, bytes, PROT_READ, MAP_SHARED, fd, 0);
	if (map == MAP_FAILED)
		return -errno;
	r.block = map;
	e = head_take(&r, end);
	if (e == 0 && r.blocks != bytes / BLOCK_BYTES)
		e = bad_run(&r, 0, "a file of the length that its counts make");
	if (e == 0 && !(r.seen = calloc(r.blocks / 64 + 1, sizeof(*r.seen))))
		e = -ENOMEM;
	if (e < 0) {
		run_close(&r, bytes);
		return e;
	}
	*ret = r;
	return 0;
}

struct span {
	uint64_t from, to;
};

/* By where they begin, the longest first. */
static int span_order(const void *a, const void *b)
{
	const struct span *x = a, *y = b;

	if (x->from != y->from)
		return x->from < y->from ? -1 : 1;
	return x->to > y->to ? -1 : x->to < y->to;
}

static int list(int dir, struct span *spans, size_t *ret)
{
	int fd = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC), r = 0;
	DIR *d = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *entry;
	size_t n = 0;

	if (!d) {
		r = -errno;
		close_fd(&fd);
		return r;
	}
	while (r == 0 && (entry = readdir(d))) {
		if (strcmp(entry->d_name, TABLE_DAMAGED) == 0)
			r = bad("names: the table was found damaged");
		if (n < RUNS_MAX && table_run_parse(entry->d_name, &spans[n].from, &spans[n].to))
			n++;
	}
	closedir(d);
	if (r == 0 && n)
		qsort(spans, n, sizeof(*spans), span_order);
	*ret = n;
	return r;
}

static int open_runs(int dir, struct span *spans, struct names_table *t)
{
	size_t n = 0;
	int r = list(dir, spans, &n);

	for (size_t i = 0; r == 0 && i < n; i++) {
		struct run *grown;

		if (spans[i].from < t->end.total)
			continue; /* left from a merge */
		if (spans[i].from > t->end.total)
			break;
		grown = reallocarray(t->run, t->n + 1, sizeof(*grown));
		if (!grown)
			return -ENOMEM;
		t->run = grown;
		r = run_open(dir, spans[i].from, spans[i].to, &t->end, &t->run[t->n]);
		if (r == 0)
			t->n++;
	}
	if (r == -ENOENT && n && t->end.total < spans[n - 1].to)
		return -EAGAIN;
	return r == 0 && t->n == 0 ? -ENOENT : r;
}

int names_table_open(int state_fd, struct names_table **ret)
{
	_cleanup_close_ int dir = openat(state_fd, TABLE_DIR, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	_cleanup_free_ struct span *spans = NULL;
	struct names_table *t = NULL;
	int r;

	if (dir < 0)
		return errno == ENOTDIR || errno == ELOOP ? bad("names: expected a directory") : -errno;
	spans = calloc(RUNS_MAX, sizeof(*spans));
	if (!spans)
		return -ENOMEM;
	for (int i = 0; i < LIST_AGAIN; i++) {
		t = calloc(1, sizeof(*t));
		if (!t)
			return -ENOMEM;
		r = open_runs(dir, spans, t);
		if (r == 0) {
			*ret = t;
			return 0;
		}
		t = names_table_close(t);
		if (r != -EAGAIN)
			return r;
	}
	return -ENOENT;
}

struct names_table *names_table_close(struct names_table *t)
{
	if (!t)
		return NULL;
	for (size_t i = 0; i < t->n; i++)
		run_close(&t->run[i], t->run[i].blocks * BLOCK_BYTES);
	free(t->run);
	free(t);
	return NULL;
}

const struct table_end *names_table_end(const struct names_table *t)
{
	return &t->end;
}

size_t names_table_runs(const struct names_table *t)
{
	return t->n;
}

struct run_info names_table_run(const struct names_table *t, size_t i)
{
	const struct run *r = &t->run[i];
	struct run_info info = { r->from, r->to, r->block[0].word[HEAD_BEGIN], { 0 } };

	memcpy(info.before, r->before, sizeof(info.before));
	return info;
}

/* --- look-ups --- */

static struct run *run_of(struct names_table *t, unsigned kind, uint64_t number)
{
	size_t lo = 0, hi = t->n;

	/* `before` of a kind only grows: the last run that begins below the number. */
	while (hi - lo > 1) {
		size_t mid = (lo + hi) / 2;

		if (t->run[mid].before[kind] < number)
			lo = mid;
		else
			hi = mid;
	}
	return &t->run[lo];
}

int names_table_place(struct names_table *t, unsigned kind, uint64_t number, uint64_t *ret)
{
	struct run *r = run_of(t, kind, number);

	return word_at(r, r->places[kind], number - 1 - r->before[kind], ret);
}

int names_table_parents(struct names_table *t, uint64_t component, const uint64_t **ret, size_t *ret_n)
{
	struct run *r = run_of(t, NAME_COMPONENT, component);
	uint64_t i = component - 1 - r->before[NAME_COMPONENT], left = r->count[NAME_COMPONENT] - i;
	const uint64_t *word;
	int e = block_use(r, r->parents + i / BLOCK_WORDS, &word);

	if (e < 0)
		return e;
	*ret = word + i % BLOCK_WORDS;
	*ret_n = (size_t)MIN(left, BLOCK_WORDS - i % BLOCK_WORDS);
	return 0;
}

static void probe_run(struct names_table *t, struct table_probe *p)
{
	struct run *r = &t->run[p->run];

	p->hash = table_hash(r->key, p->kind, p->value);
	p->block = table_slot_block(p->hash, r->slot_blocks);
	p->slot = table_slot_first(p->hash);
	p->looked = 0;
	p->begun = true;
}

static int probe_step(struct run *r, struct table_probe *p, uint64_t *ret)
{
	const uint64_t want = table_slot(p->hash, p->kind, 0), mask = ((uint64_t)1 << SLOT_NUMBER_BITS) - 1;

	while (p->looked < r->slot_blocks * BLOCK_WORDS) {
		const uint64_t *word;
		uint64_t s, number;
		int e = block_use(r, r->slots + p->block, &word);

		if (e < 0)
			return e;
		s = word[p->slot];
		if (s == 0)
			return 0;
		p->looked++;
		p->slot = p->slot + 1 == BLOCK_WORDS ? 0 : p->slot + 1;
		if (p->looked % BLOCK_WORDS == 0)
			p->block = p->block + 1 == r->slot_blocks ? 0 : p->block + 1;
		number = s & mask;
		if (s - number != want)
			continue;
		if (number <= r->before[p->kind] || number > r->before[p->kind] + r->count[p->kind])
			return bad_run(r, r->slots + p->block, "numbers of its names");
		*ret = number;
		return 1;
	}
	return 0;
}

int names_table_next(struct names_table *t, struct table_probe *p, uint64_t *ret)
{
	for (; p->run < t->n; p->run++, p->begun = false) {
		int r;

		if (t->run[p->run].count[p->kind] == 0)
			continue;
		if (!p->begun)
			probe_run(t, p);
		r = probe_step(&t->run[p->run], p, ret);
		if (r)
			return r;
	}
	return 0;
}

void names_table_mark(int state_fd)
{
	_cleanup_close_ int dir = openat(state_fd, TABLE_DIR, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	_cleanup_close_ int fd = dir < 0 ? -1 : openat(dir, TABLE_DAMAGED, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
}
