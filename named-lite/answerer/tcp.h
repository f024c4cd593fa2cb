/* tcp - what tcp.c, which answers, and crowd.c, which says who may stay, share */

#ifndef NAMED_LITE_ANSWERER_TCP_H
#define NAMED_LITE_ANSWERER_TCP_H

#include <netinet/in.h>

#include "base/base.h"
#include "named-lite/answerer/internal.h"

struct transfer;

struct connection {
	struct source source;
	TAILQ_ENTRY(connection) link;
	struct server *server;
	enum crowd crowd;
	struct sockaddr_in6 peer;
	struct sockaddr_in6 local;
	struct text in;			/* what is left for later: questions, the last one perhaps not whole */
	struct text out;		/* answers that the client has not taken yet */
	struct transfer *transfer;	/* what is written now; NULL: nothing of that size */
	size_t	 taken;			/* octets since it was last active */
	int64_t	 active_ms;
	bool	 waits_to_write;
	bool	 has_ended;		/* the client will send no more */
};

/* tcp.c: begin to listen to a connection, which is in its crowd already; end one. */
void	tcp_start(struct connection *c);
void	tcp_end(struct connection *c);

/* crowd.c: a place in the crowd, or none any more. */
void	crowd_enter(struct connection *c, enum crowd crowd);
void	crowd_leave(struct connection *c);

/* It did something now; from now on it belongs to that crowd. */
void	crowd_note(struct connection *c, enum crowd crowd);

#endif
