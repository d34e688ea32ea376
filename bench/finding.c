/* Text to findings on one core: English prose, Japanese prose, a client table; made here, the same every time.
 *
 *   bench-finding [ROUNDS]        MB/s of each: best, quartiles
 *   bench-finding --write DIR     the three texts as files, for other programs
 */
#include <errno.h>
#include <fcntl.h>

#include "document/finding.h"

#define CORPUS (16u << 20)

static uint64_t state = 1;

static uint32_t rnd(uint32_t n)
{
	state = state * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)((state >> 33) % n);
}

static const char *const english[] = {
	"the", "of", "and", "a", "to", "in", "is", "you", "that", "it", "he", "was", "for", "on", "are", "as", "with", "his", "they", "at", "be", "this", "have",
	"from", "or", "one", "had", "by", "word", "but", "not", "what", "all", "were", "we", "when", "your", "can", "said", "there", "use", "each", "which",
	"she", "do", "how", "their", "if", "will", "up", "other", "about", "out", "many", "then", "them", "these", "so", "some", "her", "would", "make", "like",
	"him", "into", "time", "has", "look", "two", "more", "write", "go", "see", "number", "no", "way", "could", "people", "my", "than", "first", "water",
	"been", "call", "who", "oil", "its", "now", "find", "long", "down", "day", "did", "get", "come", "made", "may", "part", "company", "contract", "meeting",
	"project", "market", "product", "customer", "delivery", "department", "engineer", "quarter", "report", "result", "review", "schedule", "supplier",
	"technology", "temperature", "material", "development", "manufacturing", "responsibility", "agreement", "information", "between", "because", "through",
	"considerable", "improvement", "measurement", "specification", "understanding", "yesterday", "tomorrow", "building", "release", "order",
};

static const char *const japanese[] = {
	"の", "に", "は", "を", "た", "が", "で", "て", "と", "し", "れ", "さ", "ある", "いる", "も", "する", "から", "な", "こと", "として", "い", "や", "れる",
	"など", "なっ", "ない", "この", "ため", "その", "あっ", "よう", "また", "もの", "という", "あり", "まで", "られ", "なる", "へ", "か", "だ", "これ", "によって",
	"により", "おり", "より", "による", "ず", "なり", "られる", "において", "ば", "なかっ", "なく", "しかし", "について", "だっ", "その後", "できる", "それ",
	"会社", "契約", "会議", "計画", "市場", "製品", "顧客", "納品", "部門", "技術", "四半期", "報告", "結果", "確認", "予定", "仕入先", "温度", "材料", "開発",
	"製造", "責任", "合意", "情報", "改善", "測定", "仕様", "理解", "昨日", "明日", "建物", "発売", "注文", "東京都", "大阪", "電話", "システム", "データ",
	"サーバー", "プロジェクト", "コスト", "スケジュール", "メンバー", "センター", "品質", "検査", "工場", "設備", "設計", "試験", "評価", "方法", "条件",
};

static void put_english(struct buf *b)
{
	for (uint32_t words = 6 + rnd(20); words > 0; words--) {
		uint32_t x = rnd(100);

		if (x == 0)
			buf_putf(b, "%u", 1 + rnd(2000));
		else /* short words are the common ones */
			buf_puts(b, str_c(english[x < 60 ? rnd(60) : rnd(ARRAY_SIZE(english))]));
		buf_puts(b, words == 1 ? STR(". ") : rnd(12) ? STR(" ") : STR(", "));
	}
	if (rnd(5) == 0)
		buf_putc(b, '\n');
}

static void put_japanese(struct buf *b)
{
	for (uint32_t words = 8 + rnd(24); words > 0; words--) {
		uint32_t x = rnd(100);

		if (x == 0)
			buf_putf(b, rnd(2) ? "%u年" : "%u", 1 + rnd(2026));
		else if (x == 1)
			buf_puts(b, STR("２０"));
		else
			buf_puts(b, str_c(japanese[x < 55 ? rnd(60) : rnd(ARRAY_SIZE(japanese))]));
		if (rnd(14) == 0)
			buf_puts(b, STR("、"));
	}
	buf_puts(b, rnd(5) ? STR("。") : STR("。\n"));
}

