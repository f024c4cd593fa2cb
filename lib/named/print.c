/*
 * print - named.conf in one form: a statement a line, blocks indented
 *
 * The order and the quotes are those of named-checkconf -p: statements of
 * one kind stand together, names are quoted, keywords are not, networks
 * have their length, spans and sizes are numbers. Statements that BIND has
 * no table for here stand as they were written.
 */

#include <arpa/inet.h>

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "dns/rdata.h"
#include "named/statements.h"

/* What stands in a block. */
enum block_kind { IN_FILE, IN_OPTIONS, IN_ZONE, IN_CHANNEL, IN_LOGGING,
    IN_SORTED, IN_MATCH_LIST, IN_SERVERS, IN_NAMES, IN_OTHER };

struct printer {
	bool	 hides_secrets;
	FILE	*to;
};

static const char *const file_order[] = { "acl", "controls", "dnssec-policy",
    "http", "logging", "masters", "options", "parental-agents", "primaries",
    "remote-servers", "statistics-channels", "tls", "view", "dlz", "dyndb",
    "key", "managed-keys", "plugin", "server", "trust-anchors",
    "trusted-keys", "zone" };
static const char *const logging_order[] = { "channel", "category" };
static const char *const channel_order[] = { "file", "syslog", "null",
    "stderr", "severity", "print-time", "print-severity", "print-category",
    "buffered" };

/* Of these views and zones have each their own. */
static const char *const twofold[] = { "check-names",
    "ixfr-from-differences" };

static const char *const match_lists[] = { "acl", "allow", "allow-transfer",
    "blackhole", "exempt-clients", "listen-on", "listen-on-v6",
    "match-clients", "match-destinations", "response-padding" };
static const char *const servers[] = { "masters", "parental-agents",
    "primaries", "remote-servers" };
static const char *const name_lists[] = { "category", "keys" };

static int
place_of(const char *const list[], size_t count, const char *word)
{
	for (size_t i = 0; word != NULL && i < count; i++)
		if (strcasecmp(list[i], word) == 0)
			return i;
	return -1;
}

#define PLACE(list, word)	place_of(list, COUNT_OF(list), word)

/* Order */

static int
option_rank(const char *name, bool is_zone)
{
	const struct statement *row = statement_find(&statements_of_zones,
	    name);

	if (row == NULL)	/* of a view */
		return strncasecmp(name, "match-", 6) == 0 ? -2 : -1;
	if (is_zone)
		return strcasecmp(name, "type") == 0 ? -1 :
		    (row->where & OPTIONS) != 0 && PLACE(twofold, name) == -1;
	return (row->where & GLOBAL) == GLOBAL ? 0 :
	    (row->where & ZONES) == 0 || PLACE(twofold, name) != -1 ? 1 : 2;
}

static int
compare(const struct conf_statement *a, const struct conf_statement *b,
    enum block_kind kind)
{
	const char *x = a->items->text, *y = b->items->text;
	int order = 0;

	if (x == NULL || y == NULL)
		return 0;
	switch (kind) {
	case IN_FILE:
		return PLACE(file_order, x) - PLACE(file_order, y);
	case IN_LOGGING:
		return PLACE(logging_order, x) - PLACE(logging_order, y);
	case IN_CHANNEL:
		return PLACE(channel_order, x) - PLACE(channel_order, y);
	case IN_OPTIONS:
	case IN_ZONE:
		order = option_rank(x, kind == IN_ZONE) -
		    option_rank(y, kind == IN_ZONE);
		/* FALLTHROUGH */
	case IN_SORTED:
		return order != 0 ? order : strcasecmp(x, y);
	default:
		return 0;
	}
}

/* A copy in order; equals stay as they are. Released with free(3). */
static const struct conf_statement **
sort(const struct conf_statement *list, enum block_kind kind, size_t *count)
{
	const struct conf_statement **rows = NULL;

	*count = 0;
	for (; list != NULL; list = list->next) {
		size_t i = (*count)++;

		rows = mem_resize(rows, *count, sizeof(*rows));
		for (; i > 0 && compare(rows[i - 1], list, kind) > 0; i--)
			rows[i] = rows[i - 1];
		rows[i] = list;
	}
	return rows;
}

/* Words */

static void
put_quoted(const struct printer *p, const char *text)
{
	putc('"', p->to);
	for (; *text != '\0'; text++) {
		if (*text == '"' || *text == '\\')
			putc('\\', p->to);
		putc(*text, p->to);
	}
	putc('"', p->to);
}

static void
put_hidden(const struct printer *p, const char *text)
{
	putc('"', p->to);
	for (; *text != '\0'; text++)
		putc('?', p->to);
	putc('"', p->to);
}

