#include "handover/handover.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/base.h"
#include "config/config.h"
#include "ipc/ipc.h"
#include "spool/spool.h"

/* A pickup that is stuck delays nobody longer. */
#define PATIENCE_SECONDS	5

static void
run_postdrop(int in)
{
	char *path = mem_printf("%s/%spostdrop", config.command_directory,
	    program_prefix);

	if (dup2(in, STDIN_FILENO) != -1)
		execl(path, "postdrop", "-r", (char *)NULL);
	log_error("run %s: %m", path);
	_exit(EX_OSERR);
}

static void
put_record(const struct envelope *e, size_t length, struct text *out)
{
	char header[SPOOL_RECORD_HEADER];
	struct text envelope = TEXT_EMPTY;
	size_t recipients = e->recipient_count;

	envelope_encode(e, &envelope);
	spool_record_header(header, recipients, envelope.length,
	    (int64_t)length, 0, -1);
	text_append(out, header, sizeof(header));
	for (size_t i = 0; i < recipients; i++)
		text_putc(out, SPOOL_MARK_PENDING);
	text_append(out, envelope.bytes, envelope.length);
	text_clear(&envelope);
}

/* postdrop's exit code. */
static int
run_drop(const struct envelope *envelope, const struct text *content)
{
	struct text front = TEXT_EMPTY;
	int ends[2], status;
	pid_t child;

	put_record(envelope, content->length, &front);
	fflush(NULL);
	if (pipe(ends) == -1 || (child = fork()) == -1) {
		log_error("run postdrop: %m");
		return EX_OSERR;
	}
	if (child == 0) {
		fd_close(&ends[1]);
		run_postdrop(ends[0]);
	}
	fd_close(&ends[0]);
	/* If postdrop does not take all of it, it says why. */
	if (fd_write_all(ends[1], front.bytes, front.length) == 0)
		fd_write_all(ends[1], content->bytes, content->length);
	fd_close(&ends[1]);
	text_clear(&front);
	while (waitpid(child, &status, 0) == -1) {
		if (errno != EINTR)
			return EX_OSERR;
	}
	return WIFEXITED(status) ? WEXITSTATUS(status) : EX_TEMPFAIL;
}

static int
connect_pickup(void)
{
	const struct timeval patience = { PATIENCE_SECONDS, 0 };
	char *path = mem_printf("%s/" SUBMIT_SOCKET, config.queue_directory);
	int fd = ipc_connect(path, true);

	free(path);
	if (fd != -1 && (fd_nonblocking(fd, false) == -1 ||
	    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience,
	    sizeof(patience)) == -1 ||
	    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience,
	    sizeof(patience)) == -1))
		fd_close(&fd);
	return fd;
}

/* As pickup answers: 250 it is durable, 450 it was not taken, 0 nobody knows. */
static int
ask_pickup(int fd, const struct envelope *e, const struct text *content,
    char id[HANDOVER_ID_SIZE])
{
	struct ipc_packet request = IPC_PACKET_EMPTY, reply = IPC_PACKET_EMPTY;
	struct ipc_submit_result result;
	struct text envelope = TEXT_EMPTY;
	int status = 0;

	envelope_encode(e, &envelope);
	ipc_encode_submit(&request, 0, &(struct ipc_submit){
	    .envelope = { envelope.bytes, envelope.length },
	    .content = { text_string(content), content->length },
	    .file = -1 });
	text_clear(&envelope);
	if (ipc_send(fd, &request) == 0 && ipc_receive(fd, &reply, true) == 1 &&
	    ipc_decode_submit_result(&reply, &result) == 0) {
		status = (int)result.status;
		if (*result.queue_id != '\0')
			strlcpy(id, result.queue_id, HANDOVER_ID_SIZE);
	}
	ipc_packet_clear(&request);
	ipc_packet_clear(&reply);
	return status;
}

static bool
give_to_pickup(struct envelope *envelope, const struct text *content,
    char id[HANDOVER_ID_SIZE])
{
	char token[ENVELOPE_USER_TOKEN + 1];
	int fd, status;

	if (content->length > IPC_INLINE_MAX ||
	    (fd = connect_pickup()) == -1)
		return false;
	snprintf(token, sizeof(token), "%08x%08x%08x%08x", arc4random(),
	    arc4random(), arc4random(), arc4random());
	envelope->token = pool_strdup(envelope->pool, token);
	status = ask_pickup(fd, envelope, content, id);
	fd_close(&fd);
	if (status == 450)
		envelope->token = "";
	return status == 250;
}

int
handover(struct envelope *envelope, const struct text *content,
    char id[HANDOVER_ID_SIZE])
{
	envelope->size = (int64_t)content->length;
	strlcpy(id, "maildrop", HANDOVER_ID_SIZE);
	return give_to_pickup(envelope, content, id) ? EX_OK :
	    run_drop(envelope, content);
}
