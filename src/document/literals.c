/* Every literal of the finder: labels of numbers, anchors of secrets and addresses, and what others want found. One pass of vectorscan
 * finds them all. */
#include <errno.h>

#include "document/address_table.h"
#include "document/finding_internal.h"
#include "document/secrets.h"

#define CARD BIT(DET_PAYMENT_CARD)
#define IBAN BIT(DET_IBAN)
#define PHONE BIT(DET_PHONE)
#define MYNUM BIT(DET_MY_NUMBER)
#define CORP BIT(DET_JP_CORPORATE_NUMBER)
#define PENSION BIT(DET_JP_PENSION_NUMBER)
#define LICENSE BIT(DET_JP_DRIVERS_LICENSE)
#define PASSPORT BIT(DET_PASSPORT)
#define BANK BIT(DET_BANK_ACCOUNT_JP)
#define POSTAL BIT(DET_POSTAL_CODE_JP)
#define SSN BIT(DET_US_SSN)
#define VAT BIT(DET_EU_VAT)
#define IP BIT(DET_IP_ADDRESS)
#define BIRTH BIT(DET_BIRTH_DATE)
#define AWS BIT(DET_SECRET_AWS)

/* ASCII ones in lower case (case is folded) and as whole words. Where one ends in another the longer is believed. */
static const struct { const char *text; uint32_t mask; } labels[] = {
	{ "card", CARD }, { "cards", CARD }, { "cc:", CARD }, { "cc ", CARD }, { "visa", CARD }, { "mastercard", CARD }, { "amex", CARD },
	{ "american express", CARD }, { "カード", CARD }, { "カード番号", CARD }, { "クレカ", CARD }, { "pan:", CARD },
	{ "iban", IBAN }, { "国際銀行口座番号", IBAN },
	{ "phone", PHONE }, { "phone number", PHONE }, { "telephone", PHONE }, { "tel", PHONE }, { "mobile", PHONE }, { "cell", PHONE },
	{ "cellphone", PHONE },
	{ "fax", PHONE }, { "call", PHONE }, { "contact number", PHONE }, { "電話", PHONE }, { "電話番号", PHONE }, { "携帯", PHONE },
	{ "携帯番号", PHONE }, { "携帯電話", PHONE }, { "連絡先", PHONE }, { "ファックス", PHONE }, { "ファクス", PHONE }, { "℡", PHONE }, { "☎", PHONE },
	{ "phone_number", PHONE }, { "phone no", PHONE }, { "直通", PHONE }, { "内線", PHONE }, { "代表", PHONE },
	{ "my number", MYNUM | PHONE }, { "mynumber", MYNUM }, { "my_number", MYNUM }, { "individual number", MYNUM }, { "マイナンバー", MYNUM },
	{ "マイナンバーカード", MYNUM }, { "個人番号", MYNUM }, { "個人番号カード", MYNUM },
	{ "corporate number", CORP }, { "corporate_number", CORP }, { "法人番号", CORP }, { "登録番号", CORP | VAT }, { "インボイス番号", CORP },
	{ "適格請求書発行事業者", CORP }, { "事業者登録番号", CORP }, { "invoice registration number", CORP }, { "国税庁法人番号", CORP },
	{ "年金番号", PENSION }, { "基礎年金番号", PENSION }, { "年金手帳", PENSION }, { "pension number", PENSION }, { "pension no", PENSION },
	{ "basic pension number", PENSION }, { "pension", PENSION }, { "年金", PENSION },
	{ "免許証", LICENSE }, { "免許証番号", LICENSE }, { "運転免許", LICENSE }, { "運転免許証", LICENSE }, { "運転免許証番号", LICENSE }, { "免許番号", LICENSE },
	{ "運転免許番号", LICENSE }, { "driver's license", LICENSE }, { "drivers license", LICENSE }, { "driver license", LICENSE },
	{ "driving licence", LICENSE }, { "driving license", LICENSE }, { "driver’s license", LICENSE }, { "license number", LICENSE },
	{ "licence number", LICENSE },
	{ "drivers_license", LICENSE }, { "driver_license", LICENSE },
	{ "passport", PASSPORT }, { "passports", PASSPORT }, { "passport number", PASSPORT }, { "passport_number", PASSPORT }, { "旅券", PASSPORT },
	{ "旅券番号", PASSPORT }, { "パスポート", PASSPORT }, { "パスポート番号", PASSPORT },
	{ "口座", BANK }, { "口座番号", BANK }, { "普通", BANK }, { "普通預金", BANK }, { "当座", BANK }, { "当座預金", BANK }, { "貯蓄預金", BANK }, { "振込先", BANK },
	{ "銀行口座", BANK }, { "銀行口座番号", BANK }, { "ゆうちょ", BANK }, { "bank account", BANK | IBAN }, { "account number", BANK | IBAN },
	{ "account no", BANK | IBAN }, { "bank_account", BANK }, { "account_number", BANK }, { "ordinary account", BANK },
	{ "savings account", BANK }, { "〒", POSTAL }, { "郵便番号", POSTAL }, { "postal code", POSTAL }, { "postal code (japan)", POSTAL },
	{ "postal_code", POSTAL }, { "postcode", POSTAL }, { "zip code", POSTAL }, { "zip", POSTAL }, { "zipcode", POSTAL },
	{ "zip_code", POSTAL }, { "住所", POSTAL }, { "所在地", POSTAL }, { "送付先", POSTAL }, { "お届け先", POSTAL }, { "address", POSTAL | IP },
	{ "郵便", POSTAL },
	{ "ssn", SSN }, { "social security", SSN }, { "social security number", SSN }, { "社会保障番号", SSN }, { "social security no", SSN },
	{ "vat", VAT }, { "vat number", VAT }, { "vat no", VAT }, { "vat id", VAT }, { "ust-idnr", VAT }, { "ust-id", VAT }, { "tva", VAT },
	{ "partita iva", VAT }, { "btw", VAT }, { "vat_number", VAT }, { "付加価値税番号", VAT }, { "vat番号", VAT }, { "eu vat番号", VAT },
	{ "vat registration", VAT },
	{ "ip", IP }, { "ip address", IP }, { "ipアドレス", IP }, { "ipv4", IP }, { "ipv6", IP }, { "host", IP }, { "server", IP },
	{ "生年月日", BIRTH }, { "誕生日", BIRTH }, { "出生日", BIRTH }, { "birth date", BIRTH }, { "birthdate", BIRTH },
	{ "birth_date", BIRTH }, { "date of birth", BIRTH }, { "date_of_birth", BIRTH }, { "birthday", BIRTH }, { "born", BIRTH },
	{ "born on", BIRTH }, { "dob", BIRTH },
	{ "d.o.b", BIRTH },
	{ "aws", AWS }, { "aws_secret_access_key", AWS }, { "secret_access_key", AWS }, { "secretaccesskey", AWS }, { "secret access key", AWS },
	{ "aws_access_key_id", AWS },
	/* Numbers of other things. */
	{ "番号", LABEL_OTHER }, { "注文", LABEL_OTHER }, { "注文番号", LABEL_OTHER }, { "受注番号", LABEL_OTHER }, { "発注番号", LABEL_OTHER },
	{ "伝票", LABEL_OTHER }, { "伝票番号", LABEL_OTHER }, { "追跡番号", LABEL_OTHER }, { "問い合わせ番号", LABEL_OTHER }, { "製造番号", LABEL_OTHER },
	{ "商品コード", LABEL_OTHER }, { "商品番号", LABEL_OTHER }, { "品番", LABEL_OTHER }, { "型番", LABEL_OTHER }, { "会員番号", LABEL_OTHER },
	{ "顧客番号", LABEL_OTHER }, { "社員番号", LABEL_OTHER }, { "管理番号", LABEL_OTHER }, { "整理番号", LABEL_OTHER }, { "受付番号", LABEL_OTHER },
	{ "請求書番号", LABEL_OTHER }, { "見積番号", LABEL_OTHER }, { "契約番号", LABEL_OTHER }, { "シリアル", LABEL_OTHER }, { "シリアル番号", LABEL_OTHER },
	{ "コード", LABEL_OTHER }, { "金額", LABEL_OTHER }, { "数量", LABEL_OTHER }, { "在庫", LABEL_OTHER }, { "価格", LABEL_OTHER },
	{ "バージョン", LABEL_OTHER },
	{ "ハッシュ", LABEL_OTHER }, { "タイムスタンプ", LABEL_OTHER }, { "更新日", LABEL_OTHER }, { "作成日", LABEL_OTHER }, { "発行日", LABEL_OTHER },
	{ "有効期限", LABEL_OTHER }, { "order", LABEL_OTHER }, { "orders", LABEL_OTHER }, { "order number", LABEL_OTHER }, { "order no", LABEL_OTHER },
	{ "order id", LABEL_OTHER }, { "order_id", LABEL_OTHER }, { "orderid", LABEL_OTHER }, { "order_no", LABEL_OTHER },
	{ "invoice", LABEL_OTHER }, { "invoice number", LABEL_OTHER }, { "tracking", LABEL_OTHER }, { "tracking number", LABEL_OTHER },
	{ "shipment", LABEL_OTHER }, { "parcel", LABEL_OTHER }, { "waybill", LABEL_OTHER }, { "serial", LABEL_OTHER },
	{ "serial number", LABEL_OTHER }, { "part number", LABEL_OTHER }, { "part no", LABEL_OTHER }, { "sku", LABEL_OTHER },
	{ "isbn", LABEL_OTHER }, { "issn", LABEL_OTHER }, { "jan", LABEL_OTHER }, { "janコード", LABEL_OTHER }, { "ean", LABEL_OTHER },
	{ "upc", LABEL_OTHER }, { "gtin", LABEL_OTHER }, { "imei", LABEL_OTHER }, { "iccid", LABEL_OTHER }, { "imsi", LABEL_OTHER },
	{ "uuid", LABEL_OTHER }, { "guid", LABEL_OTHER }, { "timestamp", LABEL_OTHER }, { "unix time", LABEL_OTHER }, { "epoch", LABEL_OTHER },
	{ "hash", LABEL_OTHER }, { "checksum", LABEL_OTHER }, { "sha1", LABEL_OTHER }, { "sha256", LABEL_OTHER }, { "md5", LABEL_OTHER },
	{ "commit", LABEL_OTHER }, { "version", LABEL_OTHER }, { "ver.", LABEL_OTHER }, { "firmware", LABEL_OTHER }, { "build", LABEL_OTHER },
	{ "release", LABEL_OTHER }, { "ticket", LABEL_OTHER }, { "transaction id", LABEL_OTHER }, { "reference", LABEL_OTHER },
	{ "reference number", LABEL_OTHER }, { "ref.", LABEL_OTHER }, { "ref:", LABEL_OTHER }, { "ref no", LABEL_OTHER },
	{ "case number", LABEL_OTHER }, { "case no", LABEL_OTHER }, { "employee id", LABEL_OTHER }, { "customer id", LABEL_OTHER },
	{ "customer number", LABEL_OTHER }, { "item number", LABEL_OTHER }, { "product code", LABEL_OTHER }, { "lot", LABEL_OTHER },
	{ "batch", LABEL_OTHER }, { "amount", LABEL_OTHER }, { "quantity", LABEL_OTHER }, { "price", LABEL_OTHER }, { "total", LABEL_OTHER },
	{ "updated", LABEL_OTHER },
	{ "created", LABEL_OTHER }, { "issued", LABEL_OTHER }, { "expires", LABEL_OTHER }, { "due", LABEL_OTHER },
};

