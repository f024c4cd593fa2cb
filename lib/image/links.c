/*
 * links - who is whose delegation, wildcard or target, found out before the
 * first node is written
 *
 * Afterwards a zone is written owner by owner, each with what it has itself,
 * so that its memory can be given back at once.
 */

#include "image/builder.h"

#include <stdlib.h>
#include <string.h>

#define TARGETS_MAX	13	/* of an RRset other than NS */
#define IS_GLUE		UINT32_C(0x80000000)

/* What children ask about their parents. */
enum { HAS_CUT = 1, IS_HIDDEN = 2 };

/* Names at or below the apex of another zone are that zone's. */
static void
hide(struct builder *b, struct zone_owner *owner, uint8_t parent)
{
	owner->is_hidden = (parent & IS_HIDDEN) ||
	    builder_find_zone(b, owner->name) != 0;
	owner->is_shadow = owner->is_hidden && !(parent & IS_HIDDEN);
}

static void
link_owner(const struct zone *zone, struct zone_owner *owner, uint8_t parent)
{
	bool is_apex = zone_is_apex(owner);

	owner->is_cut = (parent & HAS_CUT) == 0 &&
	    ((!is_apex && zone_find_rrset(owner, DNS_TYPE_NS) != NULL) ||
	    zone_find_rrset(owner, DNS_TYPE_DNAME) != NULL);
	owner->has_cut = owner->is_cut || (parent & HAS_CUT);
	if (!is_apex && !owner->is_hidden && owner->name[0] == 1 &&
	    owner->name[1] == '*')
		zone_find(zone, owner->name + 2)->has_wildcard = true;
}

size_t
links_make(struct builder *b, size_t number)
{
	struct zone *zone = b->build->zones[number].zone;
	uint8_t *known = mem_zalloc(zone->owner_count, 1);
	bool is_alone = b->build->zone_count == 1;
	size_t count = 0;

	for (struct zone_owner *owner = zone->first; owner != NULL;
	    owner = zone_next(owner)) {
		uint8_t parent = zone_is_apex(owner) ? 0 :
		    known[owner->parent];

		if (!is_alone && !zone_is_apex(owner))
			hide(b, owner, parent);
		link_owner(zone, owner, parent);
		owner->is_nsec3 = denial_is_hash(owner);
		count += !owner->is_hidden && !owner->is_nsec3;
		known[owner->number] = (owner->has_cut ? HAS_CUT : 0) |
		    (owner->is_hidden ? IS_HIDDEN : 0);
	}
	free(known);
	return count;
}

/* The wildcard that a name comes from which is not there. */
static const struct zone_owner *
find_wildcard(const struct zone *zone, const uint8_t *name)
{
	const struct zone_owner *closest = NULL;
	uint8_t star[2 + DNS_NAME_MAX] = { 1, '*' };

	while (closest == NULL) {
		name += *name + 1;
		closest = zone_find(zone, name);
	}
	if (closest->has_cut || !closest->has_wildcard)
		return NULL;
	memcpy(star + 2, closest->name, closest->length);
	return zone_find(zone, star);
}

/* At or below a delegation, or below a DNAME, whose own name is the zone's like any other. */
static bool
is_cut_off(const struct zone_owner *owner)
{
	return owner->has_cut && (!owner->is_cut ||
	    zone_find_rrset(owner, DNS_TYPE_NS) != NULL);
}

/*
 * The node whose addresses go with a target: of the same zone only, as with
 * BIND when it does not recurse. Glue goes with its delegation only.
 */
static uint32_t
find_target(const struct zone *zone, const struct zone_owner *owner,
    uint16_t type, const uint8_t *name)
{
	const struct zone_owner *target;

	if (!dns_name_within(name, zone->apex.bytes))
		return 0;
	target = zone_find(zone, name);
	if (target == NULL)
		target = find_wildcard(zone, name);
	if (target == NULL || target->is_hidden)
		return 0;
	if (is_cut_off(target) && (type != DNS_TYPE_NS || !owner->is_cut))
		return 0;
	if (zone_find_rrset(target, DNS_TYPE_A) == NULL &&
	    zone_find_rrset(target, DNS_TYPE_AAAA) == NULL)
		return 0;
	return (target->number + 1) | (is_cut_off(target) ? IS_GLUE : 0);
}

static void
link_rrset(const struct zone *zone, const struct zone_owner *owner,
    struct zone_rrset *rrset)
{
	/* BIND looks for no addresses if there are many targets. */
	bool too_many = rrset->type != DNS_TYPE_NS &&
	    rrset->count > TARGETS_MAX;

	for (struct zone_rdata *rdata = rrset->first; rdata != NULL;
	    rdata = rdata->next) {
		const uint8_t *name = too_many ? NULL : zone_target(owner,
		    rrset->type, rdata);
		uint32_t target = name == NULL ? 0 : find_target(zone, owner,
		    rrset->type, name);

		memcpy(rdata->octets + rdata->length, &target, sizeof(target));
	}
}

void
links_find_targets(struct builder *b, size_t number)
{
	const struct zone *zone = b->build->zones[number].zone;

	for (struct zone_owner *owner = zone->first; owner != NULL;
	    owner = zone_next(owner))
		for (struct zone_rrset *rrset = owner->rrsets; rrset != NULL;
		    rrset = rrset->next)
			if (zone_has_target(rrset->type))
				link_rrset(zone, owner, rrset);
}

bool
links_target(uint16_t type, const struct zone_rdata *rdata, uint32_t *owner,
    bool *is_glue)
{
	uint32_t target = 0;

	if (zone_has_target(type))
		memcpy(&target, rdata->octets + rdata->length, sizeof(target));
	*is_glue = (target & IS_GLUE) != 0;
	*owner = (target & ~IS_GLUE) - 1;
	return target != 0;
}
