/* What is said to the servers of tables, and what their answers mean. */

#include <check.h>
#include <string.h>

#include "base/base.h"
#include "table/server.h"
#include "tests/unit/suite.h"

static const struct { const char *name, *host, *port, *map; bool is_unix; } places[] = {
	{ "tcp:localhost:2000", "localhost", "2000", NULL, false },
	{ "tcp:[::1]:2000", "::1", "2000", NULL, false },
	{ "socketmap:inet:db.example:2000:access", "db.example", "2000", "access", false },
	{ "socketmap:unix:/run/map:a:b", "/run/map", NULL, "a:b", true },
	{ "tcp:localhost", NULL, NULL, NULL, false },
	{ "socketmap:inet:localhost:2000", NULL, NULL, NULL, false },
	{ "socketmap:pipe:/run/map:x", NULL, NULL, NULL, false },
};

START_TEST(a_name_says_where)
{
	struct table_server server;
	const char *why = NULL;

	if (places[_i].host == NULL) {
		ck_assert_int_eq(table_server_parse(places[_i].name, &server, &why), -1);
		ck_assert_ptr_nonnull(why);
		return;
	}
	ck_assert_int_eq(table_server_parse(places[_i].name, &server, &why), 0);
	ck_assert_str_eq(server.host, places[_i].host);
	ck_assert_pstr_eq(server.port, places[_i].port);
	ck_assert_pstr_eq(server.map, places[_i].map);
	ck_assert(server.is_unix == places[_i].is_unix);
	table_server_clear(&server);
}
END_TEST

static const struct { const char *name, *key, *words; } questions[] = {
	{ "tcp:x:1", "a@b", "get a@b\n" },
	{ "tcp:x:1", "a b%\n", "get a%20b%25%0A\n" },
	{ "socketmap:inet:x:1:m", "a@b", "5:m a@b," },
};

START_TEST(a_question_is_one_line_or_netstring)
{
	struct table_server server;
	struct text words = TEXT_EMPTY;
	const char *why;

	ck_assert_int_eq(table_server_parse(questions[_i].name, &server, &why), 0);
	table_server_ask(&server, questions[_i].key, &words);
	ck_assert_str_eq(text_string(&words), questions[_i].words);
	text_clear(&words);
	table_server_clear(&server);
}
END_TEST

static const struct { const char *name, *input; bool is_whole; enum table_answer answer; const char *text; } answers[] = {
	{ "tcp:x:1", "", false, 0, "" },
	{ "tcp:x:1", "200 half", false, 0, "" },
	{ "tcp:x:1", "200 a%20b%2x\n", true, TABLE_FOUND, "a b%2x" },
	{ "tcp:x:1", "500 none\n", true, TABLE_NONE, "" },
	{ "tcp:x:1", "400 later\n", true, TABLE_ERROR, "the server says: 400 later" },
	{ "tcp:x:1", "hello\n", true, TABLE_ERROR, "the server says: hello" },
	{ "socketmap:inet:x:1:m", "5:OK a", false, 0, "" },
	{ "socketmap:inet:x:1:m", "5:OK ab", false, 0, "" },
	{ "socketmap:inet:x:1:m", "5:OK ab,", true, TABLE_FOUND, "ab" },
	{ "socketmap:inet:x:1:m", "9:NOTFOUND ,", true, TABLE_NONE, "" },
	{ "socketmap:inet:x:1:m", "7:TEMP no,", true, TABLE_ERROR, "the server says: TEMP no" },
	{ "socketmap:inet:x:1:m", "OK ab\n", true, TABLE_ERROR, "the server says: OK ab\n" },
	{ "socketmap:inet:x:1:m", "99999999:", true, TABLE_ERROR, "the server says: 99999999:" },
};

START_TEST(an_answer_is_whole_or_not)
{
	struct table_server server;
	struct text input = TEXT_EMPTY, text = TEXT_EMPTY;
	enum table_answer answer = 0;
	const char *why;

	ck_assert_int_eq(table_server_parse(answers[_i].name, &server, &why), 0);
	text_puts(&input, answers[_i].input);
	ck_assert(table_server_hear(&server, &input, &answer, &text) == answers[_i].is_whole);
	ck_assert_int_eq(answer, answers[_i].answer);
	ck_assert_str_eq(text_string(&text), answers[_i].text);
	text_clear(&input);
	text_clear(&text);
	table_server_clear(&server);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("table/server");
	TCase *tests = tcase_create("rows");

	tcase_add_loop_test(tests, a_name_says_where, 0, COUNT_OF(places));
	tcase_add_loop_test(tests, a_question_is_one_line_or_netstring, 0, COUNT_OF(questions));
	tcase_add_loop_test(tests, an_answer_is_whole_or_not, 0, COUNT_OF(answers));
	suite_add_tcase(suite, tests);
	return run_suite(suite);
}
