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

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/base.h"
#include "config/config.h"
#include "service/service.h"
#include "spool/spool.h"

static void
answer(struct ipc_channel *channel, const struct ipc_packet *question, int error)
{
	struct ipc_packet reply = IPC_PACKET_EMPTY;

	ipc_encode_done(&reply, ipc_packet_request(question), &(struct ipc_done){
	    .error = error, .reason = error != 0 ? strerror(error) : "" });
	ipc_channel_send(channel, &reply);
}

static void
add(const struct ipc_flush_add *waiting)
{
	char *domains = mem_strndup(waiting->domains.bytes,
	    waiting->domains.length);
	char *cursor = domains, *domain;

	if (spool_id_is_valid(waiting->queue_id)) {
		while ((domain = word_next(&cursor, "\n")) != NULL) {
			if (sites_error(domain) == 0)
				sites_add(domain, waiting->queue_id);
		}
	}
	free(domains);
}

/* Whoever can connect may ask for a site: the directory of the socket decides. */
static void
on_wish(struct ipc_channel *channel, struct ipc_packet *packet, void *context)
{
	struct ipc_flush_site wish;
	int error = EINVAL;

	if (ipc_decode_flush_site(packet, &wish) == 0)
		error = sites_error(wish.site);
	if (error == 0)
		wake_site(wish.site);
	answer(channel, packet, error);
}

static void
on_packet(struct ipc_channel *channel, struct ipc_packet *packet, void *context)
{
	struct ipc_flush_add waiting;

	if (ipc_decode_flush_add(packet, &waiting) == 0) {
		add(&waiting);
		answer(channel, packet, 0);
	} else {
		on_wish(channel, packet, context);
	}
}

/* master's wake-up: mail must not wait in a list for a site that never asks. */
static void
on_nudge(const char *what)
{
	sites_each_old(wake_site);
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
		.busy	 = wake_is_busy,
		.sandbox = SANDBOX_SOCKETS | SANDBOX_READ | SANDBOX_WRITE |
		    SANDBOX_UNLINK | SANDBOX_OWNERS,
		.paths	 = paths,
	};

	return service_events(&flush, argc, argv);
}
