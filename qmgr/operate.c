/* operate - postqueue, postsuper and showq: what is in our hands, and what to do with it */

#include "qmgr/qmgr.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "config/config.h"

static bool
try_now(const char *id)
{
	return spool_file_find(id) == SPOOL_DEFERRED &&
	    deferred_load(SPOOL_DEFERRED, id, false);
}

/* Obey, now or when the agents are done. False if there is nothing to obey in. */
static bool
obey(const char *operation, const char *id)
{
	enum spool_queue queue;
	struct message *message = message_find(id);
	int found;

	if (message != NULL)
		return message_operate(message, operation);
	found = spool_file_find(id);
	if (found == -1)
		return false;
	queue = (enum spool_queue)found;
	if (strcmp(operation, "delete") == 0) {
		notices_forget(id);
		return spool_file_remove(queue, id) == 0;
	}
	if (strcmp(operation, "hold") == 0)
		return queue != SPOOL_HOLD && queue != SPOOL_CORRUPT &&
		    spool_file_move(queue, SPOOL_HOLD, id) == 0;
	if (strcmp(operation, "release") == 0)
		return queue == SPOOL_HOLD &&
		    spool_file_move(SPOOL_HOLD, SPOOL_DEFERRED, id) == 0 &&
		    deferred_load(SPOOL_DEFERRED, id, false);
	/* A last try, after which what is left goes back. */
	if (strcmp(operation, "expire") == 0 && try_now(id)) {
		message = message_find(id);
		if (message != NULL)
			message->force_expired = true;
		return true;
	}
	return false;
}

/* We are leaving and take nothing up: our successor hears it when it begins. */
static void
hand_on_nudge(const char *word)
{
	char *path = mem_printf("private/%s", config.queue_service_name);

	if (ipc_nudge(path, word) == -1)
		log_warning("\"%s\" came during a reload and is lost: %m; say it "
		    "again", word);
	free(path);
}

void
operate_nudge(const char *word)
{
	if (service_is_leaving())
		hand_on_nudge(word);
	else if (*word == '\0')
		deferred_scan(false);		/* master's wake-up */
	else if (strcmp(word, "flush") == 0)
		deferred_scan(true);
	else if (text_starts_with(word, "flush id ") &&
	    spool_id_is_valid(word + strlen("flush id ")))
		try_now(word + strlen("flush id "));
	else
		log_warning("a nudge that nobody understands: %s", word);
}

static void
send_listed(struct message *message, void *context)
{
	struct ipc_channel *channel = context;
	struct ipc_packet packet = IPC_PACKET_EMPTY;
	struct text envelope = TEXT_EMPTY, marks = TEXT_EMPTY;

	envelope_encode(message->envelope, &envelope);
	message_marks(message, &marks);
	ipc_encode_listed(&packet, 0, &(struct ipc_listed){
	    .queue = "active", .segment = message->segment != NULL,
	    .force_expired = message->force_expired,
	    .envelope = { envelope.bytes, envelope.length },
	    .marks = { text_string(&marks), marks.length } });
	ipc_channel_send(channel, &packet);
	text_clear(&envelope);
	text_clear(&marks);
}

void
operate_packet(struct ipc_channel *channel, struct ipc_packet *packet)
{
	struct ipc_packet reply = IPC_PACKET_EMPTY;
	struct ipc_queue_operation operation;
	struct ipc_list list;
	uint64_t number = ipc_packet_request(packet);

	if (ipc_decode_queue_operation(packet, &operation) == 0 &&
	    spool_id_is_valid(operation.queue_id)) {
		bool done = obey(operation.operation, operation.queue_id);

		ipc_encode_queue_operated(&reply, number,
		    &(struct ipc_queue_operated){ .count = done });
	} else if (ipc_decode_list(packet, &list) == 0) {
		if (*list.queue_id == '\0')
			message_each(send_listed, channel);
		else if (message_find(list.queue_id) != NULL)
			send_listed(message_find(list.queue_id), channel);
		ipc_encode_done(&reply, number, &(struct ipc_done){ .reason = "" });
	} else {
		ipc_encode_done(&reply, number, &(struct ipc_done){
		    .error = EINVAL, .reason = "bad request" });
	}
	ipc_channel_send(channel, &reply);
}
