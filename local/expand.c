/*
 * expand - what is to be done for a recipient: aliases, .forward, mailbox
 *
 * An alias whose members are aliases of this machine is followed here, each
 * name once, so that no web of aliases can make more than one message of one.
 * What is left is done with someone's rights (a mailbox, a file, a command) or goes
 * on as one new message to all remaining addresses. A name that leads to itself
 * means its own mailbox.
 */

#include "local/local.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "address/address.h"
#include "config/config.h"
#include "config/expand.h"
#include "message/header.h"
#include "table/maps.h"
#include "table/match.h"

#define DEPTH_MAX	50
#define MEMBERS_MAX	1000
#define FORWARD_SIZE	65536
#define INCLUDE_SIZE	(16 * 1024 * 1024)

enum source { FROM_ALIAS, FROM_INCLUDE, FROM_FORWARD };

static const char *const source_names[] = { "alias", "include", "forward" };

/* Where a list of members comes from, and with whose rights it acts. */
struct list {
	enum source source;
	const struct user *user;
	const char *name;	/* the alias or file, for the log */
	int	 depth;
};

static struct maps *alias_maps;
static struct match_list *mydestination;

static void expand_list(struct plan *plan, const char *text, const struct list *list);

void
expand_start(void)
{
	alias_maps = maps_open("alias_maps", config.alias_maps);
	mydestination = match_list_open("mydestination", config.mydestination);
}

void
plan_decide(struct plan *plan, enum delivery_status status, const char *dsn,
    const char *format, ...)
{
	struct text text = TEXT_EMPTY;
	va_list arguments;

	if (plan->is_decided)
		return;
	va_start(arguments, format);
	text_vprintf(&text, format, arguments);
	va_end(arguments);
	plan->is_decided = true;
	plan->status = status;
	plan->dsn = dsn;
	plan->text = pool_strdup(plan->pool, text_string(&text));
	if (plan->text == NULL)
		plan->text = "out of memory";
	text_clear(&text);
}

/* For what each place tries first: true the first time that this plan meets the key. */
static bool
is_new(struct plan *plan, const char *key)
{
	return map_set(plan->seen, key, plan) == NULL;
}

static void
add_target(struct plan *plan, enum target_kind kind, const struct user *user,
    const char *what)
{
	struct target *target = pool_alloc(plan->pool, sizeof(*target));

	if (target == NULL || ++plan->target_count > MEMBERS_MAX) {
		plan_decide(plan, DELIVERY_BOUNCED, "5.4.6",
		    "alias expansion has too many members");
		return;
	}
	target->kind = kind;
	target->user = user;
	target->what = pool_strdup(plan->pool, what);
	STAILQ_INSERT_TAIL(&plan->targets, target, next);
}

static void
add_forward(struct plan *plan, const char *address)
{
	char folded[ADDRESS_SIZE];

	strlcpy(folded, address, sizeof(folded));
	if (!is_new(plan, text_lower(folded)))
		return;
	if (plan->forward_count == MEMBERS_MAX) {
		plan_decide(plan, DELIVERY_BOUNCED, "5.4.6",
		    "alias expansion has too many members");
		return;
	}
	if (plan->forward == NULL)
		plan->forward = pool_alloc(plan->pool, MEMBERS_MAX * sizeof(*plan->forward));
	if (plan->forward != NULL)
		plan->forward[plan->forward_count++] = pool_strdup(plan->pool, address);
}

/* --- members of a list */

static bool
is_allowed(const char *parameter, enum source source)
{
	char *copy = mem_strdup(parameter), *cursor = copy, *word;
	bool found = false;

	while (!found && (word = word_next(&cursor, LIST_SEPARATORS)) != NULL)
		found = strcmp(word, source_names[source]) == 0;
	free(copy);
	return found;
}

