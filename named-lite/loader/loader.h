/*
 * loader - named.conf and zone files become an image
 *
 *   1  The loader is a process of its own, with the rights of the named
 *      user, and ends when it has handed over; what it read, it read alone.
 *   2  An error in named.conf hands over nothing: what was served before
 *      goes on.
 *   3  An error in a zone file concerns that zone alone: it is served as it
 *      was before or, if there is nothing before, answers SERVFAIL.
 *   4  The copy of a zone that was transferred is durable, and whole, before
 *      it is served.
 */

#ifndef NAMED_LITE_LOADER_H
#define NAMED_LITE_LOADER_H

#include "named-lite/control.h"
#include "named-lite/options.h"

/* In the order in which they are done. */
enum loader_job {
	LOADER_ALL,		/* named.conf and zones */
	LOADER_CONFIG,		/* named.conf, and zones that were not there before */
	LOADER_CHANGES,		/* what has become of some zones; named.conf as it was */
	LOADER_ADDRESSES,	/* where to listen, and nothing else: addresses of this host have changed */
	LOADER_JOBS
};

struct loader_task {
	enum loader_job job;
	const int *served;	/* CONTROL_FILES descriptors; -1 if nothing is served yet */
	const struct control_request *request;	/* of LOADER_CHANGES */
	const int *parcels;	/* with it */
};

/* Do it, and send a struct control_loaded with what was made to fd. Gives an exit code. */
int	loader_run(const struct options *options,
	    const struct loader_task *task, int fd);

/* The server has ended: leave no traces of what was served. */
void	loader_end(const int *served);

#endif
