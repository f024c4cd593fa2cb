/* What is asked, a function for each type of records, and what is made of the answers. */

#include "resolve/resolve.h"

#include <arpa/inet.h>
#include <arpa/nameser.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/base.h"
#include "resolve/internal.h"

#define ADDRESSES_MAX	100	/* of one name; more are not looked at */
#define MX_MAX		100
#define NAMES_MAX	100	/* name servers, texts */

const char *
resolve_reason(enum resolve_result result)
{
	switch (result) {
	case RESOLVE_FOUND:
		break;
	case RESOLVE_NOT_FOUND:
		return "Host not found";
	case RESOLVE_NO_DATA:
		return "Host found but no data record of requested type";
	case RESOLVE_TEMPORARY:
		return "Host not found, try again";
	}
	return "Success";
}

static void
add_address(struct resolve_query *query, int family, const void *bytes)
{
	if (query->count == ADDRESSES_MAX)
		return;
	query->addresses = mem_resize(query->addresses, query->count + 1,
	    sizeof(*query->addresses));

	union resolve_address *address = &query->addresses[query->count++];

	memset(address, 0, sizeof(*address));
	address->any.sa_family = family;
	if (family == AF_INET)
		memcpy(&address->v4.sin_addr, bytes, 4);
	else
		memcpy(&address->v6.sin6_addr, bytes, 16);
}

static void
on_a(void *argument, int status, int timeouts, unsigned char *bytes, int length)
{
	struct resolve_query *query = argument;
	struct ares_addrttl found[ADDRESSES_MAX];
	int count = ADDRESSES_MAX;

	if (!query_arrived(query, status))
		return;
	status = query_sifted(query, status, bytes, length);
	if (status == ARES_SUCCESS)
		status = ares_parse_a_reply(bytes, length, NULL, found, &count);
	if (status == ARES_SUCCESS)
		for (int i = 0; i < count; i++) {
			add_address(query, AF_INET, &found[i].ipaddr);
			if (i == 0 || query->ttl > (unsigned)found[i].ttl)
				query->ttl = (unsigned)found[i].ttl;
		}
	else
		query->ttl = absence_ttl(bytes, (size_t)length);
	query_note(query, status);
	query_finish(query);
}

/* IPv6 first, whichever answer came first. */
static void
put_v6_first(struct resolve_query *query, size_t v4_count)
{
	size_t v6_count = query->count - v4_count;
	union resolve_address *sorted = mem_zalloc(query->count + 1,
	    sizeof(*sorted));

	memcpy(sorted, query->addresses + v4_count, v6_count * sizeof(*sorted));
	memcpy(sorted + v6_count, query->addresses, v4_count * sizeof(*sorted));
	free(query->addresses);
	query->addresses = sorted;
}

static void
on_aaaa(void *argument, int status, int timeouts, unsigned char *bytes,
    int length)
{
	struct resolve_query *query = argument;
	struct ares_addr6ttl found[ADDRESSES_MAX];
	int count = ADDRESSES_MAX;

	if (!query_arrived(query, status))
		return;
	status = query_sifted(query, status, bytes, length);
	if (status == ARES_SUCCESS)
		status = ares_parse_aaaa_reply(bytes, length, NULL, found,
		    &count);
	if (status == ARES_SUCCESS) {
		size_t before = query->count;

		for (int i = 0; i < count; i++)
			add_address(query, AF_INET6, &found[i].ip6addr);
		if (before > 0)
			put_v6_first(query, before);
	}
	query_note(query, status);
	query_finish(query);
}

