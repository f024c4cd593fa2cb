#include "named-lite/loader/planning.h"

#include <sys/mman.h>

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/base.h"
#include "config/config.h"
#include "named/remotes.h"

/* Rows go one table after the other, each at a multiple of eight; then texts. */
static uint32_t
add_rows(struct planning *p, const void *rows, size_t count, size_t size)
{
	static const char zeros[8];
	uint32_t at;

	if (p->bytes.length % 8 != 0)
		text_append(&p->bytes, zeros, 8 - p->bytes.length % 8);
	at = p->bytes.length;
	if (count > 0)
		text_append(&p->bytes, rows, count * size);
	return at;
}

struct plan_header *
planning_header(struct planning *p)
{
	return (struct plan_header *)(void *)p->bytes.bytes;
}

struct plan_zone *
planning_zone(struct planning *p, size_t number)
{
	return (struct plan_zone *)(void *)(p->bytes.bytes +
	    planning_header(p)->zones) + number;
}

plan_text
planning_text(struct planning *p, const char *text)
{
	uint32_t at = p->bytes.length;

	if (text == NULL)
		return 0;
	text_append(&p->bytes, text, strlen(text) + 1);
	return at;
}

plan_text
planning_bytes(struct planning *p, plan_text old, const char *bytes,
    size_t length)
{
	uint32_t at = p->bytes.length;

	if (length == 0)
		return 0;
	if (old != 0 && old + length <= p->bytes.length &&
	    memcmp(p->bytes.bytes + old, bytes, length) == 0)
		return old;
	text_append(&p->bytes, bytes, length);
	return at;
}

const char *
planning_string(struct planning *p, plan_text text)
{
	return text == 0 ? NULL : p->bytes.bytes + text;
}

/* Other servers */

struct remote_table {
	struct plan_remote *rows;
	size_t	 count;
};

static union control_socket
four_or_six(const struct sockaddr_in *four, const struct sockaddr_in6 *six,
    int family)
{
	union control_socket socket;

	memset(&socket, 0, sizeof(socket));
	if (family == AF_INET)
		socket.four = *four;
	else
		socket.six = *six;
	return socket;
}

static struct plan_list
add_remotes(struct remote_table *table, const struct settings *settings,
    const struct remotes *remotes, const struct zone_options *zone)
{
	struct plan_list list = { table->count, remotes->count };

	table->rows = mem_resize(table->rows, table->count + remotes->count + 1,
	    sizeof(*table->rows));
	for (size_t i = 0; i < remotes->count; i++) {
		const struct remote *from = &remotes->list[i];
		const struct sockaddr *any = (const struct sockaddr *)
		    &from->address;
		const struct server_settings *server = servers_find(settings,
		    any);
		struct plan_remote *to = &table->rows[table->count++];

		memset(to, 0, sizeof(*to));
		memcpy(&to->address, &from->address, sizeof(to->address));
		to->source = four_or_six(&zone->transfer_source,
		    &zone->transfer_source_v6, any->sa_family);
		to->key = from->key;
		if (to->key == REMOTE_KEY_MISSING) {
			to->key = 0;
			to->bogus = true;
			continue;
		}
		to->request_ixfr = zone->request_ixfr;
		to->request_expire = zone->request_expire;
		if (server == NULL)
			continue;
		if (to->key == 0)
			to->key = server->key;
		if (server->request_ixfr != UNSET)
			to->request_ixfr = server->request_ixfr;
		if (server->request_expire != UNSET)
			to->request_expire = server->request_expire;
		to->bogus = server->bogus != UNSET && server->bogus;
	}
	return list;
}

static void
add_peers(struct planning *p, const struct settings *settings)
{
	struct plan_peer *rows = mem_zalloc(settings->server_count + 1,
	    sizeof(*rows));

	for (size_t i = 0; i < settings->server_count; i++) {
		const struct server_settings *from = &settings->servers[i];

		rows[i] = (struct plan_peer) { from->prefix,
		    from->transfer_format, from->provide_ixfr };
	}
	planning_header(p)->peer_count = settings->server_count;
	uint32_t at = add_rows(p, rows, settings->server_count, sizeof(*rows));

	planning_header(p)->peers = at;
	free(rows);
}

/* Zones */

static void
fill_zone(struct plan_zone *to, const struct zone_settings *from)
{
	const struct zone_options *options = &from->options;

	to->apex = from->apex;
	to->type = from->type;
	to->rules = options->rules;
	to->allow_query = options->allow_query;
	to->allow_query_on = options->allow_query_on;
	to->allow_transfer = options->allow_transfer;
	to->allow_notify = options->allow_notify;
	to->notify = options->notify;
	to->notify_delay = options->notify_delay;
	to->notify_to_soa = options->notify_to_soa;
	to->notify_source[0] = four_or_six(&options->notify_source,
	    &options->notify_source_v6, AF_INET);
	to->notify_source[1] = four_or_six(&options->notify_source,
	    &options->notify_source_v6, AF_INET6);
	to->multi_master = options->multi_master;
	to->try_tcp_refresh = options->try_tcp_refresh;
	to->max_ixfr_ratio = options->max_ixfr_ratio;
	to->ixfr_from_differences = options->ixfr_from_differences;
	to->max_journal_size = options->max_journal_size;
	to->refresh_bounds[0] = options->min_refresh_time;
	to->refresh_bounds[1] = options->max_refresh_time;
	to->retry_bounds[0] = options->min_retry_time;
	to->retry_bounds[1] = options->max_retry_time;
	to->max_time_in = options->max_transfer_time_in * 60;
	to->max_idle_in = options->max_transfer_idle_in * 60;
	to->max_time_out = options->max_transfer_time_out * 60;
	to->max_idle_out = options->max_transfer_idle_out * 60;
}

