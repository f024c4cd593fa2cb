/* check - a zone as a whole: what BIND refuses to serve, and what it warns of */

#include <string.h>

#include "zone/zone.h"

/* Is a name at or below a delegation, so that others answer for it? */
static bool
is_delegated(const struct zone *zone, const uint8_t *name)
{
	for (; dns_name_within(name, zone->apex.bytes) &&
	    !dns_name_equal(name, zone->apex.bytes); name += *name + 1) {
		const struct zone_owner *owner = zone_find(zone, name);

		if (owner != NULL && zone_find_rrset(owner, DNS_TYPE_NS))
			return true;
	}
	return false;
}

/* The owner of a name, or the wildcard that stands for it. */
static const struct zone_owner *
find_or_wildcard(const struct zone *zone, const uint8_t *name)
{
	const struct zone_owner *owner = zone_find(zone, name);
	struct dns_name wildcard = { 0, { 1, '*' } };

	if (owner != NULL)
		return owner;
	do {
		name += *name + 1;
		if (dns_name_length(name) + 2 > DNS_NAME_MAX)
			return NULL;
		memcpy(wildcard.bytes + 2, name, dns_name_length(name));
		owner = zone_find(zone, wildcard.bytes);
		if (owner != NULL)
			return owner;
	} while (!dns_name_equal(name, zone->apex.bytes) &&
	    zone_find(zone, name) == NULL);
	return NULL;
}

enum target { TARGET_FINE, TARGET_IS_CNAME, TARGET_HAS_NO_ADDRESS };

static enum target
check_target(const struct zone *zone, const uint8_t *name)
{
	const struct zone_owner *owner;

	if (!dns_name_within(name, zone->apex.bytes))
		return TARGET_FINE;
	owner = find_or_wildcard(zone, name);
	if (owner != NULL && zone_find_rrset(owner, DNS_TYPE_CNAME))
		return TARGET_IS_CNAME;
	if (owner != NULL && (zone_find_rrset(owner, DNS_TYPE_A) ||
	    zone_find_rrset(owner, DNS_TYPE_AAAA)))
		return TARGET_FINE;
	return TARGET_HAS_NO_ADDRESS;
}

/* The name servers at the apex: without them the zone would be lame. */
static bool
check_servers(const struct zone *zone, const struct zone_rrset *servers)
{
	bool good = true;

	for (const struct zone_rdata *rdata = servers->first; rdata != NULL;
	    rdata = rdata->next) {
		char name[DNS_NAME_TEXT];

		dns_name_show(rdata->octets, name);
		switch (check_target(zone, rdata->octets)) {
		case TARGET_FINE:
			continue;
		case TARGET_IS_CNAME:
			log_error("zone %s/IN: NS '%s' is a CNAME (illegal)",
			    zone->text, name);
			break;
		case TARGET_HAS_NO_ADDRESS:
			if (is_delegated(zone, rdata->octets)) {
				log_warning("zone %s/IN: NS '%s' is below a "
				    "delegation and has no glue", zone->text,
				    name);
				continue;
			}
			log_error("zone %s/IN: NS '%s' has no address records "
			    "(A or AAAA)", zone->text, name);
			break;
		}
		good = false;
	}
	return good;
}

/* Targets of MX, SRV and delegations: a mistake there is told, and the zone is served. */
static void
check_targets(const struct zone *zone, const struct zone_owner *owner,
    const struct zone_rrset *rrset)
{
	char name[DNS_NAME_TEXT], own[DNS_NAME_TEXT], type[DNS_MNEMONIC_MAX];

	for (const struct zone_rdata *rdata = rrset->first; rdata != NULL;
	    rdata = rdata->next) {
		const uint8_t *target = zone_target(owner, rrset->type,
		    rdata);
		enum target verdict = check_target(zone, target);

		if (verdict == TARGET_FINE || *target == 0)
			continue;
		dns_name_show(target, name);
		dns_name_show(owner->name, own);
		dns_type_print(rrset->type, type);
		if (verdict == TARGET_IS_CNAME)
			log_warning("zone %s/IN: %s/%s '%s' is a CNAME "
			    "(illegal)", zone->text, own, type, name);
		else if (rrset->type != DNS_TYPE_NS ||
		    dns_name_within(target, owner->name))
			log_error("zone %s/IN: %s/%s '%s' has no address "
			    "records (A or AAAA)", zone->text, own, type, name);
	}
}

bool
zone_check(const struct zone *zone)
{
	const struct zone_owner *apex = zone->first;
	const struct zone_rrset *soa = zone_find_rrset(apex, DNS_TYPE_SOA);
	const struct zone_rrset *ns = zone_find_rrset(apex, DNS_TYPE_NS);

	if (soa == NULL)
		log_error("zone %s/IN: has 0 SOA records", zone->text);
	if (ns == NULL)
		log_error("zone %s/IN: has no NS records", zone->text);
	if (soa == NULL || ns == NULL || !check_servers(zone, ns))
		return false;
	for (const struct zone_owner *owner = apex; owner != NULL;
	    owner = owner->next) {
		for (const struct zone_rrset *rrset = owner->rrsets;
		    rrset != NULL; rrset = rrset->next) {
			if (rrset->type == DNS_TYPE_MX ||
			    rrset->type == DNS_TYPE_SRV ||
			    (rrset->type == DNS_TYPE_NS && owner != apex))
				check_targets(zone, owner, rrset);
		}
	}
	return true;
}
