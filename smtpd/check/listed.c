/*
 * Is there such a recipient, such a sender? Mail for nobody is refused while
 * the client is on the line, so that no notice goes to a forged sender.
 */

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "address/address.h"
#include "config/config.h"
#include "delivery/route.h"
#include "delivery/verify.h"
#include "smtp/smtp.h"
#include "smtpd/check/check.h"
#include "table/maps.h"

static struct maps *aliases, *locals, *virtuals, *relays;
static struct maps *canonicals, *sender_canonicals, *recipient_canonicals;

void
listed_open(void)
{
	aliases = told_open_maps("virtual_alias_maps", config.virtual_alias_maps);
	canonicals = told_open_maps("canonical_maps", config.canonical_maps);
	sender_canonicals = told_open_maps("sender_canonical_maps",
	    config.sender_canonical_maps);
	recipient_canonicals = told_open_maps("recipient_canonical_maps",
	    config.recipient_canonical_maps);
	locals = told_open_maps("local_recipient_maps",
	    config.local_recipient_maps);
	virtuals = told_open_maps("virtual_mailbox_maps",
	    config.virtual_mailbox_maps);
	relays = told_open_maps("relay_recipient_maps",
	    config.relay_recipient_maps);
}

/* Who must know the addresses of a class: its maps, and what to say when they do not. */
struct listing {
	struct maps	*maps;
	const char	*table;
	const int	*code;
	const char	*sender_status;
};

static bool
find_listing(int address_class, struct listing *listing)
{
	const struct listing listings[] = {
		[CLASS_LOCAL] = { locals, "local recipient table",
		    &config.unknown_local_recipient_reject_code, "5.1.0" },
		[CLASS_VIRTUAL_MAILBOX] = { virtuals,
		    "virtual mailbox table",
		    &config.unknown_virtual_mailbox_reject_code, "5.1.0" },
		[CLASS_RELAY] = { relays, "relay recipient table",
		    &config.unknown_relay_recipient_reject_code, "5.1.0" },
	};

	/* An address in a virtual alias domain is an alias, or its transport is "error". */
	if (address_class < CLASS_LOCAL || address_class > CLASS_RELAY ||
	    address_class == CLASS_VIRTUAL_ALIAS)
		return false;
	*listing = listings[address_class];
	return true;
}

/* The address from which our own probes come is nobody's, but exists. */
bool
listed_is_probe_sender(const char *address)
{
	char *localpart = mem_strndup(address,
	    address_localpart_length(address));
	bool is_ours = text_equal_nocase(localpart,
	    config.double_bounce_sender) || verify_is_sender(localpart);

	free(localpart);
	return is_ours;
}

/* A bare user in a table is one of ours: in a local domain, or in the one that completes our addresses. */
static bool
may_be_bare(const struct route *route)
{
	const char *domain = address_domain(route->recipient);

	return route->address_class == CLASS_LOCAL ||
	    (domain != NULL && strcasecmp(domain, config.myorigin) == 0);
}

/* Does the class's own list know him? An empty one is no list: everybody is known. */
static enum table_answer
is_known(const struct route *route, const struct listing *listing)
{
	const char *value;

	if (maps_are_empty(listing->maps))
		return TABLE_FOUND;
	return maps_find_address(listing->maps, route->recipient,
	    may_be_bare(route), config.recipient_delimiter,
	    &value, NULL);
}

/* error: and retry: have the reason as nexthop: of transport_maps, relocated_maps, or that it is no alias. */
static enum verdict
check_transport(struct session *s, const char *address, const char *class,
    const struct route *route)
{
	char status[SMTP_STATUS_SIZE];
	size_t length = smtp_status_parse(route->nexthop,
	    strlen(route->nexthop), status);
	const char *text = route->nexthop + length;
	bool retry = strcmp(route->transport, "retry") == 0;
	int code = route->address_class == CLASS_VIRTUAL_ALIAS ?
	    config.unknown_virtual_alias_reject_code : 550;

	if (!retry && strcmp(route->transport, "error") != 0)
		return VERDICT_PERMIT;
	if (length == 0)
		strlcpy(status, strcmp(class, "Recipient address") == 0
		    ? "5.1.1" : "5.1.0", sizeof(status));
	return check_refuse(s, retry ? 450 : code,
	    status_for_class(class, status), "<%s>: %s rejected: %s", address,
	    class, text + strspn(text, " "));
}

