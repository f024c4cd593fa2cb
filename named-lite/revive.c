#include "named-lite/revive.h"

#include "named-lite/records.h"

const struct image_zone *
revive_find(const struct image *image, const struct dns_name *apex)
{
	const struct image_node *top;
	const struct image_zone *zone;
	struct zone_path path;
	unsigned skipped;
	place found;

	if (image->base == NULL)
		return NULL;
	zone_path_init(&path, image->header->seed, apex->bytes, apex->length);
	found = image_find(image, &path, &skipped);
	top = image_at(image, found);
	if (found == 0 || skipped > 0 || (top->flags & NODE_IS_APEX) == 0)
		return NULL;
	zone = image_zone(image, top->zone);
	return zone->is_broken ? NULL : zone;
}

static void
add_record(void *argument, const struct record *record)
{
	struct zone *zone = argument;
	struct zone_owner *owner = zone_get_owner(zone, record->owner);
	uint32_t ttl = record->ttl;
	const char *why;

	if (owner != NULL)
		zone_add(zone, owner, record->type, &ttl, record->rdata,
		    record->length, &why);
}

struct zone *
revive_zone(const struct image *image, const struct dns_name *apex,
    const struct zone_rules *rules, const uint64_t seed[2])
{
	const struct image_zone *from = revive_find(image, apex);
	const struct image_node *node;
	struct zone *zone;

	if (from == NULL)
		return NULL;
	zone = zone_new(apex, rules, seed);
	node = image_at(image, from->apex);
	for (uint32_t i = 0; i < from->node_count; i++) {
		records_of_node(node, add_record, zone);
		node = image_node_next(node);
	}
	return zone;
}
