/*
 * checks - header_checks, body_checks and their kin: what a table says of a piece of content
 *
 * A field of a header, with its folds, or a line of a body is looked up as a
 * whole; the first table that has it says what is done. Of mail that comes
 * from outside and from local users, that is, unless its service says
 * no_header_body_checks; not of what we forward or return.
 */

#include "cleanup/cleanup.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "address/address.h"
#include "config/config.h"
#include "message/header.h"
#include "smtp/status.h"
#include "table/asker.h"

static struct maps *tables[CHECK_TABLES];
static const char *names[CHECK_TABLES];

/* What is looked at, and what became of it. */
struct subject {
	struct submission *submission;
	const char	*kind;		/* "header", "body" */
	const char	*table;
	const char	*content;
	struct text	*out;
};

void
checks_open(void)
{
	const struct { const char *name, *list; } rows[CHECK_TABLES] = {
		[CHECK_HEADER] = { "header_checks", config.header_checks },
		[CHECK_MIME_HEADER] = { "mime_header_checks",
		    config.mime_header_checks },
		[CHECK_NESTED_HEADER] = { "nested_header_checks",
		    config.nested_header_checks },
		[CHECK_BODY] = { "body_checks", config.body_checks },
	};

	for (size_t i = 0; i < CHECK_TABLES; i++) {
		names[i] = rows[i].name;
		tables[i] = maps_open(rows[i].name, rows[i].list);
	}
}

bool
checks_are_wanted(const struct submission *submission, enum check_table table)
{
	return !submission->unchecked && submission->status == 0 &&
	    !maps_are_empty(tables[table]) && !table_is_asking();
}

/*
 * What the log is to hear when all is known: what waits for a table's server
 * is looked at anew. A line each; '!' begins a warning.
 */
static void __attribute__((format(printf, 2, 3)))
say(struct submission *submission, const char *format, ...)
{
	struct text line = TEXT_EMPTY;
	va_list arguments;

	va_start(arguments, format);
	text_vprintf(&line, format, arguments);
	va_end(arguments);
	for (char *at = line.bytes; (at = strchr(at, '\n')) != NULL; at++)
		*at = '?';
	text_printf(&submission->said, "%s\n", text_string(&line));
	text_clear(&line);
}

void
checks_tell(struct submission *submission)
{
	char *cursor = submission->said.bytes, *line;

	while (cursor != NULL && (line = word_next(&cursor, "\n")) != NULL) {
		if (*line == '!')
			log_warning("%s", line + 1);
		else
			log_info("%s", line);
	}
}

static void
append_client(struct text *line, const struct envelope *e)
{
	if (*e->client_address == '\0')
		text_puts(line, "local");
	else
		text_printf(line, "%s[%s]", e->client_name, e->client_address);
}

static void
append_way(struct text *line, const struct submission *submission)
{
	text_printf(line, "; from=<%s>", submission->envelope->sender);
	if (submission->last_recipient != NULL)
		text_printf(line, " to=<%s>", submission->last_recipient);
}

static void
tell(const struct subject *subject, const char *action, const char *text)
{
	const struct envelope *e = subject->submission->envelope;
	struct text line = TEXT_EMPTY;

	text_printf(&line, "%s: %s: %s %.200s from ", subject->submission->id,
	    action, subject->kind, subject->content);
	append_client(&line, e);
	append_way(&line, subject->submission);
	if (*e->protocol_name != '\0')
		text_printf(&line, " proto=%s", e->protocol_name);
	if (*e->helo_name != '\0')
		text_printf(&line, " helo=<%s>", e->helo_name);
	if (*text != '\0')
		text_printf(&line, ": %s", text);
	say(subject->submission, "%s", text_string(&line));
	text_clear(&line);
}

