/*
 * The hand-over to cleanup.
 *
 * The client hears 250 when cleanup said that the message is durable. When
 * cleanup dies before it answers, the message is handed over again under the
 * same token, marked "again": who takes it then asks whether the dead one
 * had committed it, so that it is neither lost nor taken twice.
 */


#include "smtpd/transaction.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <event2/event.h>

#include "config/config.h"
#include "ipc/channel.h"
#include "service/service.h"
#include "smtpd/client.h"
#include "smtpd/dialogue.h"
#include "smtpd/smtpd.h"

/* How long the client waits for a cleanup that does not come, and when we look: soon, then ever more seldom. */
#define PATIENCE_MS	60000
#define FIRST_AGAIN_MS	50
#define LAST_AGAIN_MS	1000

static const char not_written[] = "451 4.3.0 Error: queue file write error";

void (*submit_witness)(struct session *);

/* A name for this submission that no other process, now or later, gives to another. */
static const char *
new_token(struct transaction *t)
{
	static uint32_t process[3];
	static uint64_t serial;

	if (serial == 0)
		arc4random_buf(process, sizeof(process));
	return pool_printf(t->pool, "%08x%08x%08x.%llx", process[0],
	    process[1], process[2], (unsigned long long)++serial);
}

static void
reply_accepted(struct session *s, const char *queue_id)
{
	struct transaction *t = s->transaction;
	struct text origin = TEXT_EMPTY;

	/* The id is known only now, but the story begins with this line. */
	xforward_describe(s, &origin);
	log_info_at(t->submitted_us, "%s: client=%s%s", queue_id, s->peer,
	    text_string(&origin));
	text_clear(&origin);
	s->errors = s->junk = 0;
	if (t->is_bdat)
		session_reply(s, "250 2.0.0 Ok: %lld bytes queued as %s",
		    (long long)t->wire_bytes, queue_id);
	else
		session_reply(s, "250 2.0.0 Ok: queued as %s", queue_id);
}

static void
reply_refused(struct session *s, const struct ipc_submit_result *result)
{
	struct text reply = TEXT_EMPTY;

	text_printf(&reply, "%lld %s %s", (long long)result->status,
	    result->dsn, result->reason);
	report_action(s, "reject", text_string(&reply));
	session_reply(s, "%s", text_string(&reply));
	text_clear(&reply);
}

static void	hand_over(struct session *s, bool again);

static void
on_again(evutil_socket_t fd, short what, void *argument)
{
	hand_over(argument, true);
}

/* Nobody answered: try again, unless the client has waited long enough. */
static void
try_again(struct session *s)
{
	struct transaction *t = s->transaction;
	struct timeval pause;

	if (clock_ms() > t->give_up_at_ms) {
		log_warning("%s: a message could not be handed over to the "
		    "%s service; the client will try again", s->peer,
		    config.cleanup_service_name);
		session_reply(s, "%s", not_written);
		transaction_end(s);
		session_go_on(s);
		return;
	}
	if (t->again == NULL)
		t->again = evtimer_new(service_base, on_again, s);
	t->again_ms = t->again_ms == 0 ? FIRST_AGAIN_MS : t->again_ms * 2;
	if (t->again_ms > LAST_AGAIN_MS)
		t->again_ms = LAST_AGAIN_MS;
	pause = (struct timeval){ t->again_ms / 1000, t->again_ms % 1000 * 1000 };
	evtimer_add(t->again, &pause);
}

static void
on_result(struct ipc_packet *packet, void *argument)
{
	struct session *s = argument;
	struct ipc_submit_result result;

	s->transaction->call = 0;
	if (packet == NULL || ipc_decode_submit_result(packet, &result) == -1) {
		try_again(s);
		return;
	}
	if (result.status == 0 || result.status / 100 == 2)
		reply_accepted(s, result.queue_id);
	else
		reply_refused(s, &result);
	transaction_end(s);
	session_go_on(s);
}

static void
hand_over(struct session *s, bool again)
{
	struct transaction *t = s->transaction;
	struct text records = TEXT_EMPTY;
	struct ipc_packet packet = IPC_PACKET_EMPTY;

	envelope_encode(t->envelope, &records);

	struct ipc_submit message = {
		.again = again,
		.envelope = { records.bytes, records.length },
		.content = { text_string(&t->content), t->content.length },
		/* The file stays ours, in case it must be handed over again. */
		.file = t->file == -1 ? -1 : fcntl(t->file, F_DUPFD_CLOEXEC, 3),
	};

	ipc_encode_submit(&packet, 0, &message);
	text_clear(&records);
	t->call = ipc_client_call(smtpd_cleanup, &packet, on_result, s);
}

/* What access tables said of the recipients. False without memory. */
static bool
settle_recipients(struct transaction *t)
{
	struct envelope *e = t->envelope;

	if (t->redirect != NULL) {
		e->recipient_count = 0;
		if (envelope_add_recipient(e, t->redirect) == NULL)
			return false;
	}
	for (size_t i = 0; i < t->copy_count; i++) {
		struct recipient *copy = envelope_add_recipient(e,
		    t->copies[i]);

		if (copy == NULL)
			return false;
		copy->dsn_notify = DSN_NOTIFY_NEVER;
	}
	return true;
}

/* Who is redirected gets what the client sent: no filter sees it. */
static const char *
filter_of(const struct transaction *t)
{
	if (t->redirect != NULL)
		return "";
	return t->filter != NULL ? t->filter : config.content_filter;
}

void
submit(struct session *s)
{
	struct transaction *t = s->transaction;
	struct envelope *e = t->envelope;

	if (smtpd_is_alone) {
		alone_submit(s);
		return;
	}
	e->token = settle_recipients(t) ? new_token(t) : NULL;
	e->size = t->content.length + t->file_size;
	if (s->is_rewritten)
		e->flags |= ENVELOPE_LOCAL_ORIGIN;
	if (list_has_word(config.receive_override_options,
	    "no_address_mappings"))
		e->flags |= ENVELOPE_NO_EXPAND;
	if (list_has_word(config.receive_override_options,
	    "no_header_body_checks"))
		e->flags |= ENVELOPE_NO_CHECKS;
	e->filter = filter_of(t);
	if (e->token == NULL) {
		session_reply(s, "%s", not_written);
		transaction_end(s);
		return;
	}
	if (submit_witness != NULL) {
		submit_witness(s);
		transaction_end(s);
		return;
	}
	if (*config.smtpd_proxy_filter != '\0') {
		proxy_filter_submit(s);
		return;
	}
	t->submitted_us = clock_wall_us();
	t->give_up_at_ms = clock_ms() + PATIENCE_MS;
	s->busy = true;
	hand_over(s, false);
}
