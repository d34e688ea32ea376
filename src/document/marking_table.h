/* marking_table.h — the shipped markings and the words that go with them; included by marking.c alone.
 *
 * Purpose: data. Sources: ISO 27001 practice, TLP 2.0 (FIRST), and what Japanese companies and offices write (極秘, 秘, 社外秘…).
 * Ownership, units, threads, errors: none.
 */
#ifndef TYTO_DOCUMENT_MARKING_TABLE_H
#define TYTO_DOCUMENT_MARKING_TABLE_H

#define WEAK true
static const struct { const char *text; enum event_label label; bool weak; } shipped[] = {
	{ "top secret", LABEL_RESTRICTED }, { "strictly confidential", LABEL_RESTRICTED }, { "highly confidential", LABEL_RESTRICTED },
	{ "most confidential", LABEL_RESTRICTED }, { "strictly private", LABEL_RESTRICTED }, { "secret", LABEL_RESTRICTED, WEAK },
	{ "restricted", LABEL_RESTRICTED, WEAK }, { "highly restricted", LABEL_RESTRICTED }, { "eyes only", LABEL_RESTRICTED },
	{ "tlp red", LABEL_RESTRICTED },
	{ "極秘", LABEL_RESTRICTED }, { "厳秘", LABEL_RESTRICTED }, { "最高機密", LABEL_RESTRICTED }, { "極秘扱い", LABEL_RESTRICTED },
	{ "機密性3", LABEL_RESTRICTED },

	{ "confidential", LABEL_CONFIDENTIAL }, { "company confidential", LABEL_CONFIDENTIAL }, { "private and confidential", LABEL_CONFIDENTIAL },
	{ "private & confidential", LABEL_CONFIDENTIAL }, { "commercial in confidence", LABEL_CONFIDENTIAL },
	{ "in confidence", LABEL_CONFIDENTIAL },
	{ "proprietary and confidential", LABEL_CONFIDENTIAL }, { "confidential and proprietary", LABEL_CONFIDENTIAL },
	{ "proprietary & confidential", LABEL_CONFIDENTIAL }, { "confidential & proprietary", LABEL_CONFIDENTIAL },
	{ "proprietary", LABEL_CONFIDENTIAL, WEAK }, { "trade secret", LABEL_CONFIDENTIAL }, { "privileged and confidential", LABEL_CONFIDENTIAL },
	{ "privileged & confidential", LABEL_CONFIDENTIAL }, { "sensitive", LABEL_CONFIDENTIAL, WEAK }, { "tlp amber", LABEL_CONFIDENTIAL },
	{ "tlp amber strict", LABEL_CONFIDENTIAL },
	{ "社外秘", LABEL_CONFIDENTIAL }, { "部外秘", LABEL_CONFIDENTIAL }, { "課外秘", LABEL_CONFIDENTIAL }, { "関係者外秘", LABEL_CONFIDENTIAL },
	{ "関係者限", LABEL_CONFIDENTIAL }, { "関係者限り", LABEL_CONFIDENTIAL }, { "機密", LABEL_CONFIDENTIAL, WEAK }, { "秘密", LABEL_CONFIDENTIAL, WEAK },
	{ "秘", LABEL_CONFIDENTIAL, WEAK }, { "マル秘", LABEL_CONFIDENTIAL }, { "丸秘", LABEL_CONFIDENTIAL }, { "親展", LABEL_CONFIDENTIAL, WEAK },
	{ "営業秘密", LABEL_CONFIDENTIAL, WEAK }, { "企業秘密", LABEL_CONFIDENTIAL, WEAK }, { "門外不出", LABEL_CONFIDENTIAL }, { "機密性2", LABEL_CONFIDENTIAL },

	{ "internal use only", LABEL_INTERNAL }, { "internal use", LABEL_INTERNAL }, { "internal only", LABEL_INTERNAL },
	{ "company internal", LABEL_INTERNAL }, { "internal", LABEL_INTERNAL, WEAK }, { "official use only", LABEL_INTERNAL },
	{ "not for public release", LABEL_INTERNAL }, { "tlp green", LABEL_INTERNAL },
	{ "取扱注意", LABEL_INTERNAL }, { "取扱い注意", LABEL_INTERNAL }, { "取り扱い注意", LABEL_INTERNAL }, { "取扱厳重注意", LABEL_INTERNAL },
	{ "社内限", LABEL_INTERNAL }, { "社内限り", LABEL_INTERNAL }, { "社内限定", LABEL_INTERNAL }, { "社内用", LABEL_INTERNAL, WEAK },
	{ "社内専用", LABEL_INTERNAL }, { "部内限り", LABEL_INTERNAL }, { "部内限", LABEL_INTERNAL }, { "内部限り", LABEL_INTERNAL },
	{ "社内秘", LABEL_INTERNAL }, { "内部資料", LABEL_INTERNAL, WEAK }, { "社内資料", LABEL_INTERNAL, WEAK }, { "内部文書", LABEL_INTERNAL, WEAK },
	{ "社内", LABEL_INTERNAL, WEAK }, { "非公開", LABEL_INTERNAL, WEAK },

	{ "public", LABEL_PUBLIC, WEAK }, { "public release", LABEL_PUBLIC, WEAK }, { "unclassified", LABEL_PUBLIC, WEAK },
	{ "tlp clear", LABEL_PUBLIC }, { "tlp white", LABEL_PUBLIC }, { "approved for public release", LABEL_PUBLIC },
	{ "公開", LABEL_PUBLIC, WEAK }, { "一般公開", LABEL_PUBLIC, WEAK }, { "社外公開可", LABEL_PUBLIC }, { "公開情報", LABEL_PUBLIC, WEAK },
	{ "公開資料", LABEL_PUBLIC, WEAK }, { "機密性1", LABEL_PUBLIC },
};

