/* named-lite/cookie - the test vectors of RFC 9018 appendix A, and cookies that are not ours */

#include <arpa/inet.h>

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "base/base.h"
#include "named-lite/answerer/cookie.h"
#include "tests/unit/suite.h"

static const struct {
	const char *key;
	const char *cookie;	/* a client's and ours */
	const char *address;
	time_t made;
} vectors[] = {
	{ "e5e973e5a6b2a43f48e7dc849e37bfcf",
	  "2464c4abcf10c957010000005cf79f111f8130c3eee29480", "198.51.100.100",
	  1559731985 },
	{ "e5e973e5a6b2a43f48e7dc849e37bfcf",
	  "2464c4abcf10c957010000005cf7a871d4a564a1442aca77", "198.51.100.100",
	  1559734385 },
	/* The reserved octets count, whatever is in them. */
	{ "e5e973e5a6b2a43f48e7dc849e37bfcf",
	  "fc93fc62807ddb8601abcdef5cf78f71a314227b6679ebf5", "203.0.113.203",
	  1559727985 },
	{ "445536bcd2513298075a5d379663c962",
	  "22681ab97d52c298010000005cf7c609a6bb79d16625507a",
	  "2001:db8:220:1:59de:d0f4:8769:82b8", 1559741961 },
};

static void
unhex(const char *text, uint8_t *to)
{
	for (; *text != '\0'; text += 2) {
		char pair[3] = { text[0], text[1], '\0' };

		*to++ = strtoul(pair, NULL, 16);
	}
}

static const struct sockaddr *
address(const char *text, struct sockaddr_in6 *to)
{
	struct sockaddr_in *four = (struct sockaddr_in *)to;

	memset(to, 0, sizeof(*to));
	if (inet_pton(AF_INET, text, &four->sin_addr) == 1)
		four->sin_family = AF_INET;
	else {
		inet_pton(AF_INET6, text, &to->sin6_addr);
		to->sin6_family = AF_INET6;
	}
	return (const struct sockaddr *)to;
}

START_TEST(test_vectors)
{
	uint8_t key[16], cookie[COOKIE_SIZE], made[COOKIE_OPTION_SIZE];
	struct sockaddr_in6 six;
	const struct sockaddr *client = address(vectors[_i].address, &six);
	time_t now = vectors[_i].made;

	unhex(vectors[_i].key, key);
	unhex(vectors[_i].cookie, cookie);
	ck_assert(cookie_check(key, cookie, client, now));
	ck_assert(cookie_check(key, cookie, client, now + 3600));
	ck_assert(!cookie_check(key, cookie, client, now + 3601));
	ck_assert(cookie_check(key, cookie, client, now - 300));
	ck_assert(!cookie_check(key, cookie, client, now - 301));
	ck_assert_uint_eq(cookie_put(made, key, cookie, client, now),
	    COOKIE_OPTION_SIZE);
	if (cookie[9] == 0)
		ck_assert_mem_eq(made + 4, cookie, COOKIE_SIZE);
	for (int i = 0; i < COOKIE_SIZE; i++) {
		cookie[i] ^= 1;
		/* Bits of the reserved octets and of the time are in the hash, too. */
		ck_assert_msg(!cookie_check(key, cookie, client, now),
		    "octet %d", i);
		cookie[i] ^= 1;
	}
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("named-lite/cookie");
	TCase *tcase = tcase_create("cookie");

	tcase_add_loop_test(tcase, test_vectors, 0, COUNT_OF(vectors));
	suite_add_tcase(suite, tcase);
	return run_suite(suite);
}
