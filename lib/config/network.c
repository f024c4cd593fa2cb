#include "config/network.h"

#include <sys/types.h>
#include <arpa/inet.h>
#include <ifaddrs.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "base/base.h"
#include "config/config.h"
#include "config/internal.h"

struct addresses {
	struct own_address	*list;
	size_t			 count;
	size_t			 own;	/* of these are ours, the rest proxies' */
};

struct families {
	bool	ipv4;
	bool	ipv6;
};

static struct addresses current;
static struct families enabled = { true, true };

static const void *
address_bytes(const struct sockaddr *address, size_t *length)
{
	if (address->sa_family == AF_INET) {
		*length = sizeof(struct in_addr);
		return &((const struct sockaddr_in *)address)->sin_addr;
	}

	const struct in6_addr *v6 =
	    &((const struct sockaddr_in6 *)address)->sin6_addr;

	*length = IN6_IS_ADDR_V4MAPPED(v6) ? sizeof(struct in_addr)
					   : sizeof(*v6);
	return v6->s6_addr + sizeof(*v6) - *length;
}

static bool
is_inet(const struct sockaddr *address)
{
	return address != NULL && (address->sa_family == AF_INET ||
	    address->sa_family == AF_INET6);
}

static bool
same_address(const struct sockaddr *a, const struct sockaddr *b)
{
	size_t a_length, b_length;
	const void *a_bytes = address_bytes(a, &a_length);
	const void *b_bytes = address_bytes(b, &b_length);

	return a_length == b_length && memcmp(a_bytes, b_bytes, a_length) == 0;
}

static bool
is_loopback(const struct sockaddr *address)
{
	size_t length;
	const unsigned char *bytes = address_bytes(address, &length);

	if (length == sizeof(struct in_addr))
		return bytes[0] == 127;
	return IN6_IS_ADDR_LOOPBACK((const struct in6_addr *)bytes);
}

static bool
has_family(const struct families *families, int family)
{
	return (family == AF_INET && families->ipv4) ||
	    (family == AF_INET6 && families->ipv6);
}

static int
mask_bits(const struct sockaddr *mask, int family)
{
	size_t length = family == AF_INET ? 4 : 16;
	const unsigned char *bytes;
	int bits = 0;

	if (mask == NULL)
		return (int)length * 8;
	bytes = family == AF_INET
	    ? (const void *)&((const struct sockaddr_in *)mask)->sin_addr
	    : (const void *)&((const struct sockaddr_in6 *)mask)->sin6_addr;
	for (size_t i = 0; i < length; i++)
		bits += __builtin_popcount(bytes[i]);
	return bits;
}

static void
add(struct addresses *to, const struct sockaddr *address, int prefix)
{
	struct own_address *new;

	for (size_t i = 0; i < to->count; i++)
		if (same_address(address,
		    (const struct sockaddr *)&to->list[i].address))
			return;
	to->list = mem_resize(to->list, to->count + 1, sizeof(*to->list));
	new = &to->list[to->count++];
	memset(new, 0, sizeof(*new));
	new->length = address->sa_family == AF_INET
	    ? sizeof(struct sockaddr_in) : sizeof(struct sockaddr_in6);
	memcpy(&new->address, address, new->length);
	new->prefix = prefix;
}

static void
list_interfaces(struct addresses *to, const struct families *families)
{
	struct ifaddrs *all;

	if (getifaddrs(&all) == -1) {
		log_warning("cannot list the network interfaces: %m");
		return;
	}
	for (struct ifaddrs *i = all; i != NULL; i = i->ifa_next)
		if (is_inet(i->ifa_addr) &&
		    has_family(families, i->ifa_addr->sa_family))
			add(to, i->ifa_addr, mask_bits(i->ifa_netmask,
			    i->ifa_addr->sa_family));
	freeifaddrs(all);
}

/* All of the interfaces' addresses, or the loopback ones. */
static void
add_interfaces(struct addresses *to, const struct addresses *interfaces,
    bool loopback_only)
{
	for (size_t i = 0; i < interfaces->count; i++) {
		const struct own_address *own = &interfaces->list[i];
		const struct sockaddr *address = (const void *)&own->address;

		if (!loopback_only || is_loopback(address))
			add(to, address, own->prefix);
	}
}

/* The prefix of the interface that has this address: a named address lies in its network. */
static int
prefix_of(const struct addresses *interfaces, const struct sockaddr *address)
{
	for (size_t i = 0; i < interfaces->count; i++)
		if (same_address(address, (const struct sockaddr *)
		    &interfaces->list[i].address))
			return interfaces->list[i].prefix;
	return address->sa_family == AF_INET ? 32 : 128;
}

static int
add_host(struct addresses *to, const struct addresses *interfaces,
    const struct families *families, const char *parameter, char *host)
{
	struct addrinfo hints = { .ai_socktype = SOCK_STREAM }, *found;
	size_t length = strlen(host);
	char *name = host;

	if (*host == '[' && host[length - 1] == ']') {
		host[length - 1] = '\0';
		name = host + 1;
	}

	int error = getaddrinfo(name, NULL, &hints, &found);

	if (error != 0) {
		log_error("%s: %s: %s; expected all, loopback-only, an address"
		    " or the name of a host", parameter, name,
		    gai_strerror(error));
		return -1;
	}
	for (struct addrinfo *a = found; a != NULL; a = a->ai_next)
		if (is_inet(a->ai_addr) && has_family(families, a->ai_family))
			add(to, a->ai_addr, prefix_of(interfaces, a->ai_addr));
	freeaddrinfo(found);
	return 0;
}

