/* What rndc can say. Texts are BIND's, which scripts look for. */

#include <sys/utsname.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/base.h"
#include "named-lite/envoy/notify.h"
#include "named-lite/envoy/office.h"
#include "named-lite/envoy/secondary.h"

/* A command with the words behind it. */
struct command_line {
	struct session *session;
	char	*rest;
};

static char *
next_word(struct command_line *line)
{
	return word_next(&line->rest, " \t\r\n");
}

static const char *
print_time(int64_t seconds, char text[64])
{
	time_t when = seconds;
	struct tm tm;

	gmtime_r(&when, &tm);
	strftime(text, 64, "%a, %d %b %Y %H:%M:%S GMT", &tm);
	return text;
}

/* The zone that a command names: ZONE [CLASS [VIEW]]. NULL: answered already. */
static const struct plan_zone *
find_zone(struct command_line *line)
{
	const char *name = next_word(line), *class = next_word(line);
	const char *view = next_word(line), *why;
	const struct plan_zone *zone = NULL;
	struct text text = TEXT_EMPTY;
	struct dns_name apex;

	if (name == NULL) {
		session_reply(line->session, "unexpected end of input", NULL);
		return NULL;
	}
	if (view != NULL && strcmp(view, "_default") != 0) {
		text_printf(&text, "no matching view '%s'", view);
		session_reply(line->session, "not found", text_string(&text));
		text_clear(&text);
		return NULL;
	}
	if (dns_name_parse(&apex, name, strlen(name), NULL, &why) == 0 &&
	    (class == NULL || strcasecmp(class, "IN") == 0))
		zone = plan_find(&office.plan, apex.bytes);
	if (zone == NULL) {
		text_printf(&text, "no matching zone '%s' in %s", name,
		    view == NULL ? "any view" : "view '_default'");
		session_reply(line->session, "not found", text_string(&text));
		text_clear(&text);
	}
	return zone;
}

/* Loading */

static void
on_reloaded(void *argument, bool went_well)
{
	session_reply(argument, went_well ? NULL : "failure",
	    went_well ? "server reload successful" : NULL);
}

static void
on_reconfigured(void *argument, bool went_well)
{
	session_reply(argument, went_well ? NULL : "failure", NULL);
}

static void
on_zone_reloaded(void *argument, bool went_well)
{
	session_reply(argument, NULL, "zone reload queued");
}

static void
reload(struct command_line *line)
{
	const struct plan_zone *zone;
	struct control_change change = { .action = CONTROL_READ };

	if (line->rest == NULL || line->rest[strspn(line->rest, " ")] == '\0') {
		errand_run(CONTROL_RELOAD, NULL, NULL, on_reloaded,
		    line->session);
		return;
	}
	zone = find_zone(line);
	if (zone == NULL)
		return;
	if (zone->type == ZONE_SECONDARY) {
		secondary_refresh(zone, false);
		session_reply(line->session, NULL, "zone refresh queued");
		return;
	}
	change.apex = zone->apex;
	errand_run(CONTROL_CHANGE, &change, NULL, on_zone_reloaded,
	    line->session);
}

static void
reconfigure(struct command_line *line)
{
	errand_run(CONTROL_RECONFIG, NULL, NULL, on_reconfigured,
	    line->session);
}

/* Other servers */

static void
refresh(struct command_line *line)
{
	const struct plan_zone *zone = find_zone(line);

	if (zone == NULL)
		return;
	if (zone->type != ZONE_SECONDARY) {
		session_reply(line->session, "failure",
		    "not a secondary, mirror, or stub zone");
		return;
	}
	secondary_refresh(zone, false);
	session_reply(line->session, NULL, "zone refresh queued");
}

static void
retransfer(struct command_line *line)
{
	const struct plan_zone *zone = find_zone(line);

	if (zone == NULL)
		return;
	if (zone->type != ZONE_SECONDARY) {
		session_reply(line->session, "failure",
		    "retransfer: inappropriate zone type: primary");
		return;
	}
	secondary_refresh(zone, true);
	session_reply(line->session, NULL, NULL);
}

static void
notify(struct command_line *line)
{
	const struct plan_zone *zone = find_zone(line);

	if (zone == NULL)
		return;
	notify_zone(zone);
	session_reply(line->session, NULL, "zone notify queued");
}

