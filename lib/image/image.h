/*
 * image - all zones as one block of memory: built once, sealed, shared by the answering processes
 *
 *   1  An image never changes: it is a memfd with all seals, mapped read-only.
 *   2  It holds places (offsets in units of four octets), no pointers.
 *   3  A name has one node, in the zone closest to it; a name without
 *      records that others lie beneath (an empty non-terminal) has one too.
 *   4  An RRset stands as the octets that go into an answer. What depends
 *      on the answer are its compression pointers; their values are codes:
 *
 *        IMAGE_OWNER     the place of the owner's name in this answer
 *        1 to 255        so many octets before the end of the question's
 *                        name: a suffix that all names of the zone share
 *        IMAGE_BLOCK+n   octet n of this RRset
 *
 *      So an answer is a look-up, a copy and a few additions.
 */

#ifndef IMAGE_H
#define IMAGE_H

#include <netinet/in.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "dns/dns.h"
#include "zone/path.h"

#define IMAGE_MAGIC	0x706f7374646e7301

#define IMAGE_OWNER	0x0100
#define IMAGE_BLOCK	0x2000
#define IMAGE_BLOCK_MAX	0x1fff	/* names further on are no targets */

typedef uint32_t place;		/* offset / 4; 0 is nothing */

struct image_slot {
	uint32_t tag;		/* low half of the name's hash */
	place	 node;
};

#define IMAGE_COOKIE_SECRETS	8
#define IMAGE_COOKIE_SECRET	16	/* octets of one */

/* How often the same answer goes to the same network: per second, 0 any number. */
struct image_rate_limit {
	uint32_t is_on;
	uint32_t responses, referrals, nodata, nxdomains, errors, all;
	uint32_t window;	/* seconds that a debt is remembered */
	uint32_t slip;		/* every so many-th refused answer goes out, truncated; 0 none */
	uint32_t ipv4_prefix, ipv6_prefix;	/* how many bits make a network */
	uint32_t log_only;
	uint32_t min_table_size, max_table_size;
	uint32_t qps_scale;
	uint32_t exempt;	/* ACL of clients without a limit */
};

struct image_header {
	uint64_t magic;
	uint64_t size;		/* octets, all of it */
	uint64_t seed[2];	/* of the hash: chosen anew for each image that is built from the ground */
	uint64_t garbage;	/* octets that no name leads to: zones that were patched */
	place	 slots;
	uint32_t slot_mask;	/* slots are a power of two, at most two thirds full */
	uint32_t slots_taken;
	place	 grave;		/* a node without a name: what slots of names have that are gone */
	place	 zones;
	uint32_t zone_count;
	place	 acls;		/* struct image_match: one list after the other */
	uint32_t acl_count;
	place	 version;	/* character-string of version.bind; 0: no such record */
	place	 hostname;	/* of hostname.bind */
	uint32_t labels_max;	/* of any name in it */
	uint32_t blackhole;	/* ACL whose clients hear nothing; 0 none */
	place	 server_id;	/* character-string of id.server and NSID; 0: none */
	uint32_t udp_max;	/* octets of a UDP answer, at most */
	uint32_t nocookie_udp_max;	/* the same, to a client without a good server cookie */
	uint32_t edns_size;	/* octets that we say we take */
	uint32_t minimal_responses;	/* enum minimal_responses */
	uint32_t minimal_any;
	uint32_t answer_cookie;
	uint32_t require_server_cookie;
	uint32_t cookie_secret_count;	/* 0: a key of our own */
	uint8_t	 cookie_secrets[IMAGE_COOKIE_SECRETS][IMAGE_COOKIE_SECRET];
	uint32_t padding_block;	/* octets; 0: no padding */
	uint32_t padding_acl;	/* whose answers are padded */
	uint32_t tcp_clients;
	uint32_t tcp_idle_ms;
	uint32_t tcp_initial_ms;
	uint32_t tcp_keepalive_ms;
	uint32_t tcp_advertised_ms;
	struct image_rate_limit rate_limit;
};

enum minimal_responses {
	MINIMAL_NO,
	MINIMAL_YES,
	MINIMAL_NO_AUTH,
	MINIMAL_NO_AUTH_RECURSIVE,
};

/* How a signed zone proves that something is not there (chain.h). */
enum denial {
	DENIAL_NONE,
	DENIAL_NSEC,
	DENIAL_NSEC3,
};

struct image_zone {
	place	 apex;
	place	 soa;		/* the RRset for negative answers: its TTL is the lesser of two */
	place	 ns;		/* the RRset at the apex */
	place	 above;		/* the node of this name in the zone above; 0 if that is not served, or has none */
	uint32_t acl;		/* who may ask; 0: everybody */
	uint32_t acl_on;	/* on which of our addresses; 0: on all */
	uint32_t node_count;		/* of nodes that lie one behind the other, the apex first */
	uint8_t	 apex_length;
	bool	 is_broken;	/* its file did not load: SERVFAIL */
	uint8_t	 denial;	/* enum denial */
	uint8_t	 salt_length;	/* of NSEC3 */
	uint16_t iterations;
	uint16_t unused;
	place	 salt;
	place	 chain;
	uint32_t chain_length;
};

enum node_flag {
	NODE_HAS_CUT = 1,	/* at or below a delegation or DNAME, which `cut` tells */
	NODE_IS_CUT = 2,
	NODE_HAS_WILDCARD = 4,	/* "*" stands right below; `wildcard` tells where */
	NODE_IS_APEX = 8,
	NODE_HAS_CNAME = 16,
	NODE_HAS_DNAME = 32,
	NODE_HAS_PROOFS = 64,	/* two links: the NSEC3 of its name, and of "*" below it, or else what covers them */
	NODE_IS_PROVEN = 128,	/* the first is of its name */
};

