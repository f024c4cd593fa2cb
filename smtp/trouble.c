/*
 * trouble - sessions in which somebody broke the protocol, for the postmaster
 *
 * A reply of 500 to 509 or 555 says that we did; one beyond 599 that he did.
 */

#include "client.h"

#include <stdlib.h>
#include <string.h>

#include "config/config.h"
#include "delivery/classes.h"
#include "delivery/transcript.h"
#include "service/service.h"

static struct transcript *
transcript_of(struct session *session)
{
	if (!(notify_classes() & NOTIFY_PROTOCOL))
		return NULL;
	if (session->transcript == NULL)
		session->transcript = mem_zalloc(1,
		    sizeof(*session->transcript));
	return session->transcript;
}

void
trouble_said(struct session *session)
{
	struct transcript *transcript = transcript_of(session);

	if (transcript == NULL)
		return;
	if (!session->is_odd &&
	    text_starts_with(text_string(&session->out), "MAIL"))
		transcript_forget_messages(transcript);
	transcript_said(transcript, text_string(&session->out),
	    session->out.length);
}

/* EHLO may be unknown: that is no trouble. */
void
trouble_heard(struct session *session, int code, const char *text)
{
	struct transcript *transcript = transcript_of(session);

	if (transcript == NULL)
		return;
	transcript_heard(transcript, text, strlen(text));
	/* What we tell the postmaster is no reason to tell him again. */
	if (session->job != NULL &&
	    (session->job->request->envelope->flags & ENVELOPE_BOUNCE))
		return;
	session->is_odd |= session->stage != STAGE_EHLO &&
	    ((code >= 500 && code < 510) || code == 555 || code > 599);
}

void
trouble_end(struct session *session)
{
	static struct ipc_client *cleanup;
	struct ipc_packet packet = IPC_PACKET_EMPTY;

	if (session->transcript == NULL)
		return;
	if (session->is_odd) {
		if (cleanup == NULL)
			cleanup = ipc_client_new(service_base,
			    config.cleanup_service_name);
		transcript_encode(session->transcript, "SMTP client",
		    session->peer, NULL, &packet);
		ipc_client_call(cleanup, &packet, NULL, NULL);
	}
	transcript_clear(session->transcript);
	free(session->transcript);
	session->transcript = NULL;
}
