#include "../test.h"

#include <errno.h>
#include <openssl/evp.h>

#include "base/hash.h"
#include "base/varint.h"
#include "evidence/leaf.h"

/* The tables of docs/log-format.md once more, from the page: NAME=TYPE, `!` always present. Types: t time, h hash, nK name of kind K, b 0 or 1,
 * eN enumeration to N, v uvar, vMIN-MAX. */
static const char *const page[LEAF_KIND_MAX_] = {
	[LEAF_NAME] = "name_kind=e31! number=v1-18446744073709551615! commitment=h!",
	[LEAF_EVENT] = "time=t! verb=e14! seen=e3 host=n1 person=n2 person_by=e5 uid=n3 path=n4 object=n9 program=n5 pid=v0-4294967295 via=e4 "
		"parents=n6 client=n7 login_uid=n3 count=v end=v refers=v cwd=n4 to=n4 document=n8 label=e4 bytes=v covered=v command=n11 "
		"parent_command=n11 peer=n7 port=v0-65535 allowed=b confirmed=e3 container=n10 cause=e11 source=v extra=n12 late=e1",
	[LEAF_HEARTBEAT] = "time=t! phase=e3! host=n1 boot=n13! uptime=v! clock=e3! backend=e3 received=v delivered=v lost=v missed=v own=v "
		"held_max=v watched=v",
	[LEAF_IMPORT] = "time=t! phase=e3! file=n8 format=e3 begins=v records=v refused=v title=n11",
	[LEAF_KEY] = "time=t! public_key=h! previous=h!",
	[LEAF_RECOVERY] = "time=t! cut=e4! bytes=v!",
	[LEAF_PERSON] = "time=t! person=n2! row=n14! source=v",
	[LEAF_CONFIG] = "time=t! setting=n11!",
	[LEAF_DOCUMENT] = "time=t! document=n8! bytes=v type=n11 label=e4 text_chars=v contacts=v facts=n15 error=n11",
	[LEAF_PLACE] = "time=t! path=n4! object=n9 document=n8 owner=n3 group=n16 mode=v0-4095 acl=n11 bytes=v modified=t changed=t gone=e1 error=n11",
	[LEAF_ALERT] = "time=t! number=v1-18446744073709551615! phase=e4! severity=e4 person=n2 rule=n11 reason=e3 body=n15 upto=v account=n3",
};

struct row {
	char name[24], type;
	unsigned arg;
	uint64_t min, max;
	bool always;
};

static unsigned page_rows(unsigned kind, struct row *rows)
{
	unsigned n = 0;

	for (const char *p = page[kind]; *p; n++) {
		struct row *r = &rows[n];
		size_t len = strcspn(p, "=");
		char *end;

		*r = (struct row){ .max = UINT64_MAX };
		memcpy(r->name, p, len);
		p += len + 1;
		r->type = *p++;
		r->arg = (unsigned)strtoul(p, &end, 10);
		if (r->type == 'v' && end > p) {
			r->min = r->arg;
			r->max = strtoull(end + 1, &end, 10);
		} else if (r->type == 'e' || r->type == 'b' || r->type == 'n') {
			r->min = r->type != 'b';
			r->max = r->type == 'e' ? r->arg : r->type == 'b' ? 1 : UINT64_MAX;
		}
		r->always = *end == '!';
		p = end + r->always;
		p += *p == ' ';
	}
	return n;
}

static uint64_t always_bits(const struct row *rows, unsigned n)
{
	uint64_t bits = 0;

	for (unsigned i = 0; i < n; i++)
		bits |= (uint64_t)rows[i].always << i;
	return bits;
}

/* Bytes of a leaf made by hand from the rows, with no help from leaf.c. */
static size_t by_hand(const struct row *rows, const struct leaf *l, uint8_t *out)
{
	const uint8_t *hash = l->hash;
	size_t n = 2;

	out[0] = 1;
	out[1] = l->kind;
	n += uvar_put(out + n, l->present);
	for (unsigned i = 0; i < LEAF_FIELDS_MAX; i++) {
		if (!(l->present >> i & 1))
			continue;
		switch (rows[i].type) {
		case 'h':
			memcpy(out + n, hash, 32);
			hash = l->hash2;
			n += 32;
			break;
		case 't':
			put_be64(out + n, l->value[i]);
			n += 8;
			break;
		case 'e':
		case 'b':
			out[n++] = (uint8_t)l->value[i];
			break;
		default:
			n += uvar_put(out + n, l->value[i]);
		}
	}
	return n;
}

