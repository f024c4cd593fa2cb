#include "named-lite/answerer/search.h"

#include <string.h>

#include "image/chain.h"

static bool
is_wanted(const struct search *s)
{
	return s->query->wants_dnssec && s->zone->denial != DENIAL_NONE;
}

/* An answer may have the same RRset under the name of a wildcard: that counts for nothing here. */
static bool
is_in_authority(const struct search *s, const struct image_rrset *rrset)
{
	const struct reply *reply = s->reply;

	for (unsigned i = 0; i < reply->rrset_count; i++)
		if (reply->rrsets[i].rrset == rrset &&
		    reply->rrsets[i].section == SECTION_AUTHORITY)
			return true;
	return false;
}

/* The NSEC or NSEC3 of a node, unless it is in already. */
static void
add(struct search *s, place at)
{
	const struct image_node *node = image_at(s->image, at);
	const struct image_rrset *rrset;

	if (at == 0)
		return;
	rrset = image_find_rrset(node, s->zone->denial == DENIAL_NSEC ?
	    DNS_TYPE_NSEC : DNS_TYPE_NSEC3);
	if (rrset != NULL && !is_in_authority(s, rrset))
		search_add_authority(s, node, rrset);
}

/* The node that covers the name looked for, without its first labels. */
static place
find_cover(const struct search *s, unsigned skip)
{
	bool matches;

	return chain_find(s->image, s->zone,
	    s->path->name + s->path->starts[skip], &matches);
}

/* How many of its first labels the name looked for has more than a node above it. */
static unsigned
labels_below(const struct search *s, const struct image_node *node)
{
	return s->path->labels - dns_name_labels(image_node_name(node));
}

/*
 * RFC 5155 section 7.2.1: the closest name above (or the node itself) that
 * has a proof of its own, and what covers the name below it, unless that is
 * not there at all: then the caller adds it. NULL if the chain is not whole.
 */
static const struct image_node *
add_encloser(struct search *s, const struct image_node *node)
{
	unsigned skipped = labels_below(s, node);
	place cover = 0;

	while ((node->flags & NODE_IS_PROVEN) == 0) {
		place above;

		if ((node->flags & NODE_HAS_PROOFS) == 0 ||
		    (node->flags & NODE_IS_APEX))
			return NULL;
		cover = image_node_proofs(node)[0];
		above = image_find_above(s->image, s->path, skipped + 1,
		    &skipped);
		if (above == 0)
			return NULL;
		node = image_at(s->image, above);
	}
	add(s, image_node_proofs(node)[0]);
	add(s, cover);
	return node;
}

void
proof_no_type(struct search *s, const struct image_node *node)
{
	if (!is_wanted(s))
		return;
	if (s->zone->denial == DENIAL_NSEC3)
		add_encloser(s, node);
	else
		add(s, find_cover(s, labels_below(s, node)));
}

void
proof_no_name(struct search *s)
{
	const struct image_node *node = image_at(s->image, s->found);
	uint8_t star[2 + DNS_NAME_MAX] = { 1, '*' };
	bool matches;

	if (!is_wanted(s))
		return;
	if (s->zone->denial == DENIAL_NSEC3) {
		if (node->flags & NODE_IS_PROVEN)
			add(s, find_cover(s, s->skipped - 1));
		node = add_encloser(s, node);
		if (node != NULL)
			add(s, image_node_proofs(node)[1]);
		return;
	}
	add(s, find_cover(s, 0));
	memcpy(star + 2, s->path->name + s->path->starts[s->skipped],
	    node->name_length);
	add(s, chain_find(s->image, s->zone, star, &matches));
}

void
proof_wildcard(struct search *s)
{
	if (is_wanted(s) && s->pending_count < SEARCH_CHAIN_MAX)
		s->pending[s->pending_count++] = find_cover(s,
		    s->zone->denial == DENIAL_NSEC ? 0 : s->skipped - 1);
}

void
proof_add_pending(struct search *s)
{
	for (unsigned i = 0; i < s->pending_count; i++)
		add(s, s->pending[i]);
	s->pending_count = 0;
}

void
proof_wildcard_no_type(struct search *s, const struct image_node *wildcard)
{
	uint8_t lower[DNS_NAME_MAX];
	bool matches;

	if (!is_wanted(s))
		return;
	if (s->zone->denial == DENIAL_NSEC3) {
		add(s, find_cover(s, s->skipped - 1));
		add_encloser(s, image_at(s->image, s->found));
		if (wildcard->flags & NODE_HAS_PROOFS)
			add(s, image_node_proofs(wildcard)[0]);
		return;
	}
	dns_name_lower(lower, image_node_name(wildcard), wildcard->name_length);
	add(s, chain_find(s->image, s->zone, lower, &matches));
	add(s, find_cover(s, 0));
}

void
proof_delegation(struct search *s, const struct image_node *cut)
{
	const struct image_rrset *ds = image_find_rrset(cut, DNS_TYPE_DS);

	if (!is_wanted(s))
		return;
	if (ds != NULL)
		search_add_authority(s, cut, ds);
	else
		proof_no_type(s, cut);
}
