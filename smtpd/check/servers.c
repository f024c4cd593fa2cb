/*
 * check_*_mx_access, check_*_ns_access, check_*_a_access: the servers of a
 * domain, by name and address, in an access table.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <arpa/inet.h>

#include "address/address.h"
#include "smtpd/check/check.h"

enum servers { SERVERS_A, SERVERS_MX, SERVERS_NS };

/* Whose servers, and which. Made from the name of the check. */
static enum servers
kind_of(const struct check *check)
{
	return strstr(check->kind->name, "_mx_") != NULL ? SERVERS_MX :
	    strstr(check->kind->name, "_ns_") != NULL ? SERVERS_NS : SERVERS_A;
}

/* NULL: nothing to look at. */
static const char *
domain_of(struct session *s, const struct check *check,
    struct subject *subject)
{
	const char *name = check->kind->name;

	subject->source = check->argument;
	if (strstr(name, "_reverse_") != NULL) {
		subject->name = s->reverse_name == NULL ? "unknown"
		    : s->reverse_name;
		subject->class = "Unverified Client host";
		return s->reverse_name;
	}
	if (strstr(name, "_client_") != NULL) {
		subject->name = s->peer;
		subject->class = "Client host";
		return strcmp(s->client_name, "unknown") == 0 ? NULL
		    : s->client_name;
	}
	if (strstr(name, "_helo_") != NULL) {
		subject->name = s->helo_name;
		subject->class = "Helo command";
		return s->helo_name;
	}

	bool of_sender = strstr(name, "_sender_") != NULL;
	const struct route *route = of_sender ? checks_sender_route(s)
	    : checks_recipient_route(s);

	subject->name = of_sender ? session_sender(s) : session_recipient(s);
	subject->class = of_sender ? "Sender address" : "Recipient address";
	return address_domain(route->error == 0 ? route->recipient
	    : subject->name);
}

static enum verdict
check_addresses(struct session *s, const struct check *check,
    const struct subject *subject, const char *host, bool *found)
{
	const struct told *told = told_addresses(s, host);
	char room[INET6_ADDRSTRLEN];

	if (told == NULL)
		return VERDICT_WAIT;
	if (told->result != RESOLVE_FOUND && kind_of(check) != SERVERS_A)
		log_warning("Unable to look up %s host %s for %s %s: %s",
		    kind_of(check) == SERVERS_MX ? "MX" : "NS", host,
		    subject->class, subject->name,
		    resolve_reason(told->result));
	for (size_t i = 0; i < told->count && !*found; i++) {
		enum verdict verdict = access_address(s, check, subject,
		    address_text(&told->addresses[i], room), found);

		if (verdict != VERDICT_NONE)
			return verdict;
	}
	return VERDICT_NONE;
}

static enum verdict
check_server(struct session *s, const struct check *check,
    const struct subject *subject, const char *host, bool *found)
{
	enum verdict verdict = access_name(s, check, subject, host, found);

	if (verdict != VERDICT_NONE || *found)
		return verdict;
	return check_addresses(s, check, subject, host, found);
}

static enum verdict
check_each(struct session *s, const struct check *check,
    const struct subject *subject, const struct told *servers, bool *found)
{
	for (size_t i = 0; i < servers->count && !*found; i++) {
		enum verdict verdict = check_server(s, check, subject,
		    servers->names[i], found);

		if (verdict != VERDICT_NONE)
			return verdict;
	}
	return VERDICT_NONE;
}

static enum verdict
no_servers(const char *type, const char *domain, enum resolve_result result)
{
	if (result == RESOLVE_TEMPORARY)
		log_warning("Unable to look up %s host for %s: %s", type,
		    domain, resolve_reason(result));
	return VERDICT_NONE;
}

/* A domain without MX is its own (RFC 5321 section 5.1). */
static enum verdict
check_mx(struct session *s, const struct check *check,
    const struct subject *subject, const char *domain, bool *found)
{
	const struct told *told = told_mx(s, domain);

	if (told == NULL)
		return VERDICT_WAIT;
	if (told->result == RESOLVE_NO_DATA)
		return check_server(s, check, subject, domain, found);
	if (told->result != RESOLVE_FOUND)
		return no_servers("MX", domain, told->result);
	if (told->count == 1 && told->names[0][0] == '\0')
		return VERDICT_NONE;
	return check_each(s, check, subject, told, found);
}

/* A name within a zone has the servers of the zone; so would one that is not there. */
static enum verdict
check_ns(struct session *s, const struct check *check,
    const struct subject *subject, const char *domain, bool *found)
{
	const struct told *told = told_ns(s, domain);

	while (told != NULL && (told->result == RESOLVE_NO_DATA ||
	    told->result == RESOLVE_NOT_FOUND) &&
	    (domain = strchr(domain, '.')) != NULL && *++domain != '\0')
		told = told_ns(s, domain);
	if (told == NULL)
		return VERDICT_WAIT;
	if (told->result != RESOLVE_FOUND)
		return no_servers("NS", domain == NULL ? subject->name
		    : domain, told->result);
	return check_each(s, check, subject, told, found);
}

/* "[192.0.2.1]" or "[IPv6:2001:db8::1]" without its brackets; NULL if it is none. */
static char *
literal_address(const char *domain)
{
	size_t length = strlen(domain);

	if (!address_literal_is_valid(domain, length))
		return NULL;
	domain++;
	length -= 2;
	if (length > 5 && strncasecmp(domain, "IPv6:", 5) == 0) {
		domain += 5;
		length -= 5;
	}
	return mem_strndup(domain, length);
}

static enum verdict
check_literal(struct session *s, const struct check *check,
    const struct subject *subject, const char *domain, bool *found)
{
	char *address = literal_address(domain);
	enum verdict verdict = VERDICT_NONE;

	if (address != NULL && kind_of(check) != SERVERS_NS)
		verdict = access_address(s, check, subject, address, found);
	free(address);
	return verdict;
}

/* Who controls a domain controls its records: what they say must not open a door. */
static enum verdict
forbid_permit(struct session *s, const struct check *check,
    const struct subject *subject)
{
	log_warning("restriction %s returns OK for %s; this is not allowed "
	    "for security reasons: use DUNNO instead of OK to make an "
	    "exception", check->kind->name, subject->name);
	return check_misconfigured(s);
}

enum verdict
servers_check(struct session *s, const struct check *check)
{
	struct subject subject;
	const char *domain = domain_of(s, check, &subject);
	enum verdict verdict;
	bool found = false;

	if (domain == NULL || *domain == '\0')
		return VERDICT_NONE;
	if (*domain == '[')
		verdict = check_literal(s, check, &subject, domain, &found);
	else if (kind_of(check) == SERVERS_MX)
		verdict = check_mx(s, check, &subject, domain, &found);
	else if (kind_of(check) == SERVERS_NS)
		verdict = check_ns(s, check, &subject, domain, &found);
	else
		verdict = check_server(s, check, &subject, domain, &found);
	return verdict == VERDICT_PERMIT ? forbid_permit(s, check, &subject)
	    : verdict;
}
