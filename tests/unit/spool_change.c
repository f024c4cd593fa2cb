/* The numbers are those of the invariants at the head of lib/spool/spool.h. */

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/base.h"
#include "spool/change.h"
#include "spool/spool.h"
#include "tests/unit/suite.h"

#define ID	"ABCDEF123"

static char directory[64];
static struct spool_change change;	/* of the one message in the journal */

static void
on_message(struct segment *segment, int64_t offset,
    const struct spool_record *record, const char *bytes, void *context)
{
	change.segment = segment_number(segment);
	change.offset = offset;
}

static void
set_up(void)
{
	struct journal *journal;
	struct text envelope = TEXT_EMPTY;
	char id[SPOOL_ID_SIZE];
	int64_t end;
	int number;

	strlcpy(directory, "/tmp/spool-unit-XXXXXX", sizeof(directory));
	ck_assert_ptr_nonnull(mkdtemp(directory));
	ck_assert_int_eq(chdir(directory), 0);
	for (const char *const *name = (const char *const[]){ "journal", "incoming", "deferred",
	    "hold", "corrupt", "maildrop", NULL }; *name != NULL; name++)
		ck_assert_int_eq(mkdir(*name, 0700), 0);
	journal = journal_new();
	ck_assert_int_eq(journal_reserve_id(journal, id), 0);
	text_puts(&envelope, "I9:" ID "\n");
	journal_append(journal, &envelope, 3, "content", 7);
	ck_assert_int_eq(journal_commit(journal, &number, &end), 0);
	journal_free(&journal);
	text_clear(&envelope);

	struct segment *segment = segment_open(number);

	change = (struct spool_change){ .id = ID, .from = SPOOL_JOURNAL, .to = SPOOL_DEFERRED,
	    .marks = "+__", .marks_length = 3, .retry_at = 1000 };
	ck_assert_int_eq(segment_scan(segment, 0, on_message, NULL), 0);
	segment_close(&segment);
}

static int
remove_one(const char *path, const struct stat *st, int kind, struct FTW *walk)
{
	return remove(path);
}

