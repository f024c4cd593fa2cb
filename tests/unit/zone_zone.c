#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/base.h"
#include "tests/unit/suite.h"
#include "zone/zone.h"

#define TOP	"$TTL 60\n@ SOA ns host 1 2 3 4 5\n NS ns\nns A 192.0.2.1\n"

static char said[8192];

static void
remember(enum log_level level, const char *line)
{
	strlcat(said, line, sizeof(said));
	strlcat(said, "\n", sizeof(said));
}

static struct zone *
read_zone(const char *text)
{
	static const struct zone_rules rules = { .records_per_type = 100,
	    .types_per_name = 100, .check_integrity = true,
	    .check_sibling = true, .check_wildcard = true,
	    .check_mx = VERDICT_WARN, .check_ns = VERDICT_WARN,
	    .check_mx_cname = VERDICT_WARN, .check_srv_cname = VERDICT_FAIL,
	    .check_spf = VERDICT_WARN, .max_ttl = 86400 };
	static const uint64_t seed[2] = { 1, 3 };
	struct dns_name apex;
	const char *why;

	said[0] = '\0';
	log_open_function(remember);
	dns_name_parse(&apex, "o", 1, NULL, &why);
	return zone_read(&apex, "f", text, strlen(text), &rules, seed);
}

/* A line behind the top, and the record that it must give. */
static const struct { const char *line, *owner, *type; int64_t ttl;
    const char *rdata; } good[] = {
	{ "a A 1.2.3.4", "a.o", "A", 60, "1.2.3.4" },
	{ "a 5 IN A 1.2.3.4", "a.o", "A", 5, "1.2.3.4" },
	{ "a IN 1h A 1.2.3.4", "a.o", "A", 3600, "1.2.3.4" },
	{ "a.o. A 1.2.3.4", "a.o", "A", 60, "1.2.3.4" },
	{ "a A 1.2.3.4\n  AAAA ::1", "a.o", "AAAA", 60, "::1" },
	{ "a MX ( 10 ; first\n b ) ; last", "a.o", "MX", 60, "10 b.o." },
	{ "$ORIGIN x\na A 1.2.3.4", "a.x.o", "A", 60, "1.2.3.4" },
	{ "$ORIGIN x\n@ A 1.2.3.4", "x.o", "A", 60, "1.2.3.4" },
	{ "$DATE 20200101000000\n$TTL 1d\na A 1.2.3.4", "a.o", "A", 86400, "1.2.3.4" },
	{ "a TXT \"b ; c\" d\\032e", "a.o", "TXT", 60, "\"b ; c\" \"d e\"" },
	{ "\\097 A 1.2.3.4", "a.o", "A", 60, "1.2.3.4" },
	{ "a TYPE1 \\# 4 01020304", "a.o", "A", 60, "1.2.3.4" },
	{ "$GENERATE 1-3 h$ A 10.0.0.$", "h2.o", "A", 60, "10.0.0.2" },
	{ "$GENERATE 0-8/4 h${1,3,d} CNAME c${0,2,x}", "h005.o", "CNAME", 60,
	  "c04.o." },
	{ "$GENERATE 18-18 ${0,3,n} PTR a", "2.1.o", "PTR", 60, "a.o." },
	{ "$GENERATE 1-9/2147483645 g$ A 10.0.0.$", "g1.o", "A", 60, "10.0.0.1" },
	{ "b BRID AAAA", "b.o", "BRID", 60, "AAAA" },
	{ "gc._msdcs A 10.0.0.1", "gc._msdcs.o", "A", 60, "10.0.0.1" },
	{ "a._SPF_rate.x A 10.0.0.1", "a._SPF_rate.x.o", "A", 60, "10.0.0.1" },
	{ "s SVCB 0 _8443._https.o.", "s.o", "SVCB", 60, "0 _8443._https.o." },
	{ "a 5 A 1.2.3.4\na 9 A 1.2.3.5", "a.o", "A", 5, "1.2.3.4" },
	{ "a 5 A 1.2.3.4\nb A 1.2.3.4\na 9 A 1.2.3.5", "a.o", "A", 9, "1.2.3.4" },
	{ "a 4294967295 A 1.2.3.4", "a.o", "A", 0, "1.2.3.4" },
	{ "a A 1.2.3.4\r", "a.o", "A", 60, "1.2.3.4" },
	{ "_s._t SRV 1 2 3 a", "_s._t.o", "SRV", 60, "1 2 3 a.o." },
	{ "*.w A 1.2.3.4", "*.w.o", "A", 60, "1.2.3.4" },
};

