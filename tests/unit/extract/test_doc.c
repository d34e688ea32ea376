/* Word documents, written byte by byte. */
#include "fixture.h"
#include "ole_make.h"

#define TEXT_AT 0x800 /* where text begins, behind the head */
#define KANJI "\xe6\xa9\x9f\xe5\xaf\x86"
#define GUID "01234567-89ab-cdef-0123-456789abcdef"

struct piece {
	const char *text; /* UTF-8 for wide ones, bytes for narrow ones */
	bool narrow;
};

struct doc {
	struct buf document, table;
	uint32_t fc[16]; /* where the i-th piece stands */
	size_t n[16];
	size_t n_pieces;
	uint32_t total;
};

static void set_table(struct doc *d, size_t i, size_t at)
{
	set_le32(&d->document, 0x9a + 8 * i, (uint32_t)at);
	set_le32(&d->document, 0x9e + 8 * i, (uint32_t)(d->table.n - at));
}

/* Head and text; pieces stand in the file in the opposite order. */
static void doc_begin(struct doc *d, const struct piece *p)
{
	*d = (struct doc){ 0 };
	pad_to(&d->document, TEXT_AT);
	set_le16(&d->document, 0, 0xa5ec);
	set_le16(&d->document, 2, 0xc1);
	set_le16(&d->document, 6, 0x0409);
	set_le16(&d->document, 0x0a, 0x1200); /* 1Table, Unicode */
	for (d->n_pieces = 0; p[d->n_pieces].text; d->n_pieces++)
		;
	for (size_t i = d->n_pieces; i--;) {
		if (d->document.n % 2)
			buf_putc(&d->document, '\0');
		d->fc[i] = (uint32_t)d->document.n;
		d->n[i] = strlen(p[i].text);
		if (p[i].narrow)
			buf_put(&d->document, p[i].text, d->n[i]);
		else
			d->n[i] = put_utf16(&d->document, p[i].text);
		d->total += (uint32_t)d->n[i];
	}
	set_le32(&d->document, 0x18, TEXT_AT);
	set_le32(&d->document, 0x1c, (uint32_t)d->document.n);
	set_le32(&d->document, 0x4c, d->total);
}

static void doc_pieces(struct doc *d, const struct piece *p)
{
	size_t at = d->table.n;
	uint32_t cp = 0;

	buf_putc(&d->table, 1); /* formatting before the table of pieces */
	put_le16(&d->table, 3);
	buf_puts(&d->table, STR("abc"));
	buf_putc(&d->table, 2);
	put_le32(&d->table, (uint32_t)(4 + 12 * d->n_pieces));
	for (size_t i = 0; i < d->n_pieces; i++) {
		put_le32(&d->table, cp);
		cp += (uint32_t)d->n[i];
	}
	put_le32(&d->table, cp);
	for (size_t i = 0; i < d->n_pieces; i++) {
		put_le16(&d->table, 0);
		put_le32(&d->table, p[i].narrow ? d->fc[i] * 2 | 0x40000000 : d->fc[i]);
		put_le16(&d->table, 0);
	}
	set_table(d, 33, at);
}

/* One page of formatting for runs that end at to[i]; properties NULL for none. kind 12: characters, 13: paragraphs. */
static void doc_page(struct doc *d, size_t kind, uint32_t from, const uint32_t *to, const str *properties, size_t n)
{
	size_t entry = kind == 13 ? 13 : 1, at = d->table.n, page, free = 510;

	pad_to(&d->document, (d->document.n + 511) / 512 * 512);
	page = d->document.n;
	pad_to(&d->document, page + 512);
	set_le32(&d->document, page, from);
	for (size_t i = 0; i < n; i++) {
		set_le32(&d->document, page + 4 * (i + 1), to[i]);
		if (!properties[i].n)
			continue;
		free = (free - properties[i].n - 5) & ~1ul;
		d->document.p[page + 4 * (n + 1) + entry * i] = (char)(free / 2);
		if (kind == 13) { /* half of what follows (a zero before it, if that is even), a style, the properties */
			size_t all = properties[i].n + 2, even = all % 2 == 0;

			d->document.p[page + free + even] = (char)((all + 1) / 2);
			memcpy(d->document.p + page + free + even + 3, properties[i].p, properties[i].n);
		} else {
			d->document.p[page + free] = (char)properties[i].n;
			memcpy(d->document.p + page + free + 1, properties[i].p, properties[i].n);
		}
	}
	d->document.p[page + 511] = (char)n;
	put_le32(&d->table, from);
	put_le32(&d->table, to[n - 1]);
	put_le32(&d->table, (uint32_t)(page / 512));
	set_table(d, kind, at);
}

