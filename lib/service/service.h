/*
 * service - what every daemon stands on
 *
 * Two skeletons give a daemon its main(): service_events() for one that
 * waits on sockets in an event loop, service_worker() for one that blocks on
 * disks. They read the options and descriptors that master gives, open the
 * log, load the configuration, call start() with the last privileges, change
 * user, close the sandbox, serve, and leave cleanly:
 *
 *	SIGTERM, master gone	finish what is in hand, a few seconds at most
 *	SIGHUP			stop accepting, leave when the last session ends
 *	nothing to do		an ON_DEMAND daemon leaves after max_idle
 *
 * From master: -n NAME -t TYPE [-u] [-c] [-v] [-o name=value] [-s SOCKETS];
 * descriptor 3 is the log pipe, 4 the lifeline (its end means that master
 * is gone), 5 and up the listening sockets.
 */

#ifndef SERVICE_SERVICE_H
#define SERVICE_SERVICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include <event2/event.h>

#include "ipc/channel.h"
#include "ipc/ipc.h"
#include "sandbox/sandbox.h"

enum { SERVICE_LOG_FD = 3, SERVICE_LIFELINE_FD = 4, SERVICE_FIRST_SOCKET = 5 };

/* Who has the processor: those whom a client waits for; then deliveries; then what nobody waits for. */
enum service_rank { SERVICE_FIRST, SERVICE_SECOND, SERVICE_LAST };

/* One request to a worker: the packet, and where its answer goes. */
struct service_request {
	struct ipc_packet	 packet;
	int			 connection;	/* borrowed; -1 once it broke */
	struct table_asker	*tables;	/* what it asked for; NULL: nothing */
};

struct service {
	const char	*name;			/* the program, as in master.cf's last column */
	unsigned int	 sandbox;		/* SANDBOX_... */
	const struct sandbox_path *paths;	/* reachable, relative to the queue directory */
	bool		 chroot;		/* into private/, where there are only sockets */
	bool		 stays_root;		/* becomes other users itself: local, authd */
	enum service_rank rank;			/* in the queue for the processor */

	void	(*start)(void);			/* configuration is there; the last moment with privileges */
	void	(*ready)(void);			/* after the change of user, just before the sandbox closes */
	void	(*nudged)(const char *what);	/* master's wake-up (""), or a command's word */

	/* service_events() */
	void	(*connected)(int fd, const struct sockaddr_storage *peer);	/* STREAM: a client; takes fd, which does not block */
	ipc_packet_callback *packet;		/* PACKET: a request of a brother daemon */
	ipc_packet_callback *stranger;		/* PACKET: of a command that any user may run; NULL: only nudges */
	void	(*closed)(struct ipc_channel *channel);	/* PACKET: he went; the skeleton frees the channel */
	void	(*drain)(void);			/* leaving: close what is idle; again when it is ending too. A worker: end what still runs */
	bool	(*busy)(void);			/* leaving waits while this is true */

	/* service_worker() */
	void	(*serve)(struct service_request *requests, size_t count);
	void	(*serve_stream)(int fd);	/* STREAM: one client from beginning to end; borrows fd */
	bool   (*has_more)(void);		/* do what was left over; asked again soon while true */
	int    (*watch)(void);			/* a descriptor to wait on besides; -1: none now */
	void   (*watched)(void);		/* it is readable */
	bool	 exclusive;			/* one connection at a time: a pool's processes share the load */
	size_t	 batch;				/* requests taken at once; 0 is 64 */
};

/* The name and type of this service in master.cf, and the endpoint's address or path. */
extern const char *service_name;

/* The loop of an event-driven daemon. */
extern struct event_base *service_base;

/*
 * The ask of an asker (table/asker.h) in a daemon with an event loop: proxymap(8)
 * is asked, and asker->again called when the last answer has come.
 */
struct table_question;

void	service_ask_table(struct table_question *question, void *argument);

/* From now on this process, and what it starts, has the processor when those of lower ranks leave it. */
void	service_stand_back(enum service_rank rank);

/* Give the exit code for main(). */
int	service_events(const struct service *service, int argc, char **argv);
int	service_worker(const struct service *service, int argc, char **argv);

/*
 * A worker answers: the reply gets the number of the request, unless its
 * packet was taken away (then it has it already). A connection that broke is
 * noted and otherwise ignored. Clears reply.
 */
void	service_reply(struct service_request *request, struct ipc_packet *reply);

/*
 * The look-ups between these two are this request's. What a table's server
 * must answer is asked, and the end gives false: what was found is no answer,
 * and the request, which is not the caller's any more, comes again in a later
 * batch, when the answers have come. So nothing has an effect before the end,
 * and nobody else waits.
 */
void	service_begin_tables(struct service_request *request);
bool	service_end_tables(struct service_request *request);

/*
 * Put a request aside for a reason of the worker's own: it comes again in a
 * batch after service_call_back() with the number that this gives. A request
 * whose connection broke meanwhile does not come.
 */
uint64_t service_put_aside(struct service_request *request);
bool	service_call_back(uint64_t number);	/* false: it is gone */

/* A request that makes no sense: the connection ends, and the peer decides what to do. */
void	service_reject(struct service_request *request);

/* The same with {done, error, reason}. */
void	service_reply_done(struct service_request *request, int error,
	    const char *reason);

/* An event-driven daemon learns that a session ended while it is leaving: look again whether it can go. */
void	service_check_idle(void);

/* True once the daemon is leaving: take no new work. */
bool	service_is_leaving(void);

/* True once it must be gone in a few seconds (SIGTERM): end what only waits. */
bool	service_is_ending(void);

#endif
