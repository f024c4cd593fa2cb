#include "zone/index.h"

#include <sys/mman.h>

#include <stdlib.h>
#include <string.h>

#define CHUNK_BITS	18	/* of a reference: where in its chunk, in units of eight octets */

static struct zone_owner *
owner_at(const struct zone *zone, uint32_t reference)
{
	const struct arena_chunk *chunk =
	    &zone->owners.chunks[reference >> CHUNK_BITS];

	return (struct zone_owner *)(chunk->bytes +
	    (reference & ((1u << CHUNK_BITS) - 1)) * (size_t)8);
}

static uint32_t
refer_to(const struct zone *zone, const struct zone_owner *owner)
{
	uint32_t chunk = zone->owners.count - 1;

	return chunk << CHUNK_BITS | ((const char *)owner -
	    zone->owners.chunks[chunk].bytes) / 8;
}

static bool
is_name(const struct zone_owner *owner, const uint8_t *lower, size_t length)
{
	uint8_t copy[DNS_NAME_MAX];

	if (owner->length != length)
		return false;
	if (memcmp(owner->name, lower, length) == 0)
		return true;
	dns_name_lower(copy, owner->name, length);
	return memcmp(copy, lower, length) == 0;
}

struct zone_owner *
index_find(const struct zone *zone, const struct zone_path *path,
    unsigned skip, size_t *slot)
{
	uint64_t hash = path->hashes[skip];
	const uint8_t *name = path->name + path->starts[skip];
	size_t length = path->starts[path->labels] + 1 - path->starts[skip];
	size_t mask = zone->slot_count - 1;

	for (size_t at = hash >> 32 & mask;; at = (at + 1) & mask) {
		const struct zone_slot *found = &zone->slots[at];

		*slot = at;
		if (!found->is_taken)
			return NULL;
		if (found->tag == (uint32_t)hash >> 1) {
			struct zone_owner *owner = owner_at(zone,
			    found->reference);

			if (is_name(owner, name, length))
				return owner;
		}
	}
}

static struct zone_slot *
allocate(size_t count)
{
	struct zone_slot *slots = mem_zalloc(count, sizeof(*slots));
	uintptr_t start = ((uintptr_t)slots + ARENA_CHUNK - 1) &
	    ~(uintptr_t)(ARENA_CHUNK - 1);

	if (count * sizeof(*slots) >= 2 * ARENA_CHUNK)
		(void)madvise((void *)start, count * sizeof(*slots) -
		    (start - (uintptr_t)slots), MADV_HUGEPAGE);
	return slots;
}

/* A table of another size: the hashes are computed anew, since slots have half of them. */
static void
resize(struct zone *zone, size_t count)
{
	struct zone_slot *old = zone->slots;
	size_t old_count = zone->slot_count, slot;

	zone->slots = allocate(count);
	zone->slot_count = count;
	for (size_t i = 0; i < old_count; i++) {
		const struct zone_owner *owner;
		struct zone_path path;

		if (!old[i].is_taken)
			continue;
		owner = owner_at(zone, old[i].reference);
		zone_path_init(&path, zone->seed, owner->name, owner->length);
		for (slot = path.hashes[0] >> 32 & (count - 1);
		    zone->slots[slot].is_taken; slot = (slot + 1) & (count - 1))
			;
		zone->slots[slot] = old[i];
	}
	free(old);
}

void
index_reserve(struct zone *zone, size_t owners)
{
	size_t count = 64;

	while (count / 4 * 3 < owners)
		count *= 2;
	if (count > zone->slot_count)
		resize(zone, count);
}

void
index_add(struct zone *zone, const struct zone_path *path, unsigned skip,
    struct zone_owner *owner, size_t slot)
{
	if (zone->owner_count > zone->slot_count / 4 * 3) {
		resize(zone, zone->slot_count * 2);
		(void)index_find(zone, path, skip, &slot);
	}
	zone->slots[slot] = (struct zone_slot) {
		.is_taken = true,
		.tag = (uint32_t)path->hashes[skip] >> 1,
		.reference = refer_to(zone, owner),
	};
}
