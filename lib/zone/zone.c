#include "zone/zone.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "zone/path.h"

void
zone_free(struct zone **zone)
{
	if (*zone == NULL)
		return;
	free((*zone)->slots);
	pool_free(&(*zone)->pool);
	free(*zone);
	*zone = NULL;
}

static bool
is_name(const struct zone_owner *owner, const uint8_t *lower, size_t length)
{
	uint8_t copy[DNS_NAME_MAX];

	if (owner->length != length)
		return false;
	dns_name_lower(copy, owner->name, length);
	return memcmp(copy, lower, length) == 0;
}

/* The slot of the path without its first labels: its owner's, or an empty one. */
static struct zone_slot *
find_slot(const struct zone *zone, const struct zone_path *path, unsigned skip)
{
	uint64_t hash = path->hashes[skip];
	const uint8_t *name = path->name + path->starts[skip];
	size_t length = path->starts[path->labels] + 1 - path->starts[skip];

	for (size_t at = hash >> 32;; at++) {
		struct zone_slot *slot =
		    &zone->slots[at & (zone->slot_count - 1)];

		if (slot->owner == NULL || (slot->hash == hash &&
		    is_name(slot->owner, name, length)))
			return slot;
	}
}

static void
grow_slots(struct zone *zone)
{
	size_t count = zone->slot_count > 0 ? zone->slot_count * 2 : 64;
	struct zone_slot *slots = mem_zalloc(count, sizeof(*slots));

	for (size_t i = 0; i < zone->slot_count; i++) {
		const struct zone_slot *slot = &zone->slots[i];
		size_t at = slot->hash >> 32;

		if (slot->owner == NULL)
			continue;
		while (slots[at & (count - 1)].owner != NULL)
			at++;
		slots[at & (count - 1)] = *slot;
	}
	free(zone->slots);
	zone->slots = slots;
	zone->slot_count = count;
}

/* slot is where it was not found. */
static struct zone_owner *
add_owner(struct zone *zone, const struct zone_path *path, unsigned skip,
    const uint8_t *name, struct zone_slot *slot)
{
	size_t length = path->starts[path->labels] + 1 - path->starts[skip];
	struct zone_owner *owner;

	if (zone->owner_count >= zone->slot_count / 2) {
		grow_slots(zone);
		slot = find_slot(zone, path, skip);
	}
	owner = pool_alloc(zone->pool, sizeof(*owner) + length);
	if (owner == NULL)
		return NULL;
	owner->hash = path->hashes[skip];
	owner->length = length;
	memcpy(owner->name, name + path->starts[skip], length);
	*slot = (struct zone_slot) { owner->hash, owner };
	*zone->tail = owner;
	zone->tail = &owner->next;
	zone->owner_count++;
	return owner;
}

struct zone_owner *
zone_find(const struct zone *zone, const uint8_t *name)
{
	struct zone_path path;

	zone_path_init(&path, zone->seed, name, dns_name_length(name));
	return find_slot(zone, &path, 0)->owner;
}

struct zone_owner *
zone_get_owner(struct zone *zone, const uint8_t *name)
{
	struct zone_path path;
	struct zone_owner *parent = NULL;
	struct zone_slot *slot = NULL, *first = NULL;
	unsigned skip = 0, apex;

	zone_path_init(&path, zone->seed, name, dns_name_length(name));
	apex = path.labels - dns_name_labels(zone->apex.bytes);
	for (; skip <= apex; skip++) {
		slot = find_slot(zone, &path, skip);
		parent = slot->owner;
		if (parent != NULL)
			break;
		if (skip == 0)
			first = slot;
	}
	/* Mostly one name is new, and its place is known from looking for it. */
	if (skip != 1)
		first = NULL;
	while (skip > 0) {
		struct zone_owner *owner;

		slot = first != NULL ? first : find_slot(zone, &path, skip - 1);
		owner = add_owner(zone, &path, --skip, name, slot);
		if (owner == NULL)
			return NULL;
		owner->parent = parent;
		parent = owner;
	}
	return parent;
}

struct zone_rrset *
zone_find_rrset(const struct zone_owner *owner, uint16_t type)
{
	struct zone_rrset *rrset = owner->rrsets;

	while (rrset != NULL && rrset->type != type)
		rrset = rrset->next;
	return rrset;
}

