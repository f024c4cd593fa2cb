#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bounce/bounce.h"
#include "config/config.h"
#include "tests/unit/suite.h"

static struct text logged = TEXT_EMPTY;

static void
keep_line(enum log_level level, const char *line)
{
	text_puts(&logged, line);
	text_putc(&logged, '\n');
}

static void
start(void)
{
	char directory[] = "/tmp/bounce-compose.XXXXXX", path[64];
	FILE *main_cf;

	ck_assert_ptr_nonnull(mkdtemp(directory));
	snprintf(path, sizeof(path), "%s/main.cf", directory);
	main_cf = fopen(path, "w");
	ck_assert_ptr_nonnull(main_cf);
	fputs("compatibility_level = 3.6\nmyhostname = mail.example.org\n"
	    "mydestination = example.org\nmyorigin = example.org\n"
	    "notify_classes = bounce 2bounce delay\n"
	    "inet_interfaces = 127.0.0.1\n", main_cf);
	fclose(main_cf);
	log_open_function(keep_line);
	ck_assert_int_eq(config_load(directory, NULL), 0);
	unlink(path);
	rmdir(directory);
	compose_start();
}

/* A message of ada's to three; the results are all, or some, of theirs. */
static void
make_notice(struct notice *notice, struct delivery_result *results)
{
	static const enum delivery_status statuses[] = {
		DELIVERY_SENT, DELIVERY_BOUNCED, DELIVERY_DEFERRED,
	};
	struct pool *pool = pool_new(0);

	*notice = (struct notice){ .pool = pool, .envelope = envelope_new(pool),
	    .results = results, .count = 3, .content = "Subject: x\n\nbody\n",
	    .content_length = 17 };
	notice->envelope->sender = "ada@example.org";
	notice->envelope->queue_id = "ABCDEF";
	notice->envelope->unique = "1.QABCDEF";
	for (size_t i = 0; i < 3; i++) {
		envelope_add_recipient(notice->envelope, "bob@example.net");
		results[i] = (struct delivery_result){ .number = (int64_t)i,
		    .status = statuses[i], .dsn = "x.0.0", .text = "so it is",
		    .relay = "none", .remote_mta = "", .diagnostic = "" };
	}
}

enum { N = DSN_NOTIFY_NEVER, S = DSN_NOTIFY_SUCCESS, F = DSN_NOTIFY_FAILURE,
    D = DSN_NOTIFY_DELAY };

/* Who is told of how many of the three, one sent, one bounced, one deferred. */
static const struct {
	enum notice_kind kind;
	const char *sender;
	int notify;
	bool expired;
	size_t to_sender, to_postmaster;
} rules[] = {
	{ NOTICE_FAILURE, "ada@example.org", 0, false, 1, 1 },
	{ NOTICE_FAILURE, "ada@example.org", 0, true, 2, 2 },
	{ NOTICE_FAILURE, "ada@example.org", F, false, 1, 1 },
	{ NOTICE_FAILURE, "ada@example.org", N, false, 0, 1 },
	{ NOTICE_FAILURE, "ada@example.org", S | D, false, 0, 1 },
	{ NOTICE_FAILURE, "", 0, false, 0, 1 },
	{ NOTICE_FAILURE, "double-bounce@mail.example.org", 0, false, 0, 0 },
	{ NOTICE_FAILURE, "double-bounce@example.net", 0, false, 1, 1 },
	{ NOTICE_DELAY, "ada@example.org", 0, false, 1, 1 },
	{ NOTICE_DELAY, "ada@example.org", S | F, false, 0, 1 },
	{ NOTICE_DELAY, "", 0, false, 0, 0 },
	{ NOTICE_SUCCESS, "ada@example.org", 0, false, 0, 0 },
	{ NOTICE_SUCCESS, "ada@example.org", S, false, 1, 0 },
	{ NOTICE_SUCCESS, "", S, false, 0, 0 },
	{ NOTICE_TRACE, "ada@example.org", N, false, 3, 0 },
	{ NOTICE_VERIFY, "ada@example.org", 0, false, 3, 0 },
};

START_TEST(who_is_told_of_what)
{
	struct delivery_result results[3];
	struct letter letters[LETTERS_MAX];
	struct notice notice;
	size_t count, told[2] = { 0, 0 };

	make_notice(&notice, results);
	notice.kind = rules[_i].kind;
	notice.is_expired = rules[_i].expired;
	notice.envelope->sender = rules[_i].sender;
	for (size_t i = 0; i < 3; i++)
		notice.envelope->recipients[i].dsn_notify = rules[_i].notify;
	count = notice_letters(&notice, letters);
	for (size_t i = 0; i < count; i++)
		told[letters[i].to_postmaster] += letters[i].count;
	ck_assert_uint_eq(told[0], rules[_i].to_sender);
	ck_assert_uint_eq(told[1], rules[_i].to_postmaster);
	notice_clear(&notice);
}
END_TEST

