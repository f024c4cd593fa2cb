/* authd - what its files share */

#ifndef AUTHD_AUTHD_H
#define AUTHD_AUTHD_H

#include <stdbool.h>
#include <sys/types.h>

#include "auth/auth.h"
#include "base/text.h"
#include "service/service.h"

/* login.c: passwords. Read the parameters; may exit with fatal(). */
void	login_start(void);

/* Serve a batch of `login` requests. */
void	login_serve(struct service_request *requests, size_t count);

/* sessions.c: fork the starter of sessions, as root and before any password is read. */
void	sessions_start(void);

/* Hand a session to the starter. Takes the message's descriptor. 0, or -1 with errno. */
int	sessions_begin(const struct ipc_session *session);

/* location.c: whose mailbox is where */

/*
 * The Maildir that a location like "maildir:~/Maildir" or "maildir:/var/mail/%d/%n:INBOX=x"
 * means for the user: appended to path. NULL: all is well; else what is wrong.
 */
const char *location_expand(const char *location, const char *user,
	    const char *home, struct text *path);

/* Is the address in one of the networks ("10.0.0.0/8,::1")? Those that make no sense do not match. */
bool	address_in_networks(const char *address, const char *networks);

#endif
