/* receive - a packet becomes a submission */

#include "cleanup/cleanup.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "address/address.h"
#include "config/config.h"
#include "table/asker.h"

/* Envelope, expansion and header of one message. */
#define SUBMISSION_POOL	(64 << 20)

/* Of a message in a file this much is looked at as its header. */
#define HEAD_MAX	(1 << 20)

void
submission_refuse(struct submission *submission, int status, const char *dsn,
    const char *reason)
{
	/* What is found while a table is asked is no answer. */
	if (submission->status != 0 || table_is_asking())
		return;
	submission->status = status;
	submission->dsn = dsn;
	submission->reason = reason;
}

bool
submission_is_new(const struct envelope *envelope)
{
	return *envelope->protocol_name != '\0' ||
	    *envelope->login_sender != '\0';
}

int
receive_head(struct submission *submission)
{
	struct stat st;

	if (fstat(submission->file, &st) == -1)
		return -1;
	submission->file_length = st.st_size;
	submission->head_length = st.st_size > HEAD_MAX ? HEAD_MAX :
	    (size_t)st.st_size;

	char *head = pool_alloc(submission->pool, submission->head_length + 1);

	if (head == NULL || fd_pread_full(submission->file, head,
	    submission->head_length, 0) != (ssize_t)submission->head_length)
		return -1;
	submission->head = head;
	return 0;
}

static bool
address_is_sane(const char *address)
{
	if (strlen(address) > ADDRESS_MAX)
		return false;
	for (const unsigned char *p = (const unsigned char *)address; *p; p++) {
		if (*p < 0x20 || *p == 0x7f)
			return false;
	}
	return true;
}

static bool
envelope_is_sane(const struct envelope *envelope)
{
	if (!address_is_sane(envelope->sender))
		return false;
	for (size_t i = 0; i < envelope->recipient_count; i++) {
		const char *address = envelope->recipients[i].address;

		if (*address == '\0' || !address_is_sane(address))
			return false;
	}
	return envelope->recipient_count > 0;
}

/* Asked before: if the cleanup that died had committed it, it has its answer. */
static void
look_for_fate(struct submission *submission)
{
	if (store_ask_fate(submission->envelope->token, submission->id) == -1)
		submission_refuse(submission, 451, "4.3.0",
		    "Error: queue manager unavailable");
	else if (*submission->id != '\0')
		submission_refuse(submission, 250, "2.0.0", "Ok");
}

void
receive(struct submission *submission, struct service_request *request)
{
	struct ipc_submit submit;
	int64_t size;

	submission->request = request;
	submission->file = submission->changed_file = -1;
	submission->dsn = submission->reason = "";
	submission->pool = pool_new(SUBMISSION_POOL);
	if (ipc_decode_submit(&request->packet, &submit) == -1 ||
	    (submission->envelope = envelope_decode(submission->pool,
	    submit.envelope.bytes, submit.envelope.length)) == NULL ||
	    !envelope_is_sane(submission->envelope)) {
		log_warning("a submission that cannot be read");
		submission_refuse(submission, 451, "4.3.0",
		    "Error: internal protocol error");
		return;
	}
	submission->head = submit.content.bytes;
	submission->head_length = submit.content.length;
	submission->file = submit.file;
	if (submission->file != -1 && receive_head(submission) == -1) {
		log_warning("cannot read the content of a submission: %m");
		submission_refuse(submission, 451, "4.3.0",
		    "Error: queue file write error");
		return;
	}
	size = submission->file != -1 ? submission->file_length :
	    (int64_t)submission->head_length;
	if (submit.again && *submission->envelope->token != '\0')
		look_for_fate(submission);
	/* A notice may be a little larger than what it returns. */
	if (config.message_size_limit > 0 && size > config.message_size_limit &&
	    !(submission->envelope->flags & ENVELOPE_BOUNCE))
		submission_refuse(submission, 552, "5.3.4",
		    "Error: message file too big");
	if (store_is_ahead() && *submission->envelope->protocol_name != '\0')
		submission_refuse(submission, 452, "4.3.1",
		    "Insufficient system resources");
	if (!store_has_room())
		submission_refuse(submission, 452, "4.3.1",
		    "Insufficient system storage");
	if (submission->status == 0 && store_make_id(submission->id) == -1) {
		bool full = errno == ENOSPC || errno == EDQUOT;

		log_warning("cannot take a segment of the journal: %m");
		submission_refuse(submission, full ? 452 : 451,
		    full ? "4.3.1" : "4.3.0", full ?
		    "Insufficient system storage" :
		    "Error: queue file write error");
	}
	if (submission->envelope->arrival_us == 0)
		submission->envelope->arrival_us = clock_wall_us();
	submission->envelope->queue_id = submission->id;
}
