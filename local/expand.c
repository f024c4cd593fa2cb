/*
 * expand - lists of members: the values of aliases, :include: files, .forward
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
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "address/address.h"
#include "config/config.h"
#include "table/maps.h"
#include "table/match.h"

#define DEPTH_MAX	50
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

void (*expand_witness)(const char *path);

static struct maps *alias_maps;
static struct match_list *mydestination;

static void expand_list(struct plan *plan, const char *text, const struct list *list);

void
expand_start(void)
{
	alias_maps = maps_open("alias_maps", config.alias_maps);
	mydestination = match_list_open("mydestination", config.mydestination);
}

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
		plan_refuse(plan, "5.7.1", is_command
		    ? "mail to command is restricted"
		    : "mail to file is restricted");
		return;
	}
	plan_add_target(plan, is_command ? TARGET_COMMAND : TARGET_FILE, list->user,
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
	if (text != NULL && expand_witness != NULL)
		expand_witness(path);
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

	if (list.depth > DEPTH_MAX || !plan_is_new(plan, path))
		return;
	if ((text = read_list_file(path, reader, INCLUDE_SIZE, &why)) == NULL) {
		bool is_missing = strcmp(why, "open") == 0 && (errno == ENOENT ||
		    errno == ENOTDIR || errno == EACCES);

		log_warning("%s: cannot %s %s: %m", from->name, why, path);
		if (is_missing)
			plan_refuse(plan, "5.3.5", "mail system configuration error");
		else
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

		answer = maps_find_part(alias_maps, copy, value);
		free(copy);
	}
	return answer;
}

bool
expand_is_local_domain(struct plan *plan, const char *domain)
{
	enum table_answer answer = TABLE_FOUND;

	if (strcasecmp(domain, plan->domain) != 0)
		answer = match_domain(mydestination, domain);
	if (answer == TABLE_ERROR)
		plan_decide(plan, DELIVERY_DEFERRED, "4.3.0",
		    "mydestination lookup problem");
	return answer == TABLE_FOUND;
}

static void
decide_unavailable(struct plan *plan)
{
	plan_decide(plan, DELIVERY_DEFERRED, "4.3.0",
	    "alias database unavailable: %s", maps_table_name(alias_maps));
}

/* The alias's value, or false if name is none. */
static bool
follow_alias(struct plan *plan, const char *name, const struct list *from)
{
	const char *value;
	enum table_answer answer = find_alias(name, &value);

	if (answer == TABLE_NONE)
		return false;
	if (answer == TABLE_ERROR) {
		decide_unavailable(plan);
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

	if (user != NULL && plan_is_new(plan, "\\"))
		plan_add_target(plan, TARGET_MAILBOX, user, "");
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
	if (!expand_is_local_domain(plan, domain)) {
		plan_add_forward(plan, whole);
		return;
	}
	snprintf(name, sizeof(name), "%.*s", (int)address_localpart_length(whole), whole);
	text_lower(name);
	if (strcmp(name, plan->name) == 0)
		add_own_mailbox(plan);
	else if (is_final)
		plan_add_forward(plan, whole);
	else if (map_get(plan->seen, name) == NULL) {
		map_set(plan->seen, name, plan);
		if (list->source == FROM_FORWARD || !follow_alias(plan, name, list))
			plan_add_forward(plan, whole);
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
	    .length = strlen(member + is_final), .is_spaced = true };

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

/* user's own wish: .forward+extension, or .forward. False: there is none. */
bool
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
	return plan->is_decided || !STAILQ_EMPTY(&plan->refusals)
	    || plan->target_count + plan->forward_count > 0;
}

bool
expand_alias(struct plan *plan, const char *name)
{
	struct list top = { .name = name };

	return follow_alias(plan, name, &top);
}

bool
expand_is_alias(struct plan *plan, const char *name)
{
	const char *value;
	enum table_answer answer = maps_find(alias_maps, name, &value);

	if (answer == TABLE_ERROR)
		decide_unavailable(plan);
	return answer == TABLE_FOUND;
}

void
expand_text(struct plan *plan, const char *text, const char *name)
{
	struct list list = { FROM_ALIAS, user_find(config.default_privs), name, 1 };

	if (list.user == NULL)
		plan_decide(plan, DELIVERY_DEFERRED, "4.3.5",
		    "default_privs = %s: no such user", config.default_privs);
	expand_list(plan, text, &list);
}
