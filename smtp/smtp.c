/*
 * smtp - mail for other hosts, over SMTP
 *
 * In       delivery requests from qmgr, many at once
 * Out      SMTP sessions with the hosts that DNS or main.cf name; for each
 *          request one report with a result for every recipient
 * Touches  its sockets, and the content that comes with a request; no file
 * Trusts   nobody: replies and DNS answers are read with limits, and a host
 *          can only spoil its own deliveries
 * Killed   qmgr asks for its requests again; a message whose final dot was
 *          sent but not yet answered may then arrive twice
 *
 * One process holds all sessions:
 *
 *	job.c		a request: which hosts to try, and its report
 *	nexthop.c	"[host]:port" read
 *	route.c		a nexthop becomes hosts and addresses (DNS)
 *	session.c	a connection: bytes, replies, time limits
 *	dialogue.c	the stages of SMTP: what is said, what replies mean
 *	reword.c	replies that the administrator changes
 *	offers.c	what the host can do
 *	xforward.c	who the client was, for a content filter
 *	generic.c	addresses that the world knows, for those that it does not
 *	content.c	the message as it goes over the wire
 *	outcome.c	a result for each recipient, in words for the log
 *	trouble.c	what the postmaster wants to hear of
 *	idle.c		connections kept for the next message
 *	recall.c	what was sent lately, should qmgr not know
 *	succession.c	and should our successor be asked for it
 */

#include "service/explain.h"
#include "service/service.h"

#include "client.h"
#include "config/config.h"
#include "delivery/filter.h"

static void
start(void)
{
	delivery_filter_open("smtp_delivery_status_filter",
	    config.smtp_delivery_status_filter);
	route_start();
	destinations_start();
	sessions_start();
	reword_start();
	shape_start();
	generic_start();
}

static void
on_packet(struct ipc_channel *channel, struct ipc_packet *packet,
    void *context)
{
	if (!succession_packet(channel, packet))
		job_start(channel, packet);
}

static void
on_closed(struct ipc_channel *channel)
{
	succession_closed(channel);
	job_orphan(channel);
}

static void
drain(void)
{
	jobs_announce();
	destinations_close_idle(false);
}

static bool
is_busy(void)
{
	return job_count() > 0;
}

int
main(int argc, char **argv)
{
	static const struct service smtp = {
		.name	 = "smtp",
		.start	 = start,
		.packet	 = on_packet,
		.closed	 = on_closed,
		.drain	 = drain,
		.busy	 = is_busy,
		.chroot	 = true,
		.sandbox = SANDBOX_NETWORK | SANDBOX_SOCKETS,
	};

	if (explain_is_wanted(argc, argv))
		return explain(argc, argv);
	return service_events(&smtp, argc, argv);
}
