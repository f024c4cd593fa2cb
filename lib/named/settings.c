#include "named/settings.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "named/statements.h"

#define UDP_ANSWER_MAX	1232	/* octets: what every path carries in one piece */

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
	statements_apply(&to, list, IN_ZONE);
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
			statement_tell_fate(&settings->conf, at, top_statements[i].fate);
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
		const struct conf_statement *list = statement_block(&to, at,
		    at->items->next);

		if (settings->conf.errors == errors)
			statements_apply(&to, list, IN_OPTIONS);
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
