/* Each single write, fsync, rename, truncate, open… and each allocation fails in turn: never a crash, never an acknowledged record lost, a failed
 * fsync is final, and a full disk leaves a gap with the right count. Files of keys are written past vfs.h and are not covered. */
#include "torture_log.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "crash_model.h"
#include "evidence/store.h"

#define DAY (86400 * NSEC_PER_SEC)
#define LOST 3
#if defined(__SANITIZE_ADDRESS__)
#define STEP 3 /* slow: every third place */
#else
#define STEP 1
#endif
#define EVENTS_MAX 8192

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	return remove(path);
}

/* --- the fault --- */

static struct {
	unsigned count, at;  /* the at-th operation fails, from 1; 0: none */
	int error;
	bool on;             /* and all after it */
	bool opens;          /* every opening fails, nothing else */
	bool hit, hit_fsync;
	const char *what;
} fault;

static int step(const char *what)
{
	fault.count++;
	if (fault.opens && strcmp(what, "open") == 0)
		return -ENFILE;
	if (fault.at == 0 || fault.count < fault.at || (fault.count > fault.at && !fault.on))
		return 0;
	if (!fault.hit)
		fault.what = what;
	fault.hit_fsync |= !fault.hit && strcmp(what, "fsync") == 0;
	fault.hit = true;
	return fault.error;
}

/* What needs no room does not fail on a full disk. */
static int step_but_full(const char *what, bool needs_room)
{
	return fault.error == -ENOSPC && !needs_room ? 0 : step(what);
}

