/* notices - what bounce(8) is asked: tell a sender, remember why mail waits */

#include "qmgr/qmgr.h"

#include <stdlib.h>
#include <string.h>

#include "config/config.h"

static struct ipc_client *bounce, *defer;

/* bounce may die with a notice in hand; then it is asked again, after a while. */
#define ASK_AGAIN_SECONDS	1
#define DEATHS_MAX		5

struct question {
	char	id[SPOOL_ID_SIZE];
	enum notice_kind kind;
	void  (*told)(struct message *message, bool ok);
	int	deaths;
};

static void send_question(struct message *message, struct question *question);

static struct ipc_client *
client_of(struct ipc_client **client, const char *service)
{
	if (*client == NULL)
		*client = ipc_client_new(service_base, service);
	return *client;
}

static void
on_again(int fd, short what, void *context)
{
	struct question *question = context;
	struct message *message = message_find(question->id);

	if (message != NULL)
		send_question(message, question);
	else
		free(question);
}

static void
on_told(struct ipc_packet *reply, void *context)
{
	struct question *question = context;
	struct message *message = message_find(question->id);
	const struct timeval pause = { ASK_AGAIN_SECONDS, 0 };
	struct ipc_done done;
	bool ok = reply != NULL && ipc_decode_done(reply, &done) == 0 &&
	    done.error == 0;

	/* Whether it died before or after the notice was durable: the second is known as the first by its key. */
	if (reply == NULL && ++question->deaths < DEATHS_MAX) {
		event_base_once(service_base, -1, EV_TIMEOUT, on_again, question,
		    &pause);
		return;
	}
	if (message != NULL)
		question->told(message, ok);
	free(question);
}

static void
send_question(struct message *message, struct question *question)
{
	struct ipc_packet packet = IPC_PACKET_EMPTY;
	struct text envelope = TEXT_EMPTY, content = TEXT_EMPTY;
	int64_t offset;
	int file;

	if (message_put_content(message, &content, &file, &offset) == -1) {
		log_warning("%s: cannot read its content: %m", message->id);
		question->told(message, false);
		free(question);
		return;
	}
	envelope_encode(message->envelope, &envelope);
	ipc_encode_notice(&packet, 0, &(struct ipc_notice){
	    .kind = question->kind,
	    .envelope = { envelope.bytes, envelope.length },
	    .results = { text_string(&message->results), message->results.length },
	    .content = { text_string(&content), content.length },
	    .file = file, .offset = offset,
	    .length = message->record.content_length });
	ipc_client_call(client_of(&bounce, config.bounce_service_name), &packet,
	    on_told, question);
	text_clear(&envelope);
	text_clear(&content);
}

void
notices_send(struct message *message, enum notice_kind kind,
    void (*told)(struct message *, bool))
{
	struct question *question = mem_zalloc(1, sizeof(*question));

	strlcpy(question->id, message->id, sizeof(question->id));
	question->kind = kind;
	question->told = told;
	send_question(message, question);
}

/* For mailq and the notice that may come one day. Losing it costs a reason, not mail: nobody waits for it. */
void
notices_remember(struct message *message)
{
	struct ipc_packet packet = IPC_PACKET_EMPTY;

	ipc_encode_remember(&packet, 0, &(struct ipc_remember){
	    .queue_id = message->id,
	    .results = { text_string(&message->results),
		message->results.length } });
	ipc_client_call(client_of(&defer, config.defer_service_name), &packet,
	    NULL, NULL);
}

void
notices_forget(const char *id)
{
	struct ipc_packet packet = IPC_PACKET_EMPTY;

	ipc_encode_forget(&packet, 0, &(struct ipc_forget){ .queue_id = id });
	ipc_client_call(client_of(&defer, config.defer_service_name), &packet,
	    NULL, NULL);
}
