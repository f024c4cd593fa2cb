/*
 * route - where a nexthop leads: mail exchangers, hosts, addresses
 *
 * RFC 5321 section 5.1, RFC 7505 (null MX). A route stays known for some
 * seconds, so that a thousand messages to one domain ask once; each message
 * shuffles it anew.
 */

#include "client.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/config.h"
#include "config/network.h"
#include "service/service.h"
#include "service/sieve.h"

/* A known route is used this long. */
#define FRESH_SECONDS	10

/* Mail exchangers that are looked at, and addresses in all: nobody needs more, and attackers offer 10,000. */
enum { HOSTS_MAX = 20, TARGETS_MAX = 100 };

/* One host whose addresses are being asked for. */
struct question {
	struct known	*known;
	char		*host;
	unsigned	 preference;
};

/* A route that is known, or being asked for. */
struct known {
	char			*key;
	struct nexthop		 nexthop;
	struct route		 route;
	bool			 settled;
	bool			 by_mx;
	STAILQ_HEAD(, route_waiter) waiters;
	struct question		 questions[HOSTS_MAX];
	size_t			 question_count, asking;
	struct event		 stale;
};

static struct resolver *resolver;
static struct map *routes;

in_port_t smtp_port;

void
route_start(void)
{
	const char *why;

	resolver = resolve_new(service_base, &why);
	if (resolver == NULL)
		fatal("cannot ask DNS: %s; look at /etc/resolv.conf", why);
	sieve_open(resolver, "smtp_dns_reply_filter",
	    config.smtp_dns_reply_filter);
	smtp_port = nexthop_port(config.smtp_tcp_port);
	if (smtp_port == 0)
		fatal("smtp_tcp_port = %s: give a number, or smtp",
		    config.smtp_tcp_port);
	routes = map_new();
}

/* Which families to ask for, and whether /etc/hosts comes first. */
static unsigned
host_sources(void)
{
	unsigned from = 0;

	if (network_has_family(AF_INET))
		from |= RESOLVE_V4;
	if (network_has_family(AF_INET6))
		from |= RESOLVE_V6;
	if (config.disable_dns_lookups ||
	    strstr(config.smtp_host_lookup, "native") != NULL)
		from |= RESOLVE_HOSTS;
	return from;
}

static void
known_free(struct known *known)
{
	map_remove(routes, known->key);
	event_del(&known->stale);
	for (size_t i = 0; i < known->question_count; i++)
		free(known->questions[i].host);
	free(known->route.targets);
	failure_clear(&known->route.why);
	free(known->key);
	free(known);
}

static void
on_stale(int fd, short what, void *argument)
{
	known_free(argument);
}

/* The network's words for a host that leads nowhere; a temporary reason outweighs a final one. */
static void
note_failure(struct known *known, const char *host, const char *type,
    const struct resolve_answer *answer)
{
	struct failure *why = &known->route.why;
	bool temporary = answer->result == RESOLVE_TEMPORARY;
	const char *dsn = temporary ? "4.4.3" : "5.4.4";

	if (*why->dsn == '4' && !temporary)
		return;
	if (answer->why != NULL)
		failure_set(why, "4.7.0", "Error looking up name=%s type=%s: "
		    "%s", host, type, answer->why);
	else if (config.disable_dns_lookups)
		failure_set(why, dsn, "unable to look up host %s: %s", host,
		    temporary ? "Temporary failure in name resolution" :
		    "Name or service not known");
	else
		failure_set(why, dsn, "Host or domain name not found. "
		    "Name service error for name=%s type=%s: %s", host, type,
		    resolve_reason(answer->result));
}

static bool
is_this_host(const union resolve_address *address)
{
	if (address->any.sa_family == AF_INET &&
	    address->v4.sin_addr.s_addr == INADDR_ANY)
		return true;
	if (address->any.sa_family == AF_INET6 &&
	    IN6_IS_ADDR_UNSPECIFIED(&address->v6.sin6_addr))
		return true;
	return network_is_own(&address->any);
}

/* Sort by preference, and leave the order of equals alone. */
static void
sort_targets(struct target *targets, size_t count,
    bool (*before)(const struct target *a, const struct target *b))
{
	for (size_t i = 1; i < count; i++) {
		struct target target = targets[i];
		size_t place = i;

		for (; place > 0 && before(&target, &targets[place - 1]);
		    place--)
			targets[place] = targets[place - 1];
		targets[place] = target;
	}
}

