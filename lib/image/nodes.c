#include "image/builder.h"

#include <stddef.h>
#include <string.h>

#include "base/copy.h"
#include "image/rrset.h"

/* Note that a place of the image is to tell a node that may have none yet. */
static void
link_to(struct builder *b, size_t at, uint32_t owner)
{
	struct builder_link link = { at / 4, owner };

	if (b->places[owner] != 0)
		*(place *)(b->base + at) = b->places[owner];
	else
		text_append(&b->forward, &link, sizeof(link));
}

/* Write an RRset. */
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
	for (const struct zone_rdata *rdata = rrset->first; rdata != NULL &&
	    zone_has_target(rrset->type); rdata = rdata->next, i++) {
		struct image_target *target = &octets.targets[head.targets];
		bool is_glue;

		if (octets.length == 0 || octets.target_at[i] == 0 ||
		    !links_target(rrset->type, rdata, &target->node, &is_glue))
			continue;
		target->name = zone_target(owner, rrset->type, rdata) ==
		    owner->name ? IMAGE_OWNER : octets.target_at[i];
		target->is_glue = is_glue;
		head.targets++;
	}
	head.is_signed = rrset->next != NULL &&
	    zone_covers(rrset->next) == rrset->type;
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
	for (i = 0; i < head.targets; i++)
		link_to(b, at + sizeof(head) + i * sizeof(octets.targets[0]) +
		    offsetof(struct image_target, node),
		    octets.targets[i].node);
	copy_few(to + sizeof(head) + targets, octets.pointers, pointers);
	copy_few(to + sizeof(head) + targets + pointers, octets.bytes,
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

			if (zone_covers(found) != rrset->type)
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

	if (owner->has_cut)
		flags |= NODE_HAS_CUT;
	if (owner->is_cut)
		flags |= NODE_IS_CUT;
	if (owner->has_wildcard)
		flags |= NODE_HAS_WILDCARD;
	if (zone_is_apex(owner))
		flags |= NODE_IS_APEX;
	if (zone_find_rrset(owner, DNS_TYPE_CNAME) != NULL)
		flags |= NODE_HAS_CNAME;
	/* At a delegation NS goes first: a DNAME beside it is not looked at. */
	if (zone_find_rrset(owner, DNS_TYPE_DNAME) != NULL &&
	    (zone_is_apex(owner) || ns == NULL))
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

/* The links that are known now: to the delegation above, which has its node, and from the parent of a wildcard. */
static void
link_node(struct builder *b, const struct zone_owner *owner, size_t at)
{
	struct image_node *node = (struct image_node *)(b->base + at);
	struct image_node *parent = (struct image_node *)(b->base +
	    (size_t)b->places[owner->parent] * 4);

	if (owner->is_cut)
		node->links[0] = at / 4;
	else if (owner->has_cut)
		node->links[0] = image_node_cut(parent);
	if (!zone_is_apex(owner) && !owner->is_hidden &&
	    owner->name[0] == 1 && owner->name[1] == '*')
		parent->links[parent->flags & NODE_HAS_CUT ? 1 : 0] = at / 4;
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
	copy_few(b->base + at + sizeof(node) + links * sizeof(place),
	    owner->name, owner->length);
	b->places[owner->number] = at / 4;
	link_node(b, owner, at);
	if (!owner->is_hidden || owner->is_shadow)
		denial_note(b, number, owner);
	if (!owner->is_hidden && !owner->is_nsec3)
		builder_insert(b, &b->build->zones[number].zone->suffix,
		    owner->name, owner->length, at / 4);
	for (struct zone_rrset *rrset = owner->rrsets; rrset != NULL;
	    rrset = rrset->next) {
		at = put_rrset(b, number, owner, rrset, rrset->ttl);
		if (rrset->type == DNS_TYPE_NS && zone_is_apex(owner) &&
		    at != 0)
			builder_zone(b, number)->ns = at / 4;
	}
}

/* RFC 2308 section 3: a negative answer lives as long as the lesser of the SOA's TTL and its last field. */
void
nodes_put_negative_soa(struct builder *b, size_t number)
{
	struct zone_owner *apex = b->build->zones[number].zone->first;
	const struct zone_rrset *soa = zone_find_rrset(apex, DNS_TYPE_SOA);
	uint32_t ttl = dns_get32(soa->first->octets + soa->first->length - 4);
	size_t at;

	order_rrsets(apex);
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
	struct zone_suffix suffix;
	size_t at = builder_take(b, sizeof(node) + apex->length);

	if (at == 0)
		return;
	memcpy(b->base + at, &node, sizeof(node));
	memcpy(b->base + at + sizeof(node), apex->bytes, apex->length);
	builder_zone(b, number)->apex = at / 4;
	zone_suffix_init(&suffix, builder_header(b)->seed, apex->bytes);
	builder_insert(b, &suffix, apex->bytes, apex->length, at / 4);
}

void
nodes_fill(struct builder *b)
{
	const struct builder_link *links =
	    (const struct builder_link *)b->forward.bytes;
	size_t count = b->forward.length / sizeof(*links);

	for (size_t i = 0; i < count; i++)
		*(place *)(b->base + (size_t)links[i].at * 4) =
		    b->places[links[i].owner];
	text_truncate(&b->forward, 0);
}
