/* network - our own addresses, as inet_interfaces, inet_protocols and proxy_interfaces say */

#ifndef CONFIG_NETWORK_H
#define CONFIG_NETWORK_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/socket.h>

struct own_address {
	struct sockaddr_storage	address;	/* port 0 */
	socklen_t		length;
	int			prefix;		/* bits of the interface's network */
};

/* The addresses where mail is received: those of all interfaces, or those that were named. Until the next load. */
const struct own_address *network_own(size_t *count);

/* Is it one of those, or one of proxy_interfaces? IPv4 mapped into IPv6 counts as IPv4. */
bool	network_is_own(const struct sockaddr *address);

/* Does inet_protocols have this family? */
bool	network_has_family(int family);

/*
 * Called by config_load(). 0, or -1 when a name leads to no address: logged,
 * and nothing changed.
 */
int	network_load(const char *interfaces, const char *protocols,
	    const char *proxies);

#endif
