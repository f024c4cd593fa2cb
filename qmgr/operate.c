/*
 * operate - postqueue, postsuper and showq: what is in our hands, and what to do with it
 *
 * postsuper sends ids by the hundred. What is in memory obeys at once, or when
 * its agents are done; the rest are files, and go to the filer in one question.
 * The answer is given when all is durable.
 */

#include "qmgr/qmgr.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "config/config.h"

struct operation {
	TAILQ_ENTRY(operation)	 next;
	struct ipc_channel	*channel;	/* NULL: nobody waits for the answer any more */
	uint64_t		 number;
	char			*name;
	struct text		 done;		/* '+' or '-', one an id */
	struct text		 files;		/* ids that the filer has, a line each */
	struct text		 places;	/* of these in done: size_t each */
	struct map		*filing;	/* ids in memory that the filer has a question about */
	size_t			 waiting;	/* answers that the filer owes */
};

static TAILQ_HEAD(, operation) operations = TAILQ_HEAD_INITIALIZER(operations);

static void
end_if_done(struct operation *operation)
{
	struct ipc_packet reply = IPC_PACKET_EMPTY;

	if (operation->waiting > 0)
		return;
	if (operation->channel != NULL) {
		ipc_encode_queue_operated(&reply, operation->number,
		    &(struct ipc_queue_operated){ .done = {
		    text_string(&operation->done), operation->done.length } });
		ipc_channel_send(operation->channel, &reply);
	}
	TAILQ_REMOVE(&operations, operation, next);
	free(operation->name);
	map_free(&operation->filing, NULL);
	text_clear(&operation->done);
	text_clear(&operation->files);
	text_clear(&operation->places);
	free(operation);
}

static void
on_flushed(void *context)
{
	struct operation *operation = context;

	operation->waiting--;
	end_if_done(operation);
}

/* What is to be done beside what the filer did with the file. */
static void
follow(const char *operation, const char *id)
{
	struct message *message = message_find(id);

	/* It was fetched at the same time. */
	if (message != NULL)
		message_operate(message, operation);
	else if (strcmp(operation, "release") == 0 ||
	    strcmp(operation, "expire") == 0)
		deferred_wake(id, true);
}

static void
on_filed(struct ipc_packet *packet, void *context)
{
	struct operation *operation = context;
	struct ipc_queue_operated operated = { .done = { "", 0 } };
	char *cursor = operation->files.bytes, *id;
	const char *places = operation->places.bytes;

	ipc_decode_queue_operated(packet, &operated);
	for (size_t i = 0; i < operated.done.length &&
	    (id = word_next(&cursor, "\n")) != NULL; i++) {
		size_t place;

		memcpy(&place, places + i * sizeof(place), sizeof(place));
		if (operated.done.bytes[i] != '+')
			continue;
		operation->done.bytes[place] = '+';
		follow(operation->name, id);
	}
	operation->waiting--;
	end_if_done(operation);
}

/* It is answered when the filer has said its last word about this one. */
static void
wait_for(struct operation *operation, const char *id)
{
	struct message *message = message_find(id);

	if (message != NULL && message->is_filing &&
	    map_set(operation->filing, id, operation) == NULL)
		operation->waiting++;
}

void
operate_settled(const char *id)
{
	struct operation *operation, *next;

	TAILQ_FOREACH_SAFE(operation, &operations, next, next) {
		if (map_remove(operation->filing, id) == NULL)
			continue;
		operation->waiting--;
		end_if_done(operation);
	}
}

static void
obey(struct operation *operation, const char *id)
{
	struct message *message = message_find(id);
	size_t place = operation->done.length;

	text_putc(&operation->done, '-');
	if (message != NULL) {
		if (message_operate(message, operation->name))
			operation->done.bytes[place] = '+';
		wait_for(operation, id);
	} else if (spool_id_is_valid(id)) {
		text_printf(&operation->files, "%s\n", id);
		text_append(&operation->places, &place, sizeof(place));
	}
}

