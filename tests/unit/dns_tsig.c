#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "base/base.h"
#include "dns/dns.h"
#include "tests/unit/suite.h"

#define NOW	1700000000
#define SECRET	"c2VjcmV0IHNlY3JldCBzZWNyZXQ="

static const uint8_t request[] = "\0\7\1\0\0\1\0\0\0\0\0\0\1x\0\0\374\0\1";

static const struct { const char *text; bool is_good; unsigned length; }
names[] = {
	{ "hmac-sha256", true, 32 },
	{ "HMAC-MD5", true, 16 },
	{ "hmac-md5.sig-alg.reg.int", true, 16 },
	{ "hmac-sha512-256", true, 32 },
	{ "hmac-sha256-80", false, 0 },		/* less than half */
	{ "hmac-sha1-81", false, 0 },
	{ "hmac-sha1-80", true, 10 },
	{ "hmac-sha3", false, 0 },
	{ "", false, 0 },
};

static struct dns_key
make_key(const char *name, const char *algorithm)
{
	struct dns_key key;
	const char *why;

	ck_assert_int_eq(dns_key_init(&key, name, algorithm, SECRET, &why), 0);
	return key;
}

START_TEST(algorithms_by_their_names)
{
	struct dns_key key;
	const char *why;
	int result = dns_key_init(&key, "k", names[_i].text, SECRET, &why);

	ck_assert_int_eq(result, names[_i].is_good ? 0 : -1);
	if (names[_i].is_good)
		ck_assert_int_eq(key.mac_length, names[_i].length);
}
END_TEST

/* What a server says to a request signed with `with` at this time. */
static unsigned
receive(struct dns_tsig *server, const struct dns_key *with,
    const struct dns_key *keys, uint64_t now, int spoil)
{
	uint8_t message[sizeof(request) + DNS_TSIG_MAX];
	struct dns_tsig_record record;
	struct dns_tsig client;
	size_t length = sizeof(request) - 1;

	memcpy(message, request, length);
	dns_tsig_start(&client, with);
	length = dns_tsig_sign(&client, message, length, NOW);
	if (spoil >= 0)
		message[spoil] ^= 1;
	ck_assert_int_eq(dns_tsig_find(&record, message, length), 1);
	dns_put16(message, 4711);	/* a forwarder's own number does not count */
	return dns_tsig_receive(server, keys, 1, message, &record, now);
}

START_TEST(requests_good_and_bad)
{
	struct dns_key key = make_key("Key.", "hmac-sha256");
	struct dns_key other = make_key("key", "hmac-sha1");
	struct dns_key shorter = make_key("key", "hmac-sha256-128");
	struct dns_tsig server;

	ck_assert_int_eq(receive(&server, &key, &key, NOW, -1), 0);
	ck_assert_int_eq(receive(&server, &other, &key, NOW, -1), DNS_BADKEY);
	ck_assert_int_eq(receive(&server, &key, &key, NOW, 3), DNS_BADSIG);
	ck_assert_int_eq(receive(&server, &key, &key, NOW + 300, -1), 0);
	ck_assert_int_eq(receive(&server, &key, &key, NOW + 301, -1),
	    DNS_BADTIME);
	ck_assert_int_eq(receive(&server, &key, &key, NOW - 301, -1),
	    DNS_BADTIME);
	ck_assert_int_eq(receive(&server, &shorter, &key, NOW, -1),
	    DNS_BADTRUNC);
	ck_assert_int_eq(receive(&server, &shorter, &shorter, NOW, -1), 0);
}
END_TEST

/* The second one goes with the code of the first; one of them is changed on its way, or none. */
START_TEST(answers_of_many_messages)
{
	struct dns_key key = make_key("key", "hmac-sha512");
	uint8_t message[sizeof(request) + DNS_TSIG_MAX];
	struct dns_tsig client, server;
	struct dns_tsig_record record;
	size_t length = sizeof(request) - 1;
	bool found;

	memcpy(message, request, length);
	dns_tsig_start(&client, &key);
	length = dns_tsig_sign(&client, message, length, NOW);
	ck_assert_int_eq(dns_tsig_find(&record, message, length), 1);
	ck_assert_int_eq(dns_tsig_receive(&server, &key, 1, message, &record,
	    NOW), 0);
	for (size_t i = 0; i < 2; i++) {
		memcpy(message, request, sizeof(request) - 1);
		length = dns_tsig_sign(&server, message, sizeof(request) - 1,
		    NOW);
		if (i == (size_t)_i)
			message[2] ^= 0x80;
		const char *why = dns_tsig_verify(&client, message, &length,
		    NOW, &found);

		if (i == (size_t)_i) {
			ck_assert_str_eq(why, "bad signature");
			break;
		}
		ck_assert_ptr_null(why);
		ck_assert(found);
		ck_assert_uint_eq(length, sizeof(request) - 1);
	}
	dns_tsig_clear(&client);
}
END_TEST

START_TEST(the_first_message_must_be_signed)
{
	struct dns_key key = make_key("key", "hmac-sha256");
	uint8_t message[sizeof(request) + DNS_TSIG_MAX];
	struct dns_tsig client;
	size_t length = sizeof(request) - 1;
	bool found;

	memcpy(message, request, length);
	dns_tsig_start(&client, &key);
	dns_tsig_sign(&client, message, length, NOW);
	memcpy(message, request, length);
	ck_assert_str_eq(dns_tsig_verify(&client, message, &length, NOW,
	    &found), "not signed");
	dns_tsig_clear(&client);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("tsig");
	TCase *tcase = tcase_create("signed messages");

	tcase_add_loop_test(tcase, algorithms_by_their_names, 0,
	    COUNT_OF(names));
	tcase_add_test(tcase, requests_good_and_bad);
	tcase_add_loop_test(tcase, answers_of_many_messages, 0, 3);
	tcase_add_test(tcase, the_first_message_must_be_signed);
	suite_add_tcase(suite, tcase);
	return run_suite(suite);
}
