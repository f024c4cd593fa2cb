/* Log lines taken apart, and stories put together */

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/base.h"
#include "tests/unit/suite.h"
#include "trace/trace.h"

#define AT	"Jan  4 14:45:00 mail "

static const struct {
	const char	*line;
	const char	*time, *post, *id, *text;	/* time NULL: no line of a post */
} lines[] = {
	{ AT "postfix/smtpd[12]: 7E90A002F8D01: client=x[192.0.2.1]",
	  "Jan  4 14:45:00", "smtpd", "7E90A002F8D01", "client=x[192.0.2.1]" },
	{ "2026-01-12T14:31:25.123456+00:00 mail postroad/submission/smtpd[12]: 4dQzkR1cyNzWq: client=x",
	  "2026-01-12T14:31:25.123456+00:00", "smtpd", "4dQzkR1cyNzWq", "client=x" },
	{ AT "opendkim[9]: ABCDEF: DKIM-Signature field added",
	  "Jan  4 14:45:00", "opendkim", "ABCDEF", "DKIM-Signature field added" },
	{ AT "postfix/local[9]: warning: 7E90A0: cannot do it",
	  "Jan  4 14:45:00", "local", "7E90A0", "cannot do it" },
	{ AT "postfix/smtpd[9]: NOQUEUE: reject: RCPT from x",
	  "Jan  4 14:45:00", "smtpd", "NOQUEUE", "reject: RCPT from x" },
	{ AT "postfix/anvil[9]: statistics: max connection rate 1",
	  "Jan  4 14:45:00", "anvil", "", "statistics: max connection rate 1" },
	{ AT "postfix/smtpd[9]: connect from x[192.0.2.1]",
	  "Jan  4 14:45:00", "smtpd", "", "connect from x[192.0.2.1]" },
	{ AT "postfix/smtpd[9]: warning: hash:/etc/aliases: table is older",
	  "Jan  4 14:45:00", "smtpd", "", "warning: hash:/etc/aliases: table is older" },
	{ "Jan  4 14:45:00 mail", NULL, NULL, NULL, NULL },
	{ AT "last message repeated 3 times", NULL, NULL, NULL, NULL },
	{ "hello", NULL, NULL, NULL, NULL },
	{ "", NULL, NULL, NULL, NULL },
};

#define assert_word(word, string) \
	ck_assert_msg(trace_word_is(word, string), "%.*s is not %s", \
	    (int)(word).length, (word).at, string)

START_TEST(a_line_is_taken_apart)
{
	struct trace_line line;
	bool is_one = trace_line_parse(lines[_i].line, strlen(lines[_i].line),
	    &line);

	ck_assert_msg(is_one == (lines[_i].time != NULL), "%s", lines[_i].line);
	if (!is_one)
		return;
	assert_word(line.time, lines[_i].time);
	assert_word(line.post, lines[_i].post);
	assert_word(line.id, lines[_i].id);
	assert_word(line.text, lines[_i].text);
}
END_TEST

static struct trace_word
word(const char *string)
{
	return (struct trace_word){ string, strlen(string) };
}

START_TEST(a_delivery_is_taken_apart)
{
	struct trace_delivery d;

	ck_assert(trace_delivery_parse(word("to=<\"a, > b\"@x.org>, "
	    "orig_to=<ada>, relay=x.org[192.0.2.1]:25, conn_use=2, delay=1.2, "
	    "delays=0.1/0/1/0.1, dsn=4.2.0, status=deferred (host said: 450 "
	    "dsn=9.9.9, (later))"), &d));
	assert_word(d.original, "ada");
	assert_word(d.relay, "x.org[192.0.2.1]:25");
	assert_word(d.delay, "1.2");
	assert_word(d.delays, "0.1/0/1/0.1");
	assert_word(d.dsn, "4.2.0");
	assert_word(d.status, "deferred");
	assert_word(d.reason, "host said: 450 dsn=9.9.9, (later)");
	ck_assert(!trace_delivery_parse(word("to=<a@b>, no status"), &d));
	ck_assert(!trace_delivery_parse(word("status=sent (ok)"), &d));
}
END_TEST

