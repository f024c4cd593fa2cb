#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/base.h"
#include "ipc/ipc.h"
#include "tests/unit/suite.h"

static int ends[2];
static struct ipc_packet packet = IPC_PACKET_EMPTY;

static void
connect_ends(void)
{
	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, ends), 0);
}

static void
close_ends(void)
{
	fd_close(&ends[0]);
	fd_close(&ends[1]);
	ipc_packet_clear(&packet);
}

static void
send_nudge(int end, const char *what)
{
	ipc_encode_nudge(&packet, 7, &(struct ipc_nudge){ .what = what });
	ck_assert_int_eq(ipc_send(end, &packet), 0);
}

START_TEST(a_packet_arrives_as_it_was_sent)
{
	struct ipc_nudge nudge;

	send_nudge(ends[0], "flush");
	ck_assert_int_eq(ipc_receive(ends[1], &packet, true), 1);
	ck_assert_uint_eq(ipc_packet_request(&packet), 7);
	ck_assert_int_eq(ipc_decode_nudge(&packet, &nudge), 0);
	ck_assert_str_eq(nudge.what, "flush");
}
END_TEST

START_TEST(a_packet_of_another_kind_is_refused)
{
	struct ipc_wake wake;

	send_nudge(ends[0], "flush");
	ck_assert_int_eq(ipc_receive(ends[1], &packet, true), 1);
	ck_assert_int_eq(ipc_decode_wake(&packet, &wake), -1);
	text_truncate(&packet.body, packet.body.length - 1);
	ck_assert_int_eq(ipc_decode_nudge(&packet, &(struct ipc_nudge){ 0 }), -1);
}
END_TEST

/* Larger than any socket takes: it travels in a memory file, the descriptor beside it too. */
START_TEST(a_large_packet_and_a_descriptor)
{
	size_t length = 3 << 20;
	char *bytes = mem_alloc(length);
	struct ipc_submit submit;

	memset(bytes, 'x', length);
	ipc_encode_submit(&packet, 1, &(struct ipc_submit){
	    .envelope = { bytes, length }, .content = { "", 0 },
	    .file = dup(STDOUT_FILENO) });
	ck_assert_int_eq(ipc_send(ends[0], &packet), 0);
	ck_assert_int_eq(ipc_receive(ends[1], &packet, true), 1);
	ck_assert_int_eq(ipc_decode_submit(&packet, &submit), 0);
	ck_assert_uint_eq(submit.envelope.length, length);
	ck_assert_int_eq(memcmp(submit.envelope.bytes, bytes, length), 0);
	ck_assert_int_ne(submit.file, -1);
	free(bytes);
}
END_TEST

START_TEST(answers_of_one_who_died_with_requests_unread_count)
{
	send_nudge(ends[0], "a request that nobody reads");
	send_nudge(ends[1], "an answer");
	fd_close(&ends[1]);
	ck_assert_int_eq(ipc_receive(ends[0], &packet, true), 1);
	ck_assert_int_eq(ipc_receive(ends[0], &packet, true), 0);
}
END_TEST

START_TEST(what_is_no_packet_is_an_error)
{
	ck_assert_int_eq(write(ends[0], "Zxx", 3), 3);
	ck_assert_int_eq(ipc_receive(ends[1], &packet, true), -1);
	ck_assert_int_eq(errno, EBADMSG);
	ck_assert_int_eq(ipc_receive(ends[1], &packet, false), -1);
	ck_assert_int_eq(errno, EAGAIN);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("ipc");
	TCase *tcase = tcase_create("socket");

	tcase_add_checked_fixture(tcase, connect_ends, close_ends);
	tcase_add_test(tcase, a_packet_arrives_as_it_was_sent);
	tcase_add_test(tcase, a_packet_of_another_kind_is_refused);
	tcase_add_test(tcase, a_large_packet_and_a_descriptor);
	tcase_add_test(tcase, answers_of_one_who_died_with_requests_unread_count);
	tcase_add_test(tcase, what_is_no_packet_is_an_error);
	suite_add_tcase(suite, tcase);
	return run_suite(suite);
}
