#include "tools/shared/outside.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <stdlib.h>
#include <string.h>

#include "base/base.h"

static struct map *told;	/* "what name", that were */

static bool
is_news(const char *what, const char *name)
{
	char *key = mem_printf("%s %s", what, name);
	bool is_new;

	if (told == NULL)
		told = map_new();
	is_new = map_get(told, key) == NULL;
	map_set(told, key, told);
	free(key);
	return is_new;
}

static void
tell_failure(const struct zone_reference *reference, int error)
{
	if (error != EAI_NONAME && error != EAI_NODATA) {
		if (is_news("lookup", reference->name))
			log_warning("zone %s/IN: getaddrinfo(%s) failed: %s",
			    reference->zone->text, reference->name,
			    gai_strerror(error));
	} else if (is_news("address", reference->name))
		log_error("zone %s/IN: %s'%s' (out of zone) has no addresses "
		    "records (A or AAAA)", reference->zone->text,
		    reference->from, reference->name);
}

/* An alias is no target. True: it is none, or it may be. */
static bool
check_alias(const struct zone_reference *reference, const char *canonical)
{
	const char *name = reference->name;
	size_t length = strlen(canonical);

	if (length > 0 && canonical[length - 1] == '.')
		length--;
	if (strlen(name) == length && strncasecmp(canonical, name,
	    length) == 0)
		return true;
	if (reference->verdict != VERDICT_IGNORE && is_news("alias", name))
		(reference->verdict == VERDICT_FAIL ? log_error :
		    log_warning)("zone %s/IN: %s'%s' (out of zone) is a CNAME "
		    "'%s' (illegal)", reference->zone->text, reference->from,
		    name, canonical);
	return reference->verdict != VERDICT_FAIL;
}

/* The octets of an address, and how many they are. */
static const void *
octets_of(const struct addrinfo *at, size_t *length)
{
	if (at->ai_family == AF_INET) {
		*length = 4;
		return &((const struct sockaddr_in *)at->ai_addr)->sin_addr;
	}
	*length = 16;
	return &((const struct sockaddr_in6 *)at->ai_addr)->sin6_addr;
}

static bool
has_rdata(const struct zone_rrset *rrset, const void *octets, size_t length)
{
	for (const struct zone_rdata *rdata = rrset != NULL ? rrset->first :
	    NULL; rdata != NULL; rdata = rdata->next)
		if (rdata->length == length &&
		    memcmp(rdata->octets, octets, length) == 0)
			return true;
	return false;
}

static bool
has_address(const struct addrinfo *list, const void *octets, size_t length)
{
	for (const struct addrinfo *at = list; at != NULL; at = at->ai_next) {
		size_t own;
		const void *address = octets_of(at, &own);

		if (own == length && memcmp(address, octets, length) == 0)
			return true;
	}
	return false;
}

/* Glue that the name does not have. */
static void
check_extra(const struct zone_reference *reference,
    const struct addrinfo *list, uint16_t type)
{
	const struct zone_rrset *rrset = zone_find_rrset(reference->glue,
	    type);
	const char *mnemonic = type == DNS_TYPE_A ? "A" : "AAAA";
	char text[INET6_ADDRSTRLEN];

	for (const struct zone_rdata *rdata = rrset != NULL ? rrset->first :
	    NULL; rdata != NULL; rdata = rdata->next) {
		if (has_address(list, rdata->octets, rdata->length) ||
		    !is_news(mnemonic, reference->name))
			continue;
		inet_ntop(type == DNS_TYPE_A ? AF_INET : AF_INET6,
		    rdata->octets, text, sizeof(text));
		log_error("zone %s/IN: %s'%s' extra GLUE %s record (%s)",
		    reference->zone->text, reference->from, reference->name,
		    mnemonic, text);
	}
}

/* And what it has without glue for it. */
static void
check_missing(const struct zone_reference *reference,
    const struct addrinfo *list)
{
	char text[INET6_ADDRSTRLEN];

	if (!is_news("missing", reference->name))
		return;
	for (const struct addrinfo *at = list; at != NULL; at = at->ai_next) {
		bool four = at->ai_family == AF_INET;
		size_t length;
		const void *octets = octets_of(at, &length);

		if (has_rdata(zone_find_rrset(reference->glue, four ?
		    DNS_TYPE_A : DNS_TYPE_AAAA), octets, length))
			continue;
		inet_ntop(at->ai_family, octets, text, sizeof(text));
		log_error("zone %s/IN: %s'%s' missing %s GLUE record (%s)",
		    reference->zone->text, reference->from, reference->name,
		    four ? "A" : "AAAA", text);
	}
}

bool
outside_look(const struct zone_reference *reference)
{
	const struct addrinfo hints = { .ai_flags = AI_CANONNAME,
	    .ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM,
	    .ai_protocol = IPPROTO_TCP };
	struct addrinfo *list = NULL;
	int error = getaddrinfo(reference->name, NULL, &hints, &list);
	bool good;

	if (error != 0) {
		tell_failure(reference, error);
		return true;
	}
	good = list->ai_canonname == NULL || check_alias(reference,
	    list->ai_canonname);
	if (reference->glue != NULL) {
		check_extra(reference, list, DNS_TYPE_A);
		check_extra(reference, list, DNS_TYPE_AAAA);
		check_missing(reference, list);
	}
	freeaddrinfo(list);
	return good;
}