/* ----------------------------------------------------------- stories */

/* A mail that bounces, its notice, and one that is forwarded; the last line uses an id again. */
static const char *const log_lines[] = {
	AT "postfix/smtpd[1]: AAAAAA1: client=x[192.0.2.1]",
	AT "postfix/cleanup[2]: AAAAAA1: message-id=<one@x.org>",
	AT "postfix/smtpd[1]: NOQUEUE: reject: RCPT from x[192.0.2.1]: 550 5.1.1 <eve@y.org>: unknown; from=<ada@x.org> to=<eve@y.org> proto=SMTP helo=<x>",
	AT "postfix/qmgr[3]: AAAAAA1: from=<ada@X.org>, size=300, nrcpt=1 (queue active)",
	AT "postfix/smtp[4]: AAAAAA1: to=<bob@y.org>, relay=none, delay=1, delays=0/0/1/0, dsn=5.4.4, status=bounced (no host)",
	AT "postfix/cleanup[2]: BBBBBB2: message-id=<notice@x.org>",
	AT "postfix/bounce[5]: AAAAAA1: sender non-delivery notification: BBBBBB2",
	AT "postfix/qmgr[3]: BBBBBB2: from=<>, size=900, nrcpt=1 (queue active)",
	AT "postfix/qmgr[3]: AAAAAA1: removed",
	AT "postfix/local[6]: BBBBBB2: to=<ada@x.org>, relay=local, delay=0.1, delays=0/0/0/0, dsn=2.0.0, status=sent (forwarded as CCCCCC3)",
	AT "postfix/qmgr[3]: BBBBBB2: removed",
	AT "postfix/qmgr[3]: CCCCCC3: from=<>, size=950, nrcpt=1 (queue active)",
	AT "postfix/smtp[4]: CCCCCC3: to=<ada@z.org>, relay=z.org[192.0.2.9]:25, delay=1, delays=0/0/1/0, dsn=2.0.0, status=sent (250 2.0.0 Ok: queued as FFFFFF9)",
	AT "postfix/qmgr[3]: DDDDDD4: from=<carol@x.org>, size=10, nrcpt=1 (queue active)",
	AT "postfix/smtpd[1]: AAAAAA1: client=other[192.0.2.7]",
};

static void
add_id(const struct trace_story *story, void *context)
{
	text_printf(context, "%s ", story->id);
}

static const struct {
	const char	*question, *ids;
	size_t		 last;
} questions[] = {
	{ "DDDDDD4", "DDDDDD4 ", 10 },
	{ "AAAAAA1", "AAAAAA1 BBBBBB2 CCCCCC3 AAAAAA1 ", 10 },
	{ "CCCCCC3", "AAAAAA1 BBBBBB2 CCCCCC3 ", 10 },	/* back along the ties, to what has ended */
	{ "<one@x.org>", "AAAAAA1 BBBBBB2 CCCCCC3 ", 10 },
	{ "one@x.org", "AAAAAA1 ", 10 },		/* a message-id without brackets may be an address */
	{ "ada@x.org", "AAAAAA1 NOQUEUE BBBBBB2 ", 10 },
	{ "ada@x.org", "BBBBBB2 ", 1 },
	{ "@x.org", "AAAAAA1 NOQUEUE BBBBBB2 DDDDDD4 ", 10 },
	{ "<>", "BBBBBB2 CCCCCC3 ", 10 },
	{ "EEEEEE5", "", 10 },
};

START_TEST(what_was_asked_for_is_kept)
{
	struct trace *trace = trace_new(questions[_i].question,
	    questions[_i].last, 1 << 20);
	struct text ids = TEXT_EMPTY;

	for (size_t i = 0; i < COUNT_OF(log_lines); i++)
		trace_take(trace, log_lines[i], strlen(log_lines[i]));
	trace_each(trace, add_id, &ids);
	ck_assert_str_eq(text_string(&ids), questions[_i].ids);
	text_clear(&ids);
	trace_free(&trace);
}
END_TEST

