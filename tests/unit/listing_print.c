/* mailq's rows and JSON, and the attributes that they come from */

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/base.h"
#include "listing/listing.h"
#include "tests/unit/suite.h"

static struct listed_recipient waiting[] = {
	{ "", "bob@far.example", "host far.example[192.0.2.1] said: 450 4.2.0 later" },
	{ "list@x.org", "\"q u\"@far.example", "host far.example[192.0.2.1] said: 450 4.2.0 later" },
	{ "", "carol@far.example", "" },
};

static struct listed_recipient odd[] = {
	{ "", "ad\303\251@x.org", "say \"no\"\\\n\001" },
	{ "", "ad\351@x.org", "" },
};

static const struct listed_message messages[] = {
	{ "deferred", "7E90A002F8D01", 1768228285, 266, false,
	  "ada@example.org", "ada", waiting, 3 },
	{ "hold", "ABCDEF0", 1768228285, 5000, true, "MAILER-DAEMON", "",
	  odd, 2 },
};

static char *
print_all(bool long_ids, size_t count)
{
	char *text = NULL;
	size_t size;
	struct listing_printer printer = { .long_ids = long_ids };

	printer.out = open_memstream(&text, &size);
	for (size_t i = 0; i < count; i++)
		listing_print(&printer, &messages[i]);
	listing_print_end(&printer);
	fclose(printer.out);
	return text;
}

static void
check_text(char *seen, const char *wanted)
{
	ck_assert_str_eq(seen, wanted);
	free(seen);
}

START_TEST(an_empty_queue)
{
	check_text(print_all(false, 0), "Mail queue is empty\n");
}
END_TEST

/* Columns, flags, and each reason once, ending in column 76. */
START_TEST(rows)
{
	check_text(print_all(false, 2),
	    "-Queue ID-  --Size-- ----Arrival Time---- -Sender/Recipient-------\n"
	    "7E90A002F8D01     266 Mon Jan 12 14:31:25  ada@example.org\n"
	    "                           (host far.example[192.0.2.1] said: 450 4.2.0 later)\n"
	    "                                         bob@far.example\n"
	    "                                         \"q u\"@far.example\n"
	    "                                                          (reason unavailable)\n"
	    "                                         carol@far.example\n"
	    "\n"
	    "ABCDEF0!#      5000 Mon Jan 12 14:31:25  MAILER-DAEMON\n"
	    "                                                                 (say \"no\"\\?" "?)\n"
	    "                                         ad\303\251@x.org\n"
	    "                                                          (reason unavailable)\n"
	    "                                         ad?@x.org\n"
	    "\n"
	    "-- 5 Kbytes in 2 Requests.\n");
}
END_TEST

START_TEST(long_ids_have_wider_columns)
{
	char *text = print_all(true, 1);

	ck_assert(text_starts_with(text,
	    "----Queue ID----- --Size-- ---Arrival Time---- --Sender/Recipient------\n"
	    "7E90A002F8D01          266 Mon Jan 12 14:31:25 ada@example.org\n"));
	ck_assert(text_ends_with(text, "\n-- 0 Kbytes in 1 Request.\n"));
	free(text);
}
END_TEST

static char *
json(const struct listed_message *message)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	listing_print_json(out, message);
	fclose(out);
	return text;
}

START_TEST(objects)
{
	check_text(json(&messages[0]),
	    "{\"queue_name\": \"deferred\", \"queue_id\": \"7E90A002F8D01\", "
	    "\"arrival_time\": 1768228285, \"message_size\": 266, "
	    "\"forced_expire\": false, \"sender\": \"ada@example.org\", "
	    "\"login\": \"ada\", "
	    "\"recipients\": [{\"address\": \"bob@far.example\", \"delay_reason\": "
	    "\"host far.example[192.0.2.1] said: 450 4.2.0 later\"}, "
	    "{\"orig_address\": \"list@x.org\", \"address\": \"\\\"q u\\\"@far.example\", "
	    "\"delay_reason\": \"host far.example[192.0.2.1] said: 450 4.2.0 later\"}, "
	    "{\"address\": \"carol@far.example\"}]}\n");
	check_text(json(&messages[1]),
	    "{\"queue_name\": \"hold\", \"queue_id\": \"ABCDEF0\", "
	    "\"arrival_time\": 1768228285, \"message_size\": 5000, "
	    "\"forced_expire\": true, \"sender\": \"MAILER-DAEMON\", "
	    "\"recipients\": [{\"address\": \"ad\303\251@x.org\", "
	    "\"delay_reason\": \"say \\\"no\\\"\\\\\\n\\u0001\"}, "
	    "{\"address\": \"ad?@x.org\"}]}\n");
}
END_TEST

/* What showq sends, postqueue reads; a stream that ends early is told from one that ends. */
START_TEST(a_stream_is_read_as_it_was_written)
{
	struct text stream = TEXT_EMPTY;
	struct pool *pool = pool_new(0);
	struct listed_message read;

	listing_encode_begin(&stream);
	for (size_t i = 0; i < COUNT_OF(messages); i++)
		listing_encode(&stream, &messages[i], true);

	size_t without_end = stream.length;

	listing_encode_end(&stream);
	for (int cut = 0; cut < 2; cut++) {
		FILE *in = fmemopen(stream.bytes,
		    cut ? without_end : stream.length, "r");

		ck_assert_int_eq(listing_read_begin(in), 0);
		for (size_t i = 0; i < COUNT_OF(messages); i++) {
			char *seen, *wanted = json(&messages[i]);

			ck_assert_int_eq(listing_read(in, pool, &read), 1);
			seen = json(&read);
			ck_assert_str_eq(seen, wanted);
			free(seen);
			free(wanted);
		}
		ck_assert_int_eq(listing_read(in, pool, &read), cut ? -1 : 0);
		fclose(in);
	}
	text_clear(&stream);
	pool_free(&pool);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("listing_print");
	TCase *all = tcase_create("all");

	setenv("TZ", "UTC", 1);
	tzset();
	suite_add_tcase(suite, all);
	tcase_add_test(all, an_empty_queue);
	tcase_add_test(all, rows);
	tcase_add_test(all, long_ids_have_wider_columns);
	tcase_add_test(all, objects);
	tcase_add_test(all, a_stream_is_read_as_it_was_written);
	return run_suite(suite);
}
