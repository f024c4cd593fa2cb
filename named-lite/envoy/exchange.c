#include "named-lite/envoy/exchange.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/base.h"
#include "named-lite/envoy/office.h"
#include "named-lite/records.h"

#define TRIES		4
#define FIRST_SECONDS	2	/* for an answer; then twice as long, and so on */
#define MESSAGE_MAX	(DNS_HEADER_SIZE + DNS_NAME_MAX + 4 + DNS_TSIG_MAX)

struct exchange {
	int	 fd;
	struct event *event;
	struct dns_key key;
	bool	 has_key;
	struct dns_tsig tsig;
	struct dns_name name;
	uint16_t id, flags, type;
	unsigned tries;
	exchange_done *done;
	void	*argument;
};

size_t
exchange_question(uint8_t *message, uint16_t id, uint16_t flags,
    const struct dns_name *name, uint16_t type)
{
	uint8_t *to = message + DNS_HEADER_SIZE;

	memset(message, 0, DNS_HEADER_SIZE);
	dns_put16(message, id);
	dns_put16(message + 2, flags);
	dns_put16(message + 4, 1);
	memcpy(to, name->bytes, name->length);
	dns_put16(to + name->length, type);
	dns_put16(to + name->length + 2, DNS_CLASS_IN);
	return DNS_HEADER_SIZE + name->length + 4;
}

const char *
exchange_rcode(unsigned rcode)
{
	static const char *const names[] = { "NOERROR", "FORMERR", "SERVFAIL",
	    "NXDOMAIN", "NOTIMP", "REFUSED", "YXDOMAIN", "YXRRSET", "NXRRSET",
	    "NOTAUTH", "NOTZONE" };

	return rcode < COUNT_OF(names) ? names[rcode] : "RESERVED";
}

const char *
exchange_read_soa(const struct dns_name *apex, const uint8_t *reply,
    size_t length, uint32_t *serial)
{
	static uint8_t rdata[DNS_RDATA_MAX];
	unsigned flags = dns_get16(reply + 2);
	size_t at = DNS_HEADER_SIZE;
	struct dns_record soa;
	int size;

	if ((flags & DNS_RCODE) != 0)
		return exchange_rcode(flags & DNS_RCODE);
	if ((flags & DNS_AA) == 0)
		return "non-authoritative answer";
	if (dns_get16(reply + 4) == 1 &&
	    !dns_question_skip(reply, length, &at))
		return "malformed message";
	if (dns_get16(reply + 6) != 1 ||
	    !dns_record_read(&soa, reply, length, &at) ||
	    soa.type != DNS_TYPE_SOA ||
	    !dns_name_equal(soa.owner.bytes, apex->bytes))
		return "no SOA in the answer";
	size = record_expand(reply, length, &soa, rdata);
	if (size == -1 || !dns_rdata_check(DNS_TYPE_SOA, rdata, size))
		return "malformed SOA";
	*serial = record_serial(rdata, size);
	return NULL;
}

static void
finish(struct exchange *exchange, const uint8_t *reply, size_t length,
    const char *why)
{
	exchange_done *done = exchange->done;
	void *argument = exchange->argument;

	exchange_cancel(&exchange);
	done(argument, reply, length, why);
}

static void
send_question(struct exchange *x)
{
	struct timeval patience = { FIRST_SECONDS << x->tries, 0 };
	uint8_t message[MESSAGE_MAX];
	size_t length = exchange_question(message, x->id, x->flags, &x->name,
	    x->type);

	dns_tsig_clear(&x->tsig);
	if (x->has_key) {
		dns_tsig_start(&x->tsig, &x->key);
		length = dns_tsig_sign(&x->tsig, message, length, time(NULL));
	}
	x->tries++;
	(void)send(x->fd, message, length, MSG_NOSIGNAL);
	event_add(x->event, &patience);
}

/* Is this octet sequence an answer to our question? What is not, somebody made up. */
static bool
is_ours(const struct exchange *x, const uint8_t *reply, size_t length)
{
	size_t at = DNS_HEADER_SIZE;
	struct dns_name name;

	if (length < DNS_HEADER_SIZE || dns_get16(reply) != x->id ||
	    (dns_get16(reply + 2) & (DNS_QR | DNS_OPCODE)) !=
	    (DNS_QR | (x->flags & DNS_OPCODE)))
		return false;
	if (dns_get16(reply + 4) == 0)
		return true;
	return dns_name_unpack(&name, reply, length, &at) &&
	    length - at >= 4 && dns_get16(reply + at) == x->type &&
	    dns_name_equal(name.bytes, x->name.bytes);
}

static void
on_event(evutil_socket_t fd, short events, void *argument)
{
	static uint8_t reply[DNS_MESSAGE_MAX];
	struct exchange *x = argument;
	struct timeval patience = { FIRST_SECONDS << x->tries, 0 };
	const char *why = NULL;
	ssize_t got;
	size_t length;
	bool is_signed;

	if ((events & EV_TIMEOUT) != 0) {
		if (x->tries < TRIES)
			send_question(x);
		else
			finish(x, NULL, 0, "timed out");
		return;
	}
	got = recv(fd, reply, sizeof(reply), MSG_DONTWAIT);
	if (got == -1 && errno == ECONNREFUSED) {
		finish(x, NULL, 0, "connection refused");
		return;
	}
	length = got > 0 ? got : 0;
	if (got == -1 || !is_ours(x, reply, length)) {
		event_add(x->event, &patience);
		return;
	}
	if (x->has_key)
		why = dns_tsig_verify(&x->tsig, reply, &length, time(NULL),
		    &is_signed);
	finish(x, why == NULL ? reply : NULL, length, why);
}

struct exchange *
exchange_start(const struct dns_name *name, uint16_t type, uint16_t flags,
    const union control_socket *to, const union control_socket *source,
    const struct dns_key *key, exchange_done *done, void *argument)
{
	struct exchange *x = mem_zalloc(1, sizeof(*x));
	socklen_t size = to->any.sa_family == AF_INET ? sizeof(to->four) :
	    sizeof(to->six);

	x->name = *name;
	x->type = type;
	x->flags = flags;
	x->id = arc4random();
	x->done = done;
	x->argument = argument;
	if (key != NULL) {
		x->key = *key;
		x->has_key = true;
	}
	x->fd = socket(to->any.sa_family,
	    SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (x->fd == -1 || (source->any.sa_family == to->any.sa_family &&
	    bind(x->fd, &source->any, size) == -1) ||
	    connect(x->fd, &to->any, size) == -1) {
		exchange_cancel(&x);
		return NULL;
	}
	x->event = event_new(office.events, x->fd, EV_READ, on_event, x);
	send_question(x);
	return x;
}

void
exchange_cancel(struct exchange **exchange)
{
	struct exchange *x = *exchange;

	if (x == NULL)
		return;
	if (x->event != NULL)
		event_free(x->event);
	fd_close(&x->fd);
	dns_tsig_clear(&x->tsig);
	freezero(x, sizeof(*x));
	*exchange = NULL;
}