/* Words that may stand beside a marking in its segment. */
static const char *const companions[] = {
	"&", "and", "business", "class", "classification", "company", "copy", "corporate", "data", "distribute", "document", "draft", "for",
	"group", "highly",
	"information", "level", "material", "only", "property", "proprietary", "strictly", "use", "very",
};
/* Whole segments that say how to handle it, or where we are. */
static const char *const phrases[] = {
	"do not distribute", "do not copy", "do not forward", "not for distribution", "not for circulation", "not for release",
	"no unauthorized copying",
	"all rights reserved", "limited distribution",
};
static const char *const cjk_companions[] = {
	"資料", "文書", "書類", "情報", "本資料", "本書", "本文書", "当社", "弊社", "自社", "扱い", "扱", "取扱", "取扱い", "区分", "厳守", "指定", "限り", "につき", "のみ",
	"転載禁止", "複写禁止", "複製禁止", "持出禁止", "持出厳禁", "持ち出し禁止", "配布禁止", "無断転載禁止", "無断複製禁止", "コピー禁止", "取扱注意",
};
/* What a label stands behind. */
static const char *const keys[] = {
	"classification", "document classification", "information classification", "security classification", "data classification", "class",
	"sensitivity", "sensitivity label", "sensitivity level", "confidentiality", "confidentiality level", "security level", "security class",
	"protection level", "protective marking", "marking", "label", "handling", "confidentiality class", "data sensitivity", "information class",
	"機密区分", "秘密区分", "情報区分", "機密レベル", "機密度", "機密性", "機密等級", "秘密等級", "取扱区分", "取扱い区分", "取り扱い区分", "文書区分", "資料区分",
	"セキュリティ区分", "セキュリティレベル", "開示区分", "公開区分", "公開範囲", "区分", "取扱", "取扱い", "秘密レベル", "機密性区分", "情報分類", "機密分類",
};
/* Words of sentences: a margin that holds one of them says something about markings. */
static const char *const stops[] = {
	"a", "agreement", "all", "an", "any", "are", "as", "be", "by", "clause", "contains", "de", "formerly", "from", "has", "have", "if", "in",
	"is", "it", "its",
	"may", "must", "no", "non", "not", "notice", "of", "on", "or", "policy", "rules", "shall", "should", "that", "the", "this", "to", "un",
	"until", "was",
	"were", "when", "which", "will", "with", "without", "handling", "about", "how", "guide", "guidelines", "treatment", "training",
};
/* A title that begins with a marking and has one of these behind it tells of markings: "CONFIDENTIAL Information Policy". */
static const char *const telling[] = {
	"agreement", "agreements", "are", "be", "clause", "definition", "definitions", "designation", "disclaimer", "explained",
	"explanation", "footer", "guide", "guideline", "guidelines", "handling", "header", "how", "is", "label", "labels", "labelling",
	"labeling", "level", "levels", "marking", "markings", "may", "meaning", "means", "must", "not", "notice", "policies", "policy",
	"procedure", "procedures", "protocol", "rules", "shall", "should", "stamp", "statement", "template", "training", "treatment",
	"was", "were", "when", "will",
};
static const char *const cjk_telling[] = { "規程", "規定", "規則", "取扱", "管理", "契約", "表示", "方針", "説明", "ルール", "教育", "研修",
	"案内", "定義" };

#endif
