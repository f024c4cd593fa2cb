#include "tools/shared/check.h"

#include <errno.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/base.h"
#include "config/config.h"
#include "config/master_cf.h"
#include "config/report.h"
#include "config/values.h"
#include "table/match.h"
#include "tools/shared/check_parts.h"
#include "tools/shared/manifest.h"

static struct master_cf services;	/* as check_before_start() read them */

/* What several daemons would stumble over is told once. */
static void
say_once(enum log_level level, const char *line)
{
	static struct map *said;

	(void)level;
	if (said == NULL)
		said = map_new();
	if (map_set(said, line, said) == NULL)
		fprintf(stderr, "%s/postroad-script: %s\n",
		    config.syslog_name, line);
}

/* Each service's -o, as its daemon will load them. Loads the configuration itself again at the end. */
static int
check_overrides(void)
{
	char *directory = mem_strdup(config.config_directory);
	int errors = 0;

	for (size_t i = 0; i < services.count; i++) {
		const struct master_entry *entry = &services.entries[i];
		const char **overrides = mem_zalloc(entry->argument_count + 1,
		    sizeof(*overrides));
		size_t count = 0;

		for (size_t j = 1; j < entry->argument_count; j++)
			if (strcmp(entry->arguments[j - 1], "-o") == 0)
				overrides[count++] = entry->arguments[j];
		if (count > 0 && config_load(directory, overrides) == -1) {
			log_error("%s/master.cf, line %d: the -o options of "
			    "service %s are wrong, see above", directory,
			    entry->line, entry->name);
			errors++;
		}
		free(overrides);
	}
	if (config_load(directory, NULL) == -1)
		errors++;
	free(directory);
	return errors;
}

/* What -o asks for and is not there. */
static int
report_overrides(void)
{
	int errors = 0;

	for (size_t i = 0; i < services.count; i++) {
		const struct master_entry *entry = &services.entries[i];

		for (size_t j = 1; j < entry->argument_count; j++) {
			char *name;
			const char *value, *why;
			enum config_standing standing;

			if (strcmp(entry->arguments[j - 1], "-o") != 0)
				continue;
			name = mem_strdup(entry->arguments[j]);
			name[strcspn(name, "=")] = '\0';
			value = entry->arguments[j] + strlen(name) + 1;
			standing = config_judge(name, value, &why);
			if (standing == CONFIG_UNSAFE) {
				log_error("master.cf, line %d: -o %s: %s",
				    entry->line, entry->arguments[j], why);
				errors++;
			} else if (standing == CONFIG_MISSED)
				log_warning("master.cf, line %d: -o %s: %s",
				    entry->line, entry->arguments[j], why);
			else if (standing == CONFIG_UNUSED)
				log_warning("master.cf, line %d: unused "
				    "parameter: %s", entry->line,
				    entry->arguments[j]);
			free(name);
		}
	}
	return errors;
}

/* local would refuse to work: Postfix's does, and the mail waits. */
static int
check_limits(void)
{
	if (config.mailbox_size_limit == 0 || (config.message_size_limit > 0 &&
	    config.message_size_limit <= config.mailbox_size_limit))
		return 0;
	log_error("mailbox_size_limit (%lld) is below message_size_limit "
	    "(%lld): no local mail would be delivered; raise it, or set it "
	    "to 0", (long long)config.mailbox_size_limit,
	    (long long)config.message_size_limit);
	return 1;
}

int
check_before_start(void)
{
	int errors = master_cf_load(config.config_directory, &services) == -1;

	master_cf_merge_screen(&services);
	for (size_t i = 0; i < services.count; i++) {
		const struct master_entry *entry = &services.entries[i];

		for (size_t j = 0; j < entry->argument_count; j++)
			config_note_references(entry->arguments[j]);
	}
	errors += check_overrides();
	errors += report_overrides();
	errors += config_report();
	errors += check_limits();
	return errors;
}

/* The services that run a program, as "local (line 7), relay (line 9)". */
static char *
services_of(const char *program)
{
	struct text list = TEXT_EMPTY;

	for (size_t i = 0; i < services.count; i++) {
		const struct master_entry *entry = &services.entries[i];

		if (!entry->is_merged && strcmp(entry->program, program) == 0)
			text_printf(&list, "%s%s (line %d)",
			    list.length > 0 ? ", " : "", entry->name,
			    entry->line);
	}
	return text_take(&list);
}

/* Services whose program is not here; say_once() sees to one line for each program. */
static int
check_programs(void)
{
	for (size_t i = 0; i < services.count; i++) {
		const struct master_entry *entry = &services.entries[i];
		char *path = mem_printf("%s/%s", config.daemon_directory,
		    entry->program);

		if (!entry->is_merged && access(path, X_OK) == -1) {
			int error = errno;
			char *list = services_of(entry->program);

			log_warning("master.cf: will not run: %s: %s: %s", list,
			    path, strerror(error));
			free(list);
		}
		free(path);
	}
	return 0;
}

