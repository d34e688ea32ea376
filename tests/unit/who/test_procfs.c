#include "../test.h"

#include <errno.h>

#include "who/internal.h"

/* Captured, then made hostile. */
#define TAIL " S 41 7 9 0 -1 4194304 1 2 3 4 5 6 7 8 20 0 1 0 118957 4096 1 18446744073709551615 0 0\n"

static void stat_lines(void **state)
{
	static const struct { const char *text; int r; pid_t ppid; uint64_t start; bool kernel; } t[] = {
		{ "7 (bash)" TAIL, 0, 41, 118957, false },
		{ "7 (a b)" TAIL, 0, 41, 118957, false },
		{ "7 (x) S 1 1 1 0 -1 2097152 0 0 0 0 0 0 0 0 20 0 1 0 5 (y))" TAIL, 0, 41, 118957, false },
		{ "7 (x)\nS 1 (\n)" TAIL, 0, 41, 118957, false },
		{ "7 ())))" TAIL, 0, 41, 118957, false },
		{ "2 (kthreadd) S 0 0 0 0 -1 2129984 0 0 0 0 0 0 0 0 20 0 1 0 24 0 0\n", 0, 0, 24, true },
		{ "7 (bash) S 41 7 9 0 -1 4194304 1 2 3 4 5 6 7 8 20 0 1 0 1189", -EBADMSG, 0, 0, false },
		{ "7 (bash) S 41", -EBADMSG, 0, 0, false },
		{ "7 (bash) S x 7 9 0 -1 4194304 1 2 3 4 5 6 7 8 20 0 1 0 118957 4096\n", -EBADMSG, 0, 0, false },
		{ "7 (bash) S 99999999999 7 9 0 -1 4194304 1 2 3 4 5 6 7 8 20 0 1 0 118957 4096\n", -EBADMSG, 0, 0, false },
		{ "7 bash", -EBADMSG, 0, 0, false },
		{ "", -EBADMSG, 0, 0, false },
	};

	for (size_t i = 0; i < ARRAY_SIZE(t); i++) {
		struct stat_facts f = { .ppid = -3 };

		if (procfs_parse_stat(str_c(t[i].text), &f) != t[i].r)
			fail_msg("stat \"%s\"", t[i].text);
		if (t[i].r < 0)
			assert_int_equal(f.ppid, -3); /* left alone */
		else if (f.ppid != t[i].ppid || f.start != t[i].start || f.kernel != t[i].kernel)
			fail_msg("stat \"%s\": ppid %d start %lu", t[i].text, f.ppid, (unsigned long)f.start);
	}
}

/* Every prefix of a line: refused or the whole truth. */
static void stat_cut(void **state)
{
	static const char text[] = "7 (a) b (c)" TAIL;
	struct stat_facts f;

	for (size_t n = 0; n < sizeof(text); n++)
		if (procfs_parse_stat((str){ text, n }, &f) == 0 && (f.ppid != 41 || f.start != 118957))
			fail_msg("cut at %zu", n);
}

static void status_texts(void **state)
{
	static const char good[] = "Name:\tx\\nUid:\\t0\nUmask:\t0022\nState:\tR (running)\nTgid:\t17\nNgid:\t0\nPid:\t18\n"
				   "PPid:\t3\nTracerPid:\t0\n"
				   "Uid:\t1000\t1001\t1002\t1003\nGid:\t5\t5\t5\t5\n";
	static const char *const bad[] = {
		"", "Name:\tx\n", "Tgid:\t17\nPPid:\t3\nUid:\t1\t2\t3\n", "Tgid:\t17\nPPid:\t3\nUid:\t1\t2\t3\t4", /* cut */
		"Tgid:\t17\nPPid:\t3\nUid:\t1\t2\t3\t-4\n", "Tgid:\t17\nPPid:\t3\nUid:\t1\t2\t3\t4294967296\n", "Tgid:\tx\nPPid:\t3\nUid:\t1\t2\t3\t4\n",
		"Tgid:\t17\nUid:\t1\t2\t3\t4\n",
	};
	struct status_facts f = { 0 };

	assert_int_equal(procfs_parse_status(str_c(good), &f), 0);
	assert_int_equal(f.tgid, 17);
	assert_int_equal(f.ppid, 3);
	assert_int_equal(f.ruid, 1000);
	assert_int_equal(f.euid, 1001);
	assert_int_equal(f.fsuid, 1003);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		if (procfs_parse_status(str_c(bad[i]), &f) != -EBADMSG)
			fail_msg("status \"%s\"", bad[i]);
}

static void loginuids(void **state)
{
	uid_t uid = 77;

	assert_int_equal(procfs_parse_loginuid(STR("4294967295"), &uid), -ENODATA); /* unset is unknown, never root */
	assert_int_equal(procfs_parse_loginuid(STR(""), &uid), -EBADMSG);
	assert_int_equal(procfs_parse_loginuid(STR("-1"), &uid), -EBADMSG);
	assert_int_equal(uid, 77);
	assert_int_equal(procfs_parse_loginuid(STR("0"), &uid), 0);
	assert_int_equal(uid, 0);
	assert_int_equal(procfs_parse_loginuid(STR("1000\n"), &uid), 0);
	assert_int_equal(uid, 1000);
}

