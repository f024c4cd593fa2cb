/* check - a zone as a whole: what BIND refuses to serve, and what it warns of */

#include <stdio.h>
#include <string.h>

#include "zone/zone.h"

/* The delegation or DNAME at or above a name, below the apex for delegations; NULL if there is none. */
static const struct zone_owner *
find_above(const struct zone *zone, const uint8_t *name, uint16_t type)
{
	const struct zone_owner *highest = NULL;

	for (; dns_name_within(name, zone->apex.bytes); name += *name + 1) {
		const struct zone_owner *owner = zone_find(zone, name);

		if (owner != NULL && zone_find_rrset(owner, type) &&
		    (type != DNS_TYPE_NS || !zone_is_apex(owner)))
			highest = owner;
		if (*name == 0)
			break;
	}
	return highest;
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

static bool
has_address(const struct zone_owner *owner)
{
	return owner != NULL && (zone_find_rrset(owner, DNS_TYPE_A) ||
	    zone_find_rrset(owner, DNS_TYPE_AAAA) ||
	    zone_find_rrset(owner, DNS_TYPE_A6));
}

/* Somebody's target. */
struct target {
	const struct zone *zone;
	char	 from[DNS_NAME_TEXT + 20];	/* "owner/MX " for the log; "NS " of the zone itself */
	const uint8_t *name;
	char	 text[DNS_NAME_TEXT];
};

/* An alias, or what lies below one, is no target. False: it is, told. */
static bool
check_alias(const struct target *target, uint32_t verdict)
{
	const struct zone_owner *dname = find_above(target->zone, target->name,
	    DNS_TYPE_DNAME);
	const struct zone_owner *owner = find_or_wildcard(target->zone,
	    target->name);
	struct text what = TEXT_EMPTY;
	char text[DNS_NAME_TEXT];

	if (dname != NULL && !dns_name_equal(dname->name, target->name))
		text_printf(&what, "below a DNAME '%s'",
		    dns_name_show(dname->name, text));
	else if (owner != NULL && zone_find_rrset(owner, DNS_TYPE_CNAME))
		text_puts(&what, "a CNAME");
	if (what.length == 0)
		return true;
	if (verdict == VERDICT_FAIL)
		log_error("zone %s/IN: %s'%s' is %s (illegal)",
		    target->zone->text, target->from, target->text,
		    what.bytes);
	else if (verdict == VERDICT_WARN)
		log_warning("zone %s/IN: %s'%s' is %s (illegal)",
		    target->zone->text, target->from, target->text,
		    what.bytes);
	text_clear(&what);
	return false;
}

static bool
init_target(struct target *target, const struct zone *zone,
    const struct zone_owner *owner, uint16_t type, const uint8_t *name)
{
	char own[DNS_NAME_TEXT], mnemonic[DNS_MNEMONIC_MAX];

	target->zone = zone;
	target->name = name;
	if (*name == 0)
		return false;
	dns_name_show(name, target->text);
	dns_type_print(type, mnemonic);
	if (type == DNS_TYPE_NS && owner == zone->first)
		strlcpy(target->from, "NS ", sizeof(target->from));
	else
		snprintf(target->from, sizeof(target->from), "%s/%s ",
		    dns_name_show(owner->name, own), mnemonic);
	return true;
}

static bool
is_within(const struct target *target)
{
	return dns_name_within(target->name, target->zone->apex.bytes);
}

/* Somebody else knows about it: does he say that it is good? */
static bool
look_outside(const struct target *target, const struct zone_owner *glue,
    uint32_t verdict)
{
	const struct zone_reference reference = { target->zone, target->from,
	    target->text, glue, verdict };

	return target->zone->rules->look == NULL ||
	    target->zone->rules->look(&reference);
}

/* The name servers of the zone: without them it would be lame. */
static bool
check_servers(const struct zone *zone, const struct zone_rrset *servers)
{
	bool good = true;

	for (const struct zone_rdata *rdata = servers->first; rdata != NULL;
	    rdata = rdata->next) {
		struct target target;

		if (!init_target(&target, zone, zone->first, DNS_TYPE_NS,
		    rdata->octets) || !is_within(&target))
			continue;
		if (!check_alias(&target, VERDICT_FAIL))
			good = false;
		else if (!has_address(find_or_wildcard(zone, target.name)) &&
		    find_above(zone, target.name, DNS_TYPE_NS) == NULL) {
			log_error("zone %s/IN: NS '%s' has no address records "
			    "(A or AAAA)", zone->text, target.text);
			good = false;
		}
	}
	return good;
}

/* The name servers of a delegation; those that stand below one need their addresses here. */
static bool
check_delegation(const struct target *target, const struct zone_owner *owner)
{
	const struct zone *zone = target->zone;
	const struct zone_owner *cut = find_above(zone, target->name,
	    DNS_TYPE_NS);
	bool is_known = cut == NULL ?
	    has_address(find_or_wildcard(zone, target->name)) :
	    has_address(zone_find(zone, target->name));
	const char *what = cut == NULL ? "" : cut == owner ?
	    "REQUIRED GLUE " : "SIBLING GLUE ";

	if (check_alias(target, VERDICT_WARN) && !is_known &&
	    (cut == NULL || cut == owner || zone->rules->check_sibling))
		log_warning("zone %s/IN: %s'%s' has no %saddress records (A "
		    "or AAAA)", zone->text, target->from, target->text, what);
	return cut == NULL || !is_known || look_outside(target,
	    zone_find(zone, target->name), VERDICT_FAIL);
}

/* Mail exchangers and servers of services. */
static bool
check_service(const struct target *target, uint32_t verdict)
{
	const struct zone *zone = target->zone;

	if (!check_alias(target, verdict))
		return verdict != VERDICT_FAIL;
	if (find_above(zone, target->name, DNS_TYPE_NS) != NULL)
		return look_outside(target, NULL, verdict);
	if (!has_address(find_or_wildcard(zone, target->name)))
		log_warning("zone %s/IN: %s'%s' has no address records "
		    "(A or AAAA)", zone->text, target->from, target->text);
	return true;
}

static bool
check_targets(const struct zone *zone, const struct zone_owner *owner,
    const struct zone_rrset *rrset)
{
	bool good = true;

	for (const struct zone_rdata *rdata = rrset->first; rdata != NULL;
	    rdata = rdata->next) {
		size_t skip = rrset->type == DNS_TYPE_MX ? 2 :
		    rrset->type == DNS_TYPE_SRV ? 6 : 0;
		uint32_t verdict = rrset->type == DNS_TYPE_NS ? VERDICT_FAIL :
		    rrset->type == DNS_TYPE_MX ? zone->rules->check_mx_cname :
		    zone->rules->check_srv_cname;
		struct target target;

		if (!init_target(&target, zone, owner, rrset->type,
		    rdata->octets + skip))
			continue;
		if (!is_within(&target) ?
		    !look_outside(&target, NULL, verdict) :
		    rrset->type == DNS_TYPE_NS ?
		    !check_delegation(&target, owner) :
		    !check_service(&target, verdict))
			good = false;
	}
	return good;
}

/* RFC 7208 section 3.1: SPF stands in TXT. */
static void
check_spf(const struct zone *zone, const struct zone_owner *owner)
{
	static const char start[] = "v=spf1";
	const struct zone_rrset *txt = zone_find_rrset(owner, DNS_TYPE_TXT);
	char text[DNS_NAME_TEXT];

	if (zone_find_rrset(owner, DNS_TYPE_SPF) == NULL)
		return;
	for (const struct zone_rdata *rdata = txt != NULL ? txt->first : NULL;
	    rdata != NULL; rdata = rdata->next)
		if (rdata->octets[0] >= sizeof(start) - 1 &&
		    memcmp(rdata->octets + 1, start, sizeof(start) - 1) == 0)
			return;
	log_warning("zone %s/IN: '%s' found type SPF record but no SPF TXT "
	    "record found, add matching type TXT record", zone->text,
	    dns_name_show(owner->name, text));
}

/* What each name has that refers to others. */
static bool
check_owner(const struct zone *zone, const struct zone_owner *owner)
{
	bool good = true;

	for (const struct zone_rrset *rrset = owner->rrsets; rrset != NULL;
	    rrset = rrset->next) {
		bool is_checked = rrset->type == DNS_TYPE_MX ||
		    rrset->type == DNS_TYPE_SRV || (rrset->type ==
		    DNS_TYPE_NS && !zone_is_apex(owner));

		if (is_checked && zone->rules->check_integrity &&
		    !check_targets(zone, owner, rrset))
			good = false;
		if (rrset->type == DNS_TYPE_SPF &&
		    zone->rules->check_spf == VERDICT_WARN)
			check_spf(zone, owner);
	}
	return good;
}

bool
zone_check(const struct zone *zone)
{
	const struct zone_owner *apex = zone->first;
	const struct zone_rrset *soa = zone_find_rrset(apex, DNS_TYPE_SOA);
	const struct zone_rrset *ns = zone_find_rrset(apex, DNS_TYPE_NS);
	bool good = true;

	if (soa == NULL)
		log_error("zone %s/IN: has 0 SOA records", zone->text);
	if (ns == NULL)
		log_error("zone %s/IN: has no NS records", zone->text);
	if (soa == NULL || ns == NULL || !check_servers(zone, ns))
		return false;
	for (const struct zone_owner *owner = apex; owner != NULL;
	    owner = zone_next(owner))
		if (owner->rrsets != NULL && !check_owner(zone, owner))
			good = false;
	return good;
}
