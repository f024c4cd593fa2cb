/* revive - a zone as it is being served, when there is nothing better to make it of */

#ifndef NAMED_LITE_REVIVE_H
#define NAMED_LITE_REVIVE_H

#include "image/image.h"
#include "zone/zone.h"

/* The zone with this apex in an image, which may be none; NULL if it is not there, or is broken. */
const struct image_zone *revive_find(const struct image *image,
	    const struct dns_name *apex);

/*
 * The zone with this apex out of an image. Keeps rules and seed. NULL if
 * it is not there or was broken there too. Released with zone_free().
 */
struct zone *revive_zone(const struct image *image,
	    const struct dns_name *apex, const struct zone_rules *rules,
	    const uint64_t seed[2]);

#endif
