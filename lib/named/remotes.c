#include "named/remotes.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "named/statements.h"
#include "named/values.h"

#define REMOTES_MAX	1000
#define LISTS_MAX	100	/* that one draws on */

/* Lists of remote servers */

struct reader {
	struct target *to;
	struct remotes *remotes;
	const struct conf_statement *lists[LISTS_MAX];	/* that were read: each once, as BIND does */
	size_t	 list_count;
};

static void	read_list(struct reader *r, const struct conf_statement *at,
		    const struct conf_item *item);

static bool
is_list(const struct conf_statement *at)
{
	return conf_is(at, "primaries") || conf_is(at, "masters") ||
	    conf_is(at, "remote-servers") || conf_is(at, "parental-agents");
}

static const struct conf_statement *
find_list(const struct settings *settings, const char *name)
{
	for (const struct conf_statement *at = settings->conf.statements;
	    at != NULL; at = at->next)
		if (is_list(at) && at->items->next != NULL &&
		    at->items->next->text != NULL &&
		    strcasecmp(at->items->next->text, name) == 0)
			return at;
	return NULL;
}

static void
add(struct reader *r, const struct conf_statement *at, struct remote *remote)
{
	struct remotes *to = r->remotes;

	if (to->count == REMOTES_MAX) {
		conf_error(&r->to->settings->conf, at, "more than %d servers "
		    "in a list", REMOTES_MAX);
		return;
	}
	if ((to->count & (to->count - 1)) == 0) {	/* 0, 1, 2, 4...: full */
		struct remote *more = pool_alloc(r->to->settings->conf.pool,
		    (2 * to->count + 1) * sizeof(*more));

		if (to->count > 0)
			memcpy(more, to->list, to->count * sizeof(*more));
		to->list = more;
	}
	to->list[to->count++] = *remote;
}

/* [port N] [key K] [tls T] behind an address or a list's name. False with an error. */
static bool
read_details(struct reader *r, const struct conf_statement *at,
    const struct conf_item *item, int *port, uint32_t *key)
{
	struct conf *conf = &r->to->settings->conf;

	for (; item != NULL; item = item->next->next) {
		const char *value = item->next != NULL ? item->next->text :
		    NULL;

		if (item->text == NULL || value == NULL) {
			conf_error(conf, at, "expected 'port' or 'key' with "
			    "its value after '%s'", at->items->text);
			return false;
		}
		if (strcasecmp(item->text, "port") == 0) {
			*port = value_port(r->to, at, item->next);
			if (*port == -1)
				return false;
		} else if (strcasecmp(item->text, "key") == 0) {
			*key = keys_find(&r->to->settings->keys, value);
			if (*key == 0) {
				conf_warning(at, "key '%s' is not defined: "
				    "the servers with it are not talked to",
				    value);
				*key = REMOTE_KEY_MISSING;
			}
		} else if (strcasecmp(item->text, "tls") == 0) {
			conf_error(conf, at, "'tls %s' is not served: the "
			    "transfer would be in the clear", value);
			return false;
		} else {
			conf_error(conf, at, "'%s' unexpected", item->text);
			return false;
		}
	}
	return true;
}

/* Another list in this one. */
static void
read_named(struct reader *r, const struct conf_statement *at, const char *name)
{
	const struct conf_statement *named = find_list(r->to->settings, name);

	if (named == NULL) {
		conf_error(&r->to->settings->conf, at, "unable to find "
		    "primaries list '%s'", name);
		return;
	}
	for (size_t i = 0; i < r->list_count; i++)
		if (r->lists[i] == named)
			return;
	if (r->list_count == LISTS_MAX) {
		conf_error(&r->to->settings->conf, at, "more than %d lists "
		    "in a list", LISTS_MAX);
		return;
	}
	r->lists[r->list_count++] = named;
	read_list(r, named, named->items->next->next);
}

/* One element: an address, or another list. */
static void
read_remote(struct reader *r, const struct conf_statement *at, uint16_t port)
{
	const struct conf_item *item = at->items;
	struct remote remote = { .key = 0 };
	int own_port = port;

	if (item->text == NULL) {
		conf_error(&r->to->settings->conf, at, "expected IP address "
		    "or list name");
		return;
	}
	if (!read_details(r, at, item->next, &own_port, &remote.key))
		return;
	if (value_address(&remote.address, item->text, own_port))
		add(r, at, &remote);
	else
		read_named(r, at, item->text);
}

/* [port N] { ... } */
static void
read_list(struct reader *r, const struct conf_statement *at,
    const struct conf_item *item)
{
	int port = r->to->port;

	if (item != NULL && item->kind == CONF_WORD &&
	    strcasecmp(item->text, "port") == 0) {
		port = value_port(r->to, at, item->next);
		if (port == -1)
			return;
		item = item->next->next;
	}
	for (const struct conf_statement *each = value_block(r->to, at, item);
	    each != NULL; each = each->next)
		read_remote(r, each, port);
}

