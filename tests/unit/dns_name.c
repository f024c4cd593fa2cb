#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/base.h"
#include "dns/dns.h"
#include "tests/unit/suite.h"

static const struct { const char *in, *out; } names[] = {
	{ "www.Example.org.", "www.Example.org." },
	{ "www", "www.origin.test." },
	{ "@", "origin.test." },
	{ ".", "." },
	{ "a\\.b.c.", "a\\.b.c." },
	{ "\\065\\.x.", "A\\.x." },
	{ "sp\\032ace.", "sp\\032ace." },
	{ "*.wild.", "*.wild." },
	{ "", NULL },
	{ "a..b.", NULL },
	{ ".a.", NULL },
	{ "a\\", NULL },
	{ "a\\25", NULL },
	{ "a\\256.", NULL },
	{ "0123456789012345678901234567890123456789012345678901234567890123.",
	  NULL },					/* 64 octets */
	{ "012345678901234567890123456789012345678901234567890123456789012.",
	  "012345678901234567890123456789012345678901234567890123456789012." },
};

START_TEST(parses_and_prints)
{
	struct dns_name name, origin;
	char text[DNS_NAME_TEXT];
	const char *why;

	ck_assert_int_eq(dns_name_parse(&origin, "origin.test", 11, NULL, &why), 0);

	int result = dns_name_parse(&name, names[_i].in, strlen(names[_i].in),
	    &origin, &why);

	if (names[_i].out == NULL)
		ck_assert_msg(result == -1, "accepted \"%s\"", names[_i].in);
	else {
		ck_assert_msg(result == 0, "\"%s\": %s", names[_i].in, why);
		ck_assert_str_eq(dns_name_print(name.bytes, text),
		    names[_i].out);
	}
}
END_TEST

START_TEST(is_at_most_255_octets)
{
	struct dns_name name;
	char text[300] = "";
	const char *why;

	for (int i = 0; i < 127; i++)
		strlcat(text, "a.", sizeof(text));
	ck_assert_int_eq(dns_name_parse(&name, text, 254, NULL, &why), 0);
	ck_assert_uint_eq(name.length, 255);
	ck_assert_uint_eq(dns_name_labels(name.bytes), 127);
	strlcat(text, "a.", sizeof(text));
	ck_assert_int_eq(dns_name_parse(&name, text, 256, NULL, &why), -1);
	text[1] = 'a';		/* one label of three: 256 octets */
	ck_assert_int_eq(dns_name_parse(&name, text, 256, NULL, &why), -1);
}
END_TEST

/* A dot in the last octet that there is room for. */
START_TEST(ends_where_there_is_no_more_room)
{
	struct dns_name name;
	char text[300] = "";
	const char *why;

	for (int i = 0; i < 126; i++)
		strlcat(text, "a.", sizeof(text));
	strlcat(text, "a", sizeof(text));	/* 254 octets and the root */
	ck_assert_int_eq(dns_name_parse(&name, text, 253, NULL, &why), 0);
	ck_assert_uint_eq(name.length, 255);
	strlcat(text, ".b", sizeof(text));
	ck_assert_int_eq(dns_name_parse(&name, text, 255, NULL, &why), -1);
	strlcat(text, "\\.", sizeof(text));
	ck_assert_int_eq(dns_name_parse(&name, text, 257, NULL, &why), -1);
}
END_TEST

/* A first label before an origin of so many octets: how much of it is taken. */
static const struct {
	const char *text;
	unsigned origin;
	size_t	 count;
} first_labels[] = {
	{ "host-7 A", 13, 6 },
	{ "a", 13, 1 },
	{ " a", 13, 0 },
	{ "$TTL", 13, 0 },
	{ "a_b", 13, 1 },
	{ "0123456789012345678901234567890123456789012345678901234567890123",
	  13, 63 },
	{ "abcd", 251, 3 },
	{ "abcd", 254, 0 },
	{ "abcd", 255, 0 },
};

START_TEST(takes_first_labels)
{
	struct dns_name name, origin = { .length = first_labels[_i].origin };
	const char *text = first_labels[_i].text;
	size_t count;

	memset(origin.bytes, 'x', sizeof(origin.bytes));
	count = dns_name_parse_host(&name, text, strlen(text), &origin);
	ck_assert_uint_eq(count, first_labels[_i].count);
	if (count == 0)
		return;
	ck_assert_uint_eq(name.length, 1 + count + origin.length);
	ck_assert_uint_eq(name.bytes[0], count);
	ck_assert_mem_eq(name.bytes + 1, text, count);
	ck_assert_mem_eq(name.bytes + 1 + count, origin.bytes, origin.length);
}
END_TEST

