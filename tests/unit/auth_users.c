#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "auth/auth.h"
#include "base/base.h"
#include "tests/unit/suite.h"

static const struct { const char *stored; enum auth_result result; } passwords[] = {
	{ "{PLAIN}password", AUTH_MATCH },
	{ "{plain}password", AUTH_MATCH },
	{ "{CLEAR}password", AUTH_MATCH },
	{ "{CLEARTEXT}Password", AUTH_MISMATCH },
	{ "{PLAIN}", AUTH_MISMATCH },
	{ "password", AUTH_MISMATCH },	/* CRYPT by default */
	{ "", AUTH_MISMATCH },
	{ "*", AUTH_MISMATCH },
	{ "!$1$abc$BXBqpb9BZcZhXLgbee.0s/", AUTH_MISMATCH },
	{ "abJnggxhB/yWI", AUTH_MATCH },
	{ "$1$abc$BXBqpb9BZcZhXLgbee.0s/", AUTH_MATCH },
	{ "{MD5}$1$abc$BXBqpb9BZcZhXLgbee.0s/", AUTH_MATCH },
	{ "{MD5-CRYPT}$1$abc$BXBqpb9BZcZhXLgbee.0s.", AUTH_MISMATCH },
	{ "{SHA256-CRYPT}$5$abc$6va2Z4O.keO7R84v9g0B9d2NkB7NOyTy0sMeQ5Z3LLA", AUTH_MATCH },
	{ "{SHA512-CRYPT}$6$abc$rvqzMBuMVukmply9mZJpW0wJMdDfgUKLDrSNxf9l66h/ytQiKNAdqHSj5YPJpxWJpVjRXibQXRddCl9xYHQnd0", AUTH_MATCH },
	{ "{BLF-CRYPT}$2y$05$abcdefghijklmnopqrstuuWG29KuyeAicPCJODk1zjyGvyQUU2awu", AUTH_MATCH },
	{ "{SHA}W6ph5Mm5Pz8GgiULbPgzG37mj9g=", AUTH_MATCH },
	{ "{SHA1.HEX}5baa61e4c9b93f3f0682250b6cf8331b7ee68fd8", AUTH_MATCH },
	{ "{SSHA}yI6cZwQadOA1e+/f+T+H3eCQQhRzYWx0", AUTH_MATCH },
	{ "{SHA256}XohImNooBHFR0OVvjcYpJ3NgPQ1qq73WKhHvch0VQtg=", AUTH_MATCH },
	{ "{SSHA256}eje4XIkY6sGakInA+loqtNzj+QUo3N7sEIsj3fNge5lzYWx0", AUTH_MATCH },
	{ "{SSHA256}eje4XIkY6sGakInA+loqtNzj+QUo3N7sEIsj3fNge5lzYWxx", AUTH_MISMATCH },
	{ "{SHA512}sQnzu7wkTrgkQZF+0G1hi5AI3Qmzvv0bXgc5THBqi7mAsdd4Xll27ASbRt9fEyavWi6m0QP9B8lThf+rDKy8hg==", AUTH_MATCH },
	{ "{SSHA512}+mohhbPgqahe9B/7Z+88H7b3SYD46/lw5OcuNT7ZU31ZMIPCAd/W5D4cinqsK8jbsRnH37fUuPExEROVvXDpf3NhbHQ=", AUTH_MATCH },
	{ "{SMD5}swXK27O85U86pZxk/sAN6nNhbHQ=", AUTH_MATCH },
	{ "{PLAIN-MD5}5f4dcc3b5aa765d61d8327deb882cf99", AUTH_MATCH },
	{ "{PBKDF2}$1$salt$1$ea6c014dc72d6f8ffd86a8d64b7b3b93b7b1b8b8", AUTH_MISMATCH },
	{ "{PBKDF2}$1$salt$0$ea6c014dc72d6f8ffd86a8d64b7b3b93b7b1b8b8", AUTH_UNKNOWN_SCHEME },
	{ "{PBKDF2}$1$salt", AUTH_UNKNOWN_SCHEME },
	{ "{SCRAM-SHA-1}4096,c2FsdA==", AUTH_UNKNOWN_SCHEME },
	{ "{PBKDF2}$1$iyEajazBZ50MWvaB$5000$d21f5a5057607197e7febf3e8ed22ef65f632989", AUTH_MATCH },
	{ "{SCRAM-SHA-1}4096,hY4/qDGcaj9McvU/PjCqGA==,c6+fnHRtac/xjx49mcQIQYG7PvE=,mKCQujzgf3qmaDYg50knp025z54=", AUTH_MATCH },
	{ "{SCRAM-SHA-256}4096,UNb2BMZkCgVYnsBGEMCmyA==,E+PBZxUU2VDdGmb9h8foeh4icK1mpj9D+PPsQR/84jE=,JSGsiHxtvAIJIcPHJnZltt13jFv9YWnLlzwEu1qJuPg=", AUTH_MATCH },
	{ "{SHA256}short", AUTH_UNKNOWN_SCHEME },
	{ "{SHA256}", AUTH_UNKNOWN_SCHEME },
	{ "{ARGON2ID}$argon2id$v=19$m=65536$x", AUTH_UNKNOWN_SCHEME },
	{ "{}password", AUTH_UNKNOWN_SCHEME },
};

