#include "named/channels.h"

#include <stdlib.h>
#include <string.h>

#define SYSLOG_NAMES
#include <syslog.h>

#include "named/statements.h"

static const struct log_channel own[] = {
	{ "default_syslog", NULL, { .place = LOG_PLACE_SYSLOG,
	    .facility = LOG_DAEMON, .severity = LOG_LEVEL_INFO } },
	{ "default_debug", "named.run", { .place = LOG_PLACE_FILE,
	    .versions = LOG_VERSIONS_NONE, .severity = LOG_LEVEL_DEBUG,
	    .debug_only = true, .time = LOG_TIME_LOCAL } },
	{ "default_logfile", NULL, { .place = LOG_PLACE_SYSLOG,
	    .facility = LOG_DAEMON, .severity = LOG_LEVEL_DEBUG } },
	{ "default_stderr", NULL, { .place = LOG_PLACE_STDERR,
	    .severity = LOG_LEVEL_INFO } },
	{ "null", NULL, { .place = LOG_PLACE_NULL } },
};

/* There is no weight between information and a warning here. */
static const struct {
	const char *word;
	enum log_level level;
} severities[] = {
	{ "critical", LOG_LEVEL_FATAL },
	{ "debug", LOG_LEVEL_DEBUG },
	{ "dynamic", LOG_LEVEL_DEBUG },
	{ "error", LOG_LEVEL_ERROR },
	{ "info", LOG_LEVEL_INFO },
	{ "notice", LOG_LEVEL_INFO },
	{ "warning", LOG_LEVEL_WARNING },
};

void
channels_init(struct logging *logging)
{
	logging->channel_count = COUNT_OF(own);
	memcpy(logging->channels, own, sizeof(own));
}

int
channels_find(const struct logging *logging, const char *name)
{
	for (size_t i = 0; i < logging->channel_count; i++)
		if (strcmp(logging->channels[i].name, name) == 0)
			return i;
	return -1;
}

const struct conf_statement *
channels_block(struct target *to, const struct conf_statement *at)
{
	const struct conf_item *name = at->items->next;

	if (name == NULL || name->text == NULL) {
		conf_error(&to->settings->conf, at, "expected a name after "
		    "'%s'", at->items->text);
		return NULL;
	}
	return value_block(to, at, name->next);
}

static void
unexpected(struct target *to, const struct conf_statement *at,
    const struct conf_item *item)
{
	conf_error(&to->settings->conf, at, "'%s' unexpected", item == NULL ?
	    ";" : item->text != NULL ? item->text : "{");
}

/* The properties of a file, each of two words. */

static bool
read_versions(struct log_form *form, const char *word)
{
	const char *wrong;

	if (strcasecmp(word, "unlimited") == 0) {
		form->versions = LOG_VERSIONS_ALL;
		return true;
	}
	form->versions = strtonum(word, 0, INT32_MAX, &wrong);
	return wrong == NULL;
}

static bool
read_size(struct log_form *form, const char *word)
{
	if (strcasecmp(word, "unlimited") == 0 ||
	    strcasecmp(word, "default") == 0)
		return true;
	return value_size(word, &form->size);
}

static bool
read_suffix(struct log_form *form, const char *word)
{
	form->versions_by_time = strcasecmp(word, "timestamp") == 0;
	return form->versions_by_time || strcasecmp(word, "increment") == 0;
}

static const struct {
	const char *word;
	bool	(*read)(struct log_form *form, const char *word);
} file_properties[] = {
	{ "versions", read_versions },
	{ "size", read_size },
	{ "suffix", read_suffix },
};

static bool
read_file_property(struct log_form *form, const struct conf_item *item)
{
	if (item->text == NULL || item->next == NULL ||
	    item->next->text == NULL)
		return false;
	for (size_t i = 0; i < COUNT_OF(file_properties); i++)
		if (strcasecmp(item->text, file_properties[i].word) == 0)
			return file_properties[i].read(form, item->next->text);
	return false;
}

static void
take_file(struct target *to, const struct conf_statement *at,
    struct log_channel *channel)
{
	const struct conf_item *item = at->items->next;

	if (item == NULL || item->kind != CONF_STRING) {
		conf_error(&to->settings->conf, at, "expected quoted string "
		    "after 'file'");
		return;
	}
	channel->form.place = LOG_PLACE_FILE;
	channel->file = item->text;
	for (item = item->next; item != NULL; item = item->next->next)
		if (!read_file_property(&channel->form, item)) {
			unexpected(to, at, item);
			return;
		}
}

static void
take_syslog(struct target *to, const struct conf_statement *at,
    struct log_channel *channel)
{
	const struct conf_item *item = at->items->next;