static const char *doc_end(struct doc *d, const struct ole_stream *more)
{
	_cleanup_buf_ struct buf ole = BUF_INIT;
	struct ole_stream s[8] = { { "WordDocument", buf_str(&d->document) }, { "1Table", buf_str(&d->table) } };
	const char *dumped;

	for (size_t i = 2; more && more->path; i++, more++)
		s[i] = *more;
	make_ole(&ole, s);
	dumped = dump("a.doc", buf_str(&ole));
	buf_free(&d->document);
	buf_free(&d->table);
	return dumped;
}

static void test_pieces(void **state)
{
	static const struct piece p[] = { { "Plain caf\xe9, \x93quoted\x94\rSecond ", true }, { KANJI " \xf0\x9f\xa6\x89\x0bline\x1e" "two\r", false }, { "end\x07\r", true }, { 0 } };
	struct doc d;
	const char *out;

	doc_begin(&d, p);
	doc_pieces(&d, p);
	out = doc_end(&d, NULL);
	assert_has(out, "part \"\" application/msword");
	assert_has(out, " body 1: Plain caf\xc3\xa9, \xe2\x80\x9cquoted\xe2\x80\x9d\n");
	assert_has(out, " body 2: Second " KANJI " \xf0\x9f\xa6\x89\nline-two\n");
	assert_has(out, ": end\n");
	assert_has_not(out, "error");
}

static void test_parts(void **state)
{
	static const struct piece p[] = { { "Body.\r", true }, { "Foot.\r", true }, { "\003\rEven\rOdd\rFootE\rFootO\rFirst\rFootF\r\r", true }, { "Remark\r", true },
		{ "Endnote\r", true }, { "Box\r", true }, { 0 } };
	static const uint32_t stories[] = { 0, 2, 2, 2, 2, 2, 2, 7, 11, 17, 23, 29, 35, 36 };
	struct doc d;
	const char *out;
	size_t at;

	doc_begin(&d, p);
	doc_pieces(&d, p);
	set_le32(&d.document, 0x4c, 6);
	set_le32(&d.document, 0x50, 6);
	set_le32(&d.document, 0x54, (uint32_t)d.n[2]);
	set_le32(&d.document, 0x5c, 7);
	set_le32(&d.document, 0x60, 8);
	set_le32(&d.document, 0x64, 4);
	at = d.table.n;
	for (size_t i = 0; i < ARRAY_SIZE(stories); i++)
		put_le32(&d.table, stories[i]);
	set_table(&d, 11, at);
	out = doc_end(&d, NULL);
	assert_has(out, " body 1: Body.\n note 2: Foot.\n header 3: Even\n header 4: Odd\n footer 5: FootE\n footer 6: FootO\n header 7: First\n footer 8: FootF\n");
	assert_has(out, " comment 9: Remark\n note 10: Endnote\n body 11: Box\n");
}

