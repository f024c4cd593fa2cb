/*
 * routes - where each recipient goes: the questions to trivial-rewrite
 *
 * A message has at most QUESTIONS_MAX out, so that one with 100,000 recipients
 * does not keep the next one's question waiting. One that goes to a content
 * filter needs none: its way is written in its envelope, and where the
 * recipients are is asked when the filter has brought it back.
 */

#include "qmgr/qmgr.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "address/address.h"
#include "config/config.h"
#include "delivery/route.h"
#include "qmgr/schedule/schedule.h"

/* trivial-rewrite may go away this often with a question. */
#define DEATHS_MAX	10

/* Questions of one message that wait for their answers. */
#define QUESTIONS_MAX	100

struct question {
	struct message	*message;
	size_t		 recipient;
	int		 deaths;
};

static struct ipc_client *rewrite;

static void on_resolved(struct ipc_packet *reply, void *context);

static void
ask(struct question *question)
{
	const struct envelope *envelope = question->message->envelope;
	struct ipc_packet packet = IPC_PACKET_EMPTY;

	ipc_encode_resolve(&packet, 0, &(struct ipc_resolve){
	    .sender = envelope->sender,
	    .address = envelope->recipients[question->recipient].address,
	    .probe = (envelope->flags & ENVELOPE_PROBE) != 0 });
	ipc_client_call(rewrite, &packet, on_resolved, question);
}

/* The next recipients' questions, while there is room for them. */
static void
ask_more(struct message *message)
{
	size_t count = message->envelope->recipient_count;

	for (; message->asked < count && message->unresolved < QUESTIONS_MAX;
	    message->asked++) {
		struct question *question;

		if (message->states[message->asked] != RECIPIENT_QUEUED)
			continue;
		question = mem_zalloc(1, sizeof(*question));
		question->message = message;
		question->recipient = message->asked;
		message->unresolved++;
		ask(question);
	}
}

/* postsuper spoke meanwhile: nothing more is delivered. */
static void
drop_recipients(struct message *message)
{
	for (size_t i = 0; i < message->envelope->recipient_count; i++) {
		if (message->states[i] == RECIPIENT_QUEUED)
			message_drop_recipient(message, i);
	}
}

static void
defer_unresolved(struct message *message)
{
	for (size_t i = 0; i < message->envelope->recipient_count; i++) {
		if (message->states[i] == RECIPIENT_QUEUED &&
		    message->routes[i].transport == NULL)
			entry_defer(message, &i, 1, "4.3.0",
			    "address resolver failure");
	}
}

/* What comes back from the postmaster is nobody's. */
static bool
is_double_bounce(const struct ipc_resolved *resolved)
{
	size_t length = address_localpart_length(resolved->recipient);

	return resolved->address_class == CLASS_LOCAL &&
	    length == strlen(config.double_bounce_sender) &&
	    strncasecmp(resolved->recipient, config.double_bounce_sender,
	    length) == 0;
}

/* The recipients of a list have few transports and nexthops: one copy serves those that follow one another. */
static const char *
keep(struct message *message, const char *last, const char *text)
{
	return last != NULL && strcmp(last, text) == 0 ? last :
	    pool_strdup(message->pool, text);
}

static void
set_route(struct message *message, size_t recipient,
    const struct ipc_resolved *resolved)
{
	const struct route *last = &message->routes[recipient -
	    (recipient > 0)];
	struct route route = {
		.nexthop = keep(message, last->nexthop, resolved->nexthop),
		.address = pool_strdup(message->pool, resolved->recipient),
		.transport = keep(message, last->transport,
		    resolved->transport),
	};

	if (is_double_bounce(resolved)) {
		route.transport = "discard";
		route.nexthop = "undeliverable postmaster notification discarded";
	}
	/* A route is whole, or it is none. */
	if (route.nexthop != NULL && route.address != NULL)
		message->routes[recipient] = route;
}

/* reply is NULL when trivial-rewrite went away. */
static void
on_resolved(struct ipc_packet *reply, void *context)
{
	struct question *question = context;
	struct message *message = question->message;
	struct ipc_resolved resolved;

	if (reply == NULL && question->deaths++ < DEATHS_MAX) {
		ask(question);
		return;
	}
	if (reply != NULL && ipc_decode_resolved(reply, &resolved) == 0 &&
	    resolved.error == 0)
		set_route(message, question->recipient, &resolved);
	free(question);
	message->unresolved--;
	if (message->operation == NULL)
		ask_more(message);
	if (message->unresolved > 0)
		return;
	if (message->operation != NULL)
		drop_recipients(message);
	defer_unresolved(message);
	schedule_message(message);
	message_check_finished(message);
}

/* What only asks whether it could be delivered is nothing for a filter. */
static bool
is_filtered(const struct message *message)
{
	return *message->envelope->filter != '\0' &&
	    !(message->envelope->flags & ENVELOPE_VERIFY);
}

/* "transport:nexthop"; without a nexthop it is default_filter_nexthop, or the recipient's domain. */
static void
filter_recipients(struct message *message)
{
	const char *filter = message->envelope->filter;
	size_t length = strcspn(filter, ":");
	const char *nexthop = filter[length] == ':' ? filter + length + 1 : "";
	char *transport = pool_strndup(message->pool, filter, length);

	if (*nexthop == '\0')
		nexthop = config.default_filter_nexthop;
	for (size_t i = 0; i < message->envelope->recipient_count; i++) {
		const char *address = message->envelope->recipients[i].address;
		const char *domain = address_domain(address);

		if (message->states[i] != RECIPIENT_QUEUED || transport == NULL)
			continue;
		message->routes[i] = (struct route){ transport,
		    *nexthop != '\0' ? nexthop : domain != NULL &&
		    *domain != '\0' ? domain : config.myhostname, address };
	}
	defer_unresolved(message);
	schedule_message(message);
}

void
routes_find(struct message *message)
{
	size_t count = message->envelope->recipient_count;

	if (rewrite == NULL)
		rewrite = ipc_client_new(service_base,
		    config.rewrite_service_name);
	message->routes = pool_alloc(message->pool,
	    count * sizeof(*message->routes));
	if (message->routes == NULL) {
		log_warning("%s: too many recipients for memory: it waits",
		    message->id);
		message_try_later(message);
		return;
	}
	message->asked = 0;
	for (size_t i = 0; i < count; i++) {
		if (message->states[i] != RECIPIENT_PENDING)
			continue;
		message->states[i] = RECIPIENT_QUEUED;
		message->underway++;
	}
	if (is_filtered(message))
		filter_recipients(message);
	else
		ask_more(message);
	message_check_finished(message);
}
