/* interfaces - hear when an address of this host comes or goes */

#ifndef NAMED_INTERFACES_H
#define NAMED_INTERFACES_H

#include <stdbool.h>

/* A descriptor that becomes readable then; -1 if the kernel tells us nothing. */
int	interfaces_watch(void);

/* Read what it has to say. True if addresses changed. */
bool	interfaces_changed(int fd);

#endif
