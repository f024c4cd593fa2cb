/* What the files of proxymap share. */

#ifndef PROXYMAP_PROXYMAP_H
#define PROXYMAP_PROXYMAP_H

#include "ipc/ipc.h"

/* Read proxy_read_maps. */
void	proxymap_allow(void);

/* Answer one question; what the answer points to lives until the next call. */
void	proxymap_look_up(const struct ipc_lookup *question,
	    struct ipc_looked_up *answer);

/* Connect to a policy service that main.cf names. */
void	proxymap_reach(const struct ipc_reach *question,
	    struct ipc_reached *answer);

#endif
