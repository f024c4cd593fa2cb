#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/base.h"
#include "config/config.h"
#include "table/maps.h"
#include "table/table.h"
#include "tests/unit/suite.h"

static char directory[] = "/tmp/rules-test.XXXXXX";
static char logged[8192];

static void
keep_line(enum log_level level, const char *line)
{
	(void)level;
	strlcat(logged, line, sizeof(logged));
	strlcat(logged, "\n", sizeof(logged));
}

static char *
write_table(const char *type, const char *text)
{
	char *path = mem_printf("%s/table", directory);
	char *name = mem_printf("%s:%s", type, path);
	FILE *file = fopen(path, "w");

	if (file == NULL || fputs(text, file) == EOF || fclose(file) != 0)
		fatal("write %s: %m", path);
	free(path);
	return name;
}

#define CIDR "# networks\n" \
	"10.1.0.0/16 one\n" \
	"!10.0.0.0/8 not ten\n" \
	"if 10.2.0.0/16\n" \
	"10.2.3.4 host\n" \
	"  goes on\n" \
	"if ![10.2.4.0/24]\n" \
	"0.0.0.0/0 rest of two\n" \
	"endif\n" \
	"endif\n" \
	"[2001:db8::]/32 six\n"

#define REGEXP "/^(a)(.*)z$/ $2-${1}-$(1)$$\n" \
	"/^CASE$/i exact\n" \
	"!/^[a-z0-9 ]*$/ odd\n" \
	"if /^x/\n" \
	"if !/y/\n" \
	"/./ x without y\n" \
	"endif\n" \
	"/(n)?y/ <$1>\n" \
	"endif\n" \
	"#a/b# slash\n" \
	"/with\\/in/ escaped\n"

static const struct { const char *type, *text, *key, *value; } rows[] = {
	{ "cidr", CIDR, "10.1.2.3", "one" },
	{ "cidr", CIDR, "::ffff:10.1.2.3", "one" },
	{ "cidr", CIDR, "11.1.2.3", "not ten" },
	{ "cidr", CIDR, "10.2.3.4", "host  goes on" },
	{ "cidr", CIDR, "10.2.5.5", "rest of two" },
	{ "cidr", CIDR, "10.2.4.5", NULL },
	{ "cidr", CIDR, "2001:db8:1::1", "six" },	/* the ! speaks of IPv4 */
	{ "cidr", CIDR, "2001:db9::1", NULL },
	{ "cidr", CIDR, "host.example.org", NULL },
	{ "regexp", REGEXP, "aBcz", "Bc-a-a$" },	/* groups keep the key's case */
	{ "regexp", REGEXP, "CASE", "exact" },
	{ "regexp", REGEXP, "case", NULL },
	{ "regexp", REGEXP, "a@b", "odd" },
	{ "regexp", REGEXP, "xa", "x without y" },
	{ "regexp", REGEXP, "xy", "<>" },
	{ "regexp", REGEXP, "xny", "<n>" },
#ifdef HAVE_PCRE2
	{ "pcre", REGEXP, "aBcz", "Bc-a-a$" },
	{ "pcre", REGEXP, "xy", "<>" },
	{ "pcre", REGEXP, "xny", "<n>" },
	{ "pcre", "/^(?:(?!b).)*$/ no b\n", "aaa", "no b" },
#endif
};

START_TEST(the_first_rule_that_fits_answers)
{
	char *name = write_table(rows[_i].type, rows[_i].text);
	struct table *table = table_open(name, 0);
	const char *value;

	ck_assert_int_eq(table_get(table, rows[_i].key, &value),
	    rows[_i].value == NULL ? TABLE_NONE : TABLE_FOUND);
	if (rows[_i].value != NULL)
		ck_assert_str_eq(value, rows[_i].value);
	table_close(&table);
	free(name);
}
END_TEST

