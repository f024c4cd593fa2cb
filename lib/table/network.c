#include "table/network.h"

#include <arpa/inet.h>
#include <string.h>
#include <sys/socket.h>

static void
take_v6(struct network *network, const unsigned char *bytes)
{
	static const unsigned char mapped[12] =
	    { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff };
	bool is_mapped = memcmp(bytes, mapped, sizeof(mapped)) == 0;

	network->length = is_mapped ? 4 : sizeof(struct in6_addr);
	memmove(network->bytes, is_mapped ? bytes + 12 : bytes,
	    network->length);
}

bool
network_from_address(const struct sockaddr *address, struct network *network)
{
	if (address->sa_family == AF_INET) {
		network->length = sizeof(struct in_addr);
		memcpy(network->bytes, &((const struct sockaddr_in *)
		    address)->sin_addr, network->length);
	} else if (address->sa_family == AF_INET6)
		take_v6(network, ((const struct sockaddr_in6 *)
		    address)->sin6_addr.s6_addr);
	else
		return false;
	network->bits = (int)network->length * 8;
	return true;
}

bool
network_from_text(const char *text, struct network *network)
{
	unsigned char v6[sizeof(struct in6_addr)];

	if (inet_pton(AF_INET, text, network->bytes) == 1)
		network->length = sizeof(struct in_addr);
	else if (inet_pton(AF_INET6, text, v6) == 1)
		take_v6(network, v6);
	else
		return false;
	network->bits = (int)network->length * 8;
	return true;
}

bool
network_has(const struct network *network, const struct network *address)
{
	int whole = network->bits / 8, rest = network->bits % 8;

	if (network->length != address->length ||
	    memcmp(network->bytes, address->bytes, (size_t)whole) != 0)
		return false;
	return rest == 0 || ((network->bytes[whole] ^ address->bytes[whole]) &
	    (0xff00 >> rest) & 0xff) == 0;
}

bool
network_has_host_bits(const struct network *network)
{
	struct network cleared = *network;

	network_clear_host_bits(&cleared);
	return memcmp(cleared.bytes, network->bytes, network->length) != 0;
}

void
network_clear_host_bits(struct network *network)
{
	for (int bit = network->bits; bit < (int)network->length * 8; bit++)
		network->bytes[bit / 8] &= ~(0x80 >> bit % 8);
}
