/* Which messages a selection means */

#include <check.h>
#include <string.h>

#include "base/base.h"
#include "listing/select.h"
#include "tests/unit/suite.h"

#define NOW	1000000

static struct listed_recipient two[] = {
	{ "list@x.org", "bob@Far.Example", "host far.example[192.0.2.1] said: 450 4.2.0 greylisted" },
	{ "", "carol@near.example", "connect to near.example[192.0.2.2]:25: Connection timed out" },
};

/* An hour old, 20,000 bytes. */
static const struct listed_message message = {
	"deferred", "7E90A002F8D01", NOW - 3600, 20000, false,
	"Ada@News.Example.ORG", "ada", two, 2,
};

static const struct row {
	const char	*criteria[4];	/* name, value, name, value */
	bool		 meant;
} rows[] = {
	{ { NULL }, true },
	{ { "from", "Ada@news.example.org" }, true },
	{ { "from", "ada@news.example.org" }, false },	/* case counts in the local part */
	{ { "from", "@news.example.org" }, true },
	{ { "from", "@example.org" }, false },
	{ { "from", "@*.example.org" }, true },
	{ { "from", "*@NEWS.example.org" }, true },
	{ { "from", "A?a@*" }, true },
	{ { "from", "<>" }, false },
	{ { "to", "bob@far.example" }, true },
	{ { "to", "list@x.org" }, true },		/* as it was given */
	{ { "to", "@x.org" }, true },
	{ { "to", "bob" }, false },
	{ { "domain", "FAR.example" }, true },
	{ { "domain", "example" }, false },
	{ { "domain", ".example" }, true },		/* and below */
	{ { "domain", "*.example" }, true },
	{ { "domain", "x.org" }, false },		/* where it goes now */
	{ { "older", "59m" }, true },
	{ { "older", "1h" }, false },
	{ { "newer", "61m" }, true },
	{ { "newer", "3600" }, false },
	{ { "older", "30m", "newer", "2h" }, true },
	{ { "larger", "19k" }, true },
	{ { "larger", "20000" }, false },
	{ { "smaller", "1M" }, true },
	{ { "smaller", "19K" }, false },
	{ { "reason", "Timed Out" }, true },
	{ { "reason", "*450*grey*" }, true },
	{ { "reason", "grey" }, true },
	{ { "reason", "no such user" }, false },
	{ { "to", "carol@near.example", "reason", "timed out" }, true },
	{ { "to", "bob@far.example", "reason", "timed out" }, false },	/* not the same one */
	{ { "login", "ada" }, true },
	{ { "login", "a*" }, true },
	{ { "login", "bob" }, false },
	{ { "queue", "deferred" }, true },
	{ { "queue", "hold,deferred" }, true },
	{ { "queue", "active" }, false },
	{ { "from", "@news.example.org", "queue", "hold" }, false },
};

static int
set(struct listing_selection *selection, const char *name, const char *value,
    const char **why)
{
	size_t n = 0;

	while (strcmp(listing_criterion(n), name) != 0)
		n++;
	return listing_selection_set(selection, n, value, why);
}

START_TEST(all_that_is_asked_holds)
{
	const struct row *row = &rows[_i];
	struct listing_selection selection = { 0 };
	const char *why;

	for (size_t i = 0; i < 4 && row->criteria[i] != NULL; i += 2)
		ck_assert_int_eq(set(&selection, row->criteria[i],
		    row->criteria[i + 1], &why), 0);
	ck_assert_int_eq(listing_selection_is_set(&selection),
	    row->criteria[0] != NULL);
	ck_assert_msg(listing_selects(&selection, &message, NOW) == row->meant,
	    "--%s %s", row->criteria[0], row->criteria[1]);
}
END_TEST

static const char *const refused[][2] = {
	{ "older", "soon" }, { "older", "1h30m" }, { "newer", "-5" },
	{ "larger", "k" }, { "larger", "5 k" }, { "smaller", "3T" },
	{ "smaller", "99999999999999999999" }, { "larger", "9999999999G" },
	{ "queue", "defered" }, { "queue", "hold,corrupt" }, { "from", "" },
};

START_TEST(nonsense_is_refused)
{
	struct listing_selection selection = { 0 };
	const char *why = NULL;

	ck_assert_int_eq(set(&selection, refused[_i][0], refused[_i][1],
	    &why), -1);
	ck_assert_ptr_nonnull(why);
	ck_assert(!listing_selection_is_set(&selection));
}
END_TEST

START_TEST(twice_is_refused)
{
	struct listing_selection selection = { 0 };
	const char *why;

	ck_assert_int_eq(set(&selection, "from", "a@b", &why), 0);
	ck_assert_int_eq(set(&selection, "from", "c@d", &why), -1);
}
END_TEST

static const struct {
	const char	*pattern, *address;
	bool		 matches;
} addresses[] = {
	{ "<>", "MAILER-DAEMON", true },
	{ "<>", "ada@example.org", false },
	{ "\"a*b\"@x.org", "\"a*b\"@X.org", true },
	{ "ada@[192.0.2.1]", "ada@[192.0.2.1]", true },	/* a literal, not a set of letters */
	{ "@[192.0.2.1]", "ada@[192.0.2.1]", true },
	{ "ada@[192.0.2.1]", "ada@1", true },		/* or one, to fnmatch(3) */
	{ "root", "root", true },
	{ "@x.org", "root", false },
};

START_TEST(address_patterns)
{
	ck_assert_msg(listing_address_matches(addresses[_i].pattern,
	    addresses[_i].address) == addresses[_i].matches, "%s %s",
	    addresses[_i].pattern, addresses[_i].address);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("listing_select");
	TCase *all = tcase_create("all");

	suite_add_tcase(suite, all);
	tcase_add_loop_test(all, all_that_is_asked_holds, 0, COUNT_OF(rows));
	tcase_add_loop_test(all, nonsense_is_refused, 0, COUNT_OF(refused));
	tcase_add_test(all, twice_is_refused);
	tcase_add_loop_test(all, address_patterns, 0, COUNT_OF(addresses));
	return run_suite(suite);
}
