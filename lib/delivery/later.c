#include "delivery/later.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include "base/base.h"
#include "config/config.h"

#define UNDER_WAY_MAX	64	/* they fit the socket; the rest waits for its turn */
#define ATTEMPTS_MAX	2	/* a cleanup that died has a successor, who knows the message by its token */

/* An answer is kept so long for who waits for another one, too. */
#define KEPT_MS		600000

struct later {
	TAILQ_ENTRY(later)	 link;
	char			*token;
	uint64_t		 number;	/* of the submission */
	uint64_t		 waiter;	/* 0: he looks himself */
	int			 attempts;
	bool			 is_under_way;
	int64_t			 answered_ms;	/* 0: not yet */
	struct ipc_packet	 reply;
	struct ipc_submit_result result;	/* borrows reply */
};

static TAILQ_HEAD(, later) all = TAILQ_HEAD_INITIALIZER(all);
static size_t under_way;
static int connection = -1;

/* Cleanup has it, or has it no more. */
static void
set_under_way(struct later *later, bool is)
{
	under_way += is;
	under_way -= later->is_under_way;
	later->is_under_way = is;
}

static void
later_free(struct later *later)
{
	TAILQ_REMOVE(&all, later, link);
	set_under_way(later, false);
	ipc_packet_clear(&later->reply);
	free(later->token);
	free(later);
}

static struct later *
find(const char *token)
{
	struct later *later;

	TAILQ_FOREACH(later, &all, link) {
		if (strcmp(later->token, token) == 0)
			return later;
	}
	return NULL;
}

static struct later *
add(const char *token)
{
	struct later *later = mem_zalloc(1, sizeof(*later));

	later->token = mem_strdup(token);
	later->reply.fd = -1;
	TAILQ_INSERT_TAIL(&all, later, link);
	return later;
}

static int
send_to_cleanup(struct later *later,
    const struct delivery_submission *submission)
{
	static uint64_t last;
	struct delivery_submission copy = *submission;

	if (later->attempts == ATTEMPTS_MAX) {
		errno = ECONNRESET;
		return -1;
	}
	copy.again |= later->attempts++ > 0;
	later->number = ++last;
	set_under_way(later, true);
	if (connection == -1)
		connection = ipc_connect(config.cleanup_service_name, false);
	return connection == -1 ? -1 :
	    delivery_submit_send(connection, &copy, later->number);
}

struct later *
later_submit(struct delivery_submission *submission)
{
	struct later *later = find(submission->envelope->unique);

	if (later == NULL)
		later = add(submission->envelope->unique);
	if (later->answered_ms != 0) {
		submission->is_answered = true;
		submission->result = later->result;
		return NULL;
	}
	if (!later->is_under_way && under_way < UNDER_WAY_MAX &&
	    send_to_cleanup(later, submission) == -1) {
		int saved = errno;

		later_free(later);
		errno = saved;
		return NULL;
	}
	return later;
}

void
later_await(struct later *later, uint64_t number)
{
	later->waiter = number;
}

void
later_done(const struct delivery_submission *submission)
{
	struct later *later = find(submission->envelope->unique);

	if (later != NULL)
		later_free(later);
}

int
later_fd(void)
{
	return connection;
}

static struct later *
take_answer(struct ipc_packet *packet)
{
	uint64_t number = ipc_packet_request(packet);
	struct later *later;

	TAILQ_FOREACH(later, &all, link) {
		if (later->number == number && later->answered_ms == 0)
			break;
	}
	if (later == NULL ||
	    ipc_decode_submit_result(packet, &later->result) == -1)
		return NULL;
	later->reply = *packet;
	*packet = (struct ipc_packet)IPC_PACKET_EMPTY;
	later->answered_ms = clock_ms();
	set_under_way(later, false);
	return later;
}

/* Those who wait ask its successor. */
static void
lose_connection(void)
{
	struct later *later;

	fd_close(&connection);
	TAILQ_FOREACH(later, &all, link)
		set_under_way(later, false);
}

static bool
wake(struct later *later, later_call_back *call_back)
{
	bool is_there = later->waiter == 0 || call_back(later->waiter);

	if (!is_there)
		later_free(later);
	return is_there;
}

/* There is room: who has not asked yet asks. */
static void
call_next(later_call_back *call_back)
{
	size_t room = UNDER_WAY_MAX - under_way;
	struct later *later, *next;

	TAILQ_FOREACH_SAFE(later, &all, link, next) {
		if (room == 0)
			return;
		if (later->answered_ms == 0 && !later->is_under_way &&
		    wake(later, call_back))
			room--;
	}
}

void
later_receive(later_call_back *call_back)
{
	struct ipc_packet packet = IPC_PACKET_EMPTY;
	struct later *later, *next;
	int64_t now = clock_ms();
	int got;

	TAILQ_FOREACH_SAFE(later, &all, link, next) {
		if (later->answered_ms != 0 &&
		    now - later->answered_ms > KEPT_MS)
			later_free(later);
	}
	while ((got = ipc_receive(connection, &packet, false)) == 1) {
		if ((later = take_answer(&packet)) != NULL)
			wake(later, call_back);
	}
	if (got == 0 || (errno != EAGAIN && errno != EINTR))
		lose_connection();
	call_next(call_back);
	ipc_packet_clear(&packet);
}

void
later_leave(void)
{
	fd_close(&connection);
}
