/* Leaks whose source is not among the documents: nobody is accused, whatever they have in common. */
#include "trace_case.h"

#include "extract/extract.h"

/* --- what people fill in, and what stands in everybody's texts --- */

static const char contract[] = "Service agreement no. %s between %s (hereinafter the supplier) and the Hoshino works (hereinafter the customer).\n"
	"1. The supplier maintains the pressing line in hall %s and keeps spare parts in stock for all machines named in annex A.\n"
	"2. The remuneration amounts to %s yen per month and is due at the end of the month following delivery of the report.\n"
	"3. The supplier names %s as the person in charge and replaces that person only after consultation with the customer.\n"
	"4. This agreement begins on %s, runs for two years and is prolonged by one year unless notice is given in writing.\n"
	"Signed at the plant, %s";

static const char *instance(unsigned i)
{
	static const char *const suppliers[] = { "Kita Kogyo", "Minami Tooling", "Ehle und Sohn", "Brandt Maintenance", "Nordlys Service", "Okada Engineering" };
	static const char *const persons[] = { "K. Abe", "Joan Tree", "Ute Ehle", "B. Brandt", "Lars Holm", "M. Okada" };

	return case_text(contract, case_text("SA-%u", 1000 + 37 * i), suppliers[i % 6], case_text("%u", 3 + i), case_text("%u,000", 410 + 13 * i), persons[(i * 5) % 6],
		case_text("%u April 20%02u", 1 + i % 27, 10 + i % 13), case_text("%u March, %s", 2 + i % 26, persons[(i * 5 + 1) % 6]));
}

static const char form_ja[] = "出張旅費精算書\n申請者氏名%s所属部署%s\n以下のとおり出張に要した費用を精算いたしますので、領収書を添付のうえ提出します。\n出張先%s期間%s\n"
	"交通費の内訳は別紙のとおりであり、社用車を使用した場合は走行距離を併せて記入してください。\n合計金額%s円\n承認者は内容を確認のうえ、経理部門へ五営業日以内に回付するものとします。\n"
	"備考%s";

static const char *filled_ja(unsigned i)
{
	static const char *const names[] = { "佐藤一郎", "鈴木花子", "高橋健", "田中優子" }, *const places[] = { "大阪支店", "福岡工場", "札幌営業所", "名古屋本社" };

	return case_text(form_ja, names[i % 4], case_text("製造第%u課", i + 1), places[(i + 1) % 4], case_text("%u月%u日から", 1 + i % 12, 1 + i % 28),
		case_text("%u", 12400 + 311 * i), case_text("%s同行", names[(i + 2) % 4]));
}

static const char disclaimer[] = "\n\n--\nThis message and any attachments are confidential and intended solely for the addressee. If you have received this message in error, please notify the "
	"sender immediately and delete it. Any use, copying or distribution by others is prohibited. The company accepts no liability for damage caused by any virus.";

/* No phrase that is known, but at the end of all that this firm writes. */
static const char footer[] = "\n\nHoshino works, since 1921 at your side with presses, dies and everything around them. Visit the showroom in the old weaving mill on any working day "
	"between nine and five, coffee is ready and the machines are running. Our colleagues look forward to meeting you there.";

static const char law[] = "Article 12. The operator of an installation shall keep a register of all substances stored on the site and shall present it on request. Member States shall "
	"ensure that the competent authority inspects each installation at least once in two years and publishes a report of its findings.";

static const char licence[] = "/* Permission is hereby granted, free of charge, to any person obtaining a copy of this software and associated documentation files, to deal in the Software\n"
	" * without restriction. The software is provided as is, without warranty of any kind, express or implied. */\n";

static const char *source_file(unsigned i)
{
	return case_text("%s#include <errno.h>\n#include <fcntl.h>\n#include <stdbool.h>\n#include <stdio.h>\n#include <stdlib.h>\n#include <string.h>\n#include <unistd.h>\n\n"
		"static int parse_%s(const char *p, size_t n)\n{\n\tif (!p || n == 0)\n\t\treturn -EINVAL;\n\tfor (size_t i = 0; i < n; i++)\n\t\tif (p[i] == '%c')\n\t\t\treturn (int)i;\n"
		"\treturn -ENOENT;\n}\n\nint main(int argc, char **argv)\n{\n\tint r = parse_%s(argv[%u], strlen(argv[%u]));\n\n\tif (r < 0) {\n\t\tfprintf(stderr, \"%s: %%s\\n\", strerror(-r));\n"
		"\t\treturn EXIT_FAILURE;\n\t}\n\treturn EXIT_SUCCESS;\n}\n", licence, i % 2 ? "colon" : "slash", i % 2 ? ':' : '/', i % 2 ? "colon" : "slash", i + 1, i + 1, i % 2 ? "cut" : "way");
}

