/* patch - an image in which some zones are others, made from the one before (build.h) */

#include "image/build.h"

#include <errno.h>
#include <string.h>

#include "image/builder.h"
#include "image/chain.h"

/* Octets of a zone's names and records, and of its table of proofs. */
static size_t
span(const struct image *image, const struct image_zone *zone)
{
	const struct image_node *first = image_at(image, zone->apex);
	const struct image_node *node = first;
	size_t proof = zone->denial == DENIAL_NSEC3 ?
	    sizeof(struct image_hashed) : sizeof(place);

	for (uint32_t i = 0; i < zone->node_count; i++)
		node = image_node_next(node);
	return (const uint8_t *)node - (const uint8_t *)first +
	    zone->chain_length * proof;
}

/* Is most of it kept, and will the slots do? *garbage are octets that will be of no use. */
static bool
is_worthwhile(const struct build *build, const struct image *old,
    uint64_t *garbage)
{
	size_t names = old->header->slots_taken;

	*garbage = old->header->garbage;
	for (size_t i = 0; i < build->zone_count; i++) {
		const struct build_zone *zone = &build->zones[i];

		if (zone->is_kept)
			continue;
		*garbage += span(old, image_zone(old, i));
		names += zone->zone != NULL ? zone->zone->owner_count : 1;
	}
	return build->zone_count == old->header->zone_count &&
	    *garbage <= old->size / 4 &&
	    names * 3 <= ((size_t)old->header->slot_mask + 1) * 2;
}

static void
copy_old(struct builder *b, const struct image *old)
{
	size_t grave;

	builder_take(b, old->size);
	if (b->error != 0)
		return;
	memcpy(b->base, old->base, old->size);
	b->labels_max = old->header->labels_max;
	b->slots_taken = old->header->slots_taken;
	if (old->header->grave != 0)
		return;
	grave = builder_take(b, sizeof(struct image_node));
	if (grave != 0)
		builder_header(b)->grave = grave / 4;
}

/* No question finds that node any more, if any did. */
static void
bury(struct builder *b, const struct image *old, const struct image_node *node)
{
	struct image_slot *slots = (struct image_slot *)(b->base +
	    (size_t)builder_header(b)->slots * 4);
	uint32_t mask = builder_header(b)->slot_mask, at;
	place where = ((const uint8_t *)node - old->base) / 4;
	struct zone_path path;

	zone_path_init(&path, old->header->seed, image_node_name(node),
	    node->name_length);
	for (at = path.hashes[0] >> 32 & mask; slots[at].node != 0;
	    at = (at + 1) & mask)
		if (slots[at].node == where) {
			slots[at].node = builder_header(b)->grave;
			return;
		}
}

/* What was there of a zone goes; the zone above has it as before. */
static void
remove_zone(struct builder *b, const struct image *old, size_t number)
{
	const struct image_zone *was = image_zone(old, number);
	const struct image_node *node = image_at(old, was->apex);
	uint32_t count = was->is_broken ? 1 : was->node_count;
	struct image_zone *row = builder_zone(b, number);

	for (uint32_t i = 0; i < count; i++) {
		bury(b, old, node);
		node = image_node_next(node);
	}
	*row = (struct image_zone) { .above = row->above };
	for (size_t i = 0; i < b->build->zone_count; i++) {
		const struct image_zone *below = image_zone(old, i);

		node = image_at(old, below->above);
		if (below->above != 0 && node->zone == number)
			builder_zone(b, i)->above = 0;
	}
}

int
build_patch(const struct build *build, const struct image *old)
{
	struct builder b = { .build = build };
	uint64_t garbage;

	if (!is_worthwhile(build, old, &garbage)) {
		errno = ENOSPC;
		return -1;
	}
	if (build_begin(&b) == -1)
		return -1;
	copy_old(&b, old);
	for (size_t i = 0; i < build->zone_count && b.error == 0; i++)
		if (!build->zones[i].is_kept) {
			remove_zone(&b, old, i);
			build_prepare_zone(&b, i);
		}
	for (size_t i = 0; i < build->zone_count && b.error == 0; i++)
		if (!build->zones[i].is_kept)
			build_put_zone(&b, i);
	if (b.error == 0)
		builder_header(&b)->garbage = garbage;
	return build_end(&b);
}
