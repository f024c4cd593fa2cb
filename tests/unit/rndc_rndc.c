#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "base/base.h"
#include "rndc/rndc.h"
#include "tests/unit/suite.h"

static const char *const algorithms[] = { "hmac-md5", "hmac-sha1",
    "hmac-sha224", "hmac-sha256", "hmac-sha384", "hmac-sha512" };

static void
make(struct text *to, struct dns_key *key, const char *algorithm)
{
	const char *why;
	size_t table;

	ck_assert_int_eq(dns_key_init(key, "rndc-key", algorithm,
	    "c2VjcmV0IHNlY3JldCBzZWNyZXQ=", &why), 0);
	rndc_begin(to, key);
	table = rndc_open_table(to, "_ctrl");
	rndc_put(to, "_ser", "1");
	rndc_close_table(to, table);
	table = rndc_open_table(to, "_data");
	rndc_put(to, "type", "reload example.org");
	rndc_close_table(to, table);
	rndc_finish(to, key);
}

START_TEST(what_is_written_is_read)
{
	struct text text = TEXT_EMPTY;
	struct rndc_message message;
	struct dns_key key[2];
	const char *why;

	make(&text, &key[1], algorithms[_i]);
	key[0] = key[1];
	key[0].secret[0] ^= 1;
	ck_assert_int_eq(rndc_read(&message, text.bytes + 4, text.length - 4,
	    key, 2, &why), 0);
	ck_assert_ptr_eq(message.key, &key[1]);
	ck_assert(rndc_is(&message, "_data", "type", "reload example.org"));
	ck_assert(rndc_is(&message, "_ctrl", "_ser", "1"));
	ck_assert_ptr_null(rndc_value(&message, "_ctrl", "type"));
	ck_assert_int_eq(rndc_read(&message, text.bytes + 4, text.length - 4,
	    key, 1, &why), -1);
	ck_assert_str_eq(why, "bad auth");
	text_clear(&text);
}
END_TEST

START_TEST(a_changed_or_cut_message_is_refused)
{
	struct text text = TEXT_EMPTY;
	struct rndc_message message;
	struct dns_key key;
	const char *why;

	make(&text, &key, "hmac-sha256");
	for (size_t i = 4; i < text.length; i++) {
		char *copy = mem_strndup(text.bytes + 4, text.length - 4);

		copy[i - 4] ^= 4;
		ck_assert_int_eq(rndc_read(&message, copy, text.length - 4,
		    &key, 1, &why), -1);
		free(copy);
		copy = mem_strndup(text.bytes + 4, i - 4);
		ck_assert_int_eq(rndc_read(&message, copy, i - 4, &key, 1,
		    &why), -1);
		free(copy);
	}
	text_clear(&text);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("rndc");
	TCase *tcase = tcase_create("messages");

	tcase_add_loop_test(tcase, what_is_written_is_read, 0,
	    COUNT_OF(algorithms));
	tcase_add_test(tcase, a_changed_or_cut_message_is_refused);
	suite_add_tcase(suite, tcase);
	return run_suite(suite);
}
