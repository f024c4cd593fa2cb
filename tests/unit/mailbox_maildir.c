#include <check.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/base.h"
#include "mailbox/mailbox.h"
#include "tests/unit/suite.h"

static char root[64];

static void
make_root(void)
{
	strlcpy(root, "/tmp/mailbox.XXXXXX", sizeof(root));
	ck_assert_ptr_nonnull(mkdtemp(root));
}

static void
remove_root(void)
{
	char command[128];

	snprintf(command, sizeof(command), "rm -rf %s", root);
	ck_assert_int_eq(system(command), 0);
}

static const char *
in_root(const char *path)
{
	static char full[8][512];
	static int turn;
	char *p = full[turn++ % 8];

	snprintf(p, sizeof(full[0]), "%s/%s", root, path);
	return p;
}

static void
put_file(const char *path, const char *text)
{
	int fd = open(in_root(path), O_WRONLY | O_CREAT | O_TRUNC, 0600);

	ck_assert_int_ne(fd, -1);
	ck_assert_int_eq(fd_write_all(fd, text, strlen(text)), 0);
	close(fd);
}

static struct iovec text = { .iov_base = (char *)"Subject: x\n\n.y\nz\r\n",
    .iov_len = 18 };

static struct mailbox_delivery
delivery(const char *path, const char *name)
{
	return (struct mailbox_delivery) { .root = root, .path = path,
	    .name = name, .content = { &text, 1, -1, 0, 0 } };
}

static size_t
count_files(const char *path)
{
	DIR *dir = opendir(in_root(path));
	size_t count = 0;

	if (dir == NULL)
		return 0;
	for (struct dirent *file; (file = readdir(dir)) != NULL;)
		count += file->d_name[0] != '.';
	closedir(dir);
	return count;
}

START_TEST(a_batch_is_delivered_and_read)
{
	struct mailbox_delivery d[3] = { delivery("Maildir/", "100.M1KaR0.h"),
	    delivery("Maildir/", "100.M1KaR1.h"), delivery("deep/er/box", "7.x") };
	const char *why;

	mailbox_maildir_deliver(d, 3);
	for (int i = 0; i < 3; i++)
		ck_assert_ptr_null(d[i].why);
	ck_assert_uint_eq(count_files("Maildir/new"), 2);
	ck_assert_uint_eq(count_files("Maildir/tmp"), 0);
	ck_assert_int_eq(access(in_root("deep/er/box/new/7.x,S=18,W=21"), R_OK), 0);

	struct mailbox *box = mailbox_open(in_root("Maildir"), &why);

	ck_assert_ptr_nonnull(box);
	ck_assert_uint_eq(mailbox_count(box), 2);
	ck_assert_int_eq(mailbox_message_size(box, 0), 21);
	ck_assert_str_eq(mailbox_unique_id(box, 0), "100.M1KaR0.h");
	ck_assert_str_eq(mailbox_unique_id(box, 1), "100.M1KaR1.h");
	mailbox_mark(box, 1, true);
	ck_assert_uint_eq(mailbox_close(&box), 0);
	ck_assert_uint_eq(count_files("Maildir/new"), 1);
}
END_TEST

/* Invariant 3. */
START_TEST(what_is_tried_again_is_there_once_3)
{
	struct mailbox_delivery first = delivery("Maildir", "100.M1KaR0.h");
	struct mailbox_delivery second = first, third = first;

	mailbox_maildir_deliver(&first, 1);
	mailbox_maildir_deliver(&second, 1);
	ck_assert_ptr_null(second.why);
	ck_assert(second.was_there);
	ck_assert_int_eq(rename(in_root("Maildir/new/100.M1KaR0.h,S=18,W=21"),
	    in_root("Maildir/cur/100.M1KaR0.h,S=18,W=21:2,S")), 0);
	third.perhaps_delivered = true;
	mailbox_maildir_deliver(&third, 1);
	ck_assert_ptr_null(third.why);
	ck_assert(third.was_there);
	ck_assert_uint_eq(count_files("Maildir/new"), 0);
}
END_TEST

