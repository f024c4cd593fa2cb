/* builder - an image while it grows: what the files that build it share */

#ifndef IMAGE_BUILDER_H
#define IMAGE_BUILDER_H

#include <stddef.h>
#include <stdint.h>

#include "image/build.h"

struct builder {
	int	 fd;
	uint8_t	*base;
	size_t	 size;		/* mapped */
	size_t	 used;		/* a multiple of four */
	const struct build *build;
	struct map *apexes;	/* lower-case wire names (as text) of all zones, to their numbers + 1 */
	size_t	 node_count;	/* of those that questions find */
	unsigned labels_max;
	int	 error;
};

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

/* nodes.c: a node with its RRsets; then, when all have their places, what refers to others. */
void	nodes_put(struct builder *b, size_t zone, struct zone_owner *owner);
void	nodes_fill(struct builder *b, size_t zone,
	    const struct zone_owner *owner);

/* The SOA of negative answers, and the apex of a zone that did not load. */
void	nodes_put_negative_soa(struct builder *b, size_t zone);
void	nodes_put_broken(struct builder *b, size_t zone);

/*
 * denial.c: find out how a zone denies, and mark the owners of NSEC3; write
 * the table when its nodes have their places; set the links of a node.
 */
void	denial_choose(struct builder *b, size_t zone);
void	denial_put(struct builder *b, size_t zone);
void	denial_fill(struct builder *b, size_t zone,
	    const struct zone_owner *owner);

/* Has the owner's node such links? */
bool	denial_has_proofs(struct builder *b, size_t zone,
	    const struct zone_owner *owner);

#endif
