/*
 * loader - named.conf and zone files become an image
 *
 *   1  The loader is a process of its own, with the rights of the named
 *      user, and ends when it has handed over; what it read, it read alone.
 *   2  An error in named.conf hands over nothing: what was served before
 *      goes on.
 *   3  An error in a zone file concerns that zone alone: it is served as it
 *      was before or, if there is nothing before, answers SERVFAIL.
 */

#ifndef NAMED_LITE_LOADER_H
#define NAMED_LITE_LOADER_H

#include "named-lite/options.h"

enum loader_job {
	LOADER_ALL,		/* named.conf and zones */
	LOADER_ADDRESSES,	/* where to listen, and nothing else: addresses of this host have changed */
};

/*
 * Load, send a struct control_loaded and the image to fd. served is the
 * image that is being served, -1 if there is none. Gives an exit code.
 */
int	loader_run(const struct options *options, enum loader_job job,
	    int fd, int served);

#endif
