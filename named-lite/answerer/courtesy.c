#include "named-lite/answerer/search.h"

#include "base/base.h"

/* The addresses of one target. False: they did not all fit. */
static bool
add_addresses(struct search *s, const struct image_target *target, size_t at)
{
	static const uint16_t types[] = { DNS_TYPE_A, DNS_TYPE_AAAA };
	const struct image_node *node = image_at(s->image, target->node);
	bool all = true;

	for (size_t i = 0; i < COUNT_OF(types); i++) {
		const struct image_rrset *rrset = image_find_rrset(node,
		    types[i]);

		if (rrset == NULL || reply_has(s->reply, rrset))
			continue;
		if (!reply_add(s->reply, SECTION_ADDITIONAL, rrset, at, NULL))
			all = false;
	}
	return all;
}

/* Addresses for the targets of all RRsets that stand in these sections. */
static void
add_additional(struct search *s, unsigned sections, bool is_referral)
{
	struct reply *reply = s->reply;
	unsigned count = reply->rrset_count;

	for (unsigned i = 0; i < count; i++) {
		struct reply_rrset in = reply->rrsets[i];
		const struct image_target *target =
		    image_rrset_targets(in.rrset);

		if ((sections & 1 << in.section) == 0)
			continue;
		for (unsigned t = 0; t < in.rrset->targets; t++, target++) {
			size_t at = reply_target_at(&in, target->name);

			/* As BIND does: a referral has glue only, nothing else has any. */
			if (at == 0 || (bool)target->is_glue != is_referral)
				continue;
			/* RFC 9471: a referral without all of its glue is cut short. */
			if (!add_addresses(s, target, at) && is_referral)
				search_truncate(s);
		}
	}
}

static bool
is_of_keys(uint16_t type)
{
	return type == DNS_TYPE_DNSKEY || type == DNS_TYPE_DS ||
	    type == DNS_TYPE_CDNSKEY || type == DNS_TYPE_CDS;
}

/*
 * Nothing but the answer for who says by EDNS that 512 octets are all, and
 * with what validators ask for.
 */
static bool
wants(const struct search *s, bool authority)
{
	bool recursive = (s->query->flags & DNS_RD) != 0;

	if (is_of_keys(s->type) || (s->query->has_edns &&
	    s->query->udp_size <= DNS_UDP_PLAIN && !s->is_tcp))
		return false;
	switch (s->image->header->minimal_responses) {
	case MINIMAL_NO:
		return true;
	case MINIMAL_NO_AUTH:
		return !authority;
	case MINIMAL_NO_AUTH_RECURSIVE:
		return !authority || !recursive;
	default:
		return !authority && s->type == DNS_TYPE_NS;
	}
}

/* The zone's name servers, behind a positive answer that does not have them. */
void
courtesy_add_servers(struct search *s)
{
	const struct image_node *apex = image_at(s->image, s->zone->apex);
	const struct image_rrset *ns = image_at(s->image, s->zone->ns);

	proof_add_pending(s);
	if (wants(s, true) && !reply_has(s->reply, ns))
		search_add_authority(s, apex, ns);
}

/* Those, and the addresses of whatever the answer names. */
void
courtesy_add(struct search *s)
{
	courtesy_add_servers(s);
	if ((s->reply->flags & DNS_TC) == 0 && wants(s, false))
		add_additional(s, 1 << SECTION_ANSWER | 1 << SECTION_AUTHORITY,
		    false);
}

void
courtesy_add_glue(struct search *s)
{
	add_additional(s, 1 << SECTION_AUTHORITY, true);
}
