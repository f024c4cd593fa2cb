/* What an access(5) table or a policy service says: the words, and what they do. */

#include "smtpd/check/check.h"

#include <stdlib.h>
#include <string.h>

#include "config/config.h"
#include "smtpd/dialogue.h"
#include "smtpd/transaction.h"

#define PREPEND_LIMIT	65536	/* bytes of headers that checks add to one message */

typedef enum verdict action(struct session *, const struct subject *,
    const char *text);

/* RFC 3463 section 3.2, in the order of x.1.0 to x.1.8. */
static const struct { const char *sender, *recipient; } address_status[] = {
	{ "5.1.0", "5.1.0" },
	{ "5.1.7", "5.1.1" },		/* bad mailbox */
	{ "5.1.8", "5.1.2" },		/* bad system */
	{ "5.1.7", "5.1.3" },		/* bad syntax */
	{ "5.1.7", "5.1.4" },		/* ambiguous */
	{ "5.1.0", "5.1.5" },		/* valid */
	{ "5.1.7", "5.1.6" },		/* moved */
	{ "5.1.7", "5.1.3" },		/* bad syntax of a sender */
	{ "5.1.8", "5.1.2" },		/* bad system of a sender */
};

const char *
status_for_class(const char *class, const char *status)
{
	size_t detail = (size_t)atoi(status + strlen("5.1."));

	if (strncmp(status + 1, ".1.", 3) != 0)
		return status;
	if (detail >= COUNT_OF(address_status))
		detail = 0;
	if (strcmp(class, "Sender address") == 0)
		return address_status[detail].sender;
	if (strcmp(class, "Recipient address") == 0)
		return address_status[detail].recipient;
	return "5.0.0";
}

/* "5.7.1 text": the status is the table's. Gives what is left of text, or the preset for both. */
static const char *
split_status(const struct subject *subject, const char *text,
    const char **status, const char *preset_status, const char *preset_text)
{
	static char room[SMTP_STATUS_SIZE];
	size_t length = smtp_status_parse(text, strlen(text), room);

	*status = length == 0 ? preset_status
	    : status_for_class(subject->class, room);
	text += length;
	text += strspn(text, " \t");
	return *text == '\0' ? preset_text : text;
}

static enum verdict
refuse(struct session *s, const struct subject *subject, int code,
    const char *preset_status, const char *text)
{
	const char *status;

	text = split_status(subject, text, &status, preset_status, "Access denied");
	return check_refuse(s, code, status, "<%s>: %s rejected: %s",
	    subject->name, subject->class, text);
}

static enum verdict
reject(struct session *s, const struct subject *subject, const char *text)
{
	return refuse(s, subject, config.access_map_reject_code, "5.7.1",
	    text);
}

static enum verdict
defer(struct session *s, const struct subject *subject, const char *text)
{
	return refuse(s, subject, config.access_map_defer_code, "4.7.1", text);
}

static enum verdict
defer_if_permit(struct session *s, const struct subject *subject,
    const char *text)
{
	const char *status;

	text = split_status(subject, text, &status, "4.7.1", "Service unavailable");
	return check_defer_if_permit(s, "defer_if_permit",
	    config.access_map_defer_code, status,
	    "<%s>: %s rejected: %s", subject->name, subject->class, text);
}

static enum verdict
defer_if_reject(struct session *s, const struct subject *subject,
    const char *text)
{
	const char *status;

	text = split_status(subject, text, &status, "4.7.1", "Service unavailable");
	return check_defer_if_reject(s, config.access_map_defer_code, status,
	    "<%s>: %s rejected: %s", subject->name, subject->class, text);
}

static enum verdict
permit(struct session *s, const struct subject *subject, const char *text)
{
	return permits_tell(s, "OK", subject);
}

static enum verdict
permit_relay(struct session *s, const struct subject *subject,
    const char *text)
{
	return permits_tell(s, "RELAY", subject);
}

static enum verdict
no_opinion(struct session *s, const struct subject *subject, const char *text)
{
	return VERDICT_NONE;
}

