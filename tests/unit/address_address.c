#include <check.h>
#include <string.h>

#include "base/base.h"
#include "address/address.h"
#include "tests/unit/suite.h"

static const struct { const char *path, *address; } paths[] = {
	{ "<ada@x.org>", "ada@x.org" },
	{ "<>", "" },
	{ " < ada@x.org > ", "ada@x.org" },
	{ "ada@x.org", "ada@x.org" },
	{ "<ada@x.org> SIZE=3", "ada@x.org" },
	{ "ada@x.org SIZE=3", "ada@x.org" },
	{ "<@relay.org:ada@x.org>", "ada@x.org" },	/* source route: dropped, RFC 5321 appendix C */
	{ "<@a.org,@b.org:ada@x.org>", "ada@x.org" },
	{ "<\"ada l.\"@x.org>", "ada l.@x.org" },
	{ "<\"a\\\"b\"@x.org>", "a\"b@x.org" },
	{ "<a\\ b@x.org>", "a b@x.org" },
	{ "<\"a>b\"@x.org>", "a>b@x.org" },
	{ "<\"\"@x.org>", "@x.org" },
	{ "<@parity.example>", "@parity.example" },
	{ "<\"joe@far\"@x.org>", "joe@far@x.org" },
	{ "<joe@far@x.org>", "joe@far@x.org" },
	{ "<alice%dom@x.org>", "alice%dom@x.org" },
	{ "<far!alice@x.org>", "far!alice@x.org" },
	{ "<postmaster>", "postmaster" },
	{ "<a..b@x.org>", "a..b@x.org" },
	{ "<ada@[192.0.2.1]>", "ada@[192.0.2.1]" },
	{ "<ada@[IPv6:2001:db8::1]>", "ada@[IPv6:2001:db8::1]" },
	{ "<ada@x.org.>", "ada@x.org" },
	{ "<gr\xc3\xbc@x\xc3\xb6.org>", "gr\xc3\xbc@x\xc3\xb6.org" },
	{ "<-froot@x.org>", "-froot@x.org" },	/* harmless here: no command line sees it */
	{ "<ada@127.0.0.1>", NULL },
	{ "<ada@x.org", NULL },
	{ "<ada@x.org>x", NULL },
	{ "<ada@>", NULL },
	{ "<ada@@x.org>", NULL },
	{ "<\"ada@\"@x.org>", "ada@@x.org" },
	{ "<ada@-x.org>", NULL },
	{ "<ada@x..org>", NULL },
	{ "<ada@[192.0.2.256]>", NULL },
	{ "<ada@[x]>", NULL },
	{ "<ada l@x.org>", NULL },
	{ "<ada(c)@x.org>", NULL },
	{ "<\"ada@x.org>", NULL },
	{ "<\"a\001\"@x.org>", NULL },		/* controls never, not even quoted */
	{ "<\"a\\\r\"@x.org>", NULL },
	{ "<a\xff@x.org>", NULL },
	{ "<<ada@x.org>", NULL },
	{ "", NULL },
	{ " ", NULL },
};

START_TEST(reads_paths)
{
	char address[ADDRESS_SIZE];
	const char *why = NULL;
	ssize_t end = address_path_parse(paths[_i].path,
	    strlen(paths[_i].path), address, &why);

	if (paths[_i].address == NULL) {
		ck_assert_int_eq(end, -1);
		ck_assert_ptr_nonnull(why);
		return;
	}
	ck_assert_int_ge(end, 2);
	ck_assert_str_eq(address, paths[_i].address);
}
END_TEST

static const struct { const char *internal, *external; } forms[] = {
	{ "", "" },
	{ "ada@x.org", "ada@x.org" },
	{ "ada l.@x.org", "\"ada l.\"@x.org" },
	{ "a\"b@x.org", "\"a\\\"b\"@x.org" },
	{ "a..b@x.org", "\"a..b\"@x.org" },
	{ ".a@x.org", "\".a\"@x.org" },
	{ "joe@far@x.org", "\"joe@far\"@x.org" },
	{ "a b", "\"a b\"" },
	{ "gr\xc3\xbc@x.org", "gr\xc3\xbc@x.org" },
};

START_TEST(quotes_and_unquotes)
{
	struct text out = TEXT_EMPTY;
	char address[ADDRESS_SIZE];

	address_quote(&out, forms[_i].internal);
	ck_assert_str_eq(text_string(&out), forms[_i].external);
	ck_assert_int_eq(address_unquote(text_string(&out), out.length,
	    address), 0);
	ck_assert_str_eq(address, forms[_i].internal);
	text_clear(&out);
}
END_TEST

