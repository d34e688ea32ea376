/* What a document says of itself counts where it stands by itself; a sentence that speaks of markings does not. */
#include "doc_case.h"

#include <errno.h>
#include <fcntl.h>

#include "document/label.h"
#include "document/marking.h"

#define P LABEL_PUBLIC
#define I LABEL_INTERNAL
#define C LABEL_CONFIDENTIAL
#define R LABEL_RESTRICTED

static struct labels *labels;
static struct finder *finder;
static struct finding_scan *scan;
static struct buf why;

static void begin(const struct label_config *c)
{
	const struct finder_literal *lit;
	size_t n;

	scan = finding_scan_free(scan);
	finder = finder_free(finder);
	labels = labels_free(labels);
	if (labels_new(c, &labels) != 0)
		fail_msg("%s", label_why_text());
	lit = labels_literals(labels, &n);
	assert_int_equal(finder_new(lit, n, &finder), 0);
	assert_int_equal(finding_scan_new(finder, &scan), 0);
}

static enum event_label decide(uint64_t contacts)
{
	struct hits h;

	buf_clear(&why);
	assert_int_equal(finding_run(scan, &doc, &h), 0);
	return labels_decide(labels, &doc, &h, contacts, &why);
}

static const char filler[] = "The meeting was opened at nine and the figures of the last quarter were presented to all of\nthose who were there.";

/* The marking stands in zone, prose around it. */
static enum event_label in_zone(enum zone zone, const char *text)
{
	doc_begin();
	for (int i = 0; i < 12; i++)
		doc_put(ZONE_BODY, filler);
	doc_put(zone, text);
	for (int i = 0; i < 12; i++)
		doc_put(ZONE_BODY, filler);
	return decide(0);
}

static const struct { const char *text; enum event_label label; } markings[] = {
	{ "CONFIDENTIAL", C }, { "Confidential", C }, { "STRICTLY CONFIDENTIAL", R }, { "Internal Use Only", I }, { "For internal use only", I },
	{ "Company Confidential", C }, { "Private & Confidential", C }, { "Private and Confidential", C }, { "Proprietary and Confidential", C },
	{ "TLP:RED", R }, { "TLP:AMBER", C }, { "TLP:AMBER+STRICT", C }, { "TLP:GREEN", I }, { "TLP:CLEAR", P }, { "TLP: WHITE", P },
	{ "社外秘", C }, { "極秘", R }, { "部外秘", C }, { "取扱注意", I }, { "関係者外秘", C }, { "秘", C }, { "㊙", C }, { "（秘）", C }, { "【社外秘】", C }, { "＜極秘＞", R },
	{ "社 外 秘", C }, { "社　外　秘", C }, { "極　秘", R }, { "Ｃｏｎｆｉｄｅｎｔｉａｌ", C }, { "ＣＯＮＦＩＤＥＮＴＩＡＬ", C }, { "C O N F I D E N T I A L", C },
	{ "S T R I C T L Y  C O N F I D E N T I A L", R }, { "I N T E R N A L   U S E   O N L Y", I }, { "社外秘資料", C }, { "社外秘　無断転載禁止", C },
	{ "*** CONFIDENTIAL ***", C }, { "[Confidential]", C }, { "CONFIDENTIAL – DO NOT DISTRIBUTE", C }, { "Classification: Confidential", C },
	{ "Classification: Public", P }, { "機密区分：極秘", R }, { "取扱区分: 社内限り", I }, { "Sensitivity: Internal", I }, { "RESTRICTED", R }, { "PROPRIETARY", C },
	{ "ＣＯＮＦＩＤＥＮＴＩＡＬ　例商事株式会社   1 / 3", C }, { "CONFIDENTIAL　例商事", C }, { "例商事　ＴＬＰ：ＲＥＤ", R },
	{ "ＳＴＲＩＣＴＬＹ　ＣＯＮＦＩＤＥＮＴＩＡＬ", R }, { "PUBLIC", P }, { "INTERNAL", I },
	{ "Strictly private & confidential", R }, { "Confidential – Page 3 of 10", C },
};

