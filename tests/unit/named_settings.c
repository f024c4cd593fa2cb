#include <arpa/inet.h>

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/base.h"
#include "named/remotes.h"
#include "named/settings.h"
#include "tests/unit/suite.h"

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
		return settings_apply(settings, &conf, 0);
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
	{ "options {\n directory \"x\n }; ", "f:2: unbalanced quotes", true },
	{ "trusted-keys { \".\" 257 3 8 \"AwEA\n AaZZ\"; };\nfoo;",
	  "f:3: unknown option 'foo'", true },
	{ "/* options", "unterminated comment", true },
	{ "options { };\noptions { };", "f:2: 'options' redefined", true },
	{ "optoins { };", "f:1: unknown option 'optoins'", true },
	{ "options { foo bar; };", "f:1: unknown option 'foo'", true },
	{ "options { recursion yes; };", "never recurses", false },
	{ "options { notify yes; };", NULL, false },
	{ "options { notify maybe; };", "f:1: boolean expected near 'maybe'",
	  true },
	{ "options { check-spf no; };", "'no' unexpected", true },
	{ "options { querylog no;\nquerylog no; };", "f:2: 'querylog' redefined",
	  true },
	{ "options { dnssec-policy default; };", "'dnssec-policy' is not",
	  true },
	{ "options { dnssec-policy none; };", NULL, false },
	{ "options { allow-update { none; }; };", NULL, false },
	{ "options { allow-update { any; }; };", "'allow-update' is not served",
	  false },
	{ "options { hostname { }; };", "'hostname': expected a value", true },
	{ "options { lame-ttl x; };", "expected ISO 8601 duration", true },
	{ "options { lame-ttl PT1H30M; max-ncache-ttl 2h; };", NULL, false },
	{ "options { auto-dnssec off; };", "'auto-dnssec' is deprecated",
	  false },
	{ "options { dscp 3; };", "'dscp' is obsolete", false },
	{ "options { max-journal-size 5x; };", "integer and optional unit",
	  true },
	{ "options { max-journal-size 5m; max-ixfr-ratio 20%; };", NULL,
	  false },
	{ "options { max-ixfr-ratio 20; };", "expected percentage", true },
	{ "options { max-transfer-time-in 99999; };",
	  "max-transfer-time-in '99999' is out of range (0..40320)", true },
	{ "options { tcp-idle-timeout 5000; };", "using 1200", false },
	{ "options { notify-source 192.0.2.1; transfer-source-v6 *; };", NULL,
	  false },
	{ "options { notify-source ::1; };", "expected IPv4 address", true },
	{ "options { rate-limit { x 5; }; };", "unknown option 'x'", true },
	{ "options { rate-limit { slip 11; }; };", "out of range", true },
	{ "options { cookie-secret \"abc\"; };", "invalid hex string", true },
	{ "options { cookie-secret \"00\"; };", "must be 128 bits", true },
	{ "options { response-padding { any; } block-size 468; };", NULL,
	  false },
	{ "options { response-padding { any; }; };", "expected: response",
	  true },
	{ "acl x { 10/8; geoip country US; };", "'geoip' is not served", true },
	{ "view x { };\nview y { };", "f:2: 'view' is not served", true },
	{ "view x { match-clients { any; }; recursion no; }; options { "
	  "recursion yes; };", NULL, false },
	{ "view x {\nmatch-clients { 10/8; }; };",
	  "f:2: a view for some clients alone", true },
	{ "view x {\nmatch-clients { any; !10/8; }; };",
	  "f:2: a view for some clients alone", true },
	{ "view x CH { };", "of class IN", true },
	{ "view x { notify maybe; };", "boolean expected", true },
	{ "view x { };\nzone a { type primary; file \"a\"; };",
	  "f:2: when using 'view' statements, all zones must be in views",
	  true },
	{ "statistics-channels { };", "not served", true },
	{ "key k { algorithm x; secret \"s\"; };",
	  "f:1: unknown algorithm 'x'", true },
	{ "key k { algorithm hmac-sha256; };", "key 'k' must have both", true },
	{ "key k { algorithm hmac-sha256; secret \"a*b\"; };",
	  "bad secret 'bad base64 encoding'", true },
	{ "key k { algorithm hmac-sha256-80; secret \"YWJj\"; };",
	  "digest-bits too small [<128]", false },
	{ "key k { algorithm hmac-md5; secret \"YWJj\"; };\n"
	  "key K. { algorithm hmac-md5; secret \"YWJj\"; };",
	  "f:2: key 'K.': already exists previous definition: f:1", true },
	{ "controls { inet 127.0.0.1 allow { any; } keys { z; }; };",
	  "unknown key 'z'", true },
	{ "controls { inet 127.0.0.1; };", "expected 'allow'", true },
	{ "controls { inet * port * allow { localhost; }; };", NULL, false },
	{ "controls { unix \"x\" perm 1 owner 1 group 1; };",
	  "unix control channels", true },
	{ "server 192.0.2.1 { bogus yes; transfers 5; };", NULL, false },
	{ "server 192.0.2.1 { keys k; };", "unknown key 'k'", true },
	{ "server 192.0.2.1 { };\nserver 192.0.2.1/32 { };",
	  "f:2: server '192.0.2.1/32': already exists", true },
	{ "primaries p { ::1 port 5; };\nmasters P { ::1; };",
	  "f:2: masters list 'P' is duplicated: also defined at f:1", true },
	{ "primaries p { p; };", NULL, false },
	{ "primaries p { q; };", "unable to find primaries list 'q'", true },
	{ "primaries p { ::1 tls t; };", "'tls t' is not served", true },
	{ "logging { channel c { null; }; category queries { c; }; };", NULL,
	  false },
	{ "logging { channel c { file \"c\" versions 3 size 5m suffix "
	  "timestamp; severity debug 3; print-time iso8601-utc; "
	  "buffered yes; }; channel d { syslog local3; severity notice; }; "
	  "channel e { stderr; print-category yes; print-severity yes; }; "
	  "category default { c; d; e; null; default_syslog; }; };", NULL,
	  false },
	{ "logging { channel c { file \"c\" versions -1; }; };",
	  "'versions' unexpected", true },
	{ "logging { channel c { file \"c\" size 5x; }; };",
	  "'size' unexpected", true },
	{ "logging { channel c { syslog nonsuch; }; };",
	  "unknown facility 'nonsuch'", true },
	{ "logging { channel c { severity loud; null; }; };",
	  "'loud' unexpected", true },
	{ "logging { channel c { severity info; }; };", "exactly one of",
	  true },
	{ "logging { channel c { null; }; channel c { null; }; };",
	  "there already", true },
	{ "logging { category queries { c; }; };", "undefined channel: 'c'",
	  true },
	{ "logging { category foo { null; }; };", "undefined category: 'foo'",
	  true },
	{ "acl any { ::1; };", "attempt to redefine builtin acl 'any'", true },
	{ "acl a { ::1; };\nacl A { };", "f:2: attempt to redefine acl 'A'",
	  true },
	{ "acl a { 192.0.2.1/8; };", "address/prefix length mismatch '8'",
	  true },
	{ "options { tcp-clients many; };", "expected number near 'many'",
	  true },
	{ "options { minimal-responses perhaps; };", "boolean expected", true },
	{ "options { listen-on { 1.2.3; }; };", "undefined ACL '1.2.3'", true },
	{ "options { listen-on port 70000 { any; }; };",
	  "port value '70000' is out of range", true },
	{ "acl a { a; }; options { allow-query { a; }; };", NULL, false },
	{ "zone \"x\" { file \"f\"; };", "zone 'x': type not present", true },
	{ "zone \"x\" { type master; };", "zone 'x': missing 'file'", true },
	{ "zone \"x\" { type master; file \"f\"; };\n"
	  "zone \"X.\" { type primary; file \"g\"; };",
	  "f:2: zone 'X.': already exists previous definition: f:1", true },
	{ "zone \"x\" CH { type master; file \"f\"; };", "class 'CH'", true },
	{ "zone \"x\" XX { type master; file \"f\"; };", "invalid class XX",
	  true },
	{ "zone \"x\" { type slave; };", "missing 'primaries' entry", true },
	{ "zone \"x\" { type slave; masters { }; };",
	  "empty 'primaries' entry", true },
	{ "zone \"x\" { type slave; masters { ::1; }; };", NULL, false },
	{ "zone \"x\" { type primary; file \"f\"; masters { ::1; }; };",
	  "option 'masters' is not allowed in 'primary' zone 'x'", true },
	{ "zone \"x\" { type primary; file \"f\"; };\n"
	  "zone \"y\" { type secondary; file \"f\"; primaries { ::1; }; };",
	  "f:2: writeable file 'f': already in use: f:1", true },
	{ "zone \"x\" { type bogus; };", "'bogus' unexpected", true },
	{ "zone \"x\" { in-view v; };", "'in-view' is not served", true },
	{ "zone \".\" { type hint; file \"h\"; };", NULL, false },
	{ "zone \"x\" { type forward; forwarders { ::1; }; };",
	  "never recurses", false },
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
	{ "key k;", "192.0.2.1", false },
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
	ck_assert_msg(acls_allow(&settings.acls, settings.options.allow_query, &address.any) ==
	    lists[_i].allowed, "{ %s } and %s", lists[_i].list,
	    lists[_i].address);
	text_clear(&text);
	settings_clear(&settings);
}
END_TEST

