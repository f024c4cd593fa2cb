/*
 * deliver - give an agent requests as qmgr does, and print its reports
 *
 *	deliver [-n COUNT] [-w WINDOW] [-8ufp] [-e ENVID] [-r full|hdrs] [-N NOTIFY] SOCKET NEXTHOP SENDER RECIPIENT... <CONTENT
 *
 * One line a result: recipient, status, dsn, relay, remote mta, text. WINDOW
 * requests are under way at a time, all of them unless told. -8 is BODY=8BITMIME,
 * -u SMTPUTF8, -f hands the content over in a file, -p says perhaps delivered.
 */

#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/base.h"
#include "delivery/delivery.h"
#include "ipc/ipc.h"

static bool by_file, perhaps_delivered;
static struct envelope template;

static void
read_content(struct text *content)
{
	ssize_t got;

	while ((got = read(STDIN_FILENO, text_reserve(content, 65536),
	    65536)) > 0)
		content->length += (size_t)got;
}

static void
send_request(int fd, int number, const char *nexthop, char **recipients,
    const struct text *content)
{
	struct pool *pool = pool_new(0);
	struct envelope *envelope = envelope_new(pool);
	struct ipc_packet packet = IPC_PACKET_EMPTY;
	struct text text = TEXT_EMPTY;
	struct pool *own = envelope->pool;

	*envelope = template;
	envelope->pool = own;
	envelope->queue_id = pool_printf(pool, "%X", 0xA0000 + number);
	envelope->unique = envelope->queue_id;
	envelope->arrival_us = clock_wall_us();
	for (int i = 0; recipients[i] != NULL; i++) {
		struct recipient *r = envelope_add_recipient(envelope,
		    recipients[i]);

		r->number = i;
		r->original = recipients[i];
		r->dsn_notify = template.size;	/* lent: see main() */
	}
	envelope_encode(envelope, &text);

	struct ipc_deliver deliver = {
		.transport = "smtp", .nexthop = nexthop,
		.active_us = clock_wall_us(),
		.perhaps_delivered = perhaps_delivered,
		.envelope = { text.bytes, text.length },
		.content = { text_string(content), content->length },
		.file = -1,
	};

	if (by_file) {
		deliver.content = (struct ipc_bytes){ "", 0 };
		deliver.file = memfd_create("content", MFD_CLOEXEC);
		if (deliver.file == -1 || fd_write_all(deliver.file,
		    content->bytes, content->length) == -1)
			err(1, "content");
		deliver.length = (int64_t)content->length;
	}
	ipc_encode_deliver(&packet, (uint64_t)number, &deliver);
	if (ipc_send(fd, &packet) == -1)
		err(1, "send");
	ipc_packet_clear(&packet);
	text_clear(&text);
	pool_free(&pool);
}

static void
print_report(const struct ipc_packet *packet, char **recipients)
{
	struct pool *pool = pool_new(0);
	struct ipc_delivered delivered;
	size_t count = 0;

	if (ipc_decode_delivered(packet, &delivered) == -1)
		errx(1, "that is no report");

	struct delivery_result *results = delivery_results_decode(pool,
	    delivered.results.bytes, delivered.results.length, &count);

	for (size_t i = 0; results != NULL && i < count; i++)
		printf("%s\t%s\t%s\t%s\t%s\t%s\n", recipients[results[i].number],
		    delivery_status_name(results[i].status), results[i].dsn,
		    results[i].relay, results[i].remote_mta, results[i].text);
	pool_free(&pool);
}

int
main(int argc, char **argv)
{
	struct ipc_packet packet = IPC_PACKET_EMPTY;
	struct text content = TEXT_EMPTY;
	struct pool *pool = pool_new(0);
	int option, count = 1, window = 0, notify = 0, sent = 0;

	template = *envelope_new(pool);
	while ((option = getopt(argc, argv, "n:w:8ufpe:r:N:")) != -1) {
		switch (option) {
		case 'n': count = atoi(optarg); break;
		case 'w': window = atoi(optarg); break;
		case '8': template.flags |= ENVELOPE_8BIT; break;
		case 'u': template.flags |= ENVELOPE_SMTPUTF8; break;
		case 'f': by_file = true; break;
		case 'p': perhaps_delivered = true; break;
		case 'e': template.dsn_envid = optarg; break;
		case 'r': template.dsn_ret = *optarg == 'f' ? DSN_RET_FULL :
			DSN_RET_HDRS; break;
		case 'N': notify = atoi(optarg); break;
		default: return 2;
		}
	}
	argv += optind;
	if (argc - optind < 4)
		errx(2, "usage: deliver SOCKET NEXTHOP SENDER RECIPIENT...");
	template.sender = argv[2];
	template.size = notify;
	read_content(&content);

	int fd = ipc_connect(argv[0], false);

	if (fd == -1)
		err(1, "connect to %s", argv[0]);
	for (int i = 0; i < count; i++) {
		while (sent < count && (window == 0 || sent < i + window))
			send_request(fd, sent++, argv[1], argv + 3, &content);
		if (ipc_receive(fd, &packet, true) != 1)
			errx(1, "the agent went away");
		print_report(&packet, argv + 3);
	}
	ipc_packet_clear(&packet);
	text_clear(&content);
	pool_free(&pool);
	return 0;
}