struct resolve_query *
resolve_addresses(struct resolver *resolver, const char *host, unsigned from,
    resolve_done *done, void *argument)
{
	struct resolve_query *query = query_new(resolver, done, argument);

	query->as_library = from & RESOLVE_HOSTS;
	if (from & RESOLVE_HOSTS) {
		query->addresses = mem_zalloc(ADDRESSES_MAX,
		    sizeof(*query->addresses));
		query->count = hosts_addresses(resolver->hosts, host, from,
		    query->addresses, ADDRESSES_MAX);
	}
	if (query->count == 0) {
		query->waiting = !!(from & RESOLVE_V4) + !!(from & RESOLVE_V6);
		if (from & RESOLVE_V6)
			ares_query(resolver->channel, host, ns_c_in, ns_t_aaaa,
			    on_aaaa, query);
		if (from & RESOLVE_V4)
			ares_query(resolver->channel, host, ns_c_in, ns_t_a,
			    on_a, query);
	}
	return query_started(query);
}

static int
by_preference(const void *a, const void *b)
{
	const struct resolve_mx *x = a, *y = b;

	return x->preference < y->preference ? -1 :
	    x->preference > y->preference;
}

/* One question for the records of one type. */
static struct resolve_query *
ask(struct resolver *resolver, const char *domain, int type,
    ares_callback on_answer, resolve_done *done, void *argument)
{
	struct resolve_query *query = query_new(resolver, done, argument);

	query->waiting = 1;
	ares_query(resolver->channel, domain, ns_c_in, type, on_answer, query);
	return query_started(query);
}

static void
on_mx(void *argument, int status, int timeouts, unsigned char *bytes,
    int length)
{
	struct resolve_query *query = argument;
	struct ares_mx_reply *found = NULL;

	if (!query_arrived(query, status))
		return;
	status = query_sifted(query, status, bytes, length);
	if (status == ARES_SUCCESS)
		status = ares_parse_mx_reply(bytes, length, &found);
	for (struct ares_mx_reply *mx = found;
	    mx != NULL && query->count < MX_MAX; mx = mx->next) {
		query->mx = mem_resize(query->mx, query->count + 1,
		    sizeof(*query->mx));
		query->mx[query->count++] = (struct resolve_mx){
			mx->priority, mem_strdup(mx->host),
		};
	}
	if (found != NULL)
		ares_free_data(found);
	if (query->count > 1)
		qsort(query->mx, query->count, sizeof(*query->mx),
		    by_preference);
	query_note(query, status);
	query_finish(query);
}

struct resolve_query *
resolve_mx(struct resolver *resolver, const char *domain, resolve_done *done,
    void *argument)
{
	return ask(resolver, domain, ns_t_mx, on_mx, done, argument);
}

/* Room for one more name; NULL when there are enough. */
static char **
next_name(struct resolve_query *query)
{
	if (query->count == NAMES_MAX)
		return NULL;
	query->names = mem_resize(query->names, query->count + 1,
	    sizeof(*query->names));
	return &query->names[query->count++];
}

static void
on_ns(void *argument, int status, int timeouts, unsigned char *bytes,
    int length)
{
	struct resolve_query *query = argument;
	struct hostent *found = NULL;
	char **name;

	if (!query_arrived(query, status))
		return;
	status = query_sifted(query, status, bytes, length);
	if (status == ARES_SUCCESS)
		status = ares_parse_ns_reply(bytes, length, &found);
	for (char **host = found == NULL ? NULL : found->h_aliases;
	    host != NULL && *host != NULL; host++)
		if ((name = next_name(query)) != NULL)
			*name = mem_strdup(*host);
	if (found != NULL)
		ares_free_hostent(found);
	query_note(query, status);
	query_finish(query);
}

struct resolve_query *
resolve_ns(struct resolver *resolver, const char *domain, resolve_done *done,
    void *argument)
{
	return ask(resolver, domain, ns_t_ns, on_ns, done, argument);
}

