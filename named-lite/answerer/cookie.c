#include "named-lite/answerer/cookie.h"

#include <netinet/in.h>

#include <string.h>

#include <openssl/crypto.h>

#include "dns/dns.h"

#define VERSION		1
#define AGE_MAX		3600	/* seconds */
#define AHEAD_MAX	300	/* the clock of another server of ours */

static uint64_t
get64_little(const uint8_t *at)
{
	uint64_t value = 0;

	for (int i = 7; i >= 0; i--)
		value = value << 8 | at[i];
	return value;
}

static inline uint64_t
rotate(uint64_t x, int bits)
{
	return x << bits | x >> (64 - bits);
}

static void
sip_rounds(uint64_t v[4], int rounds)
{
	while (rounds-- > 0) {
		v[0] += v[1];
		v[1] = rotate(v[1], 13) ^ v[0];
		v[0] = rotate(v[0], 32);
		v[2] += v[3];
		v[3] = rotate(v[3], 16) ^ v[2];
		v[0] += v[3];
		v[3] = rotate(v[3], 21) ^ v[0];
		v[2] += v[1];
		v[1] = rotate(v[1], 17) ^ v[2];
		v[2] = rotate(v[2], 32);
	}
}

/* SipHash-2-4 of at most 32 octets. */
static uint64_t
siphash(const uint8_t key[16], const uint8_t *bytes, size_t length)
{
	uint64_t k0 = get64_little(key), k1 = get64_little(key + 8);
	uint64_t v[4] = {
		k0 ^ 0x736f6d6570736575, k1 ^ 0x646f72616e646f6d,
		k0 ^ 0x6c7967656e657261, k1 ^ 0x7465646279746573,
	};
	uint8_t block[8];

	for (size_t at = 0; at <= length; at += 8) {
		size_t take = length - at < 8 ? length - at : 8;

		memset(block, 0, sizeof(block));
		memcpy(block, bytes + at, take);
		if (take < 8)
			block[7] = length & 0xff;

		uint64_t word = get64_little(block);

		v[3] ^= word;
		sip_rounds(v, 2);
		v[0] ^= word;
	}
	v[2] ^= 0xff;
	sip_rounds(v, 4);
	return v[0] ^ v[1] ^ v[2] ^ v[3];
}

/* RFC 9018 section 4.4: over the client's part, version, time and address. The last 8 of 24 octets. */
static void
put_hash(uint8_t *cookie, const uint8_t key[16], const struct sockaddr *client)
{
	uint8_t hashed[32];
	size_t length = 16;
	uint64_t hash;

	memcpy(hashed, cookie, 16);
	if (client->sa_family == AF_INET) {
		memcpy(hashed + length,
		    &((const struct sockaddr_in *)client)->sin_addr, 4);
		length += 4;
	} else if (client->sa_family == AF_INET6) {
		memcpy(hashed + length,
		    &((const struct sockaddr_in6 *)client)->sin6_addr, 16);
		length += 16;
	}
	hash = siphash(key, hashed, length);
	for (int i = 0; i < 8; i++)
		cookie[16 + i] = hash >> 8 * i & 0xff;
}

size_t
cookie_put(uint8_t *to, const uint8_t key[16], const uint8_t *cookie,
    const struct sockaddr *client, time_t now)
{
	dns_put16(to, DNS_OPTION_COOKIE);
	dns_put16(to + 2, COOKIE_SIZE);
	memcpy(to + 4, cookie, 8);
	dns_put32(to + 12, (uint32_t)VERSION << 24);
	dns_put32(to + 16, (uint32_t)now);
	put_hash(to + 4, key, client);
	return COOKIE_OPTION_SIZE;
}

bool
cookie_check(const uint8_t key[16], const uint8_t *cookie,
    const struct sockaddr *client, time_t now)
{
	/* Serial number arithmetic: the clock has 32 bits. */
	int32_t age = (int32_t)((uint32_t)now - dns_get32(cookie + 12));
	uint8_t made[COOKIE_SIZE];

	if (cookie[8] != VERSION || age > AGE_MAX || age < -AHEAD_MAX)
		return false;
	memcpy(made, cookie, 16);
	put_hash(made, key, client);
	return CRYPTO_memcmp(made, cookie, COOKIE_SIZE) == 0;
}
