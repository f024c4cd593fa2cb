#include "spool/unnamed.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/fd.h"

#define PREFIX		".new-"
#define OLD_SECONDS	3600

bool unnamed_never;

static int
open_named(struct unnamed *file, const char *directory, mode_t mode)
{
	snprintf(file->name, sizeof(file->name), "%s/" PREFIX "%d-%08x",
	    directory, (int)getpid(), (unsigned int)arc4random());
	file->fd = open(file->name, O_CREAT | O_EXCL | O_RDWR | O_CLOEXEC |
	    O_NOFOLLOW, mode);
	if (file->fd == -1)
		file->name[0] = '\0';
	return file->fd;
}

int
unnamed_open(struct unnamed *file, const char *directory, mode_t mode)
{
	file->name[0] = '\0';
	if (unnamed_never)
		return open_named(file, directory, mode);
	file->fd = open(directory, O_TMPFILE | O_RDWR | O_CLOEXEC, mode);
	if (file->fd == -1 && (errno == EOPNOTSUPP || errno == EISDIR ||
	    errno == EINVAL))
		return open_named(file, directory, mode);
	return file->fd;
}

int
unnamed_link(struct unnamed *file, const char *path)
{
	char from[32];

	if (file->name[0] != '\0') {
		if (link(file->name, path) == -1)
			return -1;
		unlink(file->name);
		file->name[0] = '\0';
		return 0;
	}
	if (linkat(file->fd, "", AT_FDCWD, path, AT_EMPTY_PATH) == 0)
		return 0;
	if (errno == EEXIST)
		return -1;
	/* AT_EMPTY_PATH wants a capability; /proc does not. */
	snprintf(from, sizeof(from), "/proc/self/fd/%d", file->fd);
	return linkat(AT_FDCWD, from, AT_FDCWD, path, AT_SYMLINK_FOLLOW);
}

void
unnamed_close(struct unnamed *file)
{
	int saved = errno;

	if (file->name[0] != '\0')
		unlink(file->name);
	file->name[0] = '\0';
	fd_close(&file->fd);
	errno = saved;
}

void
unnamed_sweep_name(int directory, const char *name)
{
	struct stat st;

	if (strncmp(name, PREFIX, strlen(PREFIX)) == 0 &&
	    fstatat(directory, name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
	    S_ISREG(st.st_mode) && st.st_mtime < time(NULL) - OLD_SECONDS)
		unlinkat(directory, name, 0);
}

void
unnamed_sweep(const char *directory)
{
	DIR *entries = opendir(directory);
	struct dirent *entry;

	if (entries == NULL)
		return;
	while ((entry = readdir(entries)) != NULL) {
		const char *name = entry->d_name;

		if (name[0] != '.' && name[1] == '\0') {
			char below[64];

			snprintf(below, sizeof(below), "%.48s/%c", directory,
			    name[0]);
			unnamed_sweep(below);
		} else {
			unnamed_sweep_name(dirfd(entries), name);
		}
	}
	closedir(entries);
}
