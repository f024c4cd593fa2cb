/* builder - an image while it grows: what the files that build it share */

#ifndef IMAGE_BUILDER_H
#define IMAGE_BUILDER_H

#include <stddef.h>
#include <stdint.h>

#include "image/build.h"

#define BUILDER_ENTRIES	16

struct builder {
	int	 fd;
	uint8_t	*base;
	size_t	 size;		/* mapped */
	size_t	 used;		/* a multiple of four */
	const struct build *build;
	struct map *apexes;	/* lower-case wire names (as text) of all zones, to their numbers + 1 */
	unsigned labels_max;	/* of names that questions find */
	uint32_t slots_taken;
	int	 error;
	struct builder_entry {
		uint64_t hash;
		place	 node;
	} entries[BUILDER_ENTRIES];	/* nodes on their way into the slots, which the processor fetches meanwhile */
	unsigned entry_count;

	/* of the zone that is being written */
	place	*places;	/* of its owners' nodes, by number */
	struct text forward;	/* struct builder_link: to nodes without a place yet */
	struct text chain;	/* what proves that something is not there: places, or struct image_hashed */
};

/* A place in the image that is to tell an owner's. */
struct builder_link {
	place	 at;
	uint32_t owner;
};

/* The number of the zone with this apex, from 1; 0 if there is none. */
size_t	builder_find_zone(const struct builder *b, const uint8_t *apex);

/* Enter a node under its name: it is found from the next builder_flush() on at the latest. */
void	builder_insert(struct builder *b, const struct zone_suffix *suffix,
	    const uint8_t *name, size_t length, place node);
void	builder_flush(struct builder *b);

/* Octets at the end, cleared, at a multiple of four; their offset, 0 when there is no memory. Moves base. */
size_t	builder_take(struct builder *b, size_t length);

/* The same with these octets in it. */
size_t	builder_append(struct builder *b, const void *bytes, size_t length);

static inline struct image_header *
builder_header(struct builder *b)
{
	return (struct image_header *)b->base;
}

static inline struct image_zone *
builder_zone(struct builder *b, size_t zone)
{
	return (struct image_zone *)(b->base +
	    (size_t)builder_header(b)->zones * 4) + zone;
}

/* build.c: what a zone's row tells, and how many names will be found; then the zone. */
size_t	build_prepare_zone(struct builder *b, size_t zone);
void	build_put_zone(struct builder *b, size_t zone);

/* Begin: a new file in memory, and the zones by their names; 0, or -1 with errno. End: sealed, a descriptor, or -1 with errno. */
int	build_begin(struct builder *b);
int	build_end(struct builder *b);

/* links.c: first of all, what owners are to each other, and how many of them questions find; then, whose addresses go with which record. */
size_t	links_make(struct builder *b, size_t zone);
void	links_find_targets(struct builder *b, size_t zone);

/* The number of the owner that a record's target is; false if it has none. */
bool	links_target(uint16_t type, const struct zone_rdata *rdata,
	    uint32_t *owner, bool *is_glue);

/* nodes.c: a node with its RRsets; then, when all have their places, what refers to later ones. */
void	nodes_put(struct builder *b, size_t zone, struct zone_owner *owner);
void	nodes_fill(struct builder *b);

/* The SOA of negative answers, and the apex of a zone that did not load. */
void	nodes_put_negative_soa(struct builder *b, size_t zone);
void	nodes_put_broken(struct builder *b, size_t zone);

/*
 * denial.c: is an owner that of an NSEC3 record, and has nothing else? Find
 * out how a zone denies; note a node that proves; write the table when all
 * are noted; set the links.
 */
bool	denial_is_hash(const struct zone_owner *owner);
void	denial_choose(struct builder *b, size_t zone);
void	denial_note(struct builder *b, size_t zone,
	    const struct zone_owner *owner);
void	denial_put(struct builder *b, size_t zone);
void	denial_fill(struct builder *b, size_t zone);

/* Has the owner's node such links? */
bool	denial_has_proofs(struct builder *b, size_t zone,
	    const struct zone_owner *owner);

#endif
