/* Defaults that depend on the host, the process, or how postroad was installed. */

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/base.h"
#include "config/config.h"
#include "config/internal.h"

#define UNKNOWN_DOMAIN	"localdomain"	/* of a host whose name has no dot, as in Postfix */

const char *config_chosen_directory;

static char *
compute_myhostname(void)
{
	char name[256] = "";

	if (gethostname(name, sizeof(name) - 1) == -1 || *name == '\0')
		strlcpy(name, "localhost", sizeof(name));
	if (strchr(name, '.') != NULL)
		return mem_strdup(name);

	/* Only a mydomain that was set: its default comes from here. */
	const char *domain = config_find_definition("mydomain") == NULL
	    ? NULL : config_get("mydomain");

	return mem_printf("%s.%s", name,
	    domain == NULL || *domain == '\0' ? UNKNOWN_DOMAIN : domain);
}

static char *
compute_mydomain(void)
{
	const char *name = config_get("myhostname");
	const char *dot = name == NULL ? NULL : strchr(name, '.');

	return mem_strdup(dot == NULL || dot[1] == '\0'
	    ? UNKNOWN_DOMAIN : dot + 1);
}

static char *
compute_config_directory(void)
{
	return mem_strdup(config_chosen_directory == NULL
	    ? default_config_directory : config_chosen_directory);
}

static char *
compute_process_id(void)
{
	return mem_printf("%ld", (long)getpid());
}

static char *
compute_process_name(void)
{
	return mem_strdup(getprogname());
}

/* Each row in parameters.def whose default stands in parentheses. */
static const struct computed {
	const char		*name;
	const char *const	*place;		/* either a constant */
	const char		*text;
	char			*(*compute)(void);	/* or a function */
} computed[] = {
	{ "command_directory", &default_command_directory, NULL, NULL },
	{ "config_directory", NULL, NULL, compute_config_directory },
	{ "daemon_directory", &default_daemon_directory, NULL, NULL },
	{ "data_directory", &default_data_directory, NULL, NULL },
	{ "mail_owner", &default_mail_owner, NULL, NULL },
	{ "mail_version", NULL, PACKAGE_VERSION, NULL },
	{ "mydomain", NULL, NULL, compute_mydomain },
	{ "myhostname", NULL, NULL, compute_myhostname },
	{ "mynetworks", NULL, NULL, config_compute_mynetworks },
	{ "process_id", NULL, NULL, compute_process_id },
	{ "process_name", NULL, NULL, compute_process_name },
	{ "queue_directory", &default_queue_directory, NULL, NULL },
	{ "setgid_group", &default_setgid_group, NULL, NULL },
};

char *
config_compute_default(const char *name)
{
	for (size_t i = 0; i < COUNT_OF(computed); i++) {
		const struct computed *c = &computed[i];

		if (strcmp(c->name, name) != 0)
			continue;
		if (c->compute != NULL)
			return c->compute();
		return mem_strdup(c->place != NULL ? *c->place : c->text);
	}
	return NULL;
}
