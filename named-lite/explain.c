/*
 * explain - the search for an answer, told step by step (RFC 1034 section 4.3.2)
 *
 * It walks the zones as they were read, where each record still has its
 * file and line; search.c walks the image. tests/system/named-lite compares
 * what both come to.
 */

#include "named-lite/explain.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "named/site.h"

#define CHAIN_MAX	12	/* aliases that are followed */

struct search {
	const struct site *site;
	const struct site_zone *in;
	uint16_t type;
	struct dns_name name;		/* what is looked for now */
	struct dns_name before[CHAIN_MAX];	/* names that were aliases */
	unsigned steps;
	bool	 is_over;
};

/* "name TTL TYPE data, file:line" for each record of an RRset. */
static void
show_rrset(const struct search *s, const struct zone_owner *owner,
    const struct zone_rrset *rrset)
{
	char name[DNS_NAME_TEXT], type[DNS_MNEMONIC_MAX], where[ORIGIN_TEXT];
	unsigned n = 0;

	for (const struct zone_rdata *rdata = rrset->first; rdata != NULL;
	    rdata = rdata->next) {
		struct text data = TEXT_EMPTY;

		dns_rdata_print(rrset->type, rdata->octets, rdata->length,
		    &data);
		printf("    %s %" PRIu32 " %s %s\n        %s\n",
		    dns_name_print(owner->name, name), rrset->ttl,
		    dns_type_print(rrset->type, type), text_string(&data),
		    origins_print(&s->in->origins, owner, rrset->type, n++,
		    where));
		text_clear(&data);
	}
}

static void
end(struct search *s, const char *result)
{
	printf("answer: %s\n", result);
	s->is_over = true;
}

/* RFC 2308 section 3: what is not there is remembered as long as the lesser of the two. */
static void
end_without(struct search *s, const char *result)
{
	const struct zone_owner *apex = s->in->zone->first;
	const struct zone_rrset *soa = zone_find_rrset(apex, DNS_TYPE_SOA);
	uint32_t ttl = dns_get32(soa->first->octets + soa->first->length - 4);

	printf("  remembered for %" PRIu32 " seconds, by the SOA record:\n",
	    ttl < soa->ttl ? ttl : soa->ttl);
	show_rrset(s, apex, soa);
	end(s, result);
}

/* The name is another one from here on. */
static void
follow(struct search *s, const uint8_t *target)
{
	char text[DNS_NAME_TEXT];

	s->before[s->steps++] = s->name;
	for (unsigned i = 0; i < s->steps; i++)
		if (dns_name_equal(s->before[i].bytes, target)) {
			puts("  which leads round in a circle");
			end(s, "SERVFAIL");
			return;
		}
	dns_name_copy(&s->name, target);
	if (s->steps == CHAIN_MAX) {
		printf("  more than %d aliases are not followed\n",
		    CHAIN_MAX - 1);
		end(s, "SERVFAIL");
	} else if (site_find(s->site, target) != s->in) {
		printf("  %s is not in this zone: the client asks for it "
		    "elsewhere\n", dns_name_show(target, text));
		end(s, "NOERROR, the alias alone");
	}
}

/* A name with records: its alias, its records of the type, or none. */
static void
explain_owner(struct search *s, const struct zone_owner *owner)
{
	const struct zone_rrset *cname = zone_find_rrset(owner,
	    DNS_TYPE_CNAME);
	const struct zone_rrset *rrset = zone_find_rrset(owner, s->type);
	char type[DNS_MNEMONIC_MAX];

	if (s->type == DNS_TYPE_ANY && owner->rrsets != NULL) {
		puts("  all that the name has:");
		for (rrset = owner->rrsets; rrset != NULL; rrset = rrset->next)
			show_rrset(s, owner, rrset);
		end(s, "NOERROR");
	} else if (rrset != NULL) {
		puts("  the name has records of this type:");
		show_rrset(s, owner, rrset);
		end(s, "NOERROR");
	} else if (cname != NULL) {
		puts("  the name is an alias:");
		show_rrset(s, owner, cname);
		follow(s, cname->first->octets);
	} else if (owner->rrsets == NULL) {
		puts("  the name has no records, only names below it");
		end_without(s, "NOERROR, no records");
	} else {
		printf("  the name has records, but none of type %s\n",
		    dns_type_print(s->type, type));
		end_without(s, "NOERROR, no records");
	}
}

static void
explain_delegation(struct search *s, const struct zone_owner *owner,
    const struct zone_rrset *ns)
{
	char text[DNS_NAME_TEXT];

	printf("  %s is delegated: others answer for it and what is below\n",
	    dns_name_show(owner->name, text));
	show_rrset(s, owner, ns);
	end(s, s->steps == 0 ? "NOERROR, a referral, not authoritative" :
	    "NOERROR, the aliases and a referral");
}

/* DNAME: the suffix of the name is replaced (RFC 6672). */
static void
explain_dname(struct search *s, const struct zone_owner *owner,
    const struct zone_rrset *dname)
{
	const uint8_t *target = dname->first->octets;
	size_t before = s->name.length - owner->length;
	size_t length = dns_name_length(target);
	struct dns_name made;

	puts("  all below this name is found below another one:");
	show_rrset(s, owner, dname);
	if (before + length > DNS_NAME_MAX) {
		puts("  the new name would be too long");
		end(s, "YXDOMAIN");
		return;
	}
	if (s->type == DNS_TYPE_CNAME || s->type == DNS_TYPE_ANY) {
		puts("  the alias that is made from it is the answer");
		end(s, "NOERROR");
		return;
	}
	memcpy(made.bytes, s->name.bytes, before);
	memcpy(made.bytes + before, target, length);
	follow(s, made.bytes);
}