static void put_row(struct buf *b, unsigned i)
{
	static const char *const cities[] = { "東京都港区芝公園", "大阪府大阪市北区梅田", "神奈川県横浜市西区みなとみらい", "愛知県名古屋市中区栄", "福岡県福岡市博多区住吉" };

	if (i == 0) {
		buf_puts(b, STR("id,会社名,氏名,メール,電話番号,郵便番号,住所,登録日,金額\n"));
	} else {
		buf_putf(b, "%u,株式会社サンプル%u,担当者%u,user%u@client%u.example.co.jp,0%u-%04u-%04u,%03u-%04u,%s%u-%u-%u,2026-%02u-%02u,%u\n", i, rnd(900), i,
			 i, rnd(5000), rnd(2) ? 3 : 6, 1000 + rnd(9000), rnd(10000), 100 + rnd(800), rnd(10000), cities[rnd(5)], 1 + rnd(8), 1 + rnd(30),
			 1 + rnd(20), 1 + rnd(12), 1 + rnd(28), rnd(1000000));
	}
}

/* Cells become spans, as the extractor gives them. */
static int split(struct text *t)
{
	uint32_t row = 1, col = 1, from = 0;

	t->spans = malloc((t->bytes.n / 2 + 1) * sizeof(*t->spans));
	if (!t->spans)
		return -ENOMEM;
	for (uint32_t i = 0; i < t->bytes.n; i++) {
		char c = t->bytes.p[i];

		if (c != ',' && c != '\n')
			continue;
		t->spans[t->n_spans++] = (struct span){ .at = from, .n = i - from, .table = 1, .row = row, .col = col, .block = (uint32_t)t->n_spans + 1,
							.zone = ZONE_CELL };
		col = c == ',' ? col + 1 : 1;
		row += c == '\n';
		t->bytes.p[i] = '\n';
		from = i + 1;
	}
	return 0;
}

static const char *const names[] = { "english.txt", "japanese.txt", "clients.csv" };

static void fill(struct text *t, unsigned kind)
{
	for (unsigned i = 0; t->bytes.n < CORPUS; i++) {
		if (kind == 0)
			put_english(&t->bytes);
		else if (kind == 1)
			put_japanese(&t->bytes);
		else
			put_row(&t->bytes, i);
	}
}

static int write_all(const char *dir)
{
	for (unsigned k = 0; k < ARRAY_SIZE(names); k++) {
		struct text t = { 0 };
		_cleanup_buf_ struct buf path = BUF_INIT;
		FILE *f;

		fill(&t, k);
		buf_putf(&path, "%s/%s", dir, names[k]);
		f = fopen(buf_cstr(&path), "we");
		if (!f || fwrite(t.bytes.p, 1, t.bytes.n, f) != t.bytes.n || fclose(f) != 0)
			return 1;
		text_free(&t);
	}
	return 0;
}

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static double seconds(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

int main(int argc, char **argv)
{
	unsigned rounds = 11;
	struct finder *f;
	struct finding_scan *s;
	struct text texts[3] = { 0 };
	double rate[3][100];

	if (argc == 3 && !strcmp(argv[1], "--write"))
		return write_all(argv[2]);
	if (argc > 1)
		rounds = (unsigned)MIN(MAX(atoi(argv[1]), 3), 100);
	if (finder_new(NULL, 0, &f) < 0 || finding_scan_new(f, &s) < 0)
		return 1;
	for (unsigned k = 0; k < 3; k++) {
		fill(&texts[k], k);
		if (k == 2 && split(&texts[k]) < 0)
			return 1;
	}
	for (unsigned r = 0; r < rounds; r++) /* interleaved: neighbours disturb all alike */
		for (unsigned k = 0; k < 3; k++) {
			double t0 = seconds();
			struct hits h;

			if (finding_run(s, &texts[k], &h) < 0)
				return 1;
			rate[k][r] = (double)texts[k].bytes.n / (seconds() - t0) / 1e6;
			if (r == 0)
				printf("%s: %zu hits in %zu bytes\n", names[k], h.n, texts[k].bytes.n);
		}
	for (unsigned k = 0; k < 3; k++) {
		qsort(rate[k], rounds, sizeof(double), by_value);
		printf("%-13s best %.0f MB/s, median %.0f, quartiles %.0f %.0f\n", names[k], rate[k][rounds - 1], rate[k][rounds / 2], rate[k][rounds / 4],
		       rate[k][rounds * 3 / 4]);
		text_free(&texts[k]);
	}
	finding_scan_free(s);
	finder_free(f);
	return 0;
}
