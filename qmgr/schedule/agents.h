/* agents.h - what agents.c and handover.c share */

#ifndef QMGR_SCHEDULE_AGENTS_H
#define QMGR_SCHEDULE_AGENTS_H

#include "qmgr/qmgr.h"

enum { WORKERS_MAX = 16 };

struct request {
	TAILQ_ENTRY(request)	 next;
	uint64_t		 number;
	struct entry		*entry;
	int64_t			 sent_ms;
};

TAILQ_HEAD(requests, request);

struct connection {
	struct agent		*agent;
	struct ipc_channel	*channel;	/* NULL: not connected */
	struct requests		 requests;	/* the oldest first */
	int			 count;
	bool			 is_accepted;	/* somebody has read from it */
};

struct agent {
	char			*name;
	bool			 is_worker;
	int			 limit;
	int			 connection_count;
	struct connection	 connections[WORKERS_MAX];
	int64_t			 connect_after_ms;
	int64_t			 trouble_since_ms;	/* it failed then, and has not answered since; 0: it works */
	uint64_t		 last_number;
	struct event		*try_again;
};

/* Requests that all agents have. */
extern size_t requests_underway;

/* False: not now; a failure is logged, and schedule_run() is called when it may be different. */
bool	agent_connect(struct connection *connection);

#endif
