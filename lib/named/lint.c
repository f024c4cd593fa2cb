#include "named/lint.h"

#include <arpa/inet.h>

#include <stdio.h>
#include <string.h>

static const uint8_t in_addr[] = "\7in-addr\4arpa";
static const uint8_t ip6[] = "\3ip6\4arpa";

struct linter {
	const struct site *site;
	const struct site_zone *in;	/* the zone that is looked at */
	unsigned warnings;
};

static void	warn(struct linter *l, const struct zone_owner *owner,
		    uint16_t type, unsigned n, const char *format, ...)
		    __attribute__((format(printf, 5, 6)));

/* About the n-th record of a type at an owner, or the zone as a whole. */
static void
warn(struct linter *l, const struct zone_owner *owner, uint16_t type,
    unsigned n, const char *format, ...)
{
	struct text text = TEXT_EMPTY;
	char where[ORIGIN_TEXT] = "";
	va_list arguments;

	va_start(arguments, format);
	text_vprintf(&text, format, arguments);
	va_end(arguments);
	if (owner != NULL)
		origins_print(&l->in->origins, owner, type, n, where);
	if (where[0] == '\0')
		snprintf(where, sizeof(where), "zone %s", l->in->zone->text);
	log_warning("%s: %s", where, text_string(&text));
	text_clear(&text);
	l->warnings++;
}

static bool
is_reverse(const uint8_t *name)
{
	return dns_name_within(name, in_addr) || dns_name_within(name, ip6);
}

/* Addresses and their names */

/* 4.0.19.172.in-addr.arpa for 172.19.0.4; the same for IPv6. */
static void
reverse_name(uint16_t type, const uint8_t *address, struct dns_name *name)
{
	struct text text = TEXT_EMPTY;
	const char *why;

	if (type == DNS_TYPE_A)
		text_printf(&text, "%u.%u.%u.%u.in-addr.arpa", address[3],
		    address[2], address[1], address[0]);
	else {
		for (int i = 15; i >= 0; i--)
			text_printf(&text, "%x.%x.", address[i] & 15,
			    address[i] >> 4);
		text_puts(&text, "ip6.arpa");
	}
	dns_name_parse(name, text.bytes, text.length, NULL, &why);
	text_clear(&text);
}

/* An owner of the reverse zone whose PTR names a host, though it is no whole address; NULL if there is none. */
static const struct zone_owner *
find_misplaced(const struct zone *zone, const uint8_t *host)
{
	for (const struct zone_owner *owner = zone->first; owner != NULL;
	    owner = zone_next(owner)) {
		const struct zone_rrset *ptr = zone_find_rrset(owner,
		    DNS_TYPE_PTR);
		unsigned labels = dns_name_labels(owner->name);

		if (ptr != NULL && dns_name_equal(ptr->first->octets, host) &&
		    labels != (dns_name_within(owner->name, in_addr) ? 6 : 34))
			return owner;
	}
	return NULL;
}

/* What stands before the zone's name: "4.0" of 4.0.19.172.in-addr.arpa in 19.172.in-addr.arpa. */
static void
show_relative(const uint8_t *name, const struct zone *zone,
    char text[DNS_NAME_TEXT])
{
	size_t cut = strlen(zone->text) + 1;
	size_t length = strlen(dns_name_show(name, text));

	if (length > cut)
		text[length - cut] = '\0';
}

