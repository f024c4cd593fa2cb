/* programs - what master and qmgr know of each program: the rows of programs.def */

#ifndef SERVICE_PROGRAMS_H
#define SERVICE_PROGRAMS_H

#include <stdbool.h>

enum program_socket { PROGRAM_PACKET, PROGRAM_STREAM };
enum program_kind { PROGRAM_EVENTS, PROGRAM_WORKER };

struct program {
	const char		*name;
	enum program_socket	 socket;
	enum program_kind	 kind;
	int			 processes;	/* or one of the two below */
	bool			 on_demand;
};

enum { PROGRAM_HALF = -2, PROGRAM_CORES = -1 };

/* The row of a program; NULL for one that is not ours. */
const struct program *program_find(const char *name);

/* How many processes of it run at most; limit is the process limit of its master.cf line, 0: none. */
int	program_processes(const struct program *program, int limit);

#endif