/* Telling */

static void
status(struct command_line *line)
{
	const struct plan_header *plan = office.plan.header;
	struct text text = TEXT_EMPTY;
	struct utsname name = { .sysname = "?" };
	long cores = sysconf(_SC_NPROCESSORS_ONLN);
	char when[64];

	uname(&name);
	text_printf(&text, "version: named-lite (postroad %s)\n"
	    "running on %s: %s %s %s %s\n", PACKAGE_VERSION, name.nodename,
	    name.sysname, name.machine, name.release, name.version);
	text_printf(&text, "boot time: %s\n",
	    print_time(office.started_at, when));
	text_printf(&text, "last configured: %s\n",
	    print_time(plan->configured_us / 1000000, when));
	text_printf(&text, "configuration file: %s\n"
	    "CPUs found: %ld\nworker threads: %ld\n"
	    "UDP listeners per interface: %ld\n"
	    "number of zones: %u (0 automatic)\ndebug level: %d\n"
	    "xfers running: %u\nxfers deferred: %u\n"
	    "soa queries in progress: %u\nquery logging is %s\n"
	    "recursive clients: 0/0/0\ntcp clients: 0/%u\n"
	    "TCP high-water: 0\nserver is up and running",
	    plan_string(&office.plan, plan->config), cores, cores, cores,
	    plan->zone_count, log_verbose, secondary_count(SECONDARY_FETCHING),
	    secondary_count(SECONDARY_WAITING),
	    secondary_count(SECONDARY_ASKING),
	    office.logs_questions ? "ON" : "OFF",
	    office.image.header->tcp_clients);
	session_reply(line->session, NULL, text_string(&text));
	text_clear(&text);
}

static void
print_secondary(const struct plan_zone *zone, struct text *text)
{
	int64_t refresh_at, expires_at;
	char when[64];

	if (zone->type != ZONE_SECONDARY ||
	    !secondary_times(zone, &refresh_at, &expires_at))
		return;
	text_printf(text, "next refresh: %s\n", print_time(refresh_at, when));
	text_printf(text, "expires: %s\n", print_time(expires_at, when));
}

static void
zone_status(struct command_line *line)
{
	const struct plan_zone *zone = find_zone(line);
	const char *file, *why;
	struct text text = TEXT_EMPTY;
	char when[64];

	if (zone == NULL)
		return;
	why = plan_string(&office.plan, zone->why);
	if (!zone->is_loaded) {
		session_reply(line->session, zone->has_expired ?
		    "zone has expired" : "zone not loaded", why);
		return;
	}
	text_printf(&text, "name: %s\ntype: %s\n",
	    plan_string(&office.plan, zone->name),
	    plan_string(&office.plan, zone->type_name));
	file = plan_string(&office.plan, zone->file);
	if (file != NULL)
		text_printf(&text, "files: %s\n", file);
	text_printf(&text, "serial: %u\nnodes: %u\nlast loaded: %s\n",
	    zone->serial, zone->nodes, print_time(zone->loaded_at, when));
	if (why != NULL)
		text_printf(&text, "last reload failed: %s\n", why);
	print_secondary(zone, &text);
	text_printf(&text, "secure: %s\ndynamic: no\n"
	    "reconfigurable via modzone: no", zone->is_secure ? "yes" : "no");
	session_reply(line->session, NULL, text_string(&text));
	text_clear(&text);
}

static void
list_keys(struct command_line *line)
{
	struct text text = TEXT_EMPTY;
	char name[DNS_NAME_TEXT];

	for (uint32_t i = 0; i < office.plan.header->tsig_key_count; i++)
		text_printf(&text, "%sview \"_default\"; type \"static\"; "
		    "key \"%s\";", i > 0 ? "\n" : "",
		    dns_name_show(office.plan.keys[i].name.bytes, name));
	session_reply(line->session, NULL, text_string(&text));
	text_clear(&text);
}

/* The server itself */

