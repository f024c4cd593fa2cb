/* routes - where each recipient goes: the questions to trivial-rewrite */

#include "qmgr/qmgr.h"

#include "address/address.h"
#include "config/config.h"

/* trivial-rewrite may go away this often while a message is resolved. */
#define REWRITE_DEATHS_MAX	10

static struct ipc_client *rewrite;

static void on_resolved(struct ipc_packet *reply, void *context);

static void
ask_route(struct message *message, size_t i)
{
	struct ipc_packet packet = IPC_PACKET_EMPTY;

	ipc_encode_resolve(&packet, 0, &(struct ipc_resolve){
	    .sender = message->envelope->sender,
	    .address = message->envelope->recipients[i].address });
	ipc_client_call(rewrite, &packet, on_resolved, message);
}

static void
ask_again(struct message *message)
{
	while (message->states[message->asked_again] != RECIPIENT_QUEUED ||
	    message->asked_again < message->resolved)
		message->asked_again++;
	ask_route(message, message->asked_again++);
	if (++message->again_count == message->unresolved) {
		message->asked_again = 0;
		message->again_count = 0;
	}
}

/* A result that qmgr itself finds for a recipient; kept for the notice and logged like an agent's. */
static void
defer_recipient(struct message *message, size_t i, const char *dsn,
    const char *text)
{
	const struct recipient *recipient = &message->envelope->recipients[i];
	char to[ADDRESS_EXTERNAL_SIZE];

	log_info("%s: to=<%s>, relay=none, delay=0, delays=0/0/0/0, dsn=%s, "
	    "status=deferred (%s)", message->id,
	    address_external(to, recipient->address), dsn, text);
	message_result(message, &(struct delivery_result){
	    .number = recipient->number, .status = DELIVERY_DEFERRED,
	    .dsn = dsn, .text = text, .relay = "none", .remote_mta = "",
	    .diagnostic = "" });
}

/* postsuper spoke meanwhile: nothing more is delivered. */
static void
drop_recipients(struct message *message)
{
	for (size_t i = 0; i < message->envelope->recipient_count; i++) {
		if (message->states[i] != RECIPIENT_QUEUED)
			continue;
		message->states[i] = RECIPIENT_PENDING;
		message->underway--;
	}
}

/*
 * Answers come in the order of the questions, so each belongs to the first
 * recipient that has none yet. An answer of NULL: trivial-rewrite went away.
 */
static void
on_resolved(struct ipc_packet *reply, void *context)
{
	struct message *message = context;
	struct ipc_resolved resolved;
	size_t i;

	if (reply == NULL && message->rewrite_deaths++ < REWRITE_DEATHS_MAX +
	    message->envelope->recipient_count) {
		/* All questions of the message failed with this one, and are asked again in the same order. */
		ask_again(message);
		return;
	}
	while (message->states[message->resolved] != RECIPIENT_QUEUED)
		message->resolved++;
	i = message->resolved++;
	if (reply == NULL || ipc_decode_resolved(reply, &resolved) == -1 ||
	    resolved.error != 0) {
		message->routes[i].transport = "";
	} else {
		message->routes[i] = (struct route){
			.transport = pool_strdup(message->pool, resolved.transport),
			.nexthop = pool_strdup(message->pool, resolved.nexthop),
			.address = pool_strdup(message->pool, resolved.recipient),
		};
	}
	if (--message->unresolved > 0)
		return;
	if (message->operation != NULL)
		drop_recipients(message);
	for (i = 0; i < message->envelope->recipient_count; i++) {
		if (message->states[i] == RECIPIENT_QUEUED &&
		    *message->routes[i].transport == '\0')
			defer_recipient(message, i, "4.3.0",
			    "address resolver failure");
	}
	schedule_message(message);
	message_check_finished(message);
}

void
routes_find(struct message *message)
{
	size_t count = message->envelope->recipient_count;

	if (rewrite == NULL)
		rewrite = ipc_client_new(service_base,
		    config.rewrite_service_name);
	message->resolved = 0;
	message->routes = pool_alloc(message->pool,
	    count * sizeof(*message->routes));
	if (message->routes == NULL) {
		log_warning("%s: too many recipients for memory: it waits",
		    message->id);
		message_try_later(message);
		return;
	}
	message->unresolved = 1;	/* until all questions are asked */
	for (size_t i = 0; i < count; i++) {
		if (message->states[i] != RECIPIENT_PENDING)
			continue;
		message->states[i] = RECIPIENT_QUEUED;
		message->underway++;
		message->unresolved++;
		ask_route(message, i);
	}
	message->unresolved--;
	message_check_finished(message);
}
