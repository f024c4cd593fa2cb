/*
 * Clients, and who of our processes has how many of their sessions.
 *
 * A rate counts from the first event of a window of anvil_rate_time_unit. A
 * client rests once it has no session; those that rest are in a queue by the
 * time since when, so that only its head need be looked at.
 */

#include "anvil/anvil.h"

#include <stdlib.h>
#include <sys/queue.h>

#include "base/base.h"
#include "config/config.h"

struct client {
	TAILQ_ENTRY(client) link;	/* while it rests */
	char	*name;
	int64_t	 window_ms;		/* when its rates began to count */
	int64_t	 resting_ms;
	int64_t	 sessions;
	int64_t	 connects, messages, recipients;
};

/* A process of ours. */
struct process {
	LIST_ENTRY(process) link;
	struct ipc_channel *channel;
	struct map	*sessions;	/* by client: how many, as a pointer */
};

static struct map *clients;
static TAILQ_HEAD(, client) resting = TAILQ_HEAD_INITIALIZER(resting);
static LIST_HEAD(, process) processes = LIST_HEAD_INITIALIZER(processes);

static bool
is_over(int64_t since_ms)
{
	return clock_ms() - since_ms >= config.anvil_rate_time_unit * 1000LL;
}

static struct process *
process_of(struct ipc_channel *channel)
{
	struct process *process;

	LIST_FOREACH(process, &processes, link)
		if (process->channel == channel)
			return process;
	process = mem_zalloc(1, sizeof(*process));
	process->channel = channel;
	process->sessions = map_new();
	LIST_INSERT_HEAD(&processes, process, link);
	return process;
}

static void
rest(struct client *client)
{
	client->resting_ms = clock_ms();
	TAILQ_INSERT_TAIL(&resting, client, link);
}

static struct client *
client_named(const char *name)
{
	struct client *client;

	if (clients == NULL)
		clients = map_new();
	client = map_get(clients, name);
	if (client != NULL)
		return client;
	client = mem_zalloc(1, sizeof(*client));
	client->name = mem_strdup(name);
	client->window_ms = clock_ms();
	map_set(clients, name, client);
	statistics_note_size(map_count(clients));
	rest(client);
	return client;
}

static void
set_sessions(struct client *client, int64_t sessions)
{
	if (client->sessions == 0 && sessions > 0)
		TAILQ_REMOVE(&resting, client, link);
	if (client->sessions > 0 && sessions <= 0)
		rest(client);
	client->sessions = sessions > 0 ? sessions : 0;
}

/* The process has so many sessions of it now. Gives by how many that differs from before. */
static int64_t
set_held(struct process *process, const char *client, int64_t sessions)
{
	int64_t before = (intptr_t)map_get(process->sessions, client);

	if (sessions <= 0) {
		map_remove(process->sessions, client);
		return -before;
	}
	map_set(process->sessions, client, (void *)(intptr_t)sessions);
	return sessions - before;
}

void
clients_count(struct ipc_channel *from, const struct ipc_count *count,
    struct ipc_counted *counted)
{
	clients_expire();

	struct client *client = client_named(count->client);

	if (is_over(client->window_ms)) {
		client->window_ms = clock_ms();
		client->connects = client->messages = client->recipients = 0;
	}
	client->connects += count->connects;
	client->messages += count->messages;
	client->recipients += count->recipients;
	set_sessions(client, client->sessions + set_held(process_of(from),
	    count->client, count->sessions));
	counted->sessions = client->sessions;
	counted->connects = client->connects;
	counted->messages = client->messages;
	counted->recipients = client->recipients;
	statistics_note(PEAK_CONNECTION_RATE, client->connects, client->name);
	statistics_note(PEAK_CONNECTIONS, client->sessions, client->name);
	statistics_note(PEAK_MESSAGE_RATE, client->messages, client->name);
	statistics_note(PEAK_RECIPIENT_RATE, client->recipients, client->name);
}

void
clients_forget(struct ipc_channel *from)
{
	struct process *process = process_of(from);
	size_t position = 0;
	const char *name;
	void *held;

	while ((name = map_next(process->sessions, &position, &held)) != NULL) {
		struct client *client = client_named(name);

		set_sessions(client, client->sessions - (intptr_t)held);
	}
	map_free(&process->sessions, NULL);
	LIST_REMOVE(process, link);
	free(process);
}

void
clients_expire(void)
{
	struct client *client;

	while ((client = TAILQ_FIRST(&resting)) != NULL &&
	    is_over(client->resting_ms)) {
		TAILQ_REMOVE(&resting, client, link);
		map_remove(clients, client->name);
		free(client->name);
		free(client);
	}
}
