/*
 * How many sessions a client may have, how often it may come, how much it may send.
 *
 * anvil(8) counts over all processes. It is asked when a client connects; of
 * messages and recipients only where a limit is set, else they are told when
 * the session ends. While there is no anvil, this process's own count of
 * sessions stands in. An answer with another epoch is a new anvil's, who has
 * not heard of the sessions that there are.
 */


#include "smtpd/client.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#include "config/config.h"
#include "delivery/classes.h"
#include "ipc/channel.h"
#include "service/service.h"

/* When anvil has not answered for longer than that, it is not asked for a minute. */
#define FAILING_MS	1000
#define REST_MS		60000

static struct ipc_client *anvil;
static int64_t failing_since_ms, rest_until_ms;
static int64_t epoch;

/* This process's sessions, by the client's name in counts. */
static struct map *clients;

static const struct {
	const int	*limit;
	const char	*reply, *warning;
} kinds[] = {
	[LIMIT_SESSIONS] = { &config.smtpd_client_connection_count_limit,
	    NULL, "Connection concurrency" },
	[LIMIT_CONNECTS] = { &config.smtpd_client_connection_rate_limit,
	    NULL, "Connection rate" },
	[LIMIT_MESSAGES] = { &config.smtpd_client_message_rate_limit,
	    "450 4.7.1 Error: too much mail from",
	    "Message delivery request rate" },
	[LIMIT_RECIPIENTS] = { &config.smtpd_client_recipient_rate_limit,
	    "450 4.7.1 Error: too many recipients from",
	    "Recipient address rate" },
};

static void
clear_bits_behind(unsigned char *bytes, int size, int prefix)
{
	for (int i = 0; i < size; i++) {
		int kept = prefix - i * 8;

		if (kept < 8)
			bytes[i] &= kept <= 0 ? 0 : (unsigned char)(0xff00 >> kept);
	}
}

/* "smtp:192.0.2.1", or "smtp:192.0.2.0/24" where a network counts as one client. */
static char *
name_in_counts(const struct session *s)
{
	union resolve_address address = s->address;
	bool is_v4 = address.any.sa_family == AF_INET;
	int prefix = is_v4 ? config.smtpd_client_ipv4_prefix_length
	    : config.smtpd_client_ipv6_prefix_length;
	void *bytes = is_v4 ? (void *)&address.v4.sin_addr
	    : (void *)&address.v6.sin6_addr;
	char text[INET6_ADDRSTRLEN];

	if ((!is_v4 && address.any.sa_family != AF_INET6) ||
	    prefix == (is_v4 ? 32 : 128))
		return mem_printf("%s:%s", service_name, s->client_address);
	clear_bits_behind(bytes, is_v4 ? 4 : 16, prefix);
	inet_ntop(address.any.sa_family, bytes, text, sizeof(text));
	return mem_printf("%s:%s/%d", service_name, text, prefix);
}

static uint64_t
tell(const struct ipc_count *count, ipc_reply_callback *on_counted,
    void *argument)
{
	struct ipc_packet packet = IPC_PACKET_EMPTY;

	if (anvil == NULL)
		anvil = ipc_client_new(service_base, "anvil");
	ipc_encode_count(&packet, 0, count);
	return ipc_client_call(anvil, &packet, on_counted, argument);
}

static int64_t
own_sessions(const char *client)
{
	return (intptr_t)map_get(clients, client);
}

/* To a new anvil. Whom it has heard of meanwhile it hears of again: numbers are those that there are, not changes. */
static void
tell_all(void)
{
	size_t position = 0;
	const char *client;
	void *sessions;

	while ((client = map_next(clients, &position, &sessions)) != NULL)
		tell(&(struct ipc_count){ .client = client,
		    .sessions = (intptr_t)sessions }, NULL, NULL);
}

/* A killed anvil is there again at once; a master.cf without one has none later either. */
static void
note_failure(void)
{
	if (failing_since_ms == 0)
		failing_since_ms = clock_ms();
	else if (clock_ms() - failing_since_ms > FAILING_MS)
		rest_until_ms = clock_ms() + REST_MS;
}

static void
read_counted(struct ipc_packet *packet, struct ipc_counted *counted)
{
	if (packet == NULL || ipc_decode_counted(packet, counted) == -1) {
		note_failure();
		counted->epoch = 0;
	} else {
		failing_since_ms = 0;
		if (counted->epoch != epoch)
			tell_all();
	}
	epoch = counted->epoch;
}

