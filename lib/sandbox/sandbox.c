#include "sandbox/sandbox.h"

#include <errno.h>
#include <grp.h>
#include <linux/capability.h>
#include <pwd.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/log.h"
#include "sandbox/internal.h"

bool sandbox_is_closed;
bool sandbox_has_seccomp, sandbox_has_landlock;

bool
sandbox_is_root(void)
{
	return geteuid() == 0;
}

int
sandbox_become(const char *user, const char *chroot_directory,
    const char **why)
{
	if (!sandbox_is_root())
		return 0;

	const struct passwd *entry = getpwnam(user);

	*why = NULL;
	if (entry == NULL)
		*why = "find the user; create it or set mail_owner";
	else if (initgroups(user, entry->pw_gid) == -1)
		*why = "set the groups";
	else if (chroot_directory != NULL && chroot(chroot_directory) == -1)
		*why = "change the root directory";
	else if (chroot_directory != NULL && chdir("/") == -1)
		*why = "enter the root directory";
	else if (setresgid(entry->pw_gid, entry->pw_gid, entry->pw_gid) == -1)
		*why = "change the group";
	else if (setresuid(entry->pw_uid, entry->pw_uid, entry->pw_uid) == -1)
		*why = "change the user";
	return *why == NULL ? 0 : -1;
}

/* Root that stays root for the sake of SANDBOX_BECOME keeps just what becoming a user takes. */
static void
drop_capabilities(unsigned int permissions)
{
	struct __user_cap_header_struct header = {
		.version = _LINUX_CAPABILITY_VERSION_3,
	};
	struct __user_cap_data_struct data[2] = { { 0 } };

	if (!sandbox_is_root() || (permissions & SANDBOX_EXEC))
		return;
	if (permissions & SANDBOX_BECOME)
		data[0].effective = data[0].permitted =
		    1u << CAP_SETUID | 1u << CAP_SETGID | 1u << CAP_CHOWN |
		    1u << CAP_DAC_OVERRIDE | 1u << CAP_FOWNER |
		    1u << CAP_SYS_CHROOT | 1u << CAP_KILL;
	if (permissions & SANDBOX_READ_ANY)
		data[0].effective = data[0].permitted |=
		    1u << CAP_DAC_READ_SEARCH;
	if (syscall(SYS_capset, &header, data) == -1)
		log_warning("sandbox: cannot drop capabilities: %m");
}

static void
limit_resources(unsigned int permissions)
{
	const struct rlimit none = { 0, 0 };

	setrlimit(RLIMIT_CORE, &none);
	if (!(permissions & (SANDBOX_FORK | SANDBOX_EXEC | SANDBOX_THREADS |
	    SANDBOX_BECOME)))
		setrlimit(RLIMIT_NPROC, &none);
}

void
sandbox_prepare(unsigned int permissions)
{
	if (sandbox_seccomp_prepare(permissions) == -1)
		log_debug("sandbox: no system call filter prepared: %m");
}

void
sandbox_enter(const char *name, unsigned int permissions,
    const struct sandbox_path *paths)
{
	limit_resources(permissions);
	drop_capabilities(permissions);
	if (permissions & SANDBOX_EXEC)
		return;
	sandbox_is_closed = true;
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == -1)
		log_warning("sandbox: %s runs without no_new_privs: %m", name);
	sandbox_has_landlock = sandbox_landlock(permissions, paths) == 0;
	if (!sandbox_has_landlock)
		log_debug("sandbox: %s runs without Landlock: %m", name);
	sandbox_has_seccomp = sandbox_seccomp(permissions) == 0;
	if (!sandbox_has_seccomp)
		log_warning("sandbox: %s runs without a system call filter: %m; "
		    "the kernel or this build has no seccomp", name);
}
