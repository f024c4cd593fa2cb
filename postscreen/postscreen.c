/*
 * postscreen - remember which clients have passed the tests of smtpd(8)
 *
 * In       questions of smtpd: what has this client passed? And what it passed just now
 * Out      the answers, at once
 * Touches  its cache, postscreen_cache_map
 * Trusts   smtpd
 * Killed   what was learnt since the last sync is lost: such clients are tested once more, and no
 *          session waits, since smtpd goes on without an answer
 *
 * The tests themselves are smtpd's (smtpd/screen.c), for a line
 * "smtp inet ... postscreen" of master.cf; where there is one, master adds
 * this service (lib/config/screen.c). It is here because smtpd may open no
 * file, and because all its processes share what they learn.
 */

#include "postscreen/postscreen.h"

#include <errno.h>

#include "base/base.h"
#include "service/service.h"

static void
tell(struct ipc_channel *channel, const struct ipc_packet *question,
    const char *client)
{
	struct ipc_packet reply = IPC_PACKET_EMPTY;

	ipc_encode_screened(&reply, ipc_packet_request(question),
	    &(struct ipc_screened){ .passes = cache_recall(client) });
	ipc_channel_send(channel, &reply);
}

static void
on_packet(struct ipc_channel *channel, struct ipc_packet *packet, void *context)
{
	struct ipc_screen_query query;
	struct ipc_screen_update update;

	if (ipc_decode_screen_query(packet, &query) == 0)
		tell(channel, packet, query.client);
	else if (ipc_decode_screen_update(packet, &update) == 0)
		ipc_channel_answer(channel, packet,
		    cache_learn(update.client, update.passes) == -1 ? EINVAL
		    : 0);
	else {
		log_warning("unexpected %s packet",
		    ipc_kind_name(ipc_packet_kind(packet)));
		ipc_channel_answer(channel, packet, EINVAL);
	}
}

/* The directory of the cache is known only now. */
static struct sandbox_path paths[2];

static void
ready(void)
{
	paths[0] = (struct sandbox_path){ cache_open(), true };
}

int
main(int argc, char **argv)
{
	static const struct service postscreen = {
		.name	 = "postscreen",
		.ready	 = ready,
		.packet	 = on_packet,
		.sandbox = SANDBOX_SOCKETS | SANDBOX_READ | SANDBOX_WRITE |
		    SANDBOX_UNLINK,
		.paths	 = paths,
	};
	int status = service_events(&postscreen, argc, argv);

	cache_close();
	return status;
}
