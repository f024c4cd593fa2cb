#include <check.h>
#include <arpa/inet.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/base.h"
#include "config/config.h"
#include "table/maps.h"
#include "table/match.h"
#include "table/source.h"
#include "table/table.h"
#include "tests/unit/suite.h"

static char directory[] = "/tmp/table-test.XXXXXX";
static char logged[4096];

static void
keep_line(enum log_level level, const char *line)
{
	(void)level;
	strlcat(logged, line, sizeof(logged));
	strlcat(logged, "\n", sizeof(logged));
}

static char *
write_file(const char *name, const char *text)
{
	static char path[128];

	snprintf(path, sizeof(path), "%s/%s", directory, name);

	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	if (fd == -1 || fd_write_all(fd, text, strlen(text)) == -1)
		fatal("write %s: %m", path);
	close(fd);
	return path;
}

static const struct {
	const char *table, *key;
	enum table_answer answer;
	const char *value;
} questions[] = {
	{ "static:all", "x", TABLE_FOUND, "all" },
	{ "static:{ two words }", "x", TABLE_FOUND, "two words" },
	{ "inline:{a=b, {c = d e}}", "C", TABLE_FOUND, "d e" },
	{ "inline:{a=b}", "b", TABLE_NONE, NULL },
	{ "inline:{a}", "a", TABLE_ERROR, NULL },
	{ "inline:a=b", "a", TABLE_ERROR, NULL },
	{ "proxy:unix:passwd.byname", "root", TABLE_FOUND, "root:" },
	{ "unix:passwd.byname", "no-such-user", TABLE_NONE, NULL },
	{ "unix:group.byname", "root", TABLE_FOUND, "root:" },
	{ "unix:shadow", "root", TABLE_ERROR, NULL },
	{ "fail:x", "root", TABLE_ERROR, NULL },
	{ "hash:/nowhere/at/all", "root", TABLE_ERROR, NULL },
	{ "texthash:/nowhere/at/all", "root", TABLE_ERROR, NULL },
	{ "ldap:x", "root", TABLE_ERROR, NULL },
	{ "plain", "root", TABLE_ERROR, NULL },
};

START_TEST(invariant_1_not_found_is_not_an_error)
{
	struct table *table = table_open(questions[_i].table, 0);
	const char *value;

	*logged = '\0';
	ck_assert_int_eq(table_get(table, questions[_i].key, &value),
	    questions[_i].answer);
	if (questions[_i].value != NULL)
		ck_assert(text_starts_with(value, questions[_i].value));
	if (questions[_i].answer == TABLE_ERROR)
		ck_assert_msg(strstr(logged, questions[_i].table) != NULL,
		    "logged: %s", logged);
	table_close(&table);
	ck_assert_ptr_null(table);
}
END_TEST

START_TEST(texthash_keeps_the_first_value_and_folds_keys)
{
	char *path = write_file("text", "# c\nKey  value one\n\tcontinued\n"
	    "key second\nbare\n\"a b\" quoted\n");
	char *name = mem_printf("texthash:%s", path);
	struct table *table = table_open(name, 0);
	const char *value;

	ck_assert_int_eq(table_get(table, "KEY", &value), TABLE_FOUND);
	ck_assert_str_eq(value, "value one\tcontinued");
	ck_assert_int_eq(table_get(table, "\"a b\"", &value), TABLE_FOUND);
	ck_assert_int_eq(table_get(table, "bare", &value), TABLE_NONE);
	table_close(&table);
	free(name);
}
END_TEST

START_TEST(invariant_2_a_rebuilt_table_is_noticed)
{
	char *name = mem_printf("texthash:%s", write_file("new", "k one\n"));
	struct table *table = table_open(name, 0);
	const char *value;

	ck_assert_int_eq(table_get(table, "k", &value), TABLE_FOUND);
	write_file("other", "k another\n");

	char *old = mem_printf("%s/other", directory);

	ck_assert_int_eq(rename(old, name + strlen("texthash:")), 0);
	usleep(1100 * 1000);
	ck_assert_int_eq(table_get(table, "k", &value), TABLE_FOUND);
	ck_assert_str_eq(value, "another");

	unlink(name + strlen("texthash:"));
	usleep(1100 * 1000);
	ck_assert_int_eq(table_get(table, "k", &value), TABLE_FOUND);
	table_close(&table);
	free(old);
	free(name);
}
END_TEST

