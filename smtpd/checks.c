/*
 * The check language: compile, evaluate, wait.
 *
 * An evaluation walks through stages (client, helo, sender...), each a list
 * of checks; a check is a row of kinds.c. It is a stack of places in lists,
 * so it can stop anywhere for an answer and go on later; nothing else waits.
 */

#include "smtpd/smtpd.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "config/config.h"
#include "table/table.h"

#define DEPTH_MAX	8	/* restriction classes within one another */

struct frame {
	const struct check_list	*list;
	size_t			 at;
	bool			 warn_only;
};

struct evaluation {
	unsigned	 stages;	/* those still to come, as bits */
	enum stage	 stage;
	struct frame	 frames[DEPTH_MAX];
	size_t		 depth;
	checks_done	*done;
	struct route	*sender_route, *recipient_route;
	bool		 asks_for_sender;
	struct question	*question;
	struct domain_question *domain_question;
	bool		 domain_answered;	/* for the check at hand */
	enum domain_state domain_state;
	struct verify_question *verify_question;
	bool		 verify_answered;
	int		 verify_status;
	char		*verify_text;
};

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
	[STAGE_RELAY] = { "smtpd_relay_restrictions", "Recipient address",
	    "check_recipient_access", NULL },
	[STAGE_RECIPIENT] = { "smtpd_recipient_restrictions",
	    "Recipient address", "check_recipient_access", NULL },
	[STAGE_DATA] = { "smtpd_data_restrictions", "Data command",
	    "check_client_access", NULL },
	[STAGE_END_OF_DATA] = { "smtpd_end_of_data_restrictions",
	    "End-of-data", "check_client_access", NULL },
	[STAGE_ETRN] = { "smtpd_etrn_restrictions", "Etrn command",
	    "check_etrn_access", NULL },
	[STAGE_UNLISTED_SENDER] = { NULL, "Sender address", NULL, NULL },
	[STAGE_UNLISTED_RECIPIENT] = { NULL, "Recipient address", NULL, NULL },
};

/* Compiling. */

/* The next word; braces keep what is between them together. Writes into the string. */
static char *
next_word(char **cursor)
{
	char *at = *cursor + strspn(*cursor, LIST_SEPARATORS);
	char *word = at;
	int depth = 0;

	if (*at == '\0')
		return NULL;
	for (; *at != '\0'; at++) {
		if (*at == '{')
			depth++;
		else if (*at == '}')
			depth--;
		else if (depth <= 0 && strchr(LIST_SEPARATORS, *at) != NULL)
			break;
	}
	if (*at != '\0')
		*at++ = '\0';
	*cursor = at;
	return word;
}

static const struct check_list *
compile_class(const char *name)
{
	static int depth;
	const char *words = config_get(name);
	const struct check_list *list = NULL;

	if (words == NULL || depth == DEPTH_MAX - 1) {
		log_warning("restriction class %s is %s", name,
		    words == NULL ? "not defined" : "part of itself");
		return NULL;
	}
	depth++;
	list = check_list_compile(name, words, NULL);
	depth--;
	return list;
}

/* A check that cannot be made: kind and list stay NULL, and it is 451. */
static void
compile_word(struct check *check, const char *parameter, char *word,
    char **cursor, const char *implied)
{
	const char *argument = NULL;

	check->word = mem_strdup(word);
	if (list_has_word(config.smtpd_restriction_classes, word)) {
		check->list = compile_class(check->word);
		return;
	}
	check->kind = check_kind_find(word);
	if (check->kind == NULL && implied != NULL && strchr(word, ':') != NULL) {
		check->kind = check_kind_find(implied);
		argument = word;
	}
	if (check->kind == NULL) {
		log_warning("unknown smtpd restriction: \"%s\" in %s", word,
		    parameter);
		return;
	}
	if (argument == NULL && (check->kind->needs & (NEEDS_TABLE | NEEDS_WORD)))
		argument = next_word(cursor);
	if (argument == NULL && (check->kind->needs & (NEEDS_TABLE | NEEDS_WORD))) {
		log_warning("%s: %s needs an argument", parameter, word);
		check->kind = NULL;
	} else if (check->kind->decide == NULL)
		log_warning("%s: %s is not implemented yet: mail that meets it "
		    "is put off", parameter, word);
	else if (check->kind->needs & NEEDS_TABLE)
		check->table = table_open(argument, 0);
}

