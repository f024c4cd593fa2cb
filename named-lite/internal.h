/* internal - what serve.c and tcp.c share */

#ifndef NAMED_LITE_INTERNAL_H
#define NAMED_LITE_INTERNAL_H

#include <sys/queue.h>

#include <stdbool.h>
#include <stdint.h>

#include "image/image.h"

/* What epoll tells of; embedded in whatever has the descriptor. */
struct source {
	int	 fd;
	void	(*on_event)(struct source *source, uint32_t events);
};

struct connection;
TAILQ_HEAD(connection_list, connection);

struct server {
	int	 epoll;
	struct image image;
	int64_t	 now_ms;
	bool	 is_leaving;
	struct connection_list connections;	/* the one that was idle longest first */
	struct connection_list buried;		/* closed in this round of events */
	unsigned connection_count;
};

void	tcp_accept(struct server *server, int listening);

/* Close what was idle for too long; milliseconds until the next one is, -1 never. */
int	tcp_expire(struct server *server);

/* Free what was closed; no event can name it any more. */
void	tcp_bury(struct server *server);

/* Close all. */
void	tcp_stop(struct server *server);

#endif
