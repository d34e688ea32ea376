#include "../test.h"

#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/varint.h"
#include "daemon/proto.h"

static void frames(void **state)
{
	_cleanup_buf_ struct buf b = BUF_INIT;
	enum proto_kind kind;
	size_t used;
	str body;

	proto_put(&b, PROTO_REQUEST, STR("{}"));
	proto_put(&b, PROTO_EVENT, STR_NONE);
	/* Nothing is taken before it is whole. */
	for (size_t n = 0; n < 7; n++)
		assert_int_equal(proto_take((str){ b.p, n }, &kind, &body, &used), 0);
	assert_int_equal(proto_take(buf_str(&b), &kind, &body, &used), 1);
	assert_int_equal(kind, PROTO_REQUEST);
	assert_str(body, "{}");
	assert_int_equal(used, 7);
	assert_int_equal(proto_take((str){ b.p + used, b.n - used }, &kind, &body, &used), 1);
	assert_int_equal(kind, PROTO_EVENT);
	assert_int_equal(body.n, 0);
}

/* In memory of its exact size, so that a sanitizer sees a read beyond it. */
static void hostile_lengths(void **state)
{
	static const struct { uint32_t length; size_t n; int want; } t[] = {
		{ 0, 4, -EBADMSG }, { 0, 5, -EBADMSG }, { PROTO_MAX + 1, 4, -EBADMSG }, { UINT32_MAX, 4, -EBADMSG }, { UINT32_MAX, 300, -EBADMSG },
		{ 0x80000000, 5, -EBADMSG }, { PROTO_MAX, 4, 0 }, { PROTO_MAX, 300, 0 }, { 1, 4, 0 }, { 1, 5, 1 }, { 2, 5, 0 }, { PROTO_MAX, PROTO_MAX + 4, 1 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(t); i++) {
		uint8_t *p = calloc(1, t[i].n);
		enum proto_kind kind;
		size_t used;
		str body;

		put_be32(p, t[i].length);
		if (proto_take((str){ (char *)p, t[i].n }, &kind, &body, &used) != t[i].want)
			fail_msg("length %u in %zu bytes", t[i].length, t[i].n);
		free(p);
	}
}

static void over_a_socket(void **state)
{
	struct proto_reader reader = { 0 };
	_cleanup_buf_ struct buf big = BUF_INIT;
	enum proto_kind kind;
	int pair[2];
	str body;

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	reader.fd = pair[1];
	assert_int_equal(proto_recv(&reader, &kind, &body, 10), -ETIMEDOUT);
	for (int i = 0; i < PROTO_MAX - 1; i++)
		buf_putc(&big, (char)i);
	assert_int_equal(proto_send(pair[0], PROTO_ROW, STR("one"), 1000), 0);
	assert_int_equal(proto_send(pair[0], PROTO_ROW, buf_str(&big), 1000), 0);
	assert_int_equal(proto_recv(&reader, &kind, &body, 1000), 0);
	assert_str(body, "one");
	assert_int_equal(proto_recv(&reader, &kind, &body, 1000), 0);
	assert_true(body.n == big.n && memcmp(body.p, big.p, big.n) == 0);
	/* A peer that does not read holds us no longer than we said. */
	for (int i = 0; i < 64; i++) {
		int r = proto_send(pair[0], PROTO_ROW, buf_str(&big), 10);

		if (r < 0) {
			assert_int_equal(r, -ETIMEDOUT);
			break;
		}
		assert_true(i < 63);
	}
	close(pair[1]);
	assert_int_equal(proto_send(pair[0], PROTO_ROW, STR("one"), 1000), -EPIPE);
	close(pair[0]);
	buf_free(&reader.b);
}

static void cut_off(void **state)
{
	struct proto_reader reader = { 0 };
	enum proto_kind kind;
	int pair[2];
	str body;

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	reader.fd = pair[1];
	assert_int_equal(write(pair[0], "\0\0\0\x09\x01" "half", 9), 9);
	close(pair[0]);
	assert_int_equal(proto_recv(&reader, &kind, &body, 1000), -ECONNRESET);
	close(pair[1]);
	buf_free(&reader.b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(frames), cmocka_unit_test(hostile_lengths), cmocka_unit_test(over_a_socket), cmocka_unit_test(cut_off),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
