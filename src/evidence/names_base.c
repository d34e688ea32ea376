/* The part of the dictionary that stands in the names table: its entries are read from the names files one at a time, when they are asked
 * for. */
#include "evidence/names_int.h"

#include <errno.h>
#include <sys/stat.h>

#include "base/varint.h"

static _Thread_local char notice[400];
static _Thread_local bool noticed;

const char *names_notice(void)
{
	bool any = noticed;

	noticed = false;
	return any ? notice : NULL;
}

/* The first reason says more than that a second reader found the mark of the first. */
static void notice_table(void)
{
	if (noticed)
		return;
	snprintf(notice, sizeof(notice), "%s; all names are read instead, and the table is built anew while records are taken in",
			names_table_why());
	noticed = true;
}

int names_entry_at(const struct names *n, uint64_t place, struct name_entry *ret, const uint8_t **ret_bytes)
{
	uint64_t file = place >> 32, off = place & UINT32_MAX, end;
	int r;

	if (file >= n->n_files || off < NAMES_HEADER)
		return -EBADMSG;
	end = file + 1 == n->n_files ? n->written : n->sizes[file];
	if (off >= end)
		return -ENODATA;
	r = name_entry_parse(n->maps[file] + off, end - off, ret);
	if (r == 0)
		*ret_bytes = n->maps[file] + off;
	return r < 0 ? -EBADMSG : 0;
}

/* --- taking the table in --- */

static int is_entry(const struct names *n, uint64_t place, const struct entry_id *want, uint64_t *ret_behind)
{
	const uint8_t *bytes;
	struct name_entry e;
	struct entry_id id;

	if (names_entry_at(n, place, &e, &bytes) < 0)
		return -EBADMSG;
	id = entry_id_of(bytes, &e);
	*ret_behind = place + e.bytes;
	return memcmp(&id, want, sizeof(id)) == 0 ? 0 : -EBADMSG;
}

int names_table_fits(const struct names *n, const struct table_end *end)
{
	uint64_t behind;

	if (is_entry(n, NAMES_HEADER, &end->first_id, &behind) < 0)
		return names_table_refuse("the names table is of another log");
	if (is_entry(n, end->last, &end->last_id, &behind) < 0 || behind != end->behind)
		return names_table_refuse("the names table is not of this state of the log");
	return 0;
}

/* All files up to the one where the table ends, as far as it goes. */
static int open_files(struct names *n, const struct table_end *end)
{
	struct stat st;
	int r = 0;

	for (uint64_t file = 0; r == 0 && file <= end->behind >> 32; file++) {
		if (file >= NAMES_FILES_MAX)
			return names_table_refuse("the names table is ahead of the log");
		r = names_file_open(n, UINT64_MAX);
		if (r == -ENOENT)
			return names_table_refuse("the names table is ahead of the log");
		if (r == 0 && fstat(n->fds[file], &st) < 0)
			r = -errno;
		if (r == 0)
			n->sizes[file] = MIN((uint64_t)st.st_size, (uint64_t)MAP_BYTES);
	}
	if (r == 0 && n->sizes[n->n_files - 1] < (end->behind & UINT32_MAX))
		return names_table_refuse("the names table is ahead of the log");
	if (r == 0 && get_be64(n->maps[n->n_files - 1] + 8) > end->total)
		return names_table_refuse("the names table is not of this state of the log");
	return r;
}

int names_base_attach(struct names *n)
{
	struct names_table *t = NULL;
	const struct table_end *end;
	int r = names_table_open(n->state, &t);

	if (r == 0) {
		end = names_table_end(t);
		r = open_files(n, end);
		if (r == 0) {
			n->end = n->written = end->behind & UINT32_MAX;
			r = names_table_fits(n, end);
		}
	}
	if (r == 0) {
		n->table = t;
		n->memo = calloc(BASE_MEMO, sizeof(*n->memo)); /* without it all goes on, only slower */
		n->total = end->total;
		memcpy(n->count, end->count, sizeof(n->count));
		memcpy(n->base, end->count, sizeof(n->base));
		return 0;
	}
	if (r == -EBADMSG) {
		notice_table();
		names_table_mark(n->state);
	}
	names_table_close(t);
	names_files_drop(n);
	return -ENOENT;
}

/* --- giving it up --- */

/* Reads everything. What was handed out stays valid: the old mappings are kept. */
static void give_up(struct names *n)
{
	struct names *full = NULL, old;
	int r;

	notice_table();
	names_table_mark(n->state);
	r = names_open(n->dir, n->write, &full);
	if (r == 0)
		r = names_take_pending(full, n);
	n->table = names_table_close(n->table);
	if (r < 0) {
		names_free(full);
		n->error = r;
		return;
	}
	old = *n;
	*n = *full;
	*full = old;
	n->before = full;
}

/* --- look-ups --- */

static int base_entry(struct names *n, unsigned kind, uint64_t number, struct name_entry *ret)
{
	const uint8_t *bytes;
	uint64_t place;
	int r = names_table_place(n->table, kind, number, &place);

	if (r < 0)
		return r;
	r = names_entry_at(n, place, ret, &bytes);
	if (r < 0 || ret->kind != kind || ret->number != number)
		return names_table_refuse("the names table names a place where another entry stands, or none that is sound");
	return 0;
}

uint64_t names_base_find(struct names *n, unsigned kind, str value)
{
	struct table_probe p = { .kind = kind, .value = value };
	struct name_entry e;
	uint64_t number;
	int r;

	while ((r = names_table_next(n->table, &p, &number)) == 1) {
		r = base_entry(n, kind, number, &e);
		if (r < 0)
			break;
		if (e.state == NAME_STATE_LIVE && str_eq(e.value, value))
			return number;
	}
	if (r == 0)
		return 0;
	give_up(n);
	return n->error ? 0 : names_find(n, kind, value);
}

int names_base_value(struct names *n, unsigned kind, uint64_t number, str *ret)
{
	struct base_memo *memo = n->memo ? &n->memo[(number * 31 + kind) % BASE_MEMO] : NULL;
	uint64_t key = number << 5 | kind;
	struct name_entry e;

	if (memo && memo->key == key) {
		*ret = memo->value;
		return 0;
	}
	if (!n->table)
		return n->error;
	if (base_entry(n, kind, number, &e) < 0) {
		give_up(n);
		return n->error ? n->error : names_value(n, kind, number, ret);
	}
	if (e.state == NAME_STATE_ERASED)
		return -ENODATA;
	*ret = e.value;
	if (memo)
		*memo = (struct base_memo){ key, e.value };
	return 0;
}

size_t names_parents(const struct names *n, uint64_t component, uint64_t *ret, size_t max)
{
	uint64_t count = names_count(n, NAME_COMPONENT);
	const uint64_t *from;
	size_t k = 0, have;

	if (component == 0 || component > count || max == 0)
		return 0;
	if (n->table && component <= n->base[NAME_COMPONENT]) {
		if (names_table_parents(n->table, component, &from, &have) == 0) {
			have = MIN(have, max);
			memcpy(ret, from, have * sizeof(*ret));
			return have;
		}
		give_up((struct names *)n);
	}
	for (max = MIN(max, count - component + 1); k < max; k++) {
		str v;

		ret[k] = 0;
		if (names_value(n, NAME_COMPONENT, component + k, &v) == 0)
			(void)uvar_get((const uint8_t *)v.p, v.n, &ret[k]);
	}
	return k;
}
