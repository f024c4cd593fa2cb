/*
 * Can mail be delivered to this address? verify(8) finds out.
 *
 * It answers at once, at first with "in progress": then it is asked again
 * after a while, as when it died, and at last the client is put off. Nobody
 * else waits.
 */

#include "smtpd/check/check.h"

#include <stdlib.h>

#include "config/config.h"
#include "delivery/verify.h"
#include "ipc/channel.h"
#include "service/service.h"

static struct ipc_client *verify;

struct verify_question {
	char		*address;
	int		 asked;
	uint64_t	 call;
	struct event	*again;
	verify_done	*done;
	void		*argument;
};

void
verify_forget(struct verify_question **argument)
{
	struct verify_question *question = *argument;

	if (question == NULL)
		return;
	if (question->call != 0)
		ipc_client_cancel(verify, question->call);
	event_free(question->again);
	free(question->address);
	free(question);
	*argument = NULL;
}

static void	ask(struct verify_question *question);

static void
on_told(struct ipc_packet *reply, void *context)
{
	struct verify_question *question = context;
	const struct timeval pause = { config.address_verify_poll_delay, 0 };
	struct ipc_verify_told told = { .status = -1, .text = "" };
	verify_done *done = question->done;
	void *argument = question->argument;
	bool answers;

	question->call = 0;
	answers = reply != NULL && ipc_decode_verify_told(reply, &told) == 0;
	if ((!answers || told.status == VERIFY_TODO) &&
	    question->asked <= config.address_verify_poll_count) {
		event_add(question->again, &pause);
		return;
	}
	if (!answers) {
		log_warning("the %s service does not answer",
		    config.address_verify_service_name);
		told.status = -1;
		told.text = "";
	}
	verify_forget(&question);
	done((int)told.status, told.text, argument);
}

static void
on_again(int fd, short what, void *context)
{
	ask(context);
}

static void
ask(struct verify_question *question)
{
	struct ipc_packet packet = IPC_PACKET_EMPTY;

	question->asked++;
	ipc_encode_verify_query(&packet, 0, &(struct ipc_verify_query){
	    .address = question->address });
	question->call = ipc_client_call(verify, &packet, on_told, question);
}

struct verify_question *
verify_ask(const char *address, verify_done *done, void *argument)
{
	struct verify_question *question = mem_zalloc(1, sizeof(*question));

	if (verify == NULL)
		verify = ipc_client_new(service_base,
		    config.address_verify_service_name);
	question->address = mem_strdup(address);
	question->again = event_new(service_base, -1, 0, on_again, question);
	question->done = done;
	question->argument = argument;
	ask(question);
	return question;
}

/* What differs between senders and recipients. */
struct unverified {
	const char	*class;
	const char	*status;
	const int	*reject_code, *defer_code;
	const char *const *reason, *const *tempfail_action;
};

static enum verdict
decide(struct session *s, const struct unverified *words, const char *shown,
    const char *address)
{
	const char *text;
	int status, code;

	/* A host that asks about the sender of our probe: to ask about its own in turn would never end. */
	if (listed_is_probe_sender(session_recipient(s)))
		return VERDICT_NONE;
	if (!checks_verify(s, address, &status, &text))
		return VERDICT_WAIT;
	if (status == -1)
		return check_defer_if_permit(s, *words->tempfail_action, 450,
		    words->status, "<%s>: %s rejected: address verification problem", shown,
		    words->class);
	code = status == VERIFY_OK ? 250 : status == VERIFY_BOUNCE ?
	    *words->reject_code : *words->defer_code;
	if (code < 400)
		return VERDICT_NONE;
	if (**words->reason != '\0')
		text = *words->reason;
	if (code < 500)
		return check_defer_if_permit(s, *words->tempfail_action, code,
		    words->status, "<%s>: %s rejected: unverified address: "
		    "%.250s", shown, words->class, text);
	return check_refuse(s, code, words->status, "<%s>: %s rejected: "
	    "undeliverable address: %.250s", shown, words->class, text);
}

static enum verdict
refuse_lookup(struct session *s, const char *address)
{
	return check_fail(s, "4.3.0", "<%s>: Temporary lookup failure",
	    address);
}

enum verdict
reject_unverified_sender(struct session *s, const struct check *check)
{
	static const struct unverified words = {
		"Sender address", "4.1.7", &config.unverified_sender_reject_code,
		&config.unverified_sender_defer_code,
		&config.unverified_sender_reject_reason,
		&config.unverified_sender_tempfail_action,
	};
	const struct route *route = checks_sender_route(s);

	if (route->error != 0)
		return refuse_lookup(s, session_sender(s));
	return decide(s, &words, session_sender(s), route->recipient);
}

enum verdict
reject_unverified_recipient(struct session *s, const struct check *check)
{
	static const struct unverified words = {
		"Recipient address", "4.1.1",
		&config.unverified_recipient_reject_code,
		&config.unverified_recipient_defer_code,
		&config.unverified_recipient_reject_reason,
		&config.unverified_recipient_tempfail_action,
	};
	const struct route *route = checks_recipient_route(s);

	if (route->error != 0)
		return refuse_lookup(s, session_recipient(s));
	return decide(s, &words, session_recipient(s), route->recipient);
}
