/*
 * trivial-rewrite - which address is meant, and where it goes
 *
 * In       questions of smtpd, cleanup and qmgr: rewrite this, resolve that
 * Out      an address in standard form; a transport, a nexthop and the class of the domain
 * Touches  lookup tables, which it opens before it gives up its rights; no network
 * Trusts   nobody: the addresses come from strangers
 * Killed   who asked asks again
 *
 *	resolve.c	finds where an address leads; lib/rewrite completes it
 *	questions.c	asks again when a table is far away; meanwhile others have their turn
 */

#include "trivial-rewrite/trivial-rewrite.h"

#include <string.h>

#include "base/base.h"
#include "service/explain.h"
#include "service/service.h"

static void
answer_rewrite(struct ipc_channel *channel, struct ipc_packet *packet)
{
	struct ipc_packet reply = IPC_PACKET_EMPTY;
	struct ipc_rewrite question;
	struct text address = TEXT_EMPTY;

	if (ipc_decode_rewrite(packet, &question) == -1)
		return;
	rewrite_address(strcmp(question.context, "remote") == 0 ?
	    REWRITE_REMOTE : REWRITE_LOCAL, question.address, &address);
	ipc_encode_rewritten(&reply, ipc_packet_request(packet),
	    &(struct ipc_rewritten){ .address = text_string(&address) });
	ipc_channel_send(channel, &reply);
	text_clear(&address);
}

static void
on_packet(struct ipc_channel *channel, struct ipc_packet *packet, void *context)
{
	switch (ipc_packet_kind(packet)) {
	case IPC_rewrite:
		answer_rewrite(channel, packet);
		break;
	case IPC_resolve:
		questions_resolve(channel, packet);
		break;
	default:
		log_warning("unexpected %s packet",
		    ipc_kind_name(ipc_packet_kind(packet)));
	}
}

int
main(int argc, char **argv)
{
	static const struct service trivial_rewrite = {
		.name	 = "trivial-rewrite",
		.start	 = resolve_open,
		.packet	 = on_packet,
		.closed	 = questions_forget,
		.chroot	 = true,
		.sandbox = SANDBOX_SOCKETS,
	};

	if (explain_is_wanted(argc, argv))
		return explain(argc, argv);
	return service_events(&trivial_rewrite, argc, argv);
}
