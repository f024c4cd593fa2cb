#include <check.h>

#include "base/base.h"
#include "qmgr/schedule/pace.h"
#include "tests/unit/suite.h"

#define SECOND	1000000LL

static struct pace pace;

static const struct {
	const char *text;
	int each_ms;	/* 0: not a rate */
} rates[] = {
	{ "100/m", 600 }, { "1/s", 1000 }, { "24/d", 3600000 }, { "7200/h", 500 },
	{ "0/m", 0 }, { "-1/m", 0 }, { "100", 0 }, { "100/", 0 }, { "100/y", 0 },
	{ "100/min", 0 }, { "a/m", 0 }, { " 1/m", 0 }, { "99999999999/d", 0 },
};

START_TEST(a_rate_is_a_time_for_each_recipient)
{
	struct config_rate rate;
	int result = config_rate(rates[_i].text, &rate);

	ck_assert_int_eq(result, rates[_i].each_ms > 0 ? 0 : -1);
	if (result == 0) {
		pace_init(&pace, &rate);
		ck_assert_int_eq(pace.policy_us, rates[_i].each_ms * 1000LL);
	}
}
END_TEST

/* Recipients that go in the time from start on, in deliveries as large, each as soon as it may. */
static int64_t
spend(int64_t start, int64_t time, int64_t delivery)
{
	int64_t gone = 0, now = start;

	while (now < start + time) {
		int64_t pause = pace_pause(&pace, now);

		if (pause == 0) {
			pace_enter(&pace, delivery);
			pace_begin(&pace, delivery, now);
			pace_end(&pace, delivery, now);
			gone += delivery;
		}
		now += pause;
	}
	return gone;
}

START_TEST(no_more_than_the_policy_and_one_delivery_1)
{
	pace_init(&pace, &(struct config_rate){ 100, 60 });
	ck_assert_int_eq(spend(0, 60 * SECOND, 1), 100);
	ck_assert_int_eq(spend(60 * SECOND, 60 * SECOND, 1), 100);
	ck_assert_int_le(spend(120 * SECOND, 60 * SECOND, 50), 150);
}
END_TEST

START_TEST(unused_time_is_not_saved_up_2)
{
	pace_init(&pace, &(struct config_rate){ 100, 60 });
	spend(0, SECOND, 1);
	ck_assert_int_eq(spend(3600 * SECOND, 60 * SECOND, 1), 100);
}
END_TEST

START_TEST(turns_are_in_order_3)
{
	int64_t last = 0;

	pace_init(&pace, &(struct config_rate){ 1, 1 });
	pace_enter(&pace, 10);
	for (int i = 0; i < 100; i++) {
		int64_t turn = pace_promise(&pace, 1, i);

		ck_assert_int_ge(turn, last + (i > 0) * SECOND);
		last = turn;
	}
	ck_assert_int_eq(last, 10 * SECOND + 99 * SECOND);
	ck_assert(pace_is_promised(&pace, 0));
	/* Who comes when nobody waits here need not wait for those elsewhere. */
	pace_leave(&pace, 10);
	ck_assert(!pace_is_promised(&pace, 0));
}
END_TEST

START_TEST(who_finishes_nothing_is_slow_4)
{
	int64_t now = 0;

	pace_init(&pace, NULL);
	pace_enter(&pace, 1000);
	ck_assert_int_eq(pace_wait(&pace, now), 0);
	/* 10 ms each, ten at a time. */
	for (int i = 0; i < 500; i++) {
		pace_begin(&pace, 1, now);
		pace_enter(&pace, 1);
		now += SECOND / 100;
		pace_end(&pace, 1, now);
	}
	ck_assert_int_ge(pace_wait(&pace, now), 9 * SECOND);
	ck_assert_int_le(pace_wait(&pace, now), 11 * SECOND);
	/* Then it hangs with ten under way. */
	pace_begin(&pace, 10, now);
	ck_assert_int_le(pace_wait(&pace, now + SECOND / 100), 11 * SECOND);
	ck_assert_int_ge(pace_wait(&pace, now + 10 * SECOND), 900 * SECOND);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("pace");
	TCase *tcase = tcase_create("pace");

	tcase_add_loop_test(tcase, a_rate_is_a_time_for_each_recipient, 0,
	    COUNT_OF(rates));
	tcase_add_test(tcase, no_more_than_the_policy_and_one_delivery_1);
	tcase_add_test(tcase, unused_time_is_not_saved_up_2);
	tcase_add_test(tcase, turns_are_in_order_3);
	tcase_add_test(tcase, who_finishes_nothing_is_slow_4);
	suite_add_tcase(suite, tcase);
	return run_suite(suite);
}
