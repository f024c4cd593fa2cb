#include <arpa/inet.h>
#include <check.h>
#include <string.h>

#include "base/base.h"
#include "smtp/haproxy.h"
#include "tests/unit/suite.h"

#define V2	"\r\n\r\n\0\r\nQUIT\n"

static const struct {
	const char	*bytes;
	size_t		 length;
	ssize_t		 used;
	const char	*client;	/* NULL: the balancer itself */
	unsigned	 port;
} rows[] = {
#define LINE(text, used, client, port)	{ text, sizeof(text) - 1, used, client, port }
	LINE("PROXY TCP4 192.0.2.1 192.0.2.2 56324 25\r\nEHLO x\r\n", 41, "192.0.2.1", 56324),
	LINE("PROXY TCP6 2001:db8::1 2001:db8::2 1 25\r\n", 41, "2001:db8::1", 1),
	LINE("PROXY UNKNOWN\r\n", 15, NULL, 0),
	LINE("PROXY UNKNOWN ff::1 ff::2 1 2\r\n", 31, NULL, 0),
	LINE("PRO", 0, NULL, 0),
	LINE("PROXY TCP4 192.0.2.1", 0, NULL, 0),
	LINE("EHLO x\r\n", -1, NULL, 0),
	LINE("PROXY TCP4 192.0.2.1 192.0.2.2 56324\r\n", -1, NULL, 0),
	LINE("PROXY TCP4 192.0.2.1 192.0.2.2 56324 25 1\r\n", -1, NULL, 0),
	LINE("PROXY TCP4 2001:db8::1 192.0.2.2 56324 25\r\n", -1, NULL, 0),
	LINE("PROXY TCP4 192.0.2.1 192.0.2.2 70000 25\r\n", -1, NULL, 0),
	LINE("PROXY TCP4 192.0.2.1 192.0.2.2 56324 25\n", -1, NULL, 0),
	LINE("PROXY UDP4 192.0.2.1 192.0.2.2 56324 25\r\n", -1, NULL, 0),
	LINE(V2 "\x21\x11\0\x0c" "\xc0\0\2\1" "\xc0\0\2\2" "\1\0" "\0\x19" "rest", 28, "192.0.2.1", 256),
	LINE(V2 "\x21\x11\0\x0f" "\xc0\0\2\1" "\xc0\0\2\2" "\1\0" "\0\x19" "tlv", 31, "192.0.2.1", 256),
	LINE(V2 "\x21\x11\0\x0c" "\xc0\0\2\1", 0, NULL, 0),
	LINE(V2 "\x20\0\0\0", 16, NULL, 0),
	LINE(V2 "\x21\x12\0\x0c" "\xc0\0\2\1" "\xc0\0\2\2" "\1\0" "\0\x19", -1, NULL, 0),
	LINE(V2 "\x21\x11\0\x04" "\xc0\0\2\1", -1, NULL, 0),
	LINE(V2 "\x11\x11\0\x0c", -1, NULL, 0),
	LINE(V2 "\x21\x11\xff\xff", -1, NULL, 0),
	LINE("\r\n\r\nX", -1, NULL, 0),
};

START_TEST(a_header_says_who_the_client_is)
{
	struct haproxy header;
	char text[INET6_ADDRSTRLEN];

	ck_assert_int_eq(haproxy_parse(rows[_i].bytes, rows[_i].length,
	    &header), rows[_i].used);
	if (rows[_i].used <= 0)
		return;
	ck_assert(header.is_proxied == (rows[_i].client != NULL));
	if (rows[_i].client == NULL)
		return;
	inet_ntop(header.client.any.sa_family,
	    header.client.any.sa_family == AF_INET
	    ? (void *)&header.client.v4.sin_addr
	    : (void *)&header.client.v6.sin6_addr, text, sizeof(text));
	ck_assert_str_eq(text, rows[_i].client);
	ck_assert_uint_eq(ntohs(header.client.v4.sin_port), rows[_i].port);
}
END_TEST

START_TEST(a_header_may_come_byte_by_byte)
{
	struct haproxy header;

	for (ssize_t length = 0; length < rows[_i].used; length++)
		ck_assert_int_eq(haproxy_parse(rows[_i].bytes, (size_t)length,
		    &header), 0);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("smtp");
	TCase *tests = tcase_create("haproxy");

	tcase_add_loop_test(tests, a_header_says_who_the_client_is, 0,
	    COUNT_OF(rows));
	tcase_add_loop_test(tests, a_header_may_come_byte_by_byte, 0,
	    COUNT_OF(rows));
	suite_add_tcase(suite, tests);
	return run_suite(suite);
}
