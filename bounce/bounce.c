/*
 * bounce - who sent it is told what became of it
 *
 * In       notices to send, from qmgr (and pickup, for what is never accepted)
 * Out      notices, as messages with the null sender, to cleanup; copies to the
 *          postmaster, with a sender whose mail nobody answers
 * Touches  no file but what qmgr hands it to read; no network
 * Trusts   qmgr for what happened; the message itself is a stranger's
 * Killed   qmgr asks again; a notice has a key made from its message's, so
 *          that a second one is known as the first
 *
 * It serves the names bounce, defer and trace of master.cf alike.
 *
 * What holds:
 *   1  qmgr hears that a notice is sent only when it is durable.
 *   2  There is at most one notice of a kind about a message.
 *   3  No notice about a notice goes to anybody but the postmaster, and none
 *      about that one to anybody.
 */

#include "bounce/bounce.h"

#include <errno.h>

static void
refuse(struct service_request *request)
{
	log_warning("unexpected %s packet",
	    ipc_kind_name(ipc_packet_kind(&request->packet)));
	service_reply_done(request, EINVAL, "bad request");
}

/* Notices that stand one behind the other go to cleanup together. */
static void
serve(struct service_request *requests, size_t count)
{
	size_t i = 0, first;

	while (i < count) {
		first = i;
		while (i < count &&
		    ipc_packet_kind(&requests[i].packet) == IPC_notice)
			i++;
		if (i > first)
			send_notices(&requests[first], i - first);
		else
			refuse(&requests[i++]);
	}
}

static void
take_answers(void)
{
	later_receive(service_call_back);
}

int
main(int argc, char **argv)
{
	static const struct sandbox_path paths[] = { { NULL, false } };
	static const struct service bounce = {
		.name	 = "bounce",
		.start	 = compose_start,
		.rank	 = SERVICE_LAST,
		.watch	 = later_fd,
		.watched = take_answers,
		.serve	 = serve,
		.sandbox = SANDBOX_SOCKETS | SANDBOX_READ,
		.paths	 = paths,
	};

	return service_worker(&bounce, argc, argv);
}
