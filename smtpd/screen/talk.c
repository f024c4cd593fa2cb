/*
 * The tests in the dialogue, and who was refused before.
 *
 * postscreen has a dialogue of its own for them, and who passes must come
 * again. Here the dialogue is smtpd's: who names a recipient has passed, and
 * goes on. Until then he is not offered PIPELINING if that is tested, and
 * some limits are tighter. Who was refused is heard out, up to RCPT.
 */

#include <stdlib.h>
#include <string.h>

#include "config/config.h"
#include "service/service.h"
#include "smtpd/screen/screen.h"

#define IN_DIALOGUE	(BIT(SCREEN_PIPELINING) | BIT(SCREEN_NON_SMTP) | \
			 BIT(SCREEN_BARE_NEWLINE))

static const char protocol_error[] = "550 5.5.1 Protocol error";

bool
screen_has_refused(const struct session *s)
{
	return s->screening != NULL && s->screening->refusal != NULL;
}

bool
screen_hides_pipelining(const struct session *s)
{
	const struct screening *x = s->screening;

	return x != NULL && (x->refusal != NULL ||
	    (x->todo & ~x->passed & BIT(SCREEN_PIPELINING)) != 0);
}

static bool
is_tested(const struct session *s, enum screen_test test)
{
	const struct screening *x = s->screening;

	return x != NULL && (x->todo & ~x->over & BIT(test)) != 0;
}

/* He did what the test is about. True if the session ends for it. */
static bool
violate(struct session *s, enum screen_test test, const char *last_words)
{
	struct screening *x = s->screening;

	x->over |= BIT(test);
	switch (screen_action(test)) {
	case SCREEN_IGNORE:
		/* Asked again when the first of the tests is due again. */
		screen_pass(x, test, screen_ttl(SCREEN_PREGREET));
		return false;
	case SCREEN_ENFORCE:
		if (x->refusal == NULL)
			x->refusal = protocol_error;
		return false;
	case SCREEN_DROP:
		break;
	}
	screen_drop(s, last_words);
	return true;
}

static bool
test_command(struct session *s, const char *before, const char *line,
    size_t length)
{
	char *shown = screen_escape(line, length);

	screen_tell_from(s, "NON-SMTP COMMAND", before, shown);
	free(shown);
	return violate(s, SCREEN_NON_SMTP,
	    "521 5.7.0 Error: I can break rules, too. Goodbye.");
}

static bool
test_pipelining(struct session *s, const char *early, size_t length)
{
	char *shown = screen_escape(early, length);

	screen_tell_from(s, "COMMAND PIPELINING", s->where, shown);
	free(shown);
	return violate(s, SCREEN_PIPELINING, "521 5.5.1 Protocol error");
}

static void
drop_for_now(struct session *s)
{
	char *reply = mem_printf("421 %s Service unavailable - try again later",
	    config.myhostname);

	screen_drop(s, reply);
	free(reply);
}

/* postscreen_command_count_limit. */
static bool
is_too_many(struct session *s)
{
	if (s->screening->commands++ < config.postscreen_command_count_limit ||
	    s->verb == QUIT)
		return false;
	screen_tell_from(s, "COMMAND COUNT LIMIT", s->where, NULL);
	drop_for_now(s);
	return true;
}

/* Who comes so far without a mistake has passed what is tested in the dialogue. */
static void
pass_dialogue(struct session *s)
{
	struct screening *x = s->screening;

	for (int i = 0; i < SCREEN_TEST_COUNT; i++)
		if (x->todo & ~x->passed & ~x->over & IN_DIALOGUE & BIT(i))
			screen_pass(x, (enum screen_test)i,
			    screen_ttl((enum screen_test)i));
	screen_conclude(s);
}

bool
screen_command(struct session *s, const char *before, bool is_none,
    const struct screen_line *line)
{
	if (s->screening == NULL)
		return false;
	if (is_none && is_tested(s, SCREEN_NON_SMTP) &&
	    test_command(s, before, line->bytes, line->length))
		return true;
	if (line->early_length > 0 && s->verb != BDAT &&
	    is_tested(s, SCREEN_PIPELINING) &&
	    test_pipelining(s, line->early, line->early_length))
		return true;
	if (s->verb == RCPT && (s->state & (IN_MAIL | IN_RCPT)) != 0 &&
	    s->screening->refusal == NULL) {
		pass_dialogue(s);
		return false;
	}
	return is_too_many(s);
}

bool
screen_bare_newline(struct session *s, const char *line, size_t length)
{
	char *shown;

	if ((length > 0 && line[length - 1] == '\r') ||
	    !is_tested(s, SCREEN_BARE_NEWLINE))
		return false;
	shown = screen_escape(line, length);
	screen_tell_from(s, "BARE NEWLINE", shown, NULL);
	free(shown);
	return violate(s, SCREEN_BARE_NEWLINE, "521 5.5.1 Protocol error");
}

bool
screen_long_line(struct session *s)
{
	if (s->screening == NULL)
		return false;
	screen_tell_from(s, "COMMAND LENGTH LIMIT", s->where, NULL);
	drop_for_now(s);
	return true;
}

bool
screen_refuses(struct session *s, const char *recipient)
{
	if (!screen_has_refused(s))
		return false;
	screen_tell_refusal(s, recipient);
	session_reply(s, "%s", s->screening->refusal);
	return true;
}

bool
screen_tells_lost(struct session *s, const char *what)
{
	if (s->screening == NULL)
		return false;
	if (strcmp(what, "timeout") == 0)
		screen_tell_from(s, "COMMAND TIME LIMIT", s->where, NULL);
	else
		screen_tell_hangup(s);
	return !s->screening->is_served;
}

bool
screen_tells_end(struct session *s)
{
	const struct screening *x = s->screening;

	if (x == NULL)
		return false;
	if (!x->is_served || x->refusal != NULL || x->is_dropped)
		screen_tell(s, "DISCONNECT");
	return !x->is_served;
}
