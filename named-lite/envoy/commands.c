/* What rndc can say. Texts are BIND's, which scripts look for. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/base.h"
#include "named-lite/envoy/commands.h"
#include "named-lite/envoy/notify.h"
#include "named-lite/envoy/secondary.h"

#define DEBUG_MAX	99

char *
command_word(struct command_line *line)
{
	return word_next(&line->rest, " \t\r\n");
}

static bool
has_words(const struct command_line *line)
{
	return line->rest != NULL &&
	    line->rest[strspn(line->rest, " \t\r\n")] != '\0';
}

/* An error with a line that explains it. */
__attribute__((format(printf, 3, 4))) static void
refuse(struct command_line *line, const char *error, const char *format, ...)
{
	struct text text = TEXT_EMPTY;
	va_list arguments;

	va_start(arguments, format);
	text_vprintf(&text, format, arguments);
	va_end(arguments);
	session_reply(line->session, error, text_string(&text));
	text_clear(&text);
}

const struct plan_zone *
command_zone(struct command_line *line)
{
	const char *name = command_word(line), *class = command_word(line);
	const char *view = command_word(line), *why;
	const struct plan_zone *zone = NULL;
	struct dns_name apex;
	int number = DNS_CLASS_IN;

	if (name == NULL) {
		session_reply(line->session, "unexpected end of input", NULL);
		return NULL;
	}
	if (dns_name_parse(&apex, name, strlen(name), NULL, &why) == -1) {
		session_reply(line->session, why, NULL);
		return NULL;
	}
	if (class != NULL)
		number = dns_class_parse(class, strlen(class));
	if (number == -1) {
		session_reply(line->session, "unknown class/type", NULL);
		return NULL;
	}
	if (view != NULL && strcmp(view, plan_view(&office.plan)) != 0) {
		refuse(line, "not found", "no matching view '%s'", view);
		return NULL;
	}
	if (number == DNS_CLASS_IN)
		zone = plan_find(&office.plan, apex.bytes);
	if (zone == NULL)
		refuse(line, "not found", view == NULL ?
		    "no matching zone '%s' in any view" :
		    "no matching zone '%s' in view '%s'", name, view);
	return zone;
}

/* Loading */

static void
on_reloaded(void *argument, const struct control_change *change,
    bool went_well)
{
	session_reply(argument, went_well ? NULL : "failure",
	    went_well ? "server reload successful" : NULL);
}

static void
on_reconfigured(void *argument, const struct control_change *change,
    bool went_well)
{
	session_reply(argument, went_well ? NULL : "failure", NULL);
}

/*
 * The new plan is there. Of a zone that is served all the same BIND does not
 * say that its file is bad: it reads it after it has answered. zonestatus does.
 */
static void
on_zone_reloaded(void *argument, const struct control_change *change,
    bool went_well)
{
	const struct plan_zone *zone = plan_find(&office.plan,
	    change->apex.bytes);

	if (zone == NULL || !went_well)
		session_reply(argument, "failure", NULL);
	else if (!zone->is_loaded)
		session_reply(argument, zone_trouble_in_short(plan_string(
		    &office.plan, zone->why)), NULL);
	else
		session_reply(argument, NULL,
		    zone->outcome == LOAD_UP_TO_DATE ?
		    "zone reload up-to-date" : zone->outcome == LOAD_FIRST ?
		    "zone reload successful" : "zone reload queued");
}

