#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "base/base.h"
#include "pop3/pop3.h"
#include "tests/unit/suite.h"

static const struct { const char *line; size_t length; const char *keyword, *argument; } lines[] = {
	{ "STAT", 4, "STAT", NULL },
	{ "list 1", 6, "LIST", "1" },
	{ "PASS  a b ", 10, "PASS", " a b " },	/* spaces count in a password */
	{ "USER ", 5, "USER", "" },
	{ "", 0, "", NULL },
	{ " STAT", 5, "", "STAT" },
	{ "STAT\0x", 6, "", NULL },
	{ "STAT\rx", 6, "", NULL },
	{ "ST\xc3\x84T", 5, "", NULL },
	{ "AVERYLONGKEYWORDTHATNOBODYWOULDWRITE x", 38, "", NULL },
};

START_TEST(a_command_is_read)
{
	struct pop3_command command;
	char line[64];

	memcpy(line, lines[_i].line, lines[_i].length + 1);
	pop3_command_parse(line, lines[_i].length, &command);
	ck_assert_str_eq(command.keyword, lines[_i].keyword);
	ck_assert_pstr_eq(command.argument, lines[_i].argument);
}
END_TEST

START_TEST(lines_end_in_lf_or_crlf)
{
	struct pop3_input input = { 0 };
	char *line, junk[POP3_LINE_MAX];
	size_t length;

	ck_assert_int_eq(pop3_input_next(&input, &line, &length), POP3_NO_LINE);
	pop3_input_append(&input, "a\r\nb\n\r\nre", 9);
	ck_assert_int_eq(pop3_input_next(&input, &line, &length), POP3_LINE);
	ck_assert_str_eq(line, "a");
	ck_assert_int_eq(pop3_input_next(&input, &line, &length), POP3_LINE);
	ck_assert_str_eq(line, "b");
	ck_assert_int_eq(pop3_input_next(&input, &line, &length), POP3_LINE);
	ck_assert_str_eq(line, "");
	ck_assert_int_eq(pop3_input_next(&input, &line, &length), POP3_NO_LINE);
	pop3_input_append(&input, "st\n", 3);
	ck_assert_int_eq(pop3_input_next(&input, &line, &length), POP3_LINE);
	ck_assert_str_eq(line, "rest");

	/* Attack P1: a long line costs no memory and is answered once. */
	memset(junk, 'x', sizeof(junk));
	for (int i = 0; i < 100; i++) {
		pop3_input_append(&input, junk, sizeof(junk));
		ck_assert_int_eq(pop3_input_next(&input, &line, &length), POP3_NO_LINE);
	}
	ck_assert_uint_lt(input.text.size, 10 * POP3_LINE_MAX);
	pop3_input_append(&input, "\nNOOP\n", 6);
	ck_assert_int_eq(pop3_input_next(&input, &line, &length), POP3_LONG_LINE);
	ck_assert_int_eq(pop3_input_next(&input, &line, &length), POP3_LINE);
	ck_assert_str_eq(line, "NOOP");
	pop3_input_clear(&input);
}
END_TEST

static const struct { const char *in; long long lines; const char *out; } messages[] = {
	{ "A: b\n\n1\n2\n3\n", 0, "A: b\n\n" },
	{ "A: b\r\n\r\n1\r\n2\r\n3\r\n", 2, "A: b\r\n\r\n1\r\n2\r\n" },
	{ "A: b\n\n1\n", 5, "A: b\n\n1\n" },
	{ "A: b", 0, "A: b" },
	{ "\n1\n2\n", 1, "\n1\n" },
	{ "A: b\n\r\r\n\n1\n", 0, "A: b\n\r\r\n\n" },
};

/* Whole, and a byte at a time. */
START_TEST(top_has_the_header_and_so_many_lines)
{
	for (size_t step = 1; step < 100; step += 98) {
		struct pop3_top top = { .lines_left = messages[_i].lines };
		size_t length = strlen(messages[_i].in), taken = 0, part = step;

		for (size_t i = 0; i < length && part == step; i += step) {
			size_t there = length - i < step ? length - i : step;

			part = pop3_top_take(&top, messages[_i].in + i, there);
			taken += part;
		}
		ck_assert_uint_eq(taken, strlen(messages[_i].out));
	}
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("pop3");
	TCase *tcase = tcase_create("pop3");

	tcase_add_loop_test(tcase, a_command_is_read, 0, COUNT_OF(lines));
	tcase_add_test(tcase, lines_end_in_lf_or_crlf);
	tcase_add_loop_test(tcase, top_has_the_header_and_so_many_lines, 0, COUNT_OF(messages));
	suite_add_tcase(suite, tcase);
	return run_suite(suite);
}