/* Delegations and DNAMEs above a name, from the apex down. True: one of them decided. */
static bool
explain_above(struct search *s)
{
	const struct zone *zone = s->in->zone;
	size_t below = s->name.length - zone->apex.length;
	const uint8_t *names[DNS_LABELS_MAX + 1];
	unsigned count = 0;

	for (const uint8_t *at = s->name.bytes; at <= s->name.bytes + below;
	    at += *at + 1) {
		names[count++] = at;
		if (*at == 0)
			break;
	}
	while (count-- > 0) {
		const struct zone_owner *owner = zone_find(zone, names[count]);
		const struct zone_rrset *ns, *dname;
		bool is_name = count == 0;

		if (owner == NULL)
			return false;
		ns = zone_is_apex(owner) ? NULL : zone_find_rrset(owner,
		    DNS_TYPE_NS);
		dname = is_name ? NULL : zone_find_rrset(owner,
		    DNS_TYPE_DNAME);
		if (ns != NULL && !(is_name && s->type == DNS_TYPE_DS)) {
			explain_delegation(s, owner, ns);
			return true;
		}
		if (dname != NULL) {
			explain_dname(s, owner, dname);
			return true;
		}
	}
	return false;
}

/* The name is not there: perhaps a wildcard stands for it (RFC 4592). */
static void
explain_missing(struct search *s)
{
	const struct zone *zone = s->in->zone;
	const uint8_t *closest = s->name.bytes;
	uint8_t star[2 + DNS_NAME_MAX] = { 1, '*' };
	const struct zone_owner *owner;
	char text[DNS_NAME_TEXT];

	while (zone_find(zone, closest) == NULL)
		closest += *closest + 1;
	memcpy(star + 2, closest, dns_name_length(closest));
	owner = dns_name_length(closest) + 2 <= DNS_NAME_MAX ?
	    zone_find(zone, star) : NULL;
	printf("  no such name; the closest that is there is %s\n",
	    dns_name_show(closest, text));
	if (owner == NULL) {
		puts("  which has no wildcard below it");
		end_without(s, "NXDOMAIN");
		return;
	}
	printf("  the wildcard %s stands for it\n",
	    dns_name_show(owner->name, text));
	explain_owner(s, owner);
}

static void
explain_step(struct search *s)
{
	const struct zone_owner *owner;
	char text[DNS_NAME_TEXT], type[DNS_MNEMONIC_MAX];

	printf("%s %s\n", dns_name_show(s->name.bytes, text),
	    s->type == DNS_TYPE_ANY ? "ANY" : dns_type_print(s->type, type));
	if (explain_above(s))
		return;
	owner = zone_find(s->in->zone, s->name.bytes);
	if (owner != NULL)
		explain_owner(s, owner);
	else
		explain_missing(s);
}

/* RFC 4035 section 3.1.4.1: DS of a zone is answered by the one above it, if that is ours. */
static const struct site_zone *
choose_zone(const struct site *site, const struct dns_name *name, uint16_t type)
{
	const struct site_zone *in = site_find(site, name->bytes);
	const struct site_zone *above;

	if (in == NULL || type != DNS_TYPE_DS || *name->bytes == 0 ||
	    !dns_name_equal(in->settings->apex.bytes, name->bytes))
		return in;
	above = site_find(site, name->bytes + *name->bytes + 1);
	return above != NULL ? above : in;
}

static void
show_zone(const struct site_zone *in)
{
	const struct zone_settings *settings = in->settings;
	const struct zone_rdata *soa = in->zone != NULL ?
	    zone_find_rrset(in->zone->first, DNS_TYPE_SOA)->first : NULL;

	printf("zone %s: type %s, %s:%u", settings->name, settings->type_name,
	    settings->at->file, settings->at->line);
	if (settings->file != NULL)
		printf(", file %s", settings->file);
	if (soa != NULL)
		printf(", serial %" PRIu32, dns_get32(soa->octets +
		    soa->length - 20));
	putchar('\n');
	if (settings->options.allow_query != 0)
		puts("  allow-query: who is not in the list is REFUSED");
}

static void
explain(const struct site *site, const struct dns_name *name, uint16_t type)
{
	struct search s = { .site = site, .type = type, .name = *name,
	    .in = choose_zone(site, name, type) };
	char text[DNS_NAME_TEXT];

	if (s.in == NULL) {
		printf("%s is in no zone of this server, which never "
		    "recurses\n", dns_name_show(name->bytes, text));
		end(&s, "REFUSED");
		return;
	}
	show_zone(s.in);
	if (s.in->zone == NULL) {
		puts(s.in->settings->type == ZONE_PRIMARY ?
		    "  its file did not load: see above; a server that has "
		    "loaded it before goes on with that" :
		    "  what it holds comes from other servers: rndc zonestatus "
		    "tells");
		end(&s, s.in->settings->type == ZONE_PRIMARY ? "SERVFAIL" :
		    "the primaries'");
		return;
	}
	while (!s.is_over)
		explain_step(&s);
}

int
explain_run(const char *config, const char *name, const char *type)
{
	struct dns_name wire;
	struct site site;
	const char *why;
	int number = dns_type_parse(type, strlen(type));
	int result = EXIT_FAILURE;

	if (strcasecmp(type, "ANY") == 0)
		number = DNS_TYPE_ANY;
	if (dns_name_parse(&wire, name, strlen(name), NULL, &why) == -1)
		fprintf(stderr, "named-lite: '%s' is no name: %s\n", name, why);
	else if (number == -1)
		fprintf(stderr, "named-lite: '%s' is no type of records\n",
		    type);
	else {
		if (site_load(&site, config, NULL) == 0) {
			explain(&site, &wire, number);
			result = EXIT_SUCCESS;
		}
		site_clear(&site);
	}
	return result;
}
