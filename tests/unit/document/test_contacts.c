/* Of how many persons a document holds contact details: rows, blocks, switchboards, posts, doubles; identifiers; the client list. */
#include "doc_case.h"

#include <errno.h>
#include <stdio.h>
#include <sys/mman.h>

#include "document/contacts.h"

static const uint8_t key[IDENTIFIER_KEY] = { 1, 2, 3 };
static struct finder *finder;
static struct finding_scan *scan;
static struct contacts *contacts;
static struct contacts_result result;

static uint64_t persons(void)
{
	struct hits h;

	assert_int_equal(finding_run(scan, &doc, &h), 0);
	assert_int_equal(contacts_run(contacts, &doc, &h, &result), 0);
	for (size_t i = 1; i < result.n; i++)
		assert_true(result.identifiers[i - 1].key < result.identifiers[i].key);
	return result.persons;
}

static uint64_t in_rows(const char *rows)
{
	doc_begin();
	doc_rows(rows);
	return persons();
}

static uint64_t in_block(const char *text)
{
	doc_begin();
	doc_put(ZONE_BODY, text);
	return persons();
}

static void rows(void **state)
{
	assert_int_equal(in_rows("Name|E-mail|Phone\nA|a@example.com|+81 90-1234-5678\nB|b@example.com|+81 90-1234-5679\nC||"), 2);
	/* Two rows of one person: by address, by number. */
	assert_int_equal(in_rows("Name|E-mail|Phone\nA|a@example.com|+81 90-1234-5678\nA B|A@Example.com|+81 3-1234-5670"), 1);
	assert_int_equal(in_rows("Name|E-mail|Phone\nA|a@example.com|+81 90-1234-5678\nA||+81 90-1234-5678"), 1);
	assert_int_equal(in_rows("Name|E-mail|Phone\nA|a@example.com|\nB||+81 90-1234-5678"), 2);
	/* Two addresses in one row. */
	assert_int_equal(in_rows("Name|E-mail|Private\nA|a@example.com|a@example.net\nB|b@example.com|b@example.net"), 2);
	/* A switchboard, of many and of two. */
	assert_int_equal(in_rows("Name|E-mail|Phone\nA|a@example.com|+81 3-1234-5670\nB|b@example.com|+81 3-1234-5670\nC|c@example.com|+81 3-1234-5670"), 3);
	assert_int_equal(in_rows("Name|E-mail|Phone\nA|a@example.com|+81 3-1234-5670\nB|b@example.com|+81 3-1234-5670"), 2);
	assert_int_equal(in_rows("Name|Phone\nA|+81 3-1234-5670\nB|+81 3-1234-5670"), 2);
	assert_int_equal(in_rows("Name|E-mail|Phone\nA|a@example.com|+81 3-1234-5670\nB||+81 3-1234-5670"), 2);
	/* The company column does not make two persons one. */
	assert_int_equal(in_rows("Customer|E-mail|Phone\nExample Inc|a@example.com|+81 3-1234-5670\nExample Inc|b@example.com|+81 3-1234-5670"), 2);
	assert_int_equal(in_rows("会社名|氏名|メール|電話番号\n例社|山田|a@example.co.jp|03-1234-5670\n例社|佐藤|b@example.co.jp|03-1234-5670\n例社|山田|y@example.net|03-1234-5670"), 2);
	/* Posts join nobody and are nobody. */
	assert_int_equal(in_rows("Name|E-mail|Phone\nA|info@example.com|+81 90-1234-5678\nB|info@example.com|+81 90-1234-5679\nExample|info@example.com|"), 2);
	assert_int_equal(in_rows("Name|E-mail|Phone\nExample|info@example.com|+81 3-1234-5670\nB|b@example.com|+81 3-1234-5670"), 1);
	assert_int_equal(in_rows("Name|E-mail\nA|sales@example.com\nB|no-reply@example.com\nC|support-jp@example.com"), 0);
	/* Rows with a name alone. */
	assert_int_equal(in_rows("Name|E-mail|Phone\nA||\nB||"), 0);
	/* Two tables, one person. */
	doc_begin();
	doc_rows("Name|E-mail\nA|a@example.com");
	doc_rows("Name|E-mail\nA|a@example.com\nB|b@example.com");
	assert_int_equal(persons(), 2);
	/* Without a header. */
	assert_int_equal(in_rows("A|a@example.com|+81 3-1234-5670\nB|b@example.com|+81 3-1234-5670"), 2);
}

