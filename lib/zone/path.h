/* path - a name and its suffixes, as hash tables look for them */

#ifndef ZONE_PATH_H
#define ZONE_PATH_H

#include <stddef.h>
#include <stdint.h>

#include "dns/dns.h"

/*
 * A name on its way through hash tables: in lower case, with the hash of
 * each suffix. hashes[i] is that of the name without its first i labels.
 */
struct zone_path {
	unsigned labels;
	uint8_t	 starts[DNS_LABELS_MAX + 1];
	uint8_t	 name[DNS_NAME_MAX + 9];
	uint64_t hashes[DNS_LABELS_MAX + 1];
};

/* A suffix that many names share, and its hash: it need not be computed again for each. */
struct zone_suffix {
	uint8_t	 length;		/* 0: none */
	unsigned labels;
	uint64_t hash;
	uint8_t	 bytes[DNS_NAME_MAX];
};

void	zone_suffix_init(struct zone_suffix *suffix, const uint64_t seed[2],
	    const uint8_t *wire);

/* Begin with a name of which only what stands before the suffix is looked up; if it does not end in it, with any. */
void	zone_path_init_below(struct zone_path *path, const uint64_t seed[2],
	    const uint8_t *wire, size_t length,
	    const struct zone_suffix *suffix);

/* Begin with a valid name. */
void	zone_path_init(struct zone_path *path, const uint64_t seed[2],
	    const uint8_t *wire, size_t length);

#endif
