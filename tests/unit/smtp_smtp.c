#include <check.h>
#include <string.h>

#include "base/base.h"
#include "smtp/smtp.h"
#include "tests/unit/suite.h"

#define ALL	(SMTP_HONOUR_SIZE | SMTP_HONOUR_8BITMIME | SMTP_HONOUR_DSN | SMTP_HONOUR_SMTPUTF8)

static const struct { const char *line, *verb, *argument; } commands[] = {
	{ "mail FROM:<a@b>", "MAIL", "FROM:<a@b>" },
	{ "  NOOP  x y  ", "NOOP", "x y" },
	{ "QUIT", "QUIT", "" },
	{ "", "", "" },
	{ "\t ", "", "" },
	{ "AVERYLONGVERBINDEED x", "", "x" },
};

START_TEST(splits_commands)
{
	struct smtp_command command;

	smtp_command_split(commands[_i].line, strlen(commands[_i].line), &command);
	ck_assert_str_eq(command.verb, commands[_i].verb);
	ck_assert_uint_eq(command.argument_length, strlen(commands[_i].argument));
	ck_assert_mem_eq(command.argument, commands[_i].argument,
	    command.argument_length);
}
END_TEST

static const struct {
	const char *argument, *complaint, *sender;
	long size;
	enum smtp_body body;
	enum smtp_ret ret;
	const char *envid;
} mails[] = {
	{ "FROM:<a@b.org>", NULL, "a@b.org", -1, 0, 0, "" },
	{ "from: <>  SIZE=10 body=8bitmime", NULL, "", 10, SMTP_BODY_8BITMIME, 0, "" },
	{ "FROM:<a@b.org> RET=HDRS ENVID=QQ+2B1 SMTPUTF8", NULL, "a@b.org", -1, 0, SMTP_RET_HDRS, "QQ+1" },
	{ "FROM:", "501 5.5.4 Syntax: MAIL FROM:<address>", NULL, 0, 0, 0, NULL },
	{ "TO:<a>", "501 5.5.4 Syntax: MAIL FROM:<address>", NULL, 0, 0, 0, NULL },
	{ "FROM:<a", "501 5.1.7 Bad sender address syntax", NULL, 0, 0, 0, NULL },
	{ "FROM:<a@b.org> SIZE=x", "501 5.5.4 Bad message size syntax", NULL, 0, 0, 0, NULL },
	{ "FROM:<a@b.org> SIZE=9999999999999999999", "552 5.3.4 Message size exceeds file system imposed limit", NULL, 0, 0, 0, NULL },
	{ "FROM:<a@b.org> RET=FULL RET=FULL", "501 5.5.4 Bad RET parameter syntax", NULL, 0, 0, 0, NULL },
	{ "FROM:<a@b.org> ENVID=+0A", "501 5.5.4 Bad ENVID parameter syntax", NULL, 0, 0, 0, NULL },
	{ "FROM:<a@b.org> ENVID=+0", "501 5.5.4 Bad ENVID parameter syntax", NULL, 0, 0, 0, NULL },
	{ "FROM:<a@b.org> SIZE", "555 5.5.4 Unsupported option: SIZE", NULL, 0, 0, 0, NULL },
	{ "FROM:<a@b.org> AUTH=<>", NULL, "a@b.org", -1, 0, 0, "" },
	{ "FROM:<a@b.org> BODY=BINARYMIME", "555 5.5.4 Unsupported option: BODY=BINARYMIME", NULL, 0, 0, 0, NULL },
	{ "FROM:<a@gr\303\274n.org>", "501 5.1.7 Bad sender address syntax", NULL, 0, 0, 0, NULL },
	{ "FROM:<a@gr\303\274n.org> SMTPUTF8", NULL, "a@gr\303\274n.org", -1, 0, 0, "" },
	{ "FROM:<gr\303\274n@b.org>", NULL, "gr\303\274n@b.org", -1, 0, 0, "" },
	{ "FROM:<a@b.org> X=1", "555 5.5.4 Unsupported option: X=1", NULL, 0, 0, 0, NULL },
	{ "FROM:<a@b.org> NOTIFY=NEVER", "555 5.5.4 Unsupported option: NOTIFY=NEVER", NULL, 0, 0, 0, NULL },
};

