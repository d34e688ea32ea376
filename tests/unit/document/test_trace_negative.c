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

static void nobody(const char *leak, const char *what)
{
	const struct trace_result *r = case_trace_text(leak);

	if (getenv("TRACE_TEST_SHOW"))
		print_message("%s: %s, %s\n", what, case_said(r), r->n ? r->matches[0].why : "-");
	if (r->verdict >= TRACE_SOURCE)
		fail_msg("%s: %s, %s", what, case_said(r), r->matches[0].why);
}

/* --- what is marked as public, held by one document --- */

static const char helpers[] = "static int gate_open(struct gate *self)\n{\n\tif (!self || !self->hinge)\n\t\treturn -EINVAL;\n\tmutex_lock(&self->hinge_lock);\n"
	"\tself->swing_count++;\n\tmutex_unlock(&self->hinge_lock);\n\treturn 0;\n}\n\nstatic int gate_latch(struct gate *self)\n{\n\tif (!self || !self->bolt)\n"
	"\t\treturn -ENODEV;\n\tmutex_lock(&self->bolt_lock);\n\tself->latch_count--;\n\tmutex_unlock(&self->bolt_lock);\n\treturn 0;\n}\n";

static const char *own_code(unsigned i)
{
	return case_text("static void weigh_%s(struct scale *self, int n)\n{\n\tfor (int i = 0; i < n; i++)\n\t\tself->%s += i * %u;\n}\n", i ? "grain" : "sand",
		i ? "sacks" : "buckets", 17 + 12 * i);
}

static void public_within(void **state)
{
	_cleanup_free_ char *statement = strdup(case_prose(71, 1500)), *act = strdup(case_prose(72, 4000)); /* longer than the ring of texts */

	case_begin();
	case_public("gate.c", helpers);
	case_put_text("scale.c", case_text("%s\n%s", own_code(0), helpers));
	case_public("statement.txt", statement);
	case_put_text("mail.txt", case_text("The samples arrive on monday, please book the small laboratory.\n\n%s", statement));
	case_public("act.txt", act);
	case_put_text("paper.txt", case_text("%s\n\n%.*s\n\n%s", case_prose(73, 300), 2500, act + 500, case_prose(74, 200)));
	nobody(case_text("%s\n%s", own_code(1), helpers), "program text");
	nobody(case_text("We cannot take part in the visit, the car is at the workshop.\n\n%s", statement), "a mail");
	nobody(case_text("%s\n\n%.*s", case_prose(75, 400), 1800, act + 800), "a paper");
	nobody(statement, "the same bytes");
	nobody(case_text("%s ", statement), "the same text");
	case_end();
}

/* --- a form of which one instance is known --- */

static const char *const labels[] = { "Name of applicant", "Plant", "Machine concerned", "Kind of damage", "Noticed by", "Noticed on", "Shift", "Cost centre",
	"Estimated cost", "Ordered at", "Expected return", "Replacement", "Consequences", "Released by" };

static const char *report_form(unsigned i)
{
	static const char *const filled[2][14] = {
		{ "Olga Brandt", "Kawasaki two", "press 14 with the long table", "the left rail has a crack of two fingers", "operator of the night shift", "3 March",
			"late", "4711", "820 euro", "tool shop", "in nine days", "press 9", "orders of two customers wait", "head of the line" },
		{ "Jun Hara", "Emden", "packing robot, the elder one", "gripper drops every third parcel on the floor", "a driver who was waiting", "30 October", "early", "0815",
			"12 euro and a bolt", "nobody, we had one", "repaired on the spot", "none", "a parcel for the museum is dented", "warehouse" } };
	_cleanup_buf_ struct buf b = BUF_INIT;

	buf_puts(&b, str_c("Report of a damage to machines and tools. Fill in all fields that concern your case; use a second sheet for drawings and photographs. Hand the "
		"report to the master of your shift on the same day, who keeps a copy in the yellow binder beside the notice board.\n"));
	for (size_t k = 0; k < ARRAY_SIZE(labels); k++)
		buf_putf(&b, "%zu. %s: %s\n", k + 1, labels[k], filled[i][k]);
	buf_puts(&b, str_c("Machines that have caused an injury are to be locked at once and may be started again only by the safety officer.\nDamages that recur within four weeks "
		"are reported to the plant manager, together with all earlier reports on the same machine.\nTools on loan from other plants are returned before they are "
		"repaired, unless both cost centres have agreed on something else in writing.\n"));
	return case_text("%s", buf_cstr(&b));
}

static void another_answer(void **state)
{
	_cleanup_free_ char *leak = strdup(report_form(1)), *same = strdup(report_form(0));

	case_begin();
	case_put_text("other.txt", case_prose(1, 6000));
	case_put_text("report.txt", report_form(0));
	nobody(leak, "the whole form");
	assert_true(case_trace_text(leak)->matches[0].variant);
	nobody(case_text("%.*s", (int)(strstr(leak, "9. Est") - leak), leak), "its first half");
	nobody(strstr(leak, "7. Shift"), "its second half");
	nobody(case_text("%.*s", 900, strstr(leak, "11. Exp")), "some fields and what is printed behind");
	/* This very report. */
	assert_string_equal(case_said(case_trace_text(case_text("%s ", same))), "source report.txt");
	assert_string_equal(case_said(case_trace_text(strstr(same, "7. Shift"))), "source report.txt");
	case_end();
}

/* --- much in common, little of their own --- */

static const char *short_mail(unsigned i, const char *end)
{
	static const char *const said[] = { "The meeting is at four.", "Thanks, the parts are here.", "Please call me about the drill.", "I am on leave until Thursday.",
		"See the second page.", "The price is fine for us.", "No news from the harbour.", "Could you bring the keys?", "It works again.", "He will not come today." };

	return case_text("%s\n\n%s", said[i], end);
}

static void short_mails(void **state)
{
	_cleanup_free_ char *end = strdup(case_prose(76, 1800));

	for (unsigned known = 2; known <= 8; known += 3) {
		case_begin();
		for (unsigned i = 0; i < known; i++)
			case_put_text(case_text("mail-%u.txt", i), short_mail(i, end));
		nobody(short_mail(9, end), "a mail");
		nobody(case_text("%s", end + 2), "what stands below all of them");
		nobody(case_text("%s\n\n%s", case_prose(77, 500), end), "a longer mail");
		case_end();
	}
}

static void papers_on_a_law(void **state)
{
	_cleanup_free_ char *act = strdup(case_prose(78, 6000));

	case_begin();
	for (unsigned i = 0; i < 6; i++) /* each quotes a long run of it; no two begin or end at the same place */
		case_put_text(case_text("paper-%u.txt", i), case_text("%s\n\n%.*s\n\n%s", case_prose(80 + i, 120), (int)(3000 + 150 * i), act + 300 * i, case_prose(90 + i, 100)));
	nobody(case_text("%s\n\n%.*s\n\n%s", case_prose(86, 150), 2000, act + 1500, case_prose(96, 150)), "another paper");
	nobody(case_text("%.*s", 1200, act + 1600), "the law alone");
	case_end();
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(only_one_is_known), cmocka_unit_test(two_are_known), cmocka_unit_test(many_are_known),
		cmocka_unit_test(of_outside_origin), cmocka_unit_test(public_within), cmocka_unit_test(another_answer), cmocka_unit_test(short_mails),
		cmocka_unit_test(papers_on_a_law) };

	if (argc > 1 && strcmp(argv[1], EXTRACT_ROLE) == 0)
		return extract_worker_main(argc - 2, argv + 2);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