/* "<x>: Client host text" in the log. */
static void
tell(struct session *s, const struct subject *subject, const char *action,
    const char *text)
{
	struct text line = TEXT_EMPTY;

	text_printf(&line, "<%s>: %s %s", subject->name, subject->class, text);
	report_action(s, action, text_string(&line));
	text_clear(&line);
}

static void
tell_value(struct session *s, const struct subject *subject,
    const char *action, const char *word, const char *value)
{
	char *text = mem_printf("triggers %s %s", word, value);

	tell(s, subject, action, text);
	free(text);
}

static enum verdict
warn(struct session *s, const struct subject *subject, const char *text)
{
	report_action(s, "warn", text);
	return VERDICT_NONE;
}

static enum verdict
inform(struct session *s, const struct subject *subject, const char *text)
{
	report_action(s, "info", text);
	return VERDICT_NONE;
}

/* Is there a message to do something with? ETRN has none, before MAIL there is none yet, and what a proxy gets is not ours. */
static struct transaction *
message_of(struct session *s, const struct subject *subject,
    const char *action)
{
	if (*config.smtpd_proxy_filter != '\0') {
		log_warning("access table %s: with smtpd_proxy_filter "
		    "specified, action %s is unavailable", subject->source,
		    action);
		return NULL;
	}
	if (s->transaction == NULL)
		log_warning("access table %s: action %s is always skipped in "
		    "%s restrictions", subject->source, action,
		    check_subject_class(s));
	return s->transaction;
}

static enum verdict
hold(struct session *s, const struct subject *subject, const char *text)
{
	struct transaction *t = message_of(s, subject, "HOLD");

	if (t == NULL || (t->envelope->flags & ENVELOPE_HOLD))
		return VERDICT_NONE;
	t->envelope->flags |= ENVELOPE_HOLD;
	tell(s, subject, "hold",
	    *text == '\0' ? "triggers HOLD action" : text);
	return VERDICT_NONE;
}

static enum verdict
discard(struct session *s, const struct subject *subject, const char *text)
{
	struct transaction *t = message_of(s, subject, "DISCARD");

	if (t == NULL)
		return VERDICT_NONE;
	t->envelope->flags |= ENVELOPE_DISCARD;
	t->discards = true;
	tell(s, subject, "discard",
	    *text == '\0' ? "triggers DISCARD action" : text);
	return VERDICT_PERMIT;
}

/* The address that an action wants; NULL, with a warning, without one. */
static const char *
target(struct transaction *t, const struct subject *subject, const char *text)
{
	if (strchr(text, '@') != NULL)
		return pool_strdup(t->pool, text);
	log_warning("access table %s entry \"%s\" requires user@domain target",
	    subject->source, subject->name);
	return NULL;
}

static enum verdict
redirect(struct session *s, const struct subject *subject, const char *text)
{
	struct transaction *t = message_of(s, subject, "REDIRECT");
	const char *address = t == NULL ? NULL : target(t, subject, text);

	if (address == NULL)
		return VERDICT_NONE;
	t->redirect = address;
	tell_value(s, subject, "redirect", "REDIRECT", text);
	return VERDICT_NONE;
}

static enum verdict
copy(struct session *s, const struct subject *subject, const char *text)
{
	struct transaction *t = message_of(s, subject, "BCC");
	const char *address = t == NULL ? NULL : target(t, subject, text);
	const char **copies;

	if (address == NULL)
		return VERDICT_NONE;
	tell_value(s, subject, "bcc", "BCC", text);
	for (size_t i = 0; i < t->copy_count; i++)
		if (strcmp(t->copies[i], address) == 0)
			return VERDICT_NONE;
	copies = pool_alloc(t->pool, (t->copy_count + 1) * sizeof(*copies));
	if (copies == NULL)
		return check_misconfigured(s);
	if (t->copy_count > 0)
		memcpy(copies, t->copies, t->copy_count * sizeof(*copies));
	copies[t->copy_count++] = address;
	t->copies = copies;
	return VERDICT_NONE;
}

