/*
 * sandbox - a daemon gives up what its job does not need
 *
 * After its start a daemon names its profile; from then on the kernel
 * refuses everything else: no_new_privs, a seccomp filter of system calls,
 * Landlock rules on paths, resource limits, no capabilities. The profiles
 * are rows of one table in sandbox.c. A system call that is refused fails
 * with EPERM, so that a library that tries in vain goes on; those that only
 * an attacker makes (execve, ptrace, module and namespace calls) end the
 * process.
 *
 * Where the kernel has no seccomp or Landlock the daemon says so once and
 * goes on with what there is.
 */

#ifndef SANDBOX_SANDBOX_H
#define SANDBOX_SANDBOX_H

#include <stdbool.h>
#include <sys/types.h>

/* What a profile allows beyond memory, time, signals and the descriptors that are open. */
enum {
	SANDBOX_SOCKETS		= 1 << 0,	/* accept; connect to unix sockets; pass descriptors */
	SANDBOX_NETWORK		= 1 << 1,	/* make internet sockets, and connect */
	SANDBOX_READ		= 1 << 2,	/* open files to read, list directories */
	SANDBOX_WRITE		= 1 << 3,	/* open files to write, create, link, sync */
	SANDBOX_UNLINK		= 1 << 4,	/* unlink and rename */
	SANDBOX_OWNERS		= 1 << 5,	/* chmod, chown, times */
	SANDBOX_BECOME		= 1 << 6,	/* change user and group; keeps the capabilities for it */
	SANDBOX_FORK		= 1 << 7,	/* fork and wait, without execve */
	SANDBOX_EXEC		= 1 << 8,	/* run programs: no filter at all, only limits */
	SANDBOX_THREADS		= 1 << 9,
	SANDBOX_READ_ANY	= 1 << 10,	/* root reads files whoever owns them: keeps that capability */
};

/*
 * A directory that stays reachable, with all below it; read only, or
 * read and write. A list ends with path NULL.
 */
struct sandbox_path {
	const char	*path;
	bool		 writable;
};

/*
 * Enter the sandbox: permissions is a sum of the bits above, paths may be
 * NULL (nothing reachable by name, if READ or WRITE is not allowed either).
 * Open descriptors stay usable. There is no way back. name is for the log.
 */
void	sandbox_enter(const char *name, unsigned int permissions,
	    const struct sandbox_path *paths);

/*
 * Make the filter of a profile that children will enter, so that each enters
 * it without making it. Before the caller's own sandbox_enter().
 */
void	sandbox_prepare(unsigned int permissions);

/*
 * Change to user and group for good, with the supplementary groups of user;
 * chroot_directory may be NULL. Does nothing when not started as root.
 * Gives 0, or -1 with *why.
 */
int	sandbox_become(const char *user, const char *chroot_directory,
	    const char **why);

/* True if this process can change users: started as root. */
bool	sandbox_is_root(void);

/* True once sandbox_enter() has taken rights away: EACCES and EPERM may be its doing. */
extern bool sandbox_is_closed;

/* What held of the sandbox at the last sandbox_enter(), for tests and `postroad status`. */
extern bool sandbox_has_seccomp, sandbox_has_landlock;

#endif
