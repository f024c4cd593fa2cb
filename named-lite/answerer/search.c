#include "named-lite/answerer/search.h"

#include <string.h>

#include "base/base.h"

#define NAME_AT		DNS_HEADER_SIZE

void
search_truncate(struct search *s)
{
	s->reply->flags |= DNS_TC;
}

/*
 * Where this owner's name stands in the answer. While the name looked for is
 * the one asked for, every suffix of it does; but names keep the case of
 * their zone file, so that it must be spelled alike. 0: spell it out.
 */
static size_t
find_owner(const struct search *s, const uint8_t *owner, size_t length)
{
	const struct reply *reply = s->reply;
	size_t end = reply->suffix_end;

	if (end < NAME_AT + length ||
	    (s->steps > 0 && length > s->zone->apex_length))
		return 0;
	return memcmp(reply->out + end - length, owner, length) == 0 ?
	    end - length : 0;
}

bool
search_add(struct search *s, enum reply_section section,
    const struct image_node *node, const struct image_rrset *rrset)
{
	const uint8_t *name = image_node_name(node);

	return reply_add(s->reply, section, rrset,
	    find_owner(s, name, node->name_length), name);
}

void
search_add_authority(struct search *s, const struct image_node *node,
    const struct image_rrset *rrset)
{
	if (!search_add(s, SECTION_AUTHORITY, node, rrset))
		search_truncate(s);
}

static void
add_soa(struct search *s)
{
	search_add_authority(s, image_at(s->image, s->zone->apex),
	    image_at(s->image, s->zone->soa));
}

/* RFC 2308 section 3, and BIND's zero-no-soa-ttl: who looks for a zone's top should not remember where it is not. */
static void
forget_soon(struct search *s)
{
	struct reply *reply = s->reply;
	size_t at = reply->rrsets[reply->rrset_count - 1].base;

	if (reply->counts[SECTION_AUTHORITY] == 0)
		return;
	/* The SOA and its signatures are last; their owners are pointers. */
	for (; at < reply->used; at += 12 + dns_get16(reply->out + at + 10))
		dns_put32(reply->out + at + 6, 0);
}

static void
refer(struct search *s, const struct image_node *cut)
{
	if (s->steps == 0)
		s->reply->flags &= ~DNS_AA;
	proof_add_pending(s);
	search_add_authority(s, cut, image_find_rrset(cut, DNS_TYPE_NS));
	proof_delegation(s, cut);
	if ((s->reply->flags & DNS_TC) == 0)
		courtesy_add_glue(s);
}

/* An RRset of the name looked for; at a wildcard its owner is that name itself. */
static bool
add_answer(struct search *s, const struct image_node *node,
    const struct image_rrset *rrset, bool is_wildcard)
{
	const uint8_t *name = image_node_name(node);
	size_t owner = s->name_at;

	/* Owners keep the case that they have in the zone. */
	if (!is_wildcard && memcmp(name, s->name, node->name_length) != 0)
		owner = 0;
	if (reply_add(s->reply, SECTION_ANSWER, rrset, owner, name))
		return true;
	search_truncate(s);
	return false;
}

/* Was the next name looked for before? Then the chain is a loop. */
static bool
has_visited(const struct search *s)
{
	for (unsigned i = 0; i < s->steps; i++) {
		size_t at = s->visited[i];
		struct dns_name name;

		if (dns_name_unpack(&name, s->reply->out, s->reply->used,
		    &at) && dns_name_equal(name.bytes, s->next_name.bytes))
			return true;
	}
	return false;
}

/* Go on with the name that stands at octet `at` of the answer. False: it cannot be followed. */
static bool
follow(struct search *s, size_t at)
{
	size_t offset = at;

	s->visited[s->steps++] = s->name_at;
	if (s->steps == SEARCH_CHAIN_MAX || !dns_name_unpack(&s->next_name,
	    s->reply->out, s->reply->used, &offset) || has_visited(s)) {
		s->reply->rcode = DNS_SERVFAIL;
		return false;
	}
	zone_path_init(&s->next_path, s->image->header->seed,
	    s->next_name.bytes, s->next_name.length);
	s->path = &s->next_path;
	s->name = s->next_name.bytes;
	s->name_at = at;
	s->found = image_find(s->image, s->path, &s->skipped);
	return true;
}

static bool
follow_cname(struct search *s, const struct image_node *node, bool is_wildcard)
{
	const struct image_rrset *cname = image_find_rrset(node,
	    DNS_TYPE_CNAME);

	if (!add_answer(s, node, cname, is_wildcard))
		return false;
	if (is_wildcard)
		proof_wildcard(s);

	const struct reply_rrset *in =
	    &s->reply->rrsets[s->reply->rrset_count - 1];

	return follow(s, in->base + 12);
}

