/*
 * chain - the records by which a signed zone proves that something is not there
 *
 * NSEC (RFC 4034) stands at the zone's names, NSEC3 (RFC 5155) at hashes of
 * them, which are nodes that no question finds. An image has a table of
 * these nodes for each zone, in the order of names or hashes. With NSEC3 each
 * node knows the proofs about itself, so that one hash, of a name that is
 * not there, is all that an answer may have to compute.
 */

#ifndef IMAGE_CHAIN_H
#define IMAGE_CHAIN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "image/image.h"

#define CHAIN_HASH_SIZE	20
#define CHAIN_ITERATIONS_MAX	150	/* more is refused, as BIND does: each question would pay */

/* The table of a zone with NSEC3; that of one with NSEC consists of places. */
struct image_hashed {
	uint8_t	 hash[CHAIN_HASH_SIZE];
	place	 node;
};

/* Make ready; to be called before the sandbox is entered. 0, or -1: there is no SHA-1. */
int	chain_init(void);

/* The hash of a name in lower case (RFC 5155 section 5). */
void	chain_hash(uint8_t hash[CHAIN_HASH_SIZE], const uint8_t *name,
	    const uint8_t *salt, size_t salt_length, unsigned iterations);

/* The node whose NSEC or NSEC3 matches or covers a name, in lower case; 0 if the zone has no chain. */
place	chain_find(const struct image *image, const struct image_zone *zone,
	    const uint8_t *name, bool *matches);

#endif
