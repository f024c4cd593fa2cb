/* supervisor - what the files of the supervising process share; nobody else includes it */

#ifndef NAMED_LITE_SUPERVISOR_H
#define NAMED_LITE_SUPERVISOR_H

#include <sys/types.h>

#include <stdbool.h>
#include <stdint.h>

#include "named-lite/control.h"
#include "named-lite/loader/loader.h"
#include "named-lite/options.h"

#define PROCESSES_MAX	64

/* An address, and its sockets for each answering process. */
struct listener {
	struct control_address address;
	bool	 is_used;
	bool	 is_wanted;
	int	 fds[PROCESSES_MAX][2];
};

/* Where rndc is heard, by the envoy. */
struct channel_socket {
	struct control_address address;
	bool	 is_used;
	bool	 is_wanted;
	int	 fd;
};

/* A process that answers, the envoy, or the scribe. */
struct child {
	pid_t	 pid;		/* -1: not running */
	int	 control;
	int64_t	 started_ms;
	int64_t	 start_at_ms;	/* when it is not running; 0 never */
	unsigned deaths;
};

/* What the loader may be wanted for; one job of a kind waits at most. */
struct job {
	bool	 is_wanted;
	bool	 is_asked_for;	/* the envoy waits for the outcome */
	struct control_request request;	/* of LOADER_CHANGES */
	int	 parcels[CONTROL_FDS_MAX];
};

/*
 * LEAVING: master has started the process that follows us. If our own
 * configuration still loads, so does its, and we leave it the field.
 */
enum state { STARTING, RUNNING, LEAVING, STOPPING };

struct supervisor {
	const struct options *options;
	enum state state;
	int	 signals;
	int	 empty_root;
	int	 files[CONTROL_FILES];	/* what is served; -1 none yet */
	int	 notices[2];		/* from answerers, to the envoy */
	int	 lines[2];		/* from all, to the scribe */
	bool	 has_scribe;		/* log lines go there */
	bool	 logs_questions;
	pid_t	 loader;		/* -1 none */
	int	 loaded;		/* from the loader */
	enum loader_job job;		/* of the loader */
	bool	 job_is_asked_for;
	bool	 job_went_well;
	struct job jobs[LOADER_JOBS];
	int	 interfaces;		/* tells of addresses that come and go */
	int64_t	 look_at_ms;		/* when to look where to listen; 0 never */
	bool	 lifeline_ended;
	int64_t	 stop_at_ms;		/* LEAVING: 0 not yet known */
	int64_t	 check_at_ms;
	struct listener listeners[CONTROL_ADDRESSES_MAX];
	struct channel_socket channels[CONTROL_CHANNELS_MAX];
	unsigned turn;			/* number of the files */
	struct child answerers[PROCESSES_MAX];
	struct child envoy;
	struct child scribe;
	int	 exit_code;
};

extern struct supervisor supervisor;

/* supervise.c: the loader has made something, which is served from now on. */
void	supervise_use(const struct control_loaded *loaded,
	    int files[CONTROL_FILES]);

/* The loader has made nothing. */
void	supervise_load_failed(void);

void	supervise_stop(int code);

/* children.c */
void	children_become(void);		/* a child drops what is its parent's */
void	children_start_answerer(int number);
void	children_start_envoy(void);
void	children_start_scribe(void);
void	children_end_scribe(void);	/* when it has written what there is */
void	children_order(struct child *child, enum control_kind kind,
	    unsigned number, const int *fds, int fd_count);
void	children_order_all(enum control_kind kind, unsigned number,
	    const int *fds, int fd_count);
void	children_ended(pid_t pid, int status);
int64_t	children_start_due(void);	/* start whose time has come; when the next one's does, 0 never */
bool	children_are_there(void);

/* listeners.c */
int	listeners_use(const struct control_loaded *loaded);	/* the number of addresses */
void	listeners_close(void);		/* our descriptors of all sockets */

/* jobs.c */
void	jobs_want(enum loader_job job, bool is_asked_for);
void	jobs_want_changes(const struct control_request *request,
	    const int *parcels, int count);
void	jobs_on_loaded(void);		/* the loader has something to say */
void	jobs_end(void);			/* the server has: clear up what a load has left */
void	jobs_ended(void);		/* its process has */

#endif