static void test_fields(void **state)
{
	static const struct piece p[] = {
		{ "See \x13 HYPERLINK \"mailto:a@x.example\" \\o \"tip\" \x01\x14the clerk\x15 and \x13 IF \x13 PAGE \x14" "7\x15 = 7 \x14yes\x15.\r", true }, { "\x13 EQ \\o\\ad(\\s\\up 9(\xe3\x81\x8d),", false },
		{ KANJI ")\x15\r", false }, { 0 } };
	struct doc d;
	const char *out;

	doc_begin(&d, p);
	doc_pieces(&d, p);
	out = doc_end(&d, NULL);
	assert_has(out, " body 1: See the clerk and yes.\n");
	assert_has(out, " body 2: " KANJI "\n");
	assert_has(out, " link 3: mailto:a@x.example\n");
	assert_has_not(out, "tip");
}

static void test_table(void **state)
{
	static const struct piece p[] = { { "Before\rName\x07Mail\x07\x07" "A\rB\x07\x07\x07" "After\r", true }, { 0 } };
	static const str in_table = STR("\x16\x24\x01"), row_end = STR("\x16\x24\x01\x17\x24\x01");
	const char *out;
	struct doc d;

	for (int with = 0; with < 2; with++) {
		doc_begin(&d, p);
		doc_pieces(&d, p);
		if (with) {
			uint32_t f = d.fc[0], to[] = { f + 7, f + 12, f + 17, f + 18, f + 20, f + 22, f + 23, f + 24, f + 30 };
			str props[] = { STR_NONE, in_table, in_table, row_end, in_table, in_table, in_table, row_end, STR_NONE };

			doc_page(&d, 13, f, to, props, ARRAY_SIZE(to));
		}
		out = doc_end(&d, NULL);
		assert_has(out, " body 1: Before\n cell t1 r1 c1: Name\n cell t1 r1 c2: Mail\n");
		if (with)
			assert_has(out, " cell t1 r2 c1: A\nB\n body 5: After\n");
	}
}

static void test_hidden(void **state)
{
	static const struct piece p[] = { { "Shown secret gone.\r", true }, { 0 } };
	static const str vanish = STR("\x3c\x08\x01"), removed = STR("\x00\x08\x01");
	const char *out;
	struct doc d;
	uint32_t f;

	doc_begin(&d, p);
	doc_pieces(&d, p);
	f = d.fc[0];
	doc_page(&d, 12, f, (uint32_t[]){ f + 6, f + 12, f + 13, f + 17, f + 19 }, (str[]){ STR_NONE, vanish, STR_NONE, removed, STR_NONE }, 5);
	out = doc_end(&d, NULL);
	assert_has(out, " body 1: Shown \n hidden body 1: secret\n body 1:  \n deleted 1: gone\n body 1: .\n");
}

static void test_damaged(void **state)
{
	static const struct piece p[] = { { "All of this is there.\r", true }, { "Lost\r", true }, { 0 } };
	const char *out;
	struct doc d;

	/* A piece beyond the end. */
	doc_begin(&d, p);
	d.fc[1] = 0x100000;
	doc_pieces(&d, p);
	out = doc_end(&d, NULL);
	assert_has(out, " body 1: All of this is there.\n");
	assert_has(out, " error: corrupt (text that lies beyond the end)\n");
	/* No table of pieces. */
	doc_begin(&d, p);
	out = doc_end(&d, NULL);
	assert_has(out, "All of this is there.\n");
	assert_has(out, " error: corrupt (the table of pieces is lost)\n");
	/* A password. */
	doc_begin(&d, p);
	doc_pieces(&d, p);
	set_le16(&d.document, 0x0a, 0x1300);
	out = doc_end(&d, NULL);
	assert_has(out, " error: encrypted (a password is needed)\n");
	assert_has_not(out, "All of this");
	/* Something else under that name. */
	doc_begin(&d, p);
	set_le16(&d.document, 0, 0);
	assert_has(doc_end(&d, NULL), " error: corrupt (no Word document)\n");
}

