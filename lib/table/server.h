/*
 * server - what is said to the servers of tcp: and socketmap: tables
 *
 *	tcp:host:port			"get key" - "200 value", "500 no", "400 trouble"
 *	socketmap:inet:host:port:name	netstrings: "name key" - "OK value", "NOTFOUND "
 *	socketmap:unix:/path:name
 *
 * Words alone: remote.c speaks them and waits, proxymap(8) speaks them and does not.
 */

#ifndef TABLE_SERVER_H
#define TABLE_SERVER_H

#include <stdbool.h>

#include "table/table.h"

struct table_server {
	bool	 is_socketmap;
	bool	 is_unix;
	char	*host;		/* or a path */
	char	*port;		/* NULL with a path */
	char	*map;		/* of a socketmap */
};

/* Read "type:place". 0, or -1 with *why. Released with table_server_clear(). */
int	table_server_parse(const char *name, struct table_server *server,
	    const char **why);
void	table_server_clear(struct table_server *server);

/* Append the question for key. */
void	table_server_ask(const struct table_server *server, const char *key,
	    struct text *to);

/*
 * Is the answer whole? Then what it says: the value, or why nobody knows, is
 * put into text. A server that says more than an answer takes is not understood.
 */
bool	table_server_hear(const struct table_server *server,
	    const struct text *input, enum table_answer *answer,
	    struct text *text);

enum { TABLE_SERVER_WAIT_MS = 30000,	/* for a connection, and for an answer */
    TABLE_SERVER_REST_MS = 5000,	/* after it did not answer in that time nobody waits for it again */
    TABLE_SERVER_REPLY_MAX = 100000 };

#endif
