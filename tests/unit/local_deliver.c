#include <check.h>
#include <dirent.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "config/config.h"
#include "local/local.h"
#include "tests/unit/suite.h"

/* One recipient in a system of its own: what becomes of him, and what qmgr hears. */

static char root[64];
static const char *account;	/* a user of this machine whose mail we may touch */

static void
put_file(const char *name, const char *text)
{
	char path[256];
	snprintf(path, sizeof(path), "%s/%s", root, name);

	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0644);

	ck_assert_int_ne(fd, -1);
	ck_assert_int_eq(fd_write_all(fd, text, strlen(text)), 0);
	close(fd);
}

static void
make_system(void)
{
	const char *aliases =
	    "postmaster root\n" "root %s, ada@far.example\n"
	    "one two\n" "two one\n" "%s-list :include:%s/members\n"
	    "both \"|cat >%s/command.out; echo 5.7.9 no such luck; exit 77\"\n"
	    "works \"|cat >%s/command.out\"\n"
	    "file %s/filed\n" "null /dev/null\n" "bomb b1, b2\n" "b1 b2, b3\n"
	    "b2 b1, b3\n" "b3 x@far.example, X@FAR.example\n";
	struct passwd *entry = getpwuid(getuid() == 0 ? 1 : getuid());
	char text[2000], path[200];

	account = strdup(entry->pw_name);
	strlcpy(root, "/tmp/local.XXXXXX", sizeof(root));
	ck_assert_ptr_nonnull(mkdtemp(root));
	snprintf(path, sizeof(path), "%s/mail", root);
	ck_assert_int_eq(mkdir(path, 0777), 0);
	ck_assert_int_eq(chmod(root, 0777), 0);
	ck_assert_int_eq(chmod(path, 01777), 0);
	snprintf(text, sizeof(text), aliases, account, account, root, root, root, root);
	put_file("aliases", text);
	put_file("members", "# the list\nada@far.example,\nbob@far.example\n");
	snprintf(text, sizeof(text), "compatibility_level = 3.6\n"
	    "queue_directory = %s\nmyhostname = mail.example.org\n"
	    "myorigin = example.org\nmydestination = example.org\n"
	    "alias_maps = texthash:%s/aliases\nrecipient_delimiter = +\n"
	    "mail_spool_directory = %s/mail/\ndefault_privs = %s\n"
	    "inet_interfaces = 127.0.0.1\n", root, root, root, account);
	put_file("main.cf", text);
	ck_assert_int_eq(config_load(root, NULL), 0);
	expand_start();
}

static void
remove_system(void)
{
	char command[128];

	snprintf(command, sizeof(command), "rm -rf %s", root);
	ck_assert_int_eq(system(command), 0);
}

/* Ask for one delivery; gives the result. perhaps: an earlier try may have succeeded. */
static const struct delivery_result *
deliver(struct pool *pool, const char *address, const char *content, bool perhaps)
{
	struct envelope *envelope = envelope_new(pool);
	struct service_request request = { .packet = IPC_PACKET_EMPTY };
	struct ipc_packet reply = IPC_PACKET_EMPTY;
	struct ipc_delivered delivered;
	struct text records = TEXT_EMPTY;
	size_t count;
	int ends[2];

	envelope->queue_id = "ABC";
	envelope->unique = "ABC";
	envelope->sender = "eve@far.example";
	envelope->arrival_us = 1700000000123456;
	envelope_add_recipient(envelope, address);
	envelope_encode(envelope, &records);
	ipc_encode_deliver(&request.packet, 7, &(struct ipc_deliver) {
	    .transport = "local", .nexthop = "example.org", .perhaps_delivered = perhaps,
	    .envelope = { records.bytes, records.length },
	    .content = { content, strlen(content) }, .file = -1 });
	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, ends), 0);
	request.connection = ends[0];
	deliver_batch(&request, 1);
	ck_assert_int_eq(ipc_receive(ends[1], &reply, true), 1);
	ck_assert_uint_eq(ipc_packet_request(&reply), 7);
	ck_assert_int_eq(ipc_decode_delivered(&reply, &delivered), 0);

	struct delivery_result *results = delivery_results_decode(pool,
	    delivered.results.bytes, delivered.results.length, &count);

	ck_assert_uint_eq(count, 1);
	ipc_packet_clear(&reply);
	text_clear(&records);
	close(ends[0]);
	close(ends[1]);
	return results;
}

static size_t
count_files(const char *name)
{
	char path[256];
	size_t count = 0;

	snprintf(path, sizeof(path), "%s/%s", root, name);

	DIR *dir = opendir(path);

	for (struct dirent *file; dir != NULL && (file = readdir(dir)) != NULL;)
		count += file->d_name[0] != '.';
	if (dir != NULL)
		closedir(dir);
	return count;
}