#define ADDRESSES "inline:{ada+x@a.org=1 ada@b.org=2 ada+y=3 ada=4 @c.org=5}"

static const struct {
	const char *address;
	bool is_local;
	const char *value, *extension;
} addresses[] = {
	{ "ada+x@a.org", false, "1", "" },
	{ "Ada@B.org", false, "2", "" },
	{ "ada+z@b.org", false, "2", "+z" },
	{ "ada+y@l.org", true, "3", "" },
	{ "ada+z@l.org", true, "4", "+z" },
	{ "ada@l.org", false, NULL, "" },
	{ "ada+y@c.org", false, "5", "" },
	{ "bob@a.org", true, NULL, "" },
	{ "ada", false, "4", "" },
};

START_TEST(addresses_are_tried_in_postfix_order)
{
	struct maps *maps = maps_open("test", ADDRESSES);
	struct text extension = TEXT_EMPTY;
	const char *value;

	ck_assert_int_eq(maps_find_address(maps, addresses[_i].address,
	    addresses[_i].is_local, "+", &value, &extension),
	    addresses[_i].value == NULL ? TABLE_NONE : TABLE_FOUND);
	if (addresses[_i].value != NULL)
		ck_assert_str_eq(value, addresses[_i].value);
	ck_assert_str_eq(text_string(&extension), addresses[_i].extension);
	text_clear(&extension);
	maps_close(&maps);
}
END_TEST

START_TEST(maps_stop_at_the_first_table_that_fails)
{
	struct maps *maps = maps_open("test",
	    "inline:{a=1}, fail:x inline:{a=2 b=2}");
	const char *value;

	ck_assert_int_eq(maps_find(maps, "a", &value), TABLE_FOUND);
	ck_assert_int_eq(maps_find(maps, "b", &value), TABLE_ERROR);
	maps_close(&maps);
}
END_TEST

static const struct {
	const char *parameter, *list, *name, *address;
	enum table_answer answer;
} matches[] = {
	{ "mydestination", "a.org, b.org", "B.ORG", NULL, TABLE_FOUND },
	{ "mydestination", "a.org b.org", "x.b.org", NULL, TABLE_NONE },
	{ "mydestination", "a.org .b.org", "x.b.org", NULL, TABLE_FOUND },
	{ "mydestination", ".b.org", "b.org", NULL, TABLE_NONE },
	{ "mydestination", "!x.b.org .b.org", "x.b.org", NULL, TABLE_NONE },
	{ "mydestination", "inline:{.b.org=1}", "x.b.org", NULL, TABLE_FOUND },
	{ "relay_domains", "b.org", "x.b.org", NULL, TABLE_FOUND },
	{ "relay_domains", "b.org", "xb.org", NULL, TABLE_NONE },
	{ "relay_domains", "inline:{b.org=1}", "x.b.org", NULL, TABLE_FOUND },
	{ "relay_domains", "a.org fail:x b.org", "b.org", NULL, TABLE_ERROR },
	{ "mynetworks", "127.0.0.0/8 [::1]/128", "x", "127.9.9.9", TABLE_FOUND },
	{ "mynetworks", "127.0.0.0/8 [::1]/128", "x", "::1", TABLE_FOUND },
	{ "mynetworks", "127.0.0.0/8", "x", "::ffff:127.0.0.1", TABLE_FOUND },
	{ "mynetworks", "10.0.0.0/9", "x", "10.128.0.1", TABLE_NONE },
	{ "mynetworks", "!10.1.0.0/16 10.0.0.0/8", "x", "10.1.2.3", TABLE_NONE },
	{ "mynetworks", "[2001:db8::]/32", "x", "2001:db8:1::1", TABLE_FOUND },
	{ "mynetworks", "10.0.0.1/8", "x", "10.0.0.1", TABLE_ERROR },
	{ "mynetworks", "10.0.0.0/99", "x", "10.0.0.1", TABLE_ERROR },
	{ "mynetworks", "/no/such/file", "x", "10.0.0.1", TABLE_ERROR },
	{ "mynetworks", "inline:{10.0.0.1=ok}", "x", "10.0.0.1", TABLE_FOUND },
	{ "mynetworks", "x.org", "a.x.org", "10.0.0.1", TABLE_FOUND },
	{ "mynetworks", "unknown", "unknown", "10.0.0.1", TABLE_NONE },
	{ "mynetworks", "inline:{{10.0.0.1=ok}", "x", "10.0.0.1", TABLE_ERROR },
};

