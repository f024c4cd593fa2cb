/*
 * The check language: stages, lists, the verdict.
 *
 * An evaluation walks through stages (client, helo, sender...), each a list
 * of checks; a check is a row of kinds.c. It is a stack of places in lists,
 * so it can stop anywhere for an answer and go on later; nothing else waits.
 */

#include "smtpd/check/evaluation.h"

#include <stdlib.h>
#include <string.h>

#include "config/config.h"
#include "smtpd/screening.h"
#include "smtpd/smtpd.h"
#include "smtpd/transaction.h"

/* What each stage is about, and the parameter that lists its checks. */
static struct {
	const char	*parameter;
	const char	*subject_class;
	const char	*implied;
	const struct check_list *list;
} stages[STAGE_COUNT] = {
	[STAGE_CLIENT] = { "smtpd_client_restrictions", "Client host",
	    "check_client_access", NULL },
	[STAGE_HELO] = { "smtpd_helo_restrictions", "Helo command",
	    "check_helo_access", NULL },
	[STAGE_SENDER] = { "smtpd_sender_restrictions", "Sender address",
	    "check_sender_access", NULL },
	[STAGE_UNLISTED_SENDER] = { NULL, "Sender address", NULL, NULL },
	[STAGE_RELAY] = { "smtpd_relay_restrictions", "Recipient address",
	    "check_recipient_access", NULL },
	[STAGE_RECIPIENT] = { "smtpd_recipient_restrictions",
	    "Recipient address", "check_recipient_access", NULL },
	[STAGE_UNLISTED_RECIPIENT] = { NULL, "Recipient address", NULL, NULL },
	[STAGE_DATA] = { "smtpd_data_restrictions", "Data command", NULL,
	    NULL },
	[STAGE_END_OF_DATA] = { "smtpd_end_of_data_restrictions",
	    "End-of-data", NULL, NULL },
	[STAGE_ETRN] = { "smtpd_etrn_restrictions", "Etrn command",
	    "check_etrn_access", NULL },
};

const struct check_witness *check_witness;

static const struct check_list *
lone_check(const char *name, bool wanted)
{
	return check_list_compile(name, wanted ? name : "", NULL);
}

void
checks_compile(void)
{
	dnsbl_open();
	backup_open();
	owner_open();
	permits_open();
	for (enum stage stage = 0; stage < STAGE_COUNT; stage++)
		if (stages[stage].parameter != NULL)
			stages[stage].list = check_list_compile(
			    stages[stage].parameter,
			    config_get(stages[stage].parameter),
			    stages[stage].implied);
	stages[STAGE_UNLISTED_SENDER].list = lone_check(
	    "reject_unlisted_sender", config.smtpd_reject_unlisted_sender);
	stages[STAGE_UNLISTED_RECIPIENT].list = lone_check(
	    "reject_unlisted_recipient",
	    config.smtpd_reject_unlisted_recipient &&
	    !list_has_word(config.receive_override_options,
	    "no_unknown_recipient_checks"));
}

const struct check_list *
checks_of_stage(enum stage stage)
{
	return stages[stage].list;
}

bool
checks_are_safe(const char **why)
{
	*why = "in parameter smtpd_relay_restrictions or "
	    "smtpd_recipient_restrictions, specify at least one working "
	    "instance of: reject_unauth_destination, "
	    "defer_unauth_destination, reject, defer";
	return stages[STAGE_RELAY].list->is_safe ||
	    stages[STAGE_RECIPIENT].list->is_safe;
}

/* What an evaluation is about. */

enum stage
check_stage(const struct session *s)
{
	return s->evaluation->stage;
}

/* The table that led to the list at hand, if any. */
static const struct frame *
led_by_table(const struct evaluation *e)
{
	for (size_t i = e->depth; i > 0; i--) {
		if (e->frames[i - 1].subject != NULL)
			return &e->frames[i - 1];
	}
	return NULL;
}

const char *
check_subject(const struct session *s)
{
	const struct frame *led = led_by_table(s->evaluation);

	if (led != NULL)
		return led->subject;
	switch (s->evaluation->stage) {
	case STAGE_CLIENT:
		return s->peer;
	case STAGE_HELO:
		return s->helo_name == NULL ? "" : s->helo_name;
	case STAGE_SENDER:
	case STAGE_UNLISTED_SENDER:
		return session_sender(s);
	case STAGE_DATA:
		return "DATA";
	case STAGE_END_OF_DATA:
		return "END-OF-MESSAGE";
	case STAGE_ETRN:
		return s->etrn_site;
	default:
		return session_recipient(s);
	}
}

