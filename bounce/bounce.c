/*
 * bounce - who sent it is told what became of it
 *
 * In       notices to send, and reasons to remember, from qmgr
 * Out      notices, as messages with the null sender, to cleanup; the reasons in defer/
 * Touches  defer/; no network
 * Trusts   qmgr for what happened; the message itself is a stranger's
 * Killed   qmgr asks again; a notice has a key made from its message's, so
 *          that a second one is known as the first
 *
 * It serves the names bounce, defer and trace of master.cf alike.
 */

#include "bounce/bounce.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "config/config.h"
#include "spool/spool.h"

/* Is it this kind of notice that tells of this result? */
static bool
is_told(const struct notice *notice, const struct delivery_result *result)
{
	switch (notice->kind) {
	case NOTICE_FAILURE:
		return result->status == DELIVERY_BOUNCED ||
		    (notice->is_expired && result->status == DELIVERY_DEFERRED);
	case NOTICE_DELAY:
		return result->status == DELIVERY_DEFERRED;
	case NOTICE_SUCCESS:
		return result->status == DELIVERY_SENT;
	default:
		return true;
	}
}

/* Did the sender ask not to hear of this kind (RFC 3461 section 4.1)? */
static bool
is_wanted(const struct notice *notice, const struct delivery_result *result)
{
	static const int bits[] = {
		[NOTICE_FAILURE] = DSN_NOTIFY_FAILURE,
		[NOTICE_DELAY] = DSN_NOTIFY_DELAY,
		[NOTICE_SUCCESS] = DSN_NOTIFY_SUCCESS,
		[NOTICE_TRACE] = ~0, [NOTICE_VERIFY] = ~0,
	};
	int64_t notify;

	if ((size_t)result->number >= notice->envelope->recipient_count)
		return false;
	if (!is_told(notice, result))
		return false;
	notify = notice->envelope->recipients[result->number].dsn_notify;
	return notify == 0 ? notice->kind != NOTICE_SUCCESS :
	    (notify & bits[notice->kind]) != 0;
}

/* A failure notice tells of what failed, and of what waited too long. */
static void
keep_wanted(struct notice *notice)
{
	size_t kept = 0;

	for (size_t i = 0; i < notice->count; i++) {
		if (is_wanted(notice, &notice->results[i]))
			notice->results[kept++] = notice->results[i];
	}
	notice->count = kept;
}

static void
tell_sender(struct service_request *request, struct notice *notice)
{
	const char *parent = notice->envelope->queue_id;
	struct text content = TEXT_EMPTY, id = TEXT_EMPTY;
	const char *why = "";

	keep_wanted(notice);
	if (*notice->envelope->sender == '\0') {
		log_info("%s: a notice that cannot be delivered, dropped: "
		    "no notice is sent about a notice", parent);
		service_reply_done(request, 0, "");
		return;
	}
	if (notice->count == 0) {
		service_reply_done(request, 0, "");
		return;
	}
	compose_notice(notice, &content);
	if (send_notice(notice, &content, &id, &why) == 0) {
		log_info("%s: sender %s: %s", parent,
		    notice->kind == NOTICE_FAILURE ?
		    "non-delivery notification" : notice->kind == NOTICE_DELAY ?
		    "delay notification" : "delivery status notification",
		    text_string(&id));
		service_reply_done(request, 0, "");
	} else {
		log_warning("%s: cannot %s", parent, why);
		service_reply_done(request, EAGAIN, why);
	}
	text_clear(&content);
	text_clear(&id);
}

/* The content of a message that has its own file. NULL with errno. */
static void *
map_file(int file, int64_t length_of_all)
{
	void *mapping = mmap(NULL, (size_t)length_of_all, PROT_READ,
	    MAP_PRIVATE, file, 0);

	return mapping == MAP_FAILED ? NULL : mapping;
}

static void
serve_notice(struct service_request *request)
{
	struct notice notice = { 0 };
	struct ipc_notice asked;
	char *mapping = NULL;
	size_t mapped = 0;

	if (ipc_decode_notice(&request->packet, &asked) == -1 ||
	    asked.kind < NOTICE_FAILURE || asked.kind > NOTICE_VERIFY ||
	    asked.offset < 0 || asked.length < 0) {
		log_warning("a notice that cannot be read");
		service_reply_done(request, EINVAL, "bad request");
		return;
	}
	notice.kind = (enum notice_kind)asked.kind;
	notice.is_expired = asked.flags & NOTICE_EXPIRED;
	notice.pool = pool_new(0);
	notice.envelope = envelope_decode(notice.pool, asked.envelope.bytes,
	    asked.envelope.length);
	notice.results = delivery_results_decode(notice.pool,
	    asked.results.bytes, asked.results.length, &notice.count);
	notice.content = asked.content.bytes;
	notice.content_length = asked.content.length;
	if (asked.file != -1 && asked.length > 0) {
		mapped = (size_t)(asked.offset + asked.length);
		mapping = map_file(asked.file, (int64_t)mapped);
		notice.content = mapping != NULL ? mapping + asked.offset : "";
		notice.content_length = mapping != NULL ?
		    (size_t)asked.length : 0;
	}
	if (notice.envelope == NULL || notice.results == NULL) {
		log_warning("a notice that cannot be read: %m");
		service_reply_done(request, EINVAL, "bad request");
	} else {
		tell_sender(request, &notice);
	}
	if (mapping != NULL)
		munmap(mapping, mapped);
	pool_free(&notice.pool);
}

static void
serve(struct service_request *requests, size_t count)
{
	struct ipc_remember asked;
	struct ipc_forget forgotten;

	for (size_t i = 0; i < count; i++) {
		struct ipc_packet *packet = &requests[i].packet;

		if (ipc_packet_kind(packet) == IPC_notice) {
			serve_notice(&requests[i]);
		} else if (ipc_decode_remember(packet, &asked) == 0 &&
		    spool_id_is_valid(asked.queue_id)) {
			remember(asked.queue_id, asked.results.bytes,
			    asked.results.length);
			service_reply_done(&requests[i], 0, "");
		} else if (ipc_decode_forget(packet, &forgotten) == 0 &&
		    spool_id_is_valid(forgotten.queue_id)) {
			forget(forgotten.queue_id);
			service_reply_done(&requests[i], 0, "");
		} else {
			log_warning("unexpected %s packet",
			    ipc_kind_name(ipc_packet_kind(packet)));
			service_reply_done(&requests[i], EINVAL, "bad request");
		}
	}
}

int
main(int argc, char **argv)
{
	static const struct sandbox_path paths[] = {
		{ "defer", true }, { NULL, false },
	};
	static const struct service bounce = {
		.name	 = "bounce",
		.serve	 = serve,
		.has_more = sweep_reasons,
		.sandbox = SANDBOX_SOCKETS | SANDBOX_READ | SANDBOX_WRITE |
		    SANDBOX_UNLINK,
		.paths	 = paths,
	};

	return service_worker(&bounce, argc, argv);
}
