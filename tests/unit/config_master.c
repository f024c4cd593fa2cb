#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "base/base.h"
#include "config/master_cf.h"
#include "tests/unit/suite.h"

static char logged[4096];

static void
keep_line(enum log_level level, const char *line)
{
	(void)level;
	strlcat(logged, line, sizeof(logged));
	strlcat(logged, "\n", sizeof(logged));
}

static int
parse(const char *text, struct master_cf *cf)
{
	*logged = '\0';
	return master_cf_parse(text, strlen(text), "master.cf", cf);
}

static const struct {
	const char *line, *endpoint, *host, *port;
	bool unprivileged, chroot;
	int wakeup;
	bool if_used;
	int limit;
	const char *arguments;		/* with | between them */
} good[] = {
	{ "smtp inet n - n - - smtpd", "smtp", "", "smtp", true, false, 0, false, -1, "" },
	{ "127.0.0.1:2525 inet n - y - 5 smtpd -v", "127.0.0.1:2525", "127.0.0.1", "2525", true, true, 0, false, 5, "-v" },
	{ "[::1]:25 inet n n - - 0 smtpd", "[::1]:25", "::1", "25", false, false, 0, false, 0, "" },
	{ "flush unix n - n 1000? 0 flush", "public/flush", NULL, NULL, true, false, 1000, true, 0, "" },
	{ "local unix - n n - - local", "private/local", NULL, NULL, false, false, 0, false, -1, "" },
	{ "x unix - - - 60 1 smtp\n  -o a=b\n#c\n\t-o { c = d e } -of=g", "private/x", NULL, NULL, true, false, 60, false, 1, "-o|a=b|-o|c=d e|-o|f=g" },
	{ "y unix - n n - - pipe {argv=/bin/x  y} ${z}", "private/y", NULL, NULL, false, false, 0, false, -1, "argv=/bin/x  y|${z}" },
	{ "postlog unix-dgram n - n - 1 postlogd", "public/postlog", NULL, NULL, true, false, 0, false, 1, "" },
};

START_TEST(a_line_is_read)
{
	struct master_cf cf;

	ck_assert_msg(parse(good[_i].line, &cf) == 0, "%s", logged);
	ck_assert_uint_eq(cf.count, 1);

	struct master_entry *entry = cf.entries;
	char *endpoint = master_entry_endpoint(entry);
	struct text arguments = TEXT_EMPTY;

	for (size_t i = 0; i < entry->argument_count; i++)
		text_printf(&arguments, "%s%s", i == 0 ? "" : "|",
		    entry->arguments[i]);
	ck_assert_str_eq(endpoint, good[_i].endpoint);
	if (good[_i].host != NULL) {
		ck_assert_str_eq(entry->host, good[_i].host);
		ck_assert_str_eq(entry->port, good[_i].port);
	}
	ck_assert_int_eq(entry->unprivileged, good[_i].unprivileged);
	ck_assert_int_eq(entry->chroot, good[_i].chroot);
	ck_assert_int_eq(entry->wakeup, good[_i].wakeup);
	ck_assert_int_eq(entry->wakeup_if_used, good[_i].if_used);
	ck_assert_int_eq(entry->process_limit, good[_i].limit);
	ck_assert_str_eq(text_string(&arguments), good[_i].arguments);
	text_clear(&arguments);
	free(endpoint);
	master_cf_clear(&cf);
}
END_TEST

static const struct { const char *text, *says; } bad[] = {
	{ "smtp inet n - n -", "master.cf, line 1: missing maxproc column" },
	{ "smtp net n - n - - smtpd", "type \"net\": expected inet" },
	{ "\nsmtp inet x - n - - smtpd", "line 2: private column \"x\"" },
	{ "smtp inet n - n soon - smtpd", "wakeup column \"soon\"" },
	{ "smtp inet n - n - -1 smtpd", "maxproc column" },
	{ "smtp inet n - n - - /bin/sh", "without /" },
	{ "::1:25 inet n - n - - smtpd", "expected port, host:port" },
	{ "[::1 inet n - n - - smtpd", "expected port, host:port" },
	{ "host: inet n - n - - smtpd", "expected port, host:port" },
	{ "../x unix n - n - - smtpd", "a name without /" },
	{ "x unix n - n - - smtp -o", "-o without" },
	{ "x unix n - n - - smtp -o novalue", "expected -o name=value" },
	{ "x unix n - n - - smtp -o { a = b", "a { without its }" },
};

START_TEST(a_mistake_is_told_with_its_line)
{
	struct master_cf cf;

	ck_assert_int_eq(parse(bad[_i].text, &cf), -1);
	ck_assert_msg(strstr(logged, bad[_i].says) != NULL,
	    "wanted \"%s\", logged \"%s\"", bad[_i].says, logged);
	ck_assert_uint_eq(cf.count, 0);
}
END_TEST

START_TEST(the_last_duplicate_counts)
{
	struct master_cf cf;

	ck_assert_int_eq(parse("proxymap unix - - n - - proxymap\n"
	    "smtp inet n - n - - smtpd\nsmtp unix - - n - - smtp\n"
	    "proxymap unix - - n - 7 proxymap\n", &cf), 0);
	ck_assert_uint_eq(cf.count, 3);
	ck_assert_int_eq(cf.entries[0].process_limit, 7);
	ck_assert_msg(strstr(logged, "duplicate master.cf entry for service "
	    "\"proxymap\" (private/proxymap) -- using the last entry (lines 1 and 4)"),
	    "%s", logged);
	master_cf_clear(&cf);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("config");
	TCase *tests = tcase_create("master.cf");

	log_open_function(keep_line);
	tcase_add_loop_test(tests, a_line_is_read, 0, COUNT_OF(good));
	tcase_add_loop_test(tests, a_mistake_is_told_with_its_line, 0,
	    COUNT_OF(bad));
	tcase_add_test(tests, the_last_duplicate_counts);
	suite_add_tcase(suite, tests);
	return run_suite(suite);
}
