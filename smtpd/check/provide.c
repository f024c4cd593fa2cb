/* What a check needs before it can be made: routes, a probe's result, a pause. */

#include <stdlib.h>

#include "service/service.h"
#include "smtpd/check/evaluation.h"

static void
on_route(struct route *route, void *argument)
{
	struct session *s = argument;
	struct evaluation *e = s->evaluation;

	e->question = NULL;
	if (e->asks_for_sender)
		e->sender_route = route;
	else
		e->recipient_route = route;
	checks_go_on(s);
}

static void
on_verified(int status, const char *text, void *argument)
{
	struct session *s = argument;
	struct evaluation *e = s->evaluation;

	e->verify_question = NULL;
	e->verify_answered = true;
	e->verify_status = status;
	free(e->verify_text);
	e->verify_text = mem_strdup(text);
	checks_go_on(s);
}

bool
checks_verify(struct session *s, const char *address, int *status,
    const char **text)
{
	struct evaluation *e = s->evaluation;

	if (e->verify_answered) {
		e->verify_answered = false;
		*status = e->verify_status;
		*text = e->verify_text;
		return true;
	}
	e->verify_question = verify_ask(address, on_verified, s);
	return false;
}

/* True if the route is there; else it was asked for. */
static bool
have_route(struct session *s, bool of_sender)
{
	struct evaluation *e = s->evaluation;
	struct route **route = of_sender ? &e->sender_route :
	    &e->recipient_route;
	const char *address = of_sender ? session_sender(s) :
	    session_recipient(s);
	/* The answer to a sender is mail of the recipient's. */
	const char *from = of_sender ? session_recipient(s) :
	    session_sender(s);

	if (*route == NULL)
		*route = route_remembered(from, address);
	if (*route != NULL)
		return true;
	e->asks_for_sender = of_sender;
	e->question = route_ask(from, address, on_route, s);
	return false;
}

static void
on_pause(evutil_socket_t fd, short what, void *argument)
{
	struct session *s = argument;

	s->evaluation->paused = true;
	checks_go_on(s);
}

bool
check_pause(struct session *s, int seconds)
{
	const struct timeval span = { seconds, 0 };
	struct evaluation *e = s->evaluation;

	if (e->paused) {
		e->paused = false;
		return true;
	}
	if (e->pause == NULL)
		e->pause = evtimer_new(service_base, on_pause, s);
	evtimer_add(e->pause, &span);
	return false;
}

enum verdict
checks_provide(struct session *s, unsigned needs)
{
	if ((needs & NEEDS_SITE) && s->etrn_site == NULL)
		return VERDICT_NONE;
	if ((needs & NEEDS_HELO) && s->helo_name == NULL)
		return VERDICT_NONE;
	if ((needs & (NEEDS_MAIL | NEEDS_SENDER)) && s->transaction == NULL)
		return VERDICT_NONE;
	if ((needs & NEEDS_SENDER) && session_sender(s)[0] == '\0')
		return VERDICT_NONE;
	if ((needs & (NEEDS_RECIPIENT | NEEDS_RECIPIENT_ROUTE)) &&
	    session_recipient(s)[0] == '\0')
		return VERDICT_NONE;
	if ((needs & NEEDS_SENDER_ROUTE) && session_sender(s)[0] != '\0' &&
	    !have_route(s, true))
		return VERDICT_WAIT;
	if ((needs & NEEDS_RECIPIENT_ROUTE) && !have_route(s, false))
		return VERDICT_WAIT;
	return VERDICT_PERMIT;
}
