/*
 * access(5) tables: what is looked up.
 *
 * A client is looked up by name and parent domains, then by address and its
 * leading parts; an address as user@domain, domain and parents, user@.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "address/address.h"
#include "config/config.h"
#include "smtpd/check/check.h"

/* A walk through the keys of one subject, until a key is there. */
struct search {
	struct session	*session;
	struct table	*table;
	enum { SEARCH_ON, SEARCH_FOUND, SEARCH_FAILED, SEARCH_ASKED } state;
	const char	*value;
};

static void
try_key(struct search *search, const char *key)
{
	enum table_answer answer;

	if (search->state != SEARCH_ON || *key == '\0')
		return;
	if (!told_table(search->session, search->table, key, &answer,
	    &search->value))
		search->state = SEARCH_ASKED;
	else if (answer == TABLE_FOUND)
		search->state = SEARCH_FOUND;
	else if (answer == TABLE_ERROR)
		search->state = SEARCH_FAILED;
}

/* A part of what is looked up is nothing for patterns. */
static void
try_part(struct search *search, const char *key)
{
	if (!table_is_pattern(search->table))
		try_key(search, key);
}

static bool
parents_have_no_dot(void)
{
	static int plain = -1;

	if (plain == -1)
		plain = list_has_word(config.parent_domain_matches_subdomains,
		    "smtpd_access_maps");
	return plain;
}

/* "b.c", "c" of "a.b.c"; or ".b.c", ".c" where parents are written with a dot. */
static void
try_parents(struct search *search, const char *domain)
{
	bool plain = parents_have_no_dot();

	/* The parts of a literal are no domains. */
	if (*domain == '[')
		return;
	while ((domain = strchr(domain, '.')) != NULL) {
		if (domain[1] != '\0')
			try_part(search, plain ? domain + 1 : domain);
		domain++;
	}
}

/* 192.0.2.1, 192.0.2, 192.0, 192; likewise with colons. */
static void
try_networks(struct search *search, const char *address)
{
	char part[INET6_ADDRSTRLEN], *cut;
	char separator = strchr(address, ':') != NULL ? ':' : '.';

	strlcpy(part, address, sizeof(part));
	while ((cut = strrchr(part, separator)) != NULL) {
		*cut = '\0';
		try_part(search, part);
	}
}

static void
try_address(struct search *search, const char *address)
{
	const char *domain = address_domain(address);
	size_t local = address_localpart_length(address);
	size_t base = address_base_length(address, local,
	    config.recipient_delimiter);
	char key[ADDRESS_SIZE + 2];

	try_key(search, address);
	if (base < local && domain != NULL) {
		snprintf(key, sizeof(key), "%.*s@%s", (int)base, address,
		    domain);
		try_part(search, key);
	}
	if (domain != NULL) {
		try_part(search, domain);
		try_parents(search, domain);
	}
	snprintf(key, sizeof(key), "%.*s@", (int)local, address);
	try_part(search, key);
	if (base < local) {
		snprintf(key, sizeof(key), "%.*s@", (int)base, address);
		try_part(search, key);
	}
}

static enum verdict
conclude(struct search *search, const struct subject *subject)
{
	switch (search->state) {
	case SEARCH_ON:
		return VERDICT_NONE;
	case SEARCH_ASKED:
		return VERDICT_WAIT;
	case SEARCH_FOUND:
		return act(search->session, subject, search->value);
	case SEARCH_FAILED:
		break;
	}
	return check_refuse(search->session, 451, "4.3.5",
	    "<%s>: %s rejected: Server configuration error", subject->name,
	    subject->class);
}

enum verdict
access_name(struct session *s, const struct check *check,
    const struct subject *subject, const char *name, bool *found)
{
	struct search search = { .session = s, .table = check->table };

	try_key(&search, name);
	try_parents(&search, name);
	*found = search.state == SEARCH_FOUND;
	return conclude(&search, subject);
}

enum verdict
access_address(struct session *s, const struct check *check,
    const struct subject *subject, const char *address, bool *found)
{
	struct search search = { .session = s, .table = check->table };

	try_key(&search, address);
	try_networks(&search, address);
	*found = search.state == SEARCH_FOUND;
	return conclude(&search, subject);
}

static struct subject
subject_of(const struct check *check, const char *name, const char *class)
{
	return (struct subject){ name, class, check->argument };
}

static enum verdict
look_client_up(struct session *s, const struct check *check, const char *name,
    const struct subject *subject)
{
	struct search search = { .session = s, .table = check->table };

	try_key(&search, name);
	try_parents(&search, name);
	try_key(&search, s->client_address);
	try_networks(&search, s->client_address);
	return conclude(&search, subject);
}

enum verdict
access_client(struct session *s, const struct check *check)
{
	struct subject subject = subject_of(check, s->peer, "Client host");

	return look_client_up(s, check, s->client_name, &subject);
}

enum verdict
access_reverse_client(struct session *s, const struct check *check)
{
	const char *name = s->reverse_name == NULL ? "unknown"
	    : s->reverse_name;
	struct subject subject = subject_of(check, name,
	    "Unverified Client host");

	return look_client_up(s, check, name, &subject);
}

enum verdict
access_helo(struct session *s, const struct check *check)
{
	struct subject subject = subject_of(check, s->helo_name,
	    "Helo command");
	bool found;

	return access_name(s, check, &subject, s->helo_name, &found);
}

enum verdict
access_etrn(struct session *s, const struct check *check)
{
	struct subject subject = subject_of(check, s->etrn_site,
	    "Etrn command");
	bool found;

	return access_name(s, check, &subject, s->etrn_site, &found);
}

/* The address as it was resolved: "ada" is ada@our.domain in tables, too. */
static enum verdict
look_address_up(struct session *s, const struct check *check,
    const struct route *route, const struct subject *subject)
{
	struct search search = { .session = s, .table = check->table };

	if (route->error != 0)
		return check_fail(s, "4.3.0",
		    "<%s>: Temporary lookup failure", subject->name);
	try_address(&search, route->recipient);
	return conclude(&search, subject);
}

enum verdict
access_sender(struct session *s, const struct check *check)
{
	struct subject subject = subject_of(check, session_sender(s),
	    "Sender address");
	struct search search = { .session = s, .table = check->table };

	if (subject.name[0] != '\0')
		return look_address_up(s, check, checks_sender_route(s),
		    &subject);
	try_key(&search, config.smtpd_null_access_lookup_key);
	return conclude(&search, &subject);
}

enum verdict
access_recipient(struct session *s, const struct check *check)
{
	struct subject subject = subject_of(check, session_recipient(s),
	    "Recipient address");

	return look_address_up(s, check, checks_recipient_route(s), &subject);
}
