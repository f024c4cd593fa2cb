#include <check.h>
#include <string.h>

#include "delivery/fold.h"
#include "tests/unit/suite.h"

#define TEN	"123456789 "
#define SEVENTY	TEN TEN TEN TEN TEN TEN TEN

static const struct {
	const char *begun, *text, *folded;
} rows[] = {
	{ "", "", "" },
	{ "<a>: ", "word", "<a>: word" },
	{ "<a>: ", " two  blanks ", "<a>:  two  blanks" },
	{ "", SEVENTY "123456789", SEVENTY "123456789" },
	{ "", SEVENTY "1234567890", "123456789 123456789 123456789 123456789 "
	    "123456789 123456789 123456789\n    1234567890" },
	{ "x", SEVENTY "123456789", "x123456789 123456789 123456789 123456789 "
	    "123456789 123456789 123456789\n    123456789" },
	/* A word that fits nowhere stands where it is. */
	{ "", "1234567890123456789012345678901234567890123456789012345678901234567890123456789012345",
	    "1234567890123456789012345678901234567890123456789012345678901234567890123456789012345" },
};

START_TEST(lines_end_at_blanks)
{
	struct text out = TEXT_EMPTY;

	text_puts(&out, "before\n");
	text_puts(&out, rows[_i].begun);
	fold(&out, rows[_i].text, strlen("before\n"), 4);
	ck_assert_str_eq(text_string(&out) + strlen("before\n"), rows[_i].folded);
	text_clear(&out);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("delivery_fold");
	TCase *all = tcase_create("all");

	tcase_add_loop_test(all, lines_end_at_blanks, 0,
	    (int)(sizeof(rows) / sizeof(rows[0])));
	suite_add_tcase(suite, all);
	return run_suite(suite);
}
