/* E-mail, telephone, IP addresses, secrets. */
#include <zlib.h>

#include "../test.h"

#include "document/finding_internal.h"
#include "finding_case.h"

static void test_email(void **state)
{
	assert_one("<Taro.Yamada+x@Mail.Example.CO.JP>", DET_EMAIL, "taro.yamada+x@mail.example.co.jp");
	assert_one("メールはtaro@example.jpまで", DET_EMAIL, "taro@example.jp");
	assert_one("o'neil@example.com.", DET_EMAIL, "o'neil@example.com");
	assert_one("'x@example.com'", DET_EMAIL, "x@example.com");
	assert_one("mailto:x@example.com?subject=y", DET_EMAIL, "x@example.com");
	assert_one("a=x@example.com&b=1", DET_EMAIL, "x@example.com");
	assert_one("4111111111111111@example.com", DET_EMAIL, "4111111111111111@example.com");
	assert_one("x@xn--r8jz45g.xn--zckzah", DET_EMAIL, "x@xn--r8jz45g.xn--zckzah");
	assert_none("user@host sprite@2x.png lodash@4.17.21 @example.com x@.com x@example..com x@-a.com", 0);
	assert_none("https://user:secret@example.com/", 0);
	assert_none("git@github.com:owner/name.git", 0);
	assert_none("a.@example.com a..b@example.com", 0);
	assert_none("jos\xc3\xa9@example.com", 0);
	find("x@a.jp;y@b.jp z@c.jp");
	assert_int_equal(found.n, 3);
}

static void test_phone(void **state)
{
	static const struct { const char *text, *value; } good[] = {
		{ "03-3123-4567", "+81331234567" }, { "(03)3123-4567", "+81331234567" }, { "045-123-4567", "+81451234567" }, { "0466-12-3456", "+81466123456" },
		{ "04992-2-1234", "+81499221234" }, { "04-2912-3456", "+81429123456" }, { "090-1234-5678", "+819012345678" }, { "09012345678", "+819012345678" },
		{ "050-1234-5678", "+815012345678" }, { "0120-123-456", "+81120123456" }, { "0800-123-4567", "+818001234567" },
		{ "+81-3-3123-4567", "+81331234567" }, { "+81 (0)90 1234 5678", "+819012345678" }, { "+1 (212) 555-0123", "+12125550123" },
		{ "+442079460958", "+442079460958" }, { "+44 20 7946 0958", "+442079460958" }, { "+49 30 901820", "+4930901820" }, { "212-555-0123", "+12125550123" },
		{ "(212) 555-0123", "+12125550123" }, { "1-212-555-0123", "+12125550123" }, { "212.555.0123", "+12125550123" }, { "電話 0331234567", "+81331234567" },
		{ "TEL 03 3123 4567", "+81331234567" }, { "phone 2125550123", "+12125550123" }, { "０３−３１２３−４５６７", "+81331234567" },
		{ "212-555-0123x45", "+12125550123" }, { "TEL0331234567", "+81331234567" },
	};
	static const char *const bad[] = {
		"0331234567", "2125550123", "212 555 0123", "00-1234-5678", "03-312-4567", "045-1234-5678", "090-1234-567", "090-1234-56789", "1090-1234-5678",
		"AB-090-1234-5678", "注文番号 090-1234-5678", "112-555-0123", "212-155-0123", "+999123456789", "+81 3 3123", "+12345678901234567", "C++81312345678",
		"2026-01-02", "978-4-1234-5678-9", "1712181960", "1712181960123", "123.456.7890", "192.168.100.100", "03-3123-4567@example",
	};

	for (size_t i = 0; i < ARRAY_SIZE(good); i++)
		assert_one(good[i].text, DET_PHONE, good[i].value);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_none(bad[i], DET_PHONE);
	find("TEL/FAX 03-3123-4567/03-3123-4568");
	assert_int_equal(found.count[DET_PHONE], 2);
}

static void test_ip(void **state)
{
	assert_one("from 192.0.2.7:8080", DET_IP_ADDRESS, "192.0.2.7");
	assert_one("[2001:DB8:0::1]", DET_IP_ADDRESS, "2001:db8::1");
	assert_one("fe80::1:2%eth0", DET_IP_ADDRESS, "fe80::1:2");
	assert_one("address:2001:db8::1", DET_IP_ADDRESS, "2001:db8::1");
	assert_none("256.1.1.1 1.2.3 1.2.3.4.5 01.2.3.4 v1.2.3.4 version 1.2.3.4 1.2.3.4-rc1 a1.2.3.4", 0);
	assert_none("12:34:56 00:1a:2b:3c:4d:5e 12:34:56:78:9a:bc:de:f0 std::a1 2026-01-02T12:34:56", 0);
}

