/* send - the notice goes the way of all mail */

#include "bounce/bounce.h"

#include "delivery/submit.h"

static struct envelope *
make_envelope(const struct notice *notice)
{
	struct envelope *envelope = envelope_new(notice->pool);

	if (envelope == NULL ||
	    envelope_add_recipient(envelope, notice->envelope->sender) == NULL)
		return NULL;
	envelope->flags = ENVELOPE_BOUNCE | ENVELOPE_LOCAL_ORIGIN |
	    (notice->envelope->flags & (ENVELOPE_8BIT | ENVELOPE_SMTPUTF8));
	/* Made from the message's own key: a second notice about it is known as this one. */
	envelope->unique = pool_printf(notice->pool, "%s-%c",
	    notice->envelope->unique, "?fdstv"[notice->kind]);
	return envelope->unique != NULL ? envelope : NULL;
}

int
send_notice(const struct notice *notice, const struct text *content,
    struct text *id, const char **why)
{
	struct envelope *envelope = make_envelope(notice);
	struct ipc_packet reply = IPC_PACKET_EMPTY;
	struct ipc_submit_result result;
	int outcome = -1;

	if (envelope == NULL) {
		*why = "write the notice: out of memory";
	} else if (delivery_submit(envelope, content, &reply, &result) == -1) {
		*why = "hand the notice to cleanup: it does not answer";
	} else if (result.status != 250) {
		*why = "hand the notice to cleanup: it refuses";
	} else {
		text_puts(id, result.queue_id);
		outcome = 0;
	}
	ipc_packet_clear(&reply);
	return outcome;
}
