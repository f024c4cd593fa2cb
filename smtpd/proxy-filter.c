/*
 * smtpd_proxy_filter: a filter before the queue.
 *
 * When the message is whole and nobody objected, we say it all to the filter,
 * as its client, and our client hears what the filter says. The message is
 * the filter's then; what it lets through comes back by another service, or
 * goes wherever the filter sends it. Nothing of it is ours to keep.
 *
 * The filter has so many messages at once; others wait for their turn.
 */


#include "smtpd/transaction.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>

#include "address/address.h"
#include "config/config.h"
#include "message/received.h"
#include "policy/place.h"
#include "service/service.h"
#include "smtp/command.h"
#include "smtp/reply.h"
#include "smtpd/client.h"
#include "smtpd/dialogue.h"

#define AT_ONCE_MAX	20	/* messages that the filter has from this process */
#define PIECE		32768	/* of content, read at a time */

enum proxy_stage { GREETING, HELLO, FORWARD, SENDER, RECIPIENT, CONTENT, END };

enum { OFFERS_SIZE = 1 << 0, OFFERS_8BITMIME = 1 << 1, OFFERS_DSN = 1 << 2,
    OFFERS_SMTPUTF8 = 1 << 3 };

/* What XFORWARD tells: as bits, by their place here. */
static const char *const attributes[] = { "NAME", "ADDR", "PORT", "HELO",
    "PROTO", "SOURCE" };

struct proxied {
	TAILQ_ENTRY(proxied)	 link;		/* while it waits for its turn */
	struct session		*session;
	struct bufferevent	*io;		/* NULL: it waits */
	struct smtp_reply	 reply;
	enum proxy_stage	 stage;
	struct text		 said;		/* the command that is answered, for the log */
	unsigned		 offers;
	unsigned		 forward;	/* attributes that it wants to hear of */
	size_t			 recipient;	/* the next one */
	struct dot_writer	 writer;
	int64_t			 at;		/* of the content: sent before this */
	bool			 is_connected, is_sent;
};

static struct place place;
static size_t at_once;
static TAILQ_HEAD(, proxied) waiting = TAILQ_HEAD_INITIALIZER(waiting);

static const char broken[] = "451 4.3.0 Error: queue file write error";

void
proxy_filter_open(void)
{
	const char *why = NULL;

	if (*config.smtpd_proxy_filter == '\0')
		return;
	if (place_find(config.smtpd_proxy_filter, &place, &why) == -1 ||
	    place.length == 0)
		fatal("smtpd_proxy_filter = %s: %s", config.smtpd_proxy_filter,
		    why != NULL ? why : "expected host:port or unix:private/name");
	if (*config.smtpd_proxy_options != '\0' &&
	    strcmp(config.smtpd_proxy_options, "speed_adjust") != 0)
		log_warning("smtpd_proxy_options = %s: expected speed_adjust",
		    config.smtpd_proxy_options);
}

/* Its end. */

static void	begin_next(void);

static void
proxied_free(struct proxied **argument)
{
	struct proxied *p = *argument;

	*argument = NULL;
	if (p->io == NULL)
		TAILQ_REMOVE(&waiting, p, link);
	else {
		if (p->is_sent)		/* he need not hear it */
			send(bufferevent_getfd(p->io), "QUIT\r\n", 6,
			    MSG_DONTWAIT | MSG_NOSIGNAL);
		bufferevent_free(p->io);
		at_once--;
	}
	smtp_reply_clear(&p->reply);
	text_clear(&p->said);
	free(p);
	begin_next();
}

void
proxy_filter_cancel(struct session *s)
{
	if (s->transaction->proxied != NULL)
		proxied_free(&s->transaction->proxied);
}

/* The client's answer; then he goes on. */
static void
finish(struct session *s, const char *text, bool is_accepted)
{
	report_proxy(s, is_accepted, text);
	if (is_accepted)
		s->errors = s->junk = 0;
	session_reply(s, "%s", text);
	transaction_end(s);
	session_go_on(s);
}

/* It could not be asked: what is said of it ends in its name, and detail. */
static void
fail(struct proxied *p, const char *what, const char *detail)
{
	log_warning("%s %s%s%s", what, config.smtpd_proxy_filter,
	    *detail == '\0' ? "" : ": ", detail);
	finish(p->session, broken, false);
}

