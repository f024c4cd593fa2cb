/*
 * resolve - the class of a domain, and from it transport and nexthop
 *
 * The classes are looked at in the order of enum address_class. transport_maps
 * is asked after that and has its word, unless the address is nobody's mailbox.
 * Where mail for others goes may depend on its sender. relocated_maps comes last.
 */

#include "trivial-rewrite/trivial-rewrite.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "address/address.h"
#include "base/base.h"
#include "config/config.h"
#include "config/network.h"
#include "delivery/route.h"
#include "table/asker.h"
#include "table/maps.h"
#include "table/match.h"

/* An address that routes through us is followed this often. */
#define HOPS_MAX	20

static struct match_list *local_domains, *alias_domains, *mailbox_domains,
    *relay_domains;

/* The way of ordinary mail, and that of the probes of verify(8). */
static struct way {
	struct maps	*transport_maps;
	const char	*local, *virtual, *relay, *other;	/* transports */
	const char	*relayhost;
	struct maps	*sender_transports, *sender_relayhosts;
} ordinary, probing;

static struct maps *relocated;

/* "do not list x in BOTH": looked at once a domain. */
static struct map *looked_at;

#define LOOKED_AT_MAX	1000	/* then from the beginning: a pattern may make any domain ours */

static void
ask_nobody(struct table_question *question, void *argument)
{
	table_asker_note(question, TABLE_NONE, "");
}

/* A table that is far away is not waited for just to warn. */
static void
warn_of_origin(void)
{
	struct table_asker asker = { .ask = ask_nobody };

	table_ask_with(&asker);
	if (match_domain(alias_domains, config.myorigin) == TABLE_FOUND)
		log_warning("do not list $myorigin (%s) in virtual_alias_domains",
		    config.myorigin);
	table_ask_with(NULL);
	table_asker_clear(&asker);
}

void
resolve_open(void)
{
	local_domains = match_list_open("mydestination", config.mydestination);
	alias_domains = match_list_open("virtual_alias_domains",
	    config.virtual_alias_domains);
	mailbox_domains = match_list_open("virtual_mailbox_domains",
	    config.virtual_mailbox_domains);
	relay_domains = match_list_open("relay_domains", config.relay_domains);
	ordinary = (struct way){
		.transport_maps = maps_open("transport_maps",
		    config.transport_maps),
		.local = config.local_transport,
		.virtual = config.virtual_transport,
		.relay = config.relay_transport,
		.other = config.default_transport,
		.relayhost = config.relayhost,
		.sender_transports = maps_open(
		    "sender_dependent_default_transport_maps",
		    config.sender_dependent_default_transport_maps),
		.sender_relayhosts = maps_open("sender_dependent_relayhost_maps",
		    config.sender_dependent_relayhost_maps),
	};
	probing = (struct way){
		.transport_maps = maps_open("address_verify_transport_maps",
		    config.address_verify_transport_maps),
		.local = config.address_verify_local_transport,
		.virtual = config.address_verify_virtual_transport,
		.relay = config.address_verify_relay_transport,
		.other = config.address_verify_default_transport,
		.relayhost = config.address_verify_relayhost,
		.sender_transports = maps_open(
		    "address_verify_sender_dependent_default_transport_maps",
		    config.address_verify_sender_dependent_default_transport_maps),
		.sender_relayhosts = maps_open(
		    "address_verify_sender_dependent_relayhost_maps",
		    config.address_verify_sender_dependent_relayhost_maps),
	};
	relocated = maps_open("relocated_maps", config.relocated_maps);
	rewrite_open();
	looked_at = map_new();
	warn_of_origin();
}

/* [192.0.2.1] and [IPv6:2001:db8::1] that are our own. */
static bool
is_own_literal(const char *domain)
{
	char inner[64];
	struct sockaddr_in v4 = { .sin_family = AF_INET };
	struct sockaddr_in6 v6 = { .sin6_family = AF_INET6 };
	size_t length = strlen(domain);

	if (length < 3 || domain[0] != '[' || domain[length - 1] != ']' ||
	    length - 2 >= sizeof(inner))
		return false;
	memcpy(inner, domain + 1, length - 2);
	inner[length - 2] = '\0';
	if (inet_pton(AF_INET, inner, &v4.sin_addr) == 1)
		return network_is_own((struct sockaddr *)&v4);
	if (strncasecmp(inner, "IPv6:", 5) == 0 &&
	    inet_pton(AF_INET6, inner + 5, &v6.sin6_addr) == 1)
		return network_is_own((struct sockaddr *)&v6);
	return false;
}

