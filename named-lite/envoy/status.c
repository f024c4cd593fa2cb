/* What rndc is told of the server, of a zone, of keys. The form is BIND's, which scripts read. */

#include <sys/utsname.h>

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/base.h"
#include "named-lite/counters.h"
#include "named-lite/envoy/commands.h"
#include "named-lite/envoy/secondary.h"

static const char *
print_time(int64_t seconds, char text[64])
{
	time_t when = seconds;
	struct tm tm;

	gmtime_r(&when, &tm);
	strftime(text, 64, "%a, %d %b %Y %H:%M:%S GMT", &tm);
	return text;
}

/* What version.bind says, if that is not the truth. */
static void
print_version(struct text *text)
{
	const char *told = plan_string(&office.plan,
	    office.plan.header->version);

	text_printf(text, "version: " SETTINGS_VERSION);
	if (told == NULL)
		text_puts(text, " (version.bind/txt/ch disabled)");
	else if (strcmp(told, SETTINGS_VERSION) != 0)
		text_printf(text, " (%s)", told);
	text_putc(text, '\n');
}

static void
print_counts(struct text *text)
{
	unsigned processes = counters_processes();

	text_printf(text, "CPUs found: %ld\nworker threads: %u\n"
	    "UDP listeners per interface: %u\n"
	    "number of zones: %u (0 automatic)\ndebug level: %d\n"
	    "xfers running: %u\nxfers deferred: %u\n"
	    "soa queries in progress: %u\nquery logging is %s\n"
	    "recursive clients: 0/0/0\n", sysconf(_SC_NPROCESSORS_ONLN),
	    processes, processes, office.plan.header->zone_count, log_verbose,
	    secondary_count(SECONDARY_FETCHING),
	    secondary_count(SECONDARY_WAITING),
	    secondary_count(SECONDARY_ASKING),
	    office.logs_questions ? "ON" : "OFF");
}

void
status_server(struct command_line *line)
{
	const struct plan_header *plan = office.plan.header;
	struct text text = TEXT_EMPTY;
	struct utsname name = { .sysname = "?" };
	char when[64];

	uname(&name);
	print_version(&text);
	text_printf(&text, "running on %s: %s %s %s %s\n", name.nodename,
	    name.sysname, name.machine, name.release, name.version);
	text_printf(&text, "boot time: %s\n",
	    print_time(office.started_at, when));
	text_printf(&text, "last configured: %s\n",
	    print_time(plan->configured_us / 1000000, when));
	text_printf(&text, "configuration file: %s\n",
	    plan_string(&office.plan, plan->config));
	print_counts(&text);
	text_printf(&text, "tcp clients: %" PRIu64 "/%u\n"
	    "TCP high-water: %u\nserver is up and running",
	    counters_sum().tcp_clients, office.image.header->tcp_clients,
	    counters_most_clients());
	session_reply(line->session, NULL, text_string(&text));
	text_clear(&text);
}

/* Our own: what BIND writes to a file, or tells by statistics-channels. */
void
status_numbers(struct command_line *line)
{
	static const char *const codes[COUNTERS_CODES] = { "NOERROR",
	    "FORMERR", "SERVFAIL", "NXDOMAIN", "NOTIMP", "REFUSED",
	    "YXDOMAIN", "YXRRSET", "NXRRSET", "NOTAUTH", "NOTZONE" };
	struct counters sum = counters_sum();
	struct text text = TEXT_EMPTY;

	text_printf(&text, "questions by UDP: %" PRIu64 "\n"
	    "questions by TCP: %" PRIu64 "\n", sum.udp_questions,
	    sum.tcp_questions);
	for (size_t i = 0; i < COUNTERS_CODES; i++)
		if (sum.answers[i] > 0)
			text_printf(&text, "answers %s: %" PRIu64 "\n",
			    codes[i] != NULL ? codes[i] : "other",
			    sum.answers[i]);
	text_printf(&text, "answers truncated: %" PRIu64 "\n"
	    "transfers out: %" PRIu64 "\nTCP connections: %" PRIu64 "\n"
	    "TCP clients now: %" PRIu64 "\nTCP clients at most: %u",
	    sum.truncated, sum.transfers, sum.connections, sum.tcp_clients,
	    counters_most_clients());
	session_reply(line->session, NULL, text_string(&text));
	text_clear(&text);
}

/* All files that it was read from. */
static void
print_files(const struct plan_zone *zone, struct text *text)
{
	const char *file = plan_string(&office.plan, zone->file);
	const char *at = plan_string(&office.plan, zone->sources);
	const char *end = at + zone->sources_length;

	if (file == NULL)
		return;
	text_printf(text, "files: %s", file);
	for (bool is_first = true; at != NULL && at < end;
	    at += strlen(at) + 1, is_first = false)
		if (!is_first)
			text_printf(text, ", %s", at);
	text_putc(text, '\n');
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

void
status_zone(struct command_line *line)
{
	const struct plan_zone *zone = command_zone(line);
	const char *why;
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
	print_files(zone, &text);
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

void
status_keys(struct command_line *line)
{
	struct text text = TEXT_EMPTY;
	char name[DNS_NAME_TEXT];

	for (uint32_t i = 0; i < office.plan.header->tsig_key_count; i++)
		text_printf(&text, "%sview \"%s\"; type \"static\"; "
		    "key \"%s\";", i > 0 ? "\n" : "",
		    plan_view(&office.plan),
		    dns_name_show(office.plan.keys[i].name.bytes, name));
	if (text.length == 0)
		text_puts(&text, "no tsig keys found.");
	session_reply(line->session, NULL, text_string(&text));
	text_clear(&text);
}
