/*
 * deferred - the files that wait, and when each is tried again
 *
 * The filer walks through a queue and tells ids, some at a time; those that
 * we do not have yet are fetched as there is room for them. So a queue run over
 * a million files takes its time, and nothing else waits for it.
 *
 * A file's modification time is when it is tried again, as in Postfix. After
 * our start the other queues are walked through, too: incoming/ for large
 * messages that nobody told us of, hold/ for what a stop left half done.
 */

#include "qmgr/qmgr.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "config/config.h"

/* Fetches of a walk that may be under way at once. */
#define FETCHES_MAX	64

/* What is fetched; the filer answers with its front. */
struct fetch {
	enum spool_queue queue;
	char	id[SPOOL_ID_SIZE];
	bool	found;		/* by a walk: nobody told us of it */
	bool	by_hand;
};

static struct {
	bool		 wanted[SPOOL_QUEUES], all;	/* walks to come; all: also what is not due */
	bool		 running, asked, ended;
	bool		 begin, running_all;
	enum spool_queue queue;
	struct text	 ids;		/* told, not fetched yet */
	size_t		 fetching;
} walk;

static struct event *timer, *pace;
static int64_t started;		/* what was due before was perhaps tried by our predecessor */

static void step(void);

/* ----------------------------------------------------------- one file */

static void
take(const struct fetch *fetch, const struct ipc_file_fetched *fetched)
{
	struct spool_record record;
	struct message *message;

	if (fetched->front.length < SPOOL_RECORD_HEADER ||
	    spool_record_parse(fetched->front.bytes, &record) == -1 ||
	    (size_t)record.content_offset != fetched->front.length)
		return;
	message = message_new(&record, fetched->front.bytes,
	    fetch->queue == SPOOL_DEFERRED);
	if (message == NULL) {
		if (errno == EBADMSG)
			log_warning("%s: its envelope cannot be read; look at it "
			    "with postcat -q %s", fetch->id, fetch->id);
		return;
	}
	message->queue = fetch->queue;
	message->warned = fetched->warned != 0;
	message->by_hand = fetch->by_hand;
	message->perhaps_delivered = fetch->queue == SPOOL_DEFERRED ?
	    fetched->retry_at <= started : fetch->found;
	if (fetch->queue == SPOOL_INCOMING)
		fates_remember(message->envelope, false);
	message_activate(message);
}

static void
on_fetched(struct ipc_packet *packet, void *context)
{
	struct fetch *fetch = context;
	struct ipc_file_fetched fetched = { .error = EBADMSG };

	if (fetch->found)
		walk.fetching--;
	ipc_decode_file_fetched(packet, &fetched);
	if (fetched.error == 0)
		take(fetch, &fetched);
	else if (fetched.error != ENOENT && fetched.error != EBADMSG)
		log_warning("%s: cannot open it in %s: %s; trying again with the "
		    "next queue run", fetch->id,
		    spool_queue_name(fetch->queue),
		    strerror((int)fetched.error));
	if (fetch->found)
		step();
	free(fetch);
}

static void
ask_fetch(enum spool_queue queue, const char *id, bool found, bool by_hand)
{
	struct ipc_packet packet = IPC_PACKET_EMPTY;
	struct fetch *fetch;

	if (message_find(id) != NULL)
		return;
	fetch = mem_zalloc(1, sizeof(*fetch));
	fetch->queue = queue;
	strlcpy(fetch->id, id, sizeof(fetch->id));
	fetch->found = found;
	fetch->by_hand = by_hand;
	walk.fetching += found;
	ipc_encode_file_fetch(&packet, 0, &(struct ipc_file_fetch){
	    .queue = (int64_t)queue, .queue_id = id,
	    .whole = queue == SPOOL_INCOMING && found });
	filing_ask(&packet, on_fetched, fetch);
}

void
deferred_arrived(const char *id)
{
	if (message_has_room(false))
		ask_fetch(SPOOL_INCOMING, id, false, false);
	else
		walk.wanted[SPOOL_INCOMING] = true;
}

/* On its way into deferred: it is woken when it is there. */
static void
wake_when_there(struct message *message, void *by_hand)
{
	if (message->is_leaving) {
		message->wake = true;
		message->by_hand |= *(const bool *)by_hand;
	}
	place_go(message);
}

void
deferred_wake(const char *id, bool by_hand)
{
	struct message *message = message_find(id);

	if (message != NULL) {
		wake_when_there(message, &by_hand);
	} else if (message_has_room(true) && !service_is_leaving()) {
		ask_fetch(SPOOL_DEFERRED, id, false, by_hand);
	} else {
		spool_file_set_retry(SPOOL_DEFERRED, id, (int64_t)time(NULL));
		walk.wanted[SPOOL_DEFERRED] = true;
	}
}

