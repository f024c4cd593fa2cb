/* route.h - where an address leads, as trivial-rewrite says: remembered for a moment */

#ifndef SMTPD_ROUTE_H
#define SMTPD_ROUTE_H

#include <stdbool.h>

struct route {
	int	 error;			/* errno of the lookup; else 0 */
	int	 address_class;		/* CLASS_... of delivery/route.h */
	int	 flags;			/* ROUTE_... */
	bool	 is_known;		/* no list refused this address */
	char	*transport, *nexthop, *recipient;
};

/* Of mail from this sender: a copy of what was learnt a moment ago; NULL if nothing was. Released with route_free(). */
struct route *route_remembered(const char *sender, const char *address);
void	route_free(struct route **route);

/* Remember as long as the route that the address is known. */
void	route_note_known(const char *sender, const char *address);

struct question;
typedef void route_done(struct route *route, void *argument);

/* Ask; done is called once, later, and takes the route, which has error set when nobody knows. */
struct question *route_ask(const char *sender, const char *address,
	    route_done *done, void *argument);

/* Never mind. Clears *question; NULL is fine. */
void	route_forget(struct question **question);

#endif
