/*
 * ETRN: a site that was away asks for its mail (RFC 1985).
 *
 * flush(8) has the lists, and knows which sites may ask. Replies as Postfix
 * has them: 459 is a site without a list, 458 that nobody can be asked.
 */


#include "smtpd/dialogue.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "address/address.h"
#include "config/config.h"
#include "ipc/channel.h"
#include "service/service.h"
#include "smtpd/checks.h"
#include "smtpd/screening.h"

static struct ipc_client *flush;

void
etrn_cancel(struct session *s)
{
	if (s->etrn_call != 0)
		ipc_client_cancel(flush, s->etrn_call);
	s->etrn_call = 0;
	free(s->etrn_site);
	s->etrn_site = NULL;
}

static void
on_flushed(struct ipc_packet *reply, void *argument)
{
	struct session *s = argument;
	struct ipc_done done = { .error = EIO };

	if (reply == NULL || ipc_decode_done(reply, &done) == -1)
		done.error = EIO;
	s->etrn_call = 0;
	s->busy = false;
	if (done.error == 0) {
		session_reply(s, "250 Queuing started");
	} else if (done.error == EACCES) {
		log_warning("reject: ETRN %.100s... from %s", s->etrn_site,
		    s->peer);
		session_reply(s, "459 <%s>: service unavailable", s->etrn_site);
	} else {
		log_warning("ETRN %.100s from %s: the %s service says: %s",
		    s->etrn_site, s->peer, config.flush_service_name,
		    strerror((int)done.error));
		session_reply(s, "458 Unable to queue messages");
	}
	etrn_cancel(s);
	session_go_on(s);
}

static void
ask_flush(struct session *s, enum verdict verdict)
{
	struct ipc_packet packet = IPC_PACKET_EMPTY;

	if (verdict != VERDICT_PERMIT) {
		etrn_cancel(s);
		return;
	}
	ipc_encode_flush_site(&packet, 0, &(struct ipc_flush_site){
	    .site = s->etrn_site });
	s->busy = true;
	s->etrn_call = ipc_client_call(flush, &packet, on_flushed, s);
}

void
etrn(struct session *s, const struct smtp_command *command)
{
	const char *site = command->argument;
	size_t length = command->argument_length;

	if (flush == NULL)
		flush = ipc_client_new(service_base, config.flush_service_name);
	if (config.smtpd_helo_required && s->helo_name == NULL) {
		session_reply(s, "503 Error: send HELO/EHLO first");
		return;
	}
	if (screen_has_refused(s)) {
		session_reply(s, "458 Unable to queue messages");
		return;
	}
	if (length == 0 || memchr(site, ' ', length) != NULL) {
		session_reply(s, "500 Syntax: ETRN domain");
		return;
	}
	/* @: its subdomains, #: a queue (RFC 1985 section 5.2); taken for the site itself. */
	if (*site == '@' || *site == '#') {
		site++;
		length--;
	}
	if (!hostname_is_valid(site, length) &&
	    !address_literal_is_valid(site, length)) {
		session_reply(s, "501 Error: invalid parameter syntax");
		return;
	}
	s->etrn_site = mem_strndup(site, length);
	checks_run(s, 1u << STAGE_ETRN | (config.smtpd_delay_reject ?
	    1u << STAGE_CLIENT | 1u << STAGE_HELO : 0), ask_flush);
}