static void
add_zones(struct planning *p, const struct settings *settings)
{
	struct plan_zone *rows = mem_zalloc(settings->zone_count + 1,
	    sizeof(*rows));
	struct remote_table table = { NULL, 0 };
	char text[DNS_NAME_TEXT];
	uint32_t at;

	for (size_t i = 0; i < settings->zone_count; i++) {
		const struct zone_settings *from = &settings->zones[i];

		fill_zone(&rows[i], from);
		rows[i].primaries = add_remotes(&table, settings,
		    &from->options.primaries, &from->options);
		rows[i].also_notify = add_remotes(&table, settings,
		    &from->options.also_notify, &from->options);
	}
	at = add_rows(p, rows, settings->zone_count, sizeof(*rows));
	planning_header(p)->zones = at;
	planning_header(p)->zone_count = settings->zone_count;
	at = add_rows(p, table.rows, table.count, sizeof(*table.rows));
	planning_header(p)->remotes = at;
	planning_header(p)->remote_count = table.count;
	for (size_t i = 0; i < settings->zone_count; i++) {
		const struct zone_settings *from = &settings->zones[i];
		plan_text name = planning_text(p,
		    dns_name_show(from->apex.bytes, text));
		plan_text file = planning_text(p, from->file);
		plan_text type = planning_text(p, from->type_name);

		planning_zone(p, i)->name = name;
		planning_zone(p, i)->file = file;
		planning_zone(p, i)->type_name = type;
	}
	free(rows);
	free(table.rows);
}

/* Keys, and the channels where rndc needs one */

/* Where rndc looks by itself; if nothing is there that we may read, beside named.conf. */
static char *
find_key_file(const char *config)
{
	const char *slash = strrchr(config, '/');
	int length = slash != NULL ? (int)(slash - config + 1) : 0;
	char *path = mem_printf("%s/rndc.key", named_directory);
	char *beside = mem_printf("%.*srndc.key", length, config);

	if (access(path, R_OK) == 0 || access(beside, R_OK) == -1) {
		free(beside);
		return path;
	}
	free(path);
	return beside;
}

/* The one key of a key file. False: there is none, which is told. */
static bool
read_key_file(struct dns_key *key, const char *config)
{
	char *path = find_key_file(config);
	struct conf conf = { .pool = NULL };
	struct keys keys = { NULL, 0 };
	bool found = false;

	log_info("configuring command channel from '%s'", path);
	if (access(path, F_OK) == -1)
		log_warning("couldn't install keys for the command channel: "
		    "%s: file not found; rndc-confgen -a makes one", path);
	else if (conf_read(&conf, path) == 0) {
		keys_read(&keys, &conf);
		found = keys.count == 1 && conf.errors == 0;
		if (found)
			*key = keys.list[0].key;
		else
			log_warning("couldn't install keys for the command "
			    "channel: %s: it does not have one good key", path);
	} else
		log_warning("couldn't install keys for the command channel "
		    "from %s, see above", path);
	keys_clear(&keys);
	conf_clear(&conf);
	free(path);
	return found;
}

static void
fill_channel(struct plan_channel *to, const struct control_channel *from,
    uint32_t automatic_key)
{
	memset(to, 0, sizeof(*to));
	memcpy(&to->address, &from->address, sizeof(to->address));
	to->acl = from->acl;
	to->read_only = from->read_only;
	for (size_t i = 0; i < from->key_count && i < PLAN_CHANNEL_KEYS; i++)
		to->keys[to->key_count++] = from->keys[i];
	if (to->key_count == 0 && automatic_key != 0)
		to->keys[to->key_count++] = automatic_key;
}

/* Without a controls statement rndc is heard on the loopback addresses. */
static size_t
default_channels(struct plan_channel *rows, uint32_t key)
{
	if (key == 0)
		return 0;
	memset(rows, 0, 2 * sizeof(*rows));
	for (int i = 0; i < 2; i++) {
		rows[i].keys[0] = key;
		rows[i].key_count = 1;
	}
	rows[0].address.four = (struct sockaddr_in) { .sin_family = AF_INET,
	    .sin_port = htons(CONTROL_PORT),
	    .sin_addr = { htonl(INADDR_LOOPBACK) } };
	rows[1].address.six = (struct sockaddr_in6) {
	    .sin6_family = AF_INET6, .sin6_port = htons(CONTROL_PORT),
	    .sin6_addr = IN6ADDR_LOOPBACK_INIT };
	return 2;
}

