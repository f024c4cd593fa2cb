#include "zone/zone.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/copy.h"
#include "zone/index.h"
#include "zone/raw.h"

void
zone_free(struct zone **zone)
{
	if (*zone == NULL)
		return;
	free((*zone)->slots);
	free((*zone)->touched);
	text_clear(&(*zone)->sources);
	arena_clear(&(*zone)->owners);
	arena_clear(&(*zone)->data);
	free(*zone);
	*zone = NULL;
}

void
zone_release(struct zone *zone, uint32_t number)
{
	free(zone->slots);
	zone->slots = NULL;
	arena_release(&zone->owners, number);
	arena_release(&zone->data, number);
}

/* Room for an owner, with the end of its chunk behind it; the one before leads there. */
static struct zone_owner *
allocate_owner(struct zone *zone, size_t length)
{
	struct zone_owner *owner;

	arena_mark(&zone->owners, zone->owner_count);
	arena_mark(&zone->data, zone->owner_count);
	owner = arena_alloc(&zone->owners, zone_owner_size(length) +
	    sizeof(*owner));
	if (owner == NULL)
		return NULL;
	zone->owners.chunks[zone->owners.count - 1].used -= sizeof(*owner);
	if (zone->last != NULL) {
		struct zone_owner *end = (struct zone_owner *)
		    ((char *)zone->last + zone_owner_size(zone->last->length));

		if (end != owner)
			end->rrsets = (struct zone_rrset *)owner;
	}
	return owner;
}

/* slot is where it was not found. */
static struct zone_owner *
add_owner(struct zone *zone, const struct zone_path *path, unsigned skip,
    const uint8_t *name, size_t slot)
{
	size_t length = path->starts[path->labels] + 1 - path->starts[skip];
	struct zone_owner *owner = allocate_owner(zone, length);

	if (owner == NULL)
		return NULL;
	owner->number = zone->owner_count++;
	owner->length = length;
	copy_few(owner->name, name + path->starts[skip], length);
	if (zone->first == NULL)
		zone->first = owner;
	zone->last = owner;
	index_add(zone, path, skip, owner, slot);
	return owner;
}

struct zone_owner *
zone_find(const struct zone *zone, const uint8_t *name)
{
	struct zone_path path;
	size_t slot;

	zone_path_init(&path, zone->seed, name, dns_name_length(name));
	return index_find(zone, &path, 0, &slot);
}

struct zone_owner *
zone_get_owner_at(struct zone *zone, const uint8_t *name,
    const struct zone_path *path)
{
	struct zone_owner *parent = NULL;
	size_t slot = 0, first = 0;
	unsigned skip = 0, apex;

	apex = path->labels - zone->suffix.labels;
	for (; skip <= apex; skip++) {
		parent = skip == apex && zone->first != NULL ? zone->first :
		    index_find(zone, path, skip, &slot);
		if (parent != NULL)
			break;
		if (skip == 0)
			first = slot;
	}
	/* Mostly one name is new, and its place is known from looking for it. */
	while (skip > 0) {
		struct zone_owner *owner;

		if (skip-- > 1 || parent == NULL)
			(void)index_find(zone, path, skip, &slot);
		else
			slot = first;
		owner = add_owner(zone, path, skip, name, slot);
		if (owner == NULL)
			return NULL;
		owner->parent = parent != NULL ? parent->number : 0;
		parent = owner;
		if (skip > 0)
			(void)index_find(zone, path, 0, &first);
	}
	return parent;
}

struct zone_owner *
zone_get_owner(struct zone *zone, const uint8_t *name)
{
	struct zone_path path;

	zone_path_init_below(&path, zone->seed, name, dns_name_length(name),
	    &zone->suffix);
	return zone_get_owner_at(zone, name, &path);
}

void
zone_expect(const struct zone *zone, const struct zone_path *path)
{
	__builtin_prefetch(&zone->slots[path->hashes[0] >> 32 &
	    (zone->slot_count - 1)], 1);
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
	    (rrset->type != type || zone_covers(rrset) != covers))
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

static size_t
rdata_size(uint16_t type, uint16_t length)
{
	return sizeof(struct zone_rdata) + length +
	    (zone_has_target(type) ? sizeof(uint32_t) : 0);
}

/* Are there reasons against another RRset of the owner? */
static const char *
refuse_rrset(const struct zone *zone, const struct zone_owner *owner,
    uint16_t type)
{
	unsigned count = 0;

	for (const struct zone_rrset *at = owner->rrsets; at != NULL;
	    at = at->next, count++)
		if ((at->type == DNS_TYPE_CNAME && !goes_with_cname(type)) ||
		    (type == DNS_TYPE_CNAME && !goes_with_cname(at->type)))
			return "CNAME and other data";
	if (zone->rules->types_per_name > 0 &&
	    count >= zone->rules->types_per_name)
		return "too many records";
	return NULL;
}

/* An RRset with room for its first record. */
static struct zone_rrset *
add_rrset(struct zone *zone, struct zone_owner *owner, uint16_t type,
    uint32_t ttl, uint16_t length)
{
	struct zone_rrset **end = &owner->rrsets;
	struct zone_rrset *rrset = arena_alloc(&zone->data, sizeof(*rrset) +
	    rdata_size(type, length));

	if (rrset == NULL)
		return NULL;
	while (*end != NULL)
		end = &(*end)->next;
	rrset->type = type;
	rrset->ttl = ttl;
	rrset->first = (struct zone_rdata *)(rrset + 1);
	*end = rrset;
	return rrset;
}