const char *
check_subject_class(const struct session *s)
{
	const struct frame *led = led_by_table(s->evaluation);

	return led != NULL ? led->subject_class :
	    stages[s->evaluation->stage].subject_class;
}

const char *
checks_implied(const struct session *s)
{
	return stages[s->evaluation->stage].implied;
}

const struct route *
checks_sender_route(const struct session *s)
{
	return s->evaluation->sender_route;
}

const struct route *
checks_recipient_route(const struct session *s)
{
	return s->evaluation->recipient_route;
}

enum verdict
checks_enter_list(struct session *s, const struct check_list *list,
    const struct subject *subject)
{
	struct evaluation *e = s->evaluation;

	if (list == NULL || e->depth == DEPTH_MAX)
		return check_misconfigured(s);
	e->frames[e->depth] = (struct frame){ .list = list,
	    .warn_only = checks_warn_only(e),
	    .subject = subject == NULL ? NULL : mem_strdup(subject->name),
	    .subject_class = subject == NULL ? NULL : subject->class };
	e->depth++;
	return VERDICT_NONE;
}

static void
leave_lists(struct evaluation *e, size_t depth)
{
	while (e->depth > depth)
		free(e->frames[--e->depth].subject);
}

/* Evaluating. */

/* A list in the DNS is awaited: the lists that stand right behind it are asked meanwhile. */
static void
ask_ahead(struct session *s, const struct frame *frame)
{
	const struct check_list *list = frame->list;

	for (size_t i = frame->at; i < list->count; i++) {
		const struct check *check = &list->checks[i];

		if (check->kind == NULL || check->dnsbl == NULL)
			return;
		dnsbl_ask_ahead(s, check);
	}
}

/* One check of the list on top. */
static enum verdict
step(struct session *s)
{
	struct evaluation *e = s->evaluation;
	struct frame *frame = &e->frames[e->depth - 1];

	if (frame->at == frame->list->count) {
		leave_lists(e, e->depth - 1);
		return VERDICT_NONE;
	}

	const struct check *check = &frame->list->checks[frame->at];

	if (check_witness != NULL)
		check_witness->asked(check);
	if (check->kind != NULL) {
		enum verdict provided = checks_provide(s, check->kind->needs);

		if (provided == VERDICT_WAIT)
			return VERDICT_WAIT;
		frame->at++;
		if (provided == VERDICT_NONE) {
			if (check_witness != NULL)
				check_witness->decided(check, VERDICT_NONE);
			return VERDICT_NONE;
		}
	} else
		frame->at++;

	/* The list that a class enters inherits this. */
	bool before = frame->warn_only;
	enum verdict verdict;

	frame->warn_only = before || check->warn_only;
	told_asks(s);
	if (check->list != NULL)
		verdict = checks_enter_list(s, check->list, NULL);
	else if (check->kind == NULL || check->kind->decide == NULL)
		verdict = check_misconfigured(s);
	else
		verdict = check->kind->decide(s, check);
	if (verdict == VERDICT_PERMIT &&
	    !(check->kind->needs & (NEEDS_TABLE | NEEDS_POLICY)))
		verdict = permits_tell_check(s, check);
	frame->warn_only = before;
	if (verdict == VERDICT_WAIT) {
		frame->at--;		/* it is asked again with the answer */
		ask_ahead(s, frame);
	} else if (check_witness != NULL)
		check_witness->decided(check, verdict);
	return verdict;
}

/* The order of relay and recipient checks is the administrator's. */
static enum stage
next_stage(unsigned wanted)
{
	bool both = (wanted & 1 << STAGE_RELAY) &&
	    (wanted & 1 << STAGE_RECIPIENT);

	for (enum stage stage = 0; stage < STAGE_COUNT; stage++) {
		if (!(wanted & 1u << stage))
			continue;
		if (stage == STAGE_RELAY && both &&
		    !config.smtpd_relay_before_recipient_restrictions)
			return STAGE_RECIPIENT;
		return stage;
	}
	return STAGE_COUNT;
}

/* Client, HELO and sender were looked at when they came: what could not be found out then counts at RCPT. */
static size_t
early_place(unsigned wanted)
{
	return wanted & 1u << STAGE_CLIENT ? 0 :
	    wanted & 1u << STAGE_HELO ? 1 : 2;
}

static void
take_owed(struct session *s)
{
	struct evaluation *e = s->evaluation;

	if (!(e->all_stages & ~STAGES_BEFORE_RCPT)) {
		char **owed = &s->owed[early_place(e->all_stages)];

		free(*owed);
		*owed = NULL;
		return;
	}
	for (size_t i = 0; i < COUNT_OF(s->owed); i++)
		if (e->if_permit == NULL && s->owed[i] != NULL)
			e->if_permit = mem_strdup(s->owed[i]);
}