/* Each field is shown with its addresses replaced by their internal form in braces. */
static const struct { const char *field, *shown; } lists[] = {
	{ "ada@x.org", "{ada@x.org}" },
	{ "Ada <ada@x.org>, bob@y.org", "Ada <{ada@x.org}>, {bob@y.org}" },
	{ "\"L, Ada\" <ada@x.org> (at home)", "\"L, Ada\" <{ada@x.org}> (at home)" },
	{ "ada (Ada (deep) \\) L) @ x.org", "{ada@x.org}" },
	{ "ada@x.org (Ada)", "{ada@x.org} (Ada)" },
	{ "(c) ada", "(c) {ada}" },
	{ "friends: ada@x.org, bob;, eve@z.org", "friends: {ada@x.org}, {bob};, {eve@z.org}" },
	{ "undisclosed-recipients:;", "undisclosed-recipients:;" },
	{ "<@a.org,@b.org:ada@x.org>", "<@a.org,@b.org:{ada@x.org}>" },
	{ "\"ada l\"@x.org", "{ada l@x.org}" },
	{ "Ada Lovelace", "{Ada Lovelace}" },
	{ "ada@x.org\n\t, bob", "{ada@x.org}\n\t, {bob}" },
	{ "<>", "<{}>" },
	{ ", ,ada,,", ", ,{ada},," },
	{ "ada@[IPv6:::1]", "{ada@[IPv6:::1]}" },
	{ "Ada <ada@x.org", "Ada <{ada@x.org}" },
	{ "(open ada@x.org", "(open ada@x.org" },
	{ "\"open ada@x.org", "{open ada@x.org}" },
	{ "", "" },
};

START_TEST(finds_addresses_in_fields)
{
	const char *field = lists[_i].field;
	struct address_list list = { .text = field,
	    .length = strlen(field) };
	struct address_found found;
	struct text shown = TEXT_EMPTY;
	size_t copied = 0;

	while (address_list_next(&list, &found)) {
		ck_assert_uint_ge(found.start, copied);
		text_append(&shown, field + copied, found.start - copied);
		text_printf(&shown, "{%s}", found.address);
		copied = found.start + found.length;
	}
	text_puts(&shown, field + copied);
	ck_assert_str_eq(text_string(&shown), lists[_i].shown);
	text_clear(&shown);
}
END_TEST

static const struct { const char *localpart, *delimiters; size_t base; } bases[] = {
	{ "ada+list", "+", 3 },
	{ "ada-list+x", "+-", 3 },
	{ "+ada", "+", 4 },
	{ "ada", "+", 3 },
	{ "ada+x", "", 5 },
	{ "owner-list", "-", 10 },
	{ "list-request", "-", 12 },
	{ "mailer-daemon", "-", 13 },
};

static const struct { const char *value, *shown; } values[] = {
	{ "a@x.org b@x.org", "a@x.org|b@x.org|" },
	{ "a b,c  d", "a|b|c|d|" },
	{ "\"a b\"@x.org c", "a b@x.org|c|" },
	{ "Ada L <a@x.org> d, e", "a@x.org|e|" },
	{ "a @ x.org b . c@x.org", "a@x.org|b.c@x.org|" },
	{ "a b, Ada L <c@x.org>", "a|b|c@x.org|" },
	{ "list: a b; c d", "a|b|c|d|" },
	{ "a(x) b (y)", "a|b|" },
};

START_TEST(separates_addresses_of_values)
{
	struct address_list list = { .text = values[_i].value,
	    .length = strlen(values[_i].value), .is_spaced = true };
	struct address_found found;
	struct text shown = TEXT_EMPTY;

	while (address_list_next(&list, &found))
		text_printf(&shown, "%s|", found.address);
	ck_assert_str_eq(text_string(&shown), values[_i].shown);
	text_clear(&shown);
}
END_TEST

START_TEST(splits_extensions)
{
	ck_assert_uint_eq(address_base_length(bases[_i].localpart,
	    strlen(bases[_i].localpart), bases[_i].delimiters), bases[_i].base);
}
END_TEST

/* An address bomb takes as long as it is long, and no stack. */
START_TEST(survives_bombs)
{
	static const char *const bombs[] = { "(", "\"", "\\", "<", "@a,", "[", ":", "," };
	struct text bomb = TEXT_EMPTY;
	char address[ADDRESS_SIZE];
	const char *why;
	struct address_found found;

	for (int i = 0; i < 100000; i++)
		text_puts(&bomb, bombs[_i]);

	struct address_list list = { .text = bomb.bytes,
	    .length = bomb.length, .is_spaced = true };

	while (address_list_next(&list, &found))
		continue;
	ck_assert_int_eq(address_path_parse(bomb.bytes, bomb.length, address,
	    &why), -1);
	text_clear(&bomb);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("address");
	TCase *tcase = tcase_create("address");

	tcase_add_loop_test(tcase, reads_paths, 0, COUNT_OF(paths));
	tcase_add_loop_test(tcase, quotes_and_unquotes, 0, COUNT_OF(forms));
	tcase_add_loop_test(tcase, finds_addresses_in_fields, 0, COUNT_OF(lists));
	tcase_add_loop_test(tcase, separates_addresses_of_values, 0,
	    COUNT_OF(values));
	tcase_add_loop_test(tcase, splits_extensions, 0, COUNT_OF(bases));
	tcase_add_loop_test(tcase, survives_bombs, 0, 8);
	suite_add_tcase(suite, tcase);
	return run_suite(suite);
}
