#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/base.h"
#include "dns/dns.h"

#define SAME	((const char *)-1)

/* Words are cut at blanks here; a word that begins with ' is a quoted one. */
static const struct { const char *type, *in, *out; } rows[] = {
	{ "A", "192.0.2.1", SAME },
	{ "A", "192.0.2.256", NULL },
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
	{ "SSHFP", "1 1 AB CD", "1 1 ABCD" },
	{ "SSHFP", "1 1 ABC", NULL },
	{ "TLSA", "3 1 1 00ff", "3 1 1 00FF" },
	{ "DS", "1 8 2 AABB", SAME },
	{ "DNSKEY", "256 3 8 AQID", SAME },
	{ "DNSKEY", "256 3 8 AQI", NULL },
	{ "NSEC", "b. A MX TYPE1234", SAME },
	{ "NSEC", "b.", SAME },
	{ "NSEC3", "1 0 10 AABB 2T7B4G4VSA5SMI47K61MV5BV1A22BOJR A RRSIG", SAME },
	{ "NSEC3PARAM", "1 0 0 -", SAME },
	{ "RRSIG", "A 8 2 60 20300101000000 20200101000000 7 o. AQID", SAME },
	{ "NAPTR", "1 2 'u 'sip 'x .", "1 2 \"u\" \"sip\" \"x\" ." },
	{ "EUI48", "00-11-22-33-44-FF", SAME },
	{ "URI", "1 2 'http://x/", "1 2 \"http://x/\"" },
	{ "L64", "1 2001:db8:0:1", SAME },
	{ "HTTPS", "1 . port=443", "1 . key3=\"\\001\\187\"" },
	{ "HTTPS", "0 svc.x.", SAME },
	{ "HTTPS", "1 . port=1 port=2", NULL },
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

	SRunner *runner = srunner_create(suite);

	srunner_run_all(runner, CK_NORMAL);

	int failed = srunner_ntests_failed(runner);

	srunner_free(runner);
	return failed > 0;
}