static void
begin_operation(struct ipc_channel *channel, struct ipc_packet *packet,
    const struct ipc_queue_operation *asked)
{
	struct operation *operation = mem_zalloc(1, sizeof(*operation));
	struct ipc_packet question = IPC_PACKET_EMPTY;
	char *ids = mem_strndup(asked->queue_ids.bytes, asked->queue_ids.length);
	char *cursor = ids, *id;

	operation->channel = channel;
	operation->number = ipc_packet_request(packet);
	operation->name = mem_strdup(asked->operation);
	operation->filing = map_new();
	operation->waiting = 1;		/* the flush */
	TAILQ_INSERT_TAIL(&operations, operation, next);
	while ((id = word_next(&cursor, "\n")) != NULL)
		obey(operation, id);
	free(ids);
	if (operation->files.length > 0) {
		operation->waiting++;
		ipc_encode_queue_operation(&question, 0,
		    &(struct ipc_queue_operation){ .operation = operation->name,
		    .queue_ids = { operation->files.bytes,
			operation->files.length } });
		filing_ask(&question, on_filed, operation);
	}
	/*
	 * For a file as well: its record in the journal, left a moment ago, is
	 * finished by a mark that would not survive a power cut yet.
	 */
	journal_flush(on_flushed, operation);
}

void
operate_closed(struct ipc_channel *channel)
{
	struct operation *operation;

	TAILQ_FOREACH(operation, &operations, next) {
		if (operation->channel == channel)
			operation->channel = NULL;
	}
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

/* Ids with blanks between them. */
static void
try_now(const char *words)
{
	char *ids = mem_strdup(words), *cursor = ids, *id;

	while ((id = word_next(&cursor, " ")) != NULL) {
		if (spool_id_is_valid(id))
			deferred_wake(id, true);
	}
	free(ids);
}

void
operate_nudge(const char *word)
{
	if (service_is_leaving())
		hand_on_nudge(word);
	else if (*word == '\0')
		deferred_scan(false);		/* master's wake-up */
	else if (strcmp(word, "flush") == 0) {
		schedule_forgive();
		message_each(message_try_now, NULL);
		deferred_scan(true);
	} else if (text_starts_with(word, "flush id "))
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
	struct text reasons = TEXT_EMPTY;
	bool waits = message->is_leaving && message->goal == SPOOL_DEFERRED;

	envelope_encode(message->envelope, &envelope);
	place_marks(message, &marks);
	if (waits)
		text_append(&reasons, message->results.bytes,
		    message->results.length);
	else
		schedule_reasons(message, &reasons);
	ipc_encode_listed(&packet, 0, &(struct ipc_listed){
	    .queue = waits ? "deferred" : "active", .segment = message->segment != NULL,
	    .envelope = { envelope.bytes, envelope.length },
	    .marks = { text_string(&marks), marks.length },
	    .reasons = { text_string(&reasons), reasons.length } });
	ipc_channel_send(channel, &packet);
	text_clear(&reasons);
	text_clear(&envelope);
	text_clear(&marks);
}

static void
list(struct ipc_channel *channel, const char *id, uint64_t number)
{
	struct ipc_packet reply = IPC_PACKET_EMPTY;

	if (*id == '\0')
		message_each(send_listed, channel);
	else if (message_find(id) != NULL)
		send_listed(message_find(id), channel);
	ipc_encode_done(&reply, number, &(struct ipc_done){
	    .reason = arrivals_unread() ? "unread" : "" });
	ipc_channel_send(channel, &reply);
}

void
operate_packet(struct ipc_channel *channel, struct ipc_packet *packet)
{
	struct ipc_packet reply = IPC_PACKET_EMPTY;
	struct ipc_queue_operation operation;
	struct ipc_list asked;
	uint64_t number = ipc_packet_request(packet);

	if (ipc_decode_queue_operation(packet, &operation) == 0) {
		begin_operation(channel, packet, &operation);
	} else if (ipc_decode_list(packet, &asked) == 0) {
		list(channel, asked.queue_id, number);
	} else {
		ipc_encode_done(&reply, number, &(struct ipc_done){
		    .error = EINVAL, .reason = "bad request" });
		ipc_channel_send(channel, &reply);
	}
}
