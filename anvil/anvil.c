/*
 * anvil - how often, and how many at once: clients counted over all processes
 *
 * In       from smtpd: a client came, went, sent so much
 * Out      what all processes have counted of that client
 * Touches  nothing
 * Trusts   smtpd. What clients are called comes from strangers, and is only compared
 * Killed   smtpd sees another epoch in the next answer and tells of its sessions
 *          again; rates begin at nothing
 *
 * The sessions of a process that died go with its connection.
 */

#include "anvil/anvil.h"

#include <stdlib.h>

#include "base/base.h"
#include "config/config.h"
#include "service/service.h"

static int64_t epoch;
static struct event *report_timer;

/* No process of ours counts so far between two packets. */
#define COUNT_MAX	1000000000

static bool
is_sane(const struct ipc_count *count)
{
	const int64_t counts[] = { count->connects, count->sessions,
	    count->messages, count->recipients };

	for (size_t i = 0; i < COUNT_OF(counts); i++)
		if (counts[i] < 0 || counts[i] > COUNT_MAX)
			return false;
	return true;
}

static void
on_packet(struct ipc_channel *channel, struct ipc_packet *packet, void *context)
{
	struct ipc_packet reply = IPC_PACKET_EMPTY;
	struct ipc_count count;
	struct ipc_counted counted = { .epoch = epoch };

	if (ipc_decode_count(packet, &count) == -1 || !is_sane(&count)) {
		log_warning("not a count: %s",
		    ipc_kind_name(ipc_packet_kind(packet)));
		clients_forget(channel);
		ipc_channel_free(&channel);
		return;
	}
	clients_count(channel, &count, &counted);
	ipc_encode_counted(&reply, ipc_packet_request(packet), &counted);
	ipc_channel_send(channel, &reply);
}

static void
on_report_time(int fd, short what, void *argument)
{
	clients_expire();
	statistics_report();
}

static void
start(void)
{
	const struct timeval often = { config.anvil_status_update_time, 0 };

	epoch = (int64_t)arc4random() << 16 | 1;
	report_timer = event_new(service_base, -1, EV_PERSIST, on_report_time,
	    NULL);
	event_add(report_timer, &often);
}

int
main(int argc, char **argv)
{
	static const struct service anvil = {
		.name	 = "anvil",
		.start	 = start,
		.packet	 = on_packet,
		.closed	 = clients_forget,
		.drain	 = statistics_report,
		.chroot	 = true,
		.sandbox = SANDBOX_SOCKETS,
	};

	return service_events(&anvil, argc, argv);
}
