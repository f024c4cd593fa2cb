/* dialogue - SMTP on standard input and output, for sendmail -bs */

#ifndef TOOLS_SHARED_DIALOGUE_H
#define TOOLS_SHARED_DIALOGUE_H

/*
 * Serve one client until QUIT or the end of input; each message goes to
 * postdrop. No access checks: who speaks here may submit anyway.
 * Gives the exit code.
 */
int	dialogue_run(void);

#endif
