/* The names of the check language, and the plain checks. */

#include "smtpd/smtpd.h"

#include <string.h>

#include "address/address.h"
#include "delivery/route.h"
#include "config/config.h"
#include "config/network.h"

static enum verdict
permit(struct session *s, const struct check *check)
{
	return VERDICT_PERMIT;
}

static enum verdict
no_opinion(struct session *s, const struct check *check)
{
	return VERDICT_NONE;
}

static enum verdict
reject(struct session *s, const struct check *check)
{
	return check_refuse(s, config.reject_code, "5.7.1",
	    "<%s>: %s rejected: Access denied", check_subject(s),
	    check_subject_class(s));
}

static enum verdict
defer(struct session *s, const struct check *check)
{
	return check_refuse(s, 450, "4.3.2",
	    "<%s>: %s rejected: Try again later", check_subject(s),
	    check_subject_class(s));
}

static enum verdict
permit_mynetworks(struct session *s, const struct check *check)
{
	bool failed = false;

	if (smtpd_is_mynetworks(s, &failed))
		return VERDICT_PERMIT;
	if (failed)
		return check_refuse(s, 451, "4.3.0",
		    "<%s>: Temporary lookup failure", check_subject(s));
	return VERDICT_NONE;
}

static enum verdict
permit_inet_interfaces(struct session *s, const struct check *check)
{
	return network_is_own(&s->address.any) ? VERDICT_PERMIT : VERDICT_NONE;
}

/* Is the recipient in a domain that we are responsible for, by no roundabout way? */
static bool
is_ours(struct session *s)
{
	const struct route *route = checks_recipient_route(s);

	if (!config.allow_untrusted_routing &&
	    (route->flags & ROUTE_SENDER_ROUTED))
		return false;
	return route->address_class >= CLASS_LOCAL &&
	    route->address_class <= CLASS_RELAY;
}

static enum verdict
refuse_lookup(struct session *s)
{
	return check_refuse(s, 451, "4.3.0", "<%s>: Temporary lookup failure",
	    session_recipient(s));
}

static enum verdict
permit_auth_destination(struct session *s, const struct check *check)
{
	if (checks_recipient_route(s)->error != 0)
		return refuse_lookup(s);
	return is_ours(s) ? VERDICT_PERMIT : VERDICT_NONE;
}

static enum verdict
reject_unauth_destination(struct session *s, const struct check *check)
{
	if (checks_recipient_route(s)->error != 0)
		return refuse_lookup(s);
	if (is_ours(s))
		return VERDICT_NONE;
	return check_refuse(s, config.relay_domains_reject_code, "5.7.1",
	    "<%s>: Relay access denied", session_recipient(s));
}

static enum verdict
defer_unauth_destination(struct session *s, const struct check *check)
{
	if (checks_recipient_route(s)->error != 0)
		return refuse_lookup(s);
	if (is_ours(s))
		return VERDICT_NONE;
	return check_refuse(s, 454, "4.7.1", "<%s>: Relay access denied",
	    session_recipient(s));
}

static enum verdict
reject_unauth_pipelining(struct session *s, const struct check *check)
{
	if (!s->pipelined_badly)
		return VERDICT_NONE;
	return check_refuse(s, 503, "5.5.0",
	    "<%s>: %s rejected: Improper use of SMTP command pipelining",
	    check_subject(s), check_subject_class(s));
}

static bool
is_fqdn(const char *domain)
{
	const char *dot = domain == NULL ? NULL : strchr(domain, '.');

	return domain != NULL && (domain[0] == '[' ||
	    (dot != NULL && dot[1] != '\0'));
}

static enum verdict
reject_non_fqdn_sender(struct session *s, const struct check *check)
{
	const char *sender = session_sender(s);

	if (*sender == '\0' || is_fqdn(address_domain(sender)))
		return VERDICT_NONE;
	return check_refuse(s, config.non_fqdn_reject_code, "5.5.2",
	    "<%s>: Sender address rejected: need fully-qualified address",
	    sender);
}

static enum verdict
reject_non_fqdn_recipient(struct session *s, const struct check *check)
{
	const char *recipient = session_recipient(s);

	/* RFC 5321 section 4.5.1: a bare postmaster is always welcome. */
	if (text_equal_nocase(recipient, "postmaster") ||
	    is_fqdn(address_domain(recipient)))
		return VERDICT_NONE;
	return check_refuse(s, config.non_fqdn_reject_code, "5.5.2",
	    "<%s>: Recipient address rejected: need fully-qualified address",
	    recipient);
}

static bool
is_helo_valid(const char *name)
{
	size_t length = strlen(name);

	if (name[0] == '[')
		return address_literal_is_valid(name, length);
	if (length > 0 && name[length - 1] == '.')
		length--;
	return hostname_is_valid(name, length);
}

static enum verdict
reject_invalid_helo(struct session *s, const struct check *check)
{
	if (is_helo_valid(s->helo_name))
		return VERDICT_NONE;
	return check_refuse(s, config.invalid_hostname_reject_code, "5.5.2",
	    "<%s>: Helo command rejected: Invalid name", s->helo_name);
}