static void token(char *out, const char *prefix, const char *body)
{
	static const char set[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
	uint32_t crc = (uint32_t)crc32(0, (const Bytef *)body, 30);
	int n = snprintf(out, 64, "%s%s", prefix, body);

	for (int i = 5; i >= 0; i--, crc /= 62)
		out[n + i] = set[crc % 62];
	out[n + 6] = 0;
}

static void test_tokens(void **state)
{
	char t[64], line[128];

	token(t, "ghp_", "0aB1cD2eF3gH4iJ5kL6mN7oP8qR9sT");
	assert_one(t, DET_SECRET_GITHUB, t);
	snprintf(line, sizeof(line), "x%s", t);
	assert_none(line, 0);
	snprintf(line, sizeof(line), "%sx", t);
	assert_none(line, 0);
	t[10] ^= 1;
	assert_none(t, 0);
	token(t, "npm_", "0aB1cD2eF3gH4iJ5kL6mN7oP8qR9sT");
	snprintf(line, sizeof(line), "//registry/:_authToken=%s", t);
	assert_one(line, DET_SECRET_NPM, t);
	t[39] = t[39] == 'a' ? 'b' : 'a';
	assert_none(t, 0);
}

/* Assembled here, so that no scanner takes the test for a leak. */
#define J(a, b) a b

static void test_secrets(void **state)
{
	assert_one(J("AK", "IAZ7Q3M5T2XW4B6YCD"), DET_SECRET_AWS, NULL);
	assert_none(J("AK", "IAZ7Q3M5T2XW4B6YCDE"), 0);
	assert_none(J("AK", "IA0189Q3M5T2XW4B6Y"), 0);
	assert_one(J("aws_access_key_id=AK", "IA0189Q3M5T2XW4B6Y"), DET_SECRET_AWS, NULL);
	assert_one(J("aws_secret_", "access_key = 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYzQ3x7Tk9Lm'"), DET_SECRET_AWS, "wJalrXUtnFEMI/K7MDENG/bPxRfiCYzQ3x7Tk9Lm");
	assert_none("commit wJalrXUtnFEMI/K7MDENG/bPxRfiCYzQ3x7Tk9Lm", 0);
	assert_one(J("xo", "xb-123456789012-123456789012-aBcDeFgHiJkLmNoPqRsTuVwX"), DET_SECRET_SLACK, NULL);
	assert_none(J("xo", "xb-your-token-here-please"), 0);
	assert_one(J("sk_", "live_4eC39HqLyjWDarjtT1zdp7dc"), DET_SECRET_STRIPE, NULL);
	assert_none(J("pk_", "live_4eC39HqLyjWDarjtT1zdp7dc"), 0);
	assert_none(J("sk_", "live_xxxxxxxxxxxxxxxxxxxxxxxx"), 0);
	assert_one(J("AI", "zaSyD-00aB1cD2eF3gH4iJ5kL6mN7oP8qR9s_"), DET_SECRET_GCP, NULL);
	assert_none(J("AI", "zaSyD-0aB1cD2eF3gH4iJ5kL6mN7oP8qR9s"), 0);
	assert_one("Bearer eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJlLXNpZ25hdHVyZQ", DET_SECRET_JWT, NULL);
	assert_none("eyJhbGciOiJIUzI1NiJ8.eyJzdWIiOiIxIn0.c2lnbmF0dXJlLXNpZ25hdHVyZQ", 0);
	assert_none("eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0", 0);
}

static void test_private_key(void **state)
{
	assert_one(J("-----BEGIN RSA PRIV", "ATE KEY-----\nMIIEowIBAAKCAQEA0Z3VS5JJcds3xfn/ygWyF8PbnGy0AHB7MhgHcTz6sE2I2yPB\naFDrBz9vFqU4"),
		   DET_SECRET_PRIVATE_KEY, NULL);
	assert_one(J("\"-----BEGIN PRIV", "ATE KEY-----\\nMIIEowIBAAKCAQEA0Z3VS5JJcds3xfn/ygWyF8PbnGy0AHB7MhgHcTz6sE2I2yPB\\naFDr\""),
		   DET_SECRET_PRIVATE_KEY, NULL);
	assert_none(J("-----BEGIN CERTIF", "ICATE-----\nMIIEowIBAAKCAQEA0Z3VS5JJcds3xfn/ygWyF8PbnGy0AHB7MhgHcTz6sE2I2yPB\n"), 0);
	assert_none(J("a line like -----BEGIN PRIV", "ATE KEY----- in a manual."), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_email), cmocka_unit_test(test_phone), cmocka_unit_test(test_ip), cmocka_unit_test(test_tokens),
		cmocka_unit_test(test_secrets), cmocka_unit_test(test_private_key),
	};

	return cmocka_run_group_tests(tests, finder_setup, finder_teardown);
}
