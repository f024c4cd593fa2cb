#include "image/build.h"

#include <sys/mman.h>

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "image/builder.h"
#include "image/chain.h"

/* Text of a name in lower case: the key of the apexes. */
static const char *
apex_key(const uint8_t *name, char text[DNS_NAME_TEXT])
{
	struct dns_name lower;

	lower.length = dns_name_length(name);
	dns_name_lower(lower.bytes, name, lower.length);
	return dns_name_print(lower.bytes, text);
}

/* A name that is the apex of another zone: nobody finds it, but questions for DS come to it. */
static bool
is_shadow(const struct zone_owner *owner)
{
	return owner->is_hidden && !owner->parent->is_hidden;
}

/* Names at or below the apex of another zone are that zone's. */
static void
hide_owners(struct builder *b, const struct zone *zone)
{
	char text[DNS_NAME_TEXT];

	for (struct zone_owner *owner = zone->first->next; owner != NULL;
	    owner = owner->next)
		owner->is_hidden = owner->parent->is_hidden ||
		    (map_count(b->apexes) > 1 && map_get(b->apexes,
		    apex_key(owner->name, text)) != NULL);
}

/* Delegations, DNAMEs and wildcards, each told to those whom they concern. */
static void
link_owners(const struct zone *zone)
{
	for (struct zone_owner *owner = zone->first; owner != NULL;
	    owner = owner->next) {
		struct zone_owner *parent = owner->parent;

		if (parent != NULL && parent->cut != NULL)
			owner->cut = parent->cut;
		else if ((parent != NULL &&
		    zone_find_rrset(owner, DNS_TYPE_NS)) ||
		    zone_find_rrset(owner, DNS_TYPE_DNAME))
			owner->cut = owner;
		if (parent != NULL && !owner->is_hidden &&
		    owner->name[0] == 1 && owner->name[1] == '*')
			parent->wildcard = owner;
	}
}

static void
insert(struct builder *b, place node, uint64_t hash)
{
	struct image_slot *slots = (struct image_slot *)(b->base +
	    (size_t)builder_header(b)->slots * 4);
	uint32_t mask = builder_header(b)->slot_mask;
	uint32_t at = hash >> 32 & mask;

	while (slots[at].node != 0)
		at = (at + 1) & mask;
	slots[at] = (struct image_slot) { (uint32_t)hash, node };
}

static void
insert_all(struct builder *b)
{
	for (size_t i = 0; i < b->build->zone_count; i++) {
		const struct build_zone *zone = &b->build->zones[i];
		struct zone_path path;

		if (zone->zone == NULL) {
			zone_path_init(&path, builder_header(b)->seed,
			    zone->apex->bytes, zone->apex->length);
			insert(b, builder_zone(b, i)->apex, path.hashes[0]);
			continue;
		}
		for (struct zone_owner *owner = zone->zone->first;
		    owner != NULL; owner = owner->next)
			if (!owner->is_hidden && !owner->is_nsec3)
				insert(b, owner->place, owner->hash);
	}
}

static void
put_slots(struct builder *b)
{
	size_t count = 16, at;

	while (count * 2 < b->node_count * 3)
		count *= 2;
	at = builder_take(b, count * sizeof(struct image_slot));
	if (at == 0)
		return;
	builder_header(b)->slots = at / 4;
	builder_header(b)->slot_mask = count - 1;
	insert_all(b);
}

static place
put_string(struct builder *b, const char *string)
{
	uint8_t octets[256];
	size_t length = string != NULL ? strlen(string) : 0;

	if (string == NULL)
		return 0;
	if (length > 255)
		length = 255;
	octets[0] = length;
	memcpy(octets + 1, string, length);
	return builder_append(b, octets, 1 + length) / 4;
}

static void
cast_shadow(struct builder *b, const struct zone_owner *owner)
{
	char text[DNS_NAME_TEXT];
	uintptr_t below = (uintptr_t)map_get(b->apexes, apex_key(owner->name,
	    text));

	if (b->error == 0)
		builder_zone(b, below - 1)->above = owner->place;
}

