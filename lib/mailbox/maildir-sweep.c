/*
 * tmp/ of a Maildir: what a delivery left there that was killed, or lost its
 * power, on a file system where every file has a name. By the rule of Maildirs
 * a reader removes what is older than 36 hours.
 */

#include "mailbox/internal.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/fd.h"

#define OLD_SECONDS	(36 * 3600)

void
maildir_sweep(int maildir)
{
	int fd = beneath_open(maildir, "tmp", O_RDONLY | O_DIRECTORY, 0);
	DIR *folder = fd == -1 ? NULL : fdopendir(fd);
	time_t oldest = time(NULL) - OLD_SECONDS;
	struct dirent *file;
	struct stat st;

	if (folder == NULL) {
		fd_close(&fd);
		return;
	}
	while ((file = readdir(folder)) != NULL) {
		if (fstatat(fd, file->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0
		    && S_ISREG(st.st_mode) && st.st_mtime < oldest)
			unlinkat(fd, file->d_name, 0);
	}
	closedir(folder);
}