static void blocks(void **state)
{
	assert_int_equal(in_block("A clerk\nTel. +81 3-1234-5670\nMobile +81 90-1234-5678\nclerk@example.com"), 1);
	assert_int_equal(in_block("A clerk   clerk@example.com   +81 90-1234-5678\nAn engineer   engineer@example.com   +81 90-1234-5679\nB  b@example.com"), 3);
	assert_int_equal(in_block("A  +81 90-1234-5678\nB  +81 90-1234-5679\nC  +81 90-1234-5670"), 3);
	assert_int_equal(in_block("a@example.com, b@example.com, c@example.com"), 3);
	assert_int_equal(in_block("Write to info@example.com or call +81 3-1234-5670."), 1);
	assert_int_equal(in_block("Write to info@example.com."), 0);
	/* Two addresses behind their labels, below a name. */
	assert_int_equal(in_block("A clerk (Example Ltd)\ne-mail: clerk@example.com\ne-mail: clerk.private@example.net"), 1);
	assert_int_equal(in_block("佐藤 太郎 (株式会社例)\nメール: t.sato@example.co.jp\nメール2：taro@example.net\n電話: 03-1234-5670"), 1);
	assert_int_equal(in_block("A\nE-mail: a@example.com\nE-mail (private): a@example.net\n"
		"B\nE-mail: b@example.com\nE-mail: b@example.net\nC\nE-mail: c@example.com"), 3);
	doc_begin();
	doc_put(ZONE_BODY, "A clerk\ne-mail: a@example.com\ne-mail: a@example.net");
	doc_put(ZONE_BODY, "An engineer\ne-mail: b@example.com\nphone: +81 90-1234-5678");
	assert_int_equal(persons(), 2);
	/* …but not a list, nor names before them, nor lines between. */
	assert_int_equal(in_block("Write to one of us:\ne-mail: a@example.com\ne-mail: b@example.com"), 2);
	assert_int_equal(in_block("e-mail: a@example.com\ne-mail: b@example.com"), 2);
	assert_int_equal(in_block("Those present\ne-mail: a@example.com\ne-mail: b@example.com\ne-mail: c@example.com"), 3);
	assert_int_equal(in_block("Those present\nA a@example.com\nB b@example.com"), 2);
	assert_int_equal(in_block("A\ne-mail: a@example.com\nB\ne-mail: b@example.com"), 2);
	assert_int_equal(in_block("Those present\na@example.com\nb@example.com"), 2);
	/* Cards below each other. */
	assert_int_equal(in_block("A\na@example.com\n+81 90-1234-5678\nB\nb@example.com\n+81 90-1234-5679"), 2);
	assert_int_equal(in_block("A\n+81 90-1234-5678\na@example.com\nB\n+81 90-1234-5679\nb@example.com"), 2);
	/* A table whose columns were read one after the other. */
	doc_begin();
	doc_put(ZONE_BODY, "A\nB\nC");
	doc_put(ZONE_BODY, "a@example.com\nb@example.com\nc@example.com");
	doc_put(ZONE_BODY, "+81 90-1234-5678\n+81 90-1234-5679\n+81 90-1234-5670");
	assert_int_equal(persons(), 3);
	/* …or cell by cell. */
	doc_begin();
	for (int i = 0; i < 4; i++) {
		char mail[32], phone[32];

		snprintf(mail, sizeof(mail), "p%d@example.com", i);
		snprintf(phone, sizeof(phone), "+81 90-1234-567%d", i);
		doc_put(ZONE_BODY, "A name");
		doc_put(ZONE_BODY, mail);
		doc_put(ZONE_BODY, phone);
	}
	assert_int_equal(persons(), 4);
	/* Sender and recipients, and one of them in the text. */
	doc_begin();
	doc_put(ZONE_ADDRESS, "A <a@example.com>, B <b@example.com>");
	doc_put(ZONE_BODY, "Regards\nA\na@example.com\n+81 90-1234-5678");
	assert_int_equal(persons(), 2);
	doc_begin();
	assert_int_equal(persons(), 0);
}

/* --- generated lists --- */

static uint64_t rng;

static uint32_t rnd(uint32_t below)
{
	rng = rng * 6364136223846793005ULL + 1442695040888963407ULL;
	return (uint32_t)(rng >> 33) % below;
}

static void row(struct buf *b, const char *name, const char *mail, const char *phone)
{
	buf_putf(b, "\nExample %u|%s|%s|%s", rnd(9), name, mail, phone);
}

