/*
 * questions - where does this address lead: asked of resolve.c until it knows
 *
 * What a table in our reach says is there at once. For what proxymap(8) has to
 * tell, the question waits, while others are answered, and is then asked anew.
 */

#include "trivial-rewrite/trivial-rewrite.h"

#include <stdlib.h>
#include <sys/queue.h>

#include "base/base.h"
#include "service/service.h"
#include "table/asker.h"

struct question {
	TAILQ_ENTRY(question)	 link;
	struct ipc_channel	*channel;	/* NULL: who asked is gone */
	uint64_t		 request;
	char			*sender, *address;
	bool			 probe;
	struct table_asker	 asker;
};

static TAILQ_HEAD(, question) waiting = TAILQ_HEAD_INITIALIZER(waiting);

static void
question_free(struct question *q)
{
	TAILQ_REMOVE(&waiting, q, link);
	table_asker_clear(&q->asker);
	free(q->sender);
	free(q->address);
	free(q);
}

static void
reply(struct ipc_channel *channel, uint64_t request,
    const struct resolution *found)
{
	struct ipc_packet packet = IPC_PACKET_EMPTY;

	ipc_encode_resolved(&packet, request, &(struct ipc_resolved){
	    .error = found->error,
	    .address_class = found->address_class,
	    .flags = found->flags,
	    .transport = text_string(&found->transport),
	    .nexthop = text_string(&found->nexthop),
	    .recipient = text_string(&found->recipient) });
	ipc_channel_send(channel, &packet);
}

static void
try(void *argument)
{
	struct question *q = argument;
	static struct resolution found;

	table_ask_with(&q->asker);
	resolve_address(q->sender, q->address, q->probe, &found);
	table_ask_with(NULL);
	if (q->asker.pending > 0)
		return;
	if (q->channel != NULL)
		reply(q->channel, q->request, &found);
	question_free(q);
}

void
questions_resolve(struct ipc_channel *channel, struct ipc_packet *packet)
{
	struct ipc_resolve asked;
	struct question *q;

	if (ipc_decode_resolve(packet, &asked) == -1)
		return;
	q = mem_zalloc(1, sizeof(*q));
	q->channel = channel;
	q->request = ipc_packet_request(packet);
	q->sender = mem_strdup(asked.sender);
	q->address = mem_strdup(asked.address);
	q->probe = asked.probe != 0;
	q->asker = (struct table_asker){ .ask = service_ask_table,
	    .argument = q, .again = try };
	TAILQ_INSERT_TAIL(&waiting, q, link);
	try(q);
}

void
questions_forget(struct ipc_channel *channel)
{
	struct question *q;

	TAILQ_FOREACH(q, &waiting, link)
		if (q->channel == channel)
			q->channel = NULL;
}