const struct check_list *
check_list_compile(const char *name, const char *words, const char *implied)
{
	struct check_list *list = mem_zalloc(1, sizeof(*list));
	char *copy = mem_strdup(words), *cursor = copy, *word;
	bool warn_only = false;

	list->name = name;
	while ((word = next_word(&cursor)) != NULL) {
		struct check check = { .warn_only = warn_only };

		if (text_equal_nocase(word, "warn_if_reject")) {
			warn_only = true;
			continue;
		}
		warn_only = false;
		compile_word(&check, name, word, &cursor, implied);
		if (!check.warn_only &&
		    ((check.kind != NULL && (check.kind->needs & REFUSES_RELAY)) ||
		    (check.list != NULL && check.list->is_safe)))
			list->is_safe = true;
		list->checks = mem_resize(list->checks, list->count + 1,
		    sizeof(*list->checks));
		list->checks[list->count++] = check;
	}
	free(copy);
	return list;
}

static const struct check_list *
lone_check(const char *name, bool wanted)
{
	return check_list_compile(name, wanted ? name : "", NULL);
}

void
checks_compile(void)
{
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

/* Evaluating. */

const char *
check_subject(const struct session *s)
{
	switch (s->evaluation->stage) {
	case STAGE_CLIENT:
		return s->peer;
	case STAGE_HELO:
		return s->helo_name == NULL ? "" : s->helo_name;
	case STAGE_SENDER:
	case STAGE_UNLISTED_SENDER:
		return session_sender(s);
	case STAGE_ETRN:
		return s->etrn_site;
	case STAGE_DATA:
		return "DATA";
	case STAGE_END_OF_DATA:
		return "END-OF-MESSAGE";
	default:
		return session_recipient(s);
	}
}

const char *
check_subject_class(const struct session *s)
{
	return stages[s->evaluation->stage].subject_class;
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
check_refuse(struct session *s, int code, const char *status,
    const char *format, ...)
{
	struct evaluation *e = s->evaluation;
	struct text reply = TEXT_EMPTY;
	enum verdict verdict = VERDICT_REJECT;
	va_list arguments;

	text_printf(&reply, "%d %d%s ", code, code / 100, status + 1);
	va_start(arguments, format);
	text_vprintf(&reply, format, arguments);
	va_end(arguments);
	if (e->depth > 0 && e->frames[e->depth - 1].warn_only) {
		report_action(s, "reject_warning", text_string(&reply));
		verdict = VERDICT_NONE;
	} else {
		report_action(s, "reject", text_string(&reply));
		session_reply(s, "%s", text_string(&reply));
		if (code == 421 || code == 521)
			session_finish(s);
	}
	text_clear(&reply);
	return verdict;
}

enum verdict
check_misconfigured(struct session *s)
{
	return check_refuse(s, 451, "4.3.5",
	    "<%s>: %s rejected: Server configuration error", check_subject(s),
	    check_subject_class(s));
}

enum verdict
checks_enter_list(struct session *s, const struct check_list *list)
{
	struct evaluation *e = s->evaluation;

	if (list == NULL || e->depth == DEPTH_MAX)
		return check_misconfigured(s);
	e->frames[e->depth] = (struct frame){ .list = list,
	    .warn_only = e->depth > 0 && e->frames[e->depth - 1].warn_only };
	e->depth++;
	return VERDICT_NONE;
}

static void	go_on(struct session *s);

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
	go_on(s);
}

static void
on_domain(enum domain_state state, void *argument)
{
	struct session *s = argument;

	s->evaluation->domain_question = NULL;
	s->evaluation->domain_answered = true;
	s->evaluation->domain_state = state;
	go_on(s);
}

bool
checks_domain(struct session *s, const char *domain, enum domain_state *state)
{
	struct evaluation *e = s->evaluation;

	if (e->domain_answered) {
		e->domain_answered = false;
		*state = e->domain_state;
		return true;
	}
	e->domain_question = domain_ask(domain, on_domain, s);
	return false;
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
	go_on(s);
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

	if (*route == NULL)
		*route = route_remembered(address);
	if (*route != NULL)
		return true;
	e->asks_for_sender = of_sender;
	e->question = route_ask(address, on_route, s);
	return false;
}

/* Is what the check looks at there? PERMIT: yes; NONE: no, pass it over; WAIT: asked for. */
static enum verdict
provide(struct session *s, unsigned needs)
{
	if ((needs & NEEDS_HELO) && s->helo_name == NULL)
		return VERDICT_NONE;
	if ((needs & (NEEDS_SENDER | NEEDS_SENDER_ROUTE)) &&
	    s->transaction == NULL)
		return VERDICT_NONE;
	if ((needs & (NEEDS_RECIPIENT | NEEDS_RECIPIENT_ROUTE)) &&
	    session_recipient(s)[0] == '\0')
		return VERDICT_NONE;
	if ((needs & NEEDS_SENDER_ROUTE) && session_sender(s)[0] == '\0')
		return VERDICT_NONE;
	if ((needs & NEEDS_SENDER_ROUTE) && !have_route(s, true))
		return VERDICT_WAIT;
	if ((needs & NEEDS_RECIPIENT_ROUTE) && !have_route(s, false))
		return VERDICT_WAIT;
	return VERDICT_PERMIT;
}

/* One check of the list on top. */
static enum verdict
step(struct session *s)
{
	struct evaluation *e = s->evaluation;
	struct frame *frame = &e->frames[e->depth - 1];

	if (frame->at == frame->list->count) {
		e->depth--;
		return VERDICT_NONE;
	}

	const struct check *check = &frame->list->checks[frame->at];

	if (check->kind != NULL) {
		enum verdict provided = provide(s, check->kind->needs);

		if (provided == VERDICT_WAIT)
			return VERDICT_WAIT;
		frame->at++;
		if (provided == VERDICT_NONE)
			return VERDICT_NONE;
	} else
		frame->at++;

	/* The list that a class enters inherits this. */
	bool before = frame->warn_only;
	enum verdict verdict;

	frame->warn_only = before || check->warn_only;
	if (check->list != NULL)
		verdict = checks_enter_list(s, check->list);
	else if (check->kind == NULL || check->kind->decide == NULL)
		verdict = check_misconfigured(s);
	else
		verdict = check->kind->decide(s, check);
	frame->warn_only = before;
	if (verdict == VERDICT_WAIT)
		frame->at--;		/* it is asked again with the answer */
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

static enum verdict
evaluate(struct session *s)
{
	struct evaluation *e = s->evaluation;

	for (;;) {
		if (e->depth == 0) {
			e->stage = next_stage(e->stages);
			if (e->stage == STAGE_COUNT)
				return VERDICT_PERMIT;
			e->stages &= ~(1u << e->stage);
			checks_enter_list(s, stages[e->stage].list);
		}
		switch (step(s)) {
		case VERDICT_NONE:
			break;
		case VERDICT_PERMIT:
			e->depth = 0;
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

static void
go_on(struct session *s)
{
	s->busy = false;
	if (!run(s))
		s->busy = true;
	else if (!s->busy)
		session_go_on(s);
}

void
checks_run(struct session *s, unsigned wanted, checks_done *done)
{
	if (wanted == 0) {
		done(s, VERDICT_PERMIT);
		return;
	}
	s->evaluation = mem_zalloc(1, sizeof(*s->evaluation));
	s->evaluation->stages = wanted;
	s->evaluation->done = done;
	if (!run(s))
		s->busy = true;
}

void
checks_cancel(struct session *s)
{
	struct evaluation *e = s->evaluation;

	if (e == NULL)
		return;
	s->evaluation = NULL;
	route_forget(&e->question);
	domain_forget(&e->domain_question);
	verify_forget(&e->verify_question);
	free(e->verify_text);
	route_free(&e->sender_route);
	route_free(&e->recipient_route);
	free(e);
}
