/*
 * parcel - what came from a primary, on its way from the envoy to the loader
 *
 * A sealed file in memory: the serial number that it leads to, and records
 * (records.h): all of the zone, or what was removed and added, in that order.
 */

#ifndef NAMED_LITE_PARCEL_H
#define NAMED_LITE_PARCEL_H

#include "image/image.h"
#include "zone/zone.h"

#define PARCEL_MAGIC	0x70617263656c0001ULL

struct parcel_header {
	uint64_t magic;
	uint32_t is_whole;
	uint32_t from;		/* the serial number that it was made for, if it is not */
	uint32_t to;
};

/*
 * The zone that a parcel makes, of nothing or of the one in the image.
 * Keeps rules and seed. NULL with *why. Released with zone_free().
 */
struct zone *parcel_open(int fd, const struct image *served,
	    const struct dns_name *apex, const struct zone_rules *rules,
	    const uint64_t seed[2], const char **why);

#endif