static const char *log_of(unsigned i)
{
	static const char *const what[] = { "INFO  scheduler: worker finished its queue and returns to the pool", "WARN  storage: volume is nearly full, removing old generations",
		"INFO  auth: session opened for service account of the press line", "ERROR gateway: upstream did not answer in time, trying the next one" };
	const char *all = "";
	unsigned x = i * 77 + 5;

	for (unsigned k = 0; k < 40; k++) {
		x = x * 1103515245u + 12345u;
		all = case_text("%s2026-0%u-%02u %02u:%02u:%02u.%03u %s id=%u\n", all, 1 + i % 9, 1 + k % 28, x >> 27, x >> 8 & 31, x >> 13 & 31, x >> 16 & 511, what[x >> 9 & 3], x >> 7);
	}
	return all;
}

/* --- each of them known from one document, from several, or from a public one --- */

static const char *mail(unsigned seed, const char *end)
{
	return case_text("%s%s", case_prose(4000 + seed, 700), end);
}

static const char *with_inside(unsigned seed, const char *inside)
{
	return case_text("%s\n\n%s\n\n%s", case_prose(5000 + seed, 900), inside, case_prose(6000 + seed, 800));
}

static const char *make(unsigned kind, unsigned i)
{
	switch (kind) {
	case 0: return instance(i);
	case 1: return filled_ja(i);
	case 2: return mail(i, disclaimer);
	case 3: return mail(i, footer);
	case 4: return with_inside(i, law);
	case 5: return source_file(i);
	case 6: return log_of(i);
	case 7: return case_text("%.*s", 420, instance(i) + 60 + 31 * i % 300);  /* a piece of a contract */
	case 8: return case_text("%s%s", licence, case_prose(7000 + i, 600));
	default: return case_text("%s\n\n%s%s", footer, case_prose(7100 + i, 500), disclaimer); /* letterhead and disclaimer */
	}
}

#define KINDS 10

static unsigned accused(unsigned known, const char *of)
{
	unsigned n = 0;

	for (unsigned kind = 0; kind < KINDS; kind++)
		for (unsigned i = 50; i < 58; i++) {
			const struct trace_result *r = case_trace_text(make(kind, i));

			if (getenv("TRACE_TEST_SHOW"))
				print_message("kind %u number %u: %s, %s\n", kind, i, case_said(r), r->n ? r->matches[0].why : "-");
			if (r->verdict < TRACE_SOURCE)
				continue;
			print_message("%s, %u known: kind %u number %u: %s, %s\n", of, known, kind, i, case_said(r), r->matches[0].why);
			n++;
		}
	return n;
}

static void none_is_accused(void **state, unsigned known)
{
	case_begin();
	for (unsigned i = 0; i < 4; i++)
		case_put_text(case_text("other-%u.txt", i), case_prose(i, 6000));
	for (unsigned kind = 0; kind < KINDS; kind++)
		for (unsigned i = 0; kind != 7 && i < known; i++)
			case_put_text(case_text("k%u-%u.txt", kind, i), make(kind, i));
	assert_int_equal(accused(known, "negatives"), 0);
	case_end();
}

static void only_one_is_known(void **state)
{
	none_is_accused(state, 1);
}

static void two_are_known(void **state)
{
	none_is_accused(state, 2);
}

static void many_are_known(void **state)
{
	none_is_accused(state, 9);
}

static void of_outside_origin(void **state)
{
	const struct trace_result *r;

	case_begin();
	case_put_text("essay.txt", case_prose(1, 5000));
	case_public("law.txt", case_prose(70, 8000));
	case_put_text("memo.txt", with_inside(3, case_text("%.*s", 900, case_prose(70, 8000) + 2000)));
	r = case_trace_text(case_text("%.*s", 900, case_prose(70, 8000) + 2000));
	assert_string_equal(trace_verdict_name(r->verdict), "shared");
	r = case_trace_text(case_prose(70, 8000));
	assert_string_equal(case_said(r), "shared law.txt");
	assert_true(r->matches[0].public);
	case_end();
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(only_one_is_known), cmocka_unit_test(two_are_known), cmocka_unit_test(many_are_known),
		cmocka_unit_test(of_outside_origin) };

	if (argc > 1 && strcmp(argv[1], EXTRACT_ROLE) == 0)
		return extract_worker_main(argc - 2, argv + 2);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
