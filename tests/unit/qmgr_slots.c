#include <check.h>

#include "base/base.h"
#include "qmgr/schedule/slots.h"
#include "tests/unit/suite.h"

static struct slots slots;

/* How many small ones go at once. */
static int
overtake(void)
{
	int count = 0;

	while (count < 1000 && slots_may_overtake(&slots)) {
		slots_take(&slots);
		count++;
	}
	return count;
}

static void
earn(int deliveries)
{
	while (deliveries-- > 0)
		slots_earn(&slots);
}

static const struct {
	struct slots slots;
	int at_once;
} loans[] = {
	{ { .cost = 5, .loan = 3 }, 3 },
	{ { .cost = 5, .loan = 3, .discount = 50 }, 3 },
	{ { .cost = 5, .loan = 0 }, 0 },
	{ { .cost = 5, .loan = 0, .discount = 100 }, 1 },
	{ { .cost = 1, .loan = 7 }, 7 },
};

START_TEST(the_loan_is_given_at_once_1)
{
	slots = loans[_i].slots;
	ck_assert_int_eq(overtake(), loans[_i].at_once);
}
END_TEST

START_TEST(a_slot_is_given_when_it_is_earned_but_for_the_discount_2)
{
	slots = (struct slots){ .cost = 10, .discount = 40 };
	earn(5);
	ck_assert_int_eq(overtake(), 0);
	earn(1);
	ck_assert_int_eq(overtake(), 1);
	/* What was missing is owed. */
	earn(9);
	ck_assert_int_eq(overtake(), 0);
	earn(1);
	ck_assert_int_eq(overtake(), 1);
}
END_TEST

START_TEST(one_slot_for_each_cost_deliveries_in_the_long_run_3)
{
	int overtaken = 0;

	slots = (struct slots){ .cost = 5, .loan = 3, .discount = 50 };
	for (int i = 0; i < 5000; i++) {
		earn(1);
		overtaken += overtake();
	}
	ck_assert_int_eq(overtaken, 1003);
	earn(500);
	ck_assert_int_ge(overtake(), 100);
	earn(500);
	slots_reset(&slots);
	ck_assert_int_eq(overtake(), 3);
}
END_TEST

static const struct {
	int cost, minimum;
	size_t deliveries;
	bool is_large;
} messages[] = {
	{ 5, 3, 14, false }, { 5, 3, 15, true }, { 5, 3, 1, false },
	{ 0, 3, 100000, false },
	{ 1, 0, 1, false }, { 1, 0, 2, true },
};

START_TEST(who_is_large_4)
{
	slots = (struct slots){ .cost = messages[_i].cost,
	    .minimum = messages[_i].minimum };
	ck_assert_int_eq(slots_is_large(&slots, messages[_i].deliveries),
	    messages[_i].is_large);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("slots");
	TCase *tcase = tcase_create("slots");

	tcase_add_loop_test(tcase, the_loan_is_given_at_once_1, 0,
	    COUNT_OF(loans));
	tcase_add_test(tcase,
	    a_slot_is_given_when_it_is_earned_but_for_the_discount_2);
	tcase_add_test(tcase,
	    one_slot_for_each_cost_deliveries_in_the_long_run_3);
	tcase_add_loop_test(tcase, who_is_large_4, 0, COUNT_OF(messages));
	suite_add_tcase(suite, tcase);
	return run_suite(suite);
}
