/*
 * schedule.h - what the files of the scheduler share
 *
 *	transport.c	a transport: its parameters, its destinations, its trouble
 *	destination.c	a destination: its window, its pace, its dead times
 *	turn.c		mail that would wait here too long waits elsewhere, until its turn
 *	promise.c	whose turn comes when
 *	job.c		a message's recipients become deliveries; large messages
 *	entry.c		one delivery
 *	schedule.c	which delivery goes next, and how it went
 *	agents.c	the processes that deliver
 *	handover.c	a delivery becomes a request
 *	sites.c		what flush(8) wants tried
 *
 * and without any of this, pure: window.h, pace.h, slots.h.
 */

#ifndef QMGR_SCHEDULE_H
#define QMGR_SCHEDULE_H

#include "qmgr/qmgr.h"
#include "qmgr/schedule/pace.h"
#include "qmgr/schedule/slots.h"
#include "qmgr/schedule/window.h"

TAILQ_HEAD(entries, entry);
TAILQ_HEAD(peers, peer);

/* Of small messages: what waits and is under way; new ones, and those that waited in deferred/. */
struct held {
	size_t	messages, recipients;
};
enum { HELD_KINDS = 2 };	/* by message->waited */

struct transport {
	TAILQ_ENTRY(transport)	 next;
	char			*name;
	struct agent		*agent;		/* NULL: master.cf has no such service */
	struct map		*destinations;
	TAILQ_HEAD(, destination) ring;		/* with entries of small messages, and room */
	TAILQ_HEAD(, job)	 jobs;		/* large messages with a peer that has room */
	size_t			 job_count;	/* those without one, too */
	size_t			 peer_count;
	int			 underway;	/* entries that agents have */
	struct held		 held[HELD_KINDS];
	struct pace		 pace;
	struct slots		 slots;
	struct window_rules	 window;
	struct event		*wake;
	int64_t			 dead_until_ms;

	/* Of main.cf */
	int			 recipient_limit;	/* 1: every mailbox is a destination */
	int			 entry_limit;		/* recipients of an entry: that, or less by the rate */
	int64_t			 rate_delay_us, transport_delay_us;
	const char		*rate;			/* "100/m", or "" */
	size_t			 portion;		/* recipients that go within minimal_backoff_time by the rate */
	int			 peer_limit, peer_extra, refill_limit, refill_delay;
};

struct destination {
	TAILQ_ENTRY(destination) next;
	struct transport	*transport;
	char			*key;		/* nexthop, or nexthop and mailbox */
	char			*nexthop;
	struct entries		 waiting;	/* of small messages */
	struct peers		 parked;	/* of large messages: who waits for room, in turn */
	LIST_HEAD(, peer)	 peers;		/* all of them */
	int			 ready;		/* peers that are not parked */
	bool			 in_ring;
	int			 underway;
	struct held		 held[HELD_KINDS];
	struct window		 window;
	bool			 is_batched;	/* a worker does its deliveries together, so they are no burden */
	struct pace		 pace;
	struct event		*wake;		/* NULL until its pace wants one */
	int64_t			 dead_until_ms;
	char			*dead_reason;
	TAILQ_ENTRY(destination) given_up;
	char			*giving_up;	/* why all that waits is being deferred; NULL: it is not */
	const char		*giving_up_dsn;
	int64_t			 warn_after_ms;	/* that it clogs the active queue */
};

/* A large message's recipients of one transport. */
struct job {
	TAILQ_ENTRY(job)	 next;		/* among those with a peer that has room */
	LIST_ENTRY(job)		 of_message;
	struct transport	*transport;
	struct message		*message;
	size_t			*places;	/* sorted: one destination's stand together */
	size_t			 count;
	size_t			 taken;		/* those before this have their peers */
	struct peers		 ready;
	LIST_HEAD(, peer)	 peers;
	size_t			 peer_count;
	int64_t			 filled_ms;
	bool			 in_ring;
};

/* A large message's recipients of one destination: entries are cut off when it is their turn. */
struct peer {
	TAILQ_ENTRY(peer)	 next;		/* parked at its destination, or ready in its job */
	LIST_ENTRY(peer)	 of_job, of_destination;
	struct job		*job;
	struct destination	*destination;
	size_t			 at, end;	/* in the job's places */
	bool			 is_ready;
};

/* transport.c */

struct transport *transport_find(const char *name);

/* Visit all: NULL gives the first, and is what comes after the last. */
struct transport *transport_next(const struct transport *transport);

/* How many deliveries more its agent and its pace allow now. */
int	transport_room(struct transport *transport);

/* Why this message is deferred at once, and the status to say so with; NULL: it is not. */
const char *transport_trouble(const struct transport *transport,
	    const struct message *message, const char **dsn);


/* destination.c */

/* mailbox is "" where recipients travel together. */
struct destination *destination_find(struct transport *transport,
	    const char *nexthop, const char *mailbox);

/* Nothing waits, nothing is under way, nothing is remembered: forget it. Clears *destination then. */
void	destination_forget_if_idle(struct destination **destination);

/* How many deliveries more may begin now. */
int	destination_room(const struct destination *destination);

/* Waiting, under way or time have changed: take its place in the rings, or leave them. */
void	destination_update(struct destination *destination);

/* A delivery ended: its window moves. */
void	destination_learn(struct destination *destination,
	    const struct delivery_report *report);

/* All that waits is deferred, little by little; nothing goes meanwhile. Keeps dsn. */
void	destination_give_up(struct destination *destination, const char *dsn,
	    const char *reason);

/* Forget those whose pauses are over. */
void	destinations_sweep(struct transport *transport);

/* turn.c */

/* Every second: is the queue full, or has somebody's turn come? */
void	turn_look(void);

/*
 * May so many recipients more wait here? True; or false, and they are
 * deferred until a turn that was promised to them.
 */
bool	turn_wait_here(struct destination *destination, struct message *message,
	    const size_t *places, size_t count);

/* promise.c */

/* Wake the message, which waits in deferred, at that time of clock_wall_us(). */
void	promise_remember(const char *id, int64_t turn_us);

/* Wake those whose time it is. */
void	promise_keep(int64_t now_us);

/* job.c */

/* The peer's turn has come, but its destination has no room: back to the line. */
void	peer_park(struct peer *peer);

/* It has room again. */
void	peer_ready(struct peer *peer);

/* The next entry, which the peer still has until peer_advance(). */
struct entry *peer_cut(const struct peer *peer);

/* The first count recipients went: to the end of the line, or gone with its last one. */
void	peer_advance(struct peer *peer, size_t count);

/* Defer a part of what it has, so many recipients; it is gone with its last one. */
size_t	peer_defer(struct peer *peer, const char *dsn, const char *reason);

/* Forget the job; its recipients were not tried. */
void	job_drop(struct job *job);

/* entry.c */

struct entry *entry_new(struct destination *destination,
	    struct message *message, const size_t *places, size_t count,
	    bool is_large);
void	entry_free(struct entry **entry);

/* Results of our own making: each recipient is deferred, with a line in the log. */
void	entry_defer(struct message *message, const size_t *places, size_t count,
	    const char *dsn, const char *reason);

/* Into its destination's queue, and out of it. */
void	entry_queue(struct entry *entry, bool first);
void	entry_unqueue(struct entry *entry);

/* schedule.c */

/* Call schedule_run() soon, once. */
void	schedule_soon(void);

#endif