/* A host that takes or sends mail: receivers ask for the name of its address. */
static void
check_pointer(struct linter *l, const struct zone_owner *owner,
    const struct zone_rrset *rrset, const struct zone_rdata *rdata, unsigned n)
{
	char address[INET6_ADDRSTRLEN], host[DNS_NAME_TEXT];
	char wanted[DNS_NAME_TEXT], short_name[DNS_NAME_TEXT];
	const struct site_zone *in;
	const struct zone_owner *misplaced;
	const struct zone_rrset *ptr;
	struct dns_name name;

	reverse_name(rrset->type, rdata->octets, &name);
	in = site_find(l->site, name.bytes);
	if (in == NULL || in->zone == NULL)
		return;		/* others' business */
	inet_ntop(rrset->type == DNS_TYPE_A ? AF_INET : AF_INET6,
	    rdata->octets, address, sizeof(address));
	dns_name_show(owner->name, host);
	ptr = site_find_rrset(l->site, name.bytes, DNS_TYPE_PTR);
	if (ptr != NULL) {
		if (!dns_name_equal(ptr->first->octets, owner->name))
			warn(l, owner, rrset->type, n, "%s is the address of "
			    "%s, but its PTR record names %s: many hosts "
			    "refuse mail from it", address, host,
			    dns_name_show(ptr->first->octets, wanted));
		return;
	}
	show_relative(name.bytes, in->zone, short_name);
	misplaced = find_misplaced(in->zone, owner->name);
	if (misplaced == NULL) {
		warn(l, owner, rrset->type, n, "%s, the address of %s, has no "
		    "PTR record: many hosts refuse mail from it; zone %s "
		    "lacks '%s PTR %s.'", address, host, in->zone->text,
		    short_name, host);
		return;
	}
	show_relative(misplaced->name, in->zone, wanted);

	struct linter other = { l->site, in, 0 };

	warn(&other, misplaced, DNS_TYPE_PTR, 0, "'%s' is no address in zone "
	    "%s: the PTR record of %s, %s, belongs to '%s'", wanted,
	    in->zone->text, host, address, short_name);
	l->warnings += other.warnings;
}

static void
check_host(struct linter *l, const struct zone_owner *owner)
{
	static const uint16_t types[] = { DNS_TYPE_A, DNS_TYPE_AAAA };

	for (size_t i = 0; i < COUNT_OF(types); i++) {
		const struct zone_rrset *rrset = zone_find_rrset(owner,
		    types[i]);
		unsigned n = 0;

		for (const struct zone_rdata *rdata = rrset != NULL ?
		    rrset->first : NULL; rdata != NULL; rdata = rdata->next)
			check_pointer(l, owner, rrset, rdata, n++);
	}
}

/* Mail exchangers */

static bool
looks_like_address(const uint8_t *name, const struct zone *zone)
{
	char text[DNS_NAME_TEXT];
	uint8_t address[16];

	show_relative(name, zone, text);
	return inet_pton(AF_INET, text, address) == 1;
}

static bool
has_address(const struct site *site, const uint8_t *name)
{
	return site_find_rrset(site, name, DNS_TYPE_A) != NULL ||
	    site_find_rrset(site, name, DNS_TYPE_AAAA) != NULL;
}

static void
check_exchanger(struct linter *l, const struct zone_owner *owner,
    const struct zone_rdata *rdata, unsigned n)
{
	const uint8_t *target = rdata->octets + 2;
	const struct site_zone *in = site_find(l->site, target);
	char host[DNS_NAME_TEXT], domain[DNS_NAME_TEXT];

	if (*target == 0 || in == NULL || in->zone == NULL)
		return;		/* no mail at all (RFC 7505), or others' host */
	dns_name_show(target, host);
	dns_name_show(owner->name, domain);
	if (site_find_rrset(l->site, target, DNS_TYPE_CNAME) != NULL)
		warn(l, owner, DNS_TYPE_MX, n, "the MX of %s is %s, an alias: "
		    "it must be a host with an address (RFC 5321 section "
		    "5.1)", domain, host);
	else if (has_address(l->site, target)) {
		struct linter there = { l->site, in, 0 };

		check_host(&there, zone_find(in->zone, target));
		l->warnings += there.warnings;
	} else if (looks_like_address(target, l->in->zone))
		warn(l, owner, DNS_TYPE_MX, n, "the MX of %s is an address: "
		    "it must be the name of a host", domain);
	else
		warn(l, owner, DNS_TYPE_MX, n, "the MX of %s is %s, which has "
		    "no address", domain, host);
}