static void
tear_down(void)
{
	ck_assert_int_eq(chdir("/"), 0);
	nftw(directory, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

static int
carry_out(struct spool_change asked)
{
	spool_change_all(&asked, 1);
	ck_assert_int_eq(asked.file.fd, -1);
	return asked.error;
}

/* The marks of the file in queue, with all else as it should be; "" if there is none. */
static const char *
marks_in(enum spool_queue queue)
{
	static char marks[8];
	struct spool_record record;
	char *front;
	int fd = spool_file_open(queue, ID, false, true, &record, &front);

	if (fd == -1)
		return "";
	snprintf(marks, sizeof(marks), "%.*s", (int)record.marks_length, front + record.marks_offset);
	ck_assert_mem_eq(front + record.envelope_offset, "I9:" ID, 12);
	free(front);
	fd_close(&fd);
	return marks;
}

static const char *
marks_in_journal(void)
{
	static char marks[4];
	struct segment *segment = segment_open(change.segment);

	ck_assert_int_eq(segment_read(segment, change.offset + SPOOL_RECORD_HEADER, marks, 3), 0);
	segment_close(&segment);
	return marks;
}

START_TEST(invariant_5_out_of_the_journal_with_its_marks_and_its_time)
{
	int64_t retry_at;

	ck_assert_int_eq(carry_out(change), 0);
	ck_assert_str_eq(marks_in(SPOOL_DEFERRED), "+__");
	ck_assert_int_eq(spool_file_retry(SPOOL_DEFERRED, ID, &retry_at), 0);
	ck_assert_int_eq(retry_at, 1000);
	/* The journal does not bring it back. */
	ck_assert_str_eq(marks_in_journal(), "+++");
}
END_TEST

/* Why it waits, as its file tells; "" if it does not. */
static const char *
reasons_in(enum spool_queue queue)
{
	static char reasons[32];
	struct spool_record record;
	int fd = spool_file_open(queue, ID, false, true, &record, NULL);
	size_t length = 0;
	char *bytes = spool_reasons_read(fd, &record, &length);

	snprintf(reasons, sizeof(reasons), "%.*s", (int)length, bytes != NULL ? bytes : "");
	free(bytes);
	fd_close(&fd);
	return reasons;
}

START_TEST(reasons_stay_until_there_are_new_ones)
{
	char path[64];

	change.reasons = "the first of them";
	change.reasons_length = 17;
	ck_assert_int_eq(carry_out(change), 0);
	ck_assert_str_eq(reasons_in(SPOOL_DEFERRED), "the first of them");
	change.from = SPOOL_DEFERRED;
	change.reasons = NULL;
	ck_assert_int_eq(carry_out(change), 0);
	ck_assert_str_eq(reasons_in(SPOOL_DEFERRED), "the first of them");
	change.reasons = "second";
	change.reasons_length = 6;
	change.to = SPOOL_HOLD;
	ck_assert_int_eq(carry_out(change), 0);
	ck_assert_str_eq(reasons_in(SPOOL_HOLD), "second");
	ck_assert_str_eq(marks_in(SPOOL_HOLD), "+__");
	/* Half of them are none, and no damage to the mail. */
	spool_path(path, SPOOL_HOLD, ID);

	struct spool_record record;
	int fd = spool_file_open(SPOOL_HOLD, ID, true, false, &record, NULL);
	off_t length = lseek(fd, 0, SEEK_END);

	fd_close(&fd);
	while (--length >= record.length) {
		ck_assert_int_eq(truncate(path, length), 0);
		ck_assert_str_eq(reasons_in(SPOOL_HOLD), "");
		ck_assert_str_eq(marks_in(SPOOL_HOLD), "+__");
	}
}
END_TEST

START_TEST(invariant_5_asked_again_it_is_done_already_and_takes_the_newer_marks)
{
	ck_assert_int_eq(carry_out(change), 0);
	change.marks = "++_";
	ck_assert_int_eq(carry_out(change), 0);
	ck_assert_str_eq(marks_in(SPOOL_DEFERRED), "++_");
	change.from = SPOOL_DEFERRED;
	change.to = SPOOL_HOLD;
	ck_assert_int_eq(carry_out(change), 0);
	change.marks = "+++";
	ck_assert_int_eq(carry_out(change), 0);
	ck_assert_str_eq(marks_in(SPOOL_HOLD), "+++");
	ck_assert_str_eq(marks_in(SPOOL_DEFERRED), "");
	change.to = SPOOL_NOWHERE;
	change.from = SPOOL_HOLD;
	ck_assert_int_eq(carry_out(change), 0);
	ck_assert_int_eq(carry_out(change), 0);
	ck_assert_int_eq(spool_file_find(ID), -1);
}
END_TEST

START_TEST(invariant_5_what_fails_stays_where_it_was)
{
	ck_assert_int_eq(carry_out(change), 0);
	ck_assert_int_eq(rmdir("hold"), 0);
	ck_assert_int_eq(carry_out((struct spool_change){ .id = ID, .from = SPOOL_DEFERRED, .to = SPOOL_HOLD }), ENOENT);
	ck_assert_str_eq(marks_in(SPOOL_DEFERRED), "+__");
	ck_assert_int_eq(carry_out((struct spool_change){ .id = "NOSUCHID", .from = SPOOL_DEFERRED,
	    .to = SPOOL_INCOMING }), ENOENT);
	/* Not the marks of this message. */
	ck_assert_int_eq(carry_out((struct spool_change){ .id = ID, .from = SPOOL_DEFERRED, .to = SPOOL_DEFERRED,
	    .marks = "+", .marks_length = 1 }), EBADMSG);
	ck_assert_str_eq(marks_in(SPOOL_DEFERRED), "+__");
}
END_TEST

START_TEST(invariant_5_a_stop_in_the_middle_of_a_move_leaves_one_name)
{
	static const struct { enum spool_queue from, to, stays; } rows[] = {
		{ SPOOL_DEFERRED, SPOOL_HOLD, SPOOL_HOLD },
		{ SPOOL_HOLD, SPOOL_DEFERRED, SPOOL_HOLD },
		{ SPOOL_INCOMING, SPOOL_DEFERRED, SPOOL_DEFERRED },
		{ SPOOL_HOLD, SPOOL_MAILDROP, SPOOL_HOLD },
	};
	char from[64], to[64];

	change.to = (int)rows[_i].from;
	ck_assert_int_eq(carry_out(change), 0);
	spool_path(from, rows[_i].from, ID);
	spool_path(to, rows[_i].to, ID);
	mkdir("deferred/A", 0700);
	ck_assert_int_eq(link(from, to), 0);
	spool_keep_one_name(rows[_i].from, ID);
	spool_keep_one_name(rows[_i].to, ID);
	ck_assert_int_eq(spool_file_find(ID), rows[_i].stays);
	ck_assert_int_eq(access(from, F_OK) == 0, rows[_i].stays == rows[_i].from);
	ck_assert_int_eq(access(to, F_OK) == 0, rows[_i].stays == rows[_i].to);
}
END_TEST

START_TEST(many_share_their_flushes)
{
	static struct spool_change changes[SPOOL_CHANGES_MAX];
	static char ids[SPOOL_CHANGES_MAX][SPOOL_ID_SIZE];

	for (int i = 0; i < SPOOL_CHANGES_MAX; i++) {
		snprintf(ids[i], sizeof(ids[i]), "%06X", i * 65536 + i);
		changes[i] = change;
		changes[i].id = ids[i];
		if (i % 10 == 9)
			changes[i].offset = 4096 * 100;		/* nothing stands there */
	}
	spool_change_all(changes, SPOOL_CHANGES_MAX);
	for (int i = 0; i < SPOOL_CHANGES_MAX; i++) {
		ck_assert_int_eq(changes[i].error, i % 10 == 9 ? EBADMSG : 0);
		ck_assert_int_eq(spool_file_find(ids[i]), i % 10 == 9 ? -1 : SPOOL_DEFERRED);
	}
}
END_TEST

/* Every byte of a queue file, cut off there, and every bit of it, turned over. */
START_TEST(invariant_2_no_damage_is_taken_for_mail)
{
	char path[64], bytes[256];
	struct spool_record record;

	ck_assert_int_eq(carry_out(change), 0);
	spool_path(path, SPOOL_DEFERRED, ID);

	int fd = open(path, O_RDWR);
	ssize_t length = read(fd, bytes, sizeof(bytes));

	for (ssize_t at = 0; at < length; at++) {
		char *front;

		ck_assert_int_eq(ftruncate(fd, at), 0);
		ck_assert_int_eq(spool_file_open(SPOOL_DEFERRED, ID, false, true, &record, &front), -1);
		ck_assert_int_eq(errno, EBADMSG);
		ck_assert_int_eq(pwrite(fd, bytes, (size_t)length, 0), length);
		for (int bit = 0; bit < 8; bit++) {
			char turned = (char)(bytes[at] ^ 1 << bit);
			int open_fd;

			ck_assert_int_eq(pwrite(fd, &turned, 1, at), 1);
			open_fd = spool_file_open(SPOOL_DEFERRED, ID, false, true, &record, &front);
			/* Blanks that fill the header line mean nothing. */
			if (at >= 52 && at < SPOOL_RECORD_HEADER - 1) {
				fd_close(&open_fd);
				free(front);
			} else {
				ck_assert_msg(open_fd == -1, "bit %d of byte %zd", bit, at);
			}
		}
		ck_assert_int_eq(pwrite(fd, &bytes[at], 1, at), 1);
	}
	close(fd);
}
END_TEST

START_TEST(what_is_no_file_is_kept_apart)
{
	struct spool_record record;
	char path[64], kept[64];

	mkdir("deferred/A", 0700);
	spool_path(path, SPOOL_DEFERRED, ID);
	for (int kind = 0; kind < 3; kind++) {
		ck_assert_int_eq(kind == 0 ? mkdir(path, 0700) : kind == 1 ? mkfifo(path, 0600) :
		    symlink("/etc/passwd", path), 0);
		ck_assert_int_eq(spool_file_open(SPOOL_DEFERRED, ID, false, true, &record, NULL), -1);
		ck_assert_int_eq(errno, EBADMSG);
		ck_assert_int_eq(spool_keep_corrupt(SPOOL_DEFERRED, ID, kept), 0);
		ck_assert_int_eq(access(path, F_OK), -1);
	}
	ck_assert_str_eq(kept, "corrupt/" ID ".3");
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("spool change");
	TCase *tests = tcase_create("change");

	tcase_add_checked_fixture(tests, set_up, tear_down);
	tcase_add_test(tests, invariant_5_out_of_the_journal_with_its_marks_and_its_time);
	tcase_add_test(tests, invariant_5_asked_again_it_is_done_already_and_takes_the_newer_marks);
	tcase_add_test(tests, invariant_5_what_fails_stays_where_it_was);
	tcase_add_loop_test(tests, invariant_5_a_stop_in_the_middle_of_a_move_leaves_one_name, 0, 4);
	tcase_add_test(tests, reasons_stay_until_there_are_new_ones);
	tcase_add_test(tests, many_share_their_flushes);
	tcase_add_test(tests, invariant_2_no_damage_is_taken_for_mail);
	tcase_add_test(tests, what_is_no_file_is_kept_apart);
	suite_add_tcase(suite, tests);
	return run_suite(suite);
}
