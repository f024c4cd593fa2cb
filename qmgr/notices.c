/* notices - what bounce(8) is asked: tell a sender, remember why mail waits */

#include "qmgr/qmgr.h"

#include <stdlib.h>
#include <string.h>

#include "config/config.h"

/* bounce may die with a notice in hand; then it is asked again, after a while. */
#define ASK_AGAIN_SECONDS	1
#define DEATHS_MAX		5

/* Questions that bounce has at once: two batches. A question has a message's content with it, and a storm has thousands. */
#define ASKED_MAX		128

/* The reports that one message's round ends with, one after the other. */
struct question {
	STAILQ_ENTRY(question) next;	/* while it waits for its turn */
	char	id[SPOOL_ID_SIZE];
	enum notice_kind kinds[2];	/* to be told, the last one first */
	int	left;
	bool	expired, failed, again;
	void  (*told)(struct message *message, bool ok);
	int	deaths;
};

static const struct {
	const char	**service;
	enum recipient_state told;	/* whom the notice makes done; PENDING: nobody */
} kinds[] = {
	[NOTICE_FAILURE] = { &config.bounce_service_name, RECIPIENT_BOUNCED },
	[NOTICE_DELAY] = { &config.defer_service_name, RECIPIENT_PENDING },
	[NOTICE_SUCCESS] = { &config.trace_service_name, RECIPIENT_OWED },
	[NOTICE_TRACE] = { &config.trace_service_name, RECIPIENT_OWED },
	[NOTICE_VERIFY] = { &config.trace_service_name, RECIPIENT_OWED },
};

static STAILQ_HEAD(, question) waiting = STAILQ_HEAD_INITIALIZER(waiting);
static size_t asked;

static void send_question(struct message *message, struct question *question);

static struct ipc_client *
client_of(const char *service)
{
	static struct ipc_client *clients[COUNT_OF(kinds)];
	static const char *names[COUNT_OF(kinds)];
	size_t i = 0;

	while (names[i] != NULL && strcmp(names[i], service) != 0)
		i++;
	if (names[i] == NULL) {
		names[i] = service;
		clients[i] = ipc_client_new(service_base, service);
	}
	return clients[i];
}

/* Its message, unless postsuper took that away meanwhile. */
static struct message *
message_of(const struct question *question)
{
	struct message *message = message_find(question->id);

	return message != NULL && message->telling == question ? message : NULL;
}

static void
ask(struct message *message, struct question *question)
{
	if (asked < ASKED_MAX)
		send_question(message, question);
	else
		STAILQ_INSERT_TAIL(&waiting, question, next);
}

/* An answer made room. */
static void
ask_waiting(void)
{
	struct question *question;
	struct message *message;

	while (asked < ASKED_MAX &&
	    (question = STAILQ_FIRST(&waiting)) != NULL) {
		STAILQ_REMOVE_HEAD(&waiting, next);
		message = message_of(question);
		if (message != NULL)
			send_question(message, question);
		else
			free(question);
	}
}

static void
on_again(int fd, short what, void *context)
{
	struct question *question = context;
	struct message *message = message_of(question);

	if (message != NULL)
		ask(message, question);
	else
		free(question);
}

/* Remember that the sender knows. */
static void
settle(struct message *message, enum notice_kind kind)
{
	enum recipient_state told = kinds[kind].told;

	if (kind == NOTICE_DELAY) {
		message->warned = true;	/* its file remembers it, as durably as a mark */
		message->marked++;
		return;
	}
	for (size_t i = 0; i < message->envelope->recipient_count; i++) {
		if (message->states[i] == (uint8_t)told)
			message_set_state(message, i, RECIPIENT_DONE);
	}
}

static void
go_on(struct message *message, struct question *question, bool ok)
{
	void (*told)(struct message *, bool) = question->told;

	question->left--;
	question->deaths = 0;
	question->again = false;
	question->failed |= !ok;
	if (ok)
		settle(message, question->kinds[question->left]);
	if (question->left > 0) {
		ask(message, question);
		return;
	}
	ok = !question->failed;
	message->telling = NULL;
	free(question);
	told(message, ok);
}

