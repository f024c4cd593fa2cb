/*
 * proxymap - read tables for daemons that may not open files
 *
 * In       look-ups of brother daemons: table, key; and sockets of policy services that they cannot see
 * Out      the value, "none", or the reason why nobody knows
 * Touches  the tables that proxy_read_maps names (read), and the servers that
 *          tcp:, socketmap: and check_policy_service name; no mail
 * Trusts   nobody: a table that is not in proxy_read_maps is not opened
 * Killed   the next look-up starts it again; who waits for an answer puts mail off
 *
 *	allowed.c	which tables may be read, which sockets opened
 *	look-up.c	a look-up, which may have to wait
 *	servers.c	the servers of tcp: and socketmap: tables; nobody waits for another's
 */

#include <errno.h>
#include <stdlib.h>

#include "base/base.h"
#include "proxymap/proxymap.h"
#include "service/service.h"

static void
reach(struct ipc_channel *channel, struct ipc_packet *packet,
    const struct ipc_reach *question)
{
	struct ipc_packet reply = IPC_PACKET_EMPTY;
	struct ipc_reached answer;

	proxymap_reach(question, &answer);
	ipc_encode_reached(&reply, ipc_packet_request(packet), &answer);
	ipc_channel_send(channel, &reply);
}

static void
refuse(struct ipc_channel *channel, struct ipc_packet *packet)
{
	log_warning("not a look-up: %s",
	    ipc_kind_name(ipc_packet_kind(packet)));
	ipc_channel_answer(channel, packet, EINVAL);
}

static void
on_packet(struct ipc_channel *channel, struct ipc_packet *packet, void *context)
{
	struct ipc_lookup lookup;
	struct ipc_reach where;

	if (ipc_packet_kind(packet) == IPC_lookup &&
	    ipc_decode_lookup(packet, &lookup) == 0)
		look_up(channel, ipc_packet_request(packet), &lookup);
	else if (ipc_packet_kind(packet) == IPC_reach &&
	    ipc_decode_reach(packet, &where) == 0)
		reach(channel, packet, &where);
	else
		refuse(channel, packet);
}

static void
on_closed(struct ipc_channel *channel)
{
	look_up_forget(channel);
}

static void
start(void)
{
	proxymap_allow();
	servers_open();
}

int
main(int argc, char **argv)
{
	static const struct sandbox_path anywhere[] = {
		{ "/", false },
		{ NULL, false },
	};
	static const struct service proxymap = {
		.name	 = "proxymap",
		.sandbox = SANDBOX_SOCKETS | SANDBOX_NETWORK |
		    SANDBOX_READ,
		.paths	 = anywhere,	/* a table may lie anywhere */
		.start	 = start,
		.packet	 = on_packet,
		.closed	 = on_closed,
	};

	return service_events(&proxymap, argc, argv);
}