/* ----------------------------------------------------------- walks */

static bool
has_room(void)
{
	return walk.fetching < FETCHES_MAX &&
	    message_has_room(walk.queue == SPOOL_DEFERRED);
}

static void
fetch_told(void)
{
	char id[SPOOL_ID_SIZE];

	while (walk.ids.length > 0 && has_room()) {
		size_t length = strcspn(walk.ids.bytes, "\n");

		snprintf(id, sizeof(id), "%.*s", (int)length, walk.ids.bytes);
		text_drop(&walk.ids, length + 1);
		ask_fetch(walk.queue, id, true, walk.running_all);
	}
}

static void
on_walked(struct ipc_packet *packet, void *context)
{
	struct ipc_file_walked walked = { .end = 1 };

	walk.asked = false;
	ipc_decode_file_walked(packet, &walked);
	/* One that was to begin anew meanwhile throws away what the old one found. */
	if (!walk.begin) {
		text_append(&walk.ids, walked.queue_ids.bytes,
		    walked.queue_ids.length);
		walk.ended = walked.end != 0;
	}
	step();
}

static void
ask_walk(void)
{
	struct ipc_packet packet = IPC_PACKET_EMPTY;

	ipc_encode_file_walk(&packet, 0, &(struct ipc_file_walk){
	    .queue = (int64_t)walk.queue, .begin = walk.begin,
	    .all = walk.running_all || walk.queue != SPOOL_DEFERRED });
	walk.begin = false;
	walk.asked = true;
	filing_ask(&packet, on_walked, NULL);
}

static void
begin_walk(enum spool_queue queue)
{
	walk.queue = queue;
	walk.wanted[queue] = false;
	walk.running_all = queue == SPOOL_DEFERRED && walk.all;
	if (queue == SPOOL_DEFERRED)
		walk.all = false;
	walk.running = walk.begin = true;
	walk.ended = false;
	text_truncate(&walk.ids, 0);
}

/* New mail that nobody told us of comes first. */
static bool
choose_walk(void)
{
	static const enum spool_queue order[] = { SPOOL_INCOMING,
	    SPOOL_DEFERRED, SPOOL_HOLD };

	for (size_t i = 0; i < COUNT_OF(order); i++) {
		if (walk.wanted[order[i]]) {
			begin_walk(order[i]);
			return true;
		}
	}
	return false;
}

/* Go on: fetch what was told, ask for more, begin the next walk. */
static void
step(void)
{
	if (service_is_leaving())
		return;
	fetch_told();
	if (walk.ids.length > 0 || walk.asked)
		return;
	if (walk.running && walk.ended)
		walk.running = false;
	if ((walk.running || choose_walk()) && has_room())
		ask_walk();
}

void
deferred_look_for_large(void)
{
	walk.wanted[SPOOL_INCOMING] = true;
	step();
}

/* incoming/, too: for what could not be opened, or was never told. It holds little. */
void
deferred_scan(bool all)
{
	walk.wanted[SPOOL_DEFERRED] = walk.wanted[SPOOL_INCOMING] = true;
	walk.all |= all;
	if (all)
		message_each(wake_when_there, &all);
	/* A run for which there is little room may take hours: who says "all" does not wait for it. */
	if (all && walk.running && walk.queue == SPOOL_DEFERRED &&
	    !walk.running_all)
		begin_walk(SPOOL_DEFERRED);
	step();
}

void
deferred_leave_to_successor(void)
{
	if (walk.all || (walk.running && walk.running_all))
		operate_nudge("flush");
}

/* ----------------------------------------------------------- times */

void
deferred_pace(void)
{
	if (walk.running || walk.wanted[SPOOL_INCOMING] ||
	    walk.wanted[SPOOL_DEFERRED])
		event_active(pace, EV_TIMEOUT, 0);
}

static void
on_pace(int fd, short what, void *argument)
{
	step();
}

static void
on_timer(int fd, short what, void *argument)
{
	const struct timeval again = { config.queue_run_delay, 0 };

	times_may_expire();	/* looks at the clock, too */
	deferred_scan(false);
	event_add(timer, &again);
}

void
deferred_start(void)
{
	const struct timeval soon = { 0, 0 };

	started = (int64_t)time(NULL);
	timer = event_new(service_base, -1, 0, on_timer, NULL);
	pace = event_new(service_base, -1, 0, on_pace, NULL);
	walk.wanted[SPOOL_INCOMING] = walk.wanted[SPOOL_HOLD] = true;
	event_add(timer, &soon);
}
