/* login - from a name and a password to a session, or to no */

#include "authd/authd.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/base.h"
#include "config/config.h"

static struct auth_file *users;
static struct auth_cache *cache;

/* mail_uid and mail_gid: for users whose line has none. */
static struct {
	bool	 has_uid, has_gid;
	uid_t	 uid;
	gid_t	 gid;
} preset;

static void
read_preset_ids(void)
{
	const char *error = NULL;

	if (config.mail_uid[0] != '\0') {
		struct passwd *entry = getpwnam(config.mail_uid);

		preset.has_uid = true;
		preset.uid = entry != NULL ? entry->pw_uid
		    : (uid_t)strtonum(config.mail_uid, 1, UINT32_MAX - 1, &error);
		if (error != NULL)
			fatal("mail_uid = %s: there is no such user", config.mail_uid);
	}
	if (config.mail_gid[0] != '\0') {
		struct group *entry = getgrnam(config.mail_gid);

		preset.has_gid = true;
		preset.gid = entry != NULL ? entry->gr_gid
		    : (gid_t)strtonum(config.mail_gid, 1, UINT32_MAX - 1, &error);
		if (error != NULL)
			fatal("mail_gid = %s: there is no such group", config.mail_gid);
	}
}

void
login_start(void)
{
	read_preset_ids();
	/* libcrypto reads its own files at the first use: now, not in the sandbox. */
	auth_password_check("{SSHA256}eje4XIkY6sGakInA+loqtNzj+QUo3N7sEIsj3fNge5lzYWx0", "");
	users = auth_file_new(config.auth_passwd_file);
	cache = auth_cache_new(config.auth_cache_ttl);
	if (auth_file_users(users) == NULL)
		log_warning("cannot read auth_passwd_file %s: %m; nobody can log in",
		    config.auth_passwd_file);
}

/* Why this user may not log in although the password is right; NULL: he may. */
static const char *
find_refusal(const struct auth_user *user, const char *remote)
{
	const char *networks = auth_user_extra(user, "allow_nets");

	if (auth_user_extra(user, "nologin") != NULL)
		return "nologin is set for him";
	if (networks != NULL && !address_in_networks(remote, networks))
		return "his allow_nets does not have this address";
	return NULL;
}

/* Whose rights the session gets. NULL, or what is wrong. */
static const char *
find_owner(const struct auth_user *user, struct ipc_session *session)
{
	if (geteuid() != 0) {
		session->uid = geteuid();	/* all mail is this one user's */
		session->gid = getegid();
		return NULL;
	}
	if (!user->has_uid && !preset.has_uid)
		return "the passwd-file has no uid for this user, and mail_uid is not set";
	if (!user->has_gid && !preset.has_gid)
		return "the passwd-file has no gid for this user, and mail_gid is not set";
	session->uid = user->has_uid ? user->uid : preset.uid;
	session->gid = user->has_gid ? user->gid : preset.gid;
	if (session->uid < config.first_valid_uid || session->uid == 0)
		return "the user's uid is below first_valid_uid";
	return NULL;
}

/* The password was right: start the session, which gets the client's socket. */
static enum login_status
begin_session(const struct auth_user *user, const struct ipc_login *login,
    int client)
{
	struct ipc_session session = {
		.service = login->service, .user = user->name,
		.home = user->home != NULL ? user->home : "",
		.remote = login->remote, .local = login->local,
		.session = login->session, .unread = login->unread,
		.client = client,
	};
	const char *own = auth_user_extra(user, "userdb_mail");
	const char *location = own != NULL ? own : config.mail_location;
	struct text maildir = TEXT_EMPTY;
	const char *wrong = find_owner(user, &session);

	if (wrong == NULL)
		wrong = location_expand(location, user->name, user->home, &maildir);
	if (wrong != NULL) {
		log_warning("%s: %s", user->name, wrong);
		text_clear(&maildir);
		fd_close(&client);
		return LOGIN_PUT_OFF;
	}
	session.maildir = text_string(&maildir);

	int begun = sessions_begin(&session);

	text_clear(&maildir);
	if (begun == -1) {
		log_warning("%s: cannot start a session: %m", user->name);
		return LOGIN_PUT_OFF;
	}
	return LOGIN_TAKEN;
}

/* The name as the passwd-file has it; false if it cannot be one. */
static bool
normalize_name(const char *given, char name[256])
{
	if (strlcpy(name, given, 256) >= 256 || name[0] == '\0')
		return false;
	text_lower(name);
	return name[strspn(name, config.auth_username_chars)] == '\0';
}

static enum login_status
judge(const struct ipc_login *login, struct ipc_packet *packet)
{
	const struct auth_users *known = auth_file_users(users);
	const struct auth_user *user;
	const char *refusal;
	char name[256];

	if (known == NULL) {
		log_warning("cannot read auth_passwd_file %s: %m",
		    config.auth_passwd_file);
		return LOGIN_PUT_OFF;
	}
	if (!normalize_name(login->user, name)
	    || (user = auth_users_find(known, name)) == NULL)
		return LOGIN_DENIED;
	switch (auth_cache_check(cache, name, user->password, login->password)) {
	case AUTH_MATCH:
		break;
	case AUTH_MISMATCH:
		return LOGIN_DENIED;
	case AUTH_UNKNOWN_SCHEME:
		log_warning("%s: the scheme of the password of %s is unknown or its "
		    "text is damaged", config.auth_passwd_file, name);
		return LOGIN_DENIED;
	}
	if ((refusal = find_refusal(user, login->remote)) != NULL) {
		log_info("%s from %s: right password, but %s", name, login->remote,
		    refusal);
		return LOGIN_DENIED;
	}
	return begin_session(user, login, ipc_packet_take_fd(packet));
}

void
login_serve(struct service_request *requests, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		struct ipc_packet *packet = &requests[i].packet;
		struct ipc_packet reply = IPC_PACKET_EMPTY;
		struct ipc_login_result result = { .status = LOGIN_DENIED };
		struct ipc_login login;

		if (ipc_decode_login(packet, &login) == -1 || login.client == -1
		    || strcmp(login.service, "pop3") != 0)
			log_warning("a request that is not a login; denied");
		else
			result.status = judge(&login, packet);
		/* The password does not outlive its check; kind and number are still needed. */
		if (packet->body.length > 16)
			explicit_bzero(packet->body.bytes + 16,
			    packet->body.length - 16);
		ipc_encode_login_result(&reply, 0, &result);
		service_reply(&requests[i], &reply);
	}
}
