/* postroad check: smtpd knows what its restrictions mean, and is asked. */

#include <sys/wait.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/base.h"
#include "config/config.h"
#include "config/master_cf.h"
#include "tools/shared/check_parts.h"

/* smtpd --check, with the service's -o. */
static void __attribute__((noreturn))
become_smtpd(const struct master_entry *entry, int out)
{
	char *program = mem_printf("%s/smtpd", config.daemon_directory);
	char **words = mem_zalloc(entry->argument_count + 3, sizeof(*words));
	size_t count = 0;

	words[count++] = program;
	words[count++] = mem_strdup("--check");
	for (size_t i = 0; i + 1 < entry->argument_count; i++) {
		if (strcmp(entry->arguments[i], "-o") != 0)
			continue;
		words[count++] = mem_strdup("-o");
		words[count++] = mem_strdup(entry->arguments[++i]);
	}
	if (dup2(out, STDOUT_FILENO) != -1)
		execv(program, words);
	_exit(EXIT_FAILURE);
}

/* A line of smtpd's becomes one of ours. Is it an error? */
static bool
repeat(char *line)
{
	line[strcspn(line, "\n")] = '\0';
	if (text_starts_with(line, "error: ") ||
	    text_starts_with(line, "fatal: ")) {
		log_error("%s", line + 7);
		return true;
	}
	log_warning("%s", line + (text_starts_with(line, "warning: ") ? 9 : 0));
	return false;
}

/* What it says, until it ends. The number of errors. */
static int
listen_to(int in)
{
	FILE *said = fdopen(in, "r");
	char *line = NULL;
	size_t size = 0;
	int errors = 0;

	while (getline(&line, &size, said) != -1)
		errors += repeat(line);
	free(line);
	fclose(said);
	return errors;
}

int
check_restrictions_of(const struct master_entry *entry)
{
	int ends[2], errors;
	pid_t pid;

	if (pipe(ends) == -1 || (pid = fork()) == -1) {
		log_error("cannot run smtpd --check: %m");
		return 1;
	}
	if (pid == 0)
		become_smtpd(entry, ends[1]);
	close(ends[1]);
	errors = listen_to(ends[0]);
	waitpid(pid, NULL, 0);
	return errors;
}