static bool
is_preferred(const struct target *a, const struct target *b)
{
	return a->preference < b->preference;
}

/* This host is a mail exchanger: those that are not preferred to it would send the mail back. */
static void
cut_at_self(struct known *known)
{
	struct route *route = &known->route;
	unsigned own = 0, best = route->targets[0].preference;
	size_t kept = 0;

	for (size_t i = 0; i < route->count && !route->has_self; i++) {
		route->has_self = is_this_host(&route->targets[i].address);
		own = route->targets[i].preference;
	}
	if (!route->has_self)
		return;
	while (kept < route->count && route->targets[kept].preference < own)
		kept++;
	route->count = kept;
	if (kept > 0)
		return;
	/* A better one may exist that has no address just now. */
	if (known->questions[0].preference < best)
		failure_set(&route->why, "4.4.4",
		    "unable to find primary relay for %s", known->nexthop.host);
	else
		failure_set(&route->why, "5.4.6",
		    "mail for %s loops back to myself", known->nexthop.host);
}

static void
tell_waiters(struct known *known)
{
	struct route_waiter *waiter;

	while ((waiter = STAILQ_FIRST(&known->waiters)) != NULL) {
		STAILQ_REMOVE_HEAD(&known->waiters, link);
		waiter->done(&known->route, waiter->argument);
	}
}

/* All answers are there. */
static void
settle(struct known *known)
{
	const struct timeval fresh = { FRESH_SECONDS, 0 };
	struct route *route = &known->route;

	sort_targets(route->targets, route->count, is_preferred);
	if (known->by_mx && route->count > 0)
		cut_at_self(known);
	else if (known->by_mx && config.smtp_defer_if_no_mx_address_found &&
	    route->why.dsn[0] == '5')
		route->why.dsn[0] = '4';
	for (size_t i = 0; i < route->count; i++)
		route->targets[i].is_best = route->targets[i].preference ==
		    route->targets[0].preference;
	known->settled = true;
	event_add(&known->stale, &fresh);
	tell_waiters(known);
}

static void
add_target(struct question *question, const union resolve_address *address)
{
	struct route *route = &question->known->route;

	if (route->count == TARGETS_MAX)
		return;
	route->targets = mem_resize(route->targets, route->count + 1,
	    sizeof(*route->targets));

	struct target *target = &route->targets[route->count++];
	in_port_t port = htons(question->known->nexthop.port);

	*target = (struct target){
		.host = question->host, .address = *address,
		.preference = question->preference,
	};
	if (address->any.sa_family == AF_INET)
		target->address.v4.sin_port = port;
	else
		target->address.v6.sin6_port = port;
}

static void
on_addresses(const struct resolve_answer *answer, void *argument)
{
	struct question *question = argument;
	struct known *known = question->known;

	for (size_t i = 0; i < answer->count; i++)
		add_target(question, &answer->addresses[i]);
	if (answer->result != RESOLVE_FOUND)
		note_failure(known, question->host,
		    network_has_family(AF_INET6) ? "AAAA" : "A", answer);
	if (--known->asking == 0)
		settle(known);
}

static void
ask_host(struct known *known, const char *host, unsigned preference)
{
	struct question *question = &known->questions[known->question_count++];
	union resolve_address address;

	*question = (struct question){ known, mem_strdup(host), preference };
	if (nexthop_address(host, &address)) {
		if (network_has_family(address.any.sa_family))
			add_target(question, &address);
		else
			failure_set(&known->route.why, "5.4.4", "%s: "
			    "inet_protocols excludes this address", host);
		return;
	}
	known->asking++;
	resolve_addresses(resolver, host, host_sources(), on_addresses,
	    question);
}

static void
on_mx(const struct resolve_answer *answer, void *argument)
{
	struct known *known = argument;
	const char *domain = known->nexthop.host;

	if (answer->result == RESOLVE_FOUND && answer->count == 1 &&
	    (*answer->mx[0].host == '\0' ||
	    strcmp(answer->mx[0].host, ".") == 0)) {
		failure_set(&known->route.why, "5.1.0",
		    "Domain %s does not accept mail (nullMX)", domain);
	} else if (answer->result == RESOLVE_FOUND) {
		known->by_mx = true;
		for (size_t i = 0; i < answer->count && i < HOSTS_MAX; i++)
			ask_host(known, answer->mx[i].host,
			    answer->mx[i].preference);
	} else if (answer->result == RESOLVE_TEMPORARY &&
	    !config.ignore_mx_lookup_error) {
		note_failure(known, domain, "MX", answer);
	} else {
		ask_host(known, domain, 0);
	}
	if (known->asking == 0)
		settle(known);
}

