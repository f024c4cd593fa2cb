/*
 * fates - what became of a submission whose answer was not heard
 *
 * Each submission has a token. When cleanup dies before it answers, whoever
 * handed it over asks the next one, and that one asks us: was it committed?
 * We remember the tokens of what nobody told us of for some minutes, and look
 * again at what may have come since. What cleanup told us of it has answered as
 * well; that he who submitted could not hear it (his read failed) shows at
 * once, so of these the last few thousand are enough.
 */

#include "qmgr/qmgr.h"

#include <stdlib.h>

enum { RECENT_MAX = 10000 };

/* Each from token to queue id: now, and before. */
static struct map *found[2], *recent[2];
static struct event *timer;

static void
turn(struct map *maps[2])
{
	map_free(&maps[1], free);
	maps[1] = maps[0];
	maps[0] = map_new();
}

void
fates_remember(const struct envelope *envelope, bool told)
{
	struct map **maps = told ? recent : found;

	if (*envelope->token == '\0')
		return;
	if (told && map_count(recent[0]) >= RECENT_MAX)
		turn(recent);
	free(map_set(maps[0], envelope->token, mem_strdup(envelope->queue_id)));
}

static const char *
find(const char *token)
{
	struct map *all[] = { found[0], found[1], recent[0], recent[1] };
	const char *id = NULL;

	for (size_t i = 0; i < COUNT_OF(all) && id == NULL; i++)
		id = map_get(all[i], token);
	return id;
}

void
fates_remember_record(const struct spool_record *record, const char *bytes)
{
	struct pool *pool = pool_new(0);
	const struct envelope *envelope = envelope_decode(pool,
	    bytes + record->envelope_offset, record->envelope_length);

	if (envelope != NULL)
		fates_remember(envelope, false);
	pool_free(&pool);
}

/* A large message; most are known. */
static void
on_incoming(const char *id, void *context)
{
	struct spool_record record;
	char *front;
	int fd;

	if (message_find(id) != NULL)
		return;
	fd = spool_file_open(SPOOL_INCOMING, id, false, false, &record, &front);
	if (fd == -1)
		return;
	fates_remember_record(&record, front);
	free(front);
	fd_close(&fd);
	deferred_arrived(id);
}

void
fates_tell(struct ipc_channel *channel, struct ipc_packet *packet,
    const char *token)
{
	struct ipc_packet reply = IPC_PACKET_EMPTY;
	const char *id;

	/* Whoever died may have left what nobody told us of; that he died we may not have heard. */
	arrivals_look();
	spool_file_each(SPOOL_INCOMING, on_incoming, NULL);
	id = find(token);
	ipc_encode_fate_told(&reply, ipc_packet_request(packet),
	    &(struct ipc_fate_told){ .queue_id = id != NULL ? id : "" });
	ipc_channel_send(channel, &reply);
}

static void
on_timer(int fd, short what, void *argument)
{
	const struct timeval again = { FATE_SECONDS, 0 };

	turn(found);
	event_add(timer, &again);
}

void
fates_start(void)
{
	turn(found);
	turn(recent);
	turn(recent);
	timer = event_new(service_base, -1, 0, on_timer, NULL);
	on_timer(-1, 0, NULL);
}
