#include <check.h>
#include <stdlib.h>

#include "smtpd/check/check.h"
#include "tests/unit/suite.h"

static const struct { const char *words; unsigned char answer[4]; bool wanted; } filters[] = {
	{ "list.example", { 127, 0, 0, 2 }, true },
	{ "list.example=127.0.0.2", { 127, 0, 0, 2 }, true },
	{ "list.example=127.0.0.2", { 127, 0, 0, 3 }, false },
	{ "list.example=127.0.0.[2..11]", { 127, 0, 0, 11 }, true },
	{ "list.example=127.0.0.[2..11]", { 127, 0, 0, 12 }, false },
	{ "list.example=127.0.[0;2].[2;4..6]", { 127, 0, 2, 5 }, true },
	{ "list.example=127.0.[0;2].[2;4..6]", { 127, 0, 1, 5 }, false },
	{ "list.example=127.[0..255].[0..255].1", { 127, 9, 9, 1 }, true },
};

START_TEST(a_filter_wants_some_answers)
{
	const char *why = NULL;
	static const struct dnsbl *list;	/* it lives as long as the daemon */
	const unsigned char *b = filters[_i].answer;

	list = dnsbl_new(filters[_i].words, &why);
	ck_assert_msg(list != NULL, "%s", why);
	ck_assert(dnsbl_wants(list, (uint32_t)b[0] << 24 | b[1] << 16 |
	    b[2] << 8 | b[3]) == filters[_i].wanted);
}
END_TEST

static const char *const mistakes[] = {
	"", "=127.0.0.1", "list.example=", "list.example=127.0.0",
	"list.example=127.0.0.256", "list.example=127.0.0.[2..",
	"list.example=127.0.0.[3..2]", "list.example=127.0.0.[]",
	"list.example=127.0.0.2.3", "list.example=127.0.0.2x",
	"list..example", "$name",
};

START_TEST(a_mistake_is_told)
{
	const char *why = NULL;

	ck_assert_ptr_null(dnsbl_new(mistakes[_i], &why));
	ck_assert_ptr_nonnull(why);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("smtpd");
	TCase *tests = tcase_create("dnsbl");

	tcase_add_loop_test(tests, a_filter_wants_some_answers, 0,
	    COUNT_OF(filters));
	tcase_add_loop_test(tests, a_mistake_is_told, 0, COUNT_OF(mistakes));
	suite_add_tcase(suite, tests);
	return run_suite(suite);
}