/* Invariant 4; reliability attack L3: a home that is missing, a link, a file in the way. */
START_TEST(nothing_goes_through_a_link_4)
{
	ck_assert_int_eq(mkdir(in_root("home"), 0700), 0);
	ck_assert_int_eq(mkdir(in_root("other"), 0700), 0);
	ck_assert_int_eq(symlink("../other", in_root("home/Maildir")), 0);

	struct mailbox_delivery d = delivery("Maildir", "1.x");

	d.root = in_root("home");
	mailbox_maildir_deliver(&d, 1);
	ck_assert_ptr_nonnull(d.why);
	ck_assert_int_eq(d.error, EXDEV);
	ck_assert_uint_eq(count_files("other"), 0);

	struct mailbox_delivery e = delivery("Maildir", "1.x");

	e.root = in_root("nobody");
	mailbox_maildir_deliver(&e, 1);
	ck_assert_ptr_nonnull(e.why);
	ck_assert_int_eq(e.error, ENOENT);
	ck_assert_int_eq(access(in_root("nobody"), F_OK), -1);

	put_file("file", "");

	struct mailbox_delivery f = delivery("file", "1.x");

	mailbox_maildir_deliver(&f, 1);
	ck_assert_int_eq(f.error, ENOTDIR);
}
END_TEST

START_TEST(a_file_part_is_copied_and_counted)
{
	put_file("queue", "headerA\nB\nC\n");

	struct mailbox_delivery d = delivery("Maildir", "1.x");

	d.content.fd = open(in_root("queue"), O_RDONLY);
	d.content.offset = 6;
	d.content.length = 6;
	mailbox_maildir_deliver(&d, 1);
	ck_assert_ptr_null(d.why);
	ck_assert_int_eq(access(in_root("Maildir/new/1.x,S=24,W=30"), R_OK), 0);

	struct mailbox_delivery short_one = delivery("Maildir", "2.x");

	short_one.content.fd = d.content.fd;
	short_one.content.length = 100;
	mailbox_maildir_deliver(&short_one, 1);
	ck_assert_int_eq(short_one.error, EIO);
	ck_assert_uint_eq(count_files("Maildir/new"), 1);
	close(d.content.fd);
}
END_TEST

/* Attack P3: odd names; one that another reader moves; one that vanishes. */
START_TEST(odd_names_have_proper_unique_ids_6)
{
	char long_name[300] = "5.";
	const char *why;

	memset(long_name + 2, 'x', 198);
	for (size_t i = 0; i < 3; i++)
		ck_assert_int_eq(mkdir(in_root((const char *[]) { "new", "cur", "tmp" }[i]), 0700), 0);

	char path[320];

	snprintf(path, sizeof(path), "cur/%s", long_name);
	put_file(path, "a\n");
	put_file("cur/1.a b:2,S", "a\nb");
	put_file("cur/2.gr\xc3\xbc\xc3\x9f", "");
	put_file("new/3.same,S=1", "1");
	put_file("cur/3.same,S=2:2,", "22");
	put_file("new/4.moving", "1");
	put_file("cur/4.moving:2,S", "1");
	put_file("new/.hidden", "1");
	ck_assert_int_eq(mkdir(in_root("new/9.directory"), 0700), 0);

	struct mailbox *box = mailbox_open(root, &why);

	ck_assert_ptr_nonnull(box);
	ck_assert_uint_eq(mailbox_count(box), 6);
	ck_assert_int_eq(mailbox_message_size(box, 0), 4);
	ck_assert_int_eq(mailbox_message_size(box, 1), 0);
	ck_assert_str_eq(mailbox_unique_id(box, 2), "3.same");
	for (size_t i = 0; i < 6; i++) {
		const char *id = mailbox_unique_id(box, i);

		ck_assert_uint_ge(strlen(id), 1);
		ck_assert_uint_le(strlen(id), 70);
		for (const char *p = id; *p != '\0'; p++)
			ck_assert(*p > 0x20 && *p < 0x7f);
		for (size_t j = 0; j < i; j++)
			ck_assert_str_ne(id, mailbox_unique_id(box, j));
	}
	ck_assert_int_eq(rename(in_root("new/3.same,S=1"),
	    in_root("cur/3.same,S=1:2,S")), 0);
	ck_assert_int_eq(close(mailbox_message_open(box, 2)), 0);
	ck_assert_int_eq(unlink(in_root("cur/1.a b:2,S")), 0);
	ck_assert_int_eq(mailbox_message_open(box, 0), -1);
	ck_assert_int_eq(errno, ENOENT);
	mailbox_mark(box, 0, true);
	mailbox_mark(box, 4, true);
	ck_assert_uint_eq(mailbox_close(&box), 0);
	ck_assert_int_eq(access(in_root("cur/4.moving:2,S"), F_OK), -1);
}
END_TEST