START_TEST(reads_what_bind_reads)
{
	struct text text = TEXT_EMPTY, rdata = TEXT_EMPTY;
	struct dns_name name;
	const char *why;

	text_printf(&text, "%s%s\n", TOP, good[_i].line);

	struct zone *zone = read_zone(text_string(&text));

	ck_assert_msg(zone != NULL, "%s: %s", good[_i].line, said);
	dns_name_parse(&name, good[_i].owner, strlen(good[_i].owner), NULL,
	    &why);

	struct zone_owner *owner = zone_find(zone, name.bytes);

	ck_assert_msg(owner != NULL, "%s: no %s", good[_i].line, good[_i].owner);

	int type = dns_type_parse(good[_i].type, strlen(good[_i].type));
	struct zone_rrset *rrset = zone_find_rrset(owner, type);

	ck_assert_ptr_nonnull(rrset);
	ck_assert_int_eq(rrset->ttl, good[_i].ttl);
	dns_rdata_print(type, rrset->first->octets, rrset->first->length,
	    &rdata);
	ck_assert_str_eq(text_string(&rdata), good[_i].rdata);
	text_clear(&rdata);
	text_clear(&text);
	zone_free(&zone);
}
END_TEST

/* What the log must say, and whether the zone is refused. */
static const struct { const char *line, *says; bool refused; } bad[] = {
	{ "a A 1.2.3.400", "f:5: near '1.2.3.400': bad dotted quad", true },
	{ "a A", "f:5: near eol: unexpected end of input", true },
	{ "a A 1.2.3.4 x", "f:5: near 'x': extra input text", true },
	{ "a FOO x", "f:5: unknown RR type 'FOO'", true },
	{ "a CH A 1.2.3.4", "bad class", true },
	{ "a ( A 1.2.3.4", "unbalanced parentheses", true },
	{ "a A 1.2.3.4 )", "unbalanced parentheses", true },
	{ "a TXT \"b", "unbalanced quotes", true },
	{ "a TXT b\\", "unexpected end", true },
	{ "$FOO x", "f:5: unknown $ directive '$FOO'", true },
	{ "$TTL x", "bad ttl", true },
	{ "$GENERATE 5-1 a$ A 1.2.3.4", "invalid range", true },
	{ "$GENERATE 0-999999 a$ A 1.2.3.4", "f:5: too large a range", true },
	{ "$GENERATE 0-1 a${x} A 1.2.3.4", "f:5: bad template", true },
	{ "a CNAME b\na A 1.2.3.4", "f:6: a.o: CNAME and other data", true },
	{ "a CNAME b\na CNAME c", "multiple RRs of singleton type", true },
	{ "@ SOA ns host 2 2 3 4 5", "multiple RRs of singleton type", true },
	{ "@ SOA ns host 1 2 3 4 5", "", false },	/* the same again */
	{ "a SOA ns host 2 2 3 4 5", "not at top of zone", true },
	{ "*.a NS ns", "invalid NS owner name (wildcard)", true },
	{ "a_b A 1.2.3.4", "f:5: a_b.o: bad owner name (check-names)", true },
	{ "a MX 1 b_c", "bad name (check-names)", true },
	{ "@ NS other", "NS 'other.o' has no address records", true },
	{ "@ NS al\nal CNAME ns", "NS 'al.o' is a CNAME (illegal)", true },
	{ "$GENERATE 1-101 m A 10.0.0.$", "too many records", true },
	{ "x.y. TXT ( a\n b )", "f:5: ignoring out-of-zone data (x.y)", false },
	{ "x.y. A 1.2.3.4\n A 1.2.3.5", "ignoring out-of-zone data (x.y)",
	  false },
	{ "a MX 1 nowhere", "a.o/MX 'nowhere.o' has no address records",
	  false },
	{ "a MX 1 al\nal CNAME ns", "a.o/MX 'al.o' is a CNAME (illegal)",
	  false },
	{ "a SRV 1 1 1 al\nal CNAME ns", "a.o/SRV 'al.o' is a CNAME (illegal)",
	  true },
	{ "a MX 1 b.d\nd DNAME ns", "'b.d.o' is below a DNAME 'd.o' (illegal)",
	  false },
	{ "@ NS b.d\nd DNAME ns", "NS 'b.d.o' is below a DNAME 'd.o'", true },
	{ "@ NS b.d\nd NS ns", "", false },
	{ "d NS x.d", "d.o/NS 'x.d.o' has no REQUIRED GLUE address records",
	  false },
	{ "d NS x.e\ne NS ns", "'x.e.o' has no SIBLING GLUE address", false },
	{ "d NS x", "d.o/NS 'x.o' has no address records", false },
	{ "a MX 1 1.2.3.4", "f:5: warning: '1.2.3.4': MX is an address",
	  false },
	{ "d NS 1.2.3.4.", "f:5: NS record '1.2.3.4' appears to be an address",
	  false },
	{ "b.*.a TXT x", "contains an non-terminal wildcard", false },
	{ "a SPF \"v=spf1 -all\"", "'a.o' found type SPF record but no SPF TXT",
	  false },
	{ "a SPF \"v=spf1 -all\"\na TXT \"v=spf1 -all\"", "", false },
	{ "a 90000 A 1.2.3.4", "TTL 90000 exceeds configured max-zone-ttl 86400",
	  true },
	{ "a 1h2 A 1.2.3.4", "unknown RR type '1h2'", true },
	{ "a TYPE41 \\# 0", "invalid use of a meta type", true },
	{ "a NXT b A", "near 'b': unknown class/type", true },
	{ "a NAPTR 1 1 \"u\" \"x\" \"!a!b!\" .", "", false },
	{ "a NAPTR 1 1 \"u\" \"x\" \"!(a!b!\" .", "dns_rdata_fromtext: f:5: syntax error",
	  true },
	{ "$INCLUDE /etc/passwd", "/etc/passwd: not beneath the zone's", true },
	{ "a A 1.2.3.4 ; the end", "", false },
	{ "a 5 A 1.2.3.4\na 9 A 1.2.3.5", "TTL set to prior TTL (5)", false },
};

