#include <check.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/base.h"
#include "config/config.h"
#include "config/expand.h"
#include "config/lines.h"
#include "config/report.h"
#include "config/values.h"
#include "tests/unit/suite.h"

static char directory[] = "/tmp/config-test.XXXXXX";
static char logged[4096];

static void
keep_line(enum log_level level, const char *line)
{
	(void)level;
	strlcat(logged, line, sizeof(logged));
	strlcat(logged, "\n", sizeof(logged));
}

static int
load(const char *text, const char *const overrides[])
{
	char path[64];

	snprintf(path, sizeof(path), "%s/main.cf", directory);

	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	ck_assert_int_eq(fd_write_all(fd, text, strlen(text)), 0);
	close(fd);
	*logged = '\0';
	return config_load(directory, overrides);
}

static const struct { const char *in, *out; } forms[] = {
	{ "plain", "plain" },
	{ "$x ${x} $(x)", "1 1 1" },
	{ "[${x?{ foo }:{ bar }}] [${ x ? foo }] [${x?foo}]", "[ foo ] [ foo ] [foo]" },
	{ "[$none] [${none}] [$$] [$$x]", "[] [] [$] [$x]" },
	{ "${none?yes}${none:no}${empty?yes}${empty:no}", "nono" },
	{ "${ee?a value counts before it is expanded}", "a value counts before it is expanded" },
	{ "${x?a:b} $(x?{a}:{b}) ${none?{a}:{b}} ${none:{b}}", "a:b a b b" },
	{ "${{a} < {b}?{1}:{2}} ${{10} < {9}?{1}:{2}}", "1 2" },
	{ "${{$x} == {1} ? {${x?{in ${x}}}} : {}}", "in 1" },
	{ "${{a} == {b}}+${{a}=={a}}", "+true" },
	{ "${{3.10} >=level {3.9} ? {new} : {old}}", "new" },
	{ "${{3.9} <level {3.9} ? {older} : {not}}", "not" },
	{ "a$ b", NULL },
	{ "${x", NULL },
	{ "${}", NULL },
	{ "${x!y}", NULL },
	{ "${x?{a} b}", NULL },
	{ "${{a} = {b} ? c}", NULL },
	{ "$loop", NULL },
	{ "$loop2", NULL },
};

static const char *
value_of(const char *name, void *context)
{
	(void)context;
	return strcmp(name, "x") == 0 ? "1" : strcmp(name, "empty") == 0 ? ""
	    : strcmp(name, "ee") == 0 ? "$empty"
	    : strcmp(name, "loop") == 0 ? "a $loop"
	    : strcmp(name, "loop2") == 0 ? "${x?${loop3}}"
	    : strcmp(name, "loop3") == 0 ? "$loop2" : NULL;
}

START_TEST(every_form_expands_as_in_postfix)
{
	struct expansion expansion = { value_of, NULL, true, NULL };
	struct text out = TEXT_EMPTY, why = TEXT_EMPTY;
	int result = expand(&expansion, forms[_i].in, &out, &why);

	ck_assert_int_eq(result, forms[_i].out == NULL ? -1 : 0);
	if (forms[_i].out != NULL)
		ck_assert_str_eq(text_string(&out), forms[_i].out);
	else
		ck_assert_uint_gt(why.length, 0);
	text_clear(&out);
	text_clear(&why);
}
END_TEST

START_TEST(lines_are_joined_across_comments)
{
	static const char text[] = "# c\n\na = 1\n # c\n  2\n#c\n\n\t3\nb\r\nlast";
	static const struct { const char *line; int number; } wanted[] = {
		{ "a = 1  2\t3", 3 }, { "b", 9 }, { "last", 10 },
	};
	struct lines lines;

	lines_open(&lines, text, strlen(text));
	for (size_t i = 0; i < COUNT_OF(wanted); i++) {
		ck_assert_str_eq(lines_next(&lines), wanted[i].line);
		ck_assert_int_eq(lines.first, wanted[i].number);
	}
	ck_assert_ptr_null(lines_next(&lines));
	lines_close(&lines);
}
END_TEST

START_TEST(rows_are_sorted_and_their_defaults_fit)
{
	for (size_t i = 1; i < config_parameter_count; i++)
		ck_assert_str_lt(config_parameters[i - 1].name,
		    config_parameters[i].name);
	ck_assert_msg(load("", NULL) == 0, "%s", logged);
	ck_assert_int_eq(config.message_size_limit, 10240000);
	ck_assert_int_eq(config.maximal_queue_lifetime, 5 * 86400);
	ck_assert_int_eq(config.smtpd_timeout, 300);
	ck_assert_str_eq(config.relay_domains, "");
	ck_assert_ptr_nonnull(strchr(config.myhostname, '.'));
}
END_TEST