static void
add_command_or_file(struct plan *plan, const char *what, const struct list *list)
{
	bool is_command = what[0] == '|';

	if (!is_allowed(is_command ? config.allow_mail_to_commands
	    : config.allow_mail_to_files, list->source)) {
		log_warning("%s: mail to %s is not allowed in %s", list->name,
		    is_command ? "commands" : "files", source_names[list->source]);
		plan_decide(plan, DELIVERY_BOUNCED, "5.7.1", "mail to %s is restricted",
		    is_command ? "external command" : "file");
		return;
	}
	add_target(plan, is_command ? TARGET_COMMAND : TARGET_FILE, list->user,
	    is_command ? what + 1 + strspn(what + 1, " \t") : what);
}

/* A file of the administrator's or, as that user, of a user's. NULL with errno; "" if it should not be read. */
static char *
read_list_file(const char *path, const struct user *user, size_t limit,
    const char **why)
{
	struct stat st;
	char *text = NULL;
	int fd;

	become(user);
	fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	*why = NULL;
	if (fd == -1)
		*why = "open";
	else if (fstat(fd, &st) == -1)
		*why = "look at";
	else if (!S_ISREG(st.st_mode))
		*why = "use what is not a regular file:";
	else if (user != NULL && st.st_uid != user->uid && st.st_uid != 0)
		*why = "use a file of another user:";
	else if (st.st_mode & S_IWOTH)
		*why = "use a file that everybody may write:";
	else if ((size_t)st.st_size > limit)
		*why = "use a file of this size:";
	else {
		text = mem_zalloc((size_t)st.st_size + 1, 1);
		if (fd_read_full(fd, text, (size_t)st.st_size) == -1) {
			*why = "read";
			free(text);
			text = NULL;
		}
	}
	fd_close(&fd);
	become(NULL);
	return text;
}

static void
expand_file(struct plan *plan, char *text, const struct list *list)
{
	char *line;

	/* Each line is a list of its own; # begins a comment. */
	while (!plan->is_decided && (line = strsep(&text, "\n")) != NULL)
		if (line[strspn(line, " \t\r")] != '#')
			expand_list(plan, line, list);
}

static void
include_file(struct plan *plan, const char *path, const struct list *from)
{
	struct list list = { FROM_INCLUDE, from->user, path, from->depth + 1 };
	const struct user *reader = from->source == FROM_FORWARD ? from->user : NULL;
	const char *why;
	char *text;

	if (list.depth > DEPTH_MAX || !is_new(plan, path))
		return;
	if ((text = read_list_file(path, reader, INCLUDE_SIZE, &why)) == NULL) {
		log_warning("%s: cannot %s %s: %m", from->name, why, path);
		plan_decide(plan, DELIVERY_DEFERRED, "4.2.0",
		    "cannot %s include file %s", why, path);
		return;
	}
	expand_file(plan, text, &list);
	free(text);
}

static enum table_answer
find_alias(const char *name, const char **value)
{
	size_t length = strlen(name);
	size_t base = address_base_length(name, length, config.recipient_delimiter);
	enum table_answer answer = maps_find(alias_maps, name, value);

	if (answer == TABLE_NONE && base < length) {
		char *copy = mem_strndup(name, base);

		answer = maps_find(alias_maps, copy, value);
		free(copy);
	}
	return answer;
}

static bool
is_local_domain(const struct plan *plan, const char *domain)
{
	return strcasecmp(domain, plan->domain) == 0
	    || match_domain(mydestination, domain) == TABLE_FOUND;
}