static const struct { const char *name; bool is_host; } hosts[] = {
	{ "a-b.example.", true },
	{ "9.Z.z.", true },
	{ "*.example.", true },
	{ ".", true },
	{ "-a.example.", false },
	{ "a-.example.", false },
	{ "a.-.", false },
	{ "a_b.example.", false },
	{ "a.*.", false },
	{ "\\200.example.", false },
};

START_TEST(knows_hosts)
{
	struct dns_name name;
	const char *why;

	ck_assert_int_eq(dns_name_parse(&name, hosts[_i].name,
	    strlen(hosts[_i].name), NULL, &why), 0);
	ck_assert_msg(dns_name_is_host(name.bytes) == hosts[_i].is_host,
	    "%s", hosts[_i].name);
}
END_TEST

static const struct {
	const char *bytes;
	size_t	 length, start;
	const char *name;	/* NULL: refused */
	size_t	 end;
} packed[] = {
	{ "\3abc\0", 5, 0, "abc.", 5 },
	{ "\3abc\0\1x\300\0", 9, 5, "x.abc.", 9 },
	{ "\300\0", 2, 0, NULL, 0 },			/* points at itself */
	{ "\300\2\1a\0", 5, 0, NULL, 0 },		/* forwards */
	{ "\1a\300\0", 4, 0, NULL, 0 },			/* a loop */
	{ "\1a\300\0\300\2", 6, 4, NULL, 0 },		/* a loop through another */
	{ "\3abc", 4, 0, NULL, 0 },			/* no root */
	{ "\3ab", 3, 0, NULL, 0 },			/* cut off */
	{ "\300", 1, 0, NULL, 0 },
	{ "\100a", 2, 0, NULL, 0 },			/* a label type of the past */
	{ "\200a", 2, 0, NULL, 0 },
};

START_TEST(unpacks_pointers_backwards_only)
{
	struct dns_name name;
	char text[DNS_NAME_TEXT];
	size_t offset = packed[_i].start;
	bool good = dns_name_unpack(&name, (const uint8_t *)packed[_i].bytes,
	    packed[_i].length, &offset);

	ck_assert_int_eq(good, packed[_i].name != NULL);
	if (good) {
		ck_assert_str_eq(dns_name_print(name.bytes, text),
		    packed[_i].name);
		ck_assert_uint_eq(offset, packed[_i].end);
	}
}
END_TEST

START_TEST(lower_case_leaves_other_octets)
{
	uint8_t from[256], to[256];

	for (int i = 0; i < 256; i++)
		from[i] = i;
	for (size_t length = 0; length <= 256; length++) {
		memset(to, 0, sizeof(to));
		dns_name_lower(to, from, length);
		for (size_t i = 0; i < length; i++)
			ck_assert_uint_eq(to[i],
			    i >= 'A' && i <= 'Z' ? i + 32 : i);
	}
}
END_TEST

START_TEST(knows_what_lies_within)
{
	static const struct { const char *name, *zone; bool within; } rows[] = {
		{ "a.B.c.", "b.C.", true },
		{ "b.c.", "b.c.", true },
		{ "c.", "b.c.", false },
		{ "ab.c.", "b.c.", false },
		{ "x.", ".", true },
	};
	struct dns_name name, zone;
	const char *why;

	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		dns_name_parse(&name, rows[i].name, strlen(rows[i].name), NULL,
		    &why);
		dns_name_parse(&zone, rows[i].zone, strlen(rows[i].zone), NULL,
		    &why);
		ck_assert_int_eq(dns_name_within(name.bytes, zone.bytes),
		    rows[i].within);
	}
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("dns_name");
	TCase *tcase = tcase_create("name");

	tcase_add_loop_test(tcase, parses_and_prints, 0, COUNT_OF(names));
	tcase_add_test(tcase, is_at_most_255_octets);
	tcase_add_test(tcase, ends_where_there_is_no_more_room);
	tcase_add_loop_test(tcase, takes_first_labels, 0,
	    COUNT_OF(first_labels));
	tcase_add_loop_test(tcase, knows_hosts, 0, COUNT_OF(hosts));
	tcase_add_loop_test(tcase, unpacks_pointers_backwards_only, 0,
	    COUNT_OF(packed));
	tcase_add_test(tcase, lower_case_leaves_other_octets);
	tcase_add_test(tcase, knows_what_lies_within);
	suite_add_tcase(suite, tcase);
	return run_suite(suite);
}
