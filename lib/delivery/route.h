/* route - what trivial-rewrite says of an address: the words of the resolved message */

#ifndef DELIVERY_ROUTE_H
#define DELIVERY_ROUTE_H

/* Whose domain it is. The first that fits, in this order. */
enum address_class {
	CLASS_LOCAL = 1,	/* mydestination, or an address of this host */
	CLASS_VIRTUAL_ALIAS,	/* virtual_alias_domains */
	CLASS_VIRTUAL_MAILBOX,	/* virtual_mailbox_domains */
	CLASS_RELAY,		/* relay_domains */
	CLASS_OTHER,		/* somebody else's */
};

enum {
	ROUTE_SENDER_ROUTED	= 1 << 0,	/* the local part routes on: a%b@here, a@b@here, b!a@here */
	ROUTE_BAD_ADDRESS	= 1 << 1,	/* it can never be delivered: no valid domain */
};

#endif