/* n persons among rows that are traps: *ret_persons. */
static void make_list(struct buf *b, uint32_t n)
{
	buf_puts(b, STR("Company|Name|E-mail|Phone"));
	for (uint32_t i = 0; i < n; i++) {
		char name[32], mail[64], phone[32], board[32];

		snprintf(name, sizeof(name), "Person %c%c%c", 'A' + i % 26, 'a' + i / 26 % 26, 'a' + i / 676);
		snprintf(mail, sizeof(mail), "p%u.x@example%u.com", i, rnd(9));
		snprintf(phone, sizeof(phone), "+81 90-%04u-%04u", 1000 + i / 1000, 1000 + i % 1000);
		snprintf(board, sizeof(board), "+81 3-5555-%04u", 1000 + rnd(n / 20 + 1));
		switch (rnd(6)) {
		case 0: row(b, name, mail, board); break;
		case 1: row(b, name, "", phone); break;
		case 2: row(b, name, mail, phone); row(b, name, mail, ""); break;
		case 3: row(b, name, "info@example.com", phone); break;
		case 4: row(b, name, mail, phone); row(b, "Only Aname", "", ""); break;
		default: row(b, name, mail, phone);
		}
	}
}

static void generated(void **state)
{
	for (unsigned i = 0; i < 60; i++) {
		_cleanup_buf_ struct buf b = BUF_INIT;
		uint32_t n;

		rng = i;
		n = 1 + rnd(i % 10 ? 200 : 5000);
		make_list(&b, n);
		if (in_rows(buf_cstr(&b)) != n)
			fail_msg("list %u: %llu persons instead of %u", i, (unsigned long long)result.persons, n);
	}
}

/* --- identifiers --- */

static const struct identifier *identifier(enum identifier_kind kind, const char *value)
{
	uint64_t k = identifier_key(key, kind, str_c(value));

	for (size_t i = 0; i < result.n; i++)
		if (result.identifiers[i].key == k)
			return &result.identifiers[i];
	return NULL;
}

static void identifiers(void **state)
{
	uint8_t other[IDENTIFIER_KEY] = { 9 };
	struct contacts *c = NULL;
	struct hits h;

	assert_int_equal(in_rows("Number|Name|E-mail|Phone|Card\nＫ－１０００　２３|Tokyo|a@example.com|+81 90-1234-5678|4111 1111 1111 1111\n"
		"K-1000 24|Yokohama  Bay|b@example.com|+81 3-1234-5670|\n|C|c@example.com|+81 3-1234-5670|"), 3);
	assert_non_null(identifier(IDENT_CELL, "k-1000 23"));
	assert_non_null(identifier(IDENT_CELL, "yokohama bay"));
	assert_null(identifier(IDENT_CELL, "tokyo"));
	assert_null(identifier(IDENT_CELL, "a@example.com"));
	assert_non_null(identifier(IDENT_CARD, "4111111111111111"));
	assert_int_equal(identifier(IDENT_EMAIL, "a@example.com")->person, 1);
	assert_int_equal(identifier(IDENT_PHONE, "+819012345678")->person, 1);
	assert_int_equal(identifier(IDENT_EMAIL, "b@example.com")->person, 2);
	assert_int_equal(identifier(IDENT_PHONE, "+81312345670")->person, 0); /* of two */

	/* Another key: nothing in common. */
	assert_int_equal(contacts_new(other, NULL, &c), 0);
	assert_int_equal(finding_run(scan, &doc, &h), 0);
	assert_int_equal(contacts_run(c, &doc, &h, &result), 0);
	assert_null(identifier(IDENT_EMAIL, "a@example.com"));
	contacts_free(c);
}

