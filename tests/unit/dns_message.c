#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/base.h"
#include "dns/dns.h"
#include "tests/unit/suite.h"

#define HEAD(flags, questions, additional) \
	"\0\7" flags questions "\0\0\0\0" additional
#define QUESTION	"\3www\1x\0\0\1\0\1"
#define OPT(version, length, options) \
	"\0\0\51\4\320\0" version "\200\0" length options

static const struct {
	const char *bytes;
	size_t	 length;
	enum dns_verdict verdict;
	bool	 edns;
} rows[] = {
#define ROW(bytes, verdict, edns)	{ bytes, sizeof(bytes) - 1, verdict, edns }
	ROW(HEAD("\1\0", "\0\1", "\0\0") QUESTION, DNS_ANSWER, false),
	ROW(HEAD("\201\0", "\0\1", "\0\0") QUESTION, DNS_DROP, false),
	ROW("\0\7\1\0\0\1", DNS_DROP, false),
	ROW(HEAD("\1\0", "\0\0", "\0\0"), DNS_REPLY_FORMERR, false),
	ROW(HEAD("\1\0", "\0\2", "\0\0") QUESTION QUESTION, DNS_REPLY_FORMERR,
	    false),
	ROW(HEAD("\1\0", "\0\1", "\0\1") QUESTION, DNS_REPLY_FORMERR, false),
	ROW(HEAD("\1\0", "\0\1", "\0\0") QUESTION "x", DNS_ANSWER, false),	/* as BIND does */
	ROW(HEAD("\1\0", "\0\1", "\0\0") "\300\14\0\1\0\1", DNS_REPLY_FORMERR,
	    false),
	ROW(HEAD("\1\0", "\0\1", "\0\1") QUESTION OPT("\0", "\0\0", ""),
	    DNS_ANSWER, true),
	ROW(HEAD("\1\0", "\0\1", "\0\1") QUESTION OPT("\1", "\0\0", ""),
	    DNS_ANSWER, true),
	ROW(HEAD("\1\0", "\0\1", "\0\2") QUESTION OPT("\0", "\0\0", "")
	    OPT("\0", "\0\0", ""), DNS_REPLY_FORMERR, false),
	ROW(HEAD("\1\0", "\0\1", "\0\1") QUESTION		/* cut off in an option */
	    OPT("\0", "\0\13", "\0\12\0\10" "1234567"), DNS_REPLY_FORMERR, false),
	ROW(HEAD("\1\0", "\0\0", "\0\1")		/* a cookie and nothing else */
	    OPT("\0", "\0\14", "\0\12\0\10" "12345678"), DNS_ANSWER, true),
	ROW(HEAD("\1\0", "\0\1", "\0\1") QUESTION
	    OPT("\0", "\0\5", "\0\1\0\1" "1"), DNS_REPLY_FORMERR, true),
	ROW(HEAD("\1\0", "\0\1", "\0\1") QUESTION
	    OPT("\0", "\0\13", "\0\12\0\7" "1234567"), DNS_REPLY_FORMERR, true),
	ROW(HEAD("\1\0", "\0\1", "\0\1") QUESTION
	    OPT("\0", "\0\14", "\0\12\0\10" "12345678"), DNS_ANSWER, true),
	ROW(HEAD("\1\0", "\0\1", "\0\1") QUESTION
	    OPT("\0", "\0\13", "\0\10\0\7\0\1\30\0\300\0\2"), DNS_ANSWER, true),
	ROW(HEAD("\1\0", "\0\1", "\0\1") QUESTION		/* a bit beyond /23 */
	    OPT("\0", "\0\13", "\0\10\0\7\0\1\27\0\300\0\3"), DNS_REPLY_FORMERR,
	    true),
};

START_TEST(tells_good_questions_from_bad)
{
	struct dns_query query = { 0 };
	const uint8_t *bytes = (const uint8_t *)rows[_i].bytes;

	ck_assert_int_eq(dns_query_parse(&query, bytes, rows[_i].length),
	    rows[_i].verdict);
	if (rows[_i].verdict != DNS_DROP)
		ck_assert_int_eq(query.has_edns, rows[_i].edns);

	/* Cut short at any octet a good one is good no more, and never read too far. */
	for (size_t cut = 0; cut < rows[_i].length &&
	    rows[_i].verdict == DNS_ANSWER &&
	    bytes[rows[_i].length - 1] != 'x'; cut++) {
		uint8_t *copy = malloc(cut + 1);

		memcpy(copy, bytes, cut);
		ck_assert_int_ne(dns_query_parse(&query, copy, cut),
		    DNS_ANSWER);
		free(copy);
	}
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("dns_message");
	TCase *tcase = tcase_create("message");

	tcase_add_loop_test(tcase, tells_good_questions_from_bad, 0,
	    COUNT_OF(rows));
	suite_add_tcase(suite, tcase);
	return run_suite(suite);
}
