/* rrset - the octets of an RRset as they go into answers (image.h, promise 4) */

#ifndef IMAGE_RRSET_H
#define IMAGE_RRSET_H

#include "image/image.h"
#include "zone/zone.h"

#define RRSET_POINTERS_MAX	UINT16_MAX

struct rrset_octets {
	uint16_t length;	/* 0: longer than any answer */
	uint16_t record_length;
	uint16_t pointer_count;
	uint8_t	 bytes[UINT16_MAX];
	uint16_t pointers[RRSET_POINTERS_MAX];
	uint16_t target_at[UINT16_MAX];		/* of each record: code of the place of its target */
	struct image_target targets[UINT16_MAX];	/* for the builder */
};

void	rrset_compile(struct rrset_octets *to, const struct dns_name *apex,
	    const struct zone_owner *owner, const struct zone_rrset *rrset,
	    uint32_t ttl);

#endif