/* Is this domain delivered here? An answer of TABLE_ERROR: nobody can say now. */
static enum table_answer
is_local(const char *domain)
{
	if (is_own_literal(domain))
		return TABLE_FOUND;
	return match_domain(local_domains, domain);
}

static bool
has_operator(const char *local_part, size_t length)
{
	return memchr(local_part, '@', length) != NULL ||
	    memchr(local_part, '%', length) != NULL ||
	    memchr(local_part, '!', length) != NULL;
}

/*
 * Peel off domains of ours from an address whose local part routes on:
 * alice%far@here, alice@far@here, far!alice@here. Sets the flag when another host might do the same.
 */
static int
follow_route(struct text *address, int *flags)
{
	for (int hop = 0; hop < HOPS_MAX; hop++) {
		char *at = strrchr(text_string(address), '@');
		struct text inner = TEXT_EMPTY;
		enum table_answer answer;

		if (at == NULL)
			return 0;

		size_t local = (size_t)(at - address->bytes);
		bool routes = memchr(address->bytes, '@', local) != NULL ||
		    (config.allow_percent_hack &&
		    memchr(address->bytes, '%', local) != NULL) ||
		    (config.swap_bangpath &&
		    memchr(address->bytes, '!', local) != NULL);

		if (!routes && !has_operator(address->bytes, local))
			return 0;
		answer = is_local(at + 1);
		if (answer == TABLE_ERROR)
			return -1;
		/* The next host may follow a route that we would not. */
		if (answer == TABLE_NONE)
			*flags |= ROUTE_SENDER_ROUTED;
		if (answer == TABLE_NONE || !routes)
			return 0;
		*at = '\0';
		rewrite_address(REWRITE_LOCAL, address->bytes, &inner);
		text_clear(address);
		*address = inner;
	}
	return 0;
}

/* Where a transport leads that has no nexthop: to the domain; error and retry have a reason in its place. */
static void
set_usual_nexthop(struct resolution *found, const char *domain)
{
	const char *transport = text_string(&found->transport);

	text_truncate(&found->nexthop, 0);
	text_puts(&found->nexthop, strcmp(transport, "error") == 0 ||
	    strcmp(transport, "retry") == 0 ? "Address is undeliverable"
	    : domain);
}

/* "transport:nexthop". */
static void
set_transport(struct resolution *found, const char *value, const char *domain)
{
	const char *colon = strchr(value, ':');
	size_t length = colon != NULL ? (size_t)(colon - value) : strlen(value);

	text_truncate(&found->transport, 0);
	text_append(&found->transport, value, length);
	set_usual_nexthop(found, domain);
	if (colon != NULL && colon[1] != '\0') {
		text_truncate(&found->nexthop, 0);
		text_puts(&found->nexthop, colon + 1);
	}
}

/* A table's word on mail of this sender replaces *setting; it is released with free(*room). 0, or -1: the table fails. */
static int
ask_for_sender(struct maps *maps, const char *sender, const char *empty_key,
    const char **setting, char **room)
{
	enum table_answer answer = TABLE_NONE;

	if (!maps_are_empty(maps))
		answer = rewrite_look_up(maps, *sender != '\0' ? sender :
		    empty_key, room, NULL);
	if (answer == TABLE_FOUND && strcasecmp(*room, "DUNNO") != 0)
		*setting = *room;
	return answer == TABLE_ERROR ? -1 : 0;
}

/* Mail for others: to the relayhost, unless the transport says where it leads. */
static int
set_way_out(struct resolution *found, const struct way *way,
    const char *sender, const char *domain)
{
	bool is_relay = found->address_class == CLASS_RELAY;
	const char *transport = is_relay ? way->relay : way->other;
	const char *relayhost = way->relayhost;
	char *rooms[2] = { NULL, NULL };
	int result = 0;

	if (!is_relay)
		result = ask_for_sender(way->sender_transports, sender,
		    config.empty_address_default_transport_maps_lookup_key,
		    &transport, &rooms[0]);
	if (result == 0)
		result = ask_for_sender(way->sender_relayhosts, sender,
		    config.empty_address_relayhost_maps_lookup_key,
		    &relayhost, &rooms[1]);
	if (result == 0)
		set_transport(found, transport,
		    *relayhost != '\0' ? relayhost : domain);
	free(rooms[0]);
	free(rooms[1]);
	return result;
}

