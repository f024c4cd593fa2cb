/*
 * pop3d - the door of the mailbox: POP3 until the password is right
 *
 * In       clients; what authd thinks of their passwords
 * Out      to authd: user, password, the client's socket. If authd is content
 *          a process of the mailbox's user goes on with the client, and
 *          nothing of the session is left here
 * Touches  its sockets; it lives in a directory that holds only those
 * Trusts   nobody
 * Killed   clients that have not logged in must connect again; sessions go on
 */

#include "pop3d/pop3d.h"

int
main(int argc, char **argv)
{
	static const struct service pop3d = {
		.name	   = "pop3d",
		.start	   = front_start,
		.connected = front_connected,
		.busy	   = front_busy,
		.chroot	   = true,
		.sandbox   = SANDBOX_SOCKETS,
	};

	return service_events(&pop3d, argc, argv);
}
