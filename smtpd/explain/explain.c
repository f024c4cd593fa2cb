/*
 * postroad explain: what would happen to this client, and why.
 *
 * A session like any other, with a witness who tells what each check decides
 * and which table said what, and with us as its client, at the other end of a
 * socket of our own. All is as for a client that comes from outside, but that
 * nobody is counted or made to wait, and that the message ends here: what
 * would be handed to cleanup is what the next post tells of.
 *
 *	request.c	options, a line of the log
 *	log.c		lines that are not about checks
 *	witness.c	checks and tables, as they speak
 */

#include "smtpd/explain/explain.h"

#include <arpa/inet.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include <event2/buffer.h>
#include <event2/bufferevent.h>

#include "config/config.h"
#include "delivery/verify.h"
#include "service/explain.h"
#include "service/service.h"
#include "smtpd/check/check.h"
#include "smtpd/client.h"
#include "smtpd/smtpd.h"
#include "smtpd/transaction.h"

enum step { GREETING, HELLO, SENDER, RECIPIENT, CONTENT, END, BYE };

static struct request asked;
static struct session *session;		/* while it waits for the greeting */
static struct bufferevent *client;
static enum step step;
static size_t place;			/* of the recipient at hand */
static size_t welcome;			/* recipients that were accepted */
static struct text reply;		/* that is being read */
static char *envelope;			/* what cleanup would get; NULL: nothing */

/* What a session must not do because somebody only asks. */
static const char *const harmless[] = {
	"smtpd_client_connection_count_limit=0",
	"smtpd_client_connection_rate_limit=0",
	"smtpd_client_message_rate_limit=0",
	"smtpd_client_recipient_rate_limit=0",
	"smtpd_error_sleep_time=0", "notify_classes=",
	"smtpd_upstream_proxy_protocol=", "postscreen_upstream_proxy_protocol=",
};

/* The client. */

static void	on_reply(int code);

static void
say(const char *format, const char *what)
{
	char *line = mem_printf(format, what);

	printf("\n%s\n", line);
	evbuffer_add_printf(bufferevent_get_output(client), "%s\r\n", line);
	free(line);
}

static void
on_readable(struct bufferevent *io, void *argument)
{
	struct evbuffer *input = bufferevent_get_input(io);
	char *line;

	while ((line = evbuffer_readln(input, NULL, EVBUFFER_EOL_CRLF)) !=
	    NULL) {
		bool is_last = strlen(line) < 4 || line[3] == ' ';
		int code = atoi(line);

		text_printf(&reply, "%s%s", reply.length > 0 ? "\n    " : "",
		    line);
		free(line);
		if (is_last)
			on_reply(code);
	}
}

static void
on_closed(struct bufferevent *io, short what, void *argument)
{
	if (what & (BEV_EVENT_EOF | BEV_EVENT_ERROR))
		event_base_loopbreak(service_base);
}

/* Something to weigh: as many bytes as were asked for. */
static void
send_content(void)
{
	static const char line[] = "A message of this size, and not of this world.\r\n";
	struct evbuffer *output = bufferevent_get_output(client);
	int64_t left = asked.size == NULL ? 0
	    : strtonum(asked.size, 0, INT_MAX, NULL);

	evbuffer_add_printf(output, "Subject: explain\r\n\r\n");
	left -= (int64_t)strlen("Subject: explain\r\n\r\n");
	for (; left > 0; left -= (int64_t)strlen(line))
		evbuffer_add(output, line, left < (int64_t)strlen(line)
		    ? (size_t)left : strlen(line));
	evbuffer_add_printf(output, "\r\n.\r\n");
	printf("\nend of message%s%s\n", asked.size == NULL ? "" : ", bytes: ",
	    asked.size == NULL ? "" : asked.size);
}

