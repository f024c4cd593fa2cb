/* keys - the secrets that named.conf gives names to (TSIG, rndc) */

#ifndef NAMED_KEYS_H
#define NAMED_KEYS_H

#include <stddef.h>
#include <stdint.h>

#include "dns/key.h"
#include "named/conf.h"

struct key_settings {
	const char *name;	/* as written */
	struct dns_key key;
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

#endif
