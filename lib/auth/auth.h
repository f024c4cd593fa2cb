/*
 * auth - who are you? Users in a passwd-file, passwords in many schemes
 *
 * A passwd-file is Dovecot's: user:password:uid:gid:(gecos):home:(shell):extra,
 * where the extras are words like key=value; see passwd-file(5). A line that
 * makes no sense is reported with its number and passed over: one user cannot
 * log in, all others can.
 *
 * What holds:
 *   1  Two passwords are compared in a time that does not tell how alike they are.
 *   2  A password that was verified is remembered as a keyed hash over user,
 *      password and stored password, for a short time: who changes the file
 *      makes what is remembered worthless.
 */

#ifndef AUTH_AUTH_H
#define AUTH_AUTH_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct auth_user {
	const char *name;
	const char *password;		/* as stored: "{SCHEME}text" */
	bool	 has_uid, has_gid;
	uid_t	 uid;
	gid_t	 gid;
	const char *home;		/* NULL: not told */
	const char *const *extras;	/* "key=value" or "key", NULL at the end */
};

struct auth_users;

/* Hears of a bad line; what is borrowed. */
typedef void auth_report(void *argument, unsigned int line, const char *what);

/* Read the text of a passwd-file. Released with auth_users_free(). */
struct auth_users *auth_users_parse(const char *text, size_t length,
    auth_report *report, void *argument);
void	 auth_users_free(struct auth_users **users);

size_t	 auth_users_count(const struct auth_users *users);

/* The user of that name, letter case counts; NULL if there is none. Lives as long as users. */
const struct auth_user *auth_users_find(const struct auth_users *users, const char *name);

/* The value of an extra: "" if it stands without one; NULL if it is not there. */
const char *auth_user_extra(const struct auth_user *user, const char *key);

/* A passwd-file on disk, read again when it has changed. */
struct auth_file;

/* Keeps nothing open. Released with auth_file_free(). */
struct auth_file *auth_file_new(const char *path);
void	 auth_file_free(struct auth_file **file);

/*
 * The users as the file has them now; bad lines are logged once for each
 * change. NULL with errno if it cannot be read. Borrowed until the next call.
 */
const struct auth_users *auth_file_users(struct auth_file *file);

enum auth_result {
	AUTH_MATCH,
	AUTH_MISMATCH,
	AUTH_UNKNOWN_SCHEME,	/* or one that this system cannot compute */
};

/* Is `given` the password that is stored as "{SCHEME}text"? Without a scheme it is {CRYPT}. */
enum auth_result auth_password_check(const char *stored, const char *given);

/* How authd answers a login; see `login` in ipc/messages.def. */
enum login_status {
	LOGIN_DENIED,		/* no such user, or not this password */
	LOGIN_TAKEN,		/* a session has the client's socket now */
	LOGIN_PUT_OFF,		/* it cannot be told, or not be done, now */
};

/* What auth_password_check() confirmed lately. */
struct auth_cache;

/* Remember for ttl_s seconds; 0: nothing. Released with auth_cache_free(). */
struct auth_cache *auth_cache_new(int ttl_s);
void	 auth_cache_free(struct auth_cache **cache);

/* auth_password_check(), unless it said AUTH_MATCH for just this not long ago. */
enum auth_result auth_cache_check(struct auth_cache *cache, const char *user,
    const char *stored, const char *given);

#endif
