/* Mails and files of them: names and words in their charsets, bodies that say the same twice, parts, what is encrypted, and mails made to cost much. */
#include "fixture.h"

#include "extract/formats/mail.h"
#include "extract/formats/mail_header.h"

#define SECRET "\xe7\xa4\xbe\xe5\xa4\x96\xe7\xa7\x98"
#define HEAD "From: Sales <sales@x.example>\r\nTo: \"Clerk, A\" <clerk@x.example>, b@x.example\r\nSubject: offer\r\nDate: Tue, 5 Mar 2024 06:07:08 +0900\r\n"

static const char *mail(const char *s)
{
	return dump("a.eml", str_c(s));
}

static void test_header(void **state)
{
	const char *d = mail("From: =?ISO-2022-JP?B?GyRCPFIzMBsoQg==?= <a@x.example>\r\nTo: =?utf-8?Q?K=C3=B6ln?=\r\n <b@x.example>, \"C, D\" <c@x.example>;\r\n"
			     "Cc: (a, comment) d@x.example\r\nSubject: =?utf-8?B?56S+?= =?utf-8?B?5aQ=?=\r\n =?utf-8?B?lg==?= and =?x-unknown?Q?=41?= =?broken\r\n"
			     "Date: Tue, 5 Mar 2024 06:07:08 +0900\r\nMessage-ID: <1@x.example>\r\nSensitivity: Company-Confidential\r\n"
			     "msip_labels: MSIP_Label_0a1b2c3d-0000-4111-8222-333344445555_Enabled=True;\r\n MSIP_Label_0a1b2c3d-0000-4111-8222-333344445555_Name=Secret;\r\n\r\nbody\r\n");

	assert_has(d, "part \"\" message/rfc822");
	assert_has(d, " address 1: \xe7\xa4\xbe\xe5\xa4\x96 <a@x.example>\n address 2: K\xc3\xb6ln <b@x.example>\n address 3: \"C, D\" <c@x.example>\n");
	assert_has(d, " address 4: (a, comment) d@x.example\n");
	assert_has(d, " title 5: \xe7\xa4\xbe\xe5\xa4\x96 and A =?broken\n");
	assert_has(d, " address 6: Tue, 5 Mar 2024 06:07:08 +0900\n body 7: body\n");
	assert_has(d, " meta created: 2024-03-05T06:07:08+09:00\n");
	assert_has(d, " meta header:sensitivity: Company-Confidential\n");
	assert_has(d, " meta author: \xe7\xa4\xbe\xe5\xa4\x96 <a@x.example>\n");
	assert_has(d, " label 4 on 0a1b2c3d-0000-4111-8222-333344445555 Secret\n");
}

/* Words in whose middle a character is cut, in charsets of two bytes, and bytes that nobody declared. */
static void test_charsets(void **state)
{
	assert_has(mail("Subject: =?shift_jis?B?jtCK?= =?shift_jis?B?T5Tp?=\nFrom: a@x.example\n\nx\n"), ": " SECRET "\n");
	assert_has(mail("Subject: =?EUC-JP?Q?=BC=D2=B3=B0=C8=EB?=\nFrom: a@x.example\n\nx\n"), ": " SECRET "\n");
	assert_has(mail("Subject: " SECRET "\nFrom: a@x.example\n\nx\n"), ": " SECRET "\n");
	assert_has(mail("Subject: x\nFrom: a@x.example\nContent-Type: text/plain; charset=iso-2022-jp\nContent-Transfer-Encoding: 7bit\n\n\x1b$B<R30Hk\x1b(B\n"), ": " SECRET "\n");
	assert_has(mail("Subject: x\nFrom: a@x.example\n\n\x1b$B<R30Hk\x1b(B\n"), ": " SECRET "\n");
	assert_has(mail("Subject: x\nFrom: a@x.example\nContent-Type: text/plain; charset=\"shift_jis\"\nContent-Transfer-Encoding: base64\n\njtCKT5Tp\n"), ": " SECRET "\n");
	assert_has(mail("Subject: x\nFrom: a@x.example\nContent-Type: text/plain; charset=cp932\nContent-Transfer-Encoding: quoted-printable\n\n=8E=D0=8AO=94=\n=E9\n"),
		": " SECRET "\n");
	assert_has(mail("Subject: x\nFrom: a@x.example\nContent-Type: text/plain; charset=iso-8859-1\n\nK\xf6ln\n"), ": K\xc3\xb6ln\n");
	assert_has(mail("Subject: x\nFrom: a@x.example\nContent-Type: text/plain; charset=iso-8859-1\n\n" SECRET "\n"), ": " SECRET "\n");
	assert_has(mail("Subject: x\nFrom: a@x.example\nContent-Type: text/html; charset=utf-7\n\n<p>+eT5ZFnnY-</p>\n"), ": " SECRET "\n");
}

