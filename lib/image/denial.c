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

/* The owner of an NSEC3 record, which has nothing else. */
static bool
is_hash(const struct zone *zone, const struct zone_owner *owner)
{
	uint8_t hash[HASH_LABEL];

	if (owner->parent != zone->first || owner->name[0] != HASH_LABEL ||
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
}

void
denial_choose(struct builder *b, size_t number)
{
	struct zone *zone = b->build->zones[number].zone;
	const struct zone_rrset *parameters = zone_find_rrset(zone->first,
	    DNS_TYPE_NSEC3PARAM);

	for (struct zone_owner *owner = zone->first; owner != NULL;
	    owner = owner->next)
		owner->is_nsec3 = is_hash(zone, owner);
	if (zone_find_rrset(zone->first, DNS_TYPE_NSEC) != NULL)
		builder_zone(b, number)->denial = DENIAL_NSEC;
	else if (parameters != NULL)
		choose_nsec3(b, number, parameters);
}

/* Is the zone the one to say that the owner is there? */
static bool
is_ours(const struct zone_owner *owner)
{
	return owner->cut == NULL || owner->cut == owner;
}

bool
denial_has_proofs(struct builder *b, size_t number,
    const struct zone_owner *owner)
{
	return builder_zone(b, number)->denial == DENIAL_NSEC3 &&
	    is_ours(owner) && !owner->is_nsec3;
}

static int
order_owners(const void *a, const void *b)
{
	const struct zone_owner *const *first = a, *const *second = b;

	return dns_name_compare((*first)->name, (*second)->name);
}

static size_t
put_nsec(struct builder *b, const struct zone *zone, size_t *count)
{
	const struct zone_owner **owners = mem_zalloc(zone->owner_count,
	    sizeof(struct zone_owner *));
	size_t at;

	for (const struct zone_owner *owner = zone->first; owner != NULL;
	    owner = owner->next)
		if (owner->place != 0 && is_ours(owner) &&
		    zone_find_rrset(owner, DNS_TYPE_NSEC) != NULL)
			owners[(*count)++] = owner;
	qsort(owners, *count, sizeof(struct zone_owner *), order_owners);
	at = builder_take(b, *count * sizeof(place));
	for (size_t i = 0; at != 0 && i < *count; i++)
		((place *)(b->base + at))[i] = owners[i]->place;
	free(owners);
	return at;
}

static int
order_hashes(const void *a, const void *b)
{
	return memcmp(((const struct image_hashed *)a)->hash,
	    ((const struct image_hashed *)b)->hash, CHAIN_HASH_SIZE);
}

static size_t
put_nsec3(struct builder *b, size_t number, size_t *count)
{
	const struct zone *zone = b->build->zones[number].zone;
	struct image_hashed *hashed = mem_zalloc(zone->owner_count,
	    sizeof(*hashed));
	size_t at;

	for (const struct zone_owner *owner = zone->first; owner != NULL;
	    owner = owner->next) {
		if (!owner->is_nsec3 || !is_of_chain(b, number,
		    zone_find_rrset(owner, DNS_TYPE_NSEC3)->first))
			continue;
		dns_base32_decode((const char *)owner->name + 1, HASH_LABEL,
		    hashed[*count].hash);
		hashed[(*count)++].node = owner->place;
	}
	qsort(hashed, *count, sizeof(*hashed), order_hashes);
	at = builder_append(b, hashed, *count * sizeof(*hashed));
	free(hashed);
	return at;
}

void
denial_put(struct builder *b, size_t number)
{
	enum denial denial = builder_zone(b, number)->denial;
	size_t count = 0, at = 0;

	if (denial == DENIAL_NSEC)
		at = put_nsec(b, b->build->zones[number].zone, &count);
	else if (denial == DENIAL_NSEC3)
		at = put_nsec3(b, number, &count);
	if (at == 0 || count == 0)
		return;
	builder_zone(b, number)->chain = at / 4;
	builder_zone(b, number)->chain_length = count;
}

void
denial_fill(struct builder *b, size_t number, const struct zone_owner *owner)
{
	const struct image image = { builder_header(b), b->base, b->used };
	const struct image_zone *row = builder_zone(b, number);
	struct image_node *node = (struct image_node *)(b->base +
	    (size_t)owner->place * 4);
	place *links = (place *)(uintptr_t)image_node_proofs(node);
	uint8_t star[2 + DNS_NAME_MAX] = { 1, '*' };
	bool is_own;

	dns_name_lower(star + 2, owner->name, owner->length);
	links[0] = chain_find(&image, row, star + 2, &is_own);
	if (is_own)
		node->flags |= NODE_IS_PROVEN;
	links[1] = chain_find(&image, row, star, &is_own);
}