	channel->form.place = LOG_PLACE_SYSLOG;
	channel->form.facility = LOG_DAEMON;
	if (item == NULL)
		return;
	for (const CODE *known = facilitynames; item->text != NULL &&
	    known->c_name != NULL; known++)
		if (strcasecmp(known->c_name, item->text) == 0) {
			channel->form.facility = known->c_val;
			return;
		}
	conf_error(&to->settings->conf, at, "unknown facility '%s'",
	    item->text != NULL ? item->text : "{");
}

static void
take_stderr(struct target *to, const struct conf_statement *at,
    struct log_channel *channel)
{
	channel->form.place = LOG_PLACE_STDERR;
}

static void
take_null(struct target *to, const struct conf_statement *at,
    struct log_channel *channel)
{
	channel->form.place = LOG_PLACE_NULL;
}

static void
take_severity(struct target *to, const struct conf_statement *at,
    struct log_channel *channel)
{
	const struct conf_item *item = at->items->next;

	for (size_t i = 0; item != NULL && item->text != NULL &&
	    i < COUNT_OF(severities); i++)
		if (strcasecmp(item->text, severities[i].word) == 0) {
			channel->form.severity = severities[i].level;
			return;
		}
	unexpected(to, at, item);
}

static void
take_time(struct target *to, const struct conf_statement *at,
    struct log_channel *channel)
{
	static const struct value_shape shape = { VALUE_CHOICE,
	    "no|yes|iso8601|iso8601-utc|local", 0, 0 };
	uint32_t chosen = LOG_TIME_NONE;

	value_read(to, at, &shape, &chosen);
	channel->form.time = chosen <= LOG_TIME_ISO8601_UTC ? chosen :
	    LOG_TIME_LOCAL;
}

static bool
read_bool(struct target *to, const struct conf_statement *at)
{
	static const struct value_shape shape = { VALUE_BOOL, NULL, 0, 0 };
	uint32_t value = false;

	value_read(to, at, &shape, &value);
	return value;
}

static void
take_print_category(struct target *to, const struct conf_statement *at,
    struct log_channel *channel)
{
	channel->form.print_category = read_bool(to, at);
}

static void
take_print_severity(struct target *to, const struct conf_statement *at,
    struct log_channel *channel)
{
	channel->form.print_severity = read_bool(to, at);
}

/* Lines are written when there is nothing else to do, and soon. */
static void
take_buffered(struct target *to, const struct conf_statement *at,
    struct log_channel *channel)
{
	(void)read_bool(to, at);
}

static const struct {
	const char *word;
	void	(*set)(struct target *to, const struct conf_statement *at,
	    struct log_channel *channel);
} properties[] = {
	{ "buffered", take_buffered },
	{ "file", take_file },
	{ "null", take_null },
	{ "print-category", take_print_category },
	{ "print-severity", take_print_severity },
	{ "print-time", take_time },
	{ "severity", take_severity },
	{ "stderr", take_stderr },
	{ "syslog", take_syslog },
};

static void
read_property(struct target *to, const struct conf_statement *at,
    struct log_channel *channel)
{
	const char *word = at->items->text;

	for (size_t i = 0; word != NULL && i < COUNT_OF(properties); i++)
		if (strcasecmp(word, properties[i].word) == 0) {
			properties[i].set(to, at, channel);
			return;
		}
	conf_error(&to->settings->conf, at, "unknown option '%s'",
	    word != NULL ? word : "{");
}

static bool
is_place(const struct conf_statement *at)
{
	return conf_is(at, "file") || conf_is(at, "null") ||
	    conf_is(at, "stderr") || conf_is(at, "syslog");
}

void
channels_read(struct target *to, const struct conf_statement *at)
{
	struct logging *logging = &to->settings->logging;
	const struct conf_statement *list = channels_block(to, at);
	struct log_channel channel = { .form = {
	    .versions = LOG_VERSIONS_NONE, .severity = LOG_LEVEL_INFO } };
	unsigned places = 0;

	if (at->items->next == NULL || at->items->next->text == NULL)
		return;
	channel.name = at->items->next->text;
	for (; list != NULL; list = list->next) {
		places += is_place(list);
		read_property(to, list, &channel);
	}
	if (places != 1)
		conf_error(&to->settings->conf, at, "channel '%s': exactly "
		    "one of file, syslog, null, and stderr must be present",
		    channel.name);
	else if (channels_find(logging, channel.name) != -1)
		conf_error(&to->settings->conf, at, "channel '%s' is there "
		    "already", channel.name);
	else if (logging->channel_count == LOG_CHANNELS_MAX)
		conf_error(&to->settings->conf, at, "more than %d channels",
		    LOG_CHANNELS_MAX);
	else
		logging->channels[logging->channel_count++] = channel;
}
