#include "tools/shared/named.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/base.h"

static FILE *lines;

static void
write_line(enum log_level level, const char *line)
{
	static const char *const levels[] = { "warning: ", "error: ",
	    "fatal: " };

	if (lines == NULL)
		return;
	for (size_t i = 0; i < COUNT_OF(levels); i++)
		if (text_starts_with(line, levels[i])) {
			line += strlen(levels[i]);
			break;
		}
	fprintf(lines, "%s\n", line);
}

void
named_lines_go_to(FILE *to)
{
	lines = to;
	log_open_function(write_line);
}

const char *
named_explain(void)
{
	return errno == ENOENT ? "file not found" :
	    errno == EACCES ? "permission denied" : strerror(errno);
}

void
named_enter(const char *root, const char *directory)
{
	fatal_exit_code = EXIT_FAILURE;
	tzset();
	if (root != NULL && (chroot(root) == -1 || chdir("/") == -1)) {
		fprintf(stderr, "isc_dir_chroot: %s: %s\n", root,
		    named_explain());
		exit(EXIT_FAILURE);
	}
	if (directory != NULL && chdir(directory) == -1) {
		fprintf(stderr, "isc_dir_chdir: %s: %s\n", directory,
		    named_explain());
		exit(EXIT_FAILURE);
	}
}

void
named_print_version(void)
{
	printf("postroad " PACKAGE_VERSION "\n");
	exit(EXIT_SUCCESS);
}
