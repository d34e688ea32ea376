/* Generic words: a reader finds an office like any other, and nothing to take away. */
#include "detect/decoy_words.h"

#include <stdio.h>
#include <strings.h>
#include <sys/random.h>
#include <time.h>

uint32_t decoy_random(uint32_t n)
{
	return n ? arc4random_uniform(n) : 0;
}

static const char *const titles[DECOY_LANGUAGES_][48] = {
	[DECOY_ENGLISH] = { "agenda", "archive", "calendar", "canteen", "carpark", "catering", "checklist", "cleaning", "contents", "courier",
		"directory",
		"equipment", "facilities", "fixtures", "floorplan", "forms", "furniture", "glossary", "handbook", "index", "induction", "inventory",
			"kitchen",
		"layout", "library", "lighting", "list", "maintenance", "meeting", "minutes", "notes", "notice", "office", "overview", "parking", "plan",
		"printer", "reception", "register", "room", "rota", "schedule", "stationery", "storage", "summary", "survey", "travel", "workspace" },
	[DECOY_GERMAN] = { "Ablage", "Agenda", "Archiv", "Ausstattung", "Belegung", "Bestand", "Bibliothek", "Bueroplan", "Checkliste",
		"Dienstplan",
		"Drucker", "Empfang", "Entwurf", "Fahrplan", "Formular", "Gebaeude", "Glossar", "Handbuch", "Hausordnung", "Inhalt", "Inventar",
			"Kalender",
		"Kantine", "Kopie", "Lager", "Liste", "Merkblatt", "Mobiliar", "Muster", "Nachweis", "Notizen", "Ordnung", "Parkplatz", "Plan",
			"Protokoll",
		"Raum", "Reinigung", "Reise", "Schulung", "Sitzung", "Termine", "Uebersicht", "Umzug", "Verzeichnis", "Vorlage", "Wartung", "Werkzeug",
			"Zeitplan" },
	[DECOY_FRENCH] = { "accueil", "affichage", "agenda", "annexe", "annuaire", "archives", "atelier", "bilan", "bureau", "calendrier",
		"cantine",
		"carnet", "classement", "consignes", "courrier", "cuisine", "dossier", "entretien", "equipe", "espace", "formulaire", "fournitures",
			"glossaire",
		"guide", "horaires", "imprimante", "index", "inventaire", "liste", "locaux", "manuel", "materiel", "menu", "mobilier", "modele", "note",
		"ordre", "parking", "permanence", "planning", "plans", "reglement", "repertoire", "reunion", "salle", "sommaire", "stock", "visite" },
	[DECOY_JAPANESE] = { "一覧", "会議", "議事録", "予定表", "名簿", "備品", "在庫", "座席表", "案内", "様式", "手順", "日程", "記録", "資料", "目次", "台帳",
		"点検", "清掃", "配置図", "研修", "出張", "概要", "確認表", "届出", "報告", "連絡", "準備", "計画", "管理", "集計", "申請書", "受付", "図書", "印刷",
		"倉庫", "食堂", "駐車場", "照明", "工程", "週報", "月報", "控え", "雛形", "用紙", "部屋", "来客", "保守", "整理" },
};