static bool
has_service(const char *name)
{
	for (size_t i = 0; i < services.count; i++) {
		if (strcmp(services.entries[i].name, name) == 0)
			return true;
	}
	return false;
}

static bool
has_restriction(const char *name)
{
	return list_has_word(config.smtpd_client_restrictions, name) ||
	    list_has_word(config.smtpd_helo_restrictions, name) ||
	    list_has_word(config.smtpd_sender_restrictions, name) ||
	    list_has_word(config.smtpd_relay_restrictions, name) ||
	    list_has_word(config.smtpd_recipient_restrictions, name);
}

/* Services that main.cf makes use of and a master.cf of old may lack. */
static int
check_services(void)
{
	const struct {
		bool		 is_wanted;
		const char	*service, *by;
	} uses[] = {
		{ *config.fast_flush_domains != '\0',
		    config.flush_service_name, "fast_flush_domains" },
		{ has_restriction("reject_unverified_sender"),
		    config.address_verify_service_name,
		    "reject_unverified_sender" },
		{ has_restriction("reject_unverified_recipient"),
		    config.address_verify_service_name,
		    "reject_unverified_recipient" },
	};

	for (size_t i = 0; i < COUNT_OF(uses); i++) {
		if (uses[i].is_wanted && !has_service(uses[i].service))
			log_warning("master.cf has no service \"%s\", which %s "
			    "needs: take it from the master.cf that is "
			    "installed", uses[i].service, uses[i].by);
	}
	return 0;
}

static int
check_filters_of_services(void)
{
	return check_filters(&services);
}

static int
check_zones_of_services(void)
{
	return check_zones(&services);
}

static int
check_networks(void)
{
	struct match_list *networks = match_list_open("mynetworks",
	    config.mynetworks);
	const char *wide = match_list_too_wide(networks);
	int errors = 0;

	if (wide != NULL) {
		log_error("mynetworks has %s: strangers could send mail "
		    "through this host to anywhere; list your own networks",
		    wide);
		errors = 1;
	}
	match_list_close(&networks);
	return errors;
}

/* Each smtpd goes through its own lists. */
static int
check_restrictions(void)
{
	int errors = 0;

	for (size_t i = 0; i < services.count; i++)
		if (strcmp(services.entries[i].program, "smtpd") == 0)
			errors += check_restrictions_of(&services.entries[i]);
	return errors;
}

/* smtpd works only with a rule that stops mail to elsewhere. */
static int
check_relaying(void)
{
	static const char *const stops[] = { "defer", "defer_if_permit",
	    "defer_unauth_destination", "reject", "reject_unauth_destination" };
	char *rules = mem_printf("%s %s", config.smtpd_relay_restrictions,
	    config.smtpd_recipient_restrictions);
	char *cursor = rules, *word;
	bool stopped = false;

	while ((word = word_next(&cursor, LIST_SEPARATORS)) != NULL)
		for (size_t i = 0; i < COUNT_OF(stops); i++)
			stopped |= strcasecmp(word, stops[i]) == 0;
	free(rules);
	if (stopped)
		return 0;
	log_error("smtpd_relay_restrictions: without reject_unauth_destination "
	    "(or reject, defer, defer_unauth_destination) smtpd would relay "
	    "for everybody, and refuses to work");
	return 1;
}

static int
check_owner(void)
{
	const struct passwd *owner = getpwnam(config.mail_owner);

	if (geteuid() != 0)
		return 0;	/* an ordinary user's instance has no other */
	if (owner == NULL) {
		log_error("mail_owner = %s: there is no such user",
		    config.mail_owner);
		return 1;
	}
	if (owner->pw_uid == 0) {
		log_error("mail_owner = %s: it must not be root",
		    config.mail_owner);
		return 1;
	}
	return 0;
}

static int
check_level(void)
{
	if (config_definition("compatibility_level", NULL, NULL) == NULL)
		log_warning("compatibility_level is not set: %s is assumed; "
		    "Postfix would assume 0, whose defaults are less safe",
		    config.compatibility_level);
	return 0;
}

int
check_all(void)
{
	static int (*const checks[])(void) = { check_before_start,
	    check_programs, check_services,
	    check_filters_of_services, check_receive_options, check_owner, check_tables,
	    check_restrictions, check_classes, check_origin, check_networks,
	    check_relaying, check_zones_of_services, check_level };
	int errors = 0;

	log_open_function(say_once);
	for (size_t i = 0; i < COUNT_OF(checks); i++)
		errors += checks[i]();
	manifest_check();	/* differences are the administrator's choice, and only told */
	return errors;
}
