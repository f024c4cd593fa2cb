/* serve - what the kernel asks of a file system, in its own words (linux/fuse.h) */

#ifndef POWER_SERVE_H
#define POWER_SERVE_H

#include "live.h"

struct server {
	int		 fd;		/* /dev/fuse */
	struct live	*live;
	bool		 no_tmpfile;	/* as a file system without O_TMPFILE */
};

/* Mount at path. 0, or -1 with errno. */
int	serve_mount(struct server *server, const char *path);

/* Answer one request. False when the mount has ended. */
bool	serve_request(struct server *server);

#endif
