/*
 * sweep - reasons that nobody's message has
 *
 * forget() does not wait for the disk, so a power cut may bring a file back
 * whose message is gone. Reasons are written anew at each try: one that is
 * older than a message can become belongs to none, or to one that is held.
 * Looked for once a day, by whichever process comes first, a folder at a time;
 * defer/.swept has the time of the last look.
 */

#include "bounce/bounce.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "config/config.h"

#define DAY		86400
#define LOOK_MS		3600000

static bool
is_time(void)
{
	static int64_t looked_ms;
	struct stat st;

	if (looked_ms != 0 && clock_ms() - looked_ms < LOOK_MS)
		return false;
	looked_ms = clock_ms();
	if (stat("defer/.swept", &st) == 0 && st.st_mtime > time(NULL) - DAY)
		return false;

	int fd = open("defer/.swept", O_WRONLY | O_CREAT | O_CLOEXEC |
	    O_NOFOLLOW, 0600);
	bool ours = fd != -1 && futimens(fd, NULL) == 0;

	fd_close(&fd);
	return ours;
}

static void
sweep_folder(int defer, const char *name)
{
	int fd = openat(defer, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *folder = fd == -1 ? NULL : fdopendir(fd);
	time_t oldest = time(NULL) - config.maximal_queue_lifetime - DAY;
	struct dirent *entry;
	struct stat st;

	if (folder == NULL) {
		fd_close(&fd);
		return;
	}
	while ((entry = readdir(folder)) != NULL) {
		if (fstatat(fd, entry->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
		    S_ISREG(st.st_mode) && st.st_mtime < oldest)
			unlinkat(fd, entry->d_name, 0);
	}
	closedir(folder);
}

bool
sweep_reasons(void)
{
	static DIR *defer;
	struct dirent *entry;

	if (defer == NULL && (!is_time() || (defer = opendir("defer")) == NULL))
		return false;
	entry = readdir(defer);
	if (entry == NULL) {
		closedir(defer);
		defer = NULL;
		return false;
	}
	if (entry->d_name[0] != '.' && entry->d_name[1] == '\0')
		sweep_folder(dirfd(defer), entry->d_name);
	return true;
}