static void
on_told(struct ipc_packet *reply, void *context)
{
	struct question *question = context;
	struct message *message = message_of(question);
	const struct timeval pause = { ASK_AGAIN_SECONDS, 0 };
	struct ipc_done done;
	bool ok = reply != NULL && ipc_decode_done(reply, &done) == 0 &&
	    done.error == 0;

	asked--;
	/* Whether it died before or after the notice was durable: the second is known as the first by its key. */
	if (message != NULL && reply == NULL &&
	    ++question->deaths < DEATHS_MAX) {
		question->again = true;
		event_base_once(service_base, -1, EV_TIMEOUT, on_again, question,
		    &pause);
	} else if (message != NULL) {
		go_on(message, question, ok);
	} else {
		free(question);
	}
	ask_waiting();
}

static void
send_question(struct message *message, struct question *question)
{
	enum notice_kind kind = question->kinds[question->left - 1];
	struct ipc_packet packet = IPC_PACKET_EMPTY;
	struct text envelope = TEXT_EMPTY, content = TEXT_EMPTY;
	int64_t offset;
	int file;

	if (message_put_content(message, &content, &file, &offset) == -1) {
		log_warning("%s: cannot read its content: %m", message->id);
		go_on(message, question, false);
		return;
	}
	envelope_encode(message->envelope, &envelope);
	ipc_encode_notice(&packet, 0, &(struct ipc_notice){
	    .kind = kind,
	    .flags = (question->expired ? NOTICE_EXPIRED : 0) |
		(question->again || message->perhaps_delivered ?
		NOTICE_AGAIN : 0),
	    .envelope = { envelope.bytes, envelope.length },
	    .results = { text_string(&message->results), message->results.length },
	    .content = { text_string(&content), content.length },
	    .file = file, .offset = offset,
	    .length = message->record.content_length });
	asked++;
	ipc_client_call(client_of(*kinds[kind].service), &packet, on_told,
	    question);
	text_clear(&envelope);
	text_clear(&content);
}

static struct question *
question_new(struct message *message,
    void (*told)(struct message *, bool))
{
	struct question *question = mem_zalloc(1, sizeof(*question));

	strlcpy(question->id, message->id, sizeof(question->id));
	question->told = told;
	message->telling = question;
	return question;
}

/* sendmail -v wants to hear of the first try; what was tried before waits in deferred. */
static bool
is_traced(const struct message *message)
{
	bool is_first = message->segment != NULL ||
	    message->queue != SPOOL_DEFERRED;

	return (message->envelope->flags & ENVELOPE_TRACE) && is_first;
}

void
notices_send(struct message *message, bool expired,
    void (*told)(struct message *, bool))
{
	int64_t flags = message->envelope->flags;
	bool fails = message_has(message, RECIPIENT_BOUNCED);
	bool reports = is_traced(message) ? message->results.length > 0 :
	    message_has(message, RECIPIENT_OWED);
	struct question *question;

	if (!fails && !reports) {
		told(message, true);
		return;
	}
	question = question_new(message, told);
	question->expired = expired;
	if (reports)
		question->kinds[question->left++] = (flags & ENVELOPE_VERIFY) ?
		    NOTICE_VERIFY : is_traced(message) ? NOTICE_TRACE :
		    NOTICE_SUCCESS;
	if (fails)
		question->kinds[question->left++] = NOTICE_FAILURE;
	ask(message, question);
}

bool
notices_is_delay_due(const struct message *message)
{
	return config.delay_warning_time > 0 && !message->warned &&
	    *message->envelope->sender != '\0' &&
	    message_has(message, RECIPIENT_DEFERRED) &&
	    clock_wall_us() - message->envelope->arrival_us >=
	    (int64_t)config.delay_warning_time * 1000000;
}

void
notices_send_delay(struct message *message,
    void (*told)(struct message *, bool))
{
	struct question *question = question_new(message, told);

	question->kinds[question->left++] = NOTICE_DELAY;
	ask(message, question);
}

bool
notices_owe(const struct message *message, const struct delivery_result *result)
{
	const struct envelope *envelope = message->envelope;

	if (envelope->flags & ENVELOPE_VERIFY)
		return true;
	if (result->status != DELIVERY_SENT)
		return false;
	return is_traced(message) ||
	    ((envelope->recipients[result->number].dsn_notify &
	    DSN_NOTIFY_SUCCESS) && result->action != ACTION_PASSED_ON);
}
