/* internal - what the files of an answering process share */

#ifndef NAMED_LITE_ANSWERER_INTERNAL_H
#define NAMED_LITE_ANSWERER_INTERNAL_H

#include <sys/queue.h>

#include <stdbool.h>
#include <stdint.h>

#include "image/image.h"
#include "named-lite/loader/history.h"
#include "named-lite/plan.h"

/* What epoll tells of; embedded in whatever has the descriptor. */
struct source {
	int	 fd;
	void	(*on_event)(struct source *source, uint32_t events);
};

/* What is served, and what was, for as long as a transfer of it lasts. */
struct generation {
	unsigned users;
	struct image image;
	struct plan plan;
	struct history history;
};

/* Those who have asked nothing yet, who do not read, who have asked, and who asked to stay connected. */
enum crowd { CROWD_NEW, CROWD_STUCK, CROWD_IDLE, CROWD_KEPT, CROWDS };

struct connection;
TAILQ_HEAD(connection_list, connection);

struct server {
	int	 epoll;
	struct generation *current;
	unsigned turn;		/* its number */
	struct generation *next;	/* until it is its turn; NULL: none */
	unsigned next_turn;
	struct source *control;
	struct image image;	/* of it */
	int	 notices;	/* to the envoy */
	bool	 logs_questions;
	bool	 logs_refusals;
	int64_t	 now_ms;
	bool	 is_leaving;
	unsigned processes;	/* that answer, this one among them */
	struct connection_list crowds[CROWDS];	/* in each, the one that was idle longest first */
	struct connection_list buried;		/* closed in this round of events */
	unsigned connection_count;
};

/* serve.c: what came just now is answered from what counts now. */
void	serve_keep_up(void);

/* Use it for a while; it stays until it is given back. */
struct generation *generation_hold(struct generation *generation);
void	generation_release(struct generation **generation);

void	tcp_init(struct server *server);
void	tcp_accept(struct server *server, int listening);

/* Close what was idle for too long; milliseconds until the next one is, -1 never. */
int	tcp_expire(struct server *server);

/* Free what was closed; no event can name it any more. */
void	tcp_bury(struct server *server);

/* Close all. */
void	tcp_stop(struct server *server);

#endif
