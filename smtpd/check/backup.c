/* permit_mx_backup: are we among the mail exchangers of his domain? */

#include <string.h>

#include "address/address.h"
#include "config/config.h"
#include "config/network.h"
#include "delivery/route.h"
#include "smtpd/check/check.h"
#include "table/match.h"

static struct match_list *networks;	/* of primary exchangers that we are a backup for */

void
backup_open(void)
{
	networks = match_list_open("permit_mx_backup_networks",
	    config.permit_mx_backup_networks);
}

enum found { NOT_FOUND, FOUND, ASKED };

typedef bool wanted(const struct session *, const union resolve_address *);

static bool
is_own(const struct session *s, const union resolve_address *address)
{
	return network_is_own(&address->any);
}

static bool
is_in_networks(const struct session *s, const union resolve_address *address)
{
	return match_client(networks, NULL, &address->any) == TABLE_FOUND;
}

/* What cannot be looked up might permit him, so it is no reason to refuse him for good. */
static void
note_uncertain(struct session *s, const char *what, const char *host,
    const char *why)
{
	check_defer_if_reject(s, 450, "4.4.4",
	    "<%s>: Recipient address rejected: Unable to look up mail "
	    "exchanger %s%s: %s", session_recipient(s), what, host, why);
}

/* As the C library has it, which Postfix asks for hosts. */
static const char *
reason(enum resolve_result result)
{
	return result == RESOLVE_TEMPORARY ?
	    "Temporary failure in name resolution" :
	    result == RESOLVE_NO_DATA ?
	    "No address associated with hostname" :
	    "Name or service not known";
}

/* Has one of the exchangers, up to that preference, an address that is wanted? */
static enum found
find_exchanger(struct session *s, const struct told *mx, unsigned last,
    wanted *is_wanted)
{
	for (size_t i = 0; i < mx->count && mx->preferences[i] <= last; i++) {
		const struct told *host = told_addresses(s, mx->names[i]);

		if (host == NULL)
			return ASKED;
		if (host->result != RESOLVE_FOUND)
			note_uncertain(s, "host ", mx->names[i],
			    reason(host->result));
		for (size_t j = 0; j < host->count; j++)
			if (is_wanted(s, &host->addresses[j]))
				return FOUND;
	}
	return NOT_FOUND;
}

static enum verdict
check_exchangers(struct session *s, const char *domain)
{
	const struct told *mx = told_mx(s, domain);
	enum found found;

	if (mx == NULL)
		return VERDICT_WAIT;
	if (mx->result == RESOLVE_TEMPORARY)
		note_uncertain(s, "information", "",
		    resolve_reason(RESOLVE_TEMPORARY));
	if (mx->result != RESOLVE_FOUND || mx->names[0][0] == '\0')
		return VERDICT_NONE;
	found = find_exchanger(s, mx, 65535, is_own);
	/* Whose primary is elsewhere than these networks is no customer of ours. */
	if (found == FOUND && config.permit_mx_backup_networks[0] != '\0')
		found = find_exchanger(s, mx, mx->preferences[0],
		    is_in_networks);
	switch (found) {
	case FOUND:
		return VERDICT_PERMIT;
	case ASKED:
		return VERDICT_WAIT;
	case NOT_FOUND:
		break;
	}
	return VERDICT_NONE;
}

enum verdict
permit_mx_backup(struct session *s, const struct check *check)
{
	const struct route *route = checks_recipient_route(s);
	const char *domain = address_domain(session_recipient(s));

	if (route->error != 0)
		return check_fail(s, "4.3.0", "<%s>: Temporary lookup failure",
		    session_recipient(s));
	if (!config.allow_untrusted_routing &&
	    (route->flags & ROUTE_SENDER_ROUTED))
		return VERDICT_NONE;
	if (route->address_class >= CLASS_LOCAL &&
	    route->address_class <= CLASS_RELAY)
		return VERDICT_PERMIT;
	if (domain == NULL || domain[0] == '[')
		return VERDICT_NONE;
	return check_exchangers(s, domain);
}