/* Each of these is left out with its line, and the line behind it still counts. */
static const struct { const char *type, *line, *warning; } mistakes[] = {
	{ "cidr", "10.0.0.1/8 x", "non-null host address bits in \"10.0.0.1/8\", perhaps you should use \"10.0.0.0/8\" instead" },
	{ "cidr", "10.0.0.0/33 x", "bad mask length in \"10.0.0.0/33\"" },
	{ "cidr", "10.0.0.0/x x", "bad mask value in \"10.0.0.0/x\"" },
	{ "cidr", "[10.0.0.0 x", "missing ']' character after \"[10.0.0.0\"" },
	{ "cidr", "host x", "bad address pattern: \"host\"" },
	{ "cidr", "10.0.0.0/8", "no lookup result" },
	{ "cidr", "endif", "ENDIF without IF" },
	{ "regexp", "/(x/ y", "Unmatched ( or \\(" },
	{ "regexp", "/x y", "no closing regexp delimiter \"/\"" },
	{ "regexp", "/x/q y", "unknown regexp option \"q\"" },
	{ "regexp", "x y", "ignoring unrecognized request" },
	{ "regexp", "/x/ $1", "out of range replacement index \"1\"" },
	{ "regexp", "/(x)/ $1y", "non-numeric replacement index" },
	{ "regexp", "/x/ ${1", "truncated macro reference" },
	{ "regexp", "!/(x)/ $1", "$number found in negative match" },
#ifdef HAVE_PCRE2
	{ "pcre", "/x(/ y", "error in regex at offset" },
#endif
};

START_TEST(a_mistake_is_told_and_left_out)
{
	bool is_cidr = strcmp(mistakes[_i].type, "cidr") == 0;
	char *text = mem_printf("# comment\n%s\n%s\n", mistakes[_i].line,
	    is_cidr ? "192.0.2.0/24 good" : "/^192/ good");
	char *name = write_table(mistakes[_i].type, text);
	char *where = mem_printf("%s map %s, line 2: %s", mistakes[_i].type,
	    strchr(name, ':') + 1, mistakes[_i].warning);
	const char *value;

	*logged = '\0';

	struct table *table = table_open(name, 0);

	ck_assert_msg(strstr(logged, where) != NULL, "wanted: %s\nlogged: %s",
	    where, logged);
	ck_assert_int_eq(table_get(table, "192.0.2.1", &value), TABLE_FOUND);
	ck_assert_str_eq(value, "good");
	table_close(&table);
	free(where);
	free(name);
	free(text);
}
END_TEST

START_TEST(aliases_take_no_pieces_of_the_key)
{
	char *name = write_table("regexp", "/^(.*)x$/ |$1\n/^(.*)y$/ /tmp/z\n");
	struct maps *maps = maps_open("alias_maps", name);
	const char *value;

	*logged = '\0';
	ck_assert_int_eq(maps_find(maps, "rmx", &value), TABLE_NONE);
	ck_assert_int_eq(maps_find(maps, "rmy", &value), TABLE_FOUND);
	maps_close(&maps);
	free(name);
}
END_TEST

#ifdef HAVE_PCRE2
START_TEST(a_pattern_that_explodes_is_an_error)
{
	char *name = write_table("pcre", "/^(a+)+$/ x\n");
	struct table *table = table_open(name, 0);
	const char *value;

	ck_assert_int_eq(table_get(table, "aaaa", &value), TABLE_FOUND);
	ck_assert_int_eq(table_get(table,
	    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab", &value),
	    TABLE_ERROR);
	table_close(&table);
	free(name);
}
END_TEST
#endif

int
main(void)
{
	Suite *suite = suite_create("table");
	TCase *tests = tcase_create("rules");
	char *path;

	if (mkdtemp(directory) == NULL)
		fatal("make a directory: %m");
	log_open_function(keep_line);
	tcase_add_loop_test(tests, the_first_rule_that_fits_answers, 0,
	    COUNT_OF(rows));
	tcase_add_loop_test(tests, a_mistake_is_told_and_left_out, 0,
	    COUNT_OF(mistakes));
	tcase_add_test(tests, aliases_take_no_pieces_of_the_key);
#ifdef HAVE_PCRE2
	tcase_add_test(tests, a_pattern_that_explodes_is_an_error);
#endif
	suite_add_tcase(suite, tests);

	int failed = run_suite(suite);

	path = mem_printf("%s/table", directory);
	unlink(path);
	rmdir(directory);
	free(path);
	return failed;
}
