/*
 * showq - what is in the queue
 *
 * In       a connection to public/showq: by postqueue(1), or a monitoring program
 * Out      every message as it is found, as attributes (lib/listing), then the end of the connection
 * Asks     qmgr what is on its way
 * Touches  maildrop/ incoming/ deferred/ hold/ journal/, to read
 * Trusts   nobody: whoever may connect may look, and can do nothing else
 * Killed   its client sees a listing without end, and asks again
 */

#include <errno.h>
#include <sys/socket.h>
#include <sys/time.h>

#include "base/base.h"
#include "listing/listing.h"
#include "service/service.h"

/* A client that reads nothing for this long is given up. */
#define WRITE_SECONDS	60

#define BUFFER_MAX	(64 << 10)

struct client {
	int		fd;
	struct text	buffer;
	bool		gone;
	bool		ours;	/* gets what Postfix's attributes do not tell, too */
};

static void
send_buffer(struct client *client)
{
	size_t sent = 0;

	while (!client->gone && sent < client->buffer.length) {
		ssize_t n = send(client->fd, client->buffer.bytes + sent,
		    client->buffer.length - sent, MSG_NOSIGNAL);

		if (n > 0)
			sent += (size_t)n;
		else if (n == -1 && errno != EINTR)
			client->gone = true;
	}
	text_truncate(&client->buffer, 0);
}

static void
on_message(const struct listed_message *message, void *context)
{
	struct client *client = context;

	if (client->gone)
		return;
	listing_encode(&client->buffer, message, client->ours);
	if (client->buffer.length > BUFFER_MAX)
		send_buffer(client);
}

static void
serve(int fd)
{
	const struct timeval limit = { WRITE_SECONDS, 0 };
	struct client client = { .fd = fd,
	    .ours = listing_peer_is_ours(fd) };

	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
	listing_encode_begin(&client.buffer);
	if (listing_collect(0, on_message, &client) == 0)
		listing_encode_end(&client.buffer);
	send_buffer(&client);
	text_clear(&client.buffer);
}

int
main(int argc, char **argv)
{
	static const struct sandbox_path paths[] = {
		{ "maildrop", false }, { "incoming", false },
		{ "deferred", false }, { "hold", false }, { "journal", false },
		{ NULL, false },
	};
	static const struct service showq = {
		.name	      = "showq",
		.serve_stream = serve,
		.sandbox      = SANDBOX_SOCKETS | SANDBOX_READ,
		.paths	      = paths,
	};

	return service_worker(&showq, argc, argv);
}
