#include "named-lite/parcel.h"

#include <sys/mman.h>

#include <string.h>
#include <unistd.h>

#include "named-lite/records.h"
#include "named-lite/revive.h"

static const char *
add(struct zone *zone, const struct record *record)
{
	struct zone_owner *owner = zone_get_owner(zone, record->owner);
	uint32_t ttl = record->ttl;
	const char *why = "out of memory";

	if (owner == NULL || zone_add(zone, owner, record->type, &ttl,
	    record->rdata, record->length, &why) == -1)
		return why;
	return NULL;
}

static const char *
apply(struct zone *zone, const struct record *record)
{
	struct zone_owner *owner;

	if (!dns_name_within(record->owner, zone->apex.bytes))
		return "a record is out of zone";
	if (record->type == DNS_TYPE_SOA &&
	    !dns_name_equal(record->owner, zone->apex.bytes))
		return "a SOA that is not at the top";
	if (record->sign == RECORD_ADDED)
		return add(zone, record);
	owner = zone_find(zone, record->owner);
	return owner != NULL && zone_remove(zone, owner,
	    record->type, record->rdata, record->length) ? NULL :
	    "a record to remove is not there";
}

static const char *
apply_all(struct zone *zone, const uint8_t *bytes, size_t size)
{
	struct record record;
	size_t at = 0;
	const char *why;
	int found;

	while ((found = record_next(&record, bytes, size, &at)) == 1)
		if ((why = apply(zone, &record)) != NULL)
			return why;
	return found == 0 ? NULL : "malformed records";
}

/* A copy without names that have lost their records: those must not exist any more. */
static struct zone *
prune(struct zone **old)
{
	struct zone *zone = zone_new(&(*old)->apex, (*old)->rules,
	    (*old)->seed);

	for (const struct zone_owner *owner = (*old)->first; owner != NULL;
	    owner = zone_next(owner))
		for (const struct zone_rrset *rrset = owner->rrsets;
		    rrset != NULL; rrset = rrset->next)
			for (const struct zone_rdata *rdata = rrset->first;
			    rdata != NULL; rdata = rdata->next) {
				struct record record = { RECORD_ADDED,
				    owner->name, rrset->type, rrset->ttl,
				    rdata->length, rdata->octets };

				add(zone, &record);
			}
	zone_free(old);
	return zone;
}

static const char *
check(const struct zone *zone, const struct parcel_header *header)
{
	const struct zone_rrset *soa = zone_find_rrset(zone->first,
	    DNS_TYPE_SOA);

	if (soa == NULL)
		return "has 0 SOA records";
	if (zone_find_rrset(zone->first, DNS_TYPE_NS) == NULL)
		return "has no NS records";
	if (record_serial(soa->first->octets, soa->first->length) != header->to)
		return "it does not lead to its serial number";
	return NULL;
}

static struct zone *
make(const struct parcel_header *header, size_t size,
    const struct image *served, const struct dns_name *apex,
    const struct zone_rules *rules, const uint64_t seed[2], const char **why)
{
	struct zone *zone = header->is_whole ? zone_new(apex, rules, seed) :
	    revive_zone(served, apex, rules, seed);
	const struct zone_rrset *soa = zone != NULL ?
	    zone_find_rrset(zone->first, DNS_TYPE_SOA) : NULL;

	*why = "there is nothing to change";
	if (zone == NULL)
		return NULL;
	if (!header->is_whole && (soa == NULL || record_serial(
	    soa->first->octets, soa->first->length) != header->from))
		*why = "it was made for another serial number";
	else
		*why = apply_all(zone, (const uint8_t *)(header + 1),
		    size - sizeof(*header));
	if (*why == NULL && !header->is_whole)
		zone = prune(&zone);
	if (*why == NULL)
		*why = check(zone, header);
	if (*why != NULL)
		zone_free(&zone);
	return zone;
}

struct zone *
parcel_open(int fd, const struct image *served, const struct dns_name *apex,
    const struct zone_rules *rules, const uint64_t seed[2], const char **why)
{
	off_t size = lseek(fd, 0, SEEK_END);
	const struct parcel_header *header;
	struct zone *zone;

	*why = "malformed parcel";
	if (size < (off_t)sizeof(*header))
		return NULL;
	header = mmap(NULL, size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (header == MAP_FAILED) {
		*why = "out of memory";
		return NULL;
	}
	zone = header->magic != PARCEL_MAGIC ? NULL : make(header, size,
	    served, apex, rules, seed, why);
	munmap((void *)(uintptr_t)header, size);
	return zone;
}