static bool import_phase_fits(struct leaf *l)
{
	uint64_t end_only = 7 << 4;

	if (l->kind != LEAF_IMPORT)
		return true;
	if (l->value[1] == 3)
		return (l->present & end_only) == end_only;
	return l->value[1] == 1 && !(l->present & end_only);
}

static void check_both_ways(const struct row *rows, const struct leaf *l)
{
	uint8_t want[LEAF_MAX], got[LEAF_MAX];
	size_t n = by_hand(rows, l, want);
	struct leaf back;

	assert_int_equal(leaf_encode(l, got), (ssize_t)n);
	assert_memory_equal(got, want, n);
	assert_int_equal(leaf_decode(want, n, &back), 0);
	assert_memory_equal(&back, l, sizeof(*l));
}

static void check_refused(const uint8_t *p, size_t n)
{
	/* Memory of its exact size, so that a sanitizer sees what is read beyond it. */
	_cleanup_free_ uint8_t *copy = malloc(n ? n : 1);
	struct leaf untouched, back;

	assert_non_null(copy);
	memcpy(copy, p, n);
	memset(&untouched, 0x5a, sizeof(untouched));
	back = untouched;
	assert_int_equal(leaf_decode(copy, n, &back), -EBADMSG);
	assert_memory_equal(&back, &untouched, sizeof(back));
}

static uint64_t seed = 0x9e3779b97f4a7c15;
static uint64_t draw(void)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	return seed ^= seed << 17;
}

/* A value of the row: the smallest, the largest, or one of any width between. */
static uint64_t some_value(const struct row *r, unsigned how)
{
	uint64_t span = r->max - r->min;

	if (r->type == 't')
		return how == 0 ? (uint64_t)INT64_MIN : how == 1 ? (uint64_t)INT64_MAX : draw();
	if (how < 2)
		return how == 0 ? r->min : r->max;
	return r->min + (span == UINT64_MAX ? draw() >> draw() % 64 : (draw() >> draw() % 64) % (span + 1));
}

static struct leaf some_leaf(uint8_t kind, const struct row *rows, unsigned n, uint64_t present, unsigned how)
{
	struct leaf l = { .kind = kind, .present = present | always_bits(rows, n) };
	uint8_t *hash = l.hash;

	for (unsigned i = 0; i < n; i++) {
		if (!(l.present >> i & 1))
			continue;
		if (rows[i].type == 'h') {
			for (unsigned k = 0; k < 32; k++)
				hash[k] = (uint8_t)draw();
			hash = l.hash2;
		} else {
			l.value[i] = some_value(&rows[i], how);
		}
	}
	if (kind == LEAF_EVENT && l.present >> 16 & 1) { /* time + end ≤ 2^63−1 */
		uint64_t room = (uint64_t)INT64_MAX - l.value[0];

		l.value[16] = how == 1 ? room : how == 0 || room == UINT64_MAX ? l.value[16] : l.value[16] % (room + 1);
	}
	if (kind == LEAF_IMPORT)
		l.value[1] = l.present & 7 << 4 ? 3 : 1;
	return l;
}

static struct leaf smallest(uint8_t kind, struct row *rows, unsigned *ret_n)
{
	*ret_n = page_rows(kind, rows);
	return some_leaf(kind, rows, *ret_n, 0, 0);
}

static void test_tables(void **state)
{
	static const uint8_t types[128] = { ['t'] = LEAF_TIME, ['h'] = LEAF_HASH, ['n'] = LEAF_REF, ['b'] = LEAF_BOOL, ['e'] = LEAF_U8,
		['v'] = LEAF_UVAR };

	assert_null(leaf_table(0));
	assert_null(leaf_table(LEAF_KIND_MAX_));
	assert_null(leaf_table(255));
	for (uint8_t kind = 1; kind < LEAF_KIND_MAX_; kind++) {
		const struct leaf_table *t = leaf_table(kind);
		struct row rows[LEAF_FIELDS_MAX];
		unsigned n = page_rows(kind, rows);

		assert_non_null(t);
		assert_int_equal(t->n, n);
		assert_true(t->required == always_bits(rows, n));
		for (unsigned i = 0; i < n; i++) {
			assert_string_equal(t->fields[i].name, rows[i].name);
			assert_int_equal(t->fields[i].type, types[(unsigned char)rows[i].type]);
			if (rows[i].type == 'n')
				assert_int_equal(t->fields[i].name_kind, rows[i].arg);
		}
	}
}

