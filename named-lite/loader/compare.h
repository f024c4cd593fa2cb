/*
 * compare - what the records of a zone are that went and came from one image to the next
 *
 * Who puts all that went aside and then all that came in has the new zone.
 * Most names are found in the other image. Those that no question finds (the
 * hashes of NSEC3, what a child that is served here hides) and those that are
 * in one of the two only are put in order and compared as lists.
 */

#ifndef NAMED_LITE_LOADER_COMPARE_H
#define NAMED_LITE_LOADER_COMPARE_H

#include "base/text.h"
#include "image/image.h"

/* The differences of one zone, as records (records.h). */
struct comparison {
	struct text soas[2];		/* gone, come */
	struct text gone, come;
	struct text one, other;		/* the records of two nodes */
};

/* Compare into *c, all zeros, to be released by comparison_clear(). Gives the octets of the new zone, about. */
size_t	compare_zones(struct comparison *c, const struct image *old,
	    const struct image_zone *old_zone, const struct image *new,
	    const struct image_zone *new_zone);

void	comparison_clear(struct comparison *c);

#endif
