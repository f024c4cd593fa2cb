/* unix: - the users and groups of the system */

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/base.h"
#include "ipc/ipc.h"
#include "table/internal.h"

#define BUFFER_MAX	(1024 * 1024)

static int
open_unix(struct table *table)
{
	if (strcmp(table->path, "passwd.byname") != 0 &&
	    strcmp(table->path, "group.byname") != 0) {
		text_puts(&table->why,
		    "expected unix:passwd.byname or unix:group.byname");
		return -1;
	}
	/* A process that cannot see the users must not say that there are none. */
	if (access("/etc/passwd", R_OK) == -1) {
		text_printf(&table->why, "open file /etc/passwd: %s",
		    strerror(errno));
		return -1;
	}
	return 0;
}

static int
get_user(struct table *table, const char *key, char *buffer, size_t size)
{
	struct passwd entry, *found;
	int error = getpwnam_r(key, &entry, buffer, size, &found);

	if (error == 0 && found != NULL)
		text_printf(&table->value, "%s:%s:%u:%u:%s:%s:%s",
		    found->pw_name, found->pw_passwd, found->pw_uid,
		    found->pw_gid, found->pw_gecos, found->pw_dir,
		    found->pw_shell);
	return error;
}

static int
get_group(struct table *table, const char *key, char *buffer, size_t size)
{
	struct group entry, *found;
	int error = getgrnam_r(key, &entry, buffer, size, &found);

	if (error != 0 || found == NULL)
		return error;
	text_printf(&table->value, "%s:%s:%u:", found->gr_name,
	    found->gr_passwd, found->gr_gid);
	for (char **member = found->gr_mem; *member != NULL; member++)
		text_printf(&table->value, "%s%s",
		    member == found->gr_mem ? "" : ",", *member);
	return 0;
}

static enum table_answer
get_unix(struct table *table, const char *key)
{
	bool users = *table->path == 'p';
	char *buffer = NULL;
	int error = ERANGE;

	/* Name services that cannot open their files say "no such user" all the same. */
	if (ipc_is_inside_chroot()) {
		text_puts(&table->why, "not visible from a chroot");
		return TABLE_ERROR;
	}

	for (size_t size = 4096; error == ERANGE && size <= BUFFER_MAX;
	    size *= 4) {
		buffer = mem_resize(buffer, size, 1);
		error = users ? get_user(table, key, buffer, size)
			      : get_group(table, key, buffer, size);
	}
	free(buffer);
	if (error == 0)
		return table->value.length > 0 ? TABLE_FOUND : TABLE_NONE;
	text_printf(&table->why, "look up: %s", strerror(error));
	return TABLE_ERROR;
}

static void
close_unix(struct table *table)
{
}

const struct table_backend table_unix = {
	.type = "unix",
	.open = open_unix,
	.get = get_unix,
	.close = close_unix,
};
