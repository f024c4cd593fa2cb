/* The names of the check language, and the plain checks. */

#include "smtpd/check/check.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#include "address/address.h"
#include "config/config.h"
#include "config/network.h"
#include "delivery/route.h"
#include "smtpd/client.h"
#include "smtpd/transaction.h"

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
	return check_refuse(s, config.defer_code, "4.3.2",
	    "<%s>: %s rejected: Try again later", check_subject(s),
	    check_subject_class(s));
}

static enum verdict
permit_mynetworks(struct session *s, const struct check *check)
{
	bool failed = false, is_ours;

	told_begin_tables(s);
	is_ours = client_is_mynetworks(s, &failed);
	if (!told_end_tables(s))
		return VERDICT_WAIT;
	if (is_ours)
		return VERDICT_PERMIT;
	if (failed)
		return check_fail(s, "4.3.0",
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
	return check_fail(s, "4.3.0", "<%s>: Temporary lookup failure",
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
is_address(const char *name)
{
	unsigned char unused[16];

	return inet_pton(AF_INET, name, unused) == 1 ||
	    inet_pton(AF_INET6, name, unused) == 1;
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

/* An address without brackets is a name that is not fully qualified. */
static enum verdict
reject_invalid_helo(struct session *s, const struct check *check)
{
	if (is_helo_valid(s->helo_name) || is_address(s->helo_name))
		return VERDICT_NONE;
	return check_refuse(s, config.invalid_hostname_reject_code, "5.5.2",
	    "<%s>: Helo command rejected: %s", s->helo_name,
	    s->helo_name[0] == '[' ? "invalid ip address" : "Invalid name");
}

static enum verdict
reject_non_fqdn_helo(struct session *s, const struct check *check)
{
	/* A literal is no name: whether it is one is reject_invalid_helo's to say. */
	if (s->helo_name[0] == '[' ||
	    (is_helo_valid(s->helo_name) && is_fqdn(s->helo_name)))
		return VERDICT_NONE;
	return check_refuse(s, config.non_fqdn_reject_code, "5.5.2",
	    "<%s>: Helo command rejected: need fully-qualified hostname",
	    s->helo_name);
}

static enum verdict
refuse_client(struct session *s, bool uncertain, const char *status,
    const char *what)
{
	return check_refuse(s, uncertain ? 450
	    : config.unknown_client_reject_code, status,
	    "Client host rejected: cannot find your %shostname, [%s]", what,
	    s->client_address);
}

static enum verdict
reject_unknown_client(struct session *s, const struct check *check)
{
	if (strcmp(s->client_name, "unknown") != 0)
		return VERDICT_NONE;
	return refuse_client(s, s->name_is_uncertain, "4.7.25", "");
}

static enum verdict
reject_unknown_reverse_client(struct session *s, const struct check *check)
{
	if (s->reverse_name != NULL)
		return VERDICT_NONE;
	return refuse_client(s, s->reverse_is_uncertain, "4.7.1", "reverse ");
}

static enum verdict
reject_unknown_forward_client(struct session *s, const struct check *check)
{
	if (s->reverse_name == NULL || strcmp(s->client_name, "unknown") != 0)
		return VERDICT_NONE;
	return refuse_client(s, s->name_is_uncertain, "4.7.1", "forward ");
}

static enum verdict
reject_unknown_helo(struct session *s, const struct check *check)
{
	if (s->helo_name[0] == '[' || !is_helo_valid(s->helo_name))
		return reject_invalid_helo(s, check);
	return domain_helo(s, check);
}

/* A bounce has one recipient: RFC 5321 section 4.5.5. */
static enum verdict
reject_multi_recipient_bounce(struct session *s, const struct check *check)
{
	size_t named = s->transaction->envelope->recipient_count;

	if (s->transaction->rcpt != NULL)
		named++;
	if (session_sender(s)[0] != '\0' || named < 2)
		return VERDICT_NONE;
	return check_refuse(s, config.multi_recipient_bounce_reject_code,
	    "5.5.3", "<%s>: %s rejected: Multi-recipient bounce",
	    check_subject(s), check_subject_class(s));
}

/* No session is encrypted yet. */
static enum verdict
reject_plaintext_session(struct session *s, const struct check *check)
{
	return check_refuse(s, config.plaintext_reject_code, "4.7.1",
	    "Session encryption is required");
}

static enum verdict
defer_if_permit(struct session *s, const struct check *check)
{
	return check_defer_if_permit(s, "defer_if_permit", 450, "4.7.0",
	    "<%s>: %s rejected: defer_if_permit requested", check_subject(s),
	    check_subject_class(s));
}

static enum verdict
defer_if_reject(struct session *s, const struct check *check)
{
	return check_defer_if_reject(s, 450, "4.7.0",
	    "<%s>: %s rejected: defer_if_reject requested", check_subject(s),
	    check_subject_class(s));
}

static enum verdict
pause_for(struct session *s, const struct check *check)
{
	const char *error;
	int seconds = (int)strtonum(check->argument, 0, 3600, &error);

	if (error != NULL)
		return check_misconfigured(s);
	return check_pause(s, seconds) ? VERDICT_NONE : VERDICT_WAIT;
}

static enum verdict
permit_naked_ip_address(struct session *s, const struct check *check)
{
	return is_address(s->helo_name) ? VERDICT_PERMIT : VERDICT_NONE;
}

/* Every name in Postfix's manual. */
static const struct check_kind kinds[] = {
	/* any stage */
	{ "permit",                      0, permit },
	{ "reject",                      REFUSES_RELAY, reject },
	{ "defer",                       REFUSES_RELAY, defer },
	{ "defer_if_permit",             0, defer_if_permit },
	{ "defer_if_reject",             0, defer_if_reject },
	{ "sleep",                       NEEDS_WORD, pause_for },
	{ "reject_unauth_pipelining",    0, reject_unauth_pipelining },
	{ "reject_multi_recipient_bounce", NEEDS_MAIL, reject_multi_recipient_bounce },
	{ "reject_plaintext_session",    0, reject_plaintext_session },
	{ "check_policy_service",        NEEDS_POLICY, delegate },

	/* the client */
	{ "permit_mynetworks",           0, permit_mynetworks },
	{ "permit_inet_interfaces",      0, permit_inet_interfaces },
	{ "reject_unknown_client_hostname", 0, reject_unknown_client },
	{ "reject_unknown_client",       0, reject_unknown_client },
	{ "reject_unknown_reverse_client_hostname", 0, reject_unknown_reverse_client },
	{ "reject_unknown_forward_client_hostname", 0, reject_unknown_forward_client },
	{ "check_client_access",         NEEDS_TABLE, access_client },
	{ "check_client_a_access",       NEEDS_TABLE, servers_check },
	{ "check_client_mx_access",      NEEDS_TABLE, servers_check },
	{ "check_client_ns_access",      NEEDS_TABLE, servers_check },
	{ "check_reverse_client_hostname_access", NEEDS_TABLE, access_reverse_client },
	{ "check_reverse_client_hostname_a_access", NEEDS_TABLE, servers_check },
	{ "check_reverse_client_hostname_mx_access", NEEDS_TABLE, servers_check },
	{ "check_reverse_client_hostname_ns_access", NEEDS_TABLE, servers_check },
	{ "reject_rbl_client",           NEEDS_DNSBL, dnsbl_reject_client },
	{ "reject_rbl",                  NEEDS_DNSBL, dnsbl_reject_client },
	{ "permit_dnswl_client",         NEEDS_DNSBL, dnsbl_permit_client },
	{ "reject_rhsbl_client",         NEEDS_DNSBL, dnsbl_name },
	{ "reject_rhsbl_reverse_client", NEEDS_DNSBL, dnsbl_name },
	{ "permit_rhswl_client",         NEEDS_DNSBL, dnsbl_name },

	/* HELO */
	{ "reject_invalid_helo_hostname", NEEDS_HELO, reject_invalid_helo },
	{ "reject_invalid_hostname",     NEEDS_HELO, reject_invalid_helo },
	{ "reject_non_fqdn_helo_hostname", NEEDS_HELO, reject_non_fqdn_helo },
	{ "reject_non_fqdn_hostname",    NEEDS_HELO, reject_non_fqdn_helo },
	{ "reject_unknown_helo_hostname", NEEDS_HELO, reject_unknown_helo },
	{ "reject_unknown_hostname",     NEEDS_HELO, reject_unknown_helo },
	{ "permit_naked_ip_address",     NEEDS_HELO, permit_naked_ip_address },
	{ "check_helo_access",           NEEDS_HELO | NEEDS_TABLE, access_helo },
	{ "check_helo_a_access",         NEEDS_HELO | NEEDS_TABLE, servers_check },
	{ "check_helo_mx_access",        NEEDS_HELO | NEEDS_TABLE, servers_check },
	{ "check_helo_ns_access",        NEEDS_HELO | NEEDS_TABLE, servers_check },
	{ "reject_rhsbl_helo",           NEEDS_HELO | NEEDS_DNSBL, dnsbl_name },

	/* the sender */
	{ "reject_non_fqdn_sender",      NEEDS_SENDER, reject_non_fqdn_sender },
	{ "reject_unknown_sender_domain", NEEDS_SENDER | NEEDS_SENDER_ROUTE, domain_sender },
	{ "reject_unknown_address",      NEEDS_SENDER | NEEDS_SENDER_ROUTE, domain_sender },
	{ "reject_unlisted_sender",      NEEDS_SENDER | NEEDS_SENDER_ROUTE, listed_sender },
	{ "check_sender_access",         NEEDS_MAIL | NEEDS_SENDER_ROUTE | NEEDS_TABLE, access_sender },
	{ "check_sender_a_access",       NEEDS_SENDER | NEEDS_SENDER_ROUTE | NEEDS_TABLE, servers_check },
	{ "check_sender_mx_access",      NEEDS_SENDER | NEEDS_SENDER_ROUTE | NEEDS_TABLE, servers_check },
	{ "check_sender_ns_access",      NEEDS_SENDER | NEEDS_SENDER_ROUTE | NEEDS_TABLE, servers_check },
	{ "reject_rhsbl_sender",         NEEDS_SENDER | NEEDS_DNSBL, dnsbl_name },
	{ "reject_sender_login_mismatch", NEEDS_SENDER | NEEDS_SENDER_ROUTE, owner_check },
	{ "reject_known_sender_login_mismatch", NEEDS_SENDER | NEEDS_SENDER_ROUTE, owner_check },
	{ "reject_unauthenticated_sender_login_mismatch", NEEDS_SENDER | NEEDS_SENDER_ROUTE, owner_check },
	{ "reject_unverified_sender",    NEEDS_SENDER | NEEDS_SENDER_ROUTE, reject_unverified_sender },

	/* the recipient */
	{ "permit_auth_destination",     NEEDS_RECIPIENT_ROUTE, permit_auth_destination },
	{ "permit_mx_backup",            NEEDS_RECIPIENT_ROUTE, permit_mx_backup },
	{ "reject_unauth_destination",   NEEDS_RECIPIENT_ROUTE | REFUSES_RELAY, reject_unauth_destination },
	{ "defer_unauth_destination",    NEEDS_RECIPIENT_ROUTE | REFUSES_RELAY, defer_unauth_destination },
	{ "reject_non_fqdn_recipient",   NEEDS_RECIPIENT, reject_non_fqdn_recipient },
	{ "reject_unknown_recipient_domain", NEEDS_RECIPIENT_ROUTE, domain_recipient },
	{ "reject_unlisted_recipient",   NEEDS_RECIPIENT_ROUTE, listed_recipient },
	{ "check_recipient_maps",        NEEDS_RECIPIENT_ROUTE, listed_recipient },
	{ "check_recipient_access",      NEEDS_RECIPIENT_ROUTE | NEEDS_TABLE, access_recipient },
	{ "check_recipient_a_access",    NEEDS_RECIPIENT_ROUTE | NEEDS_TABLE, servers_check },
	{ "check_recipient_mx_access",   NEEDS_RECIPIENT_ROUTE | NEEDS_TABLE, servers_check },
	{ "check_recipient_ns_access",   NEEDS_RECIPIENT_ROUTE | NEEDS_TABLE, servers_check },
	{ "reject_rhsbl_recipient",      NEEDS_RECIPIENT | NEEDS_DNSBL, dnsbl_name },
	{ "reject_unverified_recipient", NEEDS_RECIPIENT_ROUTE, reject_unverified_recipient },

	/* ETRN */
	{ "check_etrn_access",           NEEDS_SITE | NEEDS_TABLE, access_etrn },

	/* Nobody logs in yet, or shows a certificate. */
	{ "permit_sasl_authenticated",   0, no_opinion },
	{ "permit_tls_clientcerts",      0, no_opinion },
	{ "permit_tls_all_clientcerts",  0, no_opinion },
	{ "check_sasl_access",           NEEDS_WORD, no_opinion },
	{ "check_ccert_access",          NEEDS_WORD, no_opinion },
	{ "reject_authenticated_sender_login_mismatch", 0, no_opinion },
};

const struct check_kind *
check_kind_find(const char *name)
{
	for (size_t i = 0; i < COUNT_OF(kinds); i++)
		if (text_equal_nocase(kinds[i].name, name))
			return &kinds[i];
	return NULL;
}