/* What one session more or less made of it does not matter; that it is another anvil does. */
static void
on_told(struct ipc_packet *packet, void *argument)
{
	struct ipc_counted counted = { 0 };

	read_counted(packet, &counted);
}

/* Is it beyond the limit? Then it is in the log. */
static bool
is_beyond(const struct session *s, enum limit limit, int64_t value)
{
	int most = *kinds[limit].limit;

	if (most == 0 || value <= most)
		return false;
	log_warning("%s limit exceeded: %lld from %s for service %s",
	    kinds[limit].warning, (long long)value, s->peer, service_name);
	return true;
}

static void
send_away(struct session *s)
{
	s->trouble |= NOTIFY_POLICY;
	session_say(s, "421 4.7.0 %s Error: too many connections from %s",
	    config.myhostname, s->client_address);
	session_finish(s);
}

/* Is the client within its limits? Else it has its reply. */
static bool
judge(struct session *s, enum limit asked, struct ipc_counted *counted)
{
	if (asked != LIMIT_CONNECTS) {
		if (!is_beyond(s, asked, asked == LIMIT_MESSAGES
		    ? counted->messages : counted->recipients))
			return true;
		session_reply(s, "%s %s", kinds[asked].reply,
		    s->client_address);
		return false;
	}
	if (counted->sessions < s->sessions_then)
		counted->sessions = s->sessions_then;
	if (!is_beyond(s, LIMIT_SESSIONS, counted->sessions) &&
	    !is_beyond(s, LIMIT_CONNECTS, counted->connects))
		return true;
	send_away(s);
	return false;
}

static void
on_counted(struct ipc_packet *packet, void *argument)
{
	struct session *s = argument;
	struct ipc_counted counted = { 0 };

	s->limit_call = 0;
	s->busy = false;
	read_counted(packet, &counted);
	s->limit_done(s, judge(s, s->limit_asked, &counted));
	if (!s->busy)
		session_go_on(s);
}

static void
ask(struct session *s, enum limit limit, struct ipc_count count,
    limit_done *done)
{
	struct ipc_counted nothing = { 0 };

	if (clock_ms() < rest_until_ms) {
		done(s, judge(s, limit, &nothing));
		return;
	}
	count.client = s->limited_as;
	count.sessions = own_sessions(s->limited_as);
	s->limit_asked = limit;
	s->limit_done = done;
	s->busy = true;
	s->limit_call = tell(&count, on_counted, s);
}

void
limit_connect(struct session *s, limit_done *done)
{
	if ((config.smtpd_client_connection_count_limit == 0 &&
	    config.smtpd_client_connection_rate_limit == 0 &&
	    config.smtpd_client_message_rate_limit == 0 &&
	    config.smtpd_client_recipient_rate_limit == 0) ||
	    s->may_xclient || s->is_exempt) {
		done(s, true);
		return;
	}
	if (clients == NULL)
		clients = map_new();
	s->limited_as = name_in_counts(s);
	s->sessions_then = (uint32_t)own_sessions(s->limited_as) + 1;
	map_set(clients, s->limited_as, (void *)(intptr_t)s->sessions_then);
	ask(s, LIMIT_CONNECTS, (struct ipc_count){ .connects = 1 }, done);
}

void
limit_message(struct session *s, limit_done *done)
{
	if (s->limited_as == NULL ||
	    config.smtpd_client_message_rate_limit == 0) {
		s->untold_messages++;
		done(s, true);
	} else
		ask(s, LIMIT_MESSAGES, (struct ipc_count){ .messages = 1 },
		    done);
}

void
limit_recipient(struct session *s, limit_done *done)
{
	if (s->limited_as == NULL ||
	    config.smtpd_client_recipient_rate_limit == 0) {
		s->untold_recipients++;
		done(s, true);
	} else
		ask(s, LIMIT_RECIPIENTS, (struct ipc_count){ .recipients = 1 },
		    done);
}

void
limit_end(struct session *s)
{
	if (s->limited_as == NULL)
		return;

	int64_t left = own_sessions(s->limited_as) - 1;

	if (left > 0)
		map_set(clients, s->limited_as, (void *)(intptr_t)left);
	else
		map_remove(clients, s->limited_as);
	ipc_client_cancel(anvil, s->limit_call);
	if (clock_ms() >= rest_until_ms)
		tell(&(struct ipc_count){ .client = s->limited_as,
		    .sessions = left, .messages = s->untold_messages,
		    .recipients = s->untold_recipients }, on_told, NULL);
	free(s->limited_as);
	s->limited_as = NULL;
}
