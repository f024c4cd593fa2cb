#include <check.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/base.h"
#include "table/cache.h"
#include "tests/unit/suite.h"

static char directory[] = "/tmp/cache-test.XXXXXX";
static char name[64], path[80];

static void
begin(void)
{
	strlcpy(directory, "/tmp/cache-test.XXXXXX", sizeof(directory));
	ck_assert_ptr_nonnull(mkdtemp(directory));
	snprintf(name, sizeof(name), "btree:%s/c", directory);
	snprintf(path, sizeof(path), "%s/c.db", directory);
}

static void
end(void)
{
	static const char *const files[] = { "c.db", "c.db.open", "c.db.broken" };

	for (size_t i = 0; i < COUNT_OF(files); i++) {
		char file[96];

		snprintf(file, sizeof(file), "%s/%s", directory, files[i]);
		unlink(file);
	}
	rmdir(directory);
}

static void
check_has(const char *cache_name, const char *key, const char *wanted)
{
	struct table_cache *cache = table_cache_open(cache_name);
	const char *value = NULL;

	ck_assert_int_eq(table_cache_get(cache, key, &value),
	    wanted == NULL ? TABLE_NONE : TABLE_FOUND);
	if (wanted != NULL)
		ck_assert_str_eq(value, wanted);
	table_cache_close(&cache);
	ck_assert_ptr_null(cache);
}

static void
put(const char *key, const char *value)
{
	struct table_cache *cache = table_cache_open(name);

	table_cache_put(cache, key, value);
	table_cache_close(&cache);
}

START_TEST(what_was_put_is_found_again_1)
{
	put("ada@example.org", "0:0:1:fine");
	put("ada@example.org", "1:0:2:");
	check_has(name, "ada@example.org", "1:0:2:");
	check_has(name, "ada@example.or", NULL);
	/* By readers of tables, too. */
	struct table *table = table_open(name, 0);
	const char *value;

	ck_assert_int_eq(table_get(table, "ada@example.org", &value), TABLE_FOUND);
	ck_assert_str_eq(value, "1:0:2:");
	table_close(&table);
}
END_TEST

/* One who was killed in between: what was synced is there, and nothing is thought broken. */
START_TEST(a_kill_loses_what_was_not_synced_1)
{
	pid_t pid = fork();
	int status;

	if (pid == 0) {
		struct table_cache *cache = table_cache_open(name);

		table_cache_put(cache, "first", "1");
		table_cache_sync(cache);
		table_cache_put(cache, "second", "2");
		_exit(0);
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	check_has(name, "first", "1");
}
END_TEST

START_TEST(a_broken_file_is_moved_away_2)
{
	static const char junk[] = "this is no btree, whatever it was before";
	char mark[96], broken[96];

	put("ada", "1");
	snprintf(mark, sizeof(mark), "%s.open", path);
	snprintf(broken, sizeof(broken), "%s.broken", path);
	for (int i = 0; i < 2; i++) {	/* closed well, and not */
		int fd = open(path, O_WRONLY);

		ck_assert_int_eq(fd_pwrite_all(fd, junk, sizeof(junk), 0), 0);
		close(fd);
		if (i == 1) {
			fd = open(mark, O_WRONLY);
			ck_assert_int_eq(fd_pwrite_all(fd, "open\n", 5, 0), 0);
			close(fd);
		}
		check_has(name, "ada", NULL);
		ck_assert_int_eq(access(broken, F_OK), 0);
		put("ada", "2");
		check_has(name, "ada", "2");
	}
}
END_TEST

START_TEST(without_a_file_it_is_in_memory)
{
	static const char *const names[] = { "", "lmdb:/x/y", "btree:/nowhere/at/all" };

	for (size_t i = 0; i < COUNT_OF(names); i++) {
		struct table_cache *cache = table_cache_open(names[i]);
		const char *value;

		table_cache_put(cache, "a", "b");
		ck_assert_int_eq(table_cache_get(cache, "a", &value), TABLE_FOUND);
		table_cache_sync(cache);
		table_cache_close(&cache);
	}
}
END_TEST

static bool
is_even(const char *key, const char *value, void *context)
{
	(*(int *)context)++;
	return atoi(value) % 2 == 0;
}

START_TEST(a_sweep_goes_on_where_it_was)
{
	struct table_cache *cache = table_cache_open(name);
	const char *value;
	char key[16];
	int seen = 0, turns = 0;

	for (int i = 0; i < 1000; i++) {
		snprintf(key, sizeof(key), "%d", i);
		table_cache_put(cache, key, key);
	}
	while (table_cache_sweep(cache, 100, is_even, &seen))
		table_cache_put(cache, "0", ++turns % 2 == 0 ? "0" : "2");
	ck_assert_int_eq(seen, 1000);
	ck_assert_int_ge(turns, 10);
	ck_assert_int_eq(table_cache_get(cache, "501", &value), TABLE_NONE);
	ck_assert_int_eq(table_cache_get(cache, "502", &value), TABLE_FOUND);
	table_cache_close(&cache);
}
END_TEST

static void
ignore_line(enum log_level level, const char *line)
{
}

int
main(void)
{
	Suite *suite = suite_create("table_cache");
	TCase *cases = tcase_create("cache");

	log_open_function(ignore_line);
	tcase_add_checked_fixture(cases, begin, end);
	tcase_add_test(cases, what_was_put_is_found_again_1);
	tcase_add_test(cases, a_kill_loses_what_was_not_synced_1);
	tcase_add_test(cases, a_broken_file_is_moved_away_2);
	tcase_add_test(cases, without_a_file_it_is_in_memory);
	tcase_add_test(cases, a_sweep_goes_on_where_it_was);
	suite_add_tcase(suite, cases);
	return run_suite(suite);
}
