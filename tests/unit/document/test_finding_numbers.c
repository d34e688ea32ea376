/* Cards, IBANs, VAT numbers, Japan's numbers, SSN, passports, dates of birth: valid, invalid, look-alikes, cells. Published examples and generated ones. */
#include "../test.h"

#include "document/address_table.h"
#include "document/finding_internal.h"
#include "finding_case.h"

static void test_card(void **state)
{
	/* Numbers that payment processors publish for testing. */
	static const char *const good[] = { "4111111111111111", "5555555555554444", "2223003122003222", "378282246310005", "6011111111111117", "3530111333300000",
					    "30569309025904", "38520000023237", "6200000000000005" };

	for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
		char bad[20] = { 0 };

		assert_true(card_valid(good[i], strlen(good[i]), false));
		assert_one(good[i], DET_PAYMENT_CARD, good[i]);
		memcpy(bad, good[i], strlen(good[i]));
		for (char c = '0'; c <= '9'; c++) { /* Luhn finds every change of one digit */
			bad[9] = c;
			assert_int_equal(card_valid(bad, strlen(bad), true), c == good[i][9]);
		}
	}
	assert_one("Visa 4222222222222", DET_PAYMENT_CARD, "4222222222222"); /* thirteen digits only where a card is spoken of */
	assert_none("4222222222222", 0);
	assert_one("card number 630427373398 is lost", DET_PAYMENT_CARD, NULL);
	assert_none("630427373398", 0);
	assert_one("(4111-1111-1111-1111)", DET_PAYMENT_CARD, "4111111111111111");
	assert_one("3782 822463 10005.", DET_PAYMENT_CARD, "378282246310005");
	assert_one("カード番号：４１１１　１１１１　１１１１　１１１１です", DET_PAYMENT_CARD, "4111111111111111");
}

static void test_card_look_alikes(void **state)
{
	static const char *const bad[] = {
		"4111 1111 1111 1112", "4111-1111 1111 1111", "a4111111111111111", "4111111111111111b", "41111111111111112", "4111111111111111.5",
		"0.4111111111111111", "order 4111111111111111", "注文番号：4111111111111111", "ORD-4111111111111111", "x_4111111111111111",
		"/orders/4111111111111111", "4111111111111111@example", "0000000000000000", "1,4111111111111111", "order_id=4111111111111111",
		"4111-1111-1111-1111-1111", "550e8400-4111-1111-1111-111111111117", "UUID 4111111111111111", "orders 5555555555554444, 4111111111111111",
	};

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_none(bad[i], DET_PAYMENT_CARD);
}

static void test_iban(void **state)
{
	assert_one("GB82 WEST 1234 5698 7654 32", DET_IBAN, "GB82WEST12345698765432");
	assert_one("IBAN:GB82WEST12345698765432,", DET_IBAN, "GB82WEST12345698765432");
	assert_one("my iban is gb82west12345698765432", DET_IBAN, "GB82WEST12345698765432");
	assert_one("DE89 3704 0044 0532 0130 00", DET_IBAN, "DE89370400440532013000");
	assert_one("IBANNO9386011117947", DET_IBAN, "NO9386011117947"); /* two cells that ran together */
	assert_one("Iban NO93 8601 1117 947", DET_IBAN, "NO9386011117947");
	assert_none("XIBANNO9386011117947", DET_IBAN);
	assert_none("_IBANNO9386011117947", DET_IBAN);
	assert_none("ABANNO9386011117947", DET_IBAN);
	assert_one("NO 93 8601 1117 947", DET_IBAN, "NO9386011117947");
	assert_one("ＤＥ８９３７０４００４４０５３２０１３０００", DET_IBAN, "DE89370400440532013000");
	assert_none("GB83 WEST 1234 5698 7654 32", DET_IBAN); /* check digits */
	assert_none("GB82 WEST 1234 5698 7654 3", DET_IBAN);  /* length */
	assert_none("GB82 WEST 1234 5698 7654 324", DET_IBAN);
	assert_none("GB82WEST123456987654321", DET_IBAN);
	assert_none("XGB82WEST12345698765432", DET_IBAN);
	assert_none("XX82WEST12345698765432", DET_IBAN);
	assert_false(iban_valid("DE89370400440532013001", 22));
	assert_false(iban_valid("DE", 2));
}

