#include <arpa/inet.h>

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/base.h"
#include "named/settings.h"

static char said[8192];

static void
remember(enum log_level level, const char *line)
{
	strlcat(said, line, sizeof(said));
	strlcat(said, "\n", sizeof(said));
}

static int
read_settings(struct settings *settings, const char *text)
{
	struct conf conf;

	said[0] = '\0';
	log_open_function(remember);
	if (conf_read_text(&conf, "f", text, strlen(text)) == 0)
		return settings_apply(settings, &conf, 53);
	conf_clear(&conf);
	memset(settings, 0, sizeof(*settings));
	return -1;
}

/* Text, what the log says (NULL: nothing), and whether it is refused. */
static const struct { const char *text, *says; bool refused; } rows[] = {
	{ "", NULL, false },
	{ "/* a */ options { // b\n # c\n};", NULL, false },
	{ "options {\n recursion no }; ", "f:2: missing ';' before '}'", true },
	{ "options { };\n;", "f:2: unexpected token near ';'", true },
	{ "options {", "missing '}' before end of file", true },
	{ "options { directory \"x }; ", "unbalanced quotes", true },
	{ "/* options", "unterminated comment", true },
	{ "options { };\noptions { };", "f:2: 'options' redefined", true },
	{ "optoins { };", "f:1: unknown option 'optoins'", true },
	{ "options { foo bar; };", "f:1: unknown option 'foo'", true },
	{ "options { recursion yes; };", "never recurses", false },
	{ "options { notify yes; };", "'notify' is not served", false },
	{ "options { notify no; };", NULL, false },
	{ "options { querylog no;\nquerylog no; };", "f:2: 'querylog' redefined",
	  true },
	{ "options { dnssec-policy default; };", "'dnssec-policy' is not",
	  true },
	{ "options { rate-limit { x 5; }; };", "'rate-limit' is not served",
	  true },
	{ "view \"x\" { };", "'view' is not served", true },
	{ "key k { algorithm x; secret \"s\"; };", NULL, false },
	{ "options { tcp-clients many; };", "expected a number", true },
	{ "options { minimal-responses perhaps; };", "unexpected value", true },
	{ "options { listen-on { 1.2.3; }; };", "undefined ACL '1.2.3'", true },
	{ "options { listen-on port 0 { any; }; };", "too small", true },
	{ "acl a { a; }; options { allow-query { a; }; };", NULL, false },
	{ "zone \"x\" { file \"f\"; };", "zone 'x': 'type' not present", true },
	{ "zone \"x\" { type master; };", "zone 'x': missing 'file'", true },
	{ "zone \"x\" { type master; file \"f\"; };\n"
	  "zone \"X.\" { type primary; file \"g\"; };",
	  "f:2: zone 'X.': already exists previous definition: f:1", true },
	{ "zone \"x\" CH { type master; file \"f\"; };", "class 'CH'", true },
	{ "zone \"x\" { type slave; };", "type slave is not served yet",
	  false },
	{ "zone \".\" { type hint; file \"h\"; };", NULL, false },
};

START_TEST(tells_what_is_wrong_and_where)
{
	struct settings settings;
	int result = read_settings(&settings, rows[_i].text);

	ck_assert_msg((result == -1) == rows[_i].refused, "%s: %s",
	    rows[_i].text, said);
	if (rows[_i].says == NULL)
		ck_assert_str_eq(said, "");
	else
		ck_assert_msg(strstr(said, rows[_i].says) != NULL, "%s: %s",
		    rows[_i].text, said);
	settings_clear(&settings);
}
END_TEST

static const struct { const char *list, *address; bool allowed; } lists[] = {
	{ "any;", "192.0.2.1", true },
	{ "none;", "192.0.2.1", false },
	{ "", "192.0.2.1", false },
	{ "192.0.2.1;", "192.0.2.1", true },
	{ "192.0.2.1;", "192.0.2.2", false },
	{ "192.0.2/24;", "192.0.2.77", true },
	{ "10/8; !any;", "11.0.0.1", false },
	{ "!10.1/16; 10/8;", "10.1.2.3", false },
	{ "!10.1/16; 10/8;", "10.2.2.3", true },
	{ "2001:db8::/32;", "2001:db8::1", true },
	{ "2001:db8::/32;", "192.0.2.1", false },
	{ "{ 10/8; { 11/8; }; };", "11.1.1.1", true },
	{ "!{ !192.0.2.1; any; }; any;", "192.0.2.1", true },
	{ "!{ !192.0.2.1; any; }; any;", "192.0.2.2", false },
	{ "us;", "198.51.100.9", true },
	{ "!us; any;", "198.51.100.9", false },
	{ "loop;", "192.0.2.1", false },
	{ "key k; 192.0.2.1;", "192.0.2.1", true },
	{ "localhost;", "127.0.0.1", true },
	{ "localnets;", "127.9.9.9", true },
	{ "192.0.2.1;", "::ffff:192.0.2.1", true },
};

START_TEST(address_match_lists)
{
	struct settings settings;
	struct text text = TEXT_EMPTY;
	union {
		struct sockaddr any;
		struct sockaddr_in four;
		struct sockaddr_in6 six;
	} address = { { 0 } };

	text_printf(&text, "acl us { 198.51.100.0/24; }; acl loop { loop; };\n"
	    "options { allow-query { %s }; };", lists[_i].list);
	ck_assert_msg(read_settings(&settings, text_string(&text)) == 0, "%s",
	    said);
	address.any.sa_family = strchr(lists[_i].address, ':') != NULL ?
	    AF_INET6 : AF_INET;
	inet_pton(address.any.sa_family, lists[_i].address,
	    address.any.sa_family == AF_INET ? (void *)&address.four.sin_addr :
	    (void *)&address.six.sin6_addr);
	ck_assert_msg(acls_allow(&settings.acls, settings.acl, &address.any) ==
	    lists[_i].allowed, "{ %s } and %s", lists[_i].list,
	    lists[_i].address);
	text_clear(&text);
	settings_clear(&settings);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("named-lite_settings");
	TCase *tcase = tcase_create("settings");

	tcase_add_loop_test(tcase, tells_what_is_wrong_and_where, 0,
	    COUNT_OF(rows));
	tcase_add_loop_test(tcase, address_match_lists, 0, COUNT_OF(lists));
	suite_add_tcase(suite, tcase);

	SRunner *runner = srunner_create(suite);

	srunner_run_all(runner, CK_NORMAL);

	int failed = srunner_ntests_failed(runner);

	srunner_free(runner);
	return failed > 0;
}
