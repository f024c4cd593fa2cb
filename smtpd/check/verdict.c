/* Verdicts: what the client hears, and what is put off until all is known. */

#include "smtpd/check/evaluation.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "smtpd/dialogue.h"

bool
checks_warn_only(const struct evaluation *e)
{
	return e->depth > 0 && e->frames[e->depth - 1].warn_only;
}

static char *
compose(int code, const char *status, const char *format, va_list arguments)
{
	struct text reply = TEXT_EMPTY;

	text_printf(&reply, "%d %d%s ", code, code / 100, status + 1);
	text_vprintf(&reply, format, arguments);
	return text_take(&reply);
}

enum verdict
checks_send_refusal(struct session *s, char *reply)
{
	struct evaluation *e = s->evaluation;
	const char *said = e->if_reject != NULL ? e->if_reject : reply;

	report_action(s, "reject", said);
	session_reply(s, "%s", said);
	if (strncmp(said, "421", 3) == 0 || strncmp(said, "521", 3) == 0)
		session_finish(s);
	free(reply);
	return VERDICT_REJECT;
}

/* Behind warn_if_reject a refusal is only a line in the log. Then takes reply. */
static bool
warned_only(struct session *s, char *reply)
{
	if (!checks_warn_only(s->evaluation))
		return false;
	report_action(s, "reject_warning", reply);
	free(reply);
	return true;
}

enum verdict
check_refuse(struct session *s, int code, const char *status,
    const char *format, ...)
{
	va_list arguments;
	char *reply;

	va_start(arguments, format);
	reply = compose(code, status, format, arguments);
	va_end(arguments);
	if (warned_only(s, reply))
		return VERDICT_NONE;
	return checks_send_refusal(s, reply);
}

enum verdict
check_fail(struct session *s, const char *status, const char *format, ...)
{
	va_list arguments;
	char *reply;

	va_start(arguments, format);
	reply = compose(451, status, format, arguments);
	va_end(arguments);
	return checks_send_refusal(s, reply);
}

enum verdict
check_misconfigured(struct session *s)
{
	return check_fail(s, "4.3.5", "Server configuration error");
}

/* The first reason stays: it is the one that stood in the way. */
static enum verdict
note(char **reason, char *reply)
{
	if (*reason == NULL)
		*reason = reply;
	else
		free(reply);
	return VERDICT_NONE;
}

enum verdict
check_defer_if_permit(struct session *s, const char *action, int code,
    const char *status, const char *format, ...)
{
	va_list arguments;
	char *reply;

	va_start(arguments, format);
	reply = compose(code, status, format, arguments);
	va_end(arguments);
	if (warned_only(s, reply))
		return VERDICT_NONE;
	if (!text_equal_nocase(action, "defer_if_permit"))
		return checks_send_refusal(s, reply);
	return note(&s->evaluation->if_permit, reply);
}

enum verdict
check_defer_if_reject(struct session *s, int code, const char *status,
    const char *format, ...)
{
	va_list arguments;
	char *reply;

	va_start(arguments, format);
	reply = compose(code, status, format, arguments);
	va_end(arguments);
	if (warned_only(s, reply))
		return VERDICT_NONE;
	return note(&s->evaluation->if_reject, reply);
}
