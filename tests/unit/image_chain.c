/* image/chain - hashes as in RFC 5155 appendix A, and the order of names as in RFC 4034 section 6.1 */

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "base/base.h"
#include "image/chain.h"
#include "tests/unit/suite.h"

static const struct {
	const char *name;
	uint8_t first[4];	/* of the hash, which base32hex shows in the RFC */
} hashes[] = {
	{ "example.", { 0x06, 0x53, 0x68, 0xab } },		/* 0p9mhaveqvm6t7vbl5lop2u3t2rp3tom */
	{ "a.example.", { 0x19, 0x6d, 0xd8, 0xc3 } },		/* 35mthgpgcu1qg68fab165klnsnk3dpvl */
	{ "*.w.example.", { 0xd9, 0x46, 0xbd, 0x1d } },		/* r53bq7cc2uvmubfu5ocmm6pers9tk9en */
};

static struct dns_name
parse(const char *text)
{
	struct dns_name name;
	const char *why;

	ck_assert_int_eq(dns_name_parse(&name, text, strlen(text), NULL, &why),
	    0);
	return name;
}

START_TEST(test_hashes)
{
	static const uint8_t salt[] = { 0xaa, 0xbb, 0xcc, 0xdd };
	struct dns_name name = parse(hashes[_i].name);
	uint8_t hash[CHAIN_HASH_SIZE];

	ck_assert_int_eq(chain_init(), 0);
	chain_hash(hash, name.bytes, salt, sizeof(salt), 12);
	ck_assert_msg(memcmp(hash, hashes[_i].first, 4) == 0,
	    "%s: %02x%02x%02x%02x", hashes[_i].name, hash[0], hash[1], hash[2],
	    hash[3]);
}
END_TEST

static const char *const ordered[] = { "example.", "a.example.",
    "yljkjljk.a.example.", "Z.a.example.", "zABC.a.EXAMPLE.", "z.example.",
    "\\001.z.example.", "*.z.example.", "\\200.z.example." };

START_TEST(test_order)
{
	struct dns_name name = parse(ordered[_i]);

	for (int i = 0; i < (int)COUNT_OF(ordered); i++) {
		struct dns_name other = parse(ordered[i]);
		int order = dns_name_compare(name.bytes, other.bytes);

		ck_assert_msg((order < 0) == (_i < i) &&
		    (order > 0) == (_i > i), "%s and %s", ordered[_i],
		    ordered[i]);
	}
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("image/chain");
	TCase *tcase = tcase_create("chain");

	tcase_add_loop_test(tcase, test_hashes, 0, COUNT_OF(hashes));
	tcase_add_loop_test(tcase, test_order, 0, COUNT_OF(ordered));
	suite_add_tcase(suite, tcase);
	return run_suite(suite);
}
