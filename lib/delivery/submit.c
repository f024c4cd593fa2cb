#include "delivery/submit.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>

#include "base/base.h"
#include "config/config.h"

static int connection = -1;

void
delivery_submit_forget(void)
{
	fd_close(&connection);
}

/* What a packet does not take travels in a memory file. -1 with errno. */
static int
file_of(const struct text *content)
{
	int fd = memfd_create("content", MFD_CLOEXEC);

	if (fd != -1 &&
	    fd_write_all(fd, content->bytes, content->length) == -1)
		fd_close(&fd);
	return fd;
}

/* Ask once. 0, or -1 with errno and the connection closed. */
static int
ask(const struct ipc_submit *submit, struct ipc_packet *reply)
{
	struct ipc_packet request = IPC_PACKET_EMPTY;
	struct ipc_submit message = *submit;
	int got = -1;

	if (connection == -1)
		connection = ipc_connect(config.cleanup_service_name, false);
	if (connection == -1)
		return -1;
	if (message.file != -1)
		message.file = fcntl(submit->file, F_DUPFD_CLOEXEC, 3);
	ipc_encode_submit(&request, 0, &message);
	if (ipc_send(connection, &request) == 0)
		got = ipc_receive(connection, reply, true);
	if (got == 0)
		errno = ECONNRESET;
	if (got != 1)
		fd_close(&connection);
	ipc_packet_clear(&request);
	return got == 1 ? 0 : -1;
}

int
delivery_submit(struct envelope *envelope, const struct text *content,
    struct ipc_packet *reply, struct ipc_submit_result *result)
{
	struct ipc_submit submit = { .file = -1,
	    .content = { text_string(content), content->length } };
	struct text records = TEXT_EMPTY;
	int outcome = -1;

	if (content->length > IPC_INLINE_MAX) {
		submit.content = (struct ipc_bytes){ "", 0 };
		submit.file = file_of(content);
		if (submit.file == -1)
			return -1;
	}
	envelope->token = envelope->unique;
	envelope_encode(envelope, &records);
	submit.envelope = (struct ipc_bytes){ records.bytes, records.length };
	for (submit.again = 0; outcome == -1 && submit.again < 2; submit.again++)
		outcome = ask(&submit, reply);
	if (outcome == 0 && ipc_decode_submit_result(reply, result) == -1) {
		errno = EBADMSG;
		outcome = -1;
	}
	fd_close(&submit.file);
	text_clear(&records);
	return outcome;
}
