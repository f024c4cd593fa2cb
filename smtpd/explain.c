/*
 * postroad explain: what would happen to this client, and why.
 *
 * The checks are the ones that sessions run, with a witness who tells what
 * each decides and which table said what. The session has no socket; what
 * the client would hear is taken from its output. Nothing is submitted.
 */

#include <arpa/inet.h>
#include <errno.h>
#include <getopt.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <event2/event.h>

#include "config/config.h"
#include "config/network.h"
#include "delivery/route.h"
#include "delivery/verify.h"
#include "service/service.h"
#include "smtpd/check.h"

#define OVERRIDES_MAX	100
#define COLUMN		56	/* where verdicts stand */

/* What is asked. */
struct request {
	const char	*client, *name, *helo, *sender, *recipient;
	const char	*overrides[OVERRIDES_MAX + 1];
	size_t		 override_count;
};

static bool probes;		/* --probe */
static struct text lookups;	/* of the check at hand */

static const char *const verdicts[] = {
	[VERDICT_NONE] = "no opinion",
	[VERDICT_PERMIT] = "permits",
	[VERDICT_REJECT] = "refuses",
	[VERDICT_WAIT] = "waits",
};

/* The witness. */

static void
tell_line(enum log_level level, const char *line)
{
	text_printf(&lookups, "      log: %s\n", line);
}

static void
tell_lookup(struct table *table, const char *key, enum table_answer answer,
    const char *value)
{
	text_printf(&lookups, "      ");
	if (answer == TABLE_FOUND) {
		table_where(table, key, &lookups);
		text_printf(&lookups, ": %s = %s\n", key, value);
	} else
		text_printf(&lookups, "%s: %s %s\n", table_name(table), key,
		    answer == TABLE_NONE ? "is not there" : table_why(table));
}

static void
flush_lookups(void)
{
	fputs(text_string(&lookups), stdout);
	text_truncate(&lookups, 0);
}

static void
on_begins(enum stage stage, const struct check_list *list)
{
	bool has_parameter = stage != STAGE_UNLISTED_SENDER &&
	    stage != STAGE_UNLISTED_RECIPIENT;

	flush_lookups();
	if (list->count > 0 || has_parameter)
		printf("%s%s\n", has_parameter ? list->name : "at the end",
		    list->count == 0 ? " is empty" : "");
}

static void
on_asked(const struct check *check)
{
	text_truncate(&lookups, 0);
}

static void
on_decided(const struct check *check, enum verdict verdict)
{
	struct text line = TEXT_EMPTY;
	const char *said = verdicts[verdict];

	text_printf(&line, "  %s%s", check->warn_only ? "warn_if_reject " : "",
	    check->word);
	if (check->argument != NULL &&
	    strcmp(check->argument, check->word) != 0)
		text_printf(&line, " %s", check->argument);
	if (check->list != NULL)
		said = "go on there";
	printf("%-*s %s\n", COLUMN, text_string(&line), said);
	text_clear(&line);
	flush_lookups();
}

/* The session. */

static void __attribute__((noreturn))
fail(const char *format, const char *what)
{
	fprintf(stderr, "postroad: fatal: ");
	fprintf(stderr, format, what);
	fputc('\n', stderr);
	exit(1);
}

static bool
leads_back(const char *name, const struct sockaddr *address)
{
	struct addrinfo *list = NULL;
	bool found = false;

	if (getaddrinfo(name, NULL, NULL, &list) != 0)
		return false;
	for (const struct addrinfo *a = list; a != NULL; a = a->ai_next)
		found |= resolve_same_host(a->ai_addr, address);
	freeaddrinfo(list);
	return found;
}

/* The client's name as a session would find it, unless it was said. */
static void
name_client(struct session *s, const char *name)
{
	socklen_t size = s->address.any.sa_family == AF_INET
	    ? sizeof(s->address.v4) : sizeof(s->address.v6);
	char found[NI_MAXHOST];

	if (name != NULL)
		s->reverse_name = mem_strdup(name);
	else if (config.smtpd_peername_lookup && getnameinfo(&s->address.any,
	    size, found, sizeof(found), NULL, 0, NI_NAMEREQD) == 0)
		s->reverse_name = mem_strdup(found);
	s->client_name = mem_strdup(s->reverse_name != NULL && (name != NULL ||
	    leads_back(s->reverse_name, &s->address.any))
	    ? s->reverse_name : "unknown");
	s->peer = mem_printf("%s[%s]", s->client_name, s->client_address);
}

