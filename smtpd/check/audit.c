/*
 * postroad check: will the restrictions do what was meant?
 *
 * Words nobody knows and tables that cannot be read are told on standard
 * output, a line each; a client would hear 451 for them.
 */

#include "smtpd/check/check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <event2/event.h>

#include "base/base.h"
#include "config/config.h"
#include "ipc/channel.h"
#include "ipc/ipc.h"
#include "service/service.h"
#include "smtpd/screening.h"
#include "smtpd/smtpd.h"

static bool is_reading;		/* tables tell of themselves; we tell of the list, too */

static void
tell_line(enum log_level level, const char *line)
{
	if (level >= LOG_LEVEL_WARNING && !is_reading)
		puts(line);
}

static void
audit_table(const struct check_list *list, const struct check *check)
{
	enum table_answer answer;
	const char *value;

	is_reading = true;
	answer = table_get(check->table, "postroad-check", &value);
	is_reading = false;
	if (answer == TABLE_ERROR)
		log_error("%s: %s %s: %s%s", list->name,
		    check->kind->name, check->argument,
		    table_why(check->table),
		    strstr(table_why(check->table), "open database")
		    != NULL
		    ? "; run postmap" : "");
}

static void
audit_list(const struct check_list *list)
{
	for (size_t i = 0; i < list->count; i++) {
		const struct check *check = &list->checks[i];

		if (check->list != NULL)
			audit_list(check->list);
		else if (check->kind == NULL)
			log_error("%s: %s cannot be obeyed: clients that meet "
			    "it hear 451", list->name, check->word);
		else if (check->table != NULL)
			audit_table(list, check);
	}
}

int
audit(int argc, char **argv)
{
	const char **overrides = mem_zalloc((size_t)argc + 1,
	    sizeof(*overrides));
	size_t count = 0;
	int option;

	log_open_function(tell_line);
	while ((option = getopt(argc, argv, "o:")) == 'o')
		overrides[count++] = optarg;
	if (option != -1 || config_load(NULL, overrides) == -1 ||
	    chdir(config.queue_directory) == -1)
		return EXIT_FAILURE;	/* told by who asks */
	ipc_learn_owner();
	service_base = event_base_new();
	smtpd_start();
	for (enum stage stage = 0; stage < STAGE_COUNT; stage++)
		if (checks_of_stage(stage) != NULL)
			audit_list(checks_of_stage(stage));
	if (config.smtpd_screening)
		screen_audit();
	return EXIT_SUCCESS;
}