void
checks_tell_wrong(struct submission *submission, const char *words)
{
	struct text line = TEXT_EMPTY;

	text_printf(&line, "%s: reject: mime-error %s: %s from ",
	    submission->id, words, text_string(&submission->mime.culprit));
	append_client(&line, submission->envelope);
	append_way(&line, submission);
	say(submission, "%s", text_string(&line));
	text_clear(&line);
}

void
checks_refuse(struct submission *submission, const char *status,
    const char *text)
{
	const char *kept = pool_strdup(submission->pool, text);
	const char *code = pool_strdup(submission->pool, status);

	submission_refuse(submission, *status == '4' ? 451 : 550,
	    code == NULL ? "5.7.1" : code,
	    kept == NULL ? "message content rejected" : kept);
	submission->unchecked = true;
}

/* "4.7.1 text" has a status of its own. */
static enum check_result
reject(const struct subject *subject, const char *text)
{
	char status[SMTP_STATUS_SIZE];
	size_t length;

	if (*text == '\0')
		text = "message content rejected";
	length = smtp_status_parse(text, strlen(text), status);
	if (length == 0)
		strlcpy(status, "5.7.1", sizeof(status));
	text += length + strspn(text + length, " \t");
	if (*status == '2') {
		say(subject->submission, "!bad DSN action in %s %s -- need "
		    "4.x.x or 5.x.x", status, text);
		*status = '4';
	}

	char *told = mem_printf("%s %s", status, text);

	tell(subject, "reject", told);
	free(told);
	checks_refuse(subject->submission, status, text);
	return CHECK_KEEP;
}

static enum check_result
discard(const struct subject *subject, const char *text)
{
	tell(subject, "discard", text);
	subject->submission->envelope->flags |= ENVELOPE_DISCARD;
	subject->submission->unchecked = true;
	return CHECK_KEEP;
}

static enum check_result
hold(const struct subject *subject, const char *text)
{
	struct envelope *envelope = subject->submission->envelope;

	if (!(envelope->flags & ENVELOPE_HOLD))
		tell(subject, "hold", text);
	envelope->flags |= ENVELOPE_HOLD;
	return CHECK_KEEP;
}

static enum check_result
no_opinion(const struct subject *subject, const char *text)
{
	(void)subject;
	(void)text;
	return CHECK_KEEP;
}

static enum check_result
warn(const struct subject *subject, const char *text)
{
	tell(subject, "warning", text);
	return CHECK_KEEP;
}

static enum check_result
inform(const struct subject *subject, const char *text)
{
	tell(subject, "info", text);
	return CHECK_KEEP;
}

static enum check_result
drop(const struct subject *subject, const char *text)
{
	(void)subject;
	(void)text;
	return CHECK_DROP;
}

static enum check_result
strip(const struct subject *subject, const char *text)
{
	tell(subject, "strip", text);
	return CHECK_DROP;
}

/* What an action has behind it, for as long as the message lives. NULL without the mark that it must have, or without memory. */
static const char *
wanted(const struct subject *subject, const char *text, char mark)
{
	return strchr(text, mark) == NULL ? NULL :
	    pool_strdup(subject->submission->pool, text);
}

static enum check_result
filter(const struct subject *subject, const char *text)
{
	const char *way = wanted(subject, text, ':');

	if (way == NULL) {
		say(subject->submission, "!bad FILTER command %s in %s -- need "
		    "transport:destination", text, subject->table);
		return CHECK_KEEP;
	}
	subject->submission->envelope->filter = way;
	tell(subject, "filter", text);
	return CHECK_KEEP;
}

static enum check_result
redirect(const struct subject *subject, const char *text)
{
	const char *target = wanted(subject, text, '@');

	if (target == NULL) {
		say(subject->submission, "!bad REDIRECT target \"%s\" in %s "
		    "map -- need user@domain", text, subject->table);
		return CHECK_KEEP;
	}
	subject->submission->redirect = target;
	tell(subject, "redirect", text);
	return CHECK_KEEP;
}

