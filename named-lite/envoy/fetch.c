#include "named-lite/envoy/fetch.h"

#include <event2/buffer.h>
#include <event2/bufferevent.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/base.h"
#include "dns/tsig.h"
#include "named-lite/envoy/exchange.h"
#include "named-lite/envoy/inbound.h"
#include "named-lite/envoy/office.h"
#include "named-lite/report.h"
#include "named-lite/sockets.h"

#define PARCEL_MAX	((uint64_t)1 << 30)	/* octets of a zone, at most */
#define CONNECT_SECONDS	15

struct fetch {
	struct bufferevent *stream;
	struct event *deadline;
	struct inbound in;
	struct dns_key key;
	struct dns_tsig tsig;
	bool	 has_key;
	bool	 was_signed;		/* the last message */
	bool	 is_connected;
	uint32_t idle_seconds;
	char	 name[DNS_NAME_TEXT];
	char	 from[SOCKETS_TEXT];
	int64_t	 started_ms;
	uint64_t octets;
	fetch_done *done;
	void	*argument;
};

static void
log_end(const struct fetch *f, const char *why)
{
	int64_t spent = clock_ms() - f->started_ms;

	report(LOG_CATEGORY_XFER_IN, LOG_LEVEL_INFO,
	    "transfer of '%s/IN' from %s: Transfer status: %s", f->name,
	    f->from, why != NULL ? why : f->in.state == INBOUND_UP_TO_DATE ?
	    "up to date" : "success");
	report(LOG_CATEGORY_XFER_IN, LOG_LEVEL_INFO,
	    "transfer of '%s/IN' from %s: Transfer completed: %u "
	    "messages, %u records, %llu bytes, %lld.%03d secs (serial %u)",
	    f->name, f->from, f->in.messages, f->in.records,
	    (unsigned long long)f->octets, (long long)spent / 1000,
	    (int)(spent % 1000), f->in.target);
}

static void
finish(struct fetch *f, const char *why, bool can_fall_back)
{
	struct fetch_result result = { why, can_fall_back, -1, f->in.target };
	fetch_done *done = f->done;
	void *argument = f->argument;

	if (why == NULL && f->in.state == INBOUND_END) {
		result.parcel = inbound_seal(&f->in);
		if (result.parcel == -1)
			result.why = why = "out of memory";
	}
	log_end(f, why);
	fetch_cancel(&f);
	done(argument, &result);
}

/* One message. False: the fetch is over, and gone. */
static bool
take_message(struct fetch *f, uint8_t *message, size_t length)
{
	bool is_ixfr = f->in.type == DNS_TYPE_IXFR;
	const char *why = NULL;
	unsigned rcode = 0;

	f->octets += length;
	if (f->has_key)
		why = dns_tsig_verify(&f->tsig, message, &length, time(NULL),
		    &f->was_signed);
	if (why == NULL)
		why = inbound_message(&f->in, message, length, &rcode);
	if (why == NULL && inbound_is_complete(&f->in) && f->has_key &&
	    !f->was_signed)
		why = "the last message is not signed";
	if (why == NULL && !inbound_is_complete(&f->in))
		return true;
	finish(f, rcode != 0 ? exchange_rcode(rcode) : why, is_ixfr);
	return false;
}

static void
on_read(struct bufferevent *stream, void *argument)
{
	struct fetch *f = argument;
	struct evbuffer *in = bufferevent_get_input(stream);
	static uint8_t message[DNS_MESSAGE_MAX];

	while (evbuffer_get_length(in) >= 2) {
		uint8_t head[2];
		size_t length;

		evbuffer_copyout(in, head, sizeof(head));
		length = dns_get16(head);
		if (evbuffer_get_length(in) < 2 + length)
			return;
		evbuffer_drain(in, 2);
		evbuffer_remove(in, message, length);
		if (!take_message(f, message, length))
			return;
	}
}

/* The question; IXFR tells by a SOA what we have (RFC 1995 section 3). */
static void
send_question(struct fetch *f)
{
	uint8_t message[2 + DNS_HEADER_SIZE + DNS_NAME_MAX + 64 + DNS_TSIG_MAX];
	uint8_t *to = message + 2;
	size_t length = exchange_question(to, f->in.id, 0, &f->in.apex,
	    f->in.type);

	if (f->in.type == DNS_TYPE_IXFR) {
		uint8_t *soa = to + length;

		memset(soa, 0, 34);
		dns_put16(soa, 0xc000 | DNS_HEADER_SIZE);
		dns_put16(soa + 2, DNS_TYPE_SOA);
		dns_put16(soa + 4, DNS_CLASS_IN);
		dns_put16(soa + 10, 22);	/* two root names and five numbers */
		dns_put32(soa + 14, f->in.serial);
		dns_put16(to + 8, 1);
		length += 34;
	}
	if (f->has_key) {
		dns_tsig_start(&f->tsig, &f->key);
		length = dns_tsig_sign(&f->tsig, to, length, time(NULL));
	}
	dns_put16(message, length);
	bufferevent_write(f->stream, message, 2 + length);
}