START_TEST(reads_mail)
{
	struct smtp_mail mail;
	struct text reply = TEXT_EMPTY;
	const char *complaint = smtp_mail_parse(mails[_i].argument,
	    strlen(mails[_i].argument), ALL, &mail, &reply);

	if (mails[_i].complaint != NULL) {
		ck_assert_ptr_nonnull(complaint);
		ck_assert_str_eq(complaint, mails[_i].complaint);
	} else {
		ck_assert_ptr_null(complaint);
		ck_assert_str_eq(mail.sender, mails[_i].sender);
		ck_assert_int_eq(mail.size, mails[_i].size);
		ck_assert_int_eq(mail.body, mails[_i].body);
		ck_assert_int_eq(mail.ret, mails[_i].ret);
		ck_assert_str_eq(mail.envid, mails[_i].envid);
	}
	text_clear(&reply);
}
END_TEST

static const struct { const char *argument; bool good; } framed[] = {
	{ "FROM:<a@b.org>", true },
	{ "FROM: <a@b.org>", true },	/* as many clients write it */
	{ "FROM:<>", true },
	{ "FROM:a@b.org", false },
	{ "FROM: a@b.org", false },
};

START_TEST(a_strict_path_stands_in_brackets)
{
	struct smtp_mail mail;
	struct text reply = TEXT_EMPTY;
	const char *complaint = smtp_mail_parse(framed[_i].argument,
	    strlen(framed[_i].argument), SMTP_STRICT_PATH, &mail, &reply);

	if (framed[_i].good)
		ck_assert_ptr_null(complaint);
	else
		ck_assert_str_eq(complaint, "501 5.1.7 Bad sender address syntax");
	text_clear(&reply);
}
END_TEST

static const struct {
	const char *argument, *complaint, *recipient;
	unsigned notify;
	const char *orcpt;
} rcpts[] = {
	{ "TO:<a@b.org>", NULL, "a@b.org", 0, "" },
	{ "TO:<a@b.org> NOTIFY=success,DELAY ORCPT=rfc822;x+40y.org", NULL, "a@b.org",
	    SMTP_NOTIFY_SUCCESS | SMTP_NOTIFY_DELAY, "rfc822;x@y.org" },
	{ "TO:<>", "501 5.1.3 Bad recipient address syntax", NULL, 0, NULL },
	{ "TO:<user@127.0.0.1>", "501 5.1.3 Bad recipient address syntax", NULL, 0, NULL },
	{ "<a@b.org>", "501 5.5.4 Syntax: RCPT TO:<address>", NULL, 0, NULL },
	{ "TO:<a@b.org> NOTIFY=NEVER,DELAY", "501 5.5.4 Error: Bad NOTIFY parameter syntax", NULL, 0, NULL },
	{ "TO:<a@b.org> NOTIFY=", "501 5.5.4 Error: Bad NOTIFY parameter syntax", NULL, 0, NULL },
	{ "TO:<a@b.org> NOTIFY=DELAY,", "501 5.5.4 Error: Bad NOTIFY parameter syntax", NULL, 0, NULL },
	{ "TO:<a@b.org> ORCPT=x", "501 5.5.4 Error: Bad ORCPT parameter syntax", NULL, 0, NULL },
	{ "TO:<a@b.org> ORCPT=rfc822;", "501 5.5.4 Error: Bad ORCPT parameter syntax", NULL, 0, NULL },
	{ "TO:<a@b.org> ORCPT=rfc822;a+0Db", "501 5.5.4 Error: Bad ORCPT parameter syntax", NULL, 0, NULL },
	{ "TO:<a@b.org> SIZE=1", "555 5.5.4 Unsupported option: SIZE=1", NULL, 0, NULL },
};

START_TEST(reads_rcpt)
{
	struct smtp_rcpt rcpt;
	struct text reply = TEXT_EMPTY;
	const char *complaint = smtp_rcpt_parse(rcpts[_i].argument,
	    strlen(rcpts[_i].argument), ALL, &rcpt, &reply);

	if (rcpts[_i].complaint != NULL) {
		ck_assert_ptr_nonnull(complaint);
		ck_assert_str_eq(complaint, rcpts[_i].complaint);
	} else {
		ck_assert_ptr_null(complaint);
		ck_assert_str_eq(rcpt.recipient, rcpts[_i].recipient);
		ck_assert_uint_eq(rcpt.notify, rcpts[_i].notify);
		ck_assert_str_eq(rcpt.orcpt, rcpts[_i].orcpt);
	}
	text_clear(&reply);
}
END_TEST