static struct known *
known_new(const struct nexthop *nexthop, const char *key)
{
	struct known *known = mem_zalloc(1, sizeof(*known));

	known->key = mem_strdup(key);
	known->nexthop = *nexthop;
	STAILQ_INIT(&known->waiters);
	event_assign(&known->stale, service_base, -1, 0, on_stale, known);
	map_set(routes, key, known);
	return known;
}

void
route_ask(const struct nexthop *nexthop, struct route_waiter *waiter)
{
	char key[sizeof(nexthop->host) + 16];

	snprintf(key, sizeof(key), "%s%s:%u", nexthop->wants_mx ? "mx " : "",
	    nexthop->host, nexthop->port);
	text_lower(key);

	struct known *known = map_get(routes, key);

	if (known != NULL && known->settled) {
		waiter->done(&known->route, waiter->argument);
		return;
	}

	bool is_new = known == NULL;

	if (is_new)
		known = known_new(nexthop, key);
	STAILQ_INSERT_TAIL(&known->waiters, waiter, link);
	if (!is_new)
		return;
	if (nexthop->wants_mx && !config.disable_dns_lookups)
		resolve_mx(resolver, nexthop->host, on_mx, known);
	else
		ask_host(known, nexthop->host, 0);
	if (known->asking == 0 && known->question_count > 0)
		settle(known);
}

static bool
is_v6(const struct target *target)
{
	return target->address.any.sa_family == AF_INET6;
}

static bool
v6_is_preferred(const struct target *a, const struct target *b)
{
	return a->preference < b->preference ||
	    (a->preference == b->preference && is_v6(a) && !is_v6(b));
}

static bool
v4_is_preferred(const struct target *a, const struct target *b)
{
	return a->preference < b->preference ||
	    (a->preference == b->preference && !is_v6(a) && is_v6(b));
}

static void
shuffle(struct target *targets, size_t count)
{
	for (size_t i = count; i > 1; i--) {
		size_t other = arc4random_uniform((uint32_t)i);
		struct target target = targets[i - 1];

		targets[i - 1] = targets[other];
		targets[other] = target;
	}
}

static void
put_in_order(struct target *targets, size_t count)
{
	const char *families = config.smtp_address_preference;

	if (config.smtp_randomize_addresses)
		shuffle(targets, count);
	if (strcmp(families, "ipv6") == 0)
		sort_targets(targets, count, v6_is_preferred);
	else if (strcmp(families, "ipv4") == 0)
		sort_targets(targets, count, v4_is_preferred);
	else
		sort_targets(targets, count, is_preferred);
}

/* Take the first limit of them, but let neither family take more than half from the other. */
static size_t
cut_to_limit(struct target *targets, size_t count, size_t limit)
{
	size_t rooms[2] = { limit, limit }, found[2] = { 0, 0 }, kept = 0;

	if (limit == 0 || count <= limit)
		return count;
	for (size_t i = 0; i < count; i++)
		found[is_v6(&targets[i])]++;
	if (config.smtp_balance_inet_protocols && limit > 1) {
		for (int v6 = 0; v6 < 2; v6++) {
			size_t other = found[!v6];

			rooms[v6] = limit -
			    (other < limit / 2 ? other : limit / 2);
		}
	}
	for (size_t i = 0; i < count && kept < limit; i++) {
		if (rooms[is_v6(&targets[i])] == 0)
			continue;
		rooms[is_v6(&targets[i])]--;
		targets[kept++] = targets[i];
	}
	return kept;
}

size_t
route_choose(const struct route *route, struct pool *pool,
    struct target **targets)
{
	struct target all[TARGETS_MAX];
	size_t count = route->count;

	memcpy(all, route->targets, count * sizeof(*all));
	put_in_order(all, count);
	count = cut_to_limit(all, count, (size_t)config.smtp_mx_address_limit);
	*targets = pool_alloc(pool, count * sizeof(*all));
	if (*targets == NULL)
		return 0;
	for (size_t i = 0; i < count; i++) {
		all[i].host = pool_strdup(pool, all[i].host);
		if (all[i].host == NULL)
			return 0;
	}
	memcpy(*targets, all, count * sizeof(*all));
	return count;
}
