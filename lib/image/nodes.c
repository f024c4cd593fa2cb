#include "image/builder.h"

#include <string.h>

#include "image/rrset.h"

#define TARGETS_MAX	13	/* of an RRset other than NS */

/* The wildcard that a name comes from which is not there. */
static const struct zone_owner *
find_wildcard(const struct zone *zone, const uint8_t *name)
{
	const struct zone_owner *closest = NULL;

	while (closest == NULL) {
		name += *name + 1;
		closest = zone_find(zone, name);
	}
	return closest->cut == NULL ? closest->wildcard : NULL;
}

/*
 * The node whose addresses go with a target: of the same zone only, as with
 * BIND when it does not recurse. Glue goes with its delegation only.
 */
static const struct zone_owner *
find_target(const struct zone *zone, const struct zone_owner *owner,
    uint16_t type, const uint8_t *name, bool *is_glue)
{
	const struct zone_owner *target;

	if (!dns_name_within(name, zone->apex.bytes))
		return NULL;
	target = zone_find(zone, name);
	if (target == NULL)
		target = find_wildcard(zone, name);
	if (target == NULL || target->is_hidden)
		return NULL;
	*is_glue = target->cut != NULL;
	if (*is_glue && (type != DNS_TYPE_NS || owner->cut != owner))
		return NULL;
	return zone_find_rrset(target, DNS_TYPE_A) ||
	    zone_find_rrset(target, DNS_TYPE_AAAA) ? target : NULL;
}

/* What addresses belong to. BIND looks for none if there are many targets. */
static const uint8_t *
rrset_target(const struct zone_owner *owner, const struct zone_rrset *rrset,
    const struct zone_rdata *rdata)
{
	if (rrset->type != DNS_TYPE_NS && rrset->count > TARGETS_MAX)
		return NULL;
	return zone_target(owner, rrset->type, rdata);
}

/* Write an RRset; its targets are filled in when all nodes have their place. */
static size_t
put_rrset(struct builder *b, size_t number, const struct zone_owner *owner,
    const struct zone_rrset *rrset, uint32_t ttl)
{
	static struct rrset_octets octets;
	struct image_rrset head = { .type = rrset->type,
	    .count = rrset->count };
	const struct zone *zone = b->build->zones[number].zone;
	unsigned i = 0;

	rrset_compile(&octets, &zone->apex, owner, rrset, ttl);
	for (const struct zone_rdata *rdata = rrset->first; rdata != NULL;
	    rdata = rdata->next, i++) {
		const uint8_t *name = rrset_target(owner, rrset, rdata);
		bool is_glue;

		if (name != NULL && octets.length > 0 &&
		    octets.target_at[i] != 0 && find_target(zone, owner,
		    rrset->type, name, &is_glue) != NULL) {
			octets.targets[head.targets].name = name == owner->name ?
			    IMAGE_OWNER : octets.target_at[i];
			octets.targets[head.targets++].is_glue = is_glue;
		}
	}
	head.is_signed = rrset->next != NULL &&
	    rrset->next->type == DNS_TYPE_RRSIG &&
	    rrset->next->covers == rrset->type;
	head.length = octets.length;
	head.pointers = octets.pointer_count;
	head.record_length = octets.record_length;

	size_t targets = head.targets * sizeof(octets.targets[0]);
	size_t pointers = head.pointers * sizeof(octets.pointers[0]);
	size_t at = builder_take(b, sizeof(head) + targets + pointers + head.length);
	uint8_t *to = b->base + at;

	if (at == 0)
		return 0;
	memcpy(to, &head, sizeof(head));
	memcpy(to + sizeof(head), octets.targets, targets);
	memcpy(to + sizeof(head) + targets, octets.pointers, pointers);
	memcpy(to + sizeof(head) + targets + pointers, octets.bytes,
	    head.length);
	return at;
}

/* Signatures go behind what they sign; those of nothing, to the end. */
static void
order_rrsets(struct zone_owner *owner)
{
	struct zone_rrset *signatures = NULL, **last = &signatures;
	struct zone_rrset **at = &owner->rrsets, *rrset;

	while ((rrset = *at) != NULL) {
		if (rrset->type == DNS_TYPE_RRSIG) {
			*at = rrset->next;
			*last = rrset;
			last = &rrset->next;
			rrset->next = NULL;
		} else
			at = &rrset->next;
	}
	for (rrset = owner->rrsets; rrset != NULL && signatures != NULL;
	    rrset = rrset->next) {
		for (at = &signatures; *at != NULL; at = &(*at)->next) {
			struct zone_rrset *found = *at;

			if (found->covers != rrset->type)
				continue;
			*at = found->next;
			found->next = rrset->next;
			rrset->next = found;
			rrset = found;
			break;
		}
	}
	for (at = &owner->rrsets; *at != NULL; )
		at = &(*at)->next;
	*at = signatures;
}

