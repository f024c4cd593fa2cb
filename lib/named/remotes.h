/* remotes - other servers: lists of primaries and of those to notify, server statements */

#ifndef NAMED_REMOTES_H
#define NAMED_REMOTES_H

#include "named/settings.h"

struct target;

/* "primaries { 192.0.2.1 port 5353 key k; others; };" Gives *remotes, unless it is NULL, a list that lives as long as the settings. */
void	remotes_read(struct target *to, const struct conf_statement *at,
	    struct remotes *remotes);

/* All lists with a name: that they are good, and there once. */
void	remotes_check_named(struct target *to);

/* All server statements of the file. */
void	servers_read(struct target *to);

/* The server statement that fits an address best; NULL if none does. */
const struct server_settings *servers_find(const struct settings *settings,
	    const struct sockaddr *address);

#endif
