/* send - the notice goes the way of all mail */

#include "bounce/bounce.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#include "config/config.h"

/* A large notice travels in a file. -1 with errno. */
static int
file_of(const struct text *content)
{
	int fd = memfd_create("notice", MFD_CLOEXEC);

	if (fd != -1 &&
	    fd_write_all(fd, content->bytes, content->length) == -1)
		fd_close(&fd);
	return fd;
}

static void
encode_envelope(const struct notice *notice, struct text *records)
{
	struct envelope *envelope = envelope_new(notice->pool);

	if (envelope == NULL ||
	    envelope_add_recipient(envelope, notice->envelope->sender) == NULL)
		return;
	envelope->flags = ENVELOPE_BOUNCE | ENVELOPE_LOCAL_ORIGIN |
	    (notice->envelope->flags & (ENVELOPE_8BIT | ENVELOPE_SMTPUTF8));
	/* Made from the message's own key: a second notice about it is known as this one. */
	envelope->unique = pool_printf(notice->pool, "%s-%c",
	    notice->envelope->unique, "?fds"[notice->kind]);
	envelope_encode(envelope, records);
}

int
send_notice(const struct notice *notice, const struct text *content,
    struct text *id, const char **why)
{
	static int cleanup = -1;
	struct ipc_packet packet = IPC_PACKET_EMPTY, reply = IPC_PACKET_EMPTY;
	struct text records = TEXT_EMPTY;
	struct ipc_submit submit = { .file = -1, .content = { "", 0 } };
	struct ipc_submit_result result;
	int outcome = -1;

	encode_envelope(notice, &records);
	submit.envelope = (struct ipc_bytes){ records.bytes, records.length };
	if (content->length <= IPC_INLINE_MAX)
		submit.content = (struct ipc_bytes){ content->bytes,
		    content->length };
	else
		submit.file = file_of(content);
	if (records.length == 0 ||
	    (content->length > IPC_INLINE_MAX && submit.file == -1)) {
		*why = "write the notice: out of memory";
	} else {
		ipc_encode_submit(&packet, 0, &submit);
		if (ipc_call(&cleanup, config.cleanup_service_name, &packet,
		    &reply) == -1 ||
		    ipc_decode_submit_result(&reply, &result) == -1) {
			*why = "hand the notice to cleanup: it does not answer";
		} else if (result.status != 250) {
			*why = "hand the notice to cleanup: it refuses";
		} else {
			text_puts(id, result.queue_id);
			outcome = 0;
		}
	}
	ipc_packet_clear(&packet);
	ipc_packet_clear(&reply);
	text_clear(&records);
	return outcome;
}
