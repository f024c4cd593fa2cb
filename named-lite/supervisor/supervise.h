/*
 * supervise - the process that stays: sockets, children, signals
 *
 *   1  It parses nothing: what it gets from the loader are fixed structures.
 *   2  Sockets outlive the processes that answer on them, so that a crash
 *      costs the questions of one batch, and no more.
 *   3  A new image is served by all or, if loading failed, by none: the old
 *      one stays.
 */

#ifndef NAMED_LITE_SUPERVISOR_SUPERVISE_H
#define NAMED_LITE_SUPERVISOR_SUPERVISE_H

#include "named-lite/options.h"

/* Load, answer, reload on SIGHUP, until SIGTERM. Gives an exit code. */
int	supervise_run(const struct options *options);

#endif
