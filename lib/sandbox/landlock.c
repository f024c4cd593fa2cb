/* landlock - which paths stay reachable */

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/fd.h"
#include "sandbox/internal.h"

#ifdef HAVE_LINUX_LANDLOCK_H
#include <linux/landlock.h>

#ifndef LANDLOCK_ACCESS_FS_REFER
#define LANDLOCK_ACCESS_FS_REFER	(1ULL << 13)
#endif
#ifndef LANDLOCK_ACCESS_FS_TRUNCATE
#define LANDLOCK_ACCESS_FS_TRUNCATE	(1ULL << 14)
#endif

#define READING		(LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR)
#define FIRST_VERSION	((LANDLOCK_ACCESS_FS_MAKE_SYM << 1) - 1)

/* What each version of the kernel's Landlock can govern. */
static uint64_t
governed(int version)
{
	uint64_t all = FIRST_VERSION;

	if (version >= 2)
		all |= LANDLOCK_ACCESS_FS_REFER;
	if (version >= 3)
		all |= LANDLOCK_ACCESS_FS_TRUNCATE;
	return all;
}

static int
allow(int ruleset, const struct sandbox_path *path, uint64_t all)
{
	int directory = open(path->path, O_PATH | O_CLOEXEC | O_DIRECTORY);

	if (directory == -1)
		return errno == ENOENT ? 0 : -1;

	struct landlock_path_beneath_attr rule = {
		.allowed_access = path->writable ?
		    all & ~LANDLOCK_ACCESS_FS_EXECUTE : READING,
		.parent_fd = directory,
	};
	long result = syscall(SYS_landlock_add_rule, ruleset,
	    LANDLOCK_RULE_PATH_BENEATH, &rule, 0);

	fd_close(&directory);
	return result == -1 ? -1 : 0;
}

int
sandbox_landlock(unsigned int permissions, const struct sandbox_path *paths)
{
	long version = syscall(SYS_landlock_create_ruleset, NULL, 0,
	    LANDLOCK_CREATE_RULESET_VERSION);

	/* Without version 2 links between directories cannot be allowed. */
	if (version == -1)
		return -1;
	if (version < 2 && (permissions & (SANDBOX_WRITE | SANDBOX_UNLINK))) {
		errno = ENOTSUP;
		return -1;
	}

	struct landlock_ruleset_attr attributes = {
		.handled_access_fs = governed((int)version),
	};
	int ruleset = (int)syscall(SYS_landlock_create_ruleset, &attributes,
	    sizeof(attributes), 0);
	int result = ruleset == -1 ? -1 : 0;

	for (; result == 0 && paths != NULL && paths->path != NULL; paths++)
		result = allow(ruleset, paths, attributes.handled_access_fs);
	if (result == 0 && syscall(SYS_landlock_restrict_self, ruleset, 0) == -1)
		result = -1;
	fd_close(&ruleset);
	return result;
}

#else

int
sandbox_landlock(unsigned int permissions, const struct sandbox_path *paths)
{
	errno = ENOSYS;
	return -1;
}

#endif
