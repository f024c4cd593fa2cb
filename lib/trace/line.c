/* line - when, who, which message, what */

#include "trace/trace.h"

#include <ctype.h>
#include <string.h>

#include "base/base.h"

#define ID_SHORTEST	6
#define ISO_SHORTEST	19	/* 2026-01-12T14:31:25 */

bool
trace_word_is(struct trace_word word, const char *string)
{
	return word.length == strlen(string) &&
	    memcmp(word.at, string, word.length) == 0;
}

static bool
begins(struct trace_word text, const char *with)
{
	size_t length = strlen(with);

	return text.length >= length && memcmp(text.at, with, length) == 0;
}

static void
skip(struct trace_word *text, size_t length)
{
	text->at += length;
	text->length -= length;
}

/* Cut what stands before the separator off text, and both. False if it is not there. */
static bool
cut(struct trace_word *text, const char *separator, struct trace_word *part)
{
	const char *end = memmem(text->at, text->length, separator,
	    strlen(separator));

	if (end == NULL)
		return false;
	*part = (struct trace_word){ text->at, (size_t)(end - text->at) };
	skip(text, part->length + strlen(separator));
	return true;
}

/* "Jan  4 14:45:00 " or "2026-01-12T14:31:25.123456+00:00 ". */
static bool
cut_time(struct trace_word *text, struct trace_word *time)
{
	static const char form[] = "Aaa nn nn:nn:nn ";
	size_t i = 0;

	while (i < sizeof(form) - 1 && i < text->length) {
		unsigned char c = (unsigned char)text->at[i];

		if (form[i] == 'n' ? !isdigit(c) && c != ' ' :
		    isalpha((unsigned char)form[i]) ? !isalpha(c) :
		    c != (unsigned char)form[i])
			break;
		i++;
	}
	if (i == sizeof(form) - 1) {
		*time = (struct trace_word){ text->at, i - 1 };
		skip(text, i);
		return true;
	}
	return text->length > ISO_SHORTEST && isdigit((unsigned char)*text->at) &&
	    text->at[4] == '-' && text->at[10] == 'T' && cut(text, " ", time);
}

/* The last part of "postfix/submission/smtpd[1234]". */
static struct trace_word
post_of(struct trace_word tag)
{
	const char *bracket = memchr(tag.at, '[', tag.length);
	const char *slash;

	if (bracket != NULL)
		tag.length = (size_t)(bracket - tag.at);
	slash = memrchr(tag.at, '/', tag.length);
	if (slash != NULL)
		skip(&tag, (size_t)(slash + 1 - tag.at));
	return tag;
}

/* Hexadecimal digits in capitals, or letters and digits with a digit among them: a word with a colon is none. */
static bool
is_id(struct trace_word word)
{
	bool hexadecimal = true, digit = false;

	if (word.length < ID_SHORTEST || word.length >= TRACE_ID_SIZE)
		return false;
	for (size_t i = 0; i < word.length; i++) {
		unsigned char c = (unsigned char)word.at[i];

		if (!isalnum(c))
			return false;
		digit |= isdigit(c) != 0;
		hexadecimal &= isdigit(c) || (c >= 'A' && c <= 'F');
	}
	return hexadecimal || digit;
}

static void
skip_severity(struct trace_word *text)
{
	static const char *const severities[] = { "warning: ", "error: ",
	    "fatal: ", "panic: " };

	for (size_t i = 0; i < COUNT_OF(severities); i++) {
		if (begins(*text, severities[i]))
			skip(text, strlen(severities[i]));
	}
}

bool
trace_line_parse(const char *line, size_t length, struct trace_line *parsed)
{
	struct trace_word rest = { line, length }, host, tag, behind;

	*parsed = (struct trace_line){ .text = rest };
	if (!cut_time(&rest, &parsed->time) || !cut(&rest, " ", &host) ||
	    !cut(&rest, ": ", &tag) || tag.length == 0 ||
	    memchr(tag.at, ' ', tag.length) != NULL)
		return false;
	parsed->post = post_of(tag);
	parsed->text = behind = rest;
	skip_severity(&behind);
	if (cut(&behind, ": ", &parsed->id) && (is_id(parsed->id) ||
	    trace_word_is(parsed->id, "NOQUEUE")))
		parsed->text = behind;
	else
		parsed->id = (struct trace_word){ behind.at, 0 };
	return parsed->post.length > 0;
}

