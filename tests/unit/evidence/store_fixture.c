#include "store_fixture.h"

#include <ftw.h>
#include <sys/stat.h>
#include <sys/wait.h>

void fixture_begin(struct fixture *f)
{
	static const char places[][64] = { "/dev/shm/tyto-store-test.XXXXXX", "/tmp/tyto-store-test.XXXXXX" };

	/* In memory where that is to be had: what these tests do thousands of times is making files and removing them. */
	for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
		memcpy(f->dir, places[i], sizeof(places[i]));
		if (mkdtemp(f->dir))
			break;
		assert_true(i + 1 < ARRAY_SIZE(places));
	}
	snprintf(f->state, sizeof(f->state), "%s/state", f->dir);
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	return remove(path);
}

void fixture_end(struct fixture *f)
{
	nftw(f->dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

void fixture_event(uint64_t i, struct event *ret)
{
	static char path[EVENT_PATH_MAX], to[128];
	static const str parents[] = { { "/bin/bash", 9 }, { "/usr/sbin/sshd", 14 } };
	struct event *e = ret;

	*e = (struct event){ .time = 1760000000LL * NSEC_PER_SEC + (int64_t)i * 1234567891, .verb = i % 17 == 16 ? VERB_RENAME : VERB_READ,
		.seen = SEEN_ACCESS, .host = STR("files"), .uid = (uint32_t)(1000 + i % 7), .pid = (uint32_t)(100 + i % 97), .via = VIA_LOCAL,
		.person = i % 3 ? STR("clerk") : STR("engineer"), .person_by = BY_ACTING, .program = STR("/usr/bin/cat"),
		.object = { 65024, 1000 + i % 400, 7 } };
	e->path = (str){ path, (size_t)snprintf(path, sizeof(path), "/srv/share/folder-%02d/document-%03d.odt", (int)(i % 23), (int)(i % 400)) };
	for (enum event_field f = EV_TIME; f <= EV_VIA; f++)
		event_set(e, f);
	if (e->verb == VERB_RENAME) {
		e->to = (str){ to, (size_t)snprintf(to, sizeof(to), "/srv/share/moved/%llu", (unsigned long long)i) };
		event_set(e, EV_TO);
	}
	if (i % 5 == 0) {
		e->n_parents = 2;
		memcpy(e->parents, parents, sizeof(parents));
		e->client = STR("192.0.2.7");
		event_set(e, EV_PARENTS);
		event_set(e, EV_CLIENT);
	}
	if (i % 11 == 0) {
		e->end = e->time + 5 * NSEC_PER_SEC;
		e->count = i + 1;
		event_set(e, EV_END);
		event_set(e, EV_COUNT);
	}
}

void fixture_fill(struct evidence *e, uint64_t from, uint64_t to, uint64_t batch)
{
	for (uint64_t i = from; i < to; i++) {
		struct event ev;

		fixture_event(i, &ev);
		if (evidence_append_event(e, &ev, NULL) != 0)
			fail_msg("append %llu: %s", (unsigned long long)i, evidence_why());
		if ((i + 1 - from) % batch == 0 && evidence_commit(e) != 0)
			fail_msg("commit at %llu: %s", (unsigned long long)i, evidence_why());
	}
	if (evidence_commit(e) != 0)
		fail_msg("commit: %s", evidence_why());
}

struct evidence *fixture_open(const struct fixture *f)
{
	const struct evidence_options o = { .create = true };
	struct evidence *e = NULL;

	if (evidence_open(f->state, &o, &e) != 0)
		fail_msg("open: %s", evidence_why());
	return e;
}

void fixture_copy(const char *from, const char *to)
{
	pid_t pid = fork();
	int status;

	if (pid == 0) {
		execlp("cp", "cp", "-a", from, to, NULL);
		_exit(127);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

bool fixture_verify(const char *state, struct verify_result *ret)
{
	const struct verify_options o = { 0 };
	struct verify_result v;
	int r = evidence_verify(state, &o, &v);

	if (r != 0)
		fail_msg("verify: %s", evidence_why());
	if (ret)
		*ret = v;
	return !v.damaged;
}