/* However long the log, what nobody asked for is forgotten in time. */
START_TEST(memory_has_a_limit)
{
	struct trace *trace = trace_new("CCCCCC3", 10, 4096);
	struct text ids = TEXT_EMPTY;
	char line[200];

	for (int i = 0; i < 10000; i++) {
		snprintf(line, sizeof(line), AT "postfix/smtpd[1]: %06XA: "
		    "client=x, orig_queue_id=%06XA", i, i + 3);
		trace_take(trace, line, strlen(line));
	}
	for (size_t i = 0; i < COUNT_OF(log_lines); i++)
		trace_take(trace, log_lines[i], strlen(log_lines[i]));
	trace_each(trace, add_id, &ids);
	ck_assert_str_eq(text_string(&ids), "AAAAAA1 BBBBBB2 CCCCCC3 ");
	text_clear(&ids);
	trace_free(&trace);
}
END_TEST

static void
count_lines(const struct trace_story *story, void *context)
{
	size_t *count = context;

	for (size_t i = 0; i < story->lines.length; i++)
		*count += story->lines.bytes[i] == '\n';
	*count += 100 * story->left_out;
}

/* Of a list's 1,000 deliveries that to one address is shown, and a few others. */
START_TEST(others_are_left_out)
{
	struct trace *trace = trace_new("u999@x.org", 10, 1 << 20);
	size_t count = 0;
	char line[200];

	for (int i = 0; i < 1000; i++) {
		snprintf(line, sizeof(line), AT "postfix/smtp[1]: AAAAAA1: "
		    "to=<u%d@x.org>, relay=none, status=sent (ok)", i);
		trace_take(trace, line, strlen(line));
	}
	trace_each(trace, count_lines, &count);
	ck_assert_uint_eq(count, 17 + 100 * (1000 - 17));
	trace_free(&trace);
}
END_TEST

START_TEST(nonsense_is_no_question)
{
	ck_assert_ptr_null(trace_new("", 1, 1));
	ck_assert_ptr_null(trace_new("bob", 1, 1));
	ck_assert_ptr_null(trace_new("two words", 1, 1));
}
END_TEST

static void
print_story(const struct trace_story *story, void *context)
{
	trace_print(context, story, &(struct trace_waiting){ .message = NULL });
}

START_TEST(a_story_for_people)
{
	struct trace *trace = trace_new("AAAAAA1", 1, 1 << 20);
	char *printed = NULL;
	size_t size;
	FILE *out = open_memstream(&printed, &size);

	for (size_t i = 0; i < 5; i++)
		trace_take(trace, log_lines[i], strlen(log_lines[i]));
	trace_each(trace, print_story, out);
	fclose(out);
	ck_assert_str_eq(printed,
	    "AAAAAA1  from=<ada@X.org>  size=300  message-id=<one@x.org>\n"
	    "  Jan  4 14:45:00  smtpd       client=x[192.0.2.1]\n"
	    "  Jan  4 14:45:00  cleanup     message-id=<one@x.org>\n"
	    "  Jan  4 14:45:00  qmgr        from=<ada@X.org>, size=300, nrcpt=1 (queue active)\n"
	    "  Jan  4 14:45:00  smtp        to <bob@y.org>: bounced 5.4.4 after 1 s (0/0/1/0): no host\n"
	    "  now: not in the queue of this system\n");
	free(printed);
	trace_free(&trace);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("trace");
	TCase *all = tcase_create("all");

	suite_add_tcase(suite, all);
	tcase_add_loop_test(all, a_line_is_taken_apart, 0, COUNT_OF(lines));
	tcase_add_test(all, a_delivery_is_taken_apart);
	tcase_add_loop_test(all, what_was_asked_for_is_kept, 0,
	    COUNT_OF(questions));
	tcase_add_test(all, memory_has_a_limit);
	tcase_add_test(all, others_are_left_out);
	tcase_add_test(all, nonsense_is_no_question);
	tcase_add_test(all, a_story_for_people);
	return run_suite(suite);
}
