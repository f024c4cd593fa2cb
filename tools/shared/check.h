/* check - what postroad check looks for, and what must be right before a start */

#ifndef TOOLS_SHARED_CHECK_H
#define TOOLS_SHARED_CHECK_H

/* What would make a start fail, or the system less safe than it was asked to be. The number of errors, each logged. */
int	check_before_start(void);

/* All that, and what is only doubtful: logged. The number of errors; warnings do not count. */
int	check_all(void);

#endif