static const char *const mentions[] = {
	"This is not confidential.", "The confidentiality clause applies.", "A confidential matter was discussed.", "Not confidential", "Non-Confidential",
	"社外秘の資料を持ち出してはならない。", "この資料は社外秘ではありません。", "極秘に進められた計画について述べる。", "社外秘情報の取扱いについて", "社外秘文書管理規程",
	"取扱注意の品を送る場合は連絡してください。", "Documents marked CONFIDENTIAL must be locked away.", "Declassified", "unrestricted access",
	"The paper was marked: confidential.", "Public relations plan", "Internal affairs department", "Restricted stock units", "公開鍵暗号", "秘書室", "秘伝のたれ",
	"TLP:RED documents must not be forwarded.", "They call it, well, confidential", "Secret Santa 2024", "Confidentiality", "How to handle confidential papers",
	"□社外秘", "Classification: Public / Internal / Confidential / Restricted", "Is this confidential?", "非公開会社", "機密保持契約書",
};

static void in_every_zone(void **state)
{
	static const enum zone strong[] = { ZONE_HEADER, ZONE_FOOTER, ZONE_WATERMARK };
	static const enum zone every[] = { ZONE_HEADER, ZONE_FOOTER, ZONE_WATERMARK, ZONE_TITLE, ZONE_SHEET, ZONE_BODY, ZONE_COMMENT, ZONE_NOTE, ZONE_DELETED, ZONE_OCR };
	unsigned wrong = 0;

	for (size_t i = 0; i < ARRAY_SIZE(markings); i++)
		for (size_t z = 0; z < ARRAY_SIZE(strong); z++) {
			enum event_label l = in_zone(strong[z], markings[i].text);

			if (l != markings[i].label && ++wrong)
				print_message("%s \"%s\": %d instead of %d (%.*s)\n", zone_name(strong[z]), markings[i].text, l, markings[i].label, STR_ARG(buf_str(&why)));
		}
	for (size_t i = 0; i < ARRAY_SIZE(mentions); i++)
		for (size_t z = 0; z < ARRAY_SIZE(every); z++) {
			enum event_label l = in_zone(every[z], mentions[i]);

			if (l && ++wrong)
				print_message("%s \"%s\": %d (%.*s)\n", zone_name(every[z]), mentions[i], l, STR_ARG(buf_str(&why)));
		}
	assert_int_equal(wrong, 0);
	/* Beside the name of a company, which ends no sentence with the marking's own small words. */
	assert_int_equal(in_zone(ZONE_FOOTER, "北野商事 For internal use only"), I);
	assert_int_equal(in_zone(ZONE_FOOTER, "Northwind Trading For internal use only"), I);
	assert_int_equal(in_zone(ZONE_FOOTER, "The paper is for internal use only"), 0);
}

static void first_and_last_lines(void **state)
{
	unsigned wrong = 0;

	for (size_t i = 0; i < ARRAY_SIZE(markings); i++)
		for (int at = 0; at < 2; at++) {
			enum event_label l;

			doc_begin();
			if (!at)
				doc_put(ZONE_BODY, markings[i].text);
			for (int k = 0; k < 30; k++)
				doc_put(ZONE_BODY, filler);
			if (at)
				doc_put(ZONE_BODY, markings[i].text);
			l = decide(0);
			if (l != markings[i].label && ++wrong)
				print_message("line \"%s\": %d instead of %d (%.*s)\n", markings[i].text, l, markings[i].label, STR_ARG(buf_str(&why)));
		}
	for (size_t i = 0; i < ARRAY_SIZE(mentions); i++) {
		enum event_label l;

		doc_begin();
		doc_put(ZONE_BODY, mentions[i]);
		doc_put(ZONE_BODY, filler);
		l = decide(0);
		if (l && ++wrong)
			print_message("first line \"%s\": %d (%.*s)\n", mentions[i], l, STR_ARG(buf_str(&why)));
	}
	assert_int_equal(wrong, 0);
}