/* The alias's value, or false if name is none. */
static bool
expand_alias(struct plan *plan, const char *name, const struct list *from)
{
	const char *value;
	enum table_answer answer = find_alias(name, &value);

	if (answer == TABLE_NONE)
		return false;
	if (answer == TABLE_ERROR) {
		plan_decide(plan, DELIVERY_DEFERRED, "4.3.0",
		    "alias database unavailable: %s", maps_table_name(alias_maps));
		return true;
	}
	if (from->depth >= DEPTH_MAX) {
		plan_decide(plan, DELIVERY_BOUNCED, "5.4.6",
		    "aliases nested too deeply at %s", name);
		return true;
	}

	struct list list = { FROM_ALIAS, user_find(config.default_privs), name,
	    from->depth + 1 };
	char *copy = mem_strdup(value);

	if (list.user == NULL)
		plan_decide(plan, DELIVERY_DEFERRED, "4.3.5",
		    "default_privs = %s: no such user", config.default_privs);
	expand_list(plan, copy, &list);
	free(copy);
	return true;
}

/* The recipient's own mailbox, named by his own alias or .forward file. */
static void
add_own_mailbox(struct plan *plan)
{
	const struct user *user = user_find(plan->name);

	if (user != NULL && is_new(plan, "\\"))
		add_target(plan, TARGET_MAILBOX, user, "");
}

static void
add_address(struct plan *plan, const char *address, bool is_final,
    const struct list *list)
{
	const char *domain = address_domain(address);
	char whole[ADDRESS_SIZE], name[ADDRESS_SIZE];

	strlcpy(whole, address, sizeof(whole));
	if (domain == NULL
	    && (size_t)snprintf(whole, sizeof(whole), "%s@%s", address,
	    config.myorigin) >= sizeof(whole))
		return;
	domain = address_domain(whole);
	if (!is_local_domain(plan, domain)) {
		add_forward(plan, whole);
		return;
	}
	snprintf(name, sizeof(name), "%.*s", (int)address_localpart_length(whole), whole);
	text_lower(name);
	if (strcmp(name, plan->name) == 0)
		add_own_mailbox(plan);
	else if (is_final)
		add_forward(plan, whole);
	else if (map_get(plan->seen, name) == NULL) {
		map_set(plan->seen, name, plan);
		if (list->source == FROM_FORWARD || !expand_alias(plan, name, list))
			add_forward(plan, whole);
	}
}

/* One member, without white space around it. Writes into it. */
static void
add_member(struct plan *plan, char *member, const struct list *list)
{
	size_t length = strlen(member);
	struct address_found found;

	/* "|command" and "/file", quoted as a whole */
	if (length > 2 && member[0] == '"' && member[length - 1] == '"'
	    && strchr("|/:", member[1]) != NULL) {
		char *to = member;

		for (const char *p = member + 1; p < member + length - 1; p++) {
			if (*p == '\\' && p + 1 < member + length - 1)
				p++;
			*to++ = *p;
		}
		*to = '\0';
	}
	if (member[0] == '|' || member[0] == '/') {
		add_command_or_file(plan, member, list);
		return;
	}
	if (strncasecmp(member, ":include:", 9) == 0) {
		include_file(plan, member + 9 + strspn(member + 9, " \t"), list);
		return;
	}

	bool is_final = member[0] == '\\';
	struct address_list walk = { .text = member + is_final,
	    .length = strlen(member + is_final) };

	while (!plan->is_decided && address_list_next(&walk, &found))
		if (found.address[0] != '\0' && !found.too_long)
			add_address(plan, found.address, is_final, list);
}

/* Members are separated by commas, except in quotes, comments and <>. */
static void
expand_list(struct plan *plan, const char *text, const struct list *list)
{
	const char *p = text;

	while (!plan->is_decided && *p != '\0') {
		bool in_quotes = false;
		int in_comment = 0;
		const char *begin = p;

		for (; *p != '\0' && (*p != ',' || in_quotes || in_comment > 0); p++) {
			if (*p == '\\' && p[1] != '\0')
				p++;
			else if (*p == '"')
				in_quotes = !in_quotes;
			else if (!in_quotes && (*p == '(' || *p == ')'))
				in_comment += *p == '(' ? 1 : in_comment > 0 ? -1 : 0;
		}

		char *member = mem_strndup(begin, (size_t)(p - begin));

		add_member(plan, text_trim(member), list);
		free(member);
		p += *p == ',';
	}
}