static void test_flowed(void **state)
{
	const char *d = mail("From: a@x.example\nSubject: s\nContent-Type: text/plain; format=flowed; delsp=no\n\nOne long \nparagraph.\nnext\n\n> quoted \n> text\n>> deeper\n-- \nname\n");

	assert_has(d, ": One long paragraph.\nnext\n");
	assert_has(d, ": >quoted text\n>>deeper\n-- \nname\n");
	d = mail("From: a@x.example\nSubject: s\nContent-Type: text/plain; format=Flowed; DelSp=yes\n\n\xe7\xa4\xbe \n\xe5\xa4\x96 \n\xe7\xa7\x98\n");
	assert_has(d, ": " SECRET "\n");
}

#define ALTERNATIVE(plain, html)                                                                                               \
	HEAD "MIME-Version: 1.0\r\nContent-Type: multipart/alternative; boundary=\"=_b\"\r\n\r\npreamble\r\n--=_b\r\n"        \
	     "Content-Type: text/plain; charset=utf-8\r\n\r\n" plain "\r\n--=_b\r\nContent-Type: text/html; charset=utf-8\r\n" \
	     "Content-Transfer-Encoding: quoted-printable\r\n\r\n" html "\r\n--=_b--\r\nepilogue\r\n"

static void test_alternative(void **state)
{
	const char *d = mail(ALTERNATIVE("The offer is about *forty* units at the usual price.", "<p>The offer is about <b>forty</b> units at the=\r\n usual price.</p>"));

	assert_has(d, " body 6: The offer is about forty units at the usual price.\n");
	assert_has_not(d, "*forty*");
	assert_has_not(d, "preamble");
	d = mail(ALTERNATIVE("Quite another text stands in this part.", "<table><tr><td>cell</td></tr></table>"));
	assert_has(d, ": Quite another text stands in this part.\n");
	assert_has(d, " cell t1 r1 c1: cell\n");
	assert_true(mail_differs(STR("short"), STR("other")));
	assert_false(mail_differs(STR("Short!"), STR("a short one")));
	assert_false(mail_differs(STR(" \n"), STR("")));
}

