/* Mail that goes through a filter: is there one, and a way back that does not lead to it again? */

#include "tools/shared/check_parts.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/base.h"
#include "config/config.h"
#include "config/master_cf.h"

static const struct master_entry *
service_of_transport(const struct master_cf *services, const char *transport)
{
	for (size_t i = 0; i < services->count; i++)
		if (strcmp(services->entries[i].name, transport) == 0 &&
		    services->entries[i].type != MASTER_INET)
			return &services->entries[i];
	return NULL;
}

/* Mail for a transport that is not there, or cannot run, waits for ever. where is of a line in master.cf, or "". */
static int
check_content_filter(const struct master_cf *services, const char *filter,
    const char *where)
{
	char *transport = mem_strndup(filter, strcspn(filter, ":"));
	const struct master_entry *entry = service_of_transport(services,
	    transport);
	char *path = entry == NULL ? NULL : mem_printf("%s/%s",
	    config.daemon_directory, entry->program);
	bool is_there = path != NULL && access(path, X_OK) == 0;

	if (!is_there)
		log_error("%scontent_filter = %s: %s: all mail would wait",
		    where, filter, entry == NULL ?
		    "master.cf has no such service" :
		    "the program of that service is not here");
	free(path);
	free(transport);
	return !is_there;
}

/* What -o of a service sets the parameter to; NULL if none does. */
static const char *
override_of(const struct master_entry *entry, const char *parameter)
{
	size_t length = strlen(parameter);

	for (size_t i = 0; i < entry->argument_count; i++)
		if (strncmp(entry->arguments[i], parameter, length) == 0 &&
		    entry->arguments[i][length] == '=')
			return entry->arguments[i] + length + 1;
	return NULL;
}

/* Some service takes mail that does not go to the filter. */
static void
check_way_back(const struct master_cf *services, const char *parameter,
    const char *value)
{
	for (size_t i = 0; i < services->count; i++) {
		const char *override = override_of(&services->entries[i],
		    parameter);

		if (override != NULL && *override == '\0')
			return;
	}
	log_warning("%s = %s: no service in master.cf has \"-o %s=\": what the "
	    "filter brings back would go to the filter again", parameter, value,
	    parameter);
}

int
check_filters(const struct master_cf *services)
{
	int errors = 0;

	if (*config.content_filter != '\0' && check_content_filter(services,
	    config.content_filter, "") > 0)
		errors++;
	else if (*config.content_filter != '\0')
		check_way_back(services, "content_filter",
		    config.content_filter);
	if (*config.smtpd_proxy_filter != '\0')
		check_way_back(services, "smtpd_proxy_filter",
		    config.smtpd_proxy_filter);
	for (size_t i = 0; i < services->count; i++) {
		const char *filter = override_of(&services->entries[i],
		    "content_filter");
		char *where;

		if (filter == NULL || *filter == '\0')
			continue;
		where = mem_printf("master.cf, line %d: -o ",
		    services->entries[i].line);
		errors += check_content_filter(services, filter, where);
		free(where);
	}
	return errors;
}

int
check_receive_options(void)
{
	static const char known[] = "no_unknown_recipient_checks "
	    "no_address_mappings no_header_body_checks no_milters";
	char *copy = mem_strdup(config.receive_override_options);
	char *cursor = copy, *word;
	int errors = 0;

	while ((word = word_next(&cursor, LIST_SEPARATORS)) != NULL) {
		if (list_has_word(known, word))
			continue;
		log_error("receive_override_options: \"%s\" is none of %s",
		    word, known);
		errors++;
	}
	free(copy);
	return errors;
}
