/*
 * qmgr - the queue manager: who changes a message's state
 *
 * In       arrivals from cleanup (batches of the journal, names of files);
 *          nudges and operations from postqueue, postsuper and master; what
 *          flush(8) wants tried
 * Out      requests to delivery agents; failures and delays to bounce(8); to
 *          flush(8), what waits for which site;
 *          finished messages vanish from the spool
 * Touches  journal/ (read, mark), the queue directories (read); all that waits
 *          for a disk is the work of a child, the filer (filing/); no network
 * Trusts   the checksums of the spool; of brother daemons only the form of what they say
 * Killed   everything is read again; a recipient that was delivered but not
 *          marked is asked for again, flagged, and its agent finds it delivered
 *
 * A message goes through rounds. In each, every recipient that is not done
 * is resolved (routes.c), grouped with others of its destination
 * (schedule/) and handed to an agent. When all have a result the
 * round is over: the sender is told of failures (notices.c), what is
 * deferred becomes a file that waits (filing/) until its time comes
 * (deferred.c), what is finished goes.
 *
 * What holds at every instant:
 *   1  A recipient is marked done only after its delivery was reported sent,
 *      or after the notice that it failed was durable.
 *   2  A message leaves the spool only when all its recipients are done.
 *   3  A recipient is with at most one agent.
 *   4  A request that an agent died with is asked for again with
 *      perhaps_delivered; after three deaths it waits.
 *   5  Memory is bounded: by qmgr_message_active_limit messages and about
 *      qmgr_message_recipient_limit recipients. New mail and mail that waited
 *      each leave the other a quarter of that. What there is no room for
 *      stays in the journal, whose own limit slows those who send.
 *   6  This process never waits for a disk to write: it asks the filer, and one
 *      question at a time about a message. An answer that did not come is asked
 *      for again.
 *   7  There is one queue manager, with one filer: the next begins when both
 *      are gone.
 *   8  What postsuper was told is durable. A deleted message does not come back.
 */

#include "qmgr/qmgr.h"

#include <fcntl.h>
#include <sys/file.h>

#include "config/config.h"

/* On a reload deliveries under way get this long; then new mail has waited long enough. */
#define LEAVE_SECONDS	5

/* Held, by the open directory, until we and our filer end. */
static int lock = -1;

/*
 * There is one queue manager at a time: on a reload this one waits here
 * until its predecessor is gone, and with it all that it knew.
 */
static void
wait_for_predecessor(void)
{
	lock = open("incoming", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (lock == -1 || flock(lock, LOCK_EX) == -1)
		fatal("lock %s/incoming: %m; run postroad set-permissions",
		    config.queue_directory);
}

static void
start(void)
{
	wait_for_predecessor();
	agents_start();
	arrivals_start();
}

static void
ready(void)
{
	filing_start(lock);
	fates_start();
	deferred_start();
}

static void
on_packet(struct ipc_channel *channel, struct ipc_packet *packet, void *context)
{
	switch (ipc_packet_kind(packet)) {
	case IPC_arrival:
	case IPC_arrival_file:
	case IPC_fate:
		arrivals_packet(channel, packet);
		break;
	case IPC_queue_operation:
	case IPC_list:
		operate_packet(channel, packet);
		break;
	case IPC_wake:
		sites_packet(channel, packet);
		break;
	default:
		log_warning("unexpected %s packet",
		    ipc_kind_name(ipc_packet_kind(packet)));
	}
}

static void
on_closed(struct ipc_channel *channel)
{
	arrivals_closed(channel);
	operate_closed(channel);
}

/* Agents may end what they have in hand; what they do not, our successor asks for again. */
static bool
is_busy(void)
{
	return agents_underway() > 0 || filing_underway() > 0 ||
	    patience_is_needed();
}

static void
on_patience_over(int fd, short what, void *argument)
{
	event_base_loopexit(service_base, NULL);
}

static void
leave_to_successor(struct message *message, void *context)
{
	message_leave_to_successor(message);
}

static void
drain(void)
{
	const struct timeval patience = { LEAVE_SECONDS, 0 };

	message_each(leave_to_successor, NULL);
	deferred_leave_to_successor();

	event_base_once(service_base, -1, EV_TIMEOUT, on_patience_over, NULL,
	    &patience);
}

int
main(int argc, char **argv)
{
	static const struct sandbox_path paths[] = {
		{ "journal", true }, { "incoming", true }, { "deferred", true },
		{ "hold", true }, { "corrupt", true }, { "maildrop", true },
		{ NULL, false },
	};
	static const struct service qmgr = {
		.name	 = "qmgr",
		.start	 = start,
		.ready	 = ready,
		.nudged	 = operate_nudge,
		.packet	 = on_packet,
		.closed	 = on_closed,
		.drain	 = drain,
		.busy	 = is_busy,
		.sandbox = SANDBOX_SOCKETS | SANDBOX_READ | SANDBOX_WRITE |
		    SANDBOX_UNLINK | SANDBOX_FORK,
		.paths	 = paths,
	};

	return service_events(&qmgr, argc, argv);
}
