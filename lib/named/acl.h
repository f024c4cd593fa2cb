/* acl - address match lists of named.conf, flattened into the rows of an image */

#ifndef NAMED_ACL_H
#define NAMED_ACL_H

#include <sys/socket.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "named/conf.h"
#include "named/keys.h"
#include "image/image.h"

/* An address of this host, and the network that it is in. */
struct acl_interface {
	char	 name[16];
	struct sockaddr_storage address;
	unsigned prefix;
};

#define ACL_DEPTH_MAX	32	/* lists in lists */

struct acls {
	struct conf *conf;
	const struct keys *keys;
	struct image_match *rows;	/* row 0 stands for "everybody" */
	size_t	 count;
	size_t	 size;
	const struct conf_statement *named;	/* all of the file: where acl statements are looked for */
	struct acl_interface *interfaces;
	size_t	 interface_count;
	unsigned depth;
	const struct conf_statement *open[ACL_DEPTH_MAX];	/* lists with a name that we are in */
	unsigned open_count;
	bool	 is_checking;	/* lists that may be of no use: names in them need not be known */
};

/* Begin, with the addresses that this host has now. Keeps conf and keys. */
void	acls_init(struct acls *acls, struct conf *conf,
	    const struct keys *keys);
void	acls_clear(struct acls *acls);

/* Are all acl statements good, used or not? */
void	acls_check_named(struct acls *acls);

/*
 * Add a list. Gives the number of its first row; 0 if it lets everybody in.
 * What is wrong is told by conf_error().
 */
uint32_t acls_add(struct acls *acls, const struct conf_statement *at,
	    const struct conf_statement *list);

/* A list with a single rule: everybody, or nobody. */
uint32_t acls_add_simple(struct acls *acls, bool everybody);

/* Does the list let this address in? */
bool	acls_allow(const struct acls *acls, uint32_t list,
	    const struct sockaddr *address);

/* The same for who signed with a key. */
bool	acls_allow_key(const struct acls *acls, uint32_t list,
	    const struct sockaddr *address, uint32_t key);

/* "10/8", "192.0.2.1", "2001:db8::/32". False: no address at all. */
bool	acl_parse_prefix(struct image_match *row, const char *text);
bool	acl_prefix_matches(const struct image_match *row,
	    const struct sockaddr *address);

#endif