/* Behind a date. */
static const char *const born[] = { "生まれ", "日生", "出生" };

static void set(struct finder *f, const char *text, size_t n, struct literal l)
{
	l.text = text;
	f->lit[f->n_lits] = l;
	f->n[f->n_lits++] = (uint16_t)n;
}

static void add_own(struct finder *f)
{
	for (size_t i = 0; i < ARRAY_SIZE(labels); i++)
		set(f, labels[i].text, strlen(labels[i].text),
		    (struct literal){ .kind = LIT_LABEL, .mask = labels[i].mask, .word = !(labels[i].text[0] & 0x80) });
	for (unsigned i = 0; i < PREFECTURES; i++)
		set(f, prefectures[i].name, strlen(prefectures[i].name), (struct literal){ .kind = LIT_PREFECTURE, .arg = (uint16_t)i });
	for (size_t i = 0; i < ARRAY_SIZE(born); i++)
		set(f, born[i], strlen(born[i]), (struct literal){ .kind = LIT_BEHIND, .mask = BIRTH });
	for (unsigned i = 0; secrets[i].anchor; i++)
		set(f, secrets[i].anchor, strlen(secrets[i].anchor), (struct literal){ .kind = LIT_SECRET, .arg = (uint16_t)i, .exact = true });
}

static int add_extra(struct finder *f, const struct finder_literal *extra, size_t n)
{
	size_t total = 0, at = 0;

	for (size_t i = 0; i < n; i++) {
		if (!extra[i].text.n || extra[i].text.n > 1024 || memchr(extra[i].text.p, 0, extra[i].text.n))
			return -EINVAL;
		total += extra[i].text.n;
	}
	if (buf_reserve(&f->texts, total + 1) < 0)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++) {
		char *out = f->texts.p + at;
		size_t k = fold_bytes(extra[i].text.p, extra[i].text.n, out, NULL);

		set(f, out, k, (struct literal){ .kind = LIT_EXTRA, .arg = extra[i].id, .word = extra[i].word });
		at += k;
	}
	return 0;
}

