/* messages - encoder and decoder of each row of messages.def */

#include "ipc/ipc.h"

#include <string.h>

#include "base/fd.h"
#include "ipc/internal.h"

struct reader {
	const char	*at, *end;
	int		 fd;
	bool		 failed;
};

static void
put_u64(struct text *body, uint64_t value)
{
	text_append(body, &value, sizeof(value));
}

static void
put_INT(struct ipc_packet *packet, int64_t value)
{
	put_u64(&packet->body, (uint64_t)value);
}

static void
put_BYTES(struct ipc_packet *packet, struct ipc_bytes value)
{
	put_u64(&packet->body, value.length);
	text_append(&packet->body, value.bytes, value.length);
}

static void
put_STRING(struct ipc_packet *packet, const char *value)
{
	if (value == NULL)
		value = "";
	/* With its NUL, so that the decoder need not copy. */
	put_BYTES(packet, (struct ipc_bytes){ value, strlen(value) + 1 });
}

static void
put_FD(struct ipc_packet *packet, int fd)
{
	packet->fd = fd;
	put_INT(packet, fd != -1);
}

static uint64_t
get_u64(struct reader *reader)
{
	uint64_t value = 0;

	if ((size_t)(reader->end - reader->at) < sizeof(value)) {
		reader->failed = true;
		return 0;
	}
	memcpy(&value, reader->at, sizeof(value));
	reader->at += sizeof(value);
	return value;
}

static void
get_INT(struct reader *reader, int64_t *value)
{
	*value = (int64_t)get_u64(reader);
}

static void
get_BYTES(struct reader *reader, struct ipc_bytes *value)
{
	uint64_t length = get_u64(reader);

	if (reader->failed || length > (uint64_t)(reader->end - reader->at)) {
		reader->failed = true;
		*value = (struct ipc_bytes){ "", 0 };
		return;
	}
	*value = (struct ipc_bytes){ reader->at, (size_t)length };
	reader->at += length;
}

static void
get_STRING(struct reader *reader, const char **value)
{
	struct ipc_bytes bytes;

	get_BYTES(reader, &bytes);
	if (bytes.length == 0 ||
	    memchr(bytes.bytes, '\0', bytes.length) !=
	    bytes.bytes + bytes.length - 1) {
		reader->failed = true;
		*value = "";
		return;
	}
	*value = bytes.bytes;
}

static void
get_FD(struct reader *reader, int *fd)
{
	int64_t present;

	get_INT(reader, &present);
	*fd = present != 0 ? reader->fd : -1;
	if (present != 0 && reader->fd == -1)
		reader->failed = true;
}

#define FIELD(type, name)	put_##type(packet, message->name);
#define MESSAGE(name, fields)						\
void									\
ipc_encode_##name(struct ipc_packet *packet, uint64_t request,		\
    const struct ipc_##name *message)					\
{									\
	fd_close(&packet->fd);						\
	text_truncate(&packet->body, 0);				\
	put_u64(&packet->body, IPC_##name);				\
	put_u64(&packet->body, request);				\
	fields								\
}
#include "ipc/messages.def"
#undef MESSAGE
#undef FIELD

#define FIELD(type, name)	get_##type(&reader, &message->name);
#define MESSAGE(name, fields)						\
int									\
ipc_decode_##name(const struct ipc_packet *packet,			\
    struct ipc_##name *message)						\
{									\
	struct reader reader = {					\
		.at = packet->body.bytes + IPC_HEADER_SIZE,		\
		.end = packet->body.bytes + packet->body.length,	\
		.fd = packet->fd,					\
	};								\
									\
	if (ipc_packet_kind(packet) != IPC_##name)			\
		return -1;						\
	fields								\
	return reader.failed || reader.at != reader.end ? -1 : 0;	\
}
#include "ipc/messages.def"
#undef MESSAGE
#undef FIELD

static const char *const kind_names[] = {
	[IPC_NOTHING] = "nothing",
#define MESSAGE(name, fields)	[IPC_##name] = #name,
#include "ipc/messages.def"
#undef MESSAGE
};

const char *
ipc_kind_name(enum ipc_kind kind)
{
	return kind < IPC_KIND_COUNT ? kind_names[kind] : "unknown";
}

void
ipc_packet_clear(struct ipc_packet *packet)
{
	text_clear(&packet->body);
	fd_close(&packet->fd);
}

int
ipc_packet_take_fd(struct ipc_packet *packet)
{
	int fd = packet->fd;

	packet->fd = -1;
	return fd;
}

enum ipc_kind
ipc_packet_kind(const struct ipc_packet *packet)
{
	uint64_t kind;

	if (packet->body.length < IPC_HEADER_SIZE)
		return IPC_NOTHING;
	memcpy(&kind, packet->body.bytes, sizeof(kind));
	return kind < IPC_KIND_COUNT ? (enum ipc_kind)kind : IPC_NOTHING;
}

uint64_t
ipc_packet_request(const struct ipc_packet *packet)
{
	uint64_t request = 0;

	if (packet->body.length >= IPC_HEADER_SIZE)
		memcpy(&request, packet->body.bytes + 8, sizeof(request));
	return request;
}

void
ipc_packet_set_request(struct ipc_packet *packet, uint64_t request)
{
	memcpy(packet->body.bytes + 8, &request, sizeof(request));
}