/* Pieces that all point at the same text would unpack without end. */
static void test_overlap(void **state)
{
	static struct piece p[] = { { "0123456789abcdef", true }, { 0 } };
	const char *out;
	struct doc d;
	size_t at;

	doc_begin(&d, p);
	at = d.table.n;
	buf_putc(&d.table, 2);
	put_le32(&d.table, 4 + 12 * 50000);
	for (uint32_t i = 0; i <= 50000; i++)
		put_le32(&d.table, i * 1000);
	for (uint32_t i = 0; i < 50000; i++) {
		put_le16(&d.table, 0);
		put_le32(&d.table, d.fc[0] * 2 | 0x40000000);
		put_le16(&d.table, 0);
	}
	set_table(&d, 33, at);
	out = doc_end(&d, NULL);
	assert_has(out, " error: corrupt");
	assert_true(strlen(out) < 10000);
}

static void test_word6(void **state)
{
	static const struct {
		uint16_t language;
		const char *text, *want;
	} t[] = {
		{ 0x0411, "\x8b\x40\x96\xa7 one\rtwo\r", " body 1: " KANJI " one\n body 2: two\n" },
		{ 0x0419, "\xcf\xf0\xe8\xe2\xe5\xf2\r", " body 1: \xd0\x9f\xd1\x80\xd0\xb8\xd0\xb2\xd0\xb5\xd1\x82\n" },
		{ 0x0409, "caf\xe9\r", " body 1: caf\xc3\xa9\n" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(t); i++) {
		struct piece p[] = { { t[i].text, true }, { 0 } };
		struct doc d;

		doc_begin(&d, p);
		memset(d.document.p + 0x34, 0, 0x400);
		set_le16(&d.document, 0, 0xa5dc);
		set_le16(&d.document, 2, 0x65);
		set_le16(&d.document, 6, t[i].language);
		set_le16(&d.document, 0x0a, 0);
		set_le32(&d.document, 0x34, d.total);
		assert_has(doc_end(&d, NULL), t[i].want);
	}
}

/* One property set: number, kind, bytes of the value. */
static void put_property(struct buf *head, struct buf *values, uint32_t id, uint32_t kind, str value)
{
	put_le32(head, id);
	put_le32(head, 0); /* set by put_section */
	put_le32(values, kind);
	if (kind == 30)
		put_le32(values, (uint32_t)value.n);
	buf_puts(values, value);
	while (values->n % 4)
		buf_putc(values, '\0');
}

static void put_header(struct buf *b, uint32_t sections, const uint32_t *offsets)
{
	put_le16(b, 0xfffe);
	put_le16(b, 0);
	pad_to(b, 24);
	put_le32(b, sections);
	for (uint32_t i = 0; i < sections; i++) {
		pad_to(b, b->n + 16);
		put_le32(b, offsets[i]);
	}
}

static void test_properties(void **state)
{
	static const struct piece p[] = { { "x\r", true }, { 0 } };
	_cleanup_buf_ struct buf summary = BUF_INIT, document = BUF_INIT;
	const char *out;
	struct doc d;

	/* Code page 932, a title, a time. */
	put_header(&summary, 1, (uint32_t[]){ 48 });
	put_le32(&summary, 0);
	put_le32(&summary, 3);
	for (uint32_t i = 0; i < 3; i++) {
		put_le32(&summary, (uint32_t[]){ 1, 2, 12 }[i]);
		put_le32(&summary, (uint32_t[]){ 32, 40, 56 }[i]);
	}
	put_le32(&summary, 2);
	put_le32(&summary, 932);
	put_le32(&summary, 30);
	put_le32(&summary, 5);
	buf_puts(&summary, STR("\x8b\x40\x96\xa7\0\0\0\0"));
	put_le32(&summary, 64);
	put_le64(&summary, 133000000000000000);
	/* Custom properties behind an empty first section: a dictionary of four names. */
	put_header(&document, 2, (uint32_t[]){ 68, 76 });
	put_le32(&document, 8);
	put_le32(&document, 0);
	{
		_cleanup_buf_ struct buf head = BUF_INIT, values = BUF_INIT, dict = BUF_INIT;
		static const char *const names[] = { "MSIP_Label_" GUID "_Enabled", "MSIP_Label_" GUID "_Name", "Project" };
		size_t first = 8 + 8 * 5;

		put_le32(&dict, 3);
		for (uint32_t i = 0; i < 3; i++) {
			put_le32(&dict, i + 2);
			put_le32(&dict, (uint32_t)strlen(names[i]) + 1);
			buf_put(&dict, names[i], strlen(names[i]) + 1);
		}
		pad_to(&dict, (dict.n + 3) / 4 * 4);
		put_property(&head, &values, 1, 2, STR("\xe4\x04\0\0"));
		for (uint32_t i = 0; i < 3; i++) {
			size_t at = values.n;

			put_property(&head, &values, i + 2, 30, i == 0 ? STR("true\0") : i == 1 ? STR("Secret\0") : STR("Owl\0"));
			set_le32(&head, 8 * (i + 1) + 4, (uint32_t)(first + dict.n + at));
		}
		set_le32(&head, 4, (uint32_t)(first + dict.n));
		put_le32(&document, 0);
		put_le32(&document, 5);
		put_le32(&document, 0);
		put_le32(&document, (uint32_t)first);
		buf_puts(&document, buf_str(&head));
		buf_puts(&document, buf_str(&dict));
		buf_puts(&document, buf_str(&values));
	}
	doc_begin(&d, p);
	doc_pieces(&d, p);
	out = doc_end(&d, (struct ole_stream[]){ { "\5SummaryInformation", buf_str(&summary) }, { "\5DocumentSummaryInformation", buf_str(&document) }, { 0 } });
	assert_has(out, " meta title: " KANJI "\n");
	assert_has(out, " meta created: 2022-06-18T04:26:40Z\n");
	assert_has(out, " meta custom:Project: Owl\n");
	assert_has(out, " label 2 on " GUID " Secret\n");
}

static void test_embedded(void **state)
{
	static const struct piece p[] = { { "Outer\r", true }, { 0 } };
	static const char file[] = "name,mail\r\nA,a@x.example\r\n";
	_cleanup_buf_ struct buf native = BUF_INIT;
	const char *out;
	struct doc d, inner;

	put_le32(&native, 0);
	put_le16(&native, 2);
	buf_puts(&native, STR("list.csv\0C:\\tmp\\list.csv\0"));
	put_le32(&native, 0x30000);
	put_le32(&native, 4);
	buf_puts(&native, STR("C:\\\0"));
	put_le32(&native, sizeof(file) - 1);
	buf_put(&native, file, sizeof(file) - 1);
	doc_begin(&inner, p);
	doc_pieces(&inner, p);
	doc_begin(&d, p);
	doc_pieces(&d, p);
	out = doc_end(&d, (struct ole_stream[]){ { "ObjectPool/_1/\1Ole10Native", buf_str(&native) }, { "ObjectPool/_2/WordDocument", buf_str(&inner.document) },
		{ "ObjectPool/_2/1Table", buf_str(&inner.table) }, { 0 } });
	assert_has(out, "part \"list.csv\" text/csv");
	assert_has(out, " cell t1 r2 c2: a@x.example\n");
	assert_has(out, "part \"_2\" application/msword");
	buf_free(&inner.document);
	buf_free(&inner.table);
}

static void test_watermark(void **state)
{
	static const struct piece p[] = { { "Text\r", true }, { 0 } };
	_cleanup_buf_ struct buf fopt = BUF_INIT, word = BUF_INIT;
	const char *out;
	struct doc d;
	size_t at;

	put_utf16(&word, "CONFIDENTIAL");
	put_le16(&word, 0);
	put_le16(&fopt, 0x13); /* one property */
	put_le16(&fopt, 0xf00b);
	put_le32(&fopt, (uint32_t)(6 + word.n));
	put_le16(&fopt, 0xc0c0);
	put_le32(&fopt, (uint32_t)word.n);
	buf_puts(&fopt, buf_str(&word));
	doc_begin(&d, p);
	doc_pieces(&d, p);
	at = d.table.n;
	buf_putc(&d.table, 0); /* which drawing */
	for (uint32_t i = 0; i < 2; i++) { /* containers */
		put_le16(&d.table, 0x0f);
		put_le16(&d.table, 0xf002 + i);
		put_le32(&d.table, (uint32_t)(fopt.n + 8 * (1 - i)));
	}
	buf_puts(&d.table, buf_str(&fopt));
	set_table(&d, 50, at);
	out = doc_end(&d, NULL);
	assert_has(out, " watermark 2: CONFIDENTIAL\n");
}

/* The container's own: encrypted packages, other kinds, names in another case, a file that ends early. */
static void test_container(void **state)
{
	static const struct piece p[] = { { "Lower case\r", true }, { 0 } };
	_cleanup_buf_ struct buf ole = BUF_INIT;
	const char *out;
	struct doc d;

	make_ole(&ole, (struct ole_stream[]){ { "EncryptedPackage", STR("12345678") }, { "EncryptionInfo", STR("\4\0\4\0") }, { 0 } });
	assert_has(dump("a.docx", buf_str(&ole)), " error: encrypted (a password or a licence is needed)\n");
	buf_clear(&ole);
	make_ole(&ole, (struct ole_stream[]){ { "Something", STR("12345678") }, { 0 } });
	assert_has(dump("a", buf_str(&ole)), " error: unreadable: an OLE2 file of another kind");
	buf_clear(&ole);
	make_ole(&ole, (struct ole_stream[]){ { "CONTENTS", STR("plain words in an object of its own") }, { 0 } });
	assert_has(dump("a.bin", buf_str(&ole)), " body 1: plain words in an object of its own\n");
	buf_clear(&ole);
	make_ole(&ole, (struct ole_stream[]){ { "Something", STR("12345678") }, { 0 } });
	assert_has(dump("a", ((str){ ole.p, 600 })), " error: corrupt");
	buf_clear(&ole);
	doc_begin(&d, p);
	doc_pieces(&d, p);
	make_ole(&ole, (struct ole_stream[]){ { "WORDDOCUMENT", buf_str(&d.document) }, { "1TABLE", buf_str(&d.table) }, { 0 } });
	out = dump("a.doc", buf_str(&ole));
	assert_has(out, " body 1: Lower case\n");
	buf_free(&d.document);
	buf_free(&d.table);
}

/* A copy that broke off: the directory stands at the end, the text before it. */
static void test_salvage(void **state)
{
	_cleanup_buf_ struct buf ole = BUF_INIT, long_text = BUF_INIT;
	struct piece p[] = { { 0 }, { 0 } };
	const char *out;
	struct doc d;

	for (int i = 0; i < 400; i++)
		buf_putf(&long_text, "Paragraph %d of many.\r", i);
	p[0] = (struct piece){ buf_cstr(&long_text), true };
	doc_begin(&d, p);
	doc_pieces(&d, p);
	make_ole(&ole, (struct ole_stream[]){ { "WordDocument", buf_str(&d.document) }, { "1Table", buf_str(&d.table) }, { 0 } });
	assert_has_not(dump("a.doc", buf_str(&ole)), "error");
	out = dump("a.doc", (str){ ole.p, 8192 });
	assert_has(out, "part \"\" application/msword");
	assert_has(out, ": Paragraph 150 of many.\n");
	assert_has(out, " error: corrupt (truncated)\n");
	buf_free(&d.document);
	buf_free(&d.table);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(test_pieces), cmocka_unit_test(test_parts), cmocka_unit_test(test_fields), cmocka_unit_test(test_table), cmocka_unit_test(test_hidden),
	cmocka_unit_test(test_damaged), cmocka_unit_test(test_overlap), cmocka_unit_test(test_word6), cmocka_unit_test(test_properties),
	cmocka_unit_test(test_embedded), cmocka_unit_test(test_watermark), cmocka_unit_test(test_container), cmocka_unit_test(test_salvage),
};
EXTRACT_TEST_MAIN(tests)
