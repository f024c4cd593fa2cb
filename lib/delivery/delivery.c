#include "delivery/delivery.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/base.h"
#include "address/address.h"
#include "config/config.h"
#include "delivery/filter.h"

/* Envelope and strings of one request; its content lies elsewhere. */
#define REQUEST_POOL	(8 << 20)

/* Map the part of the message's file that is its content. */
static int
map_content(struct delivery_request *request, int file, int64_t offset,
    int64_t length)
{
	int64_t page = sysconf(_SC_PAGESIZE);
	int64_t start = offset - offset % page;
	struct stat st;

	if (offset < 0 || length < 0 || fstat(file, &st) == -1 ||
	    offset > st.st_size || length > st.st_size - offset) {
		errno = EBADMSG;
		return -1;
	}
	request->content = "";
	request->content_length = (size_t)length;
	if (length == 0)
		return 0;
	request->mapping_length = (size_t)(offset + length - start);

	void *mapping = mmap(NULL, request->mapping_length, PROT_READ,
	    MAP_PRIVATE, file, start);

	if (mapping == MAP_FAILED)
		return -1;
	request->mapping = mapping;
	request->content = (char *)mapping + (offset - start);
	return 0;
}

struct delivery_request *
delivery_request_decode(struct ipc_packet *packet)
{
	struct delivery_request *request = mem_zalloc(1, sizeof(*request));
	struct ipc_deliver deliver;

	request->packet = *packet;
	*packet = (struct ipc_packet)IPC_PACKET_EMPTY;
	request->pool = pool_new(REQUEST_POOL);
	if (ipc_decode_deliver(&request->packet, &deliver) == -1) {
		log_warning("a packet that is no delivery request: %s",
		    ipc_kind_name(ipc_packet_kind(&request->packet)));
		goto bad;
	}
	request->transport = deliver.transport;
	request->nexthop = deliver.nexthop;
	request->perhaps_delivered = deliver.perhaps_delivered != 0;
	request->active_us = deliver.active_us;
	request->started_us = clock_wall_us();
	request->envelope = envelope_decode(request->pool,
	    deliver.envelope.bytes, deliver.envelope.length);
	if (request->envelope == NULL) {
		log_warning("a delivery request with a bad envelope: %m");
		goto bad;
	}
	request->content = deliver.content.bytes;
	request->content_length = deliver.content.length;
	if (deliver.file != -1 && map_content(request, deliver.file,
	    deliver.offset, deliver.length) == -1) {
		log_warning("%s: cannot read the message: %m",
		    request->envelope->queue_id);
		goto bad;
	}
	request->reported = mem_zalloc(request->envelope->recipient_count,
	    sizeof(*request->reported));
	return request;
bad:
	delivery_request_free(&request);
	return NULL;
}

void
delivery_request_free(struct delivery_request **argument)
{
	struct delivery_request *request = *argument;

	if (request == NULL)
		return;
	if (request->mapping != NULL)
		munmap(request->mapping, request->mapping_length);
	ipc_packet_clear(&request->packet);
	text_clear(&request->results);
	free(request->reported);
	pool_free(&request->pool);
	free(request);
	*argument = NULL;
}

static const char *const status_names[] = {
	[DELIVERY_DEFERRED] = "deferred",
	[DELIVERY_SENT] = "sent",
	[DELIVERY_BOUNCED] = "bounced",
};

const char *
delivery_status_name(enum delivery_status status)
{
	return status_names[status];
}

const char *
delivery_delay(char room[24], int64_t us)
{
	if (us < 0)
		us = 0;
	if (us < 5000 && config.delay_logging_resolution_limit <= 2) {
		strlcpy(room, "0", 24);
		return room;
	}

	double seconds = (double)us / 1e6;
	int decimals = 0;

	for (double rest = seconds; rest < 10 &&
	    decimals < config.delay_logging_resolution_limit; rest *= 10)
		decimals++;
	snprintf(room, 24, "%.*f", decimals, seconds);
	if (strchr(room, '.') != NULL) {
		size_t length = strlen(room);

		while (room[length - 1] == '0')
			room[--length] = '\0';
		if (room[length - 1] == '.')
			room[--length] = '\0';
	}
	return room;
}

