/*
 * agents - connections to delivery agents, and what comes back from them
 *
 * An event-driven agent has one connection with as many requests as its
 * destinations allow. A pool of workers has a connection for each process.
 * handover.c says who gets a request.
 */

#include "qmgr/schedule/agents.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "config/config.h"
#include "config/master_cf.h"
#include "service/programs.h"

enum { DEATHS_MAX = 3 };

/* After a connection failed nobody connects for this long. */
#define CONNECT_PAUSE_MS	500

/*
 * An agent that has failed for this long, without an answer between, is of no
 * use: no restart takes that long. transport_retry_time may be shorter.
 */
#define TROUBLE_SECONDS	10

static struct master_cf services;
size_t requests_underway;

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
	return requests_underway;
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
	requests_underway--;
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

	/* The newest first: those of hosts that hang are old. */
	TAILQ_FOREACH_REVERSE(request, &connection->requests, requests, next) {
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
		requests_underway--;
		free(request);
		if (++entry->deaths < DEATHS_MAX)
			schedule_again(entry);
		else
			schedule_reported(entry, &(struct delivery_report){
			    .reason = "the delivery agent crashed with this message" });
	}
	event_add(connection->agent->try_again, &soon);
}

static void
try_again_in(struct agent *agent, int64_t pause_ms)
{
	event_add(agent->try_again, &(struct timeval){ pause_ms / 1000,
	    pause_ms % 1000 * 1000 });
}

bool
agent_connect(struct connection *connection)
{
	struct agent *agent = connection->agent;
	int64_t now = clock_ms();

	if (now < agent->connect_after_ms) {
		/* A timer may come a moment early: somebody must look again all the same. */
		try_again_in(agent, agent->connect_after_ms - now + 1);
		return false;
	}

	int fd = ipc_connect(agent->name, true);

	if (fd == -1) {
		log_warning("connect to transport private/%s: %m", agent->name);
		note_trouble(agent);
		agent->connect_after_ms = now + CONNECT_PAUSE_MS;
		try_again_in(agent, CONNECT_PAUSE_MS);
		return false;
	}
	connection->channel = ipc_channel_new(service_base, &fd, on_packet,
	    on_closed, connection);
	return true;
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
