/*
 * scribe - the process that writes log files
 *
 * It is there where named.conf has a logging statement. Those who answer
 * can open no file, so all processes write into one pipe, which nobody
 * waits for; the scribe reads it, and writes each line into the channels
 * of its category, as the named user, in BIND's form.
 *
 *   1  Its death costs no process a moment, and no line that the pipe holds:
 *      the next scribe reads on.
 *   2  At the end it is the last to leave: when nobody writes any more.
 */

#ifndef NAMED_LITE_SCRIBE_H
#define NAMED_LITE_SCRIBE_H

#include "named-lite/options.h"

/* Write what comes by the pipe; orders come by control. Gives an exit code. */
int	scribe_run(int control, int lines, const struct options *options);

#endif