static void
query_log(struct command_line *line)
{
	const char *word = next_word(line);

	if (word == NULL)
		office.logs_questions = !office.logs_questions;
	else if (strcasecmp(word, "on") == 0 || strcasecmp(word, "yes") == 0 ||
	    strcasecmp(word, "enable") == 0 || strcasecmp(word, "true") == 0)
		office.logs_questions = true;
	else if (strcasecmp(word, "off") == 0 || strcasecmp(word, "no") == 0 ||
	    strcasecmp(word, "disable") == 0 || strcasecmp(word, "false") == 0)
		office.logs_questions = false;
	else {
		session_reply(line->session, "syntax error", NULL);
		return;
	}
	log_info("query logging is now %s",
	    office.logs_questions ? "on" : "off");
	errand_order(CONTROL_SET_QUERYLOG, office.logs_questions);
	session_reply(line->session, NULL, NULL);
}

static void
stop(struct command_line *line)
{
	const char *word = next_word(line);
	char text[32] = "";

	if (word != NULL && strcmp(word, "-p") == 0)
		snprintf(text, sizeof(text), "pid: %d", (int)getppid());
	session_reply(line->session, NULL, text);
	errand_order(CONTROL_STOP, 0);
}

/* A zone of ours is never dynamic. All of them together cannot be refused. */
static void
freeze(struct command_line *line)
{
	if (line->rest == NULL || line->rest[strspn(line->rest, " ")] == '\0')
		session_reply(line->session, NULL, NULL);
	else if (find_zone(line) != NULL)
		session_reply(line->session, "not dynamic", NULL);
}

/* Nothing is to be done: no changes wait, nothing is remembered. */
static void
do_nothing(struct command_line *line)
{
	session_reply(line->session, NULL, NULL);
}

static void
thaw_or_sync(struct command_line *line)
{
	if (line->rest == NULL || line->rest[strspn(line->rest, " ")] == '\0' ||
	    *line->rest == '-' || find_zone(line) != NULL)
		session_reply(line->session, NULL, NULL);
}

static void
not_implemented(struct command_line *line)
{
	session_reply(line->session, "not implemented", NULL);
}

static const struct {
	const char *name;
	void	(*run)(struct command_line *line);
	bool	 is_harmless;	/* allowed where a channel is for reading only */
} commands[] = {
	{ "addzone", not_implemented, false },
	{ "delzone", not_implemented, false },
	{ "dnssec", not_implemented, false },
	{ "dnstap", not_implemented, false },
	{ "dumpdb", not_implemented, false },
	{ "flush", do_nothing, false },
	{ "flushname", do_nothing, false },
	{ "flushtree", do_nothing, false },
	{ "freeze", freeze, false },
	{ "halt", stop, false },
	{ "loadkeys", not_implemented, false },
	{ "managed-keys", not_implemented, false },
	{ "modzone", not_implemented, false },
	{ "notify", notify, false },
	{ "notrace", not_implemented, false },
	{ "nta", not_implemented, false },
	{ "null", do_nothing, true },
	{ "querylog", query_log, false },
	{ "reconfig", reconfigure, false },
	{ "recursing", not_implemented, false },
	{ "refresh", refresh, false },
	{ "reload", reload, false },
	{ "restart", not_implemented, false },
	{ "retransfer", retransfer, false },
	{ "scan", not_implemented, false },
	{ "secroots", not_implemented, false },
	{ "serve-stale", not_implemented, false },
	{ "showzone", not_implemented, true },
	{ "sign", not_implemented, false },
	{ "signing", not_implemented, false },
	{ "stats", not_implemented, false },
	{ "status", status, true },
	{ "stop", stop, false },
	{ "sync", thaw_or_sync, false },
	{ "thaw", thaw_or_sync, false },
	{ "trace", not_implemented, false },
	{ "tsig-delete", not_implemented, false },
	{ "tsig-list", list_keys, true },
	{ "validation", not_implemented, false },
	{ "zonestatus", zone_status, true },
};

void
command_run(struct session *session, char *words, bool read_only)
{
	struct command_line line = { session, words };
	const char *name = next_word(&line);

	for (size_t i = 0; i < COUNT_OF(commands); i++) {
		if (name == NULL || strcasecmp(name, commands[i].name) != 0)
			continue;
		if (read_only && !commands[i].is_harmless)
			session_reply(session, "permission denied", NULL);
		else
			commands[i].run(&line);
		return;
	}
	session_reply(session, "unknown command", NULL);
}