static const struct {
	const char *bytes;
	enum smtp_reply_progress progress;
	int code;
	const char *status, *text, *rest;
} replies[] = {
	{ "250 2.1.0 Ok\r\n354 go\r\n", SMTP_REPLY_WHOLE, 250, "2.1.0", "250 2.1.0 Ok", "354 go\r\n" },
	{ "250-x.org\r\n250-SIZE 10\r\n250 DSN\r\n", SMTP_REPLY_WHOLE, 250, "", "250-x.org\n250-SIZE 10\n250 DSN", "" },
	{ "550\r\n", SMTP_REPLY_WHOLE, 550, "", "550", "" },
	{ "550 a\001\n", SMTP_REPLY_WHOLE, 550, "", "550 a?", "" },
	{ "550 4.1.1 liar\r\n", SMTP_REPLY_WHOLE, 550, "", "550 4.1.1 liar", "" },
	{ "550-a\r\n551 b\r\n", SMTP_REPLY_BROKEN, 550, "", NULL, "" },
	{ "25\r\n", SMTP_REPLY_BROKEN, 0, "", NULL, "" },
	{ "000 x\r\n", SMTP_REPLY_BROKEN, 0, "", NULL, "" },
	{ "hello\r\n", SMTP_REPLY_BROKEN, 0, "", NULL, "" },
	{ "\r\n", SMTP_REPLY_BROKEN, 0, "", NULL, "" },
	{ "250-a\r\n250", SMTP_REPLY_MORE, 250, "", NULL, "" },
};

START_TEST(reads_replies)
{
	struct smtp_reply reply = { 0 };
	size_t length = strlen(replies[_i].bytes), at = 0;

	while (at < length && reply.progress == SMTP_REPLY_MORE)
		at += smtp_reply_read(&reply, replies[_i].bytes + at, 1);
	ck_assert_int_eq(reply.progress, replies[_i].progress);
	ck_assert_int_eq(reply.code, replies[_i].code);
	ck_assert_str_eq(reply.status, replies[_i].status);
	if (replies[_i].text != NULL)
		ck_assert_str_eq(text_string(&reply.text), replies[_i].text);
	ck_assert_str_eq(replies[_i].bytes + at, replies[_i].rest);
	smtp_reply_clear(&reply);
}
END_TEST

START_TEST(endless_replies_are_broken)
{
	struct smtp_reply reply = { 0 };

	for (int i = 0; i < 200 && reply.progress == SMTP_REPLY_MORE; i++)
		smtp_reply_read(&reply, "250-x\r\n", 7);
	ck_assert_int_eq(reply.progress, SMTP_REPLY_BROKEN);
	smtp_reply_reset(&reply);
	smtp_reply_read(&reply, "250 ", 4);
	for (int i = 0; i < 10000 && reply.progress == SMTP_REPLY_MORE; i++)
		smtp_reply_read(&reply, "x", 1);
	ck_assert_int_eq(reply.progress, SMTP_REPLY_BROKEN);
	ck_assert_uint_le(reply.text.length, SMTP_REPLY_LINE_MAX);
	smtp_reply_clear(&reply);
}
END_TEST

static const struct { const char *text, *wire; } written[] = {
	{ "250 2.1.0 Ok", "250 2.1.0 Ok\r\n" },
	{ "250 x\nSIZE 1\nDSN", "250-x\r\n250-SIZE 1\r\n250 DSN\r\n" },
	{ "550 5.1.1 no\nreally", "550-5.1.1 no\r\n550 5.1.1 really\r\n" },
	{ "550 a\rb\001", "550 a?b?\r\n" },
};

START_TEST(writes_replies)
{
	struct text out = TEXT_EMPTY;

	smtp_reply_write(&out, written[_i].text);
	ck_assert_str_eq(text_string(&out), written[_i].wire);
	text_clear(&out);
}
END_TEST