/* Each field alone beside what must be there, and all together, at both ends of its range and between. */
static void test_round_trip(void **state)
{
	for (uint8_t kind = 1; kind < LEAF_KIND_MAX_; kind++) {
		struct row rows[LEAF_FIELDS_MAX];
		unsigned n = page_rows(kind, rows), tried = 0;

		for (unsigned round = 0; round < 4000; round++) {
			uint64_t present = round < 3 * n ? 1ULL << round / 3 : round < 3 * n + 3 ? ~0ULL : draw() & draw();
			struct leaf l = some_leaf(kind, rows, n, present & ((1ULL << n) - 1), round % 3);

			if (!import_phase_fits(&l))
				continue;
			check_both_ways(rows, &l);
			tried++;
		}
		assert_true(tried > 500);
	}
}

/* A value outside its row's range is refused by both; so is each field when the leaf ends before or within it. */
static void test_ranges(void **state)
{
	for (uint8_t kind = 1; kind < LEAF_KIND_MAX_; kind++) {
		struct row rows[LEAF_FIELDS_MAX];
		unsigned n = page_rows(kind, rows);

		for (unsigned i = 0; i < n; i++) {
			uint64_t with = 1ULL << i | (kind == LEAF_IMPORT && i >= 4 && i <= 6 ? 7 << 4 : 0);
			struct leaf l = some_leaf(kind, rows, n, with, 0);
			const uint64_t bad[] = { rows[i].min - 1, rows[i].max + 1, 127, 128, 255 };
			uint8_t p[LEAF_MAX];

			for (size_t k = 0; k < ARRAY_SIZE(bad); k++) {
				struct leaf b = l;

				if (rows[i].type == 'h' || rows[i].type == 't' || (bad[k] >= rows[i].min && bad[k] <= rows[i].max))
					continue;
				if ((rows[i].type == 'e' || rows[i].type == 'b') && bad[k] > 255)
					continue;
				b.value[i] = bad[k];
				assert_int_equal(leaf_encode(&b, p), -EBADMSG);
				check_refused(p, by_hand(rows, &b, p));
			}
			for (size_t k = by_hand(rows, &l, p); k-- > 0;)
				check_refused(p, k);
		}
	}
}

static void test_bitmap(void **state)
{
	for (uint8_t kind = 1; kind < LEAF_KIND_MAX_; kind++) {
		struct row rows[LEAF_FIELDS_MAX];
		unsigned n;
		struct leaf l = smallest(kind, rows, &n), b;
		uint8_t p[LEAF_MAX];

		for (unsigned i = 0; i < 64; i++) {
			size_t len;

			b = l;
			b.present ^= 1ULL << i;
			if (i < n && !rows[i].always)
				continue;
			assert_int_equal(leaf_encode(&b, p), -EBADMSG); /* a bit without a row, or one that must be there */
			len = by_hand(rows, &b, p);
			check_refused(p, len);
			p[len] = 1;
			check_refused(p, len + 1);
		}
	}
}

/* Every number of every leaf in a longer form: bitmap and fields, by one byte of continuation and by ten. */
static void test_long_numbers(void **state)
{
	for (uint8_t kind = 1; kind < LEAF_KIND_MAX_; kind++) {
		struct row rows[LEAF_FIELDS_MAX];
		unsigned n = page_rows(kind, rows);
		struct leaf l = some_leaf(kind, rows, n, (1ULL << n) - 1, 0);
		uint8_t p[LEAF_MAX], b[LEAF_MAX];
		size_t len = by_hand(rows, &l, p), at = 2 + uvar_put(b, l.present);

		for (unsigned i = 0; i <= n; i++) {
			/* `at` is behind the bitmap at first, then behind field i − 1, whose last byte is p[at − 1] */
			bool number = i == 0 || rows[i - 1].type == 'v' || rows[i - 1].type == 'n';

			for (unsigned more = 1; number && more < 10; more++) {
				memcpy(b, p, at);
				b[at - 1] |= 0x80;
				memset(b + at, 0x80, more - 1);
				b[at + more - 1] = 0;
				memcpy(b + at + more, p + at, len - at);
				check_refused(b, len + more);
			}
			if (i < n)
				at += rows[i].type == 'h' ? 32 : rows[i].type == 't' ? 8 : 1; /* the smallest value of a number has one byte */
		}
		assert_int_equal(at, len);
	}
}