/* A body in one block of lines, at its place among them. */
static enum event_label in_lines(const char *before, const char *text, const char *after)
{
	_cleanup_buf_ struct buf b = BUF_INIT;

	for (int i = 0; i < 30; i++)
		buf_putf(&b, "%s\n", filler);
	buf_putf(&b, "%s%s%s\n", before, text, after);
	for (int i = 0; i < 30; i++)
		buf_putf(&b, "%s\n", filler);
	doc_begin();
	doc_put(ZONE_BODY, buf_cstr(&b));
	return decide(0);
}

static void within_lines(void **state)
{
	static const char prose[] = "It was decided that all of the papers which had been handed out before are to be\n";

	assert_int_equal(in_lines("", "CONFIDENTIAL", "\n\nNext page"), C);
	assert_int_equal(in_lines("", "【社外秘】", ""), C); /* before a long line, but in brackets… */
	assert_int_equal(in_lines(prose, "Confidential", "."), 0);
	assert_int_equal(in_lines(prose, "confidential", "."), 0);
	assert_int_equal(in_lines("資料の取扱いについては、次のとおりとし、会議の参加者に配布された資料はすべて\n", "社外秘", "。"), 0);
	/* A heading of a text about markings. */
	assert_int_equal(in_lines("Three classes\n\n", "Confidential", "\nWhatever would do harm outside, such as prices, belongs here and is locked away."), 0);
	assert_int_equal(in_lines("TLP:RED\nTLP:AMBER\n", "TLP:GREEN", "\nTLP:CLEAR\n"), 0);
	assert_int_equal(in_lines("# ", "Confidential", ""), 0);
}

