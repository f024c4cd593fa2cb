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

int
delivery_submit_send(int fd, const struct delivery_submission *submission,
    uint64_t number)
{
	const struct text *content = submission->content;
	struct ipc_submit submit = { .file = -1, .again = submission->again,
	    .content = { text_string(content), content->length } };
	struct ipc_packet request = IPC_PACKET_EMPTY;
	struct text records = TEXT_EMPTY;
	int result;

	if (content->length > IPC_INLINE_MAX) {
		submit.content = (struct ipc_bytes){ "", 0 };
		submit.file = file_of(content);
		if (submit.file == -1)
			return -1;
	}
	submission->envelope->token = submission->envelope->unique;
	envelope_encode(submission->envelope, &records);
	submit.envelope = (struct ipc_bytes){ records.bytes, records.length };
	ipc_encode_submit(&request, number, &submit);
	result = ipc_send(fd, &request);
	ipc_packet_clear(&request);
	text_clear(&records);
	return result;
}

/* The next answer, to whomever it belongs. 0, or -1 with errno. */
static int
receive_one(struct delivery_submission *submissions, size_t count)
{
	struct ipc_packet reply = IPC_PACKET_EMPTY;
	struct ipc_submit_result result;
	int got = ipc_receive(connection, &reply, true);
	uint64_t number = got == 1 ? ipc_packet_request(&reply) : count;

	if (number >= count || submissions[number].is_answered ||
	    ipc_decode_submit_result(&reply, &result) == -1) {
		ipc_packet_clear(&reply);
		errno = got == 0 ? ECONNRESET : got == 1 ? EBADMSG : errno;
		return -1;
	}
	submissions[number].reply = reply;
	submissions[number].result = result;
	submissions[number].is_answered = true;
	return 0;
}

/* Send all that have no answer, then take the answers. 0, or -1 with errno and the connection closed. */
static int
ask_all(struct delivery_submission *submissions, size_t count)
{
	size_t waiting = 0;
	int result = 0;

	if (connection == -1)
		connection = ipc_connect(config.cleanup_service_name, false);
	if (connection == -1)
		return -1;
	for (size_t i = 0; i < count && result == 0; i++) {
		if (submissions[i].is_answered)
			continue;
		result = delivery_submit_send(connection, &submissions[i], i);
		waiting++;
	}
	while (result == 0 && waiting-- > 0)
		result = receive_one(submissions, count);
	if (result == -1) {
		int saved = errno;

		fd_close(&connection);
		errno = saved;
	}
	return result;
}

/* Asked a second time they say so: the cleanup that died may have taken them. */
static int
submit_all(struct delivery_submission *submissions, size_t count)
{
	if (ask_all(submissions, count) == 0)
		return 0;
	for (size_t i = 0; i < count; i++)
		submissions[i].again = true;
	return ask_all(submissions, count);
}

void
delivery_submit_all(struct delivery_submission *submissions, size_t count)
{
	enum { AT_ONCE = 64 };

	for (size_t at = 0; at < count; at += AT_ONCE) {
		if (submit_all(submissions + at,
		    count - at < AT_ONCE ? count - at : AT_ONCE) == -1)
			return;
	}
}

int
delivery_submit(struct envelope *envelope, const struct text *content,
    struct ipc_packet *reply, struct ipc_submit_result *result)
{
	struct delivery_submission submission = { .envelope = envelope,
	    .content = content, .reply = IPC_PACKET_EMPTY };
	int outcome = submit_all(&submission, 1);

	*reply = submission.reply;
	*result = submission.result;
	return outcome;
}
