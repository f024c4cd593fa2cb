/* network - an address, or the addresses that share its first bits */

#ifndef TABLE_NETWORK_H
#define TABLE_NETWORK_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>

/* IPv4 mapped into IPv6 is IPv4 here. */
struct network {
	unsigned char	bytes[sizeof(struct in6_addr)];
	size_t		length;		/* of the address: 4 or 16 */
	int		bits;		/* of the prefix */
};

/* The network of that address alone. False for other families. */
bool	network_from_address(const struct sockaddr *address,
	    struct network *network);

/* The same for its text, without brackets. False if it is none. */
bool	network_from_text(const char *text, struct network *network);

bool	network_has(const struct network *network,
	    const struct network *address);

/* Are there bits behind the prefix? That is a mistake: which address did they mean? */
bool	network_has_host_bits(const struct network *network);
void	network_clear_host_bits(struct network *network);

#endif
