/* The numbers are those of the invariants at the head of lib/spool/spool.h. */

#include <check.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/base.h"
#include "spool/internal.h"
#include "spool/spool.h"
#include "spool/unnamed.h"
#include "tests/unit/suite.h"

static char directory[64];
static struct journal *journal;

/* What a scan found: contents, one behind the other, and where each record lies. */
static struct text found;
static int found_count;
static int64_t found_at[1000];
static struct spool_record found_record[1000];

static void
set_up(void)
{
	strlcpy(directory, "/tmp/spool-unit-XXXXXX", sizeof(directory));
	ck_assert_ptr_nonnull(mkdtemp(directory));
	ck_assert_int_eq(chdir(directory), 0);
	for (const char *const *name = (const char *const[]){ "journal", "incoming", "deferred",
	    "hold", "corrupt", NULL }; *name != NULL; name++)
		ck_assert_int_eq(mkdir(*name, 0700), 0);
	journal = journal_new();
}

static int
remove_one(const char *path, const struct stat *st, int kind, struct FTW *walk)
{
	return remove(path);
}

static void
tear_down(void)
{
	journal_free(&journal);
	text_clear(&found);
	ck_assert_int_eq(chdir("/"), 0);
	nftw(directory, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

static void
append(const char *content)
{
	struct text envelope = TEXT_EMPTY;
	char id[SPOOL_ID_SIZE];

	ck_assert_int_eq(journal_reserve_id(journal, id), 0);
	text_printf(&envelope, "I%zu:%s\n", strlen(id), id);
	journal_append(journal, &envelope, 2, content, strlen(content));
	text_clear(&envelope);
}

static int64_t
commit(int *segment)
{
	int64_t end;

	ck_assert_int_eq(journal_commit(journal, segment, &end), 0);
	return end;
}

static void
on_message(struct segment *segment, int64_t offset,
    const struct spool_record *record, const char *bytes, void *context)
{
	text_append(&found, bytes + record->content_offset, (size_t)record->content_length);
	found_at[found_count] = offset;
	found_record[found_count++] = *record;
}

/* Scan it as a qmgr that has just started; gives the contents. */
static const char *
scan(int number)
{
	struct segment *segment = segment_open(number);

	ck_assert_ptr_nonnull(segment);
	text_truncate(&found, 0);
	found_count = 0;
	ck_assert_int_eq(segment_scan(segment, 0, on_message, NULL), 0);
	segment_close(&segment);
	return text_string(&found);
}

static void
overwrite(int number, int64_t offset, const char *bytes, size_t length)
{
	char path[32];

	segment_path(path, number);

	int fd = open(path, O_RDWR);

	ck_assert_int_eq(pwrite(fd, bytes, length, offset), length);
	close(fd);
}

static int
damage_files(void)
{
	int count = 0;
	char path[64];

	for (int64_t at = 0; at < 100; at++) {
		snprintf(path, sizeof(path), "corrupt/journal-0001-%lld", (long long)(at * PAGE));
		count += access(path, F_OK) == 0;
	}
	return count;
}

START_TEST(invariant_1_a_committed_batch_is_found_again)
{
	int segment;

	append("one,");
	append("two,");
	commit(&segment);
	append("three,");
	commit(&segment);
	journal_free(&journal);
	ck_assert_str_eq(scan(segment), "one,two,three,");
	ck_assert_int_eq(found_record[0].marks_length, 2);
}
END_TEST

START_TEST(what_was_not_committed_is_not_there)
{
	int segment;

	append("one,");
	commit(&segment);
	append("never,");
	journal_free(&journal);
	ck_assert_str_eq(scan(segment), "one,");
}
END_TEST

START_TEST(invariant_3_a_torn_last_batch_is_passed_over)
{
	int segment;

	append("one,");
	int64_t end = commit(&segment);
	append("torn,");
	commit(&segment);
	overwrite(segment, end + 120, "X", 1);
	ck_assert_str_eq(scan(segment), "one,");
	ck_assert_int_eq(damage_files(), 0);
}
END_TEST

START_TEST(invariant_3_damage_in_the_middle_is_kept_and_what_is_behind_it_delivered)
{
	int segment;

	append("one,");
	int64_t end = commit(&segment);
	append("damaged,");
	commit(&segment);
	append("three,");
	commit(&segment);
	overwrite(segment, end + 120, "X", 1);
	ck_assert_str_eq(scan(segment), "one,three,");
	ck_assert_int_eq(damage_files(), 1);
}
END_TEST

START_TEST(marks_lie_outside_the_checksum)
{
	int number;

	append("one,");
	commit(&number);
	scan(number);

	struct segment *segment = segment_open(number);

	ck_assert_int_eq(segment_mark(segment, found_at[0] + (int64_t)found_record[0].marks_offset + 1,
	    SPOOL_MARK_DONE), 0);
	ck_assert_int_eq(segment_flush(segment), 0);
	ck_assert_str_eq(scan(number), "one,");

	char marks[2];

	ck_assert_int_eq(segment_read(segment, found_at[0] + (int64_t)found_record[0].marks_offset, marks, 2), 0);
	ck_assert_mem_eq(marks, "_+", 2);
	segment_close(&segment);
}
END_TEST

START_TEST(invariant_4_what_stood_in_a_freed_segment_never_comes_back)
{
	int number, again;

	append("old one,");
	commit(&number);
	append("old two,");
	commit(&number);
	scan(number);

	struct segment *segment = segment_open(number);

	ck_assert(!segment_lock(segment));
	journal_free(&journal);
	ck_assert(segment_lock(segment));
	ck_assert_int_eq(segment_scan(segment, 0, on_message, NULL), 0);

	/* Not before its marks are durable, whoever makes them so. */
	ck_assert_int_eq(segment_mark(segment, found_at[0] + (int64_t)found_record[0].marks_offset, '+'), 0);
	ck_assert_int_eq(segment_release(segment), -1);
	ck_assert_int_eq(errno, EBUSY);
	ck_assert(segment_begin_flush(segment));
	ck_assert(!segment_begin_flush(segment));
	ck_assert_int_eq(segment_release(segment), -1);
	ck_assert_int_eq(segment_sync(number), 0);
	segment_end_flush(segment, true);
	ck_assert_int_eq(segment_release(segment), 0);
	ck_assert(segment_is_free(segment));
	segment_unlock(segment);
	ck_assert_str_eq(scan(number), "");

	/* Used again; the second old batch still stands where no new one has been written. */
	journal = journal_new();
	append("new,");
	commit(&again);
	ck_assert_int_eq(again, number);
	ck_assert_str_eq(scan(number), "new,");
	segment_close(&segment);
}
END_TEST

START_TEST(a_segment_in_use_is_not_taken_by_another)
{
	struct journal *other = journal_new();
	int mine, theirs;

	append("one,");
	commit(&mine);
	theirs = journal_segment(other);
	ck_assert_int_ne(mine, theirs);
	journal_free(&other);
	/* Free of its owner, but with mail in it: still not. */
	journal_free(&journal);
	journal = journal_new();
	ck_assert_int_ne(journal_segment(journal), mine);
}
END_TEST

START_TEST(a_full_segment_is_left_for_the_next)
{
	char *content = mem_zalloc(1, 60000);
	int first, segment;
	int64_t end;

	memset(content, 'x', 59999);
	append(content);
	commit(&first);
	segment = first;
	for (int i = 0; i < 400 && segment == first; i++) {
		append(content);
		end = commit(&segment);
	}
	ck_assert_int_ne(segment, first);
	ck_assert_int_le(end, SEGMENT_SIZE);
	free(content);
}
END_TEST

START_TEST(a_spare_is_made_where_none_is_free)
{
	int *numbers, first;

	append("a message");
	commit(&first);
	for (int times = 0; times < 2; times++) {
		ck_assert_int_eq(journal_make_spare(), 0);
		ck_assert_int_eq(segment_list(&numbers), 2);
		free(numbers);
	}
	/* The next one takes it. */
	journal_free(&journal);
	journal = journal_new();
	ck_assert_int_eq(journal_segment(journal), 2);
	ck_assert_int_eq(journal_make_spare(), 0);
	ck_assert_int_eq(segment_list(&numbers), 3);
	free(numbers);
}
END_TEST

START_TEST(invariant_7_ids_differ)
{
	char ids[2][SPOOL_ID_SIZE];

	spool_make_id(ids[0], 1);
	for (int i = 1; i < 20000; i++) {
		spool_make_id(ids[i % 2], 1);
		ck_assert_str_ne(ids[0], ids[1]);
		ck_assert(spool_id_is_valid(ids[i % 2]));
	}
}
END_TEST

START_TEST(invariant_2_and_5_a_message_becomes_a_file_moves_and_is_removed)
{
	struct text envelope = TEXT_EMPTY;
	struct spool_record record;
	char *front;

	text_puts(&envelope, "I6:ABCDEF\n");
	ck_assert_int_eq(spool_file_commit(SPOOL_DEFERRED, "ABCDEF", &envelope, "_+_", 3, "content", 7, -1, 0, 0), 0);
	ck_assert_int_eq(spool_file_commit(SPOOL_DEFERRED, "ABCDEF", &envelope, "_+_", 3, "content", 7, -1, 0, 0), -1);
	ck_assert_int_eq(spool_file_find("ABCDEF"), SPOOL_DEFERRED);

	int fd = spool_file_open(SPOOL_DEFERRED, "ABCDEF", true, true, &record, &front);

	ck_assert_int_ne(fd, -1);
	ck_assert_mem_eq(front + record.marks_offset, "_+_", 3);
	ck_assert_int_eq(record.content_length, 7);
	ck_assert(!spool_file_is_warned(fd));
	ck_assert_int_eq(spool_file_set_warned(fd), 0);
	ck_assert(spool_file_is_warned(fd));
	free(front);
	close(fd);

	ck_assert_int_eq(spool_file_move(SPOOL_DEFERRED, SPOOL_HOLD, "ABCDEF"), 0);
	ck_assert_int_eq(spool_file_find("ABCDEF"), SPOOL_HOLD);
	fd = spool_file_open(SPOOL_HOLD, "ABCDEF", false, true, &record, &front);
	ck_assert_mem_eq(front + record.marks_offset, "_+_", 3);
	free(front);
	close(fd);
	ck_assert_int_eq(spool_file_remove(SPOOL_HOLD, "ABCDEF"), 0);
	ck_assert_int_eq(spool_file_remove(SPOOL_HOLD, "ABCDEF"), 0);
	ck_assert_int_eq(spool_file_find("ABCDEF"), -1);
	text_clear(&envelope);
}
END_TEST

static size_t
hidden_files(const char *path)
{
	DIR *directory = opendir(path);
	struct dirent *entry;
	size_t count = 0;

	while ((entry = readdir(directory)) != NULL)
		count += strncmp(entry->d_name, ".new-", 5) == 0;
	closedir(directory);
	return count;
}

/* Old NFS, overlay file systems of old kernels. */
START_TEST(files_are_whole_before_their_name_also_without_unnamed_ones)
{
	struct text envelope = TEXT_EMPTY;
	struct unnamed file;
	int segment;

	unnamed_never = true;
	append("one,");
	commit(&segment);
	ck_assert_str_eq(scan(segment), "one,");
	text_puts(&envelope, "I6:ABCDEF\n");
	ck_assert_int_eq(spool_file_commit(SPOOL_HOLD, "ABCDEF", &envelope, "_", 1, "content", 7, -1, 0, 0), 0);
	ck_assert_int_eq(spool_file_commit(SPOOL_HOLD, "ABCDEF", &envelope, "_", 1, "content", 7, -1, 0, 0), -1);
	ck_assert_int_eq(errno, EEXIST);
	ck_assert_int_eq(spool_file_find("ABCDEF"), SPOOL_HOLD);
	ck_assert_uint_eq(hidden_files("hold") + hidden_files("journal"), 0);

	/* What a crash leaves is swept, once it is old. */
	ck_assert_int_ne(unnamed_open(&file, "hold", 0600), -1);
	unnamed_sweep("hold");
	ck_assert_uint_eq(hidden_files("hold"), 1);
	ck_assert_int_eq(futimens(file.fd, (struct timespec[2]){ { 0, 0 }, { 0, 0 } }), 0);
	unnamed_sweep("hold");
	ck_assert_uint_eq(hidden_files("hold"), 0);
	unnamed_close(&file);
	text_clear(&envelope);
	unnamed_never = false;
}
END_TEST

START_TEST(a_changed_or_cut_file_is_refused)
{
	struct text envelope = TEXT_EMPTY;
	struct spool_record record;
	char path[64];

	text_puts(&envelope, "I6:ABCDEF\n");
	ck_assert_int_eq(spool_file_commit(SPOOL_HOLD, "ABCDEF", &envelope, "_", 1, "content", 7, -1, 0, 0), 0);
	spool_path(path, SPOOL_HOLD, "ABCDEF");

	int fd = open(path, O_RDWR);

	ck_assert_int_eq(pwrite(fd, "C", 1, SPOOL_RECORD_HEADER + 1 + 10), 1);
	ck_assert_int_eq(spool_file_open(SPOOL_HOLD, "ABCDEF", false, true, &record, NULL), -1);
	ck_assert_int_eq(errno, EBADMSG);
	ck_assert_int_eq(ftruncate(fd, SPOOL_RECORD_HEADER + 5), 0);
	ck_assert_int_eq(spool_file_open(SPOOL_HOLD, "ABCDEF", false, false, &record, NULL), -1);
	ck_assert_int_eq(errno, EBADMSG);
	close(fd);
	text_clear(&envelope);
}
END_TEST

static const char *const bad_ids[] = { "", "ABC", "../../etc/passwd", "ABCDEF/G", "ABCDE.", "ABCDEFGHIJKLMNOPQRSTUVWX" };

START_TEST(what_is_no_queue_id)
{
	ck_assert(!spool_id_is_valid(bad_ids[_i]));
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("spool");
	TCase *tcase = tcase_create("spool");

	tcase_add_checked_fixture(tcase, set_up, tear_down);
	tcase_add_test(tcase, invariant_1_a_committed_batch_is_found_again);
	tcase_add_test(tcase, what_was_not_committed_is_not_there);
	tcase_add_test(tcase, invariant_3_a_torn_last_batch_is_passed_over);
	tcase_add_test(tcase, invariant_3_damage_in_the_middle_is_kept_and_what_is_behind_it_delivered);
	tcase_add_test(tcase, marks_lie_outside_the_checksum);
	tcase_add_test(tcase, invariant_4_what_stood_in_a_freed_segment_never_comes_back);
	tcase_add_test(tcase, a_segment_in_use_is_not_taken_by_another);
	tcase_add_test(tcase, a_full_segment_is_left_for_the_next);
	tcase_add_test(tcase, a_spare_is_made_where_none_is_free);
	tcase_add_test(tcase, invariant_7_ids_differ);
	tcase_add_test(tcase, invariant_2_and_5_a_message_becomes_a_file_moves_and_is_removed);
	tcase_add_test(tcase, files_are_whole_before_their_name_also_without_unnamed_ones);
	tcase_add_test(tcase, a_changed_or_cut_file_is_refused);
	tcase_add_loop_test(tcase, what_is_no_queue_id, 0, COUNT_OF(bad_ids));
	suite_add_tcase(suite, tcase);
	return run_suite(suite);
}
