/* What the files of master share. */

#ifndef MASTER_MASTER_H
#define MASTER_MASTER_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>
#include <sys/types.h>

#include <event2/event.h>

#include "config/master_cf.h"

/* A row of service/programs.def. */
struct program {
	const char	*name;
	bool		 packets;	/* unix sockets keep the borders of packets */
	bool		 events;	/* one process holds many sessions */
	int		 processes;	/* at most; PROCESSES_... */
	bool		 resident;	/* starts with master, not with the first client */
};

enum { PROCESSES_CORES = -1, PROCESSES_HALF = -2, PROCESSES_ANY = -3 };

/* Sockets, and the processes that serve them. Each process of an event-driven inet service has sockets of its own. */
struct slot {
	struct service	*service;
	int		*sockets;
	struct event	**watches;	/* one a socket */
	size_t		 socket_count;
	int		 limit;		/* processes */
	int		 running;	/* those that a client may hope for; not those that drain */
	bool		 suspect;	/* a client waited although processes run: look again */
	struct event	*again;
};

struct service {
	TAILQ_ENTRY(service)	 link;
	struct master_entry	 entry;
	struct program		 program;
	char			*path;		/* of the program */
	char			*endpoints;	/* all addresses as text: the same text, the same sockets */
	struct slot		*slots;
	size_t			 slot_count;
	struct event		*wakeup;
	struct event		*throttle;
	int64_t			 throttle_ms;	/* the last pause; 0 if all is well */
	bool			 throttled;
	bool			 wanted;	/* a reload found it in master.cf */
};

TAILQ_HEAD(services, service);

extern struct event_base *master_base;

/* master_run.c: from the lock to the end; the exit code. */
int	master_run(bool foreground);

/* services.c */
extern struct services services;
int	services_load(bool first);	/* read master.cf and follow it with sockets. 0, or -1: logged */
void	services_start(void);		/* and then with processes */
void	services_name_missing(void);	/* log the services whose program the last load did not find */
void	services_drain(struct service *service);	/* SIGHUP to its processes, which are no longer counted */
void	services_stop(void);		/* close the sockets */
void	slot_arm(struct slot *slot);
void	slot_disarm(struct slot *slot);
void	service_resume(struct service *service);	/* start what is resident, watch for clients */
bool	service_has_processes(const struct service *service);

/* programs.c */
struct program program_find(const char *name);
int	program_limit(const struct program *program, int master_cf_limit);

/* sockets.c: open all sockets of a service. 0, or -1 with the reason logged. */
char	*sockets_describe(const struct master_entry *entry);	/* NULL: logged */
int	sockets_open(struct service *service);
void	sockets_close(struct service *service);
void	sockets_unlink(const struct master_entry *entry);

/* children.c */
extern int lifeline[2];		/* children hold the read end */
pid_t	fork_daemon(int still_blocked);		/* fork(2), with signals as exec(2) should find them; 0 or one that the program unblocks */
int	child_start(struct slot *slot);		/* 0, or -1: logged */
void	children_reaped(void);			/* on SIGCHLD */
void	children_forget(struct service *service, int with_signal);
void	children_signal(int signal_number);
size_t	children_count(void);

/* stopped.c: a child that was stopped is killed unless it goes on in a moment. */
void	stopped_watch(pid_t pid, int signal_number);
void	stopped_forget(pid_t pid);		/* it goes on, or ended */

/* logger.c: the log pipe and the postlogd that empties it. */
extern int log_pipe[2];
void	logger_open_pipe(void);
void	logger_start(void);
bool	logger_is(pid_t pid);
void	logger_reaped(int status);
void	logger_reload(void);
void	logger_stop(void);		/* end the pipe, wait until all is written */

/* lock.c */
bool	lock_is_free(void);
void	lock_take(void);		/* fatal() if another master has it */
void	lock_write_pid(void);
void	lock_release(void);

/* notify.c: systemd hears that we live, if it wants to. */
void	notify_start_watchdog(void);

#endif
