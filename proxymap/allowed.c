/* Which tables may be read, and which sockets opened. */

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "base/base.h"
#include "config/config.h"
#include "config/expand.h"
#include "config/master_cf.h"
#include "config/values.h"
#include "proxymap/proxymap.h"
#include "table/table.h"

#define PREFIX	"proxy:"
#define UNIX	"unix:"

static struct map *allowed;	/* names without proxy: */

static void allow_words(const char *words);

/* "unionmap:{a:x, b:y}" allows its parts, too. */
static void
allow_parts(const char *name)
{
	const char *open = strchr(name, ':') + 1;
	size_t length = strlen(open);

	if ((text_starts_with(name, "unionmap:") ||
	    text_starts_with(name, "pipemap:")) && length > 2) {
		char *parts = mem_strndup(open + 1, length - 2);

		allow_words(parts);
		free(parts);
	}
}

/*
 * Every type:name in the list, with proxy: or without: a daemon in a chroot
 * asks for any table that it cannot open, whatever it is called in main.cf.
 */
static void
allow_words(const char *words)
{
	char *copy = mem_strdup(words), *cursor = copy, *word;
	const char *wrong = NULL;

	while ((word = config_word(&cursor, &wrong)) != NULL) {
		word += strspn(word, "!");	/* of a list of hosts */
		if (text_starts_with(word, PREFIX))
			word += strlen(PREFIX);
		if (*word == '{') {	/* a policy service with its settings */
			word[strlen(word) - 1] = '\0';
			allow_words(word + 1);
			continue;
		}
		if (strchr(word, ':') == NULL)
			continue;
		map_set(allowed, word, allowed);
		allow_parts(word);
	}
	if (wrong != NULL)
		log_warning("proxy_read_maps: %s", wrong);
	free(copy);
}

static const char *
value_of(const char *name, void *context)
{
	return config_get(name);
}

/* What -o in master.cf says is as good as main.cf: it is the same administrator's. */
static void
allow_override(const char *override)
{
	const struct expansion expansion = { .value = value_of };
	const char *equals = strchr(override, '=');
	struct text words = TEXT_EMPTY, why = TEXT_EMPTY;

	if (equals != NULL &&
	    expand(&expansion, equals + 1, &words, &why) == 0)
		allow_words(text_string(&words));
	text_clear(&words);
	text_clear(&why);
}

static void
allow_overrides(void)
{
	struct master_cf services;

	if (master_cf_load(config.config_directory, &services) == -1)
		return;
	for (size_t i = 0; i < services.count; i++) {
		const struct master_entry *entry = &services.entries[i];

		for (size_t j = 0; j + 1 < entry->argument_count; j++)
			if (strcmp(entry->arguments[j], "-o") == 0)
				allow_override(entry->arguments[j + 1]);
	}
	master_cf_clear(&services);
}

/* Tables that are not in proxy_read_maps by default, and are asked for by those who could read them in Postfix. */
void
proxymap_allow(void)
{
	const char *const lists[] = {
		config.address_verify_transport_maps,
		config.debug_peer_list,
		config.local_header_rewrite_clients,
		config.permit_mx_backup_networks,
		config.postscreen_access_list,
		config.postscreen_command_filter,
		config.postscreen_discard_ehlo_keyword_address_maps,
		config.postscreen_forbidden_commands,
		config.postscreen_reject_footer_maps,
		config.smtp_connection_cache_destinations,
		config.smtp_reply_filter,
		config.smtpd_authorized_xclient_hosts,
		config.smtpd_authorized_xforward_hosts,
		config.smtpd_client_event_limit_exceptions,
		config.smtpd_data_restrictions,
		config.smtpd_end_of_data_restrictions,
		config.smtpd_etrn_restrictions,
		config.smtpd_forbid_bare_newline_exclusions,
		config.smtpd_forbidden_commands,
		config.smtpd_log_access_permit_actions,
		config.smtpd_reject_filter_maps,
	};
	char *classes = mem_strdup(config.smtpd_restriction_classes);
	char *cursor = classes, *class;
	const char *words;

	allowed = map_new();
	allow_words(config.proxy_read_maps);
	allow_overrides();
	for (size_t i = 0; i < COUNT_OF(lists); i++)
		allow_words(lists[i]);
	while ((class = word_next(&cursor, LIST_SEPARATORS)) != NULL)
		if ((words = config_get(class)) != NULL)
			allow_words(words);
	free(classes);
}

struct table *
proxymap_find(const char *name, int flags)
{
	static struct map *open;
	char *key;
	struct table *table;

	if (text_starts_with(name, PREFIX))
		name += strlen(PREFIX);
	if (map_get(allowed, name) == NULL)
		return NULL;
	if (open == NULL)
		open = map_new();
	flags &= TABLE_KEEP_CASE | TABLE_NO_SUBSTITUTION;
	key = mem_printf("%d %s", flags, name);
	if ((table = map_get(open, key)) == NULL) {
		table = table_open(name,
		    TABLE_HERE | flags);
		map_set(open, key, table);
	}
	free(key);
	return table;
}

void
proxymap_reach(const struct ipc_reach *question, struct ipc_reached *answer)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	const char *path = question->endpoint + strlen(UNIX);
	int fd;

	*answer = (struct ipc_reached){ .error = EACCES, .connection = -1 };
	if (!text_starts_with(question->endpoint, UNIX) ||
	    map_get(allowed, question->endpoint) == NULL) {
		log_warning("%s is in no list of checks of main.cf: not "
		    "opened", question->endpoint);
		return;
	}
	strlcpy(address.sun_path, path, sizeof(address.sun_path));
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd == -1 || connect(fd, (struct sockaddr *)&address,
	    sizeof(address)) == -1) {
		answer->error = errno;
		fd_close(&fd);
		return;
	}
	answer->error = 0;
	answer->connection = fd;
}
