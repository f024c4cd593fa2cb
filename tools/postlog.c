/*
 * postlog - put lines into the suite's log
 *
 * The arguments are one line; without any, each line of standard input is.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/base.h"
#include "config/config.h"
#include "tools/shared/command.h"

static const struct priority {
	const char	*name;
	enum log_level	 level;
	const char	*prefix;	/* in front of the text, as every line of that kind has */
} priorities[] = {
	{ "info", LOG_LEVEL_INFO, "" },
	{ "warn", LOG_LEVEL_WARNING, "warning: " },
	{ "warning", LOG_LEVEL_WARNING, "warning: " },
	{ "error", LOG_LEVEL_ERROR, "error: " },
	{ "fatal", LOG_LEVEL_FATAL, "fatal: " },
	{ "panic", LOG_LEVEL_PANIC, "panic: " },
};

static const struct priority *
find_priority(const char *name)
{
	for (size_t i = 0; i < COUNT_OF(priorities); i++) {
		if (strcmp(priorities[i].name, name) == 0)
			return &priorities[i];
	}
	fatal_exit_code = 1;
	fatal("unknown severity: \"%s\"", name);
}

static void
put_line(const struct priority *priority, const char *tag, const char *text)
{
	char *line = mem_printf("%s%.*s", priority->prefix, LOG_TEXT_MAX, text);

	text_printable(line);
	if (isatty(STDERR_FILENO))
		fprintf(stderr, "%s: %s\n", tag, line);
	command_log(priority->level, line);
	free(line);
}

static void
put_input(const struct priority *priority, const char *tag)
{
	char *line = NULL;
	size_t size = 0;

	while (getline(&line, &size, stdin) != -1) {
		line[strcspn(line, "\r\n")] = '\0';
		put_line(priority, tag, line);
	}
	free(line);
}

int
main(int argc, char **argv)
{
	const struct priority *priority = &priorities[0];
	const char *directory = NULL, *tag = NULL;
	bool with_pid = false;
	struct text line = TEXT_EMPTY;
	int option;

	command_start("postlog");
	while ((option = getopt(argc, argv, "c:ip:t:v")) != -1) {
		switch (option) {
		case 'c':
			directory = optarg;
			break;
		case 'i':
			with_pid = true;
			break;
		case 'p':
			priority = find_priority(optarg);
			break;
		case 't':
			tag = text_printable(mem_strdup(optarg));
			break;
		case 'v':
			log_verbose++;
			break;
		default:
			fatal_exit_code = 1;
			fatal("usage: postlog [-c config_dir] [-i] [-p priority] "
			    "[-t tag] [-v] [text]");
		}
	}
	command_configure(directory);
	if (tag == NULL)
		tag = mem_printf("%s/postlog", config.syslog_name);
	command_log_as(tag, with_pid);
	if (optind == argc) {
		put_input(priority, tag);
		return 0;
	}
	for (int i = optind; i < argc; i++)
		text_printf(&line, "%s%s", i > optind ? " " : "", argv[i]);
	put_line(priority, tag, text_string(&line));
	text_clear(&line);
	return 0;
}