/* A network with its length, or an address without one. False: it is none. */
static bool
put_address(const struct printer *p, const char *text, bool has_length)
{
	char address[INET6_ADDRSTRLEN];
	struct image_match row;

	if (!acl_parse_prefix(&row, text))
		return false;
	inet_ntop(row.kind == MATCH_IPV6 ? AF_INET6 : AF_INET, row.address,
	    address, sizeof(address));
	fputs(address, p->to);
	if (has_length)
		fprintf(p->to, "/%u", row.prefix);
	return true;
}

/* The word of a list of addresses, servers or names; `after` stands before it. */
static void
put_element(const struct printer *p, const char *word, const char *after,
    enum block_kind kind)
{
	bool is_key = after != NULL && (strcmp(after, "key") == 0 ||
	    strcmp(after, "tls") == 0);
	bool is_keyword = (kind == IN_MATCH_LIST && after == NULL &&
	    strcmp(word, "key") == 0) || (kind == IN_SERVERS &&
	    after != NULL && !is_key);

	if (is_keyword)
		fputs(word, p->to);
	else if (is_key || kind == IN_NAMES ||
	    !put_address(p, word, kind == IN_MATCH_LIST))
		put_quoted(p, word);
}

static void
put_size(const struct printer *p, const char *word)
{
	uint64_t size;

	if (value_size(word, &size))
		fprintf(p->to, "%" PRIu64, size);
	else
		fputs(word, p->to);
}

static void
put_bool(const struct printer *p, const char *word)
{
	static const char *const yes[] = { "yes", "true", "1" };
	static const char *const no[] = { "no", "false", "0" };

	fputs(PLACE(yes, word) != -1 ? "yes" : PLACE(no, word) != -1 ? "no" :
	    word, p->to);
}

/* The value of an option. */
static void
put_value(const struct printer *p, enum value_kind kind, const char *word)
{
	static const char *const bare[] = { "none", "hostname", "auto" };
	int64_t seconds;

	switch (kind) {
	case VALUE_BOOL:
		put_bool(p, word);
		break;
	case VALUE_SIZE:
		put_size(p, word);
		break;
	case VALUE_DURATION:
		seconds = dns_ttl_parse(word, strlen(word));
		if (seconds >= 0)
			fprintf(p->to, "%" PRId64, seconds);
		else
			fputs(word, p->to);
		break;
	case VALUE_SOURCE:
		fputs(strcmp(word, "*") == 0 ? "0.0.0.0" : word, p->to);
		break;
	case VALUE_SOURCE6:
		fputs(strcmp(word, "*") == 0 ? "::" : word, p->to);
		break;
	case VALUE_TEXT:
		if (PLACE(bare, word) != -1) {
			fputs(word, p->to);
			break;
		}
		/* FALLTHROUGH */
	case VALUE_STRING:
	case VALUE_WORD:
	case VALUE_KEY:
		put_quoted(p, word);
		break;
	default:
		fputs(word, p->to);
		break;
	}
}

/* A word behind the name of its statement. */
static void
put_word(const struct printer *p, const struct conf_statement *at,
    const struct conf_item *item, const char *before, enum block_kind in)
{
	static const char *const named[] = { "acl", "channel", "category",
	    "key", "masters", "parental-agents", "primaries",
	    "remote-servers", "zone", "view", "tls", "http",
	    "dnssec-policy", "algorithm", "syslog" };
	static const char *const switches[] = { "recursion", "buffered",
	    "read-only" };
	const struct statement *row = in == IN_OPTIONS || in == IN_ZONE ?
	    statement_find(&statements_of_zones, at->items->text) : NULL;
	bool is_first = at->items->next == item;

	if (conf_is(at, "type"))
		fputs(item->text, p->to);
	else if (is_first && PLACE(named, at->items->text) != -1)
		put_quoted(p, item->text);
	else if (is_first && conf_is(at, "server"))
		(void)(put_address(p, item->text, true) ||
		    fputs(item->text, p->to));
	else if (conf_is(at, "inet") && is_first &&
	    strcmp(item->text, "*") == 0)
		fputs("0.0.0.0", p->to);
	else if (PLACE(switches, at->items->text) != -1 ||
	    (before != NULL && PLACE(switches, before) != -1))
		put_bool(p, item->text);
	else if (conf_is(at, "max-cache-size") || (in == IN_CHANNEL &&
	    before != NULL && strcasecmp(before, "size") == 0))
		put_size(p, item->text);
	else
		put_value(p, row != NULL ? row->shape.kind : VALUE_ANY,
		    item->text);
}

/* Statements and blocks */

static enum block_kind
block_kind(const struct conf_statement *at, const char *before,
    enum block_kind in)
{
	static const char *const sorted[] = { "key", "rate-limit",
	    "server" };
	const char *name = at->items->text;
	const char *last = conf_is(at, "inet") && before != NULL ? before :
	    name;
	const struct statement *row = in == IN_OPTIONS || in == IN_ZONE ?
	    statement_find(&statements_of_zones, name) : NULL;