static void
say_sender(void)
{
	char *size = asked.size == NULL ? mem_strdup("")
	    : mem_printf(" SIZE=%s", asked.size);
	char *path = mem_printf("MAIL FROM:<%s>%s", asked.sender, size);

	say("%s", path);
	free(path);
	free(size);
}

/* The dialogue. */

static void
begin_step(enum step next)
{
	step = next;
	if (step == HELLO && *asked.helo == '\0')
		step = SENDER;
	if (step == HELLO)
		say(asked.is_old ? "HELO %s" : "EHLO %s", asked.helo);
	else if (step == SENDER)
		say_sender();
	else if (step == RECIPIENT && place < asked.recipient_count)
		say("RCPT TO:<%s>", asked.recipients[place]);
	else if (step == RECIPIENT && welcome > 0)
		begin_step(CONTENT);
	else if (step == CONTENT)
		say("%s", "DATA");
	else if (step == END)
		send_content();
	else
		event_base_loopbreak(service_base);
}

static void
tell_head(const struct session *s)
{
	bool failed, is_ours = client_is_mynetworks(s, &failed);

	printf("client %s, %s%s, from <%s>", s->peer, *asked.helo == '\0' ?
	    "no helo" : "helo ", asked.helo, asked.sender);
	for (size_t i = 0; i < asked.recipient_count; i++)
		printf(", to <%s>", asked.recipients[i]);
	printf("\n  %s mynetworks\n", failed ? "nobody can say now whether it "
	    "is in" : is_ours ? "in" : "not in");
}

/* What the client hears; and whether that is what the log says that it heard. */
static void
tell_reply(int code)
{
	bool is_refusal = code >= 400;

	explain_flush();
	if (!is_refusal && step < RECIPIENT)
		printf("  %.*s\n", (int)strcspn(text_string(&reply), "\n"),
		    text_string(&reply));
	else
		printf("  the client hears: %s\n", text_string(&reply));
	if (asked.logged != NULL && is_refusal &&
	    strcmp(asked.logged, text_string(&reply)) != 0)
		printf("  the log says: %s\n  so something has changed since, "
		    "or it depends on what the line does not tell\n",
		    asked.logged);
}

static void
on_reply(int code)
{
	bool is_good = code < 400;

	if (step == GREETING)
		tell_head(session);
	tell_reply(code);
	text_truncate(&reply, 0);
	session = NULL;
	if (step == RECIPIENT) {
		welcome += is_good;
		place++;
		begin_step(RECIPIENT);
	} else
		begin_step(is_good ? step + 1 : BYE);
}

/* The message is whole, and everybody was content. */
static void
on_submit(struct session *s)
{
	struct transaction *t = s->transaction;
	struct text records = TEXT_EMPTY;

	envelope_encode(t->envelope, &records);
	envelope = text_take(&records);
	session_reply(s, "250 2.0.0 Ok: queued as ...");
	if (*config.smtpd_proxy_filter != '\0')
		printf("smtpd_proxy_filter %s gets it before that, and has the "
		    "last word\n", config.smtpd_proxy_filter);
	if (t->discards)
		puts("the message is thrown away");
	if (t->redirect != NULL)
		printf("the message goes to <%s> instead\n", t->redirect);
}

/* cleanup need not run: a message of any size has a file at once. */
static void
on_content(struct session *s)
{
	s->transaction->file = memfd_create("content", MFD_CLOEXEC);
	if (s->transaction->prepend.length > 0)
		printf("  the message gets %s",
		    text_string(&s->transaction->prepend));
}

/* Afterwards. */

/* A probe goes the message's whole way, and is not delivered. */
static void
on_verified(int status, const char *text, void *argument)
{
	printf("  a probe    %s%s%s\n", status == VERIFY_OK ? "arrives" :
	    status == VERIFY_BOUNCE ? "comes back" : status == VERIFY_DEFER ?
	    "is put off" : "found out nothing yet; ask again in a while",
	    *text == '\0' ? "" : ": ", text);
	event_base_loopbreak(service_base);
}