START_TEST(a_mailbox_of_dovecot_keeps_its_unique_ids_6)
{
	const char *why;

	ck_assert_int_eq(mkdir(in_root("cur"), 0700), 0);
	put_file("cur/20.a:2,S", "x\n");
	put_file("cur/10.b", "x\n");
	put_file("cur/30.c,S=2:2,", "x\n");
	put_file("cur/5.unlisted", "x\n");
	put_file("dovecot-uidlist", "3 V1795152317 N4 Gabc\n1 :20.a\n"
	    "2 W77 :10.b\n3 Pold-id :30.c,S=2\nnonsense\n");

	struct mailbox *box = mailbox_open(root, &why);

	ck_assert_uint_eq(mailbox_count(box), 4);
	ck_assert_str_eq(mailbox_unique_id(box, 0), "000000016affd9bd");
	ck_assert_str_eq(mailbox_unique_id(box, 1), "000000026affd9bd");
	ck_assert_int_eq(mailbox_message_size(box, 1), 77);
	ck_assert_str_eq(mailbox_unique_id(box, 2), "old-id");
	ck_assert_str_eq(mailbox_unique_id(box, 3), "5.unlisted");
	mailbox_abandon(&box);
}
END_TEST

static const struct { const char *in, *out; } escapes[] = {
	{ "From me\nFrom you\n", ">From me\n>From you\n" },
	{ "x From me\n\nFrom", "x From me\n\nFrom\n" },
	{ "Frob\n>From\n", "Frob\n>From\n" },
	{ "", "" },
};

START_TEST(a_reader_removes_what_a_killed_delivery_left)
{
	const struct timespec old[2] = { { .tv_sec = 1 }, { .tv_sec = 1 } };
	const char *why;

	for (size_t i = 0; i < 3; i++)
		ck_assert_int_eq(mkdir(in_root((const char *[]){ "new", "cur",
		    "tmp" }[i]), 0700), 0);
	put_file("tmp/1.x", "left");
	put_file("tmp/2.x", "being written");
	put_file("new/1.x", "old mail");
	utimensat(AT_FDCWD, in_root("tmp/1.x"), old, 0);
	utimensat(AT_FDCWD, in_root("new/1.x"), old, 0);

	struct mailbox *box = mailbox_open(root, &why);

	ck_assert_ptr_nonnull(box);
	ck_assert_uint_eq(mailbox_count(box), 1);
	mailbox_abandon(&box);
	ck_assert_int_eq(access(in_root("tmp/1.x"), F_OK), -1);
	ck_assert_int_eq(access(in_root("tmp/2.x"), F_OK), 0);
}
END_TEST

START_TEST(an_mbox_is_escaped_and_ends_in_a_blank_line)
{
	struct iovec piece = { (char *)escapes[_i].in, strlen(escapes[_i].in) };
	struct mailbox_append append = { .root = root, .path = "inbox",
	    .from_line = "From x@y  Sat Jan  1 00:00:00 2000",
	    .content = { &piece, 1, -1, 0, 0 }, .owner = geteuid(),
	    .lock = { MAILBOX_LOCK_FCNTL | MAILBOX_LOCK_DOTLOCK, 1, 1, 500 } };
	char want[200], *got;
	const char *why;

	ck_assert_int_eq(mailbox_mbox_append(&append, &why), 0);
	append.perhaps_delivered = true;
	ck_assert_int_eq(mailbox_mbox_append(&append, &why), 0);
	snprintf(want, sizeof(want), "%s\n%s\n", append.from_line, escapes[_i].out);
	got = file_read(in_root("inbox"), 1000, NULL);
	ck_assert_str_eq(got, want);
	free(got);
	ck_assert_int_eq(access(in_root("inbox.lock"), F_OK), -1);
}
END_TEST

