/*
 * build - zones become a sealed image (image.h)
 *
 * All of them, or, when some have changed, these alone: a copy of the old
 * image with the new zones behind it. So a change costs what the zone does,
 * and a copy of memory. What is no longer of use is counted; when it comes
 * to a quarter all is built again.
 */

#ifndef IMAGE_BUILD_H
#define IMAGE_BUILD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "image/image.h"
#include "zone/zone.h"

struct build_zone {
	const struct dns_name *apex;
	struct zone *zone;		/* NULL: it did not load */
	bool	 is_kept;		/* build_patch(): it is as it was */
	uint32_t acl;			/* who may ask */
	uint32_t acl_on;		/* and on which of our addresses */
};

/* What goes in. */
struct build {
	const struct build_zone *zones;
	size_t	 zone_count;
	const struct image_match *acls;	/* row 0 unused */
	size_t	 acl_count;
	const char *version;		/* NULL: no such record */
	const char *hostname;
	const char *server_id;
	bool	 takes_zones;		/* their memory is given back while the image grows: they are of no use afterwards but to zone_free() */
	struct image_header settings;	/* seed and what answers depend on; places are filled in */
};

/* Build and seal. A descriptor, or -1 with errno. */
int	build_image(const struct build *build);

/*
 * The same from an image of the same zones in the same order: those that are
 * kept are copied, and zone is of no meaning. settings must be the old
 * image's, seed included. -1 with ENOSPC: so little is kept that it is
 * better to build all.
 */
int	build_patch(const struct build *build, const struct image *old);

#endif