static enum verdict
refuse_lookup(struct session *s, const char *address)
{
	if (told_is_asking(s))
		return VERDICT_WAIT;
	return check_fail(s, "4.3.0", "<%s>: Temporary lookup failure",
	    address);
}

/*
 * An alias, or what canonical tables rewrite, may have any domain, and what it leads to is not ours to
 * judge. A sender is also known by what only senders become, but is nobody's recipient then.
 */
static enum table_answer
is_rewritten(const struct route *route, bool is_sender, bool *only_sender)
{
	struct maps *const maps[] = { recipient_canonicals,
	    is_sender ? sender_canonicals : NULL, canonicals, aliases };
	const char *value;

	for (size_t i = 0; i < COUNT_OF(maps); i++) {
		enum table_answer answer;

		if (maps[i] == NULL || maps_are_empty(maps[i]))
			continue;
		answer = maps_find_address(maps[i], route->recipient,
		    may_be_bare(route), config.recipient_delimiter, &value,
		    NULL);
		*only_sender = maps[i] == sender_canonicals;
		if (answer != TABLE_NONE)
			return answer;
	}
	return TABLE_NONE;
}

/* Whoever answers a notice writes to him. */
static bool
is_mailer_daemon(const char *address)
{
	static const char name[] = "mailer-daemon";
	size_t length = address_localpart_length(address);

	return length == strlen(name) &&
	    strncasecmp(address, name, length) == 0;
}

/* The sender or the recipient need not be looked up again for a while. */
static void
note_known(struct session *s, bool is_sender)
{
	const char *sender = session_sender(s);
	const char *recipient = session_recipient(s);

	if (is_sender)
		route_note_known(recipient, sender);
	else
		route_note_known(sender, recipient);
}

static enum verdict
check_class(struct session *s, const char *address, const char *class,
    const char *status, const struct route *route)
{
	struct listing listing;

	if (!find_listing(route->address_class, &listing) ||
	    (route->address_class == CLASS_LOCAL &&
	    is_mailer_daemon(route->recipient)) ||
	    listed_is_probe_sender(route->recipient))
		return VERDICT_NONE;
	switch (is_known(route, &listing)) {
	case TABLE_FOUND:
		note_known(s, status == NULL);
		return VERDICT_NONE;
	case TABLE_ERROR:
		return refuse_lookup(s, address);
	case TABLE_NONE:
		break;
	}
	return check_refuse(s, *listing.code,
	    status == NULL ? listing.sender_status : status,
	    "<%s>: %s rejected: User unknown%s%s", address, class,
	    config.show_user_unknown_table_name ? " in " : "",
	    config.show_user_unknown_table_name ? listing.table : "");
}

static enum verdict
check_listed(struct session *s, const char *address, const char *class,
    const char *status, const struct route *route)
{
	bool is_sender = status == NULL, only_sender = false;
	enum table_answer answer;
	enum verdict verdict;

	if (route->is_known)
		return VERDICT_NONE;
	answer = route->error != 0 ? TABLE_ERROR :
	    is_rewritten(route, is_sender, &only_sender);
	if (answer == TABLE_ERROR)
		return refuse_lookup(s, address);
	if (answer == TABLE_FOUND) {
		if (!only_sender)
			note_known(s, is_sender);
		return VERDICT_NONE;
	}
	if (route->address_class != CLASS_VIRTUAL_ALIAS ||
	    !listed_is_probe_sender(route->recipient)) {
		verdict = check_transport(s, address, class, route);
		if (verdict != VERDICT_PERMIT)
			return verdict;
	}
	return check_class(s, address, class, status, route);
}

enum verdict
listed_recipient(struct session *s, const struct check *check)
{
	return check_listed(s, session_recipient(s), "Recipient address",
	    "5.1.1", checks_recipient_route(s));
}

enum verdict
listed_sender(struct session *s, const struct check *check)
{
	return check_listed(s, session_sender(s), "Sender address", NULL,
	    checks_sender_route(s));
}