static void test_vat(void **state)
{
	/* Most also stand as examples in python-stdnum's documentation; with the last digit changed they must be refused. */
	static const char *const good[] = { "ATU13585627", "BE0428759497", "BG175074752", "CY10259033P", "CZ25123891", "DE136695976", "DK13585628", "EE100931558",
					    "EL094259216", "ESA28015865", "FI20774740", "FR40303265045", "HR33392005961", "HU12892312", "IE6433435F", "IT00743110157",
					    "LT119511515", "LU15027442", "LV40003521600", "MT11679112", "NL004495445B01", "PL8567346215", "PT501964843", "RO18547290",
					    "SE123456789701", "SI50223054", "SK2022749619" };

	for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
		char bad[20] = { 0 };
		size_t n = strlen(good[i]), at_digit = n - 1;
		unsigned valid = 0;

		if (!vat_valid(good[i], n))
			fail_msg("%s", good[i]);
		memcpy(bad, good[i], n);
		while (!is_digit(bad[at_digit]) || (at_digit > 3 && bad[0] == 'N' && at_digit > 10) || (bad[0] == 'S' && bad[1] == 'E' && at_digit > 11))
			at_digit--;
		for (char c = '0'; c <= '9'; c++) {
			bad[at_digit] = c;
			valid += vat_valid(bad, n);
		}
		if (valid != 1)
			fail_msg("%s: %u of ten last digits", good[i], valid);
	}
	assert_one("DE136695976", DET_EU_VAT, "DE136695976");
	assert_one("VAT ID: DE 136 695 976", DET_EU_VAT, "DE136695976");
	assert_one("USt-IdNr.: DE-136695976", DET_EU_VAT, "DE136695976");
	assert_one("NL004495445B01.", DET_EU_VAT, "NL004495445B01");
	assert_none("DE136695977", DET_EU_VAT);
	assert_none("DE1366959761", DET_EU_VAT);
	assert_none("ADE136695976", DET_EU_VAT);
	assert_none("order DE136695976", DET_EU_VAT);
	assert_none("de136695976", DET_EU_VAT);
	assert_none("DE 136 695 976", DET_EU_VAT);
}

static void test_japan(void **state)
{
	assert_true(my_number_valid("621498320257"));
	assert_false(my_number_valid("621498320258"));
	assert_true(corporate_valid("7000012050002")); /* the National Tax Agency's own */
	assert_false(corporate_valid("7000012050003"));
	assert_one("マイナンバー：6214 9832 0257", DET_MY_NUMBER, "621498320257");
	assert_one("個人番号　６２１４９８３２０２５７", DET_MY_NUMBER, "621498320257");
	assert_one("My Number: 6214-9832-0257", DET_MY_NUMBER, "621498320257");
	assert_none("マイナンバー：6214 9832 0258", 0);
	assert_none("6214 9832 0257", 0);
	assert_none("伝票番号 6214 9832 0257", 0);
	assert_none("マイナンバー：6214983202571", 0);
	assert_one("法人番号 7000012050002", DET_JP_CORPORATE_NUMBER, "7000012050002");
	assert_one("登録番号：T7000012050002", DET_JP_CORPORATE_NUMBER, "7000012050002");
	assert_none("7000012050002", 0);
	assert_none("T7000012050003", 0);
	assert_none("JAN 4901234567894", 0);
	assert_one("基礎年金番号：1234-567890", DET_JP_PENSION_NUMBER, "1234567890");
	assert_none("1234-567890", 0);
	assert_one("運転免許証番号：301234567890", DET_JP_DRIVERS_LICENSE, "301234567890");
	assert_one("免許証 第301234567890号", DET_JP_DRIVERS_LICENSE, "301234567890");
	assert_none("免許証番号：011234567890", 0); /* no commission has 01 */
	assert_none("301234567890", 0);
	assert_one("普通 1234567", DET_BANK_ACCOUNT_JP, "1234567");
	assert_one("口座番号：０００１−１２３−１２３４５６７", DET_BANK_ACCOUNT_JP, "00011231234567");
	assert_one("当座 No.7654321", DET_BANK_ACCOUNT_JP, "7654321");
	assert_none("在庫 1234567", 0);
	assert_none("1234567", 0);
	assert_one("〒100-0001", DET_POSTAL_CODE_JP, "1000001");
	assert_one("郵便番号 1000001", DET_POSTAL_CODE_JP, "1000001");
	assert_none("内訳 100-0001", 0);
	find("100-0001 東京都千代田区千代田1-1");
	assert_int_equal(found.n, 2);
	assert_hit(0, DET_POSTAL_CODE_JP, "100-0001", "1000001");
	assert_hit(1, DET_ADDRESS_JP, "東京都千代田区千代田1-1", "東京都千代田区千代田1-1");
}

static void assert_two(const char *text, const char *first, const char *second)
{
	find(text);
	assert_int_equal(found.n, 2);
	assert_hit(0, DET_ADDRESS_JP, first, first);
	assert_hit(1, DET_ADDRESS_JP, second, second);
}

/* The search ends at the first name that is behind. */
static void test_places_sorted(void **state)
{
	for (size_t i = 0; i < PREFECTURES; i++)
		for (const char *p = prefectures[i].places, *next; *(next = strchr(p, ' ') + 1); p = next)
			assert_true(memcmp(p, next, 3) <= 0);
}

