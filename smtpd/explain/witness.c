/* What explain shows of the checks: each with its verdict, the look-ups it made, the lines it logged. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/config.h"
#include "service/explain.h"
#include "smtpd/check/check.h"
#include "smtpd/explain/explain.h"

#define COLUMN		56	/* where verdicts stand */

/* Of the check at hand. It may be asked again, and looks everything up anew then. */
static struct text lookups, lines;

static const char *const verdicts[] = {
	[VERDICT_NONE] = "no opinion",
	[VERDICT_PERMIT] = "permits",
	[VERDICT_REJECT] = "refuses",
	[VERDICT_WAIT] = "waits",
};

static void
tell_line(enum log_level level, const char *line)
{
	if (!text_starts_with(line, "connect from "))
		text_printf(&lines, "      log: %s\n", line);
}

static void
tell_look_up(struct table *table, const char *key, enum table_answer answer,
    const char *value)
{
	text_puts(&lookups, "      ");
	explain_look_up(&lookups, table, key, answer, value);
}

void
explain_flush(void)
{
	printf("%s%s", text_string(&lookups), text_string(&lines));
	text_truncate(&lookups, 0);
	text_truncate(&lines, 0);
}

static void
on_begins(enum stage stage, const struct check_list *list)
{
	bool has_parameter = stage != STAGE_UNLISTED_SENDER &&
	    stage != STAGE_UNLISTED_RECIPIENT;

	explain_flush();
	if (list->count > 0 || has_parameter)
		printf("  %s%s\n", has_parameter ? list->name : "at the end",
		    list->count == 0 ? " is empty" : "");
}

static void
on_asked(const struct check *check)
{
	text_truncate(&lookups, 0);
}

static void
on_decided(const struct check *check, enum verdict verdict)
{
	struct text line = TEXT_EMPTY;
	const char *said = verdicts[verdict];

	text_printf(&line, "    %s%s", check->warn_only ? "warn_if_reject " : "",
	    check->word);
	if (check->argument != NULL &&
	    strcmp(check->argument, check->word) != 0)
		text_printf(&line, " %s", check->argument);
	if (check->list != NULL)
		said = "go on there";
	printf("%-*s %s\n", COLUMN, text_string(&line), said);
	text_clear(&line);
	explain_flush();
}

void
explain_witness(void)
{
	static const struct check_witness witness = {
		on_begins, on_asked, on_decided,
	};

	log_open_function(tell_line);
	check_witness = &witness;
	table_witness = tell_look_up;
}