void
remotes_read(struct target *to, const struct conf_statement *at,
    struct remotes *remotes)
{
	struct remotes unused = { 0 };
	struct reader r = { .to = to,
	    .remotes = remotes != NULL ? remotes : &unused };

	memset(r.remotes, 0, sizeof(*r.remotes));
	read_list(&r, at, at->items->next);
}

void
remotes_check_named(struct target *to)
{
	for (const struct conf_statement *at = to->settings->conf.statements;
	    at != NULL; at = at->next) {
		const struct conf_item *name = at->items->next;
		const struct conf_statement *first;

		if (!is_list(at))
			continue;
		if (name == NULL || name->text == NULL) {
			conf_error(&to->settings->conf, at, "expected a name "
			    "after '%s'", at->items->text);
			continue;
		}
		first = find_list(to->settings, name->text);
		if (first != at)
			conf_error(&to->settings->conf, at, "%s list '%s' is "
			    "duplicated: also defined at %s:%u",
			    at->items->text, name->text, first->file,
			    first->line);

		struct remotes unused = { 0 };
		struct reader r = { .to = to, .remotes = &unused,
		    .lists = { at }, .list_count = 1 };

		read_list(&r, at, name->next);
	}
}

/* server statements */

#define FIELD(name, shape, field) \
	{ name, 0, STATEMENT_SERVED, shape, BASE_OTHER, \
	    offsetof(struct server_settings, field), NULL }
#define FATE(name, shape, fate) \
	{ name, 0, fate, shape, BASE_NONE, 0, NULL }

static const struct statement rows[] = {
	FIELD("bogus", BOOL, bogus),
	FATE("edns", BOOL, STATEMENT_NO_CONCERN),
	FATE("edns-udp-size", ANY_NUMBER, STATEMENT_NO_CONCERN),
	FATE("edns-version", ANY_NUMBER, STATEMENT_NO_CONCERN),
	FIELD("keys", KEY, key),
	FATE("max-udp-size", ANY_NUMBER, STATEMENT_NO_CONCERN),
	FIELD("notify-source", SOURCE, notify_source),
	FIELD("notify-source-v6", SOURCE_V6, notify_source_v6),
	FATE("padding", ANY_NUMBER, STATEMENT_NO_CONCERN),
	FIELD("provide-ixfr", BOOL, provide_ixfr),
	FATE("query-source", ANY, STATEMENT_NO_CONCERN),
	FATE("query-source-v6", ANY, STATEMENT_NO_CONCERN),
	FIELD("request-expire", BOOL, request_expire),
	FIELD("request-ixfr", BOOL, request_ixfr),
	FATE("request-nsid", BOOL, STATEMENT_NO_CONCERN),
	FATE("send-cookie", BOOL, STATEMENT_NO_CONCERN),
	FATE("tcp-keepalive", BOOL, STATEMENT_NO_CONCERN),
	FATE("tcp-only", BOOL, STATEMENT_NO_CONCERN),
	FIELD("transfer-format", CHOICE("many-answers|one-answer"),
	    transfer_format),
	FIELD("transfer-source", SOURCE, transfer_source),
	FIELD("transfer-source-v6", SOURCE_V6, transfer_source_v6),
	FIELD("transfers", ANY_NUMBER, transfers),
};

static void
read_server(struct target *to, const struct conf_statement *at)
{
	static const struct statement_table table = { rows, COUNT_OF(rows) };
	struct settings *settings = to->settings;
	const struct conf_item *address = at->items->next;
	struct server_settings server = { .at = at, .provide_ixfr = UNSET,
	    .request_ixfr = UNSET, .request_expire = UNSET,
	    .transfer_format = UNSET, .transfers = UNSET };

	if (address == NULL || address->text == NULL ||
	    !acl_parse_prefix(&server.prefix, address->text)) {
		conf_error(&settings->conf, at, "expected IP address after "
		    "'server'");
		return;
	}
	for (size_t i = 0; i < settings->server_count; i++)
		if (memcmp(&settings->servers[i].prefix, &server.prefix,
		    sizeof(server.prefix)) == 0)
			conf_error(&settings->conf, at, "server '%s': already "
			    "exists previous definition: %s:%u", address->text,
			    settings->servers[i].at->file,
			    settings->servers[i].at->line);
	to->other = &server;
	statements_apply(to, value_block(to, at, address->next), &table, 0);
	settings->servers = mem_resize(settings->servers,
	    settings->server_count + 1, sizeof(server));
	settings->servers[settings->server_count++] = server;
}

void
servers_read(struct target *to)
{
	for (const struct conf_statement *at = to->settings->conf.statements;
	    at != NULL; at = at->next)
		if (conf_is(at, "server"))
			read_server(to, at);
}

const struct server_settings *
servers_find(const struct settings *settings, const struct sockaddr *address)
{
	const struct server_settings *best = NULL;

	for (size_t i = 0; i < settings->server_count; i++) {
		const struct server_settings *server = &settings->servers[i];

		if (acl_prefix_matches(&server->prefix, address) &&
		    (best == NULL || server->prefix.prefix >
		    best->prefix.prefix))
			best = server;
	}
	return best;
}
