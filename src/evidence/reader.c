/* The reader of the outside: leaves with their names, counters, and single leaves without any. */
#include "evidence/reader.h"

#include <errno.h>
#include <sys/stat.h>

#include "evidence/names_table.h"
#include "evidence/vfs.h"

struct evidence_reader {
	int state_fd, log_fd;
	struct log_reader *log;
	struct names *names;
	uint64_t size;
};

int evidence_reader_open(const char *state, struct evidence_reader **ret)
{
	struct evidence_reader *r = calloc(1, sizeof(*r));
	int e;

	if (!r)
		return evidence_fail(-ENOMEM, "no memory");
	r->state_fd = r->log_fd = -1;
	e = logdir_open(state, &r->state_fd, &r->log_fd);
	if (e == 0)
		e = log_reader_open(r->log_fd, &r->log);
	if (e == 0)
		e = evidence_reader_refresh(r, NULL);
	if (e < 0) {
		evidence_reader_close(r);
		return e;
	}
	*ret = r;
	return 0;
}

struct evidence_reader *evidence_reader_close(struct evidence_reader *r)
{
	if (!r)
		return NULL;
	names_free(r->names);
	log_reader_close(r->log);
	close_fd(&r->log_fd);
	close_fd(&r->state_fd);
	free(r);
	return NULL;
}

/* Leaves first, names after: names are durable before their leaves, so every number in what we saw has its name. */
int evidence_reader_refresh(struct evidence_reader *r, uint64_t *ret_size)
{
	int e = log_reader_refresh(r->log, UINT64_MAX, &r->size);

	if (e < 0)
		return e;
	e = r->names ? names_refresh(r->names) : names_open_beside(r->log_fd, r->state_fd, false, &r->names);
	if (e < 0)
		return evidence_fail(e == -EBADMSG ? -EUCLEAN : e, "%s", e == -EBADMSG ? names_damage() : strerror(-e));
	if (ret_size)
		*ret_size = r->size;
	return 0;
}

const struct names *evidence_reader_names(const struct evidence_reader *r)
{
	return r->names;
}

int evidence_reader_names_table(struct evidence_reader *r, bool finish)
{
	int e = names_table_advance(r->state_fd, r->names, finish ? TABLE_STEP_END : TABLE_STEP);

	return e < 0 ? evidence_fail(e, "names table: %s", strerror(-e)) : 0;
}

struct log_reader *evidence_reader_log(struct evidence_reader *r)
{
	return r->log;
}

int evidence_reader_log_fd(const struct evidence_reader *r)
{
	return r->log_fd;
}

int evidence_read(struct evidence_reader *r, uint64_t seq, str *ret_packed)
{
	return log_reader_leaf(r->log, seq, ret_packed);
}

int evidence_each(struct evidence_reader *r, uint64_t from, uint64_t to, int (*cb)(void *arg, uint64_t seq, const struct leaf *l),
	void *arg)
{
	int e = 0;

	for (uint64_t seq = from; e == 0 && seq < to; seq++) {
		struct leaf l;
		str packed;

		e = log_reader_leaf(r->log, seq, &packed);
		if (e < 0)
			return e;
		e = leaf_decode_any((const uint8_t *)packed.p, packed.n, &l);
		if (e < 0)
			return evidence_fail(-EUCLEAN, "record %llu: expected a leaf", (unsigned long long)seq);
		e = cb(arg, seq, &l);
	}
	return e;
}

int evidence_reader_checkpoint(struct evidence_reader *r, struct buf *ret)
{
	int e = read_file(r->log_fd, "checkpoint", 64 * 1024, ret);

	return e < 0 ? evidence_fail(e, "log/checkpoint: %s", e == -ENOENT ? "none has been signed yet" : strerror(-e)) : 0;
}

/* The cache of counters on disk, where it fits a log of that size, else zeros. */
static struct counters cached_counters(int state_fd, uint64_t size)
{
	struct counters c = { 0 };

	if (counters_load(state_fd, &c) < 0 || c.size > size)
		c = (struct counters){ 0 };
	return c;
}

static int count(void *arg, uint64_t seq, const struct leaf *l)
{
	counters_leaf(arg, l);
	return 0;
}

int evidence_reader_stat(struct evidence_reader *r, struct evidence_stat *ret)
{
	struct counters c = cached_counters(r->state_fd, r->size);
	_cleanup_buf_ struct buf text = BUF_INIT;
	struct stat st;
	int e = evidence_each(r, c.size, r->size, count, &c);

	if (e < 0)
		return e;
	counters_stat(&c, r->names, ret);
	if (read_file(r->log_fd, "checkpoint", 64 * 1024, &text) == 0) {
		const char *line = memchr(text.p, '\n', text.n);

		/* The second line; verify is who checks it. */
		if (line)
			ret->checkpoint_size = strtoull(line + 1, NULL, 10);
		if (fstatat(r->log_fd, "checkpoint", &st, 0) == 0)
			ret->checkpoint_time = st.st_mtim.tv_sec * NSEC_PER_SEC + st.st_mtim.tv_nsec;
	}
	ret->disk_log = logdir_bytes(r->log_fd);
	return 0;
}

struct light { /* leaves without names: quickly opened */
	int state_fd, log_fd;
	struct log_reader *log;
	uint64_t size;
};

static void light_close(struct light *l)
{
	log_reader_close(l->log);
	close_fd(&l->log_fd);
	close_fd(&l->state_fd);
}

static int light_open(const char *state, struct light *ret)
{
	int e;

	*ret = (struct light){ .state_fd = -1, .log_fd = -1 };
	e = logdir_open(state, &ret->state_fd, &ret->log_fd);
	if (e == 0)
		e = log_reader_open(ret->log_fd, &ret->log);
	return e < 0 ? e : log_reader_refresh(ret->log, UINT64_MAX, &ret->size);
}

int evidence_count_unknown(const char *state, uint64_t *ret)
{
	_cleanup_(light_close) struct light l;
	struct counters c = { 0 };
	int e = light_open(state, &l);

	if (e == 0)
		c = cached_counters(l.state_fd, l.size);
	for (uint64_t seq = c.size; e == 0 && seq < l.size; seq++) {
		str packed;

		e = log_reader_leaf(l.log, seq, &packed);
		c.unknown += e == 0 && leaf_is_later((const uint8_t *)packed.p, packed.n);
	}
	if (e == 0)
		*ret = c.unknown;
	return e;
}

int evidence_leaf(const char *state, uint64_t seq, struct leaf *ret)
{
	_cleanup_(light_close) struct light l;
	str packed;
	int e = light_open(state, &l);

	if (e == 0)
		e = log_reader_leaf(l.log, seq, &packed);
	if (e == 0 && leaf_decode_any((const uint8_t *)packed.p, packed.n, ret) < 0)
		e = evidence_fail(-EUCLEAN, "record %llu: expected a leaf", (unsigned long long)seq);
	return e;
}