static enum check_result
copy(const struct subject *subject, const char *text)
{
	const char *address = wanted(subject, text, '@');

	if (address == NULL) {
		say(subject->submission, "!bad BCC address \"%s\" in %s map "
		    "-- need user@domain", text, subject->table);
		return CHECK_KEEP;
	}
	tell(subject, "bcc", text);
	expand_copy(subject->submission, address);
	return CHECK_KEEP;
}

static bool
is_header(const char *text)
{
	struct header_walk walk = { .text = text, .length = strlen(text) };
	struct header_field field;

	return header_next(&walk, &field);
}

/* Text that takes a place in the content: in a header it must be a field. */
static bool
can_stand_there(const struct subject *subject, const char *word,
    const char *text)
{
	if (*text == '\0')
		say(subject->submission, "!%s action without text in %s map", word,
		    subject->table);
	else if (strcmp(subject->kind, "header") == 0 && !is_header(text))
		say(subject->submission, "!bad %s header text \"%s\" in %s map "
		    "-- need \"headername: headervalue\"", word, text, subject->table);
	else
		return true;
	return false;
}

static enum check_result
prepend(const struct subject *subject, const char *text)
{
	if (!can_stand_there(subject, "PREPEND", text))
		return CHECK_KEEP;
	tell(subject, "prepend", text);
	text_puts(subject->out, text);
	return CHECK_PREPEND;
}

static enum check_result
replace(const struct subject *subject, const char *text)
{
	if (!can_stand_there(subject, "REPLACE", text))
		return CHECK_KEEP;
	tell(subject, "replace", text);
	text_puts(subject->out, text);
	return CHECK_REPLACE;
}

static const struct {
	const char	*word;
	enum check_result (*act)(const struct subject *subject,
			    const char *text);
} actions[] = {
	{ "BCC", copy },
	{ "DISCARD", discard },
	{ "DUNNO", no_opinion },
	{ "FILTER", filter },
	{ "HOLD", hold },
	{ "IGNORE", drop },
	{ "INFO", inform },
	{ "OK", no_opinion },
	{ "PREPEND", prepend },
	{ "REDIRECT", redirect },
	{ "REJECT", reject },
	{ "REPLACE", replace },
	{ "STRIP", strip },
	{ "WARN", warn },
};

static enum check_result
act(const struct subject *subject, const char *value)
{
	size_t length = strcspn(value, " \t");
	const char *text = value + length + strspn(value + length, " \t");

	for (size_t i = 0; i < COUNT_OF(actions); i++)
		if (strlen(actions[i].word) == length &&
		    strncasecmp(actions[i].word, value, length) == 0)
			return actions[i].act(subject, text);
	say(subject->submission, "!unknown command in %s map: %s",
	    subject->table, value);
	return CHECK_KEEP;
}

enum check_result
checks_ask(struct submission *submission, enum check_table table,
    const char *content, struct text *out)
{
	struct subject subject = { submission,
	    table == CHECK_BODY ? "body" : "header", names[table], content,
	    out };
	enum check_result result = CHECK_KEEP;
	const char *value;

	text_truncate(out, 0);
	switch (maps_find(tables[table], content, &value)) {
	case TABLE_FOUND: {
		char *kept = mem_strdup(value);	/* an action may look up, too */

		result = act(&subject, kept);
		free(kept);
		break;
	}
	case TABLE_ERROR:
		if (table_is_asking())
			break;
		say(submission, "!%s: %s map lookup problem -- message not "
		    "accepted, try again later", submission->id, names[table]);
		submission_refuse(submission, 451, "4.3.0",
		    "Error: queue file write error");
		break;
	case TABLE_NONE:
		break;
	}
	return result;
}

enum check_table
checks_table_of(enum mime_header of, const struct header_field *field)
{
	if (of == MIME_OF_PART || mime_is_field(field))
		return CHECK_MIME_HEADER;
	return of == MIME_OF_NESTED ? CHECK_NESTED_HEADER : CHECK_HEADER;
}