/* --- users */

/* user's own wish: .forward+extension, or .forward. False: there is none. */
static bool
expand_forward(struct plan *plan, const struct user *user)
{
	const char *why;
	char *text = NULL;

	for (int try = plan->extension[0] == '\0' || strchr(plan->extension, '/');
	    try < 2 && text == NULL; try++) {
		char *path = try == 1 ? mem_printf("%s/.forward", user->home)
		    : mem_printf("%s/.forward%c%s", user->home,
			config.recipient_delimiter[0], plan->extension);

		text = read_list_file(path, user, FORWARD_SIZE, &why);
		if (text == NULL && strcmp(why, "open") == 0
		    && (errno == ENOENT || errno == ENOTDIR || errno == EACCES)) {
			free(path);
			continue;
		}

		struct list list = { FROM_FORWARD, user, path, 1 };

		if (text == NULL) {
			log_warning("cannot %s %s: %m; mail for %s waits", why, path,
			    user->name);
			plan_decide(plan, DELIVERY_DEFERRED, "4.3.0",
			    "cannot %s %s", why, path);
		} else
			expand_file(plan, text, &list);
		free(path);
		if (text == NULL)
			return true;
	}
	if (text == NULL)
		return false;
	free(text);
	/* An empty file is none. */
	return plan->is_decided || plan->target_count + plan->forward_count > 0;
}

struct luser_names {
	const struct plan *plan;
	const char *local;
};

static const char *
luser_value(const char *name, void *context)
{
	const struct luser_names *names = context;
	const struct { const char *name, *value; } values[] = {
		{ "user",	names->plan->name },
		{ "local",	names->local },
		{ "extension",	names->plan->extension },
		{ "domain",	names->plan->domain },
		{ "recipient",	names->plan->address },
		{ "recipient_delimiter", config.recipient_delimiter },
	};

	for (size_t i = 0; i < COUNT_OF(values); i++)
		if (strcmp(values[i].name, name) == 0)
			return values[i].value;
	return NULL;
}

static void
plan_unknown_user(struct plan *plan, const char *local)
{
	struct luser_names names = { plan, local };
	struct expansion expansion = { .value = luser_value, .context = &names };
	struct list list = { FROM_ALIAS, user_find(config.default_privs), "luser_relay", 1 };
	struct text relay = TEXT_EMPTY, why = TEXT_EMPTY;

	if (config.luser_relay[0] == '\0')
		plan_decide(plan, DELIVERY_BOUNCED, "5.1.1", "unknown user: \"%s\"",
		    plan->name);
	else if (expand(&expansion, config.luser_relay, &relay, &why) == -1) {
		log_warning("luser_relay: %s", text_string(&why));
		plan_decide(plan, DELIVERY_DEFERRED, "4.3.5",
		    "mail system configuration error");
	} else
		expand_list(plan, text_string(&relay), &list);
	text_clear(&relay);
	text_clear(&why);
}

static void
plan_user(struct plan *plan, const struct user *user)
{
	if (expand_forward(plan, user))
		return;
	if (config.require_home_directory && access(user->home, F_OK) == -1)
		plan_decide(plan, DELIVERY_DEFERRED, "4.3.0",
		    "cannot access home directory %s: %s", user->home, strerror(errno));
	else if (config.mailbox_command[0] != '\0')
		add_target(plan, TARGET_COMMAND, user, config.mailbox_command);
	else
		add_target(plan, TARGET_MAILBOX, user, "");
}

/* --- the recipient */

/* Was the message here before? RFC 822's Delivered-To, which every hop of ours adds. */
static bool
is_loop(const struct delivery_request *request, const char *address)
{
	struct header_walk walk = { .text = request->content,
	    .length = request->content_length };
	struct header_field field;
	struct text quoted = TEXT_EMPTY;
	bool found = false;

	address_quote(&quoted, address);
	while (!found && header_next(&walk, &field))
		if (header_is(&field, "Delivered-To")) {
			struct text value = TEXT_EMPTY;

			header_unfold(&value, &field);
			text_puts(&value, "");
			found = strcasecmp(text_trim(value.bytes),
			    text_string(&quoted)) == 0;
			text_clear(&value);
		}
	text_clear(&quoted);
	return found;
}

