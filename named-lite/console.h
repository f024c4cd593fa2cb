/* console - where lines go when no master takes them: BIND's form on a terminal, or syslog */

#ifndef NAMED_LITE_CONSOLE_H
#define NAMED_LITE_CONSOLE_H

/* "DD-Mon-YYYY HH:MM:SS.mmm text" on standard error. */
void	console_open(void);

/* The same into a file; ends the process if it cannot be written. */
void	console_open_file(const char *path);

/* syslog(3), facility daemon, as "named". */
void	console_open_syslog(void);

/* Again as it was opened, after lines went elsewhere. */
void	console_resume(void);

/*
 * Go on in the background. The process that the shell waits for ends with
 * success at console_started(), with failure if we end before it.
 */
void	console_detach(void);
void	console_started(void);

#endif
