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
#include "config/config.h"

static int cleanup = -1;

void
forward_forget_connection(void)
{
	fd_close(&cleanup);
}

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
	envelope->dsn_envid = parent->dsn_envid;
	envelope->dsn_ret = parent->dsn_ret;
	for (size_t i = 0; i < plan->forward_count; i++) {
		struct recipient *to = envelope_add_recipient(envelope, plan->forward[i]);

		if (to == NULL)
			return NULL;
		to->original = recipient->original[0] != '\0' ? recipient->original
		    : recipient->address;
		to->dsn_orcpt = recipient->dsn_orcpt;
		to->dsn_notify = recipient->dsn_notify;
	}
	return envelope->unique == NULL ? NULL : envelope;
}

/* A file for a message that is too large for a packet; -1 with errno. */
static int
borrow_file(const struct text *content)
{
	struct ipc_packet request = IPC_PACKET_EMPTY, reply = IPC_PACKET_EMPTY;
	struct ipc_content_file_lent lent;
	int file = -1;

	ipc_encode_content_file(&request, 0, &(struct ipc_content_file) { 0 });
	if (ipc_call(&cleanup, config.cleanup_service_name, &request, &reply) == 0) {
		if (ipc_decode_content_file_lent(&reply, &lent) == -1)
			errno = EBADMSG;
		else if (lent.error != 0 || lent.file == -1)
			errno = lent.error != 0 ? (int)lent.error : EBADMSG;
		else
			file = ipc_packet_take_fd(&reply);
	}
	if (file != -1 && fd_write_all(file, content->bytes, content->length) == -1)
		fd_close(&file);
	ipc_packet_clear(&request);
	ipc_packet_clear(&reply);
	return file;
}

static void
submit(struct plan *plan, const struct envelope *envelope, const struct text *content)
{
	struct ipc_packet request = IPC_PACKET_EMPTY, reply = IPC_PACKET_EMPTY;
	struct text records = TEXT_EMPTY;
	struct ipc_submit message = { .file = -1 };
	struct ipc_submit_result result;

	if (content->length > IPC_INLINE_MAX
	    && (message.file = borrow_file(content)) == -1) {
		plan_decide(plan, DELIVERY_DEFERRED, "4.3.0",
		    "unable to forward message: %s", strerror(errno));
		return;
	}
	if (message.file == -1)
		message.content = (struct ipc_bytes) { content->bytes, content->length };
	envelope_encode(envelope, &records);
	message.envelope = (struct ipc_bytes) { records.bytes, records.length };
	ipc_encode_submit(&request, 0, &message);
	if (ipc_call(&cleanup, config.cleanup_service_name, &request, &reply) == -1)
		plan_decide(plan, DELIVERY_DEFERRED, "4.3.0",
		    "unable to forward message: %s", strerror(errno));
	else if (ipc_decode_submit_result(&reply, &result) == -1)
		plan_decide(plan, DELIVERY_DEFERRED, "4.3.0",
		    "unable to forward message: bad answer from cleanup");
	else if (result.queue_id[0] == '\0')
		plan_decide(plan, result.dsn[0] == '5' ? DELIVERY_BOUNCED
		    : DELIVERY_DEFERRED, pool_strdup(plan->pool, result.dsn),
		    "unable to forward message: %s", result.reason);
	else
		plan_decide(plan, DELIVERY_SENT, "2.0.0", "forwarded as %s",
		    result.queue_id);
	ipc_packet_clear(&request);
	ipc_packet_clear(&reply);
	text_clear(&records);
}

void
deliver_forward(struct plan *plan, struct delivery_request *request,
    const struct recipient *recipient)
{
	struct text content = TEXT_EMPTY;

	/* By this the next post, and we, know a loop. */
	text_puts(&content, "Delivered-To: ");
	address_quote(&content, recipient->address);
	text_putc(&content, '\n');
	text_append(&content, request->content, request->content_length);

	const struct envelope *envelope = make_envelope(plan, request, recipient,
	    content.length);

	if (envelope == NULL)
		plan_decide(plan, DELIVERY_DEFERRED, "4.3.0", "out of memory");
	else
		submit(plan, envelope, &content);
	text_clear(&content);
}