static void
log_result(const struct delivery_request *request,
    const struct recipient *recipient, const struct delivery_result *result,
    const char *status)
{
	const struct envelope *envelope = request->envelope;
	int64_t now = clock_wall_us();
	int64_t connected = request->connected_us != 0 ?
	    request->connected_us : request->started_us;
	char all[24], part[4][24], use[32] = "";
	char to[ADDRESS_EXTERNAL_SIZE], original[ADDRESS_EXTERNAL_SIZE];
	bool differs = *recipient->original != '\0' &&
	    strcasecmp(recipient->original, recipient->address) != 0;

	if (request->conn_use > 1)
		snprintf(use, sizeof(use), ", conn_use=%u", request->conn_use);
	log_info("%s: to=<%s>%s%s%s, relay=%s%s, delay=%s, delays=%s/%s/%s/%s, "
	    "dsn=%s, status=%s (%s)", envelope->queue_id,
	    address_external(to, recipient->address),
	    differs ? ", orig_to=<" : "",
	    differs ? address_external(original, recipient->original) : "",
	    differs ? ">" : "", result->relay, use,
	    delivery_delay(all, now - envelope->arrival_us),
	    delivery_delay(part[0], request->active_us - envelope->arrival_us),
	    delivery_delay(part[1], request->started_us - request->active_us),
	    delivery_delay(part[2], connected - request->started_us),
	    delivery_delay(part[3], now - connected), result->dsn,
	    status, result->text);
}

static void
report(struct delivery_request *request, const struct recipient *recipient,
    struct delivery_result *result)
{
	static const char class[] = {
		[DELIVERY_DEFERRED] = '4', [DELIVERY_SENT] = '2',
		[DELIVERY_BOUNCED] = '5',
	};
	size_t place = (size_t)(recipient - request->envelope->recipients);
	bool verifies = request->envelope->flags & ENVELOPE_VERIFY;
	const char *status = verifies ? result->status == DELIVERY_SENT ?
	    "deliverable" : "undeliverable" : status_names[result->status];
	char dsn[16];

	if (request->reported[place])
		return;
	request->reported[place] = true;
	strlcpy(dsn, result->dsn, sizeof(dsn));
	if (*dsn != '\0')
		*dsn = class[result->status];
	result->dsn = dsn;
	if (!verifies) {
		delivery_filter(result);
		status = status_names[result->status];
	}
	/* What would be final is tried again. */
	if (result->status == DELIVERY_BOUNCED && config.soft_bounce &&
	    !verifies) {
		result->status = DELIVERY_DEFERRED;
		status = "SOFTBOUNCE";
		strlcpy(dsn, result->dsn, sizeof(dsn));
		*dsn = class[DELIVERY_DEFERRED];
		result->dsn = dsn;
	}
	result->number = recipient->number;
	result->action = request->action;
	log_result(request, recipient, result, status);
	delivery_result_encode(&request->results, result);
}

void
delivery_log_member(const struct delivery_request *request,
    const struct recipient *recipient, enum delivery_status status,
    const char *dsn, const char *relay, const char *text)
{
	log_result(request, recipient, &(struct delivery_result){
		.dsn = dsn, .relay = relay, .text = text }, status_names[status]);
}

void
delivery_report(struct delivery_request *request,
    const struct recipient *recipient, enum delivery_status status,
    const char *dsn, const char *relay, const char *format, ...)
{
	struct text text = TEXT_EMPTY;
	va_list arguments;

	va_start(arguments, format);
	text_vprintf(&text, format, arguments);
	va_end(arguments);
	report(request, recipient, &(struct delivery_result){
		.status = status, .dsn = dsn, .relay = relay,
		.text = text_string(&text), .remote_mta = "", .diagnostic = "",
	});
	text_clear(&text);
}

