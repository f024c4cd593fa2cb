/* postconf: the names that are not in a table of ours, and those that nobody reads */

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/base.h"
#include "config/config.h"
#include "config/expand.h"
#include "config/master_cf.h"
#include "config/report.h"
#include "tools/shared/postconf.h"
#include "tools/shared/postconf_master.h"

/* What each service of these programs may have as <service><suffix>. */
static const char deliverers[] = "error lmtp local pipe smtp virtual";
static const char runners[] = "pipe spawn";

static const struct {
	const char	*suffix;
	const char	*value;
	const char	*programs;
} derived[] = {
	{ "_delivery_slot_cost", "$default_delivery_slot_cost", deliverers },
	{ "_delivery_slot_discount", "$default_delivery_slot_discount",
	    deliverers },
	{ "_delivery_slot_loan", "$default_delivery_slot_loan", deliverers },
	{ "_destination_concurrency_failed_cohort_limit",
	    "$default_destination_concurrency_failed_cohort_limit", deliverers },
	{ "_destination_concurrency_limit",
	    "$default_destination_concurrency_limit", deliverers },
	{ "_destination_concurrency_negative_feedback",
	    "$default_destination_concurrency_negative_feedback", deliverers },
	{ "_destination_concurrency_positive_feedback",
	    "$default_destination_concurrency_positive_feedback", deliverers },
	{ "_destination_rate_delay", "$default_destination_rate_delay",
	    deliverers },
	{ "_destination_rate_limit", "$default_destination_rate_limit",
	    deliverers },
	{ "_destination_recipient_limit",
	    "$default_destination_recipient_limit", deliverers },
	{ "_extra_recipient_limit", "$default_extra_recipient_limit",
	    deliverers },
	{ "_initial_destination_concurrency",
	    "$initial_destination_concurrency", deliverers },
	{ "_minimum_delivery_slots", "$default_minimum_delivery_slots",
	    deliverers },
	{ "_recipient_limit", "$default_recipient_limit", deliverers },
	{ "_recipient_refill_delay", "$default_recipient_refill_delay",
	    deliverers },
	{ "_recipient_refill_limit", "$default_recipient_refill_limit",
	    deliverers },
	{ "_time_limit", "$command_time_limit", runners },
	{ "_transport_rate_delay", "$default_transport_rate_delay", deliverers },
};

/* What Postfix's parameters are that we do not serve: for who asks for one by name. */
#define DEFAULT(name, value) { name, value },
static const struct {
	const char	*name;
	const char	*value;
} others[] = {
#include "tools/shared/postfix_defaults.def"
};
#undef DEFAULT

const char *
postconf_other_default(const char *name)
{
	for (size_t i = 0; i < COUNT_OF(others); i++)
		if (strcmp(others[i].name, name) == 0)
			return others[i].value;
	return NULL;
}

const struct master_cf *
postconf_master_cf(bool required)
{
	static struct master_cf cf;
	static enum { UNREAD, READ, MISSING } state;
	const char *directory = config_get("config_directory");

	if (state == UNREAD) {
		char *path = mem_printf("%s/master.cf", directory);

		state = READ;
		if (access(path, F_OK) == -1) {
			state = MISSING;
			if (required)
				fatal("open %s: %m", path);
			log_warning("open %s: %m", path);
		} else if (master_cf_load(directory, &cf) == -1)
			exit(fatal_exit_code);
		free(path);
		for (size_t i = 0; i < cf.count; i++)
			for (size_t j = 0; j < cf.entries[i].argument_count; j++)
				postconf_note(cf.entries[i].arguments[j]);
	}
	return &cf;
}

/* In smtpd_restriction_classes=a,b the names behind it are names that are read, too. */
void
postconf_note(const char *argument)
{
	static const char classes[] = "smtpd_restriction_classes=";
	char *copy, *cursor, *word;

	config_note_references(argument);
	if (strncmp(argument, classes, strlen(classes)) != 0)
		return;
	copy = cursor = mem_strdup(argument + strlen(classes));
	while ((word = word_next(&cursor, LIST_SEPARATORS)) != NULL) {
		char *reference = mem_printf("$%s", word);

		config_note_references(reference);
		free(reference);
	}
	free(copy);
}

static bool
has_word(const char *list, const char *word)
{
	char *copy = mem_strdup(list), *cursor = copy, *next;
	bool found = false;

	while (!found && (next = word_next(&cursor, " ")) != NULL)
		found = strcmp(next, word) == 0;
	free(copy);
	return found;
}

void
postconf_each_derived(void (*each)(const char *name, const char *value,
    void *context), void *context)
{
	const struct master_cf *cf = postconf_master_cf(false);

	for (size_t i = 0; i < cf->count; i++) {
		const struct master_entry *entry = &cf->entries[i];

		if (entry->type == MASTER_INET)
			continue;
		for (size_t j = 0; j < COUNT_OF(derived); j++) {
			char *name;

			if (!has_word(derived[j].programs, entry->program))
				continue;
			name = mem_printf("%s%s", entry->name,
			    derived[j].suffix);
			if (config_parameter(name) == NULL)
				each(name, derived[j].value, context);
			free(name);
		}
	}
}