/* Sentences are put together of an opening, a thing and an end: harmless in every order. */
static const char *const openings[DECOY_LANGUAGES_][12] = {
	[DECOY_ENGLISH] = { "Please note that", "As agreed,", "From next month", "According to the plan,", "During the morning",
		"For the time being,",
		"After the last round,", "In most cases", "On request", "Where possible,", "At the front desk", "Twice a week" },
	[DECOY_GERMAN] = { "Wie besprochen", "Ab dem naechsten Monat", "Nach dem letzten Rundgang", "Im Regelfall", "Auf Anfrage",
		"Bis auf weiteres", "Am Vormittag",
		"Nach Absprache", "Zum Jahresende", "Vor der Pause", "In der Regel", "Einmal im Quartal" },
	[DECOY_FRENCH] = { "Comme convenu,", "Sur demande,", "Dans la plupart des cas,", "En principe,", "Au premier etage,",
		"Pendant la matinee,",
		"Deux fois par mois,", "Avant la pause,", "A partir du mois prochain,", "Selon le planning,", "Pour le moment,", "En fin de semaine," },
	[DECOY_JAPANESE] = { "来月から", "午前中は", "原則として", "予定どおり", "昨年と同じく", "当面の間", "必要に応じて", "受付では", "週に二回", "休憩の前に", "前回の確認後", "年度末まで" },
};
static const char *const ends[DECOY_LANGUAGES_][14] = {
	[DECOY_ENGLISH] = { "is kept beside the copier on the second floor.", "will be checked again before the holidays.",
		"can be collected from the cupboard near the lift.",
		"has to be returned by the end of the week.", "is numbered from left to right.", "needs a new label.", "was moved to the room next door.",
		"stays where it is.", "is ordered in packs of twelve.", "should be closed when nobody is there.",
			"is shared by both wings of the building.",
		"remains the same as last year.", "is cleaned on Fridays.", "appears on the board in the corridor." },
	[DECOY_GERMAN] = { "steht neben dem Kopierer im zweiten Stock.", "wird vor den Feiertagen noch einmal geprueft.",
		"liegt im Schrank beim Aufzug.",
		"ist bis Ende der Woche zurueckzugeben.", "wird von links nach rechts gezaehlt.", "braucht ein neues Schild.",
			"ist in das Nebenzimmer gekommen.",
		"bleibt, wo es ist.", "wird in Packungen zu zwoelf bestellt.", "ist zu schliessen, wenn niemand da ist.",
			"gilt fuer beide Fluegel des Hauses.",
		"bleibt wie im Vorjahr.", "wird freitags gereinigt.", "haengt am Brett im Flur." },
	[DECOY_FRENCH] = { "se trouve a cote du copieur au deuxieme etage.", "sera verifie avant les vacances.",
		"est a retirer dans le placard pres de l'ascenseur.",
		"doit etre rendu avant la fin de la semaine.", "est numerote de gauche a droite.", "a besoin d'une nouvelle etiquette.",
			"a change de salle.",
		"reste a sa place.", "est commande par douze.", "doit etre ferme quand personne n'est present.", "sert aux deux ailes du batiment.",
		"ne change pas cette annee.", "est nettoye le vendredi.", "est affiche dans le couloir." },
	[DECOY_JAPANESE] = { "は二階の複写機の横に置きます。", "は連休前にもう一度確認します。", "は昇降機の近くの棚で受け取れます。", "は週末までに返却してください。", "は左から順に番号を付けます。",
		"には新しい札が必要です。", "は隣の部屋に移しました。", "はそのままにします。", "は十二個単位で注文します。", "は誰もいないときは閉めます。", "は両方の棟で共用します。",
		"は昨年と変わりません。", "は金曜日に清掃します。", "は廊下の掲示板に貼ります。" },
};
static const char *const columns[DECOY_LANGUAGES_][DECOY_COLUMNS] = {
	[DECOY_ENGLISH] = { "No", "Item", "Room", "Quantity", "Date", "Remark" },
	[DECOY_GERMAN] = { "Nr", "Gegenstand", "Raum", "Anzahl", "Datum", "Bemerkung" },
	[DECOY_FRENCH] = { "No", "Objet", "Salle", "Nombre", "Date", "Remarque" },
	[DECOY_JAPANESE] = { "番号", "品名", "部屋", "数量", "日付", "備考" },
};

#define PICK(list) ((list)[decoy_random(ARRAY_SIZE(list))])

str decoy_title_word(enum decoy_language l)
{
	return str_c(PICK(titles[l]));
}

bool decoy_is_title_word(enum decoy_language l, str word)
{
	for (size_t i = 0; i < ARRAY_SIZE(titles[l]); i++)
		if (strlen(titles[l][i]) == word.n && strncasecmp(titles[l][i], word.p, word.n) == 0)
			return true;
	return false;
}

void decoy_sentence(enum decoy_language l, struct buf *b)
{
	static const char *const articles[DECOY_LANGUAGES_] = { "the ", "", "le point ", "" };
	const char *space = l == DECOY_JAPANESE ? "" : " ";

	buf_putf(b, "%s%s%s%s%s%s", PICK(openings[l]), space, l == DECOY_GERMAN ? "" : articles[l], PICK(titles[l]), space, PICK(ends[l]));
}

str decoy_column(enum decoy_language l, size_t column)
{
	return str_c(columns[l][column]);
}

bool decoy_column_number(size_t column)
{
	return column == 0 || column == 3;
}

void decoy_cell(enum decoy_language l, size_t column, size_t row, int64_t time, struct buf *b)
{
	time_t t = (time_t)(time / NSEC_PER_SEC) - (time_t)decoy_random(300) * 86400;
	struct tm tm;

	switch (column) {
	case 0:
		buf_put_dec(b, row + 1);
		break;
	case 1:
	case 5:
		buf_puts(b, decoy_title_word(l));
		break;
	case 2:
		buf_putf(b, "%c%u", 'A' + (int)decoy_random(4), 100 + decoy_random(60));
		break;
	case 3:
		buf_put_dec(b, 1 + decoy_random(48));
		break;
	default:
		gmtime_r(&t, &tm);
		buf_putf(b, "%04d-%02d-%02d", tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday);
	}
}