#define FAULTY(name, needs_room, ...)                           \
	{                                                       \
		int r = step_but_full(#name, needs_room);       \
		return r < 0 ? r : vfs_lazy()->name(arg, __VA_ARGS__); \
	}

static int f_open(void *arg, int dir, const char *name, int flags, mode_t mode) FAULTY(open, flags & O_CREAT, dir, name, flags, mode)
static int f_fsync(void *arg, int fd) FAULTY(fsync, false, fd)
static int f_truncate(void *arg, int fd, off_t size) FAULTY(truncate, false, fd, size)
static int f_unlink(void *arg, int dir, const char *name) FAULTY(unlink, false, dir, name)
static int f_rename(void *arg, int dir, const char *from, const char *to) FAULTY(rename, true, dir, from, to)
static int f_mkdir(void *arg, int dir, const char *name) FAULTY(mkdir, true, dir, name)

static int f_pwrite(void *arg, int fd, const void *p, size_t n, off_t off)
{
	struct stat st;
	int r;

	/* A full disk still takes what has its room. */
	if (fault.error == -ENOSPC && fstat(fd, &st) == 0 && off + (off_t)n <= st.st_size)
		return vfs_lazy()->pwrite(arg, fd, p, n, off);
	r = step("pwrite");
	if (r < 0)
		(void)vfs_lazy()->pwrite(arg, fd, p, n / 2, off); /* half of it */
	return r < 0 ? r : vfs_lazy()->pwrite(arg, fd, p, n, off);
}

static const struct vfs faulty = { .open = f_open, .pwrite = f_pwrite, .fsync = f_fsync, .truncate = f_truncate, .rename = f_rename, .unlink = f_unlink,
	.mkdir = f_mkdir };

/* --- allocations --- */

static struct {
	unsigned count, at;
} memory;

static bool no_memory(void)
{
	return memory.at && ++memory.count == memory.at;
}

void *__real_malloc(size_t n);
void *__real_calloc(size_t n, size_t size);
void *__real_realloc(void *p, size_t n);
void *__real_reallocarray(void *p, size_t n, size_t size);
void *__wrap_malloc(size_t n);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_realloc(void *p, size_t n);
void *__wrap_reallocarray(void *p, size_t n, size_t size);

void *__wrap_malloc(size_t n)
{
	return no_memory() ? NULL : __real_malloc(n);
}

void *__wrap_calloc(size_t n, size_t size)
{
	return no_memory() ? NULL : __real_calloc(n, size);
}

void *__wrap_realloc(void *p, size_t n)
{
	return no_memory() ? NULL : __real_realloc(p, n);
}

void *__wrap_reallocarray(void *p, size_t n, size_t size)
{
	return no_memory() ? NULL : __real_reallocarray(p, n, size);
}

/* --- a run --- */

static uint64_t seqs[EVENTS_MAX], ids[EVENTS_MAX]; /* appended */
static size_t n_appended, n_acknowledged;

/* 0, or the error that the log gave. */
static int add(struct evidence *e, uint64_t from, uint64_t n, bool again)
{
	int r;

	for (uint64_t i = from; i < from + n; i++) {
		struct event ev;

		assert_true(n_appended < EVENTS_MAX);
		fixture_event(i, &ev);
		r = evidence_append_event(e, &ev, &seqs[n_appended]);
		if (r == -ENOMEM && again)
			r = evidence_append_event(e, &ev, &seqs[n_appended]);
		if (r < 0)
			return r;
		ids[n_appended++] = i;
	}
	r = evidence_commit(e);
	if (r == -ENOMEM && again)
		r = evidence_commit(e);
	if (r == 0)
		n_acknowledged = n_appended;
	return r;
}

static int use(struct evidence *e, bool again)
{
	static const struct { uint64_t from, n; } t[] = { { 0, 3 }, { 10, 2 }, { 100, 4100 }, { 5000, 2 } };
	int r = 0;

	for (size_t i = 0; r == 0 && i < ARRAY_SIZE(t); i++) {
		r = add(e, t[i].from, t[i].n, again);
		if (r == 0)
			r = evidence_checkpoint(e, RICH_TIME + (int64_t)i * DAY);
		if (r == 0 && i == 1)
			r = evidence_key_rotate(e, RICH_TIME + DAY);
		if (again && r == -ENOMEM)
			r = 0;
	}
	return r;
}

static int64_t gap_from; /* of the last one */

static int sum_gaps(void *arg, uint64_t seq, const struct leaf *l)
{
	uint64_t *gaps = arg;

	if (l->kind != LEAF_EVENT || l->value[EV_VERB] != VERB_GAP)
		return 0;
	gaps[0]++;
	gap_from = (int64_t)l->value[EV_TIME];
	if (l->present & EV_BIT(EV_COUNT))
		gaps[1] += l->value[EV_COUNT];
	return 0;
}

/* Everything acknowledged is there, in its place, and the log verifies; ret_gaps: number of gaps, and sum of their counts. */
static void check(const struct fixture *f, const char *run, uint64_t ret_gaps[static 2])
{
	struct evidence_reader *r = NULL;
	struct verify_result v;
	uint64_t size;

	if (!fixture_verify(f->state, &v))
		fail_msg("%s: verify: %s: %s", run, v.where, v.what);
	assert_int_equal(evidence_reader_open(f->state, &r), 0);
	assert_int_equal(evidence_reader_refresh(r, &size), 0);
	for (size_t i = 0; i < n_acknowledged; i++) {
		_cleanup_buf_ struct buf scratch = BUF_INIT;
		struct event got, want;
		struct leaf l;
		str packed;

		if (evidence_read(r, seqs[i], &packed) != 0)
			fail_msg("%s: record %llu is lost", run, (unsigned long long)seqs[i]);
		assert_int_equal(leaf_decode((const uint8_t *)packed.p, packed.n, &l), 0);
		assert_int_equal(evidence_event(evidence_reader_names(r), seqs[i], &l, &scratch, &got), 0);
		fixture_event(ids[i], &want);
		if (got.time != want.time || !str_eq(got.path, want.path) || got.present != want.present)
			fail_msg("%s: record %llu is another", run, (unsigned long long)seqs[i]);
	}
	ret_gaps[0] = ret_gaps[1] = 0;
	assert_int_equal(evidence_each(r, 0, size, sum_gaps, ret_gaps), 0);
	evidence_reader_close(r);
}

static void run_fault(const struct fixture *f, unsigned at, int error, bool on)
{
	uint64_t gaps[2], events, waiting;
	struct evidence *e = NULL;
	char run[96];
	int r;

	fault.count = 0;
	fault.at = at;
	fault.error = error;
	fault.on = on;
	fault.hit = fault.hit_fsync = false;
	n_appended = n_acknowledged = 0;
	r = evidence_open(f->state, &(struct evidence_options){ .create = true }, &e);
	if (r == 0)
		r = use(e, false);
	snprintf(run, sizeof(run), "%s number %u fails with %s%s", fault.what, at, strerror(-error), on ? ", and all after it" : "");
	if (e && r < 0 && fault.hit_fsync) {
		if (r != -EIO || evidence_commit(e) != -EIO || evidence_checkpoint(e, RICH_TIME) != -EIO)
			fail_msg("%s: not final", run);
	}
	if (e && r == -ENOSPC) {
		/* Nothing is acknowledged while the disk is full; what comes is counted; it may be closed and opened meanwhile. */
		for (int i = 0; i < LOST; i++)
			evidence_count_lost(e, RICH_TIME, RICH_TIME);
		if (on) {
			waiting = n_appended - n_acknowledged;
			e = evidence_close(e);
			fault.at = 0;
			if (evidence_open(f->state, &(struct evidence_options){ 0 }, &e) != 0)
				fail_msg("%s: open: %s", run, evidence_why());
		} else {
			waiting = 0;
			fault.at = 0;
			if (evidence_try_room(e, RICH_TIME + DAY) != 0)
				fail_msg("%s: room: %s", run, evidence_why());
			n_acknowledged = n_appended;
		}
		evidence_close(e);
		check(f, run, gaps);
		events = gaps[1];
		if (gaps[0] != 1 || events < LOST || events > LOST + waiting)
			fail_msg("%s: %llu gaps with %llu records, expected one with %u to %llu", run, (unsigned long long)gaps[0], (unsigned long long)events, LOST,
				(unsigned long long)(LOST + waiting));
		return;
	}
	evidence_close(e);
	fault.at = 0;
	e = NULL;
	if (evidence_open(f->state, &(struct evidence_options){ .create = true }, &e) != 0)
		fail_msg("%s: open: %s", run, evidence_why());
	n_appended = n_acknowledged;
	if (add(e, 7000, 2, false) != 0)
		fail_msg("%s: append: %s", run, evidence_why());
	evidence_close(e);
	check(f, run, gaps);
}

static void operations(void **state)
{
	static const int errors[] = { -EIO, -ENOSPC, -EACCES };
	unsigned total, runs = 0;
	struct fixture f;
	uint64_t gaps[2];
	struct evidence *e;

	fixture_begin(&f);
	vfs_set(&faulty);
	memset(&fault, 0, sizeof(fault));
	e = fixture_open(&f);
	assert_int_equal(use(e, false), 0);
	evidence_close(e);
	total = fault.count;
	check(&f, "no fault", gaps);
	for (unsigned at = 1; at <= total; at += STEP)
		for (size_t k = 0; k < ARRAY_SIZE(errors); k++)
			for (int on = 0; on < 2; on++) {
				assert_int_equal(nftw(f.state, remove_one, 16, FTW_DEPTH | FTW_PHYS), 0);
				run_fault(&f, at, errors[k], on);
				runs++;
			}
	print_message("%u operations, %u runs\n", total, runs);
	vfs_set(NULL);
	fixture_end(&f);
}

/* No descriptor in the whole system, while the journal grows over its size: what needs one waits, the rest goes on. */
static void descriptors(void **state)
{
	struct fixture f;
	struct evidence *e;
	uint64_t gaps[2];

	fixture_begin(&f);
	vfs_set(&faulty);
	memset(&fault, 0, sizeof(fault));
	n_appended = n_acknowledged = 0;
	e = fixture_open(&f);
	assert_int_equal(add(e, 0, 3, false), 0);
	fault.opens = true;
	assert_int_equal(add(e, 100, STORE_COMPACT_LEAVES + 4, false), 0);
	assert_int_equal(evidence_checkpoint(e, RICH_TIME), -ENFILE);
	assert_true(evidence_may_wait(-ENFILE));
	fault.opens = false;
	assert_int_equal(evidence_checkpoint(e, RICH_TIME), 0);
	assert_int_equal(add(e, 7000, 2, false), 0);
	evidence_close(e);
	check(&f, "no descriptors", gaps);
	assert_int_equal(gaps[0], 0);
	vfs_set(NULL);
	fixture_end(&f);
}

/* --- memory --- */

static void read_all(const struct fixture *f)
{
	const struct verify_options o = { 0 };
	struct evidence_reader *r = NULL;
	struct verify_result v;
	uint64_t gaps[2], size;
	struct evidence_stat st;

	(void)evidence_verify(f->state, &o, &v);
	if (v.damaged)
		fail_msg("verify: %s: %s", v.where, v.what);
	if (evidence_reader_open(f->state, &r) != 0)
		return;
	if (evidence_reader_refresh(r, &size) == 0) {
		(void)evidence_each(r, 0, size, sum_gaps, gaps);
		(void)evidence_reader_stat(r, &st);
	}
	evidence_reader_close(r);
}

static void allocations(void **state)
{
	unsigned total = 0, fine = 0;
	struct fixture f;

	fixture_begin(&f);
	vfs_set(vfs_lazy());
	for (unsigned at = 1; fine < 20; at += STEP) {
		struct evidence *e = NULL;
		uint64_t gaps[2];
		char run[64];
		int r;

		(void)nftw(f.state, remove_one, 16, FTW_DEPTH | FTW_PHYS);
		n_appended = n_acknowledged = 0;
		memory.count = 0;
		memory.at = at;
		r = evidence_open(f.state, &(struct evidence_options){ .create = true }, &e);
		if (r == 0)
			(void)use(e, true);
		evidence_close(e);
		if (r == 0)
			read_all(&f);
		fine = memory.count < at ? fine + 1 : 0;
		memory.at = 0;
		total = at;
		snprintf(run, sizeof(run), "allocation %u fails", at);
		e = NULL;
		if (evidence_open(f.state, &(struct evidence_options){ .create = true }, &e) != 0)
			fail_msg("%s: open: %s", run, evidence_why());
		evidence_close(e);
		check(&f, run, gaps);
	}
	print_message("%u allocations\n", total - fine);
	vfs_set(NULL);
	fixture_end(&f);
}

/* --- a real full disk --- */

static _printf_(1, 2) int shell(const char *format, ...)
{
	char command[512];
	va_list ap;

	va_start(ap, format);
	vsnprintf(command, sizeof(command), format, ap);
	va_end(ap);
	return system(command);
}

static void full_disk(const struct fixture *f, const char *mount)
{
	struct evidence *e = fixture_open(f);
	uint64_t gaps[2], n = 0, lost = 0;
	int r = 0;

	n_appended = n_acknowledged = 0;
	while (r == 0 && n < EVENTS_MAX - 100) {
		r = add(e, n, 100, false);
		n += 100;
	}
	assert_int_equal(r, -ENOSPC);
	for (; lost < 10; lost++) {
		struct event ev;

		fixture_event(n, &ev);
		assert_int_equal(evidence_append_event(e, &ev, NULL), -ENOSPC);
		evidence_count_lost(e, RICH_TIME - (int64_t)lost * DAY, RICH_TIME + (int64_t)lost * NSEC_PER_SEC);
	}
	assert_int_equal(evidence_try_room(e, RICH_TIME), -ENOSPC);
	/* A restart while it is full. */
	lost += n_appended - n_acknowledged;
	evidence_close(e);
	e = fixture_open(f);
	assert_int_equal(shell("rm %s/filler", mount), 0);
	assert_int_equal(evidence_try_room(e, RICH_TIME + DAY), 0);
	n_appended = n_acknowledged;
	assert_int_equal(add(e, 8000, 50, false), 0);
	evidence_close(e);
	check(f, "full disk", gaps);
	if (gaps[0] != 1 || gaps[1] != lost)
		fail_msg("%llu gaps with %llu records, expected %llu", (unsigned long long)gaps[0], (unsigned long long)gaps[1], (unsigned long long)lost);
	/* It begins with the earliest of what was lost, also of what was told later than it began. */
	assert_int_equal(gap_from, RICH_TIME - 9 * DAY);
}

static void real_disk(void **state)
{
	struct fixture f, on;
	char mount[72];

	if (geteuid() != 0) {
		print_message("SKIP a loop device needs root\n");
		skip();
	}
	fixture_begin(&f);
	snprintf(mount, sizeof(mount), "%s/mnt", f.dir);
	assert_int_equal(mkdir(mount, 0755), 0);
	assert_int_equal(shell("truncate -s 8M %s/image && /sbin/mkfs.ext4 -q -F -m 0 %s/image", f.dir, f.dir), 0);
	if (shell("mount -o loop %s/image %s", f.dir, mount) != 0) {
		print_message("SKIP the kernel refuses loop devices here\n");
		fixture_end(&f);
		skip();
	}
	/* About 700 KiB are left to the log. */
	assert_int_equal(shell("n=$(df --output=avail -k %s | tail -1); head -c $(( (n - 700) * 1024 )) /dev/zero > %s/filler", mount, mount), 0);
	on = f;
	snprintf(on.state, sizeof(on.state), "%s/state", mount);
	full_disk(&on, mount);
	assert_int_equal(umount(mount), 0);
	fixture_end(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(operations), cmocka_unit_test(descriptors), cmocka_unit_test(allocations), cmocka_unit_test(real_disk) };
	return cmocka_run_group_tests(tests, NULL, NULL);
}