/* Up to the > that a comma, a blank or the end follows, since a quoted local part may hold one; else up to a comma. */
static struct trace_word
value_at(struct trace_word text)
{
	struct trace_word value = text;

	if (!begins(text, "<")) {
		const char *comma = memmem(text.at, text.length, ", ", 2);

		if (comma != NULL)
			value.length = (size_t)(comma - text.at);
		return value;
	}
	skip(&value, 1);
	for (size_t i = 0; i < value.length; i++) {
		if (value.at[i] == '>' && (i + 1 == value.length ||
		    value.at[i + 1] == ',' || value.at[i + 1] == ' ')) {
			value.length = i;
			return value;
		}
	}
	return value;
}

bool
trace_value(struct trace_word text, const char *name, struct trace_word *value)
{
	size_t length = strlen(name);
	bool at_start = true;

	while (text.length > length) {
		const char *blank;

		if (at_start && begins(text, name) && text.at[length] == '=') {
			skip(&text, length + 1);
			*value = value_at(text);
			return true;
		}
		blank = memchr(text.at, ' ', text.length);
		if (blank == NULL)
			break;
		skip(&text, (size_t)(blank + 1 - text.at));
	}
	*value = (struct trace_word){ text.at, 0 };
	return false;
}

bool
trace_delivery_parse(struct trace_word text, struct trace_delivery *delivery)
{
	const char *open;

	*delivery = (struct trace_delivery){ .recipient = { text.at, 0 } };
	if (!begins(text, "to=<") ||
	    !trace_value(text, "status", &delivery->status))
		return false;

	/* What the other host said may hold anything, so that names are looked for before it. */
	struct trace_word before = { text.at,
	    (size_t)(delivery->status.at - text.at) };

	trace_value(before, "to", &delivery->recipient);
	trace_value(before, "orig_to", &delivery->original);
	trace_value(before, "relay", &delivery->relay);
	trace_value(before, "delay", &delivery->delay);
	trace_value(before, "delays", &delivery->delays);
	trace_value(before, "dsn", &delivery->dsn);
	delivery->status.length = (size_t)(text.at + text.length -
	    delivery->status.at);
	open = memmem(delivery->status.at, delivery->status.length, " (", 2);
	delivery->reason = (struct trace_word){ text.at + text.length, 0 };
	if (open != NULL) {
		delivery->reason = (struct trace_word){ open + 2,
		    (size_t)(text.at + text.length - open) - 2 };
		delivery->status.length = (size_t)(open - delivery->status.at);
		if (delivery->reason.length > 0 && delivery->reason.at[
		    delivery->reason.length - 1] == ')')
			delivery->reason.length--;
	}
	return true;
}

bool
trace_line_tie(const struct trace_line *line, struct trace_word *id,
    bool *certain)
{
	static const struct {
		const char	*before;
		bool		 certain;
	} ties[] = {
		{ "(forwarded as ", true }, { " notification: ", true },
		{ "orig_queue_id=", true }, { "orig_id=", true },
		{ "queued as ", false },
	};

	for (size_t i = 0; i < COUNT_OF(ties); i++) {
		const char *end = line->text.at + line->text.length;
		const char *at = memmem(line->text.at, line->text.length,
		    ties[i].before, strlen(ties[i].before));

		if (at == NULL)
			continue;
		id->at = at + strlen(ties[i].before);
		id->length = 0;
		while (id->at + id->length < end &&
		    isalnum((unsigned char)id->at[id->length]))
			id->length++;
		*certain = ties[i].certain;
		if (is_id(*id))
			return true;
	}
	return false;
}