static bool
is_header(const char *text)
{
	const char *p = text;

	while (*p > ' ' && *p < 0x7f && *p != ':')
		p++;
	return p > text && *p == ':';
}

/* Sender checks run for each recipient: the same header is put there once. */
static void
add_header(struct text *to, const char *text)
{
	char *line = mem_printf("%s\n", text);

	if (strstr(text_string(to), line) == NULL &&
	    to->length + strlen(line) < PREPEND_LIMIT)
		text_puts(to, line);
	free(line);
}

static enum verdict
prepend(struct session *s, const struct subject *subject, const char *text)
{
	struct transaction *t = message_of(s, subject, "PREPEND");

	if (t == NULL)
		return VERDICT_NONE;
	if (check_stage(s) == STAGE_END_OF_DATA)
		log_warning("access table %s: action PREPEND must be used "
		    "before smtpd_end_of_data_restrictions", subject->source);
	else if (!is_header(text))
		log_warning("access table %s entry \"%s\" requires header: "
		    "text", subject->source, subject->name);
	else
		add_header(&t->prepend, text);
	return VERDICT_NONE;
}

/* In place of content_filter; the last one counts. */
static enum verdict
filter(struct session *s, const struct subject *subject, const char *text)
{
	struct transaction *t = message_of(s, subject, "FILTER");
	const char *copy;

	if (t == NULL)
		return VERDICT_NONE;
	if (strchr(text, ':') == NULL) {
		log_warning("access table %s entry \"%s\" requires "
		    "transport:destination", subject->source, subject->name);
		return VERDICT_NONE;
	}
	if ((copy = pool_strdup(t->pool, text)) == NULL)
		return check_misconfigured(s);
	t->filter = copy;
	tell_value(s, subject, "filter", "FILTER", text);
	return VERDICT_NONE;
}

static const struct {
	const char	*word;
	action		*act;
} actions[] = {
	{ "OK", permit },
	{ "RELAY", permit_relay },
	{ "DUNNO", no_opinion },
	{ "REJECT", reject },
	{ "DEFER", defer },
	{ "DEFER_IF_PERMIT", defer_if_permit },
	{ "DEFER_IF_REJECT", defer_if_reject },
	{ "WARN", warn },
	{ "INFO", inform },
	{ "HOLD", hold },
	{ "DISCARD", discard },
	{ "REDIRECT", redirect },
	{ "BCC", copy },
	{ "PREPEND", prepend },
	{ "FILTER", filter },
};

/* Compiled once for each text that tables hold, which are few. */
static const struct check_list *
list_of(const char *words, const char *implied)
{
	static struct map *lists;
	const struct check_list *list;
	char *key = mem_printf("%s %s", implied == NULL ? "" : implied, words);

	if (lists == NULL)
		lists = map_new();
	list = map_get(lists, key);
	if (list == NULL && map_count(lists) < 1000) {
		list = check_list_compile("an access table", words, implied);
		map_set(lists, key, (void *)(uintptr_t)list);
	}
	free(key);
	return list;
}

static bool
is_reply_code(const char *value)
{
	return (*value == '4' || *value == '5') &&
	    strspn(value, "0123456789") == 3;
}

enum verdict
act(struct session *s, const struct subject *subject, const char *value)
{
	size_t length = strcspn(value, " \t");
	const char *text = value + length + strspn(value + length, " \t");

	/* Digits alone are OK: that is how tables of clients that logged in by POP are made. */
	if (*value != '\0' && strspn(value, "0123456789") == strlen(value))
		return permits_tell(s, value, subject);
	if (is_reply_code(value))
		return refuse(s, subject, atoi(value),
		    *value == '4' ? "4.7.1" : "5.7.1", value + 3 +
		    strspn(value + 3, " \t"));
	for (size_t i = 0; i < COUNT_OF(actions); i++)
		if (strlen(actions[i].word) == length &&
		    strncasecmp(actions[i].word, value, length) == 0)
			return actions[i].act(s, subject, text);
	return checks_enter_list(s, list_of(value, checks_implied(s)),
	    subject);
}
