/* reply - an answer in the making: RRsets copied into place, their pointers set */

#ifndef NAMED_LITE_REPLY_H
#define NAMED_LITE_REPLY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "image/image.h"

enum reply_section {
	SECTION_ANSWER,
	SECTION_AUTHORITY,
	SECTION_ADDITIONAL,
	SECTIONS
};

#define REPLY_RRSETS_MAX	96

/* An RRset that went in, and what its pointers stand for. */
struct reply_rrset {
	const struct image_rrset *rrset;
	uint16_t base;		/* its octet 0 */
	uint16_t owner;		/* where the owner's name is */
	uint16_t suffix_end;	/* where the zone's name ends */
	enum reply_section section;
};

struct reply {
	uint8_t	*out;
	size_t	 used;
	size_t	 limit;
	uint16_t flags;
	uint16_t rcode;
	uint16_t counts[SECTIONS];
	uint16_t suffix_end;
	uint8_t	 zone_length;	/* octets before suffix_end that are the zone's name; 0: not known */
	bool	 has_signatures;	/* RRsets come with theirs */
	uint16_t rotation;	/* which record of an address RRset comes first */
	struct reply_rrset rrsets[REPLY_RRSETS_MAX];
	unsigned rrset_count;
};

/*
 * Add an RRset, with its signatures if the reply has them. Its owner's name is at octet `owner` already, or, if that
 * is 0, is spelled out from the name `spelled`. False if there is no room:
 * nothing has changed.
 */
bool	reply_add(struct reply *reply, enum reply_section section,
	    const struct image_rrset *rrset, size_t owner,
	    const uint8_t *spelled);

/* Where the name of a target of that RRset is; 0 if no pointer reaches it. */
size_t	reply_target_at(const struct reply_rrset *in, uint16_t code);

/* Is it in already? */
bool	reply_has(const struct reply *reply, const struct image_rrset *rrset);

/* Add a record that no image holds. False if there is no room. */
bool	reply_add_record(struct reply *reply, enum reply_section section,
	    size_t owner, uint16_t type, uint16_t class, uint32_t ttl,
	    const uint8_t *rdata, size_t length);

#endif