/* Where the target of a DNAME stands in the answer: behind an owner, which is a pointer, and ten octets. */
static size_t
put_dname(struct search *s, const struct image_node *cut,
    const struct image_rrset *dname)
{
	const struct reply *reply = s->reply;

	if (!reply_has(reply, dname) &&
	    !search_add(s, SECTION_ANSWER, cut, dname))
		return 0;
	for (unsigned i = 0; i < reply->rrset_count; i++)
		if (reply->rrsets[i].rrset == dname)
			return reply->rrsets[i].base + 12;
	return 0;
}

/* RFC 6672 section 3: the DNAME, and a CNAME made from it. */
static bool
follow_dname(struct search *s, const struct image_node *cut)
{
	const struct image_rrset *dname = image_find_rrset(cut, DNS_TYPE_DNAME);
	const uint8_t *octets = image_rrset_octets(dname);
	size_t own = dns_name_length(s->name) - cut->name_length;
	size_t target = put_dname(s, cut, dname);
	uint8_t rdata[DNS_NAME_MAX + 2];

	if (target == 0) {
		search_truncate(s);
		return false;
	}
	if (own + dns_name_length(octets + 12) > DNS_NAME_MAX) {
		s->reply->rcode = DNS_YXDOMAIN;
		return false;
	}
	memcpy(rdata, s->name, own);
	dns_put16(rdata + own, 0xc000 | target);
	if (!reply_add_record(s->reply, SECTION_ANSWER, s->name_at,
	    DNS_TYPE_CNAME, DNS_CLASS_IN, dns_get32(octets + 6), rdata,
	    own + 2)) {
		search_truncate(s);
		return false;
	}
	if (s->type == DNS_TYPE_CNAME)
		courtesy_add(s);
	else if (s->type == DNS_TYPE_ANY)
		courtesy_add_servers(s);
	else
		return follow(s, s->reply->used - own - 2);
	return false;
}

/* The name is there, or a wildcard for it, without records of the type. */
static void
deny_type(struct search *s, const struct image_node *node, bool is_wildcard)
{
	proof_add_pending(s);
	add_soa(s);
	if (is_wildcard)
		proof_wildcard_no_type(s, node);
	else
		proof_no_type(s, node);
}

static void
deny_name(struct search *s)
{
	s->reply->rcode = DNS_NXDOMAIN;
	proof_add_pending(s);
	add_soa(s);
	if (s->type == DNS_TYPE_SOA)
		forget_soon(s);
	proof_no_name(s);
}

/* All records, or all signatures. */
static void
answer_any(struct search *s, const struct image_node *node, bool is_wildcard)
{
	const struct image_rrset *rrset = image_node_rrsets(node);
	bool one = s->image->header->minimal_any && !s->is_tcp;
	bool found = false;

	for (unsigned i = 0; i < node->rrset_count; i++) {
		if (s->type == DNS_TYPE_ANY || rrset->type == s->type) {
			found = true;
			if (!add_answer(s, node, rrset, is_wildcard))
				return;
			if (one)
				break;	/* RFC 8482 section 4.1 */
			/* Those that came with it are not its neighbours once more. */
			if (s->reply->has_signatures && rrset->is_signed) {
				rrset = image_rrset_next(rrset);
				i++;
			}
		}
		rrset = image_rrset_next(rrset);
	}
	if (!found) {
		deny_type(s, node, is_wildcard);
		return;
	}
	if (is_wildcard)
		proof_wildcard(s);
	if (s->type == DNS_TYPE_ANY)
		courtesy_add_servers(s);
	else
		courtesy_add(s);
}

/* What may stand beside a CNAME is not looked for behind it. */
static bool
goes_with_cname(uint16_t type)
{
	return type == DNS_TYPE_NSEC || type == DNS_TYPE_KEY;
}

/* The node's records answer, or that there are none. True: go on with the name that a CNAME gave. */
static bool
answer_from_node(struct search *s, const struct image_node *node,
    bool is_wildcard)
{
	const struct image_rrset *rrset;

	if (s->type == DNS_TYPE_ANY || s->type == DNS_TYPE_RRSIG ||
	    s->type == DNS_TYPE_SIG) {
		answer_any(s, node, is_wildcard);
		return false;
	}
	rrset = image_find_rrset(node, s->type);
	if (rrset != NULL) {
		if (!add_answer(s, node, rrset, is_wildcard))
			return false;
		if (is_wildcard)
			proof_wildcard(s);
		courtesy_add(s);
		return false;
	}
	if ((node->flags & NODE_HAS_CNAME) && !goes_with_cname(s->type))
		return follow_cname(s, node, is_wildcard);
	deny_type(s, node, is_wildcard);
	return false;
}