void
delivery_report_remote(struct delivery_request *request,
    const struct recipient *recipient, enum delivery_status status,
    const char *dsn, const char *relay, const char *remote_mta,
    const char *diagnostic, const char *text)
{
	report(request, recipient, &(struct delivery_result){
		.status = status, .dsn = dsn, .relay = relay, .text = text,
		.remote_mta = remote_mta, .diagnostic = diagnostic,
	});
}

void
delivery_encode_reply(struct delivery_request *request,
    struct ipc_packet *reply)
{
	const struct envelope *envelope = request->envelope;

	for (size_t i = 0; i < envelope->recipient_count; i++)
		delivery_report(request, &envelope->recipients[i],
		    DELIVERY_DEFERRED, "4.3.0", "none",
		    "the delivery agent gave no result");
	ipc_encode_delivered(reply, ipc_packet_request(&request->packet),
	    &(struct ipc_delivered){ .results = {
		text_string(&request->results), request->results.length },
		.unreachable = request->unreachable,
		.alone = request->alone });
}

static void
put_STRING(struct text *text, char letter, const char *value)
{
	if (*value == '\0')
		return;
	text_printf(text, "%c%zu:", letter, strlen(value));
	text_puts(text, value);
	text_putc(text, '\n');
}

static void
put_INT(struct text *text, char letter, int64_t value)
{
	char number[24];

	snprintf(number, sizeof(number), "%lld", (long long)value);
	put_STRING(text, letter, number);
}

void
delivery_result_encode(struct text *text, const struct delivery_result *result)
{
	put_INT(text, 'r', result->number);
#define RESULT(letter, type, field)	put_##type(text, letter, result->field);
#include "delivery/results.def"
#undef RESULT
}

static bool
get_STRING(const char *value, const char **to)
{
	*to = value;
	return true;
}

static bool
get_INT(const char *value, int64_t *to)
{
	const char *error;

	*to = strtonum(value, 0, INT64_MAX, &error);
	return error == NULL;
}

static size_t
count_results(const char *bytes, size_t length)
{
	size_t position = 0, count = 0, value_length;
	const char *value;
	int letter;

	while ((letter = envelope_record_next(bytes, length, &position, &value,
	    &value_length)) > 0)
		count += letter == 'r';
	return count;
}

static bool
decode_field(struct delivery_result *result, int letter, const char *value)
{
	switch (letter) {
#define RESULT(letter, type, field)					\
	case letter:							\
		return get_##type(value, &result->field);
#include "delivery/results.def"
#undef RESULT
	}
	return false;
}

struct delivery_result *
delivery_results_decode(struct pool *pool, const char *bytes, size_t length,
    size_t *count)
{
	size_t room = count_results(bytes, length), position = 0, value_length;
	struct delivery_result *results = pool_alloc(pool,
	    (room + 1) * sizeof(*results));
	const char *value;
	int letter;

	*count = 0;
	if (results == NULL)
		return NULL;
	while ((letter = envelope_record_next(bytes, length, &position, &value,
	    &value_length)) > 0) {
		const char *copy = pool_strndup(pool, value, value_length);

		if (copy == NULL)
			return NULL;
		if (letter == 'r') {
			results[(*count)++] = (struct delivery_result){
				.dsn = "", .text = "", .relay = "",
				.remote_mta = "", .diagnostic = "",
			};
			if (!get_INT(copy, &results[*count - 1].number))
				goto bad;
		} else if (*count == 0 ||
		    !decode_field(&results[*count - 1], letter, copy) ||
		    results[*count - 1].status > DELIVERY_BOUNCED) {
			goto bad;
		}
	}
	if (letter == 0)
		return results;
bad:
	errno = EINVAL;
	return NULL;
}