static void
on_event(struct bufferevent *stream, short what, void *argument)
{
	struct fetch *f = argument;
	const struct timeval idle = { f->idle_seconds, 0 };

	if (what & BEV_EVENT_CONNECTED) {
		f->is_connected = true;
		bufferevent_set_timeouts(stream, &idle, &idle);
		send_question(f);
	} else if (what & BEV_EVENT_TIMEOUT)
		finish(f, "timed out", false);
	else if (what & BEV_EVENT_EOF)
		finish(f, "connection closed early", false);
	else
		finish(f, f->is_connected ? "connection reset" :
		    "connection refused", false);
}

static void
on_deadline(evutil_socket_t fd, short events, void *argument)
{
	finish(argument, "it takes longer than max-transfer-time-in", false);
}

static int
open_socket(const struct plan_remote *from, socklen_t size)
{
	int family = from->address.any.sa_family;
	int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd != -1 && from->source.any.sa_family == family) {
		union control_socket source = from->source;

		/* The port of a source is that of questions by UDP. */
		source.four.sin_port = 0;
		if (bind(fd, &source.any, size) == -1)
			fd_close(&fd);
	}
	return fd;
}

static void
fill(struct fetch *f, const struct plan_zone *zone, bool whole,
    const struct plan_remote *from, const struct dns_key *key)
{
	struct control_address address = { .socket = from->address };

	f->in.apex = zone->apex;
	f->in.id = arc4random();
	f->in.type = whole ? DNS_TYPE_AXFR : DNS_TYPE_IXFR;
	f->in.serial = zone->serial;
	f->in.most = PARCEL_MAX;
	f->in.most_records = zone->rules.max_records;
	inbound_init(&f->in);
	if (key != NULL) {
		f->key = *key;
		f->has_key = true;
	}
	f->idle_seconds = zone->max_idle_in;
	f->started_ms = clock_ms();
	dns_name_show(zone->apex.bytes, f->name);
	sockets_print(&address, f->from);
}

struct fetch *
fetch_start(const struct plan_zone *zone, bool whole,
    const struct plan_remote *from, const struct dns_key *key,
    fetch_done *done, void *argument)
{
	const struct timeval patience = { CONNECT_SECONDS, 0 };
	const struct timeval most = { zone->max_time_in, 0 };
	struct fetch *f = mem_zalloc(1, sizeof(*f));
	socklen_t size = from->address.any.sa_family == AF_INET ?
	    sizeof(from->address.four) : sizeof(from->address.six);
	int fd;

	fill(f, zone, whole, from, key);
	f->done = done;
	f->argument = argument;
	fd = open_socket(from, size);
	if (fd == -1) {
		report(LOG_CATEGORY_XFER_IN, LOG_LEVEL_ERROR,
		    "transfer of '%s/IN' from %s: cannot open a socket: "
		    "%m", f->name, f->from);
		fetch_cancel(&f);
		return NULL;
	}
	f->stream = bufferevent_socket_new(office.events, fd,
	    BEV_OPT_CLOSE_ON_FREE | BEV_OPT_DEFER_CALLBACKS);
	bufferevent_setcb(f->stream, on_read, NULL, on_event, f);
	bufferevent_set_timeouts(f->stream, &patience, &patience);
	bufferevent_enable(f->stream, EV_READ | EV_WRITE);
	f->deadline = evtimer_new(office.events, on_deadline, f);
	if (most.tv_sec > 0)
		event_add(f->deadline, &most);
	bufferevent_socket_connect(f->stream, &from->address.any, size);
	return f;
}

void
fetch_cancel(struct fetch **fetch)
{
	struct fetch *f = *fetch;

	if (f == NULL)
		return;
	if (f->stream != NULL)
		bufferevent_free(f->stream);
	if (f->deadline != NULL)
		event_free(f->deadline);
	dns_tsig_clear(&f->tsig);
	inbound_clear(&f->in);
	freezero(f, sizeof(*f));
	*fetch = NULL;
}
