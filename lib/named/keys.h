/* keys - the secrets that named.conf gives names to (TSIG, rndc) */

#ifndef NAMED_KEYS_H
#define NAMED_KEYS_H

#include <stddef.h>
#include <stdint.h>

#include "dns/name.h"
#include "named/conf.h"

enum key_algorithm {
	KEY_HMAC_MD5,
	KEY_HMAC_SHA1,
	KEY_HMAC_SHA224,
	KEY_HMAC_SHA256,
	KEY_HMAC_SHA384,
	KEY_HMAC_SHA512,
};

struct key_settings {
	const char *name;	/* as written */
	struct dns_name wire;
	enum key_algorithm algorithm;
	unsigned bits;		/* of the digest that travel; 0: all */
	const uint8_t *secret;
	size_t	 secret_length;
	const struct conf_statement *at;
};

/* A key's number is its place here, from 1; 0 is no key. */
struct keys {
	struct key_settings *list;
	size_t	 count;
};

/* All key statements of the file. */
void	keys_read(struct keys *keys, struct conf *conf);
void	keys_clear(struct keys *keys);

/* The number of a key; 0 if there is none of that name. */
uint32_t keys_find(const struct keys *keys, const char *name);

/* "hmac-sha256", "hmac-sha256-128": 0, or -1. */
int	key_algorithm_parse(const char *text, enum key_algorithm *algorithm,
	    unsigned *bits);

#endif
