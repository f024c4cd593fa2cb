/* smtpd_log_access_permit_actions: what permitted a client, told in the log. */

#include "smtpd/check/check.h"

#include <stdlib.h>
#include <string.h>

#include "config/config.h"
#include "smtpd/dialogue.h"
#include "table/match.h"

static struct match_list *told;

void
permits_open(void)
{
	if (config.smtpd_log_access_permit_actions[0] != '\0')
		told = match_list_open("smtpd_log_access_permit_actions",
		    config.smtpd_log_access_permit_actions);
}

/* "action=OK for Sender address=x from table", in Postfix's form, which ends in a blank without a table. */
enum verdict
permits_tell(struct session *s, const char *action,
    const struct subject *subject)
{
	bool is_told;
	char *text;

	if (told == NULL)
		return VERDICT_PERMIT;
	told_begin_tables(s);
	is_told = match_string(told, action) == TABLE_FOUND;
	if (!told_end_tables(s))
		return VERDICT_WAIT;
	if (!is_told)
		return VERDICT_PERMIT;
	text = mem_printf("action=%s for %s=%s %s%s", action, subject->class,
	    subject->name, subject->source == NULL ? "" : "from ",
	    subject->source == NULL ? "" : subject->source);
	report_action(s, "permit", text);
	free(text);
	return VERDICT_PERMIT;
}

enum verdict
permits_tell_check(struct session *s, const struct check *check)
{
	unsigned needs = check->kind->needs;
	struct subject subject = { s->peer, "Client host", NULL };

	if (strcmp(check->kind->name, "permit") == 0) {
		subject.name = check_subject(s);
		subject.class = check_subject_class(s);
	} else if (needs & (NEEDS_RECIPIENT | NEEDS_RECIPIENT_ROUTE)) {
		subject.name = session_recipient(s);
		subject.class = "Recipient address";
	} else if (needs & NEEDS_HELO) {
		subject.name = s->helo_name;
		subject.class = "Helo command";
	}
	return permits_tell(s, check->kind->name, &subject);
}