static void
log_refusal(const struct proxied *p)
{
	log_warning("proxy %s rejected \"%s\": \"%s\"",
	    config.smtpd_proxy_filter, text_string(&p->said),
	    text_string(&p->reply.text));
}

/* One line of the filter's reply, without what stands on each: the code, and from the second on the status. */
static void
put_line(struct text *text, const struct smtp_reply *reply, const char *line,
    size_t length)
{
	size_t status = strlen(reply->status), skip = length < 4 ? length : 4;

	if (text->length == 0)
		text_printf(text, "%d ", reply->code);
	else {
		text_putc(text, '\n');
		if (status > 0 && length > 4 + status &&
		    strncmp(line + 4, reply->status, status) == 0 &&
		    line[4 + status] == ' ')
			skip += status + 1;
	}
	text_append(text, line + skip, length - skip);
}

/* The filter's words are ours. */
static void
pass_on(struct proxied *p)
{
	struct text text = TEXT_EMPTY;
	const char *line = text_string(&p->reply.text), *end;
	bool is_good = p->reply.code / 100 == 2;

	for (; (end = strchr(line, '\n')) != NULL; line = end + 1)
		put_line(&text, &p->reply, line, (size_t)(end - line));
	put_line(&text, &p->reply, line, strlen(line));
	finish(p->session, text_string(&text), is_good);
	text_clear(&text);
}

/* What is said. */

/* Takes what line holds. */
static void
put(struct proxied *p, struct text *line)
{
	bufferevent_write(p->io, line->bytes, line->length);
	bufferevent_write(p->io, "\r\n", 2);
	text_clear(&p->said);
	p->said = *line;
	*line = (struct text)TEXT_EMPTY;
}

/* Who the client is: what a proxy in front of us told of its own client comes first. */
static void
say_forward(struct proxied *p)
{
	const struct session *s = p->session;
	const struct envelope *e = s->transaction->envelope;
	const char *address = s->forwarded_address != NULL ?
	    s->forwarded_address : e->client_address;
	bool is_bare_v6 = strchr(address, ':') != NULL &&
	    strncasecmp(address, "IPV6:", 5) != 0;
	char *whole = mem_printf("%s%s", is_bare_v6 ? "IPV6:" : "", address);
	char port[24];
	const char *const values[] = { s->forwarded_name != NULL ?
	    s->forwarded_name : e->client_name, whole, port, e->helo_name,
	    e->protocol_name, s->is_rewritten ? "LOCAL" : "REMOTE" };
	struct text line = TEXT_EMPTY;

	snprintf(port, sizeof(port), "%lld", (long long)e->client_port);
	text_puts(&line, "XFORWARD");
	for (size_t i = 0; i < COUNT_OF(attributes); i++) {
		if (!(p->forward & 1u << i))
			continue;
		text_printf(&line, " %s=", attributes[i]);
		smtp_xtext_encode(&line, *values[i] == '\0' ||
		    strcmp(values[i], "unknown") == 0 ? "[UNAVAILABLE]" :
		    values[i]);
	}
	put(p, &line);
	free(whole);
}

static void
say_sender(struct proxied *p)
{
	static const char *const returns[] = { "", " RET=FULL", " RET=HDRS" };
	const struct transaction *t = p->session->transaction;
	const struct envelope *e = t->envelope;
	struct text line = TEXT_EMPTY;

	text_puts(&line, "MAIL FROM:<");
	address_quote(&line, e->sender);
	text_putc(&line, '>');
	if (p->offers & OFFERS_SIZE)
		text_printf(&line, " SIZE=%lld", (long long)t->wire_bytes);
	if ((p->offers & OFFERS_8BITMIME) && (e->flags & ENVELOPE_8BIT))
		text_puts(&line, " BODY=8BITMIME");
	if ((p->offers & OFFERS_SMTPUTF8) && (e->flags & ENVELOPE_SMTPUTF8))
		text_puts(&line, " SMTPUTF8");
	if ((p->offers & OFFERS_DSN) && e->dsn_ret > 0 &&
	    e->dsn_ret < (int64_t)COUNT_OF(returns))
		text_puts(&line, returns[e->dsn_ret]);
	if ((p->offers & OFFERS_DSN) && *e->dsn_envid != '\0') {
		text_puts(&line, " ENVID=");
		smtp_xtext_encode(&line, e->dsn_envid);
	}
	put(p, &line);
}

