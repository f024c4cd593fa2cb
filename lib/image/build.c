#include "image/build.h"

#include <sys/mman.h>

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "image/rrset.h"

/* The image while it grows. */
struct builder {
	int	 fd;
	uint8_t	*base;
	size_t	 size;		/* mapped */
	size_t	 used;		/* a multiple of four */
	const struct build *build;
	struct map *apexes;	/* lower-case wire names (as text) of all zones, to their numbers + 1 */
	size_t	 node_count;
	unsigned labels_max;
	int	 error;
};

#define GROW_MIN	((size_t)1 << 20)
#define TARGETS_MAX	13	/* of an RRset other than NS */

/* Octets at the end, cleared, at a multiple of four; their offset, 0 when there is no memory. */
static size_t
take(struct builder *b, size_t length)
{
	size_t at = b->used, need = at + image_align(length);

	if (b->error != 0)
		return 0;
	if (need > b->size) {
		size_t size = b->size + b->size / 4 + GROW_MIN;
		void *base;

		if (size < need)
			size = need + GROW_MIN;
		if (ftruncate(b->fd, size) == -1) {
			b->error = errno;
			return 0;
		}
		base = b->base == NULL ? mmap(NULL, size,
		    PROT_READ | PROT_WRITE, MAP_SHARED, b->fd, 0) :
		    mremap(b->base, b->size, size, MREMAP_MAYMOVE);
		if (base == MAP_FAILED) {
			b->error = errno;
			return 0;
		}
		b->base = base;
		b->size = size;
	}
	b->used = need;
	return at;
}

static size_t
append(struct builder *b, const void *bytes, size_t length)
{
	size_t at = take(b, length);

	if (at != 0 && length > 0)
		memcpy(b->base + at, bytes, length);
	return at;
}

static struct image_header *
header(struct builder *b)
{
	return (struct image_header *)b->base;
}

static struct image_zone *
zone_row(struct builder *b, size_t zone)
{
	return (struct image_zone *)(b->base + (size_t)header(b)->zones * 4) +
	    zone;
}

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
	head.length = octets.length;
	head.pointers = octets.pointer_count;
	head.record_length = octets.record_length;

	size_t targets = head.targets * sizeof(octets.targets[0]);
	size_t pointers = head.pointers * sizeof(octets.pointers[0]);
	size_t at = take(b, sizeof(head) + targets + pointers + head.length);
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

static void
put_node(struct builder *b, size_t number, struct zone_owner *owner)
{
	struct image_node node = { .zone = number,
	    .name_length = owner->length };
	unsigned labels = dns_name_labels(owner->name);
	size_t links = 0, at;

	if (owner->cut != NULL)
		node.flags |= NODE_HAS_CUT;
	if (owner->cut == owner)
		node.flags |= NODE_IS_CUT;
	if (owner->wildcard != NULL)
		node.flags |= NODE_HAS_WILDCARD;
	if (owner->parent == NULL)
		node.flags |= NODE_IS_APEX;
	if (zone_find_rrset(owner, DNS_TYPE_CNAME) != NULL)
		node.flags |= NODE_HAS_CNAME;
	/* At a delegation NS goes first: a DNAME beside it is not looked at. */
	if (zone_find_rrset(owner, DNS_TYPE_DNAME) != NULL &&
	    (owner->parent == NULL ||
	    zone_find_rrset(owner, DNS_TYPE_NS) == NULL))
		node.flags |= NODE_HAS_DNAME;
	for (struct zone_rrset *rrset = owner->rrsets; rrset != NULL;
	    rrset = rrset->next)
		node.rrset_count++;
	links = (owner->cut != NULL) + (owner->wildcard != NULL);
	at = take(b, sizeof(node) + links * sizeof(place) + owner->length);
	if (at == 0)
		return;
	memcpy(b->base + at, &node, sizeof(node));
	memcpy(b->base + at + sizeof(node) + links * sizeof(place),
	    owner->name, owner->length);
	owner->place = at / 4;
	b->node_count++;
	if (labels > b->labels_max)
		b->labels_max = labels;
	for (struct zone_rrset *rrset = owner->rrsets; rrset != NULL;
	    rrset = rrset->next) {
		at = put_rrset(b, number, owner, rrset, rrset->ttl);
		if (rrset->type == DNS_TYPE_NS && owner->parent == NULL)
			zone_row(b, number)->ns = at / 4;
	}
}

/* RFC 2308 section 3: a negative answer lives as long as the lesser of the SOA's TTL and its last field. */
static void
put_negative_soa(struct builder *b, size_t number, const struct zone *zone)
{
	const struct zone_rrset *soa = zone_find_rrset(zone->first,
	    DNS_TYPE_SOA);
	uint32_t minimum = dns_get32(soa->first->octets +
	    soa->first->length - 4);
	size_t at = put_rrset(b, number, zone->first, soa,
	    minimum < soa->ttl ? minimum : soa->ttl);

	if (at != 0)
		zone_row(b, number)->soa = at / 4;
}