/* The strings of one record are one text. */
static void
on_text(void *argument, int status, int timeouts, unsigned char *bytes,
    int length)
{
	struct resolve_query *query = argument;
	struct ares_txt_ext *found = NULL;
	struct text text = TEXT_EMPTY;
	char **name;

	if (!query_arrived(query, status))
		return;
	status = query_sifted(query, status, bytes, length);
	if (status == ARES_SUCCESS)
		status = ares_parse_txt_reply_ext(bytes, length, &found);
	for (struct ares_txt_ext *t = found; t != NULL; t = t->next) {
		text_append(&text, t->txt, t->length);
		if (t->next != NULL && !t->next->record_start)
			continue;
		if ((name = next_name(query)) != NULL)
			*name = mem_strdup(text_string(&text));
		text_truncate(&text, 0);
	}
	text_clear(&text);
	if (found != NULL)
		ares_free_data(found);
	query_note(query, status);
	query_finish(query);
}

struct resolve_query *
resolve_text(struct resolver *resolver, const char *domain,
    resolve_done *done, void *argument)
{
	return ask(resolver, domain, ns_t_txt, on_text, done, argument);
}

static void
on_ptr(void *argument, int status, int timeouts, unsigned char *bytes,
    int length)
{
	struct resolve_query *query = argument;
	struct hostent *host = NULL;
	struct in_addr nothing = { 0 };

	if (!query_arrived(query, status))
		return;
	if (status == ARES_SUCCESS)
		status = ares_parse_ptr_reply(bytes, length, &nothing,
		    sizeof(nothing), AF_INET, &host);
	if (status == ARES_SUCCESS && host->h_name != NULL) {
		query->name = mem_strdup(host->h_name);
		query->count = 1;
	}
	if (host != NULL)
		ares_free_hostent(host);
	query_note(query, status);
	query_finish(query);
}

/* "1.2.0.192.in-addr.arpa", "1.0...ip6.arpa". */
static void
reverse_name(const struct sockaddr *address, char *name, size_t size)
{
	if (address->sa_family == AF_INET) {
		const union resolve_address *a = (const void *)address;
		const unsigned char *b = (const void *)&a->v4.sin_addr;

		snprintf(name, size, "%u.%u.%u.%u.in-addr.arpa", b[3], b[2],
		    b[1], b[0]);
		return;
	}

	const union resolve_address *a = (const void *)address;
	const unsigned char *b = a->v6.sin6_addr.s6_addr;
	size_t at = 0;

	for (int i = 15; i >= 0; i--)
		at += snprintf(name + at, size - at, "%x.%x.", b[i] & 15,
		    b[i] >> 4);
	strlcpy(name + at, "ip6.arpa", size - at);
}

struct resolve_query *
resolve_name(struct resolver *resolver, const struct sockaddr *address,
    unsigned from, resolve_done *done, void *argument)
{
	struct resolve_query *query = query_new(resolver, done, argument);
	const char *name = from & RESOLVE_HOSTS ?
	    hosts_name(resolver->hosts, address) : NULL;
	char reverse[80];

	if (name != NULL) {
		query->name = mem_strdup(name);
		query->count = 1;
	} else {
		reverse_name(address, reverse, sizeof(reverse));
		query->waiting = 1;
		ares_query(resolver->channel, reverse, ns_c_in, ns_t_ptr,
		    on_ptr, query);
	}
	return query_started(query);
}

/* The IPv4 address in it, if there is one; else NULL. */
static const void *
v4_bytes(const struct sockaddr *address)
{
	const union resolve_address *a = (const void *)address;

	if (address->sa_family == AF_INET)
		return &a->v4.sin_addr;
	if (address->sa_family == AF_INET6 &&
	    IN6_IS_ADDR_V4MAPPED(&a->v6.sin6_addr))
		return a->v6.sin6_addr.s6_addr + 12;
	return NULL;
}

bool
resolve_same_host(const struct sockaddr *a, const struct sockaddr *b)
{
	const void *x = v4_bytes(a), *y = v4_bytes(b);

	if (x != NULL || y != NULL)
		return x != NULL && y != NULL && memcmp(x, y, 4) == 0;
	if (a->sa_family != AF_INET6 || b->sa_family != AF_INET6)
		return false;
	return memcmp(&((const union resolve_address *)(const void *)a)->v6.sin6_addr,
	    &((const union resolve_address *)(const void *)b)->v6.sin6_addr, 16) == 0;
}
