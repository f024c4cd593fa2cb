/* index - a zone's owners by name */

#ifndef ZONE_INDEX_H
#define ZONE_INDEX_H

#include "zone/path.h"
#include "zone/zone.h"

/* Make room for so many owners. */
void	index_reserve(struct zone *zone, size_t owners);

/* The owner of the path without its first labels; NULL. *slot is where it is or would be. */
struct zone_owner *index_find(const struct zone *zone,
	    const struct zone_path *path, unsigned skip, size_t *slot);

/* Enter the newest owner of the zone's arena, which was not found. */
void	index_add(struct zone *zone, const struct zone_path *path,
	    unsigned skip, struct zone_owner *owner, size_t slot);

#endif
