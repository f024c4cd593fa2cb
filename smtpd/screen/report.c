/* Log lines, as log readers know them from postscreen(8) and dnsblog(8). */

#include <arpa/inet.h>
#include <string.h>
#include <sys/socket.h>

#include "address/address.h"
#include "config/config.h"
#include "delivery/delivery.h"
#include "smtpd/check/check.h"
#include "smtpd/screen/screen.h"

#define SHOWN_MAX	100	/* of what a client said */

static const char *tag, *dnsblog_tag;

void
screen_report_open(void)
{
	tag = mem_printf("%s/postscreen", config.syslog_name);
	dnsblog_tag = mem_printf("%s/dnsblog", config.syslog_name);
}

static unsigned
port(const struct session *s)
{
	return ntohs(s->address.v4.sin_port);
}

void
screen_tell(const struct session *s, const char *what)
{
	log_info_as(tag, "%s [%s]:%u", what, s->client_address, port(s));
}

void
screen_tell_from(const struct session *s, const char *what, const char *after,
    const char *detail)
{
	log_info_as(tag, "%s from [%s]:%u%s%s%s%s", what, s->client_address,
	    port(s), after != NULL ? " after " : "",
	    after != NULL ? after : "", detail != NULL ? ": " : "",
	    detail != NULL ? detail : "");
}

void
screen_tell_connect(const struct session *s)
{
	union resolve_address server = s->server;
	socklen_t size = sizeof(server);
	char room[INET6_ADDRSTRLEN];

	if (server.any.sa_family == AF_UNSPEC &&
	    getsockname(s->fd, &server.any, &size) == -1)
		return;
	log_info_as(tag, "CONNECT from [%s]:%u to [%s]:%u", s->client_address,
	    port(s), address_text(&server, room), ntohs(server.v4.sin_port));
}

void
screen_tell_listed(const struct session *s, bool permitted)
{
	if (config.respectful_logging)
		screen_tell(s, permitted ? "ALLOWLISTED" : "DENYLISTED");
	else
		screen_tell(s, permitted ? "WHITELISTED" : "BLACKLISTED");
}

void
screen_tell_stress(bool entering, int clients)
{
	log_info_as(tag, "%s STRESS mode with %d connections",
	    entering ? "entering" : "leaving", clients);
}

void
screen_tell_veto(const struct session *s)
{
	screen_tell(s, config.respectful_logging ? "ALLOWLIST VETO" :
	    "WHITELIST VETO");
}

char *
screen_escape(const char *bytes, size_t length)
{
	static const char plain[] = "\a\b\f\n\r\t\v\\", letters[] = "abfnrtv\\";
	struct text text = TEXT_EMPTY;

	for (size_t i = 0; i < length && text.length < SHOWN_MAX; i++) {
		const char *known = bytes[i] == '\0' ? NULL :
		    strchr(plain, bytes[i]);

		if (known != NULL)
			text_printf(&text, "\\%c", letters[known - plain]);
		else if (bytes[i] >= ' ' && bytes[i] < 0x7f)
			text_putc(&text, bytes[i]);
		else
			text_printf(&text, "\\%03o", (unsigned char)bytes[i]);
	}
	return text.length == 0 ? mem_strdup("") : text_take(&text);
}

const char *
screen_elapsed(const struct session *s)
{
	static char room[24];

	return delivery_delay(room,
	    (clock_ms() - s->screening->since_ms) * 1000);
}

void
screen_tell_hangup(const struct session *s)
{
	log_info_as(tag, "HANGUP after %s from [%s]:%u in tests %s SMTP "
	    "handshake", screen_elapsed(s), s->client_address, port(s),
	    s->screening->phase == SCREEN_TALKING ? "after" : "before");
}

void
screen_tell_answer(const char *client, const char *list, const char *answer)
{
	log_info_as(dnsblog_tag, "addr %s listed by domain %s as %s", client,
	    list, answer);
}

void
screen_tell_refusal(struct session *s, const char *recipient)
{
	struct text line = TEXT_EMPTY;

	text_printf(&line, "NOQUEUE: reject: RCPT from [%s]:%u: %s; from=<",
	    s->client_address, port(s), s->screening->refusal);
	address_quote(&line, session_sender(s));
	text_puts(&line, ">, to=<");
	address_quote(&line, recipient);
	text_printf(&line, ">, proto=%s, helo=<%s>",
	    s->esmtp ? "ESMTP" : "SMTP",
	    s->helo_name == NULL ? "" : s->helo_name);
	log_info_as(tag, "%s", text_string(&line));
	text_clear(&line);
}