/* A zone that did not load still has its apex, so that its names are known to be broken. */
static void
put_broken(struct builder *b, size_t number)
{
	const struct dns_name *apex = b->build->zones[number].apex;
	struct image_node node = { .zone = number,
	    .name_length = apex->length, .flags = NODE_IS_APEX };
	size_t at = take(b, sizeof(node) + apex->length);

	if (at == 0)
		return;
	memcpy(b->base + at, &node, sizeof(node));
	memcpy(b->base + at + sizeof(node), apex->bytes, apex->length);
	zone_row(b, number)->apex = at / 4;
	b->node_count++;
	if (dns_name_labels(apex->bytes) > b->labels_max)
		b->labels_max = dns_name_labels(apex->bytes);
}

/* Second pass over a node: whatever refers to other nodes. */
static void
fill_node(struct builder *b, size_t number, const struct zone_owner *owner)
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

static void
insert(struct builder *b, place node, uint64_t hash)
{
	struct image_slot *slots = (struct image_slot *)(b->base +
	    (size_t)header(b)->slots * 4);
	uint32_t mask = header(b)->slot_mask;
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
			zone_path_init(&path, header(b)->seed,
			    zone->apex->bytes, zone->apex->length);
			insert(b, zone_row(b, i)->apex, path.hashes[0]);
			continue;
		}
		for (struct zone_owner *owner = zone->zone->first;
		    owner != NULL; owner = owner->next)
			if (!owner->is_hidden)
				insert(b, owner->place, owner->hash);
	}
}

static void
put_slots(struct builder *b)
{
	size_t count = 16, at;

	while (count * 2 < b->node_count * 3)
		count *= 2;
	at = take(b, count * sizeof(struct image_slot));
	if (at == 0)
		return;
	header(b)->slots = at / 4;
	header(b)->slot_mask = count - 1;
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
	return append(b, octets, 1 + length) / 4;
}

static void
cast_shadow(struct builder *b, const struct zone_owner *owner)
{
	char text[DNS_NAME_TEXT];
	uintptr_t below = (uintptr_t)map_get(b->apexes, apex_key(owner->name,
	    text));

	if (b->error == 0)
		zone_row(b, below - 1)->above = owner->place;
}

static void
put_zones(struct builder *b)
{
	const struct build *build = b->build;

	for (size_t i = 0; i < build->zone_count; i++) {
		const struct build_zone *from = &build->zones[i];

		zone_row(b, i)->acl = from->acl;
		zone_row(b, i)->apex_length = from->apex->length;
		zone_row(b, i)->is_broken = from->zone == NULL;
		if (from->zone == NULL) {
			put_broken(b, i);
			continue;
		}
		for (struct zone_owner *owner = from->zone->first;
		    owner != NULL && b->error == 0; owner = owner->next) {
			if (!owner->is_hidden || is_shadow(owner))
				put_node(b, i, owner);
			if (is_shadow(owner))
				cast_shadow(b, owner);
		}
		if (b->error != 0)
			return;
		zone_row(b, i)->apex = from->zone->first->place;
		put_negative_soa(b, i, from->zone);
	}
}

static void
put_everything(struct builder *b)
{
	const struct build *build = b->build;
	struct image_header head = build->settings;

	take(b, sizeof(head));
	if (b->error != 0)
		return;
	head.magic = IMAGE_MAGIC;
	head.zone_count = build->zone_count;
	head.acl_count = build->acl_count;
	*header(b) = head;
	header(b)->zones = take(b, (build->zone_count + 1) *
	    sizeof(struct image_zone)) / 4;

	place acls = append(b, build->acls, build->acl_count *
	    sizeof(build->acls[0])) / 4;
	place version = put_string(b, build->version);
	place hostname = put_string(b, build->hostname);
	place server_id = put_string(b, build->server_id);

	if (b->error != 0)
		return;
	header(b)->acls = acls;
	header(b)->version = version;
	header(b)->hostname = hostname;
	header(b)->server_id = server_id;
	put_zones(b);
	for (size_t i = 0; i < build->zone_count && b->error == 0; i++) {
		struct zone *zone = build->zones[i].zone;

		for (struct zone_owner *owner = zone != NULL ? zone->first :
		    NULL; owner != NULL; owner = owner->next)
			if (!owner->is_hidden || is_shadow(owner))
				fill_node(b, i, owner);
	}
	put_slots(b);
	if (b->error == 0) {
		header(b)->labels_max = b->labels_max;
		header(b)->size = b->used;
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