START_TEST(lists_match_as_in_postfix)
{
	struct match_list *list = match_list_open(matches[_i].parameter,
	    matches[_i].list);
	struct sockaddr_storage address = { 0 };
	const char *text = matches[_i].address;
	enum table_answer answer;

	if (text == NULL)
		answer = match_domain(list, matches[_i].name);
	else {
		address.ss_family = strchr(text, ':') ? AF_INET6 : AF_INET;
		ck_assert_int_eq(inet_pton(address.ss_family, text,
		    strchr(text, ':') != NULL
		    ? (void *)&((struct sockaddr_in6 *)&address)->sin6_addr
		    : (void *)&((struct sockaddr_in *)&address)->sin_addr), 1);
		answer = match_client(list, matches[_i].name,
		    (struct sockaddr *)&address);
	}
	ck_assert_int_eq(answer, matches[_i].answer);
	match_list_close(&list);
}
END_TEST

START_TEST(a_list_reads_files)
{
	char *path = mem_strdup(write_file("domains", "# mine\na.org\n b.org\n!c.org\n.org\n"));
	struct match_list *list = match_list_open("mydestination", path);

	ck_assert_int_eq(match_domain(list, "b.org"), TABLE_FOUND);
	ck_assert_int_eq(match_domain(list, "c.org"), TABLE_NONE);
	ck_assert_int_eq(match_domain(list, "d.org"), TABLE_FOUND);
	match_list_close(&list);
	free(path);
}
END_TEST

static const struct { const char *line, *key, *value; } alias_lines[] = {
	{ "postmaster: root", "postmaster", "root" },
	{ "\"ada l\" : ada@x.org, bob", "ada l", "ada@x.org, bob" },
	{ "a:\"|cmd x:y\"", "a", "\"|cmd x:y\"" },
	{ "nothing", NULL, NULL },
	{ "a:", NULL, NULL },
	{ "\"a: b", NULL, NULL },
	{ "a,b: c", NULL, NULL },
	{ "a@example.org: c", NULL, NULL },
	{ "a: b ,c,  \\d e", "a", "b, c, d e" },
	{ "a: \"|x  'y\\z' \\\"q\\\"\"", "a", "\"|x  'yz' \\\"q\\\"\"" },
	{ "a: :include: /etc/list,", "a", ":include:/etc/list, " },
};

START_TEST(an_alias_line_is_cut)
{
	char *line = mem_strdup(alias_lines[_i].line), *key, *value;

	if (alias_lines[_i].key == NULL)
		ck_assert_ptr_nonnull(source_split_alias(line, &key, &value));
	else {
		ck_assert_ptr_null(source_split_alias(line, &key, &value));
		ck_assert_str_eq(key, alias_lines[_i].key);

		struct text tidy = TEXT_EMPTY;

		source_tidy_alias(value, &tidy);
		ck_assert_str_eq(text_string(&tidy), alias_lines[_i].value);
		text_clear(&tidy);
	}
	free(line);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("table");
	TCase *tests = tcase_create("table");

	if (mkdtemp(directory) == NULL)
		fatal("make a directory: %m");
	log_open_function(keep_line);
	write_file("main.cf", "myhostname = host.example.org\n");
	if (config_load(directory, NULL) == -1)
		fatal("%s", logged);
	tcase_add_loop_test(tests, invariant_1_not_found_is_not_an_error, 0,
	    COUNT_OF(questions));
	tcase_add_test(tests, texthash_keeps_the_first_value_and_folds_keys);
	tcase_add_test(tests, invariant_2_a_rebuilt_table_is_noticed);
	tcase_add_loop_test(tests, addresses_are_tried_in_postfix_order, 0,
	    COUNT_OF(addresses));
	tcase_add_test(tests, maps_stop_at_the_first_table_that_fails);
	tcase_add_loop_test(tests, lists_match_as_in_postfix, 0,
	    COUNT_OF(matches));
	tcase_add_test(tests, a_list_reads_files);
	tcase_add_loop_test(tests, an_alias_line_is_cut, 0,
	    COUNT_OF(alias_lines));
	suite_add_tcase(suite, tests);
	tcase_set_timeout(tests, 20);

	int failed = run_suite(suite);

	char *command = mem_printf("rm -rf %s", directory);

	if (system(command) != 0)
		failed++;
	free(command);
	return failed;
}