/* Find the class of domain and set its transport. 0, or -1: a table failed. */
static int
classify(struct resolution *found, const struct way *way, const char *sender,
    const char *domain)
{
	enum table_answer answer = is_local(domain);

	if (answer == TABLE_ERROR)
		return -1;
	if (answer == TABLE_FOUND) {
		found->address_class = CLASS_LOCAL;
		set_transport(found, way->local, domain);
		return 0;
	}
	answer = match_domain(alias_domains, domain);
	if (answer == TABLE_ERROR)
		return -1;
	if (answer == TABLE_FOUND) {
		found->address_class = CLASS_VIRTUAL_ALIAS;
		set_transport(found, config.show_user_unknown_table_name ?
		    "error:5.1.1 User unknown in virtual alias table" :
		    "error:5.1.1 User unknown", domain);
		return 0;
	}
	answer = match_domain(mailbox_domains, domain);
	if (answer == TABLE_ERROR)
		return -1;
	if (answer == TABLE_FOUND) {
		found->address_class = CLASS_VIRTUAL_MAILBOX;
		set_transport(found, way->virtual, domain);
		return 0;
	}
	answer = match_domain(relay_domains, domain);
	if (answer == TABLE_ERROR)
		return -1;
	found->address_class = answer == TABLE_FOUND ? CLASS_RELAY : CLASS_OTHER;
	return set_way_out(found, way, sender, domain);
}

/*
 * The first class counts; a second one is a mistake, which shows only here
 * when tables list the domains. mydestination may stand in relay_domains.
 */
static void
warn_of_second_class(const char *domain, int class)
{
	const struct { const char *parameter; struct match_list *list; }
	lists[] = {
		[CLASS_LOCAL] = { "mydestination", NULL },
		[CLASS_VIRTUAL_ALIAS] = { "virtual_alias_domains",
		    alias_domains },
		[CLASS_VIRTUAL_MAILBOX] = { "virtual_mailbox_domains",
		    mailbox_domains },
		[CLASS_RELAY] = { "relay_domains", relay_domains },
	};
	int last = class == CLASS_LOCAL ? CLASS_VIRTUAL_MAILBOX : CLASS_RELAY;

	if (map_get(looked_at, domain) != NULL)
		return;
	for (int other = class + 1; other <= last; other++)
		if (match_domain(lists[other].list, domain) == TABLE_FOUND)
			log_warning("do not list domain %s in BOTH %s and %s",
			    domain, lists[class].parameter,
			    lists[other].parameter);
	if (table_is_asking())
		return;
	if (map_count(looked_at) >= LOOKED_AT_MAX) {
		map_free(&looked_at, NULL);
		looked_at = map_new();
	}
	map_set(looked_at, domain, &looked_at);
}

/*
 * What transport_maps has under key: "transport:nexthop", either may be
 * missing and stays as it was then. TABLE_FOUND also for an empty value,
 * which ends the search.
 */
static enum table_answer
look_up_transport(struct resolution *found, struct maps *maps,
    const char *key, bool is_part, const char *domain)
{
	const char *value;
	enum table_answer answer = is_part ? maps_find_part(maps, key, &value)
	    : maps_find(maps, key, &value);

	if (answer != TABLE_FOUND)
		return answer;

	const char *colon = strchr(value, ':');
	size_t length = colon != NULL ? (size_t)(colon - value) : strlen(value);

	if (length > 0) {
		text_truncate(&found->transport, 0);
		text_append(&found->transport, value, length);
		set_usual_nexthop(found, domain);
	}
	if (colon != NULL && colon[1] != '\0') {
		text_truncate(&found->nexthop, 0);
		text_puts(&found->nexthop, colon + 1);
	}
	return TABLE_FOUND;
}