#define ID "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define ID2 "fedcba9876543210fedcba9876543210fedcba9876543210fedcba9876543210"

static void containers(void **state)
{
	static const struct { const char *text, *id; } t[] = {
		{ "0::/system.slice/docker-" ID ".scope\n", ID },
		{ "0::/system.slice/docker-" ID ".scope", ID },
		{ "12:pids:/docker/" ID "\n11:cpu:/docker/" ID "\n0::/\n", ID },
		{ "0::/machine.slice/libpod-" ID ".scope/container\n", ID },
		{ "0::/user.slice/user-1000.slice/user@1000.service/user.slice/libpod-" ID ".scope\n", ID },
		{ "0::/kubepods.slice/kubepods-pod12.slice/cri-containerd-" ID ".scope\n", ID },
		{ "5:memory:/kubepods/burstable/pod12ab/" ID "\n", ID },
		{ "0::/kubepods.slice/crio-" ID ".scope\n", ID },
		{ "0::/docker/" ID "/docker/" ID2 "\n", ID2 }, /* the innermost */
		{ "0::/docker/" ID "/init.scope\n", ID },
		{ "0::/\n", "" }, { "", "" }, { "0::", "" }, { "::\n:\n\n", "" },
		{ "0::/user.slice/" ID "\n", "" },                /* a hash below nothing that runs containers */
		{ "0::/docker/" ID "0\n", "" },                   /* 65 digits */
		{ "0::/docker-0123456789abcdef.scope\n", "" },
		{ "0::/docker-" ID ".service\n", "" },
		{ "0::/docker-0123456789ABCDEF0123456789abcdef0123456789abcdef0123456789abcdef.scope\n", "" },
		{ "1:name=a:b:/docker/" ID "\n", ID },            /* a path with a colon in the name before it */
	};

	for (size_t i = 0; i < ARRAY_SIZE(t); i++) {
		str id = container_id(str_c(t[i].text));

		if (!str_eq(id, str_c(t[i].id)))
			fail_msg("cgroup \"%s\": \"%.*s\"", t[i].text, STR_ARG(id));
	}
}

static void addresses(void **state)
{
	struct sockaddr_in in4 = { .sin_family = AF_INET, .sin_port = htons(445), .sin_addr.s_addr = htonl(0xc0000207) };
	struct sockaddr_in6 in6 = { .sin6_family = AF_INET6, .sin6_port = htons(22),
				    .sin6_addr.s6_addr = { 0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1 } };
	struct sockaddr_in6 mapped = { .sin6_family = AF_INET6,
				       .sin6_addr.s6_addr = { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 192, 0, 2, 7 } };
	struct who_addr a, b, none = { .family = AF_UNIX };
	char text[INET6_ADDRSTRLEN];

	assert_true(addr_from_sockaddr(&in4, sizeof(in4), &a));
	assert_int_equal(a.port, 445);
	assert_str(((str){ text, who_addr_text(&a, text) }), "192.0.2.7");
	assert_true(addr_from_sockaddr(&mapped, sizeof(mapped), &b));
	assert_int_equal(b.family, AF_INET);
	assert_true(addr_same_host(&a, &b));
	assert_true(addr_from_sockaddr(&in6, sizeof(in6), &a));
	assert_str(((str){ text, who_addr_text(&a, text) }), "2001:db8::1");
	assert_false(addr_same_host(&a, &b));
	assert_false(addr_from_sockaddr(&in6, 8, &a)); /* cut */
	assert_false(addr_from_sockaddr(&in6, 1, &a));
	assert_int_equal(who_addr_text(&none, text), 0);
}

static void interned(void **state)
{
	struct intern *in;
	char large[WHO_PATH_MAX + 1];
	uint32_t a, b, c;

	memset(large, 'x', sizeof(large));
	assert_int_equal(intern_new(2, 1, &in), 0);
	a = intern_get(in, STR("/bin/a"));
	assert_int_equal(intern_get(in, STR("/bin/a")), a);
	b = intern_get(in, STR("/bin/b"));
	assert_int_not_equal(a, b);
	assert_int_equal(intern_get(in, STR("/bin/c")), 0); /* full: absent, not another one */
	c = intern_get(in, (str){ large, WHO_PATH_MAX });
	assert_int_equal(intern_str(in, c).n, WHO_PATH_MAX);
	assert_int_equal(intern_get(in, (str){ large, WHO_PATH_MAX + 1 }), 0);
	assert_int_equal(intern_get(in, STR_NONE), 0);
	intern_unref(in, a);
	assert_str(intern_str(in, a), "/bin/a"); /* still referenced once */
	intern_unref(in, a);
	a = intern_get(in, STR("/bin/c"));
	assert_str(intern_str(in, a), "/bin/c");
	assert_str(intern_str(in, b), "/bin/b");
	intern_free(in);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(stat_lines), cmocka_unit_test(stat_cut),  cmocka_unit_test(status_texts), cmocka_unit_test(loginuids),
		cmocka_unit_test(containers), cmocka_unit_test(addresses), cmocka_unit_test(interned),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
