/*
 * filing - questions to the filer
 *
 * They go out as they come, and whoever asked is called with the answer. When
 * the filer dies another one is forked, and all that has no answer is asked
 * again, in the same order.
 *
 *	filer.c		the filer, and its walk (walk.c) through deferred/
 *	place.c		where a message is to be, in time
 *	patience.c	how soon, while others have no time to lose
 */

#include "qmgr/qmgr.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "qmgr/filing/filer.h"

/* One that somebody stopped is ended: it is looked at this often. */
#define LOOK_MS		500

/* One that dies sooner than this after its start has a successor only after a pause. */
#define LIFE_MS		1000

struct question {
	TAILQ_ENTRY(question)	 next;
	uint64_t		 number;
	struct text		 packet;	/* kept, to be asked again */
	filing_callback		*done;
	void			*context;
};

static TAILQ_HEAD(, question) questions = TAILQ_HEAD_INITIALIZER(questions);
static size_t count;
static struct ipc_channel *channel;
static struct event *again, *look;
static pid_t child;
static int64_t started_ms;
static int lock_fd;

static void start_filer(void);

size_t
filing_underway(void)
{
	return count;
}

static void
send_question(const struct question *question)
{
	struct ipc_packet packet = IPC_PACKET_EMPTY;

	if (channel == NULL)
		return;
	text_append(&packet.body, question->packet.bytes,
	    question->packet.length);
	ipc_channel_send(channel, &packet);
}

void
filing_ask(struct ipc_packet *packet, filing_callback *done, void *context)
{
	static uint64_t last;
	struct question *question = mem_zalloc(1, sizeof(*question));

	question->number = ++last;
	ipc_packet_set_request(packet, question->number);
	question->packet = packet->body;
	*packet = (struct ipc_packet)IPC_PACKET_EMPTY;
	question->done = done;
	question->context = context;
	TAILQ_INSERT_TAIL(&questions, question, next);
	count++;
	send_question(question);
}

static void
on_packet(struct ipc_channel *from, struct ipc_packet *packet, void *context)
{
	uint64_t number = ipc_packet_request(packet);
	struct question *question;

	TAILQ_FOREACH(question, &questions, next) {
		if (question->number == number)
			break;
	}
	if (question == NULL) {
		log_warning("the filer answers what nobody asked");
		return;
	}
	TAILQ_REMOVE(&questions, question, next);
	count--;
	text_clear(&question->packet);
	question->done(packet, question->context);
	free(question);
	service_check_idle();
}

static void
on_closed(struct ipc_channel *closed, void *context)
{
	const struct timeval pause = { LIFE_MS / 1000, 0 };
	int status = 0;

	ipc_channel_free(&channel);
	kill(child, SIGKILL);	/* if it has only said something that makes no sense */
	waitpid(child, &status, 0);
	if (WIFSIGNALED(status))
		log_warning("the filer, process %d, was ended by signal %d; its "
		    "work is asked of another", (int)child, WTERMSIG(status));
	else
		log_warning("the filer, process %d, ended with %d; its work is "
		    "asked of another", (int)child, WEXITSTATUS(status));
	if (clock_ms() - started_ms < LIFE_MS)
		event_add(again, &pause);
	else
		start_filer();
}

static void
on_again(int fd, short what, void *argument)
{
	start_filer();
}

static void
on_look(int fd, short what, void *argument)
{
	int status;

	/* It shows as the end of its connection. */
	if (channel != NULL &&
	    waitpid(child, &status, WNOHANG | WUNTRACED) == child &&
	    WIFSTOPPED(status))
		kill(child, SIGKILL);
}

static void
start_filer(void)
{
	const struct timeval pause = { LIFE_MS / 1000, 0 };
	struct question *question;
	int pair[2];

	log_flush();
	started_ms = clock_ms();
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) == -1 ||
	    (child = fork()) == -1) {
		log_warning("cannot start the filer: %m; trying again");
		event_add(again, &pause);
		return;
	}
	if (child == 0)
		filer_run(pair[1], lock_fd);
	fd_close(&pair[1]);
	channel = ipc_channel_new(service_base, &pair[0], on_packet, on_closed,
	    NULL);
	TAILQ_FOREACH(question, &questions, next)
		send_question(question);
}

void
filing_start(int lock)
{
	lock_fd = lock;
	again = event_new(service_base, -1, 0, on_again, NULL);
	look = event_new(service_base, -1, EV_PERSIST, on_look, NULL);
	event_add(look, &(const struct timeval){ 0, LOOK_MS * 1000 });
	start_filer();
}
