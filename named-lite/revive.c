/*
 * What stands in an image are octets of answers. So each RRset is made into
 * an answer once more, whose records are then read as anybody reads them.
 */

#include "named-lite/revive.h"

#include <string.h>

#include "image/chain.h"
#include "named-lite/reply.h"

struct revival {
	struct zone *zone;
	uint8_t	 message[2 * DNS_MESSAGE_MAX];
	uint8_t	 rdata[DNS_RDATA_MAX];
};

/* The data of a record with its names uncompressed. Octets, 0 if that fails. */
static size_t
expand_data(struct revival *r, size_t used, const struct dns_record *record)
{
	size_t at = record->data, end = record->data + record->length;
	size_t length = 0;

	for (const char *field = dns_type_fields(record->type); at < end;
	    field++) {
		size_t size = *field != '\0' ?
		    dns_field_size(*field, r->message + at, end - at) : 0;

		if (*field == 'N' || *field == 'n') {
			struct dns_name name;

			if (!dns_name_unpack(&name, r->message, used, &at))
				return 0;
			memcpy(r->rdata + length, name.bytes, name.length);
			length += name.length;
			continue;
		}
		if (size == 0)
			size = end - at;
		memcpy(r->rdata + length, r->message + at, size);
		length += size;
		at += size;
		if (*field == '\0')
			break;
	}
	return length;
}

static void
revive_rrset(struct revival *r, const struct image_node *node,
    const struct image_rrset *rrset)
{
	struct reply reply = { .out = r->message, .used = DNS_HEADER_SIZE,
	    .limit = sizeof(r->message) };
	size_t at = DNS_HEADER_SIZE;
	struct dns_record record;
	const char *why;

	if (!reply_add(&reply, SECTION_ANSWER, rrset, 0, image_node_name(node)))
		return;
	while (at < reply.used && dns_record_read(&record, r->message,
	    reply.used, &at)) {
		size_t length = expand_data(r, reply.used, &record);
		struct zone_owner *owner = zone_get_owner(r->zone,
		    image_node_name(node));

		if (owner != NULL && (length > 0 || record.length == 0))
			zone_add(r->zone, owner, record.type, &record.ttl,
			    r->rdata, length, &why);
	}
}

static void
revive_node(struct revival *r, const struct image_node *node)
{
	const struct image_rrset *rrset = image_node_rrsets(node);

	for (unsigned i = 0; i < node->rrset_count; i++) {
		revive_rrset(r, node, rrset);
		rrset = image_rrset_next(rrset);
	}
}

/* The nodes of NSEC3 are in the chain only. */
static void
revive_hashes(struct revival *r, const struct image *image,
    const struct image_zone *zone)
{
	const struct image_hashed *chain = image_at(image, zone->chain);

	if (zone->denial != DENIAL_NSEC3)
		return;
	for (uint32_t i = 0; i < zone->chain_length; i++)
		revive_node(r, image_at(image, chain[i].node));
}

struct zone *
revive_zone(const struct image *image, const struct dns_name *apex,
    const struct zone_rules *rules, const uint64_t seed[2])
{
	static struct revival r;
	const struct image_header *header = image->header;
	const struct image_slot *slots = image_at(image, header->slots);
	const struct image_node *top;
	struct zone_path path;
	unsigned skipped;
	place found;

	zone_path_init(&path, header->seed, apex->bytes, apex->length);
	found = image_find(image, &path, &skipped);
	top = image_at(image, found);
	if (found == 0 || skipped > 0 || (top->flags & NODE_IS_APEX) == 0 ||
	    image_zone(image, top->zone)->is_broken)
		return NULL;
	r.zone = zone_new(apex, rules, seed);
	for (uint32_t i = 0; i <= header->slot_mask; i++) {
		const struct image_node *node = image_at(image, slots[i].node);

		if (slots[i].node != 0 && node->zone == top->zone)
			revive_node(&r, node);
	}
	revive_hashes(&r, image, image_zone(image, top->zone));
	return r.zone;
}
