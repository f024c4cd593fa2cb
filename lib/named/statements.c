#include "named/statements.h"

#include <stdlib.h>
#include <string.h>

typedef void apply_function(struct target *to, const struct conf_statement *at);

struct statement {
	const char *name;
	unsigned where;
	enum fate fate;
	apply_function *apply;
};

/* Reading values */

static const struct conf_item *
value(struct target *to, const struct conf_statement *at)
{
	const struct conf_item *item = at->items->next;

	if (item == NULL || item->text == NULL || item->next != NULL) {
		conf_error(&to->settings->conf, at, "expected one value after "
		    "'%s'", at->items->text);
		return NULL;
	}
	return item;
}

static const char *
string(struct target *to, const struct conf_statement *at)
{
	const struct conf_item *item = value(to, at);

	if (item != NULL && item->kind != CONF_STRING) {
		conf_error(&to->settings->conf, at,
		    "expected quoted string near '%s'", item->text);
		return NULL;
	}
	return item != NULL ? item->text : NULL;
}

static int
word_of(struct target *to, const struct conf_statement *at,
    const char *const words[], size_t count)
{
	const struct conf_item *item = value(to, at);

	if (item == NULL)
		return -1;
	for (size_t i = 0; i < count; i++)
		if (strcasecmp(item->text, words[i]) == 0)
			return i;
	conf_error(&to->settings->conf, at, "unexpected value '%s' of '%s'",
	    item->text, at->items->text);
	return -1;
}

static int
boolean(struct target *to, const struct conf_statement *at)
{
	static const char *const words[] = { "no", "false", "0", "yes", "true",
	    "1" };
	int word = word_of(to, at, words, COUNT_OF(words));

	return word == -1 ? -1 : word >= 3;
}

static bool
number(struct target *to, const struct conf_statement *at, long long least,
    long long most, long long *result)
{
	const struct conf_item *item = value(to, at);
	const char *wrong;

	if (item == NULL)
		return false;
	*result = strtonum(item->text, least, most, &wrong);
	if (wrong == NULL)
		return true;
	conf_error(&to->settings->conf, at, "'%s %s': expected a number from "
	    "%lld to %lld", at->items->text, item->text, least, most);
	return false;
}

const struct conf_statement *
statement_block(struct target *to, const struct conf_statement *at,
    const struct conf_item *item)
{
	if (item == NULL || item->kind != CONF_BLOCK || item->next != NULL) {
		conf_error(&to->settings->conf, at, "expected '{' after '%s'",
		    at->items->text);
		return NULL;
	}
	return item->block;
}

/* Statements that are served */

static void
set_directory(struct target *to, const struct conf_statement *at)
{
	const char *directory = string(to, at);

	if (directory != NULL)
		to->settings->directory = directory;
}

static void
set_listen_on(struct target *to, const struct conf_statement *at)
{
	struct settings *settings = to->settings;
	const struct conf_item *item = at->items->next;
	struct listen_on listen = { .port = to->port };
	bool six = strcmp(at->items->text, "listen-on-v6") == 0;
	const char *wrong = NULL;

	listen.family = six ? AF_INET6 : AF_INET;
	settings->listens_on[six] = true;
	while (item != NULL && item->kind == CONF_WORD && item->next != NULL) {
		if (strcasecmp(item->text, "port") == 0)
			listen.port = strtonum(item->next->text, 1, 65535,
			    &wrong);
		else
			wrong = "not served";
		if (wrong != NULL) {
			conf_error(&settings->conf, at, "'%s %s' of '%s': %s",
			    item->text, item->next->text != NULL ?
			    item->next->text : "{", at->items->text, wrong);
			return;
		}
		item = item->next->next;
	}
	if (item == NULL || item->kind != CONF_BLOCK) {
		conf_error(&settings->conf, at, "expected '{' after '%s'",
		    at->items->text);
		return;
	}
	listen.acl = acls_add(&settings->acls, at, item->block);
	settings->listens = mem_resize(settings->listens,
	    settings->listen_count + 1, sizeof(listen));
	settings->listens[settings->listen_count++] = listen;
}

static uint32_t
match_list(struct target *to, const struct conf_statement *at)
{
	unsigned errors = to->settings->conf.errors;
	const struct conf_statement *list = statement_block(to, at,
	    at->items->next);

	if (to->settings->conf.errors > errors)
		return 0;
	return acls_add(&to->settings->acls, at, list);
}