static unsigned
node_flags(struct builder *b, size_t number, const struct zone_owner *owner)
{
	const struct zone_rrset *ns = zone_find_rrset(owner, DNS_TYPE_NS);
	unsigned flags = 0;

	if (owner->cut != NULL)
		flags |= NODE_HAS_CUT;
	if (owner->cut == owner)
		flags |= NODE_IS_CUT;
	if (owner->wildcard != NULL)
		flags |= NODE_HAS_WILDCARD;
	if (owner->parent == NULL)
		flags |= NODE_IS_APEX;
	if (zone_find_rrset(owner, DNS_TYPE_CNAME) != NULL)
		flags |= NODE_HAS_CNAME;
	/* At a delegation NS goes first: a DNAME beside it is not looked at. */
	if (zone_find_rrset(owner, DNS_TYPE_DNAME) != NULL &&
	    (owner->parent == NULL || ns == NULL))
		flags |= NODE_HAS_DNAME;
	if (denial_has_proofs(b, number, owner))
		flags |= NODE_HAS_PROOFS;
	return flags;
}

static unsigned
count_links(unsigned flags)
{
	return (flags & NODE_HAS_CUT ? 1 : 0) +
	    (flags & NODE_HAS_WILDCARD ? 1 : 0) +
	    (flags & NODE_HAS_PROOFS ? 2 : 0);
}

/* A name that questions find has a slot. */
static void
count_node(struct builder *b, const uint8_t *name)
{
	unsigned labels = dns_name_labels(name);

	b->node_count++;
	if (labels > b->labels_max)
		b->labels_max = labels;
}

void
nodes_put(struct builder *b, size_t number, struct zone_owner *owner)
{
	struct image_node node = { .zone = number,
	    .name_length = owner->length };
	size_t links, at;

	order_rrsets(owner);
	node.flags = node_flags(b, number, owner);
	for (struct zone_rrset *rrset = owner->rrsets; rrset != NULL;
	    rrset = rrset->next)
		node.rrset_count++;
	links = count_links(node.flags);
	at = builder_take(b, sizeof(node) + links * sizeof(place) +
	    owner->length);
	if (at == 0)
		return;
	memcpy(b->base + at, &node, sizeof(node));
	memcpy(b->base + at + sizeof(node) + links * sizeof(place),
	    owner->name, owner->length);
	owner->place = at / 4;
	if (!owner->is_hidden && !owner->is_nsec3)
		count_node(b, owner->name);
	for (struct zone_rrset *rrset = owner->rrsets; rrset != NULL;
	    rrset = rrset->next) {
		at = put_rrset(b, number, owner, rrset, rrset->ttl);
		if (rrset->type == DNS_TYPE_NS && owner->parent == NULL)
			builder_zone(b, number)->ns = at / 4;
	}
}

/* RFC 2308 section 3: a negative answer lives as long as the lesser of the SOA's TTL and its last field. */
void
nodes_put_negative_soa(struct builder *b, size_t number)
{
	const struct zone_owner *apex = b->build->zones[number].zone->first;
	const struct zone_rrset *soa = zone_find_rrset(apex, DNS_TYPE_SOA);
	uint32_t ttl = dns_get32(soa->first->octets + soa->first->length - 4);
	size_t at;

	if (ttl > soa->ttl)
		ttl = soa->ttl;
	at = put_rrset(b, number, apex, soa, ttl);
	if (at != 0)
		builder_zone(b, number)->soa = at / 4;
	if (zone_find_signatures(apex, DNS_TYPE_SOA) != NULL)
		put_rrset(b, number, apex, soa->next, ttl);
}

/* A zone that did not load still has its apex, so that its names are known to be broken. */
void
nodes_put_broken(struct builder *b, size_t number)
{
	const struct dns_name *apex = b->build->zones[number].apex;
	struct image_node node = { .zone = number,
	    .name_length = apex->length, .flags = NODE_IS_APEX };
	size_t at = builder_take(b, sizeof(node) + apex->length);

	if (at == 0)
		return;
	memcpy(b->base + at, &node, sizeof(node));
	memcpy(b->base + at + sizeof(node), apex->bytes, apex->length);
	builder_zone(b, number)->apex = at / 4;
	count_node(b, apex->bytes);
}

/* Second pass over a node: whatever refers to other nodes. */
void
nodes_fill(struct builder *b, size_t number, const struct zone_owner *owner)
{
	struct image_node *node = (struct image_node *)(b->base +
	    (size_t)owner->place * 4);
	struct image_rrset *to;
	const struct zone_owner *target;
	bool is_glue;

	if (owner->cut != NULL)
		node->links[0] = owner->cut->place;
	if (owner->wildcard != NULL)
		node->links[owner->cut != NULL] = owner->wildcard->place;
	if (node->flags & NODE_HAS_PROOFS)
		denial_fill(b, number, owner);
	to = (struct image_rrset *)(uintptr_t)image_node_rrsets(node);
	for (const struct zone_rrset *rrset = owner->rrsets; rrset != NULL;
	    rrset = rrset->next) {
		struct image_target *next = (struct image_target *)(to + 1);
		struct image_target *end = next + to->targets;

		for (const struct zone_rdata *rdata = rrset->first;
		    rdata != NULL && next < end; rdata = rdata->next) {
			const uint8_t *name = rrset_target(owner, rrset, rdata);

			target = name == NULL ? NULL :
			    find_target(b->build->zones[number].zone, owner,
			    rrset->type, name, &is_glue);
			if (target != NULL)
				(next++)->node = target->place;
		}
		to = (struct image_rrset *)(uintptr_t)image_rrset_next(to);
	}
}