static void cells_and_properties(void **state)
{
	doc_begin();
	doc_rows("社外秘\n氏名|部署|内線\n山田|営業|12\n佐藤|総務|13");
	assert_int_equal(decide(0), C);
	doc_begin();
	doc_rows("Title|Owner|Classification\nPlan|sales|Confidential\nPrices|sales|Public\nOffer|clerk|Confidential\nOffer|clerk|Internal");
	assert_int_equal(decide(0), 0); /* a register of other documents */
	doc_begin();
	doc_rows("Author|clerk\nClassification|Internal\nVersion|3");
	assert_int_equal(decide(0), I);
	assert_str(buf_str(&why), "a table cell behind its key says internal");
	doc_begin();
	doc_rows("a|b\nc|d\ne|f\ng|h\ni|j\nk|l\n機密区分：極秘|m");
	assert_int_equal(decide(0), R);
	doc_begin();
	doc_rows("Prices\nOne line of text\nAnother\nA third\nA fourth\nINTERNAL USE ONLY\nThe last line of text\nAn end");
	assert_int_equal(decide(0), I);

	static const struct { const char *key, *value; enum event_label label; } metas[] = {
		{ "title", "【社外秘】2024年度予算", C }, { "title", "CONFIDENTIAL: merger", C }, { "title", "Confidentiality policy", 0 }, { "title", "Public transport", 0 },
		{ "subject", "[Confidential] offer", C }, { "subject", "Re: Confidential: offer", C }, { "keywords", "budget, confidential, 2024", C },
		{ "keywords", "public, transport", 0 }, { "category", "社外秘", C }, { "custom:Classification", "Internal", I }, { "custom:機密区分", "秘", C },
		{ "custom:Owner", "Internal", 0 }, { "custom:Note", "Confidential", C }, { "header:sensitivity", "Company-Confidential", C }, { "author", "Confidential", 0 },
		{ "title", "社外秘の取扱い", 0 }, { "header:x-classification", "restricted", R }, { "title", "極秘_顧客一覧", R },
		{ "title", "TLP:AMBER", C }, { "title", "TLP:CLEAR", P }, { "subject", "TLP:AMBER", C }, { "title", "TOP SECRET", R }, { "subject", "TOP SECRET", R },
		{ "title", "For internal use only", I }, { "subject", "For internal use only", I }, { "title", "[TLP:CLEAR] Report of the depot", P },
		{ "title", "What TLP:RED means", 0 },
		/* A title behind its marking, without a bar… */
		{ "title", "TLP:AMBER Report of the depot", C }, { "title", "TLP:CLEAR Supplier terms", P },
		{ "subject", "COMPANY CONFIDENTIAL Merger options", C },
		{ "title", "TOP SECRET Price list 2026", R }, { "title", "For internal use only Supplier terms", I },
		{ "title", "TLP:AMBER 四半期見通し", C }, { "title", "CONFIDENTIAL 価格表 2026", C },
		{ "title", "STRICTLY CONFIDENTIAL HR plan", R }, { "title", "CONFIDENTIAL　価格表", C },
		{ "title", "Strictly confidential Merger options", R },
		{ "title", "Confidential Price list 2026", C }, { "title", "Confidential Client migration plan", C },
		{ "title", "Confidential 四半期見通し", C }, { "title", "秘", C },
		/* …and titles that only begin with the words of one. */
		{ "title", "TLP:RED means that nothing is passed on", 0 }, { "title", "TLP:RED Explained", 0 },
		{ "title", "CONFIDENTIAL Information Policy", 0 },
		{ "title", "Confidential papers and their handling", 0 }, { "title", "Confidential Papers", 0 },
		{ "title", "Confidential Papers in the Office", 0 }, { "title", "Confidential Labels explained", 0 }, { "title", "CONFIDENTIAL PAPERS", 0 },
		{ "title", "TOP SECRET RECIPES", 0 }, { "title", "For internal use only is what it says", 0 }, { "title", "SECRET Garden", 0 },
		{ "title", "INTERNAL Affairs", 0 },
		{ "title", "CONFIDENTIAL 文書取扱規程", 0 }, { "title", "CONFIDENTIAL の印", 0 },
		{ "title", "Confidential 文書取扱規程", 0 }, { "title", "秘 書", 0 }, { "title", "Our TOP SECRET Recipes", 0 },
	};
	for (size_t i = 0; i < ARRAY_SIZE(metas); i++) {
		enum event_label l;

		doc_begin();
		doc_meta(metas[i].key, metas[i].value);
		l = decide(0);
		if (l != metas[i].label)
			fail_msg("%s = \"%s\": %d instead of %d", metas[i].key, metas[i].value, l, metas[i].label);
	}
}

static void highest_wins(void **state)
{
	doc_begin();
	doc_put(ZONE_HEADER, "Internal use only");
	doc_put(ZONE_FOOTER, "極秘");
	doc_put(ZONE_FOOTER, "極秘");
	doc_put(ZONE_BODY, "Confidential");
	assert_int_equal(decide(0), R);
	assert_str(buf_str(&why), "header says internal use only\nfooter says 極秘\na line of its own says confidential");
	doc_begin();
	doc_put(ZONE_HEADER, "Example Trading Corp Confidential");
	assert_int_equal(decide(0), C);
	doc_begin();
	doc_put(ZONE_HEADER, "© 2024 Example Inc. Confidential | Page 3");
	assert_int_equal(decide(0), C);
	doc_begin();
	assert_int_equal(decide(0), 0);
	assert_int_equal(why.n, 0);
}

