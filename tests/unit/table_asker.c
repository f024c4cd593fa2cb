/* Look-ups for who must not wait. */

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "base/base.h"
#include "config/config.h"
#include "table/asker.h"
#include "table/maps.h"
#include "table/match.h"
#include "tests/unit/suite.h"

static struct table_question *asked[10];
static size_t asked_count;
static char logged[1000];

static void
keep_line(enum log_level level, const char *line)
{
	(void)level;
	strlcat(logged, line, sizeof(logged));
}

static void
ask(struct table_question *question, void *argument)
{
	(void)argument;
	asked[asked_count++] = question;
}

static void
setup(void)
{
	asked_count = 0;
	logged[0] = '\0';
	log_open_function(keep_line);
}

START_TEST(an_answer_is_asked_for_once)
{
	struct table_asker asker = { .ask = ask };
	struct table *table = table_open("tcp:127.0.0.1:1", 0);
	const char *value;

	table_ask_with(&asker);
	ck_assert_int_eq(table_get(table, "a", &value), TABLE_ERROR);
	ck_assert(table_is_asking());
	ck_assert_int_eq(table_get(table, "b", &value), TABLE_ERROR);
	ck_assert_int_eq(asked_count, 1);
	ck_assert_str_eq(asked[0]->key, "a");
	ck_assert_str_eq(asked[0]->table, "tcp:127.0.0.1:1");
	table_asker_note(asked[0], TABLE_FOUND, "x");
	ck_assert(!table_is_asking());
	ck_assert_int_eq(table_get(table, "a", &value), TABLE_FOUND);
	ck_assert_str_eq(value, "x");
	ck_assert_int_eq(table_get(table, "b", &value), TABLE_ERROR);
	table_asker_note(asked[1], TABLE_ERROR, "it is dead");
	ck_assert_str_eq(logged, "");
	ck_assert_int_eq(table_get(table, "b", &value), TABLE_ERROR);
	ck_assert_str_eq(logged,
	    "warning: tcp:127.0.0.1:1 is unavailable. it is dead");
	table_ask_with(NULL);
	table_asker_clear(&asker);
	table_close(&table);
}
END_TEST

/* In lists and unions, too: what is in reach is known, what is not is asked. */
START_TEST(many_at_once)
{
	struct table_asker asker = { .ask = ask, .at_once = 3 };
	struct maps *maps = maps_open("virtual_alias_maps",
	    "inline:{here=yes} unionmap:{tcp:127.0.0.1:1, inline:{both=near}}");
	const char *value;
	char key[2] = "a";

	table_ask_with(&asker);
	for (; *key <= 'e'; (*key)++)
		ck_assert_int_eq(maps_find(maps, key, &value), TABLE_ERROR);
	ck_assert_int_eq(maps_find(maps, "here", &value), TABLE_FOUND);
	ck_assert_str_eq(value, "yes");
	ck_assert_int_eq(asked_count, 3);
	ck_assert_int_eq(asker.pending, 3);
	for (size_t i = 0; i < 3; i++)
		table_asker_note(asked[i], TABLE_NONE, "");
	ck_assert_int_eq(maps_find(maps, "both", &value), TABLE_ERROR);
	ck_assert_int_eq(asked_count, 4);
	table_asker_note(asked[3], TABLE_FOUND, "far");
	ck_assert_int_eq(maps_find(maps, "both", &value), TABLE_FOUND);
	ck_assert_str_eq(value, "far,near");
	ck_assert_str_eq(logged, "");
	table_ask_with(NULL);
	table_asker_clear(&asker);
	maps_close(&maps);
}
END_TEST

START_TEST(a_list_of_hosts_asks)
{
	struct table_asker asker = { .ask = ask };
	struct match_list *list = match_list_open("mynetworks",
	    "192.0.2.1, !tcp:127.0.0.1:1, a.example");

	table_ask_with(&asker);
	ck_assert_int_eq(match_string(list, "a.example"), TABLE_ERROR);
	table_asker_note(asked[0], TABLE_NONE, "");
	ck_assert_int_eq(match_string(list, "a.example"), TABLE_FOUND);
	ck_assert_str_eq(logged, "");
	table_ask_with(NULL);
	table_asker_clear(&asker);
	match_list_close(&list);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("table_asker");
	TCase *asker = tcase_create("asker");

	tcase_add_checked_fixture(asker, setup, NULL);
	tcase_add_test(asker, an_answer_is_asked_for_once);
	tcase_add_test(asker, many_at_once);
	tcase_add_test(asker, a_list_of_hosts_asks);
	suite_add_tcase(suite, asker);
	return run_suite(suite);
}
