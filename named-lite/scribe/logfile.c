/*
 * Versions as BIND keeps them. A file with a limit and versions is renamed
 * when it is full; one with a limit alone is not written to any more, until
 * somebody empties it or takes it away; one with versions alone is renamed
 * whenever the configuration is loaded, at its first line.
 */

#include "named-lite/scribe/logfile.h"

#include <sys/stat.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define FLUSH_SIZE	65536

static bool
has_versions(const struct logfile *file)
{
	return file->form->versions != LOG_VERSIONS_NONE;
}

/* The path of a version: "name.3". Released with free(3). */
static char *
version_path(const struct logfile *file, int number)
{
	return mem_printf("%s.%d", file->path, number);
}

static bool
is_there(const struct logfile *file, int number)
{
	char *path = version_path(file, number);
	bool found = access(path, F_OK) == 0;

	free(path);
	return found;
}

/* name.0 is the youngest; the one that would be too many goes. */
static void
shift_versions(const struct logfile *file)
{
	int last = 0;

	while (is_there(file, last) && (file->form->versions ==
	    LOG_VERSIONS_ALL || last < file->form->versions - 1))
		last++;
	for (; last >= 0; last--) {
		char *to = version_path(file, last);
		char *from = last > 0 ? version_path(file, last - 1) :
		    mem_strdup(file->path);

		(void)rename(from, to);
		free(from);
		free(to);
	}
}

static int
compare_names(const void *a, const void *b)
{
	return strcmp(*(char *const *)b, *(char *const *)a);
}

/* Is that "name.YYYYMMDDhhmmssmmm"? */
static bool
is_version_by_time(const char *name, const char *base)
{
	size_t length = strlen(base);

	return strncmp(name, base, length) == 0 && name[length] == '.' &&
	    strlen(name + length + 1) == 17 &&
	    strspn(name + length + 1, "0123456789") == 17;
}

/* The youngest are kept. */
static void
remove_versions_by_time(const struct logfile *file, const char *directory,
    const char *base)
{
	DIR *dir = opendir(directory);
	char **names = NULL;
	size_t count = 0, kept = file->form->versions;
	struct dirent *entry;

	while (dir != NULL && (entry = readdir(dir)) != NULL) {
		if (!is_version_by_time(entry->d_name, base))
			continue;
		names = mem_resize(names, count + 1, sizeof(*names));
		names[count++] = mem_strdup(entry->d_name);
	}
	if (count > 0)
		qsort(names, count, sizeof(*names), compare_names);
	for (size_t i = 0; i < count; i++) {
		if (i >= kept)
			(void)unlinkat(dirfd(dir), names[i], 0);
		free(names[i]);
	}
	free(names);
	if (dir != NULL)
		closedir(dir);
}

static void
rename_by_time(const struct logfile *file)
{
	int64_t now = clock_wall_us();
	time_t seconds = now / 1000000;
	const char *slash = strrchr(file->path, '/');
	char *directory = slash == NULL ? mem_strdup(".") : mem_printf("%.*s",
	    (int)(slash - file->path + 1), file->path);
	char stamp[40];
	struct tm tm;
	char *to;

	localtime_r(&seconds, &tm);
	strftime(stamp, sizeof(stamp), "%Y%m%d%H%M%S", &tm);
	to = mem_printf("%s.%s%03d", file->path, stamp,
	    (int)(now / 1000 % 1000));
	(void)rename(file->path, to);
	free(to);
	if (file->form->versions >= 0)
		remove_versions_by_time(file, directory,
		    slash != NULL ? slash + 1 : file->path);
	free(directory);
}

/* The file becomes a version, or goes. */
static void
roll(struct logfile *file)
{
	fd_close(&file->fd);
	file->size = 0;
	if (file->form->versions == 0)
		(void)unlink(file->path);
	else if (file->form->versions_by_time)
		rename_by_time(file);
	else
		shift_versions(file);
}

static void
complain(struct logfile *file, const char *what)
{
	if (file->trouble == NULL)
		log_error("logging channel file '%s': cannot %s: %m",
		    file->path, what);
	file->trouble = what;
}

/* False: it cannot be, which is told once. */
static bool
open_file(struct logfile *file)
{
	struct stat status;

	if (file->fd != -1)
		return true;
	/* Not to wait for the reader of a fifo. */
	file->fd = open(file->path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC |
	    O_NONBLOCK | O_NOCTTY, 0644);
	if (file->fd == -1 || fstat(file->fd, &status) == -1) {
		complain(file, "open it");
		fd_close(&file->fd);
		return false;
	}
	file->size = S_ISREG(status.st_mode) ? status.st_size : 0;
	return true;
}

void
logfile_init(struct logfile *file, const char *path,
    const struct log_form *form)
{
	*file = (struct logfile) { .path = path, .form = form, .fd = -1 };
	(void)open_file(file);
}

void
logfile_clear(struct logfile *file)
{
	logfile_flush(file);
	text_clear(&file->waiting);
	fd_close(&file->fd);
}

static void
begin(struct logfile *file)
{
	file->is_begun = true;
	if (has_versions(file) && file->form->size == 0 && file->size > 0)
		roll(file);
}

void
logfile_flush(struct logfile *file)
{
	if (file->waiting.length == 0)
		return;
	if (open_file(file)) {
		if (fd_write_all(file->fd, file->waiting.bytes,
		    file->waiting.length) == -1)
			complain(file, "write to it");
		else {
			file->size += file->waiting.length;
			file->trouble = NULL;
		}
	}
	text_truncate(&file->waiting, 0);
}

/* Somebody may have emptied a full file, or taken it away. */
static bool
is_full(struct logfile *file)
{
	struct stat status;

	if (file->size + file->waiting.length < file->form->size)
		return false;
	logfile_flush(file);
	if (has_versions(file)) {
		roll(file);
		return false;
	}
	if (stat(file->path, &status) == 0 &&
	    (uint64_t)status.st_size >= file->form->size)
		return true;
	fd_close(&file->fd);
	return !open_file(file) || file->size >= file->form->size;
}

void
logfile_add(struct logfile *file, const char *line, size_t length)
{
	if (!open_file(file))
		return;
	if (!file->is_begun)
		begin(file);
	if (file->form->size > 0 && is_full(file))
		return;
	text_append(&file->waiting, line, length);
	if (file->waiting.length > FLUSH_SIZE)
		logfile_flush(file);
}
