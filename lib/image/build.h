/* build - zones become a sealed image (image.h) */

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
	uint32_t acl;
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

#endif