static void
say_recipient(struct proxied *p)
{
	const struct recipient *recipient =
	    &p->session->transaction->envelope->recipients[p->recipient++];
	struct text line = TEXT_EMPTY;

	text_puts(&line, "RCPT TO:<");
	address_quote(&line, recipient->address);
	text_putc(&line, '>');
	if (p->offers & OFFERS_DSN) {
		smtp_put_orcpt(&line, recipient->dsn_orcpt);
		smtp_put_notify(&line, (unsigned)recipient->dsn_notify);
	}
	put(p, &line);
}

static void
say(struct proxied *p, const char *command, const char *argument)
{
	struct text line = TEXT_EMPTY;

	text_printf(&line, "%s%s%s", command, *argument == '\0' ? "" : " ",
	    argument);
	put(p, &line);
}

/* The next piece of the message, for the wire; our own Received stands on top, as in all mail that comes by here. */
static void
send_piece(struct proxied *p)
{
	const struct transaction *t = p->session->transaction;
	struct text out = TEXT_EMPTY, top = TEXT_EMPTY;
	char piece[PIECE];
	ssize_t n;

	if (p->at == 0) {
		message_received(&top, t->envelope, config.myhostname,
		    config.mail_name, NULL);
		dot_write(&p->writer, top.bytes, top.length, &out);
	}
	if (t->file == -1) {
		dot_write(&p->writer, text_string(&t->content),
		    t->content.length, &out);
		n = 0;
	} else if ((n = pread(t->file, piece, sizeof(piece), p->at)) > 0) {
		dot_write(&p->writer, piece, (size_t)n, &out);
		p->at += n;
	}
	if (n <= 0) {
		dot_write_finish(&p->writer, &out);
		p->is_sent = true;
	}
	bufferevent_write(p->io, out.bytes, out.length);
	text_clear(&out);
	text_clear(&top);
}

/* What it answers. */

/* The words behind XFORWARD, to the end of the line. */
static void
note_attributes(struct proxied *p, const char *words)
{
	char *copy = mem_strndup(words, strcspn(words, "\n"));
	char *cursor = copy, *word;

	while ((word = word_next(&cursor, " ")) != NULL)
		for (size_t i = 0; i < COUNT_OF(attributes); i++)
			if (strcasecmp(word, attributes[i]) == 0)
				p->forward |= 1u << i;
	free(copy);
}

static void
note_offers(struct proxied *p)
{
	static const struct { const char *word; unsigned bit; } known[] = {
		{ "SIZE", OFFERS_SIZE }, { "8BITMIME", OFFERS_8BITMIME },
		{ "DSN", OFFERS_DSN }, { "SMTPUTF8", OFFERS_SMTPUTF8 },
	};
	const char *line = text_string(&p->reply.text);

	while ((line = strchr(line, '\n')) != NULL) {
		const char *word = ++line + 4;
		size_t length = strlen(line) > 4 ? strcspn(word, " \n") : 0;

		for (size_t i = 0; i < COUNT_OF(known); i++)
			if (strlen(known[i].word) == length &&
			    strncasecmp(known[i].word, word, length) == 0)
				p->offers |= known[i].bit;
		if (length == strlen("XFORWARD") &&
		    strncasecmp(word, "XFORWARD", length) == 0)
			note_attributes(p, word + length);
	}
}

static void
enter(struct proxied *p, enum proxy_stage stage)
{
	const struct envelope *e = p->session->transaction->envelope;

	if (stage == FORWARD && p->forward == 0)
		stage = SENDER;
	if (stage == CONTENT && p->recipient < e->recipient_count)
		stage = RECIPIENT;
	p->stage = stage;
	switch (stage) {
	case GREETING:
		break;
	case HELLO:
		say(p, "EHLO", config.smtpd_proxy_ehlo);
		break;
	case FORWARD:
		say_forward(p);
		break;
	case SENDER:
		say_sender(p);
		break;
	case RECIPIENT:
		say_recipient(p);
		break;
	case CONTENT:
		say(p, "DATA", "");
		break;
	case END:
		text_truncate(&p->said, 0);
		text_puts(&p->said, "end of data");
		send_piece(p);
		break;
	}
}