static const struct {
	const char *address;	/* %s is the account */
	const char *content;
	enum delivery_status status;
	const char *dsn, *text;	/* the beginning of it */
} deliveries[] = {
	{ "%s@example.org", "\nx\n", DELIVERY_SENT, "2.0.0", "delivered to maildir" },
	{ "%s+ext@example.org", "\nx\n", DELIVERY_SENT, "2.0.0", "delivered to maildir" },
	{ "nobodyatall@example.org", "\nx\n", DELIVERY_BOUNCED, "5.1.1", "unknown user: \"nobodyatall\"" },
	{ "../root@example.org", "\nx\n", DELIVERY_BOUNCED, "5.1.1", "unknown user: \"../root\"" },
	{ "%s@example.org", "A: b\nDelivered-To: NOONE@x\nDelivered-To: %s@EXAMPLE.org\n\nx\n",
	    DELIVERY_BOUNCED, "5.4.6", "mail forwarding loop for" },
	{ "one@example.org", "\nx\n", DELIVERY_BOUNCED, "5.4.6", "alias database loop for one" },
	{ "both@example.org", "\nx\n", DELIVERY_BOUNCED, "5.7.9", "no such luck" },
	{ "works@example.org", "\nx\n", DELIVERY_SENT, "2.0.0", "delivered to command: cat >" },
	{ "file@example.org", "\nx\n", DELIVERY_SENT, "2.0.0", "delivered to file: /" },
	{ "null@example.org", "\nx\n", DELIVERY_SENT, "2.0.0", "delivered to file: /dev/null" },
	{ "postmaster@example.org", "\nx\n", DELIVERY_DEFERRED, "4.3.0", "unable to forward message: " },
};

START_TEST(what_becomes_of_a_recipient)
{
	struct pool *pool = pool_new(0);
	const struct delivery_result *result = deliver(pool,
	    pool_printf(pool, deliveries[_i].address, account),
	    pool_printf(pool, deliveries[_i].content, account), false);

	ck_assert_int_eq(result->status, deliveries[_i].status);
	ck_assert_str_eq(result->dsn, deliveries[_i].dsn);
	ck_assert_msg(text_starts_with(result->text, deliveries[_i].text), "%s",
	    result->text);
	pool_free(&pool);
}
END_TEST

static const struct { const char *name; size_t targets; const char *forward[3]; } plans[] = {
	{ "root", 0, { "%s@example.org", "ada@far.example" } },
	{ "postmaster", 0, { "%s@example.org", "ada@far.example" } },
	{ "%s-list", 0, { "ada@far.example", "bob@far.example" } },
	{ "bomb", 0, { "x@far.example" } },	/* attack Q1: each once */
};

START_TEST(where_an_alias_leads)
{
	struct delivery_request request = { .pool = pool_new(0), .content = "" };
	struct recipient recipient = { .original = "", .dsn_orcpt = "" };
	struct plan plan;
	size_t count = 0;

	recipient.address = pool_printf(request.pool, "%s@example.org",
	    pool_printf(request.pool, plans[_i].name, account));
	plan_recipient(&plan, &request, &recipient);
	ck_assert(!plan.is_decided);
	ck_assert_uint_eq(plan.target_count, plans[_i].targets);
	for (; plans[_i].forward[count] != NULL; count++) {
		ck_assert_uint_lt(count, plan.forward_count);
		ck_assert_str_eq(plan.forward[count],
		    pool_printf(request.pool, plans[_i].forward[count], account));
	}
	ck_assert_uint_eq(plan.forward_count, count);
	plan_clear(&plan);
	pool_free(&request.pool);
}
END_TEST

/* The mailbox library's invariant 3, from here. */
START_TEST(tried_again_it_is_there_once)
{
	struct pool *pool = pool_new(0);
	char folder[64];

	snprintf(folder, sizeof(folder), "mail/%s/new", account);
	for (int i = 0; i < 3; i++)
		ck_assert_int_eq(deliver(pool, pool_printf(pool, "%s@example.org",
		    account), "\nx\n", i > 1)->status, DELIVERY_SENT);
	ck_assert_uint_eq(count_files(folder), 1);
	pool_free(&pool);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("local");
	TCase *tcase = tcase_create("local");

	tcase_add_checked_fixture(tcase, make_system, remove_system);
	tcase_add_loop_test(tcase, what_becomes_of_a_recipient, 0, COUNT_OF(deliveries));
	tcase_add_loop_test(tcase, where_an_alias_leads, 0, COUNT_OF(plans));
	tcase_add_test(tcase, tried_again_it_is_there_once);
	suite_add_tcase(suite, tcase);
	return run_suite(suite);
}
