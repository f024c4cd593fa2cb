/* explain - how we come to an answer: zone, record, rule */

#ifndef NAMED_LITE_EXPLAIN_H
#define NAMED_LITE_EXPLAIN_H

/*
 * Read named.conf and the zones as they are now, and tell on standard output
 * what a question for name and type leads to. Gives an exit code.
 */
int	explain_run(const char *config, const char *name, const char *type);

#endif
