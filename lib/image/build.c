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

size_t
builder_find_zone(const struct builder *b, const uint8_t *apex)
{
	char text[DNS_NAME_TEXT];

	return (uintptr_t)map_get(b->apexes, apex_key(apex, text));
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

/* The apex of another zone: nobody finds it, but questions for DS come to it. */
static void
cast_shadow(struct builder *b, const struct zone_owner *owner)
{
	if (b->error == 0)
		builder_zone(b, builder_find_zone(b, owner->name) - 1)->above =
		    b->places[owner->number];
}

/*
 * Owner by owner; what is written is given back, if nobody needs it any more.
 * Names that another zone hides are there for transfers of this one: no
 * question finds them.
 */
static void
put_nodes(struct builder *b, size_t number)
{
	struct zone *zone = b->build->zones[number].zone;
	uint32_t count = 0;

	for (struct zone_owner *owner = zone->first; owner != NULL &&
	    b->error == 0; owner = zone_next(owner)) {
		nodes_put(b, number, owner);
		count++;
		if (owner->is_shadow)
			cast_shadow(b, owner);
		if (b->build->takes_zones && owner->number % 4096 == 0)
			zone_release(zone, owner->number);
	}
	if (b->error == 0)
		builder_zone(b, number)->node_count = count;
}

void
build_put_zone(struct builder *b, size_t number)
{
	const struct build_zone *from = &b->build->zones[number];

	if (from->zone == NULL) {
		nodes_put_broken(b, number);
		return;
	}
	b->places = mem_zalloc(from->zone->owner_count, sizeof(place));
	links_find_targets(b, number);
	nodes_put_negative_soa(b, number);
	put_nodes(b, number);
	if (b->error == 0) {
		builder_zone(b, number)->apex = b->places[0];
		nodes_fill(b);
		denial_put(b, number);
	}
	if (b->error == 0)
		denial_fill(b, number);
	free(b->places);
	b->places = NULL;
}

size_t
build_prepare_zone(struct builder *b, size_t number)
{
	const struct build_zone *from = &b->build->zones[number];
	size_t count = 1;

	builder_zone(b, number)->acl = from->acl;
	builder_zone(b, number)->acl_on = from->acl_on;
	builder_zone(b, number)->apex_length = from->apex->length;
	builder_zone(b, number)->is_broken = from->zone == NULL;
	if (from->zone == NULL)
		return count;
	count += links_make(b, number);
	denial_choose(b, number);
	return count;
}

static size_t
prepare_zones(struct builder *b)
{
	size_t count = 0;

	for (size_t i = 0; i < b->build->zone_count && b->error == 0; i++)
		count += build_prepare_zone(b, i);
	return count;
}

static void
put_slots(struct builder *b, size_t names)
{
	size_t count = 16, at;

	while (count * 2 < names * 3)
		count *= 2;
	at = builder_take(b, count * sizeof(struct image_slot));
	if (at == 0)
		return;
	builder_header(b)->slots = at / 4;
	builder_header(b)->slot_mask = count - 1;
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
	head.garbage = 0;
	head.slots_taken = 0;
	head.grave = 0;
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
	put_slots(b, prepare_zones(b));
	for (size_t i = 0; i < build->zone_count && b->error == 0; i++)
		build_put_zone(b, i);
}

int
build_begin(struct builder *b)
{
	char text[DNS_NAME_TEXT];

	if (chain_init() == -1) {
		errno = ENOSYS;
		return -1;
	}
	b->fd = memfd_create("zones", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (b->fd == -1)
		return -1;
	b->apexes = map_new();
	for (size_t i = 0; i < b->build->zone_count; i++)
		map_set(b->apexes, apex_key(b->build->zones[i].apex->bytes,
		    text), (void *)(i + 1));
	return 0;
}

static int
seal(struct builder *b)
{
	builder_flush(b);
	builder_header(b)->labels_max = b->labels_max;
	builder_header(b)->slots_taken = b->slots_taken;
	builder_header(b)->size = b->used;
	munmap(b->base, b->size);
	if (ftruncate(b->fd, b->used) == -1)
		return -1;
	return fcntl(b->fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW |
	    F_SEAL_WRITE | F_SEAL_SEAL);
}

int
build_end(struct builder *b)
{
	map_free(&b->apexes, NULL);
	text_clear(&b->forward);
	text_clear(&b->chain);
	if (b->error == 0 && seal(b) == 0)
		return b->fd;
	if (b->error != 0)
		errno = b->error;
	fd_close(&b->fd);
	return -1;
}

int
build_image(const struct build *build)
{
	struct builder b = { .build = build };

	if (build_begin(&b) == -1)
		return -1;
	put_everything(&b);
	return build_end(&b);
}
