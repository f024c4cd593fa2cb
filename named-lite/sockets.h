/* sockets - one pair of listening sockets, for UDP and TCP */

#ifndef NAMED_LITE_SOCKETS_H
#define NAMED_LITE_SOCKETS_H

#include <stdbool.h>

#include "named-lite/control.h"

/* Open both on an address that others of ours may share. 0 and fds[0] for UDP, fds[1] for TCP; -1, logged. */
int	sockets_open(const struct control_address *address, int fds[2]);

/* Open one for a control channel. A descriptor, or -1 with errno. */
int	sockets_open_channel(const struct control_address *address);

/* Does nobody listen there yet? If somebody does, the log says so. */
bool	sockets_are_free(const struct control_address *address);

/* "127.0.0.1#53" */
#define SOCKETS_TEXT	80
char	*sockets_print(const struct control_address *address,
	    char text[SOCKETS_TEXT]);

#endif