/* A whole reply. False: the transaction is over. */
static bool
on_reply(struct proxied *p)
{
	int class = p->reply.code / 100;
	bool is_expected = p->stage == FORWARD ||
	    class == (p->stage == CONTENT ? 3 : 2);

	/* Only what is said of the whole message may say yes to the client. */
	if (p->stage == END ? class != 3 : p->stage >= SENDER && class >= 4) {
		if (p->stage != END)
			log_refusal(p);
		pass_on(p);
		return false;
	}
	if (!is_expected || p->stage == END) {
		log_refusal(p);
		finish(p->session, broken, false);
		return false;
	}
	if (p->stage == HELLO)
		note_offers(p);
	smtp_reply_reset(&p->reply);
	enter(p, p->stage + 1);
	return true;
}

static void
on_readable(struct bufferevent *io, void *argument)
{
	struct proxied *p = argument;
	struct evbuffer *input = bufferevent_get_input(io);
	char bytes[4096];
	bool goes_on = true;

	while (goes_on && evbuffer_get_length(input) > 0) {
		ssize_t length = evbuffer_copyout(input, bytes, sizeof(bytes));

		evbuffer_drain(input, smtp_reply_read(&p->reply, bytes,
		    (size_t)length));
		if (p->reply.progress == SMTP_REPLY_BROKEN) {
			fail(p, "received garbage from proxy", "");
			return;
		}
		if (p->reply.progress == SMTP_REPLY_WHOLE)
			goes_on = on_reply(p);
	}
}

/* What was said is sent: is there more of the message? */
static void
on_writable(struct bufferevent *io, void *argument)
{
	struct proxied *p = argument;

	if (p->stage == END && !p->is_sent)
		send_piece(p);
}

static void
on_event(struct bufferevent *io, short what, void *argument)
{
	struct proxied *p = argument;

	if (what & BEV_EVENT_CONNECTED)
		p->is_connected = true;
	else if ((what & BEV_EVENT_ERROR) && !p->is_connected)
		fail(p, "connect to proxy filter",
		    strerror(EVUTIL_SOCKET_ERROR()));
	else if (what & BEV_EVENT_TIMEOUT)
		fail(p, "timeout talking to proxy", "");
	else if (what & (BEV_EVENT_EOF | BEV_EVENT_ERROR))
		fail(p, "lost connection with proxy", "");
}

static void
connect_to_filter(struct proxied *p)
{
	const struct timeval limit = { config.smtpd_proxy_timeout, 0 };

	at_once++;
	text_puts(&p->said, "connection request");
	p->io = bufferevent_socket_new(service_base, -1,
	    BEV_OPT_CLOSE_ON_FREE | BEV_OPT_DEFER_CALLBACKS);
	bufferevent_setcb(p->io, on_readable, on_writable, on_event, p);
	bufferevent_set_timeouts(p->io, &limit, &limit);
	bufferevent_enable(p->io, EV_READ | EV_WRITE);
	bufferevent_socket_connect(p->io, (struct sockaddr *)&place.address,
	    (int)place.length);
}

static void
begin_next(void)
{
	struct proxied *p;

	while (at_once < AT_ONCE_MAX &&
	    (p = TAILQ_FIRST(&waiting)) != NULL) {
		TAILQ_REMOVE(&waiting, p, link);
		connect_to_filter(p);
	}
}

void
proxy_filter_submit(struct session *s)
{
	struct proxied *p = mem_zalloc(1, sizeof(*p));
	struct text origin = TEXT_EMPTY;

	xforward_describe(s, &origin);
	log_info("NOQUEUE: client=%s%s", s->peer, text_string(&origin));
	text_clear(&origin);
	p->session = s;
	s->transaction->proxied = p;
	s->busy = true;
	TAILQ_INSERT_TAIL(&waiting, p, link);
	begin_next();
}
