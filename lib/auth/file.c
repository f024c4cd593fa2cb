/* file - a passwd-file on disk, read again when it has changed */

#include "auth/auth.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/base.h"

#define FILE_LIMIT	(256 * 1024 * 1024)

struct auth_file {
	char	*path;
	struct stat seen;
	struct auth_users *users;
};

struct auth_file *
auth_file_new(const char *path)
{
	struct auth_file *file = mem_zalloc(1, sizeof(*file));

	file->path = mem_strdup(path);
	return file;
}

void
auth_file_free(struct auth_file **file)
{
	if (*file == NULL)
		return;
	auth_users_free(&(*file)->users);
	free((*file)->path);
	free(*file);
	*file = NULL;
}

static bool
is_as_seen(const struct auth_file *file, const struct stat *st)
{
	return file->users != NULL
	    && st->st_ino == file->seen.st_ino
	    && st->st_dev == file->seen.st_dev
	    && st->st_size == file->seen.st_size
	    && st->st_mtim.tv_sec == file->seen.st_mtim.tv_sec
	    && st->st_mtim.tv_nsec == file->seen.st_mtim.tv_nsec
	    && st->st_ctim.tv_sec == file->seen.st_ctim.tv_sec
	    && st->st_ctim.tv_nsec == file->seen.st_ctim.tv_nsec;
}

static void
log_line(void *argument, unsigned int line, const char *what)
{
	const struct auth_file *file = argument;

	log_warning("%s, line %u: %s; the line is ignored", file->path, line, what);
}

const struct auth_users *
auth_file_users(struct auth_file *file)
{
	struct stat st;
	size_t length;
	char *text;

	/* Looked at before it is read: a change in between is seen the next time. */
	if (stat(file->path, &st) == -1)
		return NULL;
	if (is_as_seen(file, &st))
		return file->users;
	if ((text = file_read(file->path, FILE_LIMIT, &length)) == NULL)
		return NULL;
	auth_users_free(&file->users);
	file->users = auth_users_parse(text, length, log_line, file);
	file->seen = st;
	explicit_bzero(text, length);
	free(text);
	return file->users;
}