START_TEST(refuses_and_warns_as_bind_does)
{
	struct text text = TEXT_EMPTY;

	text_printf(&text, "%s%s\n", TOP, bad[_i].line);

	struct zone *zone = read_zone(text_string(&text));

	ck_assert_msg((zone == NULL) == bad[_i].refused, "%s: %s", bad[_i].line,
	    said);
	ck_assert_msg(strstr(said, bad[_i].says) != NULL, "%s: %s",
	    bad[_i].line, said);
	zone_free(&zone);
	text_clear(&text);
}
END_TEST

START_TEST(needs_a_soa_and_servers)
{
	struct zone *zone = read_zone("$TTL 1\n@ NS ns\nns A 1.2.3.4\n");

	ck_assert_ptr_null(zone);
	ck_assert_ptr_nonnull(strstr(said, "zone o/IN: has 0 SOA records"));
	zone = read_zone("");
	ck_assert_ptr_null(zone);
	zone = read_zone("@ SOA ns h 1 2 3 4 77\n@ NS ns\nns A 1.2.3.4\n");
	ck_assert_ptr_nonnull(zone);
	ck_assert_int_eq(zone->first->rrsets->ttl, 77);
	ck_assert_ptr_nonnull(strstr(said,
	    "f:1: no TTL specified; using SOA MINTTL instead"));
	zone_free(&zone);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("named-lite_zone");
	TCase *tcase = tcase_create("zone");

	tcase_add_loop_test(tcase, reads_what_bind_reads, 0, COUNT_OF(good));
	tcase_add_loop_test(tcase, refuses_and_warns_as_bind_does, 0,
	    COUNT_OF(bad));
	tcase_add_test(tcase, needs_a_soa_and_servers);
	suite_add_tcase(suite, tcase);
	return run_suite(suite);
}
