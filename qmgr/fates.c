/*
 * fates - what became of a submission whose cleanup died before it answered
 *
 * Each submission has a token. Whoever handed it over asks the next cleanup,
 * and that one asks us: was it committed? We remember the tokens of what
 * nobody told us of for some minutes, and look again at what may have come
 * since.
 */

#include "qmgr/qmgr.h"

#include <stdlib.h>

static struct map *fates[2];		/* token to queue id; now and before */
static struct event *timer;

void
fates_remember(const struct envelope *envelope)
{
	if (*envelope->token == '\0')
		return;
	free(map_set(fates[0], envelope->token, mem_strdup(envelope->queue_id)));
}

void
fates_remember_record(const struct spool_record *record, const char *bytes)
{
	struct pool *pool = pool_new(0);
	const struct envelope *envelope = envelope_decode(pool,
	    bytes + record->envelope_offset, record->envelope_length);

	if (envelope != NULL)
		fates_remember(envelope);
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
	id = map_get(fates[0], token);
	if (id == NULL)
		id = map_get(fates[1], token);
	ipc_encode_fate_told(&reply, ipc_packet_request(packet),
	    &(struct ipc_fate_told){ .queue_id = id != NULL ? id : "" });
	ipc_channel_send(channel, &reply);
}

static void
on_timer(int fd, short what, void *argument)
{
	const struct timeval again = { FATE_SECONDS, 0 };

	map_free(&fates[1], free);
	fates[1] = fates[0];
	fates[0] = map_new();
	event_add(timer, &again);
}

void
fates_start(void)
{
	fates[0] = map_new();
	timer = event_new(service_base, -1, 0, on_timer, NULL);
	on_timer(-1, 0, NULL);
}
