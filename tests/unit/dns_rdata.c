#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/base.h"
#include "dns/dns.h"
#include "tests/unit/suite.h"

#define SAME	((const char *)-1)

/* Words are cut at blanks here; a word that begins with ' is a quoted one. */
static const struct { const char *type, *in, *out; } rows[] = {
	{ "A", "192.0.2.1", SAME },
	{ "A", "192.0.2.256", NULL },
	{ "A", "0.10.255.0", SAME },
	{ "A", "192.0.2.01", NULL },
	{ "A", "192.0.2.00", NULL },
	{ "A", "192.0.2", NULL },
	{ "A", "192.0.2.", NULL },
	{ "A", "192.0.2.1.", NULL },
	{ "A", "192..2.1", NULL },
	{ "A", "192.0.2.1a", NULL },
	{ "A", "4294967297.0.2.1", NULL },
	{ "A", "192.0.2.1 x", NULL },
	{ "A", "\\# 4 C0000201", "192.0.2.1" },
	{ "A", "\\# 3 C00002", NULL },
	{ "AAAA", "2001:DB8::1", "2001:db8::1" },
	{ "MX", "10 mail", "10 mail.o." },
	{ "MX", "65536 mail", NULL },
	{ "MX", "10", NULL },
	{ "NS", "a.b.", SAME },
	{ "SOA", "a. b. 1 2h 1d 1w2d 5", "a. b. 1 7200 86400 777600 5" },
	{ "SOA", "a. b. 4294967296 1 1 1 1", NULL },
	{ "TXT", "'one two", "\"one\" \"two\"" },
	{ "TXT", "a\\\"b\\065", "\"a\\\"bA\"" },
	{ "SRV", "1 2 25 mx.x.", SAME },
	{ "CAA", "0 issue 'ca.example", "0 issue \"ca.example\"" },
	{ "CAA", "0 is-sue 'x", NULL },
	{ "SSHFP", "1 5 AB CD", "1 5 ABCD" },
	{ "SSHFP", "1 1 ABCD", NULL },
	{ "SSHFP", "1 1 ABC", NULL },
	{ "TLSA", "3 1 1 00ff", "3 1 1 00FF" },
	{ "DS", "1 RSASHA256 9 AABB", "1 8 9 AABB" },
	{ "DS", "1 8 2 AABB", NULL },
	{ "DNSKEY", "256 3 8 AQID", SAME },
	{ "DNSKEY", "256 3 8 AQI", NULL },
	{ "NSEC", "b. A MX TYPE1234", SAME },
	{ "NSEC", "b.", NULL },
	{ "NSEC3", "1 0 10 AABB 2T7B4G4VSA5SMI47K61MV5BV1A22BOJR A RRSIG", SAME },
	{ "NSEC3PARAM", "1 0 0 -", SAME },
	{ "RRSIG", "A 8 2 60 20300101000000 20200101000000 7 o. AQID", SAME },
	{ "NAPTR", "1 2 'u 'sip 'x .", "1 2 \"u\" \"sip\" \"x\" ." },
	{ "EUI48", "00-11-22-33-44-FF", "00-11-22-33-44-ff" },
	{ "EUI48", "0-11-2-33-44-f", "00-11-02-33-44-0f" },
	{ "EUI48", "00-11-22-33-44", NULL },
	{ "EUI48", "00-11-22-33-44-", NULL },
	{ "EUI48", "00-11-22-33-44-55-66", "00-11-22-33-44-55" },
	{ "EUI64", "0-1-2-3-4-5-6-77", "00-01-02-03-04-05-06-77" },
	{ "URI", "1 2 'http://x/", "1 2 \"http://x/\"" },
	{ "URI", "1 2 http://x/", NULL },	/* BIND wants quotes */
	{ "L64", "1 2001:db8:0:1", SAME },
	{ "HTTPS", "1 . port=443", SAME },
	{ "HTTPS", "0 svc.x.", SAME },
	{ "HTTPS", "1 . port=1 port=2", NULL },
	{ "SVCB", "1 . mandatory=port,alpn port=1 alpn=h3,a\\\\,b",
	  "1 . mandatory=alpn,port alpn=\"h3,a\\\\,b\" port=1" },
	{ "SVCB", "1 . ipv6hint=::1,::2 ech=YWJj key667=a",
	  "1 . ech=YWJj ipv6hint=::1,::2 key667=\"a\"" },
	{ "SVCB", "1 . mandatory=port", NULL },
	{ "SVCB", "1 . no-default-alpn", NULL },
	{ "SVCB", "1 . alpn=", NULL },
	{ "SVCB", "1 . key00003=1", NULL },
	{ "APL", "1:10.0.0.0/8 !2:2001:db8::/32", SAME },
	{ "APL", "", SAME },
	{ "APL", "1:10.0.0.0/33", NULL },
	{ "APL", "3:a/1", NULL },
	{ "WKS", "10.0.0.1 udp domain 9", "10.0.0.1 17 9 53" },
	{ "WKS", "10.0.0.1 none 9", NULL },
	{ "A6", "64 ::1:2:3:4 p", "64 ::1:2:3:4 p.o." },
	{ "A6", "0 2001:db8::1", SAME },
	{ "A6", "129 :: p", NULL },
	{ "IPSECKEY", "10 1 2 192.0.2.38 AQID", SAME },
	{ "IPSECKEY", "10 3 2 gw AQID", "10 3 2 gw.o. AQID" },
	{ "IPSECKEY", "10 0 0 .", SAME },
	{ "IPSECKEY", "10 2 2 192.0.2.38 AQID", NULL },
	{ "AMTRELAY", "10 1 3 relay", "10 1 3 relay.o." },
	{ "AMTRELAY", "10 2 0 .", NULL },
	{ "HIP", "2 2001 AQID a b", "2 2001 AQID a.o. b.o." },
	{ "HIP", "2 2001 AQ ID", NULL },
	{ "LOC", "42 21 54.123 N 71 6 W -24m 30.5m 0.01m 3",
	  "42 21 54.123 N 71 6 0.000 W -24.00m 30m 0.01m 3m" },
	{ "LOC", "0 N 0 E 42849672.95m",
	  "0 0 0.000 N 0 0 0.000 E 42849672.95m 1m 10000m 10m" },
	{ "LOC", "91 N 0 E 0", NULL },
	{ "LOC", "5 60 N 0 E 0", NULL },
	{ "LOC", "5 N", NULL },
	{ "NSAP", "0x47.0005", "0x470005" },
	{ "NSAP", "47", NULL },
	{ "ATMA", "+3584", SAME },
	{ "ATMA", "39.24.6F", "39246f" },
	{ "CERT", "PGP 1 RSASHA256 AQID", SAME },
	{ "CERT", "9 1 300 AQID", NULL },
	{ "KEY", "USER|SIG1 DNSSEC 8 AQID", "1 3 8 AQID" },
	{ "DNSKEY", "ZONE 3 ED25519 AQID", "256 3 15 AQID" },
	{ "DOA", "1 2 3 't -", "1 2 3 \"t\" -" },
	{ "SINK", "1 2 3", SAME },
	{ "X25", "12345", "\"12345\"" },
	{ "X25", "12a45", NULL },
	{ "ZONEMD", "1 1 9 00112233445566778899AABB", SAME },
	{ "ZONEMD", "1 1 9 00", NULL },
	{ "RRSIG", "A 8 2 60 20301331000000 20200101000000 7 o. AQID", NULL },
	{ "NSAP-PTR", "x", "x.o." },
	{ "TYPE999", "\\# 2 ABCD", "\\# 2 ABCD" },
	{ "TYPE999", "ABCD", NULL },
	{ "TYPE999", "\\# 3 ABCD", NULL },
};

