/*
 * direct - what sendmail hands over itself, while the system runs
 *
 * It saves the file in maildrop and another program's start. What we do not
 * take it leaves there all the same, so a refusal here is never the last
 * word: too much at once, a large message, an administrator who says who may
 * submit, and as whom (which postdrop asks).
 */

#include "pickup/pickup.h"

#include <stdlib.h>
#include <string.h>

#include "config/config.h"

/* Envelope of one message. */
#define DROP_POOL	(1 << 20)

static bool
is_permitted(void)
{
	return strcmp(config.authorized_submit_users, "static:anyone") == 0 &&
	    strcmp(config.local_login_sender_maps, "static:*") == 0 &&
	    submit_takes_direct() && !service_is_leaving();
}

/* Of a packet that anybody may have made: NULL if it is not a message that we take. */
static struct drop *
read_drop(struct ipc_channel *channel, const struct ipc_packet *packet)
{
	struct ipc_submit given;

	if (ipc_decode_submit(packet, &given) == -1 || given.file != -1 ||
	    given.content.length > IPC_INLINE_MAX ||
	    (config.message_size_limit > 0 &&
	    (int64_t)given.content.length > config.message_size_limit))
		return NULL;

	struct drop *drop = mem_zalloc(1, sizeof(*drop));
	const struct envelope *envelope;

	drop->fd = -1;
	drop->uid = ipc_channel_peer(channel);
	drop->pool = pool_new(DROP_POOL);
	envelope = envelope_decode(drop->pool, given.envelope.bytes,
	    given.envelope.length);
	if (envelope != NULL && envelope->recipient_count > 0)
		drop->envelope = claim_envelope(drop->pool, envelope, drop->uid,
		    clock_wall_us());
	if (drop->envelope == NULL || *drop->envelope->token == '\0') {
		drop_free(&drop);
		return NULL;
	}
	claim_content(given.content.bytes, given.content.length,
	    &drop->content);
	drop->content_length = (int64_t)drop->content.length;
	spool_make_id(drop->name, 0);
	drop->channel = channel;
	drop->request = ipc_packet_request(packet);
	return drop;
}

static void
answer(struct ipc_channel *channel, uint64_t request, int status,
    const char *queue_id)
{
	struct ipc_packet packet = IPC_PACKET_EMPTY;

	ipc_encode_submit_result(&packet, request, &(struct ipc_submit_result){
	    .queue_id = queue_id, .status = status, .dsn = "", .reason = "" });
	ipc_channel_send(channel, &packet);
}

void
direct_answer(const struct drop *drop, int status, const char *queue_id)
{
	if (drop->channel != NULL)
		answer(drop->channel, drop->request, status, queue_id);
}

void
direct_packet(struct ipc_channel *channel, struct ipc_packet *packet,
    void *context)
{
	struct drop *drop = NULL;

	/* Who does not read our answers gets no more of them. */
	if (ipc_channel_unsent(channel) > 0)
		return;
	if (is_permitted())
		drop = read_drop(channel, packet);
	if (drop == NULL)
		answer(channel, ipc_packet_request(packet), 450, "");
	else
		submit_drop(drop);
}
