#include <check.h>
#include <limits.h>

#include "base/base.h"
#include "qmgr/schedule/window.h"
#include "tests/unit/suite.h"

static struct window_rules rules;
static struct window window;

static void
begin(int initial, int limit, const char *positive, const char *negative)
{
	rules = (struct window_rules){ .initial = initial, .limit = limit,
	    .failed_cohorts = 1 };
	ck_assert_int_eq(config_feedback(positive, &rules.positive), 0);
	ck_assert_int_eq(config_feedback(negative, &rules.negative), 0);
	window_init(&window, &rules);
}

/* So many deliveries, each time with a full window under way but this one. */
static void
deliver(int count)
{
	while (count-- > 0)
		window_succeeded(&window, &rules, window.size - 1);
}

START_TEST(the_size_stays_within_1_and_the_limit_1)
{
	begin(5, 7, "1", "1");
	ck_assert_int_eq(window.size, 5);
	deliver(100);
	ck_assert_int_eq(window.size, 7);
	rules.failed_cohorts = 0;
	for (int i = 0; i < 100; i++)
		ck_assert(!window_failed(&window, &rules));
	ck_assert_int_eq(window.size, 1);
	begin(5, 3, "1", "1");
	ck_assert_int_eq(window.size, 3);
}
END_TEST

START_TEST(it_grows_only_when_it_is_used_2)
{
	begin(5, 100, "1", "1");
	for (int i = 0; i < 100; i++)
		window_succeeded(&window, &rules, 0);
	ck_assert_int_eq(window.size, 6);
	window_succeeded(&window, &rules, 1);
	ck_assert_int_eq(window.size, 7);
}
END_TEST

static const struct {
	const char *positive;
	int deliveries, size;	/* from 4 on */
} growths[] = {
	{ "1", 1, 5 },
	{ "0.5", 2, 5 }, { "0.5", 1, 4 },
	{ "1/concurrency", 3, 4 }, { "1/concurrency", 4, 5 },
	{ "1 / concurrency", 4 + 5, 6 },
	{ "1/sqrt_concurrency", 1, 4 }, { "1/sqrt_concurrency", 2, 5 },
	{ "0", 50, 4 },
};

START_TEST(it_grows_by_its_feedback_3)
{
	begin(4, 100, growths[_i].positive, "1");
	deliver(growths[_i].deliveries);
	ck_assert_int_eq(window.size, growths[_i].size);
}
END_TEST

START_TEST(a_failure_takes_effect_at_once_3)
{
	begin(5, 100, "1/concurrency", "1/concurrency");
	rules.failed_cohorts = 0;
	window_failed(&window, &rules);
	ck_assert_int_eq(window.size, 4);
	/* Each size is left after as many failures as it is wide. */
	for (int i = 0; i < 4; i++)
		window_failed(&window, &rules);
	ck_assert_int_eq(window.size, 3);
}
END_TEST

START_TEST(a_window_full_of_failures_is_death_4)
{
	begin(5, 100, "1", "0");
	for (int i = 0; i < 4; i++)
		ck_assert(!window_failed(&window, &rules));
	ck_assert(window_failed(&window, &rules));
	begin(5, 100, "1", "0");
	rules.failed_cohorts = 2;
	for (int i = 0; i < 9; i++)
		ck_assert(!window_failed(&window, &rules));
	window_succeeded(&window, &rules, 4);
	for (int i = 0; i < 11; i++)
		ck_assert(!window_failed(&window, &rules));
	ck_assert(window_failed(&window, &rules));
}
END_TEST

static const char *const wrong[] = { "", "x", "-1", "1.5", "1/", "1/2",
	"1/concurrent", "sqrt_concurrency", "1/concurrency x" };

START_TEST(feedback_that_is_none)
{
	struct config_feedback feedback;

	ck_assert_int_eq(config_feedback(wrong[_i], &feedback), -1);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("window");
	TCase *tcase = tcase_create("window");

	tcase_add_test(tcase, the_size_stays_within_1_and_the_limit_1);
	tcase_add_test(tcase, it_grows_only_when_it_is_used_2);
	tcase_add_loop_test(tcase, it_grows_by_its_feedback_3, 0,
	    COUNT_OF(growths));
	tcase_add_test(tcase, a_failure_takes_effect_at_once_3);
	tcase_add_test(tcase, a_window_full_of_failures_is_death_4);
	tcase_add_loop_test(tcase, feedback_that_is_none, 0, COUNT_OF(wrong));
	suite_add_tcase(suite, tcase);
	return run_suite(suite);
}