static const char whole[] =
    "key k { algorithm hmac-sha256; secret \"YWJj\"; };\n"
    "primaries p port 5300 { 192.0.2.1; 2001:db8::1 port 54 key k; };\n"
    "server 192.0.2.0/24 { transfers 7; };\n"
    "server 192.0.2.1 { keys { k; }; request-ixfr no; };\n"
    "options { port 5353; also-notify { p; }; notify explicit;\n"
    " rate-limit { responses-per-second 9; errors-per-second 2; };\n"
    " allow-transfer { key k; }; server-id \"me\"; max-refresh-time 99; };\n"
    "controls { inet 127.0.0.1 allow { any; } keys { k; }; };\n"
    "zone \"s\" { type secondary; masters { p; 192.0.2.9; }; notify no; };\n"
    "zone \"t\" { type primary; file \"t\"; };\n";

START_TEST(settings_are_what_the_file_says)
{
	struct settings settings;
	struct sockaddr_in client = { .sin_family = AF_INET };

	inet_pton(AF_INET, "192.0.2.1", &client.sin_addr);
	ck_assert_msg(read_settings(&settings, whole) == 0, "%s", said);
	ck_assert_int_eq(settings.port, 5353);

	const struct zone_options *s = &settings.zones[0].options;
	const struct zone_options *t = &settings.zones[1].options;
	const struct remote *remotes = s->primaries.list;
	const struct sockaddr *any = (const struct sockaddr *)&client;

	ck_assert_int_eq(s->primaries.count, 3);
	ck_assert_int_eq(remotes[0].key, 0);
	ck_assert_int_eq(ntohs(((const struct sockaddr_in *)
	    &remotes[0].address)->sin_port), 5300);
	ck_assert_int_eq(remotes[1].key, 1);
	ck_assert_int_eq(ntohs(((const struct sockaddr_in6 *)
	    &remotes[1].address)->sin6_port), 54);
	ck_assert_int_eq(ntohs(((const struct sockaddr_in *)
	    &remotes[2].address)->sin_port), 5353);
	ck_assert_int_eq(s->notify, NOTIFY_NO);
	ck_assert_int_eq(t->notify, NOTIFY_EXPLICIT);
	ck_assert_int_eq(t->also_notify.count, 2);
	ck_assert_int_eq(t->max_refresh_time, 99);
	ck_assert_int_eq(s->rules.check_names, VERDICT_WARN);
	ck_assert_int_eq(t->rules.check_names, VERDICT_FAIL);
	ck_assert_int_eq(settings.image.rate_limit.nodata, 9);
	ck_assert_int_eq(settings.image.rate_limit.errors, 2);
	ck_assert_str_eq(settings.server_id, "me");
	ck_assert(settings.has_controls);
	ck_assert_int_eq(settings.controls[0].keys[0], 1);
	ck_assert(!acls_allow(&settings.acls, t->allow_transfer, any));
	ck_assert(acls_allow_key(&settings.acls, t->allow_transfer, any, 1));
	ck_assert(!acls_allow(&settings.acls, t->allow_notify, any));

	const struct server_settings *server = servers_find(&settings, any);

	ck_assert_int_eq(server->key, 1);
	ck_assert_int_eq(server->request_ixfr, 0);
	ck_assert_int_eq(server->transfers, UNSET);
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
	tcase_add_test(tcase, settings_are_what_the_file_says);
	suite_add_tcase(suite, tcase);
	return run_suite(suite);
}
