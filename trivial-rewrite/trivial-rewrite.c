/*
 * trivial-rewrite - which address is meant, and where it goes
 *
 * In       questions of smtpd, cleanup and qmgr: rewrite this, resolve that
 * Out      an address in standard form; a transport, a nexthop and the class of the domain
 * Touches  lookup tables, which it opens before it gives up its rights; no network
 * Trusts   nobody: the addresses come from strangers
 * Killed   who asked asks again
 *
 * rewrite.c completes addresses, resolve.c finds where they lead. An answer
 * goes out before the next question is read, in the order of the questions.
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
answer_resolve(struct ipc_channel *channel, struct ipc_packet *packet)
{
	static struct resolution found;
	struct ipc_packet reply = IPC_PACKET_EMPTY;
	struct ipc_resolve question;

	if (ipc_decode_resolve(packet, &question) == -1)
		return;
	resolve_address(question.sender, question.address,
	    question.probe != 0, &found);
	ipc_encode_resolved(&reply, ipc_packet_request(packet),
	    &(struct ipc_resolved){
	    .error = found.error,
	    .address_class = found.address_class,
	    .flags = found.flags,
	    .transport = text_string(&found.transport),
	    .nexthop = text_string(&found.nexthop),
	    .recipient = text_string(&found.recipient) });
	ipc_channel_send(channel, &reply);
}

static void
on_packet(struct ipc_channel *channel, struct ipc_packet *packet, void *context)
{
	switch (ipc_packet_kind(packet)) {
	case IPC_rewrite:
		answer_rewrite(channel, packet);
		break;
	case IPC_resolve:
		answer_resolve(channel, packet);
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
		.chroot	 = true,
		.sandbox = SANDBOX_SOCKETS,
	};

	if (explain_is_wanted(argc, argv))
		return explain(argc, argv);
	return service_events(&trivial_rewrite, argc, argv);
}
