/* beneath - paths that stay below a directory */

#include "mailbox/internal.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/fd.h"

int
beneath_open(int root, const char *path, int flags, mode_t mode)
{
	struct open_how how = {
		.flags = (unsigned int)flags | O_CLOEXEC,
		.mode = mode,
		.resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS,
	};
	long fd;

	/* EAGAIN: something on the way was renamed while the kernel looked. */
	for (int attempts = 0; attempts < 10; attempts++) {
		fd = syscall(SYS_openat2, root, path, &how, sizeof(how));
		if (fd != -1 || errno != EAGAIN)
			break;
	}
	return (int)fd;
}

static int
sync_directory(int directory)
{
	int fd = openat(directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int result = fd == -1 ? -1 : fsync(fd);

	fd_close(&fd);
	return result;
}

int
beneath_make(int root, const char *path)
{
	int at = openat(root, ".", O_PATH | O_DIRECTORY | O_CLOEXEC);
	char part[NAME_MAX + 1];

	while (at != -1 && path[0] != '\0') {
		size_t length = strcspn(path, "/");

		if (length > NAME_MAX) {
			errno = ENAMETOOLONG;
			fd_close(&at);
			return -1;
		}
		memcpy(part, path, length);
		part[length] = '\0';
		path += length + strspn(path + length, "/");
		if (length == 0)
			continue;

		int made = mkdirat(at, part, 0700);
		int next = -1;

		if ((made == 0 ? sync_directory(at) == 0 : errno == EEXIST))
			next = beneath_open(at, part, O_PATH | O_DIRECTORY, 0);
		fd_close(&at);
		at = next;
	}

	int result = at == -1 ? -1 : 0;

	fd_close(&at);
	return result;
}