static int compile(struct finder *f)
{
	_cleanup_free_ const char **text = calloc(f->n_lits, sizeof(*text));
	_cleanup_free_ unsigned *flags = calloc(f->n_lits, sizeof(*flags)), *ids = calloc(f->n_lits, sizeof(*ids));
	_cleanup_free_ size_t *lens = calloc(f->n_lits, sizeof(*lens));
	hs_compile_error_t *error = NULL;

	if (!text || !flags || !ids || !lens)
		return -ENOMEM;
	for (size_t i = 0; i < f->n_lits; i++) {
		text[i] = f->lit[i].text;
		flags[i] = f->lit[i].exact ? 0 : HS_FLAG_CASELESS;
		ids[i] = (unsigned)i;
		lens[i] = f->n[i];
	}
	if (hs_compile_lit_multi(text, flags, ids, lens, (unsigned)f->n_lits, HS_MODE_BLOCK, NULL, &f->db, &error) != HS_SUCCESS) {
		hs_free_compile_error(error);
		return -EINVAL;
	}
	return 0;
}

int literals_compile(struct finder *f, const struct finder_literal *extra, size_t n_extra)
{
	size_t n = ARRAY_SIZE(labels) + ARRAY_SIZE(born) + PREFECTURES + n_extra;
	int r;

	for (unsigned i = 0; secrets[i].anchor; i++)
		n++;
	if (n > UINT16_MAX)
		return -EINVAL;
	f->lit = calloc(n, sizeof(*f->lit));
	f->n = calloc(n, sizeof(*f->n));
	if (!f->lit || !f->n)
		return -ENOMEM;
	add_own(f);
	r = add_extra(f, extra, n_extra);
	return r < 0 ? r : compile(f);
}

