#include "named/settings.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "named/remotes.h"
#include "named/statements.h"

#define UDP_ANSWER_MAX	1232	/* octets: what every path carries in one piece */
#define TIMEOUT_MS	30000

/* Statements that stand outside of all braces; those that are served are read each in its turn. */
static const struct {
	const char *name;
	enum fate fate;
} top_statements[] = {
	{ "acl", STATEMENT_SERVED },
	{ "controls", STATEMENT_SERVED },
	{ "key", STATEMENT_SERVED },
	{ "logging", STATEMENT_SERVED },
	{ "masters", STATEMENT_SERVED },
	{ "options", STATEMENT_SERVED },
	{ "parental-agents", STATEMENT_SERVED },
	{ "primaries", STATEMENT_SERVED },
	{ "remote-servers", STATEMENT_SERVED },
	{ "server", STATEMENT_SERVED },
	{ "zone", STATEMENT_SERVED },
	{ "managed-keys", STATEMENT_NO_CONCERN },
	{ "trusted-keys", STATEMENT_NO_CONCERN },
	{ "trust-anchors", STATEMENT_NO_CONCERN },
	{ "dnssec-policy", STATEMENT_NOT_SERVED },
	{ "http", STATEMENT_NOT_SERVED },
	{ "tls", STATEMENT_NOT_SERVED },
	{ "dlz", STATEMENT_REFUSED },
	{ "dyndb", STATEMENT_REFUSED },
	{ "plugin", STATEMENT_REFUSED },
};

static void
apply_top(struct target *to, const struct conf_statement *at)
{
	struct conf *conf = &to->settings->conf;
	const char *name = at->items->text;

	if (conf_is(at, "statistics-channels")) {
		conf_error(conf, at, "'statistics-channels' is not served by "
		    "this server: its numbers are those of 'rndc stats' and "
		    "of its log; remove it");
		return;
	}
	if (conf_is(at, "view")) {
		conf_error(conf, at, "'view' is not served by this server, "
		    "but for a single one that lets everybody in; without it "
		    "answers would be others than you ask for: remove it or "
		    "stay with BIND");
		return;
	}
	for (size_t i = 0; name != NULL && i < COUNT_OF(top_statements); i++) {
		if (strcasecmp(name, top_statements[i].name) == 0) {
			statement_tell_fate(conf, at, top_statements[i].fate);
			return;
		}
	}
	conf_error(conf, at, "unknown option '%s'", name != NULL ? name : "{");
}

static const struct conf_statement *
find_options(struct settings *settings)
{
	const struct conf_statement *first = NULL;

	for (const struct conf_statement *at = settings->conf.statements;
	    at != NULL; at = at->next) {
		if (!conf_is(at, "options"))
			continue;
		if (first != NULL)
			conf_error(&settings->conf, at,
			    "'options' redefined near 'options'");
		else
			first = at;
	}
	return first;
}

/* The port is needed by other statements: the command line's, the file's, or 53. */
static uint16_t
choose_port(struct target *to, const struct conf_statement *list, uint16_t port)
{
	for (; list != NULL; list = list->next) {
		unsigned errors = to->settings->conf.errors;
		int own;

		if (!conf_is(list, "port"))
			continue;
		own = value_port(to, list, list->items->next);
		to->settings->conf.errors = errors;	/* told when it is its turn */
		if (own > 0 && port == 0)
			port = own;
	}
	return port != 0 ? port : DEFAULT_PORT;
}

static void
set_zone_defaults(struct settings *settings)
{
	struct zone_options *options = &settings->options;

	options->rules = (struct zone_rules) {
		.check_names = VERDICT_FAIL,
		.check_dup_records = VERDICT_WARN,
		.check_mx = VERDICT_WARN,
		.check_ns = VERDICT_WARN,
		.check_mx_cname = VERDICT_WARN,
		.check_srv_cname = VERDICT_WARN,
		.check_spf = VERDICT_WARN,
		.check_integrity = true,
		.check_sibling = true,
		.check_wildcard = true,
		.records_per_type = 100,
		.types_per_name = 100,
	};
	settings->check_names[ZONE_PRIMARY] = VERDICT_FAIL;
	settings->check_names[ZONE_SECONDARY] = VERDICT_WARN;
	options->allow_notify = acls_add_simple(&settings->acls, false);
	options->notify = NOTIFY_YES;
	options->notify_delay = 5;
	options->request_ixfr = true;
	options->request_expire = true;
	options->try_tcp_refresh = true;
	options->max_ixfr_ratio = 100;
	options->max_journal_size = UINT64_MAX;
	options->min_refresh_time = 300;
	options->max_refresh_time = 2419200;	/* four weeks */
	options->min_retry_time = 500;
	options->max_retry_time = 1209600;	/* two weeks */
	options->max_transfer_time_in = options->max_transfer_time_out = 120;
	options->max_transfer_idle_in = options->max_transfer_idle_out = 60;
}

