/*
 * proxymap - read tables for daemons that may not open files
 *
 * In       look-ups of brother daemons: table, key
 * Out      the value, "none", or the reason why nobody knows
 * Touches  the tables that proxy_read_maps names (read), and the servers that tcp: and socketmap: name; no mail
 * Trusts   nobody: a table that is not in proxy_read_maps is not opened
 * Killed   the next look-up starts it again; who waits for an answer puts mail off
 */

#include <stdlib.h>

#include "base/base.h"
#include "proxymap/proxymap.h"
#include "service/service.h"

static void
on_packet(struct ipc_channel *channel, struct ipc_packet *packet, void *context)
{
	struct ipc_packet reply = IPC_PACKET_EMPTY;
	struct ipc_lookup question;
	struct ipc_looked_up answer;

	if (ipc_packet_kind(packet) != IPC_lookup ||
	    ipc_decode_lookup(packet, &question) == -1) {
		log_warning("not a look-up: %s",
		    ipc_kind_name(ipc_packet_kind(packet)));
		ipc_channel_free(&channel);
		return;
	}
	proxymap_look_up(&question, &answer);
	ipc_encode_looked_up(&reply, ipc_packet_request(packet), &answer);
	ipc_channel_send(channel, &reply);
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
		.start	 = proxymap_allow,
		.packet	 = on_packet,
	};

	return service_events(&proxymap, argc, argv);
}