static void
set_allow_query(struct target *to, const struct conf_statement *at)
{
	uint32_t acl = match_list(to, at);

	if (to->zone != NULL) {
		to->zone->acl = acl;
		to->zone->has_acl = true;
	} else
		to->settings->acl = acl;
}

/* Nobody gets a transfer yet: whoever says so too is right. */
static void
set_allow_transfer(struct target *to, const struct conf_statement *at)
{
	const struct conf_item *item = at->items->next;
	const struct conf_statement *list = item != NULL ? item->block : NULL;

	if (list != NULL && list->next == NULL && list->items->text != NULL &&
	    strcasecmp(list->items->text, "none") == 0)
		return;
	conf_warning(at, "'allow-transfer' is not served by this server: "
	    "nobody gets a transfer");
}

static void
set_blackhole(struct target *to, const struct conf_statement *at)
{
	struct settings *settings = to->settings;
	unsigned errors = settings->conf.errors;
	size_t rows = settings->acls.count;
	const struct conf_statement *list = statement_block(to, at,
	    at->items->next);

	if (settings->conf.errors > errors)
		return;

	uint32_t acl = acls_add(&settings->acls, at, list);

	/* 0 is "no blackhole" here: everybody needs a row. */
	if (acl == 0 && settings->acls.count == rows)
		acl = acls_add_simple(&settings->acls, true);
	settings->image.blackhole = acl;
}

static const char *
text_or_none(struct target *to, const struct conf_statement *at)
{
	const struct conf_item *item = value(to, at);

	if (item == NULL || (item->kind == CONF_WORD &&
	    strcasecmp(item->text, "none") == 0))
		return NULL;
	return item->text;
}

static void
set_version(struct target *to, const struct conf_statement *at)
{
	to->settings->version = text_or_none(to, at);
}

static void
set_hostname(struct target *to, const struct conf_statement *at)
{
	to->settings->hostname = text_or_none(to, at);
}

static void
set_minimal_responses(struct target *to, const struct conf_statement *at)
{
	static const char *const words[] = { "no", "yes", "no-auth",
	    "no-auth-recursive", "false", "true" };
	int word = word_of(to, at, words, COUNT_OF(words));

	if (word >= 0)
		to->settings->image.minimal_responses = word > 3 ? word - 4 :
		    word;
}

static void
set_minimal_any(struct target *to, const struct conf_statement *at)
{
	to->settings->image.minimal_any = boolean(to, at) == 1;
}

static void
set_answer_cookie(struct target *to, const struct conf_statement *at)
{
	to->settings->image.answer_cookie = boolean(to, at) == 1;
}

static void
set_max_udp_size(struct target *to, const struct conf_statement *at)
{
	long long size;

	if (number(to, at, 0, 65535, &size))
		to->settings->image.udp_max = size < 512 ? 512 :
		    size > 4096 ? 4096 : size;
}

static void
set_edns_udp_size(struct target *to, const struct conf_statement *at)
{
	long long size;

	if (number(to, at, 0, 65535, &size))
		to->settings->image.edns_size = size < 512 ? 512 :
		    size > 4096 ? 4096 : size;
}

static void
set_tcp_clients(struct target *to, const struct conf_statement *at)
{
	long long clients;

	if (number(to, at, 1, 1000000, &clients))
		to->settings->image.tcp_clients = clients;
}

static void
set_tcp_idle(struct target *to, const struct conf_statement *at)
{
	long long tenths;

	if (number(to, at, 1, 1200, &tenths))
		to->settings->image.tcp_idle_ms = tenths * 100;
}

static struct zone_rules *
rules(struct target *to)
{
	return to->zone != NULL ? &to->zone->rules : &to->settings->rules;
}

static void
set_records_per_type(struct target *to, const struct conf_statement *at)
{
	long long records;

	if (number(to, at, 0, UINT32_MAX, &records))
		rules(to)->records_per_type = records;
}

static void
set_types_per_name(struct target *to, const struct conf_statement *at)
{
	long long types;

	if (number(to, at, 0, UINT32_MAX, &types))
		rules(to)->types_per_name = types;
}

/* check-names [primary|secondary|response] fail|warn|ignore */
static void
set_check_names(struct target *to, const struct conf_statement *at)
{
	static const char *const verdicts[] = { "fail", "warn", "ignore" };
	const struct conf_item *item = at->items->next;

	if (to->zone == NULL && item != NULL && item->text != NULL) {
		if (strcasecmp(item->text, "primary") != 0 &&
		    strcasecmp(item->text, "master") != 0)
			return;
		item = item->next;
	}
	for (size_t i = 0; item != NULL && item->text != NULL &&
	    i < COUNT_OF(verdicts); i++) {
		if (strcasecmp(item->text, verdicts[i]) == 0) {
			rules(to)->check_names = (enum check_names)i;
			return;
		}
	}
	conf_error(&to->settings->conf, at, "expected 'fail', 'warn' or "
	    "'ignore' after 'check-names'");
}