	if (in == IN_MATCH_LIST || in == IN_SERVERS)
		return in;
	if (PLACE(match_lists, last) != -1 ||
	    (row != NULL && row->shape.kind == VALUE_ACL))
		return IN_MATCH_LIST;
	if (row != NULL && row->shape.kind == VALUE_REMOTES)
		return IN_SERVERS;
	if (PLACE(name_lists, last) != -1)
		return IN_NAMES;
	if (in == IN_FILE && PLACE(servers, name) != -1)
		return IN_SERVERS;
	if (strcasecmp(name, "options") == 0 || strcasecmp(name, "view") == 0)
		return IN_OPTIONS;
	if (strcasecmp(name, "zone") == 0)
		return IN_ZONE;
	if (strcasecmp(name, "logging") == 0)
		return IN_LOGGING;
	if (strcasecmp(name, "channel") == 0)
		return IN_CHANNEL;
	return PLACE(sorted, name) != -1 ? IN_SORTED : IN_OTHER;
}

static void
indent(const struct printer *p, unsigned depth)
{
	for (unsigned i = 0; i < depth; i++)
		putc('\t', p->to);
}

static void print_block(const struct printer *p,
    const struct conf_statement *list, enum block_kind kind, unsigned depth);

/* BIND's blank where a port would stand, and behind a keyword without a value. */
static bool
has_gap(const struct conf_statement *at)
{
	static const char *const gaps[] = { "allow-transfer", "listen-on",
	    "listen-on-v6" };

	return PLACE(gaps, at->items->text) != -1 &&
	    at->items->next != NULL && at->items->next->kind == CONF_BLOCK;
}

static void
print_item(const struct printer *p, const struct conf_statement *at,
    const struct conf_item *item, const char *before, enum block_kind in,
    unsigned depth)
{
	bool is_list = in == IN_MATCH_LIST || in == IN_SERVERS ||
	    in == IN_NAMES;
	bool is_secret = p->hides_secrets && (conf_is(at, "secret") ||
	    conf_is(at, "cookie-secret"));

	if (item->kind == CONF_NOT)
		putc('!', p->to);
	else if (item->kind == CONF_BLOCK)
		print_block(p, item->block, at->items->text == NULL ? in :
		    block_kind(at, before, in), depth);
	else if (is_list)
		put_element(p, item->text, before, in);
	else if (item == at->items)
		fputs(item->text, p->to);
	else if (is_secret)
		put_hidden(p, item->text);
	else if (item->kind == CONF_STRING)
		put_quoted(p, item->text);
	else
		put_word(p, at, item, before, in);
}

/* keys { a; } of a server is one name. */
static const struct conf_item *
single_key(const struct conf_statement *at, enum block_kind in)
{
	const struct conf_item *item = at->items->next;

	return in == IN_SORTED && conf_is(at, "keys") && item != NULL &&
	    item->kind == CONF_BLOCK && item->block != NULL ?
	    item->block->items : NULL;
}

static void
print_statement(const struct printer *p, const struct conf_statement *at,
    enum block_kind in, unsigned depth)
{
	const struct conf_item *key = single_key(at, in);
	const char *before = NULL;

	indent(p, depth);
	if (key != NULL && key->text != NULL) {
		fputs("keys ", p->to);
		put_quoted(p, key->text);
		fputs(";\n", p->to);
		return;
	}
	for (const struct conf_item *item = at->items; item != NULL;
	    item = item->next) {
		print_item(p, at, item, before, in, depth);
		before = item->kind == CONF_WORD ? item->text : NULL;
		if (item->next != NULL && item->kind != CONF_NOT)
			putc(' ', p->to);
		if (item == at->items && has_gap(at))
			putc(' ', p->to);
	}
	if (in == IN_CHANNEL && at->items->next == NULL)
		putc(' ', p->to);
	fputs(";\n", p->to);
}

static void
print_list(const struct printer *p, const struct conf_statement *list,
    enum block_kind kind, unsigned depth)
{
	size_t count;
	const struct conf_statement **rows = sort(list, kind, &count);

	for (size_t i = 0; i < count; i++)
		print_statement(p, rows[i], kind, depth);
	free(rows);
}

static void
print_block(const struct printer *p, const struct conf_statement *list,
    enum block_kind kind, unsigned depth)
{
	fputs("{\n", p->to);
	print_list(p, list, kind, depth + 1);
	indent(p, depth);
	putc('}', p->to);
}

void
conf_print(const struct conf *conf, bool hide_secrets, FILE *to)
{
	const struct printer p = { hide_secrets, to };

	print_list(&p, conf->statements, IN_FILE, 0);
}
