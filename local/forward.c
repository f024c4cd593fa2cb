/*
 * forward - what aliases lead elsewhere goes on as one new message
 *
 * It is derived from its parent: the same arrival, and a unique key made of
 * the parent's and the recipient's number. Should this process die before its
 * result is known, the second copy is the same message to every Maildir.
 */

#include "local/local.h"

#include <errno.h>
#include <string.h>

#include "address/address.h"
#include "delivery/later.h"
#include "delivery/submit.h"

static struct envelope *
make_envelope(const struct plan *plan, const struct delivery_request *request,
    const struct recipient *recipient, size_t size)
{
	const struct envelope *parent = request->envelope;
	struct envelope *envelope = envelope_new(plan->pool);

	if (envelope == NULL)
		return NULL;
	envelope->arrival_us = parent->arrival_us;
	envelope->unique = pool_printf(plan->pool, "%s-%lld", parent->unique,
	    (long long)recipient->number);
	envelope->sender = plan->owner != NULL && parent->sender[0] != '\0'
	    ? plan->owner : parent->sender;
	envelope->flags = parent->flags & (ENVELOPE_8BIT | ENVELOPE_SMTPUTF8
	    | ENVELOPE_BOUNCE);
	envelope->size = (int64_t)size;
	envelope->message_id = parent->message_id;
	if (plan->owner == NULL) {
		envelope->dsn_envid = parent->dsn_envid;
		envelope->dsn_ret = parent->dsn_ret;
	}
	for (size_t i = 0; i < plan->forward_count; i++) {
		struct recipient *to = envelope_add_recipient(envelope, plan->forward[i]);

		if (to == NULL)
			return NULL;
		to->original = recipient->original[0] != '\0' ? recipient->original
		    : recipient->address;
		/* What a list sends is told to its owner, in his own way (RFC 3461 section 5.2.7.3). */
		if (plan->owner != NULL)
			continue;
		to->dsn_orcpt = recipient->dsn_orcpt;
		to->dsn_notify = envelope_notify_expanded(recipient->dsn_notify);
	}
	return envelope->unique == NULL ? NULL : envelope;
}

static void
decide_unable(struct plan *plan, int error)
{
	plan_decide(plan, DELIVERY_DEFERRED, "4.3.0",
	    "unable to forward message: %s", strerror(error));
}

static void
decide(struct plan *plan, const struct ipc_submit_result *result)
{
	if (result->queue_id[0] == '\0') {
		plan_decide(plan, result->dsn[0] == '5' ? DELIVERY_BOUNCED
		    : DELIVERY_DEFERRED, pool_strdup(plan->pool, result->dsn),
		    "unable to forward message: %s", result->reason);
		return;
	}
	plan->action = plan->owner != NULL ? ACTION_DELIVERED : ACTION_EXPANDED;
	plan_decide(plan, DELIVERY_SENT, "2.0.0", "forwarded as %s",
	    result->queue_id);
}

static void
submit(struct plan *plan, struct envelope *envelope, const struct text *content)
{
	struct ipc_packet reply = IPC_PACKET_EMPTY;
	struct ipc_submit_result result;

	if (delivery_submit(envelope, content, &reply, &result) == -1)
		decide_unable(plan, errno);
	else
		decide(plan, &result);
	ipc_packet_clear(&reply);
}

/* The new message. Its content goes with text_clear(). NULL: decided. */
static struct envelope *
make_message(struct plan *plan, const struct delivery_request *request,
    const struct recipient *recipient, struct text *content)
{
	struct envelope *envelope;

	/* By this the next post, and we, know a loop. */
	text_puts(content, "Delivered-To: ");
	address_quote(content, recipient->address);
	text_putc(content, '\n');
	text_append(content, request->content, request->content_length);
	envelope = make_envelope(plan, request, recipient, content->length);
	if (envelope == NULL)
		plan_decide(plan, DELIVERY_DEFERRED, "4.3.0", "out of memory");
	return envelope;
}

void
deliver_forward(struct plan *plan, struct delivery_request *request,
    const struct recipient *recipient)
{
	struct text content = TEXT_EMPTY;
	struct envelope *envelope = make_message(plan, request, recipient,
	    &content);

	if (envelope != NULL)
		submit(plan, envelope, &content);
	text_clear(&content);
}

bool
forward_later(struct plan *plan, struct delivery_request *request,
    const struct recipient *recipient, struct later **later)
{
	struct text content = TEXT_EMPTY;
	struct delivery_submission submission = {
		.envelope = make_message(plan, request, recipient, &content),
		.content = &content,
		.again = request->perhaps_delivered,
	};

	*later = NULL;
	if (submission.envelope != NULL &&
	    (*later = later_submit(&submission)) == NULL) {
		if (submission.is_answered)
			decide(plan, &submission.result);
		else
			decide_unable(plan, errno);
		later_done(&submission);
	}
	text_clear(&content);
	return *later == NULL;
}