static void test_attachments(void **state)
{
	const char *d = mail(HEAD "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\nsee these\r\n"
				  "--b\r\nContent-Type: text/csv; name=\"=?utf-8?B?56S+5aSW56eY?=.csv\"\r\nContent-Transfer-Encoding: base64\r\n\r\nYSxiDQoxLDINCg==\r\n"
				  "--b\r\nContent-Type: application/octet-stream\r\nContent-Disposition: attachment; filename*0*=iso-8859-1'de'K%F6ln;\r\n"
				  " filename*1=\" plan.txt\"\r\n\r\nwords\r\n"
				  "--b\r\nContent-Type: text/calendar; method=REQUEST; charset=utf-8\r\n\r\nBEGIN:VCALENDAR\r\nSUMMARY:Review\r\nEND:VCALENDAR\r\n"
				  "--b\r\nContent-Type: text/x-vcard\r\n\r\nBEGIN:VCARD\r\nTEL:1\r\nEND:VCARD\r\n"
				  "--b\r\nContent-Type: image/png\r\nContent-ID: <1>\r\nContent-Transfer-Encoding: base64\r\n\r\niVBORw0KGgo=\r\n"
				  "--b\r\nContent-Type: application/pgp-signature\r\n\r\nnothing\r\n--b--\r\n");

	assert_has(d, "part \"" SECRET ".csv\" text/csv 10 bytes\n cell t1 r1 c1: a\n");
	assert_has(d, "part \"K\xc3\xb6ln plan.txt\" text/plain 5 bytes\n body 1: words\n");
	assert_has(d, "part \"invitation-5.ics\" text/");
	assert_has(d, "SUMMARY:Review");
	assert_has(d, "part \"contact-6.vcf\" text/");
	assert_has(d, " body 6: see these\n");
	assert_has(d, " image 0x0\n");
	assert_has_not(d, "nothing");
}

static void test_nested(void **state)
{
	const char *d = mail(HEAD "Content-Type: multipart/mixed; boundary=b\n\n--b\n\nouter\n--b\nContent-Type: message/rfc822\n\nSubject: inner\nFrom: i@x.example\n"
				  "Content-Type: multipart/mixed; boundary=c\n\n--c\n\ninner body\n--c\nContent-Disposition: attachment; filename=a.txt\n\ndeepest\n--c--\n--b--\n");

	assert_has(d, "part \"message-3.eml!/a.txt\" text/plain");
	assert_has(d, ": deepest");
	assert_has(d, "part \"message-3.eml\" message/rfc822");
	assert_has(d, " title 1: inner\n");
	assert_has(d, ": inner body\n");
	assert_has(d, ": outer\n");
	d = mail(HEAD "Content-Type: multipart/report; boundary=b\n\n--b\n\nnot delivered\n--b\nContent-Type: message/delivery-status\n\nFinal-Recipient: x@x.example\n--b--\n");
	assert_has(d, ": not delivered\n");
	assert_has(d, "Final-Recipient: x@x.example");
}

static void test_encrypted(void **state)
{
	const char *d = mail(HEAD "Content-Type: application/pkcs7-mime; smime-type=enveloped-data; name=smime.p7m\r\nContent-Transfer-Encoding: base64\r\n\r\nMIAGCSqGSIb3DQEHA6CA\r\n");

	assert_has(d, "part \"smime.p7m\"");
	assert_has(d, " error: encrypted (encrypted with S/MIME)\n");
	assert_has(d, " title 4: offer\n");
	d = mail(HEAD "Content-Type: multipart/encrypted; protocol=\"application/pgp-encrypted\"; boundary=b\r\n\r\n--b\r\nContent-Type: application/pgp-encrypted\r\n\r\n"
		      "Version: 1\r\n--b\r\nContent-Type: application/octet-stream\r\n\r\n-----BEGIN PGP MESSAGE-----\r\nx\r\n--b--\r\n");
	assert_has(d, "part \"encrypted\"");
	assert_has(d, " error: encrypted (encrypted with OpenPGP)\n");
	d = mail(HEAD "\r\nhello\r\n\r\n-----BEGIN PGP MESSAGE-----\r\n\r\nxx\r\n-----END PGP MESSAGE-----\r\n");
	assert_has(d, " error: encrypted (encrypted with OpenPGP inside the text)\n");
	assert_has(d, ": hello\n");
}

static void test_mhtml(void **state)
{
	const char *d = dump("page.mht", STR("From: <Saved by a browser>\nSubject: =?utf-8?Q?page?=\nMIME-Version: 1.0\nContent-Type: multipart/related; type=\"text/html\"; boundary=b\n\n"
		"--b\nContent-Type: text/html; charset=\"shift_jis\"\nContent-Location: http://x.example/\n\n<html><title>t</title><p>\x8e\xd0</p></html>\n"
		"--b\nContent-Type: text/css\n\np { no }\n--b\nContent-Type: image/png\nContent-Transfer-Encoding: base64\nContent-Location: a.png\n\niVBORw0KGgo=\n--b--\n"));

	assert_has(d, ": \xe7\xa4\xbe\n");
	assert_has(d, " image ");
	assert_has_not(d, "{ no }");
}

