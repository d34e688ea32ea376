/* The binary parts of an Excel workbook, in a package that names them: pieces of a part's number, a length of two bytes and so many bytes. */
#include "../unit/extract/members.h"
#include "fuzz_format.h"

extern const struct format format_ooxml, format_text;
const struct format *const formats[] = { &format_ooxml, &format_text, NULL };

#define R "http://schemas.openxmlformats.org/officeDocument/2006/relationships/"
#define REL(id, type, target) "<Relationship Id=\"" id "\" Type=\"" R type "\" Target=\"" target "\"/>"

static const char frame[] =
	"==[Content_Types].xml\n<Types><Override PartName=\"/xl/workbook.bin\" "
	"ContentType=\"application/vnd.ms-excel.sheet.binary.macroEnabled.main\"/></Types>\n"
	"==_rels/.rels\n<Relationships>" REL("r", "officeDocument", "xl/workbook.bin") "</Relationships>\n"
	"==xl/_rels/workbook.bin.rels\n<Relationships>" REL("a", "worksheet", "worksheets/sheet1.bin") REL("b", "worksheet", "worksheets/sheet2.bin")
	REL("s", "sharedStrings", "sharedStrings.bin") REL("t", "styles", "styles.bin") "</Relationships>\n"
	"==xl/worksheets/_rels/sheet1.bin.rels\n<Relationships>" REL("c", "comments", "../comments1.bin")
	"<Relationship Id=\"l\" Type=\"" R "hyperlink\" Target=\"https://example.com/\" TargetMode=\"External\"/></Relationships>\n";

static const char *const parts[] = { "xl/workbook.bin", "xl/sharedStrings.bin", "xl/styles.bin", "xl/worksheets/sheet1.bin", "xl/worksheets/sheet2.bin",
	"xl/comments1.bin" };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	_cleanup_buf_ struct buf text = BUF_INIT, zip = BUF_INIT;

	buf_puts(&text, str_c(frame));
	for (size_t i = 0; i < ARRAY_SIZE(parts); i++) {
		buf_putf(&text, "==%s\n", parts[i]);
		for (size_t at = 0, len; at + 3 <= n; at += 3 + len) {
			len = MIN((size_t)data[at + 1] | (size_t)data[at + 2] << 8, n - at - 3);
			if (data[at] % ARRAY_SIZE(parts) == i)
				buf_put(&text, data + at + 3, len);
		}
		buf_putc(&text, '\n');
	}
	members_pack(buf_str(&text), true, &zip);
	fuzz_format("a.xlsb", (const uint8_t *)zip.p, zip.n);
	return 0;
}
