/* user - who is who on this machine, and whose rights this process has */

#include "local/local.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#define REMEMBER_MS	1000

static struct map *users;
static int64_t remembered_since_ms;
static const struct user *current;	/* NULL: root */
static bool is_child;

static void
free_user(void *value)
{
	struct user *user = value;

	free(user->name);
	free(user->home);
	free(user->shell);
	free(user);
}

void
users_expire(void)
{
	if (users != NULL && clock_ms() - remembered_since_ms > REMEMBER_MS)
		map_free(&users, free_user);
}

const struct user *
user_find(const char *name)
{
	struct user *user;

	if (users == NULL) {
		users = map_new();
		remembered_since_ms = clock_ms();
	}
	if ((user = map_get(users, name)) != NULL)
		return user;
	errno = 0;

	const struct passwd *entry = getpwnam(name);

	if (entry == NULL) {
		/* These say "no such user" too: getpwnam(3). */
		if (errno == ENOENT || errno == ESRCH || errno == EPERM || errno == EBADF)
			errno = 0;
		return NULL;
	}
	user = mem_zalloc(1, sizeof(*user));
	user->name = mem_strdup(entry->pw_name);
	user->home = mem_strdup(entry->pw_dir);
	user->shell = mem_strdup(entry->pw_shell);
	user->uid = entry->pw_uid;
	user->gid = entry->pw_gid;
	user->group_count = USER_GROUPS_MAX;
	if (getgrouplist(user->name, user->gid, user->groups, &user->group_count) == -1)
		user->group_count = USER_GROUPS_MAX;	/* he is in more; these are enough */
	map_set(users, name, user);
	return user;
}

void
become(const struct user *user)
{
	if (user == current || getuid() != 0)
		return;
	if (current != NULL && seteuid(0) == -1)
		panic("cannot become root again: %m");
	current = user;
	if (user == NULL && (setegid(0) == -1 || setgroups(0, NULL) == -1))
		panic("cannot have root's groups again: %m");
	if (user != NULL && (setgroups((size_t)user->group_count, user->groups) == -1
	    || setegid(user->gid) == -1 || seteuid(user->uid) == -1))
		panic("cannot become %s: %m", user->name);
	if (is_child)
		die_with_parent();	/* the kernel forgets it when rights change */
}

void
die_with_parent(void)
{
	is_child = true;
	prctl(PR_SET_PDEATHSIG, SIGTERM);
}

int
become_for_good(const struct user *user)
{
	if (getuid() != 0)
		return 0;
	become(NULL);
	return setgroups((size_t)user->group_count, user->groups) == -1
	    || setresgid(user->gid, user->gid, user->gid) == -1
	    || setresuid(user->uid, user->uid, user->uid) == -1 ? -1 : 0;
}