/* Without MX, mail goes to the domain's own address (RFC 5321 section 5.1): hardly ever what was meant. */
static void
check_without_mx(struct linter *l, const struct zone_owner *apex)
{
	static const char *const hosts[] = { "mail", "smtp", "mx", "mx1" };
	const struct zone_rrset *a = zone_find_rrset(apex, DNS_TYPE_A);
	struct zone *zone = l->in->zone;
	char address[INET_ADDRSTRLEN];

	if (a != NULL)
		warn(l, apex, DNS_TYPE_A, 0, "%s has no MX record: mail for it "
		    "goes to its own address, %s", zone->text,
		    inet_ntop(AF_INET, a->first->octets, address,
		    sizeof(address)));
	else if (!has_address(l->site, apex->name))
		warn(l, apex, DNS_TYPE_SOA, 0, "%s has no MX record and no "
		    "address: mail for it cannot be delivered; 'MX 0 .' says "
		    "that this is meant", zone->text);
	for (size_t i = 0; i < COUNT_OF(hosts); i++) {
		struct dns_name name;
		const struct zone_owner *owner;
		const char *why;

		if (dns_name_parse(&name, hosts[i], strlen(hosts[i]),
		    &zone->apex, &why) == -1)
			continue;
		owner = zone_find(zone, name.bytes);
		if (owner != NULL)
			check_host(l, owner);
	}
}

static void
check_spf(struct linter *l, const struct zone_owner *apex)
{
	static const char start[] = "v=spf1";
	const struct zone_rrset *txt = zone_find_rrset(apex, DNS_TYPE_TXT);
	unsigned found = 0, n = 0, at = 0;

	for (const struct zone_rdata *rdata = txt != NULL ? txt->first : NULL;
	    rdata != NULL; rdata = rdata->next, at++)
		if (rdata->octets[0] >= sizeof(start) - 1 && memcmp(rdata->
		    octets + 1, start, sizeof(start) - 1) == 0) {
			found++;
			n = at;
		}
	if (found == 0)
		warn(l, apex, DNS_TYPE_SOA, 0, "%s has no SPF record: others "
		    "may send in its name; 'TXT \"v=spf1 mx -all\"' permits "
		    "its mail exchangers alone", l->in->zone->text);
	else if (found > 1)
		warn(l, apex, DNS_TYPE_TXT, n, "%s has %u SPF records: with "
		    "more than one none counts (RFC 7208 section 4.5)",
		    l->in->zone->text, found);
}

/* A PTR record outside of the zones for addresses answers nobody's question; one mistake made often is told once. */
static void
check_forward_pointers(struct linter *l)
{
	const struct zone_owner *first = NULL;
	unsigned count = 0;
	char text[DNS_NAME_TEXT];

	for (const struct zone_owner *owner = l->in->zone->first;
	    owner != NULL; owner = zone_next(owner)) {
		if (zone_find_rrset(owner, DNS_TYPE_PTR) == NULL)
			continue;
		if (first == NULL)
			first = owner;
		count++;
	}
	if (first != NULL)
		warn(l, first, DNS_TYPE_PTR, 0, "%u PTR record%s in zone %s, "
		    "the first at %s: names of addresses are looked for in "
		    "zones below in-addr.arpa and ip6.arpa", count,
		    count == 1 ? "" : "s", l->in->zone->text,
		    dns_name_show(first->name, text));
}

static void
lint_zone(struct linter *l)
{
	const struct zone_owner *apex = l->in->zone->first;

	for (const struct zone_owner *owner = apex; owner != NULL;
	    owner = zone_next(owner)) {
		const struct zone_rrset *mx = zone_find_rrset(owner,
		    DNS_TYPE_MX);
		unsigned n = 0;

		for (const struct zone_rdata *rdata = mx != NULL ? mx->first :
		    NULL; rdata != NULL; rdata = rdata->next)
			check_exchanger(l, owner, rdata, n++);
	}
	if (zone_find_rrset(apex, DNS_TYPE_MX) == NULL)
		check_without_mx(l, apex);
	check_spf(l, apex);
	check_forward_pointers(l);
}

unsigned
lint(const struct site *site)
{
	unsigned warnings = 0;

	for (size_t i = 0; i < site->settings.zone_count; i++) {
		struct linter l = { site, &site->zones[i], 0 };

		if (l.in->zone == NULL ||
		    is_reverse(l.in->settings->apex.bytes))
			continue;
		lint_zone(&l);
		warnings += l.warnings;
	}
	return warnings;
}
