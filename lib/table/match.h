/*
 * match - lists of domains, hosts, addresses and networks
 *
 * The value of mydestination, mynetworks, debug_peer_list and their like:
 * words that are tried in their order, the first that fits decides.
 *
 *	example.com		that name; also its subdomains, if the parameter
 *				stands in parent_domain_matches_subdomains
 *	.example.com		its subdomains, if it does not
 *	192.0.2.1  [::1]  192.0.2.0/24  [2001:db8::]/32
 *	/file			the words in that file
 *	type:table		a table that has the name or the address as a key
 *	!word			decides "no"
 */

#ifndef TABLE_MATCH_H
#define TABLE_MATCH_H

#include <sys/socket.h>

#include "table/table.h"

struct match_list;

/*
 * The list of this parameter; the name also decides about parent domains.
 * Never NULL; a list that cannot be read answers TABLE_ERROR where that part
 * would decide. Keeps parameter. Released with match_list_close().
 */
struct match_list *match_list_open(const char *parameter, const char *list);
void	match_list_close(struct match_list **list);

/* Does the list have this string, as a whole? Not for hosts: no parents, no networks. */
enum table_answer match_string(struct match_list *list, const char *string);

/* Does the list have this domain? */
enum table_answer match_domain(struct match_list *list, const char *domain);

/* Does the list have this client: by its name, unless NULL or "unknown", or by its address? */
enum table_answer match_client(struct match_list *list, const char *name,
	    const struct sockaddr *address);

/* Is some network in the list so wide that strangers are in it? Gives that word, or NULL. */
const char *match_list_too_wide(const struct match_list *list);

#endif