/* The chain leads to what should be known here and is not. */
static void
give_up(struct search *s)
{
	s->reply->rcode = DNS_SERVFAIL;
	s->reply->flags &= ~DNS_AA;
	s->reply->used = s->query->end;
	s->reply->counts[SECTION_ANSWER] = 0;
	s->pending_count = 0;
}

/* What the zone above a cut has to say about it (RFC 4035 section 3.1.4.1). */
static bool
is_of_parent(uint16_t type, const struct image_node *cut)
{
	return type == DNS_TYPE_DS || (type == DNS_TYPE_NSEC &&
	    image_find_rrset(cut, type) != NULL);
}

static void
note_subject(struct search *s, place subject)
{
	if (s->steps == 0)
		s->subject = subject;
}

/* No cut stands in the way: the name itself, its wildcard, or nothing. True: go on. */
static bool
answer_from_closest(struct search *s, const struct image_node *node)
{
	place wildcard = image_node_wildcard(node);

	if (s->skipped == 0) {
		note_subject(s, s->found);
		return answer_from_node(s, node, false);
	}
	if (wildcard != 0) {
		note_subject(s, wildcard);
		return answer_from_node(s, image_at(s->image, wildcard), true);
	}
	note_subject(s, s->zone->apex);
	deny_name(s);
	return false;
}

/* One name of the chain. True: there is a next one. */
static bool
answer_step(struct search *s)
{
	const struct image_node *node = image_at(s->image, s->found);
	place cut_place;

	/* A chain that leaves the zone ends there: the asker goes on. */
	if (s->found == 0)
		return false;
	if (node->zone != s->zone_number) {
		if (image_zone(s->image, node->zone)->is_broken &&
		    (s->query->flags & DNS_RD))
			give_up(s);
		return false;
	}
	cut_place = image_node_cut(node);
	if (cut_place != 0) {
		const struct image_node *cut = image_at(s->image, cut_place);
		bool is_cut = cut_place == s->found && s->skipped == 0;

		note_subject(s, cut_place);
		if (cut->flags & NODE_HAS_DNAME) {
			if (!is_cut)
				return follow_dname(s, cut);
		} else if (!is_cut || !is_of_parent(s->type, cut)) {
			refer(s, cut);
			return false;
		}
	}
	return answer_from_closest(s, node);
}

/* RFC 4035 section 3.1.4.1: DS is the business of the zone above the cut, if that is served here. */
static void
enter_zone_above(struct search *s)
{
	const struct image_node *apex = image_at(s->image, s->found);
	unsigned skipped;
	place above;

	if (s->found == 0 || (apex->flags & NODE_IS_APEX) == 0 ||
	    apex->name_length == 1)
		return;
	above = image_find_above(s->image, s->path, 1, &skipped);
	if (above == 0)
		return;
	if (image_zone(s->image, apex->zone)->above != 0)
		s->found = image_zone(s->image, apex->zone)->above;
	else {
		s->found = above;
		s->skipped = skipped;
	}
}

bool
search_enter_zone(struct search *s, uint16_t no_zone)
{
	const struct image_node *node;

	s->reply->rcode = no_zone;
	s->found = image_find(s->image, s->path, &s->skipped);
	if (s->type == DNS_TYPE_DS && s->skipped == 0)
		enter_zone_above(s);
	if (s->found == 0)
		return false;
	node = image_at(s->image, s->found);
	s->zone_number = node->zone;
	s->zone = image_zone(s->image, node->zone);
	s->reply->zone_length = s->zone->apex_length;
	s->reply->rcode = DNS_SERVFAIL;
	if (s->zone->is_broken)
		return false;
	s->reply->rcode = DNS_REFUSED;
	if (!image_acl_allows_key(s->image, s->zone->acl, s->client, s->key))
		return false;
	if (s->zone->acl_on != 0 && s->local != NULL &&
	    !image_acl_allows_key(s->image, s->zone->acl_on, s->local, s->key))
		return false;
	s->reply->rcode = DNS_NOERROR;
	return true;
}

void
search_answer(struct search *s)
{
	s->reply->flags |= DNS_AA;
	while (answer_step(s))
		;
	proof_add_pending(s);
}