struct search {
	const char	*name;
	const char	*value;
};

static void
compare(const char *name, const char *value, void *context)
{
	struct search *search = context;

	if (strcmp(name, search->name) == 0)
		search->value = value;
}

const char *
postconf_derived_default(const char *name)
{
	struct search search = { .name = name };

	postconf_each_derived(compare, &search);
	return search.value;
}

/* Does an -o of master.cf say what name is? */
static bool
is_overridden(const char *name)
{
	const struct master_cf *cf = postconf_master_cf(false);
	size_t length = strlen(name);

	for (size_t i = 0; i < cf->count; i++) {
		const struct master_entry *entry = &cf->entries[i];

		for (size_t j = 0; j < entry->argument_count; j++)
			if (strncmp(entry->arguments[j], name, length) == 0 &&
			    entry->arguments[j][length] == '=')
				return true;
	}
	return false;
}

/* Does anybody know this name, or one of the files define it? */
static bool
is_known(const char *name)
{
	static const char *const made[] = { "process_id", "process_name",
	    "service_name" };

	for (size_t i = 0; i < COUNT_OF(made); i++)
		if (strcmp(name, made[i]) == 0)
			return true;
	return is_overridden(name) || config_parameter(name) != NULL ||
	    config_definition(name, NULL, NULL) != NULL ||
	    postconf_other_default(name) != NULL ||
	    postconf_derived_default(name) != NULL;
}

/* Values in which $name is for a delivery agent or smtpd to fill in. */
static bool
is_filled_in_later(const char *name)
{
	static const char *const names[] = { "command_execution_directory",
	    "forward_path", "luser_relay", "mailbox_command" };
	const struct parameter *p = config_parameter(name);

	for (size_t i = 0; i < COUNT_OF(names); i++)
		if (strcmp(name, names[i]) == 0)
			return true;
	return p != NULL && p->type == PARAMETER_RAW;
}

/* $name, ${name}, $(name) of nobody; a ? or : behind the name asks whether there is one. */
static void
warn_undefined(const char *file, const char *value)
{
	while ((value = strchr(value, '$')) != NULL) {
		bool closed;
		size_t length = 0;
		char *name;

		if (*++value == '$') {
			value++;
			continue;
		}
		closed = *value == '{' || *value == '(';
		value += closed;
		while (isalnum((unsigned char)value[length]) ||
		    value[length] == '_' || value[length] == '-')
			length++;
		if (!closed)
			while (length > 0 && value[length - 1] == '-')
				length--;
		if (length == 0 || (closed && value[length] != '}' &&
		    value[length] != ')'))
			continue;
		name = mem_strndup(value, length);
		if (!is_known(name))
			log_warning("%s: undefined parameter: %s", file, name);
		free(name);
	}
}

/* The -o parameters of master.cf. */
void
postconf_warn_entries(void)
{
	const struct master_cf *cf = postconf_master_cf(false);
	char *file = mem_printf("%s/master.cf", config_get("config_directory"));

	for (size_t i = 0; i < cf->count; i++) {
		const struct master_entry *entry = &cf->entries[i];

		for (size_t j = 1; j < entry->argument_count; j++) {
			const char *setting = entry->arguments[j];
			size_t length = strcspn(setting, "=");
			char *name;

			if (strcmp(entry->arguments[j - 1], "-o") != 0)
				continue;
			name = mem_strndup(setting, length);
			if (!is_filled_in_later(name))
				warn_undefined(file, setting + length);
			if (!postconf_is_used(name))
				log_warning("%s: unused parameter: %s", file,
				    setting);
			free(name);
		}
	}
	free(file);
}

bool
postconf_is_used(const char *name)
{
	const char *value = config_get(name);
	bool derives, stands;

	postconf_master_cf(false);
	derives = postconf_derived_default(name) != NULL;
	switch (config_judge(name, value == NULL ? "" : value, NULL)) {
	case CONFIG_OURS:	/* but a transport's own needs the transport */
		stands = config_parameter(name) != NULL;
		break;
	case CONFIG_UNUSED:
		stands = false;
		break;
	default:
		stands = true;
	}
	return stands || derives || postconf_other_default(name) != NULL;
}

void
postconf_warn_main(void)
{
	size_t position = 0;
	const char *name, *file, *near;
	int line;

	while ((name = config_next_definition(&position)) != NULL) {
		const char *value = config_definition(name, &file, &line);

		config_warn_earlier(name);
		if (!is_filled_in_later(name))
			warn_undefined(file, value);
		if (postconf_is_used(name))
			continue;
		config_judge(name, value, &near);
		log_warning(near != NULL
		    ? "%s: unused parameter: %s=%s (is %s meant?)"
		    : "%s: unused parameter: %s=%s", file, name, value, near);
	}
}
