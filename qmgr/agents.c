/*
 * agents - connections to delivery agents, and the requests that they have
 *
 * An event-driven agent has one connection with as many requests as its
 * destinations allow. A pool of workers has a connection for each process;
 * one process takes what lies in its socket as a batch, so that deliveries to
 * one Maildir share a flush. A worker that is stuck with something gets
 * nothing more while others are free.
 */

#include "qmgr/qmgr.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "config/config.h"
#include "config/master_cf.h"
#include "service/programs.h"

enum { WORKERS_MAX = 16, DEATHS_MAX = 3 };

/* A worker whose oldest request is this old is stuck: a hung file system, a slow command. */
#define STUCK_MS	500

/* After a connection failed nobody connects for this long. */
#define CONNECT_PAUSE_MS	500

/*
 * An agent that has failed for this long, without an answer between, is of no
 * use: no restart takes that long. transport_retry_time may be shorter.
 */
#define TROUBLE_SECONDS	10

static struct master_cf services;
static size_t underway;

struct request {
	TAILQ_ENTRY(request)	 next;
	uint64_t		 number;
	struct entry		*entry;
	int64_t			 sent_ms;
};

struct connection {
	struct agent		*agent;
	struct ipc_channel	*channel;	/* NULL: not connected */
	TAILQ_HEAD(, request)	 requests;	/* the oldest first */
	int			 count;
	bool			 is_accepted;	/* somebody has read from it */
};

struct agent {
	char			*name;
	bool			 is_worker;
	int			 limit;
	int			 connection_count;
	struct connection	 connections[WORKERS_MAX];
	int64_t			 connect_after_ms;
	int64_t			 trouble_since_ms;	/* it failed then, and has not answered since; 0: it works */
	uint64_t		 last_number;
	struct event		*try_again;
};

static void
on_try_again(int fd, short what, void *argument)
{
	schedule_run();
}

void
agents_start(void)
{
	if (master_cf_load(config.config_directory, &services) == -1)
		fatal("cannot read %s/master.cf, see above",
		    config.config_directory);
}

static const struct master_entry *
find_service(const char *transport)
{
	for (size_t i = 0; i < services.count; i++) {
		const struct master_entry *entry = &services.entries[i];

		if (entry->type == MASTER_UNIX &&
		    strcmp(entry->name, transport) == 0)
			return entry;
	}
	return NULL;
}

struct agent *
agent_find(const char *transport)
{
	const struct master_entry *entry = find_service(transport);
	const struct program *program;
	struct agent *agent;

	if (entry == NULL) {
		log_warning("transport %s: master.cf has no such unix service; "
		    "its mail waits", transport);
		return NULL;
	}
	program = program_find(entry->program);
	agent = mem_zalloc(1, sizeof(*agent));
	agent->name = mem_strdup(transport);
	agent->is_worker = program == NULL || program->kind == PROGRAM_WORKER;
	agent->connection_count = 1;
	agent->limit = entry->process_limit > 0 ? entry->process_limit : INT_MAX;
	if (agent->is_worker && program != NULL) {
		int processes = program_processes(program,
		    entry->process_limit > 0 ? entry->process_limit : 0);

		agent->connection_count = processes < WORKERS_MAX ?
		    processes : WORKERS_MAX;
		agent->limit = agent->connection_count * AGENT_DEPTH;
	}
	for (int i = 0; i < agent->connection_count; i++) {
		agent->connections[i].agent = agent;
		TAILQ_INIT(&agent->connections[i].requests);
	}
	agent->try_again = event_new(service_base, -1, 0, on_try_again, agent);
	return agent;
}

size_t
agents_underway(void)
{
	return underway;
}

bool
agent_is_worker(const struct agent *agent)
{
	return agent != NULL && agent->is_worker;
}

int
agent_limit(const struct agent *agent)
{
	return agent->limit;
}

static struct entry *
take_request(struct connection *connection, struct request *request)
{
	struct entry *entry = request->entry;

	TAILQ_REMOVE(&connection->requests, request, next);
	connection->count--;
	underway--;
	free(request);
	return entry;
}

static void
hear_report(struct connection *connection, struct request *request,
    struct ipc_packet *packet)
{
	struct entry *entry = take_request(connection, request);
	struct pool *pool = pool_new(0);
	struct ipc_delivered delivered;
	struct delivery_report report = {
		.reason = "the delivery agent's report cannot be read" };

	if (ipc_decode_delivered(packet, &delivered) == 0) {
		report.results = delivery_results_decode(pool,
		    delivered.results.bytes, delivered.results.length,
		    &report.count);
		report.unreachable = delivered.unreachable != 0;
		report.alone = delivered.alone != 0;
	}
	if (report.results == NULL || report.count != entry->count) {
		log_warning("the %s agent sent a report that cannot be read",
		    connection->agent->name);
		report.results = NULL;
		entry->message->perhaps_delivered = true;
	}
	schedule_reported(entry, &report);
	pool_free(&pool);
}

static void
on_packet(struct ipc_channel *channel, struct ipc_packet *packet,
    void *context)
{
	struct connection *connection = context;
	uint64_t number = ipc_packet_request(packet);
	struct request *request;

	TAILQ_FOREACH(request, &connection->requests, next) {
		if (request->number == number)
			break;
	}
	if (request == NULL) {
		log_warning("the %s agent reports what nobody asked",
		    connection->agent->name);
		return;
	}
	connection->agent->trouble_since_ms = 0;
	connection->is_accepted = true;
	hear_report(connection, request, packet);
	schedule_run();
	service_check_idle();
}

