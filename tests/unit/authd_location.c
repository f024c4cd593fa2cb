#include <check.h>
#include <stdlib.h>

#include "authd/authd.h"
#include "base/base.h"
#include "tests/unit/suite.h"

static const struct { const char *location, *user, *home, *path; } locations[] = {
	{ "maildir:~/Maildir", "ada", "/home/ada", "/home/ada/Maildir" },
	{ "maildir:/var/mail/%u/Maildir", "ada@x.org", NULL, "/var/mail/ada@x.org/Maildir" },
	{ "maildir:/m/%d/%n:INBOX=/x", "ada@x.org", NULL, "/m/x.org/ada" },
	{ "maildir:/m/%1n/%n", "ada", NULL, "/m/a/ada" },
	{ "maildir:%h", "ada", "/mail/ada", "/mail/ada" },
	{ "maildir:%h", "ada", NULL, NULL },
	{ "maildir:~", "ada", NULL, NULL },
	{ "maildir:100%%", "ada", NULL, NULL },
	{ "/m/100%%", "ada", NULL, "/m/100%" },
	{ "/m/%x", "ada", NULL, NULL },
	{ "/m/%", "ada", NULL, NULL },
	{ "mbox:~/mail", "ada", "/home/ada", NULL },
};

START_TEST(where_a_mailbox_is)
{
	struct text path = TEXT_EMPTY;
	const char *wrong = location_expand(locations[_i].location,
	    locations[_i].user, locations[_i].home, &path);

	ck_assert_int_eq(wrong == NULL, locations[_i].path != NULL);
	if (wrong == NULL)
		ck_assert_str_eq(text_string(&path), locations[_i].path);
	text_clear(&path);
}
END_TEST

static const struct { const char *address, *networks; bool is_in; } networks[] = {
	{ "127.0.0.1", "127.0.0.0/8", true },
	{ "128.0.0.1", "127.0.0.0/8,::1", false },
	{ "::1", "127.0.0.0/8,::1", true },
	{ "10.1.2.3", "10.1.2.3", true },
	{ "10.1.2.3", "10.1.2.0/23 192.168.0.0/16", true },
	{ "10.1.4.3", "10.1.2.0/23", false },
	{ "2001:db8::1", "2001:db8::/32", true },
	{ "2001:db9::1", "2001:db8::/32", false },
	{ "10.1.2.3", "0.0.0.0/0", true },
	{ "::1", "0.0.0.0/0", false },
	{ "10.1.2.3", "10.1.2.3/33", false },
	{ "10.1.2.3", "nonsense", false },
	{ "nonsense", "0.0.0.0/0", false },
};

START_TEST(which_addresses_are_meant)
{
	ck_assert_int_eq(address_in_networks(networks[_i].address,
	    networks[_i].networks), networks[_i].is_in);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("authd");
	TCase *tcase = tcase_create("authd");

	tcase_add_loop_test(tcase, where_a_mailbox_is, 0, COUNT_OF(locations));
	tcase_add_loop_test(tcase, which_addresses_are_meant, 0, COUNT_OF(networks));
	suite_add_tcase(suite, tcase);
	return run_suite(suite);
}