static void microsoft_labels(void **state)
{
	static const struct label_config c = { .ms = { { "aaaaaaaa-0000-0000-0000-000000000001", C, "Staff only" }, { "aaaaaaaa-0000-0000-0000-000000000002", P, "" } }, .n_ms = 2 };

	begin(&c);
	doc_begin();
	doc_label("aaaaaaaa-0000-0000-0000-000000000001", "x", true, 1);
	assert_int_equal(decide(0), C);
	assert_str(buf_str(&why), "Microsoft label Staff only, aaaaaaaa-0000-0000-0000-000000000001 in docMetadata/LabelInfo.xml");
	/* What LabelInfo.xml took away does not come back from older properties. */
	doc_begin();
	doc_label("aaaaaaaa-0000-0000-0000-000000000001", "x", false, 1);
	doc_label("aaaaaaaa-0000-0000-0000-000000000001", "x", true, 2);
	assert_int_equal(decide(0), 0);
	assert_int_equal(why.n, 0);
	doc_begin();
	doc_label("bbbbbbbb-0000-0000-0000-000000000001", "Secret", true, 4);
	assert_int_equal(decide(0), 0);
	assert_str(buf_str(&why), "Microsoft label bbbbbbbb-0000-0000-0000-000000000001 Secret in mail header is not in the configuration");
	doc_begin();
	doc_label("aaaaaaaa-0000-0000-0000-000000000002", "x", true, 3);
	assert_int_equal(decide(0), P);
	begin(&(struct label_config){ 0 });
}

static void by_contacts(void **state)
{
	begin(&(struct label_config){ .contacts_confidential = 100 });
	doc_begin();
	assert_int_equal(decide(99), 0);
	assert_int_equal(decide(100), C);
	assert_str(buf_str(&why), "holds contact details of 100 persons; label.contacts is 100");
	begin(&(struct label_config){ 0 });
}

static void own_markings(void **state)
{
	char file[] = "/tmp/tyto-markings.XXXXXX";
	static const char text[] = "# ours\nrestricted\tBoard Eyes\r\ninternal\t社外秘\npublic\tシャガイ ヒ\n";
	static const struct { const char *text, *want; } bad[] = {
		{ "confidential Board\n", "line 1: expected LABEL<TAB>MARKING" }, { "\n#\nsecret\tBoard\n", "line 3: expected LABEL" }, { "public\t---\n", "line 1: expected a marking of 1 to" },
		{ "public\t\xff\n", "line 1: expected a marking" },
	};
	int fd = mkstemp(file);
	struct labels *l = NULL;

	assert_int_equal(write(fd, text, sizeof(text) - 1), sizeof(text) - 1);
	begin(&(struct label_config){ .file = file });
	assert_int_equal(in_zone(ZONE_FOOTER, "Board Eyes"), R);
	assert_str(buf_str(&why), "footer says Board Eyes");
	assert_int_equal(in_zone(ZONE_FOOTER, "社外秘"), I);
	assert_int_equal(in_zone(ZONE_FOOTER, "confidential"), C);
	assert_int_equal(in_lines("", "B O A R D E Y E S", ""), R);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		assert_int_equal(ftruncate(fd, 0), 0);
		assert_int_equal(pwrite(fd, bad[i].text, strlen(bad[i].text), 0), strlen(bad[i].text));
		assert_int_equal(labels_new(&(struct label_config){ .file = file }, &l), -EBADMSG);
		if (!strstr(label_why_text(), bad[i].want) || !strstr(label_why_text(), file))
			fail_msg("\"%s\", expected \"%s\"", label_why_text(), bad[i].want);
	}
	unlink(file);
	close(fd);
	assert_int_equal(labels_new(&(struct label_config){ .file = file }, &l), -ENOENT);
	begin(&(struct label_config){ 0 });
}

static int setup(void **state)
{
	begin(&(struct label_config){ 0 });
	return 0;
}

static int teardown(void **state)
{
	finding_scan_free(scan);
	finder_free(finder);
	labels_free(labels);
	buf_free(&why);
	doc_free();
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(in_every_zone), cmocka_unit_test(first_and_last_lines), cmocka_unit_test(within_lines), cmocka_unit_test(cells_and_properties),
		cmocka_unit_test(highest_wins), cmocka_unit_test(microsoft_labels), cmocka_unit_test(by_contacts), cmocka_unit_test(own_markings),
	};
	return cmocka_run_group_tests(tests, setup, teardown);
}
