/*
 * smtpd.h - the process: what it is, what it has opened, what it goes by
 *
 * What the files of smtpd share is in a header for each of its subjects:
 *
 *	session.h	a connection, from its first byte to its end
 *	client.h	who is at the other end, and how much he may ask for
 *	dialogue.h	what he says, what he hears, what is told of it
 *	transaction.h	one message: envelope, content, hand-over
 *	checks.h	may it come in
 *	screening.h	may he talk at all
 *	route.h		where an address leads
 */

#ifndef SMTPD_SMTPD_H
#define SMTPD_SMTPD_H

#include <stdbool.h>
#include <stddef.h>

struct config;
struct ipc_client;
struct resolver;

/* Open what only a privileged process can open: tables, resolver. */
void	smtpd_start(void);

extern struct resolver *smtpd_resolver;
extern struct ipc_client *smtpd_cleanup, *smtpd_rewrite;

/* ------------------------------------------------------------ stress.c */

/* After main.cf is there, before the first session. */
void	stress_prepare(void);

/* What it would be under stress. */
const struct config *stress_config(void);

/* So many are there now. True if config has changed for it. */
bool	stress_note_sessions(size_t sessions);

/* ------------------------------------------------------------ alone.c */

/* For sendmail -bs. Gives the exit code. */
int	alone(void);

/* Is this process a user's: no checks, no limits but his message's, no brother daemons? */
extern bool smtpd_is_alone;

/* ------------------------------------------------------------ explain.c */

/* postroad explain: tell what would happen to a client, and why. Gives the exit code. */
int	explain(int argc, char **argv);

/* ------------------------------------------------------------ check/audit.c */

/* postroad check: tell what is wrong with the restrictions, on standard output. Gives the exit code. */
int	audit(int argc, char **argv);

#endif