static void test_mbox(void **state)
{
	const char *d = dump("box", STR("From a@x.example Tue Mar  5 06:07:08 2024\nFrom: a@x.example\nSubject: first\n\nbody one\nFrom here on it is prose\n>From quoted\n>>From twice\n\n"
		"From b@x.example Tue Mar  5 06:07:09 2024\nFrom: b@x.example\nSubject: second\n\nbody two\n\nFrom c Tue Mar  5 06:07:09 2024\n\nno header\n"));

	assert_has(d, "part \"message-0001.eml\" message/rfc822");
	assert_has(d, " title 2: first\n");
	assert_has(d, ": body one\nFrom here on it is prose\nFrom quoted\n>From twice\n");
	assert_has(d, "part \"message-0002.eml\" message/rfc822");
	assert_has(d, ": body two\n");
	assert_has(d, "part \"message-0003.eml\"");
	assert_has(d, ": no header\n");
	assert_has(d, "part \"\" application/mbox");
	assert_has_not(d, "message-0004");
}

/* Longer than what is read at once; mails across every edge. */
static void test_mbox_large(void **state)
{
	_cleanup_buf_ struct buf b = BUF_INIT;
	const char *d;

	for (int i = 1; i <= 300; i++) {
		buf_putf(&b, "From a Tue Mar  5 06:07:08 2024\nFrom: a@x.example\nSubject: s%d\n\n", i);
		for (int k = 0; k < 500 + i; k++)
			buf_putf(&b, "line %d of mail %d\n", k, i);
		buf_putf(&b, "end%d\n\n", i);
	}
	assert_true(b.n > 3 << 20);
	d = dump("a.mbox", buf_str(&b));
	for (int i = 1; i <= 300; i++) {
		char want[64];

		snprintf(want, sizeof(want), ": s%d\n", i);
		assert_has(d, want);
		snprintf(want, sizeof(want), "\nend%d\n meta", i);
		assert_has(d, want);
	}
	assert_has(d, "message-0300.eml");
	assert_has_not(d, "message-0301.eml");
}

/* A mailbox of years: every mail of it, more than a small container may have. */
static void test_mbox_many(void **state)
{
	struct extract_limits l = extract_limits_default;
	_cleanup_buf_ struct buf b = BUF_INIT;
	unsigned n = PART_COUNT_SMALL + 2500;
	char last[32];
	const char *d;

	for (unsigned i = 1; i <= n; i++)
		buf_putf(&b, "From a Tue Mar  5 06:07:08 2024\nFrom: clerk@x.example\nTo: sales@x.example\nMessage-ID: <%u@x.example>\nSubject: order %u\n\n%0200u\n\n",
			i, i, i);
	assert_true(b.n / PART_BYTES >= n);
	l.deadline_ms = 120000;
	d = dump_with(&l, OCR_NEVER, "years.mbox", buf_str(&b));
	snprintf(last, sizeof(last), ": order %u\n", n);
	assert_has(d, "message-10001.eml");
	assert_has(d, last);
	assert_has_not(d, " error: ");
}