/* Followed by cut, wildcard and proofs if it has them, its name, and its RRsets, each at a multiple of four. */
struct image_node {
	uint32_t zone;
	uint16_t rrset_count;
	uint8_t	 name_length;
	uint8_t	 flags;
	place	 links[];
};

/* Followed by its targets, its pointers' offsets (16 bits each), its octets. */
struct image_rrset {
	uint16_t type;
	uint16_t count;		/* of records */
	uint16_t length;	/* of octets; 0: too long for any answer */
	uint16_t pointers;
	uint16_t targets : 15;
	uint16_t is_signed : 1;	/* its signatures are the RRset that follows */
	uint16_t record_length;	/* if all records have the same and no pointers but their owners', else 0 */
};

/* A name in the data whose addresses belong into the additional section. */
struct image_target {
	place	 node;
	uint16_t name;		/* its place, as a pointer's code */
	uint16_t is_glue;	/* goes with a referral only */
};

enum match_kind {
	MATCH_IPV4,
	MATCH_IPV6,
	MATCH_ANY,
	MATCH_LIST,		/* the `count` rows that follow are one */
	MATCH_KEY,		/* who signed with key number `count` */
};

/* A row of an address match list; a list begins with a MATCH_LIST row of its own. */
struct image_match {
	uint8_t	 kind;
	bool	 negated;
	uint8_t	 prefix;
	uint8_t	 unused;
	uint32_t count;
	uint8_t	 address[16];
};

/* An image that is mapped. */
struct image {
	const struct image_header *header;
	const uint8_t *base;
	size_t	 size;
};

/* Map the sealed image fd, which stays the caller's. 0, or -1 with errno. */
int	image_map(struct image *image, int fd);
void	image_unmap(struct image *image);

static inline const void *
image_at(const struct image *image, place place)
{
	return image->base + (size_t)place * 4;
}

static inline const struct image_zone *
image_zone(const struct image *image, uint32_t zone)
{
	return (const struct image_zone *)image_at(image,
	    image->header->zones) + zone;
}

/* The delegation or DNAME at or above a node that has one. */
static inline place
image_node_cut(const struct image_node *node)
{
	return node->flags & NODE_HAS_CUT ? node->links[0] : 0;
}

static inline place
image_node_wildcard(const struct image_node *node)
{
	if ((node->flags & NODE_HAS_WILDCARD) == 0)
		return 0;
	return node->links[node->flags & NODE_HAS_CUT ? 1 : 0];
}

/* Where the two links of a node with proofs are. */
static inline const place *
image_node_proofs(const struct image_node *node)
{
	return node->links + (node->flags & NODE_HAS_CUT ? 1 : 0) +
	    (node->flags & NODE_HAS_WILDCARD ? 1 : 0);
}

static inline const uint8_t *
image_node_name(const struct image_node *node)
{
	return (const uint8_t *)(image_node_proofs(node) +
	    (node->flags & NODE_HAS_PROOFS ? 2 : 0));
}

static inline size_t
image_align(size_t octets)
{
	return (octets + 3) & ~(size_t)3;
}

static inline const struct image_rrset *
image_node_rrsets(const struct image_node *node)
{
	return (const struct image_rrset *)(image_node_name(node) +
	    image_align(node->name_length));
}

static inline const struct image_target *
image_rrset_targets(const struct image_rrset *rrset)
{
	return (const struct image_target *)(rrset + 1);
}

static inline const uint16_t *
image_rrset_pointers(const struct image_rrset *rrset)
{
	return (const uint16_t *)(image_rrset_targets(rrset) + rrset->targets);
}

static inline const uint8_t *
image_rrset_octets(const struct image_rrset *rrset)
{
	return (const uint8_t *)(image_rrset_pointers(rrset) +
	    rrset->pointers);
}

/* The RRset behind this one in its node. */
static inline const struct image_rrset *
image_rrset_next(const struct image_rrset *rrset)
{
	size_t size = sizeof(*rrset) +
	    rrset->targets * sizeof(struct image_target) +
	    rrset->pointers * sizeof(uint16_t) + rrset->length;

	return (const struct image_rrset *)((const uint8_t *)rrset +
	    image_align(size));
}

/* The node behind this one: the next of its zone, as far as image_zone.node_count goes. */
const struct image_node *image_node_next(const struct image_node *node);

/* The RRset of a type, NULL if there is none. */
const struct image_rrset *image_find_rrset(const struct image_node *node,
	    uint16_t type);

/* Ask the processor to fetch the slot of the whole name. */
void	image_prefetch(const struct image *image,
	    const struct zone_path *path);

/*
 * The node of the longest suffix that has one; *skipped labels are not part
 * of it. 0 if there is none.
 */
place	image_find(const struct image *image, const struct zone_path *path,
	    unsigned *skipped);

/* The same for the name without its first labels, which count as skipped. */
place	image_find_above(const struct image *image,
	    const struct zone_path *path, unsigned labels, unsigned *skipped);

/* Does the list that begins at row acl (0: everybody) let this address in? */
bool	image_acl_allows(const struct image *image, uint32_t acl,
	    const struct sockaddr *address);

/* The same for who signed with a key, by its number in named.conf; 0: nobody signed. */
bool	image_acl_allows_key(const struct image *image, uint32_t acl,
	    const struct sockaddr *address, uint32_t key);

#endif
