#include "named-lite/loader/process_id.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/base.h"
#include "named/settings.h"

static bool
is_default(const char *path)
{
	return strcmp(path, DEFAULT_PID_FILE) == 0;
}

const char *
process_id_path(const char *wanted, const struct options *options)
{
	return wanted != NULL && is_default(wanted) &&
	    (options->under_master || options->to_console) ? NULL : wanted;
}

void
process_id_write(const char *path)
{
	FILE *file;

	if (path == NULL)
		return;
	file = fopen(path, "we");
	if (file != NULL)
		fprintf(file, "%d\n", (int)getppid());
	if ((file == NULL || fclose(file) != 0) && !is_default(path))
		log_warning("couldn't write pid-file '%s': %m", path);
}

/* Who follows us may have written its own. */
static bool
is_ours(const char *path)
{
	FILE *file = fopen(path, "re");
	char line[32] = "";
	bool found;

	if (file == NULL)
		return false;
	found = fgets(line, sizeof(line), file) != NULL &&
	    atoi(line) == (int)getppid();
	fclose(file);
	return found;
}

void
process_id_remove(const struct plan *plan)
{
	const char *path = plan_string(plan, plan->header->pid_file);
	const char *directory = plan_string(plan, plan->header->directory);

	if (path == NULL || (directory != NULL && chdir(directory) == -1) ||
	    !is_ours(path))
		return;
	if (unlink(path) == -1)
		log_warning("couldn't remove pid-file '%s': %m", path);
}