static struct zone_rrset *
find_rrset(const struct zone_owner *owner, uint16_t type, uint16_t covers)
{
	struct zone_rrset *rrset = owner->rrsets;

	while (rrset != NULL &&
	    (rrset->type != type || rrset->covers != covers))
		rrset = rrset->next;
	return rrset;
}

/* Signatures of different types are different RRsets. */
static uint16_t
covered(uint16_t type, const uint8_t *octets, uint16_t length)
{
	return type == DNS_TYPE_RRSIG && length >= 2 ? dns_get16(octets) : 0;
}

struct zone_rrset *
zone_find_signatures(const struct zone_owner *owner, uint16_t covers)
{
	return find_rrset(owner, DNS_TYPE_RRSIG, covers);
}

/* Names compare without regard to case, anything else octet by octet. */
static bool
is_same_data(uint16_t type, const struct zone_rdata *a, const uint8_t *b,
    uint16_t length)
{
	const uint8_t *at = a->octets;
	size_t left = length;

	if (a->length != length)
		return false;
	if (memcmp(at, b, length) == 0)
		return true;
	for (const char *field = dns_type_fields(type); *field && left > 0;
	    field++) {
		size_t size = dns_field_size(*field, at, left);

		if (size == 0 || size != dns_field_size(*field, b, left))
			return false;
		if ((*field | 0x20) == 'n' ? !dns_name_equal(at, b) :
		    memcmp(at, b, size) != 0)
			return false;
		at += size;
		b += size;
		left -= size;
	}
	return true;
}

static bool
is_singleton(uint16_t type)
{
	return type == DNS_TYPE_SOA || type == DNS_TYPE_CNAME ||
	    type == DNS_TYPE_DNAME;
}

/* What may stand beside a CNAME: DNSSEC's own records. */
static bool
goes_with_cname(uint16_t type)
{
	return type == DNS_TYPE_CNAME || type == DNS_TYPE_RRSIG ||
	    type == DNS_TYPE_NSEC || type == DNS_TYPE_KEY ||
	    type == DNS_TYPE_SIG;
}

static struct zone_rrset *
add_rrset(struct zone *zone, struct zone_owner *owner, uint16_t type,
    uint16_t covers, uint32_t ttl, const char **why)
{
	struct zone_rrset **end = &owner->rrsets;
	struct zone_rrset *rrset;
	unsigned count = 0;

	for (; *end != NULL; end = &(*end)->next, count++) {
		if (((*end)->type == DNS_TYPE_CNAME && !goes_with_cname(type)) ||
		    (type == DNS_TYPE_CNAME && !goes_with_cname((*end)->type))) {
			*why = "CNAME and other data";
			return NULL;
		}
	}
	if (zone->rules->types_per_name > 0 &&
	    count >= zone->rules->types_per_name) {
		*why = "too many records";
		return NULL;
	}
	*why = "out of memory";
	rrset = pool_alloc(zone->pool, sizeof(*rrset));
	if (rrset == NULL)
		return NULL;
	rrset->type = type;
	rrset->covers = covers;
	rrset->ttl = ttl;
	rrset->tail = &rrset->first;
	*end = rrset;
	return rrset;
}

int
zone_add(struct zone *zone, struct zone_owner *owner, uint16_t type,
    uint32_t *ttl, const uint8_t *octets, uint16_t length, const char **why)
{
	uint16_t covers = covered(type, octets, length);
	struct zone_rrset *rrset = find_rrset(owner, type, covers);
	struct zone_rdata *rdata;

	if (rrset == NULL) {
		rrset = add_rrset(zone, owner, type, covers, *ttl, why);
		if (rrset == NULL)
			return -1;
	}
	if (rrset->run != zone->run)
		rrset->ttl = *ttl;
	rrset->run = zone->run;
	*ttl = rrset->ttl;
	for (rdata = rrset->first; rdata != NULL; rdata = rdata->next)
		if (is_same_data(type, rdata, octets, length))
			return 0;
	if (is_singleton(type) && rrset->count > 0) {
		*why = "multiple RRs of singleton type";
		return -1;
	}
	if ((zone->rules->max_records > 0 &&
	    zone->record_count >= zone->rules->max_records) ||
	    rrset->count == UINT16_MAX || (zone->rules->records_per_type > 0 &&
	    rrset->count >= zone->rules->records_per_type)) {
		*why = "too many records";
		return -1;
	}
	*why = "out of memory";
	rdata = pool_alloc(zone->pool, sizeof(*rdata) + length);
	if (rdata == NULL)
		return -1;
	rdata->length = length;
	memcpy(rdata->octets, octets, length);
	*rrset->tail = rdata;
	rrset->tail = &rdata->next;
	rrset->count++;
	zone->record_count++;
	return 0;
}