/* The addresses that a list (of inet_interfaces or proxy_interfaces) names. */
static int
add_list(struct addresses *to, const struct addresses *interfaces,
    const struct families *families, const char *parameter, const char *list)
{
	char *copy = mem_strdup(list), *cursor = copy, *word;
	int result = 0;

	while ((word = word_next(&cursor, LIST_SEPARATORS)) != NULL) {
		if (strcasecmp(word, "all") == 0)
			add_interfaces(to, interfaces, false);
		else if (strcasecmp(word, "loopback-only") == 0)
			add_interfaces(to, interfaces, true);
		else if (add_host(to, interfaces, families, parameter,
		    word) == -1)
			result = -1;
	}
	free(copy);
	return result;
}

static int
parse_protocols(const char *list, struct families *families)
{
	char *copy = mem_strdup(list), *cursor = copy, *word;
	int result = 0;

	*families = (struct families){ false, false };
	while ((word = word_next(&cursor, LIST_SEPARATORS)) != NULL) {
		bool all = strcasecmp(word, "all") == 0;

		if (all || strcasecmp(word, "ipv4") == 0)
			families->ipv4 = true;
		if (all || strcasecmp(word, "ipv6") == 0)
			families->ipv6 = true;
		if (!all && strcasecmp(word, "ipv4") != 0 &&
		    strcasecmp(word, "ipv6") != 0)
			result = -1;
	}
	if (!families->ipv4 && !families->ipv6)
		result = -1;
	if (result == -1)
		log_error("inet_protocols = %s: expected all, ipv4 or ipv6",
		    list);
	free(copy);
	return result;
}

int
network_load(const char *interfaces, const char *protocols,
    const char *proxies)
{
	struct addresses new = { 0 }, all = { 0 };
	struct families families;
	int result = parse_protocols(protocols, &families);

	if (result == 0) {
		list_interfaces(&all, &families);
		result = add_list(&new, &all, &families, "inet_interfaces",
		    interfaces);
	}
	new.own = new.count;
	if (result == 0)
		result = add_list(&new, &all, &families, "proxy_interfaces",
		    proxies);
	free(all.list);
	if (result == -1) {
		free(new.list);
		return -1;
	}
	free(current.list);
	current = new;
	enabled = families;
	return 0;
}

const struct own_address *
network_own(size_t *count)
{
	*count = current.own;
	return current.list;
}

bool
network_is_own(const struct sockaddr *address)
{
	for (size_t i = 0; is_inet(address) && i < current.count; i++)
		if (same_address(address, (const struct sockaddr *)
		    &current.list[i].address))
			return true;
	return false;
}

bool
network_has_family(int family)
{
	return has_family(&enabled, family);
}

/* The classful network that an IPv4 address was in before 1993. */
static int
class_prefix(const struct own_address *own)
{
	size_t length;
	const unsigned char *bytes = address_bytes(
	    (const struct sockaddr *)&own->address, &length);

	if (length != sizeof(struct in_addr))
		return own->prefix;
	return bytes[0] < 128 ? 8 : bytes[0] < 192 ? 16 : 24;
}

static void
print_network(struct text *out, const struct own_address *own, int prefix)
{
	unsigned char bytes[sizeof(struct in6_addr)];
	char text[INET6_ADDRSTRLEN];
	size_t length;
	int family = own->address.ss_family;

	memcpy(bytes, address_bytes((const struct sockaddr *)&own->address,
	    &length), sizeof(struct in_addr));
	if (length == sizeof(bytes))
		memcpy(bytes, address_bytes((const struct sockaddr *)
		    &own->address, &length), sizeof(bytes));
	for (int bit = prefix; bit < (int)length * 8; bit++)
		bytes[bit / 8] &= (unsigned char)~(0x80 >> bit % 8);
	inet_ntop(family, bytes, text, sizeof(text));
	text_printf(out, family == AF_INET ? "%s%s/%d" : "%s[%s]/%d",
	    out->length == 0 ? "" : " ", text, prefix);
}

char *
config_compute_mynetworks(void)
{
	const char *interfaces = config_get("inet_interfaces");
	const char *protocols = config_get("inet_protocols");
	const char *style = config_get("mynetworks_style");
	struct addresses own = { 0 }, all = { 0 };
	struct families families;
	struct text out = TEXT_EMPTY;

	if (interfaces == NULL || protocols == NULL || style == NULL ||
	    parse_protocols(protocols, &families) == -1)
		return mem_strdup("");	/* the load fails for the same reason */
	list_interfaces(&all, &families);
	if (add_list(&own, &all, &families, "inet_interfaces",
	    interfaces) == -1)
		own.count = 0;		/* and here */
	free(all.list);
	for (size_t i = 0; i < own.count; i++) {
		int host = own.list[i].address.ss_family == AF_INET ? 32 : 128;

		print_network(&out, &own.list[i],
		    strcasecmp(style, "host") == 0 ? host
		    : strcasecmp(style, "class") == 0
		    ? class_prefix(&own.list[i]) : own.list[i].prefix);
	}
	free(own.list);
	return text_take(&out);
}
