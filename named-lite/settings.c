#include "named-lite/settings.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define UDP_ANSWER_MAX	1232	/* octets: what every path carries in one piece */

/* Where a statement may stand. */
enum { IN_OPTIONS = 1, IN_ZONE = 2 };

/* What becomes of it; statements.def tells what each means. */
enum fate {
	STATEMENT_SERVED,
	STATEMENT_NO_CONCERN,
	STATEMENT_NOT_SERVED,
	STATEMENT_REFUSED
};

struct target {
	struct settings *settings;
	struct zone_settings *zone;	/* NULL in options */
	uint16_t port;
};

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

static const struct conf_statement *
block(struct target *to, const struct conf_statement *at,
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
	const struct conf_statement *list = block(to, at, at->items->next);

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
	const struct conf_statement *list = block(to, at, at->items->next);

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
#include "named-lite/statements.def"
#undef SERVED
#undef NO_CONCERN
#undef NOT_SERVED
#undef REFUSED
};

/* Statements that stand outside of all braces. */
static const struct {
	const char *name;
	enum fate fate;
} top_statements[] = {
	{ "options", STATEMENT_SERVED },
	{ "zone", STATEMENT_SERVED },
	{ "acl", STATEMENT_SERVED },
	{ "controls", STATEMENT_NOT_SERVED },
	{ "key", STATEMENT_NO_CONCERN },
	{ "logging", STATEMENT_NO_CONCERN },
	{ "server", STATEMENT_NO_CONCERN },
	{ "masters", STATEMENT_NO_CONCERN },
	{ "primaries", STATEMENT_NO_CONCERN },
	{ "remote-servers", STATEMENT_NO_CONCERN },
	{ "parental-agents", STATEMENT_NO_CONCERN },
	{ "managed-keys", STATEMENT_NO_CONCERN },
	{ "trusted-keys", STATEMENT_NO_CONCERN },
	{ "trust-anchors", STATEMENT_NO_CONCERN },
	{ "statistics-channels", STATEMENT_NOT_SERVED },
	{ "dnssec-policy", STATEMENT_NOT_SERVED },
	{ "http", STATEMENT_NOT_SERVED },
	{ "tls", STATEMENT_NOT_SERVED },
	{ "dlz", STATEMENT_REFUSED },
	{ "dyndb", STATEMENT_REFUSED },
	{ "plugin", STATEMENT_REFUSED },
	{ "view", STATEMENT_REFUSED },
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

static void
tell_fate(struct conf *conf, const struct conf_statement *at, enum fate fate)
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

static void
apply_all(struct target *to, const struct conf_statement *list, unsigned where)
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
			tell_fate(&to->settings->conf, at, found->fate);
	}
}

/* Zones */

static const char *
zone_type(const struct conf_statement *list)
{
	for (; list != NULL; list = list->next)
		if (list->items->text != NULL &&
		    strcasecmp(list->items->text, "type") == 0 &&
		    list->items->next != NULL)
			return list->items->next->text;
	return NULL;
}

/* zone "name" [IN] { ... }: the block, NULL if it is not of that form. */
static const struct conf_statement *
zone_block(struct settings *settings, const struct conf_statement *at,
    const char **name)
{
	const struct conf_item *item = at->items->next;
	const struct conf_item *rest = item != NULL ? item->next : NULL;
	const char *class = rest != NULL && rest->kind != CONF_BLOCK ?
	    rest->text : NULL;

	if (class != NULL)
		rest = rest->next;
	if (item == NULL || item->text == NULL || rest == NULL ||
	    rest->kind != CONF_BLOCK || rest->next != NULL ||
	    rest->block == NULL) {
		conf_error(&settings->conf, at, "expected: zone \"name\" { "
		    "type ...; ... };");
		return NULL;
	}
	*name = item->text;
	if (class != NULL && strcasecmp(class, "IN") != 0) {
		conf_error(&settings->conf, at, "zone '%s': class '%s' is not "
		    "served", *name, class);
		return NULL;
	}
	return rest->block;
}

static struct zone_settings *
add_zone(struct settings *settings, const struct conf_statement *at,
    const char *name)
{
	struct zone_settings zone = { .name = name, .at = at };
	const char *why;

	if (dns_name_parse(&zone.apex, name, strlen(name), NULL, &why) == -1) {
		conf_error(&settings->conf, at, "zone '%s': is not a valid "
		    "name: %s", name, why);
		return NULL;
	}
	for (size_t i = 0; i < settings->zone_count; i++) {
		const struct zone_settings *other = &settings->zones[i];

		if (dns_name_equal(other->apex.bytes, zone.apex.bytes)) {
			conf_error(&settings->conf, at, "zone '%s': already "
			    "exists previous definition: %s:%u", name,
			    other->at->file, other->at->line);
			return NULL;
		}
	}
	settings->zones = mem_resize(settings->zones, settings->zone_count + 1,
	    sizeof(zone));
	settings->zones[settings->zone_count] = zone;
	return &settings->zones[settings->zone_count++];
}