static bool
is_too_long_ago(int64_t ms)
{
	int patience = config.transport_retry_time < TROUBLE_SECONDS ?
	    config.transport_retry_time : TROUBLE_SECONDS;

	return clock_ms() - ms > 1000LL * patience;
}

static void
note_trouble(struct agent *agent)
{
	if (agent->trouble_since_ms == 0)
		agent->trouble_since_ms = clock_ms();
}

/* The agent died: what it had is asked for again, by itself until it proves harmless. */
static void
on_closed(struct ipc_channel *channel, void *context)
{
	struct connection *connection = context;
	const struct timeval soon = { 0, 50000 };
	TAILQ_HEAD(, request) lost = TAILQ_HEAD_INITIALIZER(lost);
	struct request *request;

	ipc_channel_free(&connection->channel);
	connection->is_accepted = false;
	TAILQ_CONCAT(&lost, &connection->requests, next);
	connection->count = 0;
	if (!TAILQ_EMPTY(&lost)) {
		note_trouble(connection->agent);
		log_warning("the %s agent went away in the middle of its work; "
		    "its deliveries are repeated", connection->agent->name);
	}
	while ((request = TAILQ_FIRST(&lost)) != NULL) {
		struct entry *entry = request->entry;

		TAILQ_REMOVE(&lost, request, next);
		underway--;
		free(request);
		if (++entry->deaths < DEATHS_MAX)
			schedule_again(entry);
		else
			schedule_reported(entry, &(struct delivery_report){
			    .reason = "the delivery agent crashed with this message" });
	}
	event_add(connection->agent->try_again, &soon);
}

static bool
connect_agent(struct connection *connection)
{
	struct agent *agent = connection->agent;
	const struct timeval pause = { 0, CONNECT_PAUSE_MS * 1000 };

	if (clock_ms() < agent->connect_after_ms)
		return false;

	int fd = ipc_connect(agent->name, true);

	if (fd == -1) {
		log_warning("connect to transport private/%s: %m", agent->name);
		note_trouble(agent);
		agent->connect_after_ms = clock_ms() + CONNECT_PAUSE_MS;
		event_add(agent->try_again, &pause);
		return false;
	}
	connection->channel = ipc_channel_new(service_base, &fd, on_packet,
	    on_closed, connection);
	return true;
}

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

/* master accepts connections for an agent that it cannot start: nobody reads what they are sent. */
static bool
is_ignored(struct connection *connection)
{
	const struct request *oldest = TAILQ_FIRST(&connection->requests);

	if (connection->is_accepted || oldest == NULL)
		return false;
	connection->is_accepted = ipc_channel_is_read(connection->channel);
	return !connection->is_accepted && is_too_long_ago(oldest->sent_ms);
}

bool
agent_is_useless(struct agent *agent)
{
	if (agent->trouble_since_ms != 0 &&
	    is_too_long_ago(agent->trouble_since_ms)) {
		agent->trouble_since_ms = 0;
		return true;
	}
	for (int i = 0; i < agent->connection_count; i++) {
		if (is_ignored(&agent->connections[i]))
			return true;
	}
	return false;
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

/* One worker more for this destination would be one too many. */
static bool
is_spread(const struct agent *agent, const struct connection *connection,
    const struct destination *destination, int spread)
{
	int others = 0;

	for (int i = 0; i < agent->connection_count; i++) {
		const struct connection *other = &agent->connections[i];

		others += other != connection &&
		    has_destination(other, destination);
	}
	return others >= spread;
}

/* The connection for this affinity; another one when that is stuck. */
static struct connection *
choose_connection(struct agent *agent, const struct destination *destination,
    uint32_t affinity, int spread)
{
	int first = (int)(affinity % (uint32_t)agent->connection_count);

	for (int i = 0; i < agent->connection_count; i++) {
		struct connection *connection =
		    &agent->connections[(first + i) % agent->connection_count];

		if (is_free(connection))
			return i > 0 && is_spread(agent, connection, destination,
			    spread) ? NULL : connection;
		/* Merely full: wait for it, and keep the mailbox in one place. */
		if (connection->count >= AGENT_DEPTH &&
		    clock_ms() - TAILQ_FIRST(&connection->requests)->sent_ms <
		    STUCK_MS)
			return NULL;
	}
	return NULL;
}

/* The envelope of one request: the message's, with the recipients of the entry. */
static void
encode_envelope(const struct entry *entry, struct text *text)
{
	const struct message *message = entry->message;
	struct envelope part = *message->envelope;
	struct recipient *recipients = mem_zalloc(entry->count,
	    sizeof(*recipients));

	for (size_t i = 0; i < entry->count; i++) {
		size_t place = entry->recipients[i];

		recipients[i] = message->envelope->recipients[place];
		if (*recipients[i].original == '\0')
			recipients[i].original = recipients[i].address;
		recipients[i].address = message->routes[place].address;
		recipients[i].number = (int64_t)place;
	}
	part.recipients = recipients;
	part.recipient_count = entry->count;
	envelope_encode(&part, text);
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
agent_deliver(struct agent *agent, struct entry *entry, uint32_t affinity,
    int spread)
{
	struct connection *connection = choose_connection(agent,
	    entry->destination, affinity, spread);

	if (connection == NULL) {
		const struct timeval soon = { 0, STUCK_MS * 1000 };

		event_add(agent->try_again, &soon);
		return AGENT_BUSY;
	}
	if (connection->channel == NULL && !connect_agent(connection))
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
	underway++;
	return AGENT_TOOK;
}