static size_t
cut(char *text, struct dns_word *words)
{
	size_t count = 0;
	char *word;

	while ((word = word_next(&text, " ")) != NULL) {
		bool quoted = *word == '\'';

		words[count++] = (struct dns_word) { word + quoted,
		    strlen(word + quoted), quoted };
	}
	return count;
}

START_TEST(reads_and_prints_again)
{
	static uint8_t rdata[DNS_RDATA_MAX];
	struct dns_word words[32];
	char copy[200];
	struct dns_name origin;
	struct text text = TEXT_EMPTY;
	const char *why = "";
	int bad;
	uint16_t type = dns_type_parse(rows[_i].type, strlen(rows[_i].type));

	strlcpy(copy, rows[_i].in, sizeof(copy));
	dns_name_parse(&origin, "o.", 2, NULL, &why);

	int length = dns_rdata_parse(type, words, cut(copy, words), &origin,
	    rdata, &why, &bad);

	if (rows[_i].out == NULL) {
		ck_assert_msg(length == -1, "accepted %s %s", rows[_i].type,
		    rows[_i].in);
		return;
	}
	ck_assert_msg(length >= 0, "%s %s: %s", rows[_i].type, rows[_i].in, why);
	ck_assert(dns_rdata_check(type, rdata, length));
	dns_rdata_print(type, rdata, length, &text);
	ck_assert_str_eq(text_string(&text),
	    rows[_i].out == SAME ? rows[_i].in : rows[_i].out);
	text_clear(&text);
}
END_TEST

START_TEST(spans_of_time)
{
	static const struct { const char *text; int64_t seconds; } spans[] = {
		{ "0", 0 }, { "3600", 3600 }, { "1h", 3600 }, { "1W2D", 777600 },
		{ "1h30m5s", 5405 }, { "4294967295", 4294967295 },
		{ "4294967296", -1 }, { "", -1 }, { "h", -1 }, { "1x", -1 },
		{ "99999w", -1 }, { "-1", -1 },
	};

	for (size_t i = 0; i < COUNT_OF(spans); i++)
		ck_assert_int_eq(dns_ttl_parse(spans[i].text,
		    strlen(spans[i].text)), spans[i].seconds);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("dns_rdata");
	TCase *tcase = tcase_create("rdata");

	tcase_add_loop_test(tcase, reads_and_prints_again, 0, COUNT_OF(rows));
	tcase_add_test(tcase, spans_of_time);
	suite_add_tcase(suite, tcase);
	return run_suite(suite);
}
