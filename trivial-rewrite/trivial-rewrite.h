/* trivial-rewrite.h - what the files of trivial-rewrite share */

#ifndef TRIVIAL_REWRITE_H
#define TRIVIAL_REWRITE_H

#include <stdbool.h>

#include "base/text.h"
#include "ipc/channel.h"
#include "rewrite/rewrite.h"

struct resolution {
	int		 error;		/* errno: a table did not answer, try later */
	int		 address_class;	/* enum address_class */
	int		 flags;		/* ROUTE_... */
	struct text	 transport;
	struct text	 nexthop;
	struct text	 recipient;
};

void	resolve_open(void);

/* Where mail for address goes; for a probe of verify(8), by its own way. Replaces what resolution holds. */
void	resolve_address(const char *sender, const char *address, bool probe,
	    struct resolution *resolution);

/* questions.c: a resolve packet, which is answered now or when a table has told; who asked is gone. */
void	questions_resolve(struct ipc_channel *channel,
	    struct ipc_packet *packet);
void	questions_forget(struct ipc_channel *channel);

/* explain.c: tell postroad explain what would be done. Gives the exit code. */
int	explain(int argc, char **argv);

#endif
