/* Control words that mean something to a reader of text; all others change only how it looks. */
#include "extract/formats/rtf.h"

#define NAME_MAX_ 32

/* Sorted by name. Destinations that may be passed over by whoever does not know them are known here where they hold text. */
static const struct rtf_control controls[] = {
	{ "af", RTF_WORD, WORD_AF, NULL }, { "aftncn", RTF_DEST, DEST_SKIP, NULL }, { "aftnsep", RTF_DEST, DEST_SKIP, NULL },
	{ "aftnsepc", RTF_DEST, DEST_SKIP, NULL }, { "annotation", RTF_ZONE, ZONE_COMMENT, NULL }, { "ansi", RTF_CODEPAGE, 1252, NULL },
	{ "ansicpg", RTF_WORD, WORD_ANSICPG, NULL }, { "atnauthor", RTF_META, 0, "custom:comment author" },
	{ "atndate", RTF_DEST, DEST_SKIP, NULL }, { "atnicn", RTF_DEST, DEST_SKIP, NULL }, { "atnid", RTF_DEST, DEST_SKIP, NULL },
	{ "atnparent", RTF_DEST, DEST_SKIP, NULL }, { "atnref", RTF_DEST, DEST_SKIP, NULL }, { "atrfend", RTF_DEST, DEST_SKIP, NULL },
	{ "atrfstart", RTF_DEST, DEST_SKIP, NULL }, { "author", RTF_META, 0, "author" }, { "background", RTF_DEST, DEST_SKIP, NULL },
	{ "bin", RTF_WORD, WORD_BIN, NULL }, { "bkmkend", RTF_DEST, DEST_SKIP, NULL }, { "bkmkstart", RTF_DEST, DEST_SKIP, NULL },
	{ "blipuid", RTF_DEST, DEST_SKIP, NULL }, { "bullet", RTF_CHAR, 0x2022, NULL }, { "buptim", RTF_DEST, DEST_SKIP, NULL },
	{ "category", RTF_META, 0, "category" }, { "cell", RTF_WORD, WORD_CELL, NULL },
	{ "colorschememapping", RTF_DEST, DEST_SKIP, NULL }, { "colortbl", RTF_DEST, DEST_SKIP, NULL },
	{ "column", RTF_WORD, WORD_PAR, NULL }, { "company", RTF_META, 0, "company" }, { "cpg", RTF_WORD, WORD_CPG, NULL },
	{ "creatim", RTF_DEST, DEST_CREATED, NULL }, { "datafield", RTF_DEST, DEST_SKIP, NULL },
	{ "datastore", RTF_DEST, DEST_SKIP, NULL }, { "dbch", RTF_WORD, WORD_DBCH, NULL }, { "deff", RTF_WORD, WORD_DEFF, NULL },
	{ "deleted", RTF_WORD, WORD_DELETED, NULL }, { "do", RTF_DEST, DEST_BODY, NULL }, { "doccomm", RTF_META, 0, "comments" },
	{ "docvar", RTF_DEST, DEST_SKIP, NULL }, { "dptxbxtext", RTF_DEST, DEST_ASIDE, NULL }, { "dy", RTF_WORD, WORD_DAY, NULL },
	{ "emdash", RTF_CHAR, 0x2014, NULL }, { "emspace", RTF_CHAR, 0x20, NULL }, { "endash", RTF_CHAR, 0x2013, NULL },
	{ "enspace", RTF_CHAR, 0x20, NULL }, { "f", RTF_WORD, WORD_FONT, NULL }, { "falt", RTF_DEST, DEST_SKIP, NULL },
	{ "fcharset", RTF_WORD, WORD_CHARSET, NULL }, { "field", RTF_DEST, DEST_BODY, NULL }, { "filetbl", RTF_DEST, DEST_SKIP, NULL },
	{ "fldinst", RTF_DEST, DEST_FIELD, NULL }, { "fldrslt", RTF_DEST, DEST_BODY, NULL }, { "fontemb", RTF_DEST, DEST_SKIP, NULL },
	{ "fontfile", RTF_DEST, DEST_SKIP, NULL }, { "fonttbl", RTF_DEST, DEST_FONTS, NULL }, { "footer", RTF_ZONE, ZONE_FOOTER, NULL },
	{ "footerf", RTF_ZONE, ZONE_FOOTER, NULL }, { "footerl", RTF_ZONE, ZONE_FOOTER, NULL },
	{ "footerr", RTF_ZONE, ZONE_FOOTER, NULL }, { "footnote", RTF_ZONE, ZONE_NOTE, NULL },
	{ "formfield", RTF_DEST, DEST_SKIP, NULL }, { "fromhtml", RTF_WORD, WORD_HTML, NULL }, { "ftncn", RTF_DEST, DEST_SKIP, NULL },
	{ "ftnsep", RTF_DEST, DEST_SKIP, NULL }, { "ftnsepc", RTF_DEST, DEST_SKIP, NULL }, { "generator", RTF_META, 0, "producer" },
	{ "header", RTF_ZONE, ZONE_HEADER, NULL }, { "headerf", RTF_ZONE, ZONE_HEADER, NULL },
	{ "headerl", RTF_ZONE, ZONE_HEADER, NULL }, { "headerr", RTF_ZONE, ZONE_HEADER, NULL }, { "hich", RTF_WORD, WORD_LOCH, NULL },
	{ "hlinkbase", RTF_DEST, DEST_SKIP, NULL }, { "hr", RTF_WORD, WORD_HOUR, NULL }, { "htmlrtf", RTF_WORD, WORD_HTMLRTF, NULL },
	{ "htmltag", RTF_DEST, DEST_HTML_TAG, NULL }, { "info", RTF_DEST, DEST_INFO, NULL }, { "intbl", RTF_WORD, WORD_INTBL, NULL },
	{ "keycode", RTF_DEST, DEST_SKIP, NULL }, { "keywords", RTF_META, 0, "keywords" }, { "latentstyles", RTF_DEST, DEST_SKIP, NULL },
	{ "lbr", RTF_CHAR, 0xa, NULL }, { "ldblquote", RTF_CHAR, 0x201c, NULL }, { "line", RTF_CHAR, 0xa, NULL },
	{ "linkval", RTF_DEST, DEST_SKIP, NULL }, { "listoverridetable", RTF_DEST, DEST_SKIP, NULL },
	{ "listpicture", RTF_DEST, DEST_SKIP, NULL }, { "listtable", RTF_DEST, DEST_SKIP, NULL },
	{ "listtext", RTF_DEST, DEST_BODY, NULL }, { "loch", RTF_WORD, WORD_LOCH, NULL }, { "lquote", RTF_CHAR, 0x2018, NULL },
	{ "ltrmark", RTF_CHAR, 0x200e, NULL }, { "mac", RTF_CODEPAGE, 10000, NULL }, { "manager", RTF_META, 0, "manager" },
	{ "mhtmltag", RTF_DEST, DEST_SKIP, NULL }, { "min", RTF_WORD, WORD_MINUTE, NULL }, { "mmathPr", RTF_DEST, DEST_SKIP, NULL },
	{ "mo", RTF_WORD, WORD_MONTH, NULL }, { "moveend", RTF_DEST, DEST_SKIP, NULL }, { "mvfmf", RTF_DEST, DEST_SKIP, NULL },
	{ "nestcell", RTF_CHAR, 0x9, NULL }, { "nestrow", RTF_CHAR, 0xa, NULL }, { "nextfile", RTF_DEST, DEST_SKIP, NULL },
	{ "nonshppict", RTF_DEST, DEST_SKIP, NULL }, { "objalias", RTF_DEST, DEST_SKIP, NULL },
	{ "objclass", RTF_DEST, DEST_OBJECT_CLASS, NULL }, { "objdata", RTF_DEST, DEST_OBJECT_DATA, NULL },
	{ "object", RTF_DEST, DEST_BODY, NULL }, { "objname", RTF_DEST, DEST_SKIP, NULL }, { "objsect", RTF_DEST, DEST_SKIP, NULL },
	{ "objtime", RTF_DEST, DEST_SKIP, NULL }, { "oldcprops", RTF_DEST, DEST_SKIP, NULL }, { "oldpprops", RTF_DEST, DEST_SKIP, NULL },
	{ "oldsprops", RTF_DEST, DEST_SKIP, NULL }, { "oldtprops", RTF_DEST, DEST_SKIP, NULL },
	{ "operator", RTF_DEST, DEST_SKIP, NULL }, { "page", RTF_WORD, WORD_PAR, NULL }, { "panose", RTF_DEST, DEST_SKIP, NULL },
	{ "par", RTF_WORD, WORD_PAR, NULL }, { "pard", RTF_WORD, WORD_PARD, NULL }, { "passwordhash", RTF_DEST, DEST_SKIP, NULL },
	{ "pc", RTF_CODEPAGE, 437, NULL }, { "pca", RTF_CODEPAGE, 850, NULL }, { "pgptbl", RTF_DEST, DEST_SKIP, NULL },
	{ "picprop", RTF_DEST, DEST_SKIP, NULL }, { "pict", RTF_DEST, DEST_PICTURE, NULL }, { "plain", RTF_WORD, WORD_PLAIN, NULL },
	{ "pnaseq", RTF_DEST, DEST_SKIP, NULL }, { "pnseclvl", RTF_DEST, DEST_SKIP, NULL }, { "pntext", RTF_DEST, DEST_BODY, NULL },
	{ "printim", RTF_DEST, DEST_SKIP, NULL }, { "private", RTF_DEST, DEST_SKIP, NULL },
	{ "propname", RTF_DEST, DEST_PROPERTY, NULL }, { "protusertbl", RTF_DEST, DEST_SKIP, NULL }, { "qmspace", RTF_CHAR, 0x20, NULL },
	{ "rdblquote", RTF_CHAR, 0x201d, NULL }, { "result", RTF_DEST, DEST_BODY, NULL }, { "revtbl", RTF_DEST, DEST_SKIP, NULL },
	{ "revtim", RTF_DEST, DEST_MODIFIED, NULL }, { "row", RTF_WORD, WORD_ROW, NULL }, { "rquote", RTF_CHAR, 0x2019, NULL },
	{ "rsidtbl", RTF_DEST, DEST_SKIP, NULL }, { "rtlmark", RTF_CHAR, 0x200f, NULL }, { "sect", RTF_WORD, WORD_PAR, NULL },
	{ "shp", RTF_DEST, DEST_BODY, NULL }, { "shpgrp", RTF_DEST, DEST_BODY, NULL }, { "shpinst", RTF_DEST, DEST_BODY, NULL },
	{ "shppict", RTF_DEST, DEST_BODY, NULL }, { "shprslt", RTF_DEST, DEST_SKIP, NULL }, { "shptxt", RTF_DEST, DEST_ASIDE, NULL },
	{ "sn", RTF_DEST, DEST_SHAPE_NAME, NULL }, { "softline", RTF_CHAR, 0xa, NULL },
	{ "staticval", RTF_DEST, DEST_PROPERTY_VALUE, NULL }, { "stylesheet", RTF_DEST, DEST_SKIP, NULL },
	{ "subject", RTF_META, 0, "subject" }, { "sv", RTF_DEST, DEST_SHAPE_VALUE, NULL }, { "tab", RTF_CHAR, 0x9, NULL },
	{ "tc", RTF_DEST, DEST_SKIP, NULL }, { "tcn", RTF_DEST, DEST_SKIP, NULL }, { "template", RTF_DEST, DEST_SKIP, NULL },
	{ "themedata", RTF_DEST, DEST_SKIP, NULL }, { "title", RTF_META, 0, "title" }, { "trowd", RTF_WORD, WORD_TROWD, NULL },
	{ "u", RTF_WORD, WORD_U, NULL }, { "uc", RTF_WORD, WORD_UC, NULL }, { "ud", RTF_WORD, WORD_UD, NULL },
	{ "upr", RTF_WORD, WORD_UPR, NULL }, { "userprops", RTF_DEST, DEST_BODY, NULL }, { "v", RTF_WORD, WORD_HIDDEN, NULL },
	{ "wgrffmtfilter", RTF_DEST, DEST_SKIP, NULL },
	{ "writereservhash", RTF_DEST, DEST_SKIP, NULL }, { "xe", RTF_DEST, DEST_SKIP, NULL }, { "xmlnstbl", RTF_DEST, DEST_SKIP, NULL },
	{ "yr", RTF_WORD, WORD_YEAR, NULL }, { "zwbo", RTF_CHAR, 0x200b, NULL }, { "zwj", RTF_CHAR, 0x200d, NULL },
	{ "zwnbo", RTF_CHAR, 0x2060, NULL }, { "zwnj", RTF_CHAR, 0x200c, NULL },
};

const struct rtf_control *rtf_control(str name)
{
	size_t lo = 0, hi = ARRAY_SIZE(controls);

	while (lo < hi && name.n <= NAME_MAX_) {
		size_t mid = (lo + hi) / 2;
		int d = str_cmp(name, str_c(controls[mid].name));

		if (d == 0)
			return &controls[mid];
		if (d < 0)
			hi = mid;
		else
			lo = mid + 1;
	}
	return NULL;
}

uint16_t rtf_charset(int fcharset)
{
	static const struct {
		uint8_t charset;
		uint16_t codepage;
	} pages[] = {
		{ 0, 1252 }, { 77, 10000 }, { 78, 932 }, { 128, 932 }, { 129, 949 }, { 130, 949 }, { 134, 936 }, { 136, 950 }, { 161, 1253 },
		{ 162, 1254 },
		{ 163, 1258 }, { 177, 1255 }, { 178, 1256 }, { 186, 1257 }, { 204, 1251 }, { 222, 874 }, { 238, 1250 }, { 254, 437 }, { 255, 850 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(pages); i++)
		if (pages[i].charset == fcharset)
			return pages[i].codepage;
	return 0;
}