static void normal_form(void **state)
{
	static const struct { const char *in, *out; } cases[] = {
		{ "  Ab  cD12 ", "ab cd12" }, { "ＡＢＣ１２３", "abc123" }, { "株式会社サンプル", "株式会社サンプル" }, { "a　b\tc d e", "a b c d e" }, { "abcde", NULL }, { "山田太郎", NULL },
		{ "１２３４５", NULL }, { "山田太郎様々", "山田太郎様々" }, { "      x", NULL }, { "", NULL }, { "ﾔﾏﾀﾞﾀﾛｳ", "ﾔﾏﾀﾞﾀﾛｳ" },
		/* Eight bytes at a time, every letter and what stands beside the letters; two spaces at each place. */
		{ "@ABCDEFGHIJKLMNOPQRSTUVWXYZ[`abcxyz{", "@abcdefghijklmnopqrstuvwxyz[`abcxyz{" }, { "ABCDEFG  HIJKLMNO", "abcdefg hijklmno" },
		{ "ABCDEFGH\tIJKLMNO", "abcdefgh ijklmno" }, { "ABCDEFGHI  JKLMNO", "abcdefghi jklmno" }, { "ABCDE株FGHIJKLM 様", "abcde株fghijklm 様" },
		/* Torn characters take nothing with them, and count as they would alone. */
		{ "\xe6 ABCDE", "\xe6 abcde" }, { "\xe6\xa0 ABCD  E", "\xe6\xa0 abcd e" }, { "\xe6\xa0XY", NULL }, { "ABCDEF\xe6\xa0", "abcdef\xe6\xa0" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_buf_ struct buf b = BUF_INIT;

		assert_int_equal(identifier_normalise(str_c(cases[i].in), &b), cases[i].out != NULL);
		assert_str(buf_str(&b), cases[i].out ? cases[i].out : "");
	}
}

/* More than the cap: the smallest keys stay, whatever the order. */
static void capped(void **state)
{
	enum { N = 2500000 };
	char cell[16];
	uint64_t last;

	doc_begin();
	doc_table();
	for (uint32_t i = 0; i < N; i++) {
		snprintf(cell, sizeof(cell), "cell%u", 100000 + i);
		doc_cell(1 + i, 1, cell);
	}
	persons();
	assert_true(result.cut && result.n == IDENTIFIERS_MAX);
	last = result.identifiers[result.n - 1].key;
	/* Keys are even: about IDENTIFIERS_MAX of N lie below that. */
	assert_true(last / 4 > UINT64_MAX / 4 / N * (IDENTIFIERS_MAX / 100 * 99) && last / 4 < UINT64_MAX / 4 / N * (IDENTIFIERS_MAX / 100 * 101));
}

/* --- client list --- */

static struct client_list *load(const char *text, int want)
{
	int fd = memfd_create("list", MFD_CLOEXEC), r;
	struct client_list *c = NULL;

	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	lseek(fd, 0, SEEK_SET);
	r = client_list_load(fd, key, &c);
	close(fd);
	if (r != want)
		fail_msg("%d: %s", r, client_list_why());
	return c;
}

static uint64_t clients(const char *list, const char *rows)
{
	struct client_list *l = load(list, 0);
	struct contacts *c = NULL;
	struct hits h;

	doc_begin();
	doc_rows(rows);
	assert_int_equal(contacts_new(key, l, &c), 0);
	assert_int_equal(finding_run(scan, &doc, &h), 0);
	assert_int_equal(contacts_run(c, &doc, &h, &result), 0);
	contacts_free(c);
	client_list_free(l);
	return result.clients;
}

static void client_lists(void **state)
{
	static const char list[] = "\xef\xbb\xbf" "Customer number,Company,E-mail,Telephone\r\nC-100023,\"Example, Trading\",a@example.com,+81 90-1234-5678\r\n"
		"C-100024,Other Company,b@example.com,03-1234-5670\r\n\r\nC-100025,Other Company,c@example.com,2024-01-05\r\n";

	assert_int_equal(clients(list, "x|a@example.com\ny|z"), 1);
	assert_int_equal(clients(list, "x|09012345678 \ny|A@EXAMPLE.COM\nz|Ｃ－１０００２４"), 2); /* one client by two marks, one by its number in full width */
	assert_int_equal(clients(list, "Customer number|Telephone\n1|2"), 0); /* headers are no clients */
	assert_int_equal(clients(list, "Other Company\n2024-01-05"), 0);     /* of two clients; a date */
	assert_int_equal(clients(list, "example,  trading"), 1);
	assert_int_equal(clients("First Client\nSecond Client\nThird Client", "first client|third client"), 2);
	assert_int_equal(clients("a@example.com\nb@example.com", "a@example.com\nb@example.com\nc@example.com"), 2);
	assert_int_equal(clients("", "a@example.com"), 0);
	load("\xff\xfe", -EBADMSG);
	assert_non_null(strstr(client_list_why(), "expected UTF-8"));
}

static int setup(void **state)
{
	return finder_new(NULL, 0, &finder) || finding_scan_new(finder, &scan) || contacts_new(key, NULL, &contacts);
}

static int teardown(void **state)
{
	contacts_free(contacts);
	finding_scan_free(scan);
	finder_free(finder);
	doc_free();
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rows), cmocka_unit_test(blocks), cmocka_unit_test(generated), cmocka_unit_test(identifiers), cmocka_unit_test(normal_form),
		cmocka_unit_test(capped), cmocka_unit_test(client_lists),
	};
	return cmocka_run_group_tests(tests, setup, teardown);
}