START_TEST(a_password_in_each_scheme)
{
	struct auth_cache *cache = auth_cache_new(60);

	for (int i = 0; i < 2; i++)
		ck_assert_msg(auth_cache_check(cache, "ada", passwords[_i].stored,
		    "password") == passwords[_i].result, "%s", passwords[_i].stored);
	ck_assert_int_ne(auth_cache_check(cache, "ada", passwords[_i].stored,
	    "passwor"), AUTH_MATCH);
	auth_cache_free(&cache);
	ck_assert_ptr_null(cache);
}
END_TEST

struct reported { unsigned int line; const char *what; };

static void
keep_report(void *argument, unsigned int line, const char *what)
{
	*(struct reported *)argument = (struct reported) { line, what };
}

static const struct {
	const char *text, *name, *password, *home, *nologin;
	long uid, gid;
	unsigned int bad_line;
} files[] = {
	/* the first site's file */
	{ "test:{PLAIN}password:1000:1000::/var/mail/test:::\n", "test",
	    "{PLAIN}password", "/var/mail/test", NULL, 1000, 1000, 0 },
	{ "# users\n\nada:x", "ada", "x", NULL, NULL, -1, -1, 0 },
	{ "a:b:1:2:gecos:/h:/bin/sh:nologin allow_nets=127.0.0.0/8\r\n", "a",
	    "b", "/h", "", 1, 2, 0 },
	{ "a:b:::::: nologin=y  x\n", "a", "b", NULL, "y", -1, -1, 0 },
	{ "a:b:root:daemon\n", "a", "b", NULL, NULL, 0, 1, 0 },
	{ "a:b:1:2::/h::userdb_home=/other userdb_uid=3 userdb_gid=root\n", "a",
	    "b", "/other", NULL, 3, 0, 0 },
	{ "d:e\na:b:1:2::/h::userdb_uid=nobody-of-this-name\n", "d", "e", NULL,
	    NULL, -1, -1, 2 },
	{ "a:{SHA}b:c\nd:e\n", "d", "e", NULL, NULL, -1, -1, 1 },
	{ "d:e\na\n", "d", "e", NULL, NULL, -1, -1, 2 },
	{ "d:e\nd:f\n", "d", "e", NULL, NULL, -1, -1, 2 },
	{ "d:e[13]\n:b\n", "d", "e", NULL, NULL, -1, -1, 2 },
	{ "d:e\nx:y:0:-1\n", "d", "e", NULL, NULL, -1, -1, 2 },
};

START_TEST(the_lines_of_a_passwd_file)
{
	struct reported report = { 0, "" };
	struct auth_users *users = auth_users_parse(files[_i].text,
	    strlen(files[_i].text), keep_report, &report);
	const struct auth_user *user = auth_users_find(users, files[_i].name);

	ck_assert_uint_eq(report.line, files[_i].bad_line);
	ck_assert_uint_eq(auth_users_count(users), 1);
	ck_assert_ptr_nonnull(user);
	ck_assert_str_eq(user->password, files[_i].password);
	ck_assert_pstr_eq(user->home, files[_i].home);
	ck_assert_pstr_eq(auth_user_extra(user, "nologin"), files[_i].nologin);
	ck_assert_int_eq(user->has_uid ? (long)user->uid : -1, files[_i].uid);
	ck_assert_int_eq(user->has_gid ? (long)user->gid : -1, files[_i].gid);
	auth_users_free(&users);
}
END_TEST

/* Invariant 2: what is remembered is worth nothing once the file says otherwise. */
START_TEST(a_changed_file_is_read_again_2)
{
	char path[] = "/tmp/auth.XXXXXX";
	int fd = mkstemp(path);
	struct auth_file *file = auth_file_new(path);
	struct auth_cache *cache = auth_cache_new(60);
	const struct auth_user *user;

	ck_assert_int_eq(fd_write_all(fd, "a:{PLAIN}one\n", 13), 0);
	user = auth_users_find(auth_file_users(file), "a");
	ck_assert_int_eq(auth_cache_check(cache, "a", user->password, "one"), AUTH_MATCH);
	ck_assert_int_eq(fd_pwrite_all(fd, "a:{PLAIN}two\n#\n", 15, 0), 0);
	user = auth_users_find(auth_file_users(file), "a");
	ck_assert_int_eq(auth_cache_check(cache, "a", user->password, "one"), AUTH_MISMATCH);
	ck_assert_int_eq(auth_cache_check(cache, "a", user->password, "two"), AUTH_MATCH);
	ck_assert_int_eq(unlink(path), 0);
	ck_assert_ptr_null(auth_file_users(file));
	close(fd);
	auth_file_free(&file);
	auth_cache_free(&cache);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("auth");
	TCase *tcase = tcase_create("auth");

	tcase_add_loop_test(tcase, a_password_in_each_scheme, 0, COUNT_OF(passwords));
	tcase_add_loop_test(tcase, the_lines_of_a_passwd_file, 0, COUNT_OF(files));
	tcase_add_test(tcase, a_changed_file_is_read_again_2);
	suite_add_tcase(suite, tcase);
	return run_suite(suite);
}