static void
set_recursion(struct target *to, const struct conf_statement *at)
{
	const struct conf_item *item = value(to, at);

	if (item != NULL && (strcasecmp(item->text, "yes") == 0 ||
	    strcasecmp(item->text, "true") == 0))
		conf_warning(at, "'recursion yes': this server never recurses; "
		    "it answers for its own zones only");
}

static void
set_file(struct target *to, const struct conf_statement *at)
{
	to->zone->file = string(to, at);
}

static void
set_masterfile_format(struct target *to, const struct conf_statement *at)
{
	const struct conf_item *item = value(to, at);

	if (item != NULL && strcasecmp(item->text, "text") != 0)
		conf_error(&to->settings->conf, at, "masterfile-format '%s' is "
		    "not served: only 'text' is", item->text);
}

static const struct statement statements[] = {
#define SERVED(name, where, apply)	{ name, where, STATEMENT_SERVED, apply },
#define NO_CONCERN(name, where)		{ name, where, STATEMENT_NO_CONCERN, NULL },
#define NOT_SERVED(name, where)		{ name, where, STATEMENT_NOT_SERVED, NULL },
#define REFUSED(name, where)		{ name, where, STATEMENT_REFUSED, NULL },
#include "named/statements.def"
#undef SERVED
#undef NO_CONCERN
#undef NOT_SERVED
#undef REFUSED
};

/* "no" to what we do not do anyway. */
static bool
is_declined(const struct conf_statement *at)
{
	static const char *const noes[] = { "no", "none", "false", "off",
	    "insecure" };
	const struct conf_item *item = at->items->next;

	if (item == NULL || item->text == NULL || item->next != NULL)
		return false;
	for (size_t i = 0; i < COUNT_OF(noes); i++)
		if (strcasecmp(item->text, noes[i]) == 0)
			return true;
	return false;
}

void
statement_tell_fate(struct conf *conf, const struct conf_statement *at,
    enum fate fate)
{
	if (is_declined(at))
		return;
	if (fate == STATEMENT_NOT_SERVED)
		conf_warning(at, "'%s' is not served by this server and has "
		    "no effect", at->items->text);
	else if (fate == STATEMENT_REFUSED)
		conf_error(conf, at, "'%s' is not served by this server; "
		    "without it answers would be others than you ask for: "
		    "remove it or stay with BIND", at->items->text);
}

/* Only these may stand more than once. */
static bool
is_repeated(const struct conf_statement *list, const struct conf_statement *at)
{
	static const char *const many[] = { "listen-on", "listen-on-v6",
	    "check-names", "dual-stack-servers", "disable-algorithms",
	    "disable-ds-digests", "disable-empty-zone", "dns64",
	    "dnssec-must-be-secure", "rrset-order", "server-addresses" };
	const char *name = at->items->text;

	for (size_t i = 0; i < COUNT_OF(many); i++)
		if (strcasecmp(name, many[i]) == 0)
			return false;
	for (; list != at; list = list->next)
		if (list->items->text != NULL &&
		    strcasecmp(list->items->text, name) == 0)
			return true;
	return false;
}

void
statements_apply(struct target *to, const struct conf_statement *list,
    unsigned where)
{
	for (const struct conf_statement *at = list; at != NULL;
	    at = at->next) {
		const struct statement *found = NULL;
		const char *name = at->items->text;

		for (size_t i = 0; name != NULL && i < COUNT_OF(statements);
		    i++)
			if (strcasecmp(statements[i].name, name) == 0 &&
			    (statements[i].where & where))
				found = &statements[i];
		if (where == IN_ZONE && name != NULL &&
		    strcasecmp(name, "type") == 0)
			continue;
		if (found == NULL)
			conf_error(&to->settings->conf, at,
			    "unknown option '%s'", name != NULL ? name : "{");
		else if (is_repeated(list, at))
			conf_error(&to->settings->conf, at,
			    "'%s' redefined near '%s'", name, name);
		else if (found->apply != NULL)
			found->apply(to, at);
		else
			statement_tell_fate(&to->settings->conf, at,
			    found->fate);
	}
}
