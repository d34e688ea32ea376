/* People, baseline and decoys behind the log. */
#include "detect/beside.h"

#include <errno.h>
#include <sys/stat.h>

#include "base/timefmt.h"

#define KEEP_NS (900 * NSEC_PER_SEC) /* of the clock, between two times that it is kept */
#define KEPT_MAX ((size_t)1 << 30)

struct beside {
	char *path;
	struct evidence_reader *r;
	struct profile *profile;
	struct decoys *decoys;
	bool view;             /* of another one: decoys are that one's */
	uint32_t owner;
	uint64_t known;
	uint64_t decoys_known; /* settings before it came with the list */
	uint64_t kept;
	int64_t kept_at;
};

struct beside *beside_free(struct beside *b)
{
	if (!b)
		return NULL;
	profile_free(b->profile);
	if (!b->view)
		decoys_free(b->decoys);
	free(b->path);
	free(b);
	return NULL;
}

struct decoys *beside_decoys(struct beside *b)
{
	return b->decoys;
}

uint64_t beside_known(const struct beside *b)
{
	return b->known;
}

static int row_of(void *arg, uint64_t row, str *ret)
{
	const struct beside *b = arg;

	return names_value(evidence_reader_names(b->r), NAME_ROW, row, ret);
}

static int read_kept(const char *path, struct buf *ret)
{
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	struct stat st;
	ssize_t n = 1;

	if (fd < 0 || fstat(fd, &st) < 0)
		return -errno;
	if (st.st_size < 0 || (size_t)st.st_size > KEPT_MAX || buf_reserve(ret, (size_t)st.st_size + 1) < 0)
		return -EFBIG;
	while (n > 0 && ret->n < ret->cap) {
		n = read(fd, ret->p + ret->n, ret->cap - ret->n);
		ret->n += n > 0 ? (size_t)n : 0;
	}
	return n < 0 ? -errno : 0;
}

int beside_open(const char *state, struct evidence_reader *r, uint64_t size, uint64_t position, struct beside **ret)
{
	_cleanup_buf_ struct buf path = BUF_INIT, kept = BUF_INIT;
	struct beside *b = calloc(1, sizeof(*b));
	struct stat st;
	int e;

	if (!b)
		return -ENOMEM;
	buf_putf(&path, "%s/alerts/baseline", state);
	b->r = r;
	b->owner = stat(state, &st) == 0 ? st.st_uid : 0;
	b->path = buf_cstr(&path) ? strdup(path.p) : NULL;
	e = b->path ? decoys_load(state, r, size, &b->decoys) : -ENOMEM;
	if (e < 0) {
		beside_free(b);
		return e;
	}
	b->decoys_known = size;
	if (read_kept(b->path, &kept) == 0 && profile_load(buf_str(&kept), row_of, b, &b->known, &b->profile) == 0 && b->known > position) {
		b->profile = profile_free(b->profile);
		b->known = 0;
	}
	if (!b->profile && !(b->profile = profile_new())) {
		beside_free(b);
		return -ENOMEM;
	}
	b->kept = b->known;
	b->kept_at = time_boottime();
	*ret = b;
	return 0;
}

int beside_view(const struct beside *present, int64_t from, struct beside **ret)
{
	_cleanup_buf_ struct buf bytes = BUF_INIT;
	struct beside *b = calloc(1, sizeof(*b));
	int r = b ? profile_save(present->profile, 0, &bytes) : -ENOMEM;

	if (r == 0)
		r = profile_load(buf_str(&bytes), row_of, (void *)(uintptr_t)present, &b->known, &b->profile);
	if (r < 0) {
		free(b);
		return r;
	}
	profile_rewind(b->profile, from);
	b->r = present->r;
	b->decoys = present->decoys;
	b->owner = present->owner;
	b->view = true;
	*ret = b;
	return 0;
}

static uint64_t number(const struct leaf *l, enum event_field f)
{
	return l->present & EV_BIT(f) ? l->value[f] : 0;
}

static void record_of(const struct leaf *l, struct profile_record *ret)
{
	*ret = (struct profile_record){ .time = (int64_t)l->value[EV_TIME], .verb = (enum event_verb)l->value[EV_VERB], .person = number(l,
		EV_PERSON),
		.program = number(l, EV_PROGRAM), .client = number(l, EV_CLIENT), .path = number(l, EV_PATH),
		.labelled = number(l, EV_LABEL) >= LABEL_CONFIDENTIAL };
}