static struct session *
make_session(const struct request *r)
{
	struct session *s = mem_zalloc(1, sizeof(*s));

	s->fd = -1;
	s->state = IN_MAIL;
	s->esmtp = true;
	s->verb = RCPT;
	s->where = "RCPT";
	s->helo_name = mem_strdup(r->helo);
	if (inet_pton(AF_INET, r->client, &s->address.v4.sin_addr) == 1)
		s->address.v4.sin_family = AF_INET;
	else if (inet_pton(AF_INET6, r->client, &s->address.v6.sin6_addr) == 1)
		s->address.v6.sin6_family = AF_INET6;
	else
		fail("--client %s: expected an address", r->client);
	strlcpy(s->client_address, r->client, sizeof(s->client_address));
	name_client(s, r->name);
	return s;
}

static void
name_parties(struct session *s, const struct request *r)
{
	char *from = mem_printf("FROM:<%s>", r->sender);
	char *to = mem_printf("TO:<%s>", r->recipient);
	struct text reply = TEXT_EMPTY;
	struct smtp_mail mail;
	const char *complaint = smtp_mail_parse(from, strlen(from), 0, &mail,
	    &reply);

	if (complaint != NULL)
		fail("the sender is refused at MAIL: %s", complaint);
	transaction_begin(s, &mail);
	s->transaction->rcpt = mem_alloc(sizeof(struct smtp_rcpt));
	complaint = smtp_rcpt_parse(to, strlen(to), 0, s->transaction->rcpt,
	    &reply);
	if (complaint != NULL)
		fail("the recipient is refused at RCPT: %s", complaint);
	free(from);
	free(to);
}

/* Afterwards. */

/* A probe goes the message's whole way, through aliases and .forward, and is not delivered. */
static void
on_verified(int status, const char *text, void *argument)
{
	printf("  a probe    %s%s%s\n", status == VERIFY_OK ? "arrives" :
	    status == VERIFY_BOUNCE ? "comes back" : status == VERIFY_DEFER ?
	    "is put off" : "found out nothing yet; ask again in a while",
	    *text == '\0' ? "" : ": ", text);
	event_base_loopbreak(service_base);
}

static void
on_route(struct route *route, void *argument)
{
	static const char *const classes[] = {
		[CLASS_LOCAL] = "local (mydestination, or an address of this host)",
		[CLASS_VIRTUAL_ALIAS] = "virtual alias (virtual_alias_domains)",
		[CLASS_VIRTUAL_MAILBOX] =
		    "virtual mailbox (virtual_mailbox_domains)",
		[CLASS_RELAY] = "relay (relay_domains)",
		[CLASS_OTHER] = "somebody else's",
	};

	printf("\nwhere <%s> leads\n", (const char *)argument);
	if (route->error != 0)
		printf("  nobody knows: %s; is the mail system running?\n",
		    strerror(route->error));
	else
		printf("  address    %s%s\n  domain     %s\n  transport  %s\n"
		    "  nexthop    %s\n", route->recipient,
		    route->flags & ROUTE_SENDER_ROUTED
		    ? " (it routes on: not relayed for strangers)" : "",
		    route->address_class >= CLASS_LOCAL &&
		    route->address_class <= CLASS_OTHER
		    ? classes[route->address_class] : "unknown",
		    route->transport, route->nexthop);
	if (route->error == 0 && probes) {
		fflush(stdout);
		verify_ask(route->recipient, on_verified, NULL);
	} else
		event_base_loopbreak(service_base);
	route_free(&route);
}

