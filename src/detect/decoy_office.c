/* Documents that are ZIP files: their parts here, the container by libarchive, which is loaded only when a decoy is made. */
#include <archive.h>
#include <archive_entry.h>
#include <dlfcn.h>
#include <errno.h>
#include <time.h>

#include "detect/decoy_make.h"

#define LIBRARY "libarchive.so.13"
#define FUNCTIONS(f) \
	f(archive_write_new) f(archive_write_set_format_zip) f(archive_write_zip_set_compression_deflate) \
		f(archive_write_zip_set_compression_store) \
	f(archive_write_open) f(archive_write_header) f(archive_write_data) f(archive_write_close) f(archive_write_free) f(archive_entry_new) \
	f(archive_entry_free) f(archive_entry_set_pathname) f(archive_entry_set_size) f(archive_entry_set_filetype) f(archive_entry_set_perm) \
	f(archive_entry_set_mtime) f(archive_write_set_bytes_per_block) f(archive_write_set_bytes_in_last_block)
#define FIELD(name) __typeof__(name) *name;
static struct {
	FUNCTIONS(FIELD)
} lib;

static int load(void)
{
	void *so = lib.archive_write_new ? NULL : dlopen(LIBRARY, RTLD_NOW | RTLD_LOCAL);

	if (lib.archive_write_new)
		return 0;
	if (!so)
		return -ENOENT;
#define FIND(name) \
	*(void **)&lib.name = dlsym(so, #name); \
	if (!lib.name) \
		return -ENOENT;
	FUNCTIONS(FIND)
	return 0;
}

struct part {
	const char *name;
	str bytes;
	bool store;
};

static la_ssize_t take(struct archive *a, void *arg, const void *p, size_t n)
{
	struct buf *b = arg;

	buf_put(b, p, n);
	return buf_error(b) ? -1 : (la_ssize_t)n;
}

static int put_part(struct archive *a, const struct part *p, int64_t modified)
{
	struct archive_entry *e = lib.archive_entry_new();
	int r = 0;

	if (!e)
		return -ENOMEM;
	lib.archive_entry_set_pathname(e, p->name);
	lib.archive_entry_set_size(e, (la_int64_t)p->bytes.n);
	lib.archive_entry_set_filetype(e, AE_IFREG);
	lib.archive_entry_set_perm(e, 0644);
	lib.archive_entry_set_mtime(e, (time_t)(modified / NSEC_PER_SEC), 0);
	if ((p->store ? lib.archive_write_zip_set_compression_store(a) : lib.archive_write_zip_set_compression_deflate(a)) != ARCHIVE_OK ||
		lib.archive_write_header(a, e) != ARCHIVE_OK || lib.archive_write_data(a, p->bytes.p, p->bytes.n) != (la_ssize_t)p->bytes.n)
		r = -EIO;
	lib.archive_entry_free(e);
	return r;
}

static int pack(const struct part *parts, size_t n, int64_t modified, struct buf *ret)
{
	struct archive *a;
	int r = load();

	if (r < 0)
		return r;
	a = lib.archive_write_new();
	if (!a)
		return -ENOMEM;
	if (lib.archive_write_set_format_zip(a) != ARCHIVE_OK || lib.archive_write_set_bytes_per_block(a, 0) != ARCHIVE_OK ||
		lib.archive_write_set_bytes_in_last_block(a, 1) != ARCHIVE_OK || lib.archive_write_open(a, ret, NULL, take, NULL) != ARCHIVE_OK)
		r = -EIO;
	for (size_t i = 0; i < n && r == 0; i++)
		r = put_part(a, &parts[i], modified);
	if (r == 0 && lib.archive_write_close(a) != ARCHIVE_OK)
		r = -EIO;
	lib.archive_write_free(a);
	return r < 0 ? r : buf_error(ret);
}

/* --- parts --- */

#define XML "<?xml version=\"1.0\" encoding=\"UTF-8\" standalone=\"yes\"?>\n"
#define OOXML "http://schemas.openxmlformats.org/"
#define RELATION(id, kind, target) \
	"<Relationship Id=\"" id "\" Type=\"" OOXML "officeDocument/2006/relationships/" kind "\" Target=\"" target "\"/>"
#define CORE_RELATION \
	"<Relationship Id=\"rId9\" Type=\"" OOXML "package/2006/relationships/metadata/core-properties\" Target=\"docProps/core.xml\"/>"
#define TYPES(more) \
	XML "<Types xmlns=\"" OOXML "package/2006/content-types\"><Default Extension=\"rels\" " \
		"ContentType=\"application/vnd.openxmlformats-package" \
	    ".relationships+xml\"/><Default Extension=\"xml\" ContentType=\"application/xml\"/><Default Extension=\"png\" " \
		"ContentType=\"image/png\"/>" more \
	    "<Override PartName=\"/docProps/core.xml\" ContentType=\"application/vnd.openxmlformats-package.core-properties+xml\"/></Types>"
#define RELATIONS(more) XML "<Relationships xmlns=\"" OOXML "package/2006/relationships\">" more "</Relationships>"

static void put_core(struct buf *b, const struct decoy_wish *w)
{
	time_t changed = (time_t)(w->modified / NSEC_PER_SEC), made = changed - (time_t)decoy_random(30 * 86400);
	char text[2][32];
	struct tm tm;

	strftime(text[0], sizeof(text[0]), "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&made, &tm));
	strftime(text[1], sizeof(text[1]), "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&changed, &tm));
	buf_puts(b, STR(XML "<cp:coreProperties xmlns:cp=\"" OOXML "package/2006/metadata/core-properties\" "
		"xmlns:dc=\"http://purl.org/dc/elements/1.1/\" "
			    "xmlns:dcterms=\"http://purl.org/dc/terms/\" xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\"><dc:title>"));
	decoy_title(w->language, b);
	buf_putf(b, "</dc:title><dcterms:created xsi:type=\"dcterms:W3CDTF\">%s</dcterms:created>"
		    "<dcterms:modified xsi:type=\"dcterms:W3CDTF\">%s</dcterms:modified></cp:coreProperties>", text[0], text[1]);
}

static void each_line(str text, struct buf *b, const char *before, const char *after)
{
	for (size_t i = 0, k; i < text.n; i += k + 1) {
		const char *stop = memchr(text.p + i, '\n', text.n - i);

		k = stop ? (size_t)(stop - text.p) - i : text.n - i;
		buf_putf(b, "%s%.*s%s", before, (int)k, text.p + i, after);
	}
}

#define DRAWING \
	"<w:p><w:r><w:drawing><wp:inline xmlns:wp=\"" OOXML "drawingml/2006/wordprocessingDrawing\"><wp:extent cx=\"3600000\" cy=\"2700000\"/>" \
	"<wp:docPr id=\"1\" name=\"Picture 1\"/><a:graphic xmlns:a=\"" OOXML "drawingml/2006/main\"><a:graphicData uri=\"" OOXML \
	"drawingml/2006/picture\"><pic:pic xmlns:pic=\"" OOXML "drawingml/2006/picture\"><pic:nvPicPr><pic:cNvPr id=\"0\" " \
		"name=\"image1.png\"/><pic:cNvPicPr/>" \
	"</pic:nvPicPr><pic:blipFill><a:blip xmlns:r=\"" OOXML "officeDocument/2006/relationships\" r:embed=\"rId1\"/><a:stretch>" \
		"<a:fillRect/></a:stretch>" \
	"</pic:blipFill><pic:spPr><a:xfrm><a:off x=\"0\" y=\"0\"/><a:ext cx=\"3600000\" cy=\"2700000\"/></a:xfrm><a:prstGeom prst=\"rect\">" \
		"<a:avLst/>" \
	"</a:prstGeom></pic:spPr></pic:pic></a:graphicData></a:graphic></wp:inline></w:drawing></w:r></w:p>"

static int docx(const struct decoy_wish *w, str text, str picture, struct buf *ret)
{
	_cleanup_buf_ struct buf body = BUF_INIT, core = BUF_INIT;
	struct part parts[] = {
		{ "[Content_Types].xml", STR(TYPES("<Override PartName=\"/word/document.xml\" ContentType=\"application/vnd.openxmlformats-officedocument"
						   ".wordprocessingml.document.main+xml\"/>")), false },
		{ "_rels/.rels", STR(RELATIONS(RELATION("rId1", "officeDocument", "word/document.xml") CORE_RELATION)), false },
		{ "docProps/core.xml", STR_NONE, false },
		{ "word/document.xml", STR_NONE, false },
		{ "word/_rels/document.xml.rels", STR(RELATIONS(RELATION("rId1", "image", "media/image1.png"))), false },
		{ "word/media/image1.png", picture, true },
	};

	put_core(&core, w);
	buf_puts(&body, STR(XML "<w:document xmlns:w=\"" OOXML "wordprocessingml/2006/main\"><w:body><w:p><w:r><w:rPr><w:b/></w:rPr><w:t>"));
	decoy_title(w->language, &body);
	buf_puts(&body, STR("</w:t></w:r></w:p>"));
	if (picture.n)
		buf_puts(&body, STR(DRAWING));
	each_line(text, &body, "<w:p><w:r><w:t xml:space=\"preserve\">", "</w:t></w:r></w:p>");
	buf_puts(&body, STR("<w:sectPr><w:pgSz w:w=\"11906\" w:h=\"16838\"/></w:sectPr></w:body></w:document>"));
	parts[2].bytes = buf_str(&core);
	parts[3].bytes = buf_str(&body);
	return pack(parts, ARRAY_SIZE(parts) - (picture.n ? 0 : 2), w->modified, ret);
}

static int odt(const struct decoy_wish *w, str text, str picture, struct buf *ret)
{
	_cleanup_buf_ struct buf body = BUF_INIT;
	struct part parts[] = {
		{ "mimetype", STR("application/vnd.oasis.opendocument.text"), true },
		{ "META-INF/manifest.xml", STR(XML "<manifest:manifest xmlns:manifest=\"urn:oasis:names:tc:opendocument:xmlns:manifest:1.0\" "
			"manifest:version=\"1.2\">"
			"<manifest:file-entry manifest:full-path=\"/\" manifest:media-type=\"application/vnd.oasis.opendocument.text\"/>"
			"<manifest:file-entry manifest:full-path=\"content.xml\" manifest:media-type=\"text/xml\"/>"
			"<manifest:file-entry manifest:full-path=\"Pictures/1.png\" manifest:media-type=\"image/png\"/></manifest:manifest>"), false },
		{ "content.xml", STR_NONE, false },
		{ "Pictures/1.png", picture, true },
	};

	buf_puts(&body, STR(XML "<office:document-content xmlns:office=\"urn:oasis:names:tc:opendocument:xmlns:office:1.0\" "
				"xmlns:text=\"urn:oasis:names:tc:opendocument:xmlns:text:1.0\" xmlns:draw=\"urn:oasis:names:tc:opendocument:xmlns:drawing:1.0\" "
				"xmlns:xlink=\"http://www.w3.org/1999/xlink\" xmlns:svg=\"urn:oasis:names:tc:opendocument:xmlns:svg-compatible:1.0\" "
				"office:version=\"1.2\"><office:body><office:text><text:h text:outline-level=\"1\">"));
	decoy_title(w->language, &body);
	buf_puts(&body, STR("</text:h>"));
	if (picture.n)
		buf_puts(&body, STR("<text:p><draw:frame text:anchor-type=\"as-char\" svg:width=\"10cm\" svg:height=\"7cm\">"
				    "<draw:image xlink:href=\"Pictures/1.png\"/></draw:frame></text:p>"));
	each_line(text, &body, "<text:p>", "</text:p>");
	buf_puts(&body, STR("</office:text></office:body></office:document-content>"));
	parts[2].bytes = buf_str(&body);
	return pack(parts, ARRAY_SIZE(parts) - !picture.n, w->modified, ret);
}

static int xlsx(const struct decoy_wish *w, size_t rows, struct buf *ret)
{
	_cleanup_buf_ struct buf sheet = BUF_INIT, core = BUF_INIT;
	struct part parts[] = {
		{ "[Content_Types].xml", STR(TYPES("<Override PartName=\"/xl/workbook.xml\" ContentType=\"application/vnd.openxmlformats-officedocument"
						   ".spreadsheetml.sheet.main+xml\"/><Override PartName=\"/xl/worksheets/sheet1.xml\" ContentType=\"application/"
						   "vnd.openxmlformats-officedocument.spreadsheetml.worksheet+xml\"/>")), false },
		{ "_rels/.rels", STR(RELATIONS(RELATION("rId1", "officeDocument", "xl/workbook.xml") CORE_RELATION)), false },
		{ "docProps/core.xml", STR_NONE, false },
		{ "xl/workbook.xml", STR(XML "<workbook xmlns=\"" OOXML "spreadsheetml/2006/main\" "
			"xmlns:r=\"" OOXML "officeDocument/2006/relationships\">"
			"<sheets><sheet name=\"1\" sheetId=\"1\" r:id=\"rId1\"/></sheets></workbook>"), false },
		{ "xl/_rels/workbook.xml.rels", STR(RELATIONS(RELATION("rId1", "worksheet", "worksheets/sheet1.xml"))), false },
		{ "xl/worksheets/sheet1.xml", STR_NONE, false },
	};

	put_core(&core, w);
	buf_puts(&sheet, STR(XML "<worksheet xmlns=\"" OOXML "spreadsheetml/2006/main\"><sheetData>"));
	for (size_t r = 0; r <= rows && !buf_error(&sheet); r++) {
		buf_putf(&sheet, "<row r=\"%zu\">", r + 1);
		for (size_t c = 0; c < DECOY_COLUMNS; c++) {
			bool number = r && decoy_column_number(c);

			buf_putf(&sheet, "<c r=\"%c%zu\"%s", 'A' + (int)c, r + 1, number ? "><v>" : " t=\"inlineStr\"><is><t>");
			if (r)
				decoy_cell(w->language, c, r - 1, w->modified, &sheet);
			else
				buf_puts(&sheet, decoy_column(w->language, c));
			buf_puts(&sheet, number ? STR("</v></c>") : STR("</t></is></c>"));
		}
		buf_puts(&sheet, STR("</row>"));
	}
	buf_puts(&sheet, STR("</sheetData></worksheet>"));
	parts[2].bytes = buf_str(&core);
	parts[5].bytes = buf_str(&sheet);
	return pack(parts, ARRAY_SIZE(parts), w->modified, ret);
}

/* Rows until the size fits: they pack evenly, so that the second guess is near. */
static int fit_xlsx(const struct decoy_wish *w, struct buf *ret)
{
	size_t rows = 20, before = 0, before_n = 0;
	int r = 0;

	for (int i = 0; i < 4 && r == 0; i++) {
		double each;

		buf_clear(ret);
		r = xlsx(w, rows, ret);
		if (r < 0 || (ret->n < w->bytes + w->bytes / 50 && ret->n + w->bytes / 50 > w->bytes))
			return r;
		each = i && rows != before ? ((double)ret->n - (double)before_n) / ((double)rows - (double)before) :
			((double)ret->n - 1800) / (double)rows;
		before = rows;
		before_n = ret->n;
		each = MAX(each, 4.0);
		rows = (size_t)MAX(1.0, (double)rows + ((double)w->bytes - (double)ret->n) / each);
	}
	return r;
}

/* Text, and what is missing then as a picture. */
static int fit_text(const struct decoy_wish *w, struct buf *ret)
{
	int (*const make)(const struct decoy_wish *, str, str, struct buf *) = w->format == DECOY_ODT ? odt : docx;
	_cleanup_buf_ struct buf text = BUF_INIT, picture = BUF_INIT;
	size_t n = w->bytes > 4000 ? (w->bytes - 3000) * 2 : 200;
	int r = 0;

	decoy_paragraphs(w->language, MIN(n, (size_t)60000), &text);
	for (int i = 0; i < 6; i++) {
		const char *end;

		buf_clear(ret);
		r = make(w, buf_str(&text), STR_NONE, ret);
		if (r < 0 || ret->n <= w->bytes || text.n < 300)
			break;
		/* Too much: down to a whole paragraph, or sentence. */
		text.n = text.n * 4 / 5;
		end = memrchr(text.p, '\n', text.n);
		text.n = end ? (size_t)(end - text.p) + 1 : text.n;
	}
	/* A part's own bytes: its relation, its drawing, its entry. */
	if (r < 0 || ret->n + 1150 > w->bytes)
		return r;
	for (size_t over = 900, i = 0; i < 2 && r == 0; i++) {
		buf_clear(&picture);
		r = decoy_png(w->bytes - MIN(w->bytes, ret->n + over), &picture);
		if (r == 0) {
			size_t bare = ret->n;

			buf_clear(ret);
			r = make(w, buf_str(&text), buf_str(&picture), ret);
			if (r < 0 || i)
				break;
			over = ret->n - bare - picture.n;
			ret->n = bare;
		}
	}
	return r;
}

int decoy_office(const struct decoy_wish *w, struct buf *ret)
{
	return w->format == DECOY_XLSX ? fit_xlsx(w, ret) : fit_text(w, ret);
}
