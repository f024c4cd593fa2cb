/* Canonical tables and masquerading: one address. */

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/base.h"
#include "cleanup/cleanup.h"
#include "config/config.h"
#include "rewrite/rewrite.h"

static const struct { const char *address; int class; const char *result; } rows[] = {
	{ "a@h.corp.example", REWRITE_ENVELOPE_SENDER, "a@corp.example" },
	{ "a@H.CORP.example", REWRITE_HEADER_RECIPIENT, "a@corp.example" },
	{ "a@h.corp.example", REWRITE_ENVELOPE_RECIPIENT, "a@h.corp.example" },	/* not by default */
	{ "a@corp.example", REWRITE_HEADER_SENDER, "a@corp.example" },
	{ "a@xcorp.example", REWRITE_HEADER_SENDER, "a@xcorp.example" },
	{ "a@q.keep.corp.example", REWRITE_HEADER_SENDER, "a@keep.corp.example" },
	{ "a@q.no.corp.example", REWRITE_HEADER_SENDER, "a@q.no.corp.example" },
	{ "root@h.corp.example", REWRITE_HEADER_SENDER, "root@h.corp.example" },
	{ "Root@h.corp.example", REWRITE_HEADER_SENDER, "Root@h.corp.example" },
	{ "root+x@h.corp.example", REWRITE_HEADER_SENDER, "root+x@corp.example" },
	{ "nodomain", REWRITE_HEADER_SENDER, "nodomain" },
	{ "", REWRITE_ENVELOPE_SENDER, "" },
	/* canonical_maps, then that */
	{ "one@x.example", REWRITE_HEADER_SENDER, "uno@corp.example" },
	{ "one+e@x.example", REWRITE_ENVELOPE_RECIPIENT, "uno+e@h.corp.example" },
	{ "chain@x.example", REWRITE_HEADER_SENDER, "end@x.example" },
	{ "loop@x.example", REWRITE_HEADER_SENDER, "loop@x.example" },
	{ "any+e@all.example", REWRITE_HEADER_SENDER, "any+e@other.example" },
	{ "u+e@user.example", REWRITE_HEADER_SENDER, "u+e@other.example" },
	{ "self@x.example", REWRITE_HEADER_SENDER, "SELF@x.example" },
};

static void
setup(void)
{
	char directory[] = "/tmp/postroad-unit-XXXXXX", path[64];
	FILE *f;

	ck_assert_ptr_nonnull(mkdtemp(directory));
	snprintf(path, sizeof(path), "%s/main.cf", directory);
	ck_assert_ptr_nonnull(f = fopen(path, "w"));
	fputs("recipient_delimiter = +\n"
	    "masquerade_domains = keep.corp.example, !no.corp.example corp.example\n"
	    "masquerade_exceptions = root\n"
	    "canonical_maps = inline:{ one@x.example=uno@h.corp.example, "
	    "chain@x.example=chain2@x.example, chain2@x.example=end@x.example, "
	    "loop@x.example=loop2@x.example, loop2@x.example=loop@x.example, "
	    "@all.example=@other.example, u@user.example=@other.example, "
	    "self@x.example=SELF@x.example }\n", f);
	fclose(f);
	ck_assert_int_eq(config_load(directory, NULL), 0);
	unlink(path);
	rmdir(directory);
	rewrite_open();
	canonical_open();
}

START_TEST(rewrites_an_address)
{
	struct envelope envelope = { .flags = 0 };
	struct submission submission = { .envelope = &envelope };
	struct text address = TEXT_EMPTY;

	text_puts(&address, rows[_i].address);
	ck_assert_int_eq(canonical_rewrite(&submission, rows[_i].class,
	    &address), 0);
	ck_assert_str_eq(text_string(&address), rows[_i].result);
	text_clear(&address);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("cleanup_masquerade");
	TCase *tcase = tcase_create("addresses");
	SRunner *runner = srunner_create(suite);

	tcase_add_checked_fixture(tcase, setup, NULL);
	tcase_add_loop_test(tcase, rewrites_an_address, 0, COUNT_OF(rows));
	suite_add_tcase(suite, tcase);
	srunner_run_all(runner, CK_ENV);

	int failed = srunner_ntests_failed(runner);

	srunner_free(runner);
	return failed > 0;
}
