/*
 * trace - postroad trace: the story of a message, from the log and the queue
 *
 * lib/trace makes stories of log lines; here is where the lines come from,
 * and what the queue says of those messages that are still in it.
 */

#ifndef TOOLS_SHARED_TRACE_H
#define TOOLS_SHARED_TRACE_H

/* The command with its arguments; argv[0] is "trace". Gives the exit status. */
int	trace_command(int argc, char **argv);

#endif
