/* Does a domain take mail? The DNS knows: an MX record, or else an address (RFC 5321 section 5.1). */

#include <string.h>

#include "address/address.h"
#include "config/config.h"
#include "delivery/route.h"
#include "smtpd/check/check.h"

enum domain_state {
	DOMAIN_ASKED,
	DOMAIN_THERE,
	DOMAIN_NOT_FOUND,
	DOMAIN_NULL_MX,		/* it says that it takes no mail (RFC 7505) */
	DOMAIN_UNCERTAIN,	/* nobody knows just now */
};

static enum domain_state
look_at_domain(struct session *s, const char *domain)
{
	const struct told *mx = told_mx(s, domain), *host;

	if (mx == NULL)
		return DOMAIN_ASKED;
	if (mx->result == RESOLVE_FOUND)
		return mx->count == 1 && mx->names[0][0] == '\0' ?
		    DOMAIN_NULL_MX : DOMAIN_THERE;
	if (mx->result == RESOLVE_NOT_FOUND)
		return DOMAIN_NOT_FOUND;
	if (mx->result == RESOLVE_TEMPORARY)
		return DOMAIN_UNCERTAIN;
	if ((host = told_addresses(s, domain)) == NULL)
		return DOMAIN_ASKED;
	return host->result == RESOLVE_FOUND ? DOMAIN_THERE :
	    host->result == RESOLVE_TEMPORARY ? DOMAIN_UNCERTAIN :
	    DOMAIN_NOT_FOUND;
}

enum verdict
domain_helo(struct session *s, const struct check *check)
{
	switch (look_at_domain(s, s->helo_name)) {
	case DOMAIN_ASKED:
		return VERDICT_WAIT;
	case DOMAIN_THERE:
	case DOMAIN_NULL_MX:
		return VERDICT_NONE;
	case DOMAIN_NOT_FOUND:
		return check_refuse(s, config.unknown_hostname_reject_code,
		    "4.7.1", "<%s>: Helo command rejected: Host not found",
		    s->helo_name);
	case DOMAIN_UNCERTAIN:
		break;
	}
	return check_defer_if_permit(s,
	    config.unknown_helo_hostname_tempfail_action, 450, "4.7.1",
	    "<%s>: Helo command rejected: Host not found", s->helo_name);
}

/* What differs between a sender and a recipient whose domain is not there. */
struct unknown_domain {
	const char	*class;
	const char	*status;
	int		 null_mx_code;
	const char	*null_mx_status;
};

static enum verdict
check_domain(struct session *s, const char *address,
    const struct route *route, const struct unknown_domain *words)
{
	const char *domain = address_domain(route->error == 0
	    ? route->recipient : address);

	/* Our own domains need no record, and literals have none. */
	if (domain == NULL || domain[0] == '[' ||
	    (route->error == 0 && route->address_class < CLASS_RELAY))
		return VERDICT_NONE;
	switch (look_at_domain(s, domain)) {
	case DOMAIN_ASKED:
		return VERDICT_WAIT;
	case DOMAIN_THERE:
		return VERDICT_NONE;
	case DOMAIN_NULL_MX:
		return check_refuse(s, words->null_mx_code,
		    words->null_mx_status,
		    "<%s>: %s rejected: Domain %s does not accept mail (nullMX)",
		    address, words->class, domain);
	case DOMAIN_NOT_FOUND:
		return check_refuse(s, config.unknown_address_reject_code,
		    words->status, "<%s>: %s rejected: Domain not found",
		    address, words->class);
	case DOMAIN_UNCERTAIN:
		break;
	}
	return check_defer_if_permit(s,
	    config.unknown_address_tempfail_action, 450, words->status,
	    "<%s>: %s rejected: Domain not found", address, words->class);
}

enum verdict
domain_sender(struct session *s, const struct check *check)
{
	static const struct unknown_domain words = {
		"Sender address", "4.1.8", 550, "5.7.27",
	};

	return check_domain(s, session_sender(s), checks_sender_route(s),
	    &words);
}

enum verdict
domain_recipient(struct session *s, const struct check *check)
{
	static const struct unknown_domain words = {
		"Recipient address", "4.1.2", 556, "5.1.10",
	};

	return check_domain(s, session_recipient(s),
	    checks_recipient_route(s), &words);
}