static void
put_zones(struct builder *b)
{
	const struct build *build = b->build;

	for (size_t i = 0; i < build->zone_count; i++) {
		const struct build_zone *from = &build->zones[i];
		uint32_t count = 0;

		builder_zone(b, i)->acl = from->acl;
		builder_zone(b, i)->apex_length = from->apex->length;
		builder_zone(b, i)->is_broken = from->zone == NULL;
		if (from->zone == NULL) {
			nodes_put_broken(b, i);
			continue;
		}
		denial_choose(b, i);
		for (struct zone_owner *owner = from->zone->first;
		    owner != NULL && b->error == 0; owner = owner->next) {
			if (!owner->is_hidden || is_shadow(owner)) {
				nodes_put(b, i, owner);
				count++;
			}
			if (is_shadow(owner))
				cast_shadow(b, owner);
		}
		if (b->error != 0)
			return;
		builder_zone(b, i)->apex = from->zone->first->place;
		builder_zone(b, i)->node_count = count;
		nodes_put_negative_soa(b, i);
		denial_put(b, i);
	}
}

static void
put_everything(struct builder *b)
{
	const struct build *build = b->build;
	struct image_header head = build->settings;

	builder_take(b, sizeof(head));
	if (b->error != 0)
		return;
	head.magic = IMAGE_MAGIC;
	head.zone_count = build->zone_count;
	head.acl_count = build->acl_count;
	*builder_header(b) = head;

	place zones = builder_take(b, (build->zone_count + 1) *
	    sizeof(struct image_zone)) / 4;
	place acls = builder_append(b, build->acls, build->acl_count *
	    sizeof(build->acls[0])) / 4;
	place version = put_string(b, build->version);
	place hostname = put_string(b, build->hostname);
	place server_id = put_string(b, build->server_id);

	if (b->error != 0)
		return;
	builder_header(b)->zones = zones;
	builder_header(b)->acls = acls;
	builder_header(b)->version = version;
	builder_header(b)->hostname = hostname;
	builder_header(b)->server_id = server_id;
	put_zones(b);
	for (size_t i = 0; i < build->zone_count && b->error == 0; i++) {
		struct zone *zone = build->zones[i].zone;

		for (struct zone_owner *owner = zone != NULL ? zone->first :
		    NULL; owner != NULL; owner = owner->next)
			if (!owner->is_hidden || is_shadow(owner))
				nodes_fill(b, i, owner);
	}
	put_slots(b);
	if (b->error == 0) {
		builder_header(b)->labels_max = b->labels_max;
		builder_header(b)->size = b->used;
	}
}

static int
seal(struct builder *b)
{
	munmap(b->base, b->size);
	if (ftruncate(b->fd, b->used) == -1)
		return -1;
	return fcntl(b->fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW |
	    F_SEAL_WRITE | F_SEAL_SEAL);
}

static void
index_apexes(struct builder *b)
{
	char text[DNS_NAME_TEXT];

	b->apexes = map_new();
	for (size_t i = 0; i < b->build->zone_count; i++)
		map_set(b->apexes, apex_key(b->build->zones[i].apex->bytes,
		    text), (void *)(i + 1));
}

int
build_image(const struct build *build)
{
	struct builder b = { .build = build };

	if (chain_init() == -1) {
		errno = ENOSYS;
		return -1;
	}
	b.fd = memfd_create("zones", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (b.fd == -1)
		return -1;
	index_apexes(&b);
	for (size_t i = 0; i < build->zone_count; i++)
		if (build->zones[i].zone != NULL)
			hide_owners(&b, build->zones[i].zone);
	for (size_t i = 0; i < build->zone_count; i++)
		if (build->zones[i].zone != NULL)
			link_owners(build->zones[i].zone);
	put_everything(&b);
	map_free(&b.apexes, NULL);
	if (b.error == 0 && seal(&b) == 0)
		return b.fd;
	if (b.error != 0)
		errno = b.error;
	fd_close(&b.fd);
	return -1;
}
