#include <arpa/inet.h>
#include <check.h>

#include "config/config.h"
#include "smtpd/screen/screen.h"
#include "tests/unit/suite.h"

static const char sites[] = "bl.example=127.0.0.[2..11]*2, bl.example=127.0.0.4 "
    "other.example, allow.example=127.0.[0..255].[1..3]*-4, BL.example=127.0.0.[10;20]*5";

/* In the order of the list; the second bl.example is no domain of its own. */
enum { BL, OTHER, ALLOW };

static const struct {
	int domain;
	const char *answers[3];
	int total, heaviest;
} rows[] = {
	{ BL, { "127.0.0.2" }, 2, 2 },
	{ BL, { "127.0.0.4" }, 3, 2 },			/* two rows */
	{ BL, { "127.0.0.4", "127.0.0.3" }, 3, 2 },	/* a row counts once */
	{ BL, { "127.0.0.10" }, 7, 5 },
	{ BL, { "127.0.0.12" }, 0, 0 },
	{ BL, { "127.0.0.20", "127.0.0.12" }, 5, 5 },
	{ OTHER, { "127.0.0.2" }, 1, 1 },
	{ OTHER, { "127.255.255.254" }, 0, 0 },		/* does not answer us */
	{ OTHER, { "127.255.255.255", "127.0.0.9" }, 1, 1 },
	{ OTHER, { "192.0.2.1" }, 0, 0 },		/* a domain that was sold */
	{ OTHER, { NULL }, 0, 0 },
	{ ALLOW, { "127.0.5.3" }, -4, 0 },
	{ ALLOW, { "127.0.5.4" }, 0, 0 },
};

START_TEST(weights_add_up)
{
	union resolve_address addresses[COUNT_OF(rows[0].answers)] = { 0 };
	struct resolve_answer answer = { .addresses = addresses };
	int heaviest;

	config.postscreen_dnsbl_sites = sites;
	config.postscreen_dnsbl_reply_map = "";
	screen_score_open();
	for (; answer.count < COUNT_OF(addresses) &&
	    rows[_i].answers[answer.count] != NULL; answer.count++) {
		union resolve_address *a = &addresses[answer.count];

		a->v4.sin_family = AF_INET;
		inet_pton(AF_INET, rows[_i].answers[answer.count],
		    &a->v4.sin_addr);
	}
	ck_assert_int_eq(screen_score_weigh((size_t)rows[_i].domain, &answer,
	    &heaviest), rows[_i].total);
	ck_assert_int_eq(heaviest, rows[_i].heaviest);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("smtpd");
	TCase *tests = tcase_create("scores");

	tcase_add_loop_test(tests, weights_add_up, 0, COUNT_OF(rows));
	suite_add_tcase(suite, tests);
	return run_suite(suite);
}