static enum verdict
reject_non_fqdn_helo(struct session *s, const struct check *check)
{
	if (is_helo_valid(s->helo_name) && is_fqdn(s->helo_name))
		return VERDICT_NONE;
	return check_refuse(s, config.non_fqdn_reject_code, "5.5.2",
	    "<%s>: Helo command rejected: need fully-qualified hostname",
	    s->helo_name);
}

static enum verdict
reject_unknown_client(struct session *s, const struct check *check)
{
	if (strcmp(s->client_name, "unknown") != 0)
		return VERDICT_NONE;
	return check_refuse(s, config.unknown_client_reject_code, "4.7.25",
	    "Client host rejected: cannot find your hostname, [%s]",
	    s->client_address);
}

static enum verdict
reject_unknown_reverse_client(struct session *s, const struct check *check)
{
	if (s->has_reverse_name)
		return VERDICT_NONE;
	return check_refuse(s, config.unknown_client_reject_code, "4.7.1",
	    "Client host rejected: cannot find your reverse hostname, [%s]",
	    s->client_address);
}

static enum verdict
reject_unknown_helo(struct session *s, const struct check *check)
{
	enum domain_state state;

	if (s->helo_name[0] == '[' || !is_helo_valid(s->helo_name))
		return reject_invalid_helo(s, check);
	if (!checks_domain(s, s->helo_name, &state))
		return VERDICT_WAIT;
	if (state == DOMAIN_THERE || state == DOMAIN_NULL_MX)
		return VERDICT_NONE;
	return check_refuse(s, state == DOMAIN_UNCERTAIN ? 450 :
	    config.unknown_hostname_reject_code, "4.7.1",
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
reject_unknown_domain(struct session *s, const char *address,
    const struct route *route, const struct unknown_domain *words)
{
	const char *domain = address_domain(address);
	enum domain_state state;

	/* Our own domains need no record, and literals have none. */
	if (domain == NULL || domain[0] == '[' ||
	    (route->error == 0 && route->address_class < CLASS_RELAY))
		return VERDICT_NONE;
	if (!checks_domain(s, domain, &state))
		return VERDICT_WAIT;
	switch (state) {
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
	return check_refuse(s, 450, words->status,
	    "<%s>: %s rejected: Domain not found", address, words->class);
}

static enum verdict
reject_unknown_sender_domain(struct session *s, const struct check *check)
{
	static const struct unknown_domain words = {
		"Sender address", "4.1.8", 550, "5.7.27",
	};

	return reject_unknown_domain(s, session_sender(s),
	    checks_sender_route(s), &words);
}

static enum verdict
reject_unknown_recipient_domain(struct session *s, const struct check *check)
{
	static const struct unknown_domain words = {
		"Recipient address", "4.1.2", 556, "5.1.10",
	};

	return reject_unknown_domain(s, session_recipient(s),
	    checks_recipient_route(s), &words);
}

/* Every name in Postfix's manual. One without a function is 451, and named in the log at start. */
static const struct check_kind kinds[] = {
	/* name                          what it needs              function */
	{ "permit",                      0,                         permit },
	{ "reject",                      REFUSES_RELAY,             reject },
	{ "defer",                       REFUSES_RELAY,             defer },
	{ "permit_mynetworks",           0,                         permit_mynetworks },
	{ "permit_inet_interfaces",      0,                         permit_inet_interfaces },
	{ "permit_auth_destination",     NEEDS_RECIPIENT_ROUTE,     permit_auth_destination },
	{ "reject_unauth_destination",   NEEDS_RECIPIENT_ROUTE | REFUSES_RELAY, reject_unauth_destination },
	{ "defer_unauth_destination",    NEEDS_RECIPIENT_ROUTE | REFUSES_RELAY, defer_unauth_destination },
	{ "reject_unlisted_recipient",   NEEDS_RECIPIENT_ROUTE,     listed_recipient },
	{ "check_recipient_maps",        NEEDS_RECIPIENT_ROUTE,     listed_recipient },
	{ "reject_unlisted_sender",      NEEDS_SENDER_ROUTE,        listed_sender },
	{ "reject_non_fqdn_recipient",   NEEDS_RECIPIENT,           reject_non_fqdn_recipient },
	{ "reject_non_fqdn_sender",      NEEDS_SENDER,              reject_non_fqdn_sender },
	{ "reject_non_fqdn_helo_hostname", NEEDS_HELO,              reject_non_fqdn_helo },
	{ "reject_non_fqdn_hostname",    NEEDS_HELO,                reject_non_fqdn_helo },
	{ "reject_invalid_helo_hostname", NEEDS_HELO,               reject_invalid_helo },
	{ "reject_invalid_hostname",     NEEDS_HELO,                reject_invalid_helo },
	{ "reject_unknown_client_hostname", 0,                      reject_unknown_client },
	{ "reject_unknown_client",       0,                         reject_unknown_client },
	{ "reject_unknown_reverse_client_hostname", 0,              reject_unknown_reverse_client },
	{ "reject_unknown_helo_hostname", NEEDS_HELO,               reject_unknown_helo },
	{ "reject_unknown_hostname",     NEEDS_HELO,                reject_unknown_helo },
	{ "reject_unknown_sender_domain", NEEDS_SENDER_ROUTE,       reject_unknown_sender_domain },
	{ "reject_unknown_address",      NEEDS_SENDER_ROUTE,        reject_unknown_sender_domain },
	{ "reject_unknown_recipient_domain", NEEDS_RECIPIENT_ROUTE, reject_unknown_recipient_domain },
	{ "reject_unverified_sender",    NEEDS_SENDER_ROUTE,        reject_unverified_sender },
	{ "reject_unverified_recipient", NEEDS_RECIPIENT_ROUTE,     reject_unverified_recipient },
	{ "reject_unauth_pipelining",    0,                         reject_unauth_pipelining },
	{ "check_client_access",         NEEDS_TABLE,               access_client },
	{ "check_helo_access",           NEEDS_TABLE | NEEDS_HELO,  access_helo },
	{ "check_sender_access",         NEEDS_TABLE | NEEDS_SENDER, access_sender },
	{ "check_recipient_access",      NEEDS_TABLE | NEEDS_RECIPIENT, access_recipient },

	/* Nobody logs in yet. */
	{ "permit_sasl_authenticated",   0,                         no_opinion },
	{ "permit_tls_clientcerts",      0,                         no_opinion },
	{ "permit_tls_all_clientcerts",  0,                         no_opinion },
	{ "reject_authenticated_sender_login_mismatch", 0,          no_opinion },

	/* Not there yet. */
	{ "defer_if_permit",             0, NULL },
	{ "defer_if_reject",             0, NULL },
	{ "sleep",                       NEEDS_WORD, NULL },
	{ "check_policy_service",        NEEDS_WORD, NULL },
	{ "check_ccert_access",          NEEDS_WORD, NULL },
	{ "check_sasl_access",           NEEDS_WORD, NULL },
	{ "check_etrn_access",           NEEDS_WORD, NULL },
	{ "check_reverse_client_hostname_access", NEEDS_WORD, NULL },
	{ "check_client_a_access",       NEEDS_WORD, NULL },
	{ "check_client_mx_access",      NEEDS_WORD, NULL },
	{ "check_client_ns_access",      NEEDS_WORD, NULL },
	{ "check_reverse_client_hostname_a_access", NEEDS_WORD, NULL },
	{ "check_reverse_client_hostname_mx_access", NEEDS_WORD, NULL },
	{ "check_reverse_client_hostname_ns_access", NEEDS_WORD, NULL },
	{ "check_helo_a_access",         NEEDS_WORD, NULL },
	{ "check_helo_mx_access",        NEEDS_WORD, NULL },
	{ "check_helo_ns_access",        NEEDS_WORD, NULL },
	{ "check_sender_a_access",       NEEDS_WORD, NULL },
	{ "check_sender_mx_access",      NEEDS_WORD, NULL },
	{ "check_sender_ns_access",      NEEDS_WORD, NULL },
	{ "check_recipient_a_access",    NEEDS_WORD, NULL },
	{ "check_recipient_mx_access",   NEEDS_WORD, NULL },
	{ "check_recipient_ns_access",   NEEDS_WORD, NULL },
	{ "permit_dnswl_client",         NEEDS_WORD, NULL },
	{ "permit_rhswl_client",         NEEDS_WORD, NULL },
	{ "permit_mx_backup",            0, NULL },
	{ "permit_naked_ip_address",     0, NULL },
	{ "reject_rbl_client",           NEEDS_WORD, NULL },
	{ "reject_rbl",                  NEEDS_WORD, NULL },
	{ "reject_rhsbl_client",         NEEDS_WORD, NULL },
	{ "reject_rhsbl_helo",           NEEDS_WORD, NULL },
	{ "reject_rhsbl_reverse_client", NEEDS_WORD, NULL },
	{ "reject_rhsbl_sender",         NEEDS_WORD, NULL },
	{ "reject_rhsbl_recipient",      NEEDS_WORD, NULL },
	{ "reject_unknown_forward_client_hostname", 0, NULL },
	{ "reject_sender_login_mismatch", 0, NULL },
	{ "reject_known_sender_login_mismatch", 0, NULL },
	{ "reject_unauthenticated_sender_login_mismatch", 0, NULL },
	{ "reject_multi_recipient_bounce", 0, NULL },
	{ "reject_plaintext_session",    0, NULL },
	{ "reject_unknown_sender_login_mismatch", 0, NULL },
};

const struct check_kind *
check_kind_find(const char *name)
{
	for (size_t i = 0; i < COUNT_OF(kinds); i++)
		if (text_equal_nocase(kinds[i].name, name))
			return &kinds[i];
	return NULL;
}
