/*
 * succession - what a process that leaves tells the one that takes its place
 *
 * After a reload qmgr's successor asks our successor for everything that has
 * no mark yet, while we still wait for answers to final dots. So we connect
 * to our own service, name the messages that are in doubt, and later say
 * what was sent. The successor holds requests for them back until then;
 * should we die, the end of the connection releases them.
 */

#include "client.h"

#include <stdlib.h>
#include <string.h>

#include "service/service.h"

/* A message that a predecessor has in doubt. */
struct doubt {
	LIST_ENTRY(doubt)	 link;
	struct ipc_channel	*channel;	/* to him */
	char			*queue_id;
};

static LIST_HEAD(, doubt) doubts = LIST_HEAD_INITIALIZER(doubts);
static struct ipc_channel *successor;

static void
on_packet(struct ipc_channel *channel, struct ipc_packet *packet,
    void *context)
{
	/* He has nothing to say. */
}

static void
on_closed(struct ipc_channel *channel, void *context)
{
	ipc_channel_free(&successor);
}

static void
tell(struct ipc_packet *packet)
{
	if (successor != NULL)
		ipc_channel_send(successor, packet);
	ipc_packet_clear(packet);
}

void
succession_announce(struct job *job)
{
	struct ipc_packet packet = IPC_PACKET_EMPTY;

	if (job->is_announced)
		return;
	if (successor == NULL) {
		int fd = ipc_connect(service_name, true);

		if (fd == -1)
			return;	/* nobody takes our place: the mail system stops */
		successor = ipc_channel_new(service_base, &fd, on_packet,
		    on_closed, NULL);
	}
	job->is_announced = true;
	ipc_encode_in_doubt(&packet, 0, &(struct ipc_in_doubt){
		.queue_id = job->request->envelope->queue_id });
	tell(&packet);
}

void
succession_sent(const struct sent *sent)
{
	struct ipc_packet packet = IPC_PACKET_EMPTY;

	ipc_encode_sent_already(&packet, 0, &(struct ipc_sent_already){
		.key = sent->key, .dsn = sent->dsn, .relay = sent->relay,
		.host = sent->host, .text = sent->text,
		.action = sent->action });
	tell(&packet);
}

void
succession_settle(const struct job *job)
{
	struct ipc_packet packet = IPC_PACKET_EMPTY;

	ipc_encode_settled(&packet, 0, &(struct ipc_settled){
		.queue_id = job->request->envelope->queue_id });
	tell(&packet);
}

bool
succession_has_doubt(const char *queue_id)
{
	const struct doubt *doubt;

	LIST_FOREACH(doubt, &doubts, link) {
		if (strcmp(doubt->queue_id, queue_id) == 0)
			return true;
	}
	return false;
}

static void
add_doubt(struct ipc_channel *channel, const char *queue_id)
{
	struct doubt *doubt = mem_zalloc(1, sizeof(*doubt));

	doubt->channel = channel;
	doubt->queue_id = mem_strdup(queue_id);
	LIST_INSERT_HEAD(&doubts, doubt, link);
}

/* One message of his, or all if queue_id is NULL. */
static void
remove_doubts(const struct ipc_channel *channel, const char *queue_id)
{
	struct doubt *doubt, *next;

	LIST_FOREACH_SAFE(doubt, &doubts, link, next) {
		if (doubt->channel != channel || (queue_id != NULL &&
		    strcmp(doubt->queue_id, queue_id) != 0))
			continue;
		LIST_REMOVE(doubt, link);
		free(doubt->queue_id);
		free(doubt);
	}
}

bool
succession_packet(struct ipc_channel *channel, struct ipc_packet *packet)
{
	struct ipc_in_doubt in_doubt;
	struct ipc_sent_already sent;
	struct ipc_settled settled;

	if (ipc_decode_in_doubt(packet, &in_doubt) == 0) {
		add_doubt(channel, in_doubt.queue_id);
	} else if (ipc_decode_sent_already(packet, &sent) == 0) {
		recall_add(&(struct sent){ sent.key, sent.dsn, sent.relay,
		    sent.host, sent.text,
		    (enum delivery_action)sent.action });
	} else if (ipc_decode_settled(packet, &settled) == 0) {
		remove_doubts(channel, settled.queue_id);
		job_release_held();
	} else {
		return false;
	}
	return true;
}

void
succession_closed(const struct ipc_channel *channel)
{
	remove_doubts(channel, NULL);
	job_release_held();
}