static void
add_keys_and_channels(struct planning *p, const struct settings *settings,
    const char *config)
{
	struct plan_channel rows[CONTROL_CHANNELS_MAX];
	struct dns_key *keys = mem_zalloc(settings->keys.count + 1,
	    sizeof(*keys));
	uint32_t count = settings->keys.count, own = 0, at;
	size_t channels = 0;
	bool needs_key = !settings->has_controls;

	for (size_t i = 0; i < settings->keys.count; i++)
		keys[i] = settings->keys.list[i].key;
	for (size_t i = 0; i < settings->control_count; i++)
		needs_key = needs_key || settings->controls[i].key_count == 0;
	if (needs_key && read_key_file(&keys[count], config))
		own = count + 1;
	for (size_t i = 0; i < settings->control_count &&
	    i < CONTROL_CHANNELS_MAX; i++)
		fill_channel(&rows[channels++], &settings->controls[i], own);
	if (!settings->has_controls)
		channels = default_channels(rows, own);
	at = add_rows(p, keys, count + (own != 0), sizeof(*keys));
	planning_header(p)->keys = at;
	planning_header(p)->key_count = count + (own != 0);
	planning_header(p)->tsig_key_count = count;
	at = add_rows(p, rows, channels, sizeof(rows[0]));
	planning_header(p)->channels = at;
	planning_header(p)->channel_count = channels;
	freezero(keys, (settings->keys.count + 1) * sizeof(*keys));
}

/* Log files and categories */

static void
add_logs(struct planning *p, const struct logging *logging)
{
	struct plan_log *rows = mem_zalloc(logging->channel_count,
	    sizeof(*rows));
	uint32_t at;

	for (size_t i = 0; i < logging->channel_count; i++) {
		rows[i].file = planning_text(p, logging->channels[i].file);
		rows[i].form = logging->channels[i].form;
	}
	at = add_rows(p, rows, logging->channel_count, sizeof(*rows));
	planning_header(p)->logs = at;
	planning_header(p)->log_count = logging->channel_count;
	planning_header(p)->has_logging = logging->is_given;
	planning_header(p)->log_asked = logging->asked;
	memcpy(planning_header(p)->log_categories, logging->categories,
	    sizeof(logging->categories));
	free(rows);
}

static plan_text
absolute(struct planning *p, const char *path)
{
	char *real = realpath(path, NULL);
	plan_text text = planning_text(p, real != NULL ? real : path);

	free(real);
	return text;
}

void
planning_begin(struct planning *p, const struct settings *settings,
    const char *config)
{
	struct plan_header header = {
		.magic = PLAN_MAGIC,
		.configured_us = clock_wall_us(),
		.querylog = settings->querylog,
		.transfers_in = settings->transfers_in,
		.transfers_out = settings->transfers_out,
		.transfers_per_ns = settings->transfers_per_ns,
		.transfer_format = settings->transfer_format,
		.transfer_message_size = settings->transfer_message_size,
		.provide_ixfr = settings->provide_ixfr,
		.serial_query_rate = settings->serial_query_rate,
		.notify_rate = settings->notify_rate,
		.startup_notify_rate = settings->startup_notify_rate,
	};

	memset(p, 0, sizeof(*p));
	text_append(&p->bytes, &header, sizeof(header));
	add_peers(p, settings);
	add_keys_and_channels(p, settings, config);
	add_logs(p, &settings->logging);
	add_zones(p, settings);
	header.config = absolute(p, config);
	header.directory = absolute(p, settings->directory != NULL ?
	    settings->directory : ".");
	header.view = planning_text(p, settings->view);
	header.version = planning_text(p, settings->version);
	header.hostname = planning_text(p, settings->hostname);
	header.server_id = planning_text(p, settings->server_id);
	planning_header(p)->config = header.config;
	planning_header(p)->directory = header.directory;
	planning_header(p)->view = header.view;
	planning_header(p)->version = header.version;
	planning_header(p)->hostname = header.hostname;
	planning_header(p)->server_id = header.server_id;
}

void
planning_copy(struct planning *p, const struct plan *plan)
{
	memset(p, 0, sizeof(*p));
	text_append(&p->bytes, plan->header, plan->size);
}

int
planning_finish(struct planning *p)
{
	int fd = memfd_create("plan", MFD_CLOEXEC | MFD_ALLOW_SEALING);

	if (fd == -1)
		return -1;
	planning_header(p)->size = p->bytes.length;
	if (fd_write_all(fd, p->bytes.bytes, p->bytes.length) == -1 ||
	    fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW |
	    F_SEAL_WRITE | F_SEAL_SEAL) == -1)
		fd_close(&fd);
	explicit_bzero(p->bytes.bytes, p->bytes.length);
	text_clear(&p->bytes);
	return fd;
}
