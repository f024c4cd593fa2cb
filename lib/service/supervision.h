/* supervision - what systemd is told of a daemon that it started: sd_notify(3) without its library */

#ifndef SERVICE_SUPERVISION_H
#define SERVICE_SUPERVISION_H

/*
 * Send a state ("READY=1") to $NOTIFY_SOCKET, if there is one. The socket is
 * connected by the first call, so that later ones work from another root
 * directory, too.
 */
void	supervision_tell(const char *state);

/* A child has nothing to tell. */
void	supervision_leave(void);

#endif
