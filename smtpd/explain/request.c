/* What is asked: options, a line of the log, a service of master.cf. */

#include <arpa/inet.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/base.h"
#include "config/config.h"
#include "service/explain.h"
#include "smtpd/explain/explain.h"

static void __attribute__((noreturn))
usage(void)
{
	explain_fail("usage: postroad explain [--client address] "
	    "[--name hostname] [--helo name] [--from sender] [--size bytes] "
	    "[--service name] [--option name=value] [--passed] [--probe] --to recipient "
	    "...%s", " | --log line");
}

static void
add_recipient(struct request *r, const char *recipient)
{
	if (r->recipient_count == RECIPIENTS_MAX)
		explain_fail("too many recipients: %s", recipient);
	r->recipients[r->recipient_count++] = recipient;
}

/* What stands behind name= in a log line, up to the end character; NULL if it is not there. */
static char *
field(const char *line, const char *name, const char *end)
{
	const char *at = strstr(line, name), *stop;

	if (at == NULL)
		return NULL;
	at += strlen(name);
	stop = at + strcspn(at, end);
	/* "a>b"@c is quoted, with its end in it. */
	if (*at == '"' && (stop = strchr(at + 1, '"')) != NULL)
		stop += strcspn(stop, end);
	return stop == NULL ? NULL : mem_strndup(at, (size_t)(stop - at));
}

/* "reject: RCPT from name[address]: 554 5.7.1 text; from=..." */
static void
take_reply(struct request *r, const char *line)
{
	const char *from = strstr(line, " from ");
	const char *bracket = from == NULL ? NULL : strchr(from, ']');
	const char *begin = bracket == NULL ? NULL : strstr(bracket, ": ");
	const char *end = begin == NULL ? NULL : strstr(begin, "; from=");

	if (begin == NULL)
		return;
	if (end == NULL)
		end = strstr(begin, "; proto=");
	begin += 2;
	r->logged = end == NULL ? mem_strdup(begin)
	    : mem_strndup(begin, (size_t)(end - begin));
}

/*
 * A line about a client: "...: reject: RCPT from name[address]: reply;
 * from=<a> to=<b> proto=ESMTP helo=<x>". False if it names none.
 */
static bool
take_log_line(struct request *r, const char *line)
{
	char *peer = field(line, " from ", "]"), *bracket, *value;

	if (peer == NULL || (bracket = strchr(peer, '[')) == NULL)
		return false;
	*bracket = '\0';
	r->client = bracket + 1;
	r->name = *peer == '\0' || strcmp(peer, "unknown") == 0 ? NULL : peer;
	if ((value = field(line, " from=<", ">")) != NULL)
		r->sender = value;
	if ((value = field(line, " to=<", ">")) != NULL)
		add_recipient(r, value);
	value = field(line, " helo=<", ">");
	r->helo = value == NULL ? "" : value;
	value = field(line, " proto=", " ");
	r->is_old = value != NULL && strcmp(value, "SMTP") == 0;
	free(value);
	take_reply(r, line);
	return true;
}

/* False: the line's own words say it all. */
static bool
explain_line(struct request *r, const char *line)
{
	bool has_client, is_about_checks = strstr(line, "reject") != NULL ||
	    strstr(line, " from=<") != NULL || strstr(line, " proto=") != NULL;

	/* postscreen's clients have no names, and were not checked yet. */
	if (strstr(line, " from [") != NULL)
		is_about_checks = false;
	has_client = take_log_line(r, line);
	if (is_about_checks && has_client)
		return true;
	if (!explain_log_line(line))
		explain_fail("not a line about a refusal: %s", line);
	return false;
}

static bool
take_option(struct request *r, int option, const char *value)
{
	switch (option) {
	case 'l':
		return explain_line(r, value);
	case 'o':
		explain_override(value);
		break;
	case 'p':
		r->probes = true;
		break;
	case 'T':
		r->has_passed = true;
		break;
	case 'c':
		r->client = value;
		break;
	case 'n':
		r->name = value;
		break;
	case 'h':
		r->helo = value;
		break;
	case 'f':
		r->sender = value;
		break;
	case 't':
		add_recipient(r, value);
		break;
	case 's':
		r->size = value;
		break;
	case 'S':
		r->service = value;
		break;
	default:
		usage();
	}
	return true;
}

static void
check_request(struct request *r)
{
	const char *error = NULL;

	if (inet_pton(AF_INET, r->client, &r->address.v4.sin_addr) == 1)
		r->address.v4.sin_family = AF_INET;
	else if (inet_pton(AF_INET6, r->client, &r->address.v6.sin6_addr) == 1)
		r->address.v6.sin6_family = AF_INET6;
	else
		explain_fail("--client %s: expected an address", r->client);
	if (r->size != NULL)
		strtonum(r->size, 0, 1 << 30, &error);
	if (error != NULL)
		explain_fail("--size %s: expected a number of bytes", r->size);
}

bool
explain_read_request(struct request *r, int argc, char **argv)
{
	static const struct option options[] = {
		{ "client", required_argument, NULL, 'c' },
		{ "name", required_argument, NULL, 'n' },
		{ "helo", required_argument, NULL, 'h' },
		{ "from", required_argument, NULL, 'f' },
		{ "to", required_argument, NULL, 't' },
		{ "size", required_argument, NULL, 's' },
		{ "service", required_argument, NULL, 'S' },
		{ "log", required_argument, NULL, 'l' },
		{ "probe", no_argument, NULL, 'p' },
		{ "passed", no_argument, NULL, 'T' },
		{ "option", required_argument, NULL, 'o' },
		{ NULL, 0, NULL, 0 },
	};
	int option;

	while ((option = getopt_long(argc, argv, "o:", options, NULL)) != -1)
		if (!take_option(r, option, optarg))
			return false;
	if ((r->recipient_count == 0 && r->logged == NULL) || optind < argc)
		usage();
	check_request(r);
	return true;
}

/* A service goes by its name, or by its port alone. */
static bool
is_called(const struct master_entry *entry, const char *name)
{
	return strcmp(entry->name, name) == 0 ||
	    (entry->port != NULL && strcmp(entry->port, name) == 0);
}

const struct master_entry *
explain_find_service(const struct request *r)
{
	const struct master_cf *services = explain_services();
	const struct master_entry *first = NULL;

	for (size_t i = 0; i < services->count; i++) {
		const struct master_entry *entry = &services->entries[i];

		if (entry->is_merged || entry->type != MASTER_INET ||
		    strcmp(entry->program, "smtpd") != 0)
			continue;
		if (r->service != NULL ? is_called(entry, r->service)
		    : is_called(entry, "smtp") || is_called(entry, "25"))
			return entry;
		if (first == NULL)
			first = entry;
	}
	if (r->service != NULL)
		explain_fail("--service %s: master.cf has no such service of "
		    "smtpd", r->service);
	return first;
}