static void test_number_too_large(void **state)
{
	/* count of an event: 2^64 and eleven bytes */
	static const uint8_t head[] = { 1, 2, 0x83, 0x80, 0x02, 0, 0, 0, 0, 0, 0, 0, 0, 1 };
	uint8_t p[32] = { 0 };
	struct leaf l;

	memcpy(p, head, sizeof(head));
	memset(p + sizeof(head), 0xff, 9);
	p[sizeof(head) + 9] = 1;
	assert_int_equal(leaf_decode(p, sizeof(head) + 10, &l), 0);
	assert_true(l.value[15] == UINT64_MAX);
	p[sizeof(head) + 9] = 2;
	check_refused(p, sizeof(head) + 10);
	p[sizeof(head) + 9] = 0x81;
	check_refused(p, sizeof(head) + 11);
}

static void test_head(void **state)
{
	struct row rows[LEAF_FIELDS_MAX];
	unsigned n;
	struct leaf l = smallest(LEAF_CONFIG, rows, &n), b;
	uint8_t p[LEAF_MAX + 1] = { 0 };
	size_t len = by_hand(rows, &l, p);

	p[len] = 0;
	check_refused(p, len + 1);
	p[0] = 0;
	check_refused(p, len);
	p[0] = 2;
	check_refused(p, len);
	p[0] = 1;
	p[1] = 0;
	check_refused(p, len);
	for (unsigned kind = LEAF_KIND_MAX_; kind < 256; kind++) {
		p[1] = (uint8_t)kind;
		assert_int_equal(leaf_decode(p, len, &l), -EOPNOTSUPP);
		b = (struct leaf){ .kind = (uint8_t)kind };
		assert_int_equal(leaf_encode(&b, p + 2), -EBADMSG);
	}
	assert_int_equal(leaf_decode(p, LEAF_MAX - LEAF_NONCE, &l), -EOPNOTSUPP);
	assert_int_equal(leaf_decode(p, LEAF_MAX - LEAF_NONCE + 1, &l), -EMSGSIZE);
}

static void test_import(void **state)
{
	struct row rows[LEAF_FIELDS_MAX];
	unsigned n = page_rows(LEAF_IMPORT, rows);
	uint8_t p[LEAF_MAX];

	for (uint64_t fields = 0; fields < 8; fields++)
		for (uint64_t phase = 1; phase <= 3; phase++) {
			struct leaf l = some_leaf(LEAF_IMPORT, rows, n, fields << 4, 0);

			l.value[1] = phase;
			if ((phase == 1 && fields == 0) || (phase == 3 && fields == 7)) {
				check_both_ways(rows, &l);
				continue;
			}
			assert_int_equal(leaf_encode(&l, p), -EBADMSG);
			check_refused(p, by_hand(rows, &l, p));
		}
}

static void test_event_end(void **state)
{
	static const struct { int64_t time; uint64_t end; bool ok; } cases[] = {
		{ 0, INT64_MAX, true }, { 0, 1ULL << 63, false }, { 1, INT64_MAX, false }, { INT64_MAX, 0, true }, { INT64_MAX, 1, false },
		{ -1, 1ULL << 63, true }, { -1, (1ULL << 63) + 1, false }, { INT64_MIN, UINT64_MAX, true }, { INT64_MIN + 1, UINT64_MAX, false },
	};
	struct row rows[LEAF_FIELDS_MAX];
	unsigned n = page_rows(LEAF_EVENT, rows);
	uint8_t p[LEAF_MAX];

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct leaf l = some_leaf(LEAF_EVENT, rows, n, 1 << 16, 0);

		l.value[0] = (uint64_t)cases[i].time;
		l.value[16] = cases[i].end;
		if (cases[i].ok) {
			check_both_ways(rows, &l);
			continue;
		}
		assert_int_equal(leaf_encode(&l, p), -EBADMSG);
		check_refused(p, by_hand(rows, &l, p));
	}
}

/* Whatever bytes decode at all encode to themselves: flips, cuts and joins of sound leaves. */
static void test_one_form(void **state)
{
	unsigned sound = 0;

	for (unsigned round = 0; round < 200000; round++) {
		struct row rows[LEAF_FIELDS_MAX];
		uint8_t kind = (uint8_t)(1 + draw() % (LEAF_KIND_MAX_ - 1)), p[LEAF_MAX], back[LEAF_MAX];
		unsigned n = page_rows(kind, rows);
		struct leaf l = some_leaf(kind, rows, n, draw() & draw() & ((1ULL << n) - 1), 2);
		size_t len = by_hand(rows, &l, p);

		for (unsigned flips = (unsigned)(draw() % 4); flips > 0; flips--)
			p[draw() % len] ^= (uint8_t)(1 << draw() % 8);
		if (leaf_decode(p, len, &l) < 0)
			continue;
		assert_int_equal(leaf_encode(&l, back), (ssize_t)len);
		assert_memory_equal(back, p, len);
		sound++;
	}
	assert_true(sound > 50000);
}

