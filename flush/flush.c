/*
 * flush - try at once all that waits for a site
 *
 * In       from qmgr: which message waits for which domains; from smtpd (ETRN)
 *          and postqueue -s: a site that can be reached now
 * Out      the queue ids of the site's mail, to qmgr
 * Touches  flush/: a list of queue ids for each site
 * Trusts   nobody: any user may ask for a site
 * Killed   a list that was on its way to qmgr is sent again; what is not in a
 *          list is tried at its time anyway
 *
 * So a queue of a million is not read for the mail of one site. Only the
 * sites in fast_flush_domains have lists.
 */

#include "flush/flush.h"

#include <string.h>

#include "base/base.h"
#include "config/config.h"
#include "service/service.h"
#include "spool/spool.h"

/* Whoever can connect may ask for a site: the directory of the socket decides. */
static void
on_wish(struct ipc_channel *channel, struct ipc_packet *packet, void *context)
{
	struct ipc_flush_site wish;

	if (ipc_decode_flush_site(packet, &wish) == 0)
		questions_begin(channel, ipc_packet_request(packet), NULL,
		    wish.site, strlen(wish.site));
	else
		questions_begin(channel, ipc_packet_request(packet), NULL,
		    "", 0);
}

static void
on_packet(struct ipc_channel *channel, struct ipc_packet *packet, void *context)
{
	struct ipc_flush_add waiting;

	if (ipc_decode_flush_add(packet, &waiting) == -1)
		on_wish(channel, packet, context);
	else
		questions_begin(channel, ipc_packet_request(packet),
		    waiting.queue_id, waiting.domains.bytes,
		    spool_id_is_valid(waiting.queue_id) ?
		    waiting.domains.length : 0);
}

/* master's wake-up: mail must not wait in a list for a site that never asks. */
static void
on_nudge(const char *what)
{
	sites_each_old(wake_site);
}

static bool
is_busy(void)
{
	return questions_are_open() || wake_is_busy();
}

static void
ready(void)
{
	sites_each_old(wake_site);
}

int
main(int argc, char **argv)
{
	static const struct sandbox_path paths[] = {
		{ "flush", true }, { NULL, false },
	};
	static const struct service flush = {
		.name	 = "flush",
		.start	 = sites_start,
		.ready	 = ready,
		.packet	 = on_packet,
		.stranger = on_wish,
		.nudged	 = on_nudge,
		.closed	 = questions_forget,
		.busy	 = is_busy,
		.sandbox = SANDBOX_SOCKETS | SANDBOX_READ | SANDBOX_WRITE |
		    SANDBOX_UNLINK | SANDBOX_OWNERS,
		.paths	 = paths,
	};

	return service_events(&flush, argc, argv);
}
