/* acl - address match lists of named.conf, flattened into the rows of an image */

#ifndef NAMED_ACL_H
#define NAMED_ACL_H

#include <sys/socket.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "named/conf.h"
#include "image/image.h"

/* An address of this host, and the network that it is in. */
struct acl_interface {
	char	 name[16];
	struct sockaddr_storage address;
	unsigned prefix;
};

struct acls {
	struct conf *conf;
	struct image_match *rows;	/* row 0 stands for "everybody" */
	size_t	 count;
	size_t	 size;
	const struct conf_statement *named;	/* all of the file: where acl statements are looked for */
	struct acl_interface *interfaces;
	size_t	 interface_count;
	unsigned depth;
};

/* Begin, with the addresses that this host has now. */
void	acls_init(struct acls *acls, struct conf *conf);
void	acls_clear(struct acls *acls);

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

#endif
