#include <arpa/inet.h>
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <event2/event.h>

#include "base/base.h"
#include "resolve/internal.h"
#include "tests/unit/suite.h"

static const char hosts_text[] =
    "# comment\n"
    "127.0.0.1 localhost lo\n"
    "::1\tlocalhost # too\n"
    "192.0.2.1  Mail.Example.org mail\n"
    "nonsense x\n"
    "192.0.2.2\n";

static struct hosts *
sample(void)
{
	char path[] = "/tmp/hosts-XXXXXX";
	int fd = mkstemp(path);

	ck_assert_int_eq(fd_write_all(fd, hosts_text, strlen(hosts_text)), 0);
	fd_close(&fd);

	struct hosts *hosts = hosts_read(path);

	unlink(path);
	return hosts;
}

START_TEST(reads_hosts)
{
	struct hosts *hosts = sample();
	union resolve_address found[4];

	ck_assert_uint_eq(hosts_addresses(hosts, "localhost",
	    RESOLVE_V4 | RESOLVE_V6, found, 4), 2);
	ck_assert_uint_eq(hosts_addresses(hosts, "LOCALHOST", RESOLVE_V6,
	    found, 4), 1);
	ck_assert_uint_eq(hosts_addresses(hosts, "nonsense", RESOLVE_V4,
	    found, 4), 0);
	ck_assert_uint_eq(hosts_addresses(hosts, "mail", RESOLVE_V4, found,
	    4), 1);
	ck_assert_str_eq(hosts_name(hosts, &found[0].any), "mail.example.org");
	hosts_free(&hosts);
}
END_TEST

START_TEST(a_missing_hosts_file_is_empty)
{
	struct hosts *hosts = hosts_read("/nonexistent/hosts");
	union resolve_address found[1];

	ck_assert_uint_eq(hosts_addresses(hosts, "localhost", RESOLVE_V4,
	    found, 1), 0);
	hosts_free(&hosts);
}
END_TEST

START_TEST(mapped_addresses_are_the_same_host)
{
	union resolve_address four = { .v4.sin_family = AF_INET };
	union resolve_address six = { .v6.sin6_family = AF_INET6 };

	inet_pton(AF_INET, "192.0.2.1", &four.v4.sin_addr);
	inet_pton(AF_INET6, "::ffff:192.0.2.1", &six.v6.sin6_addr);
	ck_assert(resolve_same_host(&four.any, &six.any));
	inet_pton(AF_INET6, "2001:db8::1", &six.v6.sin6_addr);
	ck_assert(!resolve_same_host(&four.any, &six.any));
	ck_assert(resolve_same_host(&six.any, &six.any));
}
END_TEST

static void
count_answer(const struct resolve_answer *answer, void *argument)
{
	int *answers = argument;

	ck_assert_int_ne(answer->result, RESOLVE_FOUND);
	++*answers;
}

/* Invariant 1: a name that c-ares refuses at once is answered once, later, unless cancelled. */
START_TEST(answers_1_once_and_never_before_the_return)
{
	struct event_base *base = event_base_new();
	const char *why = NULL;
	struct resolver *resolver = resolve_new(base, &why);
	char long_name[400];
	int answers = 0;

	memset(long_name, 'a', sizeof(long_name) - 1);
	long_name[sizeof(long_name) - 1] = '\0';
	ck_assert_ptr_nonnull(resolver);
	resolve_mx(resolver, long_name, count_answer, &answers);
	resolve_addresses(resolver, long_name, RESOLVE_V4 | RESOLVE_V6,
	    count_answer, &answers);

	struct resolve_query *cancelled = resolve_mx(resolver, long_name,
	    count_answer, &answers);

	ck_assert_int_eq(answers, 0);
	resolve_cancel(&cancelled);
	ck_assert_ptr_null(cancelled);
	event_base_loop(base, EVLOOP_NONBLOCK);
	ck_assert_int_eq(answers, 2);
	resolve_free(&resolver);
	event_base_free(base);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("resolve");
	TCase *tcase = tcase_create("resolve");

	tcase_add_test(tcase, reads_hosts);
	tcase_add_test(tcase, a_missing_hosts_file_is_empty);
	tcase_add_test(tcase, mapped_addresses_are_the_same_host);
	tcase_add_test(tcase, answers_1_once_and_never_before_the_return);
	suite_add_tcase(suite, tcase);
	return run_suite(suite);
}