/* The sender of what an alias forwards is owner-alias, if that is an alias too. */
static void
set_owner(struct plan *plan)
{
	const char *owner = pool_printf(plan->pool, "owner-%s", plan->name), *value;

	if (owner != NULL && strncmp(plan->name, "owner-", 6) != 0
	    && maps_find(alias_maps, owner, &value) == TABLE_FOUND)
		plan->owner = pool_printf(plan->pool, "%s@%s", owner, plan->domain);
}

/* Split the address into name, extension and domain; gives the whole local part, folded. */
static char *
split_address(struct plan *plan)
{
	size_t length = address_localpart_length(plan->address);
	char *local = pool_strndup(plan->pool, plan->address, length);
	const char *domain = address_domain(plan->address);

	if (local == NULL)
		return NULL;
	text_lower(local);

	size_t base = address_base_length(local, length, config.recipient_delimiter);

	plan->name = pool_strndup(plan->pool, local, base);
	plan->extension = base < length ? local + base + 1 : "";
	plan->domain = domain != NULL ? domain : config.myorigin;
	return plan->name == NULL ? NULL : local;
}

/* All that the alias means is one user of this machine: no new message is needed. */
static void
follow_to_user(struct plan *plan)
{
	const char *address = plan->forward[0], *domain = address_domain(address);
	char name[ADDRESS_SIZE];
	const struct user *user;

	snprintf(name, sizeof(name), "%.*s", (int)address_localpart_length(address),
	    address);
	text_lower(name);
	if (!is_local_domain(plan, domain) || strchr(name, '/') != NULL
	    || (user = user_find(name)) == NULL)
		return;
	plan->forward_count = 0;
	plan->final = address;
	plan->name = pool_strdup(plan->pool, name);
	plan->extension = "";
	if (plan->name == NULL)
		plan_decide(plan, DELIVERY_DEFERRED, "4.3.0", "out of memory");
	else
		plan_user(plan, user);
}

void
plan_recipient(struct plan *plan, struct delivery_request *request,
    const struct recipient *recipient)
{
	struct list top = { .name = recipient->address };
	const struct user *user;
	const char *local;

	memset(plan, 0, sizeof(*plan));
	STAILQ_INIT(&plan->targets);
	plan->pool = request->pool;
	plan->address = recipient->address;
	plan->seen = map_new();
	local = split_address(plan);
	if (local == NULL) {
		plan_decide(plan, DELIVERY_DEFERRED, "4.3.0", "out of memory");
		return;
	}
	if (is_loop(request, recipient->address)) {
		plan_decide(plan, DELIVERY_BOUNCED, "5.4.6",
		    "mail forwarding loop for %s", recipient->address);
		return;
	}
	map_set(plan->seen, local, plan);
	if (expand_alias(plan, local, &top)) {
		set_owner(plan);
		if (plan->target_count + plan->forward_count == 0)
			plan_decide(plan, DELIVERY_BOUNCED, "5.4.6",
			    "alias %s leads only to itself", plan->name);
		else if (plan->target_count == 0 && plan->forward_count == 1)
			follow_to_user(plan);
		return;
	}
	errno = 0;
	user = strchr(plan->name, '/') != NULL ? NULL : user_find(plan->name);
	if (user != NULL)
		plan_user(plan, user);
	else if (errno != 0)
		plan_decide(plan, DELIVERY_DEFERRED, "4.3.0",
		    "user lookup error: %s", strerror(errno));
	else
		plan_unknown_user(plan, local);
}

void
plan_clear(struct plan *plan)
{
	map_free(&plan->seen, NULL);
}