/* A letter or digit of a literal's edge must not go on outside it; a label's number may follow at once. */
static bool is_word(const struct finding_scan *s, uint32_t from, uint32_t end, bool label)
{
	if (label && end < s->n && is_digit(s->p[end]))
		return !(from > 0 && is_alnum(s->p[from]) && is_alnum(s->p[from - 1]));
	return !((from > 0 && is_alnum(s->p[from]) && is_alnum(s->p[from - 1])) ||
		 (end < s->n && is_alnum(s->p[end - 1]) && is_alnum(s->p[end])));
}

static int on_literal(unsigned id, unsigned long long from, unsigned long long to, unsigned flags, void *arg)
{
	struct finding_scan *s = arg;
	uint32_t end = (uint32_t)to, begin = end - s->f->n[id];

	if (s->f->lit[id].word && !is_word(s, begin, end, s->f->lit[id].kind == LIT_LABEL))
		return 0;
	return finding_mark(s, begin, end, (uint16_t)id) < 0;
}

int literals_scan(struct finding_scan *s)
{
	hs_error_t r = hs_scan(s->f->db, s->p, s->n, 0, s->scratch, on_literal, s);

	/* Ended by on_literal: without memory that is an error, at the cap the rest of the window goes without labels. */
	return r == HS_SUCCESS || (r == HS_SCAN_TERMINATED && !s->err) ? 0 : s->err ? s->err : -EIO;
}