/* user+extension@domain, user@domain, domain, .parent..., *. */
static enum table_answer
override_transport(struct resolution *found, struct maps *maps,
    const char *domain)
{
	char *key = text_lower(mem_strdup(text_string(&found->recipient)));
	char *at = strrchr(key, '@');
	enum table_answer answer = look_up_transport(found, maps, key, false,
	    domain);

	if (answer == TABLE_NONE && at != NULL) {
		size_t local = (size_t)(at - key);
		size_t base = address_base_length(key, local,
		    config.recipient_delimiter);

		if (base < local) {
			memmove(key + base, at, strlen(at) + 1);
			answer = look_up_transport(found, maps, key, true,
			    domain);
		}
	}

	const char *name = domain;

	while (answer == TABLE_NONE && name != NULL) {
		answer = look_up_transport(found, maps, name, true,
		    domain);
		name = strchr(name + 1, '.');
	}
	if (answer == TABLE_NONE)
		answer = look_up_transport(found, maps, "*", false,
		    domain);
	free(key);
	return answer;
}

/* Who has moved gets no more mail here, whatever his domain. 0, or -1: the table fails. */
static int
stop_for_moved(struct resolution *found)
{
	char *place = NULL;
	enum table_answer answer = TABLE_NONE;

	if (!maps_are_empty(relocated))
		answer = rewrite_look_up(relocated,
		    text_string(&found->recipient), &place, NULL);
	if (answer == TABLE_FOUND) {
		text_truncate(&found->transport, 0);
		text_puts(&found->transport, "error");
		text_truncate(&found->nexthop, 0);
		text_printf(&found->nexthop, "5.1.6 User has moved to %s",
		    place);
	}
	free(place);
	return answer == TABLE_ERROR ? -1 : 0;
}

/* "user@" and "user@192.0.2.1", where they are permitted, mean this host and user@[192.0.2.1]. */
static void
complete_odd_domain(struct text *address)
{
	char *at = strrchr(text_string(address), '@');
	struct in_addr ignored;

	if (at == NULL)
		return;
	if (at[1] == '\0' && config.resolve_null_domain) {
		text_puts(address, config.myhostname);
	} else if (config.resolve_numeric_domain &&
	    inet_pton(AF_INET, at + 1, &ignored) == 1) {
		char *domain = mem_strdup(at + 1);

		text_truncate(address, (size_t)(at + 1 - address->bytes));
		text_printf(address, "[%s]", domain);
		free(domain);
	}
}

/* Mail for a domain of ours, and for nobody in it: as what a null sender's notice would be answered to. */
static void
name_nobody(struct text *recipient)
{
	char *domain;

	if (*text_string(recipient) != '@')
		return;
	domain = mem_strdup(text_string(recipient));
	text_truncate(recipient, 0);
	text_printf(recipient, "MAILER-DAEMON%s", domain);
	free(domain);
}

void
resolve_address(const char *sender, const char *address, bool probe,
    struct resolution *found)
{
	const struct way *way = probe ? &probing : &ordinary;

	found->error = 0;
	found->flags = 0;
	found->address_class = CLASS_OTHER;
	rewrite_address(REWRITE_LOCAL, *address != '\0' ? address :
	    config.empty_address_recipient, &found->recipient);
	if (follow_route(&found->recipient, &found->flags) == -1) {
		found->error = EAGAIN;
		return;
	}

	complete_odd_domain(&found->recipient);

	const char *at = strrchr(text_string(&found->recipient), '@');
	char *domain = text_lower(mem_strdup(at != NULL ? at + 1 : ""));

	if (*domain == '\0' || (domain[0] != '[' &&
	    !hostname_is_valid(domain, strlen(domain)))) {
		found->flags |= ROUTE_BAD_ADDRESS;
		set_transport(found, "error:5.1.3 bad address syntax", domain);
	} else if (classify(found, way, sender, domain) == -1 ||
	    (!maps_are_empty(way->transport_maps) &&
	    found->address_class != CLASS_VIRTUAL_ALIAS &&
	    override_transport(found, way->transport_maps, domain) ==
	    TABLE_ERROR) || stop_for_moved(found) == -1) {
		found->error = EAGAIN;
	} else if (found->address_class < CLASS_RELAY)
		warn_of_second_class(domain, found->address_class);
	if (found->address_class == CLASS_LOCAL)
		name_nobody(&found->recipient);
	free(domain);
}