static void
apply_zone(struct settings *settings, const struct conf_statement *at)
{
	struct zone_settings *zone;
	struct target to = { .settings = settings };
	const char *name, *type;
	const struct conf_statement *list = zone_block(settings, at, &name);

	if (list == NULL)
		return;
	type = zone_type(list);
	if (type == NULL) {
		conf_error(&settings->conf, at, "zone '%s': 'type' not present",
		    name);
		return;
	}
	/* Root hints and forwarding serve recursion: we have no answers for such names. */
	if (strcasecmp(type, "hint") == 0)
		return;
	if (strcasecmp(type, "forward") == 0) {
		conf_warning(at, "zone '%s': type forward has no effect: this "
		    "server never recurses", name);
		return;
	}
	zone = add_zone(settings, at, name);
	if (zone == NULL)
		return;
	if (strcasecmp(type, "master") != 0 &&
	    strcasecmp(type, "primary") != 0) {
		log_error("%s:%u: zone '%s': type %s is not served yet, only "
		    "primary: its names get SERVFAIL", at->file, at->line,
		    name, type);
		return;
	}
	zone->rules = settings->rules;
	to.zone = zone;
	apply_all(&to, list, IN_ZONE);
	if (zone->file == NULL)
		conf_error(&settings->conf, at, "zone '%s': missing 'file' "
		    "entry", name);
}

/* The file as a whole */

static void
apply_top(struct settings *settings, const struct conf_statement *at)
{
	const char *name = at->items->text;

	for (size_t i = 0; name != NULL && i < COUNT_OF(top_statements); i++) {
		if (strcasecmp(name, top_statements[i].name) == 0) {
			tell_fate(&settings->conf, at, top_statements[i].fate);
			return;
		}
	}
	conf_error(&settings->conf, at, "unknown option '%s'",
	    name != NULL ? name : "{");
}

static bool
is_statement(const struct conf_statement *at, const char *name)
{
	return at->items->text != NULL && strcasecmp(at->items->text, name) == 0;
}

static void
apply_options(struct settings *settings, uint16_t port)
{
	struct target to = { .settings = settings, .port = port };
	const struct conf_statement *seen = NULL;

	for (const struct conf_statement *at = settings->conf.statements;
	    at != NULL; at = at->next) {
		if (!is_statement(at, "options"))
			continue;
		if (seen != NULL)
			conf_error(&settings->conf, at,
			    "'options' redefined near 'options'");
		seen = at;

		unsigned errors = settings->conf.errors;
		const struct conf_statement *list = block(&to, at,
		    at->items->next);

		if (settings->conf.errors == errors)
			apply_all(&to, list, IN_OPTIONS);
	}
}

static void
set_defaults(struct settings *settings)
{
	static char host[256];

	if (gethostname(host, sizeof(host) - 1) == -1)
		host[0] = '\0';
	settings->version = "named-lite (postroad " PACKAGE_VERSION ")";
	settings->hostname = host;
	settings->rules.records_per_type = 100;
	settings->rules.types_per_name = 100;
	settings->image.minimal_responses = MINIMAL_NO_AUTH_RECURSIVE;
	settings->image.answer_cookie = true;
	settings->image.udp_max = UDP_ANSWER_MAX;
	settings->image.edns_size = UDP_ANSWER_MAX;
	settings->image.tcp_clients = 150;
	settings->image.tcp_idle_ms = 30000;
}

/* Where the file says nothing: on all addresses, as BIND does. */
static void
listen_by_default(struct settings *settings, uint16_t port)
{
	for (int six = 0; six < 2; six++) {
		if (settings->listens_on[six])
			continue;
		settings->listens = mem_resize(settings->listens,
		    settings->listen_count + 1, sizeof(*settings->listens));
		settings->listens[settings->listen_count++] =
		    (struct listen_on) { six ? AF_INET6 : AF_INET, port, 0 };
	}
}

int
settings_apply(struct settings *settings, struct conf *conf, uint16_t port)
{
	memset(settings, 0, sizeof(*settings));
	settings->conf = *conf;
	memset(conf, 0, sizeof(*conf));
	acls_init(&settings->acls, &settings->conf);
	set_defaults(settings);
	apply_options(settings, port);
	for (const struct conf_statement *at = settings->conf.statements;
	    at != NULL; at = at->next) {
		if (is_statement(at, "zone"))
			apply_zone(settings, at);
		else
			apply_top(settings, at);
	}
	for (size_t i = 0; i < settings->zone_count; i++)
		if (!settings->zones[i].has_acl)
			settings->zones[i].acl = settings->acl;
	listen_by_default(settings, port);
	return settings->conf.errors == 0 ? 0 : -1;
}

int
settings_read(struct settings *settings, const char *path, uint16_t port)
{
	struct conf conf;

	if (conf_read(&conf, path) == 0)
		return settings_apply(settings, &conf, port);
	memset(settings, 0, sizeof(*settings));
	conf_clear(&conf);
	return -1;
}

void
settings_clear(struct settings *settings)
{
	acls_clear(&settings->acls);
	free(settings->listens);
	free(settings->zones);
	conf_clear(&settings->conf);
	memset(settings, 0, sizeof(*settings));
}
