/*
 * Where an address leads: trivial-rewrite knows.
 *
 * Its answers are remembered for a moment, since the same recipients come in
 * bursts, and a sender is asked about once for each of his recipients.
 */


#include "smtpd/route.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/base.h"
#include "config/config.h"
#include "ipc/channel.h"
#include "smtpd/smtpd.h"

#define MEMORY_MS	1000
#define SLOTS		256

static struct remembered {
	char		*sender, *address;
	struct route	*route;
	int64_t		 until_ms;
} memory[SLOTS];

struct question {
	char		*sender, *address;
	route_done	*done;
	void		*argument;
};

static struct route *
route_new(int error, int address_class, int flags, const char *transport,
    const char *nexthop, const char *recipient)
{
	struct route *route = mem_zalloc(1, sizeof(*route));

	route->error = error;
	route->address_class = address_class;
	route->flags = flags;
	route->transport = mem_strdup(transport);
	route->nexthop = mem_strdup(nexthop);
	route->recipient = mem_strdup(recipient);
	return route;
}

static struct route *
route_copy(const struct route *route)
{
	struct route *copy = route_new(route->error, route->address_class,
	    route->flags, route->transport, route->nexthop, route->recipient);

	copy->is_known = route->is_known;
	return copy;
}

void
route_free(struct route **route)
{
	if (*route == NULL)
		return;
	free((*route)->transport);
	free((*route)->nexthop);
	free((*route)->recipient);
	free(*route);
	*route = NULL;
}

/* Who asks counts only where a table may send his mail another way. */
static const char *
sender_that_counts(const char *sender)
{
	return *config.sender_dependent_default_transport_maps == '\0' ? "" :
	    sender;
}

static struct remembered *
slot_of(const char *sender, const char *address)
{
	uint32_t sum = crc32c(0, sender, strlen(sender));

	return &memory[crc32c(sum, address, strlen(address)) % SLOTS];
}

static void
remember(const char *sender, const char *address, const struct route *route)
{
	struct remembered *slot = slot_of(sender, address);

	free(slot->sender);
	free(slot->address);
	slot->sender = mem_strdup(sender);
	route_free(&slot->route);
	slot->address = mem_strdup(address);
	slot->route = route_copy(route);
	slot->until_ms = clock_ms() + MEMORY_MS;
}

static struct route *
recall(const char *sender, const char *address)
{
	const struct remembered *slot = slot_of(sender, address);

	if (slot->address == NULL || slot->until_ms < clock_ms() ||
	    strcmp(slot->address, address) != 0 ||
	    strcmp(slot->sender, sender) != 0)
		return NULL;
	return slot->route;
}

struct route *
route_remembered(const char *sender, const char *address)
{
	const struct route *route = recall(sender_that_counts(sender), address);

	return route == NULL ? NULL : route_copy(route);
}

void
route_note_known(const char *sender, const char *address)
{
	struct route *route = recall(sender_that_counts(sender), address);

	if (route != NULL)
		route->is_known = true;
}

static void
on_resolved(struct ipc_packet *packet, void *argument)
{
	struct question *question = argument;
	struct ipc_resolved answer;
	struct route *route;

	if (packet == NULL || ipc_decode_resolved(packet, &answer) == -1)
		route = route_new(EAGAIN, 0, 0, "", "", question->address);
	else {
		route = route_new(answer.error, answer.address_class,
		    answer.flags, answer.transport, answer.nexthop,
		    answer.recipient);
		if (answer.error == 0)
			remember(question->sender, question->address, route);
	}
	if (question->done != NULL)
		question->done(route, question->argument);
	else
		route_free(&route);
	free(question->sender);
	free(question->address);
	free(question);
}

struct question *
route_ask(const char *sender, const char *address, route_done *done,
    void *argument)
{
	struct question *question = mem_zalloc(1, sizeof(*question));
	struct ipc_resolve request = { sender_that_counts(sender), address,
	    false };
	struct ipc_packet packet = IPC_PACKET_EMPTY;

	question->sender = mem_strdup(request.sender);
	question->address = mem_strdup(address);
	question->done = done;
	question->argument = argument;
	ipc_encode_resolve(&packet, 0, &request);
	ipc_client_call(smtpd_rewrite, &packet, on_resolved, question);
	return question;
}

void
route_forget(struct question **question)
{
	if (*question != NULL)
		(*question)->done = NULL;
	*question = NULL;
}