static void test_address(void **state)
{
	assert_one("所在地は北海道虻田郡倶知安町北１条東３丁目３番地です。", DET_ADDRESS_JP, NULL);
	assert_found(DET_ADDRESS_JP, "北海道虻田郡倶知安町北１条東３丁目３番地", "北海道虻田郡倶知安町北1条東3丁目3番地");
	assert_one("東京都府中市宮西町2-24", DET_ADDRESS_JP, "東京都府中市宮西町2-24");
	assert_one("茨城県龍ヶ崎市3710", DET_ADDRESS_JP, "茨城県龍ヶ崎市3710"); /* the law writes ケ */
	assert_one("東京都港区を訪れた2024年", DET_ADDRESS_JP, "東京都港区");
	assert_none("東京都の天気、大阪府警、京都府民", 0);
	assert_none("東京都横浜市", 0); /* not in this prefecture */
	assert_two("東京都千代田区丸の内 大阪府大阪市北区梅田3-1-1", "東京都千代田区", "大阪府大阪市北区梅田3-1-1");
	assert_two("東京都千代田区丸の内と大阪府大阪市北区梅田", "東京都千代田区", "大阪府大阪市");
	assert_two("東京都千代田区丸の内1-2-3　丸の内ビル5階　大阪府大阪市北区梅田3-1-1", "東京都千代田区丸の内1-2-3", "大阪府大阪市北区梅田3-1-1");
	assert_two("東京都港区芝公園4丁目2番8号および京都府京都市中京区上本能寺前町488番地", "東京都港区芝公園4丁目2番8号",
		   "京都府京都市中京区上本能寺前町488番地");
	assert_two("東京都千代田区丸の内1-2-3大阪府大阪市北区梅田3-1-1", "東京都千代田区丸の内1-2-3", "大阪府大阪市北区梅田3-1-1");
	find("東京都港区 03-3123-4567");
	assert_int_equal(found.n, 2);
	assert_hit(1, DET_PHONE, "03-3123-4567", "+81331234567");
}

static void test_identity(void **state)
{
	assert_one("SSN: 460-89-9847", DET_US_SSN, "460899847");
	assert_one("460-89-9847", DET_US_SSN, "460899847");
	assert_one("SSN 460899847", DET_US_SSN, "460899847");
	assert_none("460899847", 0);
	assert_none("000-12-3456 666-12-3456 900-12-3456 123-00-4567 123-45-0000", 0);
	assert_none("case no. 460-89-9847", 0);
	assert_none("460-89-98471", 0);
	assert_one("旅券番号：ＴＫ１２３４５６７", DET_PASSPORT, "TK1234567");
	assert_one("Passport No. TK1234567", DET_PASSPORT, "TK1234567");
	assert_none("TK1234567", 0);
	assert_none("passport TKX1234567", 0);
	assert_one("生年月日：昭和55年1月2日", DET_BIRTH_DATE, "1980-01-02");
	assert_one("生年月日 S55.1.2", DET_BIRTH_DATE, "1980-01-02");
	assert_one("1980年1月2日生まれ", DET_BIRTH_DATE, "1980-01-02");
	assert_one("born on January 2, 1980", DET_BIRTH_DATE, "1980-01-02");
	assert_one("Date of birth: 2 Jan 1980", DET_BIRTH_DATE, "1980-01-02");
	assert_one("DOB 01/02/1980", DET_BIRTH_DATE, "1980-01-02");
	assert_one("DOB 31/12/1980", DET_BIRTH_DATE, "1980-12-31");
	assert_none("1980-01-02", 0);
	assert_none("更新日 2026-01-02", 0);
	assert_none("生年月日 1980-02-30", 0);
}

/* Labels of cells: over the column, on the left; a column of another number is believed too. */
static void test_cells(void **state)
{
	find_cells("社員番号|マイナンバー|カード番号|注文番号\n621498320257|621498320257|630427373398|4111111111111111\n1|621498320257||4111111111111111");
	assert_int_equal(found.n, 3);
	assert_hit(0, DET_MY_NUMBER, "621498320257", "621498320257");
	assert_hit(1, DET_PAYMENT_CARD, "630427373398", "630427373398");
	assert_hit(2, DET_MY_NUMBER, "621498320257", "621498320257");
	find_cells("氏名|担当者\n旅券番号|TK1234567\n電話|0331234567\n備考|0331234567");
	assert_int_equal(found.n, 2);
	assert_hit(0, DET_PASSPORT, "TK1234567", "TK1234567");
	assert_hit(1, DET_PHONE, "0331234567", "+81331234567");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_card), cmocka_unit_test(test_card_look_alikes), cmocka_unit_test(test_iban), cmocka_unit_test(test_vat),
		cmocka_unit_test(test_japan), cmocka_unit_test(test_places_sorted), cmocka_unit_test(test_address),
		cmocka_unit_test(test_identity), cmocka_unit_test(test_cells),
	};

	return cmocka_run_group_tests(tests, finder_setup, finder_teardown);
}