/* Lines that must, and must not, stand in a notice of failure. */
START_TEST(strangers_begin_no_line)
{
	struct delivery_result results[3];
	struct letter letters[LETTERS_MAX];
	struct notice notice;
	struct text out = TEXT_EMPTY;

	make_notice(&notice, results);
	notice.kind = NOTICE_FAILURE;
	notice.envelope->dsn_envid = "a\nEvil: yes";
	notice.envelope->recipients[1].dsn_orcpt = "rfc822;x\n\nEvil: yes";
	results[1].text = "said: 550 no\n\nEvil: yes";
	results[1].remote_mta = "mx.far.example";
	results[1].diagnostic = "550 no\r\nEvil: yes";
	ck_assert_uint_eq(notice_letters(&notice, letters), 2);
	compose(&letters[0], &out);
	ck_assert_ptr_null(strstr(text_string(&out), "\nEvil"));
	ck_assert_ptr_nonnull(strstr(text_string(&out),
	    "\nOriginal-Envelope-Id: a?Evil: yes\n"));
	ck_assert_ptr_nonnull(strstr(text_string(&out),
	    "\nDiagnostic-Code: smtp; 550 no??Evil: yes\n"));
	text_clear(&out);
	notice_clear(&notice);
}
END_TEST

START_TEST(no_line_is_long)
{
	struct delivery_result results[3];
	struct letter letters[LETTERS_MAX];
	struct notice notice;
	struct text out = TEXT_EMPTY, words = TEXT_EMPTY;

	make_notice(&notice, results);
	notice.kind = NOTICE_FAILURE;
	for (int i = 0; i < 100; i++)
		text_puts(&words, "twelve words ");
	results[1].text = results[1].diagnostic = text_string(&words);
	notice_letters(&notice, letters);
	compose(&letters[0], &out);
	for (const char *line = text_string(&out); *line != '\0';
	    line += strcspn(line, "\n") + 1)
		ck_assert_uint_le(strcspn(line, "\n"), 79);
	text_clear(&out);
	text_clear(&words);
	notice_clear(&notice);
}
END_TEST

/* Files of templates: how many mistakes, what the log says, and the subject of the failure notice then. */
static const struct {
	const char *file, *subject, *log;
} files[] = {
	{ "", "Undelivered Mail Returned to Sender", "" },
	{ "# x\n\n  \nfailure_template = <<EOF\nSubject: s\n\nt\nEOF\n", "s", "" },
	{ "failure_template=<<E O\nsubject:s\n\nt\nE O", "s", "" },
	{ "failure_template = <<EOF\n\n$myhostname\nEOF\n", "Undelivered Mail Returned to Sender", "" },
	{ "failure_template = <<EOF\nSubject: s\n\nt\n", "Undelivered Mail Returned to Sender", "line 1: the template has no end" },
	{ "\nfailure_template = <<EOF\nSubject: s\nX: y\n\nt\nEOF\n", "Undelivered Mail Returned to Sender", "line 4: not " },
	{ "failure_template = <<EOF\nSubject: s\n\n$nosuch\nEOF\n", "Undelivered Mail Returned to Sender", "line 1: it cannot be" },
	{ "failure_template = <<EOF\nSubject: s\n\n\xc3\xbc\nEOF\n", "Undelivered Mail Returned to Sender", "line 1: its text is not us-ascii" },
	{ "failure_template = <<EOF\nSubject: \xc3\xbc\n\nx\nEOF\n", "Undelivered Mail Returned to Sender", "line 2: only ASCII" },
	{ "failure_template = s\n", "Undelivered Mail Returned to Sender", "line 1: not " },
	{ "x_template = <<E\nSubject: s\n\nx\nE\nfailure_template = <<EOF\nSubject: s\n\nx\nEOF\n", "s", "line 1: not failure_template" },
};

START_TEST(a_bad_template_is_replaced)
{
	struct templates templates;
	struct pool *pool = pool_new(0);

	text_truncate(&logged, 0);
	templates_init(&templates);
	templates_parse(&templates, pool, files[_i].file,
	    strlen(files[_i].file), "bounce.cf");
	ck_assert_str_eq(templates.of[TEMPLATE_FAILURE].subject,
	    files[_i].subject);
	ck_assert_int_eq(templates.mistakes, *files[_i].log != '\0');
	ck_assert_msg(strstr(text_string(&logged), files[_i].log) != NULL,
	    "%s", text_string(&logged));
	pool_free(&pool);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("bounce_compose");
	TCase *all = tcase_create("all");

	tcase_add_checked_fixture(all, start, NULL);
	tcase_add_loop_test(all, who_is_told_of_what, 0, COUNT_OF(rules));
	tcase_add_test(all, strangers_begin_no_line);
	tcase_add_test(all, no_line_is_long);
	tcase_add_loop_test(all, a_bad_template_is_replaced, 0, COUNT_OF(files));
	suite_add_tcase(suite, all);
	return run_suite(suite);
}
