/*
 * handover - which process gets a request, and the request itself
 *
 * A worker takes what lies in its socket as a batch. So workers are filled one
 * after the other, and deliveries to one Maildir go to one of them: the more
 * there are in a batch, the fewer flushes they cost, and the less time and disk they
 * take from those who accept mail meanwhile. One that is stuck with something
 * gets nothing more while others are free.
 */

#include "qmgr/schedule/agents.h"

#include <stdlib.h>
#include <string.h>

#include "message/verp.h"

/* A worker whose oldest request is this old is stuck: a hung file system, a slow command. */
#define STUCK_MS	500

static bool
is_free(const struct connection *connection)
{
	const struct request *oldest = TAILQ_FIRST(&connection->requests);

	if (connection->channel != NULL &&
	    ipc_channel_unsent(connection->channel) > 0)
		return false;
	if (!connection->agent->is_worker || oldest == NULL)
		return true;
	return connection->count < AGENT_DEPTH &&
	    clock_ms() - oldest->sent_ms < STUCK_MS;
}

static bool
has_destination(const struct connection *connection,
    const struct destination *destination)
{
	const struct request *request;

	TAILQ_FOREACH(request, &connection->requests, next) {
		if (request->entry->destination == destination)
			return true;
	}
	return false;
}

/* Nobody but him keeps him from taking more. */
static bool
is_merely_full(const struct connection *connection)
{
	return connection->count >= AGENT_DEPTH &&
	    clock_ms() - TAILQ_FIRST(&connection->requests)->sent_ms < STUCK_MS;
}

/* The first that is not half full; else, or if it is stuck, the first that takes more. */
static struct connection *
choose_any(struct agent *agent)
{
	struct connection *fallback = NULL;

	for (int i = 0; i < agent->connection_count; i++) {
		struct connection *connection = &agent->connections[i];

		if (!is_free(connection))
			continue;
		if (connection->count < AGENT_DEPTH / 2)
			return connection;
		if (fallback == NULL)
			fallback = connection;
	}
	return fallback;
}

/* The worker that has something for this mailbox already; another one when that is stuck. */
static struct connection *
choose_connection(struct agent *agent, const struct destination *destination,
    int spread)
{
	int have_some = 0;

	if (agent->connection_count == 1)
		return is_free(agent->connections) ? agent->connections : NULL;
	for (int i = 0; i < agent->connection_count; i++) {
		struct connection *connection = &agent->connections[i];

		if (!has_destination(connection, destination))
			continue;
		if (is_free(connection))
			return connection;
		if (is_merely_full(connection))
			return NULL;
		have_some++;
	}
	return have_some < spread ? choose_any(agent) : NULL;
}

/* The envelope of one request: the message's, with the recipients of the entry. */
static void
encode_envelope(const struct entry *entry, struct text *text)
{
	const struct message *message = entry->message;
	struct envelope part = *message->envelope;
	struct recipient *recipients = mem_zalloc(entry->count,
	    sizeof(*recipients));
	struct text sender = TEXT_EMPTY;

	for (size_t i = 0; i < entry->count; i++) {
		size_t place = entry->recipients[i];

		recipients[i] = message->envelope->recipients[place];
		if (*recipients[i].original == '\0')
			recipients[i].original = recipients[i].address;
		recipients[i].address = message->routes[place].address;
		recipients[i].number = (int64_t)place;
	}
	if (*part.verp != '\0' && entry->count == 1) {
		verp_sender(&sender, part.verp, part.sender,
		    recipients[0].original);
		part.sender = text_string(&sender);
		part.verp = "";
	}
	part.recipients = recipients;
	part.recipient_count = entry->count;
	envelope_encode(&part, text);
	text_clear(&sender);
	free(recipients);
}

static int
send_request(struct connection *connection, struct entry *entry,
    uint64_t number)
{
	struct message *message = entry->message;
	struct ipc_packet packet = IPC_PACKET_EMPTY;
	struct text envelope = TEXT_EMPTY, content = TEXT_EMPTY;
	int64_t offset;
	int file, result;

	result = message_put_content(message, &content, &file, &offset);
	if (result == 0) {
		encode_envelope(entry, &envelope);
		ipc_encode_deliver(&packet, number, &(struct ipc_deliver){
		    .transport = connection->agent->name,
		    .nexthop = message->routes[entry->recipients[0]].nexthop,
		    /* A notice or an expansion may be a second copy of one that was delivered. */
		    .perhaps_delivered = message->perhaps_delivered ||
			entry->deaths > 0 ||
			strchr(message->envelope->unique, '-') != NULL,
		    .active_us = message->active_us,
		    .envelope = { envelope.bytes, envelope.length },
		    .content = { text_string(&content), content.length },
		    .file = file, .offset = offset,
		    .length = message->record.content_length });
		ipc_channel_send(connection->channel, &packet);
	}
	text_clear(&envelope);
	text_clear(&content);
	return result;
}

enum agent_answer
agent_deliver(struct agent *agent, struct entry *entry, int spread)
{
	struct connection *connection = choose_connection(agent,
	    entry->destination, spread);

	if (connection == NULL) {
		const struct timeval soon = { 0, STUCK_MS * 1000 };

		event_add(agent->try_again, &soon);
		return AGENT_BUSY;
	}
	if (connection->channel == NULL && !agent_connect(connection))
		return AGENT_BUSY;

	struct request *request = mem_zalloc(1, sizeof(*request));

	request->number = ++agent->last_number;
	request->entry = entry;
	request->sent_ms = clock_ms();
	if (send_request(connection, entry, request->number) == -1) {
		log_warning("%s: cannot read its content: %m; look at the disk",
		    entry->message->id);
		free(request);
		return AGENT_UNREADABLE;
	}
	TAILQ_INSERT_TAIL(&connection->requests, request, next);
	connection->count++;
	requests_underway++;
	return AGENT_TOOK;
}
