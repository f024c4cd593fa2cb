/* What the files of proxymap share. */

#ifndef PROXYMAP_PROXYMAP_H
#define PROXYMAP_PROXYMAP_H

#include "ipc/channel.h"
#include "table/table.h"

/* Read proxy_read_maps. */
void	proxymap_allow(void);

/* The table of that name; NULL if it must not be read. */
struct table *proxymap_find(const char *name, int flags);

/* look-up.c: a question, which is answered now or when a server has told. */
void	look_up(struct ipc_channel *channel, uint64_t request,
	    const struct ipc_lookup *question);

/* Who asked is gone. */
void	look_up_forget(const struct ipc_channel *channel);

/* Connect to a policy service that main.cf names. */
void	proxymap_reach(const struct ipc_reach *question,
	    struct ipc_reached *answer);

/* servers.c: ask the server of the table "tcp:..." or "socketmap:...". done is called once, later. */
typedef void server_done(enum table_answer answer, const char *text,
    void *argument);
void	servers_open(void);
void	server_ask(const char *name, const char *key, server_done *done,
	    void *argument);

#endif
