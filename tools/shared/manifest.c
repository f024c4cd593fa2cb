#include "tools/shared/manifest.h"

#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <grp.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/base.h"
#include "config/config.h"
#include "config/expand.h"
#include "config/lines.h"

#define SIZE_LIMIT	(1024 * 1024)

/* One row; owner and group are names or "-". */
struct row {
	char	type;
	char	*path;
	char	*owner;
	char	*group;
	mode_t	mode;
};

static const char *
parameter(const char *name, void *unknown)
{
	const char *value = config_get(name);

	if (value == NULL)
		*(bool *)unknown = true;
	return value;
}

/* "" when it names what is no parameter: a row for the installation alone. */
static char *
expanded(const char *text)
{
	bool unknown = false;
	struct expansion expansion = { .value = parameter,
	    .context = &unknown };
	struct text out = TEXT_EMPTY, why = TEXT_EMPTY;

	if (text == NULL || expand(&expansion, text, &out, &why) == -1 ||
	    unknown)
		text_truncate(&out, 0);
	text_clear(&why);
	return text_take(&out);
}

static bool
row_parse(char *line, struct row *row)
{
	char *cursor = line;
	const char *type = word_next(&cursor, " \t"), *mode;

	row->type = *type;
	row->path = expanded(word_next(&cursor, " \t"));
	row->owner = expanded(word_next(&cursor, " \t"));
	row->group = expanded(word_next(&cursor, " \t"));
	mode = word_next(&cursor, " \t");
	row->mode = mode == NULL ? 0 : (mode_t)strtol(mode, NULL, 8);
	return row->path != NULL && *row->path == '/' && row->mode != 0;
}

static void
row_clear(struct row *row)
{
	free(row->path);
	free(row->owner);
	free(row->group);
}

/* The ids that a row asks for; -1 is "as it is", always for an ordinary user. 0, or -1: logged. */
static int
row_ids(const struct row *row, uid_t *uid, gid_t *gid)
{
	*uid = (uid_t)-1;
	*gid = (gid_t)-1;
	if (geteuid() != 0)
		return 0;
	if (strcmp(row->owner, "-") != 0) {
		const struct passwd *user = getpwnam(row->owner);

		if (user == NULL) {
			log_error("%s: there is no user %s; add it, or set mail_owner",
			    row->path, row->owner);
			return -1;
		}
		*uid = user->pw_uid;
	}
	if (strcmp(row->group, "-") != 0) {
		const struct group *group = getgrnam(row->group);

		if (group == NULL) {
			log_error("%s: there is no group %s; add it, or set setgid_group",
			    row->path, row->group);
			return -1;
		}
		*gid = group->gr_gid;
	}
	return 0;
}

static int
apply_row(const struct row *row, bool all)
{
	struct stat now;
	bool is_new = false;
	uid_t uid;
	gid_t gid;

	if (row_ids(row, &uid, &gid) == -1)
		return 1;
	if (row->type == 'd' && mkdir(row->path, row->mode) == 0)
		is_new = true;
	if (lstat(row->path, &now) == -1) {
		if (row->type != 'd')
			return 0;
		log_error("make %s: %m", row->path);
		return 1;
	}
	if ((!all && !is_new) || S_ISLNK(now.st_mode))
		return 0;
	if (lchown(row->path, uid, gid) == -1 ||
	    chmod(row->path, row->mode) == -1) {
		log_error("set owner and mode of %s: %m", row->path);
		return 1;
	}
	return 0;
}

static int
check_row(const struct row *row, bool unused)
{
	struct stat now;
	uid_t uid;
	gid_t gid;
	int problems = 0;

	if (row_ids(row, &uid, &gid) == -1)
		return 1;
	if (lstat(row->path, &now) == -1) {
		if (row->type == 'c')
			return 0;	/* the administrator may have taken it away */
		log_warning("%s: %m; run postroad set-permissions", row->path);
		return 1;
	}
	if (S_ISLNK(now.st_mode))
		return 0;
	if (uid != (uid_t)-1 && now.st_uid != uid) {
		log_warning("not owned by %s: %s", row->owner, row->path);
		problems++;
	}
	if (gid != (gid_t)-1 && now.st_gid != gid) {
		log_warning("not owned by group %s: %s", row->group, row->path);
		problems++;
	}
	/* An administrator's file may be stricter; nothing may be wider. */
	if (now.st_mode & 07777 & ~row->mode) {
		log_warning("mode %o of %s is wider than %o",
		    now.st_mode & 07777, row->path, row->mode);
		problems++;
	}
	return problems;
}

static int
for_each_row(int (*act)(const struct row *, bool), bool argument)
{
	char *path = mem_printf("%s/manifest", config.daemon_directory);
	size_t length;
	char *text = file_read(path, SIZE_LIMIT, &length), *line;
	struct lines lines;
	int problems = 0;

	if (text == NULL) {
		log_warning("%s: %m; owners and modes are not looked at", path);
		free(path);
		return 0;
	}
	lines_open(&lines, text, length);
	while ((line = lines_next(&lines)) != NULL) {
		struct row row = { 0 };

		/* A path that ends in / stands for many files; those have the mode they were installed with. */
		if (strchr("dfc", *line) != NULL && row_parse(line, &row) &&
		    row.path[strlen(row.path) - 1] != '/')
			problems += act(&row, argument);
		row_clear(&row);
	}
	lines_close(&lines);
	free(text);
	free(path);
	return problems;
}

int
manifest_apply(bool all)
{
	return for_each_row(apply_row, all);
}

int
manifest_check(void)
{
	return for_each_row(check_row, false);
}