static const struct { const char *text, *status; } statuses[] = {
	{ "5.1.1 User", "5.1.1" }, { "4.7.25", "4.7.25" }, { "2.0.0\r", "2.0.0" },
	{ "3.1.1 x", "" }, { "5.1 x", "" }, { "5.1.1x", "" }, { "5.1234.1", "" },
	{ "5.1.", "" }, { "", "" },
};

START_TEST(reads_statuses)
{
	char status[SMTP_STATUS_SIZE];

	ck_assert_uint_eq(smtp_status_parse(statuses[_i].text,
	    strlen(statuses[_i].text), status), strlen(statuses[_i].status));
	ck_assert_str_eq(status, statuses[_i].status);
}
END_TEST

/* An address of type utf-8: as it may come, as it is, as we say it (NULL: it is refused). */
static const struct {
	const char *text, *address, *said;
} utf8_addresses[] = {
	{ "a@x.org", "a@x.org", "a@x.org" },
	{ "\\x{E5}sa@x.org", "\xc3\xa5sa@x.org", "\\x{E5}sa@x.org" },
	{ "\xc3\xa5sa@x.org", "\xc3\xa5sa@x.org", "\\x{E5}sa@x.org" },
	{ "a\\x{2B}b\\x{3D}\\x{5C}@x", "a+b=\\@x", "a\\x{2B}b\\x{3D}\\x{5C}@x" },
	{ "\\x{1F600}", "\xf0\x9f\x98\x80", "\\x{1F600}" },
	{ "a+b", NULL, NULL }, { "a=b", NULL, NULL }, { "\\x{0A}", NULL, NULL },
	{ "\\x{}", NULL, NULL }, { "\\x{E5", NULL, NULL }, { "\\y", NULL, NULL },
	{ "\\x{D800}", NULL, NULL }, { "\\x{110000}", NULL, NULL },
	{ "\xc3", NULL, NULL }, { "\\x{1234567}", NULL, NULL },
};

START_TEST(utf8_xtext)
{
	struct text out = TEXT_EMPTY;
	char back[64];
	const char *text = utf8_addresses[_i].text;
	int result = smtp_utf8_xtext_decode(text, strlen(text), back,
	    sizeof(back));

	ck_assert_int_eq(result, utf8_addresses[_i].address != NULL ? 0 : -1);
	if (result == 0) {
		ck_assert_str_eq(back, utf8_addresses[_i].address);
		smtp_utf8_xtext_encode(&out, back);
		ck_assert_str_eq(text_string(&out), utf8_addresses[_i].said);
		text_clear(&out);
	}
}
END_TEST

START_TEST(xtext_goes_round)
{
	struct text out = TEXT_EMPTY;
	char back[64];

	smtp_xtext_encode(&out, "a+b=c d@x.org");
	ck_assert_str_eq(text_string(&out), "a+2Bb+3Dc+20d@x.org");
	ck_assert_int_eq(smtp_xtext_decode(out.bytes, out.length, back,
	    sizeof(back)), 0);
	ck_assert_str_eq(back, "a+b=c d@x.org");
	text_clear(&out);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("smtp");
	TCase *tcase = tcase_create("smtp");

	tcase_add_loop_test(tcase, splits_commands, 0, COUNT_OF(commands));
	tcase_add_loop_test(tcase, reads_mail, 0, COUNT_OF(mails));
	tcase_add_loop_test(tcase, a_strict_path_stands_in_brackets, 0,
	    COUNT_OF(framed));
	tcase_add_loop_test(tcase, reads_rcpt, 0, COUNT_OF(rcpts));
	tcase_add_loop_test(tcase, reads_replies, 0, COUNT_OF(replies));
	tcase_add_test(tcase, endless_replies_are_broken);
	tcase_add_loop_test(tcase, writes_replies, 0, COUNT_OF(written));
	tcase_add_loop_test(tcase, reads_statuses, 0, COUNT_OF(statuses));
	tcase_add_test(tcase, xtext_goes_round);
	tcase_add_loop_test(tcase, utf8_xtext, 0,
	    (int)(sizeof(utf8_addresses) / sizeof(utf8_addresses[0])));
	suite_add_tcase(suite, tcase);
	return run_suite(suite);
}
