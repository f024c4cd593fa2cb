/* walk.h - the filer's walk through a queue, a step at a time */

#ifndef QMGR_FILING_WALK_H
#define QMGR_FILING_WALK_H

#include "ipc/ipc.h"

/*
 * The next step of a walk, as a file_walked packet: some ids, and whether this
 * was the end. A walk that another began, or a filer that died, ends at once
 * with what it has: the next one begins again.
 */
void	walk_next(const struct ipc_file_walk *asked, struct ipc_packet *reply);

#endif
