#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/base.h"
#include "tests/unit/suite.h"

START_TEST(keeps_what_is_set_through_growth_and_removal)
{
	struct map *map = map_new();
	char key[32];

	for (intptr_t i = 1; i <= 5000; i++) {
		snprintf(key, sizeof(key), "key-%d", (int)i);
		ck_assert_ptr_null(map_set(map, key, (void *)i));
	}
	for (intptr_t i = 1; i <= 5000; i += 2) {
		snprintf(key, sizeof(key), "key-%d", (int)i);
		ck_assert_ptr_eq(map_remove(map, key), (void *)i);
		ck_assert_ptr_null(map_remove(map, key));
	}
	ck_assert_uint_eq(map_count(map), 2500);
	for (intptr_t i = 1; i <= 5000; i++) {
		snprintf(key, sizeof(key), "key-%d", (int)i);
		ck_assert_ptr_eq(map_get(map, key), i % 2 ? NULL : (void *)i);
	}

	size_t position = 0, seen = 0;

	while (map_next(map, &position, NULL) != NULL)
		seen++;
	ck_assert_uint_eq(seen, 2500);
	map_free(&map, NULL);
	ck_assert_ptr_null(map);
}
END_TEST

START_TEST(setting_again_gives_the_old_value)
{
	struct map *map = map_new();
	int first, second;

	ck_assert_ptr_null(map_set(map, "", &first));
	ck_assert_ptr_eq(map_set(map, "", &second), &first);
	ck_assert_ptr_eq(map_get(map, ""), &second);
	map_free(&map, NULL);
}
END_TEST

START_TEST(a_pool_stops_at_its_limit)
{
	struct pool *pool = pool_new(1000);

	ck_assert_ptr_nonnull(pool_alloc(pool, 500));
	ck_assert_ptr_null(pool_alloc(pool, 600));
	ck_assert_ptr_nonnull(pool_alloc(pool, 400));
	pool_reset(pool);
	ck_assert_uint_eq(pool_used(pool), 0);

	char *text = pool_printf(pool, "%s-%d", "ab", 7);

	ck_assert_str_eq(text, "ab-7");
	pool_free(&pool);
}
END_TEST

START_TEST(crc_of_the_standard_check_string)
{
	/* RFC 3720 appendix B.4: 32 bytes of zeros; and the usual "123456789". */
	unsigned char zeros[32] = { 0 };

	ck_assert_uint_eq(crc32c(0, "123456789", 9), 0xe3069283);
	ck_assert_uint_eq(crc32c(0, zeros, 32), 0x8a9136aa);
	ck_assert_uint_eq(crc32c(crc32c(0, "1234", 4), "56789", 5), 0xe3069283);
}
END_TEST

static const struct { const char *in, *out; } printable[] = {
	{ "plain", "plain" },
	{ "a\tb\nc\x7f", "a?b?c?" },
	{ "gr\xc3\xbc\xc3\x9f", "gr\xc3\xbc\xc3\x9f" },	/* UTF-8 stays */
	{ "\xc3", "?" },				/* cut off */
	{ "\xff\x80x", "??x" },
};

START_TEST(log_text_is_printable)
{
	char copy[64];

	strlcpy(copy, printable[_i].in, sizeof(copy));
	ck_assert_str_eq(text_printable(copy), printable[_i].out);
}
END_TEST

START_TEST(words_of_a_list)
{
	char list[] = " a, b\t,,c\n";
	char *cursor = list;

	ck_assert_str_eq(word_next(&cursor, LIST_SEPARATORS), "a");
	ck_assert_str_eq(word_next(&cursor, LIST_SEPARATORS), "b");
	ck_assert_str_eq(word_next(&cursor, LIST_SEPARATORS), "c");
	ck_assert_ptr_null(word_next(&cursor, LIST_SEPARATORS));
}
END_TEST

START_TEST(text_grows_and_drops)
{
	struct text text = TEXT_EMPTY;

	ck_assert_str_eq(text_string(&text), "");
	for (int i = 0; i < 1000; i++)
		text_printf(&text, "%03d,", i);
	ck_assert_uint_eq(text.length, 4000);
	text_drop(&text, 3996);
	ck_assert_str_eq(text_string(&text), "999,");
	text_clear(&text);
}
END_TEST

START_TEST(numbers_are_written_in_decimal)
{
	struct text text = TEXT_EMPTY;

	text_put_number(&text, 0);
	text_putc(&text, ' ');
	text_put_number(&text, 1900);
	text_putc(&text, ' ');
	text_put_number(&text, UINT64_MAX);
	ck_assert_str_eq(text_string(&text), "0 1900 18446744073709551615");
	text_clear(&text);
}
END_TEST

START_TEST(a_log_record_is_what_postlogd_reads)
{
	char record[LOG_TEXT_MAX + 200] = "", wanted[300];
	char longest[LOG_TEXT_MAX + 100];
	int ends[2];

	ck_assert_int_eq(pipe(ends), 0);
	log_open_pipe(ends[1], "postroad/test");
	log_info_at(1795215533077239, "one");
	log_flush();
	ck_assert_int_gt(read(ends[0], record, sizeof(record)), 0);
	snprintf(wanted, sizeof(wanted),
	    "%d1795215533.077239 postroad/test[%d]: one\n", LOG_LEVEL_INFO,
	    (int)getpid());
	ck_assert_str_eq(record, wanted);

	memset(longest, 'x', sizeof(longest) - 1);
	longest[sizeof(longest) - 1] = '\0';
	log_info_as("postroad/other", "%s", longest);
	log_flush();

	ssize_t length = read(ends[0], record, sizeof(record));

	ck_assert_int_gt(length, LOG_TEXT_MAX);
	ck_assert_int_eq(record[length - 1], '\n');
	record[length] = '\0';
	ck_assert_ptr_nonnull(strstr(record, " postroad/other["));
	log_open_stderr(NULL);
	close(ends[0]);
	close(ends[1]);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("base");
	TCase *tcase = tcase_create("base");

	tcase_add_test(tcase, keeps_what_is_set_through_growth_and_removal);
	tcase_add_test(tcase, setting_again_gives_the_old_value);
	tcase_add_test(tcase, a_pool_stops_at_its_limit);
	tcase_add_test(tcase, crc_of_the_standard_check_string);
	tcase_add_loop_test(tcase, log_text_is_printable, 0, COUNT_OF(printable));
	tcase_add_test(tcase, words_of_a_list);
	tcase_add_test(tcase, text_grows_and_drops);
	tcase_add_test(tcase, numbers_are_written_in_decimal);
	tcase_add_test(tcase, a_log_record_is_what_postlogd_reads);
	suite_add_tcase(suite, tcase);
	return run_suite(suite);
}