static int take_row(struct beside *b, const struct leaf *l)
{
	str row;
	int r = names_value(evidence_reader_names(b->r), NAME_ROW, l->value[2], &row);

	if (r == 0)
		r = profile_person(b->profile, l->value[1], l->value[2], row);
	/* Erased, or none that this program understands. */
	return r == -ENODATA || r == -EBADMSG ? 0 : r;
}

static int take_setting(struct beside *b, uint64_t seq, const struct leaf *l)
{
	str setting;
	int r;

	if (seq < b->decoys_known)
		return 0;
	r = names_value(evidence_reader_names(b->r), NAME_TEXT, l->value[1], &setting);
	if (r == 0)
		r = decoys_setting(b->decoys, seq, (int64_t)l->value[0], setting);
	return r == -ENODATA ? 0 : MIN(r, 0);
}

int beside_leaf(struct beside *b, uint64_t seq, const struct leaf *l)
{
	struct profile_record rec;
	int r = 0;

	if (b->view) {
		record_of(l, &rec);
		return l->kind == LEAF_EVENT ? profile_take(b->profile, &rec) : 0;
	}
	if (l->kind == LEAF_CONFIG)
		r = take_setting(b, seq, l);
	if (seq < b->known || r < 0)
		return r;
	if (l->kind == LEAF_PERSON) {
		r = take_row(b, l);
	} else if (l->kind == LEAF_EVENT) {
		record_of(l, &rec);
		r = profile_take(b->profile, &rec);
	}
	if (r == 0)
		b->known = seq + 1;
	return r;
}

void beside_passed(struct beside *b, uint64_t upto)
{
	b->known = MAX(b->known, upto);
}

static int each(void *arg, uint64_t seq, const struct leaf *l)
{
	return beside_leaf(arg, seq, l);
}

int beside_catch_up(struct beside *b, uint64_t upto, uint64_t max)
{
	int r;

	if (b->known >= upto)
		return 0;
	upto = b->known + MIN(max, upto - b->known);
	r = evidence_each(b->r, b->known, upto, each, b);
	if (r == 0)
		b->known = upto;
	return r;
}

static str last_part(str path)
{
	const char *slash = path.n ? memrchr(path.p, '/', path.n) : NULL;

	return slash ? (str){ slash + 1, (size_t)(path.p + path.n - slash - 1) } : path;
}

static str folder(str path)
{
	return (str){ path.p, path.n - last_part(path).n };
}

/* Its name, or only its folder. */
static const char *renamed(const struct event *e)
{
	if (e->verb != VERB_RENAME || !event_has(e, EV_PATH) || !event_has(e, EV_TO))
		return NULL;
	return str_eq(last_part(e->path), last_part(e->to)) ? "moved" : "renamed";
}

void beside_tell_event(const struct decoys *d, uint32_t owner, const struct event *e, struct sigma_beside *ret)
{
	static const char *const texts[] = { [DECOY_EXCUSED_TOUCH] = "excused", [DECOY_TOUCHED] = "touched" };

	ret->value[BESIDE_DECOY] = str_c(texts[decoys_touch(d, e, owner)]);
	ret->value[BESIDE_RENAME] = str_c(renamed(e));
	if (ret->value[BESIDE_DOCUMENT_NEW].p && event_has(e, EV_PATH))
		ret->value[BESIDE_NEW_IN] = folder(e->path);
	if (!ret->value[BESIDE_SERVICE].p && event_has(e, EV_PERSON) && decoys_excuses(d, e->person))
		ret->value[BESIDE_SERVICE] = STR("true");
}

void beside_tell(struct beside *b, const struct leaf *l, const struct event *e, struct sigma_beside *ret)
{
	struct profile_record rec;

	*ret = (struct sigma_beside){ 0 };
	record_of(l, &rec);
	profile_tell(b->profile, &rec, ret);
	beside_tell_event(b->decoys, b->owner, e, ret);
}

void beside_keep(struct beside *b, bool now)
{
	_cleanup_buf_ struct buf bytes = BUF_INIT, tmp = BUF_INIT;
	_cleanup_close_ int fd = -1;
	int64_t clock = time_boottime();

	if (b->kept == b->known || (!now && clock - b->kept_at < KEEP_NS))
		return;
	b->kept_at = clock;
	buf_putf(&tmp, "%s.tmp", b->path);
	if (profile_save(b->profile, b->known, &bytes) < 0 || !buf_cstr(&tmp))
		return;
	fd = open(tmp.p, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return;
	if (write(fd, bytes.p, bytes.n) == (ssize_t)bytes.n && rename(tmp.p, b->path) == 0)
		b->kept = b->known;
	else
		unlink(tmp.p);
}
