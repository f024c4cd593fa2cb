/* deferred - the files that wait, and when each is tried again */

#include "qmgr/qmgr.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "config/config.h"
#include "spool/unnamed.h"

/* Where writers make files that a power cut may leave half done, on file systems that name them. */
static const char *const swept[] = { "journal", "incoming", "deferred", "hold" };

static struct event *timer;

/* A file whose front or checksum is wrong helps nobody in the queue: it goes where the administrator looks. */
static void
keep_corrupt(enum spool_queue queue, const char *id)
{
	if (spool_file_move(queue, SPOOL_CORRUPT, id) == -1)
		log_warning("%s/%s is damaged, and cannot be moved to corrupt: %m",
		    spool_queue_name(queue), id);
	else
		log_warning("%s: damaged, moved to corrupt/%s; see what can be "
		    "saved with postcat corrupt/%s", id, id, id);
}

bool
deferred_load(enum spool_queue queue, const char *id, bool recovered)
{
	struct spool_record record;
	char *front;

	if (message_find(id) != NULL)
		return false;

	int fd = spool_file_open(queue, id, true, recovered, &record, &front);

	if (fd == -1) {
		if (errno == EBADMSG)
			keep_corrupt(queue, id);
		else if (errno != ENOENT)
			log_warning("%s: cannot open it in %s: %m", id,
			    spool_queue_name(queue));
		return false;
	}

	struct message *message = message_new(&record, front);

	free(front);
	if (message == NULL) {
		fd_close(&fd);
		if (errno == EALREADY)	/* finished just before a stop */
			spool_file_remove(queue, id);
		else if (errno == EBADMSG)
			keep_corrupt(queue, id);
		return false;
	}
	message->queue = queue;
	message->file = fd;
	message->warned = spool_file_is_warned(fd);
	message->perhaps_delivered = recovered;
	if (queue == SPOOL_INCOMING)
		arrivals_remember(message->envelope);
	message_activate(message);
	return true;
}

static bool
has_room(void)
{
	return message_count() < (size_t)config.qmgr_message_active_limit;
}

static void
on_incoming(const char *id, void *context)
{
	if (has_room())
		deferred_load(SPOOL_INCOMING, id, true);
}

static void
on_deferred(const char *id, void *context)
{
	const bool *all = context;
	int64_t retry_at;

	if (!has_room() || (!*all &&
	    (spool_file_retry(SPOOL_DEFERRED, id, &retry_at) == -1 ||
	    retry_at > (int64_t)time(NULL))))
		return;
	deferred_load(SPOOL_DEFERRED, id, false);
}

void
deferred_discover(void)
{
	spool_file_each(SPOOL_INCOMING, on_incoming, NULL);
}

void
deferred_scan(bool all)
{
	const struct timeval again = { config.queue_run_delay, 0 };

	deferred_discover();
	if (spool_file_each(SPOOL_DEFERRED, on_deferred, &all) == -1)
		log_warning("cannot read deferred/: %m; run postroad set-permissions");
	event_add(timer, &again);
}

void
deferred_wake(const char *id)
{
	if (has_room())
		deferred_load(SPOOL_DEFERRED, id, false);
	else
		spool_file_set_retry(SPOOL_DEFERRED, id,
		    clock_wall_us() / 1000000);
}

static void
on_timer(int fd, short what, void *argument)
{
	deferred_scan(false);
}

void
deferred_start(void)
{
	const struct timeval soon = { 0, 0 };

	for (size_t i = 0; i < COUNT_OF(swept); i++)
		unnamed_sweep(swept[i]);
	timer = event_new(service_base, -1, 0, on_timer, NULL);
	event_add(timer, &soon);
}
