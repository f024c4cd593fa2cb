/*
 * search - a name looked for in the zones, along CNAMEs and DNAMEs, into an answer
 *
 * search.c walks; courtesy.c adds what was not asked for and is of use;
 * proof.c adds what proves to who asked with DO that something is not there.
 */

#ifndef NAMED_LITE_ANSWERER_SEARCH_H
#define NAMED_LITE_ANSWERER_SEARCH_H

#include <sys/socket.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "image/image.h"
#include "named-lite/reply.h"

#define SEARCH_CHAIN_MAX 12	/* CNAMEs and DNAMEs that one question may follow */

/* A question on its way. */
struct search {
	const struct image *image;
	const struct dns_query *query;
	struct reply *reply;
	const struct sockaddr *client;
	const struct sockaddr *local;	/* where the question came; NULL: of no interest */
	uint32_t key;			/* that the client signed with */
	bool	 is_tcp;
	uint16_t type;			/* looked for */

	const struct zone_path *path;	/* of the name looked for now */
	const uint8_t *name;		/* as it is spelled */
	size_t	 name_at;		/* where it stands in the answer */
	place	 found;			/* the node closest to it */
	unsigned skipped;		/* its labels that this node lacks */
	const struct image_zone *zone;	/* of the name asked for */
	uint32_t zone_number;
	unsigned steps;			/* along the chain */
	uint16_t visited[SEARCH_CHAIN_MAX];	/* where each name of it stands in the answer */

	place	 subject;		/* what the first name came to: its node, the wildcard, the cut, or the apex */
	place	 pending[SEARCH_CHAIN_MAX];	/* nodes with proofs for the authority section */
	unsigned pending_count;

	struct zone_path next_path;
	struct dns_name next_name;
};

/* Find the zone that the question is about. False: the rcode, no_zone if there is none, says why there is no answer. */
bool	search_enter_zone(struct search *s, uint16_t no_zone);

/* Answer from that zone. */
void	search_answer(struct search *s);

/* Add an RRset of a node. False: there is no room. */
bool	search_add(struct search *s, enum reply_section section,
	    const struct image_node *node, const struct image_rrset *rrset);

/* There was no room. */
void	search_truncate(struct search *s);

/* Add an RRset of a node to the authority section; if there is no room the answer is truncated. */
void	search_add_authority(struct search *s, const struct image_node *node,
	    const struct image_rrset *rrset);

/* Courtesies, as far as they are wanted: the zone's servers; these and the addresses of what the answer names; glue. */
void	courtesy_add_servers(struct search *s);
void	courtesy_add(struct search *s);
void	courtesy_add_glue(struct search *s);

/* Proofs: nothing happens unless they are wanted and the zone is signed. */

/* The name is there, and has not the type. */
void	proof_no_type(struct search *s, const struct image_node *node);

/* The name is not there, and no wildcard either. */
void	proof_no_name(struct search *s);

/*
 * The name is not there, so that its wildcard stands for it: with the type,
 * or without. The first is pending until all answers are in.
 */
void	proof_wildcard(struct search *s);
void	proof_add_pending(struct search *s);
void	proof_wildcard_no_type(struct search *s,
	    const struct image_node *wildcard);

/* A delegation: its DS, or that it has none. */
void	proof_delegation(struct search *s, const struct image_node *cut);

#endif