static void test_broken(void **state)
{
	assert_has(mail(HEAD "Content-Type: multipart/mixed; boundary=b\n\n--b\n\ncut off"), ": cut off\n");
	assert_has(mail(HEAD "Content-Type: multipart/mixed; boundary=b\n\nno boundary at all\n"), "no boundary at all\n");
	assert_has(mail(HEAD "Content-Type: multipart/mixed\n\nnor a name of one\n"), "nor a name of one\n");
	assert_has(mail(HEAD "Content-Transfer-Encoding: base64\n\nYWJj!!ZGVm\n"), ": abcdef\n");
	assert_has(mail(HEAD "Content-Type: text/plain; charset=no-such\n\nplain words\n"), ": plain words\n");
	assert_has(mail(HEAD "Content-Type: ;;;=\"\n\nplain words\n"), "plain words\n");
	assert_has(mail("Subject: only\n"), ": only\n");
	assert_has(dump("note.txt", STR("Dear all: this is\nFrom: here\nno mail\n")), "text/plain");
	assert_has(dump("note", STR("Subject: a mail\nFrom: a@x.example\n\nx\n")), "message/rfc822");
}

static void test_params(void **state)
{
	_cleanup_buf_ struct buf b = BUF_INIT;

	assert_true(mail_header_param(STR("a/b; x=\"y;filename=no\"; FileName = \"q\\\"x\\\\.txt\" ; z"), "filename", &b));
	assert_true(str_eq(buf_str(&b), STR("q\"x\\.txt")));
	assert_false(mail_header_param(STR("a/b; filenames=x"), "filename", &b));
	assert_false(mail_header_param(STR("a/b; x=\"never closed"), "filename", &b));
	assert_false(mail_header_param(STR_NONE, "filename", &b));
	assert_int_equal(mail_fields(STR("From: a\nSubject: b\n c\n\nTo: x\n")), 2);
	assert_int_equal(mail_fields(STR("From: a\nno field\nSubject: b\n")), 0);
}

static void test_hostile(void **state)
{
	static const struct {
		const char *first, *again;
		size_t n;
		const char *last, *want;
	} mails[] = {
		{ HEAD, "Content-Type: multipart/mixed; boundary=b\n\n--b\n", 10000, "\nx\n", ": offer\n" },
		{ HEAD, "Content-Type: message/rfc822\n\nSubject: in\n", 10000, "\nx\n", "nested too deeply" },
		{ HEAD "Content-Type: multipart/mixed; boundary=b\n\n", "--b\n\nx\n", 150000, "--b--\n", "more than 100,000 parts" },
		{ HEAD, "X: y\n", 1500000, "\nx\n", "its header is longer" },
		{ HEAD "Cc: ", "a@x.example, ", 100000, "\n\nMARK\n", ": MARK\n" },
		{ HEAD "Subject: ", "=?", 500000, "\n\nMARK\n", ": MARK\n" },
		{ HEAD "Subject: ", "=?utf-8?Q?a?= ", 100000, "\n\nMARK\n", ": MARK\n" },
		{ HEAD "Content-Type: text/plain; ", "name*0*=x; ", 100000, "\n\nMARK\n", "MARK" },
		{ HEAD "\n", "x", 20000000, "MARK\n", "MARK\n" },
		{ HEAD "\n", "From ", 2000000, "\nMARK\n", "MARK\n" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(mails); i++) {
		struct extract_limits l = extract_limits_default;
		_cleanup_buf_ struct buf b = BUF_INIT;

		l.deadline_ms = 15000;
		buf_puts(&b, str_c(mails[i].first));
		for (size_t k = 0; k < mails[i].n; k++)
			buf_puts(&b, str_c(mails[i].again));
		buf_puts(&b, str_c(mails[i].last));
		assert_has(dump_with(&l, OCR_NEVER, "a.eml", buf_str(&b)), mails[i].want);
	}
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(test_header), cmocka_unit_test(test_charsets), cmocka_unit_test(test_flowed), cmocka_unit_test(test_alternative),
	cmocka_unit_test(test_attachments), cmocka_unit_test(test_nested), cmocka_unit_test(test_encrypted), cmocka_unit_test(test_mhtml),
	cmocka_unit_test(test_mbox), cmocka_unit_test(test_mbox_large), cmocka_unit_test(test_mbox_many), cmocka_unit_test(test_broken), cmocka_unit_test(test_params),
	cmocka_unit_test(test_hostile),
};
EXTRACT_TEST_MAIN(tests)
