/*
 * key - shared secrets and their message authentication codes (RFC 2104),
 * as TSIG and the control channel use them
 */

#ifndef DNS_KEY_H
#define DNS_KEY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "dns/name.h"

enum dns_hmac {
	DNS_HMAC_MD5,
	DNS_HMAC_SHA1,
	DNS_HMAC_SHA224,
	DNS_HMAC_SHA256,
	DNS_HMAC_SHA384,
	DNS_HMAC_SHA512,
};

#define DNS_SECRET_MAX	256
#define DNS_MAC_MAX	64

struct dns_key {
	struct dns_name name;		/* in lower case */
	uint8_t	 algorithm;		/* enum dns_hmac */
	uint8_t	 mac_length;		/* octets of a code that are sent, at most DNS_MAC_MAX */
	uint16_t secret_length;
	uint8_t	 secret[DNS_SECRET_MAX];
};

/*
 * Make a key of what configuration files say: its name, "hmac-sha256" or
 * "hmac-sha256-128", its secret in base64. 0, or -1 with *why.
 */
int	dns_key_init(struct dns_key *key, const char *name,
	    const char *algorithm, const char *secret, const char **why);

/* "hmac-sha256": which one, -1 if we do not know it. *bits (0: all) are how many of a code are sent. */
int	dns_hmac_parse(const char *text, unsigned *bits);

/* The name that RFC 8945 gives it. */
const char *dns_hmac_name(enum dns_hmac algorithm);

/* The algorithm of that name in wire form, -1 if it is none. */
int	dns_hmac_find(const struct dns_name *name);

/* Octets of its codes. */
size_t	dns_hmac_length(enum dns_hmac algorithm);

/*
 * Load what the algorithms need, before a sandbox shuts: later is too late.
 */
void	dns_key_prepare(void);

/* A code in the making. */
struct dns_mac;

struct dns_mac *dns_mac_new(const struct dns_key *key);
void	dns_mac_add(struct dns_mac *mac, const void *octets, size_t length);

/* Finish: the whole code into octets; its length. Releases *mac. */
size_t	dns_mac_finish(struct dns_mac **mac, uint8_t octets[DNS_MAC_MAX]);
void	dns_mac_free(struct dns_mac **mac);

/* Compare in a time that tells nothing. */
bool	dns_mac_equal(const uint8_t *a, const uint8_t *b, size_t length);

#endif