static void aes_ecb(const uint8_t key[16], const uint8_t block[16], uint8_t out[16])
{
	EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
	int n;

	assert_int_equal(EVP_EncryptInit_ex(ctx, EVP_aes_128_ecb(), NULL, key, NULL), 1);
	EVP_CIPHER_CTX_set_padding(ctx, 0);
	assert_int_equal(EVP_EncryptUpdate(ctx, out, &n, block, 16), 1);
	EVP_CIPHER_CTX_free(ctx);
}

static void check_nonce(struct leaf_hasher *h, const uint8_t key[16], uint64_t first, uint64_t index)
{
	uint8_t block[16] = { 0 }, want[16], got[16];

	put_be64(block + 8, index - first);
	aes_ecb(key, block, want);
	leaf_nonce(h, index, got);
	assert_memory_equal(got, want, 16);
}

static void test_nonce(void **state)
{
	/* FIPS 197, appendix C.1 */
	static const uint8_t key[16] = { 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15 };
	static const uint8_t plain[16] = { 0x00, 0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77, 0x88, 0x99, 0xaa, 0xbb, 0xcc, 0xdd, 0xee, 0xff };
	static const uint8_t cipher[16] = { 0x69, 0xc4, 0xe0, 0xd8, 0x6a, 0x7b, 0x04, 0x30, 0xd8, 0xcd, 0xb7, 0x80, 0x70, 0xb4, 0xc5, 0x5a };
	struct leaf_hasher *h = leaf_hasher_new();
	const uint64_t firsts[] = { 0, 256, 1 << 20, 1ULL << 40 };
	uint8_t got[16];

	aes_ecb(key, plain, got);
	assert_memory_equal(got, cipher, 16);
	for (size_t k = 0; k < ARRAY_SIZE(firsts); k++) {
		uint8_t s[16];

		for (unsigned i = 0; i < 16; i++)
			s[i] = (uint8_t)draw();
		assert_int_equal(leaf_hasher_segment(h, s, firsts[k]), 0);
		for (uint64_t i = 0; i < 3000; i++) /* in order */
			check_nonce(h, s, firsts[k], firsts[k] + i);
		for (unsigned i = 0; i < 2000; i++) /* anywhere, with steps back and short runs */
			check_nonce(h, s, firsts[k], firsts[k] + (i % 3 ? draw() % 70000 : 5000 - i));
		check_nonce(h, s, firsts[k], firsts[k] + (1 << 20) - 1);
		check_nonce(h, s, firsts[k], firsts[k] + (1ULL << 33));
	}
	leaf_hasher_free(h);
	assert_null(leaf_hasher_free(NULL));
}

static void test_hash(void **state)
{
	_cleanup_sha256_ struct sha256 *sha = sha256_new();
	struct leaf_hasher *h = leaf_hasher_new();
	static const size_t sizes[] = { 2, 3, 41, 100, 4079, 4080, 4081, 5000 };
	uint8_t packed[5000], whole[5000 + LEAF_NONCE], nonce[LEAF_NONCE], want[32], got[32], s[16];

	for (size_t i = 0; i < sizeof(packed); i++)
		packed[i] = (uint8_t)draw();
	memcpy(s, packed, 16);
	assert_int_equal(leaf_hasher_segment(h, s, 512), 0);
	for (size_t k = 0; k < ARRAY_SIZE(sizes); k++)
		for (uint64_t index = 512; index < 1100; index += 7) {
			leaf_nonce(h, index, nonce);
			leaf_whole(packed, sizes[k], nonce, whole);
			assert_memory_equal(whole, packed, 2);
			assert_memory_equal(whole + 2, nonce, LEAF_NONCE);
			assert_memory_equal(whole + 2 + LEAF_NONCE, packed + 2, sizes[k] - 2);
			sha256_parts(sha, (str[]){ STR("\0"), { (char *)whole, sizes[k] + LEAF_NONCE } }, 2, want);
			leaf_hash(h, index, packed, sizes[k], got);
			assert_memory_equal(got, want, 32);
		}
	leaf_hasher_free(h);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_tables), cmocka_unit_test(test_round_trip), cmocka_unit_test(test_ranges), cmocka_unit_test(test_bitmap),
		cmocka_unit_test(test_long_numbers), cmocka_unit_test(test_number_too_large), cmocka_unit_test(test_head),
		cmocka_unit_test(test_import), cmocka_unit_test(test_event_end), cmocka_unit_test(test_one_form),
		cmocka_unit_test(test_nonce), cmocka_unit_test(test_hash),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
