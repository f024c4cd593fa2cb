#include "image/builder.h"

#include <stdlib.h>
#include <string.h>

#include "dns/internal.h"
#include "image/chain.h"

#define HASH_LABEL	32	/* letters of a hash in base32hex */

/* Is this NSEC3 or NSEC3PARAM of the chain that the zone uses? Algorithm, flags, iterations, salt. */
static bool
is_of_chain(struct builder *b, size_t number, const struct zone_rdata *rdata)
{
	const struct image_zone *row = builder_zone(b, number);
	const uint8_t *salt = b->base + (size_t)row->salt * 4;

	return rdata->octets[0] == 1 &&
	    dns_get16(rdata->octets + 2) == row->iterations &&
	    rdata->octets[4] == row->salt_length &&
	    memcmp(rdata->octets + 5, salt, row->salt_length) == 0;
}

bool
denial_is_hash(const struct zone_owner *owner)
{
	uint8_t hash[HASH_LABEL];

	if (zone_is_apex(owner) || owner->parent != 0 || owner->name[0] != HASH_LABEL ||
	    zone_find_rrset(owner, DNS_TYPE_NSEC3) == NULL)
		return false;
	for (const struct zone_rrset *rrset = owner->rrsets; rrset != NULL;
	    rrset = rrset->next)
		if (rrset->type != DNS_TYPE_NSEC3 &&
		    rrset->type != DNS_TYPE_RRSIG)
			return false;
	return dns_base32_decode((const char *)owner->name + 1, HASH_LABEL,
	    hash) == CHAIN_HASH_SIZE;
}

/* RFC 5155 section 4: the record at the apex tells which chain is whole. */
static void
choose_nsec3(struct builder *b, size_t number, const struct zone_rrset *rrset)
{
	for (const struct zone_rdata *rdata = rrset->first; rdata != NULL;
	    rdata = rdata->next) {
		const uint8_t *octets = rdata->octets;
		size_t salt;

		if (octets[0] != 1 || octets[1] != 0 ||
		    dns_get16(octets + 2) > CHAIN_ITERATIONS_MAX)
			continue;
		salt = builder_append(b, octets + 5, octets[4] + 1);
		if (salt == 0)
			return;

		struct image_zone *row = builder_zone(b, number);

		row->denial = DENIAL_NSEC3;
		row->iterations = dns_get16(octets + 2);
		row->salt_length = octets[4];
		row->salt = salt / 4;
		return;
	}
	log_warning("zone %s/IN: no NSEC3 with at most %d iterations: what is "
	    "not there is not proved", b->build->zones[number].zone->text,
	    CHAIN_ITERATIONS_MAX);
}

void
denial_choose(struct builder *b, size_t number)
{
	const struct zone *zone = b->build->zones[number].zone;
	const struct zone_rrset *parameters = zone_find_rrset(zone->first,
	    DNS_TYPE_NSEC3PARAM);

	if (zone_find_rrset(zone->first, DNS_TYPE_NSEC) != NULL)
		builder_zone(b, number)->denial = DENIAL_NSEC;
	else if (parameters != NULL)
		choose_nsec3(b, number, parameters);
}

/* Is the zone the one to say that the owner is there? */
static bool
is_ours(const struct zone_owner *owner)
{
	return !owner->has_cut || owner->is_cut;
}

bool
denial_has_proofs(struct builder *b, size_t number,
    const struct zone_owner *owner)
{
	return builder_zone(b, number)->denial == DENIAL_NSEC3 &&
	    is_ours(owner) && !owner->is_nsec3;
}

void
denial_note(struct builder *b, size_t number, const struct zone_owner *owner)
{
	enum denial denial = builder_zone(b, number)->denial;
	struct image_hashed hashed = { .node = b->places[owner->number] };

	if (denial == DENIAL_NSEC && is_ours(owner) &&
	    zone_find_rrset(owner, DNS_TYPE_NSEC) != NULL)
		text_append(&b->chain, &hashed.node, sizeof(hashed.node));
	else if (denial == DENIAL_NSEC3 && owner->is_nsec3 &&
	    is_of_chain(b, number, zone_find_rrset(owner,
	    DNS_TYPE_NSEC3)->first)) {
		dns_base32_decode((const char *)owner->name + 1, HASH_LABEL,
		    hashed.hash);
		text_append(&b->chain, &hashed, sizeof(hashed));
	}
}

static int
order_names(const void *a, const void *b, void *builder)
{
	const uint8_t *base = ((const struct builder *)builder)->base;
	const struct image_node *first = (const struct image_node *)(base +
	    (size_t)*(const place *)a * 4);
	const struct image_node *second = (const struct image_node *)(base +
	    (size_t)*(const place *)b * 4);

	return dns_name_compare(image_node_name(first),
	    image_node_name(second));
}

static int
order_hashes(const void *a, const void *b)
{
	return memcmp(((const struct image_hashed *)a)->hash,
	    ((const struct image_hashed *)b)->hash, CHAIN_HASH_SIZE);
}

void
denial_put(struct builder *b, size_t number)
{
	enum denial denial = builder_zone(b, number)->denial;
	size_t size = denial == DENIAL_NSEC ? sizeof(place) :
	    sizeof(struct image_hashed);
	size_t count = b->chain.length / size, at;

	if (count == 0)
		return;
	if (denial == DENIAL_NSEC)
		qsort_r(b->chain.bytes, count, size, order_names, b);
	else
		qsort(b->chain.bytes, count, size, order_hashes);
	at = builder_append(b, b->chain.bytes, count * size);
	text_truncate(&b->chain, 0);
	if (at == 0)
		return;
	builder_zone(b, number)->chain = at / 4;
	builder_zone(b, number)->chain_length = count;
}

static void
fill_node(struct builder *b, size_t number, struct image_node *node)
{
	const struct image image = { builder_header(b), b->base, b->used };
	const struct image_zone *row = builder_zone(b, number);
	place *links = (place *)(uintptr_t)image_node_proofs(node);
	uint8_t star[2 + DNS_NAME_MAX] = { 1, '*' };
	bool is_own;

	dns_name_lower(star + 2, image_node_name(node), node->name_length);
	links[0] = chain_find(&image, row, star + 2, &is_own);
	if (is_own)
		node->flags |= NODE_IS_PROVEN;
	links[1] = chain_find(&image, row, star, &is_own);
}

void
denial_fill(struct builder *b, size_t number)
{
	size_t count = b->build->zones[number].zone->owner_count;

	if (builder_zone(b, number)->denial != DENIAL_NSEC3)
		return;
	for (size_t i = 0; i < count; i++) {
		struct image_node *node = (struct image_node *)(b->base +
		    (size_t)b->places[i] * 4);

		if (b->places[i] != 0 && node->flags & NODE_HAS_PROOFS)
			fill_node(b, number, node);
	}
}
