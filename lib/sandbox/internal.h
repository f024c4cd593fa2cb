/* internal - the two walls of lib/sandbox */

#ifndef SANDBOX_INTERNAL_H
#define SANDBOX_INTERNAL_H

#include "sandbox/sandbox.h"

/* Each gives 0 when the wall stands, -1 with errno when the kernel (or the build) has none. */
int	sandbox_seccomp(unsigned int permissions);
int	sandbox_seccomp_prepare(unsigned int permissions);
int	sandbox_landlock(unsigned int permissions, const struct sandbox_path *paths);

#endif