/* 1: there is such a record already; 0: another one may come; -1 with *why. */
static int
look_at_rrset(const struct zone *zone, const struct zone_rrset *rrset,
    const uint8_t *octets, uint16_t length, struct zone_rdata ***end,
    const char **why)
{
	struct zone_rdata **at = (struct zone_rdata **)(uintptr_t)&rrset->first;

	for (; *at != NULL; at = &(*at)->next)
		if (is_same_data(rrset->type, *at, octets, length))
			return 1;
	*end = at;
	*why = "multiple RRs of singleton type";
	if (is_singleton(rrset->type))
		return -1;
	*why = "too many records";
	return rrset->count == UINT16_MAX ||
	    (zone->rules->records_per_type > 0 &&
	    rrset->count >= zone->rules->records_per_type) ? -1 : 0;
}

void
zone_begin_run(struct zone *zone)
{
	zone->has_runs = true;
	zone->touched_count = 0;
}

/* Had the RRset a record in this run already? From now on it has. */
static bool
touch(struct zone *zone, const struct zone_rrset *rrset)
{
	if (!zone->has_runs)
		return true;
	for (size_t i = 0; i < zone->touched_count; i++)
		if (zone->touched[i] == rrset)
			return true;
	if (zone->touched_count == zone->touched_size) {
		zone->touched_size = 2 * zone->touched_size + 16;
		zone->touched = mem_resize(zone->touched, zone->touched_size,
		    sizeof(*zone->touched));
	}
	zone->touched[zone->touched_count++] = rrset;
	return false;
}

int
zone_add(struct zone *zone, struct zone_owner *owner, uint16_t type,
    uint32_t *ttl, const uint8_t *octets, uint16_t length, const char **why)
{
	struct zone_rrset *rrset = find_rrset(owner, type, covered(type,
	    octets, length));
	struct zone_rdata *rdata, **end = NULL;
	int result = 0;

	if (rrset != NULL) {
		if (!touch(zone, rrset))
			rrset->ttl = *ttl;
		*ttl = rrset->ttl;
		result = look_at_rrset(zone, rrset, octets, length, &end, why);
	} else {
		*why = refuse_rrset(zone, owner, type);
		result = *why != NULL ? -1 : 0;
	}
	if (result != 0)
		return result == 1 ? 0 : -1;
	*why = "too many records";
	if (zone->rules->max_records > 0 &&
	    zone->record_count >= zone->rules->max_records)
		return -1;
	*why = "out of memory";
	if (rrset == NULL) {
		rrset = add_rrset(zone, owner, type, *ttl, length);
		if (rrset != NULL)
			(void)touch(zone, rrset);
		rdata = rrset != NULL ? rrset->first : NULL;
	} else
		rdata = *end = arena_alloc(&zone->data, rdata_size(type,
		    length));
	if (rdata == NULL)
		return -1;
	rdata->length = length;
	copy_few(rdata->octets, octets, length);
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
zone_remove(struct zone *zone, struct zone_owner *owner, uint16_t type,
    const uint8_t *octets, uint16_t length)
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
	zone->record_count--;
	if (--rrset->count == 0) {
		struct zone_rrset **link = &owner->rrsets;

		while (*link != rrset)
			link = &(*link)->next;
		*link = rrset->next;
	}
	return true;
}

bool
zone_has_target(uint16_t type)
{
	switch (type) {
	case DNS_TYPE_NS:
	case DNS_TYPE_MB:
	case DNS_TYPE_MX:
	case DNS_TYPE_AFSDB:
	case DNS_TYPE_RT:
	case DNS_TYPE_KX:
	case DNS_TYPE_SVCB:
	case DNS_TYPE_HTTPS:
	case DNS_TYPE_SRV:
	case DNS_TYPE_NAPTR:
		return true;
	default:
		return false;
	}
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

	zone->apex = *apex;
	zone->rules = rules;
	zone->seed = seed;
	zone_suffix_init(&zone->suffix, seed, apex->bytes);
	dns_name_show(apex->bytes, zone->text);
	index_reserve(zone, 1);
	zone_get_owner(zone, apex->bytes);
	return zone;
}

char zone_trouble[256];

const char *
zone_trouble_in_short(const char *trouble)
{
	static const char mark[] = " failed: ";
	const char *last = NULL;

	while (trouble != NULL && (trouble = strstr(trouble, mark)) != NULL) {
		trouble += strlen(mark);
		last = trouble;
	}
	return last != NULL ? last : "bad zone";
}

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

/* In whichever form it is. 0, or -1 with *why. */
static int
fill(struct zone *zone, const char *name, const char *bytes, size_t length,
    const char **why)
{
	if (bytes == NULL && raw_is_file(name))
		return raw_load(zone, name, why);
	if (bytes != NULL && raw_is(bytes, length))
		return raw_parse(zone, (const uint8_t *)bytes, length, why);
	return zone_parse(zone, name, bytes, length, why);
}

struct zone *
zone_read(const struct dns_name *apex, const char *name, const char *bytes,
    size_t length, const struct zone_rules *rules, const uint64_t seed[2])
{
	struct zone *zone = zone_new(apex, rules, seed);
	const char *why;

	if (fill(zone, name, bytes, length, &why) == -1)
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
