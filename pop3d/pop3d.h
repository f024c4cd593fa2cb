/* pop3d - what its files share */

#ifndef POP3D_POP3D_H
#define POP3D_POP3D_H

#include <stdbool.h>
#include <stdint.h>

#include "base/text.h"
#include "service/service.h"

/* peers.c: how many connections each address has */

/* One more of this address; false if it has as many as it may have. */
bool	peer_add(const char *address);
void	peer_remove(const char *address);

/* front.c: sessions before the login */

/* Begin to talk to authd. */
void	front_start(void);

/* A client has connected, from peer. Takes fd. */
void	front_connected(int fd, const struct sockaddr_storage *peer);

/* Sessions that are under way. */
bool	front_busy(void);

#endif
