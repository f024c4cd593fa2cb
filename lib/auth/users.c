/* users - the text of a passwd-file becomes a table of users */

#include "auth/auth.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/base.h"

enum { NAME, PASSWORD, UID, GID, GECOS, HOME, SHELL, EXTRA, FIELDS };

struct auth_users {
	struct pool *pool;
	struct map *by_name;
};

/* Split at colons; the last field takes the rest. Fields that are not there are NULL. */
static void
split_fields(char *line, char *fields[FIELDS])
{
	memset(fields, 0, FIELDS * sizeof(fields[0]));
	for (int i = 0; i < FIELDS && line != NULL; i++)
		fields[i] = i == EXTRA ? line : strsep(&line, ":");
}

static bool
user_number(const char *name, uint32_t *id)
{
	const struct passwd *entry = getpwnam(name);

	if (entry != NULL)
		*id = entry->pw_uid;
	return entry != NULL;
}

static bool
group_number(const char *name, uint32_t *id)
{
	const struct group *entry = getgrnam(name);

	if (entry != NULL)
		*id = entry->gr_gid;
	return entry != NULL;
}

/* A number, or a name of this machine's, in *id. Empty changes nothing; false if it is neither. */
static bool
parse_id(const char *field, bool (*number)(const char *name, uint32_t *id),
    uint32_t *id, bool *has_id)
{
	const char *error = NULL;
	long long value;

	if (field == NULL || field[0] == '\0')
		return true;
	*has_id = true;
	value = strtonum(field, 0, UINT32_MAX - 1, &error);
	if (error != NULL)
		return number(field, id);
	*id = (uint32_t)value;
	return true;
}

/* The old way to name a scheme: a length in brackets behind the password. */
static const char *
parse_password(struct pool *pool, char *field)
{
	size_t length = strlen(field);

	if (length > 4 && field[0] != '{'
	    && (strcmp(field + length - 4, "[13]") == 0
	    || strcmp(field + length - 4, "[34]") == 0))
		field[length - 4] = '\0';
	return pool_strdup(pool, field);
}

static const char *const *
parse_extras(struct pool *pool, char *field)
{
	size_t count = 0, room = 1;

	for (const char *p = field; p != NULL && *p != '\0'; p++)
		room += *p == ' ' || p == field;

	const char **extras = pool_alloc(pool, room * sizeof(*extras));

	for (char *word; field != NULL && (word = word_next(&field, " ")) != NULL;)
		extras[count++] = pool_strdup(pool, word);
	return extras;
}

/* What stands among the extras comes before the fields, as with Dovecot. */
static bool
obey_extras(struct auth_user *user)
{
	const char *home = auth_user_extra(user, "userdb_home");

	if (home != NULL && *home != '\0')
		user->home = home;
	return parse_id(auth_user_extra(user, "userdb_uid"), user_number,
	    &user->uid, &user->has_uid)
	    && parse_id(auth_user_extra(user, "userdb_gid"), group_number,
	    &user->gid, &user->has_gid);
}

/* One line that is neither blank nor a comment. NULL: all is well; else what is wrong. */
static const char *
parse_line(struct auth_users *users, char *line)
{
	struct auth_user *user = pool_alloc(users->pool, sizeof(*user));
	char *fields[FIELDS];

	split_fields(line, fields);
	if (fields[NAME][0] == '\0')
		return "the user's name is missing";
	if (fields[PASSWORD] == NULL)
		return "a user without a password; write user:password:uid:gid::home";
	if (map_get(users->by_name, fields[NAME]) != NULL)
		return "this user is there already; the first line counts";
	if (!parse_id(fields[UID], user_number, &user->uid, &user->has_uid))
		return "the uid is neither a number nor a user";
	if (!parse_id(fields[GID], group_number, &user->gid, &user->has_gid))
		return "the gid is neither a number nor a group";
	if (fields[HOME] != NULL && fields[HOME][0] != '\0')
		user->home = pool_strdup(users->pool, fields[HOME]);
	user->name = pool_strdup(users->pool, fields[NAME]);
	user->password = parse_password(users->pool, fields[PASSWORD]);
	user->extras = parse_extras(users->pool, fields[EXTRA]);
	if (!obey_extras(user))
		return "userdb_uid or userdb_gid is neither a number nor a name";
	map_set(users->by_name, user->name, user);
	return NULL;
}

struct auth_users *
auth_users_parse(const char *text, size_t length, auth_report *report,
    void *argument)
{
	struct auth_users *users = mem_zalloc(1, sizeof(*users));
	const char *end = text + length;
	unsigned int number = 0;

	users->pool = pool_new(0);
	users->by_name = map_new();
	while (text < end) {
		const char *newline = memchr(text, '\n', (size_t)(end - text));
		size_t bytes = (size_t)((newline != NULL ? newline : end) - text);
		char *line = mem_strndup(text, bytes);
		const char *wrong = NULL;

		number++;
		line[strcspn(line, "\r")] = '\0';
		if (memchr(text, '\0', bytes) != NULL)
			wrong = "a NUL in the line";
		else if (line[strspn(line, " \t")] != '\0' && line[0] != '#')
			wrong = parse_line(users, line);
		if (wrong != NULL)
			report(argument, number, wrong);
		free(line);
		text += bytes + (newline != NULL);
	}
	return users;
}

void
auth_users_free(struct auth_users **users)
{
	if (*users == NULL)
		return;
	map_free(&(*users)->by_name, NULL);
	pool_free(&(*users)->pool);
	free(*users);
	*users = NULL;
}

size_t
auth_users_count(const struct auth_users *users)
{
	return map_count(users->by_name);
}

const struct auth_user *
auth_users_find(const struct auth_users *users, const char *name)
{
	return map_get(users->by_name, name);
}

const char *
auth_user_extra(const struct auth_user *user, const char *key)
{
	size_t length = strlen(key);

	for (const char *const *extra = user->extras; *extra != NULL; extra++) {
		if (strncmp(*extra, key, length) != 0)
			continue;
		if ((*extra)[length] == '=')
			return *extra + length + 1;
		if ((*extra)[length] == '\0')
			return *extra + length;
	}
	return NULL;
}
