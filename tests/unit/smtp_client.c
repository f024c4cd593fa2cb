/* smtp(8): nexthops, the order of hosts, and the message on the wire */

#include <arpa/inet.h>
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../smtp/client.h"
#include "config/config.h"
#include "tests/unit/suite.h"

static const struct {
	const char *text, *host;
	unsigned port;		/* 0: refused */
	bool wants_mx, is_address;
} nexthops[] = {
	{ "example.org", "example.org", 25, true, false },
	{ "[example.org]", "example.org", 25, false, false },
	{ "example.org:2525", "example.org", 2525, true, false },
	{ "[example.org]:submission", "example.org", 587, false, false },
	{ "[192.0.2.1]", "192.0.2.1", 25, false, true },
	{ "[192.0.2.1]:26", "192.0.2.1", 26, false, true },
	{ "192.0.2.1", "192.0.2.1", 25, false, true },
	{ "[IPv6:2001:db8::1]", "2001:db8::1", 25, false, true },
	{ "[2001:db8::1]:26", "2001:db8::1", 26, false, true },
	{ "", NULL, 0, false, false },
	{ "[]", NULL, 0, false, false },
	{ "[example.org", NULL, 0, false, false },
	{ "[example.org]x", NULL, 0, false, false },
	{ "example.org:", NULL, 0, false, false },
	{ "example.org:0", NULL, 0, false, false },
	{ "example.org:65536", NULL, 0, false, false },
	{ "example.org:nosuch", NULL, 0, false, false },
	{ "two words", NULL, 0, false, false },
	{ "a..b", NULL, 0, false, false },
	{ "::1", NULL, 0, false, false },	/* an address with colons needs its brackets */
};

START_TEST(reads_nexthops)
{
	struct nexthop nexthop;
	const char *why;
	int result = nexthop_parse(nexthops[_i].text, 25, &nexthop, &why);

	if (nexthops[_i].port == 0) {
		ck_assert_msg(result == -1 && why != NULL, "\"%s\" was read",
		    nexthops[_i].text);
		return;
	}
	ck_assert_msg(result == 0, "\"%s\": %s", nexthops[_i].text, why);
	ck_assert_str_eq(nexthop.host, nexthops[_i].host);
	ck_assert_uint_eq(nexthop.port, nexthops[_i].port);
	ck_assert_int_eq(nexthop.wants_mx, nexthops[_i].wants_mx);
	ck_assert_int_eq(nexthop.is_address, nexthops[_i].is_address);
}
END_TEST

/* Targets as "10a 20B": preference, a name; capitals have IPv6 addresses. */
static const struct {
	const char *targets, *family;
	int limit;
	const char *chosen;
} choices[] = {
	{ "10a 20b 30c", "any", 0, "abc" },
	{ "10a 10B 20c 20D", "ipv6", 0, "BaDc" },
	{ "10a 10B 20c 20D", "ipv4", 0, "aBcD" },
	{ "10a 20b 30c", "any", 2, "ab" },
	{ "10A 20B 30C 40D 50e", "any", 4, "ABCe" },	/* the lone IPv4 address gets its chance */
	{ "10a 20b 30c 40D 50E 60F", "any", 4, "abDE" },
	{ "10A 20b", "any", 1, "A" },
};

static size_t
make_targets(const char *text, struct target *targets, char names[][2])
{
	size_t count = 0;
	char *end;

	while (*text != '\0') {
		struct target *t = &targets[count];

		t->preference = (unsigned)strtoul(text, &end, 10);
		names[count][0] = *end;
		names[count][1] = '\0';
		t->host = names[count];
		t->address.any.sa_family = *end < 'a' ? AF_INET6 : AF_INET;
		text = end + 1 + (end[1] == ' ');
		count++;
	}
	return count;
}

START_TEST(chooses_in_order)
{
	struct target targets[10] = { 0 }, *chosen;
	char names[10][2], order[11] = "";
	struct route route = { .targets = targets };
	struct pool *pool = pool_new(0);

	route.count = make_targets(choices[_i].targets, targets, names);
	config.smtp_address_preference = choices[_i].family;
	config.smtp_mx_address_limit = choices[_i].limit;
	config.smtp_randomize_addresses = true;
	config.smtp_balance_inet_protocols = true;

	size_t count = route_choose(&route, pool, &chosen);

	for (size_t i = 0; i < count; i++)
		strlcat(order, chosen[i].host, sizeof(order));
	ck_assert_str_eq(order, choices[_i].chosen);
	pool_free(&pool);
}
END_TEST

static const struct {
	const char *content;
	int limit;
	const char *wire;
} contents[] = {
	{ "", 998, ".\r\n" },
	{ "a\n", 998, "a\r\n.\r\n" },
	{ "a", 998, "a\r\n.\r\n" },
	{ ".\n..\n.a\n", 998, "..\r\n...\r\n..a\r\n.\r\n" },
	{ "12345\n", 5, "12345\r\n.\r\n" },
	{ "123456\n", 5, "12345\r\n 6\r\n.\r\n" },
	{ "123456789ab\n1\n", 5, "12345\r\n 6789a\r\n b\r\n1\r\n.\r\n" },
	{ "12345.\n", 5, "12345\r\n .\r\n.\r\n" },	/* a cut line cannot begin with a dot */
	{ "123456\n", 0, "123456\r\n.\r\n" },
	{ "a\rb\r\n", 998, "a b\r\n.\r\n" },
};

START_TEST(writes_content)
{
	struct content content;
	struct text out = TEXT_EMPTY;

	config.smtp_line_length_limit = contents[_i].limit;
	content_start(&content, contents[_i].content,
	    strlen(contents[_i].content));
	while (!content.finished)
		content_write(&content, &out);
	ck_assert_str_eq(text_string(&out), contents[_i].wire);
	text_clear(&out);
}
END_TEST

/* However a large message is cut into pieces, the wire is the same. */
START_TEST(pieces_fit_together)
{
	struct text message = TEXT_EMPTY, want = TEXT_EMPTY, out = TEXT_EMPTY;
	struct content content;

	config.smtp_line_length_limit = 998;
	for (int i = 0; i < 5000; i++) {
		text_printf(&message, ".line %d %*s\n", i, i % 90, "");
		text_printf(&want, "..line %d %*s\r\n", i, i % 90, "");
	}
	text_puts(&want, ".\r\n");
	content_start(&content, message.bytes, message.length);
	while (!content.finished)
		content_write(&content, &out);
	ck_assert_uint_eq(out.length, want.length);
	ck_assert(memcmp(out.bytes, want.bytes, out.length) == 0);
	ck_assert_int_eq(content_wire_size(message.bytes, message.length),
	    (int64_t)want.length - 3 - 5000);
	text_clear(&message);
	text_clear(&want);
	text_clear(&out);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("smtp_client");
	TCase *tc = tcase_create("client");

	tcase_add_loop_test(tc, reads_nexthops, 0, COUNT_OF(nexthops));
	tcase_add_loop_test(tc, chooses_in_order, 0, COUNT_OF(choices));
	tcase_add_loop_test(tc, writes_content, 0, COUNT_OF(contents));
	tcase_add_test(tc, pieces_fit_together);
	suite_add_tcase(suite, tc);
	return run_suite(suite);
}
