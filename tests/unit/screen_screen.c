#include <check.h>
#include <stdlib.h>

#include "base/base.h"
#include "screen/screen.h"
#include "tests/unit/suite.h"

static const struct { const char *row, *printed; } rows[] = {
	{ "1795279583;1;1797785186;1797785186;1797785186", "1795279583;1;1797785186;1797785186;1797785186" },
	{ "5;4;3;2;1", "5;4;3;2;1" },
	{ "1795279583", "1795279583;0;0;0;0" },		/* of an older Postfix, with fewer tests */
	{ "1;2;3", "1;2;3;0;0" },
	{ "999999999999;0;0;0;0", "999999999999;0;0;0;0" },
	/* none */
	{ "", NULL },
	{ ";", NULL },
	{ "1;", NULL },
	{ "1;;2", NULL },
	{ "-1;0;0;0;0", NULL },
	{ "1;2;3;4;5;6", NULL },
	{ "1;2;3;4;5;", NULL },
	{ "1;2;3;4;x", NULL },
	{ "1 ;2", NULL },
	{ "9999999999999;0;0;0;0", NULL },
};

START_TEST(a_row_is_read_and_printed)
{
	struct screen_passes passes;
	char printed[SCREEN_ROW_SIZE];
	int result = screen_passes_parse(rows[_i].row, &passes);

	screen_passes_print(&passes, printed);
	ck_assert_int_eq(result, rows[_i].printed == NULL ? -1 : 0);
	ck_assert_str_eq(printed, rows[_i].printed == NULL ? "0;0;0;0;0" :
	    rows[_i].printed);
}
END_TEST

START_TEST(what_was_passed_here_or_there_is_passed)
{
	struct screen_passes a, b;
	char printed[SCREEN_ROW_SIZE];

	screen_passes_parse("100;1;300;0;0", &a);
	screen_passes_parse("50;200;1;0;400", &b);
	screen_passes_join(&a, &b);
	screen_passes_print(&a, printed);
	ck_assert_str_eq(printed, "100;200;300;0;400");
	ck_assert_int_eq(screen_passes_end(&a), 400);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("screen");
	TCase *tests = tcase_create("rows");

	tcase_add_loop_test(tests, a_row_is_read_and_printed, 0,
	    COUNT_OF(rows));
	tcase_add_test(tests, what_was_passed_here_or_there_is_passed);
	suite_add_tcase(suite, tests);
	return run_suite(suite);
}