static void
on_verdict(struct session *s, enum verdict verdict)
{
	const char *recipient = session_recipient(s);

	flush_lookups();
	if (verdict == VERDICT_PERMIT)
		text_puts(&s->output, "250 2.1.5 Ok\r\n");
	printf("\nthe client hears: %s", text_string(&s->output));
	if (s->transaction->redirect != NULL)
		printf("the message goes to <%s> instead\n",
		    s->transaction->redirect);
	if (s->transaction->discards)
		puts("the message is thrown away");
	if (s->transaction->envelope->flags & ENVELOPE_HOLD)
		puts("the message is put on hold");
	s->busy = true;		/* there is no session to go on with */
	route_ask(recipient, on_route, (void *)(uintptr_t)recipient);
}

/* Options. */

/* What stands behind name= in a log line, up to the end character; NULL if it is not there. */
static char *
field(const char *line, const char *name, char end)
{
	const char *at = strstr(line, name), *stop;

	if (at == NULL)
		return NULL;
	at += strlen(name);
	stop = strchr(at, end);
	return stop == NULL ? NULL : mem_strndup(at, (size_t)(stop - at));
}

/* "NOQUEUE: reject: RCPT from name[address]: ...; from=<a> to=<b> proto=ESMTP helo=<x>" */
static void
take_log_line(struct request *r, const char *line)
{
	char *peer = field(line, " from ", ']'), *bracket;

	if (peer == NULL || (bracket = strchr(peer, '[')) == NULL)
		fail("not a line about a refusal: %s", line);
	*bracket = '\0';
	r->client = bracket + 1;
	r->name = strcmp(peer, "unknown") == 0 ? NULL : peer;
	if ((r->sender = field(line, " from=<", '>')) == NULL)
		r->sender = "";
	r->recipient = field(line, " to=<", '>');
	if ((r->helo = field(line, " helo=<", '>')) == NULL)
		r->helo = "localhost";
}

static void __attribute__((noreturn))
usage(void)
{
	fail("usage: postroad explain [--client address] [--name hostname] "
	    "[--helo name] [--from sender] [--option name=value] [--probe] --to recipient%s",
	    " | --log line");
}

static void
read_options(struct request *r, int argc, char **argv)
{
	static const struct option options[] = {
		{ "client", required_argument, NULL, 'c' },
		{ "name", required_argument, NULL, 'n' },
		{ "helo", required_argument, NULL, 'h' },
		{ "from", required_argument, NULL, 'f' },
		{ "to", required_argument, NULL, 't' },
		{ "log", required_argument, NULL, 'l' },
		{ "probe", no_argument, NULL, 'p' },
		{ "option", required_argument, NULL, 'o' },
		{ NULL, 0, NULL, 0 },
	};
	int option;

	while ((option = getopt_long(argc, argv, "o:", options, NULL)) != -1) {
		if (option == 'l')
			take_log_line(r, optarg);
		else if (option == 'o' && r->override_count < OVERRIDES_MAX)
			r->overrides[r->override_count++] = optarg;
		else if (option == 'p')
			probes = true;
		else if (option == 'c')
			r->client = optarg;
		else if (option == 'n')
			r->name = optarg;
		else if (option == 'h')
			r->helo = optarg;
		else if (option == 'f')
			r->sender = optarg;
		else if (option == 't')
			r->recipient = optarg;
		else
			usage();
	}
	if (r->recipient == NULL || optind < argc)
		usage();
}

int
explain(int argc, char **argv)
{
	static const struct check_witness witness = {
		on_begins, on_asked, on_decided,
	};
	struct request r = { .client = "127.0.0.1", .helo = "localhost",
	    .sender = "" };
	struct session *s;

	read_options(&r, argc, argv);
	log_open_stderr("postroad");
	if (config_load(NULL, r.overrides) == -1)
		return 1;
	if (chdir(config.queue_directory) == -1)
		fail("cannot enter %s", config.queue_directory);
	ipc_learn_owner();
	service_base = event_base_new();
	smtpd_start();
	s = make_session(&r);
	name_parties(s, &r);
	printf("client %s, helo %s, from <%s>, to <%s>\n\n", s->peer, r.helo,
	    r.sender, r.recipient);
	log_open_function(tell_line);
	check_witness = &witness;
	table_witness = tell_lookup;
	checks_run(s, STAGES_AT_RCPT, on_verdict);
	event_base_dispatch(service_base);
	return 0;
}