START_TEST(an_mbox_is_cut_back_and_repaired_3)
{
	struct mailbox_append append = { .root = root, .path = "inbox",
	    .from_line = "From x", .content = { &text, 1, -1, 0, 0 },
	    .owner = geteuid(), .lock = { MAILBOX_LOCK_DOTLOCK, 1, 1, 500 },
	    .perhaps_delivered = true };
	const char *why;
	char *got;

	put_file("inbox", "From x\n\nFrom x\nSubject: x\n\n.y\nz");
	ck_assert_int_eq(mailbox_mbox_append(&append, &why), 0);
	got = file_read(in_root("inbox"), 1000, NULL);
	ck_assert_str_eq(got, "From x\n\nFrom x\nSubject: x\n\n.y\nz\r\n\n");
	free(got);

	append.limit = 50;
	append.perhaps_delivered = false;
	ck_assert_int_eq(mailbox_mbox_append(&append, &why), -1);
	ck_assert_int_eq(errno, EFBIG);

	struct stat st;

	ck_assert_int_eq(stat(in_root("inbox"), &st), 0);
	ck_assert_int_eq(st.st_size, 34);
}
END_TEST

/* Attacks L1 and L5. */
START_TEST(an_mbox_that_is_no_plain_file_of_the_owner_is_refused_4)
{
	struct mailbox_append append = { .root = root, .path = "inbox",
	    .from_line = "From x", .content = { &text, 1, -1, 0, 0 },
	    .owner = geteuid(), .lock = { MAILBOX_LOCK_DOTLOCK, 1, 1, 500 } };
	const char *why;

	put_file("victim", "");
	ck_assert_int_eq(symlink("victim", in_root("inbox")), 0);
	ck_assert_int_eq(mailbox_mbox_append(&append, &why), -1);
	unlink(in_root("inbox"));
	ck_assert_int_eq(link(in_root("victim"), in_root("inbox")), 0);
	ck_assert_int_eq(mailbox_mbox_append(&append, &why), -1);
	unlink(in_root("inbox"));
	ck_assert_int_eq(mkfifo(in_root("inbox"), 0600), 0);
	ck_assert_int_eq(mailbox_mbox_append(&append, &why), -1);
	unlink(in_root("inbox"));
	put_file("inbox", "");
	put_file("inbox.lock", "");
	ck_assert_int_eq(mailbox_mbox_append(&append, &why), -1);
	ck_assert_int_eq(errno, EAGAIN);
	ck_assert_str_eq(why, "lock the mailbox");
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("mailbox");
	TCase *tcase = tcase_create("mailbox");

	tcase_add_checked_fixture(tcase, make_root, remove_root);
	tcase_add_test(tcase, a_batch_is_delivered_and_read);
	tcase_add_test(tcase, what_is_tried_again_is_there_once_3);
	tcase_add_test(tcase, nothing_goes_through_a_link_4);
	tcase_add_test(tcase, a_file_part_is_copied_and_counted);
	tcase_add_test(tcase, odd_names_have_proper_unique_ids_6);
	tcase_add_test(tcase, a_mailbox_of_dovecot_keeps_its_unique_ids_6);
	tcase_add_test(tcase, a_reader_removes_what_a_killed_delivery_left);
	tcase_add_loop_test(tcase, an_mbox_is_escaped_and_ends_in_a_blank_line,
	    0, COUNT_OF(escapes));
	tcase_add_test(tcase, an_mbox_is_cut_back_and_repaired_3);
	tcase_add_test(tcase, an_mbox_that_is_no_plain_file_of_the_owner_is_refused_4);
	suite_add_tcase(suite, tcase);
	return run_suite(suite);
}