/* What the recipients mean to cleanup is of interest all the same. */
static void
imagine_envelope(void)
{
	struct pool *pool = pool_new(1 << 20);
	struct envelope *e = envelope_new(pool);
	struct text records = TEXT_EMPTY;

	e->sender = asked.sender;
	e->filter = config.content_filter;
	for (size_t i = 0; i < asked.recipient_count; i++)
		envelope_add_recipient(e, asked.recipients[i]);
	envelope_encode(e, &records);
	envelope = text_take(&records);
	pool_free(&pool);
}

static void
tell_rest(void)
{
	const char *title = envelope != NULL ? "in the queue"
	    : "were the message accepted";

	if (asked.recipient_count == 0)
		return;
	if (envelope == NULL)
		imagine_envelope();
	explain_next("cleanup", (const char *const[]){ title, envelope, NULL });
	if (asked.probes) {
		verify_ask(asked.recipients[0], on_verified, NULL);
		event_base_dispatch(service_base);
	}
}

/* Before the first word. */

static void
tell_service(const struct master_entry *service)
{
	if (service != NULL)
		printf("service %s, master.cf, line %d; ", service->name,
		    service->line);
	printf("queue directory %s\n", config.queue_directory);
}

/* The one that runs may go by an older configuration, or none runs. */
static void
ask_own_rewrite(void)
{
	const char *path = explain_run_daemon("trivial-rewrite",
	    config.rewrite_service_name);

	if (path != NULL)
		explain_override(mem_printf("rewrite_service_name=%s", path));
}

static void
begin(const struct master_entry *service)
{
	ask_own_rewrite();
	for (size_t i = 0; i < COUNT_OF(harmless); i++)
		explain_override(harmless[i]);
	/* Whom a check refused had passed. */
	if (asked.has_passed || asked.logged != NULL)
		explain_override("smtpd_screening=no");
	explain_begin(service);
	tell_service(service);
	if (config.smtpd_screening)
		printf("postscreen's tests come first, as for a real client, "
		    "which take some seconds; --passed leaves them out\n");
	service_base = event_base_new();
	smtpd_start();
}

/* Where the service listens, if its line says so; else on this host. */
static union resolve_address
address_of(const struct master_entry *service)
{
	union resolve_address address = { .v4 = { .sin_family = AF_INET,
	    .sin_addr.s_addr = htonl(INADDR_LOOPBACK), .sin_port = htons(25) } };
	const char *error = "";

	if (service == NULL)
		return address;
	if (inet_pton(AF_INET6, service->host, &address.v6.sin6_addr) == 1)
		address.any.sa_family = AF_INET6;
	else if (inet_pton(AF_INET, service->host,
	    &address.v4.sin_addr) != 1)
		address.v4.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	strtonum(service->port, 1, 65535, &error);
	if (error == NULL)
		address.v4.sin_port = htons((in_port_t)atoi(service->port));
	return address;
}

int
explain(int argc, char **argv)
{
	const struct master_entry *service;
	union resolve_address server;
	int pair[2];

	asked = (struct request){ .client = "127.0.0.1", .helo = "localhost",
	    .sender = "" };
	if (!explain_read_request(&asked, argc, argv))
		return 0;
	service = explain_find_service(&asked);
	server = address_of(service);
	begin(service);
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0,
	    pair) == -1)
		explain_fail("cannot make a socket: %s", "no descriptors");
	explain_witness();
	submit_witness = on_submit;
	content_witness = on_content;
	client = bufferevent_socket_new(service_base, pair[1],
	    BEV_OPT_CLOSE_ON_FREE);
	bufferevent_setcb(client, on_readable, NULL, on_closed, NULL);
	bufferevent_enable(client, EV_READ | EV_WRITE);
	session = session_start_as(pair[0], &asked.address, &server,
	    asked.name);
	event_base_dispatch(service_base);
	log_open_stderr("postroad");
	tell_rest();
	return 0;
}