START_TEST(values_come_from_main_cf_and_options)
{
	const char *const overrides[] = { "smtpd_helo_required=yes",
	    "queue_run_delay = 2m", NULL };

	ck_assert_msg(load("myhostname = a.example.org\n"
	    "message_size_limit=1\nmessage_size_limit =\n 500\n"
	    "maximal_queue_lifetime = 3\n"
	    "site = $mydomain\nvirtual_alias_domains = x.$site\n"
	    "mailbox_command = /bin/x \"$EXTENSION\"\n"
	    "slow_destination_concurrency_limit = 3\n", overrides) == 0,
	    "%s", logged);
	ck_assert_int_eq(config.message_size_limit, 500);
	ck_assert_int_eq(config.maximal_queue_lifetime, 3 * 86400);
	ck_assert_int_eq(config.queue_run_delay, 120);
	ck_assert(config.smtpd_helo_required);
	ck_assert_str_eq(config.virtual_alias_domains, "x.example.org");
	ck_assert_str_eq(config.mailbox_command, "/bin/x \"$EXTENSION\"");
	ck_assert_str_eq(config_get("site"), "example.org");
	ck_assert_ptr_null(config_get("nobody_knows"));
	ck_assert_int_eq(config_transport_int("slow",
	    "_destination_concurrency_limit", 20), 3);
	ck_assert_int_eq(config_transport_int("fast",
	    "_destination_concurrency_limit", 20), 20);
}
END_TEST

static const struct { const char *text, *says; } mistakes[] = {
	{ "a = 1\nwrong\n", "main.cf, line 2: missing '=' after attribute name" },
	{ "= 1\n", "line 1: missing attribute name" },
	{ "two words = 1\n", "line 1: missing" },
	{ "\nsmtpd_helo_required = maybe\n", "line 2: smtpd_helo_required = maybe: expected yes or no" },
	{ "message_size_limit = 10MB\n", "expected a whole number, 0 or more" },
	{ "reject_code = 42\n", "expected a whole number from 400 to 599" },
	{ "queue_run_delay = soon\n", "expected a time like" },
	{ "queue_run_delay = 0\n", "expected a time from 1s" },
	{ "myhostname = $mydomain\nmydomain=$myhostname\n", "refers to itself" },
	{ "relayhost = ${x\n", "line 1: relayhost = ${x: a bracket is not closed" },
	{ "slow_destination_concurrency_limit = x\n", "slow_destination_concurrency_limit = x: expected" },
	{ "inet_protocols = ipv5\n", "expected all, ipv4 or ipv6" },
};

START_TEST(mistake_2_is_told_and_changes_nothing)
{
	ck_assert_int_eq(load("myhostname = before.example.org\n", NULL), 0);
	ck_assert_int_eq(load(mistakes[_i].text, NULL), -1);
	ck_assert_msg(strstr(logged, mistakes[_i].says) != NULL,
	    "wanted \"%s\", logged \"%s\"", mistakes[_i].says, logged);
	ck_assert_str_eq(config.myhostname, "before.example.org");
	ck_assert_str_eq(config_get("myhostname"), "before.example.org");
}
END_TEST

START_TEST(unknown_and_unimplemented_names_are_reported)
{
	ck_assert_int_eq(load("smtp_tls_security_level = may\n"
	    "smtpd_milters = inet:x:1\nmessage_sise_limit = 3\n"
	    "mine = 1\nrelayhost = $mine\nmilter_protocol = 6\n"
	    "content_filter =\n", NULL), 0);
	*logged = '\0';
	ck_assert_int_eq(config_report(), 1);
	ck_assert_msg(strstr(logged, "mail goes in the clear for now"), "%s", logged);
	ck_assert(strstr(logged, "line 2: smtpd_milters: no milters yet"));
	ck_assert(strstr(logged, "message_sise_limit (is message_size_limit meant?)"));
	ck_assert_ptr_null(strstr(logged, "mine"));
	ck_assert_ptr_null(strstr(logged, "content_filter"));
}
END_TEST

static const struct { const char *text; char unit; int seconds; } times[] = {
	{ "0", 's', 0 }, { "5", 'd', 432000 }, { "5m", 'd', 300 },
	{ "1w", 's', 604800 }, { "2H", 's', 7200 }, { "", 's', -1 },
	{ "5x", 's', -1 }, { "-1", 's', -1 }, { "99999999999d", 's', -1 },
	{ "1 m", 's', -1 }, { "1ms", 's', -1 },
};

START_TEST(a_time_has_a_unit)
{
	int seconds = -1;

	config_time(times[_i].text, times[_i].unit, &seconds);
	ck_assert_int_eq(seconds, times[_i].seconds);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("config");
	TCase *tests = tcase_create("main.cf");

	if (mkdtemp(directory) == NULL)
		fatal("make a directory: %m");
	log_open_function(keep_line);
	tcase_add_loop_test(tests, every_form_expands_as_in_postfix, 0,
	    COUNT_OF(forms));
	tcase_add_test(tests, lines_are_joined_across_comments);
	tcase_add_test(tests, rows_are_sorted_and_their_defaults_fit);
	tcase_add_test(tests, values_come_from_main_cf_and_options);
	tcase_add_loop_test(tests, mistake_2_is_told_and_changes_nothing, 0,
	    COUNT_OF(mistakes));
	tcase_add_test(tests, unknown_and_unimplemented_names_are_reported);
	tcase_add_loop_test(tests, a_time_has_a_unit, 0, COUNT_OF(times));
	suite_add_tcase(suite, tests);

	int failed = run_suite(suite);

	char path[64];

	snprintf(path, sizeof(path), "%s/main.cf", directory);
	unlink(path);
	rmdir(directory);
	return failed;
}