static void
reload(struct command_line *line)
{
	const struct plan_zone *zone;
	struct control_change change = { .action = CONTROL_READ };

	if (!has_words(line)) {
		errand_run(CONTROL_RELOAD, NULL, NULL, on_reloaded,
		    line->session);
		return;
	}
	zone = command_zone(line);
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

/* The zone of the line, if it is a secondary. NULL: answered, with what its not being one is called. */
static const struct plan_zone *
secondary_zone(struct command_line *line, const char *otherwise)
{
	const struct plan_zone *zone = command_zone(line);

	if (zone == NULL || zone->type == ZONE_SECONDARY)
		return zone;
	session_reply(line->session, "failure", otherwise);
	return NULL;
}

static void
refresh(struct command_line *line)
{
	const struct plan_zone *zone = secondary_zone(line,
	    "not a secondary, mirror, or stub zone");

	if (zone == NULL)
		return;
	secondary_refresh(zone, false);
	session_reply(line->session, NULL, "zone refresh queued");
}

static void
retransfer(struct command_line *line)
{
	const struct plan_zone *zone = secondary_zone(line,
	    "retransfer: inappropriate zone type: primary");

	if (zone == NULL)
		return;
	secondary_refresh(zone, true);
	session_reply(line->session, NULL, NULL);
}

static void
notify(struct command_line *line)
{
	const struct plan_zone *zone = command_zone(line);

	if (zone == NULL)
		return;
	notify_zone(zone);
	session_reply(line->session, NULL, "zone notify queued");
}

/* The server itself */

static void
query_log(struct command_line *line)
{
	const char *word = command_word(line);

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
	const char *word = command_word(line);
	char text[32] = "";

	if (word != NULL && strcmp(word, "-p") == 0)
		snprintf(text, sizeof(text), "pid: %d", (int)getppid());
	session_reply(line->session, NULL, text);
	errand_order(CONTROL_STOP, 0);
}

/* Errors that a zone is the wrong kind for it. False: answered. */
static bool
is_primary(struct command_line *line, const struct plan_zone *zone)
{
	if (zone != NULL && zone->type != ZONE_PRIMARY)
		session_reply(line->session, "not primary", NULL);
	return zone != NULL && zone->type == ZONE_PRIMARY;
}

/* A zone of ours is never dynamic. All of them together cannot be refused. */
static void
freeze(struct command_line *line)
{
	if (!has_words(line))
		session_reply(line->session, NULL, NULL);
	else if (is_primary(line, command_zone(line)))
		session_reply(line->session, "not dynamic", NULL);
}

static void
thaw(struct command_line *line)
{
	if (!has_words(line) || is_primary(line, command_zone(line)))
		session_reply(line->session, NULL, NULL);
}

/* No changes wait. */
static void
sync_zones(struct command_line *line)
{
	char *rest = line->rest;
	const char *word = command_word(line);

	if (word != NULL && strcmp(word, "-clean") != 0)
		line->rest = rest;	/* it was a zone */
	if (word == NULL || !has_words(line) || command_zone(line) != NULL)
		session_reply(line->session, NULL, NULL);
}

/* How talkative: one level more, or that many. */
static void
trace(struct command_line *line)
{
	const char *word = command_word(line), *wrong = NULL;
	int level = word == NULL ? log_verbose + 1 :
	    strtonum(word, 0, DEBUG_MAX, &wrong);

	if (wrong != NULL) {
		session_reply(line->session, "out of range", NULL);
		return;
	}
	log_verbose = level;
	log_info("debug level is now %d", level);
	errand_order(CONTROL_SET_DEBUG, level);
	session_reply(line->session, NULL, NULL);
}

static void
trace_no_more(struct command_line *line)
{
	log_verbose = 0;
	errand_order(CONTROL_SET_DEBUG, 0);
	session_reply(line->session, NULL, NULL);
}

/* Nothing is to be done: nothing is remembered, addresses are watched. */
static void
do_nothing(struct command_line *line)
{
	session_reply(line->session, NULL, NULL);
}

/* There is no cache of that view. */
static void
flush(struct command_line *line)
{
	const char *view = command_word(line);

	session_reply(line->session, view == NULL ||
	    strcmp(view, plan_view(&office.plan)) == 0 ? NULL : "not found", NULL);
}

static void
flush_name(struct command_line *line)
{
	session_reply(line->session, has_words(line) ? NULL :
	    "unexpected end of input", NULL);
}

/* Keys are those of named.conf: none was negotiated. */
static void
delete_key(struct command_line *line)
{
	bool has_name = has_words(line);

	session_reply(line->session, has_name ? NULL :
	    "unexpected end of input", has_name ? "0 tsig keys deleted." :
	    NULL);
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
	{ "flush", flush, false },
	{ "flushname", flush_name, false },
	{ "flushtree", flush_name, false },
	{ "freeze", freeze, false },
	{ "halt", stop, false },
	{ "loadkeys", not_implemented, false },
	{ "managed-keys", not_implemented, false },
	{ "modzone", not_implemented, false },
	{ "notify", notify, false },
	{ "notrace", trace_no_more, false },
	{ "nta", not_implemented, false },
	{ "null", do_nothing, true },
	{ "querylog", query_log, false },
	{ "reconfig", reconfigure, false },
	{ "recursing", not_implemented, false },
	{ "refresh", refresh, false },
	{ "reload", reload, false },
	{ "restart", not_implemented, false },
	{ "retransfer", retransfer, false },
	{ "scan", do_nothing, false },
	{ "secroots", not_implemented, false },
	{ "serve-stale", not_implemented, false },
	{ "showzone", not_implemented, true },
	{ "sign", not_implemented, false },
	{ "signing", not_implemented, false },
	{ "stats", status_numbers, true },
	{ "status", status_server, true },
	{ "stop", stop, false },
	{ "sync", sync_zones, false },
	{ "thaw", thaw, false },
	{ "trace", trace, false },
	{ "tsig-delete", delete_key, false },
	{ "tsig-list", status_keys, true },
	{ "validation", not_implemented, false },
	{ "zonestatus", status_zone, true },
};

void
command_run(struct session *session, char *words, bool read_only)
{
	struct command_line line = { session, words };
	const char *name = command_word(&line);

	for (size_t i = 0; i < COUNT_OF(commands); i++) {
		if (name == NULL || strcasecmp(name, commands[i].name) != 0)
			continue;
		if (read_only && !commands[i].is_harmless)
			session_reply(session, "permission denied", NULL);
		else
			commands[i].run(&line);
		return;
	}
	session_reply(session, name == NULL ? "failure" : "unknown command",
	    NULL);
}