static void
set_defaults(struct settings *settings)
{
	static char host[256];
	struct image_header *image = &settings->image;

	if (gethostname(host, sizeof(host) - 1) == -1)
		host[0] = '\0';
	settings->version = SETTINGS_VERSION;
	settings->hostname = host;
	settings->pid_file = DEFAULT_PID_FILE;
	settings->transfers_in = 10;
	settings->transfers_out = 10;
	settings->transfers_per_ns = 2;
	settings->transfer_message_size = 20480;
	settings->provide_ixfr = true;
	settings->serial_query_rate = 20;
	settings->notify_rate = settings->startup_notify_rate = 20;
	settings->tcp_listen_queue = 10;
	image->minimal_responses = MINIMAL_NO_AUTH_RECURSIVE;
	image->answer_cookie = true;
	image->udp_max = UDP_ANSWER_MAX;
	image->nocookie_udp_max = 4096;
	image->edns_size = UDP_ANSWER_MAX;
	image->tcp_clients = 150;
	image->tcp_idle_ms = image->tcp_initial_ms = TIMEOUT_MS;
	image->tcp_keepalive_ms = image->tcp_advertised_ms = TIMEOUT_MS;
	set_zone_defaults(settings);
}

/* Where the file says nothing: on all addresses, as BIND does. */
static void
listen_by_default(struct settings *settings)
{
	for (int six = 0; six < 2; six++) {
		if (settings->listens_on[six])
			continue;
		settings->listens = mem_resize(settings->listens,
		    settings->listen_count + 1, sizeof(*settings->listens));
		settings->listens[settings->listen_count++] =
		    (struct listen_on) { six ? AF_INET6 : AF_INET,
		    settings->port, 0 };
	}
}

/* Keys come first, and lists: others refer to them. */
static void
read_all(struct settings *settings, uint16_t port)
{
	struct target to = { .settings = settings,
	    .options = &settings->options };
	const struct conf_statement *options, *list;

	view_unfold(&to);
	options = find_options(settings);
	list = options != NULL ?
	    value_block(&to, options, options->items->next) : NULL;
	to.port = settings->port = choose_port(&to, list, port);
	keys_read(&settings->keys, &settings->conf);
	acls_check_named(&settings->acls);
	remotes_check_named(&to);
	logging_read(&to);
	servers_read(&to);
	statements_apply(&to, list, &statements_of_zones, OPTIONS);
	controls_read(&to);
	for (const struct conf_statement *at = settings->conf.statements;
	    at != NULL; at = at->next) {
		if (conf_is(at, "zone"))
			zone_statement_read(&to, at);
		else
			apply_top(&to, at);
	}
	listen_by_default(settings);
}

int
settings_apply(struct settings *settings, struct conf *conf, uint16_t port)
{
	memset(settings, 0, sizeof(*settings));
	settings->conf = *conf;
	memset(conf, 0, sizeof(*conf));
	acls_init(&settings->acls, &settings->conf, &settings->keys);
	set_defaults(settings);
	read_all(settings, port);
	return settings->conf.errors == 0 ? 0 : -1;
}

int
settings_read(struct settings *settings, const char *path, uint16_t port)
{
	struct conf conf;

	if (conf_read(&conf, path) == 0)
		return settings_apply(settings, &conf, port);
	memset(settings, 0, sizeof(*settings));
	conf_clear(&conf);
	return -1;
}

void
settings_clear(struct settings *settings)
{
	for (size_t i = 0; i < settings->control_count; i++)
		free(settings->controls[i].keys);
	free(settings->controls);
	free(settings->servers);
	free(settings->listens);
	free(settings->zones);
	acls_clear(&settings->acls);
	keys_clear(&settings->keys);
	conf_clear(&settings->conf);
	memset(settings, 0, sizeof(*settings));
}
