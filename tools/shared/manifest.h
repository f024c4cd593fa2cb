/* manifest - every installed path with its owner, group and mode: etc/manifest, installed beside the daemons */

#ifndef TOOLS_SHARED_MANIFEST_H
#define TOOLS_SHARED_MANIFEST_H

#include <stdbool.h>

/*
 * Make missing directories, and with all set owner, group and mode of what
 * is there. The number of problems, each one logged. An ordinary user's
 * instance keeps its owner.
 */
int	manifest_apply(bool all);

/* Compare, and log what differs. The number of differences. */
int	manifest_check(void);

#endif
