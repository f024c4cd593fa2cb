#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "config/config.h"
#include "delivery/classes.h"
#include "delivery/transcript.h"
#include "smtpd/dialogue.h"
#include "tests/unit/suite.h"

static void
start(void)
{
	char directory[] = "/tmp/smtpd-trouble.XXXXXX", path[64];
	FILE *main_cf;

	ck_assert_ptr_nonnull(mkdtemp(directory));
	snprintf(path, sizeof(path), "%s/main.cf", directory);
	main_cf = fopen(path, "w");
	ck_assert_ptr_nonnull(main_cf);
	fputs("compatibility_level = 3.6\nmyhostname = mail.example.org\n"
	    "notify_classes = data policy protocol resource software\n"
	    "inet_interfaces = 127.0.0.1\n", main_cf);
	fclose(main_cf);
	ck_assert_int_eq(config_load(directory, NULL), 0);
	unlink(path);
	rmdir(directory);
}

/* Whose trouble a reply tells of. */
static const struct {
	const char *reply;
	unsigned int class;
} rows[] = {
	{ "220 mail.example.org ESMTP\r\n", 0 },
	{ "250 2.1.0 Ok\r\n", 0 },
	{ "250-PIPELINING\r\n250 DSN\r\n", 0 },
	{ "354 End data with <CR><LF>.<CR><LF>\r\n", 0 },
	{ "221 2.0.0 Bye\r\n", 0 },
	{ "221 2.7.0 Error: I can break rules, too. Goodbye.\r\n", NOTIFY_PROTOCOL },
	{ "421 4.4.2 mail.example.org Error: timeout exceeded\r\n", 0 },
	{ "421 4.3.2 mail.example.org Service shutting down\r\n", 0 },
	{ "421 4.7.0 mail.example.org Error: too many errors\r\n", NOTIFY_POLICY },
	{ "500 5.5.2 Error: command not recognized\r\n", NOTIFY_PROTOCOL },
	{ "501 5.1.7 Bad sender address syntax\r\n", NOTIFY_PROTOCOL },
	{ "503 5.5.1 Error: need MAIL command\r\n", NOTIFY_PROTOCOL },
	{ "504 5.5.2 <x>: Helo command rejected: need fully-qualified hostname\r\n", NOTIFY_POLICY },
	{ "521 5.5.4 Syntax: BDAT count [LAST]\r\n", NOTIFY_PROTOCOL },
	{ "554 5.5.1 Error: no valid recipients\r\n", NOTIFY_PROTOCOL },
	{ "452 4.3.1 Insufficient system storage\r\n", NOTIFY_RESOURCE },
	{ "552 5.3.4 Error: message file too big\r\n", NOTIFY_POLICY },
	{ "451 4.3.0 Error: queue file write error\r\n", NOTIFY_SOFTWARE },
	{ "451 4.3.0 <x@y>: Temporary lookup failure\r\n", NOTIFY_DATA },
	{ "451 4.3.5 Server configuration error\r\n", NOTIFY_SOFTWARE },
	{ "451 4.6.0 Alias expansion error\r\n", NOTIFY_DATA },
	{ "550 5.1.1 <x@y>: Recipient address rejected: User unknown\r\n", NOTIFY_POLICY },
	{ "454 4.7.1 <x@y>: Relay access denied\r\n", NOTIFY_POLICY },
	{ "554 No service\r\n", NOTIFY_POLICY },
	{ "4", 0 },
};

START_TEST(a_reply_has_a_class)
{
	struct session session = { 0 };

	trouble_said(&session, rows[_i].reply, strlen(rows[_i].reply));
	ck_assert_uint_eq(session.trouble, rows[_i].class);
	session.trouble = 0;	/* nobody is told */
	trouble_end(&session);
	ck_assert_ptr_null(session.transcript);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("smtpd_trouble");
	TCase *all = tcase_create("all");

	tcase_add_checked_fixture(all, start, NULL);
	tcase_add_loop_test(all, a_reply_has_a_class, 0, COUNT_OF(rows));
	suite_add_tcase(suite, all);
	return run_suite(suite);
}