/* Nobody refused. */
static enum verdict
conclude(struct session *s)
{
	struct evaluation *e = s->evaluation;
	char *reply = e->if_permit;

	if (reply == NULL)
		return VERDICT_PERMIT;
	e->if_permit = NULL;
	if (e->all_stages & ~STAGES_BEFORE_RCPT)
		return checks_send_refusal(s, reply);
	s->owed[early_place(e->all_stages)] = reply;
	return VERDICT_PERMIT;
}

/* Whoever permits or refuses, he is put off. */
static enum verdict
put_off(struct session *s)
{
	struct evaluation *e = s->evaluation;
	char *reply = e->if_permit;

	free(e->if_reject);
	e->if_permit = e->if_reject = NULL;
	return checks_send_refusal(s, reply);
}

/*
 * The next stage. What the one before would put off if somebody refuses is
 * forgotten, but relay and recipient checks are one to the administrator.
 */
static void
enter_stage(struct session *s, enum stage next)
{
	struct evaluation *e = s->evaluation;
	bool goes_on = (e->stage == STAGE_SENDER &&
	    next == STAGE_UNLISTED_SENDER) || (e->stage >= STAGE_RELAY &&
	    next >= STAGE_RELAY && next <= STAGE_UNLISTED_RECIPIENT);

	if (!goes_on) {
		free(e->if_reject);
		e->if_reject = NULL;
	}
	e->stage = next;
	e->stages &= ~(1u << next);
	if (check_witness != NULL)
		check_witness->begins(next, stages[next].list);
	checks_enter_list(s, stages[next].list, NULL);
}

static enum verdict
evaluate(struct session *s)
{
	struct evaluation *e = s->evaluation;

	for (;;) {
		/* What is thrown away may go anywhere. */
		if (s->transaction != NULL && s->transaction->discards)
			return VERDICT_PERMIT;
		if (e->depth == 0) {
			enum stage next = next_stage(e->stages);

			/* Whether he is known does not matter if he must wait anyway. */
			if (next == STAGE_COUNT || (e->if_permit != NULL &&
			    next == STAGE_UNLISTED_RECIPIENT))
				return conclude(s);
			enter_stage(s, next);
		}
		switch (step(s)) {
		case VERDICT_NONE:
			if (e->if_permit != NULL && e->if_reject != NULL)
				return put_off(s);
			break;
		case VERDICT_PERMIT:
			leave_lists(e, 0);
			break;
		case VERDICT_REJECT:
			return VERDICT_REJECT;
		case VERDICT_WAIT:
			return VERDICT_WAIT;
		}
	}
}

/* Gives false while it waits. */
static bool
run(struct session *s)
{
	enum verdict verdict = evaluate(s);

	if (verdict == VERDICT_WAIT)
		return false;

	checks_done *done = s->evaluation->done;

	checks_cancel(s);
	done(s, verdict);
	return true;
}

void
checks_go_on(struct session *s)
{
	if (s->evaluation == NULL) {	/* he is not served yet */
		screen_go_on(s);
		return;
	}
	s->busy = false;
	if (!run(s))
		s->busy = true;
	else if (!s->busy)
		session_go_on(s);
}

void
checks_run(struct session *s, unsigned wanted, checks_done *done)
{
	/* RFC 5321 section 4.5.1: a bare postmaster is always welcome. */
	if (wanted == 0 || smtpd_is_alone || ((wanted & 1u << STAGE_RELAY) &&
	    text_equal_nocase(session_recipient(s), "postmaster"))) {
		done(s, VERDICT_PERMIT);
		return;
	}
	s->evaluation = mem_zalloc(1, sizeof(*s->evaluation));
	s->evaluation->stages = s->evaluation->all_stages = wanted;
	s->evaluation->done = done;
	take_owed(s);
	if (!run(s))
		s->busy = true;
}

void
checks_cancel(struct session *s)
{
	struct evaluation *e = s->evaluation;

	if (e == NULL)
		return;
	told_cancel(s);
	delegate_cancel(s);
	s->evaluation = NULL;
	route_forget(&e->question);
	verify_forget(&e->verify_question);
	free(e->verify_text);
	route_free(&e->sender_route);
	route_free(&e->recipient_route);
	if (e->pause != NULL)
		event_free(e->pause);
	free(e->if_permit);
	free(e->if_reject);
	leave_lists(e, 0);
	free(e);
	if (s->transaction == NULL)
		told_forget(s);
}