/* Where the replacement of a NAPTR with the flag "a" stands; NULL for the others. */
static const uint8_t *
naptr_target(const uint8_t *rdata)
{
	const uint8_t *flags = rdata + 4;
	const uint8_t *service = flags + 1 + flags[0];
	const uint8_t *regexp = service + 1 + service[0];

	return flags[0] == 1 && (flags[1] | 0x20) == 'a' ?
	    regexp + 1 + regexp[0] : NULL;
}

bool
zone_remove(struct zone_owner *owner, uint16_t type, const uint8_t *octets,
    uint16_t length)
{
	struct zone_rrset *rrset = find_rrset(owner, type, covered(type,
	    octets, length));
	struct zone_rdata **at, *found;

	if (rrset == NULL)
		return false;
	at = &rrset->first;
	while (*at != NULL && !is_same_data(type, *at, octets, length))
		at = &(*at)->next;
	found = *at;
	if (found == NULL)
		return false;
	*at = found->next;
	if (rrset->tail == &found->next)
		rrset->tail = at;
	if (--rrset->count == 0) {
		struct zone_rrset **link = &owner->rrsets;

		while (*link != rrset)
			link = &(*link)->next;
		*link = rrset->next;
	}
	return true;
}

const uint8_t *
zone_target(const struct zone_owner *owner, uint16_t type,
    const struct zone_rdata *rdata)
{
	switch (type) {
	case DNS_TYPE_NS:
	case DNS_TYPE_MB:
		return rdata->octets;
	case DNS_TYPE_MX:
	case DNS_TYPE_AFSDB:
	case DNS_TYPE_RT:
	case DNS_TYPE_KX:
		return rdata->octets + 2;
	case DNS_TYPE_SVCB:
	case DNS_TYPE_HTTPS:
		/* RFC 9460 section 2.5: "." is the owner, but for an alias that leads nowhere. */
		return rdata->octets[2] == 0 && dns_get16(rdata->octets) != 0 ?
		    owner->name : rdata->octets + 2;
	case DNS_TYPE_SRV:
		return rdata->octets + 6;
	case DNS_TYPE_NAPTR:
		return naptr_target(rdata->octets);
	default:
		return NULL;
	}
}

struct zone *
zone_new(const struct dns_name *apex, const struct zone_rules *rules,
    const uint64_t seed[2])
{
	struct zone *zone = mem_zalloc(1, sizeof(*zone));

	zone->pool = pool_new(0);
	zone->apex = *apex;
	zone->rules = rules;
	zone->seed = seed;
	zone->tail = &zone->first;
	dns_name_show(apex->bytes, zone->text);
	grow_slots(zone);
	zone_get_owner(zone, apex->bytes);
	return zone;
}

char zone_trouble[256];

/* The zone must not be served. */
static void
give_up(struct zone *zone, const char *name, const char *why)
{
	if (why != NULL) {
		snprintf(zone_trouble, sizeof(zone_trouble),
		    "loading from master file %s failed: %s", name, why);
		log_error("zone %s/IN: %s", zone->text, zone_trouble);
	} else
		snprintf(zone_trouble, sizeof(zone_trouble),
		    "not loaded due to errors: see the log");
	log_error("zone %s/IN: not loaded due to errors.", zone->text);
	zone_free(&zone);
}

struct zone *
zone_read(const struct dns_name *apex, const char *name, const char *bytes,
    size_t length, const struct zone_rules *rules, const uint64_t seed[2])
{
	struct zone *zone = zone_new(apex, rules, seed);
	const char *why;

	if (zone_parse(zone, name, bytes, length, &why) == -1)
		give_up(zone, name, why);
	else if (zone_check(zone))
		return zone;
	else
		give_up(zone, name, NULL);
	return NULL;
}

struct zone *
zone_load(const struct dns_name *apex, const char *file,
    const struct zone_rules *rules, const uint64_t seed[2])
{
	return zone_read(apex, file, NULL, 0, rules, seed);
}
