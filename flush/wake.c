/*
 * wake - lists on their way to qmgr, a few hundred ids at a time
 *
 * The next ids go when qmgr has taken those before, so that a list of a
 * million does not stand in the way of new mail.
 */

#include "flush/flush.h"

#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include "base/base.h"
#include "config/config.h"
#include "ipc/channel.h"
#include "service/service.h"

#define IDS_AT_ONCE	500
#define RETRY_SECONDS	2	/* qmgr was away */

struct wake {
	LIST_ENTRY(wake) next;
	char	*site;
	char	*ids, *rest, *end;	/* rest goes up to end in this packet */
	bool	 again;			/* asked for once more meanwhile */
};

static LIST_HEAD(, wake) wakes = LIST_HEAD_INITIALIZER(wakes);
static struct ipc_client *qmgr;

static void	send_ids(struct wake *wake);

static void
wake_free(struct wake *wake)
{
	LIST_REMOVE(wake, next);
	free(wake->site);
	free(wake);
	service_check_idle();
}

static void
begin(struct wake *wake)
{
	wake->ids = wake->rest = sites_take(wake->site, &wake->again);
	if (wake->ids != NULL)
		send_ids(wake);
	else
		wake_free(wake);
}

static void
on_retry(int fd, short what, void *context)
{
	send_ids(context);
}

static void
on_taken(struct ipc_packet *reply, void *context)
{
	const struct timeval pause = { RETRY_SECONDS, 0 };
	struct wake *wake = context;

	if (reply == NULL) {
		event_base_once(service_base, -1, EV_TIMEOUT, on_retry, wake,
		    &pause);
		return;
	}
	wake->rest = wake->end;
	send_ids(wake);
}

/* qmgr has all of it. What could not be delivered is in a new list by now, which waits until it is asked for. */
static void
finish(struct wake *wake)
{
	sites_done(wake->site);
	free(wake->ids);
	if (wake->again)
		begin(wake);
	else
		wake_free(wake);
}

static void
send_ids(struct wake *wake)
{
	struct ipc_packet packet = IPC_PACKET_EMPTY;
	char *end = wake->rest;

	for (int i = 0; i < IDS_AT_ONCE && *end != '\0'; i++)
		end = strchr(end, '\n') + 1;
	if (end == wake->rest) {
		finish(wake);
		return;
	}
	wake->end = end;
	ipc_encode_wake(&packet, 0, &(struct ipc_wake){
	    .ids = { wake->rest, (size_t)(end - wake->rest) } });
	ipc_client_call(qmgr, &packet, on_taken, wake);
}

static struct wake *
find(const char *site)
{
	struct wake *wake;

	LIST_FOREACH(wake, &wakes, next) {
		if (text_equal_nocase(wake->site, site))
			return wake;
	}
	return NULL;
}

void
wake_site(const char *site)
{
	struct wake *wake = find(site);

	if (wake != NULL) {
		wake->again = true;
		return;
	}
	if (qmgr == NULL)
		qmgr = ipc_client_new(service_base,
		    config.queue_service_name);
	wake = mem_zalloc(1, sizeof(*wake));
	wake->site = mem_strdup(site);
	LIST_INSERT_HEAD(&wakes, wake, next);
	begin(wake);
}

bool
wake_is_busy(void)
{
	return !LIST_EMPTY(&wakes);
}
