/* Names and paths: links, renames of folders, limits. */
#include "../test.h"

#include <errno.h>

#include "event/event.h"
#include "sensor/tree.h"

static struct tree *t;
static struct buf b;

static int make(void **state)
{
	struct tree_node *n;

	buf_clear(&b);
	return tree_new(&t) == 0 && tree_add(t, 100, &n) == 0 && tree_link(n, 0, STR("/srv")) == 0 ? 0 : -1;
}

static int unmake(void **state)
{
	t = tree_free(t);
	buf_free(&b);
	return 0;
}

static struct tree_node *node(uint64_t key, uint64_t parent, const char *name)
{
	struct tree_node *n;

	assert_int_equal(tree_add(t, key, &n), 0);
	assert_int_equal(tree_link(n, parent, str_c(name)), 0);
	return n;
}

static void path_is(uint64_t key, const char *want)
{
	buf_clear(&b);
	assert_int_equal(tree_path(t, tree_find(t, key), &b), 0);
	assert_str(buf_str(&b), want);
}

static void paths(void **state)
{
	struct tree_node *dir = node(101, 100, "plans"), *doc = node(102, 101, "tower.odt");

	path_is(102, "/srv/plans/tower.odt");
	/* The folder moves: what is in it moves along. */
	assert_int_equal(tree_unlink(dir, 100, STR("plans")), 0);
	buf_clear(&b);
	assert_int_equal(tree_path(t, doc, &b), -ENOENT);
	assert_int_equal(tree_link(dir, 100, STR("old")), 0);
	path_is(102, "/srv/old/tower.odt");
	buf_clear(&b);
	assert_int_equal(tree_path_of(t, 101, STR("not there"), &b), 0);
	assert_str(buf_str(&b), "/srv/old/not there");
	tree_remove(t, dir);
	buf_clear(&b);
	assert_int_equal(tree_path(t, doc, &b), -ENOENT);
	assert_null(tree_find(t, 101));
}

/* The root of a filesystem has no second slash. */
static void slash(void **state)
{
	struct tree_node *root;

	assert_int_equal(tree_add(t, 7, &root), 0);
	assert_int_equal(tree_link(root, 0, STR("/")), 0);
	node(8, 7, "etc");
	path_is(7, "/");
	path_is(8, "/etc");
}

static void links(void **state)
{
	struct tree_node *n = node(102, 100, "a");

	assert_int_equal(tree_link(n, 100, STR("a")), 0); /* not twice */
	assert_int_equal(tree_link(n, 100, STR("b")), 0);
	assert_int_equal(tree_link(n, 0, STR("/elsewhere/c")), 0);
	path_is(102, "/srv/a");
	assert_int_equal(tree_unlink(n, 100, STR("z")), -ENOENT);
	assert_int_equal(tree_unlink(n, 101, STR("a")), -ENOENT);
	/* The first goes: the next oldest is its path. */
	assert_int_equal(tree_unlink(n, 100, STR("a")), 2);
	path_is(102, "/srv/b");
	assert_false(tree_has_link(n, 100, STR("a")));
	assert_int_equal(tree_link(n, 100, STR("d")), 0);
	assert_int_equal(tree_unlink(n, 0, STR("/elsewhere/c")), 2); /* in the middle */
	assert_int_equal(tree_unlink(n, 100, STR("d")), 1);          /* the last */
	path_is(102, "/srv/b");
	assert_int_equal(tree_unlink(n, 100, STR("b")), 0);
	assert_int_equal(tree_unlink(n, 100, STR("b")), -ENOENT);
	assert_int_equal(tree_link(n, 100, STR("again")), 0);
	path_is(102, "/srv/again");
}

static void bytes(void **state)
{
	static const char name[] = { '\n', (char)0xff, ' ', 'x' };
	struct tree_node *n;

	assert_int_equal(tree_add(t, 9, &n), 0);
	assert_int_equal(tree_link(n, 100, (str){ name, sizeof(name) }), 0);
	assert_int_equal(tree_path(t, n, &b), 0);
	assert_int_equal(b.n, 5 + sizeof(name));
	assert_memory_equal(b.p + 5, name, sizeof(name));
}

/* 4,096 bytes are a path, one more is none; 1,024 levels, and no loop. */
static void limits(void **state)
{
	char name[256];
	uint64_t key = 200, parent = 100;
	size_t n = 4;

	memset(name, 'n', 255);
	name[255] = '\0';
	for (; n + 256 <= EVENT_PATH_MAX; n += 256, parent = key++)
		node(key, parent, name);
	name[EVENT_PATH_MAX - n - 1] = '\0';
	node(300, parent, name);
	assert_int_equal(tree_path(t, tree_find(t, 300), &b), 0);
	assert_int_equal(b.n, EVENT_PATH_MAX);
	name[EVENT_PATH_MAX - n - 1] = 'n';
	name[EVENT_PATH_MAX - n] = '\0';
	node(301, parent, name);
	buf_clear(&b);
	assert_int_equal(tree_path(t, tree_find(t, 301), &b), -ENAMETOOLONG);
	parent = 100;
	for (key = 1000; key < 1000 + TREE_DEPTH_MAX; key++, parent = key - 1)
		node(key, parent, "d");
	buf_clear(&b);
	assert_int_equal(tree_path(t, tree_find(t, 1000 + TREE_DEPTH_MAX - 3), &b), 0);
	buf_clear(&b);
	assert_int_equal(tree_path(t, tree_find(t, 1000 + TREE_DEPTH_MAX - 1), &b), -ENAMETOOLONG);
	/* A folder below itself cannot be, but a lost event could make it look so. */
	tree_link(tree_find(t, 1000), 1001, STR("loop"));
	assert_int_equal(tree_unlink(tree_find(t, 1000), 100, STR("d")), 1);
	buf_clear(&b);
	assert_int_equal(tree_path(t, tree_find(t, 1000), &b), -ENAMETOOLONG);
}

static void many(void **state)
{
	char name[32];

	for (uint64_t i = 0; i < 20000; i++) {
		snprintf(name, sizeof(name), "doc%llu", (unsigned long long)i);
		node(1000 + i * 1024, 100, name); /* the low bits are all alike */
	}
	assert_int_equal(tree_count(t), 20001);
	for (uint64_t i = 0; i < 20000; i += 2)
		tree_remove(t, tree_find(t, 1000 + i * 1024));
	assert_int_equal(tree_count(t), 10001);
	for (uint64_t i = 0; i < 20000; i++)
		assert_int_equal(tree_find(t, 1000 + i * 1024) != NULL, i % 2);
	path_is(1000 + 19999 * 1024, "/srv/doc19999");
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, make, unmake)
	const struct CMUnitTest tests[] = { T(paths), T(slash), T(links), T(bytes), T(limits), T(many) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
